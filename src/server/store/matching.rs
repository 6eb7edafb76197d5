//! From a delivery to the attempt it belongs to, by exact keys and never by guess (contract 5.6); and the binding of those
//! keys, each at most once. *Runs: server.*

use super::{
    Attempt, StoreError, Tx,
    attempts::{Row, select},
};
use crate::{
    domain::ids::{ConnectionId, ProofId},
    server::platform::{Delivery, DeliveryKind},
};

impl Tx {
    async fn only(&mut self, sql: &'static str, key: &str) -> Result<Option<Attempt>, StoreError> {
        let mut rows: Vec<Row> = sqlx::query_as(sql).bind(key).fetch_all(&mut *self.inner).await?;
        // Two that fit are as good as none: to choose would be to guess.
        if rows.len() == 1 { rows.pop().map(Attempt::try_from).transpose() } else { Ok(None) }
    }

    /// The attempt that a delivery belongs to.
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
        // What the platform itself, asked, said of the connection: the second key only (contract 7, point 7).
        if let Some(alias) = &delivery.alias
            && let Some(attempt) = self.only(select!("alias = $1"), alias).await?
        {
            return Ok(Some(attempt));
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
            // The attempt that made it, not a later one that goes over it.
            DeliveryKind::Connection => self.only(select!("connection_id = $1 AND link IS NOT NULL"), id).await,
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
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }

    /// Binds a proof exchange to an attempt that has none yet. One that belongs to another attempt stays there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn bind_proof(
        &mut self,
        attempt: &Attempt,
        id: &ProofId,
        thread: Option<&str>,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE attempts SET proof_id = $3, proof_thread_id = $4 WHERE session_id = $1 AND attempt = $2 \
             AND proof_id IS NULL AND NOT EXISTS (SELECT 1 FROM attempts AS other WHERE other.proof_id = $3)",
        )
        .bind(attempt.session.to_string())
        .bind(i64::from(attempt.number))
        .bind(&id.0)
        .bind(thread)
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }
}
