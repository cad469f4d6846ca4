//! `rollup: [TrackedEvent] -> StatsAggregate`, the second of the two functions that the whole system is.

mod names;
mod outcomes;
mod tally;
#[cfg(test)]
mod tests;

use std::hash::Hasher;

use siphasher::sip::SipHasher13;

use crate::aggregate::{MINUTE_MS, Scope, StatsAggregate};
use crate::counters::Hit;
use crate::sheet::{COST_IN, PAYOUT_IN, line_of};
use crate::uniques::Uniques;
use crate::{
    Dimension, Hints, Kind, Outcome, RawEvent, Source, TimeSource, TrackedEvent, Verdict, latency, skew,
};
use names::{ABSENT, Names, Number, Parts};
use outcomes::Outcomes;
use tally::{Amounts, Row, Tally};

/// Adds events up, one at a time.
///
/// An event belongs to three sheets (everybody's, its campaign's, its link's) and to some twenty cells in each.
/// Finding a cell by its text costs more than all the rest, so each value becomes a number once, as the event
/// comes in; [`Rollup::finish`] then counts numbers, sheet by sheet.
#[derive(Debug, Default)]
pub struct Rollup {
    names: Names,
    rows: Vec<Row>,
    values: Vec<Number>,
    key: String,
    outcomes: Outcomes,
}

impl Rollup {
    /// Adds one event.
    pub fn add(&mut self, event: &TrackedEvent<'_>) {
        let raw = &event.raw;
        let human = event.bot.verdict != Verdict::Bot;
        let begin = self.values.len();
        let mut put = |dimension: Dimension, value: &str| {
            let number = self.names.number(dimension, value);
            if number != ABSENT {
                self.values.push(number);
            }
            number
        };
        put(Dimension::Publisher, &raw.publisher_id);
        put(Dimension::Medium, &raw.medium);
        put(Dimension::Ad, &raw.ad_id);
        let country = put(Dimension::Country, &raw.country);
        put(Dimension::Continent, &raw.continent);
        let device = put(Dimension::Device, event.agent.device.name());
        let browser = put(Dimension::Browser, event.agent.browser);
        let os = put(Dimension::Os, event.agent.os);
        put(Dimension::Language, &event.language);
        put(Dimension::Referrer, &event.referrer_host);
        let channel = put(Dimension::Channel, event.channel.name());
        put(Dimension::UtmSource, &event.utm.source);
        put(Dimension::UtmMedium, &event.utm.medium);
        put(Dimension::UtmCampaign, &event.utm.campaign);
        put(Dimension::UtmTerm, &event.utm.term);
        put(Dimension::UtmContent, &event.utm.content);
        put(Dimension::Verdict, event.bot.verdict.name());
        put(Dimension::ClickNetwork, event.click_network);
        put(Dimension::Name, &raw.name);
        put(Dimension::Source, raw.source.name());
        let currency = put(Dimension::Currency, &raw.currency);
        put(Dimension::Element, &raw.element_id);
        let variant = put(Dimension::Variant, &raw.variant);
        if raw.source == Source::Redirect {
            put(Dimension::Trigger, raw.trigger.name());
        }
        if event.time_source != TimeSource::Received {
            put(Dimension::TimeSource, event.time_source.name());
        }
        if let Some(skew_ms) = skew::skew_ms(raw.sent_at_ms, raw.received_at_ms) {
            put(Dimension::Skew, skew::bucket(skew_ms));
        }
        put(Dimension::TimeZone, &raw.time_zone);
        put(Dimension::Brand, event.agent.brand);
        put(Dimension::Model, event.model());
        put(Dimension::Latency, latency::bucket(raw.took_ms));
        if !event.bot.reasons.is_empty() {
            for reason in event.bot.reasons.iter() {
                put(Dimension::BotReason, reason);
            }
        }
        let subs = [Dimension::Sub1, Dimension::Sub2, Dimension::Sub3, Dimension::Sub4, Dimension::Sub5];
        for (dimension, value) in subs.into_iter().zip(&raw.sub) {
            put(dimension, value);
        }
        if !raw.region.is_empty() {
            self.key.clear();
            self.key.extend([&*raw.country, "-", &*raw.region]);
            put(Dimension::Region, &self.key);
        }
        if !raw.city.is_empty() {
            self.key.clear();
            self.key.extend([&*raw.city, " (", &*raw.country, ")"]);
            put(Dimension::City, &self.key);
        }
        let campaign = self.names.number(Dimension::Campaign, &raw.campaign_id);
        let link = self.names.number(Dimension::Link, &raw.link);
        let money = if human { self.amounts(event, currency) } else { None };
        self.rows.push(Row {
            minute_ms: minute(event.effective_time_ms),
            campaign,
            link,
            by_campaign: self.names.cube([campaign, country, device, os, browser, channel, variant]),
            by_link: self.names.cube([link, country, device, os, browser, channel, variant]),
            kind: raw.kind,
            hit: if human { Hit::Human } else { Hit::Bot },
            times: 1,
            money,
            // Who is anonymous is nobody that could be told from others.
            visitor: (human && raw.kind == Kind::Click && !raw.hints.has(Hints::ANONYMOUS))
                .then(|| visitor_hash(raw)),
            values: (begin, self.values.len()),
        });
    }

