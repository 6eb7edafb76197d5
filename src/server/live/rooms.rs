//! What is watched: for each session the first of its sockets, who is about to watch, and which version is known.
//!
//! A room is there while somebody needs it. *Runs: server.*

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use super::{outside::Outside, told::Kept};
use crate::domain::ids::SessionId;

/// No socket.
pub(super) const NOBODY: u32 = u32::MAX;
/// How long a version that was read for a poll answers further polls. Every commit is published, so it does not grow old in
/// this time; reading it again now and then finds what is not published: that a session was deleted.
const KNOWN_FOR: Duration = Duration::from_secs(60);
/// The most sessions whose version is kept for polls alone.
const MOST_KNOWN: usize = 100_000;

/// A session that somebody needs news of.
pub(super) struct Room {
    /// The first of its sockets; the others follow through the table.
    pub(super) first: u32,
    pub(super) sockets: u32,
    /// Sockets that have a place and are not there yet.
    pub(super) reserved: u32,
    /// Polls that read the state at this moment.
    pub(super) looking: u32,
    /// The newest state published while somebody was about to have one.
    pub(super) newest: Option<Kept>,
    known: Option<Known>,
    /// Somebody watched it, or was about to.
    was_watched: bool,
}

#[derive(Clone, Copy)]
struct Known {
    version: u64,
    until: Instant,
}

impl Room {
    fn is_needed(&self) -> bool {
        self.sockets > 0 || self.is_awaited() || self.known.is_some()
    }

    /// Whether somebody has begun to ask for the state and does not have it yet.
    pub(super) fn is_awaited(&self) -> bool {
        self.reserved > 0 || self.looking > 0
    }

    /// Notes what was published.
    pub(super) fn note(&mut self, version: u64) {
        if let Some(known) = &mut self.known {
            known.version = known.version.max(version);
        }
    }
}

/// The rooms of this server.
#[derive(Default)]
pub(super) struct Rooms {
    by_session: HashMap<SessionId, Room>,
    /// Sessions with a known version, in the order in which that is to be forgotten.
    forget: VecDeque<(Instant, SessionId)>,
    /// Whoever has to know what is watched, where other servers change sessions too.
    pub(super) outside: Option<Arc<Outside>>,
}

impl Rooms {
    pub(super) fn get_mut(&mut self, session: SessionId) -> Option<&mut Room> {
        self.by_session.get_mut(&session)
    }

    pub(super) fn enter(&mut self, session: SessionId) -> &mut Room {
        self.by_session.entry(session).or_insert(Room {
            first: NOBODY,
            sockets: 0,
            reserved: 0,
            looking: 0,
            newest: None,
            known: None,
            was_watched: false,
        })
    }

    /// Keeps a place for a socket to this session, unless it has as many as it may.
    pub(super) fn reserve(&mut self, session: SessionId, most: usize) -> bool {
        let room = self.enter(session);
        // Whoever fills it keeps it, so it needs no end here.
        let has_room = ((room.sockets + room.reserved) as usize) < most;
        if has_room {
            room.reserved += 1;
            room.was_watched = true;
        }
        has_room
    }

    /// Ends the room if nobody needs it.
    pub(super) fn leave(&mut self, session: SessionId) {
        if self.by_session.get(&session).is_some_and(|room| !room.is_needed())
            && let Some(room) = self.by_session.remove(&session)
            && let Some(outside) = self.outside.as_ref().filter(|_| room.was_watched)
        {
            outside.turned(session);
        }
    }

    /// A socket that had a place is there, or does not come.
    pub(super) fn arrived(&mut self, session: SessionId) {
        self.answered(session, |room| room.reserved -= 1);
    }

    /// A poll is over.
    pub(super) fn looked(&mut self, session: SessionId) {
        self.answered(session, |room| room.looking -= 1);
    }

