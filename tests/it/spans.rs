//! Spans on their way to a collector, which may be slow, down, or not wish to have all of them.

use std::time::Duration;

use futures_util::future::join_all;
use opentelemetry_proto::tonic::trace::v1::{Span, span::SpanKind, status::StatusCode as SpanStatus};
use reqwest::StatusCode;

use crate::{
    collector::{Collector, attribute, hex},
    exposition::Exposition,
    harness::{ADMIN_TOKEN, PATIENCE},
    platform::{FakePlatform, ProofEnd},
    program::Program,
    traces::{PARENT, id, on, opening, program, traceparent, webhook, with},
    visit::client,
};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

fn named<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    let mut found = spans.iter().filter(|span| span.name == name);
    let span = found.next().unwrap_or_else(|| panic!("there is no {name} in {spans:#?}"));
    assert!(found.next().is_none(), "{name} is there twice");
    span
}

/// What the program counts of its spans.
async fn counted(program: &Program) -> [f64; 3] {
    let metrics = client().get(format!("{}/metrics", program.url)).bearer_auth(ADMIN_TOKEN).send().await.unwrap();
    let metrics = Exposition::read(&metrics.text().await.unwrap());
    ["exported", "dropped", "lost"].map(|end| metrics.value(&format!("spans_total{{end=\"{end}\"}}")))
}

/// Makes so many requests that are answered.
async fn ask(program: &Program, times: usize) {
    let http = client();
    for _ in 0..times / 50 {
        let asked = (0..50).map(|_| http.get(format!("{}/healthz", program.url)).send());
        assert!(join_all(asked).await.into_iter().all(|answer| answer.unwrap().status() == StatusCode::OK));
    }
}

/// How often something is said in the log by now.
fn said(program: &Program, words: &str) -> usize {
    program.written.text().matches(words).count()
}

#[tokio::test]
async fn a_request_and_its_calls_are_spans_of_one_trace() {
    let (platform, collector) = (FakePlatform::start(ProofEnd::Silent).await, Collector::start().await);
    let export = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*collector.url),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-collector-key=a%20key"),
        ("OTEL_SERVICE_NAME", "desk-of-the-test"),
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test"),
    ];
    let (program, _folder) = program(&with(&on(&platform), &export)).await;
    let opened = opening(&program).header("traceparent", traceparent(TRACE)).header("tracestate", "congo=t61");
    let opened = id(&opened.send().await.unwrap());
    platform.fail_next(&[StatusCode::BAD_REQUEST]);
    let failed = opening(&program).header("traceparent", traceparent(&TRACE.replace('a', "b"))).send().await.unwrap();
    assert_eq!(failed.status(), StatusCode::BAD_GATEWAY);
    client().get(format!("{}/i/some-link?secret=hush", program.url)).send().await.unwrap();
    // What waits is sent when it stops.
    assert!(program.terminate().await);

    let spans = collector.spans_of(TRACE);
    let request = named(&spans, "POST /api/connections/session");
    assert_eq!((hex(&request.span_id), hex(&request.parent_span_id)), (opened, PARENT.to_owned()));
    assert_eq!((request.kind(), request.trace_state.as_str()), (SpanKind::Server, "congo=t61"));
    assert_eq!(attribute(&request.attributes, "http.response.status_code").as_deref(), Some("201"));
    assert!(request.start_time_unix_nano > 0 && request.end_time_unix_nano >= request.start_time_unix_nano);
    let (invitation, token) = (named(&spans, "create_invitation"), named(&spans, "token"));
    assert_eq!((&invitation.parent_span_id, &token.parent_span_id), (&request.span_id, &invitation.span_id));
    // Each call named the span that it is a part of.
    for (called, span) in [("token", token), ("connections", invitation)] {
        let heard = platform.heard();
        let (_, headers) = heard.iter().find(|(name, _)| name == called).unwrap();
        assert_eq!(headers["traceparent"], format!("00-{TRACE}-{}-01", hex(&span.span_id)));
        assert_eq!(span.kind(), SpanKind::Client);
    }
    let failed = collector.spans_of(&TRACE.replace('a', "b"));
    for (name, why) in [("create_invitation", "refused"), ("POST /api/connections/session", "502")] {
        let span = named(&failed, name);
        assert_eq!(span.status.as_ref().unwrap().code(), SpanStatus::Error);
        assert_eq!(attribute(&span.attributes, "error.type").as_deref(), Some(why));
    }
    let told = format!("{:?}", collector.spans());
    assert!(told.contains("GET /i/{link}") && !told.contains("some-link") && !told.contains("hush"), "{told}");

    let about = |name| collector.about_their_resource(name);
    assert_eq!(about("service.name").as_deref(), Some("desk-of-the-test"));
    assert_eq!(about("deployment.environment.name").as_deref(), Some("test"));
    assert_eq!(about("service.version").as_deref(), Some(env!("CARGO_PKG_VERSION")));
    assert!(collector.headers().iter().all(|headers| headers["x-collector-key"] == "a key"));
}

