//! Peers that behave badly, and how little that costs the others; limits; and the end of the server.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use reqwest::StatusCode;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use vestibule::{
    domain::{session::Session, wire::Close},
    server::{
        clock::Clock,
        live::{
            hub::{Hub, Limits},
            stats::LiveStats,
            told::Told,
        },
    },
};

use crate::{
    harness::{Desk, Opened, PATIENCE, Watcher, parts},
    raw::{Frame, RawSocket, address, answer, frame, handshake, path},
};

/// Waits until the hub's figures are as expected.
async fn until(desk: &Desk, expected: impl Fn(&LiveStats) -> bool) -> LiveStats {
    let reached = async {
        loop {
            let stats = desk.app.sessions.hub.stats();
            if expected(&stats) {
                return stats;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, reached).await.unwrap_or_else(|_| panic!("{:#?}", desk.app.sessions.hub.stats()))
}

/// The session as it is stored, to publish further states of it that no database is asked for.
async fn stored(desk: &Desk, opened: &Opened) -> Session {
    desk.app.sessions.store.session(opened.id.parse().unwrap()).await.unwrap().unwrap()
}

fn publish(desk: &Desk, session: &mut Session, versions: u64) {
    for _ in 0..versions {
        session.version += 1;
        desk.app.sessions.hub.publish(session);
    }
}

#[tokio::test]
async fn a_state_published_between_the_reading_and_the_first_message_is_the_first_message() {
    let desk = Desk::sandbox().await;
    let opened = desk.open().await;
    let mut session = stored(&desk, &opened).await;
    let read = session.clone();
    let hub = &desk.app.sessions.hub;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (client, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
    let (accepted, peer) = accepted.unwrap();
    let seat = hub.reserve(session.id, peer.ip()).unwrap();
    publish(&desk, &mut session, 3);
    hub.publish(&read);
    seat.adopt(accepted.into_std().unwrap(), &[], &[], Told::Session(&read));
    let mut socket = RawSocket { stream: client.unwrap() };
    let first = socket.said().await.unwrap().json();
    assert_eq!((&first["type"], &first["version"]), (&"connected".into(), &session.version.into()));
    // An older one that comes late is not heard of.
    hub.publish(&read);
    publish(&desk, &mut session, 1);
    assert_eq!(socket.said().await.unwrap().json()["version"], session.version);
    drop(socket);
    let stats = until(&desk, |stats| stats.open == 0).await;
    assert_eq!(stats.closed, BTreeMap::from([(LiveStats::GONE, 1)]));
    assert!(!hub.is_watched(session.id), "nobody watching means nothing kept");
}

#[tokio::test]
async fn a_peer_that_does_not_read_costs_nothing_more_and_then_gets_the_newest_state() {
    const VERSIONS: u64 = 50_000;
    let desk = Desk::sandbox().await;
    let opened = desk.open().await;
    let mut session = stored(&desk, &opened).await;
    let mut slow = RawSocket::narrow(&desk, &opened).await;
    let mut other = desk.watch(&opened).await;
    other.next().await;
    until(&desk, |stats| stats.states_pushed == 2).await;
    // Pings in plenty, none of whose pongs is read: they must not queue either.
    for _ in 0..200 {
        slow.send(&frame(0x89, &[7; 125])).await;
    }
    let first = session.version;
    for _ in 0..VERSIONS / 100 {
        publish(&desk, &mut session, 100);
        while other.next().await["version"] != session.version {}
    }
    let stats = desk.app.sessions.hub.stats();
    assert!(stats.states_skipped > VERSIONS * 9 / 10, "it was behind: {stats:#?}");
    let mut versions = Vec::new();
    while versions.last() != Some(&session.version) {
        let frame = slow.said().await.unwrap();
        if frame.first == 0x81 {
            versions.push(frame.json()["version"].as_u64().unwrap());
        }
    }
    assert_eq!(versions[0], first);
    assert!(versions.is_sorted_by(|a, b| a < b), "only rising: {versions:?}");
    assert!(versions.len() < 500, "{} states had been kept", versions.len());
    // And from here on it is like everybody else.
    publish(&desk, &mut session, 1);
    loop {
        let frame = slow.said().await.unwrap();
        if frame.first == 0x81 {
            assert_eq!(frame.json()["version"], session.version);
            break;
        }
    }
}

#[tokio::test]
async fn a_flood_is_closed_and_others_get_their_turn() {
    let desk = Desk::sandbox().await;
    let opened = desk.open().await;
    let mut session = stored(&desk, &opened).await;
    let mut other = desk.watch(&opened).await;
    other.next().await;
    for bytes in [frame(0x8A, b""), frame(0x01, b""), frame(0x89, &[1; 125]), frame(0x82, &[0; 1000])] {
        let mut flood = RawSocket::open(&desk, &opened).await;
        let is_text = bytes[0] == 0x01;
        let (mut read, mut write) = flood.stream.split();
        let sending = async {
            let mut is_first = true;
            let continuation = frame(0x00, b"");
            // Until the server closes; it reads no more than it has to.
            while write.write_all(if is_first || !is_text { &bytes } else { &continuation }).await.is_ok() {
                is_first = false;
            }
        };
        let reading = async {
            let mut all = Vec::new();
            let _ = read.read_to_end(&mut all).await;
            all
        };
        let (all, ()) = timeout(PATIENCE, async { tokio::join!(reading, sending) }).await.expect("it is closed");
        let close = [&1008_u16.to_be_bytes()[..], b"Too many messages"].concat();
        assert!(all.windows(close.len()).any(|window| window == close), "{}", String::from_utf8_lossy(&all));
        publish(&desk, &mut session, 1);
        assert_eq!(other.next().await["version"], session.version);
    }
    let stats = until(&desk, |stats| stats.open == 1).await;
    assert_eq!(stats.closed, BTreeMap::from([(1008, 4)]));
}

#[tokio::test]
async fn bytes_without_a_frame_are_no_sign_of_life() {
    // Long enough that a byte for each ping is in time, whatever else the machine does.
    let desk = Desk::with(&[("PING_INTERVAL", "1s")]).await;
    let opened = desk.open().await;
    let mut socket = RawSocket::open(&desk, &opened).await;
    let mut dribble = frame(0x82, &[0; 4000]).into_iter().take(6);
    let close = loop {
        match socket.frame().await.expect("a close frame comes before the end") {
            // One byte for each ping: it is never silent, and never says anything.
            Frame { first: 0x89, .. } => socket.send(&[dribble.next().expect("it is dropped before that")]).await,
            close @ Frame { first: 0x88, .. } => break close,
            _ => {}
        }
    };
    assert_eq!(close.close(), (1001, "No answer to ping"));
}

/// A proxy that carries everything until it is told to stop; then it carries nothing, and closes nothing.
async fn proxy(to: SocketAddr) -> (SocketAddr, Arc<tokio::sync::Notify>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, cut) = (listener.local_addr().unwrap(), Arc::new(tokio::sync::Notify::new()));
    let is_cut = Arc::clone(&cut);
    tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut server = TcpStream::connect(to).await.unwrap();
        tokio::select! {
            _ = copy_bidirectional(&mut client, &mut server) => {}
            () = is_cut.notified() => std::future::pending().await,
        }
    });
    (address, cut)
}

