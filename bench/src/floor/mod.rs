//! The bare floors: what the work costs when nothing but the work is done. Tokio and hyper; after the upgrade only the
//! stream is kept, and the publisher's task writes to it. `floor-tuned` keeps everything in memory; `floor-sqlite` writes
//! each webhook to disk before it is told and acknowledged.
//!
//! Deliberately without everything that a real desk needs: no heartbeat, no limits, no rules. *Runs: floors.*

mod store;

use std::{
    cell::RefCell,
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    io,
    net::SocketAddr,
    path::Path,
    rc::Rc,
    time::{SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{
        CONNECTION, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, UPGRADE,
    },
};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::{
    net::TcpStream,
    task::{LocalSet, spawn_local},
};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::{
    serve::{Answer, body, empty, json, listen, parameter, serve},
    webhook::{KEY, PATH, random_id},
};
use store::{Store, Write};

/// So many paragraphs make a static page about as long as the program's own first one.
const PARAGRAPHS: usize = 80;

struct Session {
    version: u64,
    status: String,
    watchers: Vec<TcpStream>,
}

#[derive(Clone)]
struct Floor {
    sessions: Rc<RefCell<HashMap<String, Session>>>,
    store: Option<Store>,
    page: Bytes,
}

/// What is read of a webhook.
#[derive(Deserialize)]
struct Webhook<'a> {
    #[serde(borrow)]
    data: Data<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    connection_id: &'a str,
    state: &'a str,
}

/// Milliseconds since 1970.
fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| i64::try_from(time.as_millis()).unwrap_or_default())
}

