//! `/api/rebuild`: sums from nothing but the archive, a bounded step a request; `npm run rebuild` asks until it is done.

use analytics::rebuild::{Progress, STEP_LINES, Step, abandon, begin, clear, look, swap, write};
use serde::Deserialize;
use serde_json::json;
use worker::{Env, Error, Method, Request, Response};

use analytics::fold::Merge;
use analytics::page::PageRow;

use crate::answer::{json_response, no_content};
use crate::archive::lines_behind;
use crate::auth::{Scope, allowed};
use crate::campaigns::refresh;
use crate::edge::Edge;
use crate::problem::Problem;
use crate::sql::transact;
use crate::sums::pages;

const ANY_TIME: (i64, i64) = (-(i64::MAX >> 11), i64::MAX >> 11);

/// What was counted, and what of it the archive has.
#[derive(Debug, Default, Clone, Copy, Deserialize)]
struct Whole {
    archived: i64,
    archived_copies: i64,
    counted: i64,
    counted_copies: i64,
}

impl Whole {
    fn is_whole(self) -> bool {
        (self.archived, self.archived_copies) == (self.counted, self.counted_copies)
    }
}

struct State {
    progress: Option<Progress>,
    whole: Whole,
    cleared: bool,
}

async fn state(edge: &Edge) -> Result<State, Problem> {
    #[derive(Deserialize)]
    struct Left {
        pages: i64,
    }
    let results = transact(&edge.db, look()).await?;
    let [progress, whole, left] = results.as_slice() else {
        return Err(Problem::Unavailable("the database gave no answer".into()));
    };
    Ok(State {
        progress: progress.results()?.into_iter().next(),
        whole: whole.results()?.into_iter().next().unwrap_or_default(),
        cleared: left.results::<Left>()?.iter().all(|left| left.pages == 0),
    })
}

/// `GET` tells how far it is, `POST` takes a step, `DELETE` gives up.
pub(crate) async fn item(request: &Request, env: &Env) -> Result<Response, Problem> {
    let method = request.method();
    if !matches!(method, Method::Get | Method::Post | Method::Delete) {
        return Err(Problem::MethodNotAllowed("GET, POST, DELETE"));
    }
    allowed(request, env, Scope::Admin).await?;
    let edge = Edge::of(env)?;
    if method == Method::Delete {
        transact(&edge.db, [abandon()]).await?;
        return Ok(no_content()?);
    }
    let State { progress, whole, cleared } = state(&edge).await?;
    match (method, progress) {
        (Method::Get, Some(progress)) => answer("running", progress, whole),
        (Method::Get, None) => answer("idle", Progress::default(), whole),
        (_, Some(progress)) => step(&edge, progress, whole).await,
        (_, None) if !edge.away.is_empty() => Err(several()),
        (_, None) if !whole.is_whole() => Err(lacking()),
        (_, None) if !cleared => {
            transact(&edge.db, [clear()]).await?;
            answer("clearing", Progress::default(), whole)
        }
        (_, None) => {
            transact(&edge.db, [begin()]).await?;
            answer("running", Progress::default(), whole)
        }
    }
}

fn several() -> Problem {
    Problem::Conflict("Sums in several databases cannot be replaced at one moment, so they are not rebuilt")
}

fn lacking() -> Problem {
    Problem::Conflict(
        "The archive lacks events that were counted: before it began, or since deleted. The sums stay as they are",
    )
}

fn answer(state: &str, progress: Progress, whole: Whole) -> Result<Response, Problem> {
    Ok(json_response(&json!({
        "state": state,
        "events": progress.events,
        "duplicates": progress.copies,
        "archived": whole.archived,
        "counted": whole.counted,
        "rules_version": analytics::RULES_VERSION,
    }))?)
}

/// Adds the next lines; if there are none, puts what was rebuilt in the place of what was kept.
async fn step(edge: &Edge, before: Progress, whole: Whole) -> Result<Response, Problem> {
    refresh(edge).await?;
    let (mut step, mut after, mut lines) = (Step::default(), before.seq, 0);
    while lines < STEP_LINES {
        let Some(page) = lines_behind(edge, (after, i64::MAX >> 11), ANY_TIME).await? else { break };
        lines += page.text.bytes().filter(|byte| *byte == b'\n').count() as i64;
        let added = step.add(&page.text, &edge.campaigns.borrow().campaigns);
        added.map_err(|why| {
            Problem::Unreadable(format!("the archive has a line that is none: {why}").into())
        })?;
        after = page.upto;
    }
    if after > before.seq {
        let (mut merge, progress) = step.finish(before, after);
        for statement in merge.read() {
            for row in pages(&edge.db, statement).await? {
                add(&mut merge, &row)?;
            }
        }
        commit(transact(&edge.db, write(&merge, progress)).await)?;
        return answer("running", progress, whole);
    }
    if !whole.is_whole() {
        return Err(lacking());
    }
    match commit(transact(&edge.db, swap(before)).await) {
        Ok(true) => answer("done", before, whole),
        Ok(false) => answer("running", before, whole),
        Err(problem) => Err(problem),
    }
}

fn add(merge: &mut Merge, row: &PageRow) -> Result<(), Problem> {
    merge.add(row).map_err(|why| Problem::Unavailable(format!("a page cannot be read: {why:?}").into()))
}

/// Whether a transaction went through. `false`: something was counted meanwhile.
fn commit<T>(done: Result<T, Error>) -> Result<bool, Problem> {
    match done {
        Ok(_) => Ok(true),
        Err(error) if error.to_string().contains("archive_marks") => Ok(false),
        Err(error) if error.to_string().contains("constraint") => {
            Err(Problem::Conflict("Another one rebuilds as well, or gave up"))
        }
        Err(error) => Err(error.into()),
    }
}
