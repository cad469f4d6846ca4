//! API keys: kept as hashes, compared in constant time.

use std::fmt;

use sha2::{Digest, Sha256};

/// The SHA-256 of a key. Keys have 128 bits of chance in them, so a plain hash cannot be reversed by trying.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyHash([u8; 32]);

impl KeyHash {
    /// The hash of a key.
    pub fn of(key: &str) -> Self {
        Self::from_digest(Sha256::digest(key.as_bytes()).into())
    }

    /// A hash that was taken of parts.
    pub(crate) fn from_digest(digest: [u8; 32]) -> Self {
        Self(digest)
    }
}

impl fmt::Display for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Whether two secrets are the same, in a time that tells nothing of where they differ: it is their hashes that are
/// compared, which nobody can choose, and all of each, so that not even the beginning of a hash is told.
pub fn same(a: &str, b: &str) -> bool {
    let (a, b) = (KeyHash::of(a), KeyHash::of(b));
    let differing = a.0.iter().zip(b.0).fold(0, |differing, (a, b)| differing | (a ^ b));
    std::hint::black_box(differing) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Another hash would lock every key out.
    #[test]
    fn the_hash_is_sha_256() {
        assert_eq!(
            KeyHash::of("abc").to_string(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert!(same("dev", "dev") && !same("dev", "Dev") && !same("", "dev"));
    }
}
