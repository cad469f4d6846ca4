//! The fields of an event as bytes: postcard's wire format, read and written in one go.
//!
//! Serde takes its way through each of some fifty fields, most of which are absent, at both ends and for every event; here an
//! absent text is one byte that is looked at. A law holds these bytes against those that serde makes.

use crate::conversion::{Postback, Status};
use crate::number::{put, take, unzigzag, zigzag};
use crate::{Hints, Kind, RawEvent, Source, Text, Trigger, Whereabouts};

/// Appends the fields of version 1.
pub(super) fn write(event: &RawEvent<'_>, out: &mut Vec<u8>) {
    text(&event.link, out);
    text(&event.campaign_id, out);
    out.extend([event.kind as u8, event.source as u8, event.hints.bits()]);
    put(zigzag(event.event_time_ms), out);
    put(zigzag(event.received_at_ms), out);
    maybe(event.sent_at_ms, out);
    let said = [
        &event.name,
        &event.page_url,
        &event.query,
        &event.referrer,
        &event.publisher_id,
        &event.medium,
        &event.ad_id,
        &event.element_id,
        &event.user_id,
        &event.session_id,
        &event.anonymous_id,
    ];
    for said in said {
        text(said, out);
    }
    put(event.visitor, out);
    for sub in &event.sub {
        text(sub, out);
    }
    maybe(event.value_micros, out);
    text(&event.currency, out);
    put(event.props.len() as u64, out);
    for (key, value) in &event.props {
        text(key, out);
        text(value, out);
    }
    for place in [&event.country, &event.region, &event.city, &event.continent] {
        text(place, out);
    }
    put(event.asn.into(), out);
    let headers = [
        &event.user_agent,
        &event.language,
        &event.ip,
        &event.ua_brands,
        &event.ua_mobile,
        &event.ua_platform,
    ];
    for header in headers {
        text(header, out);
    }
}

/// Appends what later versions have behind that.
pub(super) fn write_tail(event: &RawEvent<'_>, out: &mut Vec<u8>) {
    text(&event.variant, out);
    out.push(event.trigger as u8);
    text(&event.time_zone, out);
    maybe(event.click_ms, out);
    text(&event.postback.txid, out);
    out.push(event.postback.status as u8);
    text(&event.ua_model, out);
    text(&event.ua_platform_version, out);
    put(event.took_ms.into(), out);
}

fn text(text: &str, out: &mut Vec<u8>) {
    put(text.len() as u64, out);
    if !text.is_empty() {
        out.extend_from_slice(text.as_bytes());
    }
}

fn maybe(number: Option<i64>, out: &mut Vec<u8>) {
    out.push(number.is_some().into());
    if let Some(number) = number {
        put(zigzag(number), out);
    }
}

/// The fields as they are read.
pub(super) struct Fields<'a> {
    bytes: &'a [u8],
    /// How far they were read.
    at: usize,
}

