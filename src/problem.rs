//! What went wrong, as RFC 9457 problem details. The only file that knows HTTP's error codes.

use std::borrow::Cow;

use analytics::Reject;
use serde_json::json;
use worker::{Headers, Response, ResponseBuilder, Result, web_sys};

use crate::notice;
use crate::page;

/// Everything that can be wrong with a request, or with us.
#[derive(Debug)]
pub(crate) enum Problem {
    /// The request is malformed; each field that is wrong.
    Invalid(Vec<Reject>),
    /// No key was given, or none that we know.
    Unauthenticated,
    /// The key lacks the scope.
    Forbidden(&'static str),
    /// Events are not taken from there.
    Stranger,
    /// A page of another origin used the dashboard's cookie.
    CrossSite,
    /// There is nothing here.
    NotFound(&'static str),
    /// The link led somewhere once.
    Gone(&'static str),
    /// The route has other methods.
    MethodNotAllowed(&'static str),
    /// Somebody else has that name, or changed the record meanwhile.
    Conflict(&'static str),
    /// Somebody else has the name that a field wants.
    Taken(Reject),
    /// The idempotency key was that of another request.
    KeyReused,
    /// The record is not of the version that the request was made for.
    PreconditionFailed,
    /// A dead letter still cannot be counted.
    Unreadable(Cow<'static, str>),
    /// The body did not come in time.
    Slow,
    /// Too often, for so many seconds.
    TooMany(u32),
    /// The route speaks WebSocket.
    UpgradeRequired,
    /// The body is larger than allowed.
    TooLarge(Cow<'static, str>),
    /// The body's type is not one we read.
    UnsupportedMediaType(&'static str),
    /// Nothing could be made durable; the client still has the event.
    NotRecorded,
    /// A part that reports depend on is down.
    Unavailable(Cow<'static, str>),
}

impl From<Vec<Reject>> for Problem {
    fn from(rejects: Vec<Reject>) -> Self {
        Self::Invalid(rejects)
    }
}

impl From<Reject> for Problem {
    fn from(reject: Reject) -> Self {
        Self::Invalid(vec![reject])
    }
}

impl From<worker::Error> for Problem {
    fn from(error: worker::Error) -> Self {
        notice::error("request", "part_failed", &"", &error);
        Self::Unavailable("a part of the service did not answer; nothing was lost".into())
    }
}

impl Problem {
    fn status(&self) -> u16 {
        match self {
            Self::Invalid(_) => 400,
            Self::Unauthenticated => 401,
            Self::Forbidden(_) | Self::Stranger | Self::CrossSite => 403,
            Self::NotFound(_) => 404,
            Self::Gone(_) => 410,
            Self::MethodNotAllowed(_) => 405,
            Self::Slow => 408,
            Self::Conflict(_) | Self::Taken(_) | Self::Unreadable(_) => 409,
            Self::PreconditionFailed => 412,
            Self::KeyReused => 422,
            Self::UpgradeRequired => 426,
            Self::TooLarge(_) => 413,
            Self::UnsupportedMediaType(_) => 415,
            Self::TooMany(_) => 429,
            Self::NotRecorded | Self::Unavailable(_) => 503,
        }
    }

    fn title(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "The request is not valid",
            Self::Unauthenticated => "A key is needed",
            Self::Forbidden(_) => "The key may not do this",
            Self::Stranger => "Not from there",
            Self::CrossSite => "Not from this page",
            Self::NotFound(_) => "Not found",
            Self::Gone(_) => "The link is over",
            Self::MethodNotAllowed(_) => "Method not allowed",
            Self::Conflict(_) | Self::Taken(_) => "Conflict",
            Self::UpgradeRequired => "Upgrade required",
            Self::KeyReused => "Idempotency key reused",
            Self::PreconditionFailed => "Precondition failed",
            Self::Unreadable(_) => "Still unreadable",
            Self::Slow => "Too slow",
            Self::TooMany(_) => "Too many requests",
            Self::TooLarge(_) => "Too large",
            Self::UnsupportedMediaType(_) => "Unsupported media type",
            Self::NotRecorded => "Not recorded",
            Self::Unavailable(_) => "Temporarily unavailable",
        }
    }

    fn detail(&self) -> Cow<'_, str> {
        match self {
            Self::Taken(one) => said(one).into(),
            Self::KeyReused => "This Idempotency-Key came with another request; draw a new one".into(),
            Self::UpgradeRequired => "This route is a WebSocket; /stats/recent answers a GET".into(),
            Self::Invalid(rejects) => match rejects.as_slice() {
                [one] => said(one).into(),
                many => format!("{} fields have to be corrected", many.len()).into(),
            },
            Self::Unauthenticated => "Send Authorization: Bearer KEY with a key that is in force".into(),
            Self::Forbidden(scope) => format!("The key lacks the scope {scope}").into(),
            Self::Stranger => {
                "Events are taken from pages of the listed origins, or with a key of scope events:write"
                    .into()
            }
            Self::Slow => "The body did not arrive whole, or not in time; send it again".into(),
            Self::TooMany(seconds) => format!("Try again in {seconds} seconds").into(),
            Self::CrossSite => {
                "With the dashboard's cookie only its own pages may do this; others send a key".into()
            }
            Self::NotFound(detail)
            | Self::Gone(detail)
            | Self::Conflict(detail)
            | Self::UnsupportedMediaType(detail) => (*detail).into(),
            Self::PreconditionFailed => {
                "The record is not of the version that If-Match or If-None-Match asks for; read it again"
                    .into()
            }
            Self::MethodNotAllowed(allowed) => format!("This route has {allowed}").into(),
            Self::TooLarge(detail) | Self::Unavailable(detail) | Self::Unreadable(detail) => {
                detail.as_ref().into()
            }
            Self::NotRecorded => "The event could not be stored; send it again".into(),
        }
    }

    /// What the status asks to be said in a header.
    fn header(&self) -> Option<(&'static str, Cow<'static, str>)> {
        match self {
            Self::Unauthenticated => Some(("www-authenticate", "Bearer".into())),
            Self::MethodNotAllowed(allowed) => Some(("allow", (*allowed).into())),
            Self::NotRecorded | Self::Unavailable(_) => Some(("retry-after", "2".into())),
            Self::TooMany(seconds) => Some(("retry-after", seconds.to_string().into())),
            _ => None,
        }
    }

    /// The answer to a person.
    ///
    /// # Errors
    /// As [`Problem::response`].
    pub(crate) fn page(&self) -> Result<web_sys::Response> {
        let page = page::problem(self.status(), self.title(), &self.detail());
        if let Some((name, value)) = self.header() {
            page.headers().set(name, &value)?;
        }
        Ok(page)
    }

    /// Not a problem yet: a link wants its password. `wrong` says that another one was tried.
    pub(crate) fn ask(wrong: bool) -> web_sys::Response {
        page::ask(if wrong { 403 } else { 200 }, wrong)
    }

    /// The answer.
    ///
    /// # Errors
    /// None that a caller could mend.
    pub(crate) fn response(&self) -> Result<Response> {
        let headers = Headers::new();
        headers.set("content-type", "application/problem+json")?;
        headers.set("cache-control", "no-store")?;
        if let Some((name, value)) = self.header() {
            headers.set(name, &value)?;
            // A page of another site reads no other header than those that it is shown.
            headers.set("access-control-expose-headers", name)?;
        }
        let errors = match self {
            Self::Invalid(rejects) => rejects.as_slice(),
            Self::Taken(reject) => std::slice::from_ref(reject),
            _ => &[],
        };
        let body = json!({
            "type": "about:blank",
            "title": self.title(),
            "status": self.status(),
            "detail": self.detail(),
            "errors": errors,
        });
        let builder = ResponseBuilder::new().with_status(self.status()).with_headers(headers);
        Ok(builder.fixed(body.to_string().into_bytes()))
    }
}

/// What is wrong with one field, as a sentence.
fn said(one: &Reject) -> String {
    match one.pointer.trim_start_matches('/') {
        "" => format!("The body {}", one.detail),
        field => format!("{field} {}", one.detail),
    }
}
