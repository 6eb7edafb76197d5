//! Whose work it is. Each request has an id, and each run of an act; whatever is logged on its behalf carries it, and every
//! answer. Both are steps of a trace that may have begun at a caller and goes on at the platform (W3C Trace Context), and
//! where a collector is configured their spans are exported to it.
//!
//! The id goes with the task, not with a span of `tracing` (decision 26). What is given to another task, or waits in a queue,
//! has to take it along: [`carried`], [`current`]. *Runs: server.*

mod context;
pub mod export;
mod span;

use std::{
    num::{NonZeroU64, NonZeroU128},
    sync::Arc,
};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use futures_util::FutureExt;
use opentelemetry::{
    SpanId, TraceFlags, TraceId,
    trace::{SpanContext, TraceState},
};

use self::export::Exporter;
pub use self::{
    context::headers_of_a_call,
    span::{Span, note_route, take_route},
};
use crate::domain::ids::RequestId;

/// The header by which every answer tells the id of its request.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

tokio::task_local! {
    static CURRENT: Trace;
}

/// What log lines are told apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    /// A request that was made to us.
    Request(RequestId),
    /// A run of an act, by the id of its span.
    Run(SpanId),
}

/// A step of a trace: a request, a run of an act, or a call that one of them makes.
#[derive(Clone)]
pub struct Trace {
    work: Work,
    place: SpanContext,
    /// The step that led to this one, and whether it was somebody else's.
    parent: Option<(SpanId, bool)>,
    /// Where its span goes; `None` when it is not exported.
    exporter: Option<Arc<Exporter>>,
}

/// Begins traces, and goes on with those of callers. By default it exports nothing.
#[derive(Clone, Default)]
pub struct Tracer(Option<Arc<Exporter>>);

impl Tracer {
    /// Whether anything is exported.
    #[must_use]
    pub fn exports(&self) -> bool {
        self.0.is_some()
    }

    /// The step that a request with these headers is. A valid `traceparent` makes it a part of its caller's trace.
    ///
    /// Its id is the one of our own span, and always new. An `X-Request-Id` that comes along is not looked at: several requests
    /// may carry the same one, by mistake or so that one is taken for another, and whatever it holds would stand in our log.
    #[must_use]
    pub fn request(&self, headers: &HeaderMap) -> Trace {
        let span = any_span();
        self.begin(Work::Request(RequestId(u64::from_be_bytes(span.to_bytes()))), span, context::caller(headers))
    }

    /// The step that a run of an act is, in a trace of its own.
    #[must_use]
    pub fn run(&self) -> Trace {
        let span = any_span();
        self.begin(Work::Run(span), span, None)
    }

    fn begin(&self, work: Work, span: SpanId, caller: Option<SpanContext>) -> Trace {
        let any_trace = || TraceId::from(rand::random::<NonZeroU128>().get());
        let trace = caller.as_ref().map_or_else(any_trace, SpanContext::trace_id);
        let callers = caller.as_ref().map(SpanContext::is_sampled);
        // Who exports nothing hands on what the caller decided.
        let sampled = match &self.0 {
            Some(exporter) => exporter.samples(trace, callers),
            None => callers.unwrap_or(false),
        };
        let parent = caller.as_ref().map(|caller| (caller.span_id(), true));
        let state = caller.map_or(TraceState::NONE, |caller| caller.trace_state().clone());
        let flags = TraceFlags::NOT_SAMPLED.with_sampled(sampled);
        let place = SpanContext::new(trace, span, flags, false, state);
        Trace { work, place, parent, exporter: self.0.clone().filter(|_| sampled) }
    }
}

fn any_span() -> SpanId {
    SpanId::from(rand::random::<NonZeroU64>().get())
}

impl Trace {
    /// A step on behalf of this one, which is named in log lines all the same.
    #[must_use]
    pub fn step(&self) -> Self {
        let at = &self.place;
        let place = SpanContext::new(at.trace_id(), any_span(), at.trace_flags(), false, at.trace_state().clone());
        Self { place, parent: Some((at.span_id(), false)), ..self.clone() }
    }

