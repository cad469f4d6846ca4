//! The id that a click leaves in its target's URL: it says what was clicked, so that a later conversion needs no
//! look-up, and nobody but the service can make one.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::signature::Signer;
use crate::wire;

/// Version of the bytes. Ids are kept by shops for months: every version stays readable.
const VERSION: u8 = 1;
const LABEL: &str = "click";

/// 64 bits: with a thousand guesses a second, one is right in 300 million years.
const TAG_BYTES: usize = 8;

/// The longest id that is looked at; ours are 60 to 100 characters.
pub const CLICK_ID_MAX_CHARS: usize = 512;

/// What a click id says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClickId<'a> {
    /// Key of the link that was followed.
    pub link: &'a str,
    /// The campaign it counted for.
    pub campaign_id: &'a str,
    /// The A/B variant that was chosen, or empty.
    pub variant: &'a str,
    /// When, epoch ms.
    pub time_ms: i64,
    /// Keyed daily hash of the visitor: which journey it belongs to.
    pub visitor: u64,
}

impl ClickId<'_> {
    /// The id as it stands in a URL: base64url of a version byte, the fields in postcard's wire format, and the tag.
    pub fn encode(&self, signer: &Signer) -> String {
        let mut bytes = vec![VERSION];
        wire::write(self, &mut bytes);
        bytes.extend_from_slice(&signer.tag::<TAG_BYTES>(LABEL, &bytes));
        URL_SAFE_NO_PAD.encode(bytes)
    }
}

/// A click id that was read: it lends what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedClick(Vec<u8>);

/// Why an id is refused, as the end of a sentence.
const FORGED: &str = "is not a click id of this service";

impl SealedClick {
    /// Reads an id from a URL.
    ///
    /// # Errors
    /// The end of a sentence: it was made by somebody else, or changed on its way.
    pub fn read(text: &str, signer: &Signer) -> Result<Self, &'static str> {
        if text.len() > CLICK_ID_MAX_CHARS {
            return Err(FORGED);
        }
        let mut bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| FORGED)?;
        let body_bytes = bytes.len().checked_sub(TAG_BYTES).ok_or(FORGED)?;
        let tag = bytes.split_off(body_bytes);
        if bytes.first() != Some(&VERSION) || !signer.knows(LABEL, &bytes, &tag) {
            return Err(FORGED);
        }
        let sealed = Self(bytes);
        sealed.parse().map(|_| ()).ok_or(FORGED)?;
        Ok(sealed)
    }

    fn parse(&self) -> Option<ClickId<'_>> {
        postcard::from_bytes(self.0.get(1..)?).ok()
    }

    /// What it says.
    pub fn says(&self) -> ClickId<'_> {
        // It was parsed before it was made.
        let nothing = ClickId { link: "", campaign_id: "", variant: "", time_ms: 0, visitor: 0 };
        self.parse().unwrap_or(nothing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CLICK: ClickId<'_> = ClickId {
        link: "demo",
        campaign_id: "spring",
        variant: "b",
        time_ms: 1_790_000_000_000,
        visitor: 0x0123_4567_89ab_cdef,
    };

    fn signer() -> Signer {
        Signer::new("secret").unwrap()
    }

    /// Shops keep ids until their customer buys.
    #[test]
    fn an_id_is_pinned() {
        let id = CLICK.encode(&signer());
        assert_eq!(id, "AQRkZW1vBnNwcmluZwFigLCDxZho75uvzfis0ZEBJ1abOQcPFb0");
        assert_eq!(SealedClick::read(&id, &signer()).unwrap().says(), CLICK);
    }

    #[test]
    fn a_forged_id_is_refused() {
        let id = CLICK.encode(&signer());
        for at in 0..id.len() {
            let mut forged = id.clone().into_bytes();
            forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(forged).unwrap();
            if forged != id {
                assert_eq!(SealedClick::read(&forged, &signer()), Err(FORGED), "{at}");
            }
        }
        assert_eq!(SealedClick::read(&id, &Signer::new("other").unwrap()), Err(FORGED));
        assert_eq!(SealedClick::read(&"A".repeat(1_000), &signer()), Err(FORGED));
    }

    proptest! {
        #[test]
        fn an_id_is_read_back(
            link in "\\PC{0,64}", campaign_id in any::<String>(), variant in "\\PC{0,32}", time_ms: i64, visitor: u64,
        ) {
            let click = ClickId { link: &link, campaign_id: &campaign_id, variant: &variant, time_ms, visitor };
            let id = click.encode(&signer());
            prop_assert!(id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'));
            if id.len() <= CLICK_ID_MAX_CHARS {
                let sealed = SealedClick::read(&id, &signer()).unwrap();
                prop_assert_eq!(sealed.says(), click);
            }
        }

        #[test]
        fn any_text_is_answered(text in any::<String>()) {
            prop_assert!(SealedClick::read(&text, &signer()).is_err());
        }
    }
}
