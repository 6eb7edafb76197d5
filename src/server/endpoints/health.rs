//! Whether it lives, and whether it can serve. *Runs: server.*

use axum::{Json, extract::State};
use serde_json::{Value, json};

use crate::server::{problem::Problem, state::App};

/// `GET /healthz`: the process answers.
pub async fn alive() -> &'static str {
    "ok"
}

/// `GET /readyz`: the database answers too.
pub async fn ready(State(app): State<App>) -> Result<Json<Value>, Problem> {
    app.sessions.store.ping().await?;
    Ok(Json(json!({ "status": "ready" })))
}

/// `GET` on the webhook's address: for people who check it with a browser. It says the same with a wrong path token,
/// so that nothing can be learned from it.
pub async fn webhook() -> &'static str {
    "Vestibule receives webhooks here, by POST."
}
