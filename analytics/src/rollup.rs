//! `rollup: [TrackedEvent] -> StatsAggregate`, the second of the two functions that the whole system is.

mod corners;
mod facets;
mod index;
mod marks;
mod names;
mod outcomes;
mod tally;
#[cfg(test)]
mod tests;
mod told;

use std::collections::BTreeMap;
use std::hash::Hasher;

use siphasher::sip::SipHasher13;

use crate::aggregate::{MINUTE_MS, Scope, StatsAggregate};
use crate::counters::{Hit, slot};
use crate::sheet::{COST_IN, PAYOUT_IN, Sheet, line_of};
use crate::uniques::Uniques;
use crate::{Dimension, Hints, Kind, Outcome, RawEvent, TrackedEvent, Verdict};
use corners::Corners;
use facets::{Facets, Sort, Told};
use names::{ABSENT, Names, Number};
use outcomes::Outcomes;
use tally::{Amounts, Row, Tally};

/// Adds events up, one at a time.
///
/// An event belongs to three sheets (everybody's, its campaign's, its link's) and to some twenty cells in each. Finding a
/// cell by its text costs more than all the rest, so values become numbers, once, as the event comes in; and what always
/// comes together, as all that a user agent says, becomes one number. [`Rollup::finish`] counts those, sheet by sheet, and
/// only then what they are made of.
#[derive(Debug, Default)]
pub struct Rollup {
    names: Names,
    facets: Facets,
    corners: Corners,
    /// The minutes of the rows, by their number.
    minutes: BTreeMap<i64, Number>,
    rows: Vec<Row>,
    key: String,
    outcomes: Outcomes,
}

impl Rollup {
    /// Adds one event.
    pub fn add(&mut self, event: &TrackedEvent<'_>) {
        let raw = &event.raw;
        let human = event.bot.verdict != Verdict::Bot;
        let slot = slot(raw.kind, if human { Hit::Human } else { Hit::Bot });
        let campaign = self.names.number(Dimension::Campaign, &raw.campaign_id);
        let link = self.names.number(Dimension::Link, &raw.link);
        let money = if human { self.amounts(event) } else { None };
        let facets =
            [self.place(slot, raw), self.visitor(slot, event), self.way(slot, event), self.hit(slot, event)];
        let row = Row {
            minute: self.minute(event.effective_time_ms),
            campaign,
            link,
            facets,
            corner: self.corners.number(slot, facets, &self.facets),
            slot,
            times: 1,
            money,
            // Who is anonymous is nobody that could be told from others.
            visitor: (human && raw.kind == Kind::Click && !raw.hints.has(Hints::ANONYMOUS))
                .then(|| visitor_hash(raw)),
        };
        self.rows.push(row);
    }

    fn minute(&mut self, at_ms: i64) -> Number {
        let next = self.minutes.len() as Number;
        *self.minutes.entry(minute(at_ms)).or_insert(next)
    }

    /// Adds copies that the gate turned away: it knows their link, campaign and kind. Whatever else is asked, they
    /// are among the events of which it is absent.
    pub fn add_duplicates(&mut self, at_ms: i64, campaign: &str, link: &str, kind: Kind, times: u64) {
        let slot = slot(kind, Hit::Duplicate);
        let facets = Sort::ALL.map(|sort| self.facets.number(Told::nothing(sort, slot), &mut self.names));
        let row = Row {
            minute: self.minute(at_ms),
            campaign: self.names.number(Dimension::Campaign, campaign),
            link: self.names.number(Dimension::Link, link),
            facets,
            corner: self.corners.number(slot, facets, &self.facets),
            slot,
            times,
            money: None,
            visitor: None,
        };
        self.rows.push(row);
    }

    /// Adds what follows from a journey.
    pub fn add_outcome(&mut self, outcome: &Outcome<'_>) {
        self.outcomes.add(outcome);
    }

