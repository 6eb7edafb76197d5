//! A collector of OpenTelemetry's on a real socket: it takes spans over OTLP/HTTP, and knows nothing of Vestibule's code.

use std::{
    future::pending,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    routing::post,
};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
    trace::v1::{ResourceSpans, Span},
};
use prost::Message;
use tokio::net::TcpListener;

#[derive(Default)]
struct Received {
    resources: Vec<ResourceSpans>,
    headers: Vec<HeaderMap>,
    /// It takes everything and answers nothing.
    hangs: bool,
}

/// A collector.
#[derive(Clone)]
pub struct Collector {
    pub url: String,
    received: Arc<Mutex<Received>>,
}

impl Collector {
    /// One that works.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let collector = Self { url, received: Arc::default() };
        let router = Router::new().route("/v1/traces", post(take)).with_state(collector.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        collector
    }

    /// One that takes what comes, and never answers.
    pub async fn that_hangs() -> Self {
        let collector = Self::start().await;
        collector.received.lock().unwrap().hangs = true;
        collector
    }

    /// Every span that came.
    pub fn spans(&self) -> Vec<Span> {
        let received = self.received.lock().unwrap();
        let scopes = received.resources.iter().flat_map(|resource| &resource.scope_spans);
        scopes.flat_map(|scope| scope.spans.clone()).collect()
    }

    /// The spans of a trace, by its id in hexadecimal digits.
    pub fn spans_of(&self, trace: &str) -> Vec<Span> {
        self.spans().into_iter().filter(|span| hex(&span.trace_id) == trace).collect()
    }

    /// What the spans say that they come from.
    pub fn about_their_resource(&self, name: &str) -> Option<String> {
        let received = self.received.lock().unwrap();
        attribute(&received.resources.first()?.resource.as_ref()?.attributes, name)
    }

    /// What the calls carried.
    pub fn headers(&self) -> Vec<HeaderMap> {
        self.received.lock().unwrap().headers.clone()
    }
}

async fn take(State(collector): State<Collector>, headers: HeaderMap, body: Bytes) -> Result<Vec<u8>, StatusCode> {
    assert_eq!(headers[header::CONTENT_TYPE], "application/x-protobuf");
    let request = ExportTraceServiceRequest::decode(body).map_err(|_| StatusCode::BAD_REQUEST)?;
    let hangs = {
        let mut received = collector.received.lock().unwrap();
        received.resources.extend(request.resource_spans);
        received.headers.push(headers);
        received.hangs
    };
    if hangs { pending().await } else { Ok(Vec::new()) }
}

/// An id as `traceparent` and logs have it.
pub fn hex(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An attribute, as text.
pub fn attribute(attributes: &[KeyValue], name: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| attribute.key == name)?;
    match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        Value::IntValue(number) => Some(number.to_string()),
        other => panic!("{name} is {other:?}"),
    }
}
