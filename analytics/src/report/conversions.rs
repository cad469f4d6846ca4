//! `GET /stats/conversions`: whose doing conversions are, as a model shares them out.

use serde_json::{Map, Value, json};

use super::journey::{Line, Question, head, put_lines, query as journeys, taken, whole};
use super::money::{Currencies, units, worth};
use super::query::Zones;
use crate::aggregate::{Scope, Subject};
use crate::conversion::Status;
use crate::measure::{SHARES, TOUCHES, UNATTRIBUTED};
use crate::outcome::Model;
use crate::page::{Page, PageRow};
use crate::segment::Unreadable;
use crate::{Dimension, Reject};

/// Reads a query string; `model` or `models` may be `all`.
///
/// # Errors
/// Every parameter that is unknown, out of range, or asks for what no sum is kept for.
pub fn query(text: &str, now_ms: i64, zones: Zones) -> Result<Question, Vec<Reject>> {
    let ([model, models], rest) = taken(text, ["model", "models"])?;
    let refuse = |name: &'static str, detail: &'static str| Err(vec![Reject::new(name, detail)]);
    let models = match (model.as_deref(), models.as_deref()) {
        (None, None) => vec![Model::default()],
        (Some(_), Some(_)) => return refuse("/models", "and model are given"),
        (Some("all"), None) | (None, Some("all")) => Model::ALL.to_vec(),
        (Some(name), None) => match Model::parse(name) {
            Some(model) => vec![model],
            None => return refuse("/model", "is not one of last, first, linear, position, time_decay, all"),
        },
        (None, Some(_)) => return refuse("/models", "is not all"),
    };
    let mut query = journeys(&rest, now_ms, zones, &[Dimension::Campaign])?;
    let subject = match &query.scope {
        Scope::Campaign(id) => Subject::Campaign(id.clone()),
        _ => Subject::All,
    };
    let scopes: Vec<Scope> = models.into_iter().map(|model| Scope::Credits(model, subject.clone())).collect();
    query.scope = scopes.first().cloned().unwrap_or(Scope::All);
    Ok(Question { query, scopes })
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
    let mut answer = head(&question.query, now_ms);
    if let ([Scope::Credits(model, _)], [page]) = (question.scopes.as_slice(), pages.as_slice()) {
        answer.insert("model".to_owned(), model.name().into());
        put_model(&mut answer, question, page);
        return Ok(Value::Object(answer));
    }
    let mut models = Map::new();
    for (scope, page) in question.scopes.iter().zip(&pages) {
        if let Scope::Credits(model, _) = scope {
            let mut lines = Map::new();
            put_model(&mut lines, question, page);
            models.insert(model.name().to_owned(), Value::Object(lines));
        }
    }
    answer.insert("models".to_owned(), Value::Object(models));
    Ok(Value::Object(answer))
}

fn put_model(answer: &mut Map<String, Value>, question: &Question, page: &Page) {
    let whole = whole(question, page);
    let currencies = Currencies::of(&question.query, &whole.money);
    put_lines(answer, question, page, &whole, &|line: Line, sheet| {
        let share = |status: Status| units(line.counters.at(SHARES + status as usize).max(0));
        let mut numbers = Map::new();
        let mut put = |name: &str, value: Value| {
            numbers.insert(name.to_owned(), value);
        };
        put("conversions", units(line.counters.credited().max(0)));
        put("leads", share(Status::Lead));
        put("sales", share(Status::Sale));
        put("rebills", share(Status::Rebill));
        put("rejected", share(Status::Rejected));
        put("unattributed", units(line.counters.at(UNATTRIBUTED).max(0)));
        put("touches", json!(line.count(TOUCHES)));
        put("median_lag_seconds", line.median());
        put("average_lag_seconds", line.mean());
        let money = sheet.map(|sheet| &sheet.money);
        worth("revenue", &question.query, &line.counters, currencies, money, &mut put);
        numbers
    });
}
