//! What the program does instead of serving: one task, and an end. Each says in one line what it did. *Runs: server.*

use std::{
    error::Error,
    fs::File,
    io::{BufReader, BufWriter, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    path::Path,
    sync::Arc,
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{
    config::Config,
    startup,
    store::{self, Copied, Resealed, Store, Sum, Unusable},
};

pub mod webhook;

type Done = Result<String, Box<dyn Error>>;

/// Few are needed: nothing here is done at the same time.
const CONNECTIONS: u32 = 2;
/// How long the server may take to say that it lives.
const HEALTH: Duration = Duration::from_secs(3);

async fn open(config: &Config) -> Result<Store, Box<dyn Error>> {
    let url = &config.database_url.0;
    let opened = Store::open(url, CONNECTIONS, Arc::new(startup::keys(config)?)).await;
    Ok(opened.map_err(|error| Unusable::new(url, error))?)
}

/// Brings the tables up to date. A server does so too when it starts; two at the same time wait for each other.
///
/// # Errors
/// When the database fails.
pub async fn migrate(config: &Config) -> Done {
    let store = open(config).await?;
    store.close().await;
    Ok("the tables are up to date".to_owned())
}

/// Seals everything anew with the present key. A server on the same database may go on meanwhile.
///
/// # Errors
/// When the database fails, or something cannot be opened.
pub async fn reencrypt(config: &Config) -> Done {
    let store = open(config).await?;
    let Resealed { changed, kept, lost } = store.reseal().await?;
    store.close().await;
    let done = format!("{changed} sealed anew, {kept} were already sealed with this key");
    if lost > 0 {
        return Err(
            format!("{done}; {lost} cannot be opened: their key is neither SECRET_KEY nor in SECRET_KEY_OLD").into()
        );
    }
    Ok(done)
}

/// Writes everything that the database holds into a new file, which only its owner may read.
///
/// # Errors
/// When the database or the file fails, or the file is there.
pub async fn export(config: &Config, path: &Path) -> Done {
    let store = open(config).await?;
    let mut options = File::options();
    std::os::unix::fs::OpenOptionsExt::mode(options.write(true).create_new(true), 0o600);
    let file = options.open(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut writer = BufWriter::new(file);
    let sums = store.export(&mut writer).await?;
    writer.flush()?;
    writer.into_inner().map_err(|error| error.to_string())?.sync_all()?;
    store.close().await;
    Ok(format!("exported {}", counted(&sums)))
}

/// Fills an empty database with what a file holds, and reads it back; then seals with the present key what an older one sealed.
///
/// # Errors
/// When it is not empty, or anything is not as it was; then it stays empty. And when the keys here do not open what is sealed.
pub async fn import(config: &Config, path: &Path) -> Done {
    let file = File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let store = open(config).await?;
    let sums = store.import(&mut BufReader::new(file)).await?;
    seal_with_present_key(store).await?;
    Ok(format!("imported and compared {}", counted(&sums)))
}

/// Copies SQLite's file into a new one, also beside a running server.
///
/// # Errors
/// When the database is another one, or one of the files fails.
pub fn backup(config: &Config, path: &Path) -> Done {
    let Copied { sessions, registrations } = store::backup(&config.database_url.0, path)?;
    Ok(format!(
        "backed up and checked {sessions} sessions, {registrations} registrations. What is personal in them opens with SECRET_KEY \
         alone: keep that too, elsewhere"
    ))
}

/// Makes SQLite's file of such a copy; then seals with the present key what an older one sealed.
///
/// # Errors
/// When there is one already, or the copy is not whole; then nothing is changed. And when the keys here do not open what is sealed.
pub async fn restore(config: &Config, path: &Path) -> Done {
    let Copied { sessions, registrations } = store::restore(&config.database_url.0, path)?;
    seal_with_present_key(open(config).await?).await?;
    Ok(format!("restored {sessions} sessions, {registrations} registrations"))
}

/// Seals what came from elsewhere with the key that is used here, and closes the database.
async fn seal_with_present_key(store: Store) -> Result<(), Box<dyn Error>> {
    let Resealed { lost, .. } = store.reseal().await?;
    store.close().await;
    if lost > 0 {
        return Err(format!(
            "all rows are there, but {lost} of them hold what cannot be opened: set SECRET_KEY to the key of the server that \
             they come from, which may lie beside its database"
        )
        .into());
    }
    Ok(())
}

fn counted(sums: &[Sum]) -> String {
    let counted: Vec<String> = sums.iter().map(|sum| format!("{} {}", sum.rows, sum.table)).collect();
    counted.join(", ")
}

/// Asks the server on this machine whether it lives.
///
/// # Errors
/// When it does not say so in time.
pub async fn health(config: &Config) -> Done {
    let host = match config.hostname {
        IpAddr::V4(address) if address.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(address) if address.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        address => address,
    };
    let asked = timeout(HEALTH, async {
        let mut stream = TcpStream::connect((host, config.port)).await?;
        stream.write_all(b"GET /healthz HTTP/1.0\r\n\r\n").await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    });
    let answer = asked.await.map_err(|_| "the server does not answer")??;
    if !answer.starts_with(b"HTTP/1.0 200") && !answer.starts_with(b"HTTP/1.1 200") {
        return Err("the server answers otherwise than it should".into());
    }
    Ok("the server lives".to_owned())
}
