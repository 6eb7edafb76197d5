//! Folds the write-ahead log back into the file, beside the commits instead of within them: the commit that SQLite would
//! let do it takes many times as long as the others, and somebody waits for it. *Runs: server.*

use std::{sync::Arc, time::Duration};

use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};
use tokio::sync::watch;

/// After a commit, so long others may follow before anybody looks at the log.
const PAUSE: Duration = Duration::from_millis(100);
/// From so many pages on the log is folded back: what SQLite itself would take.
const LONG: i64 = 1_000;
/// A log of so many pages has not been begun anew because somebody always wrote meanwhile: then a commit has to wait.
const TOO_LONG: i64 = 16_384;

/// Whoever commits tells it; it ends with the last who can.
pub(super) struct Checkpointer {
    commits: watch::Sender<()>,
    pool: SqlitePool,
}

impl Checkpointer {
    /// Watches the log of this database.
    pub(super) fn new(options: SqliteConnectOptions, write: SqlitePool) -> Arc<Self> {
        let (commits, committed) = watch::channel(());
        let pool = SqlitePoolOptions::new().max_connections(1).connect_lazy_with(options);
        tokio::spawn(run(pool.clone(), write, committed));
        Arc::new(Self { commits, pool })
    }

    /// Something was committed.
    pub(super) fn committed(&self) {
        self.commits.send_replace(());
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }
}

async fn run(pool: SqlitePool, write: SqlitePool, mut committed: watch::Receiver<()>) {
    while committed.changed().await.is_ok() {
        tokio::time::sleep(PAUSE).await;
        match fold(&pool, &write).await {
            Ok(()) => {}
            // The store closes, and folds the rest itself.
            Err(sqlx::Error::PoolClosed) => return,
            Err(error) => {
                tracing::warn!(%error, "the write-ahead log could not be folded back yet");
            }
        }
    }
}

async fn fold(pool: &SqlitePool, write: &SqlitePool) -> Result<(), sqlx::Error> {
    if waiting(pool, "PRAGMA wal_checkpoint(NOOP)").await? < LONG {
        return Ok(());
    }
    // Hinders nobody, and nobody hinders it; only the log can go on meanwhile.
    waiting(pool, "PRAGMA wal_checkpoint(PASSIVE)").await?;
    let (_, length, _) = state(pool, "PRAGMA wal_checkpoint(NOOP)").await?;
    if length > TOO_LONG {
        // Between two commits there is little left to do, and the next one begins the log anew.
        waiting(write, "PRAGMA wal_checkpoint(PASSIVE)").await?;
    }
    Ok(())
}

/// How many pages of the log are not in the file.
async fn waiting(pool: &SqlitePool, pragma: &'static str) -> Result<i64, sqlx::Error> {
    let (_, length, folded) = state(pool, pragma).await?;
    Ok(length - folded)
}

async fn state(pool: &SqlitePool, pragma: &'static str) -> Result<(i64, i64, i64), sqlx::Error> {
    sqlx::query_as(pragma).fetch_one(pool).await
}
