//! Seals once more, with the present key, what an older one sealed. *Runs: server.*

use super::{
    Store, StoreError,
    statement::{Row, values},
};

/// A column of sealed data: how its rows are walked through, how one is changed, and what each is bound to.
pub(super) struct Column {
    /// The rows after a key, in the order of the key.
    pub(super) select: &'static str,
    /// Changes one row, unless somebody else has meanwhile.
    update: &'static str,
    pub(super) place: fn(&Sealed) -> String,
}

pub(super) struct Sealed {
    /// Or another key that is one text.
    pub(super) session: String,
    /// 0 where a row is a whole session's.
    pub(super) attempt: i64,
    pub(super) sealed: Vec<u8>,
}

impl Sealed {
    pub(super) fn read(row: &mut Row<'_>) -> Result<Self, StoreError> {
        Ok(Self { session: row.next()?, attempt: row.next()?, sealed: row.next()? })
    }
}

pub(super) const COLUMNS: [Column; 5] = [
    Column {
        select: "SELECT id AS session, CAST(0 AS BIGINT) AS attempt, wallet_name AS sealed FROM sessions \
                 WHERE wallet_name IS NOT NULL AND id > ?1 AND ?2 >= 0 ORDER BY id LIMIT 500",
        update: "UPDATE sessions SET wallet_name = ?4 WHERE id = ?1 AND ?2 >= 0 AND wallet_name = ?3",
        place: |row| format!("sessions/{}/wallet_name", row.session),
    },
    Column {
        select: "SELECT id AS session, CAST(0 AS BIGINT) AS attempt, draft AS sealed FROM sessions \
                 WHERE draft IS NOT NULL AND id > ?1 AND ?2 >= 0 ORDER BY id LIMIT 500",
        update: "UPDATE sessions SET draft = ?4 WHERE id = ?1 AND ?2 >= 0 AND draft = ?3",
        place: |row| format!("sessions/{}/draft", row.session),
    },
    Column {
        select: "SELECT session_id AS session, attempt, attributes AS sealed FROM attempts \
                 WHERE attributes IS NOT NULL AND (session_id, attempt) > (?1, ?2) ORDER BY session_id, attempt LIMIT 500",
        update: "UPDATE attempts SET attributes = ?4 WHERE session_id = ?1 AND attempt = ?2 AND attributes = ?3",
        place: |row| format!("attempts/{}/{}/attributes", row.session, row.attempt),
    },
    Column {
        select: "SELECT session_id AS session, CAST(0 AS BIGINT) AS attempt, record AS sealed FROM registrations \
                 WHERE length(record) > 0 AND session_id > ?1 AND ?2 >= 0 ORDER BY session_id LIMIT 500",
        update: "UPDATE registrations SET record = ?4 WHERE session_id = ?1 AND ?2 >= 0 AND record = ?3",
        place: |row| format!("registrations/{}/record", row.session),
    },
    Column {
        select: "SELECT id AS session, CAST(0 AS BIGINT) AS attempt, name AS sealed FROM sign_ins \
                 WHERE id > ?1 AND ?2 >= 0 ORDER BY id LIMIT 500",
        update: "UPDATE sign_ins SET name = ?4 WHERE id = ?1 AND ?2 >= 0 AND name = ?3",
        place: |row| format!("sign_ins/{}/name", row.session),
    },
];

/// What became of all that is sealed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resealed {
    /// Sealed once more.
    pub changed: u64,
    /// Sealed with the present key already.
    pub kept: u64,
    /// Could not be opened: its key is neither the present one nor among the old ones.
    pub lost: u64,
}

impl Store {
    /// Goes through everything that is sealed. A part at a time, so that a server on the same database goes on; safe to
    /// stop at any time and to repeat.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reseal(&self) -> Result<Resealed, StoreError> {
        let mut result = Resealed::default();
        for column in COLUMNS {
            let mut after = (String::new(), 0_i64);
            loop {
                let mut tx = self.begin().await?;
                let rows = tx.part.rows(column.select, values![&after.0, after.1], Sealed::read).await?;
                let Some(last) = rows.last() else { break };
                after = (last.session.clone(), last.attempt);
                for row in &rows {
                    if self.keys.is_present(&row.sealed) {
                        result.kept += 1;
                        continue;
                    }
                    let place = (column.place)(row);
                    let Some(opened) = self.keys.unseal(&place, &row.sealed) else {
                        result.lost += 1;
                        continue;
                    };
                    let anew = self.keys.seal(&place, &opened);
                    let values = values![&row.session, row.attempt, &*row.sealed, anew];
                    tx.part.execute(column.update, values).await?;
                    result.changed += 1;
                }
                tx.commit().await?;
            }
        }
        Ok(result)
    }
}
