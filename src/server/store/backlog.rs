//! What waits in the database, for whoever watches over it. *Runs: server.*

use super::{
    Lane, Store, StoreError,
    statement::{Row, values},
};
use crate::domain::time::Timestamp;

/// How much waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
        let sql = "SELECT (SELECT COUNT(*) FROM acts WHERE lane = ?2 AND done_at IS NULL AND due_at <= ?1), \
                   (SELECT COUNT(*) FROM acts WHERE lane = ?3 AND done_at IS NULL AND due_at <= ?1), \
                   (SELECT COUNT(*) FROM acts WHERE lane = ?4 AND done_at IS NULL AND due_at <= ?1), \
                   (SELECT COUNT(*) FROM acts WHERE lane = ?5 AND done_at IS NULL AND due_at <= ?1), \
                   (SELECT COUNT(*) FROM events WHERE outcome = 'unmatched')";
        let [doing, asking, expiring, purging] = Lane::ALL.map(|lane| lane as i64);
        let values = values![now, doing, asking, expiring, purging];
        let read = |row: &mut Row<'_>| {
            let due = [row.next()?, row.next()?, row.next()?, row.next()?];
            Ok(Backlog { due, unmatched: row.next()? })
        };
        let backlog = self.database.row(sql, values, read).await;
        Ok(backlog?.unwrap_or_default())
    }
}
