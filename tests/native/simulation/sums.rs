//! What the sums have to be: worked out from the archived events alone, each visitor's journey walked in one go.

use std::collections::BTreeMap;

use analytics::archive::{self, Line};
use analytics::counters::{Counters, Hit};
use analytics::page::{Level, Page, pages_of};
use analytics::rollup::Rollup;
use analytics::segment::add_segment;
use analytics::sheet::Sheet;
use analytics::{
    Dimension, Footprint, Kind, Outcome, Scope, Statement, StatsAggregate, TrackedEvent, VisitorKey, enrich,
};
use durable_objects::Visitor;

use super::folder::page_row;
use super::journey::terms;
use super::world::World;

const DAY_MS: i64 = 86_400_000;

/// What is counted, by scope, dimension and value; what is nothing is left out, and so are copies, of which the events
/// know nothing.
type Sums = BTreeMap<(String, String, String), Counters>;

impl World {
    /// Every sum is what follows from the archived events.
    pub(crate) fn check_sums(&mut self, lines: &str) -> Result<(), String> {
        let (are, should) = (sums_of(self.kept()), self.expected(lines)?);
        for (key, sum) in &are {
            if should.get(key) != Some(sum) {
                return Err(format!("{key:?}: {sum:?}, and should be {:?}", should.get(key)));
            }
        }
        match should.into_iter().find(|(key, _)| !are.contains_key(key)) {
            Some((key, sum)) => Err(format!("{key:?} is not there, and should be {sum:?}")),
            None => Ok(()),
        }
    }

    /// How often each event is in the sums. By its element: journeys correct conversions wherever else they count.
    pub(crate) fn counted(&self) -> Vec<i64> {
        let mut counts = vec![0; self.events.len()];
        for (scope, sheet) in self.kept() {
            if scope == Scope::All {
                for (element, counters) in sheet.detail.cells(Dimension::Element) {
                    let event: usize = element.strip_prefix('e').unwrap().parse().unwrap();
                    counts[event] += counters.events() as i64;
                }
            }
        }
        counts
    }

    /// The sums in D1, by day.
    fn kept(&self) -> Vec<(Scope, Sheet)> {
        let pages = Statement::new(
            "SELECT level, scope, page, chunk, totals, detail, visitors FROM sums WHERE level = 'd'",
            [],
        );
        let mut folded: BTreeMap<Scope, Page> = BTreeMap::new();
        for row in self.d1.rows(&pages, page_row) {
            row.add_to(folded.entry(row.key.scope.clone()).or_default()).unwrap();
        }
        let mut live = StatsAggregate::default();
        for body in self.d1.rows(&Statement::new("SELECT body FROM segments", []), |row| row.get(0)) {
            let body: String = body;
            add_segment(&mut live, &body, |_, _| true).unwrap();
        }
        let live = pages_of(&live, Level::Day).into_iter().map(|(key, page)| (key.scope, page));
        let all = folded.into_iter().chain(live);
        all.flat_map(|(scope, page)| page.into_values().map(move |sheet| (scope.clone(), sheet))).collect()
    }

    /// Who was called for what: the conversion, its txid and its status. None twice: the table sees to it.
    fn called(&self) -> Vec<(String, (String, String))> {
        let bodies = Statement::new("SELECT body FROM deliveries", []);
        let bodies = self.d1.rows(&bodies, |row| row.get::<_, String>(0));
        let text = |told: &serde_json::Value, name: &str| told[name].as_str().unwrap_or_default().to_owned();
        let read = |body: String| {
            let told: serde_json::Value = serde_json::from_str(&body).unwrap();
            (text(&told, "conversion_id"), (text(&told, "txid"), text(&told, "status")))
        };
        bodies.into_iter().map(read).collect()
    }

    fn expected(&self, lines: &str) -> Result<Sums, String> {
        let mut rollup = Rollup::default();
        let mut events: Vec<TrackedEvent<'_>> = Vec::new();
        for line in lines.lines() {
            if let Line::Event { raw, .. } = archive::read(line).map_err(|error| error.to_string())? {
                events.push(enrich(*raw));
            }
        }
        let mut bonds: BTreeMap<VisitorKey, VisitorKey> = BTreeMap::new();
        for event in &events {
            rollup.add(event);
            let names = VisitorKey::all_of(event);
            for weaker in names.iter().skip(1).filter(|_| Footprint::of(event).is_some()) {
                let bond = bonds.entry(*weaker).or_insert(names[0]);
                if names[0].rank() > bond.rank() {
                    *bond = names[0];
                }
            }
        }
        let mut visitors: BTreeMap<VisitorKey, Visitor> = BTreeMap::new();
        let mut ids: BTreeMap<String, VisitorKey> = BTreeMap::new();
        for event in &events {
            let Some(footprint) = Footprint::of(event) else { continue };
            let mut whose = VisitorKey::all_of(event)[0];
            while let Some(better) = bonds.get(&whose) {
                whose = *better;
            }
            ids.insert(footprint.id.to_string(), whose);
            if !visitors.entry(whose).or_default().add(&footprint) {
                return Err(format!("{} is there twice", footprint.id));
            }
        }
        let called = self.called();
        let mut uncalled = None;
        for (key, visitor) in &mut visitors {
            visitor.advance(&terms(), self.now_ms + DAY_MS, &mut |outcome| {
                if let Outcome::Converted(it) = &outcome {
                    let (txid, status) = (it.txid.to_string(), it.status.name().to_owned());
                    let its = |id: &String| match it.txid.present() {
                        Some(_) => ids.get(id) == Some(key),
                        None => *id == it.conversion.to_string(),
                    };
                    let (campaigned, call) = (!it.campaign.is_empty(), (txid, status));
                    if campaigned && !called.iter().any(|(id, told)| *told == call && its(id)) {
                        uncalled = Some(format!("nobody was called for {it:?}"));
                    }
                }
                rollup.add_outcome(&outcome);
            });
        }
        if let Some(uncalled) = uncalled {
            return Err(uncalled);
        }
        let pages = pages_of(&rollup.finish(), Level::Day).into_iter();
        Ok(sums_of(
            pages.flat_map(|(key, page)| page.into_values().map(move |sheet| (key.scope.clone(), sheet))),
        ))
    }
}

fn sums_of(sheets: impl IntoIterator<Item = (Scope, Sheet)>) -> Sums {
    let mut sums = Sums::new();
    for (scope, sheet) in sheets {
        let events = matches!(scope, Scope::All | Scope::Campaign(_) | Scope::Link(_));
        let mut add = |what: &str, value: &str, mut counters: Counters| {
            if events {
                for kind in Kind::ALL {
                    let copies = counters.count(kind, Hit::Duplicate);
                    counters = counters.less(&Counters::hits(kind, Hit::Duplicate, copies));
                }
            }
            *sums.entry((scope.key(), what.to_owned(), value.to_owned())).or_default() += &counters;
        };
        add("totals", "", sheet.totals);
        for (currency, amount) in &sheet.money {
            add("money", currency, Counters::default().worth(*amount));
        }
        for dimension in sheet.detail.dimensions() {
            for (value, counters) in sheet.detail.cells(dimension) {
                add(dimension.name(), value, *counters);
            }
        }
    }
    sums.retain(|_, counters| !counters.is_empty());
    sums
}
