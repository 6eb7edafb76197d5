//! `/api/connections/session`: the JSON API for clients that are not our page, and the page's polling. *Runs: server.*

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Json,
    body::Bytes,
    extract::{
        ConnectInfo, Query, State,
        rejection::{BytesRejection, QueryRejection},
    },
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::openapi::{problems, schemas::StatusUpdate};
use crate::{
    domain::{
        ids::SessionId,
        session::{Session, Snapshot},
        wire::ServerMessage,
    },
    server::{metrics::poll, pages::wallet_links, problem::Problem, sessions::to_the_end, state::App, store::Invited},
};

/// What a client asks for. What else is in it is let pass.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({ "requestType": "registration" }))]
struct OpenRequest {
    #[schema(pattern = "^registration$")]
    request_type: String,
}

/// The envelope of the JSON API's answers, as clients of the earlier system know it.
#[derive(Serialize, ToSchema)]
struct Success<T> {
    /// Always true.
    success: bool,
    data: T,
}

/// A session that was opened: what opens it, what to show, and its state.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Opened {
    /// Opens the session, for `TOKEN_TTL`.
    token: String,
    /// The platform's own address of the invitation.
    invitation_url: String,
    /// Our short one, for the code on screen.
    link: String,
    /// Opens the wallet on the same phone; null where no wallet is known.
    #[schema(required)]
    deep_link: Option<String>,
    /// What the wallet's request will show too: to be shown to the person, who then knows the request for theirs.
    matching_code: String,
    #[serde(flatten)]
    snapshot: Snapshot,
}

problems! { NotOpened:
    Problem::BadRequestType,
    Problem::BadJson,
    Problem::ForeignOrigin,
    Problem::TooSlow,
    Problem::TooLarge,
    Problem::TooMany { retry_after: 1 },
    Problem::PlatformUnavailable,
    Problem::StoreUnavailable,
}
problems! { NotShown: Problem::SessionIdMissing, Problem::Unauthorized, Problem::NotFound, Problem::StoreUnavailable }
problems! { ForeignPage: Problem::ForeignOrigin }

/// Begins a registration.
///
/// Show `link` as a code, and `matchingCode` beside it. Then poll the session, or follow it over the WebSocket.
#[utoipa::path(
    post, path = "/api/connections/session", operation_id = "openSession", tag = "sessions",
    request_body = OpenRequest,
    responses(
        (
            status = 201, description = "The session, with its first code.", body = inline(Success<Opened>),
            headers(("Set-Cookie" = String, description = "The session's token, for browsers.")),
            links(
                ("read" = (operation_id = "readSession", parameters(("sessionId" = "$response.body#/data/sessionId")))),
                ("cancel" = (operation_id = "cancelSession", parameters(("sessionId" = "$response.body#/data/sessionId")))),
            ),
        ),
        NotOpened,
    ),
)]
pub async fn open(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let body = body.map_err(|error| Problem::of_body(&error))?;
    let request: OpenRequest = serde_json::from_slice(&body).map_err(|_| Problem::BadJson)?;
    if request.request_type != "registration" {
        return Err(Problem::BadRequestType);
    }
    app.count_new_session(app.address(peer, &headers))?;
    let session = app.sessions.open().await?;
    let attempt = app.sessions.store.attempt(session.id, session.attempt).await?.ok_or(Problem::StoreUnavailable)?;
    let (code, invited) = (attempt.code, attempt.invited.ok_or(Problem::StoreUnavailable)?);
    let answer = Success { success: true, data: opened(&app, &session, code, invited) };
    Ok((StatusCode::CREATED, [(header::SET_COOKIE, app.cookie(session.id))], Json(answer)).into_response())
}

fn opened(app: &App, session: &Session, matching_code: String, invited: Invited) -> Opened {
    Opened {
        token: app.token(session.id),
        link: format!("{}i/{}", app.public_url, invited.link),
        deep_link: wallet_links(app, &invited).into_iter().next(),
        matching_code,
        invitation_url: invited.invitation.url,
        snapshot: session.snapshot(app.sessions.clock.now()),
    }
}

/// The parameters of `GET` and `DELETE`. Read as text, so that a malformed id gets our own answer.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// The session.
    #[serde(default)]
    #[param(required, value_type = SessionId)]
    session_id: String,
    #[param(ignore)]
    token: Option<String>,
}

