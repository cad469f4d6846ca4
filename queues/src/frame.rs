//! Frames: how events lie one behind the other in a gate call, in a row of the log and in a message.
//!
//! The same bytes go all the way from the edge to the consumer; nobody in between takes an event apart.

use analytics::{EventId, Kind, RawEvent, wire};
use serde::{Deserialize, Serialize};

const EVENT: u8 = 1;
const DUPLICATES: u8 = 2;
const OUTCOME: u8 = 3;

/// One thing on its way to the sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame<'a> {
    /// An event: its identity, and its body for [`RawEvent::decode`].
    Event {
        /// What the gate remembers.
        id: EventId,
        /// The encoded event.
        body: &'a [u8],
    },
    /// Copies that a gate turned away.
    Duplicates(Duplicates<'a>),
    /// What follows from a journey: for [`analytics::Outcome::decode`].
    Outcome(&'a [u8]),
}

/// How many copies of one kind a gate turned away for one link and campaign since it last said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duplicates<'a> {
    /// Token of the link, or empty.
    pub link: &'a str,
    /// Campaign, or empty.
    pub campaign_id: &'a str,
    /// What they were copies of.
    pub kind: Kind,
    /// How many.
    pub times: u64,
    /// The gate's clock when it wrote this, epoch ms.
    pub at_ms: i64,
}

/// Bytes that are no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken<'a> {
    /// A frame of a kind that this code does not know, or whose content is not what its kind promises. The
    /// frames behind it are read all the same. The frame.
    Unknown(&'a [u8]),
    /// The bytes end within a frame: nothing can be read behind it. What is left.
    Cut(&'a [u8]),
}

impl Frame<'_> {
    /// Appends the frame of an event.
    pub fn write_event(event: &RawEvent<'_>, out: &mut Vec<u8>) {
        let start = begin(EVENT, out);
        out.extend_from_slice(event.id.as_bytes());
        event.encode(out);
        end(start, out);
    }

    /// Appends this frame.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Event { id, body } => {
                let start = begin(EVENT, out);
                out.extend_from_slice(id.as_bytes());
                out.extend_from_slice(body);
                end(start, out);
            }
            Self::Duplicates(duplicates) => {
                let start = begin(DUPLICATES, out);
                wire::write(duplicates, out);
                end(start, out);
            }
            Self::Outcome(body) => {
                let start = begin(OUTCOME, out);
                out.extend_from_slice(body);
                end(start, out);
            }
        }
    }

    /// The bytes that [`Frame::write`] adds for an event with this body.
    pub fn event_len(body: &[u8]) -> usize {
        5 + 16 + body.len()
    }
}

/// Writes a frame's head: its kind, and four bytes for the length that [`end`] fills in.
fn begin(kind: u8, out: &mut Vec<u8>) -> usize {
    out.push(kind);
    out.extend_from_slice(&[0; 4]);
    out.len()
}

fn end(start: usize, out: &mut [u8]) {
    let length = (out.len().saturating_sub(start) as u32).to_le_bytes();
    if let Some(place) = out.get_mut(start - 4..start) {
        place.copy_from_slice(&length);
    }
}

/// The frames in some bytes, in order. After [`Broken::Cut`] there are no more.
pub fn frames(bytes: &[u8]) -> impl Iterator<Item = Result<Frame<'_>, Broken<'_>>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let Some((kind, payload, behind)) = split(rest) else {
            return Some(Err(Broken::Cut(std::mem::take(&mut rest))));
        };
        let whole = rest.get(..rest.len() - behind.len()).unwrap_or(rest);
        rest = behind;
        Some(read(kind, payload).ok_or(Broken::Unknown(whole)))
    })
}

fn split(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&kind, bytes) = bytes.split_first()?;
    let (length, bytes) = bytes.split_first_chunk()?;
    let (payload, behind) = bytes.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    Some((kind, payload, behind))
}

fn read(kind: u8, payload: &[u8]) -> Option<Frame<'_>> {
    match kind {
        EVENT => {
            let (id, body) = payload.split_first_chunk()?;
            Some(Frame::Event { id: EventId::from_bytes(*id), body })
        }
        DUPLICATES => postcard::from_bytes(payload).ok().map(Frame::Duplicates),
        OUTCOME => Some(Frame::Outcome(payload)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn duplicates() -> Duplicates<'static> {
        Duplicates { link: "demo", campaign_id: "c1", kind: Kind::Click, times: 300, at_ms: 1 }
    }

    /// Rows of the log and messages in the queue outlive a deploy: other bytes would be lost events.
    #[test]
    fn the_bytes_are_pinned() {
        let mut bytes = Vec::new();
        Frame::Event { id: EventId::from_bytes([7; 16]), body: b"xy" }.write(&mut bytes);
        Frame::Duplicates(duplicates()).write(&mut bytes);
        let mut expected = vec![1, 18, 0, 0, 0];
        expected.extend([7; 16]);
        expected.extend(b"xy");
        expected.extend([2, 12, 0, 0, 0, 4]);
        expected.extend(b"demo\x02c1\x00\xac\x02\x02");
        assert_eq!(bytes, expected);
    }

    #[test]
    fn a_broken_frame_costs_only_itself() {
        let mut bytes = vec![9, 2, 0, 0, 0, 1, 1];
        bytes.extend([1, 3, 0, 0, 0, 1, 1, 1]); // an event without room for its id
        Frame::Duplicates(duplicates()).write(&mut bytes);
        bytes.extend([1, 200, 0, 0, 0, 1]);
        let read: Vec<_> = frames(&bytes).collect();
        assert_eq!(
            read,
            [
                Err(Broken::Unknown(&[9, 2, 0, 0, 0, 1, 1])),
                Err(Broken::Unknown(&[1, 3, 0, 0, 0, 1, 1, 1])),
                Ok(Frame::Duplicates(duplicates())),
                Err(Broken::Cut(&[1, 200, 0, 0, 0, 1]))
            ]
        );
    }

    proptest! {
        #[test]
        fn frames_are_read_as_they_were_written(events in prop::collection::vec((any::<[u8; 16]>(), prop::collection::vec(any::<u8>(), 0..90)), 0..9)) {
            let written: Vec<_> = events.iter().map(|(id, body)| Frame::Event { id: EventId::from_bytes(*id), body }).collect();
            let mut bytes = Vec::new();
            for frame in &written {
                frame.write(&mut bytes);
            }
            let read: Result<Vec<_>, _> = frames(&bytes).collect();
            prop_assert_eq!(read, Ok(written));
            prop_assert_eq!(bytes.len(), events.iter().map(|(_, body)| Frame::event_len(body)).sum::<usize>());
        }

        #[test]
        fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            prop_assert!(frames(&bytes).count() <= bytes.len());
        }
    }
}
