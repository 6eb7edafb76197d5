//! Acts in the database: what the server has to do next. *Runs: server.*

use std::time::Duration;

use sqlx::FromRow;

use super::{Store, StoreError, Tx};
use crate::domain::{ids::SessionId, time::Timestamp};

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActKind {
    /// Ask the wallet for the desk's attributes.
    RequestProof,
    /// Confirm a presentation at the platform, accept it and fetch its attributes.
    VerifyProof,
}

impl ActKind {
    /// The name in the database and in logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RequestProof => "request_proof",
            Self::VerifyProof => "verify_proof",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::RequestProof, Self::VerifyProof].into_iter().find(|kind| kind.as_str() == name)
    }
}

/// One act, leased by this worker.
#[derive(Clone, Debug)]
pub struct Act {
    /// Its row.
    pub id: i64,
    /// For which session.
    pub session: SessionId,
    /// For which attempt.
    pub attempt: u32,
    /// What.
    pub kind: ActKind,
    /// How often it was tried before.
    pub tries: u32,
}

#[derive(FromRow)]
struct Row {
    id: i64,
    session_id: String,
    attempt: i64,
    kind: String,
    tries: i64,
}

impl TryFrom<Row> for Act {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let wrong = |problem| StoreError::Inconsistent { table: "acts", row: row.id.to_string(), problem };
        Ok(Self {
            id: row.id,
            session: row.session_id.parse().map_err(|_| wrong("the session's id is none"))?,
            attempt: row.attempt.try_into().map_err(|_| wrong("the attempt is out of range"))?,
            kind: ActKind::from_name(&row.kind).ok_or_else(|| wrong("there is no such kind"))?,
            tries: row.tries.try_into().map_err(|_| wrong("the tries are out of range"))?,
        })
    }
}

impl Store {
    /// When the next act is due, or its lease ends; `None` when nothing is left to do.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next_act_at(&self) -> Result<Option<Timestamp>, StoreError> {
        let at: Option<i64> = sqlx::query_scalar(
            "SELECT MIN(MAX(due_at, COALESCE(leased_until, due_at))) FROM acts WHERE done_at IS NULL",
        )
        .fetch_one(&self.read)
        .await?;
        Ok(at.map(Timestamp))
    }
}

impl Tx {
    /// Makes an act due. An attempt has each kind once; a second wish for the same changes nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_act(
        &mut self,
        session: SessionId,
        attempt: u32,
        kind: ActKind,
        due_at: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO acts (session_id, attempt, kind, due_at) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (session_id, attempt, kind) DO NOTHING",
        )
        .bind(session.to_string())
        .bind(i64::from(attempt))
        .bind(kind.as_str())
        .bind(due_at.0)
        .execute(&mut *self.0)
        .await?;
        Ok(())
    }

    /// Leases some of the acts that are due; nobody else gets them until the lease ends.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lease_acts(&mut self, now: Timestamp, lease: Duration, most: u32) -> Result<Vec<Act>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "UPDATE acts SET leased_until = $2 WHERE id IN (SELECT id FROM acts WHERE done_at IS NULL AND due_at <= $1 \
             AND (leased_until IS NULL OR leased_until <= $1) ORDER BY due_at LIMIT $3) \
             RETURNING id, session_id, attempt, kind, tries",
        )
        .bind(now.0)
        .bind(now.plus(lease).0)
        .bind(i64::from(most))
        .fetch_all(&mut *self.0)
        .await?;
        rows.into_iter().map(Act::try_from).collect()
    }

    /// Ends an act.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn finish_act(&mut self, id: i64, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE acts SET done_at = $2, leased_until = NULL WHERE id = $1")
            .bind(id)
            .bind(now.0)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }

    /// Puts an act off, with the reason.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_off_act(&mut self, id: i64, due_at: Timestamp, reason: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE acts SET due_at = $2, tries = tries + 1, leased_until = NULL, problem = $3 WHERE id = $1")
            .bind(id)
            .bind(due_at.0)
            .bind(reason)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }

    /// Frees the leases of a process that is no more. Only right where one process alone has the database, as on SQLite.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn free_leases(&mut self) -> Result<(), StoreError> {
        sqlx::query("UPDATE acts SET leased_until = NULL WHERE done_at IS NULL").execute(&mut *self.0).await?;
        Ok(())
    }
}
