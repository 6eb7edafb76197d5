//! The proxies in front, and who called through them. *Runs: server.*

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;
use ipnet::IpNet;

/// The proxies whose `X-Forwarded-For` is believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies(Vec<IpNet>);

impl From<Vec<IpNet>> for Proxies {
    fn from(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }
}

/// Reads an address, or a network as `10.0.0.0/8`. All addresses there are is no network of proxies.
pub(super) fn network(text: &str) -> Option<IpNet> {
    let network = text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))?;
    (network.prefix_len() > 0).then_some(network)
}

impl Proxies {
    /// Whether there are any.
    #[must_use]
    pub fn are_any(&self) -> bool {
        !self.0.is_empty()
    }

    /// Whether one of them has this address; an IPv4 address is the same as IPv6 writes it.
    #[must_use]
    pub fn have(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The address of the person or machine that called: the peer's, or what a proxy says. Proxies append to
    /// `X-Forwarded-For`, so the last address that is not a proxy's is the one to believe.
    #[must_use]
    pub fn caller(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let peer = peer.to_canonical();
        if !self.have(peer) {
            return peer;
        }
        headers
            .get_all("x-forwarded-for")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(|entry| forwarded_address(entry.trim()))
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            // What a proxy could not name ends the trail: whatever is before it may be anybody's invention.
            .map_while(|address| address)
            .find(|address| !self.have(*address))
            .unwrap_or(peer)
    }
}

/// An entry of `X-Forwarded-For`; some proxies write the port too.
fn forwarded_address(entry: &str) -> Option<IpAddr> {
    let address = entry.parse().ok().or_else(|| entry.parse::<SocketAddr>().ok().map(|address| address.ip()))?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(list: &str) -> Proxies {
        list.split(' ').map(|text| network(text).unwrap()).collect::<Vec<_>>().into()
    }

    #[test]
    fn a_proxy_is_an_address_or_in_a_network() {
        let proxies = proxies("127.0.0.1 10.32.7.9/12 2001:db8::/48");
        for (address, expected) in [
            ("127.0.0.1", true),
            ("::ffff:127.0.0.1", true),
            ("127.0.0.2", false),
            ("10.47.255.255", true),
            ("10.48.0.0", false),
            ("2001:db8:0:ffff::1", true),
            ("2001:db8:1::", false),
        ] {
            assert_eq!(proxies.have(address.parse().unwrap()), expected, "{address}");
        }
        assert!(!Proxies::default().have([127, 0, 0, 1].into()));
        for wrong in ["everyone", "10.0.0.0/33", "10.0.0/8", "0.0.0.0/0", "::/0", "10.0.0.0/", "10.0.0.1:80"] {
            assert_eq!(network(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_last_address_that_is_no_proxys_called() {
        let proxies = proxies("127.0.0.1 10.32.0.0/12");
        let called = |peer: &str, forwarded: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in forwarded {
                headers.append("x-forwarded-for", value.parse().unwrap());
            }
            proxies.caller(peer.parse().unwrap(), &headers).to_string()
        };
        for (peer, forwarded, expected) in [
            ("198.51.100.1", &["203.0.113.1"][..], "198.51.100.1"),
            ("127.0.0.1", &[], "127.0.0.1"),
            ("::ffff:10.32.0.1", &["203.0.113.1"], "203.0.113.1"),
            ("10.32.0.1", &["198.51.100.1, 203.0.113.1,10.40.0.1", "::ffff:127.0.0.1"], "203.0.113.1"),
            ("10.32.0.1", &["203.0.113.1:51234"], "203.0.113.1"),
            ("10.32.0.1", &["[2001:db8::7]:51234"], "2001:db8::7"),
            ("10.32.0.1", &["::ffff:203.0.113.1"], "203.0.113.1"),
            ("10.32.0.1", &["198.51.100.1, unknown"], "10.32.0.1"),
            ("10.32.0.1", &["10.33.0.1, 127.0.0.1"], "10.32.0.1"),
        ] {
            assert_eq!(called(peer, forwarded), expected, "{peer} {forwarded:?}");
        }
    }
}
