//! Where a server is reached: by itself, and by others. *Runs: server.*

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

use reqwest::Url;

use super::StartError;
use crate::server::config::{Config, PublicUrl};

/// Where this process reaches itself.
pub(super) fn own_url(local: SocketAddr) -> Result<Url, StartError> {
    let host = if local.ip().is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { local.ip() };
    Url::parse(&format!("http://{}/", SocketAddr::new(host, local.port()))).map_err(|_| StartError::Address)
}

/// Its address as browsers and wallets see it.
pub(super) fn public_url(config: &Config, local: SocketAddr) -> Result<Url, StartError> {
    if let PublicUrl::Given(url) = &config.public_url {
        return Ok(url.clone());
    }
    let host = match local.ip() {
        ip if ip.is_loopback() => "localhost".to_owned(),
        // A phone has to reach what the code says: the address of the network, where there is one.
        ip if ip.is_unspecified() => lan_address().map_or_else(|| "localhost".to_owned(), |ip| ip.to_string()),
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    };
    Url::parse(&format!("http://{host}:{}/", local.port())).map_err(|_| StartError::Address)
}

/// This machine's address on its network. Connecting a UDP socket sends nothing; it only asks which way it would go.
#[must_use]
pub fn lan_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    // An address that is reserved for documentation (RFC 5737).
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}
