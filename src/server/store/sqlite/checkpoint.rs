//! Folds the write-ahead log back into the file, beside the commits instead of within them: the commit that SQLite would
//! let do it takes many times as long as the others, and somebody waits for it. *Runs: server.*

use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
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
    /// `None` once closed.
    running: Mutex<Option<(SyncSender<()>, JoinHandle<()>)>>,
}

impl Checkpointer {
    /// Watches the log of this database.
    pub(super) fn new(connection: Connection, writer: Writer) -> io::Result<Arc<Self>> {
        // One note is enough, however many commits there were.
        let (commits, committed) = sync_channel(1);
        let runtime = Handle::current();
        let thread = thread::Builder::new().name("checkpoint".to_owned());
        let thread = thread.spawn(move || run(&connection, &writer, &committed, &runtime))?;
        Ok(Arc::new(Self { running: Mutex::new(Some((commits, thread))) }))
    }

    /// Something was committed.
    pub(super) fn committed(&self) {
        if let Some((commits, _)) = &*self.running.lock().unwrap_or_else(PoisonError::into_inner) {
            // Full: it is noted already.
            let _ = commits.try_send(());
        }
    }

    /// Ends it, and waits until its connection is closed.
    pub(super) async fn close(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((commits, thread)) = running {
            drop(commits);
            if !matches!(spawn_blocking(move || thread.join()).await, Ok(Ok(()))) {
                tracing::error!("the thread that folds the log back had panicked");
            }
        }
    }
}

fn run(connection: &Connection, writer: &Writer, committed: &Receiver<()>, runtime: &Handle) {
    while committed.recv().is_ok() {
        thread::sleep(PAUSE);
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
    let (mut length, mut folded) = log(connection, "PRAGMA wal_checkpoint(PASSIVE)")?;
    if length <= TOO_LONG {
        return Ok(());
    }
    for _ in 0..MOST_ROUNDS {
        if length - folded <= SHORT {
            break;
        }
        (length, folded) = log(connection, "PRAGMA wal_checkpoint(PASSIVE)")?;
    }
    // Between two commits there is little left to do, and the next one begins the log anew.
    runtime.block_on(writer.aside(|connection| log(connection, "PRAGMA wal_checkpoint(PASSIVE)"))).map(drop)
}

/// How many pages the log has, and how many of them are in the file.
fn log(connection: &Connection, pragma: &'static str) -> Result<(i64, i64), StoreError> {
    let state = connection.row(pragma, &[], |row| {
        let _busy: i64 = row.next()?;
        Ok((row.next()?, row.next()?))
    });
    Ok(state?.unwrap_or_default())
}
