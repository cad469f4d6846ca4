//! Comma-separated values (RFC 4180), and what spreadsheets make of them: `;` or tabs between the cells, any
//! line ends.
//!
//! By hand, because the libraries accept every text: to `csv` and `csv-core` a quote that nobody closes is a cell
//! that swallows the lines behind it without a word. Here it is the fault of one line, and reading goes on with
//! the next. (They would cost 6.4 and 2.3 KB of gzipped wasm.) Tests hold it against `csv` where both may speak.

use analytics::Reject;
use analytics::fields::pointer;
use serde_json::Value;

use super::{Format, LINE_MAX_BYTES};
use crate::export;

const COLUMNS_MAX: usize = 128;

/// The records of a text. A fault makes it look at no more than [`LINE_MAX_BYTES`] twice.
#[derive(Debug, Clone)]
pub(super) struct Records<'a> {
    rest: &'a [u8],
    line: usize,
    delimiter: u8,
}

#[derive(Debug, PartialEq)]
pub(super) struct Record {
    /// The line where it begins, from 1.
    pub(super) line: usize,
    pub(super) cells: Result<Vec<String>, &'static str>,
}

impl<'a> Records<'a> {
    /// The delimiter is the one of which the first line has most outside quotes, or what `sep=` in it says.
    pub(super) fn new(text: &'a [u8]) -> Self {
        let first = text.split(|byte| is_line_end(*byte)).find(|line| !line.is_empty()).unwrap_or_default();
        if let [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', delimiter] = *first {
            let mut records = Self { rest: text, line: 1, delimiter };
            records.skip_blank();
            records.advance(first.len());
            return records;
        }
        let outside = first.split(|byte| *byte == b'"').step_by(2);
        let count = |wanted| outside.clone().flatten().filter(|byte| **byte == wanted).count();
        let delimiter = [b',', b';', b'\t'].into_iter().rev().max_by_key(|byte| count(*byte)).unwrap_or(b',');
        Self { rest: text, line: 1, delimiter }
    }

    /// Goes over `length` bytes and counts the lines that end there.
    fn advance(&mut self, length: usize) {
        let (gone, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, b""));
        let ends = gone.iter().zip(gone.iter().skip(1).chain(rest.first()).map(Some).chain([None]));
        self.line +=
            ends.filter(|(byte, next)| **byte == b'\n' || **byte == b'\r' && *next != Some(&b'\n')).count();
        self.rest = rest;
    }

    fn skip_blank(&mut self) {
        self.advance(self.rest.iter().take_while(|byte| is_line_end(**byte)).count());
    }
}

impl Iterator for Records<'_> {
    type Item = Record;
    fn next(&mut self) -> Option<Record> {
        self.skip_blank();
        if self.rest.is_empty() {
            return None;
        }
        let (line, text) = (self.line, self.rest);
        let window = text.get(..LINE_MAX_BYTES).unwrap_or(text);
        let cells = match cells(window, self.delimiter) {
            Ok((cells, left)) if !left.is_empty() || window.len() == text.len() => {
                self.advance(window.len() - left.len());
                cells.into_iter().map(String::from_utf8).collect::<Result<_, _>>().map_err(|_| "is not UTF-8")
            }
            fault => {
                // A quote gone astray would take the next lines with it. They are read on their own.
                self.advance(text.iter().take_while(|byte| !is_line_end(**byte)).count());
                Err(fault.err().unwrap_or("is longer than 128 KiB"))
            }
        };
        Some(Record { line, cells })
    }
}

impl Record {
    pub(super) fn is_blank(&self) -> bool {
        self.cells.as_ref().is_ok_and(|cells| cells.iter().all(|cell| cell.trim().is_empty()))
    }

    /// The cells under their columns' names; what is empty is absent.
    pub(super) fn members(self, columns: &[String], format: Format) -> Result<Vec<(String, Value)>, Reject> {
        let cells = self.cells.map_err(|detail| Reject::new("", detail))?;
        if cells.iter().skip(columns.len()).any(|cell| !cell.is_empty()) {
            return Err(Reject::new("", "has more cells than there are columns"));
        }
        let guarded = format == Format::Csv;
        let value = |cell: &String| Value::from(if guarded { export::unguarded(cell) } else { cell });
        let named = columns.iter().zip(&cells).filter(|(_, cell)| !cell.is_empty());
        let nameless = named.clone().find(|(name, _)| name.is_empty());
        if nameless.is_some() {
            return Err(Reject::new(pointer(""), "is a cell under no name"));
        }
        Ok(named.map(|(name, cell)| (name.clone(), value(cell))).collect())
    }
}

fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// The cells of the first record, and what begins with its line end.
fn cells(text: &[u8], delimiter: u8) -> Result<(Vec<Vec<u8>>, &[u8]), &'static str> {
    let (mut cells, mut rest) = (Vec::new(), text);
    loop {
        let (cell, left) = if let Some(inside) = rest.strip_prefix(b"\"") {
            quoted(inside)?
        } else {
            let end = rest.iter().position(|byte| *byte == delimiter || is_line_end(*byte));
            let (cell, left) = rest.split_at_checked(end.unwrap_or(rest.len())).unwrap_or((rest, b""));
            (cell.to_vec(), left)
        };
        cells.push(cell);
        if cells.len() > COLUMNS_MAX {
            return Err("has more than 128 cells");
        }
        match left {
            [] => return Ok((cells, left)),
            [byte, next @ ..] if *byte == delimiter => rest = next,
            [byte, ..] if is_line_end(*byte) => return Ok((cells, left)),
            _ => return Err("has text behind a closing quote"),
        }
    }
}

/// A cell whose opening quote has been read, and what stands behind its closing quote.
fn quoted(mut inside: &[u8]) -> Result<(Vec<u8>, &[u8]), &'static str> {
    let mut cell = Vec::new();
    loop {
        let end = inside
            .iter()
            .position(|byte| *byte == b'"')
            .ok_or("opens a quote that nothing closes within 128 KiB")?;
        let (part, left) = inside.split_at_checked(end).unwrap_or((inside, b""));
        cell.extend_from_slice(part);
        match left {
            [b'"', b'"', next @ ..] => {
                cell.push(b'"');
                inside = next;
            }
            _ => return Ok((cell, left.get(1..).unwrap_or_default())),
        }
    }
}
