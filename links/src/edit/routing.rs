//! What a customer may write into `rules`, `variants` and `social`.

use analytics::agent;
use analytics::fields::{pointer, string, text};
use analytics::{Device, Reject, moment};
use serde_json::{Map, Value};

use crate::hours::{Hours, minute_of};
use crate::rule::{Condition, Rule, Subject};
use crate::{Allowed, Destination, Social, Variant};

/// A redirect tries the rules one by one.
const RULES_MAX: usize = 50;
const VALUES_MAX: usize = 100;
const VALUE_MAX: (usize, &str) = (128, "is longer than 128 characters");
const VARIANTS: std::ops::RangeInclusive<usize> = 2..=10;
const WEIGHT_MAX: u64 = 1_000;
const VARIANT_NAME_MAX: (usize, &str) = (32, "is longer than 32 characters");
const CONTINENTS: [&str; 7] = ["AF", "AN", "AS", "EU", "NA", "OC", "SA"];

/// Everything that is wrong so far, and how to go on in spite of it.
struct Rejects(Vec<Reject>);

impl Rejects {
    fn say(&mut self, at: &str, detail: impl Into<std::borrow::Cow<'static, str>>) {
        self.0.push(Reject::new(at.to_owned(), detail));
    }

    fn keep<T>(&mut self, result: Result<T, Reject>) -> Option<T> {
        result.map_err(|reject| self.0.push(reject)).ok()
    }

    fn or<T>(self, value: T) -> Result<T, Vec<Reject>> {
        if self.0.is_empty() { Ok(value) } else { Err(self.0) }
    }
}

fn object<'v>(value: &'v Value, at: &str, rejects: &mut Rejects) -> Option<&'v Map<String, Value>> {
    if value.as_object().is_none() {
        rejects.say(at, "is not an object");
    }
    value.as_object()
}

fn list<'v>(value: Option<&'v Value>, at: &str, rejects: &mut Rejects) -> &'v [Value] {
    match value.map(Value::as_array) {
        None => &[],
        Some(Some(list)) => list,
        Some(None) => {
            rejects.say(at, "is not a list");
            &[]
        }
    }
}

fn destination(value: &Value, at: String, allowed: &Allowed<'_>) -> Result<Destination, Reject> {
    match string(value) {
        Ok(text) => Destination::parse(at, text, allowed),
        Err(detail) => Err(Reject::new(at, detail)),
    }
}

/// Reads `rules`.
pub(super) fn rules(given: Option<&Value>, allowed: &Allowed<'_>) -> Result<Vec<Rule>, Vec<Reject>> {
    let mut rejects = Rejects(Vec::new());
    let given = list(given, "/rules", &mut rejects);
    if given.len() > RULES_MAX {
        rejects.say("/rules", "has more than 50 rules");
        return rejects.or(Vec::new());
    }
    let mut rules = Vec::with_capacity(given.len());
    for (place, value) in given.iter().enumerate() {
        rules.extend(rule(value, &format!("/rules/{place}"), allowed, &mut rejects));
    }
    rejects.or(rules)
}

fn rule(value: &Value, at: &str, allowed: &Allowed<'_>, rejects: &mut Rejects) -> Option<Rule> {
    let members = object(value, at, rejects)?;
    let (mut when, mut url, mut fallback_url) = (Vec::new(), None, None);
    for (name, value) in members {
        let at = format!("{at}{}", pointer(name));
        match name.as_str() {
            "when" => when = conditions(value, &at, allowed, rejects),
            "url" => url = rejects.keep(destination(value, at, allowed)),
            "fallback_url" if value.is_null() => {}
            "fallback_url" => fallback_url = rejects.keep(destination(value, at, allowed)),
            _ => rejects.say(&at, "is not a field of a rule"),
        }
    }
    if !members.contains_key("url") {
        rejects.say(&format!("{at}/url"), "is missing");
    }
    Some(Rule { when, url: url?, fallback_url })
}

