//! What a trail takes: in memory, and as it is stored.

use analytics::number::{put, take};

use super::Trail;
use super::print::{PRINT_BYTES, Print};

impl Trail {
    /// What it takes beside itself.
    pub(in crate::journey) fn heap_bytes(&self) -> usize {
        self.texts.capacity()
            + (self.ends.capacity() + self.lists.capacity()) * size_of::<u32>()
            + self.traits.capacity()
            + self.said.capacity()
            + self.prints.capacity() * size_of::<Print>()
            + 6 * 16 // for what the allocator adds to each block
    }

    /// Appends the trail.
    pub(in crate::journey) fn write(&self, out: &mut Vec<u8>) {
        let lengths = |ends: &[u32], out: &mut Vec<u8>| {
            put(ends.len() as u64, out);
            let mut before = 0;
            for end in ends {
                put((end - before).into(), out);
                before = *end;
            }
        };
        for (ends, bytes) in [(&self.ends, self.texts.as_bytes()), (&self.lists, &self.traits)] {
            lengths(ends, out);
            out.extend_from_slice(bytes);
        }
        put(self.said.len() as u64, out);
        out.extend_from_slice(&self.said);
        put(self.prints.len() as u64, out);
        self.prints.iter().for_each(|print| print.write(out));
    }

    /// Reads a trail, and what stands behind it.
    pub(in crate::journey) fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (ends, rest) = read_ends(bytes)?;
        let (texts, rest) = rest.split_at_checked(last_of(&ends))?;
        let (lists, rest) = read_ends(rest)?;
        let (traits, rest) = rest.split_at_checked(last_of(&lists))?;
        let (length, rest) = take(rest)?;
        let (said, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
        let (count, rest) = take(rest)?;
        let (prints, rest) = rest.split_at_checked(usize::try_from(count).ok()?.checked_mul(PRINT_BYTES)?)?;
        let trail = Self {
            texts: str::from_utf8(texts).ok()?.to_owned(),
            ends,
            traits: traits.to_vec(),
            lists,
            said: said.to_vec(),
            prints: prints.chunks_exact(PRINT_BYTES).map(Print::read).collect::<Option<_>>()?,
        };
        Some((trail, rest))
    }
}

fn last_of(ends: &[u32]) -> usize {
    ends.last().map_or(0, |end| *end as usize)
}

/// Lengths, as ends.
fn read_ends(bytes: &[u8]) -> Option<(Vec<u32>, &[u8])> {
    let (count, mut rest) = take(bytes)?;
    let count = usize::try_from(count).ok().filter(|count| *count <= rest.len())?;
    let (mut ends, mut end) = (Vec::with_capacity(count), 0u32);
    for _ in 0..count {
        let (length, behind) = take(rest)?;
        (end, rest) = (end.checked_add(u32::try_from(length).ok()?)?, behind);
        ends.push(end);
    }
    Some((ends, rest))
}
