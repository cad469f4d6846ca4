//! What a consumer hands to a journal: footprints, and which visitors are one.

use analytics::{Footprint, VisitorKey};
use serde::{Deserialize, Serialize};

/// Version of a call's bytes: calls that did not get through lie in the queue.
const VERSION: u8 = 1;

/// One thing that is handed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Handed<'a> {
    /// An event of a visitor.
    Footprint(VisitorKey, #[serde(borrow)] Footprint<'a>),
    /// Who was known by the first name is known by the second now.
    Bond(VisitorKey, VisitorKey),
}

impl<'a> Handed<'a> {
    /// Whose journey it belongs to.
    pub fn key(&self) -> VisitorKey {
        match self {
            Self::Footprint(key, _) | Self::Bond(key, _) => *key,
        }
    }

    /// Appends it to a call.
    pub fn write(&self, call: &mut Vec<u8>) {
        if call.is_empty() {
            call.push(VERSION);
        }
        // `to_extend` into a Vec has no failing path for these types.
        if let Ok(written) = postcard::to_extend(self, std::mem::take(call)) {
            *call = written;
        }
    }

    /// Reads a call. `None`: it is none, or of a later version.
    pub fn read(call: &'a [u8]) -> Option<Vec<Self>> {
        let (&VERSION, mut rest) = call.split_first()? else { return None };
        let mut handed = Vec::new();
        while !rest.is_empty() {
            let (one, behind) = postcard::take_from_bytes(rest).ok()?;
            handed.push(one);
            rest = behind;
        }
        Some(handed)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_call_is_read_as_it_was_written() {
        let [one, two] = [1, 2].map(|n| VisitorKey::from_bytes([n; 16]));
        let mut call = Vec::new();
        let handed = [Handed::Bond(one, two), Handed::Bond(two, one)];
        handed.iter().for_each(|one| one.write(&mut call));
        assert_eq!(call.first(), Some(&1));
        assert_eq!(Handed::read(&call), Some(handed.to_vec()));
        call[0] = 2;
        assert_eq!(Handed::read(&call), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(mut bytes: Vec<u8>) {
            let _ = Handed::read(&bytes);
            bytes.insert(0, VERSION);
            let _ = Handed::read(&bytes);
        }
    }
}