/// A keyed hash in the place of a signature: checked without a database, and it survives a restart.
fn token(session: &str) -> String {
    let mut hasher = DefaultHasher::new();
    (session, KEY).hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

fn message(kind: &str, id: &str, session: &Session) -> String {
    let (version, status) = (session.version, &session.status);
    format!(
        r#"{{"type":"{kind}","sessionId":"{id}","attempt":1,"version":{version},"stage":"{status}","status":"{status}","eventType":"connection","opened":false,"timestamp":{},"expiresAt":0}}"#,
        now()
    )
}

/// A text frame as a server sends it (RFC 6455, section 5.2). Messages here are shorter than 64 KiB.
fn frame(text: &str) -> Vec<u8> {
    let mut frame = vec![0x81];
    match u8::try_from(text.len()) {
        Ok(length) if length < 126 => frame.push(length),
        _ => {
            frame.push(126);
            frame.extend_from_slice(&u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
        }
    }
    frame.extend_from_slice(text.as_bytes());
    frame
}

/// Runs a floor until it is killed; durable where there is a file.
///
/// # Errors
/// When it cannot listen, or the file cannot be used.
pub async fn run(port: u16, file: Option<&Path>) -> io::Result<()> {
    let mut sessions = HashMap::new();
    let mut store = None;
    if let Some(file) = file {
        let (opened, rows) = Store::open(file).map_err(io::Error::other)?;
        store = Some(opened);
        sessions.extend(
            rows.into_iter()
                .map(|row| (row.id, Session { version: row.version, status: row.status, watchers: Vec::new() })),
        );
    }
    let page =
        "<p>A page of some length, as a registration's first page has it, with what will be asked and why.</p>\n";
    let page = Bytes::from(format!("<!doctype html><title>Registration</title>\n{}", page.repeat(PARAGRAPHS)));
    let floor = Floor { sessions: Rc::new(RefCell::new(sessions)), store, page };
    let listener = listen(SocketAddr::from(([127, 0, 0, 1], port)))?;
    LocalSet::new()
        .run_until(serve(listener, move |request| {
            let floor = floor.clone();
            async move { floor.handle(request).await }
        }))
        .await;
    Ok(())
}

impl Floor {
    async fn handle(self, request: Request<Incoming>) -> Answer {
        match (request.method(), request.uri().path()) {
            (&Method::POST, PATH) => self.receive(request).await,
            (&Method::POST, "/api/connections/session") => self.open().await,
            (&Method::GET, "/api/connections/session") => self.poll(&request),
            (&Method::GET, "/ws/connections") => self.upgrade(request),
            (&Method::GET, "/register") => {
                let mut page = json(StatusCode::OK, self.page.clone());
                page.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
                page
            }
            (&Method::GET, "/healthz") => json(StatusCode::OK, "{}"),
            _ => empty(StatusCode::NOT_FOUND),
        }
    }

    async fn open(&self) -> Answer {
        let id = random_id();
        if let Some(store) = &self.store
            && !store.write(Write::Session { id: id.clone() }).await
        {
            return empty(StatusCode::SERVICE_UNAVAILABLE);
        }
        let body = format!(
            r#"{{"success":true,"data":{{"sessionId":"{id}","token":"{}","invitationUrl":"https://agent.example.org?record={id}","version":1}}}}"#,
            token(&id)
        );
        self.sessions.borrow_mut().insert(id, new_session());
        json(StatusCode::CREATED, body)
    }

    /// The session that a request names and whose token it carries.
    fn authorised<'a>(&self, request: &'a Request<Incoming>) -> Option<&'a str> {
        let id = parameter(request, "sessionId")?;
        if parameter(request, "token")? != token(id) {
            return None;
        }
        // What is kept in memory alone is gone after a restart, and begins anew.
        if !self.sessions.borrow().contains_key(id) {
            self.sessions.borrow_mut().insert(id.to_owned(), new_session());
        }
        Some(id)
    }

    fn poll(&self, request: &Request<Incoming>) -> Answer {
        let Some(id) = self.authorised(request) else { return empty(StatusCode::UNAUTHORIZED) };
        let sessions = self.sessions.borrow();
        let session = &sessions[id];
        let tag = format!("W/\"{}\"", session.version);
        let known = request.headers().get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
        let mut answer = if known {
            empty(StatusCode::NOT_MODIFIED)
        } else {
            json(StatusCode::OK, message("status_update", id, session))
        };
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            answer.headers_mut().insert(ETAG, tag);
        }
        answer
    }

    fn upgrade(&self, mut request: Request<Incoming>) -> Answer {
        let (Some(id), Some(key)) = (self.authorised(&request), request.headers().get(SEC_WEBSOCKET_KEY)) else {
            return empty(StatusCode::UNAUTHORIZED);
        };
        let (id, accept) = (id.to_owned(), derive_accept_key(key.as_bytes()));
        let floor = self.clone();
        let upgrading = hyper::upgrade::on(&mut request);
        spawn_local(async move {
            let Ok(upgraded) = upgrading.await else { return };
            let Ok(parts) = upgraded.downcast::<TokioIo<TcpStream>>() else { return };
            let stream = parts.io.into_inner();
            let mut sessions = floor.sessions.borrow_mut();
            let Some(session) = sessions.get_mut(&id) else { return };
            // In the same turn, so that no state comes between the one that is sent and the ones that follow.
            if stream.try_write(&frame(&message("connected", &id, session))).is_ok() {
                session.watchers.push(stream);
            }
        });
        let mut answer = Response::new(http_body_util::Full::default());
        *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = answer.headers_mut();
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(SEC_WEBSOCKET_ACCEPT, HeaderValue::from_str(&accept).unwrap_or(HeaderValue::from_static("")));
        answer
    }

    async fn receive(&self, request: Request<Incoming>) -> Answer {
        if request.headers().get("x-api-key").is_none_or(|key| key.as_bytes() != KEY.as_bytes()) {
            return empty(StatusCode::UNAUTHORIZED);
        }
        let body = body(request).await;
        let Ok(webhook) = serde_json::from_slice::<Webhook>(&body) else { return empty(StatusCode::BAD_REQUEST) };
        let Data { connection_id: id, state } = webhook.data;
        let Some(version) = self.sessions.borrow().get(id).map(|session| session.version + 1) else {
            return empty(StatusCode::NOT_FOUND);
        };
        if let Some(store) = &self.store {
            let event = Write::Event { id: id.to_owned(), version, status: state.to_owned(), body: body.clone() };
            if !store.write(event).await {
                return empty(StatusCode::SERVICE_UNAVAILABLE);
            }
        }
        self.publish(id, version, state);
        json(StatusCode::OK, r#"{"received":true}"#)
    }

    fn publish(&self, id: &str, version: u64, state: &str) {
        let mut sessions = self.sessions.borrow_mut();
        let Some(session) = sessions.get_mut(id) else { return };
        session.version = version;
        state.clone_into(&mut session.status);
        if session.watchers.is_empty() {
            return;
        }
        let frame = frame(&message("status_update", id, session));
        // A stream that takes no more, or is gone, is dropped: a floor has no patience.
        session.watchers.retain(|stream| stream.try_write(&frame).is_ok());
    }
}

fn new_session() -> Session {
    Session { version: 1, status: "invitation".to_owned(), watchers: Vec::new() }
}
