//! What a field of an item may hold.

use std::borrow::Cow;

use serde_json::Value;

use crate::fields::{string, text};
use crate::funnel::read_steps;
use crate::{moment, template};

/// A field.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    /// Its name in requests, answers and records: it never changes.
    pub(super) name: &'static str,
    /// What it holds.
    pub(super) form: Form,
}

/// What a field holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Form {
    /// One line of text, of at most so many characters; and what is said about a longer one.
    Text(usize, &'static str),
    /// One of these words; absent, the first.
    OneOf(&'static [&'static str]),
    /// A point in time, epoch ms.
    Moment,
    /// A whole number from 0 to the first; absent, the second.
    Whole(i64, Option<i64>),
    /// A share in percent, which may have a fraction.
    Percent,
    /// ISO 4217.
    Currency,
    /// Yes or no; absent, no.
    Flag,
    /// Steps of a funnel.
    Steps,
    /// An absolute address of a web server. Which ones may be called is for whoever calls to judge.
    Url,
    /// An address with macros in it.
    Template,
    /// Some of the first words, each once; absent, the second.
    Words(&'static [&'static str], &'static [&'static str]),
    /// A number from 0 on, which may have a fraction.
    Decimal,
    /// What the service itself keeps: nobody else sets it, and a `PUT` leaves it as it is.
    Own(Option<i64>),
}

/// The longest address.
const URL_MAX: (usize, &str) = (2_048, "is longer than 2048 characters");

impl Form {
    /// The value of a field that nobody set.
    pub(super) fn absent(self) -> Value {
        match self {
            Self::OneOf(words) => words.first().copied().into(),
            Self::Whole(_, number) | Self::Own(number) => number.into(),
            Self::Flag => false.into(),
            Self::Words(_, chosen) => chosen.iter().copied().collect(),
            Self::Text(..)
            | Self::Moment
            | Self::Percent
            | Self::Currency
            | Self::Steps
            | Self::Url
            | Self::Template
            | Self::Decimal => Value::Null,
        }
    }

    /// The value as it is stored; null if it is the one that the field has by itself.
    ///
    /// # Errors
    /// What is wrong with it, and where: the first is the pointer from here on.
    pub(super) fn read_all(self, value: &Value) -> Result<Value, Vec<(String, Cow<'static, str>)>> {
        match self {
            Self::Steps if !value.is_null() => {
                let steps = read_steps(value)?;
                Ok(if steps.as_array().is_some_and(Vec::is_empty) { Value::Null } else { steps })
            }
            _ => self.read(value).map_err(|detail| vec![(String::new(), detail)]),
        }
    }

    fn read(self, value: &Value) -> Result<Value, Cow<'static, str>> {
        if value.is_null() {
            return Ok(Value::Null);
        }
        let read: Value = match self {
            Self::Text(most, too_long) => {
                let text = text(Some(value), (most, too_long))?;
                if text.is_empty() { Value::Null } else { text.into() }
            }
            Self::OneOf(words) => match words.iter().find(|word| value == **word) {
                Some(word) => (*word).into(),
                None => return Err(format!("is none of {}", words.join(", ")).into()),
            },
            Self::Moment => moment::parse(value)?.into(),
            Self::Whole(most, _) => match value.as_i64() {
                Some(number) if (0..=most).contains(&number) => number.into(),
                _ => return Err(format!("is not a whole number from 0 to {most}").into()),
            },
            Self::Percent => match value.as_f64() {
                Some(share) if (0.0..=100.0).contains(&share) => value.clone(),
                _ => return Err("is not a number from 0 to 100".into()),
            },
            Self::Currency => {
                let code = string(value)?.trim().to_ascii_uppercase();
                let letters = code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase());
                if !letters {
                    return Err("is no ISO 4217 code of three letters".into());
                }
                code.into()
            }
            Self::Flag => match value.as_bool() {
                Some(flag) => flag.into(),
                None => return Err("is neither true nor false".into()),
            },
            Self::Steps => Value::Null,
            Self::Url => {
                let text = text(Some(value), URL_MAX)?;
                match url::Url::parse(&text) {
                    Ok(url) if matches!(url.scheme(), "http" | "https") => text.into(),
                    _ => return Err("is no absolute http or https URL".into()),
                }
            }
            Self::Template => {
                let text = string(value)?.trim();
                template::check(text)?;
                text.into()
            }
            Self::Words(words, _) => {
                let given = value.as_array().ok_or("is not a list of words")?;
                // In the order of the table and each once: the same choice is the same record.
                let chosen: Vec<_> =
                    words.iter().filter(|word| given.iter().any(|one| one == **word)).collect();
                if given.iter().any(|one| !words.iter().any(|word| one == *word)) {
                    return Err(format!("holds something else than {}", words.join(", ")).into());
                }
                chosen.into_iter().copied().collect()
            }
            Self::Decimal => match value.as_f64() {
                Some(number) if (0.0..=1e15).contains(&number) => value.clone(),
                _ => return Err("is not a number from 0 on".into()),
            },
            Self::Own(_) => return Err("is set by the service".into()),
        };
        Ok(if read == self.absent() { Value::Null } else { read })
    }
}
