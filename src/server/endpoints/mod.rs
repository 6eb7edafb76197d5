//! What machines and operators call, and the table of it. Each endpoint translates between HTTP and one use case.
//! *Runs: server.*

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderName, HeaderValue, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
    routing::{any, get, post},
};
use utoipa_axum::{
    router::{OpenApiRouter, UtoipaMethodRouterExt},
    routes,
};

use super::{
    problem::Problem,
    state::App,
    trace::{self, Span},
};

mod admin;
mod export;
pub mod health;
pub mod language;
mod link;
pub mod metrics;
pub mod openapi;
mod session;
mod socket;
mod webhook;

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

/// What holds for every call. Calls are refused that a foreign page makes a browser send: everything that could change
/// something, and the socket (webhooks and wallets are no browsers and send no `Origin`). And every answer carries some
/// headers, unless it has one of its own, and the id of its request. One layer for all of it: each would cost every call.
pub async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    const FIXED: [(HeaderName, HeaderValue); 6] = [
        (header::SERVER, HeaderValue::from_static("vestibule")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        // Not `no-referrer`: with that, browsers send `Origin: null` with our own forms.
        (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
        (
            HeaderName::from_static("permissions-policy"),
            HeaderValue::from_static("camera=(), microphone=(), geolocation=()"),
        ),
    ];
    const HTTPS: (HeaderName, HeaderValue) =
        (header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let guarded = !safe || request.uri().path().starts_with("/ws/");
    let trace = app.sessions.tracer.request(request.headers());
    let (id, span) = (trace.header(), Span::of_request(&trace, &request));
    let answer = async {
        if guarded && !app.origin_is_ours(request.headers()) {
            Problem::ForeignOrigin.into_response()
        } else {
            next.run(request).await
        }
    };
    let mut response = trace.scope(answer).await;
    span.answered(response.status());
    // Room for all of them, so that it need not grow while they are added.
    response.headers_mut().reserve(FIXED.len() + 2);
    response.headers_mut().insert(trace::REQUEST_ID, id);
    for (name, value) in FIXED.into_iter().chain(app.is_https().then_some(HTTPS)) {
        response.headers_mut().entry(name).or_insert(value);
    }
    response
}
