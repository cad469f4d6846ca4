//! Deliveries in D1.

use analytics::audit::{Action, Entity, Entry};
use analytics::{Param, Statement};
use serde_json::json;

use super::fate::{Fate, expiry};
use super::{AT_ONCE, Delivery, LEASE_MS};

/// Changes told at once.
pub const TOLD_AT_ONCE: i64 = 200;

/// Has something told, for the transaction of what it tells of. One that is there already stays as it is.
pub fn insert(delivery: &Delivery, now_ms: i64) -> Statement {
    let target = delivery.to.as_ref().map(|to| json!([to.url, to.method, to.headers]).to_string());
    Statement::new(
        "INSERT INTO deliveries (id, owner, event, target, body, state, attempts, created_at_ms, due_ms, expires_ms) \
         VALUES (?1, ?2, ?3, ?4, ?5, 'waiting', 0, ?6, ?6, ?7) ON CONFLICT DO NOTHING",
        [
            delivery.id.as_str().into(),
            delivery.owner.as_str().into(),
            delivery.event.as_str().into(),
            target.map_or(Param::Null, Into::into),
            delivery.body.as_str().into(),
            now_ms.into(),
            expiry(now_ms).into(),
        ],
    )
}

/// Takes the next few that are due, for [`LEASE_MS`]: one column `record`, for [`super::Due::of`]. What belongs to a receiver that failed a moment ago is left.
pub fn claim(now_ms: i64) -> Statement {
    Statement::new(
        "UPDATE deliveries SET due_ms = ?2, attempts = attempts + 1 WHERE number IN \
         (SELECT number FROM deliveries AS d WHERE state = 'waiting' AND due_ms <= ?1 \
          AND NOT EXISTS (SELECT 1 FROM failing WHERE failing.owner = d.owner AND held_ms > ?1) \
          ORDER BY due_ms LIMIT ?3) \
         RETURNING json_array(id, owner, target, body, attempts, expires_ms, \
         (SELECT record FROM catalog WHERE sort = 'webhook' AND catalog.id = deliveries.owner)) AS record",
        [now_ms.into(), (now_ms + LEASE_MS).into(), AT_ONCE.into()],
    )
}

/// Notes what became of a try. Of what is delivered neither body nor address is kept: a busy sink's would fill the
/// database, and a postback's names who clicked.
pub fn settle(id: &str, fate: Fate, status: Option<u16>, error: Option<&str>, now_ms: i64) -> Statement {
    let (state, due_ms) = match fate {
        Fate::Delivered => ("delivered", now_ms),
        Fate::Again(due_ms) => ("waiting", due_ms),
        Fate::Dead | Fate::Gone => ("dead", now_ms),
    };
    Statement::new(
        "UPDATE deliveries SET state = ?2, due_ms = ?3, status = ?4, error = ?5, \
         body = iif(?2 = 'delivered', '', body), \
         target = iif(?2 = 'delivered', NULL, target) WHERE id = ?1",
        [
            id.into(),
            state.into(),
            due_ms.into(),
            status.map_or(Param::Null, |status| i64::from(status).into()),
            error.map_or(Param::Null, Param::from),
        ],
    )
}

/// Puts one off that is not tried now, because its webhook is paused: that was no try.
pub fn put_off(id: &str, due_ms: i64) -> Statement {
    Statement::new(
        "UPDATE deliveries SET due_ms = ?2, attempts = attempts - 1 WHERE id = ?1",
        [id.into(), due_ms.into()],
    )
}

/// A receiver answered as it should. Where it did before, nothing is written.
pub fn recovered(owner: &str) -> Statement {
    Statement::new("DELETE FROM failing WHERE owner = ?1", [owner.into()])
}

/// A receiver failed: since when and how often in a row, as one column `record`, `[since_ms, failures]`. It is left alone for five seconds, and twice as long with each
/// failure, up to some ten minutes: one that is down is asked now and then, and not once for each thing that it missed.
pub fn failed(owner: &str, now_ms: i64) -> Statement {
    Statement::new(
        "INSERT INTO failing (owner, since_ms, failures, held_ms) VALUES (?1, ?2, 1, ?2 + 5000) \
         ON CONFLICT DO UPDATE SET failures = failures + 1, held_ms = ?2 + (5000 << min(failures, 7)) \
         RETURNING json_array(since_ms, failures) AS record",
        [owner.into(), now_ms.into()],
    )
}

/// Whether there is a webhook that is told anything: a row `record`.
pub fn any_hook() -> Statement {
    Statement::new("SELECT id AS record FROM catalog WHERE sort = 'webhook' AND state = 'active' LIMIT 1", [])
}

/// Tries a dead one again, for a day: `record`, its id. No row: there is no such dead delivery. The receiver is asked at once.
pub fn replay(id: &str, now_ms: i64) -> [Statement; 2] {
    [
        Statement::new(
            "UPDATE deliveries SET state = 'waiting', attempts = 0, due_ms = ?2, expires_ms = ?3 \
             WHERE id = ?1 AND state = 'dead' RETURNING id AS record",
            [id.into(), now_ms.into(), expiry(now_ms).into()],
        ),
        Statement::new(
            "DELETE FROM failing WHERE owner = (SELECT owner FROM deliveries WHERE id = ?1)",
            [id.into()],
        ),
    ]
}

