//! A link as the API shows it.

use analytics::moment;
use serde_json::{Map, Value, json};

use crate::hours::clock;
use crate::link::UTM;
use crate::{Condition, Destination, Link, Rule, Status};

impl Link {
    /// The link in an answer. Every field is there; absent text is null, so that a client that reads, changes
    /// and patches sees what it can set. The password is not: `protected` says that there is one. `base_url` is
    /// where the service is reached.
    pub fn to_json(&self, base_url: &str, now_ms: i64) -> Value {
        let mut answer = Map::new();
        let mut put = |name: &str, value: Value| answer.insert(name.to_owned(), value);
        let text = |text: &str| if text.is_empty() { Value::Null } else { text.into() };
        let time = |ms: Option<i64>| ms.and_then(moment::format).map_or(Value::Null, Value::from);
        let url = |url: Option<&Destination>| url.map_or(Value::Null, |url| url.as_str().into());
        put("token", self.token.as_str().into());
        put("domain", text(&self.domain));
        put("short_url", self.short_url(base_url).into());
        put("url", self.url.as_str().into());
        put("status", self.status.code().into());
        put("title", text(&self.title));
        put("note", text(&self.note));
        put("tags", self.tags.clone().into());
        put("folder", text(&self.folder));
        put("external_id", text(&self.external_id));
        put("campaign_id", text(&self.campaign_id));
        put("publisher_id", text(&self.publisher_id));
        put("medium", text(&self.medium));
        put("ad_id", text(&self.ad_id));
        put("starts_at", time(self.starts_at_ms));
        put("expires_at", time(self.expires_at_ms));
        put("expired_url", url(self.expired_url.as_ref()));
        put("fallback_url", url(self.fallback_url.as_ref()));
        put("protected", (!self.password.is_empty()).into());
        put("max_clicks", self.max_clicks.map_or(Value::Null, Value::from));
        put("query", self.query.name().into());
        for (name, value) in UTM.into_iter().zip(&self.utm) {
            put(name, text(value));
        }
        put("append_click_id", text(&self.append_click_id));
        put("rules", self.rules.iter().map(rule).collect());
        let variant = |variant: &crate::Variant| json!({ "name": variant.name, "url": variant.url.as_str(), "weight": variant.weight });
        put("variants", self.variants.iter().map(variant).collect());
        let social = self.social.as_ref().map(|card| {
            json!({ "title": text(&card.title), "description": text(&card.description), "image": url(card.image.as_ref()) })
        });
        put("social", social.unwrap_or_default());
        put("honeypot", self.honeypot.into());
        put("archived", self.archived.into());
        put("state", self.state(now_ms).into());
        put("created_at", time(Some(self.created_at_ms)));
        put("updated_at", time(Some(self.updated_at_ms)));
        put("deleted_at", time(self.deleted_at_ms));
        put("version", self.version.into());
        put("warnings", self.warnings().collect());
        answer.into()
    }

    /// Where it is reached.
    pub fn short_url(&self, base_url: &str) -> String {
        let base_url = base_url.trim_end_matches('/');
        let scheme = base_url.split_once("://").map_or("https", |(scheme, _)| scheme);
        let token = self.token.to_segment();
        match &*self.domain {
            "" => format!("{base_url}/r/{token}"),
            domain => format!("{scheme}://{domain}/r/{token}"),
        }
    }

    /// What of it works and yet is hardly meant.
    fn warnings(&self) -> impl Iterator<Item = Value> {
        let kept = matches!(self.status, Status::Permanent | Status::PermanentSameMethod);
        let kept = kept.then_some(
            "status 301 and 308 are kept by browsers: repeated clicks go straight to the target and are not counted",
        );
        let decided = !self.is_plain() || self.starts_at_ms.is_some() || self.expires_at_ms.is_some();
        let frozen = (kept.is_some() && decided).then_some(
            "a browser that kept a 301 or 308 does not notice rules, variants, limits or the link's end",
        );
        kept.into_iter().chain(frozen).map(Value::from)
    }
}

