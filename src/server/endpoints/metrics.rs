//! `GET /metrics`: figures for Prometheus. On the main port for who has the operator's token; where `METRICS_PORT` is set,
//! on that port alone, and open to whoever reaches it. *Runs: server.*

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};

use super::{method_not_allowed, no_such_call, openapi::problems};
use crate::server::{metrics, problem::Problem, state::App};

problems! { Refusals: Problem::Unauthorized, Problem::Forbidden, Problem::NotFound }

/// Figures for Prometheus.
///
/// Where `METRICS_PORT` is set, they are on that port alone, open to whoever reaches it.
#[utoipa::path(
    get, path = "/metrics", operation_id = "scrape", tag = "operators",
    security(("adminToken" = [])),
    responses(
        (status = 200, description = "The figures.", body = str, content_type = "text/plain; version=0.0.4"),
        (status = 500, description = "They cannot be written as text; the log says why."),
        Refusals,
    ),
)]
pub async fn guarded(State(app): State<App>, headers: HeaderMap) -> Result<Response, Problem> {
    if app.config.metrics_port.is_some() {
        return Err(Problem::NotFound);
    }
    app.check_admin(&headers)?;
    Ok(open(State(app)).await)
}

/// What is served on the port of its own.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/metrics", get(open))
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(no_such_call)
        .with_state(app)
}

async fn open(State(app): State<App>) -> Response {
    match metrics::scrape(&app.sessions, app.config.polling_interval).await {
        Ok(text) => ([(header::CONTENT_TYPE, metrics::TEXT_FORMAT)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "the metrics cannot be told");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
