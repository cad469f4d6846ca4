//! How a customer writes a funnel down, and how it is read from its record.
//!
//! A step's `name` is two things at once, because both are what people mean by it: the step's name in the report, and what
//! the event is called. Where something else says which event it is (`event_name`, `path`, `element_id`, `link`) it is the
//! step's name and no more: a page view of `/pricing` is hardly ever called `Pricing`. Where nothing else does, an event
//! of another name is not the step, but one without a name is if it is of the step's kind; and a step that says nothing but
//! a name wants events of it. With a `label` there is no doubt: that is the step's name, and `name` the event's.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{Basis, Funnel, Matcher, Order};
use crate::Kind;
use crate::capture::amount::micros;
use crate::catalog::{Item, Sort};
use crate::fields::{pointer, text};

/// The texts of a step, and how long they may be.
const TEXTS: [(&str, usize); 7] = [
    ("name", 128),
    ("label", 128),
    ("event_name", 128),
    ("path", 1_024),
    ("element_id", 128),
    ("link", 128),
    ("campaign_id", 128),
];
/// Beyond the last, an array is no list of steps: one answer for each step is bounded by this.
const LIST_MAX: usize = 64;

type Wrong = (String, Cow<'static, str>);

/// The steps as they are stored: each an object of what it says.
///
/// # Errors
/// Everything that is wrong, with the pointer to it from the list on.
pub(crate) fn read_steps(value: &Value) -> Result<Value, Vec<Wrong>> {
    let here = |detail: &'static str| Err(vec![(String::new(), detail.into())]);
    let Some(steps) = value.as_array() else { return here("is not a list of steps") };
    if steps.len() > LIST_MAX {
        return here("are not 2 to 20 steps");
    }
    let (mut read, mut wrong) = (Vec::with_capacity(steps.len()), Vec::new());
    for (place, step) in steps.iter().enumerate() {
        let before = wrong.len();
        let fields = read_step(step, &mut |at: String, detail| wrong.push((format!("/{place}{at}"), detail)));
        if wrong.len() == before {
            read.push(Value::Object(fields));
        }
    }
    if wrong.is_empty() { Ok(Value::Array(read)) } else { Err(wrong) }
}

fn read_step(step: &Value, say: &mut dyn FnMut(String, Cow<'static, str>)) -> Map<String, Value> {
    let mut read = Map::new();
    let Some(given) = step.as_object() else {
        say(String::new(), "is not an object".into());
        return read;
    };
    let mut clean = true;
    for (name, value) in given.iter().filter(|(_, value)| !value.is_null()) {
        match read_field(name, value) {
            Ok(Value::Null) => {}
            Ok(value) => {
                read.insert(name.clone(), value);
            }
            Err(detail) => {
                clean = false;
                say(pointer(name), detail);
            }
        }
    }
    if clean && !read.keys().any(|name| name != "label") {
        say(
            String::new(),
            "says nothing of an event: give kind, name, path, link, element_id or campaign_id".into(),
        );
    }
    read
}

fn read_field(name: &str, value: &Value) -> Result<Value, Cow<'static, str>> {
    if name == "kind" {
        let kind = value.as_str().and_then(Kind::of_client);
        let names = || "is none of click, impression, page, conversion, session_end".into();
        return kind.map(|kind| kind.name().into()).ok_or_else(names);
    }
    if name == "min_value" {
        let amount = match value {
            Value::Number(number) => micros(&number.to_string()),
            Value::String(text) => micros(text),
            _ => Err("is not a number"),
        };
        return amount.map(|_| value.clone()).map_err(Into::into);
    }
    let Some((_, most)) = TEXTS.iter().find(|(known, _)| *known == name) else {
        return Err("is not a field of a step".into());
    };
    let text = text(Some(value), (*most, "is too long"))?;
    if name == "path" && !text.is_empty() && !text.starts_with(['/', '*']) {
        return Err("is no path: it begins with / or *, and has no host".into());
    }
    Ok(if text.is_empty() { Value::Null } else { text.into() })
}

/// The matchers of stored steps.
pub(crate) fn steps_of(steps: &Value) -> Vec<Matcher> {
    steps.as_array().map_or_else(Vec::new, |steps| steps.iter().zip(1..).map(matcher).collect())
}

fn matcher((step, number): (&Value, usize)) -> Matcher {
    let text = |name: &str| step.get(name).and_then(Value::as_str).map(str::to_owned);
    let (name, label, kind) = (text("name"), text("label"), text("kind"));
    let mut matcher = Matcher {
        kind: kind.as_deref().and_then(Kind::parse),
        event_name: text("event_name"),
        path: text("path"),
        link: text("link"),
        element_id: text("element_id"),
        campaign_id: text("campaign_id"),
        min_value_micros: step.get("min_value").and_then(|value| match value {
            Value::String(text) => micros(text).ok(),
            number => micros(&number.to_string()).ok(),
        }),
        ..Matcher::default()
    };
    let told = [&matcher.event_name, &matcher.path, &matcher.link, &matcher.element_id];
    if told.into_iter().all(Option::is_none) || label.is_some() && matcher.event_name.is_none() {
        if label.is_some() || matcher.kind.is_none() {
            matcher.event_name.clone_from(&name);
        } else {
            matcher.called.clone_from(&name);
        }
    }
    let shown = [label, name, text("event_name"), text("path"), text("element_id"), text("link"), kind];
    matcher.name = shown.into_iter().flatten().next().unwrap_or_else(|| format!("step {number}"));
    matcher
}

impl Funnel {
    /// The funnel of a stored record ([`crate::catalog`]). `None`: it is none, or it is deleted.
    pub fn from_record(record: &str) -> Option<Self> {
        let item = Item::from_record(Sort::Funnel, record)?;
        (!item.is_deleted()).then(|| Self::of(&item))
    }

    /// The funnel of an item.
    pub fn of(item: &Item) -> Self {
        Self {
            id: item.id().to_owned(),
            steps: steps_of(&item.value("steps")),
            exclude: steps_of(&item.value("exclude")),
            order: match item.text("order").as_str() {
                "strict" => Order::Strict,
                "any" => Order::Any,
                _ => Order::Ordered,
            },
            basis: if item.text("basis") == "session" { Basis::Session } else { Basis::Visitor },
            window_seconds: item.number("window_seconds").unwrap_or(0),
            complete_from_ms: item.defined_at_ms(),
        }
    }
}

#[cfg(test)]
mod tests;
