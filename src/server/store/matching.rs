//! From a delivery to the attempt it belongs to, by exact keys and never by guess (contract 5.6); and the binding of those
//! keys, each at most once. *Runs: server.*

use super::{
    Attempt, StoreError, Tx,
    events::is_stored,
    sessions::{self, columns},
    statement::{Row, values},
};
use crate::{
    domain::{
        ids::{ConnectionId, ProofId, SessionId},
        session::Session,
    },
    server::platform::{Cards, Delivery, DeliveryKind},
};

/// The keys by which attempts are looked up.
#[derive(Clone, Copy)]
enum Key {
    OutOfBand,
    Invitation,
    Alias,
    Proof,
    Thread,
    Connection,
}

/// An attempt with what deliveries find it by and change of it.
#[derive(Clone, Debug)]
pub struct Matched {
    /// Whose it is.
    pub session: SessionId,
    /// Its number, from 1.
    pub attempt: u32,
    /// Whether it has a code to scan, or goes over the connection of an earlier one.
    pub has_code: bool,
    /// The connection, bound at most once.
    pub connection_id: Option<ConnectionId>,
    /// The proof exchange, bound at most once.
    pub proof_id: Option<ProofId>,
    /// How many cards the presentation answers from; `None` when nothing told.
    pub cards: Option<Cards>,
    /// Whether the platform was told to ask for the proof, or was about to be.
    asked: bool,
}

impl From<&Attempt> for Matched {
    fn from(attempt: &Attempt) -> Self {
        Self {
            session: attempt.session,
            attempt: attempt.number,
            has_code: attempt.invited.is_some(),
            connection_id: attempt.connection_id.clone(),
            proof_id: attempt.proof_id.clone(),
            cards: attempt.cards,
            asked: attempt.proof_asked_at.is_some(),
        }
    }
}

/// What a delivery belongs to.
#[derive(Clone, Debug)]
pub struct Found {
    /// The attempt.
    pub attempt: Matched,
    /// Its session.
    pub session: Session,
    /// Whether the same delivery was stored before, for this session or for none yet.
    pub is_repeated: bool,
}

/// The columns of a matched attempt as they are stored.
struct Stored {
    session_id: String,
    attempt: i64,
    link: Option<String>,
    connection_id: Option<String>,
    proof_asked_at: Option<i64>,
    proof_id: Option<String>,
    cards: Option<String>,
}

impl Stored {
    fn read(row: &mut Row<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            session_id: row.next()?,
            attempt: row.next()?,
            link: row.next()?,
            connection_id: row.next()?,
            proof_asked_at: row.next()?,
            proof_id: row.next()?,
            cards: row.next()?,
        })
    }
}

impl TryFrom<Stored> for Matched {
    type Error = StoreError;

    fn try_from(row: Stored) -> Result<Self, StoreError> {
        let wrong = |problem| StoreError::Inconsistent {
            table: "attempts",
            row: format!("{}/{}", row.session_id, row.attempt),
            problem,
        };
        Ok(Self {
            session: row.session_id.parse().map_err(|_| wrong("the session's id is none"))?,
            attempt: row.attempt.try_into().map_err(|_| wrong("the number is out of range"))?,
            has_code: row.link.is_some(),
            cards: row
                .cards
                .as_deref()
                .map(|name| Cards::from_name(name).ok_or_else(|| wrong("no such number of cards")))
                .transpose()?,
            connection_id: row.connection_id.map(ConnectionId),
            proof_id: row.proof_id.map(ProofId),
            asked: row.proof_asked_at.is_some(),
        })
    }
}

/// The columns of [`Stored`] and of the session, for all attempts that have a value of a key; and whether the delivery ?2 was
/// stored before.
macro_rules! select {
    ($key:literal) => {
        concat!(
            "SELECT session_id, attempts.attempt, link, connection_id, proof_asked_at, proof_id, cards, ",
            columns!(),
            ", CAST(CASE WHEN ",
            is_stored!("= attempts.session_id", "?2"),
            " OR ",
            is_stored!("IS NULL", "?2"),
            " THEN 1 ELSE 0 END AS BIGINT) FROM attempts JOIN sessions ON sessions.id = session_id WHERE ",
            $key,
            " = ?1"
        )
    };
}

impl Key {
    const fn select(self) -> &'static str {
        match self {
            Self::OutOfBand => select!("out_of_band_id"),
            Self::Invitation => select!("invitation_id"),
            Self::Alias => select!("alias"),
            Self::Proof => select!("proof_id"),
            Self::Thread => select!("proof_thread_id"),
            Self::Connection => select!("connection_id"),
        }
    }

    /// Keeps others from changing the sessions of what [`Key::select`] will find, before it is read: a statement that waits
    /// for them sees of the other tables what was before the wait. For PostgreSQL; on SQLite nobody else can.
    const fn take(self) -> &'static str {
        match self {
            Self::OutOfBand => take!("out_of_band_id"),
            Self::Invitation => take!("invitation_id"),
            Self::Alias => take!("alias"),
            Self::Proof => take!("proof_id"),
            Self::Thread => take!("proof_thread_id"),
            Self::Connection => take!("connection_id"),
        }
    }
}

