//! A connection on its way from the HTTP server to the hub: the endpoint says what is to become of it, and the server hands
//! over the stream, with the answer to the opening handshake, which the hub sends together with the first state.
//! *Runs: server.*

use std::{
    io, net,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
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
    /// Gives the hub a stream that does not block, what the handshake is still to be answered with, and what came after it.
    pub fn settle(self, stream: net::TcpStream, answer: &[u8], received: &[u8]) {
        match self {
            Self::Welcome(seat, state) => seat.adopt(stream, answer, received, &state),
            Self::Goodbye(hub, close) => hub.refuse(stream, answer, close),
        }
    }
}

/// The stream of an HTTP connection. From the announcement on, what is written is kept instead of sent.
pub struct Line {
    stream: TcpStream,
    handover: Handover,
    answer: Vec<u8>,
}

impl Line {
    /// The stream of the connection that this note is about.
    #[must_use]
    pub fn new(stream: TcpStream, handover: Handover) -> Self {
        Self { stream, handover, answer: Vec::new() }
    }

    /// The stream, and what was kept.
    ///
    /// # Errors
    /// When the stream is of no use any more.
    pub fn into_parts(self) -> io::Result<(net::TcpStream, Vec<u8>)> {
        Ok((self.stream.into_std()?, self.answer))
    }
}

impl AsyncRead for Line {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Line {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[io::IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.handover.is_announced() {
            return Poll::Ready(io::Write::write_vectored(&mut self.answer, slices));
        }
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
