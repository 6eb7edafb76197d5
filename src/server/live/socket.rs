//! One socket: its stream, what it may say now, and what has to wait until its peer reads.
//!
//! Holds no queue. While the peer does not read, there is the rest of the one frame that has begun, the newest state, and one
//! answer of each kind. *Runs: server.*

use std::{
    cell::OnceCell,
    io::{self, ErrorKind, Read, Write},
    net::{IpAddr, Shutdown},
};

use mio::{Interest, Registry, Token, net::TcpStream};

use super::{
    frame,
    reader::{Event, Fault, Reader},
    told::{Kept, Told, message_frame},
};
use crate::{
    domain::{
        ids::SessionId,
        time::Timestamp,
        wire::{ClientMessage, Close, ServerMessage},
    },
    server::clock::Clock,
};

/// The most that a client may send at once. All it has to say is a ping.
const MESSAGE_LIMIT: usize = 4096;
/// How often a socket is read before it is the turn of others.
const READS: usize = 2;
/// Pings that a peer may leave unanswered.
const UNANSWERED: u8 = 2;

/// How far a socket's life has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Life {
    /// It watches.
    Open,
    /// We have said goodbye, and wait for the peer's.
    Closing,
    /// We have said goodbye to a peer that is not read any more, and wait until it goes.
    Deaf,
    /// Both have said goodbye, and ours has to go out yet.
    Left,
}

/// Where an open socket belongs.
pub(super) struct Place {
    pub(super) session: SessionId,
    pub(super) address: IpAddr,
    /// Its neighbours in the session's room: a list through the table, so that a room needs no memory of its own.
    pub(super) previous: u32,
    pub(super) next: u32,
}

pub(super) struct Socket {
    stream: TcpStream,
    /// Its number in the table, by which the selector names it.
    index: u32,
    /// `None` once it leaves.
    pub(super) place: Option<Place>,
    /// The newest version it was sent.
    version: u64,
    reader: Reader,
    /// There only while the peer does not take what is sent.
    waiting: Option<Box<Waiting>>,
    pub(super) life: Life,
    /// Which goodbye of the table's it was told.
    pub(super) goodbye: u32,
    /// Pings since the peer's last frame.
    unanswered: u8,
    /// Frames since the last heartbeat.
    frames: u16,
    /// Stands in the queue of those that have more to read.
    pub(super) queued: bool,
}

/// What waits until the peer reads.
#[derive(Default)]
struct Waiting {
    /// The frame that has begun, and how much of it is out.
    begun: Vec<u8>,
    out: usize,
    close: Option<Vec<u8>>,
    state: Option<Kept>,
    pong: Option<Vec<u8>>,
    answer: bool,
    ping: bool,
}

/// Why a socket does not go on as it is.
pub(super) enum End {
    /// The connection is of no use any more.
    Gone,
    /// It is to be closed with this.
    Close(Close),
    /// Nothing that it sends will be read any more, and it is to be closed with this.
    Fault(Close),
    /// The peer closes, with this code.
    Peer(Option<u16>),
    /// Both have said goodbye.
    Done,
}

impl From<io::Error> for End {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

/// What became of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pushed {
    /// It is on its way.
    Sent,
    /// It waits; another one that waited is passed over.
    Waits { instead: bool },
    /// The socket has it, or a newer one.
    Known,
}

/// A state to be told: made into a frame once, whoever it is told to, and kept only where somebody has to wait.
pub(super) struct News<'a> {
    state: Told<'a>,
    now: Timestamp,
    frame: OnceCell<Vec<u8>>,
    kept: OnceCell<Kept>,
}

impl<'a> News<'a> {
    pub(super) fn new(state: Told<'a>, now: Timestamp) -> Self {
        Self { state, now, frame: OnceCell::new(), kept: OnceCell::new() }
    }

    pub(super) fn kept(&self) -> Kept {
        self.kept.get_or_init(|| self.state.kept()).clone()
    }
}

impl Socket {
    pub(super) fn new(stream: TcpStream, index: u32) -> Self {
        Self {
            stream,
            index,
            place: None,
            version: 0,
            reader: Reader::default(),
            waiting: None,
            life: Life::Open,
            goodbye: 0,
            unanswered: 0,
            frames: 0,
            queued: false,
        }
    }

