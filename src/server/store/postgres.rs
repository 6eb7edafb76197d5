//! A PostgreSQL server, which any number of processes share. Each transaction has a connection of its own; sessions are kept
//! apart by locks on their rows, see [`super::Tx::session`]. *Runs: server.*

use std::{
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sqlx::{
    AssertSqlSafe, Connection as _, Encode, Executor, Postgres as Pg, Type,
    encode::IsNull,
    error::BoxDynError,
    migrate::Migrator,
    pool::PoolConnection,
    postgres::{
        PgArgumentBuffer, PgArguments, PgConnectOptions, PgConnection, PgPool, PgPoolOptions, PgQueryResult, PgRow,
        PgTypeInfo, types::Oid,
    },
};
use tokio::time::{Instant, sleep, timeout};

use super::{
    StoreError,
    statement::{Answer, Read, Row, Value},
};

/// The changes of the tables, from nothing to what they are now.
pub(super) static MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// How many statements a connection keeps prepared: all there are.
const STATEMENTS: usize = 128;
/// How long somebody waits for a connection. Who calls gets an answer within this while the server is away.
const ACQUIRE: Duration = Duration::from_secs(3);
/// How long a statement may take as seen from here. The server itself gives up before, so this is for one that has vanished.
const PATIENCE: Duration = Duration::from_secs(15);
/// The same for one that goes through all there is.
const LONGEST: Duration = Duration::from_secs(60 * 60);
/// What the server ends by itself: a statement, the wait for a lock, and the transaction of a process that was stopped in it,
/// whose locks others wait for.
const LIMITS: [(&str, &str); 3] =
    [("statement_timeout", "10s"), ("lock_timeout", "5s"), ("idle_in_transaction_session_timeout", "10s")];
/// How long a database that does not answer yet is waited for at the start.
const START: Duration = Duration::from_secs(30);
/// A connection that was idle for this long is asked whether it is still there before it is used.
const STALE: Duration = Duration::from_secs(1);
/// A connection is not kept for ever, so that servers which come back get their share, and memory is given back.
const LIFETIME: Duration = Duration::from_secs(30 * 60);
const IDLE: Duration = Duration::from_secs(5 * 60);

/// The server's database.
#[derive(Clone)]
pub(super) struct Postgres {
    pool: PgPool,
    /// A connection was lost: the others may be too, so each is asked until one answers.
    doubtful: Arc<AtomicBool>,
}

/// A transaction. Dropped without [`Part::commit`] it changes nothing.
pub(super) struct Part {
    /// `None` once ended.
    connection: Option<PoolConnection<Pg>>,
    /// A statement failed, so the server undoes the transaction whatever comes: its `COMMIT` would say nothing.
    failed: bool,
    /// How long each statement may take.
    patience: Duration,
    doubtful: Arc<AtomicBool>,
}

impl Postgres {
    /// Connects, brings the tables up to date, and keeps at most so many connections.
    pub(super) async fn open(url: &str, most: u32) -> Result<Self, StoreError> {
        let options = options(url)?;
        let mut migrating = connect_at_start(&options).await?;
        // One process at a time: the migrator takes a lock.
        MIGRATIONS.run(&mut migrating).await?;
        warn_of_what_is_not_durable(&mut migrating).await?;
        migrating.close().await?;
        Ok(Self::over(options, most))
    }

    /// Connects once, without waiting for a server that starts, and changes nothing.
    pub(super) async fn look(url: &str) -> Result<Self, StoreError> {
        let options = options(url)?;
        within(ACQUIRE, PgConnection::connect_with(&options)).await?.close().await?;
        Ok(Self::over(options, 1))
    }

    fn over(options: PgConnectOptions, most: u32) -> Self {
        let doubtful = Arc::new(AtomicBool::new(false));
        let (in_doubt, settled) = (Arc::clone(&doubtful), Arc::clone(&doubtful));
        let pool = PgPoolOptions::new()
            .max_connections(most)
            .acquire_timeout(ACQUIRE)
            .idle_timeout(IDLE)
            .max_lifetime(LIFETIME)
            // Asked each time, it would cost each transaction a way there and back.
            .test_before_acquire(false)
            .before_acquire(move |connection, about| {
                let ask = about.idle_for > STALE || in_doubt.load(Ordering::Relaxed);
                let settled = Arc::clone(&settled);
                Box::pin(async move {
                    if ask {
                        timeout(ACQUIRE / 2, connection.ping()).await.map_err(|_| sqlx::Error::PoolTimedOut)??;
                        settled.store(false, Ordering::Relaxed);
                    }
                    Ok(true)
                })
            })
            .connect_lazy_with(options.options(LIMITS));
        Self { pool, doubtful }
    }

    /// The most connections it has.
    pub(super) fn connections(&self) -> usize {
        usize::try_from(self.pool.options().get_max_connections()).unwrap_or(1)
    }

    /// Begins a transaction. Each of its statements sees what others have committed before it.
    pub(super) async fn begin(&self) -> Result<Part, StoreError> {
        let part = self.begin_once().await;
        if part.as_ref().is_err_and(StoreError::is_lost_connection) { self.begin_once().await } else { part }
    }

    async fn begin_once(&self) -> Result<Part, StoreError> {
        let connection = Some(self.pool.acquire().await?);
        let doubtful = Arc::clone(&self.doubtful);
        let mut part = Part { connection, failed: false, patience: PATIENCE, doubtful };
        part.run(async |connection| connection.execute("BEGIN").await.map(drop)).await?;
        Ok(part)
    }

    /// Every row of an answer. Reading harms nothing, so it is done once more over another connection when one was lost.
    pub(super) async fn rows<T>(
        &self,
        sql: &'static str,
        values: &[Value<'_>],
        read: Read<T>,
    ) -> Result<Vec<T>, StoreError> {
        let answer = self.answer(sql, values).await;
        let lost = answer.as_ref().is_err_and(StoreError::is_lost_connection);
        let answer = if lost { self.answer(sql, values).await } else { answer };
        answer?.iter().map(|row| read(&mut Row::new(Answer::Postgres(row)))).collect()
    }

    async fn answer(&self, sql: &'static str, values: &[Value<'_>]) -> Result<Vec<PgRow>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        let answer = within(PATIENCE, query(sql, values)?.fetch_all(&mut *connection)).await;
        note_loss(&answer, &mut connection, &self.doubtful);
        answer
    }

    /// Connections of their own for those who only listen, and long.
    pub(super) fn listeners(&self) -> PgPool {
        let options =
            PgPoolOptions::new().max_connections(1).acquire_timeout(ACQUIRE).max_lifetime(None).idle_timeout(None);
        options.connect_lazy_with((*self.pool.connect_options()).clone())
    }

    /// Closes all connections.
    pub(super) async fn close(&self) {
        self.pool.close().await;
    }
}