    /// Its id as a header's value.
    #[must_use]
    pub fn header(&self) -> HeaderValue {
        // Hexadecimal digits are good for one.
        HeaderValue::try_from(self.id()).unwrap_or_else(|_| HeaderValue::from_static(""))
    }

    fn id(&self) -> String {
        match self.work {
            Work::Request(id) => id.to_string(),
            Work::Run(id) => id.to_string(),
        }
    }

    /// What its log lines carry: fields with their values, which need no quotes.
    #[must_use]
    pub fn fields(&self) -> [(&'static str, String); 2] {
        let of = match self.work {
            Work::Request(_) => "request.id",
            Work::Run(_) => "run.id",
        };
        [(of, self.id()), ("trace.id", self.place.trace_id().to_string())]
    }

    /// Does work as this step.
    pub fn scope<T>(self, work: impl Future<Output = T>) -> impl Future<Output = T> {
        // No `async fn`, which would keep room for the work twice.
        CURRENT.scope(self, work)
    }
}

/// The step that is being taken here, if any.
#[must_use]
pub fn current() -> Option<Trace> {
    CURRENT.try_with(Trace::clone).ok()
}

/// The id of the request that is being answered here, if any.
#[must_use]
pub fn request_id() -> Option<RequestId> {
    let work = CURRENT.try_with(|trace| trace.work).ok()?;
    if let Work::Request(id) = work { Some(id) } else { None }
}

/// Does work as that step, if there is one.
pub fn within<T>(trace: Option<Trace>, work: impl Future<Output = T>) -> impl Future<Output = T> {
    match trace {
        Some(trace) => trace.scope(work).left_future(),
        None => work.right_future(),
    }
}

/// The same for work that waits for nothing, such as a line in the log.
pub fn within_now<T>(trace: Option<&Trace>, work: impl FnOnce() -> T) -> T {
    match trace {
        Some(trace) => CURRENT.sync_scope(trace.clone(), work),
        None => work(),
    }
}

/// Work that goes on as the present step wherever it is done, in a task of its own too.
pub fn carried<T>(work: impl Future<Output = T>) -> impl Future<Output = T> {
    within(current(), work)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(trace: &Trace) -> [String; 2] {
        trace.fields().map(|(_, value)| value)
    }

    #[tokio::test]
    async fn what_goes_to_another_task_takes_its_id_along() {
        let trace = Tracer::default().request(&HeaderMap::new());
        let seen = || request_id().map(|id| id.to_string());
        let [id, _] = told(&trace);
        let (bare, taken) = trace
            .scope(async {
                tokio::join!(tokio::spawn(async move { seen() }), tokio::spawn(carried(async move { seen() })))
            })
            .await;
        assert_eq!((bare.unwrap(), taken.unwrap()), (None, Some(id)));
        assert_eq!(seen(), None, "it is over");
    }

    #[test]
    fn a_step_is_of_the_same_trace_and_its_lines_are_of_the_same_request() {
        let mut headers = HeaderMap::new();
        let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        headers.insert("traceparent", HeaderValue::from_static(traceparent));
        headers.insert("x-request-id", HeaderValue::from_static("mine"));
        let tracer = Tracer::default();
        let (request, other) = (tracer.request(&headers), tracer.request(&headers));
        let [id, trace] = told(&request);
        assert_eq!(trace, "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_ne!(id, told(&other)[0], "the same caller, another request");
        let step = request.step();
        assert_eq!(told(&step), told(&request));
        assert_ne!(step.place.span_id(), request.place.span_id());
        assert_eq!(step.parent, Some((request.place.span_id(), false)));
        assert!(step.place.is_sampled(), "the caller's wish goes on");
        assert_ne!(told(&tracer.run())[1], told(&tracer.run())[1]);
    }
}
