//! Somebody's configuration, and what the program says when it is run with it once: `doctor`, and other commands that end.

use std::{collections::BTreeMap, fs, path::PathBuf};

use tempfile::TempDir;
use tokio::process::Command;
use vestibule::server::{
    config::PlatformConfig,
    platform::{AuthMode, confirmd},
};

use crate::{
    database,
    harness::{ADMIN_TOKEN, Desk, PATIENCE, WEBHOOK_SECRET},
    program::{BINARY, lasting_port},
};

/// Somebody's configuration, in a folder of its own.
pub struct Patient {
    pub folder: TempDir,
    variables: BTreeMap<&'static str, String>,
}

/// What was said, and the exit code.
pub struct Said {
    pub code: i32,
    pub text: String,
}

impl Said {
    /// There is a line with this mark about this thing, and in it or under it these words.
    #[track_caller]
    pub fn has(&self, mark: &str, about: &str, words: &str) {
        let begins = format!("{mark:<7}  {about}: ");
        let is_there = self.findings().any(|finding| finding.starts_with(&begins) && finding.contains(words));
        assert!(is_there, "no {mark} about {about} with `{words}` in\n{}", self.text);
        let is_faulty = self.findings().any(|finding| finding.starts_with("fault"));
        assert_eq!(self.code, i32::from(is_faulty), "{}", self.text);
    }

    /// The findings, each with the lines under it.
    fn findings(&self) -> impl Iterator<Item = String> {
        let mut findings: Vec<String> = Vec::new();
        for line in self.text.lines() {
            match findings.last_mut() {
                Some(last) if line.starts_with(' ') || line.starts_with("vestibule") => *last += line,
                _ => findings.push(line.to_owned()),
            }
        }
        findings.into_iter()
    }

    /// Nothing is at fault.
    #[track_caller]
    pub fn is_healthy(&self) {
        assert_eq!(self.code, 0, "{}", self.text);
        assert!(!self.text.contains("fault  "), "{}", self.text);
    }
}

impl Patient {
    /// Nobody has started anything yet, but the files for the browser are there.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let site = folder.path().join("site");
        fs::create_dir_all(site.join("pkg")).unwrap();
        for name in ["vestibule.css", "vestibule.js", "vestibule_bg.wasm"] {
            fs::write(site.join("pkg").join(name), "").unwrap();
        }
        let site = site.to_str().unwrap().to_owned();
        let patient = Self { folder, variables: BTreeMap::new() };
        patient
            .with("LEPTOS_SITE_ROOT", &site)
            .with("PORT", &lasting_port().to_string())
            .with("DESK_FILE", concat!(env!("CARGO_MANIFEST_DIR"), "/registration.toml"))
            .with("WEBHOOK_SECRET", WEBHOOK_SECRET)
    }

    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.variables.insert(name, value.to_owned());
        self
    }

    /// As this desk is configured.
    pub fn of(desk: &Desk) -> Self {
        let config = &desk.app.config;
        let mut patient = Self::new()
            .with("PORT", desk.url.rsplit(':').next().unwrap())
            .with("PUBLIC_URL", &desk.url)
            .with("ADMIN_TOKEN", ADMIN_TOKEN)
            .with("DATABASE_URL", &config.database_url.0)
            .with(
                "WEBHOOK_AUTH",
                match config.webhook_auth {
                    AuthMode::ApiKey => "api_key",
                    AuthMode::Hmac => "hmac",
                    AuthMode::None => "none",
                },
            );
        if database::is_postgres() {
            patient = patient.with("SECRET_KEY", &database::key_of(&config.database_url.0));
        }
        if let Some(token) = &config.webhook_path_token {
            patient = patient.with("WEBHOOK_PATH_TOKEN", &token.0);
        }
        match &config.platform {
            PlatformConfig::Confirmd(settings) => patient.on(settings),
            _ => patient,
        }
    }

    /// With this account.
    pub fn on(self, settings: &confirmd::Settings) -> Self {
        self.with("PLATFORM", "confirmd")
            .with("CONFIRMD_BASE_URL", settings.base_url.as_str())
            .with("CONFIRMD_AUTH_URL", settings.auth_url.as_str())
            .with("CONFIRMD_ORG_ID", &settings.org_id)
            .with("CONFIRMD_CLIENT_ID", &settings.client_id)
            .with("CONFIRMD_CLIENT_SECRET", &settings.client_secret.0)
    }

    /// With the account at a platform that nobody is at.
    pub fn on_nobody(self) -> Self {
        self.on(&crate::own_platform::account("http://127.0.0.1:1"))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What the program says to these words. Nothing of it is a secret.
    pub async fn run(&self, words: &[&str]) -> Said {
        let mut command = Command::new(BINARY);
        command.args(words);
        self.finish(command).await
    }

    /// The same of a command that ends in the program.
    pub async fn finish(&self, mut command: Command) -> Said {
        command.env_clear().envs(&self.variables).env("PATH", std::env::var("PATH").unwrap_or_default());
        let done = command.current_dir(self.folder.path()).kill_on_drop(true).output();
        let done = tokio::time::timeout(PATIENCE, done).await.expect("it ends").unwrap();
        let text = [done.stdout, done.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
        for (name, value) in self.variables.iter().filter(|(_, value)| value.len() > 5) {
            let is_secret = ["SECRET", "TOKEN", "_KEY"].iter().any(|part| name.contains(part));
            assert!(!is_secret || !text.contains(value.as_str()), "{name} is shown in\n{text}");
        }
        assert!(!text.contains("a-password-for-tests"), "{text}");
        Said { code: done.status.code().unwrap(), text }
    }

    pub async fn doctor(&self) -> Said {
        self.run(&["doctor"]).await
    }
}