    /// Adds copies that the gate turned away: it knows their link, campaign and kind. Whatever else is asked, they
    /// are among the events of which it is absent.
    pub fn add_duplicates(&mut self, at_ms: i64, campaign: &str, link: &str, kind: Kind, times: u64) {
        let campaign = self.names.number(Dimension::Campaign, campaign);
        let link = self.names.number(Dimension::Link, link);
        let alone = |first| {
            let mut parts = Parts::default();
            parts[0] = first;
            parts
        };
        self.rows.push(Row {
            minute_ms: minute(at_ms),
            campaign,
            link,
            by_campaign: self.names.cube(alone(campaign)),
            by_link: self.names.cube(alone(link)),
            kind,
            hit: Hit::Duplicate,
            times,
            money: None,
            visitor: None,
            values: (0, 0),
        });
    }

    /// Adds what follows from a journey.
    pub fn add_outcome(&mut self, outcome: &Outcome<'_>) {
        self.outcomes.add(outcome);
    }

    /// The money in an event.
    fn amounts(&mut self, event: &TrackedEvent<'_>, currency: Number) -> Option<Amounts> {
        let sums = [event.raw.value_micros.unwrap_or(0), event.cost_nanos, event.payout_nanos];
        if sums == [0; 3] {
            return None;
        }
        let mut number = |dimension: Dimension, parts: [&str; 2]| {
            self.key.clear();
            self.key.extend(parts);
            self.names.number(dimension, &self.key)
        };
        let mut money =
            Amounts { sums, purposes: [currency, ABSENT, ABSENT], publisher: ABSENT, line: ABSENT };
        if event.cost_nanos != 0 {
            money.purposes[1] = number(Dimension::Currency, [COST_IN, &event.cost_currency]);
        }
        if event.payout_nanos != 0 {
            money.purposes[2] = number(Dimension::Currency, [PAYOUT_IN, &event.payout_currency]);
            money.publisher = self.names.number(Dimension::Publisher, &event.raw.publisher_id);
            let line = line_of(&event.payout_currency, &event.raw.campaign_id);
            money.line = self.names.number(Dimension::Campaign, &line);
        }
        Some(money)
    }

    /// The sums.
    pub fn finish(self) -> StatsAggregate {
        let mut aggregate = StatsAggregate::default();
        let ranks = self.names.ranks();
        let mut tally = Tally::new(&self.names, &ranks);
        self.sheets(&mut aggregate, &mut tally, |_| Some(ABSENT), |_| Scope::All);
        self.sheets(&mut aggregate, &mut tally, |row| present(row.campaign), |id| Scope::Campaign(id.into()));
        self.sheets(&mut aggregate, &mut tally, |row| present(row.link), |token| Scope::Link(token.into()));
        self.statements(&mut aggregate, &mut tally);
        self.outcomes.add_to(&mut aggregate);
        aggregate
    }

