use super::*;
use proptest::prelude::*;
use serde_json::json;

fn create(body: &Value) -> Result<Link, Vec<Reject>> {
    let body = body.to_string();
    Link::create(body.as_bytes(), Token::generate(7), 1_000, &Allowed::default()).map(|written| written.link)
}

fn edit(link: &Link, body: &Value) -> Result<Link, Vec<Reject>> {
    link.edit(body.to_string().as_bytes(), 2_000, &Allowed::default()).map(|written| written.link)
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
        "expires_at": "soon", "expired_url": "ftp://example.com", "query": "prepend", "archived": "yes",
        "max_clicks": 0, "version": 9, "expires/at": 1,
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
        assert_eq!(link.link.token.as_str(), "x");
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
