//! Deliveries that belong to no session: what staff see of them, and do about them. *Runs: server.*

use super::{
    Store, StoreError, Tx,
    database::Dialect,
    events::UnmatchedEvent,
    statement::{Row, values},
};
use crate::domain::time::Timestamp;

/// A delivery without a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stray {
    /// Its row.
    pub id: i64,
    /// When it came.
    pub at: Timestamp,
    /// `connection`, `proof` or another.
    pub kind: String,
    /// The platform's word for the state.
    pub state: Option<String>,
    /// What became of it, by its name in the database.
    pub outcome: String,
    /// The platform's ids: of the invitation, the connection and the record.
    pub ids: [Option<String>; 3],
}

/// By its row, if it still belongs to no session. Nobody else settles it meanwhile.
macro_rules! stray {
    ($end:literal) => {
        concat!(
            "SELECT id, body, cards FROM events WHERE id = ?1 AND session_id IS NULL AND outcome IN ('unmatched', 'parked')",
            $end
        )
    };
}
const STRAY: Dialect = Dialect { sqlite: stray!(""), postgres: stray!(" FOR NO KEY UPDATE") };

impl Store {
    /// So many deliveries that wait for a session or found none, that came before a time or then with a smaller number; the newest
    /// first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn strays(&self, before: (Timestamp, i64), most: u32) -> Result<Vec<Stray>, StoreError> {
        let sql = "SELECT id, received_at, kind, state, outcome, out_of_band_id, connection_id, record_id FROM events \
                   WHERE session_id IS NULL AND outcome IN ('unmatched', 'parked') AND (received_at, id) < (?1, ?2) \
                   ORDER BY received_at DESC, id DESC LIMIT ?3";
        let read = |row: &mut Row<'_>| {
            Ok(Stray {
                id: row.next()?,
                at: Timestamp(row.next()?),
                kind: row.next()?,
                state: row.next()?,
                outcome: row.next()?,
                ids: [row.next()?, row.next()?, row.next()?],
            })
        };
        self.database.rows(sql, values![before.0, before.1, most], read).await
    }
}

impl Tx {
    /// A delivery that belongs to no session; `None` when it is gone, or belongs to one meanwhile.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn stray(&mut self, id: i64) -> Result<Option<UnmatchedEvent>, StoreError> {
        self.part.row(self.part.say(STRAY), values![id], UnmatchedEvent::read).await
    }

    /// Puts a delivery aside that belongs to no session. Says whether there was one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn discard(&mut self, id: i64) -> Result<bool, StoreError> {
        let sql = "UPDATE events SET outcome = 'discarded' WHERE id = ?1 AND session_id IS NULL \
                   AND outcome IN ('unmatched', 'parked')";
        Ok(self.part.execute(sql, values![id]).await? == 1)
    }
}
