//! Sessions in the database. *Runs: server.*

use super::{
    Store, StoreError, Tx,
    database::{Database, Dialect},
    statement::{Row, single, values},
};
use crate::{
    domain::{
        ids::SessionId,
        session::Session,
        stage::{Progress, Stage},
        time::Timestamp,
    },
    server::secrets::KeyRing,
};

/// The columns of a session as they are stored.
pub(super) struct Stored {
    id: String,
    attempt: i64,
    version: i64,
    stage: String,
    answered: bool,
    opened: bool,
    delayed: bool,
    wallet_name: Option<Vec<u8>>,
    consent: String,
    created_at: i64,
    updated_at: i64,
    expires_at: i64,
}

/// The columns of [`Stored`], in the order in which they are read.
macro_rules! columns {
    () => {
        "sessions.id, sessions.attempt, sessions.version, sessions.stage, sessions.answered, sessions.opened, \
         sessions.delayed, sessions.wallet_name, sessions.consent, sessions.created_at, sessions.updated_at, \
         sessions.expires_at"
    };
}
pub(super) use columns;

/// By its primary key.
macro_rules! by_id {
    () => {
        concat!("SELECT ", columns!(), " FROM sessions WHERE id = ?1")
    };
}
const BY_ID: &str = by_id!();
/// So that nobody else changes it meanwhile. On SQLite nobody can.
const TO_CHANGE: Dialect = Dialect { sqlite: BY_ID, postgres: concat!(by_id!(), " FOR NO KEY UPDATE") };

impl Stored {
    pub(super) fn read(row: &mut Row<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.next()?,
            attempt: row.next()?,
            version: row.next()?,
            stage: row.next()?,
            answered: row.next()?,
            opened: row.next()?,
            delayed: row.next()?,
            wallet_name: row.next()?,
            consent: row.next()?,
            created_at: row.next()?,
            updated_at: row.next()?,
            expires_at: row.next()?,
        })
    }

    pub(super) fn session(self, keys: &KeyRing) -> Result<Session, StoreError> {
        let wrong = |problem| StoreError::Inconsistent { table: "sessions", row: self.id.clone(), problem };
        // A name that cannot be opened any more is a loss one can bear.
        let their_label = self.wallet_name.and_then(|sealed| open_name(keys, &self.id, &sealed));
        Ok(Session {
            id: self.id.parse().map_err(|_| wrong("the id is none"))?,
            attempt: self.attempt.try_into().map_err(|_| wrong("the attempt is out of range"))?,
            version: self.version.try_into().map_err(|_| wrong("the version is out of range"))?,
            progress: Progress {
                stage: Stage::from_name(&self.stage).ok_or_else(|| wrong("there is no such stage"))?,
                answered: self.answered,
            },
            opened: self.opened,
            delayed: self.delayed,
            their_label,
            created_at: Timestamp(self.created_at),
            updated_at: Timestamp(self.updated_at),
            expires_at: Timestamp(self.expires_at),
            consent: self.consent,
        })
    }
}

/// A wallet's name; `None` where its key is gone.
pub(super) fn open_name(keys: &KeyRing, session: &str, sealed: &[u8]) -> Option<String> {
    keys.unseal(&name_place(session), sealed).and_then(|name| String::from_utf8(name).ok())
}

/// What a wallet's sealed name is bound to.
fn name_place(id: &str) -> String {
    format!("sessions/{id}/wallet_name")
}

/// What a sealed draft is bound to.
fn draft_place(id: SessionId) -> String {
    format!("sessions/{id}/draft")
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
        let row = self.database.row(BY_ID, values![&id], Stored::read).await?;
        row.map(|row| row.session(&self.keys)).transpose()
    }

    /// Several sessions as they are now, those that are there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sessions(&self, ids: &[SessionId]) -> Result<Vec<Session>, StoreError> {
        let rows: Vec<Stored> = match &self.database {
            Database::Sqlite(file) => {
                let read = |id| file.read(|db| db.row(BY_ID, values![id], Stored::read)).transpose();
                ids.iter().filter_map(read).collect::<Result<_, _>>()?
            }
            Database::Postgres(_) => {
                // As one value: a list of values would be another statement for each number of them.
                let ids = ids.iter().map(SessionId::as_str).collect::<Vec<_>>().join(",");
                let sql = concat!("SELECT ", columns!(), " FROM sessions WHERE id = ANY (string_to_array(?1, ','))");
                self.database.rows(sql, values![ids], Stored::read).await?
            }
        };
        rows.into_iter().map(|row| row.session(&self.keys)).collect()
    }

    /// What was typed into the form and could not be submitted.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn draft(&self, id: SessionId) -> Result<Option<Vec<u8>>, StoreError> {
        let sql = "SELECT draft FROM sessions WHERE id = ?1";
        let sealed = self.database.row(sql, values![&id], single::<Option<Vec<u8>>>).await?;
        Ok(sealed.flatten().and_then(|sealed| self.keys.unseal(&draft_place(id), &sealed)))
    }
}

