//! Whether it lives, and whether it can serve. *Runs: server.*

use axum::{Json, extract::State};
use serde_json::{Value, json};

use crate::server::{problem::Problem, state::App};

/// `GET /healthz`: the process answers.
pub async fn alive() -> &'static str {
    "ok"
}

/// `GET /readyz`: the database answers too. Without the other servers it can serve all the same: its own browsers follow as
/// ever, and what others change they are told with a delay.
pub async fn ready(State(app): State<App>) -> Result<Json<Value>, Problem> {
    app.sessions.store.ping().await?;
    Ok(Json(match app.link.as_ref().filter(|link| !link.standing.is_connected()) {
        None => json!({ "status": "ready" }),
        Some(link) => json!({
            "status": "degraded",
            "reason": format!("no connection to other servers over {}", link.backplane.name()),
        }),
    }))
}

/// What the webhook's address says to whoever looks at it.
pub const WEBHOOK: &str = "Vestibule receives webhooks here, by POST.";

/// `GET` on the webhook's address: for people who check it with a browser, and for `vestibule doctor`. It says the same with a
/// wrong path token, so that nothing can be learned from it.
pub async fn webhook() -> &'static str {
    WEBHOOK
}
