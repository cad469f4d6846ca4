//! `GET /api/retention`: what is kept for how long, since when, and what went last.

use analytics::retention::{Class, held, runs};
use analytics::time::rfc3339;
use serde::Deserialize;
use serde_json::json;
use worker::{Env, Method, Request, Response};

use crate::answer::json_response;
use crate::auth::{Scope, allowed};
use crate::edge::Edge;
use crate::lookup::Record;
use crate::problem::Problem;
use crate::sql::transact;

type Held = (String, Option<i64>, Option<i64>);

#[derive(Deserialize)]
struct Ran {
    class: String,
    run_ms: i64,
    removed: i64,
    removed_all: i64,
}

pub(crate) async fn show(request: &Request, env: &Env) -> Result<Response, Problem> {
    if request.method() != Method::Get {
        return Err(Problem::MethodNotAllowed("GET"));
    }
    allowed(request, env, Scope::Admin).await?;
    let edge = Edge::of(env)?;
    let results = transact(&edge.db, [held(), runs()]).await?;
    let [held, ran] = results.as_slice() else {
        return Err(Problem::Unavailable("the database gave no answer".into()));
    };
    let (held, ran): (Vec<Record>, Vec<Ran>) = (held.results()?, ran.results()?);
    let held = held.first().map_or("", Record::text);
    let held: Vec<Held> = serde_json::from_str(held).unwrap_or_default();
    let days = edge.config.days();
    let data: Vec<_> = Class::ALL
        .into_iter()
        .map(|class| {
            let is = |name: &str| name == class.name();
            let (oldest_ms, rows) =
                held.iter().find(|held| is(&held.0)).map_or((None, None), |held| (held.1, held.2));
            let ran = ran.iter().find(|ran| is(&ran.class));
            json!({
                "class": class.name(),
                "setting": class.setting(),
                "days": class.days(&days),
                "oldest": oldest_ms.map(rfc3339),
                "rows": rows,
                "last_removed_at": ran.map(|ran| rfc3339(ran.run_ms)),
                "last_removed": ran.map(|ran| ran.removed),
                "removed": ran.map_or(0, |ran| ran.removed_all),
            })
        })
        .collect();
    Ok(json_response(&json!({ "data": data }))?)
}
