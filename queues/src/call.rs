//! The bytes of a call: what is handed to a journal at once, and each text of it once.
//!
//! The footprints of a batch say nearly the same: of some twenty texts each, all but two or three are in the footprint
//! before, and serde takes its way through every one of them at both ends. Here a text is a number from its second time
//! on, so that a footprint is a third of its bytes, and reading it is copying references.

use analytics::conversion::{Postback, Status};
use analytics::number::{put, take, unzigzag, zigzag};
use analytics::{EventId, Footprint, Kind, Text, TrackedEvent, Traits, VisitorKey};

use crate::handed::Handed;

/// Version of the bytes. The version before it, of serde's bytes, lies in the queue for as long as a journal is down.
pub(crate) const VERSION: u8 = 2;

/// In place of a footprint's kind: it is a bond.
const BOND: u8 = u8::MAX;

/// What stands for a text: absent, or here for the first time. The texts of the call have the numbers behind these.
const ABSENT: u64 = 0;
const NEW: u64 = 1;

/// The bits of what a footprint may say beside its head: seven texts, three amounts, the click's time, the postback.
const AMOUNTS: usize = 7;
const CLICK: u16 = 10;
const POSTBACK: u16 = 11;

/// Where texts of the call are looked for: by their hash, or where the footprint before said something of this sort.
const BY_HASH: usize = 1 << 9;
const BY_SORT: usize = 1 << 8;
/// The sorts of fields are the bits above, behind the codes of dimensions; the highest of all is a visitor's.
const FIELDS: usize = 0x80;

/// A call that is being written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Call {
    bytes: Vec<u8>,
    /// How many texts are in it.
    texts: u32,
    /// A place is of the last text that came to it: whoever makes texts collide has them written out, and nothing takes
    /// longer.
    places: Vec<Known>,
}

/// A text of the call: its number, from 1, and where it stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Known {
    number: u32,
    start: u32,
    length: u32,
}

impl Call {
    /// How many bytes it has so far.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Its bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Adds one thing to hand over.
    pub fn add(&mut self, handed: &Handed<'_>) {
        self.begin();
        match handed {
            Handed::Footprint(key, footprint) => {
                self.add_footprint(*key, footprint);
                put(footprint.traits.pairs().count() as u64, &mut self.bytes);
                for (code, value) in footprint.traits.pairs() {
                    self.bytes.push(code);
                    self.text(value, usize::from(code));
                }
            }
            Handed::Bond(key, to) => {
                self.bytes.push(BOND);
                self.bytes.extend_from_slice(key.as_bytes());
                self.bytes.extend_from_slice(to.as_bytes());
            }
        }
    }

    /// Adds the footprint of an event, without traits, and those that the event has.
    pub fn add_event(&mut self, key: VisitorKey, footprint: &Footprint<'_>, event: &TrackedEvent<'_>) {
        self.begin();
        self.add_footprint(key, footprint);
        let place = self.bytes.len();
        // One byte, as there are fewer dimensions than it holds.
        self.bytes.push(0);
        Traits::each(event, |code, value| {
            self.bytes.push(code);
            self.text(value, usize::from(code));
            if let Some(count) = self.bytes.get_mut(place) {
                *count += 1;
            }
        });
    }

    fn begin(&mut self) {
        if self.bytes.is_empty() {
            self.bytes.push(VERSION);
            self.places = vec![Known::default(); BY_HASH + BY_SORT];
        }
    }

    fn add_footprint(&mut self, key: VisitorKey, footprint: &Footprint<'_>) {
        let texts = [
            &footprint.name,
            &footprint.page,
            &footprint.element_id,
            &footprint.session_id,
            &footprint.currency,
            &footprint.cost_currency,
            &footprint.payout_currency,
        ];
        let amounts = [
            footprint.value_micros,
            footprint.cost_nanos,
            footprint.payout_nanos,
            footprint.click_ms.unwrap_or(0),
        ];
        let said = texts.iter().map(|text| !text.is_empty()).chain(amounts.iter().map(|amount| *amount != 0));
        let mut mask = (0..).zip(said).fold(0u16, |mask, (bit, says)| mask | u16::from(says) << bit);
        mask |= u16::from(footprint.click_ms.is_some()) << CLICK;
        mask |= u16::from(footprint.postback.is_some()) << POSTBACK;
        self.bytes.push(footprint.kind as u8);
        self.bytes.extend_from_slice(key.as_bytes());
        self.bytes.extend_from_slice(footprint.id.as_bytes());
        self.bytes.extend_from_slice(&footprint.at_ms.to_le_bytes());
        self.bytes.extend_from_slice(&mask.to_le_bytes());
        for (bit, text) in texts.into_iter().enumerate().filter(|(_, text)| !text.is_empty()) {
            self.text(text, FIELDS + bit);
        }
        for (_, amount) in (AMOUNTS..).zip(amounts).filter(|(bit, _)| mask >> bit & 1 == 1) {
            put(zigzag(amount), &mut self.bytes);
        }
        if let Some(Postback { txid, status }) = &footprint.postback {
            self.bytes.push(*status as u8);
            self.text(txid, FIELDS + usize::from(POSTBACK));
        }
    }

