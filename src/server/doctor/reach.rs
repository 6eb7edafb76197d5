//! Whether this server is found: here, and under its public name. *Runs: server.*

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::Url;

use super::{
    Finding,
    clocks::Clocks,
    probe::{Probe, Seen, Unseen},
};
use crate::server::{
    config::{Config, PlatformConfig, PublicUrl},
    endpoints::health::WEBHOOK,
};

const SERVER: &str = "server";
const PUBLIC: &str = "public address";

/// Why whoever answers is not this server's webhook, and what to do.
type Stranger = (String, &'static str);

/// Looks at the webhook's address, first where the server listens, then where the platform calls it.
pub(super) async fn examine(config: &Config, probe: &Probe, clocks: &mut Clocks, tell: &mut dyn FnMut(Finding)) {
    let public = match &config.public_url {
        PublicUrl::Given(url) => Some((url, look(config, probe, url).await)),
        PublicUrl::Derived => None,
    };
    let is_found = public.as_ref().is_some_and(|(_, seen)| seen.is_ok());
    if let Some(here) = here(config) {
        let address = here.authority().to_owned();
        tell(match look(config, probe, &here).await {
            Ok(_) => Finding::ok(SERVER, format!("it runs at {address}")),
            Err((why, _)) if is_found => Finding::warning(
                SERVER,
                format!("at {address} {why}, though one is found under PUBLIC_URL"),
                "it runs on another machine, or on a socket that a service manager passed to it; otherwise look at HOSTNAME and PORT",
            ),
            Err((why, mend)) => Finding::fault(SERVER, format!("at {address} {why}"), mend),
        });
    }
    match public {
        Some((url, Ok(seen))) => {
            seen.note_time("whoever answers under PUBLIC_URL", clocks);
            tell(Finding::ok(PUBLIC, format!("the webhook's address below {url} is found from here")));
        }
        Some((url, Err((why, mend)))) => {
            tell(Finding::fault(PUBLIC, format!("under {url} {why}"), mend));
        }
        None => {}
    }
}

/// Where the server listens, as seen from this machine. `None` where that is not known beforehand.
fn here(config: &Config) -> Option<Url> {
    let host = match config.hostname {
        IpAddr::V4(address) if address.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(address) if address.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        address => address,
    };
    if config.port == 0 {
        return None;
    }
    Url::parse(&format!("http://{}/", SocketAddr::new(host, config.port))).ok()
}

async fn look(config: &Config, probe: &Probe, base: &Url) -> Result<Seen, Stranger> {
    let mut address = config.webhook_address(base);
    if let (PlatformConfig::Acapy(_), Ok(mut path)) = (&config.platform, address.path_segments_mut()) {
        // As the agent calls it.
        path.extend(["topic", "connections", ""]);
    }
    match probe.look(&address).await {
        Ok(seen) if seen.status == 200 && seen.body == WEBHOOK => Ok(seen),
        Ok(Seen { status: status @ 300..=399, .. }) => Err((
            format!("somebody answers with a redirect (HTTP {status}), which no platform follows"),
            "set PUBLIC_URL to where it leads, with https if it is that",
        )),
        Ok(Seen { status: status @ 502..=504, .. }) => Err((
            format!("a proxy answers, which does not reach the server behind it (HTTP {status})"),
            "start the server; if it runs, look at where the proxy passes on to, and at HOSTNAME and PORT",
        )),
        Ok(Seen { status, .. }) => Err((
            format!("another program answers, or a Vestibule with another PLATFORM (HTTP {status})"),
            "look at what listens there, where its proxy passes /api/webhooks/ on to, and at the DNS record of the name",
        )),
        Err(unseen @ Unseen::Refused) => Err((unseen.to_string(), "start the server, or what is to be in front of it")),
        Err(unseen) => {
            Err((unseen.to_string(), "webhooks and browsers meet the same, if they come from where this machine is"))
        }
    }
}
