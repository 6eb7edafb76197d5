//! Why a database cannot be used, in words that say what to do about it; the system's own words follow in brackets.
//! *Runs: server.*

use std::{
    borrow::Cow,
    fmt,
    io::ErrorKind,
    path::{Path, PathBuf, absolute},
    str::FromStr,
};

use rusqlite::ErrorCode;
use rustix::fs::{Access, access};
use sqlx::{migrate::MigrateError, postgres::PgConnectOptions, sqlite::SqliteConnectOptions};

use super::{StoreError, is_shared};

/// A database that could not be opened, and why.
#[derive(Debug)]
pub struct Unusable {
    name: String,
    file: Option<PathBuf>,
    source: StoreError,
}

/// What a database at this address is called: the path of SQLite's file, or a server and a database. No password is in it.
#[must_use]
pub fn name_of(url: &str) -> String {
    match (path_of(url), PgConnectOptions::from_str(url)) {
        (Some(file), _) => format!("the file {}", absolute(&file).unwrap_or(file).display()),
        (None, Ok(options)) => {
            let database = options.get_database().unwrap_or_else(|| options.get_username());
            format!("the PostgreSQL database {database} at {}:{}", options.get_host(), options.get_port())
        }
        (None, Err(_)) => "the database".to_owned(),
    }
}

/// SQLite's file at this address; of PostgreSQL there is none.
#[must_use]
pub fn path_of(url: &str) -> Option<PathBuf> {
    if is_shared(url) {
        return None;
    }
    SqliteConnectOptions::from_str(url).ok().map(|options| options.get_filename().to_owned())
}

impl Unusable {
    /// The database at this address failed in this way.
    #[must_use]
    pub fn new(url: &str, source: StoreError) -> Self {
        Self { name: name_of(url), file: path_of(url), source }
    }

    /// What it means, and what to do about it; `None` where the system's own words have to do.
    fn advice(&self) -> Option<String> {
        if let StoreError::Migration(error) = &self.source
            && let Some(advice) = of_tables(error)
        {
            return Some(advice);
        }
        match &self.file {
            Some(file) => self.of_file(file),
            None => of_server(&self.source),
        }
    }

    fn of_file(&self, file: &Path) -> Option<String> {
        if let Some(advice) = of_place(file) {
            return Some(advice);
        }
        Some(match self.source.sqlite_code()? {
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
                "another program keeps it locked: another server, or a tool in the middle of a transaction. One server has the \
                 file, so end the other one and start again"
                    .to_owned()
            }
            ErrorCode::NotADatabase => "it is no database of SQLite's: DATABASE_URL names another file, or it was damaged and \
                                        has to come back from a backup"
                .to_owned(),
            ErrorCode::DatabaseCorrupt => {
                "it is damaged. Keep a copy of it, with the files beside it, and bring back a backup (`vestibule restore`)".to_owned()
            }
            ErrorCode::DiskFull => "there is no space left for it".to_owned(),
            _ => return None,
        })
    }
}

/// Of where SQLite's file is, or would be made: whether it can be there, and be written.
pub fn of_place(file: &Path) -> Option<String> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Some(format!("there is no folder {}: make it, or correct DATABASE_URL", folder.display()));
    }
    if access(folder, Access::WRITE_OK | Access::EXEC_OK).is_err() {
        return Some(format!(
            "this user may not write in the folder {}, where SQLite makes two more files beside it: give the folder to the user \
             that the server runs as",
            folder.display()
        ));
    }
    if file.is_dir() {
        return Some("it is a folder: DATABASE_URL has to name a file".to_owned());
    }
    if file.exists() && access(file, Access::READ_OK | Access::WRITE_OK).is_err() {
        return Some("this user may not read and write it: give it to the user that the server runs as".to_owned());
    }
    None
}

fn of_tables(error: &MigrateError) -> Option<String> {
    Some(match error {
        MigrateError::VersionMissing(version) => format!(
            "its tables are newer than this version of the program, which does not know their change {version}. Start the version \
             that was here before, or bring back a backup from before it"
        ),
        MigrateError::VersionMismatch(version) => format!(
            "its tables are not of this program: their change {version} is another one. DATABASE_URL names somebody else's database, or \
             one that a changed build has made"
        ),
        _ => return None,
    })
}

fn of_server(error: &StoreError) -> Option<String> {
    if error.is_of_tls() {
        return Some(
            "TLS does not come about: the server has none, or its certificate is signed by nobody who is trusted here (sslmode and \
             sslrootcert in DATABASE_URL)"
                .to_owned(),
        );
    }
    let advice = match &*error.code().unwrap_or_default() {
        "28P01" | "28000" => {
            "the server does not let this user in: look at the name and the password in DATABASE_URL, and at the server's \
             pg_hba.conf"
        }
        "3D000" => "the server has no such database: make it (createdb), or correct DATABASE_URL",
        "42501" => "this user lacks a right there: make it the database's owner, or give it what is missing (GRANT)",
        "53300" => {
            "the server has no connection left: lower DATABASE_CONNECTIONS on each Vestibule, or raise its max_connections"
        }
        "25006" => "it only reads: DATABASE_URL leads to a copy that follows another server; name that one",
        state if state.starts_with("57P") => "the server is starting, or was told to stop: try again in a moment",
        _ => match error {
            StoreError::Slow => "the server does not answer: is it there, and is a firewall between?",
            StoreError::Postgres(sqlx::Error::Io(error)) if error.kind() == ErrorKind::ConnectionRefused => {
                "nobody listens there: start PostgreSQL, or correct host and port in DATABASE_URL"
            }
            StoreError::Postgres(sqlx::Error::Io(_)) => {
                "the server cannot be reached: look at host and port in DATABASE_URL"
            }
            _ => return None,
        },
    };
    Some(advice.to_owned())
}

impl StoreError {
    /// What sqlx said, also while it brought the tables up to date.
    fn of_sqlx(&self) -> Option<&sqlx::Error> {
        match self {
            Self::Postgres(error)
            | Self::Migration(MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) => Some(error),
            _ => None,
        }
    }

    /// The database's code for it, as sqlx was told.
    fn code(&self) -> Option<Cow<'_, str>> {
        self.of_sqlx()?.as_database_error()?.code()
    }

    /// SQLite's code for it, whoever asked SQLite.
    fn sqlite_code(&self) -> Option<ErrorCode> {
        match self {
            Self::Sqlite(error) => error.sqlite_error_code(),
            _ => Some(rusqlite::ffi::Error::new(self.code()?.parse().ok()?).code),
        }
    }
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, source, .. } = self;
        match self.advice() {
            Some(advice) => write!(f, "{name} cannot be used: {advice} ({source})"),
            None => write!(f, "{name} cannot be used ({source})"),
        }
    }
}

impl std::error::Error for Unusable {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}
