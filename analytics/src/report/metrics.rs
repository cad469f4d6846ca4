//! `GET /metrics`: how the service does, for a program that asks every minute. From what others have added up already.

use serde::Deserialize;
use serde_json::Value;

use super::query::{Query, Zones};
use super::{gathered, whole_of};
use crate::alert::keep::Kept;
use crate::counters::{Counters, Hit};
use crate::openmetrics::{Exposition, Sort};
use crate::page::PageRow;
use crate::segment::Unreadable;
use crate::time::rfc3339;
use crate::{Kind, RULES_VERSION, Reject, Statement};

const DAY_MS: i64 = 86_400_000;

/// The query of today's sums: the day's total page and what is not folded yet.
///
/// # Errors
/// None: it is written here.
pub fn today(now_ms: i64, zones: Zones) -> Result<Query, Vec<Reject>> {
    let midnight = now_ms - now_ms.rem_euclid(DAY_MS);
    let (from, to) = (rfc3339(midnight), rfc3339(midnight + DAY_MS));
    Query::parse(&format!("from={from}&to={to}&interval=day&include_bots=true"), now_ms, zones)
}

/// What waits in D1, as one row for [`Waiting`]. Each part is an index's, or ends after a thousand rows: a scrape costs what
/// a report does.
pub fn waiting(now_ms: i64) -> Statement {
    Statement::new(
        "SELECT (SELECT count(*) FROM (SELECT 1 FROM dead_letters LIMIT 1000)) AS dead_letters, \
         (SELECT count(*) FROM deliveries WHERE state = 'waiting') AS deliveries, \
         (SELECT count(*) FROM deliveries WHERE state = 'waiting' AND due_ms <= ?1) AS deliveries_due, \
         (SELECT count(*) FROM deliveries WHERE state = 'dead') AS deliveries_dead, \
         (SELECT count(*) FROM failing) AS failing, \
         (SELECT coalesce(max(seq), 0) FROM archive) AS archived, \
         (SELECT count(*) FROM archive WHERE name IS NULL AND \
           seq > (SELECT value FROM archive_marks WHERE name = 'gathered')) AS unarchived",
        [now_ms.into()],
    )
}

/// See [`waiting`].
#[derive(Debug, Default, Deserialize)]
pub struct Waiting {
    dead_letters: i64,
    deliveries: i64,
    deliveries_due: i64,
    deliveries_dead: i64,
    failing: i64,
    archived: i64,
    unarchived: i64,
}

/// What is known.
#[derive(Debug)]
pub struct Facts<'a> {
    /// Gates, as `/stats/integrity` lists them,
    pub gates: &'a [Value],
    /// and journeys.
    pub journeys: &'a [Value],
    /// Of everybody, today.
    pub today: Counters,
    /// What waits.
    pub waiting: Waiting,
    /// Every alert.
    pub alerts: &'a [Kept],
    /// How large D1 is.
    pub database_bytes: Option<i64>,
    /// What runs.
    pub version: &'a str,
    /// When this was found out.
    pub now_ms: i64,
}

/// The counters of everybody's day so far.
///
/// # Errors
/// Stored sums that cannot be read.
pub fn counted(query: &Query, rows: &[PageRow], segments: &[String]) -> Result<Counters, Unreadable> {
    Ok(whole_of(query, &gathered(query, rows, segments)?).totals)
}

