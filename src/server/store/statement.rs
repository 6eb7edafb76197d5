//! What a statement is made of, whichever database runs it: values in the places of `?1`, `?2` and so on, and rows that are
//! read column by column. *Runs: server.*

use std::borrow::Cow;

use rusqlite::types::FromSql;
use sqlx::{Row as _, postgres::PgRow};

use super::StoreError;
use crate::domain::{ids::SessionId, time::Timestamp};

/// What takes the place of `?1`, `?2` and so on.
#[derive(Debug)]
pub(super) enum Value<'a> {
    Null,
    Integer(i64),
    Text(Cow<'a, str>),
    Bytes(Cow<'a, [u8]>),
}

/// Values for a statement.
macro_rules! values {
    ($($value:expr),* $(,)?) => { &[$($crate::server::store::statement::Value::from($value)),*] };
}
pub(super) use values;

impl Value<'_> {
    /// The same, on its own.
    pub(super) fn owned(&self) -> Value<'static> {
        match self {
            Self::Null => Value::Null,
            Self::Integer(number) => Value::Integer(*number),
            Self::Text(text) => Value::Text(text.to_string().into()),
            Self::Bytes(bytes) => Value::Bytes(bytes.to_vec().into()),
        }
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<u32> for Value<'_> {
    fn from(number: u32) -> Self {
        Self::Integer(number.into())
    }
}

impl From<bool> for Value<'_> {
    fn from(truth: bool) -> Self {
        Self::Integer(truth.into())
    }
}

impl From<Timestamp> for Value<'_> {
    fn from(time: Timestamp) -> Self {
        Self::Integer(time.0)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text.into())
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl<'a> From<&'a SessionId> for Value<'a> {
    fn from(id: &'a SessionId) -> Self {
        Self::Text(id.as_str().into())
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(bytes.into())
    }
}

impl From<Vec<u8>> for Value<'_> {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes.into())
    }
}

impl<T> From<Option<T>> for Value<'_>
where
    Self: From<T>,
{
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Self::from)
    }
}

/// Reads a row, column by column.
pub(super) type Read<T> = fn(&mut Row<'_>) -> Result<T, StoreError>;

/// A row of an answer, read from its first column to its last.
pub(super) struct Row<'a> {
    answer: Answer<'a>,
    column: usize,
}

/// Whose answer it is.
#[derive(Clone, Copy)]
pub(super) enum Answer<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    Postgres(&'a PgRow),
}

impl<'a> Row<'a> {
    pub(super) fn new(answer: Answer<'a>) -> Self {
        Self { answer, column: 0 }
    }

    /// The next column.
    pub(super) fn next<T: Column>(&mut self) -> Result<T, StoreError> {
        let value = match self.answer {
            Answer::Sqlite(row) => row.get(self.column)?,
            Answer::Postgres(row) => T::of_postgres(row, self.column)?,
        };
        self.column += 1;
        Ok(value)
    }
}

/// What a column can be read as.
pub(super) trait Column: FromSql {
    fn of_postgres(row: &PgRow, column: usize) -> Result<Self, sqlx::Error>;
}

/// As its own type on both sides.
macro_rules! columns_as_they_are {
    ($($type:ty),*) => { $(impl Column for $type {
        fn of_postgres(row: &PgRow, column: usize) -> Result<Self, sqlx::Error> {
            row.try_get(column)
        }
    })* };
}
columns_as_they_are!(i64, String, Vec<u8>, Option<i64>, Option<String>, Option<Vec<u8>>);

/// 0 or 1, because SQLite has no truth of its own.
impl Column for bool {
    fn of_postgres(row: &PgRow, column: usize) -> Result<Self, sqlx::Error> {
        Ok(row.try_get::<i64, _>(column)? != 0)
    }
}

/// One column, for answers that have no more.
pub(super) fn single<T: Column>(row: &mut Row<'_>) -> Result<T, StoreError> {
    row.next()
}
