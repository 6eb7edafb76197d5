//! What the staff's board lists. Pages go by the time at which registrations began, and each is a range of an index, however many
//! there are; those under way are found by the deadlines that are set for them. *Runs: server.*

use super::{
    Store, StoreError,
    database::Database,
    sessions::{Stored as StoredSession, columns},
    statement::{Row, Value, values},
};
use crate::domain::{ids::SessionId, session::Session, stage::Stage, time::Timestamp};

/// Which registrations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    /// Every one.
    All,
    /// Those under way, or of these those in one stage.
    Running(Option<Stage>),
    /// Of those under way the ones that wait for something which should have come: what the server has to do fails, the platform
    /// is slow, or a wallet has said nothing since this time.
    Stuck(Timestamp),
    /// Those that ended so.
    Ended(Stage),
}

/// A place in the list, between two registrations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// When the one beside it began,
    pub created_at: Timestamp,
    /// and its id.
    pub id: String,
}

impl Place {
    /// Before the newest.
    #[must_use]
    pub fn newest() -> Self {
        Self { created_at: Timestamp(i64::MAX), id: String::new() }
    }
}

/// Which way from a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Towards {
    /// To those that began before.
    Older,
    /// To those that began after.
    Newer,
}

/// A registration as it is listed.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its session.
    pub session: Session,
    /// Its number, once it is submitted.
    pub number: Option<String>,
    /// Why the server's next step had to be put off, and how often it was tried.
    pub problem: Option<(String, u32)>,
}

/// The columns of an entry as they are stored.
struct Stored {
    session: StoredSession,
    number: Option<String>,
    problem: Option<String>,
    tries: Option<i64>,
}

impl Stored {
    fn read(row: &mut Row<'_>) -> Result<Self, StoreError> {
        Ok(Self { session: StoredSession::read(row)?, number: row.next()?, problem: row.next()?, tries: row.next()? })
    }
}

/// What is put off of a registration's present attempt; of several the one that was tried most.
macro_rules! put_off {
    ($column:literal) => {
        concat!(
            "(SELECT ",
            $column,
            " FROM acts WHERE acts.session_id = sessions.id AND acts.attempt = sessions.attempt AND acts.done_at IS NULL \
             AND acts.problem IS NOT NULL ORDER BY acts.tries DESC LIMIT 1)"
        )
    };
}
macro_rules! entries {
    ($from:expr) => {
        concat!(
            "SELECT ",
            columns!(),
            ", (SELECT number FROM registrations WHERE registrations.session_id = sessions.id), ",
            put_off!("acts.problem"),
            ", ",
            put_off!("acts.tries"),
            " FROM ",
            $from
        )
    };
}
/// The sessions under way: each has a deadline. A cross join, because SQLite would otherwise begin with all sessions.
macro_rules! running {
    () => {
        "(SELECT DISTINCT session_id FROM acts WHERE lane = 2 AND done_at IS NULL) AS open CROSS JOIN sessions \
         WHERE sessions.id = open.session_id AND sessions.ended IS NULL"
    };
}
/// Entries with a condition, from a place on, in both directions.
macro_rules! pages {
    ($from:expr) => {
        [
            concat!(entries!($from), " AND (created_at, id) < (?1, ?2) ORDER BY created_at DESC, id DESC LIMIT ?3"),
            concat!(entries!($from), " AND (created_at, id) > (?1, ?2) ORDER BY created_at, id LIMIT ?3"),
        ]
    };
}
const ALL: [&str; 2] = pages!("sessions WHERE 1 = 1");
const ENDED: [&str; 2] = pages!("sessions WHERE ended = ?4");
const RUNNING: [&str; 2] = pages!(running!());
const IN_STAGE: [&str; 2] = pages!(concat!(running!(), " AND sessions.stage = ?4"));
const STUCK: [&str; 2] = pages!(concat!(
    running!(),
    " AND (sessions.delayed = 1 OR (sessions.updated_at < ?4 AND sessions.stage IN ('scanned', 'connected', 'requested', \
     'presented')) OR EXISTS (SELECT 1 FROM acts WHERE acts.session_id = sessions.id AND acts.attempt = sessions.attempt \
     AND acts.done_at IS NULL AND acts.problem IS NOT NULL))"
));
const ONE: &str = entries!("sessions WHERE id = ?1");

/// So many sessions are looked at together when wallets are searched by name.
const AT_ONCE: u32 = 2_000;

/// What a search by the wallet's name found.
#[derive(Clone, Debug)]
pub struct ByName {
    /// The registrations, the newest first.
    pub found: Vec<Entry>,
    /// Where the search stopped; `None` when it came to the end.
    pub searched_to: Option<Place>,
}

