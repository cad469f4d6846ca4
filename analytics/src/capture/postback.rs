//! Postbacks: conversions that one server tells another.
//!
//! Every network has its own words for the same five things. All of them are understood, so that a network's template
//! needs no change but the address.

use std::borrow::Cow;

use super::draft::Draft;
use super::field::Field;
use super::{Facts, Rules, query};
use crate::click_id::SealedClick;
use crate::conversion::Status;
use crate::{EventId, Kind, RawEvent, Reject, Source, Text};

/// A postback that can be read.
#[derive(Debug, PartialEq)]
pub struct Told<'a> {
    /// The conversion.
    pub event: RawEvent<'a>,
    /// What vouches for it besides its click id.
    pub proof: Proof<'a>,
}

/// What a postback brings along to show that it may speak.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Proof<'a> {
    /// An API key.
    pub key: Option<Cow<'a, str>>,
    /// A signature, and what it has to be of.
    pub sig: Option<(Cow<'a, str>, String)>,
    /// Whether it names a click that the service made. Nobody else can make one, but whoever clicked can read it.
    pub click: bool,
}

/// What a word of a network means.
enum Word {
    Field(Field),
    Status,
    /// A click id in some networks, a transaction in others: a click id can be told by its signature.
    Transaction,
    Key,
    Sig,
}

/// The words of Voluum, `RedTrack`, Keitaro, `BeMob`, Binom, TUNE and `AppsFlyer` (their documentation), and our own.
fn word(name: &str) -> Option<Word> {
    Some(match name {
        "click_id" | "clickid" | "clickId" | "cid" | "subid" | "sub_id" | "cnv_id" | "af_click_id" => {
            Word::Field(Field::ClickId)
        }
        "transaction_id" => Word::Transaction,
        "txid" | "tid" | "order_id" | "orderid" | "adv_sub" | "conversion_id" => Word::Field(Field::Txid),
        "payout" | "sum" | "amount" | "value" | "v" | "revenue" | "price" => Word::Field(Field::Value),
        "currency" | "cur" => Word::Field(Field::Currency),
        "status" => Word::Status,
        "type" | "goal" | "goal_id" | "event" | "name" => Word::Field(Field::Name),
        "event_id" | "eid" => Word::Field(Field::EventId),
        "event_time" | "time" | "t" => Word::Field(Field::EventTime),
        "user_id" | "uid" => Word::Field(Field::UserId),
        "anonymous_id" | "aid" => Word::Field(Field::AnonymousId),
        "session_id" | "sid" => Word::Field(Field::SessionId),
        "campaign_id" | "publisher_id" | "sub1" | "sub2" | "sub3" | "sub4" | "sub5" | "page_url" => {
            Word::Field(Field::of_json(name)?.0)
        }
        "key" | "security_token" => Word::Key,
        "sig" => Word::Sig,
        _ => return None,
    })
}

/// What networks call the four statuses.
fn status(text: &str) -> Option<Status> {
    Some(match text.to_ascii_lowercase().as_str() {
        "lead" | "pending" | "hold" | "registration" | "install" => Status::Lead,
        "sale" | "approved" | "approve" | "confirmed" | "accepted" | "success" | "paid" | "deposit" => {
            Status::Sale
        }
        "rejected" | "reject" | "declined" | "cancelled" | "canceled" | "trash" | "refund" | "chargeback" => {
            Status::Rejected
        }
        "rebill" | "upsell" | "recurring" => Status::Rebill,
        _ => return None,
    })
}

/// Reads the status of a conversion.
///
/// # Errors
/// The end of a sentence.
pub(super) fn status_of(text: &str) -> Result<Status, &'static str> {
    status(text.trim()).ok_or("is none of lead, sale, rejected, rebill")
}

