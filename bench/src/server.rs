//! The servers that are measured: started on a core of their own, killed, started again, and gone when dropped.
//! *Runs: generator.*

use std::{
    ffi::OsString,
    fs::{self, File},
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::{
    net::{TcpListener, TcpStream},
    process::Child,
    time::{sleep, timeout},
};

use crate::{
    http::{Connection, get},
    process,
    webhook::{KEY, ORGANISATION},
};

/// How long a server may take to answer for the first time, or to end.
const PATIENCE: Duration = Duration::from_secs(60);
/// Ports are taken from here: below those that the system gives to clients, so that while a server is down none of
/// those takes its port.
const PORTS: std::ops::Range<u16> = 20_000..30_000;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The program, its release binary.
    Vestibule,
    /// The floor that keeps everything in memory.
    FloorTuned,
    /// The floor that writes everything to disk.
    FloorSqlite,
    /// Node, `ws` and better-sqlite3.
    NodeWs,
    /// The program on PostgreSQL.
    OnPostgres,
    /// Two of the program on PostgreSQL, which tell each other over it what changed (`NOTIFY`).
    TwoOverPostgres,
    /// The same over Redis.
    TwoOverRedis,
}

impl Kind {
    /// All of them, in the order of the tables.
    pub const ALL: [Self; 7] = [
        Self::Vestibule,
        Self::FloorTuned,
        Self::FloorSqlite,
        Self::NodeWs,
        Self::OnPostgres,
        Self::TwoOverPostgres,
        Self::TwoOverRedis,
    ];

    /// The name in tables and arguments.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Vestibule => "vestibule",
            Self::FloorTuned => "floor-tuned",
            Self::FloorSqlite => "floor-sqlite",
            Self::NodeWs => "node-ws",
            Self::OnPostgres => "postgres",
            Self::TwoOverPostgres => "two-postgres",
            Self::TwoOverRedis => "two-redis",
        }
    }

    /// Whether it is the program, on whatever database.
    #[must_use]
    pub const fn is_the_program(self) -> bool {
        !matches!(self, Self::FloorTuned | Self::FloorSqlite | Self::NodeWs)
    }

    /// How many processes of it.
    #[must_use]
    pub const fn servers(self) -> usize {
        if matches!(self, Self::TwoOverPostgres | Self::TwoOverRedis) { 2 } else { 1 }
    }

    /// How far a message says that a session is, in steps from 0. The program says it by its words, because acts of its
    /// own raise the version too; the others count webhooks.
    #[must_use]
    pub fn reached(self, version: u64, status: &str) -> u32 {
        if !self.is_the_program() {
            return u32::try_from(version.saturating_sub(1)).unwrap_or(u32::MAX);
        }
        match status {
            "request" => 1,
            "response" => 2,
            "active" => 3,
            "request-sent" => 4,
            "presentation-received" => 5,
            "done" => 6,
            _ => 0,
        }
    }

    /// How far the webhook that is the `number`th of its session, from 0, brings it.
    #[must_use]
    pub fn goal(self, number: usize) -> u32 {
        let step = u32::try_from(number).unwrap_or(u32::MAX) + 1;
        // The step between the third and the fourth webhook is the program's own.
        if self.is_the_program() && step > 3 { step + 1 } else { step }
    }
}

/// Where the programs are.
#[derive(Clone, Debug)]
pub struct Programs {
    /// The program's release binary.
    pub vestibule: PathBuf,
    /// Its site.
    pub site: PathBuf,
    /// Its desk.
    pub desk: PathBuf,
    /// The Node server.
    pub node: PathBuf,
    /// Where databases are put: a folder on a disk.
    pub scratch: PathBuf,
}

/// A running server.
pub struct Server {
    /// What it is.
    pub kind: Kind,
    /// Where it answers.
    pub address: SocketAddr,
    programs: Programs,
    variables: Vec<(String, String)>,
    child: Child,
    /// Its folder, with database and log; removed with it.
    pub folder: TempDir,
    /// From starting the process to its first answer.
    pub start_time: Duration,
}

