//! What browsers see: sockets that read, and the board on which they note what they were told and when.
//! *Runs: generator.*

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    io,
    rc::Rc,
    time::{Duration, Instant},
};

use futures_util::StreamExt;
use serde::Deserialize;
use tokio::{net::TcpStream, sync::Notify, task::JoinSet, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{Message, protocol::WebSocketConfig},
};

use crate::{desk::Desk, http, server::Kind};

/// How long anything that has to come may take before it counts as lost.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// So many sockets are opened at the same time where nothing else is said.
const OPENING: usize = 128;

/// What one socket, or the sockets that follow one another in one tab, have seen.
#[derive(Debug, Default)]
pub struct Track {
    /// How far the session is, as last told.
    pub reached: u32,
    /// The version last told.
    pub version: u64,
    /// Whether the socket is open and was greeted.
    pub open: bool,
    /// Greetings with an older state than had been told before.
    pub stale: u32,
    /// What has to come: how far, and since when.
    due: VecDeque<(u32, Instant)>,
}

/// What all sockets have seen.
pub struct Board {
    kind: Kind,
    tracks: RefCell<Vec<Track>>,
    /// From when it was due to when it came, in ms.
    latencies: RefCell<Vec<f64>>,
    missing: Cell<usize>,
    arrived: Cell<usize>,
    open: Cell<usize>,
    repeated: Cell<u64>,
    changed: Notify,
}

#[derive(Deserialize)]
struct Told<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    version: Option<u64>,
    #[serde(default)]
    status: &'a str,
}

impl Board {
    /// A board for this many sockets.
    #[must_use]
    pub fn new(kind: Kind, sockets: usize) -> Rc<Self> {
        let board = Self {
            kind,
            tracks: RefCell::default(),
            latencies: RefCell::default(),
            missing: Cell::default(),
            arrived: Cell::default(),
            open: Cell::default(),
            repeated: Cell::default(),
            changed: Notify::new(),
        };
        board.grow(sockets);
        Rc::new(board)
    }

    /// Makes room for this many sockets.
    pub fn grow(&self, sockets: usize) {
        self.tracks.borrow_mut().resize_with(sockets, Track::default);
    }

    /// Notes that a socket has to be told of a state, since this moment; unless it was told of a later one before, because the
    /// program went on without the webhook (contract 3.4).
    pub fn expect(&self, socket: usize, goal: u32, since: Instant) {
        let track = &mut self.tracks.borrow_mut()[socket];
        if track.reached >= goal {
            return;
        }
        track.due.push_back((goal, since));
        self.missing.set(self.missing.get() + 1);
    }

    /// How many expected states have not come.
    #[must_use]
    pub fn missing(&self) -> usize {
        self.missing.get()
    }

    /// How many expected states came live, each by a message of its own.
    #[must_use]
    pub fn arrived(&self) -> usize {
        self.arrived.get()
    }

