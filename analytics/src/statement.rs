//! SQL as data: the shell runs it on D1 or in a Durable Object, the tests run the same text on `SQLite`.

/// A value bound to a statement.
#[derive(Debug, Clone, PartialEq)]
pub enum Param {
    /// NULL
    Null,
    /// INTEGER. Kept below 2^53, which is what the JavaScript boundary carries exactly.
    Integer(i64),
    /// TEXT
    Text(String),
    /// BLOB. Only in Durable Objects: D1 carries a blob as a list of numbers, at four times its size.
    Blob(Vec<u8>),
}

impl From<i64> for Param {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<&str> for Param {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Param {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<Vec<u8>> for Param {
    fn from(value: Vec<u8>) -> Self {
        Self::Blob(value)
    }
}

/// One statement with its parameters (`?1`, `?2`, ...).
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// The text, constant so that nothing from outside can get into it.
    pub sql: &'static str,
    /// The parameters in order.
    pub params: Vec<Param>,
}

impl Statement {
    /// A statement with its parameters.
    pub fn new(sql: &'static str, params: impl IntoIterator<Item = Param>) -> Self {
        Self { sql, params: params.into_iter().collect() }
    }
}
