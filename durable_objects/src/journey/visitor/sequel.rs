//! Sequels: what is new of a visitor who is stored already.
//!
//! Who comes back for the fortieth time has three kilobytes, of which a hundred bytes are new. So what is written is a
//! sequel: the footprints since, with the texts that only they say, and what was told by now. It stands alone until a merge
//! puts it behind what it goes on from: nobody has to understand either of them to do so.

use analytics::number::{put, take};
use analytics::wire;

use super::super::trail::Mark;
use super::blind::BLIND_VERSION;
use super::{State, Visitor};

/// In place of a version: it goes on from what was written before.
const SEQUEL_VERSION: u8 = 3;

/// So much longer than it has to is a whole journey kept, so that whoever comes back within that time needs a sequel alone:
/// all parts of a record expire together.
pub const SPARE_MS: i64 = 86_400_000;

/// Whether a body goes on from an older one.
pub(crate) fn is_sequel(body: &[u8]) -> bool {
    matches!(body.first(), Some(&(SEQUEL_VERSION | BLIND_VERSION)))
}

/// What the database has of a visitor.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Stored {
    upto: Mark,
    /// How many bytes the sequels have; more than any journey has if some were added blindly, which no sequel goes on from.
    bytes: usize,
    /// Until when it is there; 0: it is not.
    expires_ms: i64,
}

impl Visitor {
    /// Appends what storage lacks of the journey to keep it until then: a sequel to what was appended or read last, or all of
    /// it. Returns until when it is kept.
    ///
    /// Sequels take no more bytes than what they go on from: by then all of it is written anew, which is as much again as
    /// was written since.
    pub fn append(&mut self, until_ms: i64, out: &mut Vec<u8>) -> i64 {
        let (begin, stored) = (out.len(), self.stored);
        if stored.expires_ms >= until_ms {
            out.push(SEQUEL_VERSION);
            self.trail.write_behind(stored.upto, out);
            wire::write(&self.state, out);
            let bytes = stored.bytes.saturating_add(out.len() - begin);
            if bytes <= self.trail.stored_bytes() {
                self.stored = Stored { upto: self.trail.mark(), bytes, ..stored };
                return stored.expires_ms;
            }
            out.truncate(begin);
        }
        self.encode(out);
        self.is_stored(0, until_ms.saturating_add(SPARE_MS))
    }

    /// Says that all of it is stored until then.
    fn is_stored(&mut self, bytes: usize, expires_ms: i64) -> i64 {
        self.stored = Stored { upto: self.trail.mark(), bytes, expires_ms };
        expires_ms
    }

    /// Reads a journey that is stored until then, and may go on there.
    pub fn read(bytes: &[u8], expires_ms: i64) -> Option<Self> {
        let mut visitor = Self::decode(bytes)?;
        // One of an earlier version reads as another than is stored.
        if bytes.first() == Some(&super::JOURNEY_VERSION) {
            visitor.is_stored(visitor.stored.bytes, expires_ms);
        }
        Some(visitor)
    }

    /// Says that what is appended next is to stand alone.
    pub(crate) fn gather(&mut self) {
        self.stored = Stored::default();
    }

    /// Until when all of it is stored, so that more can be appended to it.
    pub(super) fn stored_until(&self) -> Option<i64> {
        let Stored { upto, bytes, expires_ms } = self.stored;
        Some(expires_ms).filter(|until_ms| *until_ms > 0 && bytes < usize::MAX && upto == self.trail.mark())
    }

    /// The visitor in few bytes, to be held in memory as it is.
    pub(crate) fn pack(&self) -> Vec<u8> {
        let Stored { upto, bytes, expires_ms } = self.stored;
        let mut out = Vec::with_capacity(self.trail.stored_bytes() + 64);
        put(bytes as u64, &mut out);
        // What is not stored as far as it goes is written as a whole next time.
        put(if upto == self.trail.mark() { expires_ms as u64 } else { 0 }, &mut out);
        self.encode(&mut out);
        out
    }

    /// The visitor that was packed.
    pub(crate) fn unpack(bytes: &[u8]) -> Option<Self> {
        let (stored, rest) = take(bytes)?;
        let (expires_ms, rest) = take(rest)?;
        let mut visitor = Self::decode(rest)?;
        visitor.is_stored(stored as usize, expires_ms as i64);
        Some(visitor)
    }

    /// The visitor after all that these sequels say.
    pub(super) fn with_sequels(mut self, mut bytes: &[u8]) -> Option<Self> {
        self.stored.bytes = bytes.len();
        while let Some((&tag, rest)) = bytes.split_first() {
            if tag == BLIND_VERSION {
                bytes = self.read_blind(rest)?;
                self.stored.bytes = usize::MAX;
                continue;
            }
            if tag != SEQUEL_VERSION {
                return None;
            }
            let rest = self.trail.read_behind(rest)?;
            let (state, rest): (State, _) = postcard::take_from_bytes(rest).ok()?;
            (self.state, bytes) = (state, rest);
        }
        Some(self)
    }
}
