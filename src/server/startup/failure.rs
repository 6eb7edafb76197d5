//! Why a server could not start, in words that say what to do about it. *Runs: server.*

use std::{io, net::SocketAddr};

use crate::server::{
    backplane, metrics,
    secrets::KeyError,
    store::{StoreError, Unusable},
    trace::export,
};

/// Why the server could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {} ({source})", why_not_listening(.source))]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The database cannot be opened.
    #[error(transparent)]
    Database(#[from] Unusable),
    /// The database failed later.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The sockets' thread cannot be started.
    #[error("the thread of the sockets cannot be started: {0}")]
    Sockets(io::Error),
    /// The metrics cannot be made.
    #[error("the figures for /metrics cannot be made: {0}")]
    Metrics(#[from] metrics::Error),
    /// Spans cannot be exported as it is configured.
    #[error("spans cannot be exported as it is configured; look at OTEL_EXPORTER_OTLP_ENDPOINT: {0}")]
    Export(#[from] export::Error),
    /// The platform's client cannot be made.
    #[error(
        "calls to the platform cannot be made, for want of what TLS needs ({0}): install the system's certificates (ca-certificates), or name a file of them in SSL_CERT_FILE"
    )]
    Client(#[from] reqwest::Error),
    /// The way to other servers cannot be set up.
    #[error("the way to the other servers cannot be set up; look at REDIS_URL: {0}")]
    Backplane(#[from] backplane::Lost),
    /// An address cannot be formed.
    #[error("no PUBLIC_URL can be formed from the address it listens on; set it")]
    Address,
}

/// What it means that an address cannot be listened on, and what to do about it.
fn why_not_listening(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "another program listens there, perhaps another Vestibule. End it, or set PORT (METRICS_PORT) to a port that is free"
        }
        io::ErrorKind::PermissionDenied => {
            "this user may not. Ports below 1024 are for root and for whom it lets (systemd's AmbientCapabilities=CAP_NET_BIND_SERVICE); \
             set PORT to a higher one, and put a proxy in front"
        }
        io::ErrorKind::AddrNotAvailable => {
            "this machine has no such address. Set HOSTNAME to one that it has, to 127.0.0.1 behind a proxy on this machine, or to 0.0.0.0 \
             for all of them"
        }
        _ => "the system does not let it",
    }
}
