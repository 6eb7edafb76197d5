//! The binary and its descriptors: a listening socket that was passed to it, and what happens when there are no more.

use std::net::{SocketAddr, TcpListener};

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

use crate::{
    harness::{Opened, PATIENCE, Watcher, parts},
    program::Program,
    raw::{RawSocket, answer, handshake, path},
};

async fn open(http: &Client, url: &str) -> Opened {
    let request = http.post(format!("{url}/api/connections/session")).json(&json!({ "requestType": "registration" }));
    Opened::of(request.send().await.unwrap()).await
}

/// A connection from one of this machine's own addresses.
async fn connect(from: &str, to: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(from.parse().unwrap(), 0)).unwrap();
    socket.connect(to.parse().unwrap()).await.unwrap()
}

#[tokio::test]
async fn with_a_passed_listener_nobody_is_refused_while_one_process_follows_another() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let url = format!("http://{address}");
    let http = Client::builder().pool_max_idle_per_host(0).build().unwrap();
    // A port that it could not listen on: where a socket is passed, it is not looked at.
    let variables = [("HOSTNAME", "192.0.2.1"), ("DRAIN", "50ms")];
    let first = Program::start_on(&listener, folder.path(), &variables).await;
    let opened = open(&http, &url).await;
    let socket_url = format!("ws://{address}{}", path(&opened));
    let mut watcher = Watcher::connect(&socket_url, &[]).await.unwrap();
    assert_eq!(watcher.next().await["version"], 1);
    let (closed, stopped) = tokio::join!(watcher.closed(), first.terminate());
    assert_eq!((parts(&closed), stopped), ((1012, "Restarting"), true));
    // No process is there; the kernel keeps who comes.
    let mut early = Vec::new();
    for _ in 0..5 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(handshake(&path(&opened), "").as_bytes()).await.unwrap();
        early.push(stream);
    }
    let mut poll = TcpStream::connect(address).await.unwrap();
    poll.write_all(b"GET /healthz HTTP/1.1\r\nHost: desk\r\nConnection: close\r\n\r\n").await.unwrap();
    let second = Program::start_on(&listener, folder.path(), &variables).await;
    for stream in early {
        let mut socket = RawSocket::answered(stream).await;
        assert_eq!(socket.said().await.unwrap().json()["type"], "connected");
    }
    assert!(answer(&mut poll).await.starts_with("HTTP/1.1 200 "));
    assert!(second.terminate().await);
}

#[tokio::test]
async fn a_server_without_descriptors_goes_on_when_it_has_some_again() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start_with_files(64, folder.path()).await;
    let http = Client::builder().pool_max_idle_per_host(0).build().unwrap();
    let opened = open(&http, &program.url).await;
    let address = program.url.replace("http://localhost", "127.0.0.1");
    let mut watcher = Watcher::connect(&format!("ws://{address}{}", path(&opened)), &[]).await.unwrap();
    watcher.next().await;
    let mut all = Vec::new();
    for number in 0..100 {
        // No address has so many that it would be refused for that.
        all.push(connect(&format!("127.0.0.{}", 1 + number % 4), &address).await);
    }
    let is_out = async {
        while !program.written.text().contains("no connection can be accepted") {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, is_out).await.expect("it says that it has none left");
    drop(all);
    let answer = timeout(PATIENCE, http.get(format!("{}/readyz", program.url)).send()).await.expect("it goes on");
    assert_eq!(answer.unwrap().status(), StatusCode::OK);
    // Whom it had before was not hurt.
    let cancel = http.delete(format!("{}/api/connections/session?sessionId={}", program.url, opened.id));
    let cancelled: Value = cancel.bearer_auth(&opened.token).send().await.unwrap().json().await.unwrap();
    assert_eq!(watcher.next().await["version"], cancelled["data"]["version"]);
}

#[tokio::test]
async fn one_address_that_takes_what_it_can_get_leaves_something_for_others() {
    const FILES: u32 = 128;
    const QUESTION: &[u8] = b"GET /readyz HTTP/1.1\r\nHost: desk\r\n\r\n";
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start_with_files(FILES, folder.path()).await;
    let address = program.url.replace("http://localhost", "127.0.0.1");
    let mut greedy = Vec::new();
    for _ in 0..FILES {
        let mut stream = connect("127.0.0.1", &address).await;
        // Answered and kept, or closed, perhaps before it has spoken.
        let _ = stream.write_all(QUESTION).await;
        let _ = timeout(PATIENCE, stream.read_u8()).await.expect("answered or closed");
        greedy.push(stream);
    }
    let mut other = connect("127.0.0.2", &address).await;
    other.write_all(QUESTION).await.unwrap();
    assert!(answer(&mut other).await.starts_with("HTTP/1.1 200 "));
    // Where so many files are in use nobody may be idle for long.
    let mut rest = Vec::new();
    timeout(PATIENCE, other.read_to_end(&mut rest)).await.expect("it is closed").unwrap();
}