impl Part {
    /// Runs a statement, and gives back how many rows it changed.
    pub(super) async fn execute(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<usize, StoreError> {
        let query = query(sql, values)?;
        let done: PgQueryResult = self.run(async |connection| query.execute(&mut *connection).await).await?;
        Ok(usize::try_from(done.rows_affected()).unwrap_or(usize::MAX))
    }

    /// Every row of an answer.
    pub(super) async fn rows<T>(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        read: Read<T>,
    ) -> Result<Vec<T>, StoreError> {
        let query = query(sql, values)?;
        let rows = self.run(async |connection| query.fetch_all(&mut *connection).await).await?;
        rows.iter().map(|row| read(&mut Row::new(Answer::Postgres(row)))).collect()
    }

    /// From here on statements may take as long as they need: of all rows there are, for instance.
    pub(super) async fn take_time(&mut self) -> Result<(), StoreError> {
        self.execute("SET LOCAL statement_timeout = 0", &[]).await?;
        self.patience = LONGEST;
        Ok(())
    }

    /// Makes the changes last. When it fails because the connection was lost, they may last all the same.
    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        if self.failed {
            return Err(StoreError::NotCommitted);
        }
        self.run(async |connection| connection.execute("COMMIT").await.map(drop)).await?;
        self.connection = None;
        Ok(())
    }

