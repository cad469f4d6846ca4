//! `GET /stats/funnel`: how many go how far.
//!
//! Who enters a funnel counts at the time of the first step, and under what the first step's event was: the steps of a day
//! are those of the people who entered on it, however late they came to the last one.

use serde_json::{Map, Value, json};

use super::journey::{Line, Question, groups, head, named, query as journeys, rate, taken, whole};
use super::query::{GroupBy, Query, Zones};
use crate::aggregate::Scope;
use crate::counters::Counters;
use crate::funnel::Funnel;
use crate::measure::TIMES;
use crate::page::PageRow;
use crate::segment::Unreadable;
use crate::sheet::Sheet;
use crate::{Dimension, Reject};

/// Reads a query string: the funnel's id, and the rest.
///
/// # Errors
/// Every parameter that is missing, unknown, out of range, or asks for what no sum is kept for.
pub fn query(text: &str, now_ms: i64, zones: Zones) -> Result<(String, Query), Vec<Reject>> {
    let ([funnel], rest) = taken(text, ["funnel_id"])?;
    let query = journeys(&rest, now_ms, zones, &[])?;
    match funnel.filter(|funnel| !funnel.is_empty()) {
        Some(funnel) => Ok((funnel, query)),
        None => Err(vec![Reject::new("/funnel_id", "is missing")]),
    }
}

/// The question about a funnel.
pub fn question(mut query: Query, funnel: &Funnel) -> Question {
    let step = |(_, step): (_, u8)| Scope::Step(funnel.id.as_str().into(), step);
    let scopes: Vec<Scope> = funnel.steps.iter().zip(0..).map(step).collect();
    query.scope = scopes.first().cloned().unwrap_or(Scope::All);
    Question { query, scopes }
}

/// Puts the answer together from what [`Question::reads`] found.
///
/// # Errors
/// Stored sums that cannot be read.
pub fn answer(
    question: &Question,
    (funnel, name): (&Funnel, &str),
    rows: &[Vec<PageRow>],
    segments: &[String],
    now_ms: i64,
) -> Result<Value, Unreadable> {
    let pages = question.gathered(rows, segments)?;
    let sheets: Vec<Sheet> = pages.iter().map(|page| whole(question, page)).collect();
    let lines: Vec<Line> = sheets.iter().map(|sheet| Line::of(&question.query, sheet)).collect();
    let mut answer = head(&question.query, now_ms);
    let mut put = |name: &str, value: Value| answer.insert(name.to_owned(), value);
    put("funnel_id", funnel.id.as_str().into());
    put("name", name.into());
    put("order", json!(funnel.order));
    put("basis", json!(funnel.basis));
    put("window_seconds", funnel.window_seconds.into());
    put("complete_from", crate::time::rfc3339(funnel.complete_from_ms).into());
    put("entered", json!(lines.first().map_or(0, |line| line.count(TIMES))));
    put("completed", json!(lines.last().map_or(0, |line| line.count(TIMES))));
    put("steps", steps(funnel, &lines));
    if let Some(GroupBy::Dimension(dimension)) = question.query.group_by {
        let found = of_values(question, dimension, &sheets);
        put("group_by", dimension.name().into());
        put("group_count", found.len().into());
        let shown = found.iter().take(question.query.limit).map(|(value, lines)| {
            let mut group = Map::new();
            group.insert("steps".to_owned(), steps(funnel, lines));
            named(dimension, value, group)
        });
        put("groups", shown.collect());
    }
    Ok(Value::Object(answer))
}

/// The lines of each value that anybody entered with, busiest first.
fn of_values<'s>(
    question: &'s Question,
    dimension: Dimension,
    sheets: &'s [Sheet],
) -> Vec<(&'s str, Vec<Line>)> {
    let mut by_step = sheets.iter().map(|sheet| groups(question, dimension, sheet));
    let first = by_step.next().unwrap_or_default();
    let mut found: Vec<(&str, Vec<Line>)> =
        first.into_iter().map(|(value, counters)| (value, vec![Line::of_cell(counters)])).collect();
    for step in by_step {
        let step: std::collections::BTreeMap<&str, Counters> = step.into_iter().collect();
        for (value, lines) in &mut found {
            lines.push(Line::of_cell(step.get(value).copied().unwrap_or_default()));
        }
    }
    found
}

/// The steps as they are shown. Of each step: who reached it, who of them went on, and how long the way to it took.
fn steps(funnel: &Funnel, lines: &[Line]) -> Value {
    let reached: Vec<u64> = lines.iter().map(|line| line.count(TIMES)).collect();
    let first = reached.first().copied().unwrap_or(0);
    let shown = funnel.steps.iter().zip(lines).zip(reached.iter().zip(1..)).map(
        |((step, line), (&entered, next))| {
            let went_on = reached.get(next).copied();
            // Of the last step everybody is through.
            let converted = went_on.unwrap_or(entered).min(entered);
            let onward = lines.get(next).map_or(Value::Null, Line::median);
            json!({
                "name": step.name,
                "entered": entered,
                "converted": converted,
                "rate": rate(converted, entered),
                "drop_off": entered - converted,
                "drop_off_rate": rate(entered - converted, entered),
                "overall_rate": rate(entered, first),
                "median_seconds": if next == 1 { Value::Null } else { line.median() },
                "average_seconds": if next == 1 { Value::Null } else { line.mean() },
                "median_seconds_to_next": onward,
            })
        },
    );
    shown.collect()
}
