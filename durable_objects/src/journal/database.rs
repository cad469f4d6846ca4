//! The database that a journal is kept in.

use analytics::{Param, Statement};

use super::table;

/// Why a statement was not carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed(pub String);

/// A database that answers at once, as a Durable Object's own does: what a journal reads and writes between two awaits
/// is one transaction there, so that its decisions need not be cut in two at each look into storage.
pub trait Database {
    /// Carries out a statement; its rows.
    ///
    /// # Errors
    /// It did not change anything.
    fn run(&self, statement: Statement) -> Result<Vec<Vec<Param>>, Failed>;
}

/// The columns of a row, one after the other.
pub(super) struct Columns(std::vec::IntoIter<Param>);

impl Columns {
    pub(super) fn of(row: Vec<Param>) -> Self {
        Self(row.into_iter())
    }

    pub(super) fn integer(&mut self) -> Result<i64, Failed> {
        match self.0.next() {
            Some(Param::Integer(value)) => Ok(value),
            other => Err(Failed(format!("storage has {other:?} where a number should be"))),
        }
    }

    pub(super) fn blob(&mut self) -> Result<Vec<u8>, Failed> {
        match self.0.next() {
            Some(Param::Blob(bytes)) => Ok(bytes),
            other => Err(Failed(format!("storage has {other:?} where bytes should be"))),
        }
    }
}

/// The only column of the first row, if there is one.
pub(super) fn one_blob(rows: Vec<Vec<Param>>) -> Result<Option<Vec<u8>>, Failed> {
    rows.into_iter().next().map(|row| Columns::of(row).blob()).transpose()
}

/// A number that is noted by name; 0 if it is not.
pub(super) fn fact(db: &dyn Database, name: &'static str) -> Result<i64, Failed> {
    let row = db.run(table::fact(name))?.into_iter().next();
    row.map_or(Ok(0), |row| Columns::of(row).integer())
}
