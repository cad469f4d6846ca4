//! The sorts of items and their fields.

use serde_json::Value;

use super::Item;
use super::field::{Field, Form};
use crate::Reject;
use crate::alert::metric::{METRICS, is_count};
use crate::audit::Entity;
use crate::funnel::{STEPS_MAX, STEPS_MIN, WINDOW_MAX_SECONDS};

/// A sort of items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// What is advertised, when, and what it costs.
    Campaign,
    /// Who is paid for sending visitors.
    Publisher,
    /// Which steps lead where.
    Funnel,
    /// Whom to tell what happens.
    Webhook,
    /// What to raise an alarm about.
    Alert,
}

const NAME: Form = Form::Text(128, "is longer than 128 characters");
const TITLE: Form = Form::Text(256, "is longer than 256 characters");
const NOTE: Form = Form::Text(2_000, "is longer than 2000 characters");

/// A million units for one click or action: its nanos, times a million events, still fit 64 bits.
const PRICE_MAX_MICROS: i64 = 1_000_000_000_000;
/// A billion units, the largest amount of an event.
const BUDGET_MAX_MICROS: i64 = 1_000_000_000_000_000;
const DAY_SECONDS: i64 = 86_400;
const LOOKBACK_MAX: i64 = 90 * DAY_SECONDS;

const fn field(name: &'static str, form: Form) -> Field {
    Field { name, form }
}

/// What somebody is called for: everything, for who reads `{status}` can tell.
const STATUSES: Form =
    Form::Words(&["lead", "sale", "rejected", "rebill"], &["lead", "sale", "rejected", "rebill"]);

static CAMPAIGN: [Field; 18] = [
    field("name", TITLE),
    field("status", Form::OneOf(&["active", "paused", "ended"])),
    field("starts_at", Form::Moment),
    field("ends_at", Form::Moment),
    field("cost_model", Form::OneOf(&["none", "cpc", "cpm", "cpa"])),
    field("cost_micros", Form::Whole(PRICE_MAX_MICROS, None)),
    field("currency", Form::Currency),
    field("budget_micros", Form::Whole(BUDGET_MAX_MICROS, None)),
    field("click_lookback_seconds", Form::Whole(LOOKBACK_MAX, Some(7 * DAY_SECONDS))),
    field("view_lookback_seconds", Form::Whole(LOOKBACK_MAX, Some(DAY_SECONDS))),
    field("billing_window_seconds", Form::Whole(LOOKBACK_MAX, Some(DAY_SECONDS))),
    field("publisher_id", NAME),
    field("medium", NAME),
    field("postback_url", Form::Template),
    field("postback_method", Form::OneOf(&["GET", "POST"])),
    field("postback_on", STATUSES),
    field("note", NOTE),
    field("archived", Form::Flag),
];

static PUBLISHER: [Field; 11] = [
    field("name", TITLE),
    field("status", Form::OneOf(&["active", "paused"])),
    field("payout_model", Form::OneOf(&["none", "cpc", "cpm", "cpa", "revshare"])),
    field("payout_micros", Form::Whole(PRICE_MAX_MICROS, None)),
    field("payout_percent", Form::Percent),
    field("currency", Form::Currency),
    field("postback_url", Form::Template),
    field("postback_method", Form::OneOf(&["GET", "POST"])),
    field("postback_on", STATUSES),
    field("note", NOTE),
    field("archived", Form::Flag),
];

static FUNNEL: [Field; 8] = [
    field("name", TITLE),
    field("order", Form::OneOf(&["ordered", "strict", "any"])),
    field("basis", Form::OneOf(&["visitor", "session"])),
    field("window_seconds", Form::Whole(WINDOW_MAX_SECONDS, Some(7 * DAY_SECONDS))),
    field("steps", Form::Steps),
    field("exclude", Form::Steps),
    field("note", NOTE),
    field("archived", Form::Flag),
];

/// What a funnel is: what was counted under one definition is not what another would have counted.
pub(super) const DEFINITION: [&str; 5] = ["order", "basis", "window_seconds", "steps", "exclude"];
/// What can be told to a webhook. Append only: `queues` names them by their place.
pub const EVENTS: [&str; 11] = [
    "click.recorded",
    "conversion.recorded",
    "session.ended",
    "link.created",
    "link.updated",
    "link.deleted",
    "link.expired",
    "link.limit_reached",
    "alert.fired",
    "alert.resolved",
    "webhook.disabled",
];

static WEBHOOK: [Field; 10] = [
    field("name", TITLE),
    field("url", Form::Url),
    field("kind", Form::OneOf(&["webhook", "http_sink"])),
    field("events", Form::Words(&EVENTS, &[])),
    field("campaign_id", NAME),
    field("include_bots", Form::Flag),
    field("status", Form::OneOf(&["active", "paused", "disabled"])),
    field("note", NOTE),
    field("secret_version", Form::Own(Some(1))),
    field("rotated_at", Form::Own(None)),
];

