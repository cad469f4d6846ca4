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
    let (mut held_by, mut ran_in): (Vec<Held>, Vec<Ran>) = Default::default();
    for db in [&edge.db].into_iter().chain(&edge.away) {
        let results = transact(db, [held(), runs()]).await?;
        let [held, ran] = results.as_slice() else {
            return Err(Problem::Unavailable("the database gave no answer".into()));
        };
        let held: Vec<Record> = held.results()?;
        let held = held.first().map_or("", Record::text);
        held_by.extend(serde_json::from_str::<Vec<Held>>(held).unwrap_or_default());
        ran_in.extend(ran.results::<Ran>()?);
    }
    let days = edge.config.days();
    let data: Vec<_> = Class::ALL
        .into_iter()
        .map(|class| {
            let is = |name: &str| name == class.name();
            let held = || held_by.iter().filter(|held| is(&held.0));
            let oldest_ms = held().filter_map(|held| held.1).min();
            let rows = held().map(|held| held.2).reduce(|all, more| Some(all? + more?)).flatten();
            let ran = || ran_in.iter().filter(|ran| is(&ran.class));
            let last = ran().max_by_key(|ran| ran.run_ms);
            json!({
                "class": class.name(),
                "setting": class.setting(),
                "days": class.days(&days),
                "oldest": oldest_ms.map(rfc3339),
                "rows": rows,
                "last_removed_at": last.map(|ran| rfc3339(ran.run_ms)),
                "last_removed": last.map(|ran| ran.removed),
                "removed": ran().map(|ran| ran.removed_all).sum::<i64>(),
            })
        })
        .collect();
    Ok(json_response(&json!({ "data": data }))?)
}
