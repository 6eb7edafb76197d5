//! Acts in the database: what the server has to do next. *Runs: server.*

use std::time::Duration;

use super::{
    About, ActKind, Lane, Store, StoreError, Tx,
    database::Dialect,
    statement::{Row, Value, single, values},
};
use crate::domain::{ids::ConnectionId, time::Timestamp};

/// One act, leased by this worker.
#[derive(Clone, Debug)]
pub struct Act {
    /// Its row.
    pub id: i64,
    /// What.
    pub kind: ActKind,
    /// About what.
    pub about: About,
    /// How often it was tried before.
    pub tries: u32,
}

/// The columns of an act as they are stored.
struct Stored {
    id: i64,
    kind: String,
    session_id: Option<String>,
    attempt: Option<i64>,
    connection_id: Option<String>,
    tries: i64,
}

impl Stored {
    fn read(row: &mut Row<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.next()?,
            kind: row.next()?,
            session_id: row.next()?,
            attempt: row.next()?,
            connection_id: row.next()?,
            tries: row.next()?,
        })
    }
}

impl TryFrom<Stored> for Act {
    type Error = StoreError;

    fn try_from(row: Stored) -> Result<Self, StoreError> {
        let wrong = |problem| StoreError::Inconsistent { table: "acts", row: row.id.to_string(), problem };
        let about = match (&row.session_id, row.attempt, &row.connection_id) {
            (Some(session), Some(attempt), None) => About::Attempt(
                session.parse().map_err(|_| wrong("the session's id is none"))?,
                attempt.try_into().map_err(|_| wrong("the attempt is out of range"))?,
            ),
            (None, None, Some(connection)) => About::Connection(ConnectionId(connection.clone())),
            _ => return Err(wrong("it is about nothing, or about two things")),
        };
        Ok(Self {
            id: row.id,
            kind: ActKind::ALL
                .into_iter()
                .find(|kind| kind.as_str() == row.kind)
                .ok_or_else(|| wrong("there is no such kind"))?,
            about,
            tries: row.tries.try_into().map_err(|_| wrong("the tries are out of range"))?,
        })
    }
}

impl Store {
    /// When the next act of each lane of [`Lane::ALL`] is due; `None` where nothing is left to do.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next_acts_at(&self) -> Result<[Option<Timestamp>; Lane::ALL.len()], StoreError> {
        let sql = "SELECT (SELECT MIN(due_at) FROM acts WHERE lane = ?1 AND done_at IS NULL), \
                   (SELECT MIN(due_at) FROM acts WHERE lane = ?2 AND done_at IS NULL), \
                   (SELECT MIN(due_at) FROM acts WHERE lane = ?3 AND done_at IS NULL), \
                   (SELECT MIN(due_at) FROM acts WHERE lane = ?4 AND done_at IS NULL)";
        let [doing, asking, expiring, purging] = Lane::ALL.map(|lane| lane as i64);
        let read = |row: &mut Row<'_>| Ok([row.next::<Option<i64>>()?, row.next()?, row.next()?, row.next()?]);
        let next = self.database.row(sql, values![doing, asking, expiring, purging], read).await;
        Ok(next?.unwrap_or_default().map(|at| at.map(Timestamp)))
    }
}

/// A wish for an act.
macro_rules! insert {
    () => {
        "INSERT INTO acts (kind, session_id, attempt, connection_id, lane, due_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
    };
}
/// A second wish for the same act changes nothing.
macro_rules! keep {
    ($key:literal) => {
        concat!(insert!(), " ON CONFLICT ", $key, " DO NOTHING")
    };
}
/// A later wish counts, also for an act that was done; one that runs is done once more after it.
macro_rules! override_with {
    ($key:literal) => {
        concat!(
            insert!(),
            " ON CONFLICT ",
            $key,
            " DO UPDATE SET tries = 0, done_at = NULL, \
             due_at = CASE WHEN acts.leased = 1 THEN acts.due_at ELSE excluded.due_at END, \
             again_at = CASE WHEN acts.leased = 1 THEN excluded.due_at END"
        )
    };
}

/// Those that are due, to nobody else. Where several processes look at the same time, none waits for what another is about to
/// take.
const LEASE: Dialect = Dialect {
    sqlite: "UPDATE acts SET due_at = ?3, leased = 1, owner = ?5, tries = tries + 1 WHERE id IN (SELECT id FROM acts \
             WHERE lane = ?1 AND done_at IS NULL AND due_at <= ?2 ORDER BY due_at LIMIT ?4) \
             RETURNING id, kind, session_id, attempt, connection_id, tries - 1",
    postgres: "WITH due AS MATERIALIZED (SELECT id FROM acts WHERE lane = ?1 AND done_at IS NULL AND due_at <= ?2 \
               ORDER BY due_at LIMIT ?4 FOR NO KEY UPDATE SKIP LOCKED) \
               UPDATE acts SET due_at = ?3, leased = 1, owner = ?5, tries = tries + 1 FROM due WHERE acts.id = due.id \
               RETURNING acts.id, kind, session_id, attempt, connection_id, tries - 1",
};

