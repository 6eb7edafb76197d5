//! `GET /ws/connections`: the live view. The opening handshake is done here; what follows is the hub's.
//! *Runs: server.*

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::{
    body::Body,
    extract::{ConnectInfo, Extension, Query, Request, State, rejection::QueryRejection},
    http::{HeaderMap, header},
    response::Response,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use tungstenite::handshake::server::create_response_with_body;
use utoipa::IntoParams;

use super::openapi::problems;
use crate::{
    domain::{ids::SessionId, wire::Close},
    server::{
        live::{
            handover::{Arrival, Handover},
            hub::{NoRoom, Seat},
            told::Kept,
        },
        problem::Problem,
        staff,
        state::App,
    },
};

/// The parameters.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// The session to follow.
    #[param(required, value_type = SessionId)]
    session_id: Option<String>,
    #[param(ignore)]
    token: Option<String>,
}

problems! { Refusals: Problem::ForeignOrigin, Problem::UpgradeRequired }

/// Upgrades. A browser cannot read the status of a refused upgrade, so what concerns the session is said by a close
/// code after it; a foreign origin was refused before.
#[utoipa::path(
    get, path = "/ws/connections", operation_id = "follow", tag = "live",
    summary = "A WebSocket that follows a session",
    description = include_str!("openapi/socket.md"),
    params(Asked),
    security(("sessionToken" = []), ("sessionTokenInQuery" = []), ("sessionCookie" = [])),
    responses((status = 101, description = "The socket is open, or is closed at once with a code that says why."), Refusals),
)]
pub async fn connect(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Extension(handover): Extension<Handover>,
    asked: Result<Query<Asked>, QueryRejection>,
    request: Request,
) -> Result<Response, Problem> {
    let headers = request.headers();
    let response = shake_hands(&request, &handover)?;
    // A query that cannot be read names no session.
    let session = asked.map_err(|_| Close::SESSION_ID_REQUIRED).and_then(|Query(asked)| admit(&app, &asked, headers));
    let arrival = match session {
        Ok(session) => arrive(&app, session, app.address(peer, headers)).await,
        Err(close) => Err(close),
    };
    handover.put(arrival.unwrap_or_else(|close| Arrival::Goodbye(app.sessions.hub.clone(), close)));
    Ok(response)
}

/// `GET /ws/admin`: the board. A browser is let in by the cookie of whoever signed in, and a program not at all: it has the metrics.
pub async fn board(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Extension(handover): Extension<Handover>,
    request: Request,
) -> Result<Response, Problem> {
    let headers = request.headers();
    let response = shake_hands(&request, &handover)?;
    let is_staff = headers.contains_key(header::ORIGIN) && staff::of(&app, headers).await?.is_some();
    let arrival =
        if is_staff { arrive_at_board(&app, app.address(peer, headers)).await } else { Err(Close::NOT_SIGNED_IN) };
    handover.put(arrival.unwrap_or_else(|close| Arrival::Goodbye(app.sessions.hub.clone(), close)));
    Ok(response)
}

/// The opening handshake, and what it is followed by is announced.
fn shake_hands(request: &Request, handover: &Handover) -> Result<Response, Problem> {
    let response = create_response_with_body(request, Body::empty).map_err(|_| Problem::UpgradeRequired)?;
    if !has_key(request.headers()) {
        return Err(Problem::UpgradeRequired);
    }
    handover.announce();
    Ok(response)
}

/// The key is 16 bytes (RFC 6455, section 4.2.1), which the library does not check.
fn has_key(headers: &HeaderMap) -> bool {
    let key = headers.get(header::SEC_WEBSOCKET_KEY).map(|key| STANDARD.decode(key));
    key.is_some_and(|key| key.is_ok_and(|key| key.len() == 16))
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

/// A place that is kept, once it hears what changes from here on.
async fn seat(app: &App, session: SessionId, address: IpAddr) -> Result<Seat, Close> {
    let mut seat = app.sessions.hub.reserve(session, address).map_err(|no_room| match no_room {
        NoRoom::Session => Close::TOO_MANY,
        NoRoom::Address => Close::TOO_MANY_THERE,
        NoRoom::Server => Close::FULL,
        NoRoom::Stopping => Close::RESTARTING,
    })?;
    seat.hears().await;
    Ok(seat)
}

async fn arrive_at_board(app: &App, address: IpAddr) -> Result<Arrival, Close> {
    let seat = seat(app, SessionId::ALL_OF_THEM, address).await?;
    Ok(Arrival::Welcome(seat, Kept::Board(app.sessions.hub.board_state())))
}

/// Keeps a place first and reads the state then, so whatever changes from here on is not missed.
async fn arrive(app: &App, session: SessionId, address: IpAddr) -> Result<Arrival, Close> {
    let seat = seat(app, session, address).await?;
    match app.sessions.store.session(session).await {
        Ok(Some(state)) => Ok(Arrival::Welcome(seat, Kept::Session(Arc::new(state)))),
        Ok(None) => Err(Close::NOT_FOUND),
        Err(error) => {
            tracing::error!(%error, "a socket's state could not be read");
            Err(Close::UNAVAILABLE)
        }
    }
}
