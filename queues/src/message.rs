//! The packed message: what a gate puts into the queue.

use analytics::wire;
use serde::{Deserialize, Serialize};

/// Version of a message's bytes. The consumer knows every version that may still lie in a queue.
pub const MESSAGE_VERSION: u8 = 1;

/// The queue's price unit is 64 KB per operation, with about 100 bytes of the platform's own; a message that is
/// one byte longer costs twice as much.
pub const MESSAGE_MAX_BYTES: usize = 63_000;

/// Where a message comes from, and how it is to be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Head<'a> {
    /// Admitted events of a gate. `(gate, number)` is counted once, however often it arrives.
    Admitted {
        /// The gate's name.
        gate: &'a str,
        /// The gate's number for it: `seq` of its first row in the log. Never used twice.
        number: i64,
    },
    /// Hits that no gate has seen, because it did not answer. They go through the gate of their region before
    /// they count.
    Unadmitted {
        /// The region whose gates are to be asked.
        region: &'a str,
    },
    /// A call that a journal did not take: its frames are the call. It is handed over again.
    Unhanded {
        /// The journal.
        shard: u16,
    },
}

/// A message, with its frames still packed ([`crate::frames`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// Where it comes from.
    pub head: Head<'a>,
    /// What it carries.
    pub frames: &'a [u8],
}

/// Why bytes are no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// Written by a later version of this code: worth another try after the deploy.
    Version(u8),
    /// Not a message at all.
    Head,
}

impl<'a> Message<'a> {
    /// The message as it travels.
    pub fn encode(head: Head<'_>, frames: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(frames.len() + 40);
        bytes.push(MESSAGE_VERSION);
        wire::write(&head, &mut bytes);
        bytes.extend_from_slice(frames);
        bytes
    }

    /// Reads a message; the frames are borrowed from it.
    ///
    /// # Errors
    /// [`Unreadable`]; never a panic, whatever the bytes.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Unreadable> {
        let (&version, bytes) = bytes.split_first().ok_or(Unreadable::Head)?;
        if version != MESSAGE_VERSION {
            return Err(Unreadable::Version(version));
        }
        let (head, frames) = postcard::take_from_bytes(bytes).map_err(|_| Unreadable::Head)?;
        Ok(Self { head, frames })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Messages in the queue outlive a deploy: other bytes would be lost events.
    #[test]
    fn the_bytes_are_pinned() {
        let admitted = Message::encode(Head::Admitted { gate: "gate/weur/3", number: 5 }, b"f");
        assert_eq!(admitted, b"\x01\x00\x0bgate/weur/3\x0af");
        let unadmitted = Message::encode(Head::Unadmitted { region: "apac" }, b"f");
        assert_eq!(unadmitted, b"\x01\x01\x04apacf");
        assert_eq!(Message::encode(Head::Unhanded { shard: 300 }, b"f"), b"\x01\x02\xac\x02f");
    }

    proptest! {
        #[test]
        fn decode_undoes_encode(gate in ".{0,20}", number in any::<i64>(), frames in prop::collection::vec(any::<u8>(), 0..90)) {
            let head = Head::Admitted { gate: &gate, number };
            let bytes = Message::encode(head, &frames);
            prop_assert_eq!(Message::decode(&bytes), Ok(Message { head, frames: &frames }));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..90)) {
            let _ = Message::decode(&bytes);
        }
    }
}