impl Store {
    fn entry(&self, row: Stored) -> Result<Entry, StoreError> {
        let tries = row.tries.and_then(|tries| tries.try_into().ok()).unwrap_or_default();
        Ok(Entry {
            session: row.session.session(&self.keys)?,
            number: row.number,
            problem: row.problem.map(|problem| (problem, tries)),
        })
    }

    /// So many registrations from a place on, the newest first whichever way it goes.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn entries(
        &self,
        listed: Listed,
        from: &Place,
        towards: Towards,
        most: u32,
    ) -> Result<Vec<Entry>, StoreError> {
        let (statements, value) = match listed {
            Listed::All => (ALL, None),
            Listed::Running(None) => (RUNNING, None),
            Listed::Running(Some(stage)) => (IN_STAGE, Some(Value::from(stage.as_str()))),
            Listed::Stuck(since) => (STUCK, Some(Value::from(since))),
            Listed::Ended(stage) => (ENDED, Some(Value::from(stage.as_str()))),
        };
        let mut values = vec![Value::from(from.created_at), Value::from(&from.id), Value::from(most)];
        values.extend(value);
        let rows = self.database.rows_apart(statements[towards as usize], &values, Stored::read).await?;
        let mut entries = rows.into_iter().map(|row| self.entry(row)).collect::<Result<Vec<_>, _>>()?;
        if towards == Towards::Newer {
            entries.reverse();
        }
        Ok(entries)
    }

    /// One registration as it is listed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn one_entry(&self, id: SessionId) -> Result<Option<Entry>, StoreError> {
        self.database.row(ONE, values![&id], Stored::read).await?.map(|row| self.entry(row)).transpose()
    }

    /// How many are under way, by stage.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_running(&self) -> Result<Vec<(Stage, u64)>, StoreError> {
        let sql = concat!("SELECT sessions.stage, COUNT(*) FROM ", running!(), " GROUP BY sessions.stage");
        self.counted(sql, &[]).await
    }

    /// How many ended that began at this time or later, by their end.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_ended(&self, since: Timestamp) -> Result<Vec<(Stage, u64)>, StoreError> {
        let mut counted = Vec::new();
        for stage in Stage::ALL.into_iter().filter(|stage| stage.is_end()) {
            let sql = "SELECT ended, COUNT(*) FROM sessions WHERE ended = ?1 AND created_at >= ?2 GROUP BY ended";
            counted.extend(self.counted(sql, values![stage.as_str(), since]).await?);
        }
        Ok(counted)
    }

    async fn counted(&self, sql: &'static str, values: &[Value<'_>]) -> Result<Vec<(Stage, u64)>, StoreError> {
        let read = |row: &mut Row<'_>| Ok((row.next::<String>()?, row.next::<i64>()?));
        let rows = self.database.rows_apart(sql, values, read).await?;
        let known = |(stage, count): (String, i64)| Some((Stage::from_name(&stage)?, count.try_into().ok()?));
        Ok(rows.into_iter().filter_map(known).collect())
    }

    /// The registrations that a text is a key of: their number, session, link, or an id of the platform's; and of those under way
    /// the ones whose matching code it is.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn entries_by_key(&self, text: &str) -> Result<Vec<Entry>, StoreError> {
        let by_key = "SELECT id FROM sessions WHERE id = ?1 \
                      UNION ALL SELECT session_id FROM registrations WHERE number = ?2 \
                      UNION ALL SELECT session_id FROM attempts WHERE out_of_band_id = ?1 \
                      UNION ALL SELECT session_id FROM attempts WHERE invitation_id = ?1 \
                      UNION ALL SELECT session_id FROM attempts WHERE connection_id = ?1 \
                      UNION ALL SELECT session_id FROM attempts WHERE proof_id = ?1 \
                      UNION ALL SELECT session_id FROM attempts WHERE proof_thread_id = ?1 \
                      UNION ALL SELECT session_id FROM attempts WHERE alias = ?1 \
                      UNION ALL SELECT session_id FROM attempts WHERE link = ?1";
        let by_code = "SELECT attempts.session_id FROM (SELECT session_id, attempt FROM acts WHERE lane = 2 AND done_at IS NULL) \
                       AS open CROSS JOIN attempts WHERE attempts.session_id = open.session_id \
                       AND attempts.attempt = open.attempt AND attempts.code = ?1";
        let capitals = text.to_uppercase();
        let mut ids =
            self.database.rows_apart(by_key, values![text, &capitals], super::statement::single::<String>).await?;
        if text.chars().count() == CODE {
            ids.extend(
                self.database.rows_apart(by_code, values![&capitals], super::statement::single::<String>).await?,
            );
        }
        ids.sort_unstable();
        ids.dedup();
        self.entries_of(&ids).await
    }

    /// The registrations whose wallet's name holds a text, whatever its case, from a place on to older ones: so many of them, or as
    /// far as `at_most` registrations reach. The names are sealed, so each has to be opened.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn entries_by_wallet(
        &self,
        text: &str,
        from: &Place,
        most: usize,
        at_most: u32,
    ) -> Result<ByName, StoreError> {
        let sql = "SELECT created_at, id, wallet_name FROM sessions WHERE (created_at, id) < (?1, ?2) \
                   ORDER BY created_at DESC, id DESC LIMIT ?3";
        let (wanted, mut place, mut ids) = (text.to_lowercase(), from.clone(), Vec::new());
        let mut searched_to = None;
        for _ in 0..at_most.div_ceil(AT_ONCE) {
            let read =
                |row: &mut Row<'_>| Ok((row.next::<i64>()?, row.next::<String>()?, row.next::<Option<Vec<u8>>>()?));
            let rows = self.database.rows_apart(sql, values![place.created_at, &place.id, AT_ONCE], read).await?;
            let is_last = rows.len() < AT_ONCE as usize;
            for (created_at, id, name) in rows {
                place = Place { created_at: Timestamp(created_at), id };
                let name = name.and_then(|name| super::sessions::open_name(&self.keys, &place.id, &name));
                if name.is_some_and(|name| name.to_lowercase().contains(&wanted)) {
                    ids.push(place.id.clone());
                    if ids.len() == most {
                        break;
                    }
                }
            }
            searched_to = (!is_last || ids.len() == most).then(|| place.clone());
            if searched_to.is_none() || ids.len() == most {
                break;
            }
            // Others get their turn in between.
            tokio::task::yield_now().await;
        }
        Ok(ByName { found: self.entries_of(&ids).await?, searched_to })
    }

    /// These registrations, the newest first.
    async fn entries_of(&self, ids: &[String]) -> Result<Vec<Entry>, StoreError> {
        let rows: Vec<Stored> = match &self.database {
            Database::Sqlite(file) => {
                let read = |id| file.read(|db| db.row(ONE, values![id], Stored::read)).transpose();
                ids.iter().filter_map(read).collect::<Result<_, _>>()?
            }
            Database::Postgres(_) => {
                let sql = entries!("sessions WHERE id = ANY (string_to_array(?1, ','))");
                self.database.rows_apart(sql, values![ids.join(",")], Stored::read).await?
            }
        };
        let mut entries = rows.into_iter().map(|row| self.entry(row)).collect::<Result<Vec<_>, _>>()?;
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.session.created_at));
        Ok(entries)
    }
}

