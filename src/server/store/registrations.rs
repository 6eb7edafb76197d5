//! What was submitted. *Runs: server.*

use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::{Store, StoreError, Tx};
use crate::{
    domain::{contact::Contact, ids::SessionId, time::Timestamp},
    server::platform::Revealed,
};

/// What a registration is made of: what was proven, and what was typed.
#[derive(Clone, Serialize, Deserialize)]
pub struct Submitted {
    /// What was proven.
    pub revealed: Vec<Revealed>,
    /// What was typed.
    pub contact: Contact,
}

/// A registration: one for each session at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// Its number, for people.
    pub number: String,
    /// When it was submitted.
    pub submitted_at: Timestamp,
}

#[derive(FromRow)]
struct Row {
    number: String,
    submitted_at: i64,
}

impl From<Row> for Registration {
    fn from(row: Row) -> Self {
        Self { number: row.number, submitted_at: Timestamp(row.submitted_at) }
    }
}

const SELECT: &str = "SELECT number, submitted_at FROM registrations WHERE session_id = $1";

/// What a sealed record is bound to.
fn record_place(session: SessionId) -> String {
    format!("registrations/{session}/record")
}

impl Store {
    /// The registration of a session; `None` when nothing was submitted in it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn registration(&self, session: SessionId) -> Result<Option<Registration>, StoreError> {
        let row: Option<Row> = sqlx::query_as(SELECT).bind(session.to_string()).fetch_optional(&self.read).await?;
        Ok(row.map(Registration::from))
    }

    /// What was submitted in a session; `None` when nothing was, or its key is gone.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn submitted(&self, session: SessionId) -> Result<Option<Submitted>, StoreError> {
        let sealed: Option<Vec<u8>> = sqlx::query_scalar("SELECT record FROM registrations WHERE session_id = $1")
            .bind(session.to_string())
            .fetch_optional(&self.read)
            .await?;
        let opened = sealed.and_then(|sealed| self.keys.unseal(&record_place(session), &sealed));
        Ok(opened.and_then(|json| serde_json::from_slice(&json).ok()))
    }
}

impl Tx {
    /// The registration of a session, as it is in this transaction.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn registration(&mut self, session: SessionId) -> Result<Option<Registration>, StoreError> {
        let row: Option<Row> =
            sqlx::query_as(SELECT).bind(session.to_string()).fetch_optional(self.db().await?).await?;
        Ok(row.map(Registration::from))
    }

    /// Stores a registration, sealed. Says whether it could be: a number that is taken asks for another one.
    ///
    /// # Errors
    /// When the database fails, or the session has a registration.
    pub async fn insert_registration(
        &mut self,
        session: SessionId,
        attempt: u32,
        registration: &Registration,
        consent: (&str, Timestamp),
        submitted: &Submitted,
    ) -> Result<bool, StoreError> {
        let json = serde_json::to_vec(submitted).unwrap_or_default();
        let inserted = sqlx::query(
            "INSERT INTO registrations (session_id, attempt, number, consent, consented_at, submitted_at, record) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (number) DO NOTHING",
        )
        .bind(session.to_string())
        .bind(i64::from(attempt))
        .bind(&registration.number)
        .bind(consent.0)
        .bind(consent.1.0)
        .bind(registration.submitted_at.0)
        .bind(self.keys.seal(&record_place(session), &json))
        .execute(self.db().await?)
        .await?;
        Ok(inserted.rows_affected() == 1)
    }
}
