//! What must be true when the dust has settled.

use analytics::Kind;
use analytics::page::{PageKey, PageRow};
use analytics::report::query::Query;
use analytics::report::{answer, reads};
use analytics::segment::partition;
use queues::ledger;
use serde_json::Value;

use super::client::{CAMPAIGNS, LINKS, name};
use super::world::{START_MS, World};

const DAY_MS: i64 = 86_400_000;

impl World {
    /// Every promise, one by one.
    pub(crate) fn check(&mut self) -> Result<(), String> {
        let counts = self.check_events()?;
        self.check_scopes(&counts)?;
        self.check_archive(&counts)?;
        for gate in 0..self.hosts.len() {
            self.check_gate(gate)?;
        }
        for journal in 0..self.journals.len() {
            self.check_journal(journal)?;
        }
        let (ledger, messages) = (
            self.d1.number("SELECT count(*) FROM ledger"),
            self.d1.number("SELECT coalesce(sum(messages), 0) FROM applied"),
        );
        equal("messages in the ledger", ledger, messages)
    }

    /// Each event counts once; one that nobody was told of, once or not at all.
    fn check_events(&self) -> Result<Vec<i64>, String> {
        let counts = self.counted();
        let mut clicks = vec![0; self.events.len()];
        for group in self.report("group_by=sub1&limit=1000")["groups"].as_array().unwrap() {
            let value = group["value"].as_str().unwrap();
            match value.strip_prefix('e') {
                Some(number) => clicks[number.parse::<usize>().unwrap()] = group["clicks"].as_i64().unwrap(),
                // The rest of the total, which has duplicates alone.
                None => equal("clicks of no event", group["clicks"].as_i64().unwrap(), 0)?,
            }
        }
        for (number, (event, &count)) in self.events.iter().zip(&counts).enumerate() {
            let least = i64::from((event.told && !event.buried) || event.logged_ms.is_some());
            if !(least..=1).contains(&count) {
                return Err(format!("{} is counted {count} times: {event:?}", name(number)));
            }
            let should = if event.doing.kind == Kind::Click { count } else { 0 };
            equal("clicks of an event", clicks[number], should)?;
        }
        Ok(counts)
    }

    /// What the reports of campaigns and links say.
    fn check_scopes(&self, counts: &[i64]) -> Result<(), String> {
        let total = |of: &dyn Fn(usize) -> bool| {
            let clicks = (0..counts.len()).filter(|&event| self.events[event].doing.kind == Kind::Click);
            clicks.filter(|&event| of(event)).map(|event| counts[event]).sum()
        };
        let clicks = |query: &str| self.report(query)["totals"]["clicks"].as_i64().unwrap();
        equal("all clicks", clicks(""), total(&|_| true))?;
        for link in LINKS {
            equal(link, clicks(&format!("link={link}")), total(&|event| self.events[event].link == link))?;
        }
        for campaign in CAMPAIGNS {
            let of = |event: usize| self.events[event].campaign == campaign;
            equal(campaign, clicks(&format!("campaign_id={campaign}")), total(&of))?;
            let links = &self.report(&format!("campaign_id={campaign}&group_by=link"))["groups"];
            for group in links.as_array().unwrap() {
                let link = group["link"].as_str().unwrap();
                let of =
                    |event: usize| self.events[event].campaign == campaign && self.events[event].link == link;
                equal("a link of a campaign", group["clicks"].as_i64().unwrap(), total(&of))?;
            }
        }
        Ok(())
    }

    /// The gate's own books, beside the ledger's.
    fn check_gate(&mut self, gate: usize) -> Result<(), String> {
        let now_ms = self.gate_now(gate);
        let name = self.hosts[gate].name.to_string();
        let totals = self.d1.rows(&ledger::applied(), |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, i64>(2)?,
                row.get::<_, i64>(3)?,
                row.get::<_, i64>(4)?,
            ))
        });
        let of_gate = totals.into_iter().find(|row| row.0 == name);
        let (events, dead, duplicates) =
            of_gate.map_or((0, 0, 0), |(_, events, dead, copies)| (events, dead, copies));
        // One that was evicted since, and rises now, asks first; and hears that everything was counted.
        equal("messages to be sent again", self.ask_ledger(gate).len() as i64, 0)?;
        let hits = self.hosts[gate].hits;
        let memory = self.memory(gate);
        let report = memory.report();
        let wake_ms = memory.wake_ms(now_ms);
        equal("dead", dead, 0)?;
        equal(&format!("applied of {name}, beside admitted"), events, report.admitted)?;
        equal("messages in flight", report.unconfirmed.len() as i64, 0)?;
        if wake_ms.is_some() {
            return Err(format!("{name} has nothing to do and wants to be woken"));
        }
        if report.rows > 1 {
            return Err(format!("{name} keeps {} rows that nobody needs", report.rows));
        }
        equal(&format!("duplicates of {name} in the sums, beside the log's"), duplicates, report.duplicates)?;
        // A copy is told once at most: those that were not told before a crash are forgotten.
        if report.duplicates > hits {
            return Err(format!("{name} tells of {} copies among {hits} hits", report.duplicates));
        }
        let again = self.d1.rows(&ledger::applied(), |row| row.get::<_, i64>(4)).iter().sum();
        let kinds = &self.report("group_by=kind")["groups"];
        let told = kinds.as_array().unwrap().iter().map(|kind| kind["duplicates"].as_i64().unwrap()).sum();
        equal("duplicates in the report", told, again)
    }

    /// `GET /stats/clicks`.
    pub(crate) fn report(&self, query: &str) -> Value {
        let (from, to) = (START_MS - DAY_MS, self.now_ms + 2 * DAY_MS);
        let query = format!("from={from}&to={to}&interval=day&include_bots=true&{query}");
        let query = Query::parse(&query, self.now_ms, |_, _, _| None).unwrap();
        let [pages, segments] = reads(&query);
        let key = |start_ms| PageKey { level: query.level, scope: query.scope.clone(), start_ms };
        let pages = self.page_rows(partition(&query.scope), &pages, |row| {
            Ok(PageRow {
                key: key(row.get(0)?),
                chunk: row.get(1)?,
                totals: row.get(2)?,
                detail: row.get(3)?,
                visitors: row.get(4)?,
            })
        });
        let segments = self.d1.rows(&segments, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
        answer(&query, &pages, &self.not_noted(segments), self.now_ms).unwrap()
    }
}

fn equal(what: &str, is: i64, should: i64) -> Result<(), String> {
    if is == should { Ok(()) } else { Err(format!("{what}: {is}, and should be {should}")) }
}
