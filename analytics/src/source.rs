//! How a hit came to be.

use serde::{Deserialize, Serialize};

/// By which door the hit came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Source {
    /// `GET /r/{token}`
    Redirect,
    /// `GET /1x1.gif`
    Pixel,
    /// `POST /events/{kind}`
    Beacon,
    /// `POST /events`
    Batch,
    /// `/postback`
    Postback,
}

impl Source {
    /// Every source, in the order of its code.
    pub const ALL: [Self; 5] = [Self::Redirect, Self::Pixel, Self::Beacon, Self::Batch, Self::Postback];

    /// The name in queries and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Redirect => "redirect",
            Self::Pixel => "pixel",
            Self::Beacon => "beacon",
            Self::Batch => "batch",
            Self::Postback => "postback",
        }
    }
}

/// What made the visitor come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Trigger {
    /// A link was followed.
    #[default]
    Link,
    /// A code was scanned.
    Qr,
}

impl Trigger {
    /// Every trigger, in the order of its code.
    pub const ALL: [Self; 2] = [Self::Link, Self::Qr];

    /// The name in queries and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Qr => "qr",
        }
    }
}
