//! A socket spoken by hand, byte by byte: what no library would send, and nothing that a library would hide.

use std::net::SocketAddr;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;
use socket2::{Domain, Socket, Type};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::harness::{Desk, Opened, PATIENCE};

/// A client whose frames the test writes itself.
pub struct RawSocket {
    pub stream: TcpStream,
}

/// A frame as it came: its first byte, and its payload.
#[derive(Debug, PartialEq, Eq)]
pub struct Frame {
    pub first: u8,
    pub payload: Vec<u8>,
}

impl Frame {
    pub fn json(&self) -> Value {
        assert_eq!(self.first, 0x81, "a whole text: {self:?}");
        serde_json::from_slice(&self.payload).unwrap()
    }

    /// The code and reason of a close frame.
    pub fn close(&self) -> (u16, &str) {
        assert_eq!(self.first, 0x88, "a close frame: {self:?}");
        let (code, reason) = self.payload.split_at(2);
        (u16::from_be_bytes([code[0], code[1]]), std::str::from_utf8(reason).unwrap())
    }
}

/// A frame as a client sends it, with this first byte.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    const MASK: [u8; 4] = [0xA5, 0x5A, 0x3C, 0x01];
    let mut bytes = vec![first];
    match u16::try_from(payload.len()).unwrap() {
        length @ ..=125 => bytes.push(0x80 | length as u8),
        length => {
            bytes.push(0x80 | 126);
            bytes.extend(length.to_be_bytes());
        }
    }
    bytes.extend(MASK);
    bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, key)| byte ^ key));
    bytes
}

/// The request of the opening handshake, with these further lines.
pub fn handshake(path: &str, lines: &str) -> String {
    let key = STANDARD.encode([7; 16]);
    format!(
        "GET {path} HTTP/1.1\r\nHost: desk\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: {key}\r\n{lines}\r\n"
    )
}

pub fn path(opened: &Opened) -> String {
    format!("/ws/connections?sessionId={}&token={}", opened.id, opened.token)
}

pub fn address(url: &str) -> SocketAddr {
    url.trim_start_matches("http://").parse().unwrap()
}

impl RawSocket {
    /// Opens a socket to this session.
    pub async fn open(desk: &Desk, opened: &Opened) -> Self {
        Self::open_at(address(&desk.url), opened, "").await
    }

    /// Opens a socket at this address, with these further lines in the request.
    pub async fn open_at(address: SocketAddr, opened: &Opened, lines: &str) -> Self {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(handshake(&path(opened), lines).as_bytes()).await.unwrap();
        Self::answered(stream).await
    }

    /// Opens a socket whose system keeps almost nothing that was not read.
    pub async fn narrow(desk: &Desk, opened: &Opened) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.set_recv_buffer_size(1024).unwrap();
        socket.connect(&address(&desk.url).into()).unwrap();
        socket.set_nonblocking(true).unwrap();
        let mut stream = TcpStream::from_std(socket.into()).unwrap();
        stream.write_all(handshake(&path(opened), "").as_bytes()).await.unwrap();
        Self::answered(stream).await
    }

    /// Reads the answer to the opening handshake, which has to be a good one.
    pub async fn answered(mut stream: TcpStream) -> Self {
        let answer = answer(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
        Self { stream }
    }

    pub async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// The next frame; `None` at the end of the stream.
    pub async fn frame(&mut self) -> Option<Frame> {
        timeout(PATIENCE, self.frame_now()).await.expect("a frame or the end comes in time")
    }

    async fn frame_now(&mut self) -> Option<Frame> {
        let first = self.stream.read_u8().await.ok()?;
        let length = match self.stream.read_u8().await.unwrap() {
            126 => usize::from(self.stream.read_u16().await.unwrap()),
            length => {
                assert!(length < 126, "a server does not mask, and has nothing so long to say");
                usize::from(length)
            }
        };
        let mut payload = vec![0; length];
        self.stream.read_exact(&mut payload).await.unwrap();
        Some(Frame { first, payload })
    }

    /// The next frame that is no ping.
    pub async fn said(&mut self) -> Option<Frame> {
        loop {
            match self.frame().await {
                Some(Frame { first: 0x89, .. }) => {}
                other => return other,
            }
        }
    }

    /// The close frame, whatever comes before it; after it there has to be the end.
    pub async fn closed(&mut self) -> Frame {
        loop {
            let frame = self.said().await.expect("a close frame comes before the end");
            if frame.first == 0x88 {
                return frame;
            }
        }
    }
}

/// The header of an answer.
pub async fn answer(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let read = async {
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(stream.read_u8().await.unwrap());
        }
    };
    timeout(PATIENCE, read).await.expect("the answer comes in time");
    String::from_utf8(answer).unwrap()
}
