//! The courses of registrations, from which figures are made, and the figures of hours that are over. *Runs: server.*

use super::{
    Store, StoreError, Tx,
    statement::{Row, single, values},
};
use crate::domain::{stage::Stage, time::Timestamp};

/// When a registration first came to each step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Course {
    /// It began.
    pub begun: Timestamp,
    /// A wallet asked to connect, the connection was complete, the holder approved, the platform confirmed it.
    pub steps: [Option<Timestamp>; 4],
    /// The stage it is in.
    pub stage: Stage,
    /// When it came to that.
    pub since: Timestamp,
}

impl Course {
    fn read(row: &mut Row<'_>) -> Result<Self, StoreError> {
        let begun = Timestamp(row.next()?);
        let mut step = || Ok::<_, StoreError>(row.next::<Option<i64>>()?.map(Timestamp));
        let steps = [step()?, step()?, step()?, step()?];
        let stage = Stage::from_name(&row.next::<String>()?).ok_or_else(|| StoreError::Inconsistent {
            table: "sessions",
            row: begun.0.to_string(),
            problem: "there is no such stage",
        })?;
        Ok(Self { begun, steps, stage, since: Timestamp(row.next()?) })
    }
}

impl Store {
    /// The courses of the registrations that began from one time on until before another.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn courses(&self, from: Timestamp, until: Timestamp) -> Result<Vec<Course>, StoreError> {
        let sql = "SELECT created_at, scanned_at, connected_at, presented_at, verified_at, stage, updated_at FROM sessions \
                   WHERE created_at >= ?1 AND created_at < ?2";
        self.database.rows_apart(sql, values![from, until], Course::read).await
    }

    /// When the first registration began that began at this time or later.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn first_begun(&self, from: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let sql = "SELECT MIN(created_at) FROM sessions WHERE created_at >= ?1";
        Ok(self.database.row(sql, values![from], single::<Option<i64>>).await?.flatten().map(Timestamp))
    }

    /// The last hour of which there are figures.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn last_figures(&self) -> Result<Option<Timestamp>, StoreError> {
        let hour = self.database.row("SELECT MAX(hour) FROM figures", &[], single::<Option<i64>>).await?;
        Ok(hour.flatten().map(Timestamp))
    }

    /// The figures of the hours from this one on, as they were stored.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn figures(&self, from: Timestamp) -> Result<Vec<(Timestamp, String)>, StoreError> {
        let read = |row: &mut Row<'_>| Ok((Timestamp(row.next()?), row.next()?));
        self.database.rows("SELECT hour, body FROM figures WHERE hour >= ?1 ORDER BY hour", values![from], read).await
    }
}

impl Tx {
    /// Stores the figures of an hour, unless there are any.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_figures(&mut self, hour: Timestamp, body: &str) -> Result<(), StoreError> {
        let sql = "INSERT INTO figures (hour, body) VALUES (?1, ?2) ON CONFLICT (hour) DO NOTHING";
        self.part.execute(sql, values![hour, body]).await.map(drop)
    }

    /// Deletes the figures of hours before this one. Gives back how many went.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_figures(&mut self, limit: Timestamp) -> Result<usize, StoreError> {
        self.part.execute("DELETE FROM figures WHERE hour < ?1", values![limit]).await
    }
}
