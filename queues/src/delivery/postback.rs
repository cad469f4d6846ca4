//! Postbacks: who sent a visitor is told what became of it.
//!
//! The call is filled in when the outcome is counted, and lies in the same outbox as a webhook's messages, written in the
//! transaction that counts it. Its id is made of the transaction, its status and who is told: a status that is told
//! twice, by two journeys or by a replay, is one row, and so one call.

use std::collections::HashMap;

use analytics::catalog::{Item, Sort};
use analytics::click_id::ClickId;
use analytics::conversion::Status;
use analytics::outcome::Converted;
use analytics::signature::Signer;
use analytics::template::{self, MACROS};
use analytics::time::rfc3339;
use analytics::{Dimension, EventId, Statement};
use serde_json::{Map, Value};

use super::request::{Request, own};
use super::{Delivery, Target, statements};

/// Whom to call, how, and for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Postback {
    owner: String,
    template: String,
    method: &'static str,
    /// By place in [`Status::ALL`].
    on: [bool; 4],
}

/// The name that the deliveries of a campaign's or publisher's postback are listed by.
pub fn owner(sort: Sort, id: &str) -> String {
    format!("postback/{}/{id}", sort.name())
}

impl Postback {
    /// That of a campaign or publisher. `None`: it has none, or is deleted; or is a publisher who is paused, and so
    /// neither paid nor told.
    pub fn of(item: &Item) -> Option<Self> {
        let template = item.text("postback_url");
        let paused = item.sort() == Sort::Publisher && item.text("status") == "paused";
        if template.is_empty() || item.is_deleted() || paused {
            return None;
        }
        // Who does not ask for the status would take a rejection for another conversion.
        let tells = template::names(&template, "status");
        let on = Status::ALL
            .map(|status| item.lists("postback_on", status.name()) && (tells || status != Status::Rejected));
        let method = if item.text("postback_method") == "POST" { "POST" } else { "GET" };
        Some(Self { owner: owner(item.sort(), item.id()), template, method, on })
    }

    /// The call for a transaction.
    fn delivery(&self, converted: &Converted<'_>, told: &Macros<'_, '_>) -> Delivery {
        let mut body = Map::new();
        for name in MACROS.into_iter().filter(|name| *name != "name") {
            let value = told.value(name);
            if !value.is_empty() {
                body.insert(name.to_owned(), value.into());
            }
        }
        let headers =
            [("content-type", "application/json")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        Delivery {
            id: format!("pb_{}", EventId::of_notice(&[&converted.identity(), &self.owner])),
            owner: self.owner.clone(),
            event: format!("conversion.{}", converted.status.name()),
            to: Some(Target {
                url: template::fill(&self.template, |name| told.value(name)),
                method: self.method,
                headers: if self.method == "POST" { headers.to_vec() } else { Vec::new() },
            }),
            body: Value::Object(body).to_string(),
        }
    }

    /// A call that says that it is a test: each macro is filled in with its name, and the numbers with nothing owed.
    pub fn test(&self) -> (Request, String) {
        let told = |name: &str| match name {
            "status" => "test".to_owned(),
            "value" | "payout" => "0".to_owned(),
            _ => format!("test-{name}"),
        };
        let body: Map<String, Value> =
            MACROS.into_iter().map(|name| (name.to_owned(), told(name).into())).collect();
        let headers = [("content-type".to_owned(), "application/json".to_owned())];
        let request = own(template::fill(&self.template, told), self.method.to_owned(), headers);
        (request, Value::Object(body).to_string())
    }
}

/// The postbacks of campaigns and publishers, as an isolate knows them.
#[derive(Debug, Default)]
pub struct Postbacks {
    known: HashMap<String, Postback>,
    campaign_change: i64,
    publisher_change: i64,
}

impl Postbacks {
    /// Takes a record of [`analytics::catalog::statements::changes_since`]: of two readings at the same time, the older
    /// may end later, and is passed over.
    pub fn learn(&mut self, sort: Sort, record: &str) {
        let known =
            if sort == Sort::Publisher { &mut self.publisher_change } else { &mut self.campaign_change };
        let change =
            serde_json::from_str::<Value>(record).ok().and_then(|record| record.get("change")?.as_i64());
        let Some(change) = change.filter(|change| *change > *known) else { return };
        *known = change;
        let Some(item) = Item::from_record(sort, record) else { return };
        let owner = owner(sort, item.id());
        match Postback::of(&item) {
            Some(postback) => self.known.insert(owner, postback),
            None => self.known.remove(&owner),
        };
    }

