//! What of a configuration can be used and is hardly meant. Told at each start, and by `vestibule doctor`. *Runs: server.*

use std::net::IpAddr;

use reqwest::Url;

use super::{Config, PlatformConfig, PublicUrl};
use crate::server::platform::AuthMode;

/// Fewer characters than these can be found by trying.
const SHORT_TOKEN: usize = 16;

impl Config {
    /// What is doubtful, each in a sentence that says what to do about it.
    #[must_use]
    pub fn doubts(&self) -> Vec<String> {
        let mut doubts = Vec::new();
        if self.webhook_auth == AuthMode::None {
            doubts.push(
                "WEBHOOK_AUTH is none: only WEBHOOK_PATH_TOKEN keeps strangers from sending webhooks. Whatever these say is \
                 confirmed at the platform before it counts; set WEBHOOK_AUTH to api_key or hmac once the platform sends either"
                    .to_owned(),
            );
        }
        if self.admin_token.as_ref().is_some_and(|token| token.0.chars().count() < SHORT_TOKEN) {
            doubts.push(format!(
                "ADMIN_TOKEN has fewer than {SHORT_TOKEN} characters, and it is all that keeps strangers from the staff's pages: set it to what \
                 nobody guesses, such as the output of `openssl rand -base64 24`, and all are signed out"
            ));
        }
        let is_real = !matches!(self.platform, PlatformConfig::Sandbox);
        match &self.public_url {
            PublicUrl::Derived if is_real => doubts.push(
                "PUBLIC_URL is not set, so codes and links lead to this machine's own name, where no phone and no platform \
                 elsewhere finds it: set it to the address that browsers see, such as https://desk.example.org"
                    .to_owned(),
            ),
            PublicUrl::Given(url) if url.scheme() == "http" && is_public(url) => doubts.push(format!(
                "PUBLIC_URL is http://{}: whoever is on the way reads along what people send, and browsers keep the cookie \
                 for such connections too. Put a proxy with a certificate in front (deploy/ has some), and set PUBLIC_URL to https://…",
                url.host_str().unwrap_or_default()
            )),
            PublicUrl::Given(url) if url.scheme() == "https" && !self.trusted_proxies.are_any() => doubts.push(
                "PUBLIC_URL is https, so a proxy is in front, and TRUSTED_PROXIES does not name it: all people count as one \
                 address, and share the limits of one (RATE_SESSIONS among them). Set it to the proxy's address as seen from here"
                    .to_owned(),
            ),
            _ => {}
        }
        doubts
    }
}

/// Whether it is a name, or an address, by which others elsewhere reach it.
fn is_public(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    match host.parse() {
        Ok(IpAddr::V4(ip)) => !(ip.is_loopback() || ip.is_private() || ip.is_link_local()),
        Ok(IpAddr::V6(ip)) => !(ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local()),
        Err(_) => host != "localhost" && ![".localhost", ".local", ".internal"].iter().any(|end| host.ends_with(end)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_on_this_machine_or_its_network_is_not_public() {
        let public = |host: &str| is_public(&format!("http://{host}/").parse().unwrap());
        for host in [
            "localhost",
            "desk.localhost",
            "desk.local",
            "127.0.0.1",
            "192.168.1.7:3300",
            "10.0.0.1",
            "[::1]",
            "[fd00::1]",
        ] {
            assert!(!public(host), "{host}");
        }
        for host in ["desk.example.org", "203.0.113.7", "[2001:db8::7]:80", "localhost.example.org"] {
            assert!(public(host), "{host}");
        }
    }
}
