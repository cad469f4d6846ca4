//! Deliveries, carried out: the queue's nudges, the minute's look at what is due, and what the trail has to tell.

use analytics::catalog::statements::{by_id, update};
use analytics::catalog::{Item, Sort};
use links::Link;
use queues::delivery::{Due, Event, Fate, Want, statements};
use serde_json::{Value, json};
use worker::{Context, D1Result, Env, Result};

use crate::campaigns::refresh_now;
use crate::clock::now_ms;
use crate::consumer::QueueMessage;
use crate::edge::Edge;
use crate::lookup::Record;
use crate::notice;
use crate::outbound::send_all;
use crate::random::random_bits;
use crate::sql::{read, transact};

/// So often the next few are taken before somebody else goes on: a minute and a half, if nobody answers.
const ROUNDS: usize = 8;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: f64 = 86_400_000.0;

/// One lost connection is no reason to disable a receiver that is told something twice a week.
const FAILURES_MIN: i64 = 5;

/// Has what is due looked at, soon. If the queue does not take it, the minute's tick does it.
pub(crate) async fn wake(edge: &Edge, after_seconds: i64) {
    if let Err(error) = edge.deliveries.send_later(b"due", after_seconds).await {
        notice::warn("deliveries", "not_woken", &"", &error);
    }
}

/// The same, behind the answer of a request that had something noted.
pub(crate) fn wake_behind(env: &Env, ctx: &Context) {
    let Ok(edge) = Edge::of(env) else { return };
    if edge.poke.take() {
        ctx.wait_until(async move { wake(&edge, 0).await });
    }
}

/// A batch of nudges: whatever they are, one look is enough.
pub(crate) async fn consume(messages: Vec<QueueMessage>, env: &Env) {
    match Edge::of(env) {
        Ok(edge) => work(&edge).await,
        Err(error) => notice::error("deliveries", "no_settings", &"", &error),
    }
    // What failed is in the database, and the minute's tick finds it there.
    messages.iter().for_each(QueueMessage::ack);
}

/// Tells what is to be told, as far as it goes.
pub(crate) async fn work(edge: &Edge) {
    if let Err(error) = tell_changes(edge).await {
        notice::warn("deliveries", "changes_not_told", &"", &error);
    }
    if let Err(error) = deliver(edge).await {
        notice::warn("deliveries", "not_delivered", &"", &error);
    }
}

async fn deliver(edge: &Edge) -> Result<()> {
    let mut next_ms = i64::MAX;
    for round in 1..=ROUNDS {
        let records: Vec<Record> = read(&edge.db, statements::claim(now_ms())).await?;
        if records.is_empty() {
            break;
        }
        let claimed: Vec<Due> = records.iter().filter_map(|record| Due::of(record.text())).collect();
        next_ms = next_ms.min(attempt(edge, &claimed).await?);
        if round == ROUNDS {
            next_ms = 0;
        }
    }
    let wait_ms = next_ms.saturating_sub(now_ms());
    if wait_ms < MINUTE_MS {
        wake(edge, (wait_ms.max(0) + 999) / 1_000).await;
    }
    Ok(())
}

/// Tries some at once, and notes what came of it; when the first of them is tried again, if any is.
async fn attempt(edge: &Edge, claimed: &[Due]) -> Result<i64> {
    let (mut tried, mut requests, mut unsent) = (Vec::new(), Vec::new(), Vec::new());
    for due in claimed {
        match due.want(&edge.signer, now_ms()) {
            Want::Send(request) => {
                tried.push(due);
                requests.push((request, due.body.as_str()));
            }
            other => unsent.push(due.unsent(other == Want::Wait, now_ms())),
        }
    }
    let answers = if requests.is_empty() { Vec::new() } else { send_all(edge, &requests).await };
    let now_ms = now_ms();
    let (mut fates, mut noted) = (Vec::new(), Vec::new());
    for (due, (answer, why)) in tried.iter().zip(answers) {
        let why = due.discreet(why);
        let (fate, statements) = due.settle(&answer, why.as_deref(), now_ms, random_bits() as u32);
        fates.push(fate);
        noted.extend(statements);
    }
    noted.extend(unsent);
    let results = transact(&edge.db, noted).await?;
    let mut next_ms = i64::MAX;
    for (place, (due, fate)) in tried.iter().zip(fates).enumerate() {
        match fate {
            Fate::Delivered => continue,
            Fate::Again(due_ms) => next_ms = next_ms.min(due_ms),
            Fate::Dead | Fate::Gone => {}
        }
        // The second statement of each tells how long that has been going on.
        let failing: Vec<Record> = results.get(2 * place + 1).map_or(Ok(Vec::new()), D1Result::results)?;
        let (since_ms, failures): (i64, i64) = failing
            .first()
            .and_then(|record| serde_json::from_str(record.text()).ok())
            .unwrap_or((now_ms, 0));
        let long = (now_ms - since_ms) as f64 >= edge.config.webhook_disable_days * DAY_MS;
        if due.of_hook && fate == Fate::Gone {
            disable(edge, &due.owner, "it answered 410 Gone").await?;
        } else if due.of_hook && long && failures >= FAILURES_MIN {
            disable(edge, &due.owner, "nothing has got through to it for days").await?;
        }
    }
    Ok(next_ms)
}

