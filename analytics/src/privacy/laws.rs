//! What holds for every policy, every visitor and every event.

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::capture::laws::any_event;
use crate::capture::{Facts, LinkFacts, Rules, pixel, redirect};
use crate::click_id::ClickId;
use crate::{EventId, Hints, Kind, Source, Text, VisitorKey, enrich};

const HEEDS: [Heed; 3] = [Heed::Ignore, Heed::Anonymous, Heed::Drop];
const COUNTRIES: [&str; 6] = ["", "US", "DE", "GB", "T1", "de"];

fn any_policy() -> impl Strategy<Value = Policy> {
    let strict = select(vec![vec![], vec!["eu".to_owned()], vec!["US".to_owned(), "GB".to_owned()]]);
    let ip = select(vec![Ip::None, Ip::Truncated, Ip::Full]);
    (ip, select(&HEEDS[..]), select(&HEEDS[..]), any::<bool>(), strict).prop_map(
        |(ip, do_not_track, opt_out, consent_required, strict)| Policy {
            ip,
            do_not_track,
            opt_out,
            consent_required,
            strict,
            signer: Signer::new("secret"),
            ..Policy::default()
        },
    )
}

fn anybody() -> impl Strategy<Value = (Signals, Asked, &'static str)> {
    let signals = select(vec!["", "d", "g", "o", "dg", "dgo"]).prop_map(Signals::of_letters);
    let asked =
        (any::<Option<bool>>(), any::<bool>()).prop_map(|(consent, opt_out)| Asked { consent, opt_out });
    (signals, asked, select(&COUNTRIES[..]))
}

/// A policy that is nowhere laxer.
fn stricter(one: &Policy, other: &Policy) -> Policy {
    Policy {
        ip: one.ip.min(other.ip),
        do_not_track: one.do_not_track.max(other.do_not_track),
        opt_out: one.opt_out.max(other.opt_out),
        consent_required: one.consent_required || other.consent_required,
        strict: [one.strict.clone(), other.strict.clone()].concat(),
        ..one.clone()
    }
}

/// URLs, with much in them that is looked for.
fn any_url() -> impl Strategy<Value = String> {
    let word = select(vec![
        "https://",
        "a.example",
        "jane@a.example",
        "jane%40a.example",
        "/",
        "//",
        "?",
        "&",
        "=",
        "#",
        ";",
        "token",
        "uid",
        "gclid",
        "%",
        "%25",
        "x",
        "utm_source",
        "eyJ",
        ".",
        "@",
        "é",
        "+",
        "jsessionid",
        "(mail)",
    ]);
    prop_oneof![".{0,40}", proptest::collection::vec(word, 0..14).prop_map(|words| words.concat())]
}

proptest! {
    #[test]
    fn a_stricter_policy_never_reveals_more(
        (one, other) in (any_policy(), any_policy()),
        (signals, asked, country) in anybody(),
    ) {
        let strict = stricter(&one, &other);
        prop_assert!(strict.decide(signals, asked, country).how >= one.decide(signals, asked, country).how);
        prop_assert!(strict.ip_in(country) <= one.ip_in(country));
    }

    #[test]
    fn who_says_more_is_never_known_better(policy in any_policy(), (signals, asked, country) in anybody()) {
        let how = policy.decide(signals, asked, country).how;
        let all = Signals::of_letters("dgo");
        prop_assert!(policy.decide(all, asked, country).how >= how);
        let refused = Asked { consent: Some(false), opt_out: true };
        prop_assert!(policy.decide(signals, asked.and(refused), country).how >= how);
    }

    #[test]
    fn whoever_is_not_known_whole_has_a_reason(policy in any_policy(), (signals, asked, country) in anybody()) {
        let decision = policy.decide(signals, asked, country);
        prop_assert_eq!(decision.how == How::Whole, decision.why.is_none());
    }

    /// What leads to a visitor is gone from every byte that travels on, whichever door it came by.
    #[test]
    fn an_anonymous_event_holds_none_of_the_ids(
        (mut event, door) in (any_event(), 0..3_u8),
        words in proptest::collection::vec("[g-z]{12}", 7),
        extra in any_url(),
    ) {
        let [user, session, device, network, mail, secret, _] = words.as_slice() else { unreachable!() };
        let signer = Signer::new("secret").unwrap();
        let click =
            ClickId { link: "demo", campaign_id: "", variant: "", time_ms: 7, visitor: 0x5eed_5eed_5eed_5eed };
        let click = click.encode(&signer);
        let query = format!(
            "uid={user}&sid={session}&aid={device}&%75id={user}&gclid={network}&mc_eid={network}&mail={mail}\
             &q={mail}%40a.example&token={secret}&ct={click}&consent=denied&utm_source=news"
        );
        let facts = Facts {
            received_at_ms: 1_790_000_000_000,
            visitor: 0x1234_5678_9abc_def0,
            ip: "203.0.113.0",
            ..Facts::default()
        };
        let url = format!("https://a.example/{mail}@a.example?{query}#{query}");
        event = match door {
            0 => redirect(&LinkFacts { token: "demo", ..LinkFacts::default() }, query.leak(), &facts),
            1 => pixel(query.leak(), &facts, &Rules::default()).unwrap(),
            _ => RawEvent { asked: Asked { consent: Some(false), opt_out: false }, ..event },
        };
        event.user_id = user.as_str().into();
        event.session_id = session.as_str().into();
        event.anonymous_id = device.as_str().into();
        (event.visitor, event.ip, event.click_ms) = (facts.visitor, facts.ip.into(), Some(7));
        (event.page_url, event.referrer) = (Text::from(url.clone()), Text::from(format!("{url}{extra}")));
        event.props = vec![("href".into(), Text::from(url))];
        let policy = Policy { signer: Some(signer), ..Policy::default() };
        let decision = policy.heed(&mut event, Signals::default(), Asked::default());
        prop_assert_eq!((decision.how, decision.why), (How::Anonymous, Some(Why::ConsentDenied)));
        let told = format!("{event:?}");
        for id in [user, session, device, network, mail, secret, &click] {
            prop_assert!(!told.contains(id.as_str()), "{} in {}", id, told);
        }
        prop_assert!(event.hints.has(Hints::ANONYMOUS) && event.ip.is_empty() && event.click_ms.is_none());
        prop_assert_ne!(event.visitor, facts.visitor);
        let stays = told.contains("gclid=x") && told.contains("utm_source=news");
        prop_assert!(stays, "what is nobody's stays: {}", told);
        let mut body = Vec::new();
        event.encode(&mut body);
        prop_assert_eq!(RawEvent::decode(event.id, &body).map(|read| read.hints), Ok(event.hints));
    }

    #[test]
    fn heeding_twice_is_heeding_once(
        (mut event, urls) in (any_event(), proptest::collection::vec(any_url(), 4)),
        policy in any_policy(),
        (signals, asked, country) in anybody(),
    ) {
        let mut urls = urls.into_iter().map(Text::from);
        event.country = country.into();
        event.page_url = urls.next().unwrap();
        event.referrer = urls.next().unwrap();
        event.query = urls.next().unwrap();
        event.props = urls.map(|url| ("href".into(), url)).collect();
        let decision = policy.heed(&mut event, signals, asked);
        let once = event.clone();
        prop_assert_eq!(policy.heed(&mut event, signals, asked), decision);
        prop_assert_eq!(event, once);
    }

    #[test]
    fn stripping_is_idempotent_and_never_adds(url in any_url()) {
        let strip = Strip::default();
        let once = strip.url(&url);
        prop_assert_eq!(strip.url(&once), once.clone());
        prop_assert!(once.len() <= url.len());
    }
}

