//! Whichever database it is. What both are asked in the same words goes through here; where one text does not do for both,
//! [`Dialect`] chooses. *Runs: server.*

use super::{
    StoreError, postgres,
    postgres::Postgres,
    sqlite,
    sqlite::Sqlite,
    statement::{Read, Value},
};

/// A database.
#[derive(Clone)]
pub(super) enum Database {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

/// A write transaction, or a part of one. Dropped without [`Part::commit`] it changes nothing.
pub(super) enum Part {
    Sqlite(sqlite::Part),
    Postgres(postgres::Part),
}

/// A statement in the words of each.
#[derive(Clone, Copy)]
pub(super) struct Dialect {
    pub(super) sqlite: &'static str,
    pub(super) postgres: &'static str,
}

impl Database {
    pub(super) async fn begin(&self) -> Result<Part, StoreError> {
        Ok(match self {
            Self::Sqlite(file) => Part::Sqlite(file.begin().await?),
            Self::Postgres(server) => Part::Postgres(server.begin().await?),
        })
    }

    /// The same, together with others where that saves something.
    pub(super) async fn begin_shared(&self) -> Result<Part, StoreError> {
        Ok(match self {
            Self::Sqlite(file) => Part::Sqlite(file.begin_shared().await?),
            // Its own commits wait together for the disk.
            Self::Postgres(server) => Part::Postgres(server.begin().await?),
        })
    }

    /// Every row of an answer. One statement sees one state of the database; the next one may see a newer.
    pub(super) async fn rows<T>(
        &self,
        sql: &'static str,
        values: &[Value<'_>],
        read: Read<T>,
    ) -> Result<Vec<T>, StoreError> {
        match self {
            Self::Sqlite(file) => file.read(|db| db.rows(sql, values, read)),
            Self::Postgres(server) => Box::pin(server.rows(sql, values, read)).await,
        }
    }

    /// The same for answers that may be long in coming: nobody who serves waits for them.
    pub(super) async fn rows_apart<T: Send + 'static>(
        &self,
        sql: &'static str,
        values: &[Value<'_>],
        read: Read<T>,
    ) -> Result<Vec<T>, StoreError> {
        match self {
            Self::Sqlite(file) => file.rows_apart(sql, values.iter().map(Value::owned).collect(), read).await,
            Self::Postgres(server) => Box::pin(server.rows(sql, values, read)).await,
        }
    }

    /// The first row of an answer, if there is one.
    pub(super) async fn row<T>(
        &self,
        sql: &'static str,
        values: &[Value<'_>],
        read: Read<T>,
    ) -> Result<Option<T>, StoreError> {
        match self {
            Self::Sqlite(file) => file.read(|db| db.row(sql, values, read)),
            Self::Postgres(server) => Ok(Box::pin(server.rows(sql, values, read)).await?.into_iter().next()),
        }
    }

    /// Whether an answer has any row.
    pub(super) async fn has(&self, sql: &'static str, values: &[Value<'_>]) -> Result<bool, StoreError> {
        Ok(self.row(sql, values, |_| Ok(())).await?.is_some())
    }

    pub(super) async fn close(&self) {
        match self {
            Self::Sqlite(file) => file.close().await,
            Self::Postgres(server) => server.close().await,
        }
    }
}

impl Part {
    pub(super) async fn execute(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<usize, StoreError> {
        match self {
            Self::Sqlite(part) => part.connection()?.execute(sql, values),
            Self::Postgres(part) => Box::pin(part.execute(sql, values)).await,
        }
    }

    pub(super) async fn rows<T>(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        read: Read<T>,
    ) -> Result<Vec<T>, StoreError> {
        match self {
            Self::Sqlite(part) => part.connection()?.rows(sql, values, read),
            Self::Postgres(part) => Box::pin(part.rows(sql, values, read)).await,
        }
    }

    pub(super) async fn row<T>(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        read: Read<T>,
    ) -> Result<Option<T>, StoreError> {
        match self {
            Self::Sqlite(part) => part.connection()?.row(sql, values, read),
            Self::Postgres(part) => Ok(Box::pin(part.rows(sql, values, read)).await?.into_iter().next()),
        }
    }

    pub(super) async fn has(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<bool, StoreError> {
        Ok(self.row(sql, values, |_| Ok(())).await?.is_some())
    }

    pub(super) async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(part) => part.commit().await,
            Self::Postgres(part) => Box::pin(part.commit()).await,
        }
    }

    /// From here on statements may take as long as they need.
    pub(super) async fn take_time(&mut self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(part) => Box::pin(part.take_time()).await,
        }
    }

    /// Whether others may change the same rows at the same time.
    pub(super) const fn is_shared(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    /// A statement in the words of this database.
    pub(super) const fn say(&self, words: Dialect) -> &'static str {
        match self {
            Self::Sqlite(_) => words.sqlite,
            Self::Postgres(_) => words.postgres,
        }
    }
}
