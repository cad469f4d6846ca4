//! What a gate is called with.

use durable_objects::{Maps, Region};

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
    /// Maps of numbers come before the frames.
    const NUMBERED: u8 = 2;
    /// Maps that are more than numbers.
    const MAPPED: u8 = 4;

    /// What a call begins with; its frames come after it.
    pub(crate) fn begin(how: u8, maps: &Maps) -> Vec<u8> {
        let mut bytes = Vec::new();
        if maps.version() == 0 {
            bytes.push(how);
        } else if let Some(numbers) = maps.numbers() {
            bytes.push(how | Self::NUMBERED);
            Maps::write_numbers(&numbers, &mut bytes);
        } else {
            bytes.push(how | Self::MAPPED);
            maps.write(&mut bytes);
        }
        bytes
    }

    /// As a gate of that region understands it.
    pub(crate) fn read(bytes: &'a [u8], region: Region) -> Option<Self> {
        let (&how, rest) = bytes.split_first()?;
        let (maps, frames) = match how & !Self::LATE {
            0 => (None, rest),
            Self::NUMBERED => Maps::read_numbers(rest, region).map(|(maps, rest)| (Some(maps), rest))?,
            Self::MAPPED => Maps::read(rest).map(|(maps, rest)| (Some(maps), rest))?,
            _ => return None,
        };
        Some(Self { late: how & Self::LATE != 0, maps, frames })
    }
}

#[cfg(test)]
mod tests {
    use durable_objects::Layout;

    use super::*;

    /// Edges and gates are of two versions while a deploy is under way.
    #[test]
    fn calls_are_pinned() {
        let once = Maps::new([], Layout::Continents(2));
        assert_eq!(Call::begin(Call::LATE, &once), [1]);
        let only = Maps::new([], Layout::of([(Region::Wnam, 1), (Region::Oc, 2)]));
        assert_eq!(Call::begin(Call::LATE, &only), [1], "there never was another");
        let twice = Maps::new([Layout::Continents(2)], Layout::Continents(4));
        assert_eq!(Call::begin(Call::PROMPT, &twice), [2, 2, 2, 0, 4, 0]);
        let call = Call::read(&[3, 2, 2, 0, 4, 0, 7], Region::Oc).unwrap();
        assert_eq!((call.late, call.maps, call.frames), (true, Some(twice), &[7][..]));
        let moved = Maps::new([Layout::Continents(2)], Layout::world(3));
        assert_eq!(Call::begin(Call::PROMPT, &moved), [4, 2, 0, 2, 0, 1, 0, 3, 0]);
        let call = Call::read(&[5, 2, 0, 2, 0, 1, 0, 3, 0, 7], Region::Oc).unwrap();
        assert_eq!((call.late, call.maps, call.frames), (true, Some(moved), &[7][..]));
        for cut in [&[8, 7][..], &[6, 7], &[2, 9, 0], &[4, 1, 0]] {
            assert!(Call::read(cut, Region::Oc).is_none());
        }
    }
}
