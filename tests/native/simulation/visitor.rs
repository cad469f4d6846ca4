//! Visitors: what they do, and by which of their names an event knows them.

use analytics::conversion::{Postback, Status};
use analytics::{Kind, RawEvent, Source, Text};

use super::chance::Chance;

const BROWSER: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                       Chrome/120.0.0.0 Safari/537.36";
/// Few, so that each does several things. The best name of every third is a user's, a device's, a session's.
const VISITORS: usize = 6;

/// By what an event knows its visitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    /// It is a program's: nobody's.
    Nobody,
    /// The day's hash and nothing else.
    Hash,
    /// The best name of this visitor, and all that are weaker: it bonds.
    Names,
    /// The weaker half of the names of a user: it bonds hash and device, and another will bond both.
    Device,
    /// A server tells of a user: it bonds nothing.
    Server,
}

/// What a visitor does.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Doing {
    pub(crate) kind: Kind,
    visitor: usize,
    known: Known,
    session: usize,
    page: usize,
    txid: usize,
    status: Status,
    value_micros: i64,
}

impl Doing {
    /// Something that somebody does. Its id may be one that was used before: then nobody does it, for a journey takes
    /// an id once, and which of two would depend on the order.
    pub(crate) fn any(reused: bool, chance: &mut Chance) -> Self {
        let kind = match chance.below(20) {
            0..10 => Kind::Click,
            10..14 => Kind::Page,
            14..18 => Kind::Conversion,
            18 => Kind::Impression,
            _ => Kind::SessionEnd,
        };
        let visitor = chance.below(VISITORS);
        let sort = visitor % 3;
        let known = match chance.below(8) {
            _ if reused => Known::Nobody,
            0 => Known::Nobody,
            1..4 => Known::Hash,
            4 if sort == 0 => Known::Device,
            5 if sort == 0 && kind == Kind::Conversion => Known::Server,
            _ => Known::Names,
        };
        Self {
            kind,
            visitor,
            known,
            session: chance.below(3),
            page: chance.below(3),
            txid: chance.below(3),
            status: Status::ALL[chance.below(4)],
            value_micros: chance.ms(0, 3) * 1_000_000,
        }
    }

    /// What the edge sees of it.
    pub(crate) fn show(&self, raw: &mut RawEvent<'_>) {
        let text = |prefix: &str, number: usize| Text::from(format!("{prefix}{number}"));
        raw.kind = self.kind;
        if self.kind != Kind::Click {
            raw.source = Source::Beacon;
        }
        if self.kind == Kind::Page {
            raw.page_url = text("https://shop.example/", self.page);
        }
        if self.kind == Kind::Conversion {
            raw.value_micros = Some(self.value_micros);
            raw.currency = ["EUR", "EUR", "USD"][self.page].into();
            let txid = if self.txid == 0 { Text::EMPTY } else { text("t", self.txid) };
            raw.postback = Postback { txid, status: self.status };
        }
        let sort = self.visitor % 3;
        raw.visitor = 1 + self.visitor as u64;
        raw.user_agent = match self.known {
            Known::Nobody => "Googlebot/2.1 (+http://www.google.com/bot.html)".into(),
            Known::Server => Text::EMPTY,
            _ => BROWSER.into(),
        };
        match self.known {
            Known::Nobody | Known::Hash => return,
            Known::Server => {
                raw.source = Source::Postback;
                raw.user_id = text("u", self.visitor);
                return;
            }
            Known::Names if sort == 0 => raw.user_id = text("u", self.visitor),
            // The best name is one and the same.
            Known::Names if sort == 2 => raw.session_id = text("s", self.visitor),
            Known::Names | Known::Device => {}
        }
        if sort < 2 {
            raw.anonymous_id = text("d", self.visitor);
            if self.session > 0 {
                raw.session_id = text("s", 10 * self.visitor + self.session);
            }
        }
    }
}
