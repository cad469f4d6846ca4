//! Was it a person? A verdict with its reasons; nothing is ever dropped for it.

mod grammar;
mod headers;
mod list;
mod network;
mod reason;
mod shape;
mod signs;

use crate::agent::Headers;
use crate::{Agent, Hints, Kind, RawEvent, Source};
pub use reason::{Reason, Reasons};
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
        Self::judge_by(raw, || Witness::of(&raw.headers(), agent))
    }

    /// [`Bot::judge`] by what the headers were found to say.
    pub(crate) fn judge_by(raw: &RawEvent<'_>, witness: impl FnOnce() -> Witness) -> Self {
        // What a server tells of a visitor shows nothing of the visitor's own request.
        if raw.source == Source::Postback {
            return Self { verdict: Verdict::Human, reasons: Reasons::default() };
        }
        let (mut case, witness) = (Case::default(), witness());
        case.hear_agent(raw, witness.saying);
        case.hear_network(raw);
        case.hear_headers(raw, witness.contradicts);
        case.hear_conduct(raw);
        let verdict = match case.doubts() {
            _ if case.certain => Verdict::Bot,
            0 => Verdict::Human,
            1 => Verdict::Suspect,
            _ => Verdict::Bot,
        };
        Self { verdict, reasons: case.reasons }
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

/// What the headers that tell of the agent say by themselves, whatever the event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Witness {
    saying: Saying,
    contradicts: bool,
}

impl Witness {
    pub(crate) fn of(headers: &Headers<'_>, agent: &Agent<'_>) -> Self {
        Self {
            saying: Saying::of(headers.user_agent, headers.brands, agent),
            contradicts: headers::contradict(headers),
        }
    }
}

/// What was brought forward. Doubts count by the kind of their witness: two of one kind are one, for a VPN that
/// is called a data centre and a mail gateway is still one VPN.
#[derive(Debug, Default)]
#[allow(clippy::struct_excessive_bools)] // each witness has spoken or has not
struct Case {
    reasons: Reasons,
    certain: bool,
    agent: bool,
    network: bool,
    headers: bool,
    conduct: bool,
}

impl Case {
    fn doubts(&self) -> usize {
        [self.agent, self.network, self.headers, self.conduct].into_iter().filter(|doubt| *doubt).count()
    }

    fn prove(&mut self, reason: Reason) {
        self.reasons = self.reasons.with(reason);
        self.certain = true;
    }

    /// What the user agent proves at this door.
    ///
    /// A visitor's browser opens links and pixels itself. The `POST` doors are also for a customer's server that
    /// reports on a visitor's behalf, with the server's library as its user agent: there a library, or none, is
    /// a doubt. An image proxy fetches a pixel because somebody opened the mail, but it follows no links.
    fn hear_agent(&mut self, raw: &RawEvent<'_>, saying: Saying) {
        if let Some(ahead) = fetched_ahead(raw) {
            self.reasons = self.reasons.with(Reason::ImageProxy).with(Reason::Prefetch);
            (self.certain, self.agent) = (ahead == Ahead::Always, true);
            return;
        }
        let Saying::Program { reason, certain } = saying else {
            return;
        };
        self.reasons = self.reasons.with(reason);
        match reason {
            Reason::ImageProxy if raw.kind == Kind::Impression => {}
            Reason::UaGenericLibrary | Reason::EmptyUa if is_reported(raw) => self.agent = true,
            _ if certain => self.certain = true,
            _ => self.agent = true,
        }
    }

    /// What the network adds. An image proxy runs in a data centre as a matter of course, and so does a server
    /// that reports: that tells nothing more of either.
    fn hear_network(&mut self, raw: &RawEvent<'_>) {
        let Some(reason) = network::doubt(raw.asn) else { return };
        if self.reasons.has(Reason::ImageProxy) && raw.kind == Kind::Impression {
            return;
        }
        self.reasons = self.reasons.with(reason);
        self.network = !(is_reported(raw) && self.agent);
    }

    /// What else the visitor did. Who hides a link says that nobody follows it, so whoever does is no person. But an
    /// office behind one address, with the same browser on every desk, is one visitor: for the visitor's other hits, and for
    /// many at once, that is one doubt.
    fn hear_conduct(&mut self, raw: &RawEvent<'_>) {
        if raw.hints.has(Hints::TRAP) {
            self.prove(Reason::Honeypot);
        }
        for (hint, reason) in [(Hints::TRAPPED, Reason::Honeypot), (Hints::BURST, Reason::Burst)] {
            if raw.hints.has(hint) {
                self.reasons = self.reasons.with(reason);
                self.conduct = true;
            }
        }
    }

    /// What the other headers say. Every browser sends its person's languages; that they are missing is too little
    /// to begin with, but it settles the doubt about a browser in a data centre.
    fn hear_headers(&mut self, raw: &RawEvent<'_>, contradicts: bool) {
        let speechless = raw.language.is_empty() && self.network && !self.agent && !is_reported(raw);
        if speechless && raw.kind != Kind::Impression || contradicts {
            self.reasons = self.reasons.with(Reason::ImpossibleHints);
            self.headers = true;
        }
        for (hint, reason) in [
            (Hints::HEAD, Reason::HeadRequest),
            (Hints::PREFETCH, Reason::Prefetch),
            (Hints::VERIFIED_BOT, Reason::VerifiedBot),
        ] {
            if raw.hints.has(hint) {
                self.prove(reason);
            }
        }
    }
}

/// Whether the door is one that servers report at, for visitors of theirs.
fn is_reported(raw: &RawEvent<'_>) -> bool {
    matches!(raw.source, Source::Beacon | Source::Batch)
}

/// How an image was loaded before anybody looked.
#[derive(PartialEq, Eq)]
enum Ahead {
    /// Whether anybody looked or not: Apple Mail loads the images of every mail that comes in.
    Perhaps,
    /// Gmail does so with a few mails, and once more by its image proxy when the mail is opened.
    Always,
}

/// Image loads of the mail providers that no reader caused, by the only marks that they have.
fn fetched_ahead(raw: &RawEvent<'_>) -> Option<Ahead> {
    if raw.kind != Kind::Impression {
        return None;
    }
    match &*raw.user_agent {
        "Mozilla/5.0" if network::is_relay(raw.asn) => Some(Ahead::Perhaps),
        gmail if gmail.ends_with(" Edge/12.246 Mozilla/5.0") => Some(Ahead::Always),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
