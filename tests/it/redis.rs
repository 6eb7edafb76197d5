//! A Redis of the tests' own, on a port of its own: never one that happens to run. It goes with this process, however that ends.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::PathBuf,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{harness::PATIENCE, postgres::spawn_for_life, program::lasting_port, tls::make_certificate};

/// Nobody's, and only on a server that is thrown away.
const PASSWORD: &str = "a-password-for-tests";

/// A server that asks for a password.
pub struct RedisServer {
    folder: TempDir,
    port: u16,
    /// Speaks TLS, with a certificate of its own making.
    tls: bool,
    running: Option<i32>,
}

impl RedisServer {
    /// A new, empty one that runs.
    pub fn start() -> Self {
        Self::new(false)
    }

    /// The same behind TLS.
    pub fn start_with_tls() -> Self {
        Self::new(true)
    }

    fn new(tls: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        if tls {
            make_certificate(folder.path());
        }
        let mut server = Self { folder, port: lasting_port(), tls, running: None };
        server.run();
        server
    }

    /// Runs, and answers.
    pub fn run(&mut self) {
        assert!(self.running.is_none());
        let port = self.port.to_string();
        let mut command = Command::new("setpriv");
        command.args([
            "--pdeathsig",
            "KILL",
            "redis-server",
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
        ]);
        command.args(["--requirepass", PASSWORD, "--dir"]).arg(self.folder.path());
        if self.tls {
            command.args(["--port", "0", "--tls-port", &port, "--tls-auth-clients", "no"]);
            command.args([
                "--tls-cert-file",
                "cert.pem",
                "--tls-key-file",
                "key.pem",
                "--tls-ca-cert-file",
                "cert.pem",
            ]);
        } else {
            command.args(["--port", &port]);
        }
        let log = fs::OpenOptions::new().create(true).append(true).open(self.folder.path().join("log")).unwrap();
        command.current_dir(self.folder.path()).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        self.running = Some(spawn_for_life(command));
        let began = Instant::now();
        while !self.answers() {
            let log = || fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(
                began.elapsed() < PATIENCE,
                "Redis does not start (scripts/tools databases installs it):\n{}",
                log()
            );
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn answers(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) else { return false };
        if self.tls {
            return true;
        }
        let mut answer = [0; 7];
        // Whoever has not said the password is told so: it answers.
        stream.write_all(b"PING\r\n").and_then(|()| stream.read_exact(&mut answer)).is_ok() && &answer == b"-NOAUTH"
    }

    /// Kills it, and returns once it is gone.
    pub fn stop(&mut self) {
        let process = self.running.take().unwrap().to_string();
        assert!(Command::new("kill").args(["-s", "KILL", &process]).status().unwrap().success());
        let began = Instant::now();
        while fs::exists(format!("/proc/{process}")).unwrap() {
            assert!(began.elapsed() < PATIENCE, "Redis does not stop");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Its address.
    pub fn url(&self) -> String {
        self.url_at(self.port)
    }

    /// The same through somebody who listens on this port and passes on.
    pub fn url_at(&self, port: u16) -> String {
        format!("{}://:{PASSWORD}@127.0.0.1:{port}", if self.tls { "rediss" } else { "redis" })
    }

    /// The certificate of whoever signed the one that it shows, where it speaks TLS.
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("authority.pem")
    }

    /// Its own port.
    pub const fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        if self.running.is_some() {
            self.stop();
        }
    }
}
