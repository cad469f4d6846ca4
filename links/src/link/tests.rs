use super::*;
use crate::Allowed;
use proptest::prelude::*;

pub(crate) fn destination(text: &str) -> Destination {
    Destination::parse("/url", text, &Allowed::default()).unwrap()
}

pub(crate) fn link(url: &str) -> Link {
    let mut link = Link::blank(Token::parse("demo").unwrap(), 1_790_000_000_000);
    (link.url, link.version) = (destination(url), 1);
    link
}

fn full() -> Link {
    Link {
        status: Status::Temporary,
        title: "Spring \"sale\"".into(),
        campaign_id: "c1".into(),
        publisher_id: "p1".into(),
        medium: "email".into(),
        ad_id: "a1".into(),
        expires_at_ms: Some(1_800_000_000_000),
        expired_url: Some(destination("https://example.com/over")),
        query: PassThrough::Off,
        archived: true,
        updated_at_ms: 1_790_000_000_001,
        version: 2,
        ..link("https://example.com/ä?a=1#top")
    }
}

/// A record that this test no longer reads is a printed link that leads nowhere. When the struct grows,
/// add a record; never change one.
#[test]
fn records_are_pinned() {
    let least = r#"{"token":"demo","url":"https://example.com/","created_at_ms":1790000000000,"updated_at_ms":1790000000000,"version":1}"#;
    let most = concat!(
        r#"{"token":"demo","url":"https://example.com/%C3%A4?a=1#top","status":307,"title":"Spring \"sale\"","#,
        r#""campaign_id":"c1","publisher_id":"p1","medium":"email","ad_id":"a1","expires_at_ms":1800000000000,"#,
        r#""expired_url":"https://example.com/over","query":"off","archived":true,"#,
        r#""created_at_ms":1790000000000,"updated_at_ms":1790000000001,"version":2}"#,
    );
    for (link, record) in [(link("https://example.com"), least), (full(), most)] {
        assert_eq!(link.to_record(), record);
        assert_eq!(Link::from_record(record).unwrap(), link);
    }
}

#[test]
fn a_record_may_lack_what_has_a_default_and_hold_what_is_not_known_yet() {
    let link =
        Link::from_record(r#"{"token":"api","url":"https://example.com/","later":[{"to":1}]}"#).unwrap();
    assert_eq!((link.status, link.version, link.query), (Status::Found, 1, PassThrough::Append));
}

#[test]
fn a_key_is_the_token_behind_a_prefix() {
    let token = Token::parse("東京").unwrap();
    assert_eq!(kv_key("", &token), "link/東京");
    assert_eq!(kv_key("go.example", &token), "link/go.example/東京");
}

proptest! {
    #[test]
    fn records_are_read_back(
        random: u64, path in "\\PC{0,40}", title in any::<String>(), code in 0usize..4, off: bool,
        expires_at_ms: Option<i64>, version: u32,
    ) {
        let mut link = link("https://example.com/");
        if let Ok(url) = Destination::parse("/url", &format!("https://example.com/{path}"), &Allowed::default()) {
            link.url = url;
        }
        link.token = Token::generate(random);
        link.status = Status::try_from([301, 302, 307, 308][code]).unwrap();
        link.query = if off { PassThrough::Off } else { PassThrough::Append };
        (link.title, link.expires_at_ms, link.version) = (title, expires_at_ms, version);
        prop_assert_eq!(Link::from_record(&link.to_record()).unwrap(), link);
    }

    #[test]
    fn any_record_is_answered(record in any::<String>()) {
        let _ = Link::from_record(&record);
    }
}
