//! `GET /ws/connections`: the live view. A socket first gets the state as it is, then every newer one; one that is slow
//! skips to the newest and costs a constant amount. *Runs: server.*

use std::time::Duration;

use axum::{
    extract::{
        Query, State, WebSocketUpgrade,
        rejection::QueryRejection,
        ws::{CloseFrame, Message, WebSocket, rejection::WebSocketUpgradeRejection},
    },
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use rand::Rng;
use serde::Deserialize;
use tokio::time::{Instant, interval_at, timeout};
use tokio_tungstenite::tungstenite::{self, error::ProtocolError};

use crate::{
    domain::{
        ids::SessionId,
        wire::{ClientMessage, Close, ServerMessage},
    },
    server::{
        live::hub::{NoRoom, Watcher},
        problem::Problem,
        state::App,
    },
};

/// The most that a client may send at once. All it has to say is a ping.
const MESSAGE_LIMIT: usize = 4096;
/// A buffer of 128 KiB for each socket is the library's default; a ping needs far less.
const READ_BUFFER: usize = 1024;
/// How long a closing socket may take to take its close frame.
const GOODBYE: Duration = Duration::from_secs(5);

/// The parameters.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Asked {
    session_id: Option<String>,
    token: Option<String>,
}

/// Upgrades. A browser cannot read the status of a refused upgrade, so what concerns the session is said by a close
/// code after it; a foreign origin was refused before.
pub async fn connect(
    State(app): State<App>,
    asked: Result<Query<Asked>, QueryRejection>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let upgrade = upgrade.map_err(|_| Problem::UpgradeRequired)?;
    // A query that cannot be read names no session.
    let session = asked.map_err(|_| Close::SESSION_ID_REQUIRED).and_then(|Query(asked)| admit(&app, &asked, &headers));
    Ok(upgrade
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_message_size(MESSAGE_LIMIT)
        .max_frame_size(MESSAGE_LIMIT)
        .on_upgrade(move |mut socket| async move {
            match session.and_then(|session| Ok((session, watch(&app, session)?))) {
                Err(close) => say_goodbye(&mut socket, close).await,
                // The watcher is kept until the close frame is out: a server that stops waits for its watchers.
                Ok((session, mut watcher)) => {
                    if let Some(close) = serve(&app, &mut socket, session, &mut watcher).await {
                        say_goodbye(&mut socket, close).await;
                    }
                }
            }
        })
        .into_response())
}

fn admit(app: &App, asked: &Asked, headers: &HeaderMap) -> Result<SessionId, Close> {
    let text = asked.session_id.as_deref().filter(|text| !text.is_empty()).ok_or(Close::SESSION_ID_REQUIRED)?;
    let session: SessionId = text.parse().map_err(|_| Close::INVALID_TOKEN)?;
    // Without an origin it is no browser, and a cookie alone proves nothing.
    let no_page = !headers.contains_key(header::ORIGIN);
    if no_page && asked.token.is_none() && !headers.contains_key(header::AUTHORIZATION) {
        return Err(Close::INVALID_TOKEN);
    }
    if app.may_see(session, headers, asked.token.as_deref()) { Ok(session) } else { Err(Close::INVALID_TOKEN) }
}

fn watch(app: &App, session: SessionId) -> Result<Watcher, Close> {
    app.sessions.hub.watch(session).map_err(|no_room| match no_room {
        NoRoom::Session => Close::TOO_MANY,
        NoRoom::Server => Close::FULL,
    })
}

/// Serves a socket until it ends. Gives back the close frame to send, if one is due.
async fn serve(app: &App, socket: &mut WebSocket, session: SessionId, watcher: &mut Watcher) -> Option<Close> {
    let now = || app.sessions.clock.now();
    // Watching has begun, so whatever changes from here on is not missed.
    let mut version = match app.sessions.store.session(session).await {
        Ok(Some(session)) => {
            send(app, socket, &ServerMessage::Connected(session.snapshot(now()))).await?;
            session.version
        }
        Ok(None) => return Some(Close::NOT_FOUND),
        Err(error) => {
            tracing::error!(%error, "a socket's state could not be read");
            return Some(Close::UNAVAILABLE);
        }
    };
    let every = app.config.ping_interval;
    // Spread, so that ten thousand sockets opened together are not all pinged in the same moment.
    let mut heartbeat = interval_at(Instant::now() + part_of(every / 2) + every / 2, every);
    let mut unanswered = 0;
    let mut stop = app.stop.clone();
    loop {
        tokio::select! {
            newest = watcher.next() => {
                if newest.version > version {
                    version = newest.version;
                    send(app, socket, &ServerMessage::StatusUpdate(newest.snapshot(now()))).await?;
                }
            }
            message = socket.recv() => {
                unanswered = 0;
                match message {
                    Some(Ok(Message::Text(text))) => {
                        if serde_json::from_str(&text).is_ok_and(|message| matches!(message, ClientMessage::Ping)) {
                            send(app, socket, &ServerMessage::Pong).await?;
                        }
                    }
                    // The library answers pings and close frames, and has refused what is too big or malformed.
                    Some(Ok(Message::Binary(_) | Message::Ping(_) | Message::Pong(_))) => {}
                    Some(Ok(Message::Close(_))) | None => return None,
                    Some(Err(error)) => return fault(error),
                }
            }
            _ = heartbeat.tick() => {
                if unanswered >= 2 {
                    return Some(Close::SILENT);
                }
                unanswered += 1;
                deliver(app, socket, Message::Ping(Default::default())).await?;
            }
            _ = stop.changed() => {
                // Not all in the same moment, so that they do not all come back in the same moment.
                tokio::time::sleep(part_of(app.config.drain)).await;
                return Some(Close::RESTARTING);
            }
        }
    }
}

/// What a peer is told whose frame could not be read (RFC 6455, section 7.4.1); nothing when the connection is gone.
fn fault(error: axum::Error) -> Option<Close> {
    match error.into_inner().downcast_ref::<tungstenite::Error>()? {
        tungstenite::Error::Capacity(_) => Some(Close::TOO_BIG),
        tungstenite::Error::Utf8(_) => Some(Close::NOT_TEXT),
        tungstenite::Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => None,
        tungstenite::Error::Protocol(_) => Some(Close::PROTOCOL),
        _ => None,
    }
}

/// Any part of a length of time, by chance.
fn part_of(length: Duration) -> Duration {
    length.mul_f64(rand::rng().random_range(0.0..=1.0))
}

/// Sends a message; `None` when the peer is gone or takes nothing.
async fn send(app: &App, socket: &mut WebSocket, message: &ServerMessage) -> Option<()> {
    // A message of plain fields can always be written as JSON.
    let text = serde_json::to_string(message).unwrap_or_default();
    deliver(app, socket, Message::Text(text.into())).await
}

/// A peer that takes nothing for as long as two heartbeats is as good as silent.
async fn deliver(app: &App, socket: &mut WebSocket, message: Message) -> Option<()> {
    timeout(app.config.ping_interval * 2, socket.send(message)).await.ok()?.ok()
}

async fn say_goodbye(socket: &mut WebSocket, close: Close) {
    let frame = CloseFrame { code: close.code, reason: close.reason.into() };
    let goodbye = async {
        socket.send(Message::Close(Some(frame))).await?;
        // Until the peer has taken it: dropped at once, the frame could be lost with the connection.
        while let Some(Ok(_)) = socket.recv().await {}
        Ok::<(), axum::Error>(())
    };
    if timeout(GOODBYE, goodbye).await.is_err() {
        tracing::debug!(close.code, "a peer did not take its close frame");
    }
}
