//! From a delivery to the attempt it belongs to, by exact keys and never by guess (contract 5.6); and the binding of those
//! keys, each at most once. *Runs: server.*

use sqlx::FromRow;

use super::{Attempt, StoreError, Tx, ledger::Number, together::any_of};
use crate::{
    domain::{
        ids::{ConnectionId, ProofId, SessionId},
        time::Timestamp,
    },
    server::platform::{Cards, Delivery, DeliveryKind},
};

/// The keys by which attempts are looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Key {
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
    pub(super) thread_id: Option<String>,
    pub(super) answered_at: Option<Timestamp>,
    /// Whether the platform was told to ask for the proof, or was about to be.
    asked: bool,
}

impl Matched {
    pub(super) const fn number(&self) -> Number {
        (self.session, self.attempt)
    }
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
            thread_id: None,
            answered_at: attempt.answered_at,
            asked: attempt.proof_asked_at.is_some(),
        }
    }
}

#[derive(FromRow)]
pub(super) struct Row {
    session_id: String,
    attempt: i64,
    link: Option<String>,
    alias: Option<String>,
    out_of_band_id: Option<String>,
    invitation_id: Option<String>,
    connection_id: Option<String>,
    answered_at: Option<i64>,
    proof_asked_at: Option<i64>,
    proof_id: Option<String>,
    proof_thread_id: Option<String>,
    cards: Option<String>,
}

impl Row {
    /// The attempt, with the value of the key it was found by.
    pub(super) fn found(self, key: Key) -> Result<(String, Matched), StoreError> {
        let wrong = |problem| StoreError::Inconsistent {
            table: "attempts",
            row: format!("{}/{}", self.session_id, self.attempt),
            problem,
        };
        let matched = Matched {
            session: self.session_id.parse().map_err(|_| wrong("the session's id is none"))?,
            attempt: self.attempt.try_into().map_err(|_| wrong("the number is out of range"))?,
            has_code: self.link.is_some(),
            cards: self
                .cards
                .as_deref()
                .map(|name| Cards::from_name(name).ok_or_else(|| wrong("no such number of cards")))
                .transpose()?,
            connection_id: self.connection_id.clone().map(ConnectionId),
            proof_id: self.proof_id.clone().map(ProofId),
            thread_id: self.proof_thread_id.clone(),
            answered_at: self.answered_at.map(Timestamp),
            asked: self.proof_asked_at.is_some(),
        };
        let value = match key {
            Key::OutOfBand => self.out_of_band_id,
            Key::Invitation => self.invitation_id,
            Key::Alias => self.alias,
            Key::Proof => self.proof_id,
            Key::Thread => self.proof_thread_id,
            Key::Connection => self.connection_id,
        };
        Ok((value.unwrap_or_default(), matched))
    }
}

/// The columns of [`Row`], for all attempts in which a key has one of some values.
macro_rules! select {
    ($key:literal) => {
        concat!(
            "SELECT session_id, attempt, link, alias, out_of_band_id, invitation_id, connection_id, answered_at, \
             proof_asked_at, proof_id, proof_thread_id, cards FROM attempts WHERE ",
            $key,
            " IN ("
        )
    };
}

impl Key {
    pub(super) const fn select(self) -> &'static str {
        match self {
            Self::OutOfBand => select!("out_of_band_id"),
            Self::Invitation => select!("invitation_id"),
            Self::Alias => select!("alias"),
            Self::Proof => select!("proof_id"),
            Self::Thread => select!("proof_thread_id"),
            Self::Connection => select!("connection_id"),
        }
    }
}

impl Tx {
    /// The one attempt with this key that counts. Two that fit are as good as none: to choose would be to guess.
    async fn only(
        &mut self,
        key: Key,
        value: &str,
        counts: impl Fn(&Matched) -> bool,
    ) -> Result<Option<Matched>, StoreError> {
        let mut found: Vec<Matched> = match self.ledger.attempts_by(key, value) {
            Some(known) => known.into_iter().filter(|attempt| counts(attempt)).cloned().collect(),
            None => {
                let rows: Vec<Row> =
                    any_of(key.select(), &[value]).build_query_as().fetch_all(self.db().await?).await?;
                let found =
                    rows.into_iter().map(|row| Ok(row.found(key)?.1)).collect::<Result<Vec<_>, StoreError>>()?;
                found.into_iter().filter(counts).collect()
            }
        };
        Ok(found.pop().filter(|_| found.is_empty()))
    }

