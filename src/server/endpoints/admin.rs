//! What operators ask. *Runs: server.*

use axum::{Json, extract::State, http::HeaderMap};
use serde_json::{Value, json};

use crate::server::{problem::Problem, state::App};

/// `GET /api/admin/websocket-stats`, in the form of the earlier system.
pub async fn websocket_stats(State(app): State<App>, headers: HeaderMap) -> Result<Json<Value>, Problem> {
    app.check_admin(&headers)?;
    let counts = app.sessions.hub.counts();
    let sessions: Vec<_> = counts.iter().map(|(session, _)| session).collect();
    let per_session: Vec<_> =
        counts.iter().map(|(session, clients)| json!({ "sessionId": session, "clients": clients })).collect();
    Ok(Json(json!({
        "totalConnections": counts.iter().map(|(_, clients)| clients).sum::<usize>(),
        "activeSessions": sessions,
        "sessionCounts": per_session,
    })))
}
