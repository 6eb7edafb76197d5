//! The address of the webhook, which may be a secret, and how it is shown. *Runs: server.*

use reqwest::Url;

use super::{Config, PlatformConfig, reader::web_address};

/// Where the webhooks of the ConfirmD Platform arrive, on this server.
pub const CONFIRMD_WEBHOOK: &str = "/api/webhooks/confirmd";
const ACAPY: &str = "/api/webhooks/acapy";

impl Config {
    /// Where the platform's webhooks arrive, below this address. With a path token it is a secret: show it by
    /// [`without_secrets`]. An agent adds the topic by itself.
    #[must_use]
    pub fn webhook_address(&self, base: &Url) -> Url {
        let mut address = base.clone();
        address.set_path(if matches!(self.platform, PlatformConfig::Acapy(_)) { ACAPY } else { CONFIRMD_WEBHOOK });
        if let (Some(token), Ok(mut path)) = (&self.webhook_path_token, address.path_segments_mut()) {
            path.push(&token.0);
        }
        address
    }
}

/// An address as it may be shown: what could be a password or a path token is left out.
#[must_use]
pub fn without_secrets(address: &str) -> String {
    let Some(url) = web_address(address) else { return "something that is no address".to_owned() };
    let origin = url.origin().ascii_serialization();
    let known = [CONFIRMD_WEBHOOK, ACAPY].into_iter().find(|path| url.path().starts_with(path)).unwrap_or_default();
    let rest = &url.path()[known.len()..];
    let hides_something = !rest.trim_matches('/').is_empty() || url.query().is_some();
    format!("{origin}{known}{}", if hides_something { "/…" } else { rest })
}

/// Whether the platform noted this address.
#[must_use]
pub fn is_same(noted: &str, address: &Url) -> bool {
    Url::parse(noted).is_ok_and(|noted| noted == *address)
}

/// How the address that the platform noted differs from ours, where what is shown of both may be the same.
#[must_use]
pub fn not_here(noted: &str, ours: &Url) -> String {
    let (noted, ours) = (without_secrets(noted), without_secrets(ours.as_str()));
    if noted == ours { "its end is not WEBHOOK_PATH_TOKEN".to_owned() } else { format!("that would be {ours}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_secret_is_not_shown() {
        for (address, shown) in [
            ("https://desk.example.org/api/webhooks/confirmd", "https://desk.example.org/api/webhooks/confirmd"),
            ("https://desk.example.org/api/webhooks/confirmd/hush", "https://desk.example.org/api/webhooks/confirmd/…"),
            ("https://user:hush@desk.example.org:8443/hush?hush#hush", "https://desk.example.org:8443/…"),
            ("https://desk.example.org/", "https://desk.example.org/"),
            ("hush", "something that is no address"),
        ] {
            assert_eq!(without_secrets(address), shown);
        }
    }
}