    /// The attempt that a delivery belongs to.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn match_attempt(&mut self, delivery: &Delivery) -> Result<Option<Matched>, StoreError> {
        let any = |_: &Matched| true;
        if let Some(id) = &delivery.out_of_band_id {
            // First, because it is unique: of a reused connection only this tells the new invitation from the old.
            for key in [Key::OutOfBand, Key::Invitation] {
                if let Some(attempt) = self.only(key, &id.0, any).await? {
                    return Ok(Some(attempt));
                }
            }
        }
        // What the platform itself, asked, said of the connection: the second key only (contract 7, point 7).
        if let Some(alias) = &delivery.alias
            && let Some(attempt) = self.only(Key::Alias, alias, any).await?
        {
            return Ok(Some(attempt));
        }
        if delivery.kind == DeliveryKind::Proof {
            for (key, value) in [(Key::Proof, &delivery.record_id), (Key::Thread, &delivery.thread_id)] {
                if let Some(value) = value
                    && let Some(attempt) = self.only(key, value, any).await?
                {
                    return Ok(Some(attempt));
                }
            }
        }
        let Some(ConnectionId(id)) = &delivery.connection_id else { return Ok(None) };
        match delivery.kind {
            // The attempt that made it, not a later one that goes over it.
            DeliveryKind::Connection => self.only(Key::Connection, id, |attempt| attempt.has_code).await,
            // Only while we are asking and do not know the exchange yet: the webhook may overtake the answer (4.1).
            DeliveryKind::Proof => {
                self.only(Key::Connection, id, |attempt| attempt.asked && attempt.proof_id.is_none()).await
            }
            DeliveryKind::Issuance | DeliveryKind::Other => Ok(None),
        }
    }

    /// Binds a connection to an attempt that has none yet.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn bind_connection(&mut self, attempt: &Matched, id: &ConnectionId) -> Result<(), StoreError> {
        let number = attempt.number();
        if self.ledger.attempt(number).is_some_and(|known| known.connection_id.is_none()) {
            self.ledger.change_attempt(number, |known| known.connection_id = Some(id.clone()));
            self.ledger.bind(Key::Connection, &id.0, number);
            return Ok(());
        }
        sqlx::query(
            "UPDATE attempts SET connection_id = $3 WHERE session_id = $1 AND attempt = $2 AND connection_id IS NULL",
        )
        .bind(attempt.session.to_string())
        .bind(i64::from(attempt.attempt))
        .bind(&id.0)
        .execute(self.db().await?)
        .await?;
        Ok(())
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
        let number = attempt.number();
        let free = self.ledger.attempts_by(Key::Proof, &id.0).is_some_and(|others| others.is_empty());
        let unbound = self.ledger.attempt(number).is_some_and(|known| known.proof_id.is_none());
        if free && unbound {
            self.ledger.change_attempt(number, |known| {
                known.proof_id = Some(id.clone());
                known.thread_id = thread.map(str::to_owned);
            });
            self.ledger.bind(Key::Proof, &id.0, number);
            if let Some(thread) = thread {
                self.ledger.bind(Key::Thread, thread, number);
            }
            return Ok(());
        }
        sqlx::query(
            "UPDATE attempts SET proof_id = $3, proof_thread_id = $4 WHERE session_id = $1 AND attempt = $2 \
             AND proof_id IS NULL AND NOT EXISTS (SELECT 1 FROM attempts AS other WHERE other.proof_id = $3)",
        )
        .bind(attempt.session.to_string())
        .bind(i64::from(attempt.attempt))
        .bind(&id.0)
        .bind(thread)
        .execute(self.db().await?)
        .await?;
        Ok(())
    }
}