    fn answered(&mut self, session: SessionId, one_less: impl FnOnce(&mut Room)) {
        if let Some(room) = self.by_session.get_mut(&session) {
            one_less(room);
            if !room.is_awaited() {
                room.newest = None;
            }
            self.leave(session);
        }
    }

    /// The version of a session, if it is known for certain. Where other servers change sessions too, none is.
    pub(super) fn known(&self, session: SessionId, now: Instant) -> Option<u64> {
        self.by_session.get(&session)?.known.filter(|known| known.until > now).map(|known| known.version)
    }

    /// Notes a version that was read from the store by one who was looking before that.
    pub(super) fn learn(&mut self, session: SessionId, version: u64, now: Instant) {
        while self.forget.front().is_some_and(|(until, _)| *until <= now) {
            let Some((_, old)) = self.forget.pop_front() else { break };
            if let Some(room) = self.by_session.get_mut(&old) {
                room.known = room.known.filter(|known| known.until > now);
            }
            self.leave(old);
        }
        if self.forget.len() >= MOST_KNOWN || self.outside.is_some() {
            return;
        }
        if let Some(room) = self.by_session.get_mut(&session) {
            let newest = room.newest.as_ref().map_or(0, Kept::version);
            let before = room.known.map_or(0, |known| known.version);
            let until = now + KNOWN_FOR;
            room.known = Some(Known { version: version.max(newest).max(before), until });
            self.forget.push_back((until, session));
        }
    }

    /// Whether anybody watches a session, or is about to.
    pub(super) fn is_watched(&self, session: SessionId) -> bool {
        self.by_session.get(&session).is_some_and(|room| room.sockets > 0 || room.reserved > 0)
    }

    /// The sessions that somebody watches, or is about to.
    pub(super) fn watched(&self) -> Vec<SessionId> {
        let watched = self.by_session.iter().filter(|(_, room)| room.sockets > 0 || room.reserved > 0);
        watched.map(|(session, _)| *session).collect()
    }

    /// How many sockets each session has, where there are any.
    pub(super) fn counts(&self) -> Vec<(SessionId, usize)> {
        let watched = self.by_session.iter().filter(|(_, room)| room.sockets > 0);
        let watched = watched.filter(|(session, _)| **session != SessionId::ALL_OF_THEM);
        watched.map(|(session, room)| (*session, room.sockets as usize)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{session::Session, time::Timestamp};

    #[test]
    fn what_a_poll_has_read_is_kept_current_and_forgotten_in_time() {
        let (mut rooms, now) = (Rooms::default(), Instant::now());
        let session = SessionId::new(Timestamp(0), [1; 16]);
        rooms.enter(session).looking += 1;
        rooms.learn(session, 3, now);
        rooms.looked(session);
        assert_eq!(rooms.known(session, now), Some(3));
        rooms.get_mut(session).unwrap().note(4);
        assert_eq!(rooms.known(session, now), Some(4));
        let later = now + KNOWN_FOR;
        assert_eq!(rooms.known(session, later), None);
        let other = SessionId::new(Timestamp(0), [2; 16]);
        rooms.enter(other).looking += 1;
        rooms.learn(other, 1, later);
        rooms.looked(other);
        assert!(rooms.get_mut(session).is_none(), "nobody needs it any more");
        assert!(rooms.get_mut(other).is_some());
    }

    #[test]
    fn a_commit_between_subscribing_and_reading_is_not_missed() {
        let (mut rooms, now) = (Rooms::default(), Instant::now());
        let deadlines = crate::domain::session::Deadlines { code: KNOWN_FOR, wallet: KNOWN_FOR, form: KNOWN_FOR };
        let id = SessionId::new(Timestamp(0), [1; 16]);
        let mut session = Session::open(id, String::new(), Timestamp(0), &deadlines);
        session.version = 9;
        rooms.enter(id).looking += 1;
        rooms.get_mut(id).unwrap().newest = Some(Kept::Session(Arc::new(session)));
        rooms.learn(id, 8, now);
        assert_eq!(rooms.known(id, now), Some(9));
    }
}
