//! Sessions in the database. *Runs: server.*

use sqlx::FromRow;

use super::{Store, StoreError, Tx};
use crate::domain::{
    ids::SessionId,
    session::Session,
    stage::{Progress, Stage},
    time::Timestamp,
};

#[derive(FromRow)]
struct Row {
    id: String,
    attempt: i64,
    version: i64,
    stage: String,
    answered: i64,
    opened: i64,
    their_label: Option<String>,
    created_at: i64,
    updated_at: i64,
    expires_at: i64,
}

impl TryFrom<Row> for Session {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let wrong = |problem| StoreError::Inconsistent { table: "sessions", row: row.id.clone(), problem };
        Ok(Self {
            id: row.id.parse().map_err(|_| wrong("the id is none"))?,
            attempt: row.attempt.try_into().map_err(|_| wrong("the attempt is out of range"))?,
            version: row.version.try_into().map_err(|_| wrong("the version is out of range"))?,
            progress: Progress {
                stage: Stage::from_name(&row.stage).ok_or_else(|| wrong("there is no such stage"))?,
                answered: row.answered != 0,
            },
            opened: row.opened != 0,
            their_label: row.their_label.clone(),
            created_at: Timestamp(row.created_at),
            updated_at: Timestamp(row.updated_at),
            expires_at: Timestamp(row.expires_at),
        })
    }
}

/// The columns of [`Row`], in one place. A macro, because statements have to be literals.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, attempt, version, stage, answered, opened, their_label, created_at, updated_at, expires_at \
             FROM sessions WHERE ",
            $rest
        )
    };
}

/// Versions count single changes of one session and never come near what i64 holds.
fn version(session: &Session) -> i64 {
    i64::try_from(session.version).unwrap_or(i64::MAX)
}

impl Store {
    /// The session as it is now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        let row: Option<Row> =
            sqlx::query_as(select!("id = $1")).bind(id.to_string()).fetch_optional(&self.read).await?;
        row.map(Session::try_from).transpose()
    }

    /// Whether the deadline of any session has passed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_overdue(&self, now: Timestamp) -> Result<bool, StoreError> {
        let found: Option<i64> =
            sqlx::query_scalar("SELECT 1 FROM sessions WHERE running = 1 AND expires_at <= $1 LIMIT 1")
                .bind(now.0)
                .fetch_optional(&self.read)
                .await?;
        Ok(found.is_some())
    }
}

impl Tx {
    /// The session as it is in this transaction.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session(&mut self, id: SessionId) -> Result<Option<Session>, StoreError> {
        let row: Option<Row> =
            sqlx::query_as(select!("id = $1")).bind(id.to_string()).fetch_optional(&mut *self.0).await?;
        row.map(Session::try_from).transpose()
    }

    /// Stores a new session.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_session(&mut self, session: &Session) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO sessions (id, attempt, version, stage, answered, opened, their_label, created_at, updated_at, \
             expires_at, running) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(session.id.to_string())
        .bind(i64::from(session.attempt))
        .bind(version(session))
        .bind(session.progress.stage.as_str())
        .bind(i64::from(session.progress.answered))
        .bind(i64::from(session.opened))
        .bind(&session.their_label)
        .bind(session.created_at.0)
        .bind(session.updated_at.0)
        .bind(session.expires_at.0)
        .bind(i64::from(!session.progress.stage.is_end()))
        .execute(&mut *self.0)
        .await?;
        Ok(())
    }

    /// Stores a changed session.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn update_session(&mut self, session: &Session) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE sessions SET attempt = $2, version = $3, stage = $4, answered = $5, opened = $6, their_label = $7, \
             updated_at = $8, expires_at = $9, running = $10 WHERE id = $1",
        )
        .bind(session.id.to_string())
        .bind(i64::from(session.attempt))
        .bind(version(session))
        .bind(session.progress.stage.as_str())
        .bind(i64::from(session.progress.answered))
        .bind(i64::from(session.opened))
        .bind(&session.their_label)
        .bind(session.updated_at.0)
        .bind(session.expires_at.0)
        .bind(i64::from(!session.progress.stage.is_end()))
        .execute(&mut *self.0)
        .await?;
        Ok(())
    }

    /// Some of the sessions whose deadline has passed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn overdue_sessions(&mut self, now: Timestamp) -> Result<Vec<Session>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(select!("running = 1 AND expires_at <= $1 ORDER BY expires_at LIMIT 100"))
            .bind(now.0)
            .fetch_all(&mut *self.0)
            .await?;
        rows.into_iter().map(Session::try_from).collect()
    }

    /// Deletes some of the sessions that began before `limit`, with all that belongs to them, and old deliveries that
    /// belong to none. Gives back how many rows went.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_older(&mut self, limit: Timestamp) -> Result<u64, StoreError> {
        let sessions =
            sqlx::query("DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE created_at < $1 LIMIT 500)")
                .bind(limit.0)
                .execute(&mut *self.0)
                .await?;
        let events = sqlx::query(
            "DELETE FROM events WHERE id IN \
             (SELECT id FROM events WHERE session_id IS NULL AND received_at < $1 LIMIT 500)",
        )
        .bind(limit.0)
        .execute(&mut *self.0)
        .await?;
        Ok(sessions.rows_affected() + events.rows_affected())
    }
}