    async fn run<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, StoreError> {
        let connection = self.connection.as_mut().ok_or(StoreError::Closed)?;
        // Also where nobody waits for its end any more.
        self.failed = true;
        let done = within(self.patience, work(connection)).await;
        note_loss(&done, connection, &self.doubtful);
        self.failed = done.is_err();
        done
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        tokio::spawn(async move {
            if !matches!(timeout(ACQUIRE, connection.execute("ROLLBACK")).await, Ok(Ok(_))) {
                connection.close_on_drop();
            }
        });
    }
}

async fn within<T>(patience: Duration, work: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, StoreError> {
    Ok(timeout(patience, work).await.map_err(|_| StoreError::Slow)??)
}

/// What was lost, or has not answered, is not used again.
fn note_loss<T>(done: &Result<T, StoreError>, connection: &mut PoolConnection<Pg>, doubtful: &AtomicBool) {
    if done.as_ref().is_err_and(|error| matches!(error, StoreError::Slow) || error.is_lost_connection()) {
        connection.close_on_drop();
        doubtful.store(true, Ordering::Relaxed);
    }
}

/// A statement with its values in the places of `?1`, `?2` and so on, which PostgreSQL calls `$1`, `$2`.
fn query(sql: &'static str, values: &[Value<'_>]) -> Result<sqlx::query::Query<'static, Pg, PgArguments>, StoreError> {
    let mut arguments = PgArguments::default();
    for value in values {
        let added = match value {
            Value::Null => sqlx::Arguments::add(&mut arguments, Null),
            Value::Integer(number) => sqlx::Arguments::add(&mut arguments, *number),
            Value::Text(text) => sqlx::Arguments::add(&mut arguments, &**text),
            Value::Bytes(bytes) => sqlx::Arguments::add(&mut arguments, &**bytes),
        };
        added.map_err(sqlx::Error::Encode)?;
    }
    // Nothing but the marks of the values is changed in what is written in this program.
    Ok(sqlx::query_with(AssertSqlSafe(sql.replace('?', "$")), arguments))
}

/// Nothing, of the type that the server expects in its place.
struct Null;

impl Type<Pg> for Null {
    fn type_info() -> PgTypeInfo {
        // By this number the server is asked to choose.
        PgTypeInfo::with_oid(Oid(0))
    }
}

impl Encode<'_, Pg> for Null {
    fn encode_by_ref(&self, _: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        Ok(IsNull::Yes)
    }
}

fn options(url: &str) -> Result<PgConnectOptions, StoreError> {
    Ok(PgConnectOptions::from_str(url)?.application_name("vestibule").statement_cache_capacity(STATEMENTS))
}

/// Connects when this process starts. A database that starts at the same moment is waited for.
async fn connect_at_start(options: &PgConnectOptions) -> Result<PgConnection, StoreError> {
    let began = Instant::now();
    loop {
        let connected = within(PATIENCE, PgConnection::connect_with(options)).await;
        match connected {
            Err(error) if error.is_lost_connection() && !error.is_of_tls() && began.elapsed() < START => {
                tracing::warn!(%error, "the database does not answer yet; waiting for it, half a minute at most");
                sleep(START / 60).await;
            }
            connected => return connected,
        }
    }
}

/// A server may be set up to lose what it has confirmed. That is somebody's decision, and they should know what it means here.
async fn warn_of_what_is_not_durable(connection: &mut PgConnection) -> Result<(), StoreError> {
    for setting in ["fsync", "synchronous_commit", "full_page_writes"] {
        let value: String =
            sqlx::query_scalar("SELECT current_setting($1)").bind(setting).fetch_one(&mut *connection).await?;
        if value == "off" {
            tracing::warn!(
                setting,
                "PostgreSQL may lose what it has confirmed: webhooks that were answered with 200 too"
            );
        }
    }
    Ok(())
}
