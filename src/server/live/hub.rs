//! The watchers on this server, as the rest of the program knows them. Latest state wins: a state is written to the sockets
//! by whoever publishes it, a socket that is behind skips to the newest, and nothing queues.
//!
//! Called by `sessions` (publish), the socket endpoint (reserve), and polling (look). *Runs: server.*

use std::{
    io,
    net::{IpAddr, Ipv6Addr, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use mio::{Poll, Waker};
use tokio::{
    sync::{Notify, oneshot},
    time::timeout,
};

use super::{board::Changes, outside::Outside, reactor, stats::LiveStats, table::Table, told::Told};
use crate::{
    domain::{
        ids::SessionId,
        session::Session,
        wire::{BoardState, Close},
    },
    server::clock::Clock,
};

/// Why a watcher was not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRoom {
    /// The session has as many watchers as one may have.
    #[error("too many watchers of this session")]
    Session,
    /// The address has as many watchers as one may have.
    #[error("too many watchers from this address")]
    Address,
    /// The server has as many watchers as it may have.
    #[error("too many watchers on this server")]
    Server,
    /// The server stops.
    #[error("the server stops")]
    Stopping,
}

/// What the sockets are allowed.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Sockets for one session.
    pub most_per_session: usize,
    /// Sockets for one address: of IPv6, for one network of 64 bits, which is what one customer has. `None`: any number.
    pub most_per_address: Option<usize>,
    /// Sockets in all.
    pub most: usize,
    /// The same, those included that are being closed or refused: beyond it they have no time to say goodbye.
    pub most_open: usize,
    /// How often each socket is pinged.
    pub ping_interval: Duration,
    /// Frames that a peer may send between two pings.
    pub most_frames: u16,
}

/// Frames that a peer may send in a second, averaged over an interval; a page sends one every now and then.
const FRAMES_PER_SECOND: u64 = 32;
/// Frames that a peer may send between two pings, however close they are.
const LEAST_FRAMES: u64 = 1024;

impl Limits {
    /// These limits.
    #[must_use]
    pub fn new(
        most_per_session: usize,
        most_per_address: Option<usize>,
        most: usize,
        most_open: usize,
        ping_interval: Duration,
    ) -> Self {
        let frames = (ping_interval.as_secs() * FRAMES_PER_SECOND).max(LEAST_FRAMES);
        let most_frames = u16::try_from(frames).unwrap_or(u16::MAX - 1);
        Self { most_per_session, most_per_address, most, most_open, ping_interval, most_frames }
    }
}

/// What the hub and its thread share.
pub(super) struct Shared {
    table: Mutex<Table>,
    is_over: AtomicBool,
}

impl Shared {
    /// Every change under the lock is complete in itself, so a panic elsewhere leaves nothing half-done.
    pub(super) fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }
}

/// The watchers of this server.
pub struct Hub {
    shared: Arc<Shared>,
    waker: Waker,
    /// Told when the last socket has gone.
    emptied: Arc<Notify>,
    /// Other servers, where there may be any.
    outside: Option<Arc<Outside>>,
    board: Changes,
}

/// How long a socket that comes waits until this server hears of its session; after that it is told what there is, and the
/// backplane, once it hears, reads the session anew.
const HEARS_WITHIN: Duration = Duration::from_secs(1);