fn rule(rule: &Rule) -> Value {
    let mut when = Map::new();
    for condition in &rule.when {
        let (name, value) = match condition {
            Condition::Any(subject, values) => (subject.name(), json!(values)),
            Condition::None(subject, values) => {
                (subject.name(), values.iter().map(|value| format!("-{value}")).collect())
            }
            Condition::Query(name, value) => ("query", json!({ name: value })),
            Condition::After(ms) => ("after", json!(moment::format(*ms))),
            Condition::Before(ms) => ("before", json!(moment::format(*ms))),
            Condition::Hours(hours) => {
                let days: Vec<_> = hours.day_names().collect();
                let (from, to) = (clock(hours.from), clock(hours.to));
                ("time", json!({ "from": from, "to": to, "days": days, "tz": hours.tz }))
            }
            Condition::InApp(wanted) => ("in_app", (*wanted).into()),
            Condition::Bot(wanted) => ("bot", (*wanted).into()),
        };
        // Wanted and excluded values of a subject, and the parameters of a query, are written as one.
        match (when.get_mut(name), value) {
            (Some(Value::Array(all)), Value::Array(more)) => all.extend(more),
            (Some(Value::Object(all)), Value::Object(more)) => all.extend(more),
            (_, value) => {
                when.insert(name.to_owned(), value);
            }
        }
    }
    let mut answer = json!({ "when": when, "url": rule.url.as_str() });
    if let (Some(fallback), Some(members)) = (&rule.fallback_url, answer.as_object_mut()) {
        members.insert("fallback_url".to_owned(), fallback.as_str().into());
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::tests::link;
    use crate::{Allowed, Token};

    #[test]
    fn an_answer_names_every_field() {
        let link =
            Link { token: Token::parse("東").unwrap(), title: "T".into(), ..link("https://example.com/") };
        assert_eq!(
            link.to_json("http://127.0.0.1:8787/", 1_790_000_000_000),
            json!({
                "token": "東", "domain": null, "short_url": "http://127.0.0.1:8787/r/%E6%9D%B1",
                "url": "https://example.com/", "status": 302, "title": "T", "note": null, "tags": [],
                "folder": null, "external_id": null, "campaign_id": null, "publisher_id": null, "medium": null,
                "ad_id": null, "starts_at": null, "expires_at": null, "expired_url": null, "fallback_url": null,
                "protected": false, "max_clicks": null, "query": "append", "utm_source": null,
                "utm_medium": null, "utm_campaign": null, "utm_term": null, "utm_content": null,
                "append_click_id": null, "rules": [], "variants": [], "social": null, "honeypot": false, "archived": false,
                "state": "active", "created_at": "2026-09-21T14:13:20.000Z",
                "updated_at": "2026-09-21T14:13:20.000Z", "deleted_at": null, "version": 1, "warnings": [],
            })
        );
    }

    const SERVICES: [&str; 9] = [
        "short_url",
        "protected",
        "state",
        "created_at",
        "updated_at",
        "deleted_at",
        "version",
        "warnings",
        "clicks_used",
    ];

    /// Everything that a customer can write.
    pub(crate) fn everything() -> Value {
        let json = r#"{
            "url": "https://example.com/", "token": "all", "domain": "go.example", "status": 307, "title": "T",
            "note": "two\nlines", "tags": ["a", "b c"], "folder": "f", "external_id": "e", "campaign_id": "c",
            "publisher_id": "p", "medium": "m", "ad_id": "a", "starts_at": "2026-01-01T00:00:00.000Z",
            "expires_at": "2027-01-01T00:00:00.000Z", "expired_url": "https://example.com/over",
            "fallback_url": "https://example.com/app", "max_clicks": 50, "query": "override",
            "utm_source": "s", "utm_content": "x", "append_click_id": "cid",
            "rules": [
                {"when": {
                    "os": ["ios", "-ipados"], "device": ["smartphone"], "browser": ["chrome"], "country": ["US"],
                    "region": ["US-CA"], "city": ["são paulo"], "continent": ["NA"], "language": ["pt-br"],
                    "referrer": ["example.com"], "query": {"a": "1", "b": null},
                    "after": "2026-01-01T00:00:00.000Z", "before": "2026-02-01T00:00:00.000Z",
                    "time": {"from": "22:00", "to": "06:00", "days": ["sat", "sun"], "tz": "Europe/Berlin"},
                    "in_app": false, "bot": false
                }, "url": "myapp://open", "fallback_url": "https://example.com/store"},
                {"when": {"country": ["-DE"]}, "url": "https://example.com/world"}
            ],
            "variants": [
                {"name": "blue", "url": "https://example.com/blue", "weight": 2},
                {"name": "red", "url": "https://example.com/red", "weight": 1}
            ],
            "social": {"title": "Look", "description": "At this", "image": "https://example.com/x.png"},
            "archived": true
        }"#;
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn what_is_written_is_answered_and_an_answer_is_a_patch_that_changes_nothing() {
        let (apps, domains) = (["myapp".to_owned()], ["go.example".to_owned()]);
        let allowed = Allowed { app_schemes: &apps, domains: &domains, ..Allowed::default() };
        let wanted = everything();
        let body = wanted.to_string();
        let link =
            Link::create(body.as_bytes(), Token::generate(1), 1_790_000_000_000, &allowed).unwrap().link;
        let mut answer = link.to_json("http://127.0.0.1:8787", 0);
        for (name, value) in wanted.as_object().unwrap() {
            assert_eq!(&answer[name], value, "{name}");
        }
        answer.as_object_mut().unwrap().retain(|name, _| !SERVICES.contains(&name.as_str()));
        let edited = link.edit(answer.to_string().as_bytes(), 5, &allowed).unwrap();
        assert_eq!((edited.link, edited.password), (link.clone(), None));
        assert_eq!(Link::from_record(&link.to_record()).unwrap(), link);
        let replaced = link.replace(answer.to_string().as_bytes(), 5, &allowed).unwrap();
        assert_eq!(replaced.link, link);
        assert_eq!(link.short_url("https://click.example"), "https://go.example/r/all");
    }

    #[test]
    fn a_status_that_browsers_keep_is_warned_about() {
        let warned = |link: Link| link.to_json("", 0)["warnings"].as_array().unwrap().len();
        let link = Link { status: Status::Permanent, ..link("https://example.com/") };
        assert_eq!(warned(link.clone()), 1);
        assert_eq!(warned(Link { max_clicks: Some(1), ..link }), 2);
    }
}
