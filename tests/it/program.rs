//! The binary itself, in a process of its own, which can be killed.

use std::{path::Path, process::Stdio, sync::Arc};

use self::collected::Collected;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, Command},
};

use crate::harness::{PATIENCE, WEBHOOK_SECRET};

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
    /// Starts it in this folder, on this port (0 for a free one), with these variables and no others.
    pub async fn start(folder: &Path, port: u16, variables: &[(&str, &str)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_vestibule"))
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

    /// Kills it with SIGKILL: no farewell, no flush.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Sends SIGTERM and waits for the exit; says whether it was a good one.
    pub async fn terminate(mut self) -> bool {
        let pid = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").arg(pid).status().await.unwrap().success());
        tokio::time::timeout(PATIENCE, self.child.wait()).await.expect("it stops in time").unwrap().success()
    }
}