/// The conversion that a query string or form tells. Of the request's facts only time and address are used: the rest is
/// the server's, not the visitor's.
///
/// # Errors
/// Every parameter that has to be corrected, by the name it was sent under.
pub fn postback<'a>(text: &'a str, facts: &Facts<'a>, rules: &Rules) -> Result<Told<'a>, Vec<Reject>> {
    let facts = Facts {
        received_at_ms: facts.received_at_ms,
        visitor: facts.visitor,
        ip: facts.ip,
        ..Facts::default()
    };
    let mut draft = Draft::new(Kind::Conversion, Source::Postback, &facts);
    let (mut proof, mut click) = (Proof::default(), None);
    for pair in query::pairs(text) {
        let (name, value) = (&*pair.name, pair.value);
        let Some(word) = word(name) else { continue };
        // Templates are filled in with nothing where a network does not know.
        if value.trim().is_empty() {
            continue;
        }
        let field = match word {
            Word::Field(field) => field,
            Word::Status => Field::Status,
            Word::Transaction => match &rules.signer {
                Some(signer) if SealedClick::read(&value, signer).is_ok() => Field::ClickId,
                _ => Field::Txid,
            },
            Word::Key => {
                proof.key = Some(value);
                continue;
            }
            Word::Sig => {
                proof.sig = Some((value, String::new()));
                continue;
            }
        };
        if field == Field::ClickId && click.is_none() {
            click = Some(value.clone().into_owned());
        }
        draft.take_first(field, pointer(name), value, rules);
    }
    if ![Field::ClickId, Field::UserId, Field::AnonymousId, Field::SessionId]
        .into_iter()
        .any(|one| draft.has(one))
    {
        draft.reject("/click_id", "is required: or user_id, anonymous_id or session_id");
    }
    let named = draft.id;
    let mut event = draft.finish().map_err(|invalid| invalid.rejects)?;
    let click = click.unwrap_or_default();
    proof.click = !click.is_empty();
    if let Some((_, signed)) = &mut proof.sig {
        let value = event.value_micros.map_or(String::new(), |micros| micros.to_string());
        let parts = [&*click, &event.postback.txid, &value, &event.currency, event.postback.status.name()];
        *signed = parts.join("|");
    }
    let who = [&*click, &event.user_id, &event.anonymous_id, &event.session_id];
    let told = event.postback.txid.to_string();
    event.id = named.unwrap_or_else(|| {
        let status = event.postback.status.name();
        EventId::of_hit(&[&who[..], &[&*told, &*event.name, status]].concat(), 0, 0)
    });
    if told.is_empty() && proof.click {
        // A click has one transaction that nobody gave an id.
        event.postback.txid = Text::from(format!("click {}", EventId::of_hit(&[&click, &event.name], 0, 0)));
    }
    Ok(Told { event, proof })
}

