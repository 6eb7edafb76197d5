//! What PostgreSQL tells to all who listen: lines of text, which are not kept for those who do not. *Runs: server.*

use sqlx::postgres::PgListener;

use super::{Store, StoreError, database::Database, statement::values};

const CHANNEL: &str = "vestibule";
/// Between the lines of one statement; none contains it.
const END: &str = "\n";

/// A connection that hears.
pub struct Listening(PgListener);

impl Store {
    /// Hears what is told from now on.
    ///
    /// # Errors
    /// When the database fails, or is not PostgreSQL.
    pub async fn listen(&self) -> Result<Listening, StoreError> {
        let Database::Postgres(server) = &self.database else { return Err(StoreError::Closed) };
        let mut listener = PgListener::connect_with(&server.listeners()).await?;
        listener.eager_reconnect(false);
        listener.listen(CHANNEL).await?;
        Ok(Listening(listener))
    }

    /// Tells these lines to everybody who listens.
    ///
    /// # Errors
    /// When the database fails, or is not PostgreSQL.
    pub async fn notify(&self, lines: &[String]) -> Result<(), StoreError> {
        let Database::Postgres(server) = &self.database else { return Err(StoreError::Closed) };
        // PostgreSQL writes transactions that notify one after the other. What they say lasts no longer than the connections
        // that hear it, so none of them waits for the disk.
        let sql = "SELECT set_config('synchronous_commit', 'off', TRUE), COUNT(pg_notify(?1, line)) \
                   FROM unnest(string_to_array(?2, ?3)) AS line";
        server.rows(sql, values![CHANNEL, lines.join(END), END], |_| Ok(())).await.map(drop)
    }
}

impl Listening {
    /// The next line. Nothing is lost when whoever waits for it gives up.
    ///
    /// # Errors
    /// When the connection is lost: what is told meanwhile is not heard.
    pub async fn next(&mut self) -> Result<String, StoreError> {
        let notification = self.0.try_recv().await?.ok_or(StoreError::Closed)?;
        Ok(notification.payload().to_owned())
    }
}