fn conditions(value: &Value, at: &str, allowed: &Allowed<'_>, rejects: &mut Rejects) -> Vec<Condition> {
    let mut conditions = Vec::new();
    for (name, value) in object(value, at, rejects).into_iter().flatten() {
        let at = format!("{at}{}", pointer(name));
        let flag = |rejects: &mut Rejects| {
            let flag = value.as_bool();
            if flag.is_none() {
                rejects.say(&at, "is neither true nor false");
            }
            flag
        };
        match name.as_str() {
            "in_app" => conditions.extend(flag(rejects).map(Condition::InApp)),
            "bot" => conditions.extend(flag(rejects).map(Condition::Bot)),
            "after" | "before" => match moment::parse(value) {
                Ok(ms) if name == "after" => conditions.push(Condition::After(ms)),
                Ok(ms) => conditions.push(Condition::Before(ms)),
                Err(detail) => rejects.say(&at, detail),
            },
            "time" => conditions.extend(hours(value, &at, allowed, rejects).map(Condition::Hours)),
            "query" => {
                for (name, value) in object(value, &at, rejects).into_iter().flatten() {
                    match text(Some(value).filter(|value| !value.is_null()), VALUE_MAX) {
                        Ok(text) => conditions
                            .push(Condition::Query(name.clone(), (!value.is_null()).then_some(text))),
                        Err(detail) => rejects.say(&format!("{at}{}", pointer(name)), detail),
                    }
                }
            }
            _ => match Subject::ALL.into_iter().find(|subject| subject.name() == name) {
                Some(subject) => conditions.extend(values(subject, value, &at, rejects)),
                None => rejects.say(&at, "is not something that a rule can ask for"),
            },
        }
    }
    conditions
}

/// One or two conditions of a list: those it wants, and those it excludes with a minus.
fn values(subject: Subject, value: &Value, at: &str, rejects: &mut Rejects) -> Vec<Condition> {
    let one = std::slice::from_ref(value);
    let bare = value.is_string();
    let given = if bare { one } else { list(Some(value), at, rejects) };
    if given.is_empty() || given.len() > VALUES_MAX {
        rejects.say(at, "has to have 1 to 100 values");
        return Vec::new();
    }
    let (mut any, mut none) = (Vec::new(), Vec::new());
    for (place, value) in given.iter().enumerate() {
        let at = if bare { at.to_owned() } else { format!("{at}/{place}") };
        match text(Some(value), VALUE_MAX) {
            Ok(text) => match text.strip_prefix('-') {
                Some(excluded) => none.extend(rejects.keep(spelled(subject, excluded, at))),
                None => any.extend(rejects.keep(spelled(subject, &text, at))),
            },
            Err(detail) => rejects.say(&at, detail),
        }
    }
    let some = |values: &Vec<_>| !values.is_empty();
    let any = Some(any).filter(some).map(|values| Condition::Any(subject, values));
    any.into_iter().chain(Some(none).filter(some).map(|values| Condition::None(subject, values))).collect()
}

/// A value as [`crate::rule::Hit`] compares it.
fn spelled(subject: Subject, value: &str, at: String) -> Result<String, Reject> {
    let letters = |text: &str, length| text.len() == length && text.bytes().all(|b| b.is_ascii_alphabetic());
    let lower = value.to_lowercase();
    let upper = value.to_ascii_uppercase();
    let refuse = |detail: &'static str| Err(Reject::new(at, detail));
    match subject {
        _ if value.is_empty() => refuse("is empty"),
        Subject::Country if letters(value, 2) => Ok(upper),
        Subject::Country => refuse("is not a country's two letters (ISO 3166-1)"),
        Subject::Continent if CONTINENTS.contains(&&*upper) => Ok(upper),
        Subject::Continent => refuse("is none of AF, AN, AS, EU, NA, OC, SA"),
        Subject::Region => match value.split_once('-') {
            Some((country, region)) if letters(country, 2) && (1..=3).contains(&region.len()) => Ok(upper),
            _ => refuse("is not a region such as US-CA (ISO 3166-2)"),
        },
        Subject::Device if Device::ALL.iter().any(|device| device.name() == lower) => Ok(lower),
        Subject::Device => refuse("is no class of devices: desktop, smartphone, tablet, tv, console, ..."),
        Subject::Os if agent::is_os(&lower) => Ok(lower),
        Subject::Os => refuse("is no system: ios, ipados, android, windows, macos, linux, chromeos, ..."),
        Subject::Language if lower.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') => Ok(lower),
        Subject::Language => refuse("is not a language such as de or pt-br"),
        Subject::Referrer => Ok(lower.strip_prefix("www.").unwrap_or(&lower).to_owned()),
        Subject::Browser | Subject::City => Ok(lower),
    }
}