#[tokio::test]
async fn a_connection_that_is_cut_somewhere_is_noticed() {
    let desk = Desk::with(&[("PING_INTERVAL", "1s")]).await;
    let opened = desk.open().await;
    let (through, cut) = proxy(address(&desk.url)).await;
    let mut socket = RawSocket::open_at(through, &opened, "").await;
    socket.said().await.unwrap();
    // It answers for as long as it is asked.
    for _ in 0..3 {
        while socket.frame().await.unwrap().first != 0x89 {}
        socket.send(&frame(0x8A, b"")).await;
    }
    assert_eq!(desk.app.sessions.hub.stats().closed, BTreeMap::new());
    cut.notify_one();
    let stats = until(&desk, |stats| stats.open == 0).await;
    assert_eq!(stats.closed, BTreeMap::from([(1001, 1)]));
    assert_eq!(desk.app.sessions.hub.counts(), []);
}

#[tokio::test]
async fn one_address_may_have_so_many_and_ipv6_counts_by_network() {
    let desk = Desk::with(&[("MAX_CLIENTS_PER_ADDRESS", "2"), ("TRUSTED_PROXIES", "127.0.0.1")]).await;
    let opened = desk.open().await;
    let full = (1008, "Too many connections from this address");
    let url = desk.socket_url(&format!("?sessionId={}&token={}", opened.id, opened.token));
    let mut served = Vec::new();
    for (address, others) in [("198.51.100.1", "198.51.100.1"), ("2001:db8::1", "2001:db8::2:0:0:1")] {
        for _ in 0..2 {
            let mut watcher = Watcher::connect(&url, &[("x-forwarded-for", address)]).await.unwrap();
            watcher.next().await;
            served.push(watcher);
        }
        let mut third = Watcher::connect(&url, &[("x-forwarded-for", others)]).await.unwrap();
        assert_eq!(parts(&third.closed().await), full, "{address}");
    }
    let mut session = stored(&desk, &opened).await;
    publish(&desk, &mut session, 1);
    for watcher in &mut served {
        assert_eq!(watcher.next().await["version"], session.version);
    }
    // Who goes makes room.
    drop(served.remove(0));
    until(&desk, |stats| stats.open == 3).await;
    let mut watcher = Watcher::connect(&url, &[("x-forwarded-for", "198.51.100.1")]).await.unwrap();
    assert_eq!(watcher.next().await["type"], "connected");
}

