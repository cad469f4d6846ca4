//! Was it a person? A verdict with its reasons; nothing is ever dropped for it.

mod signs;

use crate::{Agent, Hints, Kind, RawEvent, Source};
use signs::Saying;

/// What the event is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// A person.
    Human,
    /// One sign against a person, which a person may show as well. Counted as one until a second agrees.
    Suspect,
    /// Not a person's act: a program, or a browser that only looks ahead.
    Bot,
}

impl Verdict {
    /// Every verdict, in the order of its code.
    pub const ALL: [Self; 3] = [Self::Human, Self::Suspect, Self::Bot];

    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Suspect => "suspect",
            Self::Bot => "bot",
        }
    }
}

/// Why. A closed vocabulary: reports and filters name these and no others. The order is the bit's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// The user agent says that it is a crawler, a monitor, a feed fetcher.
    UaList,
    /// The user agent is a programming library's default.
    UaGenericLibrary,
    /// A browser without a window, or one driven by a program.
    Headless,
    /// No user agent, or one that names nothing. Browsers and the privacy tools in them always name one.
    EmptyUa,
    /// The method was HEAD. No browser follows a link so; link checkers, previews and mail gateways do.
    HeadRequest,
    /// The browser fetched it in case the person goes there. If the person does, that is another request.
    Prefetch,
    /// A messenger or network draws its preview of the link.
    LinkPreview,
    /// A mail gateway looks for malware behind the link.
    EmailScanner,
    /// A mail provider fetches images on its reader's behalf.
    ImageProxy,
    /// The network is a hosting company's.
    DatacenterAsn,
    /// The platform knows the crawler by its address.
    VerifiedBot,
    /// It followed a link that no person sees.
    Honeypot,
    /// More than a person can click.
    Burst,
    /// Its headers contradict each other.
    ImpossibleHints,
}

impl Reason {
    /// Every reason, in the order of its bit.
    pub const ALL: [Self; 14] = [
        Self::UaList,
        Self::UaGenericLibrary,
        Self::Headless,
        Self::EmptyUa,
        Self::HeadRequest,
        Self::Prefetch,
        Self::LinkPreview,
        Self::EmailScanner,
        Self::ImageProxy,
        Self::DatacenterAsn,
        Self::VerifiedBot,
        Self::Honeypot,
        Self::Burst,
        Self::ImpossibleHints,
    ];

    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::UaList => "ua_list",
            Self::UaGenericLibrary => "ua_generic_library",
            Self::Headless => "headless",
            Self::EmptyUa => "empty_ua",
            Self::HeadRequest => "head_request",
            Self::Prefetch => "prefetch",
            Self::LinkPreview => "link_preview",
            Self::EmailScanner => "email_scanner",
            Self::ImageProxy => "image_proxy",
            Self::DatacenterAsn => "datacenter_asn",
            Self::VerifiedBot => "verified_bot",
            Self::Honeypot => "honeypot",
            Self::Burst => "burst",
            Self::ImpossibleHints => "impossible_hints",
        }
    }
}

/// A set of reasons.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Reasons(u32);

impl Reasons {
    /// These reasons and that one.
    #[must_use]
    pub fn with(self, reason: Reason) -> Self {
        Self(self.0 | 1 << reason as u32)
    }

    /// Whether the reason is among them.
    pub fn has(self, reason: Reason) -> bool {
        self.0 & 1 << reason as u32 != 0
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The set as a number; the bits are those of [`Reason::ALL`].
    pub fn bits(self) -> u32 {
        self.0
    }

    /// Their names, in the order of [`Reason::ALL`].
    pub fn iter(self) -> impl Iterator<Item = &'static str> {
        Reason::ALL.into_iter().filter(move |reason| self.has(*reason)).map(Reason::name)
    }
}

/// The verdict and what it rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Bot {
    /// What the event is taken for.
    pub verdict: Verdict,
    /// Why; may name reasons that were not enough.
    pub reasons: Reasons,
}

impl Bot {
    /// Judges an event by what its request shows and by what was made of its user agent.
    pub fn judge(raw: &RawEvent<'_>, agent: &Agent<'_>) -> Self {
        let known = !(agent.browser.is_empty() && agent.os.is_empty());
        let saying = Saying::of(&raw.user_agent, &raw.ua_brands, known);
        let mut reasons = Reasons::default();
        let (mut certain, mut doubts) = (false, 0);
        let mut add = |reason, weight| {
            reasons = reasons.with(reason);
            match weight {
                Weight::Certain => certain = true,
                Weight::Doubt => doubts += 1,
                Weight::None => {}
            }
        };
        if let Saying::Program { reason, certain } = saying {
            add(reason, weight(reason, certain, raw));
        }
        if raw.hints.has(Hints::HEAD) {
            add(Reason::HeadRequest, Weight::Certain);
        }
        if raw.hints.has(Hints::PREFETCH) {
            add(Reason::Prefetch, Weight::Certain);
        }
        let verdict = match doubts {
            _ if certain => Verdict::Bot,
            0 => Verdict::Human,
            1 => Verdict::Suspect,
            _ => Verdict::Bot,
        };
        Self { verdict, reasons }
    }

    /// Whether the user agent is a program's, whatever the person behind the request.
    pub fn is_program(self) -> bool {
        use Reason::{Headless, LinkPreview, UaGenericLibrary, UaList, VerifiedBot};
        self.verdict == Verdict::Bot
            && [UaList, UaGenericLibrary, Headless, LinkPreview, VerifiedBot]
                .into_iter()
                .any(|reason| self.reasons.has(reason))
    }
}

/// How much a reason proves by itself.
enum Weight {
    Certain,
    Doubt,
    None,
}

/// What the user agent proves at this door.
///
/// A visitor's browser opens links and pixels itself. The `POST` doors are also for a customer's server that
/// reports on a visitor's behalf, with the server's library as its user agent: there a library, or none, is a
/// doubt. An image proxy fetches a pixel because somebody opened the mail, but it follows no links.
fn weight(reason: Reason, certain: bool, raw: &RawEvent<'_>) -> Weight {
    let reported = matches!(raw.source, Source::Beacon | Source::Batch);
    match reason {
        Reason::ImageProxy if raw.kind == Kind::Impression => Weight::None,
        Reason::UaGenericLibrary | Reason::EmptyUa if reported => Weight::Doubt,
        _ if certain => Weight::Certain,
        _ => Weight::Doubt,
    }
}

#[cfg(test)]
mod tests {
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
            assert_eq!(
                judged(&hit(Source::Redirect, Kind::Click, user_agent)).0,
                Verdict::Bot,
                "{user_agent}"
            );
            assert_eq!(
                judged(&hit(Source::Batch, Kind::Click, user_agent)).0,
                Verdict::Suspect,
                "{user_agent}"
            );
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
        let proxy =
            "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)";
        let opened = hit(Source::Pixel, Kind::Impression, proxy);
        assert_eq!(judged(&opened), (Verdict::Human, vec!["image_proxy"]));
        assert_eq!(judged(&hit(Source::Redirect, Kind::Click, proxy)).0, Verdict::Bot);
    }

    /// Stored numbers: a bit that moved would change what old events were marked for.
    #[test]
    fn bits_are_pinned() {
        for (bit, reason) in Reason::ALL.into_iter().enumerate() {
            assert_eq!(Reasons::default().with(reason).bits(), 1 << bit);
        }
        let names: Vec<_> = Reasons(u32::MAX).iter().collect();
        assert_eq!(names.len(), 14);
        assert_eq!((names[0], names[13]), ("ua_list", "impossible_hints"));
    }
}
