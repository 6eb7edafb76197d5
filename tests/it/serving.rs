//! HTTP connections: what becomes of those that come when the server stops, of slow ones, and of too many.

use std::{future::ready, net::SocketAddr};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use vestibule::server::{clock::Clock, startup::Server};

use crate::{
    harness::{Desk, PATIENCE, configuration},
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
