//! Codes by which somebody goes on with their registration on another device. A code is sealed, and found by a digest that
//! only our keys can make. *Runs: server.*

use super::{
    Store, StoreError, Tx,
    statement::{single, values},
};
use crate::domain::{ids::SessionId, time::Timestamp};

/// What a sealed code is bound to.
fn code_place(session: SessionId) -> String {
    format!("hand_overs/{session}/code")
}

/// What the digests of codes are for.
const DIGEST: &str = "hand over";

impl Store {
    /// The code of a session, while it is good.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hand_over(&self, session: SessionId, now: Timestamp) -> Result<Option<String>, StoreError> {
        let sql = "SELECT code FROM hand_overs WHERE session_id = ?1 AND good_until > ?2";
        let sealed = self.database.row(sql, values![&session, now], single::<Vec<u8>>).await?;
        let code = sealed.and_then(|sealed| self.keys.unseal(&code_place(session), &sealed));
        Ok(code.and_then(|code| String::from_utf8(code).ok()))
    }
}

impl Tx {
    /// Stores a code for a session, in place of one that it may have; and deletes those of others that are of no use any more.
    ///
    /// # Errors
    /// When the database fails, or somebody has the same code.
    pub async fn store_hand_over(
        &mut self,
        session: SessionId,
        code: &str,
        good_until: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.part.execute("DELETE FROM hand_overs WHERE good_until <= ?1", values![now]).await?;
        let sql = "INSERT INTO hand_overs (session_id, code, digest, good_until) VALUES (?1, ?2, ?3, ?4) \
                   ON CONFLICT (session_id) DO UPDATE SET code = excluded.code, digest = excluded.digest, \
                   good_until = excluded.good_until";
        let sealed = self.keys.seal(&code_place(session), code.as_bytes());
        let digest = self.keys.digest(DIGEST, code);
        self.part.execute(sql, values![&session, sealed, &digest[..], good_until]).await.map(drop)
    }

    /// The session that a code leads to, while it is good; from then on the code is of no use.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take_hand_over(&mut self, code: &str, now: Timestamp) -> Result<Option<SessionId>, StoreError> {
        let sql = "DELETE FROM hand_overs WHERE digest = ?1 AND good_until > ?2 RETURNING session_id";
        let digest = self.keys.digest(DIGEST, code);
        let taken = self.part.row(sql, values![&digest[..], now], single::<String>).await?;
        Ok(taken.and_then(|id| id.parse().ok()))
    }
}
