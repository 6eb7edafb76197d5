//! Keeps what must last. All SQL is in this room, and nothing else is. What is personal is sealed on its way in and
//! opened on its way out, so that no other room can forget to.
//!
//! One connection writes, so that writers queue fairly instead of colliding, and those who wait may share a commit; many
//! read. A write transaction is a [`Tx`], and what its methods change is on disk once [`Tx::commit`] returns
//! (`synchronous = FULL`). *Runs: server.*

use std::{str::FromStr, sync::Arc, time::Duration};

use sqlx::{
    SqliteConnection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use self::{
    checkpoint::Checkpointer,
    ledger::Ledger,
    lookup::Lookup,
    writer::{Part, Writer},
};
use super::secrets::KeyRing;

mod acts;
mod attempts;
mod backlog;
mod checkpoint;
mod events;
mod ledger;
mod lookup;
mod matching;
mod registrations;
mod reseal;
mod sandbox;
mod sessions;
mod together;
mod writer;

pub use acts::{About, Act, ActKind, Lane};
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
    Database(#[from] sqlx::Error),
    /// The tables could not be brought up to date.
    #[error("the database's tables: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
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
            Self::Database(sqlx::Error::Database(error)) => error.kind() != sqlx::error::ErrorKind::Other,
            Self::Database(_) | Self::Migration(_) | Self::NotCommitted => false,
        }
    }
}

/// How many connections read at the same time.
const READERS: u32 = 4;
/// What the writer keeps of the file in memory, in KiB below zero: with the keys of some ten thousand registrations, whose
/// pages every delivery changes at random places. Readers have SQLite's 2 MiB each at most.
const WRITE_CACHE: &str = "-8192";
/// How many statements a connection keeps prepared.
const STATEMENTS: usize = 256;
/// How many rows of an answer may lie ready before the connection's thread waits for whoever asked: as many as deliveries
/// that are recorded together have at most, nearly always. Each wait is two switches of threads.
const ROWS: usize = 512;
/// How long a statement waits for a lock, for instance of a backup tool.
const BUSY: Duration = Duration::from_secs(5);

/// The database.
#[derive(Clone)]
pub struct Store {
    write: SqlitePool,
    writer: Writer,
    read: SqlitePool,
    lookup: Lookup,
    checkpointer: Arc<Checkpointer>,
    keys: Arc<KeyRing>,
}

/// A write transaction. Dropped without [`Tx::commit`] it changes nothing.
pub struct Tx {
    part: Part,
    ledger: Ledger,
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
        let options = SqliteConnectOptions::from_str(url)?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // FULL: what a webhook was answered with 200 survives a power cut.
            .synchronous(SqliteSynchronous::Full)
            // Deleted personal data is overwritten, not only unlinked.
            .pragma("secure_delete", "ON")
            .foreign_keys(true)
            // Statements over many rows come in a few sizes each.
            .statement_cache_capacity(STATEMENTS)
            .row_buffer_size(ROWS)
            // No commit waits while the log is folded back, see `checkpoint`.
            .pragma("wal_autocheckpoint", "0")
            .busy_timeout(BUSY);
        let writing = options.clone().pragma("cache_size", WRITE_CACHE);
        let write = SqlitePoolOptions::new().max_connections(1).connect_with(writing).await?;
        sqlx::migrate!("migrations/sqlite").run(&write).await?;
        let checkpointer = Checkpointer::new(options.clone(), write.clone());
        let read = SqlitePoolOptions::new().max_connections(READERS).connect_with(options.read_only(true)).await?;
        let lookup = Lookup::new(read.clone(), Arc::clone(&keys));
        Ok(Self { writer: Writer::new(write.clone()), write, read, lookup, checkpointer, keys })
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
        Tx { part, ledger: Ledger::default(), after: Vec::new(), checkpointer, keys }
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.read).await?;
        Ok(())
    }

    /// Folds the write-ahead log into the file and empties it: until then it still holds what was deleted from the file,
    /// where `secure_delete` has overwritten it. Readers that are busy put it off; says whether it was done.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn empty_log(&self) -> Result<bool, StoreError> {
        let (busy, _, _): (i64, i64, i64) =
            sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&self.write).await?;
        Ok(busy == 0)
    }

    /// Closes all connections; the last one folds the write-ahead log into the file.
    pub async fn close(&self) {
        self.checkpointer.close().await;
        self.read.close().await;
        self.write.close().await;
    }
}

impl Tx {
    /// Makes the changes last.
    ///
    /// # Errors
    /// When the database fails; then nothing was changed.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        self.flush().await?;
        self.part.commit().await?;
        self.checkpointer.committed();
        self.after.drain(..).for_each(|follow| follow());
        Ok(())
    }

    /// Does this once the changes last, and never if they do not. For what is counted.
    pub fn after_commit(&mut self, follow: impl FnOnce() + Send + 'static) {
        self.after.push(Box::new(follow));
    }

    /// The database itself, with everything written that was not yet. What is known is forgotten, because the statement to
    /// come may change it.
    async fn db(&mut self) -> Result<&mut SqliteConnection, StoreError> {
        self.flush().await?;
        self.ledger.forget();
        self.part.connection()
    }

    /// The same for a statement that changes nothing of what is known.
    async fn aside(&mut self) -> Result<&mut SqliteConnection, StoreError> {
        self.flush().await?;
        self.part.connection()
    }
}
