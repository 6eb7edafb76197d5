//! A PostgreSQL of the tests' own, in a folder and on a port of its own: never one that happens to run. It goes with this process,
//! however that ends.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Mutex, OnceLock, mpsc},
    thread,
    time::{Duration, Instant},
};

use vestibule::server::secrets::random_text;

use crate::{harness::PATIENCE, program::lasting_port, tls::make_certificate};

/// Nobody's, and only on a server that is thrown away.
const PASSWORD: &str = "a-password-for-tests";
const FOLDERS: &str = "vestibule-test-postgres-";

/// A server.
pub struct PostgresServer {
    folder: PathBuf,
    port: u16,
    /// The number of its first process, while it runs.
    running: Option<i32>,
}

/// How a server ends.
#[derive(Clone, Copy)]
pub enum End {
    /// It breaks off what is under way, and ends in order.
    Fast,
    /// At once, as if the machine had failed; it repairs itself at its next start.
    Immediate,
}

impl PostgresServer {
    /// A new, empty one that runs. `durable`: it waits for the disk as it does in earnest; without, tests are quicker.
    pub fn start(durable: bool) -> Self {
        Self::new(durable, false)
    }

    /// One that nobody reaches without TLS, with a certificate of its own making.
    pub fn start_with_tls() -> Self {
        Self::new(false, true)
    }

    fn new(durable: bool, tls: bool) -> Self {
        delete_what_others_left();
        let folder = std::env::temp_dir().join(format!("{FOLDERS}{}-{}", std::process::id(), random_text()));
        fs::create_dir(&folder).unwrap();
        if tls {
            make_certificate(&folder);
        }
        if is_root() {
            run(Command::new("chown").arg("-R").arg("postgres").arg(&folder));
        }
        let password = folder.join("password");
        fs::write(&password, PASSWORD).unwrap();
        let data = folder.join("data");
        let mut initdb = as_postgres(&programs().join("initdb"));
        // Signing in with a password takes a thousand turns, and many tests have only one thread.
        let auth = if durable { "--auth=scram-sha-256" } else { "--auth=trust" };
        initdb.args(["--username=vestibule", auth, "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]);
        run(initdb.arg("--pwfile").arg(&password).arg("--pgdata").arg(&data));
        let mut settings =
            "listen_addresses = '127.0.0.1'\nunix_socket_directories = ''\nmax_connections = 400\n".to_owned();
        if !durable {
            settings += "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n";
        }
        if tls {
            let [certificate, key] = ["cert.pem", "key.pem"].map(|name| folder.join(name));
            settings +=
                &format!("ssl = on\nssl_cert_file = '{}'\nssl_key_file = '{}'\n", certificate.display(), key.display());
            fs::write(data.join("pg_hba.conf"), "hostssl all all 127.0.0.1/32 scram-sha-256\n").unwrap();
        }
        let configuration = data.join("postgresql.auto.conf");
        fs::write(&configuration, settings).unwrap();
        let mut server = Self { folder, port: lasting_port(), running: None };
        server.run();
        server
    }

    /// Runs, and answers.
    pub fn run(&mut self) {
        assert!(self.running.is_none());
        let mut command = as_postgres(&programs().join("postgres"));
        command.arg("-D").arg(self.folder.join("data")).arg("-p").arg(self.port.to_string());
        let log = fs::OpenOptions::new().create(true).append(true).open(self.folder.join("log")).unwrap();
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        self.running = Some(spawn_for_life(command));
        let began = Instant::now();
        let ready = || {
            let mut ask = Command::new(programs().join("pg_isready"));
            ask.args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()]).status().unwrap().success()
        };
        while !ready() {
            let log = || fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            assert!(began.elapsed() < PATIENCE, "PostgreSQL does not start:\n{}", log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Stops, and returns once it has.
    pub fn stop(&mut self, how: End) {
        let process = self.running.take().unwrap();
        let signal = match how {
            End::Fast => "INT",
            End::Immediate => "QUIT",
        };
        run(Command::new("kill").args(["-s", signal, &process.to_string()]));
        let began = Instant::now();
        while self.folder.join("data/postmaster.pid").exists() || is_alive(process) {
            assert!(began.elapsed() < PATIENCE, "PostgreSQL does not stop");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// The address of its database.
    pub fn url(&self) -> String {
        self.url_at(self.port)
    }

    /// The same through somebody who listens on this port and passes on.
    pub fn url_at(&self, port: u16) -> String {
        format!("postgres://vestibule:{PASSWORD}@127.0.0.1:{port}/postgres")
    }

    /// Where its files are; with TLS, `authority.pem` too.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its own port.
    pub const fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        if self.running.is_some() {
            self.stop(End::Immediate);
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The address of tables of its own on a server that all tests of this process share.
pub async fn fresh() -> String {
    static SHARED: OnceLock<Mutex<PostgresServer>> = OnceLock::new();
    let shared = tokio::task::spawn_blocking(|| {
        SHARED.get_or_init(|| Mutex::new(PostgresServer::start(false))).lock().unwrap().url()
    });
    let url = shared.await.unwrap();
    let schema = format!("desk_{}", uuid::Uuid::new_v4().simple());
    let mut connection = <sqlx::PgConnection as sqlx::Connection>::connect(&url).await.unwrap();
    let create = sqlx::AssertSqlSafe(format!("CREATE SCHEMA {schema}"));
    sqlx::query(create).execute(&mut connection).await.unwrap();
    sqlx::Connection::close(connection).await.unwrap();
    format!("{url}?options[search_path]={schema}")
}

/// Starts a process that ends with this one. The system ties it to the thread that started it, so that one stays.
pub fn spawn_for_life(mut command: Command) -> i32 {
    let (started, process) = mpsc::channel();
    thread::spawn(move || {
        let mut child = command.spawn().unwrap();
        started.send(i32::try_from(child.id()).unwrap()).unwrap();
        let _ = child.wait();
    });
    process.recv().unwrap()
}

/// A command that ends with whoever started it; as root, another user's, because PostgreSQL refuses to be root.
pub fn as_postgres(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]);
    if is_root() {
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
    }
    command.arg(program);
    command
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout.trim_ascii() == b"0"
}

fn is_alive(process: i32) -> bool {
    Path::new("/proc").join(process.to_string()).exists()
}

/// Where PostgreSQL's programs are: Debian keeps them apart, by version.
fn programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    found.sort();
    found.pop().expect("PostgreSQL is installed: scripts/tools databases")
}

fn run(command: &mut Command) {
    let done = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
}

/// A server that all tests share is never dropped: its folder is deleted by the next run.
fn delete_what_others_left() {
    for entry in fs::read_dir(std::env::temp_dir()).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap_or_default();
        let owner = name.strip_prefix(FOLDERS).and_then(|rest| rest.split('-').next()?.parse().ok());
        if owner.is_some_and(|owner| !is_alive(owner)) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