/// Tells a webhook nothing any more, until somebody sets it active again. Others are told of it.
async fn disable(edge: &Edge, webhook: &str, reason: &str) -> Result<()> {
    let records: Vec<Record> = read(&edge.db, by_id(Sort::Webhook, webhook)).await?;
    let item = records.first().and_then(|record| Item::from_record(Sort::Webhook, record.text()));
    let Some(item) = item.filter(|item| item.state() == "active") else { return Ok(()) };
    let now_ms = now_ms();
    let after = item.set("status", "disabled".into(), now_ms);
    notice::warn("deliveries", "webhook_disabled", &webhook, &reason);
    transact(
        &edge.db,
        [
            update(item.version(), &after),
            statements::disabled(webhook, reason, now_ms),
            statements::recovered(webhook),
        ],
    )
    .await?;
    Ok(())
}

/// Makes deliveries of what was noted in the trail. Idempotent: a row makes the same deliveries each time.
async fn tell_changes(edge: &Edge) -> Result<()> {
    // Whoever subscribed a moment ago is told of what happens now.
    refresh_now(edge).await?;
    if !edge.campaigns.borrow().hooks.want_changes() {
        transact(&edge.db, [statements::pass_over()]).await?;
        return Ok(());
    }
    loop {
        let changes: Vec<Record> = read(&edge.db, statements::untold(now_ms())).await?;
        let (mut told, mut last) = (Vec::new(), None);
        for change in &changes {
            let change: Value = serde_json::from_str(change.text())?;
            last = change.get(0).and_then(Value::as_i64).or(last);
            let text = |place: usize| change.get(place).and_then(Value::as_str).unwrap_or_default();
            let held = edge.campaigns.borrow();
            let event = Event::of_audit(text(4), text(3)).filter(|event| held.hooks.want(*event));
            if let Some(event) = event {
                let at_ms = change.get(1).and_then(Value::as_i64).unwrap_or(0);
                let data = data(&change, text(4), text(5), text(7), at_ms);
                let campaign = data.pointer("/link/campaign_id").and_then(Value::as_str).unwrap_or_default();
                let about = format!("audit/{}", last.unwrap_or(0));
                told.extend(held.hooks.tell(event, &about, campaign, at_ms, &data, now_ms()));
            }
        }
        let Some(last) = last else { return Ok(()) };
        told.push(statements::told(last));
        transact(&edge.db, told).await?;
        if (changes.len() as i64) < statements::TOLD_AT_ONCE {
            return Ok(());
        }
    }
}

/// What a message says of a change.
fn data(change: &Value, entity: &str, id: &str, record: &str, at_ms: i64) -> Value {
    let of = |place: usize| change.get(place).cloned().unwrap_or_default();
    let about = match entity {
        "link" => {
            let mut link =
                Link::from_record(record).map_or_else(|_| json!({}), |link| link.to_json("", at_ms));
            if let Some(members) = link.as_object_mut() {
                // Its hosts are not known here.
                members.remove("short_url");
                members.insert("name".to_owned(), id.into());
            }
            Some(link)
        }
        "alert" => Item::from_record(Sort::Alert, record).map(|item| item.to_json()),
        _ => Item::from_record(Sort::Webhook, record).map(|item| item.to_json()),
    };
    json!({ entity: about, "changes": of(6), "actor": of(2) })
}
