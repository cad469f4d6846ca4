//! The trail: a visitor's footprints, and each of their texts once.
//!
//! A visitor's footprints say nearly the same, some twenty texts each: who comes forty times has them forty times. So the
//! texts stand in one string, the lists of traits behind one another, and a footprint is numbers: 80 bytes instead of 300.
//! All of them are read, written and held at each event of the visitor, and lie in memory nearly as they are stored.

mod first;
mod index;
mod print;
mod stored;

use analytics::conversion::{Postback, Status};
use analytics::number::{put, take, unzigzag, zigzag};
use analytics::{EventId, Footprint, Kind, Text, Traits};
pub(super) use first::write_first;
use index::Index;
use print::Print;
pub(super) use stored::Mark;

/// Where a footprint belongs: by time, and an end behind what it ends, for clients stamp both alike.
pub(super) type Moment = (i64, bool, EventId);

/// Stands for a text: its place, from 1. 0 is the absent one.
type Word = u32;

/// So many of the newest lists. They are compared as a whole, and what somebody does says the same as what he did just
/// before, or something new.
const LISTS_BACK: usize = 8;

/// What a footprint may say beside its head: seven texts, three amounts, the click's time, the postback. Most say one or
/// two of them, so that a bit for each tells which follow.
type Said = [u64; 12];

/// Footprints in the order of their moments.
#[derive(Debug, Clone, Default)]
pub(super) struct Trail {
    texts: String,
    /// Where each text ends.
    ends: Vec<u32>,
    /// Where each text is found again. Not stored.
    index: Index,
    /// Lists of dimensions and the words of their values.
    traits: Vec<u8>,
    /// Where each list ends.
    lists: Vec<u32>,
    said: Vec<u8>,
    prints: Vec<Print>,
    /// A bit for each kind that is here, and one for what costs something. Not stored.
    has: u8,
}

impl Trail {
    /// How many footprints.
    pub(super) fn len(&self) -> usize {
        self.prints.len()
    }

    /// Where the footprint at a place belongs.
    pub(super) fn moment(&self, place: usize) -> Option<Moment> {
        self.prints.get(place).map(Print::moment)
    }

    /// How many are not behind a moment.
    pub(super) fn upto(&self, moment: Moment) -> usize {
        self.prints.partition_point(|print| print.moment() <= moment)
    }

    /// Whether the footprint of an event is here.
    pub(super) fn knows(&self, id: EventId) -> bool {
        // As numbers: to compare sixteen bytes is a call.
        let wanted = u128::from_ne_bytes(*id.as_bytes());
        self.prints.iter().any(|print| u128::from_ne_bytes(*print.id.as_bytes()) == wanted)
    }

    /// Whether there is one of a kind.
    pub(super) fn has(&self, kind: Kind) -> bool {
        self.has >> kind as u8 & 1 == 1
    }

    /// Whether there is one that costs or pays something.
    pub(super) fn owes(&self) -> bool {
        self.has & OWES != 0
    }

    /// Adds a footprint; its place.
    pub(super) fn add(&mut self, footprint: &Footprint<'_>) -> usize {
        if self.prints.is_empty() {
            self.expect(footprint);
        }
        let postback = footprint.postback.as_ref();
        let txid = postback.map_or(0, |postback| self.word(&postback.txid));
        let said = [
            self.word(&footprint.name).into(),
            self.word(&footprint.page).into(),
            self.word(&footprint.element_id).into(),
            self.word(&footprint.session_id).into(),
            self.word(&footprint.currency).into(),
            self.word(&footprint.cost_currency).into(),
            self.word(&footprint.payout_currency).into(),
            zigzag(footprint.value_micros),
            zigzag(footprint.cost_nanos),
            zigzag(footprint.payout_nanos),
            zigzag(footprint.click_ms.unwrap_or(0)),
            postback.map_or(0, |postback| u64::from(txid) * 4 + postback.status as u64),
        ];
        let mut mask = (0..).zip(&said).fold(0u16, |mask, (bit, value)| mask | u16::from(*value != 0) << bit);
        mask |= u16::from(footprint.click_ms.is_some()) << CLICK | u16::from(postback.is_some()) << POSTBACK;
        let print = Print {
            id: footprint.id,
            at_ms: footprint.at_ms,
            kind: footprint.kind,
            traits: self.list(&footprint.traits),
            said: self.said.len() as u32,
        };
        self.said.extend_from_slice(&mask.to_le_bytes());
        for (bit, value) in said.into_iter().enumerate() {
            if mask >> bit & 1 == 1 {
                put(value, &mut self.said);
            }
        }
        self.insert(print)
    }