#[tokio::test]
async fn sockets_that_are_refused_take_no_more_files_than_there_are() {
    let hub = Hub::open(Limits::new(1, None, 1, 3, PATIENCE), Clock::default(), None).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut peers = Vec::new();
    for _ in 0..10 {
        peers.push(TcpStream::connect(listener.local_addr().unwrap()).await.unwrap());
        let (accepted, _) = listener.accept().await.unwrap();
        hub.refuse(accepted.into_std().unwrap(), &[], Close::FULL);
        assert!(hub.stats().open <= 3);
    }
    for stream in peers {
        assert_eq!(RawSocket { stream }.closed().await.close(), (1013, "Try again later"));
    }
}

#[tokio::test]
async fn a_server_that_stops_tells_all_its_sockets_and_nobody_loses_a_state_before() {
    const SOCKETS: usize = 200;
    let desk = Desk::with(&[("DRAIN", "1500ms"), ("MAX_CLIENTS_PER_SESSION", "1000")]).await;
    let opened = desk.open().await;
    let mut session = stored(&desk, &opened).await;
    let mut watchers = Vec::new();
    for _ in 0..SOCKETS {
        let mut watcher = desk.watch(&opened).await;
        watcher.next().await;
        watchers.push(tokio::spawn(async move {
            let mut versions = vec![watcher.seen[0]["version"].as_u64().unwrap()];
            let closed = watcher.closed_after(&mut versions).await;
            (versions, parts(&closed).0)
        }));
    }
    let app = desk.app.clone();
    let publishing = tokio::spawn(async move {
        while app.sessions.hub.stats().open > 0 {
            session.version += 1;
            app.sessions.hub.publish(&session);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    desk.stop().await;
    publishing.await.unwrap();
    let mut heard = Vec::new();
    for watcher in watchers {
        let (versions, code) = watcher.await.unwrap();
        assert_eq!(code, 1012);
        assert!(versions.windows(2).all(|pair| pair[1] == pair[0] + 1), "one was lost: {versions:?}");
        heard.push(versions.len());
    }
    heard.sort_unstable();
    assert!(heard[0] < heard[SOCKETS / 2] && heard[SOCKETS / 2] < heard[SOCKETS - 1], "spread over time: {heard:?}");
}

#[tokio::test]
async fn a_socket_that_comes_while_the_server_stops_is_sent_on_at_once() {
    let desk = Desk::with(&[("DRAIN", "20s")]).await;
    let opened = desk.open().await;
    // Its request has begun, so it is in flight.
    let mut stream = TcpStream::connect(address(&desk.url)).await.unwrap();
    let request = handshake(&path(&opened), "");
    let mut watcher = desk.watch(&opened).await;
    watcher.next().await;
    stream.write_all(&request.as_bytes()[..20]).await.unwrap();
    // Answered, so the server has looked at what came before on its one listener.
    desk.snapshot(&opened).await;
    desk.app.sessions.hub.drain(Duration::ZERO);
    assert_eq!(parts(&watcher.closed().await), (1012, "Restarting"));
    stream.write_all(&request.as_bytes()[20..]).await.unwrap();
    let mut late = RawSocket::answered(stream).await;
    assert_eq!(late.closed().await.close(), (1012, "Restarting"));
}

#[tokio::test]
async fn a_poll_that_has_the_newest_state_asks_no_database() {
    let desk = Desk::sandbox().await;
    let opened = desk.open().await;
    let mut session = stored(&desk, &opened).await;
    let tag = |version: u64| format!("W/\"{version}\"");
    let poll = |version: u64| desk.poll(&opened).header("If-None-Match", tag(version)).send();
    assert_eq!(poll(session.version).await.unwrap().status(), StatusCode::NOT_MODIFIED);
    desk.app.sessions.store.close().await;
    let answer = poll(session.version).await.unwrap();
    assert_eq!(answer.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(answer.headers()["etag"], tag(session.version).as_str());
    // Whatever needs the database says so: no 304 came from it.
    assert_eq!(poll(session.version - 1).await.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE);
    publish(&desk, &mut session, 1);
    assert_eq!(poll(session.version - 1).await.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE, "it has changed");
    assert_eq!(poll(session.version).await.unwrap().status(), StatusCode::NOT_MODIFIED);
}

#[tokio::test]
async fn a_request_that_does_not_end_is_cut_off_and_one_without_measure_is_refused() {
    let desk = Desk::sandbox().await;
    let mut slow = TcpStream::connect(address(&desk.url)).await.unwrap();
    slow.write_all(b"GET / HTTP/1.1\r\nHost: desk\r\nX-Slow: ").await.unwrap();
    let mut large = TcpStream::connect(address(&desk.url)).await.unwrap();
    let header = format!("GET / HTTP/1.1\r\nHost: desk\r\nX-Large: {}", "x".repeat(40_000));
    // It may be refused before it has said everything.
    let _ = large.write_all(header.as_bytes()).await;
    assert!(answer(&mut large).await.starts_with("HTTP/1.1 431 "));
    let mut rest = Vec::new();
    timeout(PATIENCE, slow.read_to_end(&mut rest)).await.expect("it is cut off").unwrap();
    assert_eq!(rest, b"", "nothing was asked");
}
