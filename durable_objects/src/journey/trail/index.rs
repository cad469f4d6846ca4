//! The index of a trail's texts: who says something again is given the number that it has.

use super::Word;

/// Words by the hashes of their texts, half of the places empty at least. Nobody who comes once has any.
#[derive(Debug, Clone, Default)]
pub(super) struct Index {
    /// 0 is none. Above the word are bits of the hash: most other texts are told apart without a look at them, and nobody
    /// else's texts are in the processor's cache.
    places: Vec<u32>,
    /// How many of the first words were put in.
    words: Word,
}

/// So many places are looked at for a text from where its hash points. One that finds none is stored again: whoever makes
/// texts collide pays with the bytes of his own journey, and nothing takes longer.
const PROBES: usize = 8;

impl Index {
    /// The word of a text that is here; otherwise `next` is going to be its word. `text_of` gives the texts of all words
    /// before that.
    pub(super) fn find_or_add<'a>(
        &mut self,
        text: &str,
        next: Word,
        text_of: impl Fn(Word) -> &'a str,
    ) -> Option<Word> {
        // For a dozen more at once, so that who comes back for the first time has it made once.
        if next as usize * 2 > self.places.len() {
            self.places = vec![0; (next as usize * 2 + 24).next_power_of_two()];
            self.words = 0;
        }
        while self.words + 1 < next {
            self.words += 1;
            self.probe(text_of(self.words), self.words, |_| false);
        }
        self.words = next;
        let found = self.probe(text, next, |word| text_of(word) == text);
        if found.is_some() {
            self.words -= 1;
        }
        found
    }

    /// What it takes.
    pub(super) fn heap_bytes(&self) -> usize {
        self.places.capacity() * size_of::<u32>()
    }

    /// The first word `is` says yes to among those that stand where the text's is looked for; if there is none, the text's
    /// own takes the first place that is free.
    #[inline]
    fn probe(&mut self, text: &str, own: Word, is: impl Fn(Word) -> bool) -> Option<Word> {
        let mask = self.places.len().checked_sub(1)?;
        let hash = hash(text);
        for step in 0..PROBES {
            let place = self.places.get_mut((hash as usize + step) & mask)?;
            if *place == 0 {
                // Of more words than that, which nobody has, the others are not found again.
                *place = if own <= WORD { hash & !WORD | own } else { 0 };
                return None;
            }
            if (*place ^ hash) & !WORD == 0 && is(*place & WORD) {
                return Some(*place & WORD);
            }
        }
        None
    }
}

/// The bits of a word.
const WORD: u32 = 0xffff;

/// By its length and its last eight bytes, as beginnings are alike.
fn hash(text: &str) -> u32 {
    let bytes = text.as_bytes();
    let end = bytes.last_chunk().map_or_else(
        || bytes.iter().fold(0, |end, byte| end << 8 | u64::from(*byte)),
        |end| u64::from_le_bytes(*end),
    );
    // Knuth's multiplier; what it mixes best is on top.
    ((end ^ text.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32
}
