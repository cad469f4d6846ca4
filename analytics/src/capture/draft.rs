//! An event in the making: fields go in one by one, and all that is wrong with them comes out together.

use std::borrow::Cow;

use super::assign::longer_than;
use super::batch::Invalid;
use super::field::{Field, ID_MAX_CHARS};
use super::scalar::Scalar;
use super::{Facts, QUERY_MAX_BYTES, Rules, UNKNOWN, query};
use crate::click_id::SealedClick;
use crate::{EventId, Kind, RawEvent, Reject, Source, Text};

/// More rejections than there are fields help nobody; a body could be written to earn one every few bytes.
const REJECTS_MAX: usize = 48;

pub(super) struct Draft<'a> {
    pub(super) event: RawEvent<'a>,
    /// The identity, if the client gave one.
    pub(super) id: Option<EventId>,
    /// The client's `event_id` as sent, for the answer.
    pub(super) sent_id: Option<Cow<'a, str>>,
    /// The click that it follows from.
    pub(super) click: Option<SealedClick>,
    /// Fields that were named, be it with nothing in them.
    named: u32,
    /// Fields that hold something, be it wrong.
    filled: u32,
    rejects: Vec<Reject>,
}

impl<'a> Draft<'a> {
    /// An event of which only the edge's facts are known.
    pub(super) fn new(kind: Kind, source: Source, facts: &Facts<'a>) -> Self {
        let nil = EventId::from_bytes([0; 16]);
        let mut event = RawEvent::new(nil, kind, source, facts.received_at_ms);
        facts.fill(&mut event);
        Self { event, id: None, sent_id: None, click: None, named: 0, filled: 0, rejects: Vec::new() }
    }

    /// Takes a field of a JSON object, in which a second one of that name is an error: which of the two was meant?
    pub(super) fn take(&mut self, field: Field, pointer: &'static str, value: Scalar<'a>, rules: &Rules) {
        if self.named & field.bit() != 0 {
            self.reject(pointer, "is given twice");
            return;
        }
        self.named |= field.bit();
        if value.is_absent() {
            return;
        }
        self.filled |= field.bit();
        if let Err(detail) = self.put(field, value, rules) {
            self.reject(pointer, detail);
        }
    }

    /// Takes a query parameter unless it was there before: links are passed on, and each hop appends its own.
    pub(super) fn take_first(
        &mut self,
        field: Field,
        pointer: &'static str,
        value: Cow<'a, str>,
        rules: &Rules,
    ) {
        if self.named & field.bit() == 0 {
            self.take(field, pointer, Scalar::Text(value), rules);
        }
    }

    /// Takes all the fields of a query string; what remains of it (UTM tags, click ids) is the answer.
    pub(super) fn take_query(&mut self, query: &'a str, rules: &Rules) -> Text<'a> {
        let mut rest = String::new();
        for pair in query::pairs(query) {
            if let Some((field, pointer)) = Field::of_query(&pair.name) {
                self.take_first(field, pointer, pair.value, rules);
            } else if rest.len() + pair.raw.len() < QUERY_MAX_BYTES {
                if !rest.is_empty() {
                    rest.push('&');
                }
                rest.push_str(pair.raw);
            }
        }
        Text::from(rest)
    }

    /// Notes what is wrong.
    pub(super) fn reject(
        &mut self,
        pointer: impl Into<Cow<'static, str>>,
        detail: impl Into<Cow<'static, str>>,
    ) {
        if self.rejects.len() < REJECTS_MAX {
            self.rejects.push(Reject::new(pointer, detail));
        }
    }

    /// Notes what is wrong, unless the same field is known to be.
    pub(super) fn reject_once(&mut self, pointer: &'static str, detail: String) {
        if self.rejects.iter().all(|known| known.pointer != pointer) {
            self.reject(pointer, detail);
        }
    }

    /// Whether the field holds something.
    pub(super) fn has(&self, field: Field) -> bool {
        self.filled & field.bit() != 0
    }

    /// Notes what an event that a client makes must have and this one has not.
    pub(super) fn require(&mut self) {
        for (field, pointer) in
            [(Field::EventId, "/event_id"), (Field::EventTime, "/event_time"), (Field::PageUrl, "/page_url")]
        {
            if !self.has(field) {
                self.reject(pointer, "is required");
            }
        }
    }

    /// The event, if nothing is wrong with it.
    pub(super) fn finish(mut self) -> Result<RawEvent<'a>, Invalid> {
        if !self.rejects.is_empty() {
            let echoed = self.sent_id.filter(|id| !longer_than(id, ID_MAX_CHARS));
            return Err(Invalid { event_id: echoed.map(Cow::into_owned), rejects: self.rejects });
        }
        // What a page sends by itself has that page in `Referer`, which is not where its visitor came from.
        if !self.has(Field::Referrer) && same_host(&self.event.page_url, &self.event.referrer) {
            self.event.referrer = Text::EMPTY;
        }
        if let Some(id) = self.id {
            self.event.id = id;
        }
        self.follow_from_click();
        Ok(self.event)
    }

    /// What a click id says is the event's where its client says nothing. The visitor is always the click's: a
    /// conversion that a server tells of is not the server's.
    fn follow_from_click(&mut self) {
        let Some(click) = self.click.take() else { return };
        let (click, event) = (click.says(), &mut self.event);
        for (slot, said) in [(&mut event.link, click.link), (&mut event.campaign_id, click.campaign_id)] {
            if slot.is_empty() || *slot == UNKNOWN {
                *slot = Text::from(said.to_owned());
            }
        }
        event.variant = Text::from(click.variant.to_owned());
        event.visitor = click.visitor;
        event.click_ms = Some(click.time_ms);
    }

    /// The event without the fields that were wrong.
    pub(super) fn into_what_is_usable(mut self) -> RawEvent<'a> {
        self.follow_from_click();
        self.event
    }
}

/// Whether both are URLs of one host.
fn same_host(one: &str, other: &str) -> bool {
    let authority = |url: &str| {
        let (_, rest) = url.split_once("://")?;
        rest.split(['/', '?', '#']).next().map(str::to_ascii_lowercase)
    };
    authority(one).is_some_and(|host| authority(other) == Some(host))
}
