//! The floor's database: SQLite, one writer thread, group commit. *Runs: floor-sqlite.*

use std::{
    path::Path,
    sync::mpsc::{Receiver, Sender, channel},
    thread,
};

use rusqlite::{CachedStatement, Connection, params};
use tokio::sync::oneshot;

/// The most that goes into one transaction.
const BATCH: usize = 256;

/// A session as it is stored.
pub struct Row {
    /// Its id.
    pub id: String,
    /// Raised by one with every webhook.
    pub version: u64,
    /// The state that the last webhook brought.
    pub status: String,
}

/// One thing to be written, and who waits for it.
pub enum Write {
    /// A new session.
    Session {
        /// Its id.
        id: String,
    },
    /// A webhook.
    Event {
        /// Whose.
        id: String,
        /// The version it raises the session to.
        version: u64,
        /// The state it brings.
        status: String,
        /// The body as it came.
        body: bytes::Bytes,
    },
}

/// The way to the writer.
#[derive(Clone)]
pub struct Store {
    writer: Sender<(Write, oneshot::Sender<()>)>,
}

impl Store {
    /// Opens the database, reads its sessions and starts the writer.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub fn open(file: &Path) -> rusqlite::Result<(Self, Vec<Row>)> {
        let connection = Connection::open(file)?;
        connection.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             CREATE TABLE IF NOT EXISTS sessions (
                 id TEXT PRIMARY KEY, version INTEGER NOT NULL, status TEXT NOT NULL, updated_at INTEGER NOT NULL);
             CREATE TABLE IF NOT EXISTS events (
                 id INTEGER PRIMARY KEY, session_id TEXT NOT NULL, state TEXT NOT NULL, received_at INTEGER NOT NULL,
                 body TEXT NOT NULL);",
        )?;
        let rows = connection
            .prepare("SELECT id, version, status FROM sessions")?
            .query_map([], |row| {
                Ok(Row { id: row.get(0)?, version: row.get::<_, i64>(1)?.cast_unsigned(), status: row.get(2)? })
            })?
            .collect::<rusqlite::Result<_>>()?;
        let (writer, queue) = channel();
        thread::spawn(move || {
            if let Err(error) = write_all(&connection, &queue) {
                // Whoever waits is told by the queue that is gone.
                eprintln!("floor: the database: {error}");
            }
        });
        Ok((Self { writer }, rows))
    }

    /// Writes, and comes back when it is on disk. False when it could not be written.
    pub async fn write(&self, write: Write) -> bool {
        let (done, waiting) = oneshot::channel();
        self.writer.send((write, done)).is_ok() && waiting.await.is_ok()
    }
}

fn write_all(connection: &Connection, queue: &Receiver<(Write, oneshot::Sender<()>)>) -> rusqlite::Result<()> {
    let mut waiting = Vec::with_capacity(BATCH);
    while let Ok(first) = queue.recv() {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        {
            let mut statements = Statements::of(connection)?;
            for (write, done) in std::iter::once(first).chain(queue.try_iter()).take(BATCH) {
                statements.write(&write)?;
                waiting.push(done);
            }
        }
        connection.execute_batch("COMMIT")?;
        for done in waiting.drain(..) {
            // Who asked may have gone away.
            let _ = done.send(());
        }
    }
    Ok(())
}

struct Statements<'a> {
    session: CachedStatement<'a>,
    event: CachedStatement<'a>,
    update: CachedStatement<'a>,
}

impl<'a> Statements<'a> {
    fn of(connection: &'a Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            session: connection.prepare_cached("INSERT INTO sessions VALUES (?1, 1, 'invitation', ?2)")?,
            event: connection
                .prepare_cached("INSERT INTO events (session_id, state, received_at, body) VALUES (?1, ?2, ?3, ?4)")?,
            update: connection
                .prepare_cached("UPDATE sessions SET version = ?2, status = ?3, updated_at = ?4 WHERE id = ?1")?,
        })
    }

    fn write(&mut self, write: &Write) -> rusqlite::Result<()> {
        let now = super::now();
        match write {
            Write::Session { id } => self.session.execute(params![id, now])?,
            Write::Event { id, version, status, body } => {
                let body = std::str::from_utf8(body).unwrap_or_default();
                self.event.execute(params![id, status, now, body])?;
                self.update.execute(params![id, version.cast_signed(), status, now])?
            }
        };
        Ok(())
    }
}
