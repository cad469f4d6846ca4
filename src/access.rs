//! `POST /api/privacy/access`: everything that is held of a person, page by page.

use std::collections::HashSet;

use analytics::archive::whose;
use analytics::audit::{Action, Entity, Entry};
use analytics::erasure::{ROUNDS_MAX, ROWS, Subject, Wanted, deliveries, hex, letters, unhex, without};
use analytics::time::parse_time;
use analytics::{Reject, VisitorKey};
use queues::letter;
use serde_json::{Map, Value, json};
use worker::{Env, Method, Request, Response, Result};

use crate::answer::json_text;
use crate::archive::lines_behind;
use crate::auth::{Scope, allowed};
use crate::clock::now_ms;
use crate::edge::Edge;
use crate::erase::{Letter, Waiting};
use crate::erasures::object_of;
use crate::person;
use crate::problem::Problem;
use crate::sql::{read, transact};

/// A page ends when it took so long, or has so many lines.
const PAGE_MS: i64 = 5_000;
const PAGE_LINES: usize = 2_000;

/// Where a page begins: in the search for names, or in a round over the archive; and the names that were found, those first
/// that are looked for in this round.
struct Cursor {
    round: i64,
    place: i64,
    keys: Vec<VisitorKey>,
    /// Names behind this many are new, for the next round.
    known: usize,
    /// Names before this many were looked for in a round before.
    done: usize,
}

const SEARCH: i64 = 0;

impl Cursor {
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let mut number = || parts.next()?.parse::<i64>().ok();
        let (round, place, known, done) = (number()?, number()?, number()?, number()?);
        let keys: Vec<_> = parts.map(unhex).collect::<Option<_>>()?;
        let within = |number: i64| usize::try_from(number).ok().filter(|number| *number <= keys.len());
        let (known, done) = (within(known)?, within(done)?);
        ((0..=ROUNDS_MAX + 1).contains(&round) && place >= 0 && done <= known).then_some(Self {
            round,
            place,
            keys,
            known,
            done,
        })
    }

    fn write(&self) -> String {
        let mut text = format!("{}-{}-{}-{}", self.round, self.place, self.known, self.done);
        for key in &self.keys {
            text.push('-');
            text.push_str(&hex(*key));
        }
        text
    }
}

fn time_of(body: &Map<String, Value>, name: &str, absent: i64) -> Result<i64, Reject> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(absent),
        Some(Value::String(text)) => parse_time(text),
        Some(other) => parse_time(&other.to_string()),
    }
    .map_err(|why| Reject::new(format!("/{name}"), why))
}

/// Tells what is held of somebody.
pub(crate) async fn show(request: &mut Request, env: &Env) -> Result<Response, Problem> {
    if request.method() != Method::Post {
        return Err(Problem::MethodNotAllowed("POST"));
    }
    let actor = allowed(request, env, Scope::Admin).await?;
    let body = object_of(request).await?;
    let subject = Subject::read(&body, &["from", "to", "cursor"])?;
    let span = (time_of(&body, "from", -(i64::MAX >> 11))?, time_of(&body, "to", i64::MAX >> 11)?);
    if span.0 >= span.1 {
        return Err(Reject::new("/to", "is not after from").into());
    }
    let edge = Edge::of(env)?;
    let hash = edge.signer.person(subject.kind, &subject.id);
    let mut at = match body.get("cursor") {
        None | Some(Value::Null) => {
            let noted = Entry {
                at_ms: now_ms(),
                actor: actor.name().to_owned(),
                action: Action::Created,
                entity: Entity::Access,
                entity_id: hash.clone(),
                changes: json!({}),
            };
            transact(&edge.db, [noted.note()]).await?;
            let keys = person::better_names(&edge, subject.key()).await?;
            Cursor { round: SEARCH, place: 0, known: keys.len(), done: 0, keys }
        }
        Some(cursor) => {
            let cursor = cursor.as_str().and_then(Cursor::read).filter(|at| at.keys.contains(&subject.key()));
            cursor.ok_or_else(|| Reject::new("/cursor", "is no cursor that this route gave for this id"))?
        }
    };
    let until_ms = now_ms() + PAGE_MS;
    let mut page = Page::default();
    let mut more = true;
    if at.round == SEARCH {
        more = search(&edge, &mut at, until_ms, &mut page).await?;
    }
    if at.round != SEARCH && now_ms() < until_ms {
        more = archive(&edge, &mut at, span, until_ms, &mut page).await?;
    }
    let cursor = more.then(|| at.write());
    let head = json!({
        "subject": subject.kind,
        "hash": hash,
        "names": at.keys.len(),
        "journeys": page.journeys,
        "dead_letters": page.letters,
        "deliveries": page.deliveries,
        "more": more,
        "cursor": cursor,
    });
    let head = head.to_string();
    let head = head.strip_suffix('}').unwrap_or(&head);
    Ok(json_text(format!("{head},\"events\":[{}]}}", page.lines.join(",")))?)
}