    /// Whether nobody is to be called for anything.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// The calls for a transaction that has reached a status: of its campaign, and of the publisher whose the last click
    /// is that led to it.
    pub fn tell(&self, converted: &Converted<'_>, signer: &Signer, now_ms: i64) -> Vec<Statement> {
        let told = Macros { converted, signer };
        [(Sort::Campaign, told.campaign()), (Sort::Publisher, told.publisher())]
            .into_iter()
            .filter_map(|(sort, id)| self.known.get(&owner(sort, id)))
            .filter(|postback| postback.on.get(converted.status as usize) == Some(&true))
            .map(|postback| statements::insert(&postback.delivery(converted, &told), now_ms))
            .collect()
    }
}

/// What the macros stand for.
struct Macros<'c, 'a> {
    converted: &'c Converted<'a>,
    signer: &'c Signer,
}

impl Macros<'_, '_> {
    /// The conversion's own campaign, or that of the touch.
    fn campaign(&self) -> &str {
        match self.converted.campaign.present() {
            Some(campaign) => campaign,
            None => self.converted.traits.get(Dimension::Campaign),
        }
    }

    /// Whose touch it was; where there was none, the conversion's own.
    fn publisher(&self) -> &str {
        self.converted.traits.get(Dimension::Publisher)
    }

    /// The id that the click left in its target's address: made anew, and the same to the letter.
    fn click_id(&self) -> String {
        let traits = &self.converted.traits;
        let click = self.converted.touched_ms.filter(|_| self.converted.clicked).zip(traits.visitor());
        let Some((time_ms, visitor)) = click else { return String::new() };
        let [link, campaign_id, variant] =
            [Dimension::Link, Dimension::Campaign, Dimension::Variant].map(|dimension| traits.get(dimension));
        ClickId { link, campaign_id, variant, time_ms, visitor }.encode(self.signer)
    }

    fn value(&self, name: &str) -> String {
        let Self { converted, .. } = self;
        // What is owed to another than the last click's publisher is not that one's to know.
        let paid = converted.payee == *self.publisher() && converted.payout_nanos != 0;
        let seconds = |ms: i64| ms.div_euclid(1_000).to_string();
        let of = |dimension| converted.traits.get(dimension).to_owned();
        match name {
            "click_id" => self.click_id(),
            "conversion_id" => converted.conversion.to_string(),
            "txid" => converted.txid.to_string(),
            "status" => converted.status.name().to_owned(),
            "type" | "name" => converted.name.to_string(),
            "value" => decimal(converted.value_micros, 6),
            "currency" => converted.currency.to_string(),
            "payout" => decimal(if paid { converted.payout_nanos } else { 0 }, 9),
            "payout_currency" if paid => converted.payout_currency.to_string(),
            "campaign_id" => self.campaign().to_owned(),
            "publisher_id" => self.publisher().to_owned(),
            "event_time" => rfc3339(converted.at_ms),
            "event_timestamp" => seconds(converted.at_ms),
            "click_time" => converted.touched_ms.map(rfc3339).unwrap_or_default(),
            "click_timestamp" => converted.touched_ms.map(seconds).unwrap_or_default(),
            "ad_id" => of(Dimension::Ad),
            _ => Dimension::parse(name).map(of).unwrap_or_default(),
        }
    }
}

/// An amount as networks read it: no more places than it has.
fn decimal(amount: i64, places: u32) -> String {
    let one = 10u64.pow(places);
    let (sign, size) = (if amount < 0 { "-" } else { "" }, amount.unsigned_abs());
    let text = format!("{sign}{}.{:0width$}", size / one, size % one, width = places as usize);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests;
