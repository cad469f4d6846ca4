//! `GET /stats/cohorts`: of those who first clicked in a week, how many came back and how many bought, week by week.
//!
//! Weeks are of UTC, from Monday: how many lie between a first click and a visit was worked out when it was counted, and
//! cannot be cut anew by the clocks of whoever asks.

use serde_json::{Map, Value, json};

use super::journey::{Line, Question, head, query as journeys, rate, taken, whole};
use super::money::{Currencies, worth};
use super::span::{Interval, Span};
use crate::aggregate::{Scope, Subject};
use crate::cohort::{WEEK_MS, WEEKS_MAX, age_cell, week_of};
use crate::counters::Counters;
use crate::measure::{CONVERSIONS, CONVERTED, TIMES};
use crate::page::PageRow;
use crate::segment::Unreadable;
use crate::sheet::Sheet;
use crate::zone::Zone;
use crate::{Dimension, Reject};

/// So many cohorts are shown, and so many weeks of each, if nobody says how many.
const USUAL: u8 = 12;

/// A question about cohorts, and how many weeks of each are asked for.
#[derive(Debug)]
pub struct Asked {
    /// What is read.
    pub question: Question,
    weeks: u8,
}

/// Reads a query string: `from`, `to` (widened to whole weeks), `campaign_id`, `weeks`, `interval=week`.
///
/// # Errors
/// Every parameter that is unknown, out of range, or asks for what no sum is kept for.
pub fn query(text: &str, now_ms: i64) -> Result<Asked, Vec<Reject>> {
    let refuse = |name: &'static str, detail: &'static str| Err(vec![Reject::new(name, detail)]);
    let ([interval, tz, weeks], mut rest) = taken(text, ["interval", "tz", "weeks"])?;
    if interval.is_some_and(|interval| interval != "week") {
        return refuse("/interval", "is not week: cohorts are kept by week");
    }
    if tz.is_some_and(|tz| !tz.eq_ignore_ascii_case("UTC")) {
        return refuse("/tz", "is not UTC: cohorts are of weeks of UTC");
    }
    let weeks = match weeks.map(|weeks| weeks.parse()) {
        None => USUAL,
        Some(Ok(weeks @ 0..=WEEKS_MAX)) => weeks,
        Some(_) => return refuse("/weeks", "is not a number from 0 to 52"),
    };
    let begins = form_urlencoded::parse(rest.as_bytes()).any(|(name, _)| name == "from");
    rest.push_str("&interval=day");
    let mut query = journeys(&rest, now_ms, |_, _, _| None, &[Dimension::Campaign])?;
    if query.group_by.is_some() {
        return refuse("/group_by", "is not for cohorts");
    }
    if let Some(filter) = query.filters.first() {
        let detail = "is no filter of cohorts: sums are kept of all of them, and by campaign_id";
        return Err(vec![Reject::new(["/", filter.dimension.name()].concat(), detail)]);
    }
    let to_ms = week_of(query.span.to_ms - 1) + WEEK_MS;
    let from_ms = if begins { week_of(query.span.from_ms) } else { to_ms - i64::from(USUAL) * WEEK_MS };
    query.span = Span::new(Some(from_ms), Some(to_ms), Some(Interval::Day), Zone::utc(), now_ms)
        .map_err(|reject| vec![reject])?;
    query.level = query.span.level();
    query.scope = Scope::Cohorts(match query.scope {
        Scope::Campaign(id) => Subject::Campaign(id),
        _ => Subject::All,
    });
    Ok(Asked { question: Question { scopes: vec![query.scope.clone()], query }, weeks })
}

