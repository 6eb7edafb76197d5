//! The sandbox platform's records: JSON by kind and id. *Runs: server.*

use serde_json::Value;

use super::{Store, StoreError};

impl Store {
    /// Stores a record of the sandbox, new or changed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_sandbox_record(&self, kind: &str, id: &str, body: &Value) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO sandbox_records (kind, id, body) VALUES ($1, $2, $3) \
             ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body",
        )
        .bind(kind)
        .bind(id)
        .bind(body.to_string())
        .execute(&self.write)
        .await?;
        Ok(())
    }

    /// Every record of the sandbox, as kind, id and JSON text.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sandbox_records(&self) -> Result<Vec<(String, String, String)>, StoreError> {
        Ok(sqlx::query_as("SELECT kind, id, body FROM sandbox_records").fetch_all(&self.read).await?)
    }
}
