//! A copy of the file, made while a server works on it, and a file made of a copy. Only what is there is copied: nothing that was
//! deleted comes along, and what is sealed stays so. *Runs: server.*

use std::{
    ffi::OsString,
    fs::{self, File},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    str::FromStr,
};

use sqlx::sqlite::SqliteConnectOptions;

use super::{
    super::{
        StoreError, is_shared,
        statement::{single, values},
    },
    MIGRATIONS,
    connection::Connection,
};

/// Only the owner reads what people have entrusted.
const MODE: u32 = 0o600;

/// What a copy holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Registrations, also those under way.
    pub sessions: i64,
    /// Those of them that were submitted.
    pub registrations: i64,
}

/// Why there is no copy, or no file was made of it.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A file could not be read or written.
    #[error("{0}: {1}")]
    File(PathBuf, io::Error),
    /// SQLite could not.
    #[error("{0}: {1}")]
    Store(PathBuf, StoreError),
    /// It is something else, or a part is missing.
    #[error("{0} is not a whole database of this program: {1}")]
    Damaged(PathBuf, String),
    /// Its tables are unknown here.
    #[error("{0} comes from a newer version of this program")]
    Newer(PathBuf),
    /// Nothing is written over.
    #[error("{0} exists: move it away first, with the files beside it whose names begin alike")]
    Exists(PathBuf),
    /// The database is another one.
    #[error("DATABASE_URL is not a file of SQLite's; PostgreSQL brings its own tools, pg_dump and pg_restore")]
    NoFile,
}

/// Copies the file at `sqlite://path` into a new one, as it is at this moment, and looks whether the copy is whole. Servers go on
/// meanwhile.
///
/// # Errors
/// When there is no such file, the new one is there, or either fails; then there is no new one.
pub fn backup(url: &str, into: &Path) -> Result<Copied, BackupError> {
    let from = path_of(url)?;
    let source = open(&from)?;
    let made = File::options().write(true).create_new(true).mode(MODE).open(into);
    let made = made.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => BackupError::Exists(into.to_owned()),
        _ => BackupError::File(into.to_owned(), error),
    })?;
    let copy = || {
        let name = into.to_str().ok_or_else(|| file_error(into, io::ErrorKind::InvalidFilename.into()))?;
        source.execute("VACUUM INTO ?1", values![name]).map_err(|error| BackupError::Store(from.clone(), error))?;
        made.sync_all().and_then(|()| sync_folder(into)).map_err(|error| file_error(into, error))?;
        check(into)
    };
    copy().inspect_err(|_| drop(fs::remove_file(into)))
}

/// Makes the file at `sqlite://path` of a copy that is whole. There must be none.
///
/// # Errors
/// When there is one, or the copy is not whole or not known here; then nothing was changed.
pub fn restore(url: &str, from: &Path) -> Result<Copied, BackupError> {
    let to = path_of(url)?;
    for beside in ["", "-wal", "-shm", "-journal"] {
        // Of another file: SQLite would take it for this one's.
        let path = with(&to, beside);
        if path.exists() {
            return Err(BackupError::Exists(path));
        }
    }
    let copied = check(from)?;
    let partial = with(&to, ".restoring");
    let bring = || {
        let mut source = File::open(from)?;
        let mut target = File::options().write(true).create(true).truncate(true).mode(MODE).open(&partial)?;
        io::copy(&mut source, &mut target)?;
        target.sync_all()?;
        // Unlike a change of names, this never replaces what somebody else has put there meanwhile.
        fs::hard_link(&partial, &to)?;
        sync_folder(&to)
    };
    let brought = bring().map_err(|error| file_error(&to, error));
    let _ = fs::remove_file(&partial);
    brought.map(|()| copied)
}

fn path_of(url: &str) -> Result<PathBuf, BackupError> {
    if is_shared(url) {
        return Err(BackupError::NoFile);
    }
    let options = SqliteConnectOptions::from_str(url).map_err(|_| BackupError::NoFile)?;
    Ok(options.get_filename().to_owned())
}

fn with(path: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(end);
    name.into()
}

fn file_error(path: &Path, error: io::Error) -> BackupError {
    BackupError::File(path.to_owned(), error)
}

/// A name lasts once its folder is on disk.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

fn open(path: &Path) -> Result<Connection, BackupError> {
    // SQLite's own words for that are "unable to open".
    File::open(path).map_err(|error| file_error(path, error))?;
    Connection::to_read(path).map_err(|error| BackupError::Store(path.to_owned(), error))
}

/// Looks at every page and every index of a copy, and whether its tables are known here.
fn check(path: &Path) -> Result<Copied, BackupError> {
    let connection = open(path)?;
    let damaged = |problem: String| BackupError::Damaged(path.to_owned(), problem);
    let failed = |error: StoreError| damaged(error.to_string());
    let one = |sql| Ok(connection.row(sql, &[], single::<i64>).map_err(failed)?.unwrap_or(0));
    let found = connection.row("PRAGMA integrity_check(1)", &[], single::<String>).map_err(failed)?;
    if let Some(problem) = found.filter(|word| word != "ok") {
        return Err(damaged(problem));
    }
    if one("SELECT MAX(version) FROM _sqlx_migrations")? > MIGRATIONS.iter().map(|one| one.version).max().unwrap_or(0) {
        return Err(BackupError::Newer(path.to_owned()));
    }
    Ok(Copied {
        sessions: one("SELECT COUNT(*) FROM sessions")?,
        registrations: one("SELECT COUNT(*) FROM registrations")?,
    })
}
