//! Folds the write-ahead log back into the file, beside the commits instead of within them: the commit that SQLite would
//! let do it takes many times as long as the others, and somebody waits for it. *Runs: server.*

use std::{
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use tokio::{runtime::Handle, task::spawn_blocking};

use super::{super::StoreError, connection::Connection, writer::Writer};

/// After a commit, so long others may follow before anybody looks at the log.
const PAUSE: Duration = Duration::from_millis(100);
/// From so many pages on the log is folded back. SQLite itself would take a thousand; in a longer log the same pages are
/// changed more often, and each is folded back once.
const LONG: i64 = 16_000;
/// A log of so many pages (256 MiB) has not been begun anew because somebody always wrote meanwhile: then a commit has to wait
/// for the disk, which at a thousand webhooks a second is every ten seconds.
const TOO_LONG: i64 = 65_536;
/// So few pages are folded back in a moment, so that the commit that waits meanwhile hardly notices;
const SHORT: i64 = 64;
/// but where they do not get that few, it has to wait all the same.
const MOST_ROUNDS: usize = 8;

/// Whoever commits tells it. It has a thread of its own, because all it does is wait for the disk.
pub(super) struct Checkpointer {
    connection: Own,
    /// `None` once closed.
    running: Mutex<Option<(SyncSender<()>, JoinHandle<()>)>>,
}

/// Its own connection; `None` once closed.
type Own = Arc<Mutex<Option<Connection>>>;

impl Checkpointer {
    /// Watches the log of this database.
    pub(super) fn new(connection: Connection, writer: Writer) -> io::Result<Arc<Self>> {
        // One note is enough, however many commits there were.
        let (commits, committed) = sync_channel(1);
        let runtime = Handle::current();
        let connection = Arc::new(Mutex::new(Some(connection)));
        let own = Arc::clone(&connection);
        let thread = thread::Builder::new().name("checkpoint".to_owned());
        let thread = thread.spawn(move || run(&own, &writer, &committed, &runtime))?;
        Ok(Arc::new(Self { connection, running: Mutex::new(Some((commits, thread))) }))
    }

    /// Something was committed.
    pub(super) fn committed(&self) {
        if let Some((commits, _)) = &*lock(&self.running) {
            // Full: it is noted already.
            let _ = commits.try_send(());
        }
    }

    /// Folds back all but the last of the log, so that who then does the rest while nobody commits is soon done.
    pub(super) async fn shorten(&self) -> Result<(), StoreError> {
        let connection = Arc::clone(&self.connection);
        let shortened = spawn_blocking(move || lock(&connection).as_ref().map_or(Err(StoreError::Closed), shorten));
        shortened.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Ends it, and waits until its connection is closed.
    pub(super) async fn close(&self) {
        let running = lock(&self.running).take();
        if let Some((commits, thread)) = running {
            drop(commits);
            let connection = Arc::clone(&self.connection);
            let closed = spawn_blocking(move || {
                let ended = thread.join();
                *lock(&connection) = None;
                ended
            });
            if !matches!(closed.await, Ok(Ok(()))) {
                tracing::error!("the thread that folds the log back had panicked");
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn run(connection: &Mutex<Option<Connection>>, writer: &Writer, committed: &Receiver<()>, runtime: &Handle) {
    while committed.recv().is_ok() {
        thread::sleep(PAUSE);
        let Some(connection) = &*lock(connection) else { return };
        if let Err(error) = fold(connection, writer, runtime) {
            tracing::warn!(%error, "the write-ahead log could not be folded back yet");
        }
    }
}

fn fold(connection: &Connection, writer: &Writer, runtime: &Handle) -> Result<(), StoreError> {
    let (length, folded) = log(connection, "PRAGMA wal_checkpoint(NOOP)")?;
    if length - folded < LONG {
        return Ok(());
    }
    // Hinders nobody, and nobody hinders it; only the log can go on meanwhile. Each time that is less.
    let (length, _) = log(connection, "PRAGMA wal_checkpoint(PASSIVE)")?;
    if length <= TOO_LONG {
        return Ok(());
    }
    shorten(connection)?;
    // Between two commits there is little left to do, and the next one begins the log anew.
    runtime.block_on(writer.aside(|connection| log(connection, "PRAGMA wal_checkpoint(PASSIVE)"))).map(drop)
}

fn shorten(connection: &Connection) -> Result<(), StoreError> {
    for _ in 0..MOST_ROUNDS {
        let (length, folded) = log(connection, "PRAGMA wal_checkpoint(PASSIVE)")?;
        if length - folded <= SHORT {
            break;
        }
    }
    Ok(())
}

/// How many pages the log has, and how many of them are in the file.
fn log(connection: &Connection, pragma: &'static str) -> Result<(i64, i64), StoreError> {
    let state = connection.row(pragma, &[], |row| {
        let _busy: i64 = row.next()?;
        Ok((row.next()?, row.next()?))
    });
    Ok(state?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_log_that_is_to_be_emptied_is_folded_back_before_however_short_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("numbers.db");
        let connect = || Connection::to_write(&path, 1024).unwrap();
        let (own, look) = (connect(), connect());
        look.execute("CREATE TABLE numbers (number INTEGER PRIMARY KEY)", &[]).unwrap();
        for _ in 0..2 * SHORT {
            look.execute("INSERT INTO numbers DEFAULT VALUES", &[]).unwrap();
        }
        let state = || log(&look, "PRAGMA wal_checkpoint(NOOP)").unwrap();
        let checkpointer = Checkpointer::new(own, Writer::new(connect())).unwrap();
        assert!(state().0 > SHORT && state().1 == 0, "nobody has looked at the log yet");
        checkpointer.shorten().await.unwrap();
        assert_eq!(state().0, state().1);
        checkpointer.close().await;
        assert!(matches!(checkpointer.shorten().await, Err(StoreError::Closed)));
    }
}
