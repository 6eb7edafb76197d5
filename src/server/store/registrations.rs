//! What was submitted. *Runs: server.*

use serde::{Deserialize, Serialize};

use super::{
    Store, StoreError, Tx,
    sessions::open_name,
    statement::{Row, single, values},
};
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

impl Registration {
    fn read(row: &mut Row<'_>) -> Result<Self, StoreError> {
        Ok(Self { number: row.next()?, submitted_at: Timestamp(row.next()?) })
    }
}

const SELECT: &str = "SELECT number, submitted_at FROM registrations WHERE session_id = ?1";

/// What a sealed record is bound to.
fn record_place(session: &str) -> String {
    format!("registrations/{session}/record")
}

impl Store {
    /// The registration of a session; `None` when nothing was submitted in it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn registration(&self, session: SessionId) -> Result<Option<Registration>, StoreError> {
        self.database.row(SELECT, values![&session], Registration::read).await
    }

    /// What was submitted in a session; `None` when nothing was, or its key is gone.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn submitted(&self, session: SessionId) -> Result<Option<Submitted>, StoreError> {
        let sql = "SELECT record FROM registrations WHERE session_id = ?1";
        let sealed = self.database.row(sql, values![&session], single::<Vec<u8>>).await?;
        let opened = sealed.and_then(|sealed| self.keys.unseal(&record_place(session.as_str()), &sealed));
        Ok(opened.and_then(|json| serde_json::from_slice(&json).ok()))
    }
}

/// A registration as it is exported.
pub struct Exported {
    /// Its session.
    pub session: String,
    /// Its number.
    pub number: String,
    /// The version of the terms that were agreed to.
    pub consent: String,
    /// When they were agreed to.
    pub consented_at: Timestamp,
    /// When it was submitted.
    pub submitted_at: Timestamp,
    /// What it is made of; `None` where that was deleted, or its key is gone.
    pub submitted: Option<Submitted>,
    /// The wallet's name.
    pub wallet: Option<String>,
}

impl Store {
    /// So many registrations after this session's, in the order of their sessions.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn export_registrations(&self, after: &str, most: u32) -> Result<Vec<Exported>, StoreError> {
        type Columns = (String, String, String, i64, i64, Vec<u8>, Option<Vec<u8>>);
        let sql = "SELECT session_id, number, registrations.consent, consented_at, submitted_at, record, wallet_name \
                   FROM registrations JOIN sessions ON sessions.id = session_id WHERE session_id > ?1 \
                   ORDER BY session_id LIMIT ?2";
        let read = |row: &mut Row<'_>| -> Result<Columns, StoreError> {
            Ok((row.next()?, row.next()?, row.next()?, row.next()?, row.next()?, row.next()?, row.next()?))
        };
        let rows = self.database.rows_apart(sql, values![after, most], read).await?;
        let opened = |(session, number, consent, consented_at, submitted_at, record, wallet): Columns| {
            let json = self.keys.unseal(&record_place(&session), &record);
            Exported {
                submitted: json.and_then(|json| serde_json::from_slice(&json).ok()),
                wallet: wallet.and_then(|name| open_name(&self.keys, &session, &name)),
                session,
                number,
                consent,
                consented_at: Timestamp(consented_at),
                submitted_at: Timestamp(submitted_at),
            }
        };
        Ok(rows.into_iter().map(opened).collect())
    }
}

impl Tx {
    /// The registration of a session, as it is in this transaction.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn registration(&mut self, session: SessionId) -> Result<Option<Registration>, StoreError> {
        self.part.row(SELECT, values![&session], Registration::read).await
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
        let sql = "INSERT INTO registrations (session_id, attempt, number, consent, consented_at, submitted_at, record) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (number) DO NOTHING";
        let sealed = self.keys.seal(&record_place(session.as_str()), &json);
        let values =
            values![&session, attempt, &registration.number, consent.0, consent.1, registration.submitted_at, sealed,];
        Ok(self.part.execute(sql, values).await? == 1)
    }
}
