//! `vestibule doctor`: looks at everything that a server needs, from here, and says of what is wrong what it means and how to
//! mend it. For people who just set a server up, or whose server does something odd.
//!
//! Refuses to change anything, to make a file, and to show a secret. *Runs: server.*

use std::fmt;

use self::{clocks::Clocks, probe::Probe};
use super::config::{Config, PlatformConfig, PublicUrl};

mod clocks;
mod database;
mod machine;
mod platform;
mod probe;
mod reach;
mod servers;

/// How it stands with one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// As it should.
    Ok,
    /// It works, and somebody should know something of it.
    Warning,
    /// It does not work.
    Fault,
}

/// What was found out about one thing: a line, and under it what to do.
#[derive(Clone, Debug)]
pub struct Finding {
    /// How it stands.
    pub mark: Mark,
    about: &'static str,
    said: String,
    mend: String,
}

impl Finding {
    fn ok(about: &'static str, said: impl Into<String>) -> Self {
        Self { mark: Mark::Ok, about, said: said.into(), mend: String::new() }
    }

    fn warning(about: &'static str, said: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { mark: Mark::Warning, about, said: said.into(), mend: mend.into() }
    }

    fn fault(about: &'static str, said: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { mark: Mark::Fault, about, said: said.into(), mend: mend.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.mark {
            Mark::Ok => "ok",
            Mark::Warning => "warning",
            Mark::Fault => "fault",
        };
        write!(f, "{mark:<7}  {}: {}", self.about, self.said)?;
        if self.mend.is_empty() { Ok(()) } else { write!(f, "\n         {}", self.mend) }
    }
}

/// Looks at everything, and tells each finding as soon as it is there. Gives back how many things are at fault. A
/// configuration that cannot be used is the only one: without it nobody knows what to look at.
pub async fn examine(config: Result<Config, String>, tell: &mut dyn FnMut(&Finding)) -> usize {
    let mut faults = 0;
    let mut tell = |finding: Finding| {
        faults += usize::from(finding.mark == Mark::Fault);
        tell(&finding);
    };
    match config {
        Ok(config) => examine_all(&config, &mut tell).await,
        Err(problems) => tell(Finding::fault(
            "configuration",
            problems,
            "`vestibule --help` lists the variables. Everything else is looked at once the configuration can be read",
        )),
    }
    faults
}

async fn examine_all(config: &Config, tell: &mut dyn FnMut(Finding)) {
    let mut clocks = Clocks::default();
    tell(Finding::ok("configuration", "it can be used"));
    config.doubts().into_iter().for_each(|doubt| tell(Finding::warning("configuration", doubt, "")));
    database::examine(config, &mut clocks, tell).await;
    if let Some(finding) = servers::examine(config).await {
        tell(finding);
    }
    match Probe::new(config.platform_timeout) {
        Ok(probe) => {
            platform::examine(config, &probe, &mut clocks, tell).await;
            reach::examine(config, &probe, &mut clocks, tell).await;
            if let PublicUrl::Given(url) = &config.public_url {
                platform::examine_webhook(config, url, tell).await;
            }
        }
        Err(_) => tell(Finding::fault(
            "calls",
            "none can be made, neither to the platform nor to this server: what TLS needs is not on this machine",
            "install the system's certificates (ca-certificates), or name a file of them in SSL_CERT_FILE",
        )),
    }
    clocks.examine(tell);
    if clocks.are_none() && !matches!(config.platform, PlatformConfig::Sandbox) {
        let mend = "`timedatectl` shows whether this machine's is set by NTP";
        tell(Finding::warning("clock", "nobody was there to compare it with", mend));
    }
    tell(machine::files(config));
    tell(machine::site(config));
}
