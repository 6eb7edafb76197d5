//! The connections that read. *Runs: server.*

use std::{
    path::Path,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread::available_parallelism,
};

use super::{super::StoreError, connection::Connection};

/// More would only be more memory: a statement takes microseconds.
const MOST: usize = 4;

/// A few connections, one for each thread that can read at the same time.
pub(super) struct Readers {
    /// `None` once closed.
    connections: Vec<Mutex<Option<Connection>>>,
    /// Where the search for a free one begins.
    next: AtomicUsize,
}

impl Readers {
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        Self::several(path, available_parallelism().map_or(1, usize::from).min(MOST))
    }

    /// One, for what takes long.
    pub(super) fn apart(path: &Path) -> Result<Self, StoreError> {
        Self::several(path, 1)
    }

    fn several(path: &Path, count: usize) -> Result<Self, StoreError> {
        let open = |_| Ok(Mutex::new(Some(Connection::to_read(path)?)));
        Ok(Self { connections: (0..count).map(open).collect::<Result<_, StoreError>>()?, next: AtomicUsize::new(0) })
    }

    /// Reads something. One statement sees one state of the database; the next one may see a newer.
    pub(super) fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        read(self.any().as_ref().ok_or(StoreError::Closed)?)
    }

    fn any(&self) -> MutexGuard<'_, Option<Connection>> {
        let free = self.connections.iter().find_map(|connection| connection.try_lock().ok());
        free.unwrap_or_else(|| {
            let next = self.next.fetch_add(1, Ordering::Relaxed) % self.connections.len();
            self.connections[next].lock().unwrap_or_else(PoisonError::into_inner)
        })
    }

    pub(super) fn close(&self) {
        for connection in &self.connections {
            *connection.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }
}
