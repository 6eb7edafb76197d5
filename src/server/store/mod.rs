//! Keeps what must last. All SQL is in this room, and nothing else is. What is personal is sealed on its way in and
//! opened on its way out, so that no other room can forget to.
//!
//! One connection writes, so that writers queue fairly instead of colliding, and those who wait may share a commit; many
//! read. A write transaction is a [`Tx`], and what its methods change is on disk once [`Tx::commit`] returns
//! (`synchronous = FULL`). *Runs: server.*

use std::{str::FromStr, sync::Arc};

use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};

use self::{
    checkpoint::Checkpointer,
    connection::{Connection, single},
    readers::Readers,
    writer::{Part, Writer},
};
use super::secrets::KeyRing;
use crate::domain::time::Timestamp;

mod act;
mod acts;
mod attempts;
mod backlog;
mod checkpoint;
mod connection;
mod events;
mod matching;
mod readers;
mod registrations;
mod reseal;
mod sandbox;
mod sessions;
mod writer;

pub use act::{About, ActKind, Lane};
pub use acts::Act;
pub use attempts::{Attempt, Invited};
pub use backlog::Backlog;
pub use events::{EventOutcome, Source, UnmatchedEvent};
pub use matching::Matched;
pub use registrations::{Registration, Submitted};
pub use reseal::Resealed;

/// What went wrong with the database.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database failed.
    #[error("the database: {0}")]
    Database(#[from] rusqlite::Error),
    /// Its address is none, or it could not be opened to bring its tables up to date.
    #[error("the database: {0}")]
    Opening(#[from] sqlx::Error),
    /// The tables could not be brought up to date.
    #[error("the database's tables: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// The thread could not be started that folds the log back.
    #[error("the database's thread: {0}")]
    Thread(#[from] std::io::Error),
    /// The server stops.
    #[error("the database is closed")]
    Closed,
    /// The commit that was shared with others failed; what it was is in the log.
    #[error("the database: a shared commit failed")]
    NotCommitted,
    /// A row says something that cannot be.
    #[error("table {table}, row {row}: {problem}")]
    Inconsistent {
        /// The table.
        table: &'static str,
        /// The row's key.
        row: String,
        /// What cannot be.
        problem: &'static str,
    },
}

impl StoreError {
    /// Whether it is the fault of what one row says, and not of the database as a whole.
    #[must_use]
    pub fn is_of_one_row(&self) -> bool {
        match self {
            Self::Inconsistent { .. } => true,
            Self::Database(rusqlite::Error::SqliteFailure(error, _)) => {
                error.code == rusqlite::ErrorCode::ConstraintViolation
            }
            Self::Database(error) => matches!(
                error,
                rusqlite::Error::InvalidColumnType(..)
                    | rusqlite::Error::FromSqlConversionFailure(..)
                    | rusqlite::Error::IntegralValueOutOfRange(..)
            ),
            Self::Opening(_) | Self::Migration(_) | Self::Thread(_) | Self::Closed | Self::NotCommitted => false,
        }
    }

    /// Whether somebody else keeps the lock at the moment.
    fn is_busy(&self) -> bool {
        matches!(self, Self::Database(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy))
    }
}

/// What the writer keeps of the file in memory, in KiB: with the keys of some ten thousand registrations, whose pages every
/// delivery changes at random places. Readers have SQLite's 2 MiB each at most.
const WRITE_CACHE: u32 = 8192;
/// What the connection keeps that folds the log back: it copies pages, and reads none twice.
const LEAST_CACHE: u32 = 64;

/// The database.
#[derive(Clone)]
pub struct Store {
    writer: Writer,
    readers: Arc<Readers>,
    checkpointer: Arc<Checkpointer>,
    keys: Arc<KeyRing>,
}

/// A write transaction. Dropped without [`Tx::commit`] it changes nothing.
pub struct Tx {
    part: Part,
    /// For each lane of [`Lane::ALL`]: the earliest time at which anything is due that was made due here.
    soonest: [Option<Timestamp>; Lane::ALL.len()],
    /// Whether any delivery waits for its session, once that was looked at.
    has_unmatched: Option<bool>,
    /// What is to follow the commit.
    after: Vec<Box<dyn FnOnce() + Send>>,
    checkpointer: Arc<Checkpointer>,
    keys: Arc<KeyRing>,
}

impl Store {
    /// Opens the database at `sqlite://path`, which is made when it is not there, and brings its tables up to date. What
    /// is personal in it is sealed with these keys.
    ///
    /// # Errors
    /// When the file cannot be opened or is not such a database.
    pub async fn open(url: &str, keys: Arc<KeyRing>) -> Result<Self, StoreError> {
        // Changing tables copies them: foreign keys would take what belongs to an old table along with it, and what was
        // personal in it must not stay in the file.
        let options = SqliteConnectOptions::from_str(url)?.foreign_keys(false).pragma("secure_delete", "ON");
        let path = options.get_filename().to_owned();
        let writing = Connection::to_write(&path, WRITE_CACHE)?;
        let mut migrating = SqliteConnection::connect_with(&options).await?;
        sqlx::migrate!("migrations/sqlite").run(&mut migrating).await?;
        migrating.close().await?;
        let writer = Writer::new(writing);
        let checkpointer = Checkpointer::new(Connection::to_write(&path, LEAST_CACHE)?, writer.clone())?;
        Ok(Self { writer, readers: Arc::new(Readers::open(&path)?), checkpointer, keys })
    }

    /// Begins a write transaction; waits for its turn.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        Ok(self.tx(self.writer.begin().await?))
    }

    /// The same for those who come in crowds: whoever waits at the same time shares one commit. What is read may be
    /// another's change that is not on disk yet, so commit before anybody is told of it, also where nothing was changed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin_shared(&self) -> Result<Tx, StoreError> {
        Ok(self.tx(self.writer.begin_shared().await?))
    }

    fn tx(&self, part: Part) -> Tx {
        let (checkpointer, keys) = (Arc::clone(&self.checkpointer), Arc::clone(&self.keys));
        Tx { part, soonest: [None; Lane::ALL.len()], has_unmatched: None, after: Vec::new(), checkpointer, keys }
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.readers.read(|db| db.has("SELECT 1 FROM sessions LIMIT 1", &[])).map(drop)
    }

    /// Folds the write-ahead log into the file and empties it: until then it still holds what was deleted from the file,
    /// where `secure_delete` has overwritten it. Readers that are busy put it off; says whether it was done.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn empty_log(&self) -> Result<bool, StoreError> {
        let busy = self.writer.aside(|db| db.row("PRAGMA wal_checkpoint(TRUNCATE)", &[], single::<i64>)).await?;
        Ok(busy == Some(0))
    }

    /// Closes all connections; the last one folds the write-ahead log into the file.
    pub async fn close(&self) {
        self.checkpointer.close().await;
        self.readers.close();
        self.writer.close().await;
    }
}

impl Tx {
    /// Makes the changes last.
    ///
    /// # Errors
    /// When the database fails; then nothing was changed.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        self.part.commit().await?;
        self.checkpointer.committed();
        self.after.drain(..).for_each(|follow| follow());
        Ok(())
    }

    /// Does this once the changes last, and never if they do not. For what is counted.
    pub fn after_commit(&mut self, follow: impl FnOnce() + Send + 'static) {
        self.after.push(Box::new(follow));
    }

    fn db(&self) -> Result<&Connection, StoreError> {
        self.part.connection()
    }
}
