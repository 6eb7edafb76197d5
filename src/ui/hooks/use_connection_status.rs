//! The live state of a registration as signals: over a WebSocket, and by polling while that does not work.
//!
//! Every message that has a state in it is read for that state alone; its type does not matter. What is newest by version
//! is kept, so lost, repeated and reordered messages do no harm.
//!
//! - **One socket for each tab**, never two, and one question at a time. A tab that is duplicated or restored is a tab
//!   of its own.
//! - **A socket that fails** is tried again, see [`backoff`](super::backoff): with full jitter, spread over a short time
//!   after a restart, later where the server is full or refuses it. After so many failures in a row, and there at once, the
//!   state is polled, while the socket is tried on; the first state over a socket ends the polling.
//! - **A socket that only looks alive** is found out by a ping: now and then, and whenever the network or the page comes
//!   back.
//! - **A hidden page** keeps the socket that it has, and neither polls nor opens another: nobody looks, and a browser that
//!   was away for long has enough to do. On becoming visible it asks for the state at once, and sees to its socket.
//! - **A page that is left** closes its socket, so that the browser may keep the page for the way back; shown again it
//!   does what a page does that becomes visible. A frozen page needs nothing more: it is shown before it is looked at.
//! - **A registration that has ended** is not followed: no socket, no timer, no question is left.
//!
//! *Runs: browser (effects).*

use std::time::Duration;

use leptos::prelude::*;

use super::{
    follower::{Follower, Told},
    live_state::LiveState,
};

/// How to stay live. The defaults are those of the server's configuration, where it has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionStatusOptions {
    /// How often in a row the socket may fail before the state is polled. It is tried on while polling.
    /// `RECONNECT_ATTEMPTS`; by default 5.
    pub attempts: u32,
    /// The time between an answer and the next poll. `POLLING_INTERVAL`; by default 3 s.
    pub polling_interval: Duration,
    /// The longest wait after the first failure; it doubles with each further one. By default 500 ms.
    pub first_wait: Duration,
    /// What the longest wait doubles up to. A server that is full, or
    /// refuses the socket, is left alone for at least half of it. By default 30 s.
    pub longest_wait: Duration,
    /// The time over which browsers come back whose server restarts. By default 2 s.
    pub restart_spread: Duration,
    /// How long a socket has to have been of use to make up for the failures before it. By default 10 s.
    pub settled: Duration,
    /// How long the opening of a socket, or the answer to a poll, may take. By default 10 s.
    pub patience: Duration,
    /// How long a socket may say nothing before it is pinged; by chance half of it at least. By default 30 s.
    pub heartbeat: Duration,
    /// How long the answer to a ping may take. By default 5 s.
    pub pong_patience: Duration,
}

impl Default for ConnectionStatusOptions {
    fn default() -> Self {
        Self {
            attempts: 5,
            polling_interval: Duration::from_secs(3),
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(30),
            restart_spread: Duration::from_secs(2),
            settled: Duration::from_secs(10),
            patience: Duration::from_secs(10),
            heartbeat: Duration::from_secs(30),
            pong_patience: Duration::from_secs(5),
        }
    }
}

/// How the state arrives at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionMethod {
    /// Not yet, or not for the moment: a socket is being opened.
    Connecting,
    /// Pushed over the socket.
    WebSocket,
    /// Asked for every few seconds.
    Polling,
    /// Not at all: the browser says that it has no network, or neither the socket nor a poll came through.
    Offline,
    /// No more: the registration has ended.
    Ended,
}

impl ConnectionMethod {
    /// A word for attributes.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::WebSocket => "websocket",
            Self::Polling => "polling",
            Self::Offline => "offline",
            Self::Ended => "ended",
        }
    }
}

/// What [`use_connection_status`] gives.
#[derive(Clone, Copy, Debug)]
pub struct UseConnectionStatus {
    /// The newest state that is known.
    pub status: Signal<LiveState>,
    /// Whether news arrive at all, pushed or polled.
    pub is_connected: Signal<bool>,
    /// How they arrive.
    pub connection_method: Signal<ConnectionMethod>,
    /// Whether the socket was refused because the registration is open in as many windows as may be live.
    pub is_crowded: Signal<bool>,
    /// When the server was last heard of: milliseconds since 1970 by the browser's clock.
    pub last_update: Signal<Option<f64>>,
}

/// Follows a registration from the state that the page came with, until its owner is cleaned up. To be called in an
/// effect.
#[must_use]
pub fn use_connection_status(first: LiveState, options: ConnectionStatusOptions) -> UseConnectionStatus {
    let ended = first.stage.is_end();
    let told = Told {
        status: RwSignal::new(first),
        method: RwSignal::new(if ended { ConnectionMethod::Ended } else { ConnectionMethod::Connecting }),
        crowded: RwSignal::new(false),
        last_update: RwSignal::new(None),
    };
    if !ended {
        let follower = Follower::new(options, told);
        follower.begin();
        let follower = StoredValue::new_local(follower);
        on_cleanup(move || follower.with_value(|follower| follower.rest()));
    }
    UseConnectionStatus {
        status: told.status.into(),
        is_connected: Signal::derive(move || {
            matches!(told.method.get(), ConnectionMethod::WebSocket | ConnectionMethod::Polling)
        }),
        connection_method: told.method.into(),
        is_crowded: told.crowded.into(),
        last_update: told.last_update.into(),
    }
}