/// Tries all dead ones of an owner again: `record`, its id, for each.
pub fn replay_all(owner: &str, now_ms: i64) -> [Statement; 2] {
    [
        Statement::new(
            "UPDATE deliveries SET state = 'waiting', attempts = 0, due_ms = ?2, expires_ms = ?3 \
             WHERE owner = ?1 AND state = 'dead' RETURNING id AS record",
            [owner.into(), now_ms.into(), expiry(now_ms).into()],
        ),
        recovered(owner),
    ]
}

/// What stands in the trail and was not told yet, oldest first, as one column
/// `record`: `[id, at_ms, actor, action, entity, entity_id, changes, the record of what changed]`. Where the trail was never told from, the last minute of it.
pub fn untold(now_ms: i64) -> Statement {
    Statement::new(
        "SELECT json_array(id, at_ms, actor, action, entity, entity_id, json(changes), CASE entity \
         WHEN 'link' THEN (SELECT record FROM links WHERE token = substr(entity_id, instr(entity_id, '/') + 1) \
           AND domain = substr(entity_id, 1, max(instr(entity_id, '/') - 1, 0))) \
         ELSE (SELECT record FROM catalog WHERE sort = entity AND catalog.id = entity_id) END) AS record \
         FROM audit WHERE id > coalesce((SELECT position FROM told WHERE source = 'audit'), \
           (SELECT id - 1 FROM audit WHERE at_ms >= ?1 ORDER BY id LIMIT 1), 0) ORDER BY id LIMIT ?2",
        [(now_ms - 60_000).into(), TOLD_AT_ONCE.into()],
    )
}

/// Up to this row of the trail everything is told. For the transaction that tells it.
pub fn told(id: i64) -> Statement {
    Statement::new(
        "INSERT INTO told (source, position) VALUES ('audit', ?1) \
         ON CONFLICT DO UPDATE SET position = max(position, excluded.position)",
        [id.into()],
    )
}

/// Nobody wants to know of the trail: whoever comes later is not told what was before. One row written for as many
/// changes as a minute had, none if it had none.
pub fn pass_over() -> Statement {
    Statement::new(
        "INSERT INTO told (source, position) SELECT 'audit', max(id) FROM audit WHERE true HAVING max(id) IS NOT NULL \
         ON CONFLICT DO UPDATE SET position = excluded.position WHERE position < excluded.position",
        [],
    )
}

/// Notes in the trail the links whose time came to an end since this was asked last, at most an hour ago. Twice at
/// the same time is once: the position that it starts from moves in the same transaction.
pub fn expired(now_ms: i64) -> [Statement; 2] {
    let (hour_ago, most) = (now_ms - 3_600_000, 500i64);
    [
        Statement::new(
            "INSERT INTO audit (at_ms, actor, action, entity, entity_id, changes) \
             SELECT expires_at_ms, 'system', 'expired', 'link', iif(domain = '', '', domain || '/') || token, '{}' \
             FROM links WHERE expires_at_ms < 9007199254740991 AND expires_at_ms <= ?1 AND expires_at_ms > \
               max(?2, coalesce((SELECT position FROM told WHERE source = 'expiry'), ?2)) \
             AND deleted_at_ms IS NULL ORDER BY expires_at_ms LIMIT ?3",
            [now_ms.into(), hour_ago.into(), most.into()],
        ),
        Statement::new(
            "INSERT INTO told (source, position) SELECT 'expiry', max(expires_at_ms) FROM (SELECT expires_at_ms \
               FROM links WHERE expires_at_ms < 9007199254740991 AND expires_at_ms <= ?1 AND expires_at_ms > \
               max(?2, coalesce((SELECT position FROM told WHERE source = 'expiry'), ?2)) \
               AND deleted_at_ms IS NULL ORDER BY expires_at_ms LIMIT ?3) \
             WHERE true HAVING max(expires_at_ms) IS NOT NULL \
             ON CONFLICT DO UPDATE SET position = excluded.position",
            [now_ms.into(), hour_ago.into(), most.into()],
        ),
    ]
}

/// Notes in the trail that a link has turned somebody away, once until somebody changes it.
pub fn limit_reached(link: &str, at_ms: i64) -> Statement {
    Statement::new(
        "INSERT INTO audit (at_ms, actor, action, entity, entity_id, changes) \
         SELECT ?2, 'system', 'limit_reached', 'link', ?1, '{}' WHERE coalesce((SELECT action FROM audit \
         WHERE entity = 'link' AND entity_id = ?1 AND action <> 'expired' ORDER BY id DESC LIMIT 1), '') <> 'limit_reached'",
        [link.into(), at_ms.into()],
    )
}

/// Notes in the trail that a webhook is told nothing any more, and why. Behind the statement that disables it.
pub fn disabled(webhook: &str, reason: &str, now_ms: i64) -> Statement {
    let entry = Entry {
        at_ms: now_ms,
        actor: "system".to_owned(),
        action: Action::Disabled,
        entity: Entity::Webhook,
        entity_id: webhook.to_owned(),
        changes: json!({ "status": ["active", "disabled"], "reason": [null, reason] }),
    };
    entry.insert()
}
