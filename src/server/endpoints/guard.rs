//! What holds for every call, whatever it asks for. *Runs: server.*

use std::convert::Infallible;

use axum::{
    Router,
    extract::Request,
    http::{HeaderName, HeaderValue, Method, header},
    middleware::map_request,
    response::{IntoResponse, Response},
};
use tower::ServiceExt;

use super::webhook;
use crate::server::{
    problem::Problem,
    serve::{Answer, Caller},
    state::App,
    trace::{self, Span},
};

/// A table of what is served, and what holds for every call. Around the table and not a layer of it, which would be copied
/// and put into a box for every call.
#[derive(Clone)]
pub struct Guarded {
    app: App,
    table: Router,
    /// The address of the call that does not go through the table.
    usual: Option<&'static str>,
}

impl Guarded {
    /// Guards a table.
    #[must_use]
    pub fn new(app: App, table: Router) -> Self {
        // Only the table knows which route it takes, and only a span is told.
        let table = if app.sessions.tracer.exports() { table.layer(map_request(trace::note_route)) } else { table };
        Self { app, table: table.with_state(()), usual: None }
    }

    /// The same, and the usual webhook is taken on the shortest way: of all calls it alone comes a thousand times a second.
    #[must_use]
    pub fn and_webhooks(self) -> Self {
        Self { usual: webhook::usual_address(&self.app), ..self }
    }
}

impl Answer for Guarded {
    fn answer(
        self,
        caller: Caller,
        request: Request,
    ) -> impl Future<Output = Result<Response, Infallible>> + Send + 'static {
        guard(self, caller, request)
    }
}

/// Calls are refused that a foreign page makes a browser send: everything that could change something, and the socket
/// (webhooks and wallets are no browsers and send no `Origin`). And every answer carries some headers, unless it has one of
/// its own, and the id of its request.
async fn guard(
    Guarded { app, table, usual }: Guarded,
    caller: Caller,
    mut request: Request,
) -> Result<Response, Infallible> {
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
    let (id, span) = (trace.header(), Span::of_request(&trace, &mut request));
    let answer = async {
        if guarded && !app.origin_is_ours(request.headers()) {
            Ok(Problem::ForeignOrigin.into_response())
        } else if webhook::is_usual(usual, &request) {
            Ok(webhook::receive(app.clone(), caller.peer, request).await)
        } else {
            caller.introduce(&mut request);
            table.oneshot(request).await
        }
    };
    let mut response = trace.scope(answer).await?;
    span.answered(response.status());
    // Room for all of them, so that it need not grow while they are added.
    response.headers_mut().reserve(FIXED.len() + 2);
    response.headers_mut().insert(trace::REQUEST_ID, id);
    for (name, value) in FIXED.into_iter().chain(app.is_https().then_some(HTTPS)) {
        response.headers_mut().entry(name).or_insert(value);
    }
    Ok(response)
}