fn hours(value: &Value, at: &str, allowed: &Allowed<'_>, rejects: &mut Rejects) -> Option<Hours> {
    let members = object(value, at, rejects)?;
    let mut hours = Hours { from: 0, to: 24 * 60, days: Hours::ALL_DAYS, tz: "UTC".to_owned() };
    for (name, value) in members {
        let at = format!("{at}{}", pointer(name));
        let text = value.as_str();
        match name.as_str() {
            "from" | "to" => match text.and_then(minute_of) {
                Some(minute) if name == "from" && minute < 24 * 60 => hours.from = minute,
                Some(minute) if name == "to" && minute > 0 => hours.to = minute,
                _ => rejects.say(&at, "is not a time of the day such as 09:00"),
            },
            "days" => {
                hours.days = 0;
                for (place, value) in list(Some(value), &at, rejects).iter().enumerate() {
                    match value.as_str().and_then(Hours::day) {
                        Some(day) => hours.days |= day,
                        None => rejects
                            .say(&format!("{at}/{place}"), "is none of mon, tue, wed, thu, fri, sat, sun"),
                    }
                }
            }
            "tz" => match text {
                Some(tz) if (allowed.is_zone)(tz) => tz.clone_into(&mut hours.tz),
                _ => rejects.say(&at, "is not an IANA time zone such as Europe/Berlin"),
            },
            _ => rejects.say(&at, "is none of from, to, days, tz"),
        }
    }
    if hours.from == hours.to {
        rejects.say(&format!("{at}/to"), "is the same as from; leave both out for the whole day");
    }
    Some(hours)
}

/// Reads `variants`.
pub(super) fn variants(given: Option<&Value>, allowed: &Allowed<'_>) -> Result<Vec<Variant>, Vec<Reject>> {
    let mut rejects = Rejects(Vec::new());
    let given = list(given, "/variants", &mut rejects);
    if !given.is_empty() && !VARIANTS.contains(&given.len()) {
        rejects.say("/variants", "has to have 2 to 10 variants");
        return rejects.or(Vec::new());
    }
    let mut variants: Vec<Variant> = Vec::with_capacity(given.len());
    for (place, value) in given.iter().enumerate() {
        let at = format!("/variants/{place}");
        let Some(variant) = variant(value, &at, place, allowed, &mut rejects) else { continue };
        if variants.iter().any(|other| other.name == variant.name) {
            rejects.say(&format!("{at}/name"), "is the name of another variant");
        }
        variants.push(variant);
    }
    if !variants.is_empty() && variants.iter().all(|variant| variant.weight == 0) {
        rejects.say("/variants", "has no variant with a weight");
    }
    rejects.or(variants)
}

fn variant(
    value: &Value,
    at: &str,
    place: usize,
    allowed: &Allowed<'_>,
    rejects: &mut Rejects,
) -> Option<Variant> {
    let members = object(value, at, rejects)?;
    // Unnamed ones are called a, b, c: there are at most ten.
    let mut name = char::from(b'a' + (place % 26) as u8).to_string();
    let (mut url, mut weight) = (None, 1);
    for (field, value) in members {
        let at = format!("{at}{}", pointer(field));
        match field.as_str() {
            "name" => match text(Some(value), VARIANT_NAME_MAX) {
                Ok(text) if !text.is_empty() => name = text,
                Ok(_) => rejects.say(&at, "is empty"),
                Err(detail) => rejects.say(&at, detail),
            },
            "url" => url = rejects.keep(destination(value, at, allowed)),
            "weight" => match value.as_u64().filter(|weight| *weight <= WEIGHT_MAX) {
                Some(given) => weight = given as u16,
                None => rejects.say(&at, "is not a whole number from 0 to 1000"),
            },
            _ => rejects.say(&at, "is not a field of a variant"),
        }
    }
    if !members.contains_key("url") {
        rejects.say(&format!("{at}/url"), "is missing");
    }
    Some(Variant { name, url: url?, weight })
}

/// Reads `social`.
pub(super) fn social(given: Option<&Value>, allowed: &Allowed<'_>) -> Result<Option<Social>, Vec<Reject>> {
    let mut rejects = Rejects(Vec::new());
    let Some(value) = given else { return Ok(None) };
    let mut social = Social::default();
    for (name, value) in object(value, "/social", &mut rejects).into_iter().flatten() {
        let at = format!("/social{}", pointer(name));
        let given = Some(value).filter(|value| !value.is_null());
        let result = match name.as_str() {
            "title" => text(given, (200, "is longer than 200 characters")).map(|text| social.title = text),
            "description" => {
                text(given, (500, "is longer than 500 characters")).map(|text| social.description = text)
            }
            "image" => {
                // A picture has to be one that every bot can fetch.
                let web = Allowed { app_schemes: &[], ..*allowed };
                social.image = given.and_then(|value| rejects.keep(destination(value, at.clone(), &web)));
                Ok(())
            }
            _ => Err("is none of title, description, image"),
        };
        if let Err(detail) = result {
            rejects.say(&at, detail);
        }
    }
    rejects.or(Some(social).filter(|social| *social != Social::default()))
}
