//! What a gate is called with.

use durable_objects::Maps;

/// Frames, whether they went round by the queue, and by which maps they came to this gate; by the only one there ever
/// was, if it says nothing.
pub(crate) struct Call<'a> {
    pub(crate) late: bool,
    pub(crate) maps: Option<Maps>,
    pub(crate) frames: &'a [u8],
}

impl<'a> Call<'a> {
    /// Straight from a request.
    pub(crate) const PROMPT: u8 = 0;
    /// Round by the queue.
    pub(crate) const LATE: u8 = 1;
    /// Maps come before the frames.
    const MAPPED: u8 = 2;

    /// A call without its frames, which are to be added.
    pub(crate) fn begin(how: u8, maps: &Maps) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(512);
        if maps.version() == 0 {
            bytes.push(how);
        } else {
            bytes.push(how | Self::MAPPED);
            maps.write(&mut bytes);
        }
        bytes
    }

    pub(crate) fn read(bytes: &'a [u8]) -> Option<Self> {
        let (&how, rest) = bytes.split_first()?;
        if how > Self::LATE | Self::MAPPED {
            return None;
        }
        let late = how & Self::LATE != 0;
        if how & Self::MAPPED == 0 {
            return Some(Self { late, maps: None, frames: rest });
        }
        let (maps, frames) = Maps::read(rest)?;
        Some(Self { late, maps: Some(maps), frames })
    }

    /// The frames of a call of our own.
    pub(crate) fn frames(bytes: &'a [u8]) -> &'a [u8] {
        Self::read(bytes).map_or(&[], |call| call.frames)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Edges and gates are of two versions while a deploy is under way.
    #[test]
    fn calls_are_pinned() {
        let once = Maps::new(&[], 2);
        assert_eq!(Call::begin(Call::LATE, &once), [1]);
        let twice = Maps::new(&[2], 4);
        assert_eq!(Call::begin(Call::PROMPT, &twice), [2, 2, 2, 0, 4, 0]);
        let call = Call::read(&[3, 2, 2, 0, 4, 0, 7]).unwrap();
        assert_eq!((call.late, call.maps, call.frames), (true, Some(twice), &[7][..]));
        assert!(Call::read(&[4, 7]).is_none() && Call::read(&[2, 9, 0]).is_none());
    }
}
