//! Deliveries in the database, append-only: each one is a row, repeated ones too. Only a delivery that found no session
//! is touched again, once, when its session is known. *Runs: server.*

use sqlx::FromRow;

use super::{Matched, Store, StoreError, Tx, ledger::Number};
use crate::{
    domain::{ids::ConnectionId, time::Timestamp},
    server::platform::{Cards, Delivery},
};

/// Where a delivery came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The platform sent it.
    Webhook,
    /// The platform said it when we asked.
    Asked,
}

impl Source {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Asked => "asked",
        }
    }
}

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
    /// It belongs to no session that is known yet.
    Unmatched,
    /// It belongs to no session, and is not tried again.
    Parked,
    /// A kind or a state that moves nothing.
    Ignored,
    /// Its invitation is bound to another connection.
    OtherConnection,
    /// It does not count by itself, or says that something ended and not how: the platform is asked.
    LookedUp,
}

impl EventOutcome {
    /// Every outcome.
    pub const ALL: [Self; 9] = [
        Self::Applied,
        Self::Repeated,
        Self::Late,
        Self::AfterEnd,
        Self::Unmatched,
        Self::Parked,
        Self::Ignored,
        Self::OtherConnection,
        Self::LookedUp,
    ];

    /// The name in the database, in logs and in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Repeated => "repeated",
            Self::Late => "late",
            Self::AfterEnd => "after_end",
            Self::Unmatched => "unmatched",
            Self::Parked => "parked",
            Self::Ignored => "ignored",
            Self::OtherConnection => "other_connection",
            Self::LookedUp => "looked_up",
        }
    }
}

/// A delivery that waits for its session.
#[derive(Clone, Debug, FromRow)]
pub struct UnmatchedEvent {
    /// Its row.
    pub id: i64,
    /// The delivery as it was stored.
    pub body: String,
    /// How many cards the presentation answers from: the one finding that the stored body does not show any more.
    pub cards: Option<String>,
}

/// One that waits, with the connection it waits for.
#[derive(FromRow)]
pub(super) struct WaitingRow {
    pub(super) connection_id: String,
    #[sqlx(flatten)]
    pub(super) event: UnmatchedEvent,
}

impl WaitingRow {
    /// For connections that are listed.
    pub(super) const SELECT: &str =
        "SELECT id, body, cards, connection_id FROM events WHERE outcome = 'unmatched' AND connection_id IN (";
}

/// A delivery to be stored.
pub(super) struct NewEvent {
    pub(super) key: String,
    pub(super) kind: &'static str,
    pub(super) record_id: Option<String>,
    pub(super) state: Option<String>,
    pub(super) connection_id: Option<ConnectionId>,
    pub(super) out_of_band_id: Option<String>,
    pub(super) thread_id: Option<String>,
    pub(super) cards: Option<&'static str>,
    pub(super) outcome: EventOutcome,
    pub(super) attempt: Option<Number>,
    pub(super) received_at: Timestamp,
    pub(super) body: String,
    pub(super) source: &'static str,
}

impl NewEvent {
    /// Whether one with the same key is a repetition.
    pub(super) fn counts(&self) -> bool {
        !matches!(self.outcome, EventOutcome::Parked | EventOutcome::Repeated)
    }

    /// The connection that it waits for, to be settled once that is known.
    pub(super) fn waits(&self) -> Option<&ConnectionId> {
        self.connection_id.as_ref().filter(|_| self.outcome == EventOutcome::Unmatched)
    }
}

impl Store {
    /// Whether any delivery waits for its session.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_unmatched(&self) -> Result<bool, StoreError> {
        let found: Option<i64> = sqlx::query_scalar("SELECT 1 FROM events WHERE outcome = 'unmatched' LIMIT 1")
            .fetch_optional(&self.read)
            .await?;
        Ok(found.is_some())
    }
}

