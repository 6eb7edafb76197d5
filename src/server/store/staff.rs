//! Who of the staff is signed in, and what they did. *Runs: server.*

use super::{
    Store, StoreError, Tx,
    statement::{Row, values},
};
use crate::{
    domain::{ids::SessionId, time::Timestamp},
    server::secrets::KeyRing,
};

/// Somebody who signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// Names the sign-in in the record.
    pub id: String,
    /// The name that the person gave; empty where its key is gone.
    pub name: String,
}

/// What staff did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Signed in.
    SignedIn,
    /// Signed out.
    SignedOut,
    /// Had the personal values of a registration shown.
    Looked,
    /// Exported registrations.
    Exported,
    /// Asked a wallet again.
    AskedAgain,
    /// Made a new code.
    Renewed,
    /// Had the platform asked how things stand.
    Reconciled,
    /// Cancelled a registration.
    Cancelled,
    /// Deleted the personal data of a registration.
    Erased,
    /// Tried a delivery once more.
    Replayed,
    /// Put a delivery aside.
    Discarded,
}

impl Deed {
    /// Every deed.
    pub const ALL: [Self; 11] = [
        Self::SignedIn,
        Self::SignedOut,
        Self::Looked,
        Self::Exported,
        Self::AskedAgain,
        Self::Renewed,
        Self::Reconciled,
        Self::Cancelled,
        Self::Erased,
        Self::Replayed,
        Self::Discarded,
    ];

    /// The name in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignedIn => "signed_in",
            Self::SignedOut => "signed_out",
            Self::Looked => "looked",
            Self::Exported => "exported",
            Self::AskedAgain => "asked_again",
            Self::Renewed => "renewed",
            Self::Reconciled => "reconciled",
            Self::Cancelled => "cancelled",
            Self::Erased => "erased",
            Self::Replayed => "replayed",
            Self::Discarded => "discarded",
        }
    }
}

/// A line of the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Its number, which grows.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// Who; `None` where the ADMIN_TOKEN itself was used, or the sign-in is gone.
    pub name: Option<String>,
    /// What; `None` where a later version knows the name.
    pub deed: Option<Deed>,
    /// About which registration.
    pub session: Option<SessionId>,
    /// What else there is to say.
    pub detail: Option<String>,
}

/// The columns of a line as they are stored.
struct Stored {
    id: i64,
    at: i64,
    sign_in: Option<String>,
    name: Option<Vec<u8>>,
    deed: String,
    session_id: Option<String>,
    detail: Option<String>,
}

impl Stored {
    fn read(row: &mut Row<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.next()?,
            at: row.next()?,
            sign_in: row.next()?,
            name: row.next()?,
            deed: row.next()?,
            session_id: row.next()?,
            detail: row.next()?,
        })
    }

    fn recorded(self, keys: &KeyRing) -> Recorded {
        Recorded {
            id: self.id,
            at: Timestamp(self.at),
            name: self.sign_in.zip(self.name).map(|(id, name)| opened(keys, &id, &name)),
            deed: Deed::ALL.into_iter().find(|deed| deed.as_str() == self.deed),
            session: self.session_id.and_then(|id| id.parse().ok()),
            detail: self.detail,
        }
    }
}

/// Lines of the record, with a condition.
macro_rules! record {
    ($where:literal) => {
        concat!(
            "SELECT deeds.id, deeds.at, deeds.sign_in, sign_ins.name, deeds.deed, deeds.session_id, deeds.detail FROM deeds \
             LEFT JOIN sign_ins ON sign_ins.id = deeds.sign_in WHERE ",
            $where,
            " ORDER BY deeds.id DESC LIMIT ?2"
        )
    };
}

/// What a sealed name is bound to.
fn name_place(id: &str) -> String {
    format!("sign_ins/{id}/name")
}

fn opened(keys: &KeyRing, id: &str, name: &[u8]) -> String {
    keys.unseal(&name_place(id), name).and_then(|name| String::from_utf8(name).ok()).unwrap_or_default()
}

impl Store {
    /// Who signed in with the secret of this digest, and with this `admin` token's, if that is still good.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn signed_in(&self, digest: &[u8], admin: &[u8], now: Timestamp) -> Result<Option<SignIn>, StoreError> {
        let sql = "SELECT id, name FROM sign_ins WHERE digest = ?1 AND admin = ?2 AND good_until > ?3";
        let read = |row: &mut Row<'_>| Ok((row.next::<String>()?, row.next::<Vec<u8>>()?));
        let row = self.database.row(sql, values![digest, admin, now], read).await?;
        Ok(row.map(|(id, name)| SignIn { name: opened(&self.keys, &id, &name), id }))
    }

    /// Whether somebody had a registration's personal values shown after this time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn looked_since(&self, by: &str, session: SessionId, since: Timestamp) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM deeds WHERE session_id = ?1 AND sign_in = ?2 AND deed = 'looked' AND at > ?3";
        self.database.has(sql, values![&session, by, since]).await
    }

    /// So many lines of the record before this one, the newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn deeds(&self, before: i64, most: u32) -> Result<Vec<Recorded>, StoreError> {
        let rows = self.database.rows(record!("deeds.id < ?1"), values![before, most], Stored::read).await?;
        Ok(rows.into_iter().map(|row| row.recorded(&self.keys)).collect())
    }

    /// The newest lines of the record about a registration.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn deeds_about(&self, session: SessionId, most: u32) -> Result<Vec<Recorded>, StoreError> {
        let rows = self.database.rows(record!("deeds.session_id = ?1"), values![&session, most], Stored::read).await?;
        Ok(rows.into_iter().map(|row| row.recorded(&self.keys)).collect())
    }
}

impl Tx {
    /// Stores that somebody signed in: found by the digest of the browser's secret, good until then and as long as `admin` is
    /// the token's.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_sign_in(
        &mut self,
        sign_in: &SignIn,
        (digest, admin): (&[u8], &[u8]),
        now: Timestamp,
        good_until: Timestamp,
    ) -> Result<(), StoreError> {
        let sql =
            "INSERT INTO sign_ins (id, digest, admin, name, began_at, good_until) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let name = self.keys.seal(&name_place(&sign_in.id), sign_in.name.as_bytes());
        self.part.execute(sql, values![&sign_in.id, digest, admin, name, now, good_until]).await.map(drop)
    }

    /// Ends a sign-in. Its name stays, for the record.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_sign_in(&mut self, id: &str, now: Timestamp) -> Result<(), StoreError> {
        self.part.execute("UPDATE sign_ins SET good_until = ?2 WHERE id = ?1", values![id, now]).await.map(drop)
    }

    /// Adds a line to the record. `by`: the sign-in; `None` where the ADMIN_TOKEN itself was used.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn record_deed(
        &mut self,
        by: Option<&str>,
        deed: Deed,
        session: Option<SessionId>,
        detail: Option<&str>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO deeds (at, sign_in, deed, session_id, detail) VALUES (?1, ?2, ?3, ?4, ?5)";
        let values = values![now, by, deed.as_str(), session.as_ref(), detail];
        self.part.execute(sql, values).await.map(drop)
    }

    /// Deletes what was recorded before `limit`, and the sign-ins that ended before it. Gives back how many rows went.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_deeds(&mut self, limit: Timestamp) -> Result<usize, StoreError> {
        let deeds = "DELETE FROM deeds WHERE at < ?1";
        let sign_ins = "DELETE FROM sign_ins WHERE good_until < ?1";
        Ok(self.part.execute(deeds, values![limit]).await? + self.part.execute(sign_ins, values![limit]).await?)
    }
}
