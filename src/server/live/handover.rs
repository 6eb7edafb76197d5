//! A connection on its way from the HTTP server to the hub: the endpoint says what is to become of it, and the server hands
//! over the stream, with the answer to the opening handshake, which the hub sends together with the first state.
//! *Runs: server.*

use std::{
    io, net,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use super::{
    hub::{Hub, Seat},
    told::Kept,
};
use crate::{domain::wire::Close, server::patience::Patience};

/// How long a peer may take nothing of an answer. Pages are some ten KiB, which the kernel takes from us at once.
const ANSWER_TIME: Duration = Duration::from_secs(30);

/// What becomes of a connection after the opening handshake.
pub enum Arrival {
    /// It watches, and this is the state it is told first.
    Welcome(Seat, Kept),
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
            Self::Welcome(seat, state) => seat.adopt(stream, answer, received, state.told()),
            Self::Goodbye(hub, close) => hub.refuse(stream, answer, close),
        }
    }
}

/// The stream of an HTTP connection. From the announcement on, what is written is kept instead of sent. A peer that does
/// not take what is sent is given up.
pub struct Line {
    stream: TcpStream,
    handover: Handover,
    answer: Vec<u8>,
    patience: Patience,
}

impl Line {
    /// The stream of the connection that this note is about.
    #[must_use]
    pub fn new(stream: TcpStream, handover: Handover) -> Self {
        Self { stream, handover, answer: Vec::new(), patience: Patience::default() }
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
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        if written.is_ready() {
            self.patience.renew();
        } else if self.patience.is_over(cx, ANSWER_TIME) {
            // An answer that nobody reads would be kept for ever, with everything that belongs to its connection.
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        written
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

#[cfg(test)]
mod tests {
    use tokio::{
        io::AsyncWriteExt,
        net::TcpListener,
        time::{Instant, timeout},
    };

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_not_read_is_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let peer = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let mut line = Line::new(listener.accept().await.unwrap().0, Handover::default());
        assert!(line.write_all(b"what the kernel takes").await.is_ok() && line.patience.is_idle());
        let began = Instant::now();
        // More than any kernel keeps.
        let all = vec![0; 64 << 20];
        let failed = timeout(2 * ANSWER_TIME, line.write_all(&all)).await.unwrap().unwrap_err();
        assert_eq!((failed.kind(), began.elapsed() >= ANSWER_TIME), (io::ErrorKind::TimedOut, true));
        drop(peer);
    }
}
