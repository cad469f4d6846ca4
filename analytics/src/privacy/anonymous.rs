//! An event of which nothing leads to its visitor, and that counts all the same.

use std::hash::Hasher;

use siphasher::sip::SipHasher13;

use super::reveal::decoded;
use super::strip::cut;
use super::url::{Cut, Fate};
use crate::click_id::SealedClick;
use crate::signature::Signer;
use crate::utm::is_click_id;
use crate::{Hints, Kind, RawEvent, Text};

/// Parameters that tell one visitor or one recipient from all others: our own names for it, what Google's tag hands from
/// site to site, and what e-mail and advertising services write into each recipient's links (the lists by which Firefox
/// and Brave clean URLs).
const IDS: [&str; 36] = [
    "__hsfp",
    "__hssc",
    "__hstc",
    "__s",
    "_bhlid",
    "_branch_match_id",
    "_ga",
    "_gl",
    "_hsenc",
    "_hsmi",
    "_kx",
    "_openstat",
    "aid",
    "anonymous_id",
    "click_id",
    "clickid",
    "hsctatracking",
    "mkt_tok",
    "ml_subscriber",
    "ml_subscriber_hash",
    "oft_id",
    "oly_anon_id",
    "oly_enc_id",
    "rb_clickid",
    "s_cid",
    "session_id",
    "sid",
    "srsltid",
    "subscriber_id",
    "uid",
    "unicorn_click_id",
    "user_id",
    "vero_conv",
    "vero_id",
    "vgo_ee",
    "ysclid",
];

/// Makes an event anonymous.
///
/// Instead of the visitor it names itself: a key by which nothing can be joined, because it is worked out of the event's
/// own id. An order's number is the exception. It is stored anyway, and with it as the key an order that is told twice,
/// or taken back, is still one order: it is somebody's money.
///
/// A network's click id proves that the click was paid for, by its name; its value says which click, and goes.
pub(super) fn make(event: &mut RawEvent<'_>, signer: Option<&Signer>) {
    event.hints = event.hints.with(Hints::ANONYMOUS);
    event.user_id = Text::EMPTY;
    event.session_id = Text::EMPTY;
    event.anonymous_id = Text::EMPTY;
    event.ip = Text::EMPTY;
    // When the click was, to the millisecond, is as good as its id.
    event.click_ms = None;
    event.visitor = alone(event);
    let ours = |value: &str| signer.is_some_and(|signer| SealedClick::read(&decoded(value), signer).is_ok());
    cut(
        event,
        &Cut {
            fate: &|name, value| {
                if is_click_id(name) {
                    Fate::Blank
                } else if IDS.binary_search(&&*name.to_ascii_lowercase()).is_ok() || ours(value) {
                    Fate::Drop
                } else {
                    Fate::Keep
                }
            },
            hides: &|_| false,
        },
    );
}

/// The key of an event that is nobody's.
pub fn alone(event: &RawEvent<'_>) -> u64 {
    let mut hasher = SipHasher13::new_with_key(b"clicktrail alone");
    match event.postback.txid.present().filter(|_| event.kind == Kind::Conversion) {
        Some(order) => hasher.write(order.as_bytes()),
        None => hasher.write(event.id.as_bytes()),
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_sorted_and_small() {
        assert!(IDS.is_sorted());
        assert!(IDS.iter().all(|name| name.to_ascii_lowercase() == *name));
    }
}
