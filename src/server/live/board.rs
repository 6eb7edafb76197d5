//! The board's room: staff who look at all registrations. They are told that something changed, at most a few times a second however
//! much does, and read the rest as the page that they look at. *Runs: server.*

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::{Notify, watch};

use super::hub::Hub;
use crate::domain::{time::Timestamp, wire::BoardState};

/// So long after it was told, the board is not told again.
const PACE: Duration = Duration::from_millis(250);

/// What changed since the board was told.
pub(super) struct Changes {
    version: AtomicU64,
    /// Something changed here, and the boards of other servers have to be told.
    is_ours: AtomicBool,
    has_changed: Notify,
}

impl Changes {
    /// None yet. Versions go on from the time, so that they grow over a restart too.
    pub(super) fn since(now: Timestamp) -> Self {
        let version = u64::try_from(now.0).unwrap_or_default();
        Self { version: AtomicU64::new(version), is_ours: AtomicBool::new(false), has_changed: Notify::new() }
    }

    /// Notes that something changed: here, or at another server.
    pub(super) fn note(&self, is_ours: bool) {
        self.version.fetch_add(1, Ordering::Relaxed);
        if is_ours {
            self.is_ours.store(true, Ordering::Relaxed);
        }
        self.has_changed.notify_one();
    }

    /// The board as it is now.
    pub(super) fn state(&self) -> BoardState {
        BoardState { version: self.version.load(Ordering::Relaxed) }
    }

    /// Waits until something has changed. Says whether any of it did so here.
    async fn changed(&self) -> bool {
        self.has_changed.notified().await;
        self.is_ours.swap(false, Ordering::Relaxed)
    }
}

/// Tells the board until told to stop.
pub async fn run(hub: Arc<Hub>, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            is_ours = hub.board().changed() => hub.tell_board(is_ours),
            _ = stop.changed() => return,
        }
        tokio::time::sleep(PACE).await;
    }
}