/// How many characters a matching code has.
const CODE: usize = 4;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::server::{
        secrets::{KeyRing, SecretKey},
        store::statement::single,
    };

    #[tokio::test]
    async fn a_page_of_a_list_is_a_range_of_an_index_however_long_the_list_is() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("plans.db").display());
        let keys = Arc::new(KeyRing::new(SecretKey::from_master(&[1; 32]), Vec::new()));
        let store = Store::open(&url, 1, keys).await.unwrap();
        let plan = async |sql: &str| -> String {
            let sql: &'static str = format!("EXPLAIN QUERY PLAN {sql}").leak();
            let count = (1..=4).filter(|number| sql.contains(&format!("?{number}"))).count();
            let values: Vec<Value<'_>> = (0..count).map(|_| Value::Null).collect();
            let steps = store.database.rows_apart(sql, &values, |row| {
                let (_, parent, _): (i64, i64, i64) = (row.next()?, row.next()?, row.next()?);
                Ok((parent, single::<String>(row)?))
            });
            // What belongs to no other step; the others look at one registration each.
            let outer = steps.await.unwrap().into_iter().filter(|(parent, _)| *parent == 0);
            outer.map(|(_, step)| step).collect::<Vec<_>>().join("\n")
        };
        for (statements, index) in [(ALL, "sessions_begun"), (ENDED, "sessions_ended")] {
            for sql in statements {
                let plan = plan(sql).await;
                assert!(plan.contains(&format!("INDEX {index}")) && plan.contains("SEARCH sessions"), "{plan}");
                assert!(!plan.contains("B-TREE") && !plan.contains("SCAN"), "{plan}");
            }
        }
        // Of these there are as many as are under way, and no more are looked at.
        for sql in RUNNING.into_iter().chain(IN_STAGE).chain(STUCK) {
            let plan = plan(sql).await;
            assert!(plan.contains("SCAN open") && plan.contains("SEARCH sessions USING PRIMARY KEY"), "{plan}");
        }
    }
}
