//! `GET /stats/sessions`: visits, how long they lasted and what came of them.

use serde_json::{Map, Value, json};

use super::journey::{Line, Question, head, put_lines, query as journeys, rate, whole};
use super::money::{Currencies, worth};
use super::query::Zones;
use crate::aggregate::{Scope, Subject};
use crate::measure::{BOUNCES, CONVERSIONS, CONVERTED, EVENTS, PAGES, TIMES};
use crate::page::PageRow;
use crate::segment::Unreadable;
use crate::{Dimension, Reject};

/// Reads a query string.
///
/// # Errors
/// Every parameter that is unknown, out of range, or asks for what no sum is kept for.
pub fn query(text: &str, now_ms: i64, zones: Zones) -> Result<Question, Vec<Reject>> {
    let mut query = journeys(text, now_ms, zones, &[Dimension::Campaign, Dimension::Link])?;
    let subject = match query.scope {
        Scope::Campaign(id) => Subject::Campaign(id),
        Scope::Link(token) => Subject::Link(token),
        _ => Subject::All,
    };
    query.scope = Scope::Sessions(subject);
    Ok(Question { scopes: vec![query.scope.clone()], query })
}

/// Puts the answer together from what [`Question::reads`] found.
///
/// # Errors
/// Stored sums that cannot be read.
pub fn answer(
    question: &Question,
    rows: &[Vec<PageRow>],
    segments: &[String],
    now_ms: i64,
) -> Result<Value, Unreadable> {
    let pages = question.gathered(rows, segments)?;
    let page = pages.into_iter().next().unwrap_or_default();
    let whole = whole(question, &page);
    let currencies = Currencies::of(&question.query, &whole.money);
    let mut answer = head(&question.query, now_ms);
    put_lines(&mut answer, question, &page, &whole, &|line: Line, sheet| {
        let sessions = line.count(TIMES);
        let mut numbers = Map::new();
        let mut put = |name: &str, value: Value| {
            numbers.insert(name.to_owned(), value);
        };
        put("count", json!(sessions));
        put("bounces", json!(line.count(BOUNCES)));
        put("bounce_rate", rate(line.count(BOUNCES), sessions));
        put("median_duration_seconds", line.median());
        put("average_duration_seconds", line.mean());
        put("events", json!(line.count(EVENTS)));
        put("pages", json!(line.count(PAGES)));
        put("pages_per_session", rate(line.count(PAGES), sessions));
        put("conversions", json!(line.count(CONVERSIONS)));
        put("converted", json!(line.count(CONVERTED)));
        put("conversion_rate", rate(line.count(CONVERTED), sessions));
        let money = sheet.map(|sheet| &sheet.money);
        worth("revenue", &question.query, &line.counters, currencies, money, &mut put);
        numbers
    });
    Ok(Value::Object(answer))
}