    /// Counts what is paid out, by publisher: a statement's lines and no more.
    fn statements(&self, aggregate: &mut StatsAggregate, tally: &mut Tally<'_>) {
        let paid = |row| {
            let row: &Row = row;
            Some((row.minute_ms, present(row.money.as_ref()?.publisher)?, row))
        };
        let mut order: Vec<(i64, Number, &Row)> = self.rows.iter().filter_map(paid).collect();
        in_order(&mut order);
        for rows in order.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
            let Some(&(minute_ms, publisher, ..)) = rows.first() else { continue };
            for (.., row) in rows {
                tally.add(row);
                tally.add_cell(row.money.as_ref().map_or(ABSENT, |money| money.line), row);
            }
            let mut sheet = tally.take();
            sheet.visitors = Uniques::default();
            aggregate.sheets.insert((minute_ms, Scope::Publisher(self.names.value(publisher).into())), sheet);
        }
    }

    /// Counts the sheets of one sort of scope: rows of the same minute and `subject` are one sheet.
    fn sheets(
        &self,
        aggregate: &mut StatsAggregate,
        tally: &mut Tally<'_>,
        subject: fn(&Row) -> Option<Number>,
        scope: fn(&str) -> Scope,
    ) {
        let mut order: Vec<(i64, Number, &Row)> =
            self.rows.iter().filter_map(|row| Some((row.minute_ms, subject(row)?, row))).collect();
        in_order(&mut order);
        for rows in order.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
            let Some(&(minute_ms, subject, _)) = rows.first() else { continue };
            let scope = scope(self.names.value(subject));
            for (.., row) in rows {
                tally.add(row);
                let values = self.values.get(row.values.0..row.values.1).unwrap_or_default();
                for number in values {
                    tally.add_cell(*number, row);
                }
                let of_campaign = matches!(scope, Scope::Campaign(_));
                if !of_campaign {
                    tally.add_cell(row.campaign, row);
                }
                if !matches!(scope, Scope::Link(_)) {
                    tally.add_cell(row.link, row);
                }
                // A cube of all campaigns and all links together would be as large as the events themselves:
                // everybody's combines campaigns only, a campaign's its links.
                tally.add_cell(if of_campaign { row.by_link } else { row.by_campaign }, row);
            }
            aggregate.sheets.insert((minute_ms, scope), tally.take());
        }
    }
}

/// Rows of the same minute and subject side by side. One sort for both: each is 5 KB of wasm.
fn in_order(rows: &mut [(i64, Number, &Row)]) {
    rows.sort_by_key(|(minute_ms, subject, _)| (*minute_ms, *subject));
}

fn present(number: Number) -> Option<Number> {
    (number != ABSENT).then_some(number)
}

fn minute(at_ms: i64) -> i64 {
    at_ms.saturating_sub(at_ms.rem_euclid(MINUTE_MS))
}

/// Adds up a slice of events.
pub fn rollup(events: &[TrackedEvent<'_>]) -> StatsAggregate {
    let mut rollup = Rollup::default();
    for event in events {
        rollup.add(event);
    }
    rollup.finish()
}

/// Who it was, by the best name there is: user, else device, else session, else the daily hash. The key is a
/// constant because registers written by different isolates are merged.
pub(crate) fn visitor_hash(raw: &RawEvent<'_>) -> u64 {
    if let Some(unique) = raw.unique {
        return unique;
    }
    let names = [&raw.user_id, &raw.anonymous_id, &raw.session_id];
    let mut hasher = SipHasher13::new_with_key(b"clicktrail human");
    if let Some((place, name)) = names.iter().enumerate().find(|(_, name)| !name.is_empty()) {
        hasher.write_u8(place as u8);
        hasher.write(name.as_bytes());
    } else {
        hasher.write_u8(3);
        hasher.write_u64(raw.visitor);
    }
    hasher.finish()
}