/// Puts the answer together from what [`Question::reads`] found. `reach_days` is for how long a visitor who stays away is
/// known.
///
/// # Errors
/// Stored sums that cannot be read.
pub fn answer(
    asked: &Asked,
    rows: &[Vec<PageRow>],
    segments: &[String],
    reach_days: i64,
    now_ms: i64,
) -> Result<Value, Unreadable> {
    let (question, span) = (&asked.question, &asked.question.query.span);
    let page = question.gathered(rows, segments)?.into_iter().next().unwrap_or_default();
    let whole = whole(question, &page);
    let currencies = Currencies::of(&question.query, &whole.money);
    let line = |counters: Counters, of: u64| {
        let line = Line::of_cell(counters);
        let mut numbers = Map::new();
        let mut put = |name: &str, value: Value| {
            numbers.insert(name.to_owned(), value);
        };
        put("visitors", json!(line.count(TIMES)));
        put("rate", rate(line.count(TIMES), of));
        put("converted", json!(line.count(CONVERTED)));
        put("conversion_rate", rate(line.count(CONVERTED), of));
        put("conversions", json!(line.count(CONVERSIONS)));
        worth("revenue", &question.query, &counters, currencies, None, &mut put);
        numbers
    };
    let nothing = Sheet::default();
    let mut sums: Vec<(u64, Counters)> = Vec::new();
    let mut cohorts = Vec::new();
    let mut week_ms = span.from_ms;
    while week_ms < span.to_ms && week_ms <= now_ms {
        let sheet = page.get(&week_ms).unwrap_or(&nothing);
        let of_age = |age: u8| {
            let key = age_cell(age);
            let mut cells = sheet.detail.cells(Dimension::Lapse);
            cells.find(|(value, _)| **value == *key).map_or_else(Counters::default, |(_, found)| *found)
        };
        let size = of_age(0).at(TIMES).max(0) as u64;
        let mut weeks = Vec::new();
        for age in 0..=asked.weeks {
            let begins_ms = week_ms + i64::from(age) * WEEK_MS;
            if begins_ms > now_ms {
                break;
            }
            let counters = of_age(age);
            let complete = begins_ms + WEEK_MS <= now_ms;
            let place = usize::from(age);
            if sums.len() <= place {
                sums.push(Default::default());
            }
            if let Some((of, sum)) = sums.get_mut(place).filter(|_| complete) {
                *of += size;
                *sum += &counters;
            }
            let mut week = line(counters, size);
            week.insert("week".to_owned(), age.into());
            week.insert("complete".to_owned(), complete.into());
            weeks.push(Value::Object(week));
        }
        cohorts.push(json!({ "time": span.format(week_ms), "visitors": size, "weeks": weeks }));
        week_ms += WEEK_MS;
    }
    let total = |(age, (of, sum)): (usize, (u64, Counters))| {
        let mut week = line(sum, of);
        week.insert("week".to_owned(), age.into());
        week.insert("of".to_owned(), of.into());
        Value::Object(week)
    };
    let mut answer = head(&question.query, now_ms);
    answer.insert("interval".to_owned(), "week".into());
    answer.insert("reach_days".to_owned(), reach_days.into());
    answer.insert("weeks".to_owned(), sums.into_iter().enumerate().map(total).collect());
    answer.insert("cohorts".to_owned(), cohorts.into());
    Ok(Value::Object(answer))
}

#[cfg(test)]
mod tests {
    use super::super::tests::Store;
    use super::*;
    use crate::cohort::Cohort;
    use crate::rollup::Rollup;
    use crate::time::parse_time;
    use crate::{Outcome, StatsAggregate};

    const NOW: &str = "2026-11-18T12:00:00Z";

    fn at(text: &str) -> i64 {
        parse_time(text).unwrap()
    }

