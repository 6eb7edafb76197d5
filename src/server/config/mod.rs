//! The configuration: environment variables, also from `.env`, each with a default that runs. All that is wrong is told
//! in one message.
//!
//! Reads no file but the desk's. *Runs: server.*

use std::{collections::BTreeMap, net::IpAddr, path::PathBuf, sync::Arc, time::Duration};

use reqwest::Url;

mod address;
mod doubts;
mod export;
mod platform;
mod proxies;
mod rate;
mod reader;
mod variables;

pub use address::{CONFIRMD_WEBHOOK, is_same, not_here, without_secrets};
pub use export::{Export, Sampling};
pub use platform::PlatformConfig;
pub use proxies::Proxies;
pub use rate::Rate;
pub use variables::{VARIABLES, Variable, help};

use self::{
    platform::Kind,
    proxies::network,
    rate::rate,
    reader::{Reader, web_address},
};
use super::{
    desk,
    platform::AuthMode,
    secrets::{Secret, SecretKey},
    store::is_shared,
};
use crate::domain::{desk::Desk, session::Deadlines};

/// Where `PUBLIC_URL` comes from.
#[derive(Clone, Debug)]
pub enum PublicUrl {
    /// It was set.
    Given(Url),
    /// From the address it listens on, once that is known.
    Derived,
}

/// The configuration. Secrets in it are not shown by `Debug`.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each field is the variable of the same name, described in VARIABLES")]
pub struct Config {
    pub port: u16,
    pub hostname: IpAddr,
    /// `None`: `/metrics` is on the main port.
    pub metrics_port: Option<u16>,
    pub public_url: PublicUrl,
    pub allowed_origins: Vec<String>,
    pub database_url: Secret,
    pub database_connections: u32,
    /// `None`: servers on one PostgreSQL tell each other over that.
    pub redis_url: Option<Secret>,
    /// `None`: the key lies in a file beside the database.
    pub secret_key: Option<SecretKey>,
    pub old_keys: Vec<SecretKey>,
    pub platform: PlatformConfig,
    pub platform_timeout: Duration,
    pub tenant_id: Option<String>,
    pub webhook_secrets: Vec<Secret>,
    pub webhook_auth: AuthMode,
    pub webhook_path_token: Option<Secret>,
    pub desk: Arc<Desk>,
    pub admin_token: Option<Secret>,
    pub deadlines: Deadlines,
    pub token_ttl: Duration,
    pub ping_interval: Duration,
    pub drain: Duration,
    pub max_clients_per_session: usize,
    pub max_clients_per_address: Option<usize>,
    pub max_clients: usize,
    pub reconnect_attempts: u32,
    pub polling_interval: Duration,
    /// `None`: off.
    pub rate_sessions: Option<Rate>,
    pub trusted_proxies: Proxies,
    pub log_level: String,
    pub log_json: bool,
    /// `None`: off.
    pub export: Option<Export>,
    pub site_root: PathBuf,
}

const DATABASES: &str = "sqlite://<path> or postgres://<user>:<password>@<host>/<database>";

/// The length from which on a path token counts as one that nobody can guess.
const UNGUESSABLE: usize = 16;