    /// Appends a text, or its number.
    fn text(&mut self, text: &str, sort: usize) {
        if text.is_empty() {
            return put(ABSENT, &mut self.bytes);
        }
        let by_sort = BY_HASH + sort % BY_SORT;
        if let Some(known) = self.known(text, by_sort) {
            return put(NEW + u64::from(known.number), &mut self.bytes);
        }
        let by_hash = place(text);
        let known = if let Some(known) = self.known(text, by_hash) {
            put(NEW + u64::from(known.number), &mut self.bytes);
            known
        } else {
            put(NEW, &mut self.bytes);
            put(text.len() as u64, &mut self.bytes);
            self.texts += 1;
            let new = Known { number: self.texts, start: self.bytes.len() as u32, length: text.len() as u32 };
            self.bytes.extend_from_slice(text.as_bytes());
            new
        };
        for place in [by_hash, by_sort] {
            if let Some(noted) = self.places.get_mut(place) {
                *noted = known;
            }
        }
    }

    /// What is known at a place, if it is this text. An empty place is of none: no text here is empty.
    fn known(&self, text: &str, place: usize) -> Option<Known> {
        let known = self.places.get(place).filter(|known| known.length as usize == text.len())?;
        let stands = self.bytes.get(known.start as usize..)?.get(..text.len())?;
        (stands == text.as_bytes()).then_some(*known)
    }
}

/// Where a text is looked for. Its end tells it from others: pages begin alike.
fn place(text: &str) -> usize {
    let bytes = text.as_bytes();
    let end = bytes.last_chunk().map_or_else(
        || bytes.iter().fold(0, |end, byte| end << 8 | u64::from(*byte)),
        |end| u64::from_le_bytes(*end),
    );
    // Knuth's multiplier; what it mixes best is on top.
    ((end ^ text.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as usize % BY_HASH
}

/// Reads a call behind its version. `None`: it is none.
pub(crate) fn read(bytes: &[u8]) -> Option<Vec<Handed<'_>>> {
    let mut rest = Reader(bytes);
    // A page of somebody whose texts are known has some hundred bytes.
    let (mut texts, mut handed) = (Vec::with_capacity(64), Vec::with_capacity(bytes.len() / 96 + 1));
    while let Some((&kind, behind)) = rest.0.split_first() {
        rest = Reader(behind);
        handed.push(match kind {
            BOND => Handed::Bond(rest.key()?, rest.key()?),
            _ => rest.footprint(*Kind::ALL.get(usize::from(kind))?, &mut texts)?,
        });
    }
    Some(handed)
}

/// What is still to be read.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn chunk<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (chunk, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*chunk)
    }

    fn number(&mut self) -> Option<u64> {
        let (number, rest) = take(self.0)?;
        self.0 = rest;
        Some(number)
    }

    fn key(&mut self) -> Option<VisitorKey> {
        self.chunk().map(VisitorKey::from_bytes)
    }

    fn text(&mut self, texts: &mut Vec<&'a str>) -> Option<Text<'a>> {
        let text = match self.number()? {
            ABSENT => "",
            NEW => {
                let length = usize::try_from(self.number()?).ok()?;
                let (text, rest) = self.0.split_at_checked(length)?;
                self.0 = rest;
                let text = str::from_utf8(text).ok()?;
                texts.push(text);
                text
            }
            known => texts.get(usize::try_from(known - NEW - 1).ok()?)?,
        };
        Some(Text::from(text))
    }

    fn footprint(&mut self, kind: Kind, texts: &mut Vec<&'a str>) -> Option<Handed<'a>> {
        let key = self.key()?;
        let id = EventId::from_bytes(self.chunk()?);
        let at_ms = i64::from_le_bytes(self.chunk()?);
        let mask = u16::from_le_bytes(self.chunk()?);
        let has = |bit: usize| mask >> bit & 1 == 1;
        let mut said: [Text<'a>; AMOUNTS] = Default::default();
        for (bit, text) in said.iter_mut().enumerate() {
            if has(bit) {
                *text = self.text(texts)?;
            }
        }
        let mut amounts = [0; 4];
        for (bit, amount) in (AMOUNTS..).zip(&mut amounts) {
            if has(bit) {
                *amount = unzigzag(self.number()?);
            }
        }
        let postback = if has(POSTBACK.into()) {
            let [status] = self.chunk()?;
            let status = *Status::ALL.get(usize::from(status))?;
            Some(Postback { txid: self.text(texts)?, status })
        } else {
            None
        };
        let count = usize::try_from(self.number()?).ok()?;
        // A dimension and a number of one byte each is the least.
        let mut traits = Vec::with_capacity(count.min(self.0.len() / 2));
        for _ in 0..count {
            let [code] = self.chunk()?;
            traits.push((code, self.text(texts)?));
        }
        let [name, page, element_id, session_id, currency, cost_currency, payout_currency] = said;
        let [value_micros, cost_nanos, payout_nanos, click_ms] = amounts;
        let footprint = Footprint {
            id,
            at_ms,
            kind,
            name,
            page,
            element_id,
            session_id,
            value_micros,
            currency,
            cost_nanos,
            cost_currency,
            payout_nanos,
            payout_currency,
            click_ms: has(CLICK.into()).then_some(click_ms),
            postback,
            traits: Traits::from(traits),
        };
        Some(Handed::Footprint(key, footprint))
    }
}

#[cfg(test)]
mod tests;