/// Where a parameter is wrong: by the name it was sent under.
fn pointer(name: &str) -> &'static str {
    const POINTERS: [&str; 36] = [
        "/click_id",
        "/clickid",
        "/clickId",
        "/cid",
        "/subid",
        "/sub_id",
        "/cnv_id",
        "/transaction_id",
        "/txid",
        "/tid",
        "/order_id",
        "/orderid",
        "/adv_sub",
        "/conversion_id",
        "/payout",
        "/sum",
        "/amount",
        "/value",
        "/v",
        "/revenue",
        "/price",
        "/currency",
        "/cur",
        "/status",
        "/type",
        "/goal",
        "/event",
        "/event_id",
        "/eid",
        "/event_time",
        "/time",
        "/t",
        "/user_id",
        "/uid",
        "/anonymous_id",
        "/session_id",
    ];
    POINTERS.into_iter().find(|pointer| pointer.get(1..) == Some(name)).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::click_id::ClickId;
    use crate::signature::Signer;

    const NOW: i64 = 1_790_000_000_000;

    fn rules() -> Rules {
        Rules { signer: Signer::new("secret"), ..Rules::default() }
    }

    fn click_id() -> String {
        let click =
            ClickId { link: "demo", campaign_id: "spring", variant: "b", time_ms: NOW - 5, visitor: 9 };
        click.encode(&Signer::new("secret").unwrap())
    }

    fn facts() -> Facts<'static> {
        Facts { received_at_ms: NOW, visitor: 7, country: "US", user_agent: "curl/8", ..Facts::default() }
    }

    fn read(query: &str) -> Result<Told<'_>, Vec<Reject>> {
        postback(query, &facts(), &rules())
    }

    fn pointers(query: &str) -> Vec<String> {
        read(query).unwrap_err().iter().map(|reject| reject.pointer.to_string()).collect()
    }

    #[test]
    fn every_network_says_it_in_its_words() {
        let click = click_id();
        let all = [
            format!("click_id={click}&txid=t1&payout=2.5&currency=eur&status=sale&type=buy"),
            format!("cid={click}&txid=t1&payout=2.5&cur=EUR&type=buy"),
            format!("clickid={click}&order_id=t1&sum=2.5&currency=EUR&type=buy&status=approved"),
            format!("subid={click}&tid=t1&payout=2.5&currency=EUR&status=sale&type=buy&country=FR"),
            format!("transaction_id={click}&adv_sub=t1&amount=2.5&currency=EUR&goal=buy&status="),
            format!("transaction_id=t1&click_id={click}&revenue=2.5&currency=EUR&event=buy"),
        ];
        for query in &all {
            let told = read(query).unwrap();
            let event = &told.event;
            assert_eq!((event.kind, event.source, event.visitor), (Kind::Conversion, Source::Postback, 9));
            assert_eq!([&*event.link, &event.campaign_id, &event.variant], ["demo", "spring", "b"]);
            assert_eq!((event.value_micros, &*event.currency, &*event.name), (Some(2_500_000), "EUR", "buy"));
            assert_eq!((&*event.postback.txid, event.postback.status), ("t1", Status::Sale), "{query}");
            assert_eq!((event.click_ms, &*event.country, &*event.user_agent), (Some(NOW - 5), "", ""));
            assert_eq!(told.proof, Proof { click: true, ..Proof::default() });
            assert_eq!(event.id, read(&all[0]).unwrap().event.id);
        }
    }

    #[test]
    fn what_is_told_again_has_the_same_id_and_another_status_another() {
        let click = click_id();
        let id = |rest: &str| read(format!("cid={click}{rest}").leak()).unwrap().event.id;
        assert_eq!(id("&txid=1&payout=5"), id("&payout=5.00&txid=1&status=sale"));
        assert_ne!(id("&txid=1"), id("&txid=2"));
        assert_ne!(id("&txid=1"), id("&txid=1&status=rejected"));
        assert_ne!(id(""), id("&type=signup"));
        assert_eq!(
            id("&eid=67e55044-10b1-426f-9247-bb680e5fe0c8").to_string(),
            "67e55044-10b1-426f-9247-bb680e5fe0c8"
        );
    }

    #[test]
    fn a_click_has_one_transaction_without_an_id() {
        let query = format!("cid={}", click_id());
        let txid = |query: &str| read(query).unwrap().event.postback.txid.to_string();
        assert!(txid(&query).starts_with("click "));
        assert_eq!(txid(&query), txid(&format!("{query}&status=rejected")));
        assert_ne!(txid(&query), txid(&format!("{query}&type=signup")));
        assert_eq!(txid("uid=u"), "");
    }

    #[test]
    fn what_is_wrong_is_named_as_it_was_sent() {
        let query = format!("subid={}&payout=x&cur=EURO&status=maybe&time=1", click_id());
        assert_eq!(pointers(&query), ["/payout", "/cur", "/status", "/time"]);
        assert_eq!(pointers("cid=forged&sum=1"), ["/cid"]);
        for query in ["", "txid=1", "cid=&uid=", "transaction_id=forged"] {
            assert_eq!(pointers(query), ["/click_id"], "{query}");
        }
    }

    #[test]
    fn what_vouches_for_it_is_handed_on() {
        let click = click_id();
        let query = format!("cid={click}&txid=t&payout=1&currency=USD&sig=ab&key=k");
        let proof = read(&query).unwrap().proof;
        assert_eq!(proof.key.as_deref(), Some("k"));
        assert_eq!(proof.sig, Some(("ab".into(), format!("{click}|t|1000000|USD|sale"))));
    }
}
