//! Names found in a user agent in one pass, without a regular expression.
//!
//! A user agent is words: runs of ASCII letters and digits. A name is looked for only where a word begins (or,
//! for `*bot`, ends), and only among the names that share its two outer letters. So the cost is the number of
//! words, about 20, whatever the number of names.

use crate::rank::order;

/// How a name must sit in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// It begins with a word and ends before a letter: `curl` in `curl/8.5`, not in `curly`.
    Whole,
    /// The same, and nothing comes before it.
    First,
    /// It begins a word.
    Head,
    /// It ends a word; digits may follow.
    Tail,
}

#[derive(Debug)]
struct Entry<T> {
    name: Vec<u8>,
    /// Its third byte, with the bit set that lower case sets.
    third: Option<u8>,
    place: Place,
    value: T,
}

/// A set of names with a meaning each.
#[derive(Debug)]
pub(crate) struct Lexicon<T> {
    heads: Index<T>,
    tails: Index<T>,
}

/// One word of a text: where it begins and ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Word {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Word {
    /// Whether it is a number, as half the words of a user agent are; no name begins with one and ends so too.
    pub(crate) fn is_number(self, text: &[u8]) -> bool {
        let digit = |at: usize| text.get(at).is_some_and(u8::is_ascii_digit);
        digit(self.start) && digit(self.end.saturating_sub(1))
    }
}

/// What was found at a word.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found<'l, T> {
    pub(crate) value: &'l T,
    /// Where the text goes on after the name.
    pub(crate) end: usize,
}

impl<T> Lexicon<T> {
    /// Builds the set. `^name` stands at the start of the text only, `name*` begins a word, `*name` ends one.
    pub(crate) fn new<'n>(names: impl IntoIterator<Item = (&'n str, T)>) -> Self {
        let (mut heads, mut tails) = (Vec::new(), Vec::new());
        for (name, value) in names {
            let (place, name) = match (name.strip_prefix('^'), name.strip_suffix('*'), name.strip_prefix('*'))
            {
                (Some(name), ..) => (Place::First, name),
                (_, Some(name), _) => (Place::Head, name),
                (.., Some(name)) => (Place::Tail, name),
                _ => (Place::Whole, name),
            };
            let name = name.to_ascii_lowercase().into_bytes();
            let entry = Entry { third: name.get(2).map(|byte| byte | 0x20), name, place, value };
            if place == Place::Tail { tails.push(entry) } else { heads.push(entry) }
        }
        Self { heads: Index::new(heads, head_key), tails: Index::new(tails, tail_key) }
    }

    /// The longest name that begins with this word.
    pub(crate) fn at(&self, text: &[u8], word: Word) -> Option<Found<'_, T>> {
        let third = text.get(word.start + 2).copied();
        self.heads.bucket(head_key(text.get(word.start..)?)?).iter().find_map(|entry| {
            // One letter more rules most of them out before a comparison is called for.
            if entry.third.is_some() && entry.third != third.map(|byte| byte | 0x20) {
                return None;
            }
            let end = word.start + entry.name.len();
            let sits = match entry.place {
                Place::Head => true,
                Place::First if word.start > 0 => false,
                _ => !text.get(end).is_some_and(u8::is_ascii_alphabetic),
            };
            (sits && text.get(word.start..end)?.eq_ignore_ascii_case(&entry.name))
                .then_some(Found { value: &entry.value, end })
        })
    }

    /// The longest name that ends this word.
    pub(crate) fn ending(&self, text: &[u8], word: Word) -> Option<&T> {
        let word = text.get(word.start..word.end)?;
        let digits = word.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        let word = word.get(..word.len() - digits)?;
        self.tails.bucket(tail_key(word)?).iter().find_map(|entry| {
            let start = word.len().checked_sub(entry.name.len())?;
            word.get(start..)?.eq_ignore_ascii_case(&entry.name).then_some(&entry.value)
        })
    }
}

