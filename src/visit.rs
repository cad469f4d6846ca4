//! What a request tells of its visitor.

use analytics::Hints;
use analytics::capture::Facts;
use analytics::visitor::truncate_ip;
use worker::{Method, Request, Result};

use crate::clock::now_ms;
use crate::config::StoreIp;
use crate::edge::Edge;

/// The header in which a trusted server names the visitor whose event it passes on.
pub(crate) const ADDRESS_HEADER: &str = "x-clicktrail-address";

/// A visitor's facts, owned; [`Visit::facts`] lends them to capture.
pub(crate) struct Visit {
    received_at_ms: i64,
    hints: Hints,
    visitor: u64,
    ip: String,
    user_agent: String,
    referrer: String,
    language: String,
    country: String,
    region: String,
    city: String,
    continent: String,
    asn: u32,
    ua_brands: String,
    ua_mobile: String,
    ua_platform: String,
}

impl Visit {
    /// Reads what the request tells. `address` is the visitor's where a trusted server passes the event on; else it
    /// is the client's own.
    ///
    /// # Errors
    /// None that a caller could mend.
    pub(crate) fn of(request: &Request, edge: &Edge, address: Option<String>) -> Result<Self> {
        let headers = request.headers();
        let header = |name: &str| headers.get(name).map(Option::unwrap_or_default);
        let received_at_ms = now_ms();
        let user_agent = header("user-agent")?;
        let address = match address {
            Some(address) => address,
            None => header("cf-connecting-ip")?,
        };
        let mut hints = Hints::default();
        if request.method() == Method::Head {
            hints = hints.with(Hints::HEAD);
        }
        if looks_ahead(&header("sec-purpose")?)
            || looks_ahead(&header("purpose")?)
            || looks_ahead(&header("x-moz")?)
        {
            hints = hints.with(Hints::PREFETCH);
        }
        let ua_brands = header("sec-ch-ua")?;
        // Browsers send the three together or not at all.
        let (ua_mobile, ua_platform) = if ua_brands.is_empty() {
            (String::new(), header("sec-ch-ua-platform")?)
        } else {
            (header("sec-ch-ua-mobile")?, header("sec-ch-ua-platform")?)
        };
        let cf = request.cf();
        let place = |read: fn(&worker::Cf) -> Option<String>| cf.and_then(read).unwrap_or_default();
        Ok(Self {
            received_at_ms,
            hints,
            visitor: edge.visitor(&address, &user_agent, received_at_ms),
            ip: match edge.config.store_ip {
                StoreIp::Truncated => truncate_ip(&address),
                StoreIp::None => String::new(),
            },
            user_agent,
            referrer: header("referer")?,
            language: header("accept-language")?,
            country: place(worker::Cf::country),
            region: place(worker::Cf::region_code),
            city: place(worker::Cf::city),
            continent: place(worker::Cf::continent),
            asn: cf.and_then(worker::Cf::asn).unwrap_or(0),
            ua_brands,
            ua_mobile,
            ua_platform,
        })
    }

    /// The facts for capture.
    pub(crate) fn facts(&self) -> Facts<'_> {
        Facts {
            received_at_ms: self.received_at_ms,
            hints: self.hints,
            visitor: self.visitor,
            ip: &self.ip,
            user_agent: &self.user_agent,
            referrer: &self.referrer,
            language: &self.language,
            country: &self.country,
            region: &self.region,
            city: &self.city,
            continent: &self.continent,
            asn: self.asn,
            ua_brands: &self.ua_brands,
            ua_mobile: &self.ua_mobile,
            ua_platform: &self.ua_platform,
        }
    }
}

fn looks_ahead(purpose: &str) -> bool {
    ["prefetch", "preview", "prerender"].iter().any(|word| purpose.contains(word))
}