    /// Puts a footprint where it belongs, which is nearly always behind all others.
    fn insert(&mut self, print: Print) -> usize {
        let moment = print.moment();
        let behind = self.prints.last().is_none_or(|last| last.moment() < moment);
        let place = if behind { self.prints.len() } else { self.upto(moment) };
        let said = self.said.get(print.said as usize..).and_then(<[u8]>::first_chunk);
        let owes = said.is_some_and(|mask| u16::from_le_bytes(*mask) & AMOUNTS_OWED != 0);
        self.has |= 1 << print.kind as u8 | if owes { OWES } else { 0 };
        self.prints.insert(place, print);
        place
    }

    /// Makes room for the first footprint: many visitors leave no other.
    fn expect(&mut self, footprint: &Footprint<'_>) {
        let (count, bytes) =
            footprint.traits.pairs().fold((0, 0), |sum, (_, value)| (sum.0 + 1, sum.1 + value.len()));
        self.texts.reserve(bytes + footprint.page.len() + footprint.session_id.len());
        self.ends.reserve(count + 2);
        self.traits.reserve(2 * count);
        self.said.reserve(16);
        (self.lists, self.prints) = (Vec::with_capacity(1), Vec::with_capacity(1));
    }

    /// The word of a text.
    fn word(&mut self, text: &str) -> Word {
        if text.is_empty() {
            return 0;
        }
        let next = self.ends.len() as Word + 1;
        // The texts of a first footprint are not looked for: two alike do no harm.
        if !self.prints.is_empty() {
            let (texts, ends) = (&self.texts, &self.ends);
            if let Some(word) = self.index.find_or_add(text, next, |word| text_of(texts, ends, word)) {
                return word;
            }
        }
        self.texts.push_str(text);
        self.ends.push(self.texts.len() as u32);
        next
    }

    fn text(&self, word: Word) -> &str {
        text_of(&self.texts, &self.ends, word)
    }

    /// The list of these traits.
    fn list(&mut self, traits: &Traits<'_>) -> u32 {
        let (start, count) = (self.traits.len(), self.lists.len());
        for (code, value) in traits.pairs() {
            let word = self.word(value);
            self.traits.push(code);
            put(word.into(), &mut self.traits);
        }
        let (before, new) = self.traits.split_at_checked(start).unwrap_or_default();
        let same = |list: &usize| span(&self.lists, *list).and_then(|span| before.get(span)) == Some(new);
        if let Some(known) = (count.saturating_sub(LISTS_BACK)..count).rev().find(same) {
            self.traits.truncate(start);
            return known as u32;
        }
        self.lists.push(self.traits.len() as u32);
        count as u32
    }

