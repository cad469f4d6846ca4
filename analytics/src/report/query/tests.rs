use proptest::prelude::*;

use super::*;
use crate::zone::tests::zone;

const NOW: i64 = 1_790_000_000_000; // 2026-09-21T14:13:20Z

fn query(text: &str) -> Query {
    Query::parse(text, NOW, zone).unwrap_or_else(|rejects| panic!("{text}: {rejects:?}"))
}

fn rejected(text: &str) -> String {
    let rejects = Query::parse(text, NOW, zone).map(|_| text).unwrap_err();
    rejects
        .iter()
        .map(|reject| format!("{} {}", reject.pointer, reject.detail))
        .collect::<Vec<_>>()
        .join("; ")
}

#[test]
fn one_link_or_campaign_is_a_scope() {
    let scope = |text| query(text).scope.key();
    assert_eq!(scope(""), "*");
    assert_eq!(scope("campaign_id=a"), "c/a");
    assert_eq!(scope("link=x"), "l/x");
    assert_eq!(scope("link=x&campaign_id=a"), "l/x");
    assert_eq!(query("link=x&campaign_id=a").source, Source::Cells(Dimension::Campaign));
    for several in ["campaign_id=a,b", "campaign_id=-a", "campaign_id=", "campaign_id=a&campaign_id=b"] {
        assert_eq!(scope(several), "*", "{several}");
        assert_eq!(query(several).source, Source::Cells(Dimension::Campaign), "{several}");
    }
}

#[test]
fn a_day_is_the_zones_day_in_whatever_order_they_are_given() {
    for (text, from, to) in [
        (
            "from=2026-05-01&to=2026-05-02&tz=Asia/Kolkata",
            "2026-05-01T00:00:00+05:30",
            "2026-05-02T00:00:00+05:30",
        ),
        (
            "tz=America%2FNew_York&from=2026-03-08&to=2026-03-09",
            "2026-03-08T00:00:00-05:00",
            "2026-03-09T00:00:00-04:00",
        ),
        (
            "from=2026-05-01T00:00:00Z&to=1777680000000",
            "2026-05-01T00:00:00+00:00",
            "2026-05-02T00:00:00+00:00",
        ),
        (
            "from=2026-05-01T00:00:00+02:00&to=2026-05-01T02:00:00%2B02:00",
            "2026-04-30T22:00:00+00:00",
            "2026-05-01T00:00:00+00:00",
        ),
    ] {
        let span = query(text).span;
        assert_eq!(
            (span.format(span.from_ms), span.format(span.to_ms)),
            (from.to_owned(), to.to_owned()),
            "{text}"
        );
    }
    assert_eq!(query("from=2026-03-08&to=2026-03-09&tz=America/New_York").span.starts.len(), 23);
    assert_eq!(query("from=2026-11-01&to=2026-11-02&tz=America/New_York").span.starts.len(), 25);
}

#[test]
fn filters_that_the_cube_can_combine_are_combined_by_day() {
    for text in [
        "country=US&device=-tablet",
        "country=US&group_by=browser",
        "country=US&from=2026-09-21&campaign_id=-a",
    ] {
        assert_eq!((query(text).source, query(text).level), (Source::Cube, Level::Cube), "{text}");
    }
    let linked = query("campaign_id=a&country=US&group_by=link");
    assert_eq!((linked.scope.key(), linked.source), ("c/a".to_owned(), Source::Cube));
    assert_eq!(query("country=US&group_by=country").source, Source::Cells(Dimension::Country));
    assert_eq!(query("country=US&group_by=kind").source, Source::Cells(Dimension::Country));
    assert_eq!(
        query("campaign_id=a&country=US&group_by=campaign_id").source,
        Source::Cells(Dimension::Country)
    );
}

#[test]
fn what_cannot_be_answered_exactly_is_refused_by_name() {
    for (text, start) in [
        ("nonsense=1", "/nonsense is no parameter; the dimensions are link, campaign_id,"),
        ("a%2Fb~=1", "/a~1b~0 is no parameter"),
        ("kind=click", "/kind is no filter"),
        ("group_by=weather", "/group_by is not kind; the dimensions are"),
        ("from=yesterday", "/from is not a time"),
        ("from=", "/from is not a time"),
        ("from=0&from=1", "/from is given twice"),
        ("limit=0", "/limit is not a number from 1 to 1000"),
        (
            "limit=-1&include_bots=maybe",
            "/limit is not a number from 1 to 1000; /include_bots is not true or false",
        ),
        ("tz=Mars%2FPhobos", "/tz is not an IANA time zone"),
        ("interval=week", "/interval is not one of minute, hour, day"),
        ("device=phone", "/device is not one of "),
        ("bot_reason=no,yes", "/bot_reason is not one of "),
        ("bot_reason=burst,headless", "/bot_reason is asked for by one"),
        ("bot_reason=-", "/bot_reason is asked for by one"),
        ("publisher_id=p&country=US", "/publisher_id publisher_id cannot be combined"),
        ("country=US&group_by=city", "/group_by city cannot be combined"),
        ("country=US&group_by=link", "/group_by link can be combined with others only within"),
        ("country=US&device=-tablet&interval=hour", "/interval combined filters are kept by day"),
        ("country=US&device=-tablet&tz=Asia/Kolkata", "/tz combined filters are kept by day of UTC"),
    ] {
        assert!(rejected(text).starts_with(start), "{text}: {}", rejected(text));
    }
}

proptest! {
    #[test]
    fn any_text_is_a_query_or_refused(
        text in ".{0,80}",
        from in "[-+0-9TZ:.]{0,30}",
        at: i64,
        tz in prop::sample::select(vec!["UTC", "Pacific/Apia", "Australia/Lord_Howe", "Africa/Monrovia"]),
        interval in prop::sample::select(vec!["", "&interval=minute", "&interval=hour", "&interval=day"]),
    ) {
        for text in [
            text.clone(),
            format!("from={from}&tz={tz}{interval}"),
            format!("to={at}&tz={tz}{interval}"),
            format!("from={at}&tz={tz}{interval}"),
            format!("group_by={text}&country={text}&referrer={text}"),
        ] {
            if let Ok(query) = Query::parse(&text, NOW, zone) {
                let span = query.span;
                prop_assert!(span.starts.is_sorted_by(|a, b| a < b));
                prop_assert_eq!(span.starts.first(), Some(&span.from_ms));
                prop_assert!(span.starts.last() < Some(&span.to_ms));
            }
        }
    }
}
