//! Links from elsewhere: our own exports, any CSV with a header, and what the peers' exports and APIs give out.
//!
//! A line is translated, not judged: its map is a body for [`crate::Link::create`], which says what is wrong
//! with a value. A fault in one line never costs its neighbours.

mod adopt;
mod csv;
mod dialect;
mod draft;
mod json;
mod reading;
mod routes;
mod words;

use analytics::Reject;
use serde_json::{Map, Value};

pub use adopt::{Word, adopt, alias};
pub use dialect::Format;

use csv::Records;
use draft::Draft;
use json::{Objects, Texts};

/// The largest body. A line is a tree only while it is its turn.
pub const BODY_MAX_BYTES: usize = 8 << 20;
/// The most links in one body.
pub const LINES_MAX: usize = 10_000;
/// The longest line. A link with 50 rules whose destinations are as long as may be has 105 KB.
pub const LINE_MAX_BYTES: usize = 128 << 10;

/// What was found in one line.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// In a text of lines, the line where it begins, from 1 (a CSV's header is a line too); in a JSON document
    /// the place in its list, from 1.
    pub number: usize,
    /// A body for [`crate::Link::create`], or what is wrong, by the names that the line uses.
    pub result: Result<Map<String, Value>, Vec<Reject>>,
    /// What the line says that a link here cannot keep, as sentences for people.
    pub warnings: Vec<String>,
}

/// The lines of a body, in order.
#[derive(Debug)]
pub struct Lines<'a> {
    format: Format,
    source: Source<'a>,
    now_ms: i64,
}

#[derive(Debug)]
enum Source<'a> {
    Csv { columns: Vec<String>, records: Records<'a> },
    Ndjson(Texts<'a>),
    Json(Objects<'a>),
}

/// What comes of a line, and what of it is not kept.
type Finished = (Result<Map<String, Value>, Vec<Reject>>, Vec<String>);

/// What a source holds next: where, and its members.
type Next = (usize, Result<Vec<(String, Value)>, Reject>);

/// Reads a body. Where `format` does not say what it is, the content type, the first bytes and the names of the
/// columns do. `now_ms` is what a lifetime ("2 days") counts from.
///
/// # Errors
/// What concerns the body as a whole: it is too large, of too many lines, in another encoding, not JSON where
/// it has to be, or a CSV whose first line names no column that is known.
pub fn read<'a>(
    body: &'a [u8],
    content_type: &str,
    format: Format,
    now_ms: i64,
) -> Result<Lines<'a>, Reject> {
    let whole = |detail: &'static str| Reject::new("", detail);
    if body.len() > BODY_MAX_BYTES {
        return Err(whole("is larger than 8 MiB"));
    }
    if body.starts_with(b"\xff\xfe") || body.starts_with(b"\xfe\xff") {
        return Err(whole("is UTF-16; save it as UTF-8"));
    }
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    if body.trim_ascii().is_empty() {
        return Err(whole("is empty"));
    }
    let shape = dialect::shape(body, content_type, format);
    let source = match shape {
        Format::Ndjson => Source::Ndjson(Texts::new(body)),
        Format::Json => Source::Json(Objects::read(body)?),
        _ => csv_source(body)?,
    };
    if source.count() > LINES_MAX {
        return Err(whole("holds more than 10,000 links"));
    }
    let format = if format.is_shape() { source.dialect().unwrap_or(shape) } else { format };
    Ok(Lines { format, source, now_ms })
}

fn csv_source(body: &[u8]) -> Result<Source<'_>, Reject> {
    let mut records = Records::new(body);
    let header = records.next().map(|record| record.cells);
    let columns = header.unwrap_or_else(|| Ok(Vec::new())).map_err(|detail| Reject::new("", detail))?;
    let columns: Vec<String> = columns.iter().map(|name| name.trim().to_owned()).collect();
    if !columns.iter().any(|name| words::leads_somewhere(name)) {
        return Err(Reject::new("", "does not name its columns in the first line; one has to be `url`"));
    }
    Ok(Source::Csv { columns, records })
}

impl Lines<'_> {
    /// Whose format it is: what was asked for, or what it turned out to be.
    pub fn format(&self) -> Format {
        self.format
    }
}

impl Iterator for Lines<'_> {
    type Item = Line;
    fn next(&mut self) -> Option<Line> {
        let (number, members) = self.source.next(self.format)?;
        let (result, warnings) = match members {
            Ok(members) => Draft::of(members, self.format, self.now_ms).finish(),
            Err(reject) => (Err(vec![reject]), Vec::new()),
        };
        Some(Line { number, result, warnings })
    }
}

impl Source<'_> {
    /// How many lines there are, counted no further than the limit.
    fn count(&self) -> usize {
        let enough = LINES_MAX + 1;
        match self {
            Self::Csv { records, .. } => records.clone().take(enough).count(),
            Self::Ndjson(texts) => texts.clone().take(enough).count(),
            Self::Json(objects) => objects.len(),
        }
    }

    /// Whose words they are, told by the columns or by the first line that can be read.
    fn dialect(&self) -> Option<Format> {
        let by_names = |members: Vec<(String, Value)>| {
            dialect::of(&members.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), true)
        };
        match self {
            Self::Csv { columns, .. } => {
                dialect::of(&columns.iter().map(String::as_str).collect::<Vec<_>>(), false)
            }
            Self::Ndjson(texts) => {
                texts.clone().find_map(|(_, text)| json::members(text.ok()?).ok()).and_then(by_names)
            }
            Self::Json(objects) => objects.first().and_then(by_names),
        }
    }

    fn next(&mut self, format: Format) -> Option<Next> {
        match self {
            Self::Csv { columns, records } => loop {
                let record = records.next()?;
                // Spreadsheets leave lines of nothing but delimiters behind.
                if !record.is_blank() {
                    return Some((record.line, record.members(columns, format)));
                }
            },
            Self::Ndjson(texts) => {
                let (number, text) = texts.next()?;
                Some((number, text.and_then(json::members)))
            }
            Self::Json(objects) => objects.next(),
        }
    }
}

#[cfg(test)]
mod tests;
