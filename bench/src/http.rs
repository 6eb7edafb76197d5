//! A client for HTTP/1.1 with kept connections, as small as can be: the generator must not be what limits a server. One
//! request at a time on each connection, whole answers, lengths and chunks. *Runs: generator.*

use std::{
    cell::RefCell,
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    rc::Rc,
    time::Instant,
};

use tokio::{
    io::AsyncWriteExt,
    net::{TcpSocket, TcpStream},
};

/// The most that is read of an answer.
const LIMIT: usize = 4 * 1024 * 1024;
/// The most header lines that are read of an answer.
const HEADERS: usize = 48;

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The header `ETag`.
    pub etag: Option<String>,
    /// The body.
    pub body: Vec<u8>,
    /// When the first byte came.
    pub first_byte: Instant,
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Errors
    /// When the status is none of success, or the body is no JSON.
    pub fn json(&self) -> io::Result<serde_json::Value> {
        if !(200..300).contains(&self.status) {
            let body = String::from_utf8_lossy(&self.body);
            return Err(io::Error::other(format!("answered {}: {}", self.status, body.trim())));
        }
        serde_json::from_slice(&self.body).map_err(io::Error::other)
    }
}

/// One kept connection.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// What an answer's head says.
struct Head {
    length: usize,
    status: u16,
    etag: Option<String>,
    /// `None`: it comes in chunks.
    body: Option<usize>,
}

/// Connects from one of several addresses of the loopback network, chosen by `from`, so that ports never run out.
///
/// # Errors
/// When the server does not take it.
pub async fn connect(to: SocketAddr, from: usize) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    let last = u8::try_from(2 + from % 200).unwrap_or(2);
    socket.bind(SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, last)), 0))?;
    let stream = socket.connect(to).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// When the server does not take it.
    pub async fn open(to: SocketAddr) -> io::Result<Self> {
        Ok(Self { stream: connect(to, fastrand::usize(..200)).await?, buffer: Vec::with_capacity(4096) })
    }

    /// Sends a request, complete with head and body, and reads the answer.
    ///
    /// # Errors
    /// When the connection breaks, or what comes is no HTTP.
    pub async fn send(&mut self, request: &[u8]) -> io::Result<Answer> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        self.read_more().await?;
        let first_byte = Instant::now();
        let head = loop {
            if let Some(head) = head(&self.buffer)? {
                break head;
            }
            self.read_more().await?;
        };
        let body = match head.body {
            Some(length) => {
                while self.buffer.len() < head.length + length {
                    self.read_more().await?;
                }
                self.buffer[head.length..head.length + length].to_vec()
            }
            None => loop {
                if let Some(body) = unchunked(&self.buffer[head.length..])? {
                    break body;
                }
                self.read_more().await?;
            },
        };
        Ok(Answer { status: head.status, etag: head.etag, body, first_byte })
    }

    /// Whether the server has closed it meanwhile.
    fn is_over(&self) -> bool {
        !matches!(self.stream.try_read(&mut [0]), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    async fn read_more(&mut self) -> io::Result<()> {
        loop {
            self.stream.readable().await?;
            match self.stream.try_read_buf(&mut self.buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(_) if self.buffer.len() > LIMIT => return Err(io::Error::other("an answer has no end")),
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Reads the head of an answer; `None` while it is not complete.
fn head(bytes: &[u8]) -> io::Result<Option<Head>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = response.parse(bytes).map_err(io::Error::other)? else { return Ok(None) };
    let status = response.code.unwrap_or_default();
    let value = |name: &str| {
        let header = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(header.value).ok()
    };
    let length_of_body = value("content-length").and_then(|text| text.parse().ok());
    // Without a length there are chunks, unless the status has no body (RFC 9112, section 6.3).
    let body = if matches!(status, 204 | 304) { Some(0) } else { length_of_body };
    if body.is_none() && value("transfer-encoding").is_none() {
        return Err(io::Error::other("an answer without length"));
    }
    Ok(Some(Head { length, status, etag: value("etag").map(str::to_owned), body }))
}

/// Puts chunks together (RFC 9112, section 7.1); `None` while the last one has not come. Trailers are not expected.
fn unchunked(mut bytes: &[u8]) -> io::Result<Option<Vec<u8>>> {
    let mut body = Vec::new();
    loop {
        let Some(end) = bytes.windows(2).position(|pair| pair == b"\r\n") else { return Ok(None) };
        let size = std::str::from_utf8(&bytes[..end]).ok().and_then(|text| usize::from_str_radix(text, 16).ok());
        let size = size.filter(|size| *size <= LIMIT).ok_or_else(|| io::Error::other("a chunk without size"))?;
        let Some(chunk) = bytes.get(end + 2..end + 2 + size + 2) else { return Ok(None) };
        if size == 0 {
            return Ok(Some(body));
        }
        body.extend_from_slice(&chunk[..size]);
        bytes = &bytes[end + 2 + size + 2..];
    }
}

/// Kept connections to one server: as many as there are requests at the same time, and no more.
#[derive(Clone)]
pub struct Pool {
    to: SocketAddr,
    idle: Rc<RefCell<Vec<Connection>>>,
}

impl Pool {
    /// None yet.
    #[must_use]
    pub fn new(to: SocketAddr) -> Self {
        Self { to, idle: Rc::default() }
    }

    /// Closes the connections that are free: those to a server that was killed.
    pub fn clear(&self) {
        self.idle.borrow_mut().clear();
    }

    /// Sends a request on a connection that is free, or on a new one.
    ///
    /// # Errors
    /// When the connection breaks; nothing is sent twice.
    pub async fn send(&self, request: &[u8]) -> io::Result<Answer> {
        let mut connection = loop {
            let idle = self.idle.borrow_mut().pop();
            match idle {
                Some(connection) if connection.is_over() => {}
                Some(connection) => break connection,
                None => break Connection::open(self.to).await?,
            }
        };
        let answer = connection.send(request).await?;
        self.idle.borrow_mut().push(connection);
        Ok(answer)
    }
}

/// A `GET` with further header lines, each ended by CRLF.
#[must_use]
pub fn get(path: &str, headers: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n").into_bytes()
}

/// A `POST` of JSON with further header lines, each ended by CRLF.
#[must_use]
pub fn post(path: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{headers}\
         Content-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_put_together_once_the_last_one_is_there() {
        let whole = b"5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n";
        assert_eq!(unchunked(whole).unwrap().unwrap(), b"hello!");
        for end in 0..whole.len() {
            assert!(unchunked(&whole[..end]).unwrap().is_none(), "{end}");
        }
        assert!(unchunked(b"x\r\n").is_err());
    }
}
