//! Attempts in the database: one code each, and the keys by which webhooks find it. *Runs: server.*

use serde_json::Value;
use sqlx::FromRow;

use super::{Store, StoreError, Tx};
use crate::{
    domain::{
        ids::{ConnectionId, LinkId, OutOfBandId, ProofId, SessionId},
        time::Timestamp,
    },
    server::platform::{Delivery, DeliveryKind},
};

/// One attempt at a registration.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Whose it is.
    pub session: SessionId,
    /// Its number, from 1.
    pub number: u32,
    /// Its short link.
    pub link: LinkId,
    /// The reference that the platform keeps with the invitation and copies to the connection.
    pub alias: String,
    /// The platform's invitation URL.
    pub invitation_url: String,
    /// The invitation message, when the URL could be resolved.
    pub invitation: Option<Value>,
    /// The key of the invitation in webhooks.
    pub out_of_band_id: Option<OutOfBandId>,
    /// The platform's own row of the invitation.
    pub invitation_id: Option<String>,
    /// The connection, bound at most once.
    pub connection_id: Option<ConnectionId>,
    /// Set just before the platform is told to ask for the proof, so that after a crash nobody asks twice.
    pub proof_asked_at: Option<Timestamp>,
    /// The proof exchange, bound at most once.
    pub proof_id: Option<ProofId>,
    /// The revealed attributes, sealed.
    pub attributes: Option<Vec<u8>>,
}

#[derive(FromRow)]
struct Row {
    session_id: String,
    attempt: i64,
    link: String,
    alias: String,
    invitation_url: String,
    invitation: Option<String>,
    out_of_band_id: Option<String>,
    invitation_id: Option<String>,
    connection_id: Option<String>,
    proof_asked_at: Option<i64>,
    proof_id: Option<String>,
    attributes: Option<Vec<u8>>,
}

impl TryFrom<Row> for Attempt {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let wrong = |problem| StoreError::Inconsistent {
            table: "attempts",
            row: format!("{}/{}", row.session_id, row.attempt),
            problem,
        };
        Ok(Self {
            session: row.session_id.parse().map_err(|_| wrong("the session's id is none"))?,
            number: row.attempt.try_into().map_err(|_| wrong("the number is out of range"))?,
            link: row.link.parse().map_err(|_| wrong("the link is none"))?,
            invitation: row
                .invitation
                .as_deref()
                .map(serde_json::from_str)
                .transpose()
                .map_err(|_| wrong("the invitation is not JSON"))?,
            alias: row.alias,
            invitation_url: row.invitation_url,
            out_of_band_id: row.out_of_band_id.map(OutOfBandId),
            invitation_id: row.invitation_id,
            connection_id: row.connection_id.map(ConnectionId),
            proof_asked_at: row.proof_asked_at.map(Timestamp),
            proof_id: row.proof_id.map(ProofId),
            attributes: row.attributes,
        })
    }
}

/// The columns of [`Row`], in one place. A macro, because statements have to be literals.
macro_rules! select {
    ($where:literal) => {
        concat!(
            "SELECT session_id, attempt, link, alias, invitation_url, invitation, out_of_band_id, invitation_id, \
             connection_id, proof_asked_at, proof_id, attributes FROM attempts WHERE ",
            $where
        )
    };
}

impl Store {
    /// The attempt behind a short link.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn attempt_by_link(&self, link: LinkId) -> Result<Option<Attempt>, StoreError> {
        let row: Option<Row> =
            sqlx::query_as(select!("link = $1")).bind(link.to_string()).fetch_optional(&self.read).await?;
        row.map(Attempt::try_from).transpose()
    }

    /// One attempt of a session.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn attempt(&self, session: SessionId, number: u32) -> Result<Option<Attempt>, StoreError> {
        let row: Option<Row> = sqlx::query_as(select!("session_id = $1 AND attempt = $2"))
            .bind(session.to_string())
            .bind(i64::from(number))
            .fetch_optional(&self.read)
            .await?;
        row.map(Attempt::try_from).transpose()
    }

    /// Whether a proof exchange belongs to another session.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_bound_elsewhere(&self, id: &ProofId, session: SessionId) -> Result<bool, StoreError> {
        let found: Option<i64> = sqlx::query_scalar("SELECT 1 FROM attempts WHERE proof_id = $1 AND session_id <> $2")
            .bind(&id.0)
            .bind(session.to_string())
            .fetch_optional(&self.read)
            .await?;
        Ok(found.is_some())
    }
}

