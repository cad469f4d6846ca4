//! Webhooks: who wants to be told what.

use analytics::catalog::{Item, Sort};
use analytics::dimension::Dimension;
use analytics::outcome::Session;
use analytics::time::rfc3339;
use analytics::{EventId, Kind, Statement, TrackedEvent, Verdict};
use serde_json::{Value, json};

use super::event::Event;
use super::{Delivery, click, statements};

/// So many events are told at once.
const BATCH_MAX: usize = 500;

/// And so many bytes: a receiver with a limit of a megabyte takes it.
const BATCH_BYTES: usize = 512 << 10;

/// After a rotation messages are signed with the old secret too, for so long.
pub(super) const ROTATION_MS: i64 = 24 * 3_600_000;

/// A webhook that is told things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// Its id.
    pub id: String,
    /// Where it listens.
    pub url: String,
    /// It is a sink: clicks alone, one to a line.
    pub sink: bool,
    /// Counts the rotations of its secret from 1.
    pub secret_version: i64,
    /// When its secret was rotated last, epoch ms.
    pub rotated_at_ms: i64,
    created_at_ms: i64,
    campaign_id: String,
    include_bots: bool,
    /// By place in the table of events.
    events: u32,
}

impl Hook {
    /// The webhook of an item.
    pub fn of(item: &Item) -> Self {
        let sink = item.text("kind") == "http_sink";
        let wants =
            |event: &&str| item.lists("events", event) || sink && *event == Event::ClickRecorded.name();
        let events = analytics::catalog::EVENTS.iter().enumerate().filter(|(_, event)| wants(event));
        Self {
            id: item.id().to_owned(),
            url: item.text("url"),
            sink,
            secret_version: item.number("secret_version").unwrap_or(1),
            rotated_at_ms: analytics::time::parse_instant(&item.text("rotated_at")).unwrap_or(0),
            created_at_ms: item.created_at_ms(),
            campaign_id: item.text("campaign_id"),
            include_bots: item.flag("include_bots"),
            events: events.fold(0, |set, (place, _)| set | 1 << place),
        }
    }

    /// Whether it wants to be told of such an event, at that time, of that campaign (empty: of none).
    fn wants(&self, event: Event, at_ms: i64, campaign_id: &str) -> bool {
        self.events >> (event as u32) & 1 == 1
            && at_ms >= self.created_at_ms
            && (self.campaign_id.is_empty() || self.campaign_id == campaign_id)
    }

    /// A delivery to it. `about` is what is told, and makes its id: telling it twice is telling it once.
    pub fn delivery(&self, event: Event, about: &str, body: String) -> Delivery {
        Delivery {
            id: format!("msg_{}", EventId::of_notice(&[about, &self.id])),
            owner: self.id.clone(),
            event: event.name().to_owned(),
            to: None,
            body,
        }
    }
}

/// The webhooks that are on, as an isolate knows them.
#[derive(Debug, Clone, Default)]
pub struct Hooks {
    on: Vec<Hook>,
    change: i64,
}

impl Hooks {
    /// Everything up to this change of the catalog is known.
    pub fn change(&self) -> i64 {
        self.change
    }

    /// Takes a record of [`analytics::catalog::statements::changes_since`].
    pub fn learn(&mut self, record: &str) {
        let change =
            serde_json::from_str::<Value>(record).ok().and_then(|record| record.get("change")?.as_i64());
        let Some(change) = change.filter(|change| *change > self.change) else { return };
        self.change = change;
        let Some(item) = Item::from_record(Sort::Webhook, record) else { return };
        self.on.retain(|hook| hook.id != item.id());
        if item.state() == "active" {
            self.on.push(Hook::of(&item));
        }
    }

    /// Whether anybody wants to be told of anything that stands in the trail.
    pub fn want_changes(&self) -> bool {
        // What comes before stands in no trail.
        self.on.iter().any(|hook| hook.events >> (Event::LinkCreated as u32) != 0)
    }

    /// Whether anybody wants to be told of such an event.
    pub fn want(&self, event: Event) -> bool {
        self.on.iter().any(|hook| hook.events >> (event as u32) & 1 == 1)
    }

    /// The way by which any part hands something over: the statements that tell everybody who wants to know, for the
    /// transaction of what is told. `about` names what happened (`session/ID`): told twice, it is delivered once.
    /// `campaign_id` may be empty.
    pub fn tell(
        &self,
        event: Event,
        about: &str,
        campaign_id: &str,
        at_ms: i64,
        data: &Value,
        now_ms: i64,
    ) -> Vec<Statement> {
        let hooks = self.on.iter().filter(|hook| hook.wants(event, at_ms, campaign_id));
        let tell = |hook: &Hook| hook.delivery(event, about, event.message(at_ms, data));
        hooks.map(|hook| statements::insert(&tell(hook), now_ms)).collect()
    }
}

/// The clicks that one webhook is told.
#[derive(Debug)]
struct Clicks<'h> {
    hook: &'h Hook,
    /// The first click's id, and the clicks.
    batches: Vec<(String, Vec<String>)>,
    /// Bytes in the last of them.
    filled: usize,
}

/// What is to be told of a batch of counted events.
#[derive(Debug)]
pub struct Told<'h> {
    hooks: &'h Hooks,
    clicks: Vec<Clicks<'h>>,
    wants_conversions: bool,
    wants_limits: bool,
    wants_sessions: bool,
    conversions: Vec<(String, String, i64, Value)>,
    sessions: Vec<(String, String, i64, Value)>,
    /// Links that turned somebody away, and when.
    full: Vec<(String, i64)>,
    /// Calls to who sent a visitor.
    postbacks: Vec<Statement>,
}

