//! Everything that a database holds, from one into another, of whichever kind: lines of JSON, a table after the other, and at the
//! end how many rows each has and what their digest is. *Runs: server.*

use std::io::{BufRead, Write};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use super::{
    Store, StoreError, Tx,
    statement::{Row, Value},
};

mod tables;

use tables::{AT_ONCE, TABLES, Table};

/// The form of the lines.
const FORM: u32 = 2;

/// Why it could not be brought over.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file could not be read or written.
    #[error("the file: {0}")]
    File(#[from] std::io::Error),
    /// A line is not what it should be.
    #[error("line {line}: {problem}")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// What is wrong.
        problem: &'static str,
    },
    /// What is to be filled is not empty.
    #[error("the database is not empty: there are rows in {0}")]
    NotEmpty(&'static str),
    /// What arrived is not what was sent.
    #[error("table {table}: {arrived} of {sent} rows arrived, or not as they were sent")]
    Different {
        /// The table.
        table: String,
        /// Rows that are there now.
        arrived: u64,
        /// Rows that the file speaks of.
        sent: u64,
    },
}

/// How many rows a table has, and the digest of all of them in the order of their keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sum {
    /// Its name.
    pub table: String,
    /// How many.
    pub rows: u64,
    /// SHA-256 of their lines, in hexadecimal digits.
    pub sha256: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Vestibule { form: u32 },
    Row(String, Vec<Json>),
    End(Vec<Sum>),
}

impl Store {
    /// Writes everything that is there at this moment. Nothing is opened that is sealed.
    ///
    /// # Errors
    /// When the database or the writing fails.
    pub async fn export(&self, into: &mut (impl Write + Send)) -> Result<Vec<Sum>, TransferError> {
        let mut tx = self.begin().await?;
        tx.sees_one_moment().await?;
        write_line(into, &Line::Vestibule { form: FORM })?;
        let mut sums = Vec::new();
        for table in &TABLES {
            sums.push(tx.read_all(table, |row| write_line(into, &Line::Row(table.name.to_owned(), row))).await?);
        }
        write_line(into, &Line::End(sums.clone()))?;
        into.flush()?;
        Ok(sums)
    }

    /// Fills an empty database with what was exported, all of it or nothing, and reads it back to see that it is the same.
    ///
    /// # Errors
    /// When it is not empty, the lines are not all there, or anything arrived differently; then nothing was changed.
    pub async fn import(&self, from: &mut (impl BufRead + Send)) -> Result<Vec<Sum>, TransferError> {
        let mut tx = self.begin().await?;
        tx.part.take_time().await?;
        for table in &TABLES {
            if tx.part.has(table.any, &[]).await? {
                return Err(TransferError::NotEmpty(table.name));
            }
        }
        let sent = tx.write_all(from).await?;
        let mut arrived = Vec::new();
        for table in &TABLES {
            arrived.push(tx.read_all(table, |_| Ok(())).await?);
        }
        for (sent, arrived) in sent.iter().zip(&arrived) {
            if sent != arrived {
                let (table, arrived, sent) = (sent.table.clone(), arrived.rows, sent.rows);
                return Err(TransferError::Different { table, arrived, sent });
            }
        }
        tx.count_on().await?;
        tx.commit().await?;
        Ok(arrived)
    }
}

impl Tx {
    /// Sees one moment of the database, whatever others do meanwhile. SQLite's writer always does.
    async fn sees_one_moment(&mut self) -> Result<(), StoreError> {
        if self.part.is_shared() {
            self.part.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", &[]).await?;
        }
        self.part.take_time().await
    }

    /// Reads a table in the order of its keys.
    async fn read_all(
        &mut self,
        table: &Table,
        mut each: impl FnMut(Vec<Json>) -> Result<(), TransferError> + Send,
    ) -> Result<Sum, TransferError> {
        let (mut rows, mut digest) = (0, Sha256::new());
        let mut last: Option<Vec<Json>> = None;
        loop {
            let key = match &last {
                None => table.first.iter().map(|first| first.value()).collect(),
                Some(key) => values_of(key, &table.kinds[..key.len()]).unwrap_or_default(),
            };
            let page = self.part.rows(table.select, &key, table.read).await?;
            let is_last = page.len() < AT_ONCE || table.first.is_empty();
            last = page.last().map(|row| row[..table.first.len()].to_vec());
            for row in page {
                rows += 1;
                digest.update(serde_json::to_string(&row).unwrap_or_default());
                digest.update(b"\n");
                each(row)?;
            }
            if is_last {
                let sha256 = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
                return Ok(Sum { table: table.name.to_owned(), rows, sha256 });
            }
        }
    }

