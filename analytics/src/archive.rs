//! The archive: every counted event as a line of JSON, for good.
//!
//! Lines are made in the consumer and become readable in the transaction that counts their events: a row of the table
//! `archive` holds them, or names the object that does. So what is counted is archived, and nothing else: objects that
//! no row names are the remains of a try that failed, and are swept.

mod clicks;
mod csv;
mod erase;
mod filter;
mod line;
mod lines;
mod rows;

pub use clicks::write_click;
pub use csv::{COLUMNS, csv_header, write_csv};
pub use erase::{Named, erase, named as whose};
pub use filter::{EventFilter, Format};
pub use line::{Billed, Copies, Line, read, write_copies, write_event, write_outcome};
pub use lines::{Chunk, Lines};
pub use rows::{
    GATHER_BYTES, Keeping, PAGE_ROWS, Run, Span, Waiting, forget, forgotten, gathered, keep, named, next,
    object_name, page, part, partition, renamed, run, swept, waiting, waiting_bytes, waiting_texts,
};
