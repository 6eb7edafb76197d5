//! What this server and the others have to know of each other: which sessions changed here, and which are watched here. It is
//! kept until the backplane takes it over. A session is noted once, however often it changed: who hears of it reads its newest
//! state. *Runs: server.*

use std::{
    collections::HashSet,
    mem::take,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{Notify, oneshot};

use crate::domain::ids::SessionId;

/// So many sessions are noted one by one; where more have changed that nobody could be told of, everything has.
const MOST: usize = 100_000;

/// Sessions that changed, in no order.
#[derive(Debug, PartialEq, Eq)]
pub enum Changed {
    /// These.
    These(HashSet<SessionId>),
    /// Any may have.
    Any,
}

impl Default for Changed {
    fn default() -> Self {
        Self::These(HashSet::new())
    }
}

impl Changed {
    /// Whether none has.
    #[must_use]
    pub fn is_none(&self) -> bool {
        matches!(self, Self::These(sessions) if sessions.is_empty())
    }

    /// Notes one more.
    pub fn note(&mut self, session: SessionId) {
        if let Self::These(sessions) = self {
            sessions.insert(session);
            if sessions.len() > MOST {
                *self = Self::Any;
            }
        }
    }

    /// Notes those that another one notes.
    pub fn note_all(&mut self, others: Self) {
        match others {
            Self::These(sessions) => sessions.into_iter().for_each(|session| self.note(session)),
            Self::Any => *self = Self::Any,
        }
    }
}

/// Sessions that began to be watched, or are no longer, and who waits until this server hears of them.
#[derive(Debug, Default)]
pub struct Turns {
    /// Each may be watched or not: what counts is how it is when it is looked at.
    pub sessions: Vec<SessionId>,
    /// To be told, with the session, once its changes are heard; or dropped, if they cannot be for the time being.
    pub waiting: Vec<(SessionId, oneshot::Sender<()>)>,
}

/// Sessions that changed, noted by many and taken over by one.
#[derive(Default)]
pub struct Noted {
    changed: Mutex<Changed>,
    has_changed: Notify,
}

impl Noted {
    /// Notes one more.
    pub fn note(&self, session: SessionId) {
        lock(&self.changed).note(session);
        self.has_changed.notify_one();
    }

    /// Notes several.
    pub fn note_all(&self, changed: Changed) {
        lock(&self.changed).note_all(changed);
        self.has_changed.notify_one();
    }

    /// Waits until any is noted, and takes all over.
    pub async fn taken(&self) -> Changed {
        loop {
            let changed = take(&mut *lock(&self.changed));
            if !changed.is_none() {
                return changed;
            }
            self.has_changed.notified().await;
        }
    }

    /// Whether none is noted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        lock(&self.changed).is_none()
    }
}

/// Between the hub and the backplane.
#[derive(Default)]
pub struct Outside {
    /// What changed here and the others are to be told of.
    pub changed: Noted,
    turns: Mutex<Turns>,
    has_turned: Notify,
}

impl Outside {
    /// A session has watchers now, or none.
    pub(super) fn turned(&self, session: SessionId) {
        lock(&self.turns).sessions.push(session);
        self.has_turned.notify_one();
    }

    /// Somebody is about to watch a session: what is given back ends once this server hears of its changes, or cannot for the
    /// time being.
    pub(super) fn watch(&self, session: SessionId) -> oneshot::Receiver<()> {
        let (heard, hears) = oneshot::channel();
        let mut turns = lock(&self.turns);
        turns.sessions.push(session);
        turns.waiting.push((session, heard));
        drop(turns);
        self.has_turned.notify_one();
        hears
    }

    /// Waits until the watchers of any session came or went, and takes over which.
    pub async fn turns(&self) -> Turns {
        loop {
            let turns = take(&mut *lock(&self.turns));
            if !turns.sessions.is_empty() {
                return turns;
            }
            self.has_turned.notified().await;
        }
    }
}

/// Every change under these locks is complete in itself.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Timestamp;

    fn session(number: u32) -> SessionId {
        let mut random = [0; 16];
        random[..4].copy_from_slice(&number.to_be_bytes());
        SessionId::new(Timestamp(0), random)
    }

    #[tokio::test]
    async fn a_session_that_changes_often_is_told_of_once() {
        let noted = Noted::default();
        for number in [1, 2, 1, 1] {
            noted.note(session(number));
        }
        assert_eq!(noted.taken().await, Changed::These([session(1), session(2)].into()));
        noted.note_all(Changed::These([session(3)].into()));
        noted.note(session(2));
        assert_eq!(noted.taken().await, Changed::These([session(2), session(3)].into()));
        assert!(noted.is_empty());
    }

    #[test]
    fn what_nobody_can_be_told_of_does_not_grow_for_ever() {
        let mut changed = Changed::default();
        for number in 0..=u32::try_from(MOST).unwrap() {
            changed.note(session(number));
        }
        assert_eq!(changed, Changed::Any);
        let mut more = Changed::These([session(1)].into());
        more.note_all(changed);
        assert_eq!(more, Changed::Any);
    }

    #[tokio::test]
    async fn whoever_waits_to_hear_of_a_session_is_told_or_dropped() {
        let outside = Outside::default();
        let (first, second) = (outside.watch(session(1)), outside.watch(session(2)));
        let Turns { sessions, waiting } = outside.turns().await;
        assert_eq!(sessions, [session(1), session(2)]);
        let mut waiting = waiting.into_iter();
        waiting.next().unwrap().1.send(()).unwrap();
        drop(waiting);
        assert!(first.await.is_ok());
        assert!(second.await.is_err());
    }
}
