//! Many rows with one statement: what deliveries that are recorded together need is read ahead, and what they changed is
//! written at once. *Runs: server.*

use std::collections::{BTreeSet, HashMap, HashSet};

use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::{
    StoreError, Tx, UnmatchedEvent,
    events::{NewEvent, WaitingRow},
    ledger::{Number, Unwritten, Wish},
    matching::{Key, Matched, Row},
    sessions,
};
use crate::{
    domain::{
        ids::{ConnectionId, SessionId},
        session::Session,
    },
    server::{
        platform::{Cards, Delivery, DeliveryKind},
        secrets::KeyRing,
    },
};

/// The most rows that one statement reads or writes.
const MOST: usize = 64;

/// A statement that ends with a list of values. The list is filled up to a power of two with its last value, so that only
/// a few statements have to be prepared, once each.
pub(super) fn any_of(select: &'static str, values: &[&str]) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new(select);
    let mut list = query.separated(", ");
    for index in 0..values.len().next_power_of_two() {
        // Never out of range: where there are no values there is no statement.
        list.push_bind(values.get(index).or(values.last()).copied().unwrap_or_default().to_owned());
    }
    query.push(")");
    query
}

/// Rows that may as well be written twice, in parts that are filled up in the same way.
fn filled_up<'a, T>(rows: &'a [&'a T]) -> impl Iterator<Item = Vec<&'a T>> {
    rows.chunks(MOST).map(|part| {
        let last = part.last().into_iter().cycle();
        part.iter().chain(last).copied().take(part.len().next_power_of_two()).collect()
    })
}

/// How many of so many rows that must not be written twice go with the next statement: a power of two as well.
fn part_of(rows: usize) -> usize {
    rows.checked_ilog2().map_or(0, |power| MOST.min(1 << power))
}

impl Tx {
    /// Reads what recording these deliveries needs, for all of them together.
    ///
    /// # Errors
    /// When the database fails. A row that cannot be read is left to the delivery that needs it.
    pub async fn read_ahead(&mut self, deliveries: &[Delivery]) -> Result<(), StoreError> {
        let moving = || deliveries.iter().filter(|delivery| delivery.meaning().is_some());
        let unplaced =
            |tx: &Self, key, value: &str| tx.ledger.attempts_by(key, value).is_none_or(|found| found.is_empty());
        let by_invitation = moving().filter_map(|delivery| delivery.out_of_band_id.as_ref()).map(|id| &*id.0);
        let by_invitation: BTreeSet<&str> = by_invitation.collect();
        self.look_up(Key::OutOfBand, &by_invitation).await?;
        let rest = by_invitation.into_iter().filter(|id| unplaced(self, Key::OutOfBand, id)).collect();
        self.look_up(Key::Invitation, &rest).await?;
        let proofs = || moving().filter(|delivery| delivery.kind == DeliveryKind::Proof);
        let records = proofs().filter_map(|delivery| delivery.record_id.as_deref()).collect();
        self.look_up(Key::Proof, &records).await?;
        let threads = proofs()
            .filter(|delivery| delivery.record_id.as_deref().is_none_or(|id| unplaced(self, Key::Proof, id)))
            .filter_map(|delivery| delivery.thread_id.as_deref())
            .collect();
        self.look_up(Key::Thread, &threads).await?;
        let mut connections = BTreeSet::new();
        let mut awaited = BTreeSet::new();
        let mut sessions = BTreeSet::new();
        for delivery in moving() {
            let connection = delivery.connection_id.as_ref().map(|id| &*id.0);
            match self.placed(delivery) {
                None => connections.extend(connection),
                Some(attempt) => {
                    sessions.insert(attempt.session.to_string());
                    match delivery.kind {
                        DeliveryKind::Connection if attempt.connection_id.is_none() => {
                            awaited.extend(connection.map(str::to_owned));
                        }
                        DeliveryKind::Proof if attempt.proof_id.is_none() => {
                            awaited.extend(attempt.connection_id.as_ref().map(|id| id.0.clone()));
                        }
                        _ => {}
                    }
                }
            }
        }
        self.look_up(Key::Connection, &connections).await?;
        for connection in connections {
            for attempt in self.ledger.attempts_by(Key::Connection, connection).unwrap_or_default() {
                sessions.insert(attempt.session.to_string());
                if attempt.proof_id.is_none() {
                    awaited.insert(connection.to_owned());
                }
            }
        }
        self.look_up_sessions(&sessions).await?;
        self.look_up_events(deliveries, &sessions).await?;
        self.look_up_waiting(&awaited).await
    }

    /// The attempt of a delivery, as far as its own keys tell.
    fn placed(&self, delivery: &Delivery) -> Option<&Matched> {
        let keys = [
            (Key::OutOfBand, delivery.out_of_band_id.as_ref().map(|id| &*id.0)),
            (Key::Invitation, delivery.out_of_band_id.as_ref().map(|id| &*id.0)),
            (Key::Proof, delivery.record_id.as_deref()),
            (Key::Thread, delivery.thread_id.as_deref()),
        ];
        keys.into_iter().find_map(|(key, value)| self.ledger.attempts_by(key, value?)?.into_iter().next())
    }

    async fn look_up(&mut self, key: Key, values: &BTreeSet<&str>) -> Result<(), StoreError> {
        let values: Vec<&str> = values.iter().copied().collect();
        for part in values.chunks(MOST) {
            let rows: Vec<Row> = any_of(key.select(), part).build_query_as().fetch_all(self.part.connection()?).await?;
            let found: Result<Vec<_>, StoreError> = rows.into_iter().map(|row| row.found(key)).collect();
            if let Ok(found) = found {
                self.ledger.learn_attempts(key, part, found);
            }
        }
        Ok(())
    }

    async fn look_up_sessions(&mut self, ids: &BTreeSet<String>) -> Result<(), StoreError> {
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        for part in ids.chunks(MOST) {
            let rows: Vec<sessions::Row> =
                any_of(sessions::SELECT, part).build_query_as().fetch_all(self.part.connection()?).await?;
            for session in rows.into_iter().filter_map(|row| row.session(&self.keys).ok()) {
                self.ledger.learn_session(session.id, Some(session));
            }
        }
        Ok(())
    }

    async fn look_up_events(&mut self, deliveries: &[Delivery], sessions: &BTreeSet<String>) -> Result<(), StoreError> {
        let sessions: Vec<&str> = sessions.iter().map(String::as_str).collect();
        for part in sessions.chunks(MOST) {
            let select =
                "SELECT session_id, key FROM events WHERE outcome NOT IN ('parked', 'repeated') AND session_id IN (";
            let found: Vec<(String, String)> =
                any_of(select, part).build_query_as().fetch_all(self.part.connection()?).await?;
            let mut keys: HashMap<String, HashSet<String>> = HashMap::new();
            for (session, key) in found {
                keys.entry(session).or_default().insert(key);
            }
            for session in part {
                if let Ok(id) = session.parse() {
                    self.ledger.learn_events_of(id, keys.remove(*session).unwrap_or_default());
                }
            }
        }
        let moving = deliveries.iter().filter(|delivery| delivery.meaning().is_some());
        let keys: BTreeSet<String> = moving.map(Delivery::key).collect();
        let values: Vec<&str> = keys.iter().map(String::as_str).collect();
        let mut stored = BTreeSet::new();
        for part in values.chunks(MOST) {
            let select = "SELECT key FROM events WHERE outcome NOT IN ('parked', 'repeated') AND session_id IS NULL \
                          AND key IN (";
            let found: Vec<String> =
                any_of(select, part).build_query_scalar().fetch_all(self.part.connection()?).await?;
            stored.extend(found);
        }
        for key in keys {
            let known = stored.contains(&key);
            self.ledger.learn_event_of_nobody(key, known);
        }
        Ok(())
    }

    async fn look_up_waiting(&mut self, connections: &BTreeSet<String>) -> Result<(), StoreError> {
        let values: Vec<&str> = connections.iter().map(String::as_str).collect();
        for part in values.chunks(MOST) {
            let rows: Vec<WaitingRow> =
                any_of(WaitingRow::SELECT, part).build_query_as().fetch_all(self.part.connection()?).await?;
            for id in part {
                let mut events: Vec<UnmatchedEvent> =
                    rows.iter().filter(|row| row.connection_id == *id).map(|row| row.event.clone()).collect();
                events.sort_by_key(|event| event.id);
                self.ledger.learn_waiting(ConnectionId((*id).to_owned()), events);
            }
        }
        Ok(())
    }

    /// Writes all that is unwritten.
    pub(super) async fn flush(&mut self) -> Result<(), StoreError> {
        let Some(Unwritten { sessions, attempts, events, acts }) = self.ledger.take_unwritten() else { return Ok(()) };
        let connection = self.part.connection()?;
        let sessions: Vec<&Session> = sessions.values().collect();
        for part in filled_up(&sessions) {
            write_sessions(connection, &self.keys, &part).await?;
        }
        let attempts: Vec<&Matched> = attempts.iter().filter_map(|number| self.ledger.attempt(*number)).collect();
        for part in filled_up(&attempts) {
            write_attempts(connection, &part).await?;
        }
        let mut events = events.into_iter();
        while events.len() > 0 {
            let part = part_of(events.len());
            write_events(connection, events.by_ref().take(part)).await?;
        }
        let (overriding, others): (Vec<&Wish>, Vec<&Wish>) = acts.values().partition(|wish| wish.overrides);
        for (wishes, conflict) in [(others, KEEP), (overriding, OVERRIDE)] {
            for part in filled_up(&wishes) {
                write_acts(connection, &part, conflict).await?;
            }
        }
        Ok(())
    }
}

/// A second wish for the same changes nothing.
const KEEP: &str = " ON CONFLICT (kind, subject) DO NOTHING";
/// A later wish counts, also for an act that was done; one that runs is done once more after it.
const OVERRIDE: &str = " ON CONFLICT (kind, subject) DO UPDATE SET tries = 0, done_at = NULL, \
     due_at = CASE WHEN leased = 1 THEN acts.due_at ELSE excluded.due_at END, \
     again_at = CASE WHEN leased = 1 THEN excluded.due_at END";

async fn write_sessions(to: &mut SqliteConnection, keys: &KeyRing, sessions: &[&Session]) -> Result<(), StoreError> {
    let mut query = QueryBuilder::<Sqlite>::new(
        "INSERT INTO sessions (id, attempt, version, stage, answered, opened, delayed, wallet_name, consent, created_at, \
         updated_at, expires_at) ",
    );
    query.push_values(sessions, |mut row, session| {
        row.push_bind(session.id.to_string())
            .push_bind(i64::from(session.attempt))
            .push_bind(sessions::version(session))
            .push_bind(session.progress.stage.as_str())
            .push_bind(i64::from(session.progress.answered))
            .push_bind(i64::from(session.opened))
            .push_bind(i64::from(session.delayed))
            .push_bind(sessions::sealed_name(keys, session))
            .push_bind(session.consent.clone())
            .push_bind(session.created_at.0)
            .push_bind(session.updated_at.0)
            .push_bind(session.expires_at.0);
    });
    query.push(
        " ON CONFLICT (id) DO UPDATE SET attempt = excluded.attempt, version = excluded.version, stage = excluded.stage, \
         answered = excluded.answered, opened = excluded.opened, delayed = excluded.delayed, \
         wallet_name = excluded.wallet_name, updated_at = excluded.updated_at, expires_at = excluded.expires_at",
    );
    query.build().execute(to).await?;
    Ok(())
}

async fn write_attempts(to: &mut SqliteConnection, attempts: &[&Matched]) -> Result<(), StoreError> {
    let mut query = QueryBuilder::<Sqlite>::new(
        "WITH new (session_id, attempt, connection_id, answered_at, proof_id, proof_thread_id, cards) AS (",
    );
    query.push_values(attempts, |mut row, attempt| {
        row.push_bind(attempt.session.to_string())
            .push_bind(i64::from(attempt.attempt))
            .push_bind(attempt.connection_id.as_ref().map(|id| id.0.clone()))
            .push_bind(attempt.answered_at.map(|at| at.0))
            .push_bind(attempt.proof_id.as_ref().map(|id| id.0.clone()))
            .push_bind(attempt.thread_id.clone())
            .push_bind(attempt.cards.map(Cards::as_str));
    });
    query.push(
        ") UPDATE attempts SET connection_id = new.connection_id, answered_at = new.answered_at, proof_id = new.proof_id, \
         proof_thread_id = new.proof_thread_id, cards = new.cards FROM new \
         WHERE attempts.session_id = new.session_id AND attempts.attempt = new.attempt",
    );
    query.build().execute(to).await?;
    Ok(())
}

async fn write_events(to: &mut SqliteConnection, events: impl Iterator<Item = NewEvent>) -> Result<(), StoreError> {
    let mut query = QueryBuilder::<Sqlite>::new(
        "INSERT INTO events (key, kind, record_id, state, connection_id, out_of_band_id, thread_id, cards, outcome, \
         session_id, attempt, received_at, body, source) ",
    );
    query.push_values(events, |mut row, event| {
        row.push_bind(event.key)
            .push_bind(event.kind)
            .push_bind(event.record_id)
            .push_bind(event.state)
            .push_bind(event.connection_id.map(|id| id.0))
            .push_bind(event.out_of_band_id)
            .push_bind(event.thread_id)
            .push_bind(event.cards)
            .push_bind(event.outcome.as_str())
            .push_bind(event.attempt.map(|(session, _)| session.to_string()))
            .push_bind(event.attempt.map(|(_, attempt)| i64::from(attempt)))
            .push_bind(event.received_at.0)
            .push_bind(event.body)
            .push_bind(event.source);
    });
    query.build().execute(to).await?;
    Ok(())
}

async fn write_acts(to: &mut SqliteConnection, wishes: &[&Wish], conflict: &str) -> Result<(), StoreError> {
    let mut query = QueryBuilder::<Sqlite>::new("INSERT INTO acts (kind, subject, session_id, attempt, lane, due_at) ");
    query.push_values(wishes, |mut row, wish| {
        let attempt: Option<Number> = wish.about.attempt();
        row.push_bind(wish.kind.as_str())
            .push_bind(wish.about.subject())
            .push_bind(attempt.map(|(session, _): (SessionId, u32)| session.to_string()))
            .push_bind(attempt.map(|(_, attempt)| i64::from(attempt)))
            .push_bind(wish.kind.lane() as i64)
            .push_bind(wish.due_at.0);
    });
    query.push(conflict);
    query.build().execute(to).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_filled_up_or_parted_into_powers_of_two() {
        let filled = |count: usize| filled_up(&vec![&0; count]).map(|part| part.len()).collect::<Vec<_>>();
        assert_eq!(filled(0), [0; 0]);
        assert_eq!(filled(45), [64]);
        assert_eq!(filled(130), [64, 64, 2]);
        assert_eq!([0, 1, 45, 200].map(part_of), [0, 1, 32, 64]);
    }

    #[test]
    fn lists_are_filled_up_to_powers_of_two() {
        let sql = |count: usize| any_of("SELECT a IN (", &vec!["x"; count]).sql().as_str().to_owned();
        assert_eq!(sql(1), "SELECT a IN (?)");
        assert_eq!(sql(3), "SELECT a IN (?, ?, ?, ?)");
        assert_eq!(sql(3), sql(4));
    }
}
