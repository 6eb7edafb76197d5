//! All sockets of this server and where each belongs: what happens to them, whoever makes it happen.
//!
//! It lies behind the hub's lock, and every change under it is complete in itself. Nothing here waits. *Runs: server.*

use std::{
    collections::{HashMap, VecDeque},
    io,
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use mio::{Registry, net::TcpStream};
use slab::Slab;
use tokio::sync::Notify;

use super::{
    frame,
    hub::{Limits, NoRoom},
    rooms::{NOBODY, Rooms},
    socket::{End, Life, News, Place, Pushed, Socket},
    stats::LiveStats,
    told::{Kept, Told},
};
use crate::{
    domain::{ids::SessionId, wire::Close},
    server::clock::Clock,
};

/// How long the closing handshake may take.
const GOODBYE: Duration = Duration::from_secs(5);
/// The most sockets that may take their time to say goodbye, where there are files enough; beyond, they are dropped right
/// after the close frame.
const MOST_LEAVING: usize = 4096;

/// Sockets of staff who look at the board.
const MOST_STAFF: usize = 100;

/// The server stops: all sockets are closed, evenly over a time.
#[derive(Clone, Copy)]
struct Drain {
    began: Instant,
    over: Duration,
    /// Which number comes next, and where they end.
    next: usize,
    end: usize,
}

pub(super) struct Table {
    sockets: Slab<Socket>,
    pub(super) rooms: Rooms,
    addresses: HashMap<IpAddr, usize>,
    /// Sockets that watch, and those who are about to.
    seated: usize,
    /// Sockets that may have more to read than one turn takes.
    ready: VecDeque<u32>,
    /// Sockets that have been told goodbye, and until when they may answer.
    leaving: VecDeque<(Instant, u32, u32)>,
    /// Counts goodbyes, so that one can be told from a later one of the same number.
    goodbyes: u32,
    /// Sockets that watch.
    watching: usize,
    drain: Option<Drain>,
    stats: LiveStats,
    registry: Registry,
    clock: Clock,
    limits: Limits,
    /// Told when the last socket has gone.
    emptied: Arc<Notify>,
}

impl Table {
    pub(super) fn new(registry: Registry, clock: Clock, limits: Limits, emptied: Arc<Notify>) -> Self {
        Self {
            sockets: Slab::new(),
            rooms: Rooms::default(),
            addresses: HashMap::new(),
            seated: 0,
            ready: VecDeque::new(),
            leaving: VecDeque::new(),
            goodbyes: 0,
            watching: 0,
            drain: None,
            stats: LiveStats::default(),
            registry,
            clock,
            limits,
            emptied,
        }
    }

    /// Keeps a place for a socket that is to come, and begins to remember what is published for it.
    pub(super) fn reserve(&mut self, session: SessionId, address: IpAddr) -> Result<(), NoRoom> {
        if self.drain.is_some() {
            return Err(NoRoom::Stopping);
        }
        if self.seated >= self.limits.most {
            return Err(NoRoom::Server);
        }
        let from_there = self.addresses.get(&address).copied().unwrap_or_default();
        if self.limits.most_per_address.is_some_and(|most| from_there >= most) {
            return Err(NoRoom::Address);
        }
        let most = if session == SessionId::ALL_OF_THEM { MOST_STAFF } else { self.limits.most_per_session };
        if !self.rooms.reserve(session, most) {
            return Err(NoRoom::Session);
        }
        *self.addresses.entry(address).or_default() += 1;
        self.seated += 1;
        Ok(())
    }

    /// Gives a reserved place back.
    pub(super) fn release(&mut self, session: SessionId, address: IpAddr) {
        self.rooms.arrived(session);
        self.leave_address(address);
    }

    fn leave_address(&mut self, address: IpAddr) {
        self.seated -= 1;
        if let Some(count) = self.addresses.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                self.addresses.remove(&address);
            }
        }
    }

    /// Takes in a socket whose place was reserved, answers its opening handshake, and tells it the newest state there is:
    /// the one that was read, or one that was published meanwhile.
    pub(super) fn adopt(
        &mut self,
        stream: TcpStream,
        answer: &[u8],
        session: SessionId,
        address: IpAddr,
        state: Told<'_>,
    ) -> io::Result<u32> {
        let index = match self.insert(stream) {
            Ok(index) => index,
            Err(error) => {
                self.release(session, address);
                return Err(error);
            }
        };
        let room = self.rooms.enter(session);
        let newest = room.newest.clone().filter(|newest| newest.version() > state.version());
        let next = std::mem::replace(&mut room.first, index);
        room.sockets += 1;
        self.rooms.arrived(session);
        if let Some(place) = self.place_of(next) {
            place.previous = index;
        }
        self.watching += 1;
        self.stats.opened += 1;
        let Some(socket) = self.sockets.get_mut(index as usize) else { return Ok(index) };
        socket.place = Some(Place { session, address, previous: NOBODY, next });
        let greeted = if self.drain.is_some() {
            socket.answer(answer, &self.registry).and(Err(End::Close(Close::RESTARTING)))
        } else {
            socket.greet(answer, newest.as_ref().map_or(state, Kept::told), self.clock.now(), &self.registry)
        };
        match greeted {
            Ok(()) => self.stats.states_pushed += 1,
            Err(end) => self.end(index, end),
        }
        Ok(index)
    }

    /// Takes in a socket only to answer its opening handshake and tell it goodbye.
    pub(super) fn refuse(&mut self, stream: TcpStream, answer: &[u8], close: Close) -> io::Result<u32> {
        let index = self.insert(stream)?;
        self.stats.opened += 1;
        let Some(socket) = self.sockets.get_mut(index as usize) else { return Ok(index) };
        let end = socket.answer(answer, &self.registry).err().unwrap_or(End::Close(close));
        self.end(index, end);
        Ok(index)
    }

    fn insert(&mut self, stream: TcpStream) -> io::Result<u32> {
        let entry = self.sockets.vacant_entry();
        let index = u32::try_from(entry.key()).map_err(io::Error::other)?;
        entry.insert(Socket::new(stream, index)).register(&self.registry).inspect_err(|_| {
            self.sockets.remove(index as usize);
        })?;
        Ok(index)
    }

    fn place_of(&mut self, index: u32) -> Option<&mut Place> {
        self.sockets.get_mut(index as usize)?.place.as_mut()
    }

    /// Tells everybody who watches this session its new state, and whoever is about to have it.
    pub(super) fn publish(&mut self, session: SessionId, state: Told<'_>) {
        let Some(room) = self.rooms.get_mut(session) else { return };
        let news = News::new(state, self.clock.now());
        room.note(state.version());
        if room.is_awaited() && room.newest.as_ref().is_none_or(|newest| newest.version() < state.version()) {
            room.newest = Some(news.kept());
        }
        let mut index = room.first;
        while index != NOBODY {
            // Asked before, because a socket that turns out to be gone leaves the list.
            let next = self.place_of(index).map_or(NOBODY, |place| place.next);
            self.push(index, &news);
            index = next;
        }
    }

    fn push(&mut self, index: u32, news: &News) {
        let Some(socket) = self.sockets.get_mut(index as usize) else { return };
        match socket.push(news, &self.registry) {
            Ok(Pushed::Sent) => self.stats.states_pushed += 1,
            Ok(Pushed::Waits { instead: true }) => self.stats.states_skipped += 1,
            Ok(Pushed::Waits { instead: false } | Pushed::Known) => {}
            Err(end) => self.end(index, end),
        }
    }

    /// Takes what came with the opening handshake.
    pub(super) fn take(&mut self, index: u32, bytes: &[u8]) {
        let Some(socket) = self.sockets.get_mut(index as usize) else { return };
        if let Err(end) = socket.take(bytes, self.limits.most_frames, &self.registry) {
            self.end(index, end);
        }
    }

    /// A socket's turn: writes what waits and reads what has come, as far as one turn goes.
    pub(super) fn turn(&mut self, index: u32, scratch: &mut [u8]) {
        let Some(socket) = self.sockets.get_mut(index as usize) else { return };
        if socket.is_behind() {
            match socket.flush(&self.clock) {
                Ok(states) => self.stats.states_pushed += states,
                Err(end) => return self.end(index, end),
            }
        }
        match socket.read(scratch, self.limits.most_frames, &self.registry) {
            Ok(false) => {}
            Ok(true) => self.queue(index),
            Err(end) => {
                self.end(index, end);
                // What else has come is not told of again, and its answer to our goodbye may be in it.
                self.queue(index);
            }
        }
    }

    /// Gives a socket another turn, if it is still there.
    fn queue(&mut self, index: u32) {
        if let Some(socket) = self.sockets.get_mut(index as usize)
            && !std::mem::replace(&mut socket.queued, true)
        {
            self.ready.push_back(index);
        }
    }

    /// The next socket that had more to read than its last turn took.
    pub(super) fn next_ready(&mut self) -> Option<u32> {
        let index = self.ready.pop_front()?;
        if let Some(socket) = self.sockets.get_mut(index as usize) {
            socket.queued = false;
        }
        Some(index)
    }

    /// How many sockets wait for another turn.
    pub(super) fn ready(&self) -> usize {
        self.ready.len()
    }

    /// Pings the socket with this number, or drops it when it has been silent for too long.
    pub(super) fn ping(&mut self, index: usize) {
        let Some(socket) = self.sockets.get_mut(index).filter(|socket| socket.life == Life::Open) else { return };
        match (u32::try_from(index), socket.ping(&self.registry)) {
            (_, Ok(())) => self.stats.pings_sent += 1,
            (Ok(index), Err(end)) => self.end(index, end),
            (Err(_), Err(_)) => {}
        }
    }

    /// Beyond the highest number of a socket.
    pub(super) fn numbers(&self) -> usize {
        if self.sockets.is_empty() { 0 } else { self.sockets.capacity() }
    }

    fn end(&mut self, index: u32, end: End) {
        match end {
            End::Gone | End::Done => self.remove(index),
            End::Close(close) => self.say_goodbye(index, Life::Closing, Some(close.code), close.reason),
            End::Fault(close) => self.say_goodbye(index, Life::Deaf, Some(close.code), close.reason),
            End::Peer(code) => self.say_goodbye(index, Life::Left, code, ""),
        }
    }

    fn say_goodbye(&mut self, index: u32, life: Life, code: Option<u16>, reason: &str) {
        self.unseat(index);
        let Some(socket) = self.sockets.get_mut(index as usize) else { return };
        // A socket that leaves already was counted when it began to.
        if socket.life == Life::Open {
            self.stats.count_close(code.unwrap_or(LiveStats::NO_CODE));
        }
        let gone = socket.close(life, frame::close(code, reason), &self.registry, &self.clock).is_err();
        self.goodbyes = self.goodbyes.wrapping_add(1);
        socket.goodbye = self.goodbyes;
        let open = self.sockets.len();
        if gone || open > self.limits.most_open || open - self.watching > MOST_LEAVING {
            self.remove(index);
        } else {
            self.leaving.push_back((Instant::now() + GOODBYE, index, self.goodbyes));
        }
    }

    /// Takes a socket out of its room: it gets no further states, and others may have its place.
    fn unseat(&mut self, index: u32) {
        let Some(place) = self.sockets.get_mut(index as usize).and_then(|socket| socket.place.take()) else { return };
        if let Some(next) = self.place_of(place.next) {
            next.previous = place.previous;
        }
        if let Some(previous) = self.place_of(place.previous) {
            previous.next = place.next;
        }
        if let Some(room) = self.rooms.get_mut(place.session) {
            room.sockets -= 1;
            if room.first == index {
                room.first = place.next;
            }
        }
        self.watching -= 1;
        self.rooms.leave(place.session);
        self.leave_address(place.address);
    }

    fn remove(&mut self, index: u32) {
        self.unseat(index);
        if let Some(socket) = self.sockets.try_remove(index as usize)
            && socket.life == Life::Open
        {
            self.stats.count_close(LiveStats::GONE);
        }
        if self.sockets.is_empty() {
            self.emptied.notify_waiters();
        }
    }

    /// Drops the sockets that did not answer our goodbye in time. Says when the next one is due.
    pub(super) fn drop_late(&mut self, now: Instant) -> Option<Instant> {
        while let Some((until, index, goodbye)) = self.leaving.front().copied() {
            if until > now {
                return Some(until);
            }
            self.leaving.pop_front();
            // It may be gone, and its number another socket's by now.
            let is_late = |socket: &Socket| socket.life != Life::Open && socket.goodbye == goodbye;
            if self.sockets.get(index as usize).is_some_and(is_late) {
                self.remove(index);
            }
        }
        None
    }

    /// Begins to close all sockets, and to refuse new ones.
    pub(super) fn begin_drain(&mut self, over: Duration) {
        let end = self.sockets.iter().next_back().map_or(0, |(last, _)| last + 1);
        self.drain = Some(Drain { began: Instant::now(), over, next: 0, end });
    }

    /// Closes the sockets whose time has come, at most `most` of them. Says whether more of them are due now; `None` when
    /// none will be.
    pub(super) fn drain(&mut self, now: Instant, most: usize) -> Option<bool> {
        let Drain { began, over, next, end } = self.drain.filter(|drain| drain.next < drain.end)?;
        let part = if over.is_zero() { 1.0 } else { (now - began).as_secs_f64() / over.as_secs_f64() };
        // A share of a count of sockets: it fits, and is cut to the count.
        let due = ((end as f64 * part.min(1.0)) as usize).min(end);
        let until = due.min(next + most);
        for index in next..until {
            if self.sockets.get(index).is_some_and(|socket| socket.life == Life::Open)
                && let Ok(index) = u32::try_from(index)
            {
                self.end(index, End::Close(Close::RESTARTING));
            }
        }
        if let Some(drain) = &mut self.drain {
            drain.next = until;
        }
        (until < end).then_some(until < due)
    }

    /// How many sockets there are, those that leave included.
    pub(super) fn len(&self) -> usize {
        self.sockets.len()
    }

    pub(super) fn stats(&self) -> LiveStats {
        LiveStats { open: self.sockets.len(), ..self.stats.clone() }
    }
}
