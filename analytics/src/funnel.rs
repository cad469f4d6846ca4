//! Funnels: which steps lead where.

mod definition;

use serde::{Deserialize, Serialize};

use crate::footprint::Footprint;
use crate::{Dimension, Kind};
pub(crate) use definition::read_steps;

/// How many steps a funnel has at least.
pub const STEPS_MIN: usize = 2;
/// How many steps a funnel has at most.
pub const STEPS_MAX: usize = 20;
/// The longest time from the first step to the last: journeys are kept no longer.
pub const WINDOW_MAX_SECONDS: i64 = 30 * 86_400;

/// In what order the steps have to come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// One after the other, whatever comes between.
    #[default]
    Ordered,
    /// One after the other, and nothing that is another step of the funnel between.
    Strict,
    /// All of them, in any order; the first that comes opens the window.
    Any,
}

/// Whose steps they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// A visitor's, across sessions.
    #[default]
    Visitor,
    /// A session's.
    Session,
}

/// What an event must be to be a step: everything that is given has to be so.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Matcher {
    /// What the report calls it.
    pub name: String,
    /// The event's kind.
    pub kind: Option<Kind>,
    /// The event's own name.
    pub event_name: Option<String>,
    /// The event's own name, if it has one.
    pub called: Option<String>,
    /// The path of its page, where `*` stands for any characters.
    pub path: Option<String>,
    /// Token of the link.
    pub link: Option<String>,
    /// The clicked element.
    pub element_id: Option<String>,
    /// The campaign.
    pub campaign_id: Option<String>,
    /// The least value, in millionths.
    pub min_value_micros: Option<i64>,
}

/// A funnel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Funnel {
    /// Its id.
    pub id: String,
    /// What has to happen.
    pub steps: Vec<Matcher>,
    /// What must not happen between the first step and the last: the attempt ends there.
    pub exclude: Vec<Matcher>,
    /// In what order.
    pub order: Order,
    /// Whose steps.
    pub basis: Basis,
    /// How long the last step may come after the first, seconds.
    pub window_seconds: i64,
    /// Since when it is what it is, epoch ms: of what was before, not all was counted.
    pub complete_from_ms: i64,
}

impl Matcher {
    /// Whether the event is this step.
    pub fn admits(&self, event: &Footprint<'_>) -> bool {
        let is =
            |wanted: &Option<String>, value: &str| wanted.as_deref().is_none_or(|wanted| wanted == value);
        self.kind.is_none_or(|kind| kind == event.kind)
            && is(&self.event_name, &event.name)
            && (event.name.is_empty() || is(&self.called, &event.name))
            && self.path.as_deref().is_none_or(|glob| matches(glob, event.path()))
            && is(&self.link, event.traits.get(Dimension::Link))
            && is(&self.element_id, &event.element_id)
            && is(&self.campaign_id, event.traits.get(Dimension::Campaign))
            && self.min_value_micros.is_none_or(|least| event.value_micros >= least)
    }
}

/// Whether a text is as a pattern says, in which `*` stands for any characters, none included.
fn matches(glob: &str, text: &str) -> bool {
    let mut parts = glob.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        // The earliest place leaves the most for what follows.
        let Some((_, behind)) = rest.split_once(part) else { return false };
        rest = behind;
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        for (glob, text, verdict) in [
            ("/a", "/a", true),
            ("/a", "/ab", false),
            ("/a*", "/ab", true),
            ("*", "", true),
            ("/*/buy", "/x/y/buy", true),
            ("/*/buy", "/buy", false),
            ("*a*a", "a", false),
            ("*a*a", "aa", true),
            ("/p/*-*", "/p/1-2-3", true),
            ("", "", true),
            ("", "/", false),
        ] {
            assert_eq!(matches(glob, text), verdict, "{glob} {text}");
        }
    }
}
