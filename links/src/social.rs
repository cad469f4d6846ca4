//! The card that a link shows where it is shared.

use serde::{Deserialize, Serialize};

use crate::Destination;

/// What preview bots are shown. People never see it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Social {
    /// Headline.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// A sentence or two.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// A picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<Destination>,
}
