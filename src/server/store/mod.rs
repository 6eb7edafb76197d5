//! Keeps what must last. All SQL is in this room, and nothing else is. What is personal is sealed on its way in and
//! opened on its way out, so that no other room can forget to.
//!
//! It is a file of SQLite's, which one process has, or a PostgreSQL server, which many share; their statements are the same.
//! A write transaction is a [`Tx`], and what its methods change is on disk once [`Tx::commit`] returns. *Runs: server.*

use std::{borrow::Cow, io::ErrorKind, sync::Arc};

use rand::Rng;

use self::{
    database::{Database, Part},
    postgres::Postgres,
    sqlite::Sqlite,
};
use super::secrets::KeyRing;
use crate::domain::time::Timestamp;

mod act;
mod acts;
mod attempts;
mod backlog;
mod board;
mod database;
mod events;
mod figures;
mod hand_overs;
mod history;
mod inspection;
mod listening;
mod matching;
mod postgres;
mod registrations;
mod reseal;
mod sandbox;
mod sessions;
mod sqlite;
mod staff;
mod statement;
mod strays;
mod transfer;
mod trouble;

pub use act::{About, ActKind, Lane};
pub use acts::Act;
pub use attempts::{Attempt, Invited};
pub use backlog::Backlog;
pub use board::{ByName, Entry, Listed, Place, Towards};
pub use events::{EventOutcome, Source, UnmatchedEvent};
pub use figures::Course;
pub use history::{PastAct, PastAttempt, PastEvent};
pub use inspection::{Inspection, SealedRows, Tables, inspect};
pub use listening::Listening;
pub use matching::{Found, Matched};
pub use registrations::{Exported, Registration, Submitted};
pub use reseal::Resealed;
pub use sqlite::{BackupError, Copied, backup, restore};
pub use staff::{Deed, Recorded, SignIn};
pub use strays::Stray;
pub use transfer::{Sum, TransferError};
pub use trouble::{Unusable, name_of, of_place, path_of};

/// What went wrong with the database.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite failed.
    #[error("the database: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// PostgreSQL failed, or the way to it.
    #[error("the database: {0}")]
    Postgres(#[from] sqlx::Error),
    /// PostgreSQL does not answer.
    #[error("the database does not answer")]
    Slow,
    /// The tables could not be brought up to date.
    #[error("the database's tables: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// The thread could not be started that folds the log back.
    #[error("the database's thread: {0}")]
    Thread(#[from] std::io::Error),
    /// The server stops.
    #[error("the database is closed")]
    Closed,
    /// The commit failed, or one that was shared with others; what it was is in the log.
    #[error("the database: a commit failed")]
    NotCommitted,
    /// Somebody else has taken over the act meanwhile.
    #[error("the act's lease was lost")]
    LeaseLost,
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
            Self::Sqlite(rusqlite::Error::SqliteFailure(error, _)) => {
                error.code == rusqlite::ErrorCode::ConstraintViolation
            }
            Self::Sqlite(error) => matches!(
                error,
                rusqlite::Error::InvalidColumnType(..)
                    | rusqlite::Error::FromSqlConversionFailure(..)
                    | rusqlite::Error::IntegralValueOutOfRange(..)
            ),
            Self::Postgres(error) => {
                matches!(error, sqlx::Error::ColumnDecode { .. }) || self.sql_state().starts_with("23")
            }
            _ => false,
        }
    }

    /// Whether others were in the way, so that the same once more may succeed: two that waited for each other, or who wrote
    /// the same key at the same moment.
    #[must_use]
    pub fn is_of_the_moment(&self) -> bool {
        // deadlock_detected, serialization_failure, unique_violation
        matches!(&*self.sql_state(), "40P01" | "40001" | "23505")
    }

    /// Whether the connection was lost, which says nothing of the next one.
    fn is_lost_connection(&self) -> bool {
        match self {
            Self::Postgres(sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_)) => true,
            // Class 57P: the server was told to stop, fell, or is starting; 25P03: it ended a transaction that was idle.
            Self::Postgres(sqlx::Error::Database(_)) => {
                let state = self.sql_state();
                state.starts_with("57P") || state == "25P03"
            }
            _ => false,
        }
    }

    /// Whether TLS does not come about: the server has none, or its certificate is not to be trusted.
    fn is_of_tls(&self) -> bool {
        match self {
            Self::Postgres(sqlx::Error::Tls(_)) => true,
            Self::Postgres(sqlx::Error::Io(error)) => error.kind() == ErrorKind::InvalidData,
            _ => false,
        }
    }

    /// PostgreSQL's code for it; empty where it has none.
    fn sql_state(&self) -> Cow<'_, str> {
        match self {
            Self::Postgres(sqlx::Error::Database(error)) => error.code().unwrap_or_default(),
            _ => Cow::Borrowed(""),
        }
    }

    /// Whether somebody else keeps the lock at the moment.
    fn is_busy(&self) -> bool {
        matches!(self, Self::Sqlite(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy))
    }
}

