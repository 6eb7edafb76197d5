//! The watchers on this server. Latest state wins: for each watched session the newest state is kept once, a watcher
//! that is behind skips to it, and nothing queues.
//!
//! Called by `sessions` (publish) and the socket endpoint (watch). *Runs: server.*

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{Notify, watch};

use crate::domain::{ids::SessionId, session::Session};

/// Why a watcher was not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRoom {
    /// The session has as many watchers as one may have.
    #[error("too many watchers of this session")]
    Session,
    /// The server has as many watchers as it may have.
    #[error("too many watchers on this server")]
    Server,
}

/// A watched session.
struct Room {
    /// The newest state published since somebody watches; `None` before the first.
    state: watch::Sender<Option<Arc<Session>>>,
    watchers: usize,
}

/// The watchers of this server.
pub struct Hub {
    rooms: Mutex<Rooms>,
    /// Told when the last watcher leaves.
    emptied: Notify,
    most_per_session: usize,
    most: usize,
}

#[derive(Default)]
struct Rooms {
    by_session: HashMap<SessionId, Room>,
    watchers: usize,
}

impl Hub {
    /// A hub with these limits.
    #[must_use]
    pub fn new(most_per_session: usize, most: usize) -> Arc<Self> {
        Arc::new(Self { rooms: Mutex::default(), emptied: Notify::new(), most_per_session, most })
    }

    /// Every change under the lock is complete in itself, so a panic elsewhere leaves nothing half-done.
    fn rooms(&self) -> MutexGuard<'_, Rooms> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to watch a session. Subscribe first, then read the state from the store: then nothing falls between.
    ///
    /// # Errors
    /// When a limit is reached.
    pub fn watch(self: &Arc<Self>, session: SessionId) -> Result<Watcher, NoRoom> {
        let mut rooms = self.rooms();
        if rooms.watchers >= self.most {
            return Err(NoRoom::Server);
        }
        let room =
            rooms.by_session.entry(session).or_insert_with(|| Room { state: watch::Sender::new(None), watchers: 0 });
        if room.watchers >= self.most_per_session {
            return Err(NoRoom::Session);
        }
        room.watchers += 1;
        let state = room.state.subscribe();
        rooms.watchers += 1;
        Ok(Watcher { hub: Arc::clone(self), session, state })
    }

    /// Tells the watchers of a session its new state, unless they know a newer one.
    pub fn publish(&self, session: &Session) {
        if let Some(room) = self.rooms().by_session.get(&session.id) {
            room.state.send_if_modified(|state| {
                let newer = state.as_ref().is_none_or(|known| known.version < session.version);
                if newer {
                    *state = Some(Arc::new(session.clone()));
                }
                newer
            });
        }
    }

    /// Whether anybody watches a session.
    #[must_use]
    pub fn is_watched(&self, session: SessionId) -> bool {
        self.rooms().by_session.contains_key(&session)
    }

    /// Waits until nobody watches.
    pub async fn empty(&self) {
        loop {
            // Listening begins before the look, so a last one who leaves in between is heard.
            let emptied = self.emptied.notified();
            tokio::pin!(emptied);
            emptied.as_mut().enable();
            if self.rooms().watchers == 0 {
                return;
            }
            emptied.await;
        }
    }

    /// How many watch each session.
    #[must_use]
    pub fn counts(&self) -> Vec<(SessionId, usize)> {
        self.rooms().by_session.iter().map(|(session, room)| (*session, room.watchers)).collect()
    }
}

/// One who watches a session; stops when dropped.
pub struct Watcher {
    hub: Arc<Hub>,
    session: SessionId,
    state: watch::Receiver<Option<Arc<Session>>>,
}

impl Watcher {
    /// Waits for a state that is newer than the one last returned, and gives it; skips those in between.
    pub async fn next(&mut self) -> Arc<Session> {
        loop {
            if self.state.changed().await.is_err() {
                // The room outlives its watchers, so this cannot be; waiting is the answer that does no harm.
                std::future::pending::<()>().await;
            }
            if let Some(session) = self.state.borrow_and_update().clone() {
                return session;
            }
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let mut rooms = self.hub.rooms();
        rooms.watchers -= 1;
        if rooms.watchers == 0 {
            self.hub.emptied.notify_waiters();
        }
        if let Some(room) = rooms.by_session.get_mut(&self.session) {
            room.watchers -= 1;
            if room.watchers == 0 {
                rooms.by_session.remove(&self.session);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::{session::Deadlines, time::Timestamp};

    fn session(version: u64) -> Session {
        let day = Duration::from_secs(86_400);
        let deadlines = Deadlines { code: day, wallet: day, form: day };
        let mut session = Session::open(SessionId::from_bytes([1; 16]), String::new(), Timestamp(0), &deadlines);
        session.version = version;
        session
    }

    #[tokio::test]
    async fn a_watcher_that_is_behind_skips_to_the_newest_state() {
        let hub = Hub::new(5, 10);
        let mut watcher = hub.watch(session(1).id).unwrap();
        for version in 2..50 {
            hub.publish(&session(version));
        }
        hub.publish(&session(7));
        assert_eq!(watcher.next().await.version, 49);
        let nothing_more = tokio::time::timeout(Duration::from_millis(1), watcher.next()).await;
        assert!(nothing_more.is_err());
    }

    #[test]
    fn limits_hold_and_leaving_makes_room() {
        let hub = Hub::new(2, 3);
        let (a, b) = (SessionId::from_bytes([1; 16]), SessionId::from_bytes([2; 16]));
        let first = hub.watch(a).unwrap();
        let _second = hub.watch(a).unwrap();
        assert_eq!(hub.watch(a).err(), Some(NoRoom::Session));
        let _third = hub.watch(b).unwrap();
        assert_eq!(hub.watch(b).err(), Some(NoRoom::Server));
        drop(first);
        assert!(hub.watch(b).is_ok());
        let mut counts = hub.counts();
        counts.sort_by_key(|(session, _)| session.to_string());
        assert_eq!(counts, [(a, 1), (b, 1)]);
    }

    #[test]
    fn nobody_watching_means_nothing_kept() {
        let hub = Hub::new(2, 3);
        drop(hub.watch(session(1).id).unwrap());
        hub.publish(&session(2));
        assert!(hub.counts().is_empty());
    }
}
