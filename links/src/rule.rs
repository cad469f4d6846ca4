//! Who is sent where: a link's rules, of which the first that fits decides.

#[cfg(test)]
pub(crate) mod tests;

use analytics::agent::{Agent, Headers};
use analytics::place::{EU, is_eu};
use analytics::{Bot, Device, RawEvent};
use serde::{Deserialize, Serialize};
use std::cell::OnceCell;

use crate::{Destination, Hours};

/// One rule: if everything in `when` fits, the visitor is sent to `url`.
///
/// The JSON of this struct and of what it is made of is stored with the link: names and meanings stay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// All of these have to fit; no condition fits everybody.
    pub when: Vec<Condition>,
    /// Where it leads.
    pub url: Destination,
    /// Where it leads if the app that `url` opens is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback_url: Option<Destination>,
}

/// One thing that a rule asks of a hit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// The subject is one of these.
    Any(Subject, Vec<String>),
    /// The subject is none of these.
    None(Subject, Vec<String>),
    /// The query has this parameter, with this value if one is given.
    Query(String, Option<String>),
    /// Not before this moment, epoch ms.
    After(i64),
    /// Before this moment, epoch ms.
    Before(i64),
    /// Within these hours of the week.
    Hours(Hours),
    /// Whether it is a browser inside an app.
    InApp(bool),
    /// Whether it is a program rather than a person.
    Bot(bool),
}

/// What a list of values can be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// Family of the operating system; `ios` means iPads too.
    Os,
    /// Class of the device.
    Device,
    /// Family of the browser.
    Browser,
    /// ISO 3166-1 alpha-2; `EU` means the Union's members.
    Country,
    /// ISO 3166-2: `US-CA`.
    Region,
    /// City, as the platform names it in English.
    City,
    /// Two letters.
    Continent,
    /// A language tag; `de` means `de-at` too.
    Language,
    /// Host of the referrer; `example.com` means its subdomains too.
    Referrer,
}

impl Subject {
    /// Every subject.
    pub const ALL: [Self; 9] = [
        Self::Os,
        Self::Device,
        Self::Browser,
        Self::Country,
        Self::Region,
        Self::City,
        Self::Continent,
        Self::Language,
        Self::Referrer,
    ];

    /// The name in requests and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Os => "os",
            Self::Device => "device",
            Self::Browser => "browser",
            Self::Country => "country",
            Self::Region => "region",
            Self::City => "city",
            Self::Continent => "continent",
            Self::Language => "language",
            Self::Referrer => "referrer",
        }
    }
}

/// Weekday (0 is Monday) and minute of the day in a time zone at a moment; `None` for a zone nobody knows.
pub type LocalTime<'a> = dyn Fn(&str, i64) -> Option<(u8, u16)> + 'a;

/// A hit as rules see it. What is dear to know is worked out once, when the first rule asks for it.
pub struct Hit<'a> {
    event: &'a RawEvent<'a>,
    local_time: &'a LocalTime<'a>,
    agent: OnceCell<Agent<'static>>,
    bot: OnceCell<Bot>,
    referrer: OnceCell<String>,
}

impl std::fmt::Debug for Hit<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hit").field("event", self.event).finish_non_exhaustive()
    }
}

impl<'a> Hit<'a> {
    /// A hit whose facts are those of its event.
    pub fn new(event: &'a RawEvent<'a>, local_time: &'a LocalTime<'a>) -> Self {
        Self { event, local_time, agent: OnceCell::new(), bot: OnceCell::new(), referrer: OnceCell::new() }
    }

    /// The event of the hit.
    pub fn event(&self) -> &RawEvent<'a> {
        self.event
    }

    /// What the visitor came with.
    pub fn agent(&self) -> &Agent<'static> {
        self.agent.get_or_init(|| {
            Agent::read(Headers {
                user_agent: &self.event.user_agent,
                brands: &self.event.ua_brands,
                mobile: &self.event.ua_mobile,
                platform: &self.event.ua_platform,
                model: &self.event.ua_model,
                platform_version: &self.event.ua_platform_version,
            })
        })
    }

    /// Whether it is a person.
    pub fn bot(&self) -> &Bot {
        self.bot.get_or_init(|| Bot::judge(self.event, self.agent()))
    }

    fn referrer(&self) -> &str {
        self.referrer.get_or_init(|| analytics::referrer::host_of(&self.event.referrer).into_owned())
    }

    fn is(&self, subject: Subject, value: &str) -> bool {
        let event = self.event;
        match subject {
            Subject::Os => {
                let os = self.agent().os;
                os.eq_ignore_ascii_case(value) || os == "iPadOS" && value == "ios"
            }
            Subject::Device => self.device().name() == value,
            Subject::Browser => self.agent().browser.eq_ignore_ascii_case(value),
            Subject::Country => {
                event.country.eq_ignore_ascii_case(value) || value == EU && is_eu(&event.country)
            }
            Subject::Continent => event.continent.eq_ignore_ascii_case(value),
            Subject::Region => value.split_once('-').is_some_and(|(country, region)| {
                event.country.eq_ignore_ascii_case(country) && event.region.eq_ignore_ascii_case(region)
            }),
            Subject::City => event.city.to_lowercase() == value,
            Subject::Language => is_part(&analytics::agent::language(&event.language), value, '-'),
            Subject::Referrer => {
                let host = self.referrer();
                host == value || host.strip_suffix(value).is_some_and(|rest| rest.ends_with('.'))
            }
        }
    }

    /// Programs are a class of their own, as in the statistics.
    fn device(&self) -> Device {
        if self.bot().is_program() { Device::Bot } else { self.agent().device }
    }
}

/// Whether `tag` is `value` or goes on behind it.
fn is_part(tag: &str, value: &str, separator: char) -> bool {
    tag.strip_prefix(value).is_some_and(|rest| rest.is_empty() || rest.starts_with(separator))
}

impl Condition {
    /// Whether the hit is as this asks for.
    pub fn fits(&self, hit: &Hit<'_>) -> bool {
        let now_ms = hit.event.received_at_ms;
        match self {
            Self::Any(subject, values) => values.iter().any(|value| hit.is(*subject, value)),
            Self::None(subject, values) => !values.iter().any(|value| hit.is(*subject, value)),
            Self::Query(name, value) => form_urlencoded::parse(hit.event.query.as_bytes())
                .any(|(given, with)| given == *name && value.as_ref().is_none_or(|value| with == *value)),
            Self::After(ms) => now_ms >= *ms,
            Self::Before(ms) => now_ms < *ms,
            Self::Hours(hours) => {
                (hit.local_time)(&hours.tz, now_ms).is_some_and(|(day, minute)| hours.has(day, minute))
            }
            Self::InApp(wanted) => hit.agent().in_app == *wanted,
            Self::Bot(wanted) => (hit.bot().verdict == analytics::Verdict::Bot) == *wanted,
        }
    }
}

/// The first rule that fits.
pub fn first<'l>(rules: &'l [Rule], hit: &Hit<'_>) -> Option<&'l Rule> {
    rules.iter().find(|rule| rule.when.iter().all(|condition| condition.fits(hit)))
}