impl Hub {
    /// A hub with these limits, and its thread, which ends with it. `outside`: where other servers may change the same
    /// sessions.
    ///
    /// # Errors
    /// When the system gives no selector or no thread.
    pub fn open(limits: Limits, clock: Clock, outside: Option<Arc<Outside>>) -> io::Result<Arc<Self>> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), reactor::WAKE)?;
        let emptied = Arc::new(Notify::new());
        let board = Changes::since(clock.now());
        let mut table = Table::new(poll.registry().try_clone()?, clock, limits, Arc::clone(&emptied));
        table.rooms.outside.clone_from(&outside);
        let shared = Arc::new(Shared { table: Mutex::new(table), is_over: AtomicBool::new(false) });
        let for_thread = Arc::clone(&shared);
        std::thread::Builder::new().name("sockets".to_owned()).spawn(move || {
            let _vital = Vital;
            reactor::run(poll, &for_thread, limits.ping_interval);
        })?;
        Ok(Arc::new(Self { shared, waker, emptied, outside, board }))
    }

    /// Keeps a place for a socket to a session, from this address. Reserve first, then read the state from the store: what is
    /// published from here on is not missed.
    ///
    /// # Errors
    /// When a limit is reached.
    pub fn reserve(self: &Arc<Self>, session: SessionId, address: IpAddr) -> Result<Seat, NoRoom> {
        let address = network(address);
        self.shared.table().reserve(session, address)?;
        let hears = self.outside.as_ref().map(|outside| outside.watch(session));
        Ok(Seat { hub: Arc::clone(self), session, address, hears, is_taken: false })
    }

    /// Tells the watchers of a session its new state, unless they know a newer one, and other servers that there is one.
    /// Returns when it is written here; what a watcher does not take waits on its own.
    pub fn publish(&self, session: &Session) {
        self.publish_here(session);
        self.board.note(true);
        if let Some(outside) = &self.outside {
            outside.changed.note(session.id);
        }
    }

    /// Tells the watchers on this server alone: of what another server changed.
    pub fn publish_here(&self, session: &Session) {
        self.shared.table().publish(session.id, Told::Session(session));
    }

    /// The board's state, and what changed since it was told.
    pub(super) fn board(&self) -> &Changes {
        &self.board
    }

    /// Notes that something changed which the board shows and no registration's watchers are told: here, or at another server.
    pub fn board_changed(&self, is_ours: bool) {
        self.board.note(is_ours);
    }

    /// The board's state, for a socket that comes.
    #[must_use]
    pub fn board_state(&self) -> BoardState {
        self.board.state()
    }

    /// Tells staff who look at the board, and, where it changed here, the other servers.
    pub(super) fn tell_board(&self, is_ours: bool) {
        self.shared.table().publish(SessionId::ALL_OF_THEM, Told::Board(self.board.state()));
        if let Some(outside) = self.outside.as_ref().filter(|_| is_ours) {
            outside.changed.note(SessionId::ALL_OF_THEM);
        }
    }

    /// Takes over a connection only to answer its opening handshake and close it with this.
    pub fn refuse(&self, stream: TcpStream, answer: &[u8], close: Close) {
        let taken = self.shared.table().refuse(mio::net::TcpStream::from_std(stream), answer, close);
        self.wake_after(taken.map(|_| ()));
    }

    /// The thread may sleep without an end; it has to hear of the first socket.
    fn wake_after(&self, taken: io::Result<()>) {
        if let Err(error) = taken.and_then(|()| self.waker.wake()) {
            tracing::error!(%error, "a socket could not be taken over");
        }
    }

    /// Begins to read a session's state for a poll. Look first, then read the store, then say what was read.
    #[must_use]
    pub fn look(self: &Arc<Self>, session: SessionId) -> Look {
        let mut table = self.shared.table();
        let version = table.rooms.known(session, Instant::now());
        table.rooms.enter(session).looking += 1;
        Look { hub: Arc::clone(self), session, version }
    }

    /// Whether anybody watches a session.
    #[must_use]
    pub fn is_watched(&self, session: SessionId) -> bool {
        self.shared.table().rooms.is_watched(session)
    }

    /// The sessions that are watched.
    #[must_use]
    pub fn watched(&self) -> Vec<SessionId> {
        self.shared.table().rooms.watched()
    }

    /// Begins to close all sockets, spread evenly over a time, and refuses new ones.
    pub fn drain(&self, over: Duration) {
        self.shared.table().begin_drain(over);
        self.wake_after(Ok(()));
    }

    /// Waits until there is no socket.
    pub async fn empty(&self) {
        loop {
            // Listening begins before the look, so a last one that goes in between is heard.
            let emptied = self.emptied.notified();
            tokio::pin!(emptied);
            emptied.as_mut().enable();
            if self.shared.table().len() == 0 {
                return;
            }
            emptied.await;
        }
    }

    /// How many watch each session.
    #[must_use]
    pub fn counts(&self) -> Vec<(SessionId, usize)> {
        self.shared.table().rooms.counts()
    }

    /// The figures.
    #[must_use]
    pub fn stats(&self) -> LiveStats {
        self.shared.table().stats()
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Release);
        // Without a selector there is no thread that waits for it.
        let _ = self.waker.wake();
    }
}