    fn told(week: &str, age: u8, times: [u64; 3], campaign: &'static str) -> Vec<Outcome<'static>> {
        let [came, converted, conversions] = times;
        let one = |came, converted, conversions| {
            Outcome::Cohort(Cohort {
                times: 1,
                week_ms: at(week),
                age,
                came,
                converted,
                conversions,
                value_micros: 5_000_000 * conversions as i64,
                currency: if conversions > 0 { "EUR".into() } else { "".into() },
                campaign: campaign.into(),
            })
        };
        let mut all: Vec<_> = (0..came).map(|_| one(true, false, 0)).collect();
        all.extend((0..conversions).map(|n| one(false, n < converted, 1)));
        all
    }

    fn sums() -> StatsAggregate {
        let mut rollup = Rollup::default();
        for outcome in [
            told("2026-11-02", 0, [4, 1, 2], "spring"),
            told("2026-11-02", 1, [2, 0, 0], "spring"),
            told("2026-11-02", 2, [1, 1, 1], "spring"),
            told("2026-11-09", 0, [1, 0, 0], ""),
        ]
        .iter()
        .flatten()
        {
            rollup.add_outcome(outcome);
        }
        rollup.finish()
    }

    fn ask(store: &Store, text: &str) -> Value {
        let asked = query(text, at(NOW)).unwrap();
        let (rows, segments) = store.found(&asked.question);
        answer(&asked, &rows, &segments, 30, at(NOW)).unwrap()
    }

    #[test]
    fn golden_cohorts_live_and_folded() {
        for store in [Store::default().add(&sums()), Store::default().fold(&sums())] {
            let answer = ask(&store, "from=2026-11-04&to=2026-11-18");
            assert_eq!(
                (&answer["from"], &answer["reach_days"]),
                (&json!("2026-11-02T00:00:00+00:00"), &json!(30))
            );
            let sizes: Vec<_> =
                answer["cohorts"].as_array().unwrap().iter().map(|cohort| &cohort["visitors"]).collect();
            assert_eq!(sizes, [4, 1, 0]);
            assert_eq!(
                answer["cohorts"][0]["weeks"][1],
                json!({ "week": 1, "complete": true, "visitors": 2, "rate": 0.5, "converted": 0,
                    "conversion_rate": 0.0, "conversions": 0, "revenue": 0.0, "currency": "EUR" })
            );
            let third = &answer["cohorts"][0]["weeks"][2];
            assert_eq!((&third["complete"], &third["revenue"]), (&json!(false), &json!(5.0)));
            assert_eq!(answer["cohorts"][0]["weeks"].as_array().unwrap().len(), 3, "no further than today");
            // Of the second week only the older cohort has seen the end.
            let totals: Vec<_> = (0..3).map(|week| &answer["weeks"][week]).collect();
            let read = |name: &str| totals.iter().map(|week| week[name].clone()).collect::<Vec<_>>();
            assert_eq!(
                (read("of"), read("visitors")),
                (vec![json!(5), json!(4), json!(0)], vec![json!(5), json!(2), json!(0)])
            );
            assert_eq!(read("conversion_rate"), [json!(0.2), json!(0.0), Value::Null]);
            let spring = ask(&store, "campaign_id=spring&weeks=1&interval=week&tz=UTC");
            assert_eq!(spring["cohorts"].as_array().unwrap().len(), 12);
            assert_eq!(spring["cohorts"][9]["visitors"], 4);
            assert_eq!(spring["cohorts"][9]["weeks"].as_array().unwrap().len(), 2);
            assert_eq!(spring["cohorts"][10]["visitors"], 0);
        }
    }

    #[test]
    fn what_no_sum_is_kept_for_is_refused() {
        for (text, pointer) in [
            ("interval=day", "/interval"),
            ("tz=Europe/Oslo", "/tz"),
            ("weeks=53", "/weeks"),
            ("group_by=country", "/group_by"),
            ("country=DE", "/country"),
            ("link=a", "/link"),
            ("campaign_id=a&country=DE", "/country"),
            ("from=x", "/from"),
            ("include_bots=1", "/include_bots"),
        ] {
            assert_eq!(query(text, at(NOW)).unwrap_err()[0].pointer, pointer, "{text}");
        }
    }
}