fn click(id: u8, user_id: &'static str) -> RawEvent<'static> {
    let mut event =
        RawEvent::new(EventId::from_bytes([id; 16]), Kind::Click, Source::Redirect, 1_790_000_000_000);
    (event.user_id, event.visitor) = (user_id.into(), 7);
    event
}

#[test]
fn nothing_is_said_and_nothing_asked_for() {
    let policy = Policy::default();
    assert!(!policy.listens());
    let decision = policy.decide(Signals::of_letters("dgo"), Asked { consent: None, opt_out: true }, "DE");
    assert_eq!(decision, Decision::default());
}

#[test]
fn a_visitor_is_asked_where_the_law_asks() {
    let policy = Policy { strict: vec!["eu".to_owned(), "BR".to_owned()], ip: Ip::Full, ..Policy::default() };
    for (country, strict) in
        [("DE", true), ("GB", true), ("BR", true), ("US", false), ("", true), ("XX", true), ("T1", true)]
    {
        assert_eq!(policy.is_strict(country), strict, "{country}");
        assert_eq!(policy.ip_in(country), if strict { Ip::None } else { Ip::Full });
        let how = |consent| policy.decide(Signals::default(), Asked { consent, opt_out: false }, country).how;
        assert_eq!(
            [how(None), how(Some(true))],
            [if strict { How::Anonymous } else { How::Whole }, How::Whole]
        );
    }
}

#[test]
fn consent_does_not_take_back_a_signal() {
    let policy = Policy { do_not_track: Heed::Drop, ..Policy::default() };
    let said = Asked { consent: Some(true), opt_out: false };
    let decision = policy.decide(Signals::GPC, said, "US");
    assert_eq!(decision, Decision { how: How::Nothing, why: Some(Why::GlobalPrivacyControl) });
}

/// A click is billed whoever made it; it is not one more visitor, and leaves no journey. An order is in one, by its number.
#[test]
fn somebody_anonymous_counts_but_not_as_somebody() {
    let policy = Policy { consent_required: true, ..Policy::default() };
    let heeded = |mut event: RawEvent<'static>| {
        policy.heed(&mut event, Signals::default(), Asked::default());
        enrich(event)
    };
    let (one, two) = (heeded(click(1, "u")), heeded(click(2, "u")));
    assert_ne!(one.raw.visitor, two.raw.visitor, "nothing joins the two");
    assert!(crate::Footprint::of(&one).is_none());
    let order = |id, txid: &'static str| {
        let mut event = RawEvent { kind: Kind::Conversion, ..click(id, "u") };
        event.postback.txid = txid.into();
        VisitorKey::all_of(&heeded(event))
    };
    assert_eq!(order(3, "order-1"), order(4, "order-1"));
    assert_ne!(order(3, "order-1"), order(3, "order-2"));
    assert_ne!(order(3, ""), order(4, ""));
}
