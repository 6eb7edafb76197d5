//! What happened to one registration, as it is stored; and the deleting of what is personal in it. *Runs: server.*

use super::{
    Store, StoreError, Tx,
    statement::{Row, values},
};
use crate::domain::{ids::SessionId, time::Timestamp};

/// The most that is told of a registration's deliveries; a platform may repeat them without an end.
const MOST: u32 = 500;

/// One attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastAttempt {
    /// Its number, from 1.
    pub number: u32,
    /// When it began.
    pub created_at: Timestamp,
    /// When the platform was told to ask for the proof.
    pub proof_asked_at: Option<Timestamp>,
    /// Whether it has a code to scan, or goes over the connection of an earlier one.
    pub has_code: bool,
    /// The matching code.
    pub code: String,
    /// The platform's ids: of the invitation, the connection and the exchange.
    pub ids: [Option<String>; 3],
    /// Whether revealed attributes are kept.
    pub has_attributes: bool,
}

/// One delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastEvent {
    /// When it came.
    pub at: Timestamp,
    /// `connection`, `proof` or another.
    pub kind: String,
    /// The platform's word for the state.
    pub state: Option<String>,
    /// What became of it, by its name in the database.
    pub outcome: String,
    /// The attempt it belongs to.
    pub attempt: Option<u32>,
    /// Whether the platform said it when it was asked.
    pub was_asked: bool,
}

/// One act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastAct {
    /// Its kind, by its name in the database.
    pub kind: String,
    /// The attempt it is about.
    pub attempt: Option<u32>,
    /// When it is due, or was.
    pub due_at: Timestamp,
    /// How often it was tried.
    pub tries: u32,
    /// When it was done.
    pub done_at: Option<Timestamp>,
    /// Why it was put off, the last time it was.
    pub problem: Option<String>,
}

fn number(value: i64) -> u32 {
    value.try_into().unwrap_or_default()
}

impl Store {
    /// The attempts of a registration, the first one first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn past_attempts(&self, session: SessionId) -> Result<Vec<PastAttempt>, StoreError> {
        let sql = "SELECT attempt, created_at, proof_asked_at, link, code, out_of_band_id, connection_id, proof_id, \
                   CAST(CASE WHEN attributes IS NULL THEN 0 ELSE 1 END AS BIGINT) FROM attempts WHERE session_id = ?1 \
                   ORDER BY attempt";
        let read = |row: &mut Row<'_>| {
            Ok(PastAttempt {
                number: number(row.next()?),
                created_at: Timestamp(row.next()?),
                proof_asked_at: row.next::<Option<i64>>()?.map(Timestamp),
                has_code: row.next::<Option<String>>()?.is_some(),
                code: row.next()?,
                ids: [row.next()?, row.next()?, row.next()?],
                has_attributes: row.next()?,
            })
        };
        self.database.rows(sql, values![&session], read).await
    }

    /// The deliveries of a registration in the order they came; of very many the first ones.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn past_events(&self, session: SessionId) -> Result<Vec<PastEvent>, StoreError> {
        let sql = "SELECT received_at, kind, state, outcome, attempt, source FROM events WHERE session_id = ?1 \
                   ORDER BY received_at, id LIMIT ?2";
        let read = |row: &mut Row<'_>| {
            Ok(PastEvent {
                at: Timestamp(row.next()?),
                kind: row.next()?,
                state: row.next()?,
                outcome: row.next()?,
                attempt: row.next::<Option<i64>>()?.map(number),
                was_asked: row.next::<String>()? == "asked",
            })
        };
        self.database.rows(sql, values![&session, MOST], read).await
    }

    /// The acts of a registration.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn past_acts(&self, session: SessionId) -> Result<Vec<PastAct>, StoreError> {
        let sql = "SELECT kind, attempt, due_at, tries, done_at, problem FROM acts WHERE session_id = ?1 ORDER BY id LIMIT ?2";
        let read = |row: &mut Row<'_>| {
            Ok(PastAct {
                kind: row.next()?,
                attempt: row.next::<Option<i64>>()?.map(number),
                due_at: Timestamp(row.next()?),
                tries: number(row.next()?),
                done_at: row.next::<Option<i64>>()?.map(Timestamp),
                problem: row.next()?,
            })
        };
        self.database.rows(sql, values![&session, MOST], read).await
    }
}

impl Tx {
    /// Deletes what is personal of a registration: what was revealed, typed and submitted, the wallet's name, the bodies of its
    /// deliveries, and codes for other devices. What stays says that there was one, its number and when what happened.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn erase(&mut self, session: SessionId) -> Result<(), StoreError> {
        let statements = [
            "UPDATE sessions SET wallet_name = NULL, draft = NULL WHERE id = ?1",
            "UPDATE attempts SET attributes = NULL WHERE session_id = ?1",
            "UPDATE events SET body = '{}' WHERE session_id = ?1",
            "DELETE FROM hand_overs WHERE session_id = ?1",
        ];
        for sql in statements {
            self.part.execute(sql, values![&session]).await?;
        }
        // It may not be missing, so it is empty.
        let sql = "UPDATE registrations SET record = ?2 WHERE session_id = ?1";
        self.part.execute(sql, values![&session, Vec::new()]).await.map(drop)
    }
}