    /// The money in an event.
    fn amounts(&mut self, event: &TrackedEvent<'_>) -> Option<Box<Amounts>> {
        let sums = [event.raw.value_micros.unwrap_or(0), event.cost_nanos, event.payout_nanos];
        if sums == [0; 3] {
            return None;
        }
        let currency = self.names.number(Dimension::Currency, &event.raw.currency);
        let mut number = |dimension: Dimension, parts: [&str; 2]| {
            self.key.clear();
            self.key.extend(parts);
            self.names.number(dimension, &self.key)
        };
        let mut money =
            Box::new(Amounts { sums, purposes: [currency, ABSENT, ABSENT], publisher: ABSENT, line: ABSENT });
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
    pub fn finish(mut self) -> StatsAggregate {
        self.settle();
        let mut aggregate = StatsAggregate::default();
        let starts_ms: Vec<i64> = self.minutes.keys().copied().collect();
        let mut put = |rows: &[&Row], scope, sheet| {
            let minute_ms = rows.first().and_then(|row| starts_ms.get(row.minute as usize));
            aggregate.sheets.extend(minute_ms.map(|minute_ms| ((*minute_ms, scope), sheet)));
        };
        let mut tally = Tally::new(&self.names, &self.facets, &self.corners);
        let rows: Vec<&Row> = self.rows.iter().collect();
        // A cube of all campaigns and all links together would be as large as the events themselves: everybody's combines
        // campaigns only, a campaign's its links.
        let by_campaign = self.in_order(&rows, &[|row| row.link, |row| row.campaign]);
        for rows in by_campaign.chunk_by(|a, b| a.minute == b.minute) {
            let sheet = sheet(&mut tally, rows, |row| row.campaign, |row| [row.campaign, row.link]);
            put(rows, Scope::All, sheet);
        }
        for rows in by_campaign.chunk_by(|a, b| (a.minute, a.campaign) == (b.minute, b.campaign)) {
            let Some(id) = self.own(rows, |row| row.campaign) else { continue };
            let sheet = sheet(&mut tally, rows, |row| row.link, |row| [row.link, ABSENT]);
            put(rows, Scope::Campaign(id), sheet);
        }
        let by_link = self.in_order(&rows, &[|row| row.campaign, |row| row.link]);
        for rows in by_link.chunk_by(|a, b| (a.minute, a.link) == (b.minute, b.link)) {
            let Some(token) = self.own(rows, |row| row.link) else { continue };
            let sheet = sheet(&mut tally, rows, |row| row.campaign, |row| [row.campaign, ABSENT]);
            put(rows, Scope::Link(token), sheet);
        }
        self.statements(&mut tally, put);
        self.outcomes.add_to(&mut aggregate);
        aggregate
    }

    /// Numbers everything anew, in the order of the cells.
    fn settle(&mut self) {
        let (names, corners) = (self.names.settle(), self.corners.settle());
        self.facets.settle(&names);
        let mut minutes = vec![0; self.minutes.len()];
        for (number, before) in (0..).zip(self.minutes.values()) {
            if let Some(now) = minutes.get_mut(*before as usize) {
                *now = number;
            }
        }
        let now = |numbers: &[u32], number: &mut u32| {
            *number = numbers.get(*number as usize).copied().unwrap_or_default();
        };
        for row in &mut self.rows {
            now(&minutes, &mut row.minute);
            now(&corners, &mut row.corner);
            now(&names, &mut row.campaign);
            now(&names, &mut row.link);
            if let Some(money) = &mut row.money {
                let Amounts { purposes, publisher, line, .. } = &mut **money;
                purposes.iter_mut().chain([publisher, line]).for_each(|number| now(&names, number));
            }
        }
    }

    /// The rows by minute, in each by the last of these numbers, and where that is the same by the one before. There are not
    /// many of each: rows are dealt out by one number after the other, which takes a step or two for each.
    fn in_order<'r>(&self, rows: &[&'r Row], numbers: &[fn(&Row) -> Number]) -> Vec<&'r Row> {
        let mut rows = rows.to_vec();
        for number in numbers {
            rows = dealt(&rows, *number, self.names.len());
        }
        dealt(&rows, |row| row.minute, self.minutes.len())
    }

    /// The value that rows have in common, if they have one.
    fn own(&self, rows: &[&Row], number: fn(&Row) -> Number) -> Option<Box<str>> {
        let number = number(rows.first()?);
        (number != ABSENT).then(|| self.names.value(number).into())
    }

    /// Counts what is paid out, by publisher: a statement's lines and no more.
    fn statements(&self, tally: &mut Tally<'_>, mut put: impl FnMut(&[&Row], Scope, Sheet)) {
        let publisher = |row: &Row| row.money.as_ref().map_or(ABSENT, |money| money.publisher);
        let paid: Vec<&Row> = self.rows.iter().filter(|row| publisher(row) != ABSENT).collect();
        let by_publisher = self.in_order(&paid, &[publisher]);
        for rows in by_publisher.chunk_by(|a, b| (a.minute, publisher(a)) == (b.minute, publisher(b))) {
            let Some(id) = self.own(rows, publisher) else { continue };
            for row in rows {
                tally.add(row);
                tally.add_cell(row.money.as_ref().map_or(ABSENT, |money| money.line), row);
            }
            let mut sheet = tally.take();
            sheet.visitors = Uniques::default();
            put(rows, Scope::Publisher(id), sheet);
        }
    }
}

/// The rows in the order of a number that is less than `end`; those of the same number stay as they were.
fn dealt<'r>(rows: &[&'r Row], number: fn(&Row) -> Number, end: usize) -> Vec<&'r Row> {
    let mut places = vec![0usize; end + 1];
    for row in rows {
        if let Some(behind) = places.get_mut(number(row) as usize + 1) {
            *behind += 1;
        }
    }
    let mut before = 0;
    for place in &mut places {
        before += *place;
        *place = before;
    }
    let mut dealt = rows.to_vec();
    for row in rows {
        if let Some(place) = places.get_mut(number(row) as usize)
            && let Some(seat) = dealt.get_mut(*place)
        {
            *seat = row;
            *place += 1;
        }
    }
    dealt
}

/// Counts the rows of one sheet: `first` is what its cube combines with the corners, by which they are in order, and
/// `values` are counted beside the facets.
fn sheet(
    tally: &mut Tally<'_>,
    rows: &[&Row],
    first: fn(&Row) -> Number,
    values: fn(&Row) -> [Number; 2],
) -> Sheet {
    for rows in rows.chunk_by(|a, b| first(a) == first(b)) {
        for row in rows {
            tally.add(row);
            tally.add_facets(row);
            for value in values(row) {
                tally.add_cell(value, row);
            }
        }
        tally.turn(rows.first().map_or(ABSENT, |row| first(row)));
    }
    tally.take()
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
