//! What a person at a terminal wants to know of a server that is open. *Runs: server.*

use std::fmt::Write;

use super::{Server, lan_address};
use crate::server::{
    config::{PlatformConfig, PublicUrl},
    store::name_of,
};

/// The lines, each with its end. `shows_admin_token`: whether that was made up just now, so that nobody else knows it.
#[must_use]
pub fn greeting(server: &Server, shows_admin_token: bool) -> String {
    let app = server.app();
    let config = &app.config;
    let mut lines = format!("Vestibule is open at {}\n", app.public_url);
    let mut line = |name: &str, text: &str| {
        // Writing to a String cannot fail.
        let _ = writeln!(lines, "  {name:<19}  {text}");
    };
    let is_for_all = config.hostname.is_unspecified();
    let local = server.local_addr();
    if is_for_all {
        line("on this machine", &format!("http://localhost:{}/", local.port()));
        if let Some(address) = lan_address() {
            line("from a phone nearby", &format!("http://{address}:{}/", local.port()));
        }
    } else if matches!(config.public_url, PublicUrl::Given(_)) {
        line("it listens on", &local.to_string());
    }
    if let Some(address) = server.metrics_addr() {
        line("metrics", &format!("http://{address}/metrics"));
    }
    match &config.platform {
        PlatformConfig::Sandbox => {
            line("platform", "the sandbox: nothing here is real; the code opens a simulated wallet");
        }
        PlatformConfig::Confirmd(settings) => line(
            "platform",
            &format!(
                "ConfirmD at {}; `vestibule doctor` looks whether it lets us in",
                settings.base_url.origin().ascii_serialization()
            ),
        ),
        PlatformConfig::Acapy(settings) => line(
            "platform",
            &format!(
                "the ACA-Py agent at {}; `vestibule doctor` looks whether it lets us in",
                settings.admin_url.origin().ascii_serialization()
            ),
        ),
    }
    line("database", &name_of(&config.database_url.0));
    if let Some(link) = &app.link {
        let over =
            if link.backplane.name() == "redis" { "Redis" } else { "PostgreSQL; set REDIS_URL for many of them" };
        line("other servers", &format!("are told over {over}"));
    }
    if app.is_sandbox() && !is_for_all {
        line("to use a phone", "start with HOSTNAME=0.0.0.0");
    }
    match &app.admin_token {
        Some(token) if shows_admin_token => line("ADMIN_TOKEN", &token.0),
        Some(_) => {}
        None => line("ADMIN_TOKEN", "is not set, so the operator's calls are closed; set it to use them"),
    }
    lines
}
