//! `GET /api/export/events`: what the archive holds, as a stream, page by page.

use std::rc::Rc;

use analytics::archive::{EventFilter, Format, csv_header, page, write_click, write_csv};
use futures_util::stream;
use serde::Deserialize;
use worker::{Env, Error, Headers, Method, Request, Response, ResponseBuilder};

use crate::archive::lines_behind;
use crate::auth::{Scope, allowed};
use crate::edge::Edge;
use crate::notice;
use crate::problem::Problem;
use crate::sql::transact;

/// Where the next page begins, and whether there is one by now.
const CURSOR_HEADER: &str = "x-clicktrail-cursor";
const MORE_HEADER: &str = "x-clicktrail-more";

/// Bytes, and where to go on and whether at the beginning of a table.
type Chunk = (Vec<u8>, Option<(i64, bool)>);

/// A page's end is known before it begins, so that its headers can say where to go on: whoever loses the connection asks
/// for the same page again. One row of the archive stands in memory at a time, some megabytes.
pub(crate) async fn show(request: &Request, env: &Env, query: &str) -> Result<Response, Problem> {
    if request.method() != Method::Get {
        return Err(Problem::MethodNotAllowed("GET"));
    }
    allowed(request, env, Scope::StatsRead).await?;
    let asked = EventFilter::parse(query)?;
    let edge = Edge::of(env)?;
    if edge.archive.is_none() {
        return Err(Problem::NotFound("There is no archive: the binding ARCHIVE is missing"));
    }
    let (upto, more) = end_of(&edge, &asked).await?;
    let (content_type, name) = match asked.format {
        Format::Ndjson => ("application/x-ndjson", "events.ndjson"),
        Format::Csv => ("text/csv; charset=utf-8", "events.csv"),
        Format::Clicks => ("text/plain; charset=utf-8", "clicks.log"),
    };
    let headers = Headers::new();
    headers.set("content-type", content_type)?;
    headers.set("content-disposition", &format!("attachment; filename=\"{name}\""))?;
    headers.set(CURSOR_HEADER, &upto.to_string())?;
    headers.set(MORE_HEADER, if more { "true" } else { "false" })?;
    headers.set("cache-control", "no-store")?;
    headers.set("access-control-allow-origin", "*")?;
    headers.set("access-control-expose-headers", "x-clicktrail-cursor, x-clicktrail-more")?;
    let asked = Rc::new(asked);
    let begin = Some((asked.cursor, asked.cursor == 0 && asked.format == Format::Csv));
    let pages = stream::try_unfold(begin, move |at| {
        let (edge, asked) = (Rc::clone(&edge), Rc::clone(&asked));
        async move {
            let Some((after, begins)) = at else { return Ok(None) };
            let text = if begins { csv_header() } else { String::new() };
            // The client sees a body that ends too early, and asks again.
            chunk(&edge, &asked, (after, upto), text)
                .await
                .inspect_err(|error| notice::error("archive", "export_cut_short", &"", error))
        }
    });
    Ok(ResponseBuilder::new().with_headers(headers).from_stream(pages)?)
}

/// A chunk of the body and where the next one begins. Never an empty one: a stream that is given one waits for more.
async fn chunk(
    edge: &Edge,
    asked: &EventFilter,
    (mut after, upto): (i64, i64),
    mut text: String,
) -> Result<Option<Chunk>, Error> {
    while let Some(page) = lines_behind(edge, (after, upto), asked.span()).await? {
        write(asked, &page.text, &mut text)?;
        after = page.upto;
        if !text.is_empty() {
            return Ok(Some((text.into_bytes(), Some((after, false)))));
        }
    }
    Ok((!text.is_empty()).then(|| (text.into_bytes(), None)))
}

fn write(asked: &EventFilter, lines: &str, out: &mut String) -> Result<(), Error> {
    for line in lines.split_inclusive('\n').filter(|line| asked.wants(line)) {
        match asked.format {
            Format::Ndjson => out.push_str(line),
            Format::Csv => write_csv(line, out)?,
            Format::Clicks => write_click(line, out)?,
        }
    }
    Ok(())
}

/// Up to which number the page goes, and whether there is more behind it.
async fn end_of(edge: &Edge, asked: &EventFilter) -> Result<(i64, bool), Problem> {
    #[derive(Deserialize)]
    struct Row {
        seq: i64,
        #[serde(default)]
        lines: i64,
    }
    let results = transact(&edge.db, page(asked.cursor, asked.span())).await?;
    let [rows, newest] = results.as_slice() else {
        return Err(Problem::Unavailable("the database gave no answer".into()));
    };
    let rows: Vec<Row> = rows.results()?;
    let newest = newest.results::<Row>()?.first().map_or(0, |row| row.seq).max(asked.cursor);
    let mut lines = 0;
    let full = rows.iter().find(|row| {
        lines += row.lines;
        lines >= asked.limit
    });
    let cut = rows.last().filter(|_| rows.len() as i64 == analytics::archive::PAGE_ROWS);
    let upto = full.or(cut).map_or(newest, |row| row.seq);
    Ok((upto, upto < newest))
}
