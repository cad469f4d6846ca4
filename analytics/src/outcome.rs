//! Outcomes: what follows from a visitor's journey, on its way to the sums.
//!
//! A journey works out what follows from all that it knows, and emits the difference to what it has emitted before. So an
//! outcome can be taken back (`times` -1) and told anew when a late event changes what happened, and whatever the order
//! in which events arrive, the sums end up the same.

use serde::{Deserialize, Serialize};

use crate::conversion::Status;
use crate::footprint::{Footprint, VisitorKey};
use crate::{EventId, Text, Traits};

/// Version of an outcome's bytes.
pub const OUTCOME_VERSION: u8 = 1;

/// How the worth of a conversion is shared among what led to it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Model {
    /// All of it is the last click's.
    #[default]
    Last,
    /// All of it is the first click's.
    First,
    /// Each touch has the same share.
    Linear,
    /// 40 % each to the first and the last, the rest shared by those between.
    Position,
    /// A touch counts half as much for every seven days before the conversion.
    TimeDecay,
}

impl Model {
    /// Every model, in the order of its code.
    pub const ALL: [Self; 5] = [Self::Last, Self::First, Self::Linear, Self::Position, Self::TimeDecay];

    /// The name in queries and answers, and in the keys of sums.
    pub fn name(self) -> &'static str {
        match self {
            Self::Last => "last",
            Self::First => "first",
            Self::Linear => "linear",
            Self::Position => "position",
            Self::TimeDecay => "time_decay",
        }
    }

    /// The model of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|model| model.name() == name)
    }
}

/// What follows from a journey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome<'a> {
    /// A session is over. Counts at its start.
    #[serde(borrow)]
    Session(Session<'a>),
    /// A step of a funnel was reached. Counts at the first step.
    #[serde(borrow)]
    Step(Step<'a>),
    /// A share of a conversion's worth is a touch's. Counts at the conversion.
    #[serde(borrow)]
    Credit(Credit<'a>),
    /// What the event itself added to the sums was not quite so: it was told again, or its transaction changed its
    /// status, or its click was not billable. Counts where the event did.
    #[serde(borrow)]
    Correction(Correction<'a>),
    /// The footprint belongs to another visitor's journey: who left it is known by a better name now.
    #[serde(borrow)]
    Moved(Moved<'a>),
    /// A transaction has this status now: whoever sent the visitor is called. Nothing is counted by it.
    #[serde(borrow)]
    Converted(Converted<'a>),
}

/// A session that is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session<'a> {
    /// 1, or -1 to take it back.
    pub times: i64,
    /// Its first event, epoch ms.
    pub start_ms: i64,
    /// From its first event to its last, ms.
    pub duration_ms: i64,
    /// How many events.
    pub events: u64,
    /// How many of them were page views.
    pub pages: u64,
    /// How many conversions it holds.
    pub conversions: u64,
    /// What they were worth, in millionths.
    pub value_micros: i64,
    /// ISO 4217 code; empty if there is no value, or in more than one currency.
    #[serde(borrow)]
    pub currency: Text<'a>,
    /// The first page, without query.
    #[serde(borrow)]
    pub entry_page: Text<'a>,
    /// The last one.
    #[serde(borrow)]
    pub exit_page: Text<'a>,
    /// The client's id for it, or empty.
    #[serde(borrow)]
    pub session_id: Text<'a>,
    /// Those of its first event; the campaign may be a later one's where the first has none.
    #[serde(borrow)]
    pub traits: Traits<'a>,
}

/// A step of a funnel that was reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step<'a> {
    /// 1, or -1 to take it back.
    pub times: i64,
    /// The funnel.
    #[serde(borrow)]
    pub funnel: Text<'a>,
    /// Which step, from 0.
    pub step: u8,
    /// When the first step was reached, epoch ms.
    pub entered_ms: i64,
    /// From the step before to this one, ms; 0 for the first.
    pub elapsed_ms: i64,
    /// Those of the event that was the first step.
    #[serde(borrow)]
    pub traits: Traits<'a>,
}

/// A touch's share of a conversion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credit<'a> {
    /// 1, or -1 to take it back.
    pub times: i64,
    /// How it was shared out.
    pub model: Model,
    /// The conversion's time, epoch ms.
    pub at_ms: i64,
    /// What became of the transaction.
    pub status: Status,
    /// The touch's share of one conversion, in millionths. The shares of a conversion add up to a million.
    pub share_micros: i64,
    /// The touch's share of the worth, in millionths of the currency's unit. The shares add up to the worth.
    pub value_micros: i64,
    /// ISO 4217 code.
    #[serde(borrow)]
    pub currency: Text<'a>,
    /// From the touch to the conversion, ms; `None`: nothing led to it that is known.
    pub lag_ms: Option<i64>,
    /// Those of the touch; of the conversion where there was none.
    #[serde(borrow)]
    pub traits: Traits<'a>,
}

/// What has to be added to what an event added to the sums.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correction<'a> {
    /// When the event counted, epoch ms.
    pub at_ms: i64,
    /// How many conversions more, or fewer.
    pub conversions: i64,
    /// How much more they were worth, in millionths.
    pub value_micros: i64,
    /// ISO 4217 code.
    #[serde(borrow)]
    pub currency: Text<'a>,
    /// How much more they cost.
    pub cost_nanos: i64,
    /// The currency of that: as the footprint has it.
    #[serde(borrow)]
    pub cost_currency: Text<'a>,
    /// How much more is paid out.
    pub payout_nanos: i64,
    /// The currency of that: as the footprint has it.
    #[serde(borrow)]
    pub payout_currency: Text<'a>,
    /// The event's.
    #[serde(borrow)]
    pub traits: Traits<'a>,
}

/// A transaction that has reached a status, and what led to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Converted<'a> {
    /// 1, or -1: it has another status now, or led nowhere. Nobody who was called can be called back.
    pub times: i64,
    /// Tells the visitor's transactions apart.
    pub about: u64,
    /// The event that it began with.
    pub conversion: EventId,
    /// When that was, epoch ms.
    pub at_ms: i64,
    /// When the click was that it names, epoch ms.
    pub named_ms: Option<i64>,
    /// The customer's id of it, or empty.
    #[serde(borrow)]
    pub txid: Text<'a>,
    /// What kind of conversion it is.
    #[serde(borrow)]
    pub name: Text<'a>,
    /// What became of it.
    pub status: Status,
    /// What it is worth now, in millionths.
    pub value_micros: i64,
    /// ISO 4217 code.
    #[serde(borrow)]
    pub currency: Text<'a>,
    /// Its campaign, if it says one itself.
    #[serde(borrow)]
    pub campaign: Text<'a>,
    /// Whom the payout is owed to.
    #[serde(borrow)]
    pub payee: Text<'a>,
    /// What is owed for it now.
    pub payout_nanos: i64,
    /// ISO 4217 code.
    #[serde(borrow)]
    pub payout_currency: Text<'a>,
    /// When the last click was that led to it, or the last view if there was no click; `None`: nothing did.
    pub touched_ms: Option<i64>,
    /// Whether that was a click.
    pub clicked: bool,
    /// Those of that touch, its visitor among them; of the conversion where there was none.
    #[serde(borrow)]
    pub traits: Traits<'a>,
}

