use proptest::prelude::*;
use serde_json::Value;

use super::super::query::Query;
use super::super::{answer, reads};
use super::*;
use crate::rollup::rollup;
use crate::segment::segments;
use crate::world::{self, Happening, NOW};
use crate::zone::tests::zone;
use crate::{Text, TrackedEvent, enrich};

fn asked(query: &str) -> Asked {
    Asked::parse("p1", query, NOW).unwrap()
}

/// What somebody of theirs gets for an event: odd amounts, so that none is a whole millionth.
fn paid(happenings: &[Happening]) -> Vec<TrackedEvent<'static>> {
    let events = happenings.iter().filter_map(|happening| match happening {
        Happening::Event(raw) => Some(enrich((**raw).clone())),
        Happening::Copies(_) => None,
    });
    let pay = |(place, mut event): (usize, TrackedEvent<'static>)| {
        let human = event.bot.verdict != crate::Verdict::Bot;
        if human && !event.raw.publisher_id.is_empty() && place % 3 > 0 {
            event.payout_nanos = 1_234_567 + place as i64 * 333;
            event.payout_currency = if place % 7 == 0 { "USD".into() } else { "EUR".into() };
        }
        event
    };
    events.enumerate().map(pay).collect()
}

fn bodies(aggregate: &StatsAggregate, scope: &Scope) -> Vec<String> {
    let of = segments(aggregate).into_iter().filter(|(part, _)| *part == partition(scope));
    of.map(|(_, body)| body).collect()
}

#[test]
fn a_month_is_asked_for() {
    assert_eq!(asked("").month, "2026-09");
    let december = asked("month=2025-12&format=csv");
    assert_eq!((rfc3339(december.from_ms), december.csv), ("2025-12-01T00:00:00.000Z".to_owned(), true));
    assert_eq!(rfc3339(december.to_ms), "2026-01-01T00:00:00.000Z");
    for (query, at) in [
        ("month=2026-13", "/month"),
        ("month=2026-9", "/month"),
        ("month=26-09", "/month"),
        ("month=", "/month"),
        ("format=pdf", "/format"),
        ("x/y=1", "/x~1y"),
    ] {
        assert_eq!(Asked::parse("p", query, NOW).unwrap_err().remove(0).pointer, at, "{query}");
    }
}

#[test]
fn golden_a_statement() {
    let mut raw = world::event(Kind::Click, NOW, "a,b", "x");
    (raw.publisher_id, raw.user_agent) = ("p1".into(), world::PHONE.into());
    let click = TrackedEvent { payout_nanos: 1_250_500, payout_currency: "EUR".into(), ..enrich(raw) };
    let sums = rollup(&[click.clone(), click.clone(), TrackedEvent { payout_nanos: 0, ..click }]);
    let of = asked("month=2026-09");
    let segments = bodies(&sums, &of.scope);
    let csv = of.csv(&[], &segments).unwrap();
    assert_eq!(
        csv,
        "date,campaign_id,clicks,impressions,conversions,payout,currency\r\n2026-09-21,\"a,b\",2,0,0,0.002501,EUR\r\n"
    );
    let json = of.answer(&[], &segments, NOW).unwrap();
    assert_eq!(json["lines"][0]["payout_micros"], 2_501);
    assert_eq!(json["totals"][0]["payout"], 0.002_501);
    assert_eq!(asked("month=2026-08").csv(&[], &segments).unwrap().lines().count(), 1);
}

#[test]
fn amounts_are_written_out() {
    assert_eq!(
        [0, 1, -1, 12_500_000, i64::MIN].map(decimal).join(" "),
        "0.000000 0.000001 -0.000001 12.500000 -9223372036854.775808"
    );
    assert_eq!([quoted("a"), quoted("a\"b"), quoted("a\nb")].join(" "), "a \"a\"\"b\" \"a\nb\"");
}

proptest! {
    #[test]
    fn lines_add_up_to_the_totals_and_those_to_the_sums(happenings in world::happenings()) {
        let sums = rollup(&paid(&happenings));
        let of = asked("month=2026-09");
        let statement = of.answer(&[], &bodies(&sums, &of.scope), NOW).unwrap();
        let add = |lines: &Value, currency: &str| -> i64 {
            let lines = lines.as_array().unwrap().iter().filter(|line| line["currency"] == currency);
            lines.map(|line| line["payout_micros"].as_i64().unwrap()).sum()
        };
        let query = Query::parse("publisher_id=p1&from=2026-09-01&to=2026-10-01", NOW, zone).unwrap();
        let [_, _] = reads(&query);
        let clicks = answer(&query, &[], &bodies(&sums, &Scope::All), NOW).unwrap();
        let mut both = 0;
        for currency in ["EUR", "USD"] {
            let total = add(&statement["totals"], currency);
            prop_assert_eq!(add(&statement["lines"], currency), total);
            both += total;
        }
        // Cells have no currencies: where there is one, the report has the amount.
        if let Some(micros) = clicks["totals"]["payout_micros"].as_i64() {
            prop_assert_eq!(both, micros);
        }
    }

    #[test]
    fn any_query_is_answered(id in ".*", query in ".*", month in "[0-9]{4}-[0-9]{2}") {
        let _ = Asked::parse(&id, &query, NOW);
        let _ = Asked::parse(&id, &format!("month={month}"), NOW);
        let _ = Text::from(id);
    }
}