impl<'a> Fields<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Whether everything was read.
    pub(super) fn is_empty(&self) -> bool {
        self.at == self.bytes.len()
    }

    /// Goes on by so many bytes.
    #[inline]
    fn skip(&mut self, bytes: usize) -> Option<()> {
        let at = self.at.checked_add(bytes).filter(|at| *at <= self.bytes.len())?;
        self.at = at;
        Some(())
    }

    /// Reads the fields of version 1 into an event. `None`: there is something else.
    pub(super) fn read(&mut self, event: &mut RawEvent<'a>) -> Option<()> {
        self.texts([&mut event.link, &mut event.campaign_id])?;
        event.kind = self.one_of(&Kind::ALL)?;
        event.source = self.one_of(&Source::ALL)?;
        event.hints = Hints::from_bits(self.byte()?);
        event.event_time_ms = self.signed()?;
        event.received_at_ms = self.signed()?;
        self.maybe(&mut event.sent_at_ms)?;
        self.texts([
            &mut event.name,
            &mut event.page_url,
            &mut event.query,
            &mut event.referrer,
            &mut event.publisher_id,
            &mut event.medium,
            &mut event.ad_id,
            &mut event.element_id,
            &mut event.user_id,
            &mut event.session_id,
            &mut event.anonymous_id,
        ])?;
        event.visitor = self.number()?;
        self.texts(event.sub.each_mut())?;
        self.maybe(&mut event.value_micros)?;
        self.texts([&mut event.currency])?;
        let props = usize::try_from(self.number()?).ok()?;
        // A key and a value of one byte each is the least.
        event.props.reserve(props.min((self.bytes.len() - self.at) / 2));
        for _ in 0..props {
            event.props.push((self.text()?, self.text()?));
        }
        self.texts([&mut event.country, &mut event.region, &mut event.city, &mut event.continent])?;
        event.asn = self.number()?.try_into().ok()?;
        self.texts([
            &mut event.user_agent,
            &mut event.language,
            &mut event.ip,
            &mut event.ua_brands,
            &mut event.ua_mobile,
            &mut event.ua_platform,
        ])
    }

    /// The link, the campaign and the kind alone.
    pub(super) fn peek(&mut self) -> Option<(&'a str, &'a str, Kind)> {
        Some((self.said()?, self.said()?, self.one_of(&Kind::ALL)?))
    }

    /// Where the visitor is, alone: the texts on the way there are stepped over.
    pub(super) fn whereabouts(&mut self, version: u8) -> Option<Whereabouts<'a>> {
        self.skip_texts(2)?;
        // Kind, source and hints are a byte each.
        self.skip(3)?;
        self.number()?;
        self.number()?;
        self.maybe(&mut None)?;
        self.skip_texts(11)?;
        self.number()?;
        self.skip_texts(5)?;
        self.maybe(&mut None)?;
        self.skip_texts(1)?;
        let props = self.number()?;
        self.skip_texts(props.checked_mul(2)?)?;
        let (country, region) = (self.said()?, self.said()?);
        self.skip_texts(1)?;
        let mut place = Whereabouts { continent: self.said()?, country, region, time_zone: "" };
        if version >= 2 {
            self.number()?;
            self.skip_texts(7)?;
            self.byte()?;
            place.time_zone = self.said()?;
        }
        Some(place)
    }

    fn skip_texts(&mut self, texts: u64) -> Option<()> {
        for _ in 0..texts {
            let length = usize::try_from(self.number()?).ok()?;
            self.skip(length)?;
        }
        Some(())
    }

    /// Reads what the versions up to this one have behind that.
    pub(super) fn read_tail(&mut self, event: &mut RawEvent<'a>, version: u8) -> Option<()> {
        if version >= 2 {
            event.variant = self.text()?;
            event.trigger = self.one_of(&Trigger::ALL)?;
            event.time_zone = self.text()?;
        }
        if version >= 3 {
            self.maybe(&mut event.click_ms)?;
            event.postback = Postback { txid: self.text()?, status: self.one_of(&Status::ALL)? };
        }
        if version >= 4 {
            event.ua_model = self.text()?;
            event.ua_platform_version = self.text()?;
            event.took_ms = self.number()?.try_into().ok()?;
        }
        Some(())
    }

    #[inline]
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    #[inline]
    fn number(&mut self) -> Option<u64> {
        let (number, rest) = take(self.bytes.get(self.at..)?)?;
        self.at = self.bytes.len() - rest.len();
        Some(number)
    }

    fn signed(&mut self) -> Option<i64> {
        self.number().map(unzigzag)
    }

    /// A number that may be absent: then what was there stays.
    fn maybe(&mut self, number: &mut Option<i64>) -> Option<()> {
        match self.byte()? {
            0 => Some(()),
            1 => {
                *number = Some(self.signed()?);
                Some(())
            }
            _ => None,
        }
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> Option<T> {
        all.get(usize::try_from(self.number()?).ok()?).copied()
    }

    /// Texts in a row, most of which are absent: what is there already is.
    fn texts<const N: usize>(&mut self, texts: [&mut Text<'a>; N]) -> Option<()> {
        let (bytes, begin) = (self.bytes, self.at);
        let (mut behind, mut there) = (begin, 0);
        for _ in 0..N {
            match *bytes.get(behind)? {
                length @ ..0x80 => {
                    behind += 1 + usize::from(length);
                    there |= length;
                }
                _ => break,
            }
        }
        // Short lengths are characters too: to make sure of all texts at once costs little more than of one, and each is then
        // cut out by a look at both its ends.
        let row = if there == 0 { "" } else { str::from_utf8(bytes.get(begin..behind)?).ok()? };
        let mut at = begin;
        for text in texts {
            if at >= behind {
                // Of a long one, and those behind it, each is looked at by itself.
                self.at = at;
                *text = self.text()?;
                at = self.at;
                continue;
            }
            let length = usize::from(*bytes.get(at)?);
            at += 1;
            if length > 0 {
                *text = Text::from(row.get(at - begin..at - begin + length)?);
                at += length;
            }
        }
        self.at = at;
        Some(())
    }

    fn text(&mut self) -> Option<Text<'a>> {
        self.said().map(Text::from)
    }

    fn said(&mut self) -> Option<&'a str> {
        let length = usize::try_from(self.number()?).ok()?;
        if length == 0 {
            return Some("");
        }
        let begin = self.at;
        self.skip(length)?;
        str::from_utf8(self.bytes.get(begin..self.at)?).ok()
    }
}
