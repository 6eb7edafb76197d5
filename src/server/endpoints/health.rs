//! Whether it lives, and whether it can serve. *Runs: server.*

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;

use super::openapi::problems;
use crate::server::{problem::Problem, state::App};

problems! { NotReady: Problem::StoreUnavailable }

/// Whether it can serve.
#[derive(Serialize, ToSchema)]
pub struct Readiness {
    status: Standing,
    /// What is missing, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reason: Option<String>,
}

/// How well it can serve.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Standing {
    /// In full.
    Ready,
    /// Without other servers: what they change comes with a delay.
    Degraded,
}

/// The process answers.
#[utoipa::path(
    get, path = "/healthz", operation_id = "isAlive", tag = "operators",
    responses((status = 200, description = "`ok`", body = str, content_type = "text/plain; charset=utf-8")),
)]
pub async fn alive() -> &'static str {
    "ok"
}

/// The database answers too.
///
/// Without the other servers it can serve all the same: its own browsers follow as ever, and what others change they are told
/// with a delay.
#[utoipa::path(
    get, path = "/readyz", operation_id = "isReady", tag = "operators",
    responses((status = 200, description = "It can serve.", body = Readiness, example = json!({ "status": "ready" })), NotReady),
)]
pub async fn ready(State(app): State<App>) -> Result<Json<Readiness>, Problem> {
    app.sessions.store.ping().await?;
    Ok(Json(match app.link.as_ref().filter(|link| !link.standing.is_connected()) {
        None => Readiness { status: Standing::Ready, reason: None },
        Some(link) => Readiness {
            status: Standing::Degraded,
            reason: Some(format!("no connection to other servers over {}", link.backplane.name())),
        },
    }))
}

/// What the webhook's address says to whoever looks at it.
pub const WEBHOOK: &str = "Vestibule receives webhooks here, by POST.";

/// Whether this is the address of webhooks.
///
/// For people who check it with a browser, and for `vestibule doctor`. It says the same with a wrong path token, so that nothing can be
/// learned from it.
#[utoipa::path(
    get, path = "/api/webhooks/confirmd", operation_id = "checkWebhook", tag = "webhooks",
    responses((status = 200, description = "It is.", body = str, content_type = "text/plain; charset=utf-8")),
)]
pub async fn webhook() -> &'static str {
    WEBHOOK
}

/// Whether this is the address of an agent's webhooks.
#[utoipa::path(
    get, path = "/api/webhooks/acapy", operation_id = "checkWebhook", tag = "webhooks",
    responses((status = 200, description = "It is.", body = str, content_type = "text/plain; charset=utf-8")),
)]
pub async fn agents_webhook() -> &'static str {
    webhook().await
}
