//! Alerts, once a minute: reads the sums of every rule's scope, judges, and notes what changed.

use analytics::alert::judge::{Rule, State, judge};
use analytics::alert::keep::{Kept, keep, rules, states};
use analytics::alert::read::{Board, Service, reads};
use analytics::catalog::statements::by_id;
use analytics::catalog::{Item, Sort};
use analytics::segment::{PARTITIONS, partition};
use analytics::{Scope as Whose, Statement};
use serde::Deserialize;
use serde_json::{Value, json};
use worker::{Env, Error, Method, Request, Response, Result};

use crate::answer::json_response;
use crate::auth::{Scope, allowed};
use crate::clock::now_ms;
use crate::consumer::page_rows;
use crate::edge::Edge;
use crate::lookup::Record;
use crate::notice;
use crate::problem::Problem;
use crate::sql::{read, transact};
use crate::stats::service;

#[derive(Deserialize)]
pub(crate) struct Segment {
    pub(crate) body: String,
}

/// Looks at every rule. Where there is none this is one query.
pub(crate) async fn every_minute(edge: &Edge) -> Result<()> {
    let rows: Vec<Record> = read(&edge.db, rules()).await?;
    let kept = rows.iter().filter_map(|row| Kept::of(row.text()));
    let known: Vec<(Rule, State)> =
        kept.filter_map(|kept| Some((Rule::of(&kept.item)?, kept.state))).collect();
    if known.is_empty() {
        return Ok(());
    }
    let about_us = |rule: &Rule| matches!(rule.metric.as_str(), "lost" | "in_flight" | "dead_lettered");
    let service = if known.iter().any(|(rule, _)| about_us(rule)) {
        service(edge).await
    } else {
        Some(Service::default())
    };
    for part in 0..PARTITIONS {
        let mine: Vec<&(Rule, State)> =
            known.iter().filter(|(rule, _)| partition(&rule.scope) == part).collect();
        if mine.is_empty() {
            continue;
        }
        // One partition that cannot be read does not silence the others.
        if let Err(error) = look(edge, part, &mine, service).await {
            notice::warn("alerts", "not_looked_at", &part, &error);
        }
    }
    Ok(())
}

async fn look(edge: &Edge, part: u8, mine: &[&(Rule, State)], service: Option<Service>) -> Result<()> {
    let now_ms = now_ms();
    let wanted: Vec<&Rule> = mine.iter().map(|(rule, _)| rule).collect();
    let results = transact(&edge.db, reads(part, &wanted, now_ms)).await?;
    let [pages, segments] = results.as_slice() else { return Ok(()) };
    let broken = |_| Error::RustError("stored sums cannot be read".to_owned());
    let mut board = Board::default();
    for row in page_rows(pages)? {
        board.add(&row).map_err(broken)?;
    }
    for segment in segments.results::<Segment>()? {
        let scopes = |scope: &Whose| wanted.iter().any(|rule| rule.scope == *scope);
        board.add_segment(&segment.body, scopes).map_err(broken)?;
    }
    board.settle();
    let mut statements: Vec<Statement> = Vec::new();
    for (rule, before) in mine {
        let budget = match (&rule.scope, rule.metric.as_str()) {
            (Whose::Campaign(id), "budget_percent") => {
                let records: Vec<Record> = read(&edge.db, by_id(Sort::Campaign, id)).await?;
                let campaign =
                    records.first().and_then(|record| Item::from_record(Sort::Campaign, record.text()));
                campaign.and_then(|campaign| campaign.number("budget_micros"))
            }
            _ => None,
        };
        // Gates that do not answer make nothing look lost, and nothing look found.
        let reading = service.and_then(|service| board.read(rule, service, budget, now_ms));
        let verdict = judge(rule, *before, reading.as_ref(), now_ms);
        statements.extend(keep(&rule.id, before, &verdict, now_ms));
    }
    transact(&edge.db, statements).await?;
    Ok(())
}

/// `GET /api/alert-states`: where each alert stands.
pub(crate) async fn list(request: &Request, env: &Env) -> std::result::Result<Response, Problem> {
    if request.method() != Method::Get {
        return Err(Problem::MethodNotAllowed("GET"));
    }
    allowed(request, env, Scope::StatsRead).await?;
    let rows: Vec<Record> = read(&Edge::of(env)?.db, states()).await?;
    let kept = rows.iter().filter_map(|row| Kept::of(row.text()));
    let data: Vec<Value> = kept.map(|kept| kept.to_json()).collect();
    Ok(json_response(&json!({ "data": data }))?)
}