impl Tx {
    /// Makes an act due, once: a second wish for the same changes nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_act(&mut self, kind: ActKind, about: &About, due_at: Timestamp) -> Result<(), StoreError> {
        let sql = match about {
            About::Attempt(..) => keep!("(session_id, attempt, kind)"),
            About::Connection(_) => keep!("(connection_id) WHERE connection_id IS NOT NULL"),
        };
        self.wish(sql, kind, about, due_at).await
    }

    /// Makes an act due at this time and no other, whether or not it is there or was done before. One that runs is done
    /// once more after it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_act(&mut self, kind: ActKind, about: &About, due_at: Timestamp) -> Result<(), StoreError> {
        let sql = match about {
            About::Attempt(..) => override_with!("(session_id, attempt, kind)"),
            About::Connection(_) => override_with!("(connection_id) WHERE connection_id IS NOT NULL"),
        };
        self.wish(sql, kind, about, due_at).await
    }

    /// Makes an act of an attempt, one that it has from its beginning, due at this time at the latest: one that is due before
    /// finds out by itself that it may wait on, and costs nothing here. One that runs is done once more after it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn wake_act(&mut self, kind: ActKind, about: &About, due_at: Timestamp) -> Result<(), StoreError> {
        let Some((session, attempt)) = about.attempt() else { return Ok(()) };
        let sql = "UPDATE acts SET tries = 0, done_at = NULL, due_at = CASE WHEN leased = 1 THEN due_at ELSE ?4 END, \
                   again_at = CASE WHEN leased = 1 THEN ?4 END WHERE session_id = ?1 AND attempt = ?2 AND kind = ?3 \
                   AND (done_at IS NOT NULL OR leased = 1 OR due_at > ?4)";
        self.part.execute(sql, values![&session, attempt, kind.as_str(), due_at]).await?;
        self.note_due(kind.lane(), due_at);
        Ok(())
    }

    async fn wish(
        &mut self,
        sql: &'static str,
        kind: ActKind,
        about: &About,
        due_at: Timestamp,
    ) -> Result<(), StoreError> {
        let lane = kind.lane();
        let (kind, in_lane) = (Value::from(kind.as_str()), Value::from(lane as i64));
        let [session, attempt, connection] = match about {
            About::Attempt(session, attempt) => [Value::from(session), Value::from(*attempt), Value::Null],
            About::Connection(id) => [Value::Null, Value::Null, Value::from(&id.0)],
        };
        self.part.execute(sql, &[kind, session, attempt, connection, in_lane, Value::from(due_at)]).await?;
        self.note_due(lane, due_at);
        Ok(())
    }

    fn note_due(&mut self, lane: Lane, due_at: Timestamp) {
        let soonest = &mut self.soonest[lane as usize];
        *soonest = Some(soonest.map_or(due_at, |soonest| soonest.min(due_at)));
    }

    /// The earliest time at which anything of a lane is due that this transaction made due.
    #[must_use]
    pub fn soonest(&self, lane: Lane) -> Option<Timestamp> {
        self.soonest[lane as usize]
    }

    /// Whether anything is due by then that this transaction made due.
    #[must_use]
    pub fn makes_due(&self, by: Timestamp) -> bool {
        self.soonest.iter().flatten().any(|soonest| *soonest <= by)
    }

    /// Leases some of the acts of a lane that are due; nobody else gets them until the lease ends. Then what makes due is
    /// the lane's next act.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lease_acts(
        &mut self,
        lane: Lane,
        now: Timestamp,
        lease: Duration,
        most: usize,
    ) -> Result<Vec<Act>, StoreError> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let values = values![lane as i64, now, now.plus(lease), most, self.owner];
        let rows = self.part.rows(self.part.say(LEASE), values, Stored::read).await?;
        let readable = |row: Stored| {
            // One that cannot be read must not hold up the others.
            Act::try_from(row).inspect_err(|error| tracing::error!(%error, "an act cannot be read")).ok()
        };
        let acts = rows.into_iter().filter_map(readable).collect();
        let next = "SELECT MIN(due_at) FROM acts WHERE lane = ?1 AND done_at IS NULL";
        let next = self.part.row(next, values![lane as i64], single::<Option<i64>>).await?;
        self.soonest[lane as usize] = next.flatten().map(Timestamp);
        Ok(acts)
    }

    /// Lengthens a lease, while what was leased goes on.
    ///
    /// # Errors
    /// When the lease is no longer ours, or the database fails.
    pub async fn renew_lease(&mut self, id: i64, until: Timestamp) -> Result<(), StoreError> {
        let sql = "UPDATE acts SET due_at = CASE WHEN due_at < ?2 THEN ?2 ELSE due_at END \
                   WHERE id = ?1 AND leased = 1 AND owner = ?3";
        let renewed = self.part.execute(sql, values![id, until, self.owner]).await?;
        if renewed == 0 { Err(StoreError::LeaseLost) } else { Ok(()) }
    }

    /// Ends an act, unless it was made due again while it ran.
    ///
    /// # Errors
    /// When the act's lease is no longer ours, or the database fails.
    pub async fn finish_act(&mut self, id: i64, now: Timestamp) -> Result<(), StoreError> {
        let sql = "UPDATE acts SET done_at = CASE WHEN again_at IS NULL THEN ?2 END, due_at = COALESCE(again_at, due_at), \
                   again_at = NULL, leased = 0 WHERE id = ?1 AND leased = 1 AND owner = ?3 \
                   RETURNING lane, CASE WHEN done_at IS NULL THEN due_at END";
        self.end_run(sql, values![id, now, self.owner]).await
    }

    /// Puts an act off, with the reason if there is one; or to when it was made due again while it ran.
    ///
    /// # Errors
    /// When the act's lease is no longer ours, or the database fails.
    pub async fn put_off_act(&mut self, id: i64, due_at: Timestamp, reason: Option<&str>) -> Result<(), StoreError> {
        let sql = "UPDATE acts SET due_at = COALESCE(again_at, ?2), again_at = NULL, leased = 0, problem = ?4 WHERE id = ?1 \
                   AND leased = 1 AND owner = ?3 RETURNING lane, due_at";
        self.end_run(sql, values![id, due_at, self.owner, reason]).await
    }

    /// Puts an act off as if it had never been tried; or to when it was made due again while it ran.
    ///
    /// # Errors
    /// When the act's lease is no longer ours, or the database fails.
    pub async fn rest_act(&mut self, id: i64, due_at: Timestamp) -> Result<(), StoreError> {
        let sql = "UPDATE acts SET due_at = COALESCE(again_at, ?2), again_at = NULL, leased = 0, tries = 0 WHERE id = ?1 \
                   AND leased = 1 AND owner = ?3 RETURNING lane, due_at";
        self.end_run(sql, values![id, due_at, self.owner]).await
    }

    /// Changes an act that ran, and notes when it is due again, if it is.
    async fn end_run(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<(), StoreError> {
        let due = self.part.rows(sql, values, |row| Ok((row.next::<i64>()?, row.next::<Option<i64>>()?))).await?;
        if due.is_empty() {
            return Err(StoreError::LeaseLost);
        }
        for (lane, due_at) in due {
            let lane = Lane::ALL.into_iter().find(|known| *known as i64 == lane);
            if let (Some(lane), Some(due_at)) = (lane, due_at) {
                self.note_due(lane, Timestamp(due_at));
            }
        }
        Ok(())
    }

    /// Frees the leases of a process that is no more, where one process alone has the database: elsewhere they end by
    /// themselves.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn free_leases(&mut self) -> Result<(), StoreError> {
        if self.part.is_shared() {
            return Ok(());
        }
        let sql = "UPDATE acts SET due_at = 0, leased = 0 WHERE leased = 1 AND done_at IS NULL";
        self.part.execute(sql, &[]).await.map(drop)
    }

    /// Sets when everything is to be deleted by how long the desk keeps it now: what was submitted, counted from then,
    /// and what never was, counted from its beginning. Where that is as it was, all is set already, and a start does not
    /// wait for every registration there is to be looked at.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn schedule_purges(&mut self, keep: Duration, unfinished: Duration) -> Result<(), StoreError> {
        // So long that it never comes, and still far from where adding to it overflows.
        let ms = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 2).min(i64::MAX / 2);
        let (keep, unfinished) = (ms(keep), ms(unfinished));
        // Of a million registrations it takes longer than other statements may.
        self.part.take_time().await?;
        if self.part.is_shared() {
            // One start at a time.
            self.part.execute("LOCK TABLE retention IN SHARE ROW EXCLUSIVE MODE", &[]).await?;
        }
        let last = self.part.row("SELECT kept, unfinished FROM retention", &[], |row| Ok((row.next()?, row.next()?)));
        let last = last.await?;
        if last == Some((keep, unfinished)) {
            return Ok(());
        }
        let sql = "UPDATE acts SET due_at = wanted.due_at FROM (SELECT purges.id AS id, \
                   COALESCE(registrations.submitted_at + ?1, sessions.created_at + ?2) AS due_at FROM acts AS purges \
                   JOIN sessions ON sessions.id = purges.session_id \
                   LEFT JOIN registrations ON registrations.session_id = purges.session_id \
                   WHERE purges.kind = 'purge' AND purges.lane = 3 AND purges.done_at IS NULL) AS wanted \
                   WHERE acts.id = wanted.id AND acts.due_at <> wanted.due_at";
        self.part.execute(sql, values![keep, unfinished]).await?;
        self.part.execute("DELETE FROM retention", &[]).await?;
        let sql = "INSERT INTO retention (kept, unfinished) VALUES (?1, ?2)";
        self.part.execute(sql, values![keep, unfinished]).await.map(drop)
    }
}
