//! Deliveries in the database, append-only: each one is a row, repeated ones too. Only a delivery that found no session
//! is touched again, once, when its session is known. *Runs: server.*

use super::{
    Matched, Store, StoreError, Tx,
    database::Dialect,
    statement::{Row, values},
};
use crate::{
    domain::{
        ids::{ConnectionId, SessionId},
        stage::Event,
        time::Timestamp,
    },
    server::platform::{Cards, Delivery, Meaning},
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
    /// It belongs to no session, and staff have put it aside.
    Discarded,
    /// A kind or a state that moves nothing.
    Ignored,
    /// Its invitation is bound to another connection.
    OtherConnection,
    /// It does not count by itself, or says that something ended and not how: the platform is asked.
    LookedUp,
}

impl EventOutcome {
    /// Every outcome.
    pub const ALL: [Self; 10] = [
        Self::Applied,
        Self::Repeated,
        Self::Late,
        Self::AfterEnd,
        Self::Unmatched,
        Self::Parked,
        Self::Discarded,
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
            Self::Discarded => "discarded",
            Self::Ignored => "ignored",
            Self::OtherConnection => "other_connection",
            Self::LookedUp => "looked_up",
        }
    }
}

/// A delivery that waits for its session.
#[derive(Clone, Debug)]
pub struct UnmatchedEvent {
    /// Its row.
    pub id: i64,
    /// The delivery as it was stored.
    pub body: String,
    /// How many cards the presentation answers from: the one finding that the stored body does not show any more.
    pub cards: Option<String>,
}

impl UnmatchedEvent {
    pub(super) fn read(row: &mut Row<'_>) -> Result<Self, StoreError> {
        Ok(Self { id: row.next()?, body: row.next()?, cards: row.next()? })
    }
}

/// Whether a delivery with a key was stored before, for such a session. One that was parked gets a new chance when it comes
/// again.
macro_rules! is_stored {
    ($session:literal, $key:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM events WHERE events.session_id ",
            $session,
            " AND events.key = ",
            $key,
            " AND events.outcome NOT IN ('parked', 'repeated'))"
        )
    };
}
pub(super) use is_stored;

const ANY_UNMATCHED: &str = "SELECT 1 FROM events WHERE outcome = 'unmatched' LIMIT 1";

/// Deliveries that wait, with a condition. What another process is about to settle is left to it.
macro_rules! unmatched {
    ($where:literal) => {
        Dialect {
            sqlite: unmatched!($where, ""),
            postgres: unmatched!($where, " FOR NO KEY UPDATE OF events SKIP LOCKED"),
        }
    };
    ($where:literal, $end:literal) => {
        concat!("SELECT id, body, cards FROM events WHERE outcome = 'unmatched' AND ", $where, $end)
    };
}
const UNMATCHED_OF: Dialect = unmatched!("connection_id = ?1 ORDER BY id");
const MATCHABLE: Dialect = unmatched!(
    "(EXISTS (SELECT 1 FROM attempts WHERE out_of_band_id = events.out_of_band_id) OR \
     EXISTS (SELECT 1 FROM attempts WHERE invitation_id = events.out_of_band_id) OR \
     EXISTS (SELECT 1 FROM attempts WHERE connection_id = events.connection_id) OR \
     EXISTS (SELECT 1 FROM attempts WHERE proof_id = events.record_id) OR \
     EXISTS (SELECT 1 FROM attempts WHERE proof_thread_id = events.thread_id)) ORDER BY id LIMIT 100"
);

impl Store {
    /// When the platform had answered the wallet's wish to connect in an attempt, or was further already: when that was
    /// learned first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn answered_at(&self, session: SessionId, attempt: u32) -> Result<Option<Timestamp>, StoreError> {
        let sql = "SELECT received_at, kind, state FROM events WHERE session_id = ?1 AND attempt = ?2 AND outcome = 'applied' \
                   ORDER BY received_at, id";
        let read = |row: &mut Row<'_>| Ok((row.next::<i64>()?, row.next::<String>()?, row.next::<Option<String>>()?));
        let answers = |(_, kind, state): &(i64, String, Option<String>)| {
            use Event::{ConnectionAnswered, ConnectionCompleted};
            let meaning = Delivery::meaning_of(kind, state.as_deref());
            matches!(meaning, Some(Meaning::Event(ConnectionAnswered | ConnectionCompleted)))
        };
        let applied = self.database.rows(sql, values![&session, attempt], read).await?;
        Ok(applied.into_iter().find(answers).map(|(at, ..)| Timestamp(at)))
    }

    /// Whether any delivery waits for its session.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_unmatched(&self) -> Result<bool, StoreError> {
        self.database.has(ANY_UNMATCHED, &[]).await
    }
}