impl Converted<'_> {
    /// What makes it one: calling twice by it is calling once. A transaction's id is its sender's within a click alone;
    /// where none is named, the event that it began with stands for whose it is.
    pub fn identity(&self) -> String {
        match self.named_ms {
            Some(click_ms) => format!("{:x} click {click_ms} {}", self.about, self.status.name()),
            None => format!("{:x} {} {}", self.about, self.conversion, self.status.name()),
        }
    }
}

/// A footprint on its way to another journey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved<'a> {
    /// Whose it is.
    pub to: VisitorKey,
    /// The footprint.
    #[serde(borrow)]
    pub footprint: Footprint<'a>,
}

impl<'a> Outcome<'a> {
    /// When it counts, epoch ms.
    pub fn at_ms(&self) -> i64 {
        match self {
            Self::Session(session) => session.start_ms,
            Self::Step(step) => step.entered_ms,
            Self::Credit(credit) => credit.at_ms,
            Self::Correction(correction) => correction.at_ms,
            Self::Moved(moved) => moved.footprint.at_ms,
            Self::Converted(converted) => converted.at_ms,
        }
    }

    /// Takes back what it told.
    pub fn negate(&mut self) {
        match self {
            Self::Session(session) => session.times = -session.times,
            Self::Step(step) => step.times = -step.times,
            Self::Credit(credit) => credit.times = -credit.times,
            Self::Correction(correction) => {
                correction.conversions = -correction.conversions;
                correction.value_micros = correction.value_micros.wrapping_neg();
                correction.cost_nanos = correction.cost_nanos.wrapping_neg();
                correction.payout_nanos = correction.payout_nanos.wrapping_neg();
            }
            Self::Converted(converted) => converted.times = -converted.times,
            // A footprint that has gone has gone.
            Self::Moved(_) => {}
        }
    }

    /// Appends the outcome: a version byte and postcard's wire format.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(OUTCOME_VERSION);
        // `to_extend` into a Vec has no failing path for these types.
        if let Ok(written) = postcard::to_extend(self, std::mem::take(out)) {
            *out = written;
        }
    }

    /// Reads an outcome; texts are borrowed from the bytes. `None`: it is none, or of a later version.
    pub fn decode(bytes: &'a [u8]) -> Option<Self> {
        match bytes.split_first() {
            Some((&OUTCOME_VERSION, fields)) => postcard::from_bytes(fields).ok(),
            _ => None,
        }
    }
}