/// Everything that is wrong with a configuration.
#[derive(Debug, PartialEq, Eq)]
pub struct ConfigError(pub Vec<String>);

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the configuration cannot be used:")?;
        for problem in &self.0 {
            write!(f, "\n  - {problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// Reads the configuration from these variables.
    ///
    /// # Errors
    /// With everything that is wrong.
    pub fn from_variables(set: &BTreeMap<String, String>) -> Result<Self, ConfigError> {
        let mut reader = Reader::new(set);
        let r = &mut reader;
        let kind = Kind::read(r);
        let webhook_auth =
            r.parse("WEBHOOK_AUTH", AuthMode::ApiKey, "api_key, hmac or none", |value| value.parse().ok());
        let webhook_path_token = r.owned("WEBHOOK_PATH_TOKEN").map(Secret);
        let unguessable = webhook_path_token.as_ref().is_some_and(|token| token.0.chars().count() >= UNGUESSABLE);
        if webhook_auth == AuthMode::None && !unguessable {
            r.problems.push(format!(
                "WEBHOOK_AUTH is none, so anybody who knows the address could send; WEBHOOK_PATH_TOKEN has to have \
                 {UNGUESSABLE} characters or more"
            ));
        }
        let mut platform = kind.config(r, webhook_auth);
        let database_url = r.secret("DATABASE_URL", Secret("sqlite://vestibule.db".to_owned()), DATABASES, |value| {
            let file = value.strip_prefix("sqlite://");
            // One in memory would be another one for each connection.
            let is_file = file.is_some_and(|file| !file.is_empty() && !file.starts_with(":memory:"));
            let is_server = is_shared(value) && Url::parse(value).is_ok_and(|url| url.has_host());
            (is_file || is_server).then(|| Secret(value.to_owned()))
        });
        if is_shared(&database_url.0) && r.get("SECRET_KEY").is_none() {
            r.problems.push("SECRET_KEY is not set; all servers on one PostgreSQL need the same".to_owned());
        }
        let redis_url = r.secret("REDIS_URL", None, "redis://<host>, or with TLS rediss://<host>", |value| {
            let url = Url::parse(value).ok().filter(|url| matches!(url.scheme(), "redis" | "rediss") && url.has_host());
            url.map(|_| Some(Secret(value.to_owned())))
        });
        if redis_url.is_some() && !is_shared(&database_url.0) {
            r.problems.push("REDIS_URL is for several servers, and these need DATABASE_URL=postgres://…".to_owned());
        }
        let token_ttl = r.length("TOKEN_TTL", "24h");
        let given = |name: &str| r.set.get(name).map(String::as_str).filter(|value| !value.trim().is_empty());
        let desk = desk::load(&given, kind == Kind::Sandbox).unwrap_or_else(|problems| {
            r.problems.extend(problems);
            desk::sample()
        });
        if let PlatformConfig::Acapy(settings) = &mut platform {
            settings.label.clone_from(&desk.organisation);
        } else if !desk.credential.format.is_anoncreds() {
            r.problems.push("the desk asks for a credential in the format \"dif\"; only PLATFORM=acapy can".to_owned());
        }
        let code = r.length("SESSION_TTL", "15m");
        let deadlines = Deadlines {
            code: desk.lifetimes.code.unwrap_or(code),
            wallet: desk.lifetimes.wallet,
            form: desk.lifetimes.form,
        };
        let config = Self {
            port: r.parse("PORT", 3300, "a port, 0 to 65535", |value| value.parse().ok()),
            hostname: r.parse("HOSTNAME", IpAddr::from([127, 0, 0, 1]), "an IP address to listen on", |value| {
                if value == "localhost" { Some(IpAddr::from([127, 0, 0, 1])) } else { value.parse().ok() }
            }),
            metrics_port: r.parse("METRICS_PORT", None, "a port, 0 to 65535", |value| value.parse().ok().map(Some)),
            public_url: r.parse(
                "PUBLIC_URL",
                PublicUrl::Derived,
                "an address such as https://desk.example.org",
                |value| {
                    web_address(value).filter(|url| url.path() == "/" && url.query().is_none()).map(PublicUrl::Given)
                },
            ),
            allowed_origins: r.list("ALLOWED_ORIGINS", "origins such as https://desk.example.org", |value| {
                web_address(value).map(|url| url.origin().ascii_serialization())
            }),
            database_url,
            database_connections: r.number("DATABASE_CONNECTIONS", 16),
            redis_url,
            secret_key: r.secret("SECRET_KEY", None, "32 bytes as 64 hexadecimal digits or base64", |value| {
                value.parse().ok().map(Some)
            }),
            old_keys: r.secret("SECRET_KEY_OLD", Vec::new(), "keys in the form of SECRET_KEY", |value| {
                value.split(',').map(str::trim).filter(|key| !key.is_empty()).map(|key| key.parse().ok()).collect()
            }),
            platform,
            platform_timeout: r.length("PLATFORM_TIMEOUT", "30s"),
            tenant_id: r.owned("CONFIRMD_TENANT_ID"),
            webhook_secrets: r.list("WEBHOOK_SECRET", "one or two secrets", |value| Some(Secret(value.to_owned()))),
            webhook_auth,
            webhook_path_token,
            desk: Arc::new(desk),
            admin_token: r.owned("ADMIN_TOKEN").map(Secret),
            deadlines,
            token_ttl,
            ping_interval: r.length("PING_INTERVAL", "30s"),
            drain: r.length("DRAIN", "10s"),
            max_clients_per_session: r.number("MAX_CLIENTS_PER_SESSION", 5),
            max_clients_per_address: r.number_or_off("MAX_CLIENTS_PER_ADDRESS", 20_000),
            max_clients: r.number("MAX_CLIENTS", 100_000),
            reconnect_attempts: r.number("RECONNECT_ATTEMPTS", 5),
            polling_interval: r.length("POLLING_INTERVAL", "3s"),
            rate_sessions: r.parse("RATE_SESSIONS", rate("30/m").flatten(), "such as 30/m, or off", rate),
            trusted_proxies: r.list("TRUSTED_PROXIES", "IP addresses and networks such as 10.0.0.0/8", network).into(),
            log_level: r.owned("LOG_LEVEL").unwrap_or_else(|| "info".to_owned()),
            log_json: r.parse("LOG_FORMAT", false, "text or json", |value| match value {
                "text" => Some(false),
                "json" => Some(true),
                _ => None,
            }),
            export: export::export(r),
            site_root: r.owned("LEPTOS_SITE_ROOT").unwrap_or_else(|| "target/site".to_owned()).into(),
        };
        if reader.problems.is_empty() { Ok(config) } else { Err(ConfigError(reader.problems)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(set: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let mut set: BTreeMap<String, String> = set.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        set.entry("DESK_FILE".to_owned())
            .or_insert_with(|| format!("{}/registration.toml", env!("CARGO_MANIFEST_DIR")));
        Config::from_variables(&set)
    }

    #[test]
    fn nothing_set_is_a_configuration_that_runs() {
        let config = config(&[]).unwrap();
        assert_eq!((config.port, config.hostname), (3300, IpAddr::from([127, 0, 0, 1])));
        assert!(matches!(config.platform, PlatformConfig::Sandbox));
        assert_eq!(config.desk.attributes.len(), 9);
        assert_eq!(config.rate_sessions.map(|rate| rate.count.get()), Some(30));
    }

    #[test]
    fn every_mistake_is_told_at_once() {
        let wrong = [
            ("PORT", "99999"),
            ("HOSTNAME", "nowhere"),
            ("METRICS_PORT", "on"),
            ("PUBLIC_URL", "ftp://x"),
            ("DATABASE_URL", "sqlite://:memory:"),
            ("SECRET_KEY", "short"),
            ("PLATFORM", "confirmd"),
            ("CONFIRMD_BASE_URL", "platform"),
            ("SESSION_TTL", "soon"),
            ("PING_INTERVAL", "0s"),
            ("MAX_CLIENTS", "0"),
            ("MAX_CLIENTS_PER_ADDRESS", "on"),
            ("RATE_SESSIONS", "30/y"),
            ("TRUSTED_PROXIES", "127.0.0.1, everyone"),
            ("LOG_FORMAT", "xml"),
            ("DESK_FILE", "/nowhere/desk.toml"),
        ];
        let ConfigError(problems) = config(&wrong).unwrap_err();
        for name in wrong.iter().map(|(name, _)| *name).filter(|name| *name != "PLATFORM").chain([
            "CONFIRMD_AUTH_URL",
            "CONFIRMD_ORG_ID",
            "CONFIRMD_CLIENT_ID",
            "CONFIRMD_CLIENT_SECRET",
            "WEBHOOK_SECRET",
        ]) {
            assert!(problems.iter().any(|problem| problem.contains(name)), "{name} is missing in {problems:#?}");
        }
    }

    #[test]
    fn the_desk_says_how_long_each_part_takes_and_session_ttl_fills_in_for_the_code() {
        let deadlines = |file: &str, ttl| {
            let file = format!("{}/{file}", env!("CARGO_MANIFEST_DIR"));
            let Deadlines { code, wallet, form } =
                config(&[("DESK_FILE", &file), ("SESSION_TTL", ttl)]).unwrap().deadlines;
            [code, wallet, form].map(|length| length.as_secs() / 60)
        };
        assert_eq!(deadlines("registration.toml", "7m"), [7, 10, 60]);
        assert_eq!(deadlines("desks/course.toml", "7m"), [30, 20, 120]);
    }

    #[test]
    fn webhooks_without_authentication_need_a_path_that_nobody_can_guess() {
        let told = |set: &[(&str, &str)]| config(set).unwrap_err().0.join("\n");
        assert!(told(&[("WEBHOOK_AUTH", "none")]).contains("WEBHOOK_PATH_TOKEN"));
        assert!(told(&[("WEBHOOK_AUTH", "none"), ("WEBHOOK_PATH_TOKEN", "15-characters-x")]).contains("16"));
        assert!(told(&[("WEBHOOK_AUTH", "basic")]).contains("api_key, hmac or none"));
        let without = [("WEBHOOK_AUTH", "none"), ("WEBHOOK_PATH_TOKEN", "sixteen-letters!")];
        assert_eq!(config(&without).unwrap().webhook_auth, AuthMode::None);
        assert!(!told(&[&without[..], &[("PLATFORM", "confirmd")]].concat()).contains("WEBHOOK_SECRET"));
        assert!(told(&[("WEBHOOK_AUTH", "hmac"), ("PLATFORM", "confirmd")]).contains("WEBHOOK_SECRET"));
    }

    #[test]
    fn no_secret_is_ever_shown() {
        let config =
            config(&[("WEBHOOK_SECRET", "hush-1,hush-2"), ("ADMIN_TOKEN", "hush-3"), ("WEBHOOK_PATH_TOKEN", "hush-4")]);
        assert!(!format!("{:?}", config.unwrap()).contains("hush"));
    }

    #[test]
    fn rates_are_read() {
        assert_eq!(rate("off"), Some(None));
        let rate_of = |text| rate(text).flatten().map(|rate| (rate.count.get(), rate.per.as_secs()));
        assert_eq!(rate_of("5/s"), Some((5, 1)));
        assert_eq!(rate_of("100/h"), Some((100, 3600)));
        for text in ["", "5", "0/s", "-1/s", "5/", "/s", "on"] {
            assert_eq!(rate(text), None, "{text:?}");
        }
    }
}