impl Server {
    /// Starts a server on an empty database. The variables are for the program alone.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start(kind: Kind, programs: &Programs, variables: &[(&str, String)]) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("bench-").tempdir_in(&programs.scratch)?;
        let variables: Vec<_> = variables.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let address = free_address().await?;
        let began = Instant::now();
        let child = spawn(kind, programs, &variables, address, folder.path())?;
        let programs = programs.clone();
        let mut server = Self { kind, address, programs, variables, child, folder, start_time: Duration::ZERO };
        server.wait_until_it_answers(began).await?;
        Ok(server)
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id().unwrap_or_default()
    }

    /// The processor time it has used so far.
    ///
    /// # Errors
    /// When it runs no more.
    pub fn cpu_time(&self) -> io::Result<Duration> {
        process::cpu_time(self.pid())
    }

    /// Its database file.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        database(self.folder.path())
    }

    /// Kills it at once (SIGKILL), and waits until it is gone.
    ///
    /// # Errors
    /// When it cannot be.
    pub async fn kill(&mut self) -> io::Result<()> {
        self.child.kill().await
    }

    /// Tells it to stop (SIGTERM), and waits until it has.
    ///
    /// # Errors
    /// When it does not.
    pub async fn stop(&mut self) -> io::Result<ExitStatus> {
        if let Some(pid) = self.child.id().and_then(|id| Pid::from_raw(id.cast_signed())) {
            kill_process(pid, Signal::TERM)?;
        }
        timeout(PATIENCE, self.child.wait()).await?
    }

    /// Starts it again on the same file and port, without waiting for an answer.
    ///
    /// # Errors
    /// When there is no such program.
    pub fn restart(&mut self) -> io::Result<()> {
        self.child = spawn(self.kind, &self.programs, &self.variables, self.address, self.folder.path())?;
        Ok(())
    }

    /// Waits until it takes connections.
    ///
    /// # Errors
    /// When it ended instead.
    pub async fn wait_until_it_listens(&mut self) -> io::Result<()> {
        let began = Instant::now();
        while TcpStream::connect(self.address).await.is_err() {
            self.has_to_run(began)?;
            sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    }

    /// Waits until it answers, and notes how long after `began` that was.
    ///
    /// # Errors
    /// When it ended instead.
    pub async fn wait_until_it_answers(&mut self, began: Instant) -> io::Result<()> {
        let request = get("/healthz", "");
        loop {
            let answer = async { Connection::open(self.address).await?.send(&request).await };
            if answer.await.is_ok_and(|answer| answer.status == 200) {
                self.start_time = began.elapsed();
                return Ok(());
            }
            self.has_to_run(began)?;
            sleep(Duration::from_millis(1)).await;
        }
    }

    fn has_to_run(&mut self, began: Instant) -> io::Result<()> {
        let problem = match self.child.try_wait()? {
            Some(status) => format!("ended with {status}"),
            None if began.elapsed() > PATIENCE => "does not answer".to_owned(),
            None => return Ok(()),
        };
        Err(io::Error::other(format!("{} {problem}\n{}", self.kind.name(), self.log())))
    }

    /// The end of what it logged.
    #[must_use]
    pub fn log(&self) -> String {
        let text = fs::read(self.folder.path().join("server.log")).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Before its files go.
        process::end(&mut self.child, Signal::KILL);
    }
}

fn database(folder: &Path) -> PathBuf {
    folder.join("vestibule.db")
}

/// An address of this machine on which nobody listens.
///
/// # Errors
/// When there is none.
pub async fn free_address() -> io::Result<SocketAddr> {
    for _ in 0..100 {
        let address = SocketAddr::from(([127, 0, 0, 1], fastrand::u16(PORTS)));
        if TcpListener::bind(address).await.is_ok() {
            return Ok(address);
        }
    }
    Err(io::Error::other("no port is free"))
}

fn spawn(
    kind: Kind,
    programs: &Programs,
    variables: &[(String, String)],
    address: SocketAddr,
    folder: &Path,
) -> io::Result<Child> {
    let (port, database) = (address.port().to_string(), database(folder));
    let (program, arguments): (PathBuf, Vec<OsString>) = match kind {
        Kind::Vestibule | Kind::OnPostgres | Kind::TwoOverPostgres | Kind::TwoOverRedis => {
            (programs.vestibule.clone(), Vec::new())
        }
        Kind::FloorTuned => (std::env::current_exe()?, vec!["floor".into(), port.clone().into()]),
        Kind::FloorSqlite => {
            (std::env::current_exe()?, vec!["floor".into(), port.clone().into(), database.clone().into_os_string()])
        }
        Kind::NodeWs => {
            let script = programs.node.clone().into_os_string();
            ("node".into(), vec![script, port.clone().into(), database.clone().into_os_string()])
        }
    };
    let cores = match kind {
        Kind::OnPostgres | Kind::TwoOverPostgres | Kind::TwoOverRedis => process::cores_of_servers(),
        Kind::Vestibule | Kind::FloorTuned | Kind::FloorSqlite | Kind::NodeWs => process::SERVER_CORE.to_string(),
    };
    let mut command = process::on(&cores, program);
    command.args(&arguments);
    let log = File::options().create(true).append(true).open(folder.join("server.log"))?;
    // No other variables, no `.env` of the folder the benchmark is started from.
    command.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path))).current_dir(folder);
    command.env("WEBHOOK_SECRET", KEY);
    if kind.is_the_program() {
        let fixed = [
            ("PORT", port),
            ("DATABASE_URL", format!("sqlite://{}", database.display())),
            ("DESK_FILE", programs.desk.display().to_string()),
            ("LEPTOS_SITE_ROOT", programs.site.display().to_string()),
            ("PLATFORM", "confirmd".to_owned()),
            ("CONFIRMD_ORG_ID", ORGANISATION.to_owned()),
            ("CONFIRMD_CLIENT_ID", "benchmark".to_owned()),
            ("CONFIRMD_CLIENT_SECRET", "benchmark".to_owned()),
            ("RATE_SESSIONS", "off".to_owned()),
            ("MAX_CLIENTS", "100000".to_owned()),
            ("MAX_CLIENTS_PER_ADDRESS", "off".to_owned()),
            ("DRAIN", "1ms".to_owned()),
            ("LOG_LEVEL", "warn".to_owned()),
        ];
        command.envs(fixed).envs(variables.iter().map(|(name, value)| (name, value)));
    }
    command
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| io::Error::new(error.kind(), format!("{} cannot be started: {error}", kind.name())))
}
