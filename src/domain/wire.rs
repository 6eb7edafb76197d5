//! What travels over the WebSocket: state, not events. *Runs: both.*

use serde::{Deserialize, Serialize};

use super::session::Snapshot;

/// What the server sends. A client drops what is not newer than what it has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerMessage {
    /// The first message on a socket: the state as it is now.
    Connected(Snapshot),
    /// A newer state. Also the answer to polling.
    StatusUpdate(Snapshot),
    /// The answer to a client's `ping`.
    Pong,
    /// To staff who look at all registrations: something changed.
    Board(BoardState),
}

/// The board, as far as it is pushed: only that it is another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoardState {
    /// Grows with every change.
    pub version: u64,
}

/// What a client may send. Everything else is read and dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientMessage {
    /// Asks for a `pong`.
    Ping,
}

/// Why the server closes a socket: the code of RFC 6455, section 7.4, and the reason sent with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Close {
    /// The close code.
    pub code: u16,
    /// The reason, for people who read logs.
    pub reason: &'static str,
}

impl Close {
    /// A frame that breaks the protocol.
    pub const PROTOCOL: Self = Self { code: 1002, reason: "Protocol error" };
    /// A text that is not UTF-8.
    pub const NOT_TEXT: Self = Self { code: 1007, reason: "Not UTF-8" };
    /// A message beyond the limit.
    pub const TOO_BIG: Self = Self { code: 1009, reason: "Message too big" };
    /// Whoever looks at the board is not signed in, or no longer.
    pub const NOT_SIGNED_IN: Self = Self { code: 1008, reason: "Not signed in" };
    /// There is no `sessionId` in the address.
    pub const SESSION_ID_REQUIRED: Self = Self { code: 1008, reason: "Session ID required" };
    /// Neither cookie nor token opens this session.
    pub const INVALID_TOKEN: Self = Self { code: 1008, reason: "Invalid token" };
    /// The session has as many sockets as one may have.
    pub const TOO_MANY: Self = Self { code: 1008, reason: "Too many connections for this session" };
    /// The address has as many sockets as one may have.
    pub const TOO_MANY_THERE: Self = Self { code: 1008, reason: "Too many connections from this address" };
    /// The peer sends without an end.
    pub const FLOOD: Self = Self { code: 1008, reason: "Too many messages" };
    /// The session was deleted after its token was made.
    pub const NOT_FOUND: Self = Self { code: 1008, reason: "Session not found" };
    /// The peer did not answer two pings.
    pub const SILENT: Self = Self { code: 1001, reason: "No answer to ping" };
    /// The database could not be read; worth trying again.
    pub const UNAVAILABLE: Self = Self { code: 1011, reason: "Try again" };
    /// The server is restarting; clients come back spread over time.
    pub const RESTARTING: Self = Self { code: 1012, reason: "Restarting" };
    /// The server has as many sockets as it may have.
    pub const FULL: Self = Self { code: 1013, reason: "Try again later" };

    /// Whether a client that is closed with this code has nothing to gain from trying the socket again soon: it may not, or
    /// others have to leave first.
    #[must_use]
    pub const fn stays_away(code: u16) -> bool {
        code == 1008 || code == Self::FULL.code
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ping_is_told_from_everything_else() {
        assert_eq!(serde_json::from_str::<ClientMessage>(r#"{"type":"ping"}"#).unwrap(), ClientMessage::Ping);
        for text in ["", "ping", "{}", r#"{"type":"subscribe"}"#, "[]", "\u{0}"] {
            assert!(serde_json::from_str::<ClientMessage>(text).is_err(), "{text:?}");
        }
        assert_eq!(serde_json::to_string(&ServerMessage::Pong).unwrap(), r#"{"type":"pong"}"#);
    }
}
