//! What operators ask. *Runs: server.*

use axum::{Json, extract::State, http::HeaderMap};
use serde::Serialize;
use utoipa::ToSchema;

use super::openapi::problems;
use crate::{
    domain::ids::SessionId,
    server::{problem::Problem, state::App},
};

/// How many sockets there are, in the form of the earlier system.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SocketStats {
    /// All sockets of this server.
    total_connections: usize,
    /// The sessions that have any.
    active_sessions: Vec<SessionId>,
    session_counts: Vec<SessionCount>,
}

/// The sockets of one session.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SessionCount {
    session_id: SessionId,
    clients: usize,
}

problems! { Refusals: Problem::Unauthorized, Problem::Forbidden }

/// How many sockets each session has at this server.
#[utoipa::path(
    get, path = "/api/admin/websocket-stats", operation_id = "countSockets", tag = "operators",
    security(("adminToken" = [])),
    responses((status = 200, description = "The sockets of this server.", body = SocketStats), Refusals),
)]
pub async fn websocket_stats(State(app): State<App>, headers: HeaderMap) -> Result<Json<SocketStats>, Problem> {
    app.check_admin(&headers)?;
    let counts = app.sessions.hub.counts();
    Ok(Json(SocketStats {
        total_connections: counts.iter().map(|(_, clients)| clients).sum(),
        active_sessions: counts.iter().map(|(session, _)| *session).collect(),
        session_counts: counts.into_iter().map(|(session_id, clients)| SessionCount { session_id, clients }).collect(),
    }))
}
