//! The dashboard's session: what its cookie says, signed.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::key::KeyHash;
use crate::signature::Signer;

/// How long a browser stays signed in: a working week is not interrupted, a lost laptop is not signed in for long.
pub const SESSION_MS: i64 = 7 * 86_400_000;

const LABEL: &str = "session";
const TAG_BYTES: usize = 16;

/// Who a browser was signed in as.
///
/// The cookie names the key's id, not the key: whoever reads the cookie jar gets a session that ends, and not a key that
/// can be used elsewhere. Nothing is stored for it. Each request still looks the key up by that id, so that a key that is
/// revoked, has expired or lost a scope ends its sessions with it, and there is no list of sessions to forget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The id of the key: its hash.
    pub key: String,
    /// When it ends. In the signed part, because a browser may keep a cookie for longer than it was told.
    pub expires_ms: i64,
}

impl Session {
    /// The session of a key, from now on.
    pub fn of(key: &str, now_ms: i64) -> Self {
        Self { key: KeyHash::of(key).to_string(), expires_ms: now_ms + SESSION_MS }
    }

    /// The cookie's value.
    pub fn encode(&self, signer: &Signer) -> String {
        let said = format!("{}.{}", self.key, self.expires_ms);
        let tag = URL_SAFE_NO_PAD.encode(signer.tag::<TAG_BYTES>(LABEL, said.as_bytes()));
        format!("{said}.{tag}")
    }

    /// The session of a cookie's value, if we signed it and it is not over.
    pub fn decode(value: &str, signer: &Signer, now_ms: i64) -> Option<Self> {
        let (said, tag) = value.rsplit_once('.')?;
        let tag = URL_SAFE_NO_PAD.decode(tag).ok()?;
        if tag.len() != TAG_BYTES || !signer.knows(LABEL, said.as_bytes(), &tag) {
            return None;
        }
        let (key, expires_ms) = said.split_once('.')?;
        let expires_ms = expires_ms.parse().ok().filter(|&end| now_ms < end)?;
        Some(Self { key: key.to_owned(), expires_ms })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer() -> Signer {
        Signer::new("secret").unwrap()
    }

    #[test]
    fn a_session_is_read_until_it_is_over() {
        let session = Session::of("dev", 1_000);
        let value = session.encode(&signer());
        assert_eq!(session.expires_ms, 1_000 + SESSION_MS);
        assert_eq!(Session::decode(&value, &signer(), SESSION_MS), Some(session.clone()));
        assert_eq!(Session::decode(&value, &signer(), session.expires_ms), None);
        assert!(!value.contains("dev"));
    }

    #[test]
    fn what_was_changed_or_signed_by_others_is_no_session() {
        let value = Session::of("dev", 0).encode(&signer());
        assert_eq!(Session::decode(&value, &Signer::new("other").unwrap(), 1), None);
        for changed in [
            value.replacen('.', "0.", 1),
            value.replacen(".6", ".9", 1),
            value[..value.len() - 1].to_owned(),
            format!("{value}AA"),
            String::new(),
            "..".to_owned(),
        ] {
            assert_eq!(Session::decode(&changed, &signer(), 1), None, "{changed}");
        }
        // A tag of another kind of thing is none for a session.
        let said = format!("{}.{}", KeyHash::of("dev"), SESSION_MS);
        assert_eq!(Session::decode(&format!("{said}.{}", signer().sign_url(&said)), &signer(), 1), None);
    }
}
