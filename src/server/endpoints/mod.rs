//! What machines and operators call, and the table of it. Each endpoint translates between HTTP and one use case.
//! *Runs: server.*

use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{any, get, post},
};
use utoipa_axum::{
    router::{OpenApiRouter, UtoipaMethodRouterExt},
    routes,
};

use super::{problem::Problem, state::App};

mod admin;
mod export;
mod guard;
pub mod health;
pub mod language;
mod link;
pub mod metrics;
pub mod openapi;
mod session;
mod socket;
mod webhook;

pub use guard::Guarded;

/// The most that is read of a body. Webhooks have a few KiB, or a few tens with a presentation (contract 5.2).
pub const BODY_LIMIT: usize = 1024 * 1024;

/// The most that is read of the body of a call that is no webhook.
const CALL_LIMIT: usize = 64 * 1024;

/// Every address that is not a page. What `routes!` adds is in the document of the API, and nothing else is. With a state of its
/// own: that of pages is large, and copied for every call.
pub fn router(app: App) -> Router {
    let (calls, document) = OpenApiRouter::with_openapi(openapi::about(&app))
        .routes(routes!(session::show, session::open, session::cancel).layer(DefaultBodyLimit::max(CALL_LIMIT)))
        .routes(routes!(socket::connect))
        .routes(routes!(link::open))
        .merge(webhook::router(&app))
        .routes(routes!(admin::websocket_stats))
        .routes(routes!(health::alive))
        .routes(routes!(health::ready))
        .routes(routes!(metrics::guarded))
        .routes(routes!(export::csv))
        .routes(routes!(export::jsonl))
        .split_for_parts();
    calls
        .merge(openapi::router(document))
        .route("/language", post(language::choose))
        .route("/ws/admin", get(socket::board))
        .route("/api/", any(no_such_call))
        .route("/api/{*rest}", any(no_such_call))
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(app)
}

/// Whatever else is asked for below `/api`.
pub async fn no_such_call() -> Problem {
    Problem::NotFound
}

/// A known address, called in a way that it does not take.
pub async fn method_not_allowed() -> Problem {
    Problem::MethodNotAllowed
}
