//! A listener and hyper, nothing else: what the floors and the stub of the platform stand on. *Runs: floors, generator.*

use std::{convert::Infallible, io, net::SocketAddr};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response, StatusCode,
    body::Incoming,
    header::{CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{
    net::{TcpListener, TcpSocket},
    task::spawn_local,
};

/// An answer.
pub type Answer = Response<Full<Bytes>>;

/// Ten thousand browsers that come back at once wait here, as far as the system lets them (`net.core.somaxconn`).
const BACKLOG: u32 = 16_384;

/// Listens on this address.
///
/// # Errors
/// When it is taken.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves until it is dropped. Has to run in a `LocalSet`.
pub async fn serve<F: Future<Output = Answer> + 'static>(
    listener: TcpListener,
    handle: impl Fn(Request<Incoming>) -> F + Clone + 'static,
) {
    loop {
        // Out of descriptors, for instance: the next one may have more luck.
        let Ok((stream, _)) = listener.accept().await else { continue };
        let _ = stream.set_nodelay(true);
        let handle = handle.clone();
        let service = service_fn(move |request| {
            let answer = handle(request);
            async move { Ok::<_, Infallible>(answer.await) }
        });
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades();
        spawn_local(async move {
            // A client that goes away in the middle is its own affair.
            let _ = connection.await;
        });
    }
}

/// An answer of JSON.
#[must_use]
pub fn json(status: StatusCode, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

/// An answer without a body.
#[must_use]
pub fn empty(status: StatusCode) -> Answer {
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = status;
    answer
}

/// The whole body of a request; nothing of one that breaks.
pub async fn body(request: Request<Incoming>) -> Bytes {
    request.into_body().collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default()
}

/// The body of a request as JSON; `null` when it is none.
pub async fn body_json(request: Request<Incoming>) -> Value {
    serde_json::from_slice(&body(request).await).unwrap_or_default()
}

/// The value of a parameter of the query, which holds nothing that is escaped.
#[must_use]
pub fn parameter<'a>(request: &'a Request<Incoming>, name: &str) -> Option<&'a str> {
    request.uri().query()?.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}
