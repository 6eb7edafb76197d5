//! The database that tests run on: SQLite, or with `TEST_DATABASE=postgres` PostgreSQL. And looking into it from a connection of
//! one's own: what is there whatever the program thinks of it.

use std::{fs, path::Path};

use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, Connection, FromRow, PgConnection, SqliteConnection, postgres::PgRow, sqlite::SqliteRow};

use vestibule::server::store::Tx;

use crate::{
    harness::{Desk, PATIENCE},
    postgres,
};

/// Whether tests run on PostgreSQL.
pub fn is_postgres() -> bool {
    match std::env::var("TEST_DATABASE").as_deref() {
        Err(_) | Ok("sqlite") => false,
        Ok("postgres") => true,
        Ok(other) => panic!("TEST_DATABASE is {other}; it has to be sqlite or postgres"),
    }
}

/// The address of an empty database; of SQLite, a file of this name in this folder.
pub async fn fresh(folder: &Path, name: &str) -> String {
    if is_postgres() { postgres::fresh().await } else { format!("sqlite://{}", folder.join(name).display()) }
}

/// The rows of an answer.
pub async fn rows<T>(desk: &Desk, query: &str) -> Vec<T>
where
    T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    rows_at(&desk.app.config.database_url.0, query).await
}

/// The one number that a query tells of a desk's database.
pub async fn count(desk: &Desk, query: &str) -> i64 {
    rows::<(i64,)>(desk, query).await[0].0
}

/// The texts that a query tells of a desk's database.
pub async fn texts(desk: &Desk, query: &str) -> Vec<String> {
    rows::<(String,)>(desk, query).await.into_iter().map(|(text,)| text).collect()
}

/// The rows of an answer from the database at this address.
pub async fn rows_at<T>(url: &str, query: &str) -> Vec<T>
where
    T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    let query = AssertSqlSafe(query.to_owned());
    if url.starts_with("postgres://") {
        let mut connection = PgConnection::connect(url).await.unwrap();
        let rows = sqlx::query_as(query).fetch_all(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        rows
    } else {
        let mut connection = SqliteConnection::connect(url).await.unwrap();
        let rows = sqlx::query_as(query).fetch_all(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        rows
    }
}

/// Changes something behind the program's back, in the database at this address.
pub async fn execute_at(url: &str, statement: &str) {
    let statement = AssertSqlSafe(statement.to_owned());
    if url.starts_with("postgres://") {
        let mut connection = PgConnection::connect(url).await.unwrap();
        sqlx::query(statement).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    } else {
        let mut connection = SqliteConnection::connect(url).await.unwrap();
        sqlx::query(statement).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }
}

/// The key of all servers on the database at this address.
pub fn key_of(url: &str) -> String {
    hex(&Sha256::digest(url))
}

/// The file, or the table, that holds these bytes somewhere.
pub async fn place_that_holds(desk: &Desk, bytes: &[u8]) -> Option<String> {
    if is_postgres() {
        table_that_holds(&desk.app.config.database_url.0, bytes).await
    } else {
        file_that_holds(desk, bytes)
    }
}

fn file_that_holds(desk: &Desk, bytes: &[u8]) -> Option<String> {
    let files = fs::read_dir(desk.folder.path()).unwrap().map(|file| file.unwrap().path());
    let holds = |file: &Path| {
        // Between listing and reading, the log may have been removed.
        fs::read(file).unwrap_or_default().windows(bytes.len()).any(|window| window == bytes)
    };
    files.into_iter().find(|file| holds(file)).map(|file| file.display().to_string())
}

async fn table_that_holds(url: &str, bytes: &[u8]) -> Option<String> {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let tables = "SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = current_schema()";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut connection).await.unwrap();
    assert!(tables.len() > 5, "{tables:?}");
    let mut found = None;
    for table in tables {
        // Bytes are written as their digits.
        let rows = AssertSqlSafe(format!("SELECT CAST(\"{table}\" AS TEXT) FROM \"{table}\""));
        let rows: Vec<String> = sqlx::query_scalar(rows).fetch_all(&mut connection).await.unwrap();
        let text = String::from_utf8_lossy(bytes);
        if rows.iter().any(|row| row.contains(&*text) || row.contains(&hex(bytes))) {
            found = Some(table);
        }
    }
    connection.close().await.unwrap();
    found
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Somebody who keeps everybody else from writing until this is dropped.
pub enum Busy {
    #[expect(dead_code, reason = "it is kept, and dropped")]
    Sqlite(Tx),
    Postgres(PgConnection),
}

impl Busy {
    /// Keeps everything of a desk's.
    pub async fn all_of(desk: &Desk) -> Self {
        if !is_postgres() {
            return Self::Sqlite(desk.app.sessions.store.begin().await.unwrap());
        }
        let mut connection = PgConnection::connect(&desk.app.config.database_url.0).await.unwrap();
        for statement in ["BEGIN", "LOCK TABLE sessions, attempts, events, acts IN EXCLUSIVE MODE"] {
            sqlx::query(statement).execute(&mut connection).await.unwrap();
        }
        Self::Postgres(connection)
    }

    /// Keeps one session; on SQLite, everything.
    pub async fn with(desk: &Desk, session: &str) -> Self {
        if !is_postgres() {
            return Self::all_of(desk).await;
        }
        let mut connection = PgConnection::connect(&desk.app.config.database_url.0).await.unwrap();
        sqlx::query("BEGIN").execute(&mut connection).await.unwrap();
        let take = sqlx::query("SELECT id FROM sessions WHERE id = $1 FOR UPDATE").bind(session);
        take.fetch_one(&mut connection).await.unwrap();
        Self::Postgres(connection)
    }

    /// Waits until so many wait for the session, in the order of their coming. What waits on SQLite shows nowhere.
    pub async fn awaited_by(&mut self, many: i64) {
        let Self::Postgres(connection) = self else { return };
        let waiting = "SELECT COUNT(*) FROM pg_locks WHERE NOT granted \
                       AND (transactionid = pg_current_xact_id()::xid OR relation = 'sessions'::regclass)";
        let waited = async {
            while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut *connection).await.unwrap() < many {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, waited).await.unwrap_or_else(|_| panic!("never {many} wait"));
    }
}
