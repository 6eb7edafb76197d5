//! A file of SQLite's. One connection writes, so that writers queue fairly instead of colliding, and those who wait may share
//! a commit; many read. What is committed is on disk (`synchronous = FULL`). *Runs: server.*

use std::{str::FromStr, sync::Arc};

use sqlx::{Connection as _, SqliteConnection, migrate::Migrator, sqlite::SqliteConnectOptions};

use self::{checkpoint::Checkpointer, connection::Connection, readers::Readers, writer::Writer};
use super::{
    StoreError,
    statement::{Read, Value, single},
};

mod backup;
mod checkpoint;
pub(super) mod connection;
mod readers;
mod writer;

pub use backup::{BackupError, Copied, backup, restore};

/// The changes of the tables, from nothing to what they are now.
pub(super) static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// What the writer keeps of the file in memory, in KiB: with the keys of some ten thousand registrations, whose pages every
/// delivery changes at random places. Readers have SQLite's 2 MiB each at most.
const WRITE_CACHE: u32 = 8192;
/// What the connection keeps that folds the log back: it copies pages, and reads none twice.
const LEAST_CACHE: u32 = 64;

/// The file.
#[derive(Clone)]
pub(super) struct Sqlite {
    writer: Writer,
    readers: Arc<Readers>,
    /// For what takes long.
    apart: Arc<Readers>,
    checkpointer: Arc<Checkpointer>,
}

/// A write transaction, or a part of one. Dropped without [`Part::commit`] it changes nothing.
pub(super) struct Part {
    part: writer::Part,
    checkpointer: Arc<Checkpointer>,
}

impl Sqlite {
    /// Opens `sqlite://path`, which is made when it is not there, and brings its tables up to date.
    pub(super) async fn open(url: &str) -> Result<Self, StoreError> {
        // Changing tables copies them: foreign keys would take what belongs to an old table along with it, and what was
        // personal in it must not stay in the file.
        let options = SqliteConnectOptions::from_str(url)?.foreign_keys(false).pragma("secure_delete", "ON");
        let path = options.get_filename().to_owned();
        let writing = Connection::to_write(&path, WRITE_CACHE)?;
        let mut migrating = SqliteConnection::connect_with(&options).await?;
        MIGRATIONS.run(&mut migrating).await?;
        migrating.close().await?;
        let writer = Writer::new(writing);
        let checkpointer = Checkpointer::new(Connection::to_write(&path, LEAST_CACHE)?, writer.clone())?;
        let (readers, apart) = (Arc::new(Readers::open(&path)?), Arc::new(Readers::apart(&path)?));
        Ok(Self { writer, readers, apart, checkpointer })
    }

    /// Begins a transaction; waits for its turn.
    pub(super) async fn begin(&self) -> Result<Part, StoreError> {
        Ok(self.part(self.writer.begin().await?))
    }

    /// Goes on with the transaction that is open, if one is; waits for its turn.
    pub(super) async fn begin_shared(&self) -> Result<Part, StoreError> {
        Ok(self.part(self.writer.begin_shared().await?))
    }

    fn part(&self, part: writer::Part) -> Part {
        Part { part, checkpointer: Arc::clone(&self.checkpointer) }
    }

    /// Reads something. One statement sees one state of the file; the next one may see a newer.
    pub(super) fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.readers.read(read)
    }

    /// Reads rows beside those who serve: on a thread that may take its time, over a connection that nobody else waits for.
    pub(super) async fn rows_apart<T: Send + 'static>(
        &self,
        sql: &'static str,
        values: Vec<Value<'static>>,
        read: Read<T>,
    ) -> Result<Vec<T>, StoreError> {
        let apart = Arc::clone(&self.apart);
        let reading = tokio::task::spawn_blocking(move || apart.read(|db| db.rows(sql, &values, read)));
        // It ends only by itself, unless the process does.
        reading.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Folds the write-ahead log into the file and empties it, unless somebody reads. Says whether it was done.
    pub(super) async fn empty_log(&self) -> Result<bool, StoreError> {
        self.checkpointer.shorten().await?;
        let busy = self.writer.aside(|db| db.row("PRAGMA wal_checkpoint(TRUNCATE)", &[], single::<i64>)).await?;
        Ok(busy == Some(0))
    }

    /// Closes all connections; the last one folds the write-ahead log into the file.
    pub(super) async fn close(&self) {
        self.checkpointer.close().await;
        self.readers.close();
        self.apart.close();
        self.writer.close().await;
    }
}

impl Part {
    /// The connection, for statements of this part.
    pub(super) fn connection(&self) -> Result<&Connection, StoreError> {
        self.part.connection()
    }

    /// Makes the changes last: when this returns they are on disk.
    pub(super) async fn commit(self) -> Result<(), StoreError> {
        self.part.commit().await?;
        self.checkpointer.committed();
        Ok(())
    }
}
