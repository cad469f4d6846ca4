//! What a request tells of its visitor.

use analytics::Hints;
use analytics::capture::Facts;
use analytics::privacy::{Asked, How, Ip, Signals};
use analytics::visitor::{truncate_ip, whole_ip};
use worker::wasm_bindgen;
use worker::wasm_bindgen::prelude::*;
use worker::web_sys;

use crate::clock::now_ms;
use crate::edge::Edge;

/// The header in which a trusted server names the visitor whose event it passes on.
pub(crate) const ADDRESS_HEADER: &str = "x-clicktrail-address";

#[wasm_bindgen(module = "/src/visit.js")]
extern "C" {
    /// One line for each [`Line`]; what is absent is empty. No header can hold a line break.
    /// `place_header` names the header in which a front end says where the visitor is, in place of the platform. What a
    /// browser says of being tracked is read only if somebody `listens`.
    fn facts(request: &web_sys::Request, place_header: &str, listens: bool) -> String;

    /// The client's address, where nothing else is wanted.
    fn address(request: &web_sys::Request) -> String;
}

/// The network that a request comes from: v4 /24, v6 /48. An attacker has all addresses of either; and no address
/// becomes the key of anything.
pub(crate) fn network_of(request: &web_sys::Request) -> String {
    truncate_ip(&address(request))
}

/// The lines of [`facts`].
#[derive(Clone, Copy)]
enum Line {
    Method,
    UserAgent,
    Address,
    Referrer,
    Language,
    Purpose,
    Brands,
    Mobile,
    Platform,
    Model,
    PlatformVersion,
    Country,
    Region,
    City,
    Continent,
    Asn,
    TimeZone,
    VerifiedBot,
    Signals,
}

const LINES: usize = Line::Signals as usize + 1;

/// A visitor's facts, owned; [`Visit::facts`] lends them to capture.
pub(crate) struct Visit {
    text: String,
    received_at_ms: i64,
    visitor: u64,
    ip: String,
    took_ms: u32,
    signals: Signals,
    asked: Asked,
    known: bool,
}

impl Visit {
    /// Reads what the request tells. `address` is the visitor's where a trusted server passes the event on; else it
    /// is the client's own. `query` is where the visitor may have said something of consent.
    pub(crate) fn of(request: &web_sys::Request, edge: &Edge, address: Option<&str>, query: &str) -> Self {
        let policy = &edge.privacy;
        let text = facts(request, &edge.config.place_header, policy.listens());
        let received_at_ms = now_ms();
        let lines = lines(&text);
        let address = address.unwrap_or_else(|| line(&lines, Line::Address));
        let country = line(&lines, Line::Country);
        let (signals, asked) = (Signals::of_letters(line(&lines, Line::Signals)), Asked::of_query(query));
        let known = policy.decide(signals, asked, country).how == How::Whole;
        let visitor = edge.visitor(address, line(&lines, Line::UserAgent), received_at_ms, known);
        let ip = match policy.ip_in(country) {
            Ip::Truncated if known => truncate_ip(address),
            Ip::Full if known => whole_ip(address),
            _ => String::new(),
        };
        Self { text, received_at_ms, visitor, ip, took_ms: 0, signals, asked, known }
    }

    /// The answer is known, to a request that came in then.
    pub(crate) fn answered(&mut self, began_ms: i64) {
        self.took_ms = u32::try_from(now_ms().saturating_sub(began_ms)).unwrap_or_default();
    }

    /// Whether the browser knows more of its device than it has been asked for. It says nothing of it over http.
    pub(crate) fn knows_more(&self) -> bool {
        let lines = lines(&self.text);
        !line(&lines, Line::Brands).is_empty() && line(&lines, Line::Model).is_empty()
    }

    /// What the browser says of being tracked, and what the query does.
    pub(crate) fn wishes(&self) -> (Signals, Asked) {
        (self.signals, self.asked)
    }

    /// Whether the visitor may be told from others, as far as the request says.
    pub(crate) fn is_known(&self) -> bool {
        self.known
    }

    /// Who it is today, as a key.
    pub(crate) fn key(&self) -> String {
        format!("{:x}", self.visitor)
    }

    /// The network that the request came from, whatever of it is stored.
    pub(crate) fn network(&self) -> String {
        truncate_ip(line(&lines(&self.text), Line::Address))
    }

    /// The page that the request came from, if it says so.
    pub(crate) fn referrer(&self) -> &str {
        line(&lines(&self.text), Line::Referrer)
    }

    /// The facts for capture.
    pub(crate) fn facts(&self) -> Facts<'_> {
        let lines = lines(&self.text);
        let line = |which| line(&lines, which);
        let mut hints = Hints::default();
        if line(Line::Method) == "HEAD" {
            hints = hints.with(Hints::HEAD);
        }
        if ["prefetch", "preview", "prerender"].iter().any(|word| line(Line::Purpose).contains(word)) {
            hints = hints.with(Hints::PREFETCH);
        }
        if !line(Line::VerifiedBot).is_empty() {
            hints = hints.with(Hints::VERIFIED_BOT);
        }
        Facts {
            received_at_ms: self.received_at_ms,
            hints,
            visitor: self.visitor,
            ip: &self.ip,
            user_agent: line(Line::UserAgent),
            referrer: line(Line::Referrer),
            language: line(Line::Language),
            country: line(Line::Country),
            region: line(Line::Region),
            city: line(Line::City),
            continent: line(Line::Continent),
            time_zone: line(Line::TimeZone),
            asn: line(Line::Asn).parse().unwrap_or(0),
            ua_brands: line(Line::Brands),
            ua_mobile: line(Line::Mobile),
            ua_platform: line(Line::Platform),
            ua_model: line(Line::Model),
            ua_platform_version: line(Line::PlatformVersion),
            took_ms: self.took_ms,
        }
    }
}

fn lines(text: &str) -> [&str; LINES] {
    let mut lines = [""; LINES];
    lines.iter_mut().zip(text.split('\n')).for_each(|(line, text)| *line = text);
    lines
}

fn line<'a>(lines: &[&'a str; LINES], which: Line) -> &'a str {
    lines.get(which as usize).copied().unwrap_or_default()
}
