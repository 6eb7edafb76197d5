//! A PostgreSQL and a Redis of the benchmark's own, which keep to the cores of the servers, and are gone when dropped.
//! *Runs: generator.*

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use rustix::process::{Signal, geteuid};
use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    time::sleep,
};

use crate::{process, server::free_address};

/// How long one may take to start.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running database server.
pub struct Database {
    /// Where programs find it.
    pub url: String,
    child: Child,
    folder: TempDir,
}

impl Database {
    /// Starts an empty PostgreSQL that waits for the disk, as it does unless it is told otherwise.
    ///
    /// # Errors
    /// When it is not installed, does not start, or would write to memory.
    pub async fn postgres() -> io::Result<Self> {
        // Another user's, because PostgreSQL refuses to be root: where everybody may have folders.
        let folder = folder()?;
        if !process::is_on_disk(folder.path())? {
            return Err(io::Error::other(
                "temporary files lie in memory: nothing that PostgreSQL wrote would be durable",
            ));
        }
        let programs = postgres_programs()?;
        let data = folder.path().join("data");
        if geteuid().is_root() {
            done(Command::new("chown").arg("postgres").arg(folder.path())).await?;
        }
        let initdb = ["--username=vestibule", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--pgdata"];
        done(of_postgres(&programs.join("initdb")).args(initdb).arg(&data)).await?;
        let address = free_address().await?;
        let mut server = of_postgres(&programs.join("postgres"));
        server.arg("-D").arg(&data).args(["-p", &address.port().to_string(), "-c", "listen_addresses=127.0.0.1"]);
        server.args(["-c", "unix_socket_directories="]);
        let url = format!("postgres://vestibule@{address}/postgres");
        let mut ready = Command::new(programs.join("pg_isready"));
        ready.args(["-q", "-h", "127.0.0.1", "-p", &address.port().to_string()]);
        Self { url, child: spawn(&mut server, &folder)?, folder }.once_it_answers(ready).await
    }

    /// Starts a Redis that keeps nothing.
    ///
    /// # Errors
    /// When it is not installed, or does not start.
    pub async fn redis() -> io::Result<Self> {
        let (folder, address) = (folder()?, free_address().await?);
        let port = address.port().to_string();
        let mut server = for_life(Path::new("redis-server"), &[]);
        server.args(["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        let mut ready = Command::new("redis-cli");
        ready.args(["-p", &port, "ping"]).stdout(Stdio::null());
        Self { url: format!("redis://{address}"), child: spawn(&mut server, &folder)?, folder }
            .once_it_answers(ready)
            .await
    }

    async fn once_it_answers(mut self, mut ready: Command) -> io::Result<Self> {
        let began = Instant::now();
        while !ready.stderr(Stdio::null()).status().await?.success() {
            if self.child.try_wait()?.is_some() || began.elapsed() > PATIENCE {
                let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
                return Err(io::Error::other(format!("{} does not start:\n{log}", self.url)));
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(self)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // PostgreSQL's processes follow their first one only when it is told, and its folder goes after them.
        process::end(&mut self.child, Signal::QUIT);
    }
}

fn folder() -> io::Result<TempDir> {
    tempfile::Builder::new().prefix("vestibule-bench-").tempdir()
}

/// A command on the servers' cores that ends with the benchmark, however that ends.
fn for_life(program: &Path, options: &[&str]) -> Command {
    let mut command = process::on(&process::cores_of_servers(), "setpriv");
    command.args(["--pdeathsig", "KILL"]).args(options).arg(program);
    command
}

/// The same, and not as root.
fn of_postgres(program: &Path) -> Command {
    let options = ["--reuid=postgres", "--regid=postgres", "--clear-groups"];
    for_life(program, if geteuid().is_root() { &options } else { &[] })
}

fn spawn(server: &mut Command, folder: &TempDir) -> io::Result<Child> {
    let log = File::options().create(true).append(true).open(folder.path().join("log"))?;
    server
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .current_dir(folder.path())
        .kill_on_drop(true)
        .spawn()
}

async fn done(command: &mut Command) -> io::Result<()> {
    let output = command.stdin(Stdio::null()).output().await?;
    let said = || io::Error::other(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)));
    output.status.success().then_some(()).ok_or_else(said)
}

/// Where PostgreSQL's programs are: Debian keeps them apart, by version.
fn postgres_programs() -> io::Result<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions.map(|version| version.path().join("bin")).max();
    newest.ok_or_else(|| io::Error::other("PostgreSQL is not installed: scripts/tools databases"))
}
