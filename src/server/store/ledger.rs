//! What a write transaction knows already, and what it has not written yet. Deliveries that are recorded together are
//! looked up together, and what they change is written together: a few statements for all instead of a dozen for each.
//!
//! Whatever is not found here is asked of the database, after all that is unwritten has been written; so the ledger can
//! make a transaction faster and never another one. *Runs: server.*

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{
    ActKind, UnmatchedEvent,
    acts::About,
    events::NewEvent,
    matching::{Key, Matched},
};
use crate::domain::{
    ids::{ConnectionId, SessionId},
    session::Session,
    time::Timestamp,
};

/// An attempt's primary key.
pub(super) type Number = (SessionId, u32);

/// When an act is due, and whether that holds against what was wished before.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub(super) kind: ActKind,
    pub(super) about: About,
    pub(super) due_at: Timestamp,
    pub(super) overrides: bool,
}

/// What is not written yet, in no order that matters.
#[derive(Default)]
pub(super) struct Unwritten {
    pub(super) sessions: BTreeMap<String, Session>,
    pub(super) attempts: HashSet<Number>,
    pub(super) events: Vec<NewEvent>,
    /// By kind and subject: of two wishes for the same act one is written.
    pub(super) acts: BTreeMap<(&'static str, String), Wish>,
}

/// Both, for one transaction.
#[derive(Default)]
pub(super) struct Ledger {
    /// `None`: there is no such session.
    sessions: HashMap<SessionId, Option<Session>>,
    attempts: HashMap<Number, Matched>,
    /// Keys that were looked up, with all attempts that have them.
    by_key: HashMap<(Key, String), Vec<Number>>,
    /// Sessions whose deliveries were looked up, with the keys of those that count.
    events_of: HashMap<SessionId, HashSet<String>>,
    /// Keys that were looked up among the deliveries of no session, and whether one is there that counts.
    events_of_nobody: HashMap<String, bool>,
    /// Connections that were looked up, with the deliveries that wait for them.
    waiting: HashMap<ConnectionId, Vec<UnmatchedEvent>>,
    unwritten: Unwritten,
    /// The earliest time that anything was wished for.
    soonest: Option<Timestamp>,
}

impl Ledger {
    pub(super) const fn soonest(&self) -> Option<Timestamp> {
        self.soonest
    }

    /// Forgets what is known, because the database is about to be changed past it.
    pub(super) fn forget(&mut self) {
        debug_assert!(self.unwritten.attempts.is_empty(), "what is unwritten would be lost");
        self.sessions.clear();
        self.attempts.clear();
        self.by_key.clear();
        self.events_of.clear();
        self.events_of_nobody.clear();
        self.waiting.clear();
    }

    /// What has to be written now.
    pub(super) fn take_unwritten(&mut self) -> Option<Unwritten> {
        let Unwritten { sessions, attempts, events, acts } = &self.unwritten;
        if sessions.is_empty() && attempts.is_empty() && events.is_empty() && acts.is_empty() {
            return None;
        }
        for event in events {
            // Once it is written it is among those that wait, and has to be found there.
            if let Some(connection) = event.waits() {
                self.waiting.remove(connection);
            }
        }
        Some(std::mem::take(&mut self.unwritten))
    }

    pub(super) fn learn_session(&mut self, id: SessionId, session: Option<Session>) {
        self.sessions.insert(id, session);
    }

    /// The outer `None`: not known.
    pub(super) fn session(&self, id: SessionId) -> Option<Option<Session>> {
        let unwritten = self.unwritten.sessions.get(id.as_str()).map(|session| Some(session.clone()));
        unwritten.or_else(|| self.sessions.get(&id).cloned())
    }

    pub(super) fn put_session(&mut self, session: &Session) {
        self.unwritten.sessions.insert(session.id.to_string(), session.clone());
        if let Some(known) = self.sessions.get_mut(&session.id) {
            *known = Some(session.clone());
        }
    }

    /// These were looked up by this key, and these attempts have one of them.
    pub(super) fn learn_attempts(&mut self, key: Key, values: &[&str], found: Vec<(String, Matched)>) {
        for value in values {
            self.by_key.entry((key, (*value).to_owned())).or_default();
        }
        for (value, attempt) in found {
            let number = attempt.number();
            self.by_key.entry((key, value)).or_default().push(number);
            self.attempts.entry(number).or_insert(attempt);
        }
    }

    pub(super) fn attempt(&self, number: Number) -> Option<&Matched> {
        self.attempts.get(&number)
    }

    /// `None`: not known.
    pub(super) fn attempts_by(&self, key: Key, value: &str) -> Option<Vec<&Matched>> {
        let numbers = self.by_key.get(&(key, value.to_owned()))?;
        numbers.iter().map(|number| self.attempts.get(number)).collect()
    }

    /// Changes an attempt, if it is known.
    pub(super) fn change_attempt(&mut self, number: Number, change: impl FnOnce(&mut Matched)) {
        if let Some(attempt) = self.attempts.get_mut(&number) {
            change(attempt);
            self.unwritten.attempts.insert(number);
        }
    }

    /// An attempt has this key from now on.
    pub(super) fn bind(&mut self, key: Key, value: &str, number: Number) {
        if let Some(numbers) = self.by_key.get_mut(&(key, value.to_owned())) {
            numbers.push(number);
        }
    }

    pub(super) fn learn_events_of(&mut self, session: SessionId, keys: HashSet<String>) {
        self.events_of.insert(session, keys);
    }

    pub(super) fn learn_event_of_nobody(&mut self, key: String, stored: bool) {
        self.events_of_nobody.insert(key, stored);
    }

    /// `None`: not known.
    pub(super) fn has_event(&self, key: &str, session: Option<SessionId>) -> Option<bool> {
        let of_nobody = *self.events_of_nobody.get(key)?;
        let of_session = match session {
            Some(session) => self.events_of.get(&session)?.contains(key),
            None => false,
        };
        Some(of_nobody || of_session)
    }

    pub(super) fn add_event(&mut self, event: NewEvent) {
        if event.counts() {
            match event.attempt {
                Some((session, _)) => {
                    if let Some(known) = self.events_of.get_mut(&session) {
                        known.insert(event.key.clone());
                    }
                }
                None => {
                    if let Some(known) = self.events_of_nobody.get_mut(&event.key) {
                        *known = true;
                    }
                }
            }
        }
        self.unwritten.events.push(event);
    }

    pub(super) fn learn_waiting(&mut self, connection: ConnectionId, events: Vec<UnmatchedEvent>) {
        self.waiting.insert(connection, events);
    }

    /// `None`: not known, or one of them is not written yet and has no row to be settled by.
    pub(super) fn waiting(&self, connection: &ConnectionId) -> Option<&[UnmatchedEvent]> {
        let unwritten = self.unwritten.events.iter().any(|event| event.waits() == Some(connection));
        self.waiting.get(connection).map(Vec::as_slice).filter(|_| !unwritten)
    }

    /// Notes a wish for an act. Of two for the same, the later one counts if it overrides, else the earlier.
    pub(super) fn wish(&mut self, wish: Wish) {
        self.soonest = Some(self.soonest.map_or(wish.due_at, |soonest| soonest.min(wish.due_at)));
        let place = (wish.kind.as_str(), wish.about.subject());
        match self.unwritten.acts.entry(place) {
            std::collections::btree_map::Entry::Vacant(free) => {
                free.insert(wish);
            }
            std::collections::btree_map::Entry::Occupied(mut taken) => {
                if wish.overrides {
                    taken.insert(wish);
                }
            }
        }
    }
}
