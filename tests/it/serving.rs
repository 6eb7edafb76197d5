//! HTTP connections: what becomes of those that come when the server stops, of slow ones, and of too many.

use std::{convert::Infallible, future::ready, net::SocketAddr, sync::Arc};

use axum::{
    body::{Body, Bytes},
    extract::Request,
    response::Response,
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::watch,
    time::timeout,
};
use uuid::Uuid;
use vestibule::server::{
    clock::Clock,
    config::Proxies,
    guests::{Files, Guests},
    listener::Listener,
    serve::{Answer, Caller, serve},
    startup::Server,
};

use crate::{
    exposition::scrape,
    harness::{Desk, PATIENCE, WEBHOOK_SECRET, configuration, parts},
    raw::{RawSocket, address, handshake, path},
};

const QUESTION: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: desk\r\n\r\n";

async fn connected(address: SocketAddr, count: usize) -> Vec<TcpStream> {
    let mut streams = Vec::new();
    for _ in 0..count {
        streams.push(TcpStream::connect(address).await.unwrap());
    }
    streams
}

/// Each is answered with this, and closed.
async fn are_answered(streams: Vec<TcpStream>, status: &str) {
    for mut stream in streams {
        let mut answer = String::new();
        timeout(PATIENCE, stream.read_to_string(&mut answer)).await.expect("the end comes in time").unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer:?}");
    }
}

#[tokio::test]
async fn who_asks_right_after_the_server_was_told_to_stop_is_answered() {
    let desk = Desk::sandbox().await;
    let opened = desk.open().await;
    let mut streams = connected(address(&desk.url), 5).await;
    // Answered, so the server has accepted those who came before.
    desk.snapshot(&opened).await;
    let asking = async {
        let mut browser = streams.pop().unwrap();
        browser.write_all(handshake(&path(&opened), "").as_bytes()).await.unwrap();
        for stream in &mut streams {
            stream.write_all(QUESTION).await.unwrap();
        }
        are_answered(streams, "200").await;
        assert_eq!(RawSocket::answered(browser).await.closed().await.close(), (1012, "Restarting"));
    };
    tokio::join!(desk.stop(), asking);
}

#[tokio::test]
async fn who_had_connected_before_the_server_stops_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(configuration(folder.path(), &[]).await, Clock::default()).await.unwrap();
    let mut streams = connected(server.local_addr(), 5).await;
    for stream in &mut streams {
        stream.write_all(QUESTION).await.unwrap();
    }
    // It has accepted nobody yet.
    let (ended, ()) = tokio::join!(server.run(ready(())), are_answered(streams, "200"));
    assert_eq!(ended, Ok(()));
}

/// A webhook of which only this has come, of so many bytes.
async fn unfinished(desk: &Desk, length: usize, begin: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address(&desk.url)).await.unwrap();
    let first = "POST /api/webhooks/confirmd HTTP/1.1\r\nHost: desk";
    let header = format!("{first}\r\nX-API-Key: {WEBHOOK_SECRET}\r\nContent-Length: {length}\r\n\r\n{begin}");
    stream.write_all(header.as_bytes()).await.unwrap();
    stream
}

#[tokio::test]
async fn a_body_that_does_not_come_to_its_end_is_told_from_one_that_is_too_large() {
    let desk = Desk::sandbox().await;
    let slow = unfinished(&desk, 100, "{").await;
    let mut broken = unfinished(&desk, 100, "{").await;
    broken.shutdown().await.unwrap();
    are_answered(vec![broken], "400").await;
    assert_eq!(desk.deliver_bytes(vec![b' '; 2 << 20]).await.status(), 413);
    let opening = desk.http.post(format!("{}/api/connections/session", desk.url)).body(vec![b' '; 1 << 20]);
    assert_eq!(opening.send().await.unwrap().status(), 413);
    are_answered(vec![slow], "408").await;
    let scraped = scrape(&desk).await;
    for code in ["too_slow", "bad_json", "too_large"] {
        assert_eq!(scraped.value(&format!("deliveries_refused_total{{code=\"{code}\"}}")), 1.0, "{code}");
    }
}

/// More than the kernel keeps for a connection, on both of its sides.
const LONG: usize = 16 << 20;

