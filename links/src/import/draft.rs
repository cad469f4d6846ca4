//! One line on its way to a link.

use analytics::fields::pointer;
use analytics::{Reject, moment};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use super::words::{self, Meaning};
use super::{Finished, Format, reading, routes};

/// Hosts that belong to the services: nobody can bring them along.
const THEIRS: [&str; 9] =
    ["bit.ly", "bitly.com", "j.mp", "dub.sh", "dub.link", "kutt.it", "kutt.to", "rebrand.ly", "short.gy"];

/// Beginnings of what is not the password but was made of it: Sink, and bcrypt.
const HASHES: [&str; 3] = ["sink-pwd:", "__SINK_MASKED__", "$2"];

/// What has been understood of a line so far.
#[derive(Debug)]
pub(super) struct Draft {
    format: Format,
    now_ms: i64,
    link: Map<String, Value>,
    short: Option<String>,
    rules: Vec<Value>,
    /// By system and by country: they come behind the rules of Shlink, devices first, as with Dub and Sink.
    routes: [Vec<Value>; 2],
    variants: Option<Vec<Value>>,
    test_end: Option<Value>,
    split: (Option<Value>, Option<i64>),
    has_rules: bool,
    proxy: bool,
    preview: Map<String, Value>,
    warnings: Vec<String>,
    rejects: Vec<Reject>,
}

impl Draft {
    pub(super) fn of(members: Vec<(String, Value)>, format: Format, now_ms: i64) -> Self {
        let mut draft = Self {
            format,
            now_ms,
            link: Map::new(),
            short: None,
            rules: Vec::new(),
            routes: [Vec::new(), Vec::new()],
            variants: None,
            test_end: None,
            split: (None, None),
            has_rules: false,
            proxy: format != Format::Dub,
            preview: Map::new(),
            warnings: Vec::new(),
            rejects: Vec::new(),
        };
        draft.take(members);
        draft
    }

    fn take(&mut self, members: impl IntoIterator<Item = (String, Value)>) {
        for (name, value) in members {
            if !reading::is_absent(&value)
                && let Err(detail) = self.understand(&name, &value)
            {
                self.rejects.push(Reject::new(pointer(&name), detail));
            }
        }
    }