    /// All lists of traits, for [`Trail::footprints`]: of each the dimensions up to this code.
    pub(super) fn values(&self, most: u8) -> Values<'_> {
        let count = self.lists.len();
        // A dimension and a word of one byte each is the least.
        let capacity = (self.traits.len() / 2).min(count.saturating_mul(usize::from(most) + 1));
        let mut values = Values { all: Vec::with_capacity(capacity), ends: Vec::with_capacity(count) };
        for list in 0..self.lists.len() {
            let mut rest = span(&self.lists, list).and_then(|span| self.traits.get(span)).unwrap_or_default();
            while let Some(((code, word), behind)) = pair(rest).filter(|((code, _), _)| *code <= most) {
                values.all.push((code, Text::from(self.text(word))));
                rest = behind;
            }
            values.ends.push(values.all.len() as u32);
        }
        values
    }

    /// The footprints in full. They borrow everything.
    pub(super) fn footprints<'a>(&'a self, values: &'a Values<'a>) -> impl Iterator<Item = Footprint<'a>> {
        let text = |word: u64| Text::from(self.text(word as Word));
        self.prints.iter().map(move |print| {
            let (mask, said) = self.said(print.said as usize);
            let [
                name,
                page,
                element,
                session,
                currency,
                cost_in,
                payout_in,
                value,
                cost,
                payout,
                click,
                postback,
            ] = said;
            let has = |bit: u16| mask >> bit & 1 == 1;
            let status = Status::ALL.get(postback as usize % 4).copied().unwrap_or_default();
            let list = span(&values.ends, print.traits as usize).and_then(|span| values.all.get(span));
            Footprint {
                id: print.id,
                at_ms: print.at_ms,
                kind: print.kind,
                name: text(name),
                page: text(page),
                element_id: text(element),
                session_id: text(session),
                value_micros: unzigzag(value),
                currency: text(currency),
                cost_nanos: unzigzag(cost),
                cost_currency: text(cost_in),
                payout_nanos: unzigzag(payout),
                payout_currency: text(payout_in),
                click_ms: has(CLICK).then(|| unzigzag(click)),
                postback: has(POSTBACK).then(|| Postback { txid: text(postback / 4), status }),
                traits: list.unwrap_or_default().into(),
            }
        })
    }

    /// What a footprint says beside its head, and which of it.
    fn said(&self, from: usize) -> (u16, Said) {
        let mut said = Said::default();
        let head = self.said.get(from..).and_then(<[u8]>::split_first_chunk);
        let Some((mask, mut rest)) = head.map(|(mask, rest)| (u16::from_le_bytes(*mask), rest)) else {
            return (0, said);
        };
        for (bit, value) in said.iter_mut().enumerate() {
            if mask >> bit & 1 == 1 {
                let Some((told, behind)) = take(rest) else { break };
                (*value, rest) = (told, behind);
            }
        }
        (mask, said)
    }

    /// Lets footprints go, and what only they said.
    pub(super) fn retain(&mut self, stays: impl Fn(usize) -> bool) {
        let mut left = Self::default();
        let values = self.values(u8::MAX);
        for (place, footprint) in self.footprints(&values).enumerate() {
            if stays(place) {
                left.add(&footprint);
            }
        }
        *self = left;
    }
}

/// The same footprints, whatever the order in which they were added.
impl PartialEq for Trail {
    fn eq(&self, other: &Self) -> bool {
        let (ours, theirs) = (self.values(u8::MAX), other.values(u8::MAX));
        self.footprints(&ours).eq(other.footprints(&theirs))
    }
}

impl Eq for Trail {}

/// Lists of traits in full.
#[derive(Debug)]
pub(super) struct Values<'a> {
    all: Vec<(u8, Text<'a>)>,
    ends: Vec<u32>,
}

/// The bits of what may be there and 0.
const CLICK: u16 = 10;
const POSTBACK: u16 = 11;
/// The bits of what is owed: by the campaign, and to the publisher.
const AMOUNTS_OWED: u16 = 0b11 << 8;
/// Beside the bits of the kinds, of which there are six.
const OWES: u8 = 1 << 7;

fn text_of<'a>(texts: &'a str, ends: &[u32], word: Word) -> &'a str {
    let Some(place) = (word as usize).checked_sub(1) else { return "" };
    span(ends, place).and_then(|span| texts.get(span)).unwrap_or_default()
}

/// From the end of the one before to its own.
fn span(ends: &[u32], place: usize) -> Option<std::ops::Range<usize>> {
    let before = place.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or(0);
    Some(before as usize..*ends.get(place)? as usize)
}

/// A dimension and a word.
fn pair(bytes: &[u8]) -> Option<((u8, Word), &[u8])> {
    let (&code, rest) = bytes.split_first()?;
    let (word, rest) = take(rest)?;
    Some(((code, word as Word), rest))
}

#[cfg(test)]
mod tests;