/// The database.
#[derive(Clone)]
pub struct Store {
    database: Database,
    keys: Arc<KeyRing>,
    /// By this number its leases are known among those of other processes.
    owner: i64,
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
    keys: Arc<KeyRing>,
    owner: i64,
}

impl Store {
    /// Opens the database, and brings its tables up to date: the file at `sqlite://path`, which is made when it is not there,
    /// or a database of the server at `postgres://…`, with at most so many connections. What is personal in it is sealed with
    /// these keys.
    ///
    /// # Errors
    /// When it cannot be opened or is not such a database.
    pub async fn open(url: &str, most_connections: u32, keys: Arc<KeyRing>) -> Result<Self, StoreError> {
        let database = if is_shared(url) {
            Database::Postgres(Postgres::open(url, most_connections).await?)
        } else {
            Database::Sqlite(Sqlite::open(url).await?)
        };
        Ok(Self { database, keys, owner: rand::rng().random() })
    }

    /// Whether other processes may work with the same database.
    #[must_use]
    pub const fn is_shared(&self) -> bool {
        matches!(self.database, Database::Postgres(_))
    }

    /// How many may write at the same time and leave others something.
    #[must_use]
    pub fn writers(&self) -> usize {
        match &self.database {
            Database::Sqlite(_) => 1,
            Database::Postgres(server) => server.connections().div_ceil(2),
        }
    }

    /// Begins a write transaction; waits for its turn.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        Ok(self.tx(self.database.begin().await?))
    }

    /// The same for those who come in crowds: on SQLite, whoever waits at the same time shares one commit. What is read may be
    /// another's change that is not on disk yet, so commit before anybody is told of it, also where nothing was changed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin_shared(&self) -> Result<Tx, StoreError> {
        Ok(self.tx(self.database.begin_shared().await?))
    }

    fn tx(&self, part: Part) -> Tx {
        let (keys, owner) = (Arc::clone(&self.keys), self.owner);
        Tx { part, soonest: [None; Lane::ALL.len()], has_unmatched: None, after: Vec::new(), keys, owner }
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.database.has("SELECT 1 FROM sessions LIMIT 1", &[]).await.map(drop)
    }

    /// Folds SQLite's write-ahead log into the file and empties it: until then it still holds what was deleted from the file,
    /// where `secure_delete` has overwritten it. Readers that are busy put it off; says whether it was done. PostgreSQL keeps
    /// its log as long as its operator wants it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn empty_log(&self) -> Result<bool, StoreError> {
        match &self.database {
            Database::Sqlite(file) => file.empty_log().await,
            Database::Postgres(_) => Ok(true),
        }
    }

    /// Closes all connections.
    pub async fn close(&self) {
        self.database.close().await;
    }
}

/// Whether the database at this address is one that several processes may share.
#[must_use]
pub fn is_shared(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

impl Tx {
    /// Makes the changes last.
    ///
    /// # Errors
    /// When the database fails. Then nothing was changed, unless a connection to PostgreSQL was lost in this very moment.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        self.part.commit().await?;
        self.after.drain(..).for_each(|follow| follow());
        Ok(())
    }

    /// Does this once the changes last, and never if they do not. For what is counted.
    pub fn after_commit(&mut self, follow: impl FnOnce() + Send + 'static) {
        self.after.push(Box::new(follow));
    }
}