static ALERT: [Field; 13] = [
    field("name", TITLE),
    field("status", Form::OneOf(&["active", "paused"])),
    field("metric", Form::OneOf(&METRICS)),
    field("condition", Form::OneOf(&["above", "below", "spike", "drop"])),
    field("threshold", Form::Decimal),
    field("window_minutes", Form::Whole(60, Some(5))),
    field("for_minutes", Form::Whole(60, Some(1))),
    field("min_events", Form::Whole(1_000_000_000, Some(30))),
    field("campaign_id", NAME),
    field("link", NAME),
    field("cool_down_minutes", Form::Whole(7 * 24 * 60, Some(60))),
    field("muted_until", Form::Moment),
    field("note", NOTE),
];

impl Sort {
    /// The name in the table.
    pub fn name(self) -> &'static str {
        self.entity().name()
    }

    /// What the audit trail calls it.
    pub fn entity(self) -> Entity {
        match self {
            Self::Campaign => Entity::Campaign,
            Self::Publisher => Entity::Publisher,
            Self::Funnel => Entity::Funnel,
            Self::Webhook => Entity::Webhook,
            Self::Alert => Entity::Alert,
        }
    }

    pub(super) fn fields(self) -> &'static [Field] {
        match self {
            Self::Campaign => &CAMPAIGN,
            Self::Publisher => &PUBLISHER,
            Self::Funnel => &FUNNEL,
            Self::Webhook => &WEBHOOK,
            Self::Alert => &ALERT,
        }
    }

    /// Whether a list may ask for items of that status.
    pub(super) fn has_state(self, state: &str) -> bool {
        let words = self.fields().iter().find(|field| field.name == "status").map(|field| field.form);
        let status = matches!(words, Some(Form::OneOf(words)) if words.contains(&state));
        status || matches!(state, "archived" | "deleted")
    }

    /// What is wrong with the fields together.
    pub(super) fn contradictions(self, item: &Item) -> Vec<Reject> {
        let mut rejects = Vec::new();
        let mut unless = |fine: bool, pointer: &'static str, detail: &'static str| {
            if !fine {
                rejects.push(Reject::new(pointer, detail));
            }
        };
        let has = |name: &str| !item.value(name).is_null();
        unless(has("name"), "/name", "is missing");
        let called = matches!(self, Self::Campaign | Self::Publisher) && has("postback_url");
        let nothing = called && item.value("postback_on") == Value::Array(Vec::new());
        unless(!nothing, "/postback_on", "is empty: it would be called for nothing");
        match self {
            Self::Campaign => {
                let times = item.number("starts_at").zip(item.number("ends_at"));
                unless(times.is_none_or(|(start, end)| start < end), "/ends_at", "is not after starts_at");
                let costs = item.text("cost_model") != "none";
                unless(!costs || has("cost_micros"), "/cost_micros", "is missing: the cost model needs it");
                let money = has("cost_micros") || has("budget_micros");
                unless(!money || has("currency"), "/currency", "is missing: an amount has one");
            }
            Self::Publisher => {
                let model = item.text("payout_model");
                let share = model == "revshare";
                let fixed = !share && model != "none";
                unless(
                    !share || has("payout_percent"),
                    "/payout_percent",
                    "is missing: the payout model needs it",
                );
                unless(
                    !fixed || has("payout_micros"),
                    "/payout_micros",
                    "is missing: the payout model needs it",
                );
                unless(
                    !has("payout_micros") || has("currency"),
                    "/currency",
                    "is missing: an amount has one",
                );
            }
            Self::Funnel => {
                let count = |name: &str| item.value(name).as_array().map_or(0, Vec::len);
                unless(has("steps"), "/steps", "is missing");
                unless(
                    !has("steps") || (STEPS_MIN..=STEPS_MAX).contains(&count("steps")),
                    "/steps",
                    "are not 2 to 20 steps",
                );
                unless(count("exclude") <= STEPS_MAX, "/exclude", "are more than 20");
                unless(item.number("window_seconds") != Some(0), "/window_seconds", "is 0");
            }
            Self::Webhook => {
                unless(has("url"), "/url", "is missing");
                let none = item.value("events") == Value::Array(Vec::new());
                if item.text("kind") == "http_sink" {
                    unless(none, "/events", "is not for a sink: it gets clicks");
                } else {
                    unless(!none, "/events", "is missing: it would be told nothing");
                }
            }
            Self::Alert => {
                let (metric, condition) = (item.text("metric"), item.text("condition"));
                let (metric, shape) = (metric.as_str(), matches!(condition.as_str(), "spike" | "drop"));
                unless(shape || has("threshold"), "/threshold", "is missing");
                unless(
                    !shape || is_count(metric),
                    "/condition",
                    "is for counts: above and below are for all",
                );
                let ours = matches!(metric, "lost" | "in_flight" | "dead_lettered");
                let scoped = has("campaign_id") || has("link");
                unless(!ours || !scoped, "/metric", "is of the whole service, and of no campaign or link");
                let both = has("campaign_id") && has("link");
                unless(!both, "/link", "is given beside campaign_id: an alert is about one of them");
                let budget = metric != "budget_percent" || has("campaign_id");
                unless(budget, "/campaign_id", "is missing: a budget is a campaign's");
                unless(item.number("window_minutes") != Some(0), "/window_minutes", "is 0");
                unless(item.number("for_minutes") != Some(0), "/for_minutes", "is 0");
            }
        }
        rejects
    }
}
