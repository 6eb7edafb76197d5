//! Sessions in the database. *Runs: server.*

use sqlx::FromRow;

use super::{Store, StoreError, Tx, together::any_of};
use crate::{
    domain::{
        ids::SessionId,
        session::Session,
        stage::{Progress, Stage},
        time::Timestamp,
    },
    server::secrets::KeyRing,
};

#[derive(FromRow)]
pub(super) struct Row {
    id: String,
    attempt: i64,
    version: i64,
    stage: String,
    answered: i64,
    opened: i64,
    delayed: i64,
    wallet_name: Option<Vec<u8>>,
    consent: String,
    created_at: i64,
    updated_at: i64,
    expires_at: i64,
}

impl Row {
    pub(super) fn session(self, keys: &KeyRing) -> Result<Session, StoreError> {
        let wrong = |problem| StoreError::Inconsistent { table: "sessions", row: self.id.clone(), problem };
        // A name that cannot be opened any more is a loss one can bear.
        let name = self.wallet_name.and_then(|sealed| keys.unseal(&name_place(&self.id), &sealed));
        Ok(Session {
            id: self.id.parse().map_err(|_| wrong("the id is none"))?,
            attempt: self.attempt.try_into().map_err(|_| wrong("the attempt is out of range"))?,
            version: self.version.try_into().map_err(|_| wrong("the version is out of range"))?,
            progress: Progress {
                stage: Stage::from_name(&self.stage).ok_or_else(|| wrong("there is no such stage"))?,
                answered: self.answered != 0,
            },
            opened: self.opened != 0,
            delayed: self.delayed != 0,
            their_label: name.and_then(|name| String::from_utf8(name).ok()),
            created_at: Timestamp(self.created_at),
            updated_at: Timestamp(self.updated_at),
            expires_at: Timestamp(self.expires_at),
            consent: self.consent,
        })
    }
}

/// What a wallet's sealed name is bound to.
fn name_place(id: &str) -> String {
    format!("sessions/{id}/wallet_name")
}

/// The wallet's name as it is stored.
pub(super) fn sealed_name(keys: &KeyRing, session: &Session) -> Option<Vec<u8>> {
    let name = session.their_label.as_ref()?;
    Some(keys.seal(&name_place(session.id.as_str()), name.as_bytes()))
}

/// What a sealed draft is bound to.
fn draft_place(id: SessionId) -> String {
    format!("sessions/{id}/draft")
}

/// The sessions that are listed.
pub(super) const SELECT: &str = "SELECT id, attempt, version, stage, answered, opened, delayed, wallet_name, consent, \
     created_at, updated_at, expires_at FROM sessions WHERE id IN (";

/// Versions count single changes of one session and never come near what i64 holds.
pub(super) fn version(session: &Session) -> i64 {
    i64::try_from(session.version).unwrap_or(i64::MAX)
}

impl Store {
    /// The session as it is now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        self.lookup.session(id).await
    }

    /// What was typed into the form and could not be submitted.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn draft(&self, id: SessionId) -> Result<Option<Vec<u8>>, StoreError> {
        let sealed: Option<Option<Vec<u8>>> = sqlx::query_scalar("SELECT draft FROM sessions WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(&self.read)
            .await?;
        Ok(sealed.flatten().and_then(|sealed| self.keys.unseal(&draft_place(id), &sealed)))
    }
}

impl Tx {
    /// The session as it is in this transaction.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session(&mut self, id: SessionId) -> Result<Option<Session>, StoreError> {
        if let Some(known) = self.ledger.session(id) {
            return Ok(known);
        }
        let row: Option<Row> = any_of(SELECT, &[id.as_str()]).build_query_as().fetch_optional(self.db().await?).await?;
        row.map(|row| row.session(&self.keys)).transpose()
    }

    /// Stores a session, new or changed.
    pub fn put_session(&mut self, session: &Session) {
        self.ledger.put_session(session);
    }

    /// Keeps what was typed and could not be submitted, sealed; or forgets it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn store_draft(&mut self, id: SessionId, draft: Option<&[u8]>) -> Result<(), StoreError> {
        let sealed = draft.map(|draft| self.keys.seal(&draft_place(id), draft));
        sqlx::query("UPDATE sessions SET draft = $2 WHERE id = $1")
            .bind(id.to_string())
            .bind(sealed)
            .execute(self.aside().await?)
            .await?;
        Ok(())
    }

    /// Deletes a session with all that belongs to it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_session(&mut self, id: SessionId) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM sessions WHERE id = $1").bind(id.to_string()).execute(self.db().await?).await?;
        Ok(())
    }

    /// Keeps the text that people consent to, once for each wording.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keep_consent(&mut self, version: &str, text: &str, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO consents (version, text, first_used_at) VALUES ($1, $2, $3) ON CONFLICT (version) DO NOTHING",
        )
        .bind(version)
        .bind(text)
        .bind(now.0)
        .execute(self.db().await?)
        .await?;
        Ok(())
    }
}
