//! Looks at a database without changing anything in it: whose tables it has, and whether what is sealed in it opens. *Runs: server.*

use sqlx::migrate::MigrateError;

use super::{
    StoreError,
    postgres::{self, Postgres},
    reseal::{COLUMNS, Sealed},
    sqlite::{self, connection::Connection},
    statement::{Read, Value, single, values},
    trouble::{of_place, path_of},
};
use crate::{domain::time::Timestamp, server::secrets::KeyRing};

/// What was found.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// Whose tables it has.
    pub tables: Tables,
    /// Why it cannot be written, in words, if that is so.
    pub unwritable: Option<String>,
    /// The time there, where it is on a server of its own.
    pub now: Option<Timestamp>,
    /// What is sealed in it; nothing was looked at unless the tables are those of this version.
    pub sealed: SealedRows,
}

/// The tables of a database beside those that this version of the program works with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tables {
    /// There are none yet.
    None,
    /// The same.
    UpToDate,
    /// Changes are missing that the next start makes.
    Older,
}

/// How much is sealed, and what of it opens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SealedRows {
    /// Opens with the present key.
    pub present: u64,
    /// Opens with an older one.
    pub old: u64,
    /// Opens with none.
    pub lost: u64,
}

/// A database that is only read.
enum Looking {
    File(Connection),
    Server(Postgres),
}

impl Looking {
    async fn rows<T>(&self, sql: &'static str, values: &[Value<'_>], read: Read<T>) -> Result<Vec<T>, StoreError> {
        match self {
            Self::File(connection) => connection.rows(sql, values, read),
            Self::Server(server) => Box::pin(server.rows(sql, values, read)).await,
        }
    }

    async fn has(&self, sql: &'static str) -> Result<bool, StoreError> {
        Ok(!self.rows(sql, &[], |_| Ok(())).await?.is_empty())
    }
}

/// Looks at the database at this address, and whether these keys open what is sealed in it. Nothing is changed, made or brought
/// up to date; a file has to be there.
///
/// # Errors
/// When it cannot be opened, or a start would refuse its tables.
pub async fn inspect(url: &str, keys: Option<&KeyRing>) -> Result<Inspection, StoreError> {
    let path = path_of(url);
    let looking = match &path {
        Some(path) => Looking::File(Connection::to_look(path)?),
        None => Looking::Server(Postgres::look(url).await?),
    };
    let tables = tables(&looking).await?;
    let (now, unwritable) = match &looking {
        Looking::File(_) => (None, path.as_deref().and_then(of_place)),
        Looking::Server(_) => (Some(now(&looking).await?), unwritable(&looking, tables).await?),
    };
    let sealed = if tables == Tables::UpToDate { sealed(&looking, keys).await? } else { SealedRows::default() };
    if let Looking::Server(server) = looking {
        server.close().await;
    }
    Ok(Inspection { tables, unwritable, now, sealed })
}

async fn tables(looking: &Looking) -> Result<Tables, StoreError> {
    let (has_any, known) = match looking {
        Looking::File(_) => {
            ("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '_sqlx_migrations'", &sqlite::MIGRATIONS)
        }
        Looking::Server(_) => ("SELECT 1 WHERE to_regclass('_sqlx_migrations') IS NOT NULL", &postgres::MIGRATIONS),
    };
    if !looking.has(has_any).await? {
        return Ok(Tables::None);
    }
    let made = looking
        .rows("SELECT version, checksum FROM _sqlx_migrations ORDER BY version", &[], |row| {
            Ok((row.next::<i64>()?, row.next::<Vec<u8>>()?))
        })
        .await?;
    for (version, checksum) in &made {
        match known.iter().find(|change| change.version == *version) {
            None => return Err(MigrateError::VersionMissing(*version).into()),
            Some(change) if *change.checksum != **checksum => {
                return Err(MigrateError::VersionMismatch(*version).into());
            }
            Some(_) => {}
        }
    }
    Ok(if made.len() == known.iter().count() { Tables::UpToDate } else { Tables::Older })
}

async fn now(looking: &Looking) -> Result<Timestamp, StoreError> {
    let sql = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)";
    Ok(Timestamp(looking.rows(sql, &[], single::<i64>).await?.first().copied().unwrap_or_default()))
}

/// Why a user of PostgreSQL cannot write, as far as that shows without writing.
async fn unwritable(looking: &Looking, tables: Tables) -> Result<Option<String>, StoreError> {
    if looking.has("SELECT 1 WHERE current_setting('transaction_read_only') = 'on'").await? {
        let why = "it only reads: DATABASE_URL leads to a copy that follows another server, or this user is set to read; name \
                   the server that is written to";
        return Ok(Some(why.to_owned()));
    }
    let lacks = match tables {
        Tables::None | Tables::Older => {
            "SELECT 1 WHERE NOT COALESCE(has_schema_privilege(current_schema(), 'CREATE'), FALSE)"
        }
        Tables::UpToDate => {
            "SELECT 1 FROM (VALUES ('INSERT'), ('UPDATE'), ('DELETE')) AS needed (one) \
             WHERE NOT has_table_privilege('sessions', one) LIMIT 1"
        }
    };
    let why =
        "this user may not make or change tables there: make it the database's owner, or give it the right (GRANT)";
    Ok(looking.has(lacks).await?.then(|| why.to_owned()))
}

async fn sealed(looking: &Looking, keys: Option<&KeyRing>) -> Result<SealedRows, StoreError> {
    let mut found = SealedRows::default();
    for column in &COLUMNS {
        let mut after = (String::new(), 0_i64);
        loop {
            let rows = looking.rows(column.select, values![&after.0, after.1], Sealed::read).await?;
            let Some(last) = rows.last() else { break };
            after = (last.session.clone(), last.attempt);
            for row in &rows {
                let opening = keys.filter(|keys| keys.unseal(&(column.place)(row), &row.sealed).is_some());
                *match opening {
                    None => &mut found.lost,
                    Some(keys) if keys.is_present(&row.sealed) => &mut found.present,
                    Some(_) => &mut found.old,
                } += 1;
            }
        }
    }
    Ok(found)
}