impl Tx {
    /// The session as it is in this transaction, which nobody else changes from now until its end. Its attempts and acts are
    /// changed only by those who have their session, and after they have it: two who took them in different orders would wait
    /// for each other.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session(&mut self, id: SessionId) -> Result<Option<Session>, StoreError> {
        let row = self.part.row(self.part.say(TO_CHANGE), values![&id], Stored::read).await?;
        row.map(|row| row.session(&self.keys)).transpose()
    }

    /// The session as it is at the moment; others may change it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn look_at_session(&mut self, id: SessionId) -> Result<Option<Session>, StoreError> {
        let row = self.part.row(BY_ID, values![&id], Stored::read).await?;
        row.map(|row| row.session(&self.keys)).transpose()
    }

    /// Stores a new session, which knows no wallet yet.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_session(&mut self, session: &Session) -> Result<(), StoreError> {
        let sql = "INSERT INTO sessions (id, attempt, version, stage, answered, opened, delayed, updated_at, expires_at, \
                   consent, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
        let values = values![
            &session.id,
            session.attempt,
            version(session),
            session.progress.stage.as_str(),
            session.progress.answered,
            session.opened,
            session.delayed,
            session.updated_at,
            session.expires_at,
            &session.consent,
            session.created_at,
        ];
        self.part.execute(sql, values).await.map(drop)
    }

    /// Stores what changed of a session; of its wallet's name see [`Tx::update_session_and_name`].
    ///
    /// # Errors
    /// When the database fails.
    pub async fn update_session(&mut self, session: &Session) -> Result<(), StoreError> {
        self.update(session, None).await
    }

    /// Stores what changed of a session, and the name of its wallet, sealed, or that it has none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn update_session_and_name(&mut self, session: &Session) -> Result<(), StoreError> {
        let seal = |name: &String| self.keys.seal(&name_place(session.id.as_str()), name.as_bytes());
        self.update(session, Some(session.their_label.as_ref().map(seal))).await
    }

    async fn update(&mut self, session: &Session, name: Option<Option<Vec<u8>>>) -> Result<(), StoreError> {
        // Of each step the first time is kept. A step that was passed over was reached with the one after it.
        let sql = "UPDATE sessions SET attempt = ?2, version = ?3, stage = ?4, answered = ?5, opened = ?6, delayed = ?7, \
                   updated_at = ?8, expires_at = ?9, ended = ?10, scanned_at = COALESCE(scanned_at, ?11), \
                   connected_at = COALESCE(connected_at, ?12), presented_at = COALESCE(presented_at, ?13), \
                   verified_at = COALESCE(verified_at, ?14), \
                   wallet_name = CASE WHEN ?15 = 1 THEN ?16 ELSE wallet_name END WHERE id = ?1";
        let stage = session.progress.stage;
        let reached = |step: Stage| (stage.rank() >= step.rank()).then_some(session.updated_at);
        let values = values![
            &session.id,
            session.attempt,
            version(session),
            session.progress.stage.as_str(),
            session.progress.answered,
            session.opened,
            session.delayed,
            session.updated_at,
            session.expires_at,
            stage.is_end().then_some(stage.as_str()),
            reached(Stage::Scanned),
            reached(Stage::Connected),
            reached(Stage::Presented),
            reached(Stage::Verified),
            name.is_some(),
            name.flatten(),
        ];
        self.part.execute(sql, values).await.map(drop)
    }

    /// Keeps what was typed and could not be submitted, sealed; or forgets it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn store_draft(&mut self, id: SessionId, draft: Option<&[u8]>) -> Result<(), StoreError> {
        let sealed = draft.map(|draft| self.keys.seal(&draft_place(id), draft));
        self.part.execute("UPDATE sessions SET draft = ?2 WHERE id = ?1", values![&id, sealed]).await.map(drop)
    }

    /// Deletes a session with all that belongs to it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_session(&mut self, id: SessionId) -> Result<(), StoreError> {
        self.part.execute("DELETE FROM sessions WHERE id = ?1", values![&id]).await.map(drop)
    }

    /// Keeps the text that people consent to, once for each wording.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keep_consent(&mut self, version: &str, text: &str, now: Timestamp) -> Result<(), StoreError> {
        let sql =
            "INSERT INTO consents (version, text, first_used_at) VALUES (?1, ?2, ?3) ON CONFLICT (version) DO NOTHING";
        self.part.execute(sql, values![version, text, now]).await.map(drop)
    }
}