/// In the order of their ids, so that two who take several do not wait for each other.
macro_rules! take {
    ($key:literal) => {
        concat!(
            "SELECT id FROM sessions WHERE id IN (SELECT session_id FROM attempts WHERE ",
            $key,
            " = ?1) ORDER BY id FOR NO KEY UPDATE"
        )
    };
}
use take;

impl Tx {
    /// The one attempt with this key that counts. Two that fit are as good as none: to choose would be to guess.
    async fn only(
        &mut self,
        key: Key,
        value: &str,
        delivery: Option<&str>,
        counts: impl Fn(&Matched) -> bool,
    ) -> Result<Option<Found>, StoreError> {
        if self.part.is_shared() && !self.part.has(key.take(), values![value]).await? {
            return Ok(None);
        }
        let read = |row: &mut Row<'_>| Ok((Stored::read(row)?, sessions::Stored::read(row)?, row.next()?));
        let mut only = None;
        for (attempt, session, is_repeated) in self.part.rows(key.select(), values![value, delivery], read).await? {
            let attempt = Matched::try_from(attempt)?;
            if counts(&attempt) && only.replace((attempt, session, is_repeated)).is_some() {
                return Ok(None);
            }
        }
        let found = only.map(|(attempt, session, is_repeated)| {
            Ok(Found { attempt, session: session.session(&self.keys)?, is_repeated })
        });
        found.transpose()
    }

    /// The attempt that a delivery belongs to, with its session; and, where its own key is given, whether it was stored before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn match_attempt(&mut self, delivery: &Delivery, own: Option<&str>) -> Result<Option<Found>, StoreError> {
        let any = |_: &Matched| true;
        if let Some(id) = &delivery.out_of_band_id {
            // First, because it is unique: of a reused connection only this tells the new invitation from the old.
            for key in [Key::OutOfBand, Key::Invitation] {
                if let Some(attempt) = self.only(key, &id.0, own, any).await? {
                    return Ok(Some(attempt));
                }
            }
        }
        // What the platform itself, asked, said of the connection: the second key only (contract 7, point 7).
        if let Some(alias) = &delivery.alias
            && let Some(attempt) = self.only(Key::Alias, alias, own, any).await?
        {
            return Ok(Some(attempt));
        }
        if delivery.kind == DeliveryKind::Proof
            && let Some(attempt) = self.by_exchange(delivery, own).await?
        {
            return Ok(Some(attempt));
        }
        let Some(ConnectionId(id)) = &delivery.connection_id else { return Ok(None) };
        match delivery.kind {
            // The attempt that made it, not a later one that goes over it.
            DeliveryKind::Connection => self.only(Key::Connection, id, own, |attempt| attempt.has_code).await,
            // Only while we are asking and do not know the exchange yet: the webhook may overtake the answer (4.1).
            DeliveryKind::Proof => {
                let asking = |attempt: &Matched| attempt.asked && attempt.proof_id.is_none();
                let found = self.only(Key::Connection, id, own, asking).await?;
                // While this waited for the session, whoever had it may have bound the exchange: to it, or to another one.
                let bound = if self.part.is_shared() { self.by_exchange(delivery, own).await? } else { None };
                Ok(bound.or(found))
            }
            DeliveryKind::Issuance | DeliveryKind::Other => Ok(None),
        }
    }

    /// The attempt that a proof's exchange is bound to.
    async fn by_exchange(&mut self, delivery: &Delivery, own: Option<&str>) -> Result<Option<Found>, StoreError> {
        for (key, value) in [(Key::Proof, &delivery.record_id), (Key::Thread, &delivery.thread_id)] {
            if let Some(value) = value
                && let Some(attempt) = self.only(key, value, own, |_| true).await?
            {
                return Ok(Some(attempt));
            }
        }
        Ok(None)
    }

    /// Binds a connection to an attempt that has none yet.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn bind_connection(&mut self, attempt: &Matched, id: &ConnectionId) -> Result<(), StoreError> {
        let sql =
            "UPDATE attempts SET connection_id = ?3 WHERE session_id = ?1 AND attempt = ?2 AND connection_id IS NULL";
        self.part.execute(sql, values![&attempt.session, attempt.attempt, &id.0]).await.map(drop)
    }

    /// Binds a proof exchange to an attempt that has none yet. One that belongs to another attempt stays there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn bind_proof(
        &mut self,
        attempt: &Matched,
        id: &ProofId,
        thread: Option<&str>,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE attempts SET proof_id = ?3, proof_thread_id = ?4 WHERE session_id = ?1 AND attempt = ?2 \
                   AND proof_id IS NULL AND NOT EXISTS (SELECT 1 FROM attempts AS other WHERE other.proof_id = ?3)";
        self.part.execute(sql, values![&attempt.session, attempt.attempt, &id.0, thread]).await.map(drop)
    }
}
