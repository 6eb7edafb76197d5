//! Fills a database with copies of a real registration: all its rows in all tables, each with ids of its own. So the copies
//! are as large and as many-rowed as the original, whatever the schema is. *Runs: generator.*

use std::path::Path;

use rusqlite::{Connection, params_from_iter, types::Value};

use crate::template::Template;

/// The columns that hold the ids of a registration; a copy has others in their place, wherever they stand.
const IDS: [(&str, &str); 8] = [
    ("sessions", "id"),
    ("attempts", "link"),
    ("attempts", "alias"),
    ("attempts", "out_of_band_id"),
    ("attempts", "invitation_id"),
    ("attempts", "connection_id"),
    ("attempts", "proof_id"),
    ("attempts", "proof_thread_id"),
];

/// One value of a row.
enum Cell {
    Same(Value),
    Text(Template),
}

/// The rows that belong to a registration in one table.
struct Table {
    insert: String,
    rows: Vec<Vec<Cell>>,
}

/// Adds this many copies of the session with this id. The server must not be running.
///
/// # Errors
/// When the database is not one of the program's.
pub(super) fn copy(database: &Path, session: &str, copies: usize) -> rusqlite::Result<()> {
    let mut connection = Connection::open(database)?;
    // Nobody needs this file after a power cut.
    connection.execute_batch("PRAGMA synchronous = OFF; PRAGMA cache_size = -200000;")?;
    let ids = ids(&connection, session)?;
    let tables = tables(&connection, session, &ids)?;
    let transaction = connection.transaction()?;
    for _ in 0..copies {
        let other: Vec<String> = ids.iter().map(|id| other_id(id)).collect();
        for table in &tables {
            let mut insert = transaction.prepare_cached(&table.insert)?;
            for row in &table.rows {
                let values = row.iter().map(|cell| match cell {
                    Cell::Same(value) => value.clone(),
                    Cell::Text(template) => Value::Text(template.with(&other)),
                });
                insert.execute(params_from_iter(values))?;
            }
        }
    }
    transaction.commit()?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

fn ids(connection: &Connection, session: &str) -> rusqlite::Result<Vec<String>> {
    let mut ids = vec![session.to_owned()];
    for (table, column) in IDS {
        let key = if table == "sessions" { "id" } else { "session_id" };
        let sql = format!("SELECT {column} FROM {table} WHERE {key} = ?1 AND {column} IS NOT NULL");
        let mut statement = connection.prepare(&sql)?;
        let found = statement.query_map([session], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
        ids.extend(found.into_iter().filter(|id| !id.is_empty() && *id != session));
    }
    Ok(ids)
}

/// Another id of the same shape: each letter and each digit is another one by chance, the rest stays.
fn other_id(id: &str) -> String {
    id.chars().map(|sign| if sign.is_ascii_alphanumeric() { fastrand::digit(16) } else { sign }).collect()
}

fn tables(connection: &Connection, session: &str, ids: &[String]) -> rusqlite::Result<Vec<Table>> {
    let names = connection
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name = 'sessions' DESC")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<String>>>()?;
    let mut tables = Vec::new();
    for name in names {
        let columns = connection
            .prepare("SELECT name, type = 'INTEGER' AND pk = 1 FROM pragma_table_info(?1)")?
            .query_map([&name], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<Vec<(String, bool)>>>()?;
        let key = if name == "sessions" { "id" } else { "session_id" };
        if !columns.iter().any(|(column, _)| column == key) {
            continue;
        }
        let mut statement = connection.prepare(&format!("SELECT * FROM {name} WHERE {key} = ?1"))?;
        let mut found = statement.query([session])?;
        let mut rows = Vec::new();
        while let Some(row) = found.next()? {
            let mut cells = Vec::new();
            for (number, (_, counted)) in columns.iter().enumerate() {
                cells.push(match row.get(number)? {
                    // A number that the database gives.
                    _ if *counted => Cell::Same(Value::Null),
                    Value::Text(text) => Cell::Text(Template::of(&text, ids)),
                    value => Cell::Same(value),
                });
            }
            rows.push(cells);
        }
        let places = vec!["?"; columns.len()].join(", ");
        tables.push(Table { insert: format!("INSERT INTO {name} VALUES ({places})"), rows });
    }
    Ok(tables)
}
