//! An echo server on the program's own WebSocket codec, for the conformance suite: `scripts/autobahn`.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    time::Duration,
};

use tungstenite::handshake::{
    machine::TryParse,
    server::{Request, create_response, write_response},
};
use vestibule::server::live::{
    frame,
    reader::{Event, Fault, Reader},
};

/// The suite sends messages of up to 16 MiB; the program itself takes 4 KiB.
const LIMIT: usize = 64 << 20;

fn main() -> io::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 9001))?;
    for stream in listener.incoming() {
        let stream = stream?;
        // A peer that goes is no matter for the next one.
        std::thread::spawn(move || echo(stream));
    }
    Ok(())
}

fn echo(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut received = vec![0; 64 * 1024];
    let (mut length, request) = (0, request(&mut stream)?);
    let response = create_response(&request).map_err(io::Error::other)?;
    write_response(&mut stream, &response).map_err(io::Error::other)?;
    let mut reader = Reader::default();
    loop {
        let mut input = &received[..length];
        loop {
            let answer = match reader.next(&mut input, LIMIT) {
                Ok(None) => break,
                Ok(Some(Event::Text(text))) => frame::text(text.as_bytes()),
                Ok(Some(Event::Binary(bytes))) => frame::binary(&bytes),
                Ok(Some(Event::Ping(payload))) => frame::pong(&payload),
                Ok(Some(Event::Part | Event::Pong)) => continue,
                Ok(Some(Event::Close(code))) => return stream.write_all(&frame::close(code, "")),
                Err(fault) => return refuse(stream, fault),
            };
            stream.write_all(&answer)?;
        }
        length = stream.read(&mut received)?;
        if length == 0 {
            return Ok(());
        }
    }
}

/// Reads the opening handshake; the suite sends nothing more before it is answered.
fn request(stream: &mut TcpStream) -> io::Result<Request> {
    let mut header = Vec::new();
    let mut byte = [0];
    loop {
        stream.read_exact(&mut byte)?;
        header.push(byte[0]);
        if header.ends_with(b"\r\n\r\n") {
            let parsed = Request::try_parse(&header).map_err(io::Error::other)?;
            return parsed.map(|(_, request)| request).ok_or(io::ErrorKind::InvalidData.into());
        }
    }
}

/// Closes as the program does: says why, ends its half, and waits for the peer's.
fn refuse(mut stream: TcpStream, fault: Fault) -> io::Result<()> {
    let code = match fault {
        Fault::Protocol => 1002,
        Fault::NotText => 1007,
        Fault::TooBig => 1009,
    };
    stream.write_all(&frame::close(Some(code), ""))?;
    stream.shutdown(Shutdown::Write)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    io::copy(&mut stream, &mut io::sink()).map(|_| ())
}