impl Tx {
    /// Whether a delivery with this key was stored before that belongs to no session yet.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_stray(&mut self, key: &str) -> Result<bool, StoreError> {
        self.part.has(concat!("SELECT 1 WHERE ", is_stored!("IS NULL", "?1")), values![key]).await
    }

    /// Stores a delivery with its key and its outcome. Its `proofData` and the wallet's name are not among what is stored.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_event(
        &mut self,
        source: Source,
        delivery: &Delivery,
        key: &str,
        outcome: EventOutcome,
        attempt: Option<&Matched>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO events (key, kind, record_id, state, connection_id, out_of_band_id, thread_id, cards, \
                   outcome, session_id, attempt, received_at, body, source) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
        let values = values![
            key,
            delivery.kind.as_str(),
            delivery.record_id.as_ref(),
            delivery.state.as_ref(),
            delivery.connection_id.as_ref().map(|id| &id.0),
            delivery.out_of_band_id.as_ref().map(|id| &id.0),
            delivery.thread_id.as_ref(),
            delivery.cards.map(Cards::as_str),
            outcome.as_str(),
            attempt.map(|attempt| &attempt.session),
            attempt.map(|attempt| attempt.attempt),
            now,
            &delivery.body,
            source.as_str(),
        ];
        if outcome == EventOutcome::Unmatched {
            self.has_unmatched = Some(true);
        }
        self.part.execute(sql, values).await.map(drop)
    }

    /// The deliveries that wait for a session with this connection, in the order they came.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unmatched_events(&mut self, connection: &ConnectionId) -> Result<Vec<UnmatchedEvent>, StoreError> {
        // Mostly none waits at all, and many ask in one transaction.
        let has_any = match self.has_unmatched {
            Some(known) => known,
            None => *self.has_unmatched.insert(self.part.has(ANY_UNMATCHED, &[]).await?),
        };
        if !has_any {
            return Ok(Vec::new());
        }
        self.part.rows(self.part.say(UNMATCHED_OF), values![&connection.0], UnmatchedEvent::read).await
    }

    /// Some of the deliveries that wait and whose key is known by now, in the order they came.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn matchable_events(&mut self) -> Result<Vec<UnmatchedEvent>, StoreError> {
        self.part.rows(self.part.say(MATCHABLE), &[], UnmatchedEvent::read).await
    }

    /// Gives up on the deliveries that have waited since before `limit`. Gives back how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn park_events(&mut self, limit: Timestamp) -> Result<usize, StoreError> {
        let sql = "UPDATE events SET outcome = 'parked' WHERE outcome = 'unmatched' AND received_at < ?1";
        self.part.execute(sql, values![limit]).await
    }

    /// Deletes some of what belongs to no session and is older than `limit`: deliveries, and acts about connections.
    /// Gives back how many rows went.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_strays(&mut self, limit: Timestamp) -> Result<usize, StoreError> {
        let events = "DELETE FROM events WHERE id IN \
                      (SELECT id FROM events WHERE session_id IS NULL AND received_at < ?1 LIMIT 500)";
        let acts = "DELETE FROM acts WHERE id IN \
                    (SELECT id FROM acts WHERE session_id IS NULL AND due_at < ?1 LIMIT 500)";
        Ok(self.part.execute(events, values![limit]).await? + self.part.execute(acts, values![limit]).await?)
    }

    /// Settles a delivery that had waited for its session, or was parked without one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn settle_event(&mut self, id: i64, outcome: EventOutcome, attempt: &Matched) -> Result<(), StoreError> {
        let sql = "UPDATE events SET outcome = ?2, session_id = ?3, attempt = ?4 WHERE id = ?1 AND session_id IS NULL";
        self.part.execute(sql, values![id, outcome.as_str(), &attempt.session, attempt.attempt]).await.map(drop)
    }
}