    /// Begins to hear of what the peer sends. Writing is not listened for before something has to wait: a fresh socket
    /// can always be written to, and would only wake the thread to say so.
    pub(super) fn register(&mut self, registry: &Registry) -> io::Result<()> {
        registry.register(&mut self.stream, Token(self.index as usize), Interest::READABLE)
    }

    /// Answers the opening handshake, and tells the first state with it: one packet for both.
    pub(super) fn greet(
        &mut self,
        answer: &[u8],
        state: Told<'_>,
        now: Timestamp,
        registry: &Registry,
    ) -> Result<(), End> {
        self.version = state.version();
        self.answer(&[answer, &state.first_frame(now)].concat(), registry)
    }

    /// Answers the opening handshake.
    pub(super) fn answer(&mut self, answer: &[u8], registry: &Registry) -> Result<(), End> {
        Ok(self.say(answer, registry, |_| {})?)
    }

    /// Tells a state, unless the peer has it; at once when the peer reads, otherwise later and the newest alone.
    pub(super) fn push(&mut self, news: &News, registry: &Registry) -> Result<Pushed, End> {
        let version = news.state.version();
        if version <= self.version || self.life != Life::Open {
            return Ok(Pushed::Known);
        }
        if let Some(waiting) = &mut self.waiting {
            if waiting.state.as_ref().is_some_and(|state| state.version() >= version) {
                return Ok(Pushed::Known);
            }
            let instead = waiting.state.replace(news.kept()).is_some();
            return Ok(Pushed::Waits { instead });
        }
        let frame = news.frame.get_or_init(|| news.state.frame(news.now));
        let out = self.write(frame)?;
        if out == 0 {
            self.wait(registry)?.state = Some(news.kept());
            return Ok(Pushed::Waits { instead: false });
        }
        // A frame that has begun has to be finished: it counts as sent.
        self.version = version;
        if out < frame.len() {
            let rest = frame[out..].to_vec();
            self.wait(registry)?.begun = rest;
        }
        Ok(Pushed::Sent)
    }

    /// Writes as much as the peer takes.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut out = 0;
        while out < bytes.len() {
            match self.stream.write(&bytes[out..]) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => out += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(out)
    }

    /// From here on, what is to be said waits until the peer reads.
    fn wait(&mut self, registry: &Registry) -> io::Result<&mut Waiting> {
        // Asking anew also tells at once when there is room again by now.
        registry.reregister(
            &mut self.stream,
            Token(self.index as usize),
            Interest::READABLE.add(Interest::WRITABLE),
        )?;
        Ok(self.waiting.get_or_insert_default())
    }

    /// Says something small now, or notes it for later.
    fn say(&mut self, bytes: &[u8], registry: &Registry, later: impl FnOnce(&mut Waiting)) -> io::Result<()> {
        if let Some(waiting) = &mut self.waiting {
            later(waiting);
            return Ok(());
        }
        let out = self.write(bytes)?;
        if out < bytes.len() {
            let rest = bytes[out..].to_vec();
            self.wait(registry)?.begun = rest;
        }
        Ok(())
    }

    /// Writes what waits, the newest state first, until the peer takes no more. Gives back how many states went out.
    pub(super) fn flush(&mut self, clock: &Clock) -> Result<u64, End> {
        let mut states = 0;
        while let Some(mut waiting) = self.waiting.take() {
            if waiting.out == waiting.begun.len() {
                let Some(next) = self.next_frame(&mut waiting, clock, &mut states) else { break };
                (waiting.begun, waiting.out) = (next, 0);
            }
            let out = self.write(&waiting.begun[waiting.out..])?;
            waiting.out += out;
            let full = waiting.out < waiting.begun.len();
            self.waiting = Some(waiting);
            if full {
                return Ok(states);
            }
        }
        match self.life {
            Life::Left => Err(End::Done),
            Life::Deaf => {
                // Nothing follows; the peer sees the end even if it reads no frames.
                self.stream.shutdown(Shutdown::Write)?;
                Ok(states)
            }
            Life::Open | Life::Closing => Ok(states),
        }
    }

