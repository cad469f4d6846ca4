//! What the service vouches for: tags of HMAC-SHA256 under one secret, each kind of thing under its own label.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Signs, and knows its own signature. A tag for one label is none for another: the label is part of what is signed.
#[derive(Clone)]
pub struct Signer(Hmac<Sha256>);

/// Length of the signature of a URL: 128 bits, which nobody guesses.
const URL_TAG_BYTES: usize = 16;
const URL_LABEL: &str = "redirect";

impl Signer {
    /// A signer; `None` without a secret, because everybody could sign with that.
    pub fn new(secret: &str) -> Option<Self> {
        if secret.is_empty() { None } else { Hmac::new_from_slice(secret.as_bytes()).ok().map(Self) }
    }

    fn mac(&self, label: &str, bytes: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(label.as_bytes());
        mac.update(&[0]);
        mac.update(bytes);
        mac
    }

    /// The first `N` bytes (of 32) of the tag.
    pub(crate) fn tag<const N: usize>(&self, label: &str, bytes: &[u8]) -> [u8; N] {
        let whole = self.mac(label, bytes).finalize().into_bytes();
        let mut tag = [0; N];
        tag.iter_mut().zip(whole).for_each(|(byte, from)| *byte = from);
        tag
    }

    /// Whether `tag` begins the tag of these bytes, in a time that does not tell where it differs.
    pub(crate) fn knows(&self, label: &str, bytes: &[u8], tag: &[u8]) -> bool {
        self.mac(label, bytes).verify_truncated_left(tag).is_ok()
    }

    /// Whether `sig` is HMAC-SHA256 of the text in hexadecimal, as any server can make it that knows the secret.
    pub fn signed_text(&self, text: &str, sig: &str) -> bool {
        let pairs = sig.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok());
        let bytes: Option<Vec<u8>> =
            pairs.map(|pair| pair.and_then(|pair| u8::from_str_radix(pair, 16).ok())).collect();
        let mut mac = self.0.clone();
        mac.update(text.as_bytes());
        bytes.is_some_and(|bytes| mac.verify_slice(&bytes).is_ok())
    }

    /// What a receipt knows a person by: nobody who lacks the secret can tell whose it is, not even by trying all ids.
    pub fn person(&self, kind: &str, id: &str) -> String {
        let tag: [u8; 16] = self.tag("person", [kind, id].join("\0").as_bytes());
        format!("{:032x}", u128::from_be_bytes(tag))
    }

    /// The `sig` of a URL that `/log-and-redirect` may lead to.
    pub fn sign_url(&self, url: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.tag::<URL_TAG_BYTES>(URL_LABEL, url.as_bytes()))
    }

    /// Whether `sig` is [`Signer::sign_url`] of the URL.
    pub fn signed_url(&self, url: &str, sig: &str) -> bool {
        let Ok(tag) = URL_SAFE_NO_PAD.decode(sig) else { return false };
        tag.len() == URL_TAG_BYTES && self.knows(URL_LABEL, url.as_bytes(), &tag)
    }
}

/// What a webhook's messages are signed with (Standard Webhooks 1.0.0), and its receiver knows.
///
/// It is worked out from the service's own secret, the webhook and a number that counts its rotations: so that the
/// database holds nothing that could be used, and no dump, export or trail can show it.
#[derive(Clone)]
pub struct WebhookSecret([u8; 32]);

impl WebhookSecret {
    /// The secret of a webhook.
    pub fn of(signer: &Signer, webhook: &str, version: i64) -> Self {
        let mut about = version.to_be_bytes().to_vec();
        about.extend_from_slice(webhook.as_bytes());
        Self(signer.tag("webhook", &about))
    }

    /// As its receiver is shown it, once.
    pub fn reveal(&self) -> String {
        format!("whsec_{}", STANDARD.encode(self.0))
    }

    /// The signature of a message: one of those that the header may list.
    pub fn sign(&self, id: &str, at_seconds: i64, body: &str) -> String {
        // A key of any length is one for HMAC.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return String::new() };
        mac.update(format!("{id}.{at_seconds}.").as_bytes());
        mac.update(body.as_bytes());
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(secret)")
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer(secret)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Signed URLs stand in mails that were sent long ago.
    #[test]
    fn a_signature_is_pinned() {
        let signer = Signer::new("secret").unwrap();
        let sig = signer.sign_url("https://example.com/");
        assert_eq!(sig, "3K22R-F6wrGrEcIvKfXbHQ");
        assert!(signer.signed_url("https://example.com/", &sig));
    }

    /// The specification's own example, in its receivers' libraries.
    #[test]
    fn a_message_is_signed_as_the_standard_says() {
        let key = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let mut padded = [0; 32];
        padded[..24].copy_from_slice(&key); // HMAC fills a short key up with zeros
        let signature = WebhookSecret(padded).sign(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    /// Receivers keep them: another derivation is a service whose messages nobody believes.
    #[test]
    fn a_webhooks_secret_is_pinned_and_its_own() {
        let signer = Signer::new("secret").unwrap();
        let secret = WebhookSecret::of(&signer, "w", 1);
        assert_eq!(secret.reveal(), "whsec_1A15U45KfnHuBW/dXNkbKdFbV+ufgWEg2wkqat1IJhY=");
        for (webhook, version) in [("w", 2), ("v", 1)] {
            assert_ne!(WebhookSecret::of(&signer, webhook, version).reveal(), secret.reveal());
        }
        assert_eq!(format!("{secret:?}"), "WebhookSecret(secret)");
    }

    /// RFC 4231, test case 2.
    #[test]
    fn a_text_is_signed_as_everybody_does_it() {
        let signer = Signer::new("Jefe").unwrap();
        let sig = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        let text = "what do ya want for nothing?";
        assert!(signer.signed_text(text, sig) && signer.signed_text(text, &sig.to_uppercase()));
        for bad in ["", "5b", &sig[..62], &sig.replace('5', "x"), &format!("{sig}00"), "é"] {
            assert!(!signer.signed_text(text, bad), "{bad}");
        }
    }

    #[test]
    fn what_was_not_signed_is_not_known() {
        let signer = Signer::new("secret").unwrap();
        let url = "https://example.com/";
        let sig = signer.sign_url(url);
        assert!(!signer.signed_url("https://example.org/", &sig));
        assert!(!Signer::new("other").unwrap().signed_url(url, &sig));
        for bad in ["", "A", &sig[..21], &format!("{sig}AA"), "====", "é"] {
            assert!(!signer.signed_url(url, bad), "{bad}");
        }
        assert!(!signer.knows("click", url.as_bytes(), &signer.tag::<16>(URL_LABEL, url.as_bytes())));
        assert!(Signer::new("").is_none());
    }
}
