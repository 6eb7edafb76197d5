//! One connection to SQLite: statements with their values in, rows out. Statements run where they are called, without a
//! thread of their own, because they are searches of an index that take microseconds; what waits for the disk, a commit,
//! is for `writer` to take elsewhere. *Runs: server.*

use std::{path::Path, time::Duration};

use rusqlite::{
    CachedStatement, OpenFlags, ToSql,
    config::DbConfig,
    types::{ToSqlOutput, ValueRef},
};

use super::super::{
    StoreError,
    statement::{Answer, Read, Row, Value},
};

/// How many statements a connection keeps prepared: all there are.
const STATEMENTS: usize = 128;
/// How long a reader waits for a lock, which it needs only while somebody else opens or closes the file.
const BUSY: Duration = Duration::from_secs(5);

/// A connection.
pub(in super::super) struct Connection(rusqlite::Connection);

impl Connection {
    /// One that writes. It never waits for a lock, because it would take its thread along: see [`StoreError::is_busy`].
    /// `cache` is how much of the file it keeps in memory, in KiB.
    pub(super) fn to_write(path: &Path, cache: u32) -> Result<Self, StoreError> {
        let connection = rusqlite::Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // FULL: what a webhook was answered with 200 survives a power cut.
        connection.pragma_update(None, "synchronous", "FULL")?;
        // Deleted personal data is overwritten, not only unlinked.
        connection.pragma_update(None, "secure_delete", "ON")?;
        connection.pragma_update(None, "foreign_keys", "ON")?;
        // No commit waits while the log is folded back, see `checkpoint`.
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        connection.pragma_update(None, "cache_size", -i64::from(cache))?;
        Self::set_up(connection, Duration::ZERO)
    }

    /// One that only reads.
    pub(super) fn to_read(path: &Path) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Self::set_up(rusqlite::Connection::open_with_flags(path, flags)?, BUSY)
    }

    /// One that only looks, and leaves nothing beside the file: where there is no log, nobody has it open.
    pub(in super::super) fn to_look(path: &Path) -> Result<Self, StoreError> {
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        let address = std::path::absolute(path).ok().and_then(|path| reqwest::Url::from_file_path(path).ok());
        let Some(mut address) = address.filter(|_| !Path::new(&log).exists()) else { return Self::to_read(path) };
        address.set_query(Some("immutable=1"));
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
        Self::set_up(rusqlite::Connection::open_with_flags(address.as_str(), flags)?, BUSY)
    }

    fn set_up(connection: rusqlite::Connection, patience: Duration) -> Result<Self, StoreError> {
        connection.busy_timeout(patience)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        // A statement keeps its plan whatever its values are, instead of being prepared anew for some of them.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        Ok(Self(connection))
    }

    /// Runs a statement, and gives back how many rows it changed.
    pub(in super::super) fn execute(&self, sql: &'static str, values: &[Value<'_>]) -> Result<usize, StoreError> {
        Ok(self.prepared(sql, values)?.raw_execute()?)
    }

    /// Every row of an answer.
    pub(in super::super) fn rows<T>(
        &self,
        sql: &'static str,
        values: &[Value<'_>],
        read: Read<T>,
    ) -> Result<Vec<T>, StoreError> {
        let mut statement = self.prepared(sql, values)?;
        let mut rows = statement.raw_query();
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            all.push(read(&mut Row::new(Answer::Sqlite(row)))?);
        }
        Ok(all)
    }

    /// The first row of an answer, if there is one.
    pub(in super::super) fn row<T>(
        &self,
        sql: &'static str,
        values: &[Value<'_>],
        read: Read<T>,
    ) -> Result<Option<T>, StoreError> {
        let mut statement = self.prepared(sql, values)?;
        let mut rows = statement.raw_query();
        rows.next()?.map(|row| read(&mut Row::new(Answer::Sqlite(row)))).transpose()
    }

    /// A statement with its values in the places of `?1`, `?2` and so on.
    fn prepared(&self, sql: &'static str, values: &[Value<'_>]) -> Result<CachedStatement<'_>, StoreError> {
        let mut statement = self.0.prepare_cached(sql)?;
        if statement.parameter_count() != values.len() {
            Err(rusqlite::Error::InvalidParameterCount(values.len(), statement.parameter_count()))?;
        }
        for (place, value) in (1..).zip(values) {
            statement.raw_bind_parameter(place, value)?;
        }
        Ok(statement)
    }

    /// Whether a transaction is open. Some faults, a full disk for instance, end one by themselves.
    pub(super) fn is_in_transaction(&self) -> bool {
        !self.0.is_autocommit()
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}