impl Tx {
    /// Whether a delivery with this key was stored before, for this session or for none yet. One that was parked gets a new
    /// chance when it comes again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_event(&mut self, key: &str, attempt: Option<&Matched>) -> Result<bool, StoreError> {
        let session = attempt.map(|attempt| attempt.session);
        if let Some(known) = self.ledger.has_event(key, session) {
            return Ok(known);
        }
        let found: Option<i64> = sqlx::query_scalar(
            "SELECT 1 FROM events WHERE (session_id = $1 OR session_id IS NULL) AND key = $2 \
             AND outcome NOT IN ('parked', 'repeated') LIMIT 1",
        )
        .bind(session.map(|id| id.to_string()))
        .bind(key)
        .fetch_optional(self.db().await?)
        .await?;
        Ok(found.is_some())
    }

    /// Stores a delivery with its outcome. Its `proofData` and the wallet's name are not among what is stored.
    pub fn insert_event(
        &mut self,
        source: Source,
        delivery: &Delivery,
        outcome: EventOutcome,
        attempt: Option<&Matched>,
        now: Timestamp,
    ) {
        self.ledger.add_event(NewEvent {
            key: delivery.key(),
            kind: delivery.kind.as_str(),
            record_id: delivery.record_id.clone(),
            state: delivery.state.clone(),
            connection_id: delivery.connection_id.clone(),
            out_of_band_id: delivery.out_of_band_id.as_ref().map(|id| id.0.clone()),
            thread_id: delivery.thread_id.clone(),
            cards: delivery.cards.map(Cards::as_str),
            outcome,
            attempt: attempt.map(Matched::number),
            received_at: now,
            body: delivery.body.to_string(),
            source: source.as_str(),
        });
    }

    /// The deliveries that wait for a session with this connection, in the order they came.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unmatched_events(&mut self, connection: &ConnectionId) -> Result<Vec<UnmatchedEvent>, StoreError> {
        if let Some(known) = self.ledger.waiting(connection) {
            return Ok(known.to_vec());
        }
        Ok(sqlx::query_as(
            "SELECT id, body, cards FROM events \
             WHERE outcome = 'unmatched' AND connection_id = $1 ORDER BY id",
        )
        .bind(&connection.0)
        .fetch_all(self.db().await?)
        .await?)
    }

    /// Some of the deliveries that wait and whose key is known by now, in the order they came.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn matchable_events(&mut self) -> Result<Vec<UnmatchedEvent>, StoreError> {
        Ok(sqlx::query_as(
            "SELECT id, body, cards FROM events WHERE outcome = 'unmatched' AND (\
             EXISTS (SELECT 1 FROM attempts WHERE out_of_band_id = events.out_of_band_id) OR \
             EXISTS (SELECT 1 FROM attempts WHERE invitation_id = events.out_of_band_id) OR \
             EXISTS (SELECT 1 FROM attempts WHERE connection_id = events.connection_id) OR \
             EXISTS (SELECT 1 FROM attempts WHERE proof_id = events.record_id) OR \
             EXISTS (SELECT 1 FROM attempts WHERE proof_thread_id = events.thread_id)) ORDER BY id LIMIT 100",
        )
        .fetch_all(self.db().await?)
        .await?)
    }

    /// Gives up on the deliveries that have waited since before `limit`. Gives back how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn park_events(&mut self, limit: Timestamp) -> Result<u64, StoreError> {
        let parked =
            sqlx::query("UPDATE events SET outcome = 'parked' WHERE outcome = 'unmatched' AND received_at < $1")
                .bind(limit.0)
                .execute(self.db().await?)
                .await?;
        Ok(parked.rows_affected())
    }

    /// Deletes some of what belongs to no session and is older than `limit`: deliveries, and acts about connections.
    /// Gives back how many rows went.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_strays(&mut self, limit: Timestamp) -> Result<u64, StoreError> {
        let events = sqlx::query(
            "DELETE FROM events WHERE id IN \
             (SELECT id FROM events WHERE session_id IS NULL AND received_at < $1 LIMIT 500)",
        );
        let events = events.bind(limit.0).execute(self.db().await?).await?;
        let acts = sqlx::query(
            "DELETE FROM acts WHERE id IN (SELECT id FROM acts WHERE session_id IS NULL AND due_at < $1 LIMIT 500)",
        );
        let acts = acts.bind(limit.0).execute(self.db().await?).await?;
        Ok(events.rows_affected() + acts.rows_affected())
    }

    /// Settles a delivery that had waited for its session.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn settle_event(&mut self, id: i64, outcome: EventOutcome, attempt: &Matched) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE events SET outcome = $2, session_id = $3, attempt = $4 WHERE id = $1 AND outcome = 'unmatched'",
        )
        .bind(id)
        .bind(outcome.as_str())
        .bind(attempt.session.to_string())
        .bind(i64::from(attempt.attempt))
        .execute(self.db().await?)
        .await?;
        Ok(())
    }
}
