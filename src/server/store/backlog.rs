//! What waits in the database, for whoever watches over it. *Runs: server.*

use super::{Lane, Store, StoreError};
use crate::domain::time::Timestamp;

/// How much waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backlog {
    /// Acts that are due and not leased, for each lane of [`Lane::ALL`].
    pub due: [i64; Lane::ALL.len()],
    /// Deliveries that wait for their session.
    pub unmatched: i64,
}

impl Store {
    /// How much waits. One statement over ranges of indexes: it costs what it counts, and nothing for what is done or not
    /// due yet.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn backlog(&self, now: Timestamp) -> Result<Backlog, StoreError> {
        let (doing, asking, expiring, purging, unmatched) = sqlx::query_as(
            "SELECT (SELECT COUNT(*) FROM acts WHERE lane = $2 AND done_at IS NULL AND due_at <= $1), \
             (SELECT COUNT(*) FROM acts WHERE lane = $3 AND done_at IS NULL AND due_at <= $1), \
             (SELECT COUNT(*) FROM acts WHERE lane = $4 AND done_at IS NULL AND due_at <= $1), \
             (SELECT COUNT(*) FROM acts WHERE lane = $5 AND done_at IS NULL AND due_at <= $1), \
             (SELECT COUNT(*) FROM events WHERE outcome = 'unmatched')",
        )
        .bind(now.0)
        .bind(Lane::Doing as i64)
        .bind(Lane::Asking as i64)
        .bind(Lane::Expiring as i64)
        .bind(Lane::Purging as i64)
        .fetch_one(&self.read)
        .await?;
        Ok(Backlog { due: [doing, asking, expiring, purging], unmatched })
    }
}
