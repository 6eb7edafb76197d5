//! A connection on its way from the HTTP server to the hub: the endpoint says what is to become of it, and the server, once
//! the answer is out, hands over the stream. *Runs: server.*

use std::{
    net::TcpStream,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::hub::{Hub, Seat};
use crate::domain::{session::Session, wire::Close};

/// What becomes of a connection after the opening handshake.
pub enum Arrival {
    /// It watches, and this is the state it is told first.
    Welcome(Seat, Session),
    /// It is closed; a browser could not have read an answer that refuses it.
    Goodbye(Arc<Hub>, Close),
}

/// One connection's note; an extension of each of its requests.
#[derive(Clone, Default)]
pub struct Handover(Arc<Mutex<Note>>);

#[derive(Default)]
struct Note {
    is_arriving: bool,
    arrival: Option<Arrival>,
}

impl Handover {
    fn note(&self) -> MutexGuard<'_, Note> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that it is being found out what is to become of the connection, which takes our time alone.
    pub fn announce(&self) {
        self.note().is_arriving = true;
    }

    /// Whether it was announced.
    #[must_use]
    pub fn is_announced(&self) -> bool {
        self.note().is_arriving
    }

    /// Notes what is to become of the connection.
    pub fn put(&self, arrival: Arrival) {
        self.note().arrival = Some(arrival);
    }

    /// What was noted; `None` where no request asked for a socket.
    #[must_use]
    pub fn take(&self) -> Option<Arrival> {
        self.note().arrival.take()
    }
}

impl Arrival {
    /// Gives the hub a stream that does not block, and what came after the handshake.
    pub fn settle(self, stream: TcpStream, received: &[u8]) {
        match self {
            Self::Welcome(seat, state) => seat.adopt(stream, received, &state),
            Self::Goodbye(hub, close) => hub.refuse(stream, close),
        }
    }
}
