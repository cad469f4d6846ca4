//! What can be told to webhooks.

use analytics::catalog::EVENTS;
use analytics::time::rfc3339;
use serde_json::{Value, json};

/// Something that happened, by its place in [`EVENTS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Clicks were counted: a batch of them.
    ClickRecorded,
    /// A conversion was counted.
    ConversionRecorded,
    /// A visitor's session is over.
    SessionEnded,
    /// A link is new.
    LinkCreated,
    /// Some of its fields changed, or it is back.
    LinkUpdated,
    /// It is out of sight, or gone.
    LinkDeleted,
    /// Its time is over.
    LinkExpired,
    /// It was followed as often as it may be.
    LinkLimitReached,
    /// An alert's rule is broken.
    AlertFired,
    /// It holds again.
    AlertResolved,
    /// Another webhook failed for days.
    WebhookDisabled,
}

impl Event {
    /// The name in subscriptions and messages.
    pub fn name(self) -> &'static str {
        EVENTS.get(self as usize).copied().unwrap_or_default()
    }

    /// The event that a row of the audit trail is.
    pub fn of_audit(entity: &str, action: &str) -> Option<Self> {
        Some(match (entity, action) {
            ("link", "created" | "imported") => Self::LinkCreated,
            ("link", "updated" | "restored") => Self::LinkUpdated,
            ("link", "deleted" | "purged") => Self::LinkDeleted,
            ("link", "expired") => Self::LinkExpired,
            ("link", "limit_reached") => Self::LinkLimitReached,
            ("alert", "fired") => Self::AlertFired,
            ("alert", "resolved") => Self::AlertResolved,
            ("webhook", "disabled") => Self::WebhookDisabled,
            _ => return None,
        })
    }

    /// The message: what happened, when, and its data.
    pub fn message(self, at_ms: i64, data: &Value) -> String {
        json!({ "type": self.name(), "timestamp": rfc3339(at_ms), "data": data }).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Receivers branch on these names.
    #[test]
    fn names_are_those_of_the_table() {
        for (event, name) in [
            (Event::ClickRecorded, "click.recorded"),
            (Event::ConversionRecorded, "conversion.recorded"),
            (Event::SessionEnded, "session.ended"),
            (Event::LinkCreated, "link.created"),
            (Event::LinkLimitReached, "link.limit_reached"),
            (Event::AlertResolved, "alert.resolved"),
            (Event::WebhookDisabled, "webhook.disabled"),
        ] {
            assert_eq!(event.name(), name);
        }
        assert_eq!(Event::WebhookDisabled as usize + 1, EVENTS.len());
        assert_eq!(Event::of_audit("link", "restored"), Some(Event::LinkUpdated));
        assert_eq!(Event::of_audit("alert", "updated"), None, "a rule that is edited is no alarm");
    }
}
