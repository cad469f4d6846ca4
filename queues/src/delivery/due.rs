//! A delivery whose turn it is.

use analytics::Statement;
use analytics::signature::Signer;
use serde_json::Value;

use super::{Answer, Fate, Want, fate, request, statements};

const PAUSE_MS: i64 = 600_000;

/// A row of [`statements::claim`].
#[derive(Debug, Clone, PartialEq)]
pub struct Due {
    /// The delivery's.
    pub id: String,
    /// Whose it is.
    pub owner: String,
    /// What is sent.
    pub body: String,
    /// How often it was tried, this try among them.
    pub attempts: u32,
    /// It is a webhook's.
    pub of_hook: bool,
    target: Option<String>,
    hook: Option<String>,
    expires_ms: i64,
}

impl Due {
    /// Reads a row. `None`: it is damaged.
    pub fn of(record: &str) -> Option<Self> {
        let Ok(Value::Array(columns)) = serde_json::from_str(record) else { return None };
        let text = |place: usize| columns.get(place).and_then(Value::as_str).map(str::to_owned);
        let number = |place: usize| columns.get(place).and_then(Value::as_i64);
        let hook = text(6);
        Some(Self {
            id: text(0)?,
            owner: text(1)?,
            target: text(2),
            body: text(3)?,
            attempts: number(4)? as u32,
            expires_ms: number(5)?,
            // A webhook may have any id, that of a postback's owner too.
            of_hook: hook.is_some() && text(2).is_none(),
            hook,
        })
    }

    /// What is wanted of it.
    pub fn want(&self, signer: &Signer, now_ms: i64) -> Want {
        request(&self.id, self.target.as_deref(), self.hook.as_deref(), &self.body, signer, now_ms)
    }

    /// What may be noted of why it failed. An address of its own may hold a password, and a server that repeats what it was
    /// asked, or a platform that says what it could not reach, would put it into the log.
    pub fn discreet(&self, why: Option<String>) -> Option<String> {
        let target: Value =
            self.target.as_deref().and_then(|it| serde_json::from_str(it).ok()).unwrap_or_default();
        why.map(|why| discreet(why, target.get(0).and_then(Value::as_str).unwrap_or_default()))
    }

    /// What is noted of one that is not sent: of a paused webhook it waits, as long as it may.
    pub fn unsent(&self, waits: bool, now_ms: i64) -> Statement {
        if waits && now_ms < self.expires_ms {
            return statements::put_off(&self.id, now_ms + PAUSE_MS);
        }
        let why = "its webhook is gone, or was paused for too long";
        statements::settle(&self.id, Fate::Dead, None, Some(why), now_ms)
    }

    /// What becomes of it, and what is noted of it and of its receiver. `why` says what was wrong with the answer.
    pub fn settle(
        &self,
        answer: &Answer,
        why: Option<&str>,
        now_ms: i64,
        chance: u32,
    ) -> (Fate, [Statement; 2]) {
        let fate = fate(answer, self.attempts, self.expires_ms, now_ms, chance);
        let status = match answer {
            Answer::Status(status, _) => Some(*status),
            Answer::None(_) => None,
        };
        let health = match fate {
            Fate::Delivered => statements::recovered(&self.owner),
            _ => statements::failed(&self.owner, now_ms),
        };
        (fate, [statements::settle(&self.id, fate, status, why, now_ms), health])
    }
}

/// What was said, without what the address holds: its parameters, and what in its path is no word.
pub fn discreet(mut said: String, url: &str) -> String {
    for piece in url.split(['/', '?', '&']).skip(3) {
        let kept = match piece.split_once('=') {
            Some((_, value)) => value,
            None if piece.bytes().all(|byte| byte.is_ascii_lowercase()) => continue,
            None => piece,
        };
        if kept.len() >= 4 {
            said = said.replace(kept, "…");
        }
    }
    said
}