impl<'h> Told<'h> {
    /// Nothing yet.
    pub fn new(hooks: &'h Hooks) -> Self {
        let click = |hook: &&Hook| hook.events >> (Event::ClickRecorded as u32) & 1 == 1;
        Self {
            hooks,
            clicks: hooks
                .on
                .iter()
                .filter(click)
                .map(|hook| Clicks { hook, batches: Vec::new(), filled: 0 })
                .collect(),
            wants_conversions: hooks.want(Event::ConversionRecorded),
            wants_limits: hooks.want(Event::LinkLimitReached),
            wants_sessions: hooks.want(Event::SessionEnded),
            conversions: Vec::new(),
            sessions: Vec::new(),
            full: Vec::new(),
            postbacks: Vec::new(),
        }
    }

    /// Takes the calls of [`super::Postbacks::tell`].
    pub fn add_postbacks(&mut self, calls: Vec<Statement>) {
        self.postbacks.extend(calls);
    }

    /// Takes an event that is counted. Where nobody listens this is three comparisons.
    pub fn add(&mut self, event: &TrackedEvent<'_>) {
        let human = event.bot.verdict != Verdict::Bot;
        match event.raw.kind {
            Kind::Click => {
                let mut line = None;
                for Clicks { hook, batches, filled } in &mut self.clicks {
                    let at_ms = event.raw.received_at_ms;
                    if !hook.wants(Event::ClickRecorded, at_ms, &event.raw.campaign_id)
                        || !(human || hook.include_bots)
                    {
                        continue;
                    }
                    let line: &String = line.get_or_insert_with(|| click::line(event));
                    let full = batches.last().is_none_or(|(_, lines)| lines.len() >= BATCH_MAX);
                    if full || *filled + line.len() > BATCH_BYTES {
                        batches.push((event.raw.id.to_string(), Vec::new()));
                        *filled = 0;
                    }
                    *filled += line.len();
                    if let Some((_, lines)) = batches.last_mut() {
                        lines.push(line.clone());
                    }
                }
            }
            Kind::Conversion if self.wants_conversions && human => {
                let (id, campaign) = (event.raw.id.to_string(), (*event.raw.campaign_id).to_owned());
                let line = serde_json::from_str(&click::line(event)).unwrap_or_default();
                self.conversions.push((id, campaign, event.raw.received_at_ms, line));
            }
            Kind::Failed if self.wants_limits && &*event.raw.name == "limit_reached" => {
                let link = &*event.raw.link;
                if !self.full.iter().any(|(known, _)| known == link) {
                    self.full.push((link.to_owned(), event.raw.received_at_ms));
                }
            }
            _ => {}
        }
    }

    /// Takes a session that is counted, by the place of its frame. One that a late event changes is told again.
    pub fn add_session(&mut self, (log, number, place): (&str, i64, usize), session: &Session<'_>) {
        if !self.wants_sessions || session.traits.get(Dimension::Verdict) == Verdict::Bot.name() {
            return;
        }
        let end_ms = session.start_ms.saturating_add(session.duration_ms);
        let mut data = json!({
            "start": rfc3339(session.start_ms),
            "end": rfc3339(end_ms),
            "duration_ms": session.duration_ms,
            "events": session.events,
            "pages": session.pages,
            "conversions": session.conversions,
            "value_micros": session.value_micros,
        });
        if let Some(members) = data.as_object_mut() {
            let texts = [
                ("currency", &*session.currency),
                ("entry_page", &*session.entry_page),
                ("exit_page", &*session.exit_page),
                ("session_id", &*session.session_id),
            ];
            let traits = session.traits.iter().map(|(dimension, value)| (dimension.name(), value));
            for (name, value) in texts.into_iter().chain(traits).filter(|(_, value)| !value.is_empty()) {
                members.insert(name.to_owned(), value.into());
            }
        }
        let campaign = session.traits.get(Dimension::Campaign).to_owned();
        self.sessions.push((format!("session/{log} {number} {place}"), campaign, end_ms, data));
    }

    /// The statements for the transaction that counts the events.
    pub fn statements(self, now_ms: i64) -> Vec<Statement> {
        let mut statements = self.postbacks;
        for Clicks { hook, batches, .. } in self.clicks {
            for (first, lines) in batches {
                let body = if hook.sink {
                    lines.join("\n") + "\n"
                } else {
                    // Put together as text: each line is JSON already.
                    let (event, at) = (Event::ClickRecorded.name(), rfc3339(now_ms));
                    format!(
                        r#"{{"type":"{event}","timestamp":"{at}","data":{{"clicks":[{}]}}}}"#,
                        lines.join(",")
                    )
                };
                let delivery = hook.delivery(Event::ClickRecorded, &format!("click/{first}"), body);
                statements.push(statements::insert(&delivery, now_ms));
            }
        }
        for (id, campaign_id, at_ms, data) in &self.conversions {
            let data = json!({ "conversion": data });
            let about = format!("conversion/{id}");
            let event = Event::ConversionRecorded;
            statements.extend(self.hooks.tell(event, &about, campaign_id, *at_ms, &data, now_ms));
        }
        for (about, campaign_id, at_ms, data) in &self.sessions {
            let data = json!({ "session": data });
            let event = Event::SessionEnded;
            statements.extend(self.hooks.tell(event, about, campaign_id, *at_ms, &data, now_ms));
        }
        statements.extend(self.full.iter().map(|(link, at_ms)| statements::limit_reached(link, *at_ms)));
        statements
    }
}

#[cfg(test)]
mod tests;