    /// How many sockets are open and greeted.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.get()
    }

    /// How many states came that were not newer than the one before.
    #[must_use]
    pub fn repeated(&self) -> u64 {
        self.repeated.get()
    }

    /// Takes the latencies noted so far, in ms.
    #[must_use]
    pub fn take_latencies(&self) -> Vec<f64> {
        self.latencies.take()
    }

    /// Looks at what the sockets have seen.
    pub fn look<T>(&self, look: impl FnOnce(&[Track]) -> T) -> T {
        look(&self.tracks.borrow())
    }

    /// Waits until something holds. False when it does not in time.
    pub async fn wait_until(&self, holds: impl Fn(&Self) -> bool) -> bool {
        let waiting = async {
            while !holds(self) {
                self.changed.notified().await;
            }
        };
        timeout(PATIENCE, waiting).await.is_ok()
    }

    fn heard(&self, socket: usize, text: &str) {
        let now = Instant::now();
        let Ok(told) = serde_json::from_str::<Told>(text) else { return };
        let mut tracks = self.tracks.borrow_mut();
        let track = &mut tracks[socket];
        let greeting = told.kind == "connected";
        if greeting {
            track.open = true;
            self.open.set(self.open.get() + 1);
        }
        if let Some(version) = told.version {
            match greeting {
                true if version < track.version => track.stale += 1,
                false if version <= track.version => self.repeated.set(self.repeated.get() + 1),
                _ => {}
            }
            track.version = track.version.max(version);
            let reached = self.kind.reached(version, told.status);
            track.reached = track.reached.max(reached);
            while let Some((goal, since)) = track.due.pop_front_if(|(goal, _)| *goal <= track.reached) {
                if !greeting && goal == reached {
                    self.arrived.set(self.arrived.get() + 1);
                }
                self.latencies.borrow_mut().push((now - since).as_secs_f64() * 1000.0);
                self.missing.set(self.missing.get() - 1);
            }
        }
        self.changed.notify_one();
    }

    fn closed(&self, socket: usize) {
        let track = &mut self.tracks.borrow_mut()[socket];
        if track.open {
            track.open = false;
            self.open.set(self.open.get() - 1);
        }
        self.changed.notify_one();
    }

    /// Reads a socket to its end, and notes what comes; or until it is dropped, and notes that too.
    pub async fn watch(&self, socket: usize, stream: &mut Socket) {
        let _closed = Closed { board: self, socket };
        // A closing handshake is answered by the library.
        while let Some(Ok(message)) = stream.next().await {
            if let Message::Text(text) = message {
                self.heard(socket, &text);
            }
        }
    }
}

/// A socket that is being read; closed when it is dropped.
struct Closed<'a> {
    board: &'a Board,
    socket: usize,
}

impl Drop for Closed<'_> {
    fn drop(&mut self) {
        self.board.closed(self.socket);
    }
}

/// An open socket.
pub type Socket = WebSocketStream<TcpStream>;

/// Opens a socket.
///
/// # Errors
/// When the server does not take it.
pub async fn connect(desk: &Desk, session: usize, from: usize) -> io::Result<Socket> {
    let stream = http::connect(desk.address, from).await?;
    // Ten thousand sockets in one generator: buffers as small as the messages.
    let config = WebSocketConfig::default().read_buffer_size(1024).write_buffer_size(0);
    let address = format!("ws://localhost{}", desk.socket_path(session));
    let (socket, _) = client_async_with_config(address, stream, Some(config)).await.map_err(io::Error::other)?;
    Ok(socket)
}

/// The sockets of a desk; cut when dropped.
#[derive(Default)]
pub struct Sockets {
    tasks: JoinSet<()>,
}

impl Sockets {
    /// Opens sockets, each on the session that `session_of` says, and waits until all are greeted.
    ///
    /// # Errors
    /// When one is refused.
    pub async fn open(
        &mut self,
        desk: &Rc<Desk>,
        board: &Rc<Board>,
        sockets: std::ops::Range<usize>,
        session_of: impl Fn(usize) -> usize,
    ) -> io::Result<()> {
        let all = board.open() + sockets.len();
        let mut opening = JoinSet::new();
        let mut left = sockets;
        loop {
            let next = if opening.len() < OPENING { left.next() } else { None };
            if let Some(socket) = next {
                let (desk, session) = (Rc::clone(desk), session_of(socket));
                opening.spawn_local(async move { (socket, connect(&desk, session, socket).await) });
                continue;
            }
            let Some(opened) = opening.join_next().await else { break };
            let (socket, stream) = opened.map_err(io::Error::other)?;
            let (board, mut stream) = (Rc::clone(board), stream?);
            self.tasks.spawn_local(async move { board.watch(socket, &mut stream).await });
        }
        if board.wait_until(|board| board.open() >= all).await {
            Ok(())
        } else {
            Err(io::Error::other(format!("{} of {all} sockets were greeted", board.open())))
        }
    }

    /// Lets a task run as long as the sockets do.
    pub fn spawn(&mut self, task: impl Future<Output = ()> + 'static) {
        self.tasks.spawn_local(task);
    }
}
