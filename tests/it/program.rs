//! The binary itself, in a process of its own, which can be killed.

use std::{
    net::TcpListener,
    ops::Range,
    os::fd::OwnedFd,
    path::Path,
    process::Stdio,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU16, Ordering},
    },
};

use self::collected::Collected;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, Command},
};

use crate::harness::{PATIENCE, WEBHOOK_SECRET};

/// The binary.
pub const BINARY: &str = env!("CARGO_BIN_EXE_vestibule");

/// Below the ports that the system gives to clients.
const PORTS: Range<u16> = 20_000..30_000;

/// A port for a server that is stopped and started again. No client gets it meanwhile, and whoever calls the stopped server is
/// refused: with a client's port, the caller may be connected with itself and keep the server from its port.
pub fn lasting_port() -> u16 {
    static NEXT: LazyLock<AtomicU16> = LazyLock::new(|| AtomicU16::new(rand::random()));
    loop {
        let port = PORTS.start + NEXT.fetch_add(1, Ordering::Relaxed) % (PORTS.end - PORTS.start);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// A running binary.
pub struct Program {
    child: Child,
    /// Where it listens.
    pub url: String,
    /// What it has written to its output and its log.
    pub written: Arc<Collected>,
}

/// Lines that grow while a process runs.
mod collected {
    use std::sync::Mutex;

    #[derive(Default)]
    pub struct Collected(Mutex<String>);

    impl Collected {
        pub fn push(&self, line: &str) {
            let mut text = self.0.lock().unwrap();
            text.push_str(line);
            text.push('\n');
        }

        pub fn text(&self) -> String {
            self.0.lock().unwrap().clone()
        }
    }
}

fn collect(
    stream: impl AsyncRead + Unpin + Send + 'static,
    into: Arc<Collected>,
    first: tokio::sync::mpsc::Sender<String>,
) {
    tokio::spawn(async move {
        let mut lines = BufReader::new(stream).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            into.push(&line);
            if let Some(url) = line.strip_prefix("Vestibule is open at ") {
                let _ = first.send(url.trim_end_matches('/').to_owned()).await;
            }
        }
    });
}

impl Program {
    /// Starts it in this folder, on this port (0 for a new one, which lasts), with these variables and no others.
    pub async fn start(folder: &Path, port: u16, variables: &[(&str, &str)]) -> Self {
        let port = if port == 0 { lasting_port() } else { port };
        Self::spawn(Command::new(BINARY), folder, port, variables).await
    }

    /// Starts it as a service manager does that holds its listening socket.
    pub async fn start_on(listener: &TcpListener, folder: &Path, variables: &[(&str, &str)]) -> Self {
        let passes = "exec 3<&0 </dev/null; export LISTEN_FDS=1 LISTEN_PID=$$; exec \"$0\"";
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", passes, BINARY]).stdin(OwnedFd::from(listener.try_clone().unwrap()));
        Self::spawn(shell, folder, 0, variables).await
    }

    /// Starts it with so many descriptors and no more.
    pub async fn start_with_files(files: u32, folder: &Path) -> Self {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", &format!("ulimit -n {files}; exec \"$0\""), BINARY]);
        Self::spawn(shell, folder, 0, &[]).await
    }

    async fn spawn(mut command: Command, folder: &Path, port: u16, variables: &[(&str, &str)]) -> Self {
        let mut child = command
            .env_clear()
            .envs([("PORT", &*port.to_string()), ("WEBHOOK_SECRET", WEBHOOK_SECRET), ("RATE_SESSIONS", "off")])
            .envs(variables.iter().copied())
            .current_dir(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let written = Arc::<Collected>::default();
        let (sender, mut opened) = tokio::sync::mpsc::channel(1);
        collect(child.stdout.take().unwrap(), Arc::clone(&written), sender.clone());
        collect(child.stderr.take().unwrap(), Arc::clone(&written), sender);
        let url = tokio::time::timeout(PATIENCE, opened.recv()).await.expect("it opens in time");
        let url = url.unwrap_or_else(|| panic!("it did not open: {}", written.text()));
        Self { child, url, written }
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.url.rsplit(':').next().unwrap().parse().unwrap()
    }

    /// Sends it this signal.
    pub async fn signal(&self, signal: &str) {
        let pid = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-s", signal, &pid]).status().await.unwrap().success());
    }

    /// Kills it with SIGKILL: no farewell, no flush.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Sends SIGTERM and waits for the exit; says whether it was a good one.
    pub async fn terminate(mut self) -> bool {
        self.signal("TERM").await;
        tokio::time::timeout(PATIENCE, self.child.wait()).await.expect("it stops in time").unwrap().success()
    }
}
