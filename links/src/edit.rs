//! What a customer may write into a link: `POST` and `PATCH /api/links`.

use analytics::fields::{Fields, pointer, string, text};
use analytics::{Reject, moment};
use serde_json::Value;

use crate::{Allowed, Destination, Link, PassThrough, Status, Token};

/// Version of a link that was never stored; the first that is stored is 1.
const UNBORN: u32 = 0;
/// The longest title, in characters, and what is said about a longer one.
const TITLE_MAX: (usize, &str) = (512, "is longer than 512 characters");
/// The same for an id or a medium.
const NAME_MAX: (usize, &str) = (128, "is longer than 128 characters");

impl Link {
    /// The link that a `POST` asks for. It gets the token `fresh` unless the body chooses one.
    ///
    /// # Errors
    /// Everything that is wrong with the body, field by field. A field that links do not have is an error: a
    /// misspelt `expires_at` must not make a link that lives for ever.
    pub fn create(
        body: &[u8],
        fresh: Token,
        now_ms: i64,
        allowed: &Allowed<'_>,
    ) -> Result<Self, Vec<Reject>> {
        let mut link = Self::blank(fresh, now_ms);
        let mut rejects = link.write(&Fields::read(body)?, allowed);
        if link.url.is_nowhere() && !rejects.iter().any(|reject| reject.pointer == "/url") {
            rejects.push(Reject::new("/url", "is missing"));
        }
        link.version = 1;
        if rejects.is_empty() { Ok(link) } else { Err(rejects) }
    }

    /// The link after a `PATCH` (JSON merge patch, RFC 7396): what the body leaves out stays, null clears.
    ///
    /// A patch that changes nothing gives the same link with the same version: a client's retry costs no write.
    ///
    /// # Errors
    /// As [`Link::create`].
    pub fn edit(&self, body: &[u8], now_ms: i64, allowed: &Allowed<'_>) -> Result<Self, Vec<Reject>> {
        let mut link = self.clone();
        let rejects = link.write(&Fields::read(body)?, allowed);
        if !rejects.is_empty() {
            return Err(rejects);
        }
        if link != *self {
            link.updated_at_ms = now_ms;
            link.version = self.version.saturating_add(1);
        }
        Ok(link)
    }

    /// A link that leads nowhere yet.
    pub(crate) fn blank(token: Token, now_ms: i64) -> Self {
        Self {
            token,
            url: Destination::nowhere(),
            status: Status::default(),
            title: String::new(),
            campaign_id: String::new(),
            publisher_id: String::new(),
            medium: String::new(),
            ad_id: String::new(),
            expires_at_ms: None,
            expired_url: None,
            query: PassThrough::default(),
            archived: false,
            created_at_ms: now_ms,
            updated_at_ms: now_ms,
            version: UNBORN,
        }
    }

    fn write(&mut self, fields: &Fields, allowed: &Allowed<'_>) -> Vec<Reject> {
        fields.iter().filter_map(|(name, value)| self.write_field(name, value, allowed).err()).collect()
    }

    fn write_field(&mut self, name: &str, value: &Value, allowed: &Allowed<'_>) -> Result<(), Reject> {
        let given = (!value.is_null()).then_some(value);
        let say = |detail| Reject::new(pointer(name), detail);
        match name {
            "token" => self.token = self.renamed(given)?,
            "url" => {
                let text = given.ok_or_else(|| say("must be a URL"))?;
                self.url = Destination::parse("/url", string(text).map_err(say)?, allowed)?;
            }
            "expired_url" => {
                let text = given.map(string).transpose().map_err(say)?;
                let parse = |text| Destination::parse("/expired_url", text, allowed);
                self.expired_url = text.map(parse).transpose()?;
            }
            "status" => self.status = given.map_or(Ok(Status::default()), status).map_err(say)?,
            "query" => self.query = given.map_or(Ok(PassThrough::default()), pass_through).map_err(say)?,
            "archived" => {
                let flag = given.map_or(Some(false), Value::as_bool);
                self.archived = flag.ok_or_else(|| say("is neither true nor false"))?;
            }
            "expires_at" => self.expires_at_ms = given.map(moment::parse).transpose().map_err(say)?,
            "title" => self.title = text(given, TITLE_MAX).map_err(say)?,
            "campaign_id" => self.campaign_id = text(given, NAME_MAX).map_err(say)?,
            "publisher_id" => self.publisher_id = text(given, NAME_MAX).map_err(say)?,
            "medium" => self.medium = text(given, NAME_MAX).map_err(say)?,
            "ad_id" => self.ad_id = text(given, NAME_MAX).map_err(say)?,
            "max_clicks" => return Err(say("is not supported yet")), // somebody would rely on the limit
            "short_url" | "created_at" | "updated_at" | "version" => {
                return Err(say("is set by the service"));
            }
            _ => return Err(say("is not a field of a link")),
        }
        Ok(())
    }

    /// The token after a body that names one. A link that exists keeps its own: it is printed somewhere.
    fn renamed(&self, given: Option<&Value>) -> Result<Token, Reject> {
        let Some(value) = given else { return Ok(self.token.clone()) };
        let text = string(value).map_err(|detail| Reject::new("/token", detail))?;
        if text == self.token.as_str() {
            return Ok(self.token.clone());
        }
        if self.version != UNBORN {
            return Err(Reject::new("/token", "cannot be changed; create another link"));
        }
        Token::parse(text)
    }
}

fn status(value: &Value) -> Result<Status, &'static str> {
    let code = value.as_u64().and_then(|code| u16::try_from(code).ok()).unwrap_or_default();
    Status::try_from(code)
}

