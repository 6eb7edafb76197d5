//! HTTP connections: what becomes of those that come when the server stops, of slow ones, and of too many.

use std::{future::ready, net::SocketAddr};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use vestibule::server::{clock::Clock, startup::Server};

use crate::{
    exposition::scrape,
    harness::{Desk, PATIENCE, WEBHOOK_SECRET, configuration},
    raw::address,
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
        for stream in &mut streams {
            stream.write_all(QUESTION).await.unwrap();
        }
        are_answered(streams, "200").await;
    };
    tokio::join!(desk.stop(), asking);
}

#[tokio::test]
async fn who_had_connected_before_the_server_stops_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(configuration(folder.path(), &[]), Clock::default()).await.unwrap();
    let mut streams = connected(server.local_addr().unwrap(), 5).await;
    for stream in &mut streams {
        stream.write_all(QUESTION).await.unwrap();
    }
    // It has accepted nobody yet.
    tokio::join!(server.run(ready(())), are_answered(streams, "200"));
}

/// A webhook whose body is longer than what comes of it.
async fn unfinished(desk: &Desk) -> TcpStream {
    let mut stream = TcpStream::connect(address(&desk.url)).await.unwrap();
    let header = format!(
        "POST /api/webhooks/confirmd HTTP/1.1\r\nHost: desk\r\nX-API-Key: {WEBHOOK_SECRET}\r\nContent-Length: 100\r\n\r\n"
    );
    stream.write_all(header.as_bytes()).await.unwrap();
    stream.write_all(b"{").await.unwrap();
    stream
}

#[tokio::test]
async fn a_body_that_does_not_come_to_its_end_is_told_from_one_that_is_too_large() {
    let desk = Desk::sandbox().await;
    let slow = unfinished(&desk).await;
    let mut broken = unfinished(&desk).await;
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
