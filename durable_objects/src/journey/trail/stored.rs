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
            + self.index.heap_bytes()
            + self.said.capacity()
            + self.prints.capacity() * size_of::<Print>()
            + 7 * 16 // for what the allocator adds to each block
    }

    /// Appends the trail.
    pub(in crate::journey) fn write(&self, out: &mut Vec<u8>) {
        self.write_behind(Mark::default(), out);
    }

    /// Appends what was added behind a mark: texts, lists and the rest only ever grow, and the footprints are those that
    /// speak of the new part.
    pub(in crate::journey) fn write_behind(&self, mark: Mark, out: &mut Vec<u8>) {
        for (ends, from, bytes) in
            [(&self.ends, mark.ends, self.texts.as_bytes()), (&self.lists, mark.lists, &*self.traits)]
        {
            let new = ends.get(from..).unwrap_or_default();
            let begin = last_of(ends.get(..from).unwrap_or_default());
            put(new.len() as u64, out);
            let mut before = begin as u32;
            for end in new {
                put((end - before).into(), out);
                before = *end;
            }
            out.extend_from_slice(bytes.get(begin..).unwrap_or_default());
        }
        let said = self.said.get(mark.said..).unwrap_or_default();
        put(said.len() as u64, out);
        out.extend_from_slice(said);
        // In their order; nearly always the last of all, so that who has two hundred is not looked through for one.
        let count = self.prints.len().saturating_sub(mark.prints);
        let (mut left, mut from) = (count, self.prints.len());
        while left > 0 && from > 0 {
            from -= 1;
            left -= usize::from(self.prints.get(from).is_some_and(|print| print.said as usize >= mark.said));
        }
        put((count - left) as u64, out);
        let new = |print: &&Print| print.said as usize >= mark.said;
        self.prints.iter().skip(from).filter(new).for_each(|print| print.write(out));
    }

    /// Where it ends now.
    pub(in crate::journey) fn mark(&self) -> Mark {
        let Self { ends, lists, said, prints, .. } = self;
        Mark { ends: ends.len(), lists: lists.len(), said: said.len(), prints: prints.len() }
    }

    /// About how many bytes [`Trail::write`] takes.
    pub(in crate::journey) fn stored_bytes(&self) -> usize {
        self.texts.len()
            + self.ends.len()
            + self.traits.len()
            + self.lists.len()
            + self.said.len()
            + self.prints.len() * PRINT_BYTES
    }

    /// Reads a trail, and what stands behind it.
    pub(in crate::journey) fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let mut trail = Self::default();
        let rest = trail.read_behind(bytes)?;
        Some((trail, rest))
    }

    /// Adds what [`Trail::write_behind`] wrote of a trail that went on; what stands behind it.
    pub(in crate::journey) fn read_behind<'a>(&mut self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let (texts, rest) = read_ends(bytes, &mut self.ends)?;
        self.texts.push_str(str::from_utf8(texts).ok()?);
        let (traits, rest) = read_ends(rest, &mut self.lists)?;
        self.traits.extend_from_slice(traits);
        let (length, rest) = take(rest)?;
        let (said, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
        self.said.extend_from_slice(said);
        let (count, rest) = take(rest)?;
        let (prints, rest) = rest.split_at_checked(usize::try_from(count).ok()?.checked_mul(PRINT_BYTES)?)?;
        self.prints.reserve(prints.len() / PRINT_BYTES);
        for print in prints.chunks_exact(PRINT_BYTES) {
            self.insert(Print::read(print)?);
        }
        Some(rest)
    }
}

/// How far a trail was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::journey) struct Mark {
    ends: usize,
    lists: usize,
    said: usize,
    prints: usize,
}

fn last_of(ends: &[u32]) -> usize {
    ends.last().map_or(0, |end| *end as usize)
}

/// Lengths, as ends behind those that are there; and the bytes that end so.
fn read_ends<'a>(bytes: &'a [u8], ends: &mut Vec<u32>) -> Option<(&'a [u8], &'a [u8])> {
    let (count, mut rest) = take(bytes)?;
    let count = usize::try_from(count).ok().filter(|count| *count <= rest.len())?;
    let begin = last_of(ends);
    let mut end = begin as u32;
    ends.reserve(count);
    for _ in 0..count {
        let (length, behind) = take(rest)?;
        (end, rest) = (end.checked_add(u32::try_from(length).ok()?)?, behind);
        ends.push(end);
    }
    rest.split_at_checked(last_of(ends) - begin)
}