    fn next_frame(&mut self, waiting: &mut Waiting, clock: &Clock, states: &mut u64) -> Option<Vec<u8>> {
        if self.life != Life::Open {
            return waiting.close.take();
        }
        if let Some(state) = waiting.state.take() {
            self.version = state.version();
            *states += 1;
            return Some(state.told().frame(clock.now()));
        }
        if let Some(payload) = waiting.pong.take() {
            return Some(frame::pong(&payload));
        }
        if std::mem::take(&mut waiting.answer) {
            return Some(message_frame(&ServerMessage::Pong));
        }
        std::mem::take(&mut waiting.ping).then(|| frame::PING.to_vec())
    }

    /// Whether something waits for the peer to read.
    pub(super) fn is_behind(&self) -> bool {
        self.waiting.is_some()
    }

    /// Reads what has come, as far as one turn goes. Says whether there may be more.
    pub(super) fn read(&mut self, scratch: &mut [u8], most_frames: u16, registry: &Registry) -> Result<bool, End> {
        for _ in 0..READS {
            match self.stream.read(scratch) {
                Ok(0) => return Err(End::Gone),
                Ok(count) => self.take(&scratch[..count], most_frames, registry)?,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Err(End::Gone),
            }
        }
        Ok(true)
    }

    /// Takes what the peer sent. Only a complete frame is a sign of life.
    pub(super) fn take(&mut self, mut bytes: &[u8], most_frames: u16, registry: &Registry) -> Result<(), End> {
        while matches!(self.life, Life::Open | Life::Closing) {
            let event = match self.reader.next(&mut bytes, MESSAGE_LIMIT) {
                Ok(Some(event)) => event,
                Ok(None) => return Ok(()),
                // Both have said what they had to say.
                Err(_) if self.life == Life::Closing => return Err(End::Done),
                Err(Fault::Protocol) => return Err(End::Fault(Close::PROTOCOL)),
                Err(Fault::NotText) => return Err(End::Fault(Close::NOT_TEXT)),
                Err(Fault::TooBig) => return Err(End::Fault(Close::TOO_BIG)),
            };
            self.unanswered = 0;
            self.frames = self.frames.saturating_add(1);
            match event {
                Event::Close(_) if self.life == Life::Closing => return Err(End::Done),
                Event::Close(code) => return Err(End::Peer(code)),
                _ if self.life == Life::Closing => {}
                _ if self.frames > most_frames => return Err(End::Fault(Close::FLOOD)),
                Event::Ping(payload) => {
                    // Where the peer does not read, only the newest pong is owed (RFC 6455, section 5.5.3).
                    self.say(&frame::pong(&payload), registry, |waiting| waiting.pong = Some(payload))?;
                }
                Event::Text(text) => {
                    if serde_json::from_str(&text).is_ok_and(|message| matches!(message, ClientMessage::Ping)) {
                        let pong = message_frame(&ServerMessage::Pong);
                        self.say(&pong, registry, |waiting| waiting.answer = true)?;
                    }
                }
                Event::Binary(_) | Event::Part | Event::Pong => {}
            }
        }
        Ok(())
    }

    /// Pings the peer, once in each interval.
    pub(super) fn ping(&mut self, registry: &Registry) -> Result<(), End> {
        if self.unanswered >= UNANSWERED {
            return Err(End::Close(Close::SILENT));
        }
        self.unanswered += 1;
        self.frames = 0;
        Ok(self.say(&frame::PING, registry, |waiting| waiting.ping = true)?)
    }

    /// Says goodbye: with our reason, or with the peer's code when it was the first. States that wait are of no use to a
    /// peer that goes; it gets the newest when it comes back.
    pub(super) fn close(
        &mut self,
        life: Life,
        goodbye: Vec<u8>,
        registry: &Registry,
        clock: &Clock,
    ) -> Result<(), End> {
        self.life = life;
        match &mut self.waiting {
            Some(waiting) => waiting.close = Some(goodbye),
            None => self.say(&goodbye, registry, |_| {})?,
        }
        self.flush(clock).map(|_| ())
    }
}
