//! When a rule's alarm goes off, and when it is over.

use serde_json::{Value, json};

use super::read::Reading;
use crate::Scope;
use crate::catalog::Item;
use crate::time::rfc3339;

const MINUTE_MS: i64 = 60_000;

/// So many times in a row a rule has to hold again before its alarm is over.
const CALM: u32 = 3;

/// Deviations that are an alarm if a rule names none: by luck alone, less than once in a million looks.
const DEVIATIONS: f64 = 5.0;

/// What is an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// More than the threshold.
    Above,
    /// Less than it.
    Below,
    /// So many deviations more than in the same hour of past weeks.
    Spike,
    /// So many less.
    Drop,
}

/// A rule, as it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its id.
    pub id: String,
    /// One of [`super::metric::METRICS`].
    pub metric: String,
    /// Of whom.
    pub scope: Scope,
    /// What is an alarm,
    pub condition: Condition,
    /// beyond what,
    pub threshold: f64,
    /// in how much time.
    pub window_ms: i64,
    /// So many looks in a row, which are a minute apart.
    pub looks: u32,
    /// What is made of fewer events is no alarm.
    pub min_events: u64,
    /// How long after an alarm there is no other.
    pub cool_down_ms: i64,
    /// Until then nobody is told, epoch ms.
    pub muted_until_ms: i64,
}

impl Rule {
    /// The rule of an item. `None`: it is paused or deleted.
    pub fn of(item: &Item) -> Option<Self> {
        if item.state() != "active" {
            return None;
        }
        let condition = match item.text("condition").as_str() {
            "below" => Condition::Below,
            "spike" => Condition::Spike,
            "drop" => Condition::Drop,
            _ => Condition::Above,
        };
        let (campaign, link) = (item.text("campaign_id"), item.text("link"));
        let number = |name: &str| item.number(name).unwrap_or(0);
        Some(Self {
            id: item.id().to_owned(),
            metric: item.text("metric"),
            scope: match (campaign.as_str(), link.as_str()) {
                ("", "") => Scope::All,
                ("", link) => Scope::Link(link.into()),
                (campaign, _) => Scope::Campaign(campaign.into()),
            },
            condition,
            threshold: item.decimal("threshold").unwrap_or(DEVIATIONS),
            window_ms: number("window_minutes").clamp(1, 60) * MINUTE_MS,
            looks: number("for_minutes").clamp(1, 60) as u32,
            min_events: number("min_events").max(0) as u64,
            cool_down_ms: number("cool_down_minutes") * MINUTE_MS,
            muted_until_ms: item.number("muted_until").unwrap_or(0),
        })
    }

    /// Whether a reading breaks it.
    fn is_broken(&self, reading: &Reading) -> bool {
        let Reading { value, events, score } = *reading;
        let (z, expected) = score.map_or((0.0, 0.0), |score| (score.z, score.expected));
        match self.condition {
            // A count is as good as any other; a share of five events is not.
            Condition::Above => {
                value > self.threshold && (super::metric::is_count(&self.metric) || events >= self.min_events)
            }
            Condition::Below => {
                value < self.threshold && (super::metric::is_count(&self.metric) || events >= self.min_events)
            }
            Condition::Spike => z >= self.threshold && events >= self.min_events,
            Condition::Drop => -z >= self.threshold && expected >= self.min_events as f64,
        }
    }

    /// Whether a reading is well on the other side: what hovers about the threshold is one alarm, not many.
    fn is_calm(&self, reading: &Reading) -> bool {
        let margin = if self.threshold >= 10.0 { self.threshold * 0.1 } else { 0.0 };
        let z = reading.score.map_or(0.0, |score| score.z);
        match self.condition {
            Condition::Above => reading.value <= self.threshold - margin,
            Condition::Below => reading.value >= self.threshold + margin,
            Condition::Spike => z < self.threshold / 2.0,
            Condition::Drop => -z < self.threshold / 2.0,
        }
    }
}

/// What is remembered of a rule from look to look.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct State {
    /// The alarm is on.
    pub firing: bool,
    /// So many looks in a row have said the opposite.
    pub streak: u32,
    /// Since when it is as it is, epoch ms; 0 is always.
    pub since_ms: i64,
    /// Before this there is no other alarm, epoch ms.
    pub quiet_until_ms: i64,
    /// What it read when it last changed.
    pub value: f64,
    /// What was usual then.
    pub expected: Option<f64>,
    /// How far that was from it.
    pub score: Option<f64>,
}

/// What is to be done about a rule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    /// What is to be remembered; the same as before costs no write.
    pub state: State,
    /// The alarm went on or off, and somebody is to be told.
    pub tell: bool,
}

/// Judges a rule by what it reads now.
pub fn judge(rule: &Rule, before: State, reading: Option<&Reading>, now_ms: i64) -> Verdict {
    let mut state = before;
    // Where nothing can be said an alarm is neither raised nor taken back.
    let Some(reading) = reading else {
        state.streak = 0;
        return Verdict { state, tell: false };
    };
    let opposite = if before.firing { rule.is_calm(reading) } else { rule.is_broken(reading) };
    let wanted = if before.firing { CALM } else { rule.looks };
    state.streak = if opposite { (before.streak + 1).min(wanted) } else { 0 };
    let held = !before.firing && now_ms < before.quiet_until_ms;
    if state.streak < wanted || held {
        return Verdict { state, tell: false };
    }
    let state = State {
        firing: !before.firing,
        streak: 0,
        since_ms: now_ms,
        quiet_until_ms: now_ms + rule.cool_down_ms,
        value: rounded(reading.value),
        expected: reading.score.map(|score| rounded(score.expected)),
        score: reading.score.map(|score| rounded(score.z)),
    };
    Verdict { state, tell: now_ms >= rule.muted_until_ms }
}

/// To a hundredth.
pub fn rounded(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

impl State {
    /// As it is stored.
    pub fn to_record(&self) -> String {
        let Self { firing, streak, since_ms, quiet_until_ms, value, expected, score } = self;
        json!([firing, streak, since_ms, quiet_until_ms, value, expected, score]).to_string()
    }

    /// Reads a stored state; what cannot be read is as new.
    pub fn from_record(record: &str) -> Self {
        let Ok(Value::Array(parts)) = serde_json::from_str(record) else { return Self::default() };
        let whole = |place: usize| parts.get(place).and_then(Value::as_i64).unwrap_or(0);
        let number = |place: usize| parts.get(place).and_then(Value::as_f64);
        Self {
            firing: parts.first() == Some(&Value::Bool(true)),
            streak: whole(1) as u32,
            since_ms: whole(2),
            quiet_until_ms: whole(3),
            value: number(4).unwrap_or(0.0),
            expected: number(5),
            score: number(6),
        }
    }

    /// As it is shown, and told.
    pub fn to_json(&self) -> Value {
        let since = (self.since_ms > 0).then(|| rfc3339(self.since_ms));
        json!({
            "state": if self.firing { "firing" } else { "ok" },
            "since": since,
            "value": since.as_ref().map(|_| self.value),
            "expected": self.expected,
            "score": self.score,
        })
    }
}

#[cfg(test)]
mod tests;