#[tokio::test]
async fn who_sends_what_nobody_reads_can_send_it_all_and_then_hears_the_answer() {
    let desk = Desk::sandbox().await;
    let url = format!("{}/api/connections/session", desk.url);
    let foreign = "POST /api/connections/session HTTP/1.1\r\nHost: desk\r\nOrigin: https://elsewhere.example";
    let stranger = "POST /api/webhooks/confirmd HTTP/1.1\r\nHost: desk";
    let too_large = "POST /api/connections/session HTTP/1.1\r\nHost: desk\r\nContent-Type: application/json";
    for (head, status) in [(foreign, "403"), (stranger, "401"), (too_large, "413")] {
        let mut stream = TcpStream::connect(address(&desk.url)).await.unwrap();
        let head = format!("{head}\r\nContent-Length: {LONG}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&vec![b' '; LONG]).await.unwrap();
        are_answered(vec![stream], status).await;
    }
    // Whoever keeps connections is told that this one is of no more use; after a short body that was read it still is.
    let closes = async |body: Vec<u8>| {
        let answer = desk.http.post(&url).body(body).send().await.unwrap();
        answer.headers().get("Connection").is_some_and(|value| value == "close")
    };
    assert_eq!((closes(vec![b' '; LONG]).await, closes(b"{".to_vec()).await), (true, false));
}

#[tokio::test]
async fn who_sends_for_ever_what_nobody_reads_is_cut_off() {
    let desk = Desk::sandbox().await;
    let mut stream = unfinished(&desk, usize::MAX >> 1, "").await;
    let sending = async { while stream.write_all(&[b' '; 1 << 16]).await.is_ok() {} };
    timeout(PATIENCE, sending).await.expect("it has an end");
}

/// Answers everything with the same.
#[derive(Clone)]
struct Same(Bytes);

impl Answer for Same {
    async fn answer(self, _: Caller, _: Request) -> Result<Response, Infallible> {
        Ok(Response::new(Body::from(self.0)))
    }
}

/// A port of its own, and room for who comes.
fn listening(early: Files) -> (Listener, Arc<Guests>) {
    let listener = Listener::bind(([127, 0, 0, 1], 0).into(), early).unwrap();
    (listener, Guests::new(Files::raise(), false, Proxies::default()))
}

#[tokio::test]
async fn all_who_come_before_anybody_serves_are_let_in_and_answered() {
    // More than the kernel keeps; whoever has no room in its queue waits for a second, then for two, then for four.
    for (early, count) in [(Files::raise(), 6000), (Files::of(1), 100)] {
        let (listener, guests) = listening(early);
        let mut streams = timeout(PATIENCE, connected(listener.local_addr(), count)).await.expect("all are let in");
        let (stop, stopping) = watch::channel(false);
        let serving = tokio::spawn(serve(listener, Same("here".into()), guests, stopping));
        for stream in &mut streams {
            stream.write_all(QUESTION).await.unwrap();
        }
        stop.send_replace(true);
        are_answered(streams, "200").await;
        timeout(PATIENCE, serving).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn an_answer_is_sent_to_its_end_whoever_closes_the_connection() {
    let (listener, guests) = listening(Files::raise());
    let address = listener.local_addr();
    let (stop, stopping) = watch::channel(false);
    let serving = tokio::spawn(serve(listener, Same(vec![b'x'; LONG].into()), guests, stopping));
    let mut streams = connected(address, 2).await;
    for (stream, more) in streams.iter_mut().zip(["Connection: close\r\n", ""]) {
        stream.write_all(format!("GET / HTTP/1.1\r\nHost: desk\r\n{more}\r\n").as_bytes()).await.unwrap();
        // It has begun to be answered, and the rest cannot be sent before this side takes some.
        stream.readable().await.unwrap();
    }
    stop.send_replace(true);
    for mut stream in streams {
        let mut answer = Vec::new();
        timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
        assert_eq!(answer.iter().rev().take_while(|byte| **byte == b'x').count(), LONG);
    }
    timeout(PATIENCE, serving).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_webhook_that_had_begun_when_the_server_is_told_to_stop_is_stored_and_answered() {
    let mut desk = Desk::sandbox().await;
    let opened = desk.open().await;
    let mut watcher = desk.watch(&opened).await;
    watcher.next().await;
    let link = opened.sandbox_out_of_band_id();
    let body = json!({ "type": "Connection", "id": Uuid::new_v4(), "state": "request-received", "outOfBandId": link });
    let body = body.to_string();
    let (begin, rest) = body.split_at(10);
    let mut stream = unfinished(&desk, body.len(), begin).await;
    let folder = std::mem::replace(&mut desk.folder, tempfile::tempdir().unwrap());
    let url = desk.app.config.database_url.0.clone();
    let finishing = async {
        assert_eq!(parts(&watcher.closed().await), (1012, "Restarting"));
        stream.write_all(rest.as_bytes()).await.unwrap();
        are_answered(vec![stream], "200").await;
    };
    tokio::join!(desk.stop(), finishing);
    let server =
        Server::start(configuration(folder.path(), &[("DATABASE_URL", &url)]).await, Clock::default()).await.unwrap();
    let session = server.app().sessions.store.session(opened.id.parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(session.version, 2);
}

#[tokio::test]
async fn a_server_ends_whatever_hangs() {
    let desk = Desk::sandbox().await;
    let app = desk.app.clone();
    let stuck = unfinished(&desk, 100, "{").await;
    let held = app.sessions.store.begin().await.unwrap();
    desk.stop().await;
    drop((stuck, held));
}
