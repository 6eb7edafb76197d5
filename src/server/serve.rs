//! Serving HTTP, and stopping. Of a connection that becomes a WebSocket only the stream is kept, and given to the
//! hub; no part of the HTTP server outlives the opening handshake.
//!
//! Knows no route. Called by `startup`. *Runs: server.*

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    os::fd::AsRawFd,
    pin::{self, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    body::Body,
    extract::{ConnectInfo, Request},
    http::{HeaderValue, header},
    response::Response,
};
use futures_util::TryFutureExt;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::SockRef;
use tokio::{
    net::TcpStream,
    sync::{Semaphore, SemaphorePermit, mpsc, watch},
    time::timeout,
};

use super::{
    guests::Guests,
    listener::Listener,
    live::handover::{Handover, Line},
    patience::{Awaited, Unread},
};

/// How long a connection may take for its first bytes, and then for the header of its first request.
const HEADER_TIME: Duration = Duration::from_secs(10);
/// The longest header of a request. Cookies and a token are some hundred bytes.
const HEADER_LIMIT: usize = 16 * 1024;
/// The buffer of a connection; its least is twice what hyper begins with.
const BUFFER_LIMIT: usize = 64 * 1024;
/// How long a connection that has said nothing may still begin to, once the server stops.
const LAST_WORD: Duration = Duration::from_secs(1);
/// Connections that may be on their way from their first bytes to their first state at once. In the storm after a restart
/// all would otherwise wait for the database together, each with the buffers of an HTTP connection.
const MOST_ARRIVING: usize = 64;
/// How long nobody may have moved before others go ahead: a database that hangs keeps out nobody who does not need it.
const STUCK: Duration = Duration::from_secs(1);
/// How long is listened to who goes on sending what it was answered about already, so that it hears the answer.
const LINGER: Duration = Duration::from_secs(5);
/// What the peer of a WebSocket has not fetched yet may be so long before it counts as behind. What the kernel holds would
/// only grow old, and cost memory.
const UNSENT: u32 = 4096;
/// What answers requests.
pub trait Answer: Clone + Send + Unpin + 'static {
    /// Answers one.
    fn answer(
        self,
        caller: Caller,
        request: Request,
    ) -> impl Future<Output = Result<Response, Infallible>> + Send + 'static;
}

/// Who makes a request.
pub struct Caller {
    /// Where the connection comes from.
    pub peer: SocketAddr,
    handover: Handover,
}

impl Caller {
    /// Lets extractors find who it is.
    pub fn introduce(self, request: &mut Request) {
        request.extensions_mut().insert(ConnectInfo(self.peer));
        request.extensions_mut().insert(self.handover);
    }
}

/// Serves until `stop` turns true; then accepts nobody more than who has connected by then, and returns when every request
/// in flight is answered.
pub async fn serve(mut listener: Listener, answers: impl Answer, guests: Arc<Guests>, mut stop: watch::Receiver<bool>) {
    // Closed when the last connection has ended.
    let (in_flight, mut all_done) = mpsc::channel::<()>(1);
    let arriving = Arc::new(Arriving { places: Semaphore::new(MOST_ARRIVING), passed: AtomicU64::new(0) });
    let door = Door { answers, guests, arriving, stop: stop.clone(), in_flight };
    listener.serves(door.guests.files());
    loop {
        tokio::select! {
            accepted = listener.next() => match accepted {
                Some((stream, peer)) => door.take(stream, peer),
                None => break,
            },
            _ = stop.changed() => break,
        }
    }
    for (stream, peer) in listener.close().await {
        door.take(stream, peer);
    }
    drop(door);
    while all_done.recv().await.is_some() {}
}

/// What every connection is given.
struct Door<A> {
    answers: A,
    guests: Arc<Guests>,
    arriving: Arc<Arriving>,
    stop: watch::Receiver<bool>,
    in_flight: mpsc::Sender<()>,
}

impl<A: Answer> Door<A> {
    /// Serves a connection that was accepted, in a task of its own; closes it where its address has too many.
    fn take(&self, stream: TcpStream, peer: SocketAddr) {
        let Some(guest) = self.guests.let_in(stream.as_raw_fd(), peer.ip()) else {
            tracing::debug!(address = %peer.ip(), "too many connections from this address");
            return;
        };
        let (answers, arriving) = (self.answers.clone(), Arc::clone(&self.arriving));
        let (mut stop, in_flight) = (self.stop.clone(), self.in_flight.clone());
        tokio::spawn(async move {
            if has_spoken(&stream, &mut stop).await {
                let place = arriving.place().await;
                Box::pin(connection(stream, peer, answers, guest.idle_time, stop, place)).await;
            }
            drop((guest, in_flight));
        });
    }
}

/// The connections between their first bytes and their first state.
struct Arriving {
    places: Semaphore,
    /// How many have had a place: while this grows, waiting is worth it.
    passed: AtomicU64,
}

