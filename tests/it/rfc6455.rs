//! The server's side of RFC 6455, case by case, over a real connection.

use serde_json::json;
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::{
    harness::Desk,
    raw::{Frame, RawSocket, address, answer, frame, handshake, path},
};

#[tokio::test]
async fn what_may_not_be_is_closed_with_its_code() {
    let desk = Desk::sandbox().await;
    let opened = desk.open().await;
    let unmasked = vec![0x81, 1, b'x'];
    let close = |code: u16, reason: &[u8]| frame(0x88, &[&code.to_be_bytes()[..], reason].concat());
    let mut cases = vec![
        ("unmasked", unmasked, 1002),
        ("RSV1", frame(0xC1, b"x"), 1002),
        ("RSV2", frame(0xA1, b"x"), 1002),
        ("RSV3 on a ping", frame(0x99, b"x"), 1002),
        ("opcode 3", frame(0x83, b"x"), 1002),
        ("opcode 7", frame(0x87, b"x"), 1002),
        ("opcode 11", frame(0x8B, b"x"), 1002),
        ("opcode 15", frame(0x8F, b"x"), 1002),
        ("a ping in parts", frame(0x09, b"x"), 1002),
        ("a ping of 126 bytes", frame(0x89, &[0; 126]), 1002),
        ("a close frame of 126 bytes", frame(0x88, &[3; 126]), 1002),
        ("a continuation of nothing", frame(0x80, b"x"), 1002),
        ("a text within a text", [frame(0x01, b"x"), frame(0x81, b"y")].concat(), 1002),
        ("a length in a longer form", [&[0x81, 0xFE, 0, 1][..], &[0; 5]].concat(), 1002),
        ("a length beyond 63 bits", [&[0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0][..], &[0; 4]].concat(), 1002),
        ("a close code cut in half", frame(0x88, &[3]), 1002),
        ("a reason that is not UTF-8", close(1000, &[0xC0, 0xAF]), 1007),
        ("a text that is not UTF-8", frame(0x81, &[b'a', 0xFF]), 1007),
        ("a surrogate in a text", frame(0x81, &[0xED, 0xA0, 0x80]), 1007),
        ("a character that does not end", frame(0x81, &[0xCE]), 1007),
        ("one wrong over two parts", [frame(0x01, &[0xCE]), frame(0x80, b"x")].concat(), 1007),
        ("a text that goes wrong before its end", frame(0x01, &[0xFE]), 1007),
        ("too big", frame(0x82, &[0; 4097]), 1009),
        ("too big by its header alone", [&[0x82, 0xFF, 0, 0, 0, 0, 0x7F, 0, 0, 0][..], &[0; 4]].concat(), 1009),
        ("too big in parts", [frame(0x02, &[0; 4096]), frame(0x80, &[0])].concat(), 1009),
    ];
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535] {
        cases.push(("a close code that is never sent", close(code, b""), 1002));
    }
    for (name, bytes, code) in cases {
        let mut socket = RawSocket::open(&desk, &opened).await;
        assert_eq!(socket.said().await.unwrap().json()["type"], "connected");
        socket.send(&bytes).await;
        assert_eq!(socket.said().await.unwrap().close().0, code, "{name}");
        assert_eq!(socket.frame().await, None, "{name}: nothing follows a close frame");
    }
}

#[tokio::test]
async fn a_close_frame_is_answered_with_its_code_and_then_the_connection_ends() {
    let desk = Desk::sandbox().await;
    let opened = desk.open().await;
    for code in [1000_u16, 1001, 1003, 1007, 1011, 1012, 1014, 3000, 4999] {
        let mut socket = RawSocket::open(&desk, &opened).await;
        socket.said().await.unwrap();
        let reason = "x".repeat(123);
        socket.send(&frame(0x88, &[&code.to_be_bytes()[..], reason.as_bytes()].concat())).await;
        assert_eq!(socket.said().await, Some(Frame { first: 0x88, payload: code.to_be_bytes().to_vec() }));
        assert_eq!(socket.frame().await, None);
    }
    let mut socket = RawSocket::open(&desk, &opened).await;
    socket.said().await.unwrap();
    socket.send(&frame(0x88, b"")).await;
    assert_eq!(socket.said().await, Some(Frame { first: 0x88, payload: Vec::new() }));
    assert_eq!(socket.frame().await, None);
    let closed = desk.app.sessions.hub.stats().closed;
    let expected = [(1000, 1), (1001, 1), (1003, 1), (1005, 1), (1007, 1), (1011, 1), (1012, 1), (1014, 1)];
    assert_eq!(closed, expected.into_iter().chain([(3000, 1), (4000, 1)]).collect());
}

