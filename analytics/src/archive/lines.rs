//! Lines as they gather while a batch is planned.

use super::line::{Copies, write_copies, write_event, write_outcome};
use crate::TrackedEvent;

/// A chunk ends behind the line that reaches this: any chunk is a value that D1 takes (2 MB), and the memory of one that
/// grows by doubling stays below it.
const CHUNK_BYTES: usize = 1 << 20;

/// Some lines, and what they are the lines of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// The lines, each with its end.
    pub text: String,
    /// How many.
    pub lines: i64,
    /// Events among them, and what followed from journeys.
    pub events: i64,
    /// Copies that were turned away, all together.
    pub copies: i64,
    /// The earliest effective time, epoch ms.
    pub first_ms: i64,
    /// The latest.
    pub last_ms: i64,
}

/// The lines of a batch, in order.
#[derive(Debug, Default)]
pub struct Lines(Vec<Chunk>);

impl Lines {
    /// Adds an event.
    pub fn add(&mut self, event: &TrackedEvent<'_>) {
        let chunk = self.open(event.effective_time_ms);
        write_event(event, &mut chunk.text);
        chunk.events += 1;
    }

    /// Adds what followed from a journey. It is an event of the ledger's.
    pub fn add_outcome(&mut self, at_ms: i64, body: &[u8]) {
        let chunk = self.open(at_ms);
        write_outcome(at_ms, body, &mut chunk.text);
        chunk.events += 1;
    }

    /// Adds copies.
    pub fn add_copies(&mut self, copies: &Copies) {
        let chunk = self.open(copies.at_ms);
        write_copies(copies, &mut chunk.text);
        chunk.copies = chunk.copies.saturating_add_unsigned(copies.times);
    }

    /// The chunks; none if there are no lines.
    pub fn into_chunks(self) -> Vec<Chunk> {
        self.0
    }

    fn open(&mut self, at_ms: i64) -> &mut Chunk {
        if self.0.last().is_none_or(|chunk| chunk.text.len() >= CHUNK_BYTES) {
            let text = String::new();
            self.0.push(Chunk { text, lines: 0, events: 0, copies: 0, first_ms: at_ms, last_ms: at_ms });
        }
        let last = self.0.len() - 1;
        #[expect(clippy::indexing_slicing, reason = "there is one: it was pushed if there was none")]
        let chunk = &mut self.0[last];
        chunk.lines += 1;
        chunk.first_ms = chunk.first_ms.min(at_ms);
        chunk.last_ms = chunk.last_ms.max(at_ms);
        chunk
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::{NOW, event};
    use crate::{Kind, RawEvent, enrich};

    #[test]
    fn chunks_are_cut_behind_a_line_and_know_what_they_hold() {
        let mut lines = Lines::default();
        for minute in 0..3_000 {
            let raw =
                RawEvent { page_url: "x".repeat(500).into(), ..event(Kind::Page, NOW + minute, "", "") };
            lines.add(&enrich(raw));
        }
        let copies = Copies {
            at_ms: NOW - 1,
            campaign_id: String::new(),
            link: "a".into(),
            kind: Kind::Click,
            times: 7,
        };
        lines.add_copies(&copies);
        let chunks = lines.into_chunks();
        assert!(chunks.len() > 1);
        assert!(
            chunks.iter().all(|chunk| chunk.text.ends_with("}\n") && chunk.text.len() < CHUNK_BYTES + 2_000)
        );
        assert!(chunks.iter().all(|chunk| chunk.text.lines().count() as i64 == chunk.lines));
        let sum = |of: fn(&Chunk) -> i64| chunks.iter().map(of).sum::<i64>();
        assert_eq!((sum(|c| c.lines), sum(|c| c.events), sum(|c| c.copies)), (3_001, 3_000, 7));
        assert_eq!((chunks[0].first_ms, chunks[chunks.len() - 1].first_ms), (NOW, NOW - 1));
        assert!(Lines::default().into_chunks().is_empty());
    }
}