impl Arriving {
    /// Waits for a place, in the order of coming.
    async fn place(&self) -> Option<SemaphorePermit<'_>> {
        let mut place = pin!(self.places.acquire());
        loop {
            let before = self.passed.load(Ordering::Relaxed);
            match timeout(STUCK, place.as_mut()).await {
                Ok(place) => {
                    self.passed.fetch_add(1, Ordering::Relaxed);
                    return place.ok();
                }
                Err(_) if self.passed.load(Ordering::Relaxed) == before => return None,
                Err(_) => {}
            }
        }
    }
}

/// Waits for the first bytes of a connection. Until then it costs a task of some hundred bytes.
async fn has_spoken(stream: &TcpStream, stop: &mut watch::Receiver<bool>) -> bool {
    // Fails only for a connection that has gone, which is found out next.
    let _ = stream.set_nodelay(true);
    let mut first = [0];
    let stopping = async {
        let _ = stop.wait_for(|stop| *stop).await;
        tokio::time::sleep(LAST_WORD).await;
    };
    tokio::select! {
        // What has come is not overlooked because the time is over as well.
        biased;
        // Looked at, not only waited for: the runtime takes a stream that was just accepted for readable.
        spoken = timeout(HEADER_TIME, stream.peek(&mut first)) => matches!(spoken, Ok(Ok(1))),
        () = stopping => false,
    }
}

/// Serves one connection until it ends or becomes a WebSocket.
async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    answers: impl Answer,
    idle_time: Duration,
    mut stop: watch::Receiver<bool>,
    mut place: Option<SemaphorePermit<'_>>,
) {
    let handover = Handover::default();
    let noted = handover.clone();
    let has_asked = Arc::new(AtomicBool::new(false));
    let asks = Arc::clone(&has_asked);
    let unread = Unread::default();
    let leaves = unread.clone();
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        asks.store(true, Ordering::Relaxed);
        let caller = Caller { peer, handover: handover.clone() };
        let request = request.map(|body| Body::new(Awaited::new(body, leaves.clone())));
        let leaves = leaves.clone();
        let answer = answers.clone().answer(caller, request).map_ok(move |mut response| {
            // The next request would begin somewhere in what nobody read.
            if leaves.is_left() {
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            response
        });
        // On the heap, and only while it lasts: most connections wait for their next request.
        Box::pin(answer)
    });
    let mut is_stopping = *stop.borrow();
    let mut http = http1::Builder::new()
        .timer(TokioTimer::new())
        // Not by a shutdown: before the first byte is read, that would be the end of it.
        .keep_alive(!is_stopping)
        .header_read_timeout(idle_time)
        .max_header_size(HEADER_LIMIT)
        .max_buf_size(BUFFER_LIMIT)
        .serve_connection(TokioIo::new(Line::new(stream, noted.clone())), service);
    let first_header = tokio::time::sleep(HEADER_TIME);
    tokio::pin!(first_header);
    let ended = loop {
        tokio::select! {
            // First of all what has come is read, so that a shutdown finds it.
            biased;
            ended = std::future::poll_fn(|cx| {
                let ended = http.poll_without_shutdown(cx);
                // Only an opening handshake depends on us alone; nobody else may keep others waiting.
                place = place.take().filter(|_| noted.is_announced());
                ended
            }) => break ended,
            () = &mut first_header, if !first_header.is_elapsed() => {
                if !has_asked.load(Ordering::Relaxed) {
                    return;
                }
            }
            _ = stop.changed(), if !is_stopping => {
                is_stopping = true;
                pin::Pin::new(&mut http).graceful_shutdown();
            }
        }
    };
    let Some(arrival) = noted.take() else {
        // All is written by now, and the peer may not have taken all of it: that is waited for here.
        if ended.is_ok() && (&mut http).await.is_ok() && unread.is_left() {
            linger(http.into_parts().io.into_inner()).await;
        }
        return;
    };
    let parts = http.into_parts();
    match ended.map_err(io::Error::other).and_then(|()| parts.io.into_inner().into_parts()) {
        Ok((stream, answer)) => {
            if let Err(error) = SockRef::from(&stream).set_tcp_notsent_lowat(UNSENT) {
                tracing::debug!(%error, "a socket's unsent data cannot be limited");
            }
            arrival.settle(stream, &answer, &parts.read_buf);
        }
        Err(error) => tracing::debug!(%error, "a connection went with its opening handshake"),
    }
}

/// Reads, for nobody, what a peer still sends that was told the end. A connection closed over bytes that were not read is
/// reset, and the peer may lose the answer that is on its way (RFC 9112, section 9.6).
async fn linger(mut line: Line) {
    let _ = timeout(LINGER, tokio::io::copy(&mut line, &mut tokio::io::sink())).await;
}
