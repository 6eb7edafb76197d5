//! Deliveries in the database, append-only: each one is a row, repeated ones too. Only a delivery that found no session
//! is touched again, once, when its session is known. *Runs: server.*

use sqlx::FromRow;

use super::{Attempt, StoreError, Tx};
use crate::{
    domain::{ids::ConnectionId, stage::Outcome, time::Timestamp},
    server::platform::Delivery,
};

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventOutcome {
    /// It moved its session.
    Applied,
    /// It had come before, or its session was there already.
    Repeated,
    /// Its session, or its session's attempt, is further.
    Late,
    /// Its session had ended.
    AfterEnd,
    /// It belongs to no session that is known.
    Unmatched,
    /// A kind or a state that moves nothing.
    Ignored,
    /// Its invitation is bound to another connection.
    OtherConnection,
    /// It says that something ended and not how: the platform is asked.
    LookedUp,
}

impl EventOutcome {
    /// The name in the database, in logs and in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Repeated => "repeated",
            Self::Late => "late",
            Self::AfterEnd => "after_end",
            Self::Unmatched => "unmatched",
            Self::Ignored => "ignored",
            Self::OtherConnection => "other_connection",
            Self::LookedUp => "looked_up",
        }
    }
}

impl From<Outcome> for EventOutcome {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Advanced => Self::Applied,
            Outcome::Repeated => Self::Repeated,
            Outcome::Late => Self::Late,
            Outcome::AfterEnd => Self::AfterEnd,
        }
    }
}

/// A delivery that waits for its session.
#[derive(Debug, FromRow)]
pub struct UnmatchedEvent {
    /// Its row.
    pub id: i64,
    /// The delivery as it was stored.
    pub body: String,
    /// The presentation mixes two credentials: the one finding that the stored body does not show any more.
    pub mixes_credentials: i64,
}

impl Tx {
    /// Whether a delivery with this key was stored before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_event(&mut self, key: &str) -> Result<bool, StoreError> {
        let found: Option<i64> = sqlx::query_scalar("SELECT 1 FROM events WHERE key = $1 LIMIT 1")
            .bind(key)
            .fetch_optional(&mut *self.0)
            .await?;
        Ok(found.is_some())
    }

    /// Stores a delivery with its outcome.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_event(
        &mut self,
        delivery: &Delivery,
        outcome: EventOutcome,
        attempt: Option<&Attempt>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO events (key, kind, record_id, state, connection_id, out_of_band_id, thread_id, \
             mixes_credentials, outcome, session_id, attempt, received_at, body) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        )
        .bind(delivery.key())
        .bind(delivery.kind.as_str())
        .bind(&delivery.record_id)
        .bind(&delivery.state)
        .bind(delivery.connection_id.as_ref().map(|id| &id.0))
        .bind(delivery.out_of_band_id.as_ref().map(|id| &id.0))
        .bind(&delivery.thread_id)
        .bind(i64::from(delivery.mixes_credentials))
        .bind(outcome.as_str())
        .bind(attempt.map(|attempt| attempt.session.to_string()))
        .bind(attempt.map(|attempt| i64::from(attempt.number)))
        .bind(now.0)
        .bind(delivery.body.to_string())
        .execute(&mut *self.0)
        .await?;
        Ok(())
    }

    /// The deliveries that wait for a session with this connection, in the order they came.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unmatched_events(&mut self, connection: &ConnectionId) -> Result<Vec<UnmatchedEvent>, StoreError> {
        Ok(sqlx::query_as(
            "SELECT id, body, mixes_credentials FROM events \
             WHERE outcome = 'unmatched' AND connection_id = $1 ORDER BY id",
        )
        .bind(&connection.0)
        .fetch_all(&mut *self.0)
        .await?)
    }

    /// Settles a delivery that had waited for its session.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn settle_event(&mut self, id: i64, outcome: EventOutcome, attempt: &Attempt) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE events SET outcome = $2, session_id = $3, attempt = $4 WHERE id = $1 AND outcome = 'unmatched'",
        )
        .bind(id)
        .bind(outcome.as_str())
        .bind(attempt.session.to_string())
        .bind(i64::from(attempt.number))
        .execute(&mut *self.0)
        .await?;
        Ok(())
    }
}
