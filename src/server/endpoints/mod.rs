//! What machines and operators call, and the table of it. Each endpoint translates between HTTP and one use case.
//! *Runs: server.*

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Method},
    middleware::Next,
    response::{IntoResponse, Response},
    routing::get,
};
use tower_http::set_header::SetResponseHeaderLayer;

use super::{
    problem::Problem,
    state::{App, AppState},
};

mod admin;
mod health;
mod link;
pub mod metrics;
mod session;
mod socket;
mod webhook;

/// The most that is read of a body. Webhooks have a few KiB, or a few tens with a presentation (contract 5.2).
pub const BODY_LIMIT: usize = 1024 * 1024;

/// Every address that is not a page.
pub fn router() -> Router<AppState> {
    Router::new()
        .route("/api/connections/session", get(session::show).post(session::open).delete(session::cancel))
        .route("/ws/connections", get(socket::connect))
        .route("/api/webhooks/confirmd", get(health::webhook).post(webhook::receive))
        .route("/api/webhooks/confirmd/{path_token}", get(health::webhook).post(webhook::receive))
        .route("/api/admin/websocket-stats", get(admin::websocket_stats))
        .route("/i/{link}", get(link::open))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::guarded))
        .method_not_allowed_fallback(method_not_allowed)
}

/// Whatever else is asked for below `/api`.
pub async fn no_such_call() -> Problem {
    Problem::NotFound
}

/// A known address, called in a way that it does not take.
pub async fn method_not_allowed() -> Problem {
    Problem::MethodNotAllowed
}

/// Refuses calls that a foreign page makes a browser send: everything that could change something, and the socket.
/// Webhooks and wallets are no browsers and send no `Origin`.
pub async fn check_origin(State(app): State<App>, request: Request, next: Next) -> Response {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let guarded = !safe || request.uri().path().starts_with("/ws/");
    if guarded && !app.origin_is_ours(request.headers()) {
        return Problem::ForeignOrigin.into_response();
    }
    next.run(request).await
}

/// The headers that every answer carries.
pub fn security_headers<S: Clone + Send + Sync + 'static>(router: Router<S>, https: bool) -> Router<S> {
    let fixed = [
        ("x-content-type-options", "nosniff"),
        // Not `no-referrer`: with that, browsers send `Origin: null` with our own forms.
        ("referrer-policy", "same-origin"),
        ("x-frame-options", "DENY"),
        ("cross-origin-opener-policy", "same-origin"),
        ("permissions-policy", "camera=(), microphone=(), geolocation=()"),
    ];
    let https = https.then_some(("strict-transport-security", "max-age=31536000"));
    fixed.into_iter().chain(https).fold(router, |router, (name, value)| {
        router.layer(SetResponseHeaderLayer::if_not_present(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        ))
    })
}