#[tokio::test]
async fn what_is_sent_byte_by_byte_and_in_parts_is_what_is_sent_at_once() {
    let desk = Desk::sandbox().await;
    let opened = desk.open().await;
    let stream = [
        frame(0x01, b"{\"type\""),
        frame(0x89, b"in between"),
        frame(0x00, b""),
        frame(0x8A, b"a pong that nobody asked for"),
        frame(0x80, b":\"ping\"}"),
        frame(0x82, &[0xFF; 4096]),
        frame(0x89, b""),
    ]
    .concat();
    for piece in [1, 7, stream.len()] {
        let mut socket = RawSocket::open(&desk, &opened).await;
        socket.stream.set_nodelay(true).unwrap();
        socket.said().await.unwrap();
        for bytes in stream.chunks(piece) {
            socket.send(bytes).await;
        }
        assert_eq!(
            socket.said().await,
            Some(Frame { first: 0x8A, payload: b"in between".to_vec() }),
            "pieces of {piece}"
        );
        assert_eq!(socket.said().await.unwrap().json(), json!({ "type": "pong" }));
        assert_eq!(socket.said().await, Some(Frame { first: 0x8A, payload: Vec::new() }));
    }
}

#[tokio::test]
async fn what_comes_together_with_the_opening_handshake_is_not_lost() {
    let desk = Desk::sandbox().await;
    let opened = desk.open().await;
    let mut stream = TcpStream::connect(address(&desk.url)).await.unwrap();
    let together = [handshake(&path(&opened), "").into_bytes(), frame(0x89, b"early"), vec![0x89]].concat();
    stream.write_all(&together).await.unwrap();
    let mut socket = RawSocket::answered(stream).await;
    assert_eq!(socket.said().await.unwrap().json()["type"], "connected");
    assert_eq!(socket.said().await, Some(Frame { first: 0x8A, payload: b"early".to_vec() }));
    // The rest of the frame whose first byte came with the handshake.
    socket.send(&frame(0x89, b"late")[1..]).await;
    assert_eq!(socket.said().await, Some(Frame { first: 0x8A, payload: b"late".to_vec() }));
}

#[tokio::test]
async fn a_handshake_that_is_none_gets_426_and_is_told_the_version() {
    let desk = Desk::sandbox().await;
    let opened = desk.open().await;
    let good = handshake(&path(&opened), "");
    for (from, to) in [
        ("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 8"),
        ("Sec-WebSocket-Version: 13\r\n", ""),
        ("Upgrade: websocket\r\n", ""),
        ("Upgrade: websocket", "Upgrade: h2c"),
        ("Connection: Upgrade", "Connection: keep-alive"),
        ("BwcHBwcHBwcHBwcHBwcHBw==", "c2hvcnQ="),
        ("BwcHBwcHBwcHBwcHBwcHBw==", "no key"),
        ("HTTP/1.1", "HTTP/1.0"),
    ] {
        assert!(good.contains(from));
        let mut stream = TcpStream::connect(address(&desk.url)).await.unwrap();
        stream.write_all(good.replacen(from, to, 1).as_bytes()).await.unwrap();
        let answer = answer(&mut stream).await.to_lowercase();
        assert!(answer.contains(" 426 upgrade required"), "{to}: {answer}");
        assert!(answer.contains("sec-websocket-version: 13"), "{to}: {answer}");
    }
    assert_eq!(desk.app.sessions.hub.stats().opened, 0);
}