fn pass_through(value: &Value) -> Result<PassThrough, &'static str> {
    let all = [PassThrough::Append, PassThrough::Off];
    all.into_iter().find(|mode| value == mode.name()).ok_or("is neither \"append\" nor \"off\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn create(body: &Value) -> Result<Link, Vec<Reject>> {
        Link::create(body.to_string().as_bytes(), Token::generate(7), 1_000, &Allowed::default())
    }

    fn edit(link: &Link, body: &Value) -> Result<Link, Vec<Reject>> {
        link.edit(body.to_string().as_bytes(), 2_000, &Allowed::default())
    }

    fn pointers(rejects: &[Reject]) -> Vec<&str> {
        rejects.iter().map(|reject| &*reject.pointer).collect()
    }

    #[test]
    fn a_url_is_all_that_a_link_needs() {
        let link = create(&json!({"url": "https://example.com"})).unwrap();
        assert_eq!(link.token, Token::generate(7));
        assert_eq!(link.url.as_str(), "https://example.com/");
        assert_eq!((link.created_at_ms, link.updated_at_ms, link.version), (1_000, 1_000, 1));
    }

    #[test]
    fn every_field_can_be_given_and_null_is_as_if_left_out() {
        let link = create(&json!({
            "url": "https://example.com/", "token": "Spring", "status": 308, "title": " T ", "campaign_id": "c",
            "publisher_id": "p", "medium": "m", "ad_id": "a", "expires_at": "2030-01-01T00:00:00Z",
            "expired_url": "https://example.com/over", "query": "off", "archived": true,
        }))
        .unwrap();
        assert_eq!((link.token.as_str(), link.status.code(), &*link.title), ("Spring", 308, "T"));
        assert_eq!(
            (link.expires_at_ms, link.query, link.archived),
            (Some(1_893_456_000_000), PassThrough::Off, true)
        );
        let nulls = json!({
            "status": null, "title": null, "campaign_id": null, "publisher_id": null, "medium": null,
            "ad_id": null, "expires_at": null, "expired_url": null, "query": null, "archived": null,
        });
        let cleared = edit(&link, &nulls).unwrap();
        let bare = create(&json!({"url": "https://example.com/", "token": "Spring"})).unwrap();
        assert_eq!(cleared, Link { updated_at_ms: 2_000, version: 2, ..bare });
    }

    #[test]
    fn everything_that_is_wrong_is_named_at_once() {
        let rejects = create(&json!({
            "token": "a/b", "status": 303, "title": 7, "campaign_id": "a\nb", "ad_id": "x".repeat(129),
            "expires_at": "soon", "expired_url": "ftp://example.com", "query": "override", "archived": "yes",
            "max_clicks": 1, "version": 9, "expires/at": 1,
        }))
        .unwrap_err();
        let mut named = pointers(&rejects);
        named.sort_unstable();
        assert_eq!(
            named,
            [
                "/ad_id",
                "/archived",
                "/campaign_id",
                "/expired_url",
                "/expires_at",
                "/expires~1at",
                "/max_clicks",
                "/query",
                "/status",
                "/title",
                "/token",
                "/url",
                "/version",
            ]
        );
    }

    #[test]
    fn a_limit_that_nobody_keeps_is_refused() {
        let rejects = create(&json!({"url": "https://example.com/", "max_clicks": 50})).unwrap_err();
        assert_eq!(rejects, [Reject::new("/max_clicks", "is not supported yet")]);
    }

    #[test]
    fn a_patch_changes_what_it_names_and_counts() {
        let link = create(&json!({"url": "https://example.com/", "title": "T"})).unwrap();
        let edited = edit(&link, &json!({"url": "https://example.org/", "token": link.token})).unwrap();
        assert_eq!(edited.url.as_str(), "https://example.org/");
        assert_eq!(
            (&*edited.title, edited.created_at_ms, edited.updated_at_ms, edited.version),
            ("T", 1_000, 2_000, 2)
        );
        assert_eq!(edit(&edited, &json!({"title": "T"})).unwrap(), edited);
    }

    #[test]
    fn a_link_keeps_its_token_and_leads_somewhere() {
        let link = create(&json!({"url": "https://example.com/"})).unwrap();
        assert_eq!(
            pointers(&edit(&link, &json!({"token": "other", "url": null})).unwrap_err()),
            ["/token", "/url"]
        );
    }

    #[test]
    fn the_order_of_the_members_does_not_matter() {
        for body in
            [r#"{"url":"https://example.com/","token":"x"}"#, r#"{"token":"x","url":"https://example.com/"}"#]
        {
            let link = Link::create(body.as_bytes(), Token::generate(7), 0, &Allowed::default()).unwrap();
            assert_eq!(link.token.as_str(), "x");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered(body: Vec<u8>) {
            let link = create(&json!({"url": "https://example.com/"})).unwrap();
            let _ = Link::create(&body, Token::generate(1), 0, &Allowed::default());
            let _ = link.edit(&body, 0, &Allowed::default());
        }

        #[test]
        fn any_value_of_any_field_is_answered_and_what_is_taken_is_stored(
            name in "url|token|status|title|campaign_id|expires_at|expired_url|query|archived",
            text in any::<String>(), number: i64,
        ) {
            let link = create(&json!({"url": "https://example.com/"})).unwrap();
            for value in [json!(text), json!(number), json!({ "a": text }), json!([number])] {
                let patch = json!({ name.clone(): value });
                if let Ok(edited) = edit(&link, &patch) {
                    prop_assert_eq!(Link::from_record(&edited.to_record()).unwrap(), edited);
                }
            }
        }
    }
}