/// The words of a text, in order.
pub(crate) fn words(text: &[u8]) -> impl Iterator<Item = Word> {
    let mut bytes = text.iter().enumerate();
    std::iter::from_fn(move || {
        let (start, _) = bytes.by_ref().find(|(_, byte)| in_word(**byte))?;
        let end = bytes.by_ref().find(|(_, byte)| !in_word(**byte)).map_or(text.len(), |(end, _)| end);
        Some(Word { start, end })
    })
}

fn in_word(byte: u8) -> bool {
    #[allow(clippy::indexing_slicing)] // at compile time, where a panic is a compile error
    const LETTERS_AND_DIGITS: [bool; 256] = {
        let mut table = [false; 256];
        let mut byte = 0;
        while byte < 256 {
            table[byte] = (byte as u8).is_ascii_alphanumeric();
            byte += 1;
        }
        table
    };
    static TABLE: [bool; 256] = LETTERS_AND_DIGITS;
    TABLE.get(usize::from(byte)).is_some_and(|letter| *letter)
}

/// Five bits of each letter: upper and lower case fall together, and so do a few others, which the comparison
/// tells apart.
fn key(first: u8, second: u8) -> usize {
    usize::from(first & 31) << 5 | usize::from(second & 31)
}

fn head_key(text: &[u8]) -> Option<usize> {
    let (&first, &second) = (text.first()?, text.get(1)?);
    Some(key(first, second))
}

fn tail_key(word: &[u8]) -> Option<usize> {
    let (&last, rest) = word.split_last()?;
    Some(key(last, *rest.last()?))
}

#[derive(Debug)]
struct Index<T> {
    entries: Vec<Entry<T>>,
    /// Where each key's entries begin; one more than there are keys.
    starts: Vec<u16>,
}

impl<T> Index<T> {
    fn new(entries: Vec<Entry<T>>, key_of: fn(&[u8]) -> Option<usize>) -> Self {
        let mut entries: Vec<(usize, Option<Entry<T>>)> =
            entries.into_iter().filter_map(|entry| Some((key_of(&entry.name)?, Some(entry)))).collect();
        // The longest name of a key comes first.
        let length = |entry: &Option<Entry<T>>| entry.as_ref().map_or(0, |entry| entry.name.len() as u64);
        let order = order(entries.iter().map(|(key, entry)| (*key as u64, !length(entry), "")));
        let (mut sorted, mut starts) = (Vec::with_capacity(entries.len()), Vec::with_capacity(1025));
        for place in order {
            let Some((key, entry)) = entries.get_mut(place) else { continue };
            starts.resize(starts.len().max(*key + 1), sorted.len() as u16);
            sorted.extend(entry.take());
        }
        starts.resize(1025, sorted.len() as u16);
        Self { entries: sorted, starts }
    }

    fn bucket(&self, key: usize) -> &[Entry<T>] {
        match (self.starts.get(key), self.starts.get(key + 1)) {
            (Some(&from), Some(&to)) => self.entries.get(from.into()..to.into()).unwrap_or_default(),
            _ => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(text: &str) -> Vec<u8> {
        let lexicon = Lexicon::new([("curl", 1), ("^java", 2), ("feed*", 3), ("*bot", 4), ("curl lib", 5)]);
        let text = text.as_bytes();
        words(text)
            .filter_map(|word| {
                lexicon
                    .at(text, word)
                    .map(|found| found.value)
                    .or_else(|| lexicon.ending(text, word))
                    .copied()
            })
            .collect()
    }

    #[test]
    fn a_name_is_found_where_its_mark_says() {
        assert_eq!(found("Curl/8.5 curly (libcurl)"), [1]);
        assert_eq!(found("java/17"), [2]);
        assert!(found("Nokia java/17").is_empty());
        assert_eq!(found("xfeed FeedBurner"), [3]);
        assert_eq!(found("MJ12bot2/v1 bottle"), [4]);
        assert_eq!(found("curl libs; curl lib/1"), [1, 5]);
    }

    proptest! {
        #[test]
        fn any_text_is_words(text in ".{0,200}") {
            found(&text);
            for word in words(text.as_bytes()) {
                prop_assert!(text[word.start..word.end].chars().all(|c| c.is_ascii_alphanumeric()));
            }
        }
    }
}
