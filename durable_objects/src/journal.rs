//! The journal.
mod call;
mod database;
mod filter;
#[cfg(test)]
mod laws;
mod merge;
mod page;
mod shelf;
mod table;
