//! The sandbox platform's records: JSON by kind and id. *Runs: server.*

use serde_json::Value;

use super::{Store, StoreError, statement::values};

impl Store {
    /// Stores a record of the sandbox, new or changed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_sandbox_record(&self, kind: &str, id: &str, body: &Value) -> Result<(), StoreError> {
        let sql = "INSERT INTO sandbox_records (kind, id, body) VALUES (?1, ?2, ?3) \
                   ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body";
        let mut tx = self.begin_shared().await?;
        tx.part.execute(sql, values![kind, id, body.to_string()]).await?;
        tx.commit().await
    }

    /// Every record of the sandbox, as kind, id and JSON text.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sandbox_records(&self) -> Result<Vec<(String, String, String)>, StoreError> {
        let sql = "SELECT kind, id, body FROM sandbox_records";
        self.database.rows(sql, &[], |row| Ok((row.next()?, row.next()?, row.next()?))).await
    }
}