/// Lives on a thread without which nothing goes on and which nobody waits for: a panic there ends the process, for a service
/// manager to start another.
struct Vital;

impl Drop for Vital {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!("the sockets' thread panicked");
            std::process::abort();
        }
    }
}

/// What an address counts as: an IPv6 customer has a network of 64 bits, so single addresses of it count for nothing.
#[must_use]
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        v4 => v4,
    }
}

/// A place that is kept for a socket; given back when dropped.
pub struct Seat {
    hub: Arc<Hub>,
    session: SessionId,
    address: IpAddr,
    hears: Option<oneshot::Receiver<()>>,
    is_taken: bool,
}

impl Seat {
    /// Waits until what other servers change is heard here. Reserve first, then wait for this, then read the state.
    pub async fn hears(&mut self) {
        if let Some(hears) = self.hears.take() {
            // Too late, or not at all for the time being: the state is read anew once it is heard.
            let _ = timeout(HEARS_WITHIN, hears).await;
        }
    }

    /// Seats a socket, which is told the state that was read after the place was reserved, or a newer one that was published
    /// since. `answer` is what the opening handshake is still to be answered with, `received` what came after it.
    pub fn adopt(mut self, stream: TcpStream, answer: &[u8], received: &[u8], state: Told<'_>) {
        self.is_taken = true;
        let mut table = self.hub.shared.table();
        let was_empty = table.len() == 0;
        let stream = mio::net::TcpStream::from_std(stream);
        let adopted = table.adopt(stream, answer, self.session, self.address, state);
        if let Ok(index) = adopted {
            table.take(index, received);
        }
        drop(table);
        if was_empty || adopted.is_err() {
            self.hub.wake_after(adopted.map(|_| ()));
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if !self.is_taken {
            self.hub.shared.table().release(self.session, self.address);
        }
    }
}

/// A poll that is being answered.
pub struct Look {
    hub: Arc<Hub>,
    session: SessionId,
    version: Option<u64>,
}

impl Look {
    /// The session's version, where it is known without reading.
    #[must_use]
    pub fn version(&self) -> Option<u64> {
        self.version
    }

    /// Notes the version that was read, for the next poll.
    pub fn learn(&self, version: u64) {
        self.hub.shared.table().rooms.learn(self.session, version, Instant::now());
    }
}

impl Drop for Look {
    fn drop(&mut self) {
        self.hub.shared.table().rooms.looked(self.session);
    }
}

#[cfg(test)]
mod tests {
    use std::{os::unix::process::ExitStatusExt, process::Command};

    use super::*;

    #[test]
    fn a_panic_on_a_vital_thread_ends_the_process() {
        const IS_VICTIM: &str = "VESTIBULE_TEST_IS_VICTIM";
        const SIGABRT: i32 = 6;
        if std::env::var_os(IS_VICTIM).is_some() {
            let thread = std::thread::spawn(|| {
                let _vital = Vital;
                panic!("on purpose");
            });
            let _ = thread.join();
            return;
        }
        let name = format!("{}::a_panic_on_a_vital_thread_ends_the_process", module_path!());
        let name = name.split_once("::").map_or(&*name, |(_, name)| name);
        let mut victim = Command::new(std::env::current_exe().unwrap());
        let ended = victim.args(["--exact", name]).env(IS_VICTIM, "yes").output().unwrap();
        assert_eq!(ended.status.signal(), Some(SIGABRT), "{ended:?}");
    }
}