impl Tx {
    /// Stores a new attempt.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_attempt(&mut self, attempt: &Attempt, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO attempts (session_id, attempt, link, alias, invitation_url, invitation, out_of_band_id, \
             invitation_id, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(attempt.session.to_string())
        .bind(i64::from(attempt.number))
        .bind(attempt.link.to_string())
        .bind(&attempt.alias)
        .bind(&attempt.invitation_url)
        .bind(attempt.invitation.as_ref().map(Value::to_string))
        .bind(attempt.out_of_band_id.as_ref().map(|id| &id.0))
        .bind(&attempt.invitation_id)
        .bind(now.0)
        .execute(&mut *self.0)
        .await?;
        Ok(())
    }

    /// One attempt of a session, as it is in this transaction.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn attempt(&mut self, session: SessionId, number: u32) -> Result<Option<Attempt>, StoreError> {
        let row: Option<Row> = sqlx::query_as(select!("session_id = $1 AND attempt = $2"))
            .bind(session.to_string())
            .bind(i64::from(number))
            .fetch_optional(&mut *self.0)
            .await?;
        row.map(Attempt::try_from).transpose()
    }

    async fn only(&mut self, sql: &'static str, key: &str) -> Result<Option<Attempt>, StoreError> {
        let mut rows: Vec<Row> = sqlx::query_as(sql).bind(key).fetch_all(&mut *self.0).await?;
        // Two that fit are as good as none: to choose would be to guess.
        if rows.len() == 1 { rows.pop().map(Attempt::try_from).transpose() } else { Ok(None) }
    }

    /// The attempt that a delivery belongs to, by exact keys and in the order of contract 5.6; never by guess.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn match_attempt(&mut self, delivery: &Delivery) -> Result<Option<Attempt>, StoreError> {
        if let Some(id) = &delivery.out_of_band_id {
            // First, because it is unique: of a reused connection only this tells the new invitation from the old.
            for sql in [select!("out_of_band_id = $1"), select!("invitation_id = $1")] {
                if let Some(attempt) = self.only(sql, &id.0).await? {
                    return Ok(Some(attempt));
                }
            }
        }
        if delivery.kind == DeliveryKind::Proof {
            if let Some(id) = &delivery.record_id
                && let Some(attempt) = self.only(select!("proof_id = $1"), id).await?
            {
                return Ok(Some(attempt));
            }
            if let Some(id) = &delivery.thread_id
                && let Some(attempt) = self.only(select!("proof_thread_id = $1"), id).await?
            {
                return Ok(Some(attempt));
            }
        }
        let Some(ConnectionId(id)) = &delivery.connection_id else { return Ok(None) };
        match delivery.kind {
            DeliveryKind::Connection => self.only(select!("connection_id = $1"), id).await,
            // Only while we are asking and do not know the exchange yet: the webhook may overtake the answer (4.1).
            DeliveryKind::Proof => {
                self.only(select!("connection_id = $1 AND proof_asked_at IS NOT NULL AND proof_id IS NULL"), id).await
            }
            DeliveryKind::Issuance | DeliveryKind::Other => Ok(None),
        }
    }

    /// Binds a connection to an attempt that has none yet.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn bind_connection(&mut self, attempt: &Attempt, id: &ConnectionId) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE attempts SET connection_id = $3 WHERE session_id = $1 AND attempt = $2 AND connection_id IS NULL",
        )
        .bind(attempt.session.to_string())
        .bind(i64::from(attempt.number))
        .bind(&id.0)
        .execute(&mut *self.0)
        .await?;
        Ok(())
    }

    /// Notes that the platform is about to be told to ask for the proof.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn mark_proof_asked(
        &mut self,
        session: SessionId,
        number: u32,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query("UPDATE attempts SET proof_asked_at = $3 WHERE session_id = $1 AND attempt = $2")
            .bind(session.to_string())
            .bind(i64::from(number))
            .bind(now.0)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }

    /// Binds a proof exchange to an attempt that has none yet.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn bind_proof(
        &mut self,
        session: SessionId,
        number: u32,
        id: &ProofId,
        thread: Option<&str>,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE attempts SET proof_id = $3, proof_thread_id = $4 \
             WHERE session_id = $1 AND attempt = $2 AND proof_id IS NULL",
        )
        .bind(session.to_string())
        .bind(i64::from(number))
        .bind(&id.0)
        .bind(thread)
        .execute(&mut *self.0)
        .await?;
        Ok(())
    }

    /// Stores the revealed attributes, sealed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn store_attributes(&mut self, session: SessionId, number: u32, sealed: &[u8]) -> Result<(), StoreError> {
        sqlx::query("UPDATE attempts SET attributes = $3 WHERE session_id = $1 AND attempt = $2")
            .bind(session.to_string())
            .bind(i64::from(number))
            .bind(sealed)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }
}
