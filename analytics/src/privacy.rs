//! What may be known of a visitor: the policies in force, what a visitor says, and what becomes of an event by both.
//!
//! The edge reads the facts and carries the decision out; everything that decides is here, and total.

mod anonymous;
mod asked;
mod countries;
pub mod dropped;
#[cfg(test)]
mod laws;
mod reveal;
mod strip;
mod url;

use serde::Deserialize;

pub use anonymous::alone;
pub use asked::{Asked, Signals};
pub(crate) use asked::{consent, opt_out};
pub use countries::is_european;
pub use strip::Strip;

use crate::RawEvent;
use crate::signature::Signer;

/// What of a visitor's address is stored, the least first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ip {
    /// Nothing.
    None,
    /// The network: /24 or /48.
    #[default]
    Truncated,
    /// All of it.
    Full,
}

impl Ip {
    /// The name, as in the setting.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Truncated => "truncated",
            Self::Full => "full",
        }
    }
}

/// What a visitor's wish changes, the least first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Heed {
    /// Nothing.
    #[default]
    Ignore,
    /// The hit counts, and nothing of it leads to the visitor.
    Anonymous,
    /// The hit is not recorded.
    Drop,
}

impl Heed {
    /// The name, as in the setting.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ignore => "ignore",
            Self::Anonymous => "anonymous",
            Self::Drop => "drop",
        }
    }

    fn how(self) -> How {
        match self {
            Self::Ignore => How::Whole,
            Self::Anonymous => How::Anonymous,
            Self::Drop => How::Nothing,
        }
    }
}

/// How much of a hit is recorded, the most first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// All that the policy stores of anybody.
    #[default]
    Whole,
    /// That it happened, and nothing that leads to the visitor.
    Anonymous,
    /// Nothing.
    Nothing,
}

/// Why less than everything is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The visitor has opted out.
    OptOut,
    /// `DNT: 1`
    DoNotTrack,
    /// `Sec-GPC: 1`
    GlobalPrivacyControl,
    /// Consent was refused.
    ConsentDenied,
    /// Consent is required, and nobody gave it.
    NoConsent,
}

impl Why {
    /// The name in answers and counts.
    pub fn name(self) -> &'static str {
        match self {
            Self::OptOut => "opt_out",
            Self::DoNotTrack => "do_not_track",
            Self::GlobalPrivacyControl => "global_privacy_control",
            Self::ConsentDenied => "consent_denied",
            Self::NoConsent => "no_consent",
        }
    }
}

/// What becomes of a hit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Decision {
    /// How much of it is recorded.
    pub how: How,
    /// Why not all; the strongest reason.
    pub why: Option<Why>,
}

/// What is in force. The default asks nobody anything and stores networks.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// What is stored of addresses.
    pub ip: Ip,
    /// What `DNT` and `Sec-GPC` change.
    pub do_not_track: Heed,
    /// What an opt-out changes.
    pub opt_out: Heed,
    /// Whether a hit without consent is anonymous.
    pub consent_required: bool,
    /// Where consent is required and no address stored, whatever holds elsewhere: two letters each, or `eu`.
    pub strict: Vec<String>,
    /// What URLs lose before they are stored.
    pub strip: Strip,
    /// Who made our click ids; they are told by it from other people's parameters.
    pub signer: Option<Signer>,
}

impl Policy {
    /// Whether anything that a request says of itself can change what is recorded; if not, nobody need read it.
    pub fn listens(&self) -> bool {
        self.do_not_track != Heed::Ignore || self.opt_out != Heed::Ignore
    }

    /// Whether the stricter set is in force for visitors of a country. Where nobody knows the country (`XX`, and `T1` of
    /// the Tor network) it may be any, so it is one of these.
    pub fn is_strict(&self, country: &str) -> bool {
        let listed = |country: &str| {
            let of = |name: &String| {
                name.eq_ignore_ascii_case(country) || name.eq_ignore_ascii_case("eu") && is_european(country)
            };
            self.strict.iter().any(of)
        };
        !self.strict.is_empty() && (matches!(country, "" | "XX" | "T1") || listed(country))
    }

    /// What is stored of the addresses of visitors of a country.
    pub fn ip_in(&self, country: &str) -> Ip {
        if self.is_strict(country) { Ip::None } else { self.ip }
    }

    /// What becomes of a hit from a country whose request says this. A visitor's `granted` is an answer to whoever
    /// requires consent; it does not take back a signal that the same visitor's browser sends along.
    pub fn decide(&self, signals: Signals, asked: Asked, country: &str) -> Decision {
        let requires = || self.consent_required || self.is_strict(country);
        let mut decision = Decision::default();
        for (given, how, why) in [
            (signals.has(Signals::OPT_OUT) || asked.opt_out, self.opt_out.how(), Why::OptOut),
            (signals.has(Signals::GPC), self.do_not_track.how(), Why::GlobalPrivacyControl),
            (signals.has(Signals::DNT), self.do_not_track.how(), Why::DoNotTrack),
            (asked.consent == Some(false), How::Anonymous, Why::ConsentDenied),
            (asked.consent.is_none() && requires(), How::Anonymous, Why::NoConsent),
        ] {
            if given && how > decision.how {
                decision = Decision { how, why: Some(why) };
            }
        }
        decision
    }

    /// Takes out of an event's URLs what is stored of nobody. Enough where no visitor is there to be heeded: a server
    /// tells of a conversion, and who may be known was decided at its click.
    pub fn clean(&self, event: &mut RawEvent<'_>) {
        self.strip.clean(event);
    }

    /// Takes from an event what may not be kept of it, and says how much of it that is. What comes out with
    /// [`How::Nothing`] is not to be recorded; it is anonymous all the same.
    pub fn heed(&self, event: &mut RawEvent<'_>, signals: Signals, asked: Asked) -> Decision {
        let decision = self.decide(signals, asked.and(event.asked), &event.country);
        self.strip.clean(event);
        if decision.how != How::Whole {
            anonymous::make(event, self.signer.as_ref());
        }
        decision
    }
}