    fn understand(&mut self, name: &str, value: &Value) -> Result<(), &'static str> {
        match words::meaning(name, self.format) {
            None => {
                if reading::is_set(value) {
                    self.warn(name, "is not kept");
                }
            }
            Some(Meaning::Passing) => {}
            Some(Meaning::Field(field, kind)) => {
                let value = kind.read(value, self.now_ms)?;
                self.set(name, field, value);
            }
            Some(Meaning::TitleAndPreview) => {
                self.preview.insert("title".to_owned(), value.clone());
                self.set(name, "title", value.clone());
            }
            Some(Meaning::Preview(part)) => drop(self.preview.insert(part.to_owned(), value.clone())),
            Some(Meaning::Proxy) => self.proxy = reading::flag(value).unwrap_or_default(),
            Some(Meaning::Domain) => {
                let host = ["fullName", "slug"].iter().find_map(|name| value.get(name)).unwrap_or(value);
                let host = host.as_str().ok_or("is not the name of a host")?.to_owned();
                self.set_domain(host);
            }
            Some(Meaning::Short) => {
                let text = value.as_str().ok_or("is not a short URL")?;
                self.short.get_or_insert_with(|| text.to_owned());
            }
            Some(Meaning::Bitlinks) => self.bitlinks(name, value)?,
            Some(Meaning::Os(system)) => {
                let url = value.as_str().ok_or("is not a URL")?;
                self.routes[0].push(routes::rule("os", &[system], url));
            }
            Some(Meaning::Devices) => {
                let rules = routes::devices(value).ok_or("does not map devices to URLs")?;
                self.routes[0].extend(rules);
            }
            Some(Meaning::Geo) => {
                let value = reading::Kind::Json.read(value, self.now_ms)?;
                self.routes[1] = routes::geo(&value).ok_or("does not map countries to URLs")?;
            }
            Some(Meaning::Shlink) => {
                let (rules, lost) = routes::shlink(value).ok_or("is not a list of redirect rules")?;
                self.rules = rules;
                self.has_rules = false;
                for kind in lost {
                    self.warnings.push(format!("{name}: a rule with the condition {kind} is not kept"));
                }
            }
            Some(Meaning::HasRules) => self.has_rules = self.rules.is_empty() && reading::is_set(value),
            Some(Meaning::Nested) => {
                if let Value::Object(members) = value {
                    self.take(members.clone());
                }
            }
            Some(Meaning::Test) => {
                let value = reading::Kind::Json.read(value, self.now_ms)?;
                self.variants = Some(routes::test(&value).ok_or("is not a list of url and percentage")?);
            }
            Some(Meaning::TestEnd) => self.test_end = Some(reading::moment(value)),
            Some(Meaning::SplitUrl) => self.split.0 = Some(value.clone()),
            Some(Meaning::SplitPercent) => self.split.1 = reading::integer(value),
            Some(Meaning::Password) => self.password(name, value),
            Some(Meaning::Hidden) => {
                if reading::is_set(value) {
                    self.warn(name, "is not kept: an archived link here is out of service, there it is not");
                }
            }
            Some(Meaning::Disabled) => {
                if reading::is_set(value) {
                    self.link.insert("archived".to_owned(), Value::Bool(true));
                }
            }
        }
        Ok(())
    }

    fn warn(&mut self, name: &str, what: &str) {
        self.warnings.push(format!("{name}: {what}"));
    }

    /// Of two names for one field the first counts.
    fn set(&mut self, name: &str, field: &str, value: Value) {
        match self.link.get(field) {
            None => drop(self.link.insert(field.to_owned(), value)),
            Some(before) if *before == value => {}
            Some(_) => self.warnings.push(format!("{name}: is not kept, {field} is given already")),
        }
    }

    fn set_domain(&mut self, host: String) {
        let host = if self.format.is_shape() { host } else { host.to_ascii_lowercase() };
        if !self.format.is_shape() && THEIRS.contains(&host.as_str()) {
            self.warn(&host, "belongs to the service; the link will answer on your own host");
        } else {
            self.link.insert("domain".to_owned(), host.into());
        }
    }

    /// The customer's own names are the ones that are printed somewhere.
    fn bitlinks(&mut self, name: &str, value: &Value) -> Result<(), &'static str> {
        let list = reading::Kind::Tags.read(value, self.now_ms)?;
        let mut all = list.as_array().into_iter().flatten().filter_map(Value::as_str);
        if let Some(first) = all.next() {
            self.short = Some(first.to_owned());
        }
        self.warnings.extend(all.map(|other| format!("{name}: {other} is not kept, a link has one name")));
        Ok(())
    }

    fn password(&mut self, name: &str, value: &Value) {
        let is_secret = value.as_str().is_some_and(|text| !HASHES.iter().any(|hash| text.starts_with(hash)));
        if is_secret {
            self.set(name, "password", value.clone());
        } else if reading::is_set(value) {
            self.warn(name, "cannot be taken over; until you set one, everybody gets to the destination");
        }
    }

    /// The body for [`crate::Link::create`], or what is wrong with the line, and what of it is not kept.
    pub(super) fn finish(mut self) -> Finished {
        self.name();
        self.route();
        self.vary();
        self.show();
        if !self.format.is_shape() {
            self.spare_utm();
        }
        let result = if self.rejects.is_empty() { Ok(self.link) } else { Err(self.rejects) };
        (result, self.warnings)
    }

    /// Token and domain out of the short URL, where they are not given by themselves.
    fn name(&mut self) {
        if self.format == Format::Dub && self.link.get("token").is_some_and(|token| token == "_root") {
            self.rejects.push(Reject::new("/key", "is the page of the domain itself, which is no link here"));
        }
        if self.link.contains_key("token") {
            return;
        }
        let Some(short) = self.short.take() else { return };
        let bare = short.split_once("://").map_or(&*short, |(_, rest)| rest);
        let bare = bare.split(['?', '#']).next().unwrap_or_default();
        let Some((host, path)) = bare.split_once('/') else { return };
        let path = path.trim_end_matches('/');
        let path = if self.format.is_shape() { path.strip_prefix("r/").unwrap_or(path) } else { path };
        let token = percent_decode_str(path).decode_utf8_lossy().into_owned();
        if !token.is_empty() {
            self.link.insert("token".to_owned(), token.into());
            if !self.format.is_shape() && !self.link.contains_key("domain") {
                self.set_domain(host.to_owned());
            }
        }
    }

    fn route(&mut self) {
        if self.has_rules {
            self.warn("hasRedirectRules", "the rules are not in this export");
        }
        let [systems, countries] = std::mem::take(&mut self.routes);
        let all = self.rules.drain(..).chain(systems).chain(countries);
        let all: Vec<Value> = all.collect();
        if all.is_empty() {
            return;
        }
        if let Value::Array(rules) = self.link.entry("rules").or_insert_with(|| json!([])) {
            rules.extend(all);
        }
    }

    fn vary(&mut self) {
        if let (Some(other), Some(percent)) = (self.split.0.take(), self.split.1) {
            let url = self.link.get("url").and_then(Value::as_str);
            let variants =
                url.zip(other.as_str()).and_then(|(url, other)| routes::split(url, other, percent));
            if variants.is_none() {
                self.rejects.push(Reject::new("/splitPercent", "is not between 0 and 100"));
            }
            self.variants = variants;
        }
        let Some(variants) = self.variants.take() else { return };
        let end = self.test_end.take().and_then(|end| moment::parse(&end).ok());
        match end {
            Some(end) if end <= self.now_ms => self.warn("testVariants", "are not kept: the test is over"),
            _ => self.set("testVariants", "variants", variants.into()),
        }
        if end.is_some_and(|end| end > self.now_ms) {
            self.warn("testCompletedAt", "is not kept: a test here ends when its variants are taken out");
        }
    }

    /// The preview. Dub has one only with `proxy`, Sink as soon as there is a title or an image.
    fn show(&mut self) {
        let mut preview = std::mem::take(&mut self.preview);
        if !self.proxy {
            preview.clear();
        }
        let is_web = |url: &Value| url.as_str().is_some_and(|url| url.starts_with("http"));
        if preview.get("image").is_some_and(|image| !is_web(image)) {
            preview.remove("image");
            self.warn("image", "is not kept: it is not on the web");
        }
        if preview.contains_key("title") || preview.contains_key("image") {
            self.set("preview", "social", preview.into());
        } else if !preview.is_empty() {
            self.warn("description", "is not kept: it shows only beside a title or an image");
        }
    }

    /// The peers write the parameters into the URL and keep them beside it; appended, they would be there twice.
    fn spare_utm(&mut self) {
        let url = self.link.get("url").and_then(Value::as_str).unwrap_or_default();
        let query = url.split_once('?').map_or("", |(_, query)| query);
        let query = query.split('#').next().unwrap_or_default();
        let names: Vec<String> =
            form_urlencoded::parse(query.as_bytes()).map(|(name, _)| name.into_owned()).collect();
        self.link.retain(|field, _| !field.starts_with("utm_") || !names.contains(field));
    }
}