    /// Writes the rows of all lines. Gives back what the last line says of them.
    async fn write_all(&mut self, from: &mut (impl BufRead + Send)) -> Result<Vec<Sum>, TransferError> {
        let mut text = String::new();
        let (mut line, mut begun) = (0, false);
        loop {
            text.clear();
            line += 1;
            let wrong = |problem| TransferError::Line { line, problem };
            if from.read_line(&mut text)? == 0 {
                return Err(wrong("the end is missing: the file was cut off"));
            }
            match serde_json::from_str(&text).map_err(|_| wrong("it is none of an export's"))? {
                Line::Vestibule { form: FORM } if !begun => begun = true,
                Line::Vestibule { .. } => return Err(wrong("an export of another version")),
                Line::Row(..) | Line::End(_) if !begun => return Err(wrong("an export begins otherwise")),
                Line::Row(name, row) => {
                    let table = TABLES.iter().find(|table| table.name == name);
                    let table = table.ok_or_else(|| wrong("there is no such table"))?;
                    let values = values_of(&row, table.kinds).ok_or_else(|| wrong("the row is not of this table"))?;
                    self.part.execute(table.insert, &values).await?;
                }
                Line::End(sums) if sums.len() == TABLES.len() => return Ok(sums),
                Line::End(_) => return Err(wrong("an export of another version")),
            }
        }
    }

    /// Lets the numbers of new rows begin after those that are there. SQLite finds them by looking.
    async fn count_on(&mut self) -> Result<(), StoreError> {
        if self.part.is_shared() {
            for sql in COUNT_ON {
                self.part.execute(sql, &[]).await?;
            }
        }
        Ok(())
    }
}

const COUNT_ON: [&str; 3] = [
    "SELECT setval(pg_get_serial_sequence('events', 'id'), (SELECT COALESCE(MAX(id), 0) + 1 FROM events))",
    "SELECT setval(pg_get_serial_sequence('acts', 'id'), (SELECT COALESCE(MAX(id), 0) + 1 FROM acts))",
    "SELECT setval(pg_get_serial_sequence('deeds', 'id'), (SELECT COALESCE(MAX(id), 0) + 1 FROM deeds))",
];

fn write_line(into: &mut impl Write, line: &Line) -> Result<(), TransferError> {
    serde_json::to_writer(&mut *into, line).map_err(std::io::Error::from)?;
    Ok(into.write_all(b"\n")?)
}

/// What a column holds.
#[derive(Clone, Copy)]
enum Kind {
    Integer,
    Text,
    Bytes,
}

/// Before every key of a kind.
#[derive(Clone, Copy)]
enum First {
    Integer,
    Text,
}

impl First {
    fn value(self) -> Value<'static> {
        match self {
            Self::Integer => Value::Integer(i64::MIN),
            Self::Text => Value::from(""),
        }
    }
}

/// The next column of a row, as JSON.
fn json_of(row: &mut Row<'_>, kind: Kind) -> Result<Json, StoreError> {
    Ok(match kind {
        Kind::Integer => row.next::<Option<i64>>()?.into(),
        Kind::Text => row.next::<Option<String>>()?.into(),
        Kind::Bytes => row.next::<Option<Vec<u8>>>()?.map(|bytes| STANDARD.encode(bytes)).into(),
    })
}

/// The values of a row, if they are of these kinds.
fn values_of<'a>(row: &'a [Json], kinds: &[Kind]) -> Option<Vec<Value<'a>>> {
    if row.len() != kinds.len() {
        return None;
    }
    let value = |(json, kind): (&'a Json, &Kind)| match (json, kind) {
        (Json::Null, _) => Some(Value::Null),
        (Json::Number(number), Kind::Integer) => number.as_i64().map(Value::Integer),
        (Json::String(text), Kind::Text) => Some(Value::from(text)),
        (Json::String(text), Kind::Bytes) => STANDARD.decode(text).ok().map(Value::from),
        _ => None,
    };
    row.iter().zip(kinds).map(value).collect()
}