/// A family with a sample for each shard: its name, its sort, the field of the shard, and what it is.
type Family = (&'static str, Sort, &'static str, &'static str);

const GATES: [Family; 9] = [
    ("events_admitted", Sort::Counter, "admitted", "Events that the gate made durable."),
    ("events_applied", Sort::Counter, "applied", "Events of the gate in the sums."),
    ("events_duplicate", Sort::Counter, "duplicates", "Copies that the gate turned away."),
    ("events_in_flight", Sort::Gauge, "in_flight", "Events between the gate and the sums."),
    ("events_dead_lettered", Sort::Gauge, "dead_lettered", "Events that could not be read."),
    ("events_lost", Sort::Gauge, "lost", "Events that nobody has. It is 0."),
    (
        "gate_messages_unconfirmed",
        Sort::Gauge,
        "messages_unconfirmed",
        "Messages the ledger has not confirmed.",
    ),
    ("gate_log_rows", Sort::Gauge, "log_rows", "Rows of the gate's log."),
    ("gate_ids", Sort::Gauge, "ids", "Event ids that the gate remembers."),
];

const JOURNEYS: [Family; 7] = [
    ("outcomes_emitted", Sort::Counter, "emitted", "Outcomes that the journal made durable."),
    ("outcomes_applied", Sort::Counter, "applied", "Outcomes of the journal in the sums."),
    ("outcomes_in_flight", Sort::Gauge, "in_flight", "Outcomes between the journal and the sums."),
    ("outcomes_dead_lettered", Sort::Gauge, "dead_lettered", "Outcomes that could not be read."),
    ("outcomes_lost", Sort::Gauge, "lost", "Outcomes that nobody has. It is 0."),
    ("journey_sessions_open", Sort::Gauge, "open_sessions", "Sessions that go on."),
    ("journey_held_bytes", Sort::Gauge, "held_bytes", "Journeys in the journal's memory."),
];

/// The text.
pub fn render(facts: &Facts<'_>) -> String {
    let mut text = Exposition::default();
    text.family("build", Sort::Info, "What runs.");
    text.sample(&[("version", facts.version), ("rules", &RULES_VERSION.to_string())], 1);
    text.family("as_of_seconds", Sort::Gauge, "When these numbers were found, since 1970.");
    text.sample(&[], facts.now_ms / 1_000);
    shards(&mut text, "gate", ("gate_up", "Whether the gate answered."), facts.gates, &GATES);
    shards(&mut text, "journey", ("journey_up", "Whether the journal answered."), facts.journeys, &JOURNEYS);
    text.family("hits", Sort::Counter, "Hits of today, UTC, by the time of the event.");
    let midnight = (facts.now_ms - facts.now_ms.rem_euclid(DAY_MS)) / 1_000;
    for kind in Kind::ALL {
        for (hit, verdict) in [(Hit::Human, "human"), (Hit::Bot, "bot"), (Hit::Duplicate, "duplicate")] {
            let labels = [("kind", kind.name()), ("verdict", verdict)];
            text.sample(&labels, i64::try_from(facts.today.count(kind, hit)).unwrap_or(i64::MAX));
            text.created(&labels, midnight);
        }
    }
    let waiting = &facts.waiting;
    text.family("dead_letters", Sort::Gauge, "Messages that wait for somebody to look, up to 1000.");
    text.sample(&[], waiting.dead_letters);
    text.family("deliveries", Sort::Gauge, "Deliveries to webhooks: due ones are among those that wait.");
    for (state, count) in
        [("waiting", waiting.deliveries), ("due", waiting.deliveries_due), ("dead", waiting.deliveries_dead)]
    {
        text.sample(&[("state", state)], count);
    }
    text.family("receivers_failing", Sort::Gauge, "Webhooks whose last delivery failed.");
    text.sample(&[], waiting.failing);
    text.family("archive_batches", Sort::Counter, "Batches of lines for the archive.");
    text.sample(&[], waiting.archived);
    text.family("archive_waiting", Sort::Gauge, "Batches that wait in D1 for the bucket.");
    text.sample(&[], waiting.unarchived);
    if let Some(bytes) = facts.database_bytes {
        text.family("database_size_bytes", Sort::Gauge, "Size of D1; the platform's limit is 10 GB.");
        text.sample(&[], bytes);
    }
    text.family("alert_firing", Sort::Gauge, "Whether an alert's alarm is on.");
    for Kept { item, state } in facts.alerts {
        text.sample(&[("alert", item.id()), ("metric", &item.text("metric"))], state.firing.into());
    }
    text.end()
}

fn shards(
    text: &mut Exposition,
    sort: &str,
    (up, help): (&'static str, &str),
    shards: &[Value],
    families: &[Family],
) {
    let named: Vec<(&str, &Value)> =
        shards.iter().filter_map(|shard| Some((shard.get(sort)?.as_str()?, shard))).collect();
    text.family(up, Sort::Gauge, help);
    for (name, shard) in &named {
        text.sample(&[(sort, name)], shard.get("unreached").is_none().into());
    }
    for &(family, kind, field, help) in families {
        text.family(family, kind, help);
        for (name, shard) in &named {
            // One that did not answer has said nothing: a number of it would be a leap of the counter.
            if let Some(value) = shard.get(field).and_then(Value::as_i64) {
                text.sample(&[(sort, name)], value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const T: i64 = 1_790_000_000_000;

    fn facts<'a>(gates: &'a [Value], alerts: &'a [Kept]) -> Facts<'a> {
        Facts {
            gates,
            journeys: &[],
            today: Counters::hits(Kind::Click, Hit::Human, 5),
            waiting: Waiting { deliveries: 3, deliveries_due: 2, archived: 9, ..Waiting::default() },
            alerts,
            database_bytes: Some(4_096),
            version: "0.1.0",
            now_ms: T,
        }
    }

    #[test]
    fn a_gate_that_does_not_answer_is_down_and_says_no_number_but_what_the_ledger_says() {
        let gates = [
            json!({"gate": "gate/weur/0", "admitted": 7, "applied": 5, "in_flight": 2, "lost": 0}),
            json!({"gate": "gate/weur/1", "unreached": true, "applied": 4}),
        ];
        let text = render(&facts(&gates, &[]));
        for line in [
            "clicktrail_gate_up{gate=\"gate/weur/0\"} 1",
            "clicktrail_gate_up{gate=\"gate/weur/1\"} 0",
            "clicktrail_events_admitted_total{gate=\"gate/weur/0\"} 7",
            "clicktrail_events_in_flight{gate=\"gate/weur/0\"} 2",
            "clicktrail_events_applied_total{gate=\"gate/weur/1\"} 4",
        ] {
            assert!(text.lines().any(|said| said == line), "{line} is not in\n{text}");
        }
        assert!(!text.contains("clicktrail_events_admitted_total{gate=\"gate/weur/1\"}"));
    }

    #[test]
    fn todays_hits_say_since_when() {
        let text = render(&facts(&[], &[]));
        assert!(text.contains("clicktrail_hits_total{kind=\"click\",verdict=\"human\"} 5\n"));
        let midnight = (T - T.rem_euclid(DAY_MS)) / 1_000;
        assert!(
            text.contains(&format!(
                "clicktrail_hits_created{{kind=\"click\",verdict=\"human\"}} {midnight}\n"
            ))
        );
    }

    #[test]
    fn no_name_is_there_twice_and_all_end_as_they_should() {
        let text = render(&facts(&[], &[]));
        let mut names: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
        let before = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), before);
        assert!(text.ends_with("# EOF\n"));
    }

    #[test]
    fn today_is_one_day_of_everybody() {
        let query = today(T, |name, from_ms, _| Some(crate::zone::Zone::new(name, [(from_ms, 0)]))).unwrap();
        assert_eq!((query.span.to_ms - query.span.from_ms, query.span.starts.len()), (DAY_MS, 1));
        assert!(query.span.from_ms <= T && T < query.span.to_ms);
        assert_eq!(query.scope, crate::Scope::All);
    }
}
