//! A link as the API shows it.

use analytics::moment;
use serde_json::{Value, json};

use crate::{Destination, Link};

impl Link {
    /// The link in an answer. Every field is there; absent text is null, so that a client that reads, changes
    /// and patches sees what it can set. `base_url` is where the service is reached.
    pub fn to_json(&self, base_url: &str) -> Value {
        let present = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        json!({
            "token": self.token,
            "short_url": format!("{}/r/{}", base_url.trim_end_matches('/'), self.token.to_segment()),
            "url": self.url,
            "status": self.status.code(),
            "title": present(&self.title),
            "campaign_id": present(&self.campaign_id),
            "publisher_id": present(&self.publisher_id),
            "medium": present(&self.medium),
            "ad_id": present(&self.ad_id),
            "expires_at": self.expires_at_ms.and_then(moment::format),
            "expired_url": self.expired_url.as_ref().map(Destination::as_str),
            "query": self.query.name(),
            "archived": self.archived,
            "created_at": moment::format(self.created_at_ms),
            "updated_at": moment::format(self.updated_at_ms),
            "version": self.version,
        })
    }
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
            link.to_json("http://127.0.0.1:8787/"),
            json!({
                "token": "東", "short_url": "http://127.0.0.1:8787/r/%E6%9D%B1", "url": "https://example.com/",
                "status": 302, "title": "T", "campaign_id": null, "publisher_id": null, "medium": null,
                "ad_id": null, "expires_at": null, "expired_url": null, "query": "append", "archived": false,
                "created_at": "2026-09-21T14:13:20.000Z", "updated_at": "2026-09-21T14:13:20.000Z", "version": 1,
            })
        );
    }

    #[test]
    fn an_answer_without_the_services_fields_is_a_patch_that_changes_nothing() {
        let link = Link { expires_at_ms: Some(1_800_000_000_001), ..link("https://example.com/") };
        let mut answer = link.to_json("http://127.0.0.1:8787");
        let members = answer.as_object_mut().unwrap();
        members
            .retain(|name, _| !["short_url", "created_at", "updated_at", "version"].contains(&name.as_str()));
        assert_eq!(link.edit(answer.to_string().as_bytes(), 5, &Allowed::default()).unwrap(), link);
    }
}