impl Which {
    fn session(
        which: Result<Query<Self>, QueryRejection>,
        app: &App,
        headers: &HeaderMap,
    ) -> Result<SessionId, Problem> {
        let Query(which) = which.map_err(|_| Problem::SessionIdMissing)?;
        let session = which.session_id.parse().map_err(|_| Problem::SessionIdMissing)?;
        // A session that does not exist and one that belongs to somebody else look the same from here.
        if app.may_see(session, headers, which.token.as_deref()) { Ok(session) } else { Err(Problem::Unauthorized) }
    }
}

/// Reads the state: 304 while it is the one the client has, which the hub knows without the database.
#[utoipa::path(
    get, path = "/api/connections/session", operation_id = "readSession", tag = "sessions",
    summary = "Reads the state, for polling",
    description = "With `If-None-Match` the answer is 304 as long as nothing changed.",
    params(Which, ("If-None-Match" = Option<String>, Header, description = "The `ETag` of the last answer.", example = "W/\"1\"")),
    security(("sessionToken" = []), ("sessionTokenInQuery" = []), ("sessionCookie" = [])),
    responses(
        (
            status = 200, description = "The state.", body = StatusUpdate,
            headers(
                ("ETag" = String, description = "Its version, as a tag."),
                ("Cache-Control" = String, description = "It is one person's, and soon another one."),
            ),
        ),
        (
            status = 304, description = "Nothing changed.",
            headers(("ETag" = String, description = "The version that the client has, as a tag.")),
        ),
        NotShown,
    ),
)]
pub async fn show(
    State(app): State<App>,
    which: Result<Query<Which>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let id = Which::session(which, &app, &headers)?;
    // What is published from here on is not missed by what the next poll goes by.
    let look = app.sessions.hub.look(id);
    let polls = &app.sessions.metrics.polls;
    if let Some(version) = look.version().filter(|version| client_has(&headers, *version)) {
        polls.count([poll::UNCHANGED_IN_MEMORY]);
        return Ok((StatusCode::NOT_MODIFIED, tags(version)).into_response());
    }
    let session = app.sessions.store.session(id).await?.ok_or(Problem::NotFound)?;
    look.learn(session.version);
    if client_has(&headers, session.version) {
        polls.count([poll::UNCHANGED_IN_DATABASE]);
        return Ok((StatusCode::NOT_MODIFIED, tags(session.version)).into_response());
    }
    polls.count([poll::STATE]);
    let message = ServerMessage::StatusUpdate(session.snapshot(app.sessions.clock.now()));
    Ok((tags(session.version), Json(message)).into_response())
}

/// The version names the state, so it is the tag; weak, because the time that remains is in the body too.
fn etag(version: u64) -> String {
    format!("W/\"{version}\"")
}

/// Whether the client has the state of this version: by a list of tags, or by `*`, which any state matches. Tags are compared
/// weakly, so a proxy that made them strong does no harm (RFC 9110, section 13.1.2).
fn client_has(headers: &HeaderMap, version: u64) -> bool {
    let tag = etag(version);
    let opaque = |tag| str::strip_prefix(tag, "W/").unwrap_or(tag);
    let known = headers.get_all(header::IF_NONE_MATCH).into_iter().filter_map(|list| list.to_str().ok());
    known.flat_map(|list| list.split(',')).map(str::trim).any(|known| known == "*" || opaque(known) == opaque(&tag))
}

fn tags(version: u64) -> [(HeaderName, HeaderValue); 2] {
    [
        (header::ETAG, HeaderValue::from_str(&etag(version)).unwrap_or_else(|_| HeaderValue::from_static(""))),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache, private")),
    ]
}

/// Cancels a registration.
///
/// Safe to repeat; answers with the state it left. What was submitted stays.
#[utoipa::path(
    delete, path = "/api/connections/session", operation_id = "cancelSession", tag = "sessions",
    params(Which),
    security(("sessionToken" = []), ("sessionTokenInQuery" = []), ("sessionCookie" = [])),
    responses(
        (status = 200, description = "The state that was left.", body = inline(Success<Snapshot>)),
        ForeignPage,
        NotShown,
    ),
)]
pub async fn cancel(
    State(app): State<App>,
    which: Result<Query<Which>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let id = Which::session(which, &app, &headers)?;
    let sessions = Arc::clone(&app.sessions);
    let session = to_the_end(async move { sessions.cancel(id).await }).await?.ok_or(Problem::NotFound)?;
    let data = session.snapshot(app.sessions.clock.now());
    Ok(Json(Success { success: true, data }).into_response())
}