#[tokio::test]
async fn acts_are_spans_and_a_caller_decides_what_is_kept() {
    let (platform, collector) = (FakePlatform::start(ProofEnd::Silent).await, Collector::start().await);
    let (program, _folder) = program(&with(&on(&platform), &[("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url)])).await;
    let unwanted = format!("00-{TRACE}-{PARENT}-00");
    opening(&program).header("traceparent", unwanted).send().await.unwrap();
    assert!(platform.heard().iter().all(|(_, headers)| headers["traceparent"].to_str().unwrap().ends_with("-00")));
    let body = serde_json::json!({
        "type": "Connection", "id": uuid::Uuid::new_v4(), "state": "completed",
        "outOfBandId": platform.last_out_of_band_id(),
    });
    webhook(&program, &body).send().await.unwrap();
    let asked = tokio::time::timeout(PATIENCE, async {
        while platform.proof_requests().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    asked.await.expect("the wallet is asked");
    // The call is over, and the act is finished before the program ends.
    assert!(program.terminate().await);
    assert_eq!(collector.spans_of(TRACE), []);
    let spans = collector.spans();
    let act = spans.iter().find(|span| attribute(&span.attributes, "vestibule.act.kind").is_some()).unwrap();
    assert_eq!(
        (act.name.as_str(), attribute(&act.attributes, "vestibule.act.end").as_deref()),
        ("request_proof", Some("done"))
    );
    assert!(act.parent_span_id.is_empty());
    let of_it: Vec<&Span> = spans.iter().filter(|span| span.trace_id == act.trace_id).collect();
    for call in ["connection", "request_proof"] {
        let is_call = |span: &&&Span| span.name == call && span.kind() == SpanKind::Client;
        assert_eq!(of_it.iter().find(is_call).unwrap().parent_span_id, act.span_id, "{call}");
    }
    assert!(spans.iter().any(|span| span.name == "POST /api/webhooks/confirmd"));
}

#[tokio::test]
async fn a_collector_that_is_down_costs_spans_alone_and_is_told_once() {
    // Nobody listens there any more.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (program, _folder) = program(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &*format!("http://{nobody}"))]).await;
    // As many as go together, three times.
    ask(&program, 1_600).await;
    let lost = tokio::time::timeout(PATIENCE, async {
        while counted(&program).await[2] < 1_024.0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    lost.await.expect("two exports failed");
    assert_eq!(counted(&program).await[0], 0.0);
    assert_eq!(said(&program, "spans cannot be exported"), 1, "{}", program.written.text());
    assert!(!program.written.text().contains("panicked"));
    assert!(program.terminate().await);
}

#[tokio::test]
async fn a_collector_that_never_answers_holds_up_neither_requests_nor_the_end() {
    let collector = Collector::that_hangs().await;
    let patient = ("OTEL_EXPORTER_OTLP_TIMEOUT", "600000");
    let (program, _folder) = program(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &*collector.url), patient]).await;
    // More than wait and are under way at once.
    ask(&program, 3_000).await;
    let [exported, dropped, lost] = counted(&program).await;
    assert_eq!((exported, lost), (0.0, 0.0));
    assert!((440.0..=3_000.0).contains(&dropped), "{dropped}");
    assert_eq!(said(&program, "spans are dropped"), 1);
    let written = program.written.clone();
    assert!(program.terminate().await);
    assert!(written.text().contains("the last spans could not be exported in time"), "{}", written.text());
}
