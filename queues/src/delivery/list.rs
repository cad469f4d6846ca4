//! The log of deliveries.

use analytics::{Param, Reject, Statement};
use serde_json::{Value, json};

const LIMIT_DEFAULT: i64 = 50;
const LIMIT_MAX: i64 = 500;

/// Which deliveries are asked for.
#[derive(Debug, Clone, Default)]
pub struct List {
    owner: Option<String>,
    state: Option<String>,
    event: Option<String>,
    before: Option<i64>,
    limit: Option<i64>,
}

macro_rules! time {
    ($ms:literal) => {
        concat!(
            "strftime('%Y-%m-%dT%H:%M:%S', ",
            $ms,
            " / 1000, 'unixepoch') || printf('.%03dZ', ",
            $ms,
            " % 1000)"
        )
    };
}

/// A delivery as it is answered, and its number as `place`. Without its body: that of a batch has half a megabyte.
macro_rules! record {
    ($more:literal) => {
        concat!(
            "SELECT json_object('id', id, 'webhook_id', owner, 'event', event, 'state', state, 'attempts', attempts, \
             'created_at', ",
            time!("created_at_ms"),
            ", 'next_try_at', iif(state = 'waiting', ",
            time!("due_ms"),
            ", NULL), 'ended_at', iif(state = 'waiting', NULL, ",
            time!("due_ms"),
            "), 'status', status, 'error', error",
            $more,
            ") AS record, CAST(number AS TEXT) AS place FROM deliveries "
        )
    };
}

impl List {
    /// Takes one parameter of the query.
    ///
    /// # Errors
    /// It is no parameter of the log, or has no such value.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), Reject> {
        let say = |detail| Reject::new(format!("/{name}"), detail);
        match name {
            "webhook_id" => self.owner = Some(value.to_owned()),
            "event" => self.event = Some(value.to_owned()),
            "state" if matches!(value, "waiting" | "delivered" | "dead") => {
                self.state = Some(value.to_owned());
            }
            "state" => return Err(say("is none of waiting, delivered, dead")),
            "cursor" => {
                let number = value.parse().ok().filter(|number| (0..1i64 << 53).contains(number));
                self.before = Some(number.ok_or_else(|| say("is not one that the log returned"))?);
            }
            "limit" => {
                let limit = value.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
                self.limit = Some(limit.ok_or_else(|| say("is not a number from 1 to 500"))?);
            }
            _ => return Err(say("is no parameter of this route")),
        }
        Ok(())
    }

    /// The rows, newest first, and one more than the page holds if another page follows.
    pub fn page(&self) -> Statement {
        let text = |value: &Option<String>| value.as_deref().map_or(Param::Null, Param::from);
        Statement::new(
            if self.owner.is_some() {
                concat!(
                    record!(""),
                    "WHERE owner = ?1 AND (?2 IS NULL OR state = ?2) AND (?3 IS NULL OR event = ?3) AND number < ?4 \
                     ORDER BY number DESC LIMIT ?5"
                )
            } else {
                concat!(
                    record!(""),
                    "WHERE ?1 IS NULL AND (?2 IS NULL OR state = ?2) AND (?3 IS NULL OR event = ?3) AND number < ?4 \
                     ORDER BY number DESC LIMIT ?5"
                )
            },
            [
                text(&self.owner),
                text(&self.state),
                text(&self.event),
                self.before.unwrap_or((1 << 53) - 1).into(),
                (self.limit() + 1).into(),
            ],
        )
    }

    fn limit(&self) -> i64 {
        self.limit.unwrap_or(LIMIT_DEFAULT)
    }

    /// The page as it is answered, from the rows' `record` and `place`.
    pub fn answer<'a>(&self, rows: impl ExactSizeIterator<Item = (&'a str, &'a str)>) -> Value {
        let more = rows.len() as i64 > self.limit();
        let (mut data, mut next) = (Vec::new(), None);
        for (record, place) in rows.take(self.limit() as usize) {
            data.push(serde_json::from_str::<Value>(record).unwrap_or_default());
            next = Some(place);
        }
        json!({ "data": data, "next_cursor": next.filter(|_| more) })
    }
}

/// One delivery, with its body, likewise.
pub fn by_id(id: &str) -> Statement {
    Statement::new(concat!(record!(", 'body', body"), "WHERE id = ?1"), [id.into()])
}
