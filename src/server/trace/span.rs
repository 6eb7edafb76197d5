//! What is told about a step: when, how long, and how it ended. Names of our own alone: a route, not the address; no query, no
//! header, no body, nobody's address. *Runs: server.*

use std::{
    borrow::Cow,
    sync::{Arc, OnceLock},
    time::SystemTime,
};

use axum::{
    extract::{MatchedPath, Request},
    http::{Method, StatusCode},
};
use opentelemetry::{
    KeyValue, SpanId,
    trace::{SpanKind, Status},
};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

use super::{Trace, export::Exporter};

/// A step while it lasts. It is exported when it ends, also when whoever waited for it goes away. Where nothing is exported
/// it is nothing.
pub struct Span(Option<Box<Open>>);

struct Open {
    exporter: Arc<Exporter>,
    data: SpanData,
    route: Route,
    is_ended: bool,
}

/// The route that a request takes, as soon as that is known.
#[derive(Clone, Default)]
struct Route(Arc<OnceLock<String>>);

/// Notes which route a request takes, for its span. For the table of routes, as a layer around each of them.
pub async fn note_route(request: Request) -> Request {
    if let Some(route) = request.extensions().get::<MatchedPath>() {
        take_route(&request, route.as_str());
    }
    request
}

/// Notes the route of a request that does not go through the table.
pub fn take_route(request: &Request, route: &str) {
    if let Some(taken) = request.extensions().get::<Route>() {
        // A request takes one route, so nothing is there yet.
        let _ = taken.0.set(route.to_owned());
    }
}

impl Span {
    /// A request, from its header to the header of its answer. Which route it takes is noted later, see [`note_route`].
    #[must_use]
    pub fn of_request(trace: &Trace, request: &mut Request) -> Self {
        let method = method(request.method());
        let about = || (method.into(), vec![KeyValue::new("http.request.method", method)]);
        let span = Self::begin(trace, SpanKind::Server, about);
        if let Some(open) = &span.0 {
            request.extensions_mut().insert(open.route.clone());
        }
        span
    }

    /// A run of an act of this kind.
    #[must_use]
    pub fn of_run(trace: &Trace, kind: &'static str) -> Self {
        Self::begin(trace, SpanKind::Internal, || (kind.into(), vec![KeyValue::new("vestibule.act.kind", kind)]))
    }

    /// A call to the platform, by its name.
    #[must_use]
    pub fn of_call(trace: &Trace, call: &'static str) -> Self {
        Self::begin(trace, SpanKind::Client, || (call.into(), vec![KeyValue::new("vestibule.call", call)]))
    }

    fn begin(trace: &Trace, span_kind: SpanKind, about: impl FnOnce() -> (Cow<'static, str>, Vec<KeyValue>)) -> Self {
        let Some(exporter) = trace.exporter.clone() else { return Self(None) };
        let (name, attributes) = about();
        let (parent_span_id, parent_span_is_remote) = trace.parent.unwrap_or((SpanId::INVALID, false));
        let now = SystemTime::now();
        let data = SpanData {
            span_context: trace.place.clone(),
            parent_span_id,
            parent_span_is_remote,
            span_kind,
            name,
            start_time: now,
            end_time: now,
            attributes,
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: Status::Unset,
            instrumentation_scope: exporter.scope.clone(),
        };
        Self(Some(Box::new(Open { exporter, data, route: Route::default(), is_ended: false })))
    }

    /// The request was answered. Only a failure of ours is one of this step.
    pub fn answered(self, status: StatusCode) {
        let failed = status.is_server_error().then(|| status.as_u16().to_string());
        self.end(KeyValue::new("http.response.status_code", i64::from(status.as_u16())), failed);
    }

    /// The act ended like this. That one is put off is no failure.
    pub fn ran(self, end: &'static str) {
        self.end(KeyValue::new("vestibule.act.end", end), None);
    }

    /// The call came back, or failed in this way.
    pub fn called(mut self, failed: Option<&'static str>) {
        if let Some(open) = &mut self.0 {
            open.end(failed.map(Cow::Borrowed));
        }
    }

    fn end(mut self, how: KeyValue, failed: Option<String>) {
        if let Some(open) = &mut self.0 {
            open.data.attributes.push(how);
            open.end(failed.map(Cow::Owned));
        }
    }
}

impl Open {
    fn end(&mut self, failed: Option<Cow<'static, str>>) {
        self.is_ended = true;
        if let Some(failed) = failed {
            self.data.attributes.push(KeyValue::new("error.type", failed));
            self.data.status = Status::error("");
        }
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        let Some(mut open) = self.0.take() else { return };
        if !open.is_ended {
            open.end(Some(Cow::Borrowed("dropped")));
        }
        if let Some(route) = open.route.0.get() {
            open.data.name = format!("{} {route}", open.data.name).into();
            open.data.attributes.push(KeyValue::new("http.route", route.clone()));
        }
        open.data.end_time = SystemTime::now();
        open.exporter.take(open.data);
    }
}

/// The method, unless somebody made it up.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "_OTHER",
    }
}
