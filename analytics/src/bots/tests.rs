use super::*;
use crate::EventId;
use crate::agent::Headers;

const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36";

fn hit(source: Source, kind: Kind, user_agent: &'static str) -> RawEvent<'static> {
    let id = EventId::from_bytes([1; 16]);
    RawEvent { user_agent: user_agent.into(), ..RawEvent::new(id, kind, source, 0) }
}

fn judged(raw: &RawEvent<'_>) -> (Verdict, Vec<&'static str>) {
    let headers = Headers { user_agent: &raw.user_agent, ..Headers::default() };
    let bot = Bot::judge(raw, &Agent::read(headers));
    (bot.verdict, bot.reasons.iter().collect())
}

#[test]
fn a_person_is_a_person_until_it_asks_by_head_or_ahead_of_time() {
    let click = hit(Source::Redirect, Kind::Click, CHROME);
    assert_eq!(judged(&click), (Verdict::Human, vec![]));
    let hints = Hints::HEAD.with(Hints::PREFETCH);
    assert_eq!(
        judged(&RawEvent { hints, ..click }),
        (Verdict::Bot, vec!["head_request", "prefetch"]),
        "and both are named"
    );
}

#[test]
fn a_server_that_reports_is_doubted_and_one_that_clicks_is_a_bot() {
    for user_agent in ["", "python-requests/2.31", "curl/8.5.0"] {
        assert_eq!(judged(&hit(Source::Redirect, Kind::Click, user_agent)).0, Verdict::Bot, "{user_agent}");
        assert_eq!(judged(&hit(Source::Batch, Kind::Click, user_agent)).0, Verdict::Suspect, "{user_agent}");
    }
    let crawler = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
    assert_eq!(judged(&hit(Source::Batch, Kind::Page, crawler)), (Verdict::Bot, vec!["ua_list"]));
}

#[test]
fn an_app_that_fetches_is_doubted() {
    let app = hit(Source::Redirect, Kind::Click, "okhttp/4.12.0");
    assert_eq!(judged(&app), (Verdict::Suspect, vec!["ua_generic_library"]));
}

#[test]
fn an_image_proxy_opens_mail_for_a_person_but_clicks_nothing() {
    let proxy = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)";
    let opened = hit(Source::Pixel, Kind::Impression, proxy);
    assert_eq!(judged(&opened), (Verdict::Human, vec!["image_proxy"]));
    assert_eq!(judged(&hit(Source::Redirect, Kind::Click, proxy)).0, Verdict::Bot);
}

#[test]
fn mail_that_was_fetched_ahead_is_told_from_mail_that_was_opened() {
    let apple = RawEvent { asn: 36_183, ..hit(Source::Pixel, Kind::Impression, "Mozilla/5.0") };
    assert_eq!(judged(&apple), (Verdict::Suspect, vec!["prefetch", "image_proxy"]));
    assert_eq!(
        judged(&RawEvent { asn: 24_940, ..apple }),
        (Verdict::Bot, vec!["empty_ua", "datacenter_asn"])
    );
    let gmail = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0";
    let ahead = RawEvent { asn: 15_169, ..hit(Source::Pixel, Kind::Impression, gmail) };
    assert_eq!(judged(&ahead), (Verdict::Bot, vec!["prefetch", "image_proxy"]));
}

#[test]
fn a_person_on_a_vpn_is_no_bot_and_a_copied_browser_in_a_data_centre_is_one() {
    let vpn = RawEvent {
        asn: 9_009,
        language: "de-DE,de;q=0.9".into(),
        ..hit(Source::Redirect, Kind::Click, CHROME)
    };
    assert_eq!(judged(&vpn), (Verdict::Suspect, vec!["datacenter_asn"]));
    let both = (Verdict::Bot, vec!["datacenter_asn", "impossible_hints"]);
    assert_eq!(judged(&RawEvent { language: "".into(), ..vpn.clone() }), both, "browsers speak a language");
    let copied = RawEvent { ua_platform: "\"Linux\"".into(), ..vpn.clone() };
    assert_eq!(judged(&copied), both);
    let at_home = RawEvent { asn: 3_320, ..copied };
    assert_eq!(judged(&at_home), (Verdict::Suspect, vec!["impossible_hints"]), "it may be a setting");
    let relayed = RawEvent { asn: 13_335, ..vpn.clone() };
    assert_eq!(judged(&relayed), (Verdict::Human, vec![]), "as does everybody on Private Relay");
    let app = RawEvent { user_agent: "okhttp/4.12.0".into(), ..vpn };
    assert_eq!(judged(&app).0, Verdict::Bot, "an app runs on a telephone");
}

#[test]
fn a_trap_proves_and_what_else_its_visitor_does_is_doubted() {
    let with =
        |hints| RawEvent { hints, language: "en".into(), ..hit(Source::Redirect, Kind::Click, CHROME) };
    assert_eq!(judged(&with(Hints::TRAP)), (Verdict::Bot, vec!["honeypot"]));
    assert_eq!(judged(&with(Hints::TRAPPED)), (Verdict::Suspect, vec!["honeypot"]), "it may be an office");
    assert_eq!(judged(&with(Hints::BURST)), (Verdict::Suspect, vec!["burst"]));
    let both = with(Hints::TRAPPED.with(Hints::BURST));
    assert_eq!(judged(&both), (Verdict::Suspect, vec!["honeypot", "burst"]), "one witness");
    let hosted = RawEvent { asn: 24_940, ..with(Hints::BURST) };
    assert_eq!(judged(&hosted), (Verdict::Bot, vec!["datacenter_asn", "burst"]));
}

#[test]
fn a_server_that_reports_may_stand_in_a_data_centre() {
    let report = RawEvent { asn: 16_509, ..hit(Source::Batch, Kind::Click, "python-requests/2.31") };
    assert_eq!(judged(&report), (Verdict::Suspect, vec!["ua_generic_library", "datacenter_asn"]));
    let passed_on = RawEvent { user_agent: CHROME.into(), ..report };
    assert_eq!(judged(&passed_on), (Verdict::Suspect, vec!["datacenter_asn"]));
}

#[test]
fn a_mail_gateway_is_doubted_and_a_crawler_that_the_platform_knows_is_a_bot() {
    let click = RawEvent { language: "en".into(), ..hit(Source::Redirect, Kind::Click, CHROME) };
    let gateway = RawEvent { asn: 22_843, ..click.clone() };
    assert_eq!(judged(&gateway), (Verdict::Suspect, vec!["email_scanner"]));
    let looking = RawEvent { hints: Hints::HEAD, ..gateway };
    assert_eq!(judged(&looking), (Verdict::Bot, vec!["head_request", "email_scanner"]));
    let known = RawEvent { hints: Hints::VERIFIED_BOT, ..click };
    assert_eq!(judged(&known), (Verdict::Bot, vec!["verified_bot"]));
}
