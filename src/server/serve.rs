//! Listening, serving HTTP, and stopping. Of a connection that becomes a WebSocket only the stream is kept, and given to the
//! hub; no part of the HTTP server outlives the opening handshake.
//!
//! Knows no route. Called by `startup`. *Runs: server.*

use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
    pin::Pin,
    time::Duration,
};

use axum::{Router, body::Body, extract::ConnectInfo};
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use listenfd::ListenFd;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
};
use tower::ServiceExt;

use super::live::{handover::Handover, hub::Hub};

/// Connections that the kernel keeps for us before they are accepted: those who come back all at once after a restart.
const BACKLOG: i32 = 4096;
/// How long a request's header may take, and how long a connection may be idle between two requests.
const HEADER_TIME: Duration = Duration::from_secs(10);
/// The longest header of a request. Cookies and a token are some hundred bytes.
const HEADER_LIMIT: usize = 16 * 1024;
/// The buffer of a connection; its least is twice what hyper begins with.
const BUFFER_LIMIT: usize = 64 * 1024;
/// How long accepting waits when the system cannot give another connection.
const MOMENT: Duration = Duration::from_millis(100);
/// What the peer of a WebSocket has not fetched yet may be so long before it counts as behind. What the kernel holds would
/// only grow old, and cost memory.
const UNSENT: u32 = 4096;
/// Open files that are kept for everything but sockets: the database, webhooks, calls to the platform. A quarter, where
/// there are few.
const OTHER_FILES: u64 = 256;

/// Listens: on the socket that a service manager passed (`LISTEN_FDS`), otherwise on this address. From here on nobody is
/// refused; the kernel keeps who comes before we serve.
///
/// # Errors
/// When the system does not let us.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = match ListenFd::from_env().take_tcp_listener(0)? {
        Some(passed) => passed,
        None => return bind(address),
    };
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

/// Listens on this address, whatever a service manager passed.
///
/// # Errors
/// When the system does not let us.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // A restart need not wait for what is left of the connections of the last one.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    TcpListener::from_std(socket.into())
}

/// Raises the limit of open files as far as it goes, and gives back how many sockets fit into it.
#[must_use]
pub fn room_for_sockets() -> usize {
    let limit = match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(limit) => limit,
        Err(error) => {
            tracing::debug!(%error, "the limit of open files cannot be raised");
            return usize::MAX;
        }
    };
    tracing::debug!(limit, "open files");
    usize::try_from(limit - OTHER_FILES.min(limit / 4)).unwrap_or(usize::MAX).max(1)
}

/// Serves until `stop` turns true; then accepts nothing more, and returns when every request in flight is answered. With a
/// hub, nobody is accepted while too many of its sockets are on their way.
pub async fn serve(listener: TcpListener, router: Router, hub: Option<&Hub>, mut stop: watch::Receiver<bool>) {
    let router: Router = router.with_state(());
    // Closed when the last connection has ended.
    let (in_flight, mut all_done) = mpsc::channel::<()>(1);
    let mut is_failing = false;
    loop {
        let next = async {
            if let Some(hub) = hub {
                hub.calm().await;
            }
            listener.accept().await
        };
        let accepted = tokio::select! {
            accepted = next => accepted,
            _ = stop.changed() => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                is_failing = false;
                let (router, stop, in_flight) = (router.clone(), stop.clone(), in_flight.clone());
                tokio::spawn(async move {
                    connection(stream, peer, router, stop).await;
                    drop(in_flight);
                });
            }
            // That one went before it was its turn.
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset) => {}
            Err(error) => {
                // Out of descriptors or memory: those who are here go on, and when some have gone there is room again.
                if !std::mem::replace(&mut is_failing, true) {
                    tracing::error!(%error, "no connection can be accepted");
                }
                tokio::select! {
                    () = tokio::time::sleep(MOMENT) => {}
                    _ = stop.changed() => break,
                }
            }
        }
    }
    drop((listener, in_flight));
    while all_done.recv().await.is_some() {}
}

/// Serves one connection until it ends or becomes a WebSocket.
async fn connection(stream: TcpStream, peer: SocketAddr, router: Router, mut stop: watch::Receiver<bool>) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection went at once");
        return;
    }
    let handover = Handover::default();
    let noted = handover.clone();
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(handover.clone());
        Box::pin(router.clone().oneshot(request.map(Body::new)))
    });
    let mut http = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .max_header_size(HEADER_LIMIT)
        .max_buf_size(BUFFER_LIMIT)
        .serve_connection(TokioIo::new(stream), service);
    let mut is_stopping = *stop.borrow();
    if is_stopping {
        Pin::new(&mut http).graceful_shutdown();
    }
    let ended = loop {
        tokio::select! {
            ended = std::future::poll_fn(|cx| http.poll_without_shutdown(cx)) => break ended,
            _ = stop.changed(), if !is_stopping => {
                is_stopping = true;
                Pin::new(&mut http).graceful_shutdown();
            }
        }
    };
    let Some(arrival) = noted.take() else { return };
    let parts = http.into_parts();
    let stream = ended.map_err(io::Error::other).and_then(|()| parts.io.into_inner().into_std());
    match stream {
        Ok(stream) => {
            if let Err(error) = SockRef::from(&stream).set_tcp_notsent_lowat(UNSENT) {
                tracing::debug!(%error, "a socket's unsent data cannot be limited");
            }
            arrival.settle(stream, &parts.read_buf);
        }
        Err(error) => tracing::debug!(%error, "a connection went with its opening handshake"),
    }
}