#[derive(Default)]
struct Page {
    journeys: Vec<Value>,
    letters: Vec<String>,
    deliveries: Vec<Value>,
    lines: Vec<String>,
}

/// Looks for names, and then for what journals and the database have of them. Whether there is more, which there is: the
/// archive.
async fn search(edge: &Edge, at: &mut Cursor, until_ms: i64, page: &mut Page) -> Result<bool> {
    while at.place < person::search_end(edge) {
        let (found, next) = person::search(edge, at.keys.iter().copied(), at.place).await?;
        at.keys.extend(found.into_iter().map(|(key, _)| key));
        at.place = next;
        if now_ms() >= until_ms {
            return Ok(true);
        }
    }
    let mut seen = HashSet::new();
    at.keys.retain(|key| seen.insert(*key));
    at.known = at.keys.len();
    page.journeys = person::look(edge, &at.keys).await?;
    let mut wanted = Wanted::default();
    for key in &at.keys {
        wanted.keys.insert(*key, (String::new(), i64::MAX));
    }
    database(edge, &mut wanted, page).await?;
    (at.round, at.place) = (SEARCH + 1, 0);
    Ok(edge.archive.is_some())
}

async fn database(edge: &Edge, wanted: &mut Wanted, page: &mut Page) -> Result<()> {
    let mut behind = 0;
    loop {
        let rows: Vec<Letter> = read(&edge.db, letters(behind)).await?;
        behind += rows.len() as i64;
        let full = rows.len() as i64 == ROWS;
        let has =
            |row: &Letter, wanted: &mut Wanted| !letter::without(&row.id, &row.body, wanted).0.is_empty();
        page.letters.extend(rows.into_iter().filter(|row| has(row, wanted)).map(|row| row.id));
        if !full {
            break;
        }
    }
    let mut after = 0;
    loop {
        let rows: Vec<Waiting> = read(&edge.db, deliveries(after)).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = last.number;
        for row in rows {
            let Ok(message) = serde_json::from_str::<Value>(&row.body) else { continue };
            if !without(&mut message.clone(), wanted).is_empty() {
                page.deliveries.push(message);
            }
        }
    }
}

/// Lines of the archive. Names that are found in them are looked for in a round of their own, so that no line comes twice.
async fn archive(
    edge: &Edge,
    at: &mut Cursor,
    span: (i64, i64),
    until_ms: i64,
    page: &mut Page,
) -> Result<bool> {
    if edge.archive.is_none() {
        return Ok(false);
    }
    loop {
        let looked_for: HashSet<_> =
            at.keys.get(at.done..at.known).unwrap_or_default().iter().copied().collect();
        let mut all: HashSet<_> = at.keys.iter().copied().collect();
        while let Some(lines) = lines_behind(edge, (at.place, i64::MAX >> 11), span).await? {
            for line in lines.text.lines() {
                let Some(named) = whose(line).filter(|named| (span.0..span.1).contains(&named.at_ms)) else {
                    continue;
                };
                if !named.keys.first().is_some_and(|first| looked_for.contains(first)) {
                    continue;
                }
                // What followed from the journey, which the page before has in words, is known by its names alone.
                if line.starts_with(r#"{"record":"event""#) {
                    page.lines.push(line.to_owned());
                }
                for other in named.keys.into_iter().skip(1) {
                    if all.insert(other) {
                        at.keys.push(other);
                    }
                }
            }
            at.place = lines.upto;
            if now_ms() >= until_ms || page.lines.len() >= PAGE_LINES {
                return Ok(true);
            }
        }
        if at.keys.len() == at.known || at.round > ROUNDS_MAX {
            return Ok(false);
        }
        (at.round, at.place, at.done, at.known) = (at.round + 1, 0, at.known, at.keys.len());
    }
}
