//! Each request has an id, which its log lines and its answer have too; and a trace goes from its caller through us to the
//! platform and, where one is configured, to a collector.

use std::{collections::BTreeSet, time::Duration};

use futures_util::future::join_all;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{io::AsyncWriteExt, net::TcpStream};
use uuid::Uuid;

use crate::{
    database::{execute_at, key_of},
    exposition::Exposition,
    harness::{ADMIN_TOKEN, PATIENCE, WEBHOOK_SECRET},
    platform::{FakePlatform, ORG_ID, ProofEnd},
    postgres,
    program::Program,
    raw,
    visit::{Visit, client, hurry},
};

/// A caller's, as the specification shows them.
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
pub const PARENT: &str = "00f067aa0ba902b7";

/// The value of `traceparent` of a caller that wishes the trace to be kept.
pub fn traceparent(trace: &str) -> String {
    format!("00-{trace}-{PARENT}-01")
}

/// Starts the binary with a log that can be read, in a folder that goes with it.
pub async fn program(variables: &[(&str, &str)]) -> (Program, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let all = [&[("LOG_FORMAT", "json"), ("DRAIN", "1ms"), ("ADMIN_TOKEN", ADMIN_TOKEN)], variables].concat();
    (Program::start(folder.path(), 0, &all).await, folder)
}

/// The variables for a platform of the test's.
pub fn on(platform: &FakePlatform) -> [(&'static str, String); 7] {
    [
        ("DESK_FILE", format!("{}/registration.toml", env!("CARGO_MANIFEST_DIR"))),
        ("PLATFORM", "confirmd".to_owned()),
        ("CONFIRMD_BASE_URL", platform.url.clone()),
        ("CONFIRMD_AUTH_URL", format!("{}/token", platform.url)),
        ("CONFIRMD_ORG_ID", ORG_ID.to_owned()),
        ("CONFIRMD_CLIENT_ID", "client".to_owned()),
        ("CONFIRMD_CLIENT_SECRET", "secret".to_owned()),
    ]
}

/// The variables by reference, with further ones.
pub fn with<'a>(variables: &'a [(&'static str, String)], more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    variables.iter().map(|(name, value)| (*name, value.as_str())).chain(more.iter().copied()).collect()
}

/// The id that an answer names.
pub fn id(answer: &Response) -> String {
    let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
    assert!(id.len() == 16 && id.bytes().all(|digit| digit.is_ascii_hexdigit()), "{id}");
    id
}

/// The first line of the log with this message, and this value of this field.
async fn line(program: &Program, message: &str, field: &str, value: &str) -> Value {
    let found = || {
        let text = program.written.text();
        let lines: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        lines.into_iter().find(|line| line["fields"]["message"] == message && line[field] == value)
    };
    let waited = tokio::time::timeout(PATIENCE, async {
        loop {
            match found() {
                Some(line) => return line,
                None => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    });
    waited.await.unwrap_or_else(|_| panic!("no `{message}` with {field} {value} in {}", program.written.text()))
}

/// A webhook with the right key.
pub fn webhook(program: &Program, body: &Value) -> RequestBuilder {
    webhook_with(WEBHOOK_SECRET, program, body)
}

fn webhook_with(key: &str, program: &Program, body: &Value) -> RequestBuilder {
    let request = client().post(format!("{}/api/webhooks/confirmd", program.url)).header("X-API-Key", key);
    request.body(body.to_string())
}

/// Begins a registration.
pub fn opening(program: &Program) -> RequestBuilder {
    let address = format!("{}/api/connections/session", program.url);
    client().post(address).json(&json!({ "requestType": "registration" }))
}

#[tokio::test]
async fn every_answer_names_its_request_which_nobody_else_names() {
    let (program, _folder) = program(&[("METRICS_PORT", "0")]).await;
    let at = |address: &str| format!("{}{address}", program.url);
    let told =
        || program.written.text().lines().find_map(|line| line.trim().strip_prefix("metrics ").map(str::to_owned));
    let told = tokio::time::timeout(PATIENCE, async {
        loop {
            match told() {
                Some(address) => return address,
                None => tokio::task::yield_now().await,
            }
        }
    });
    let metrics = told.await.expect("it says where they are");
    let metrics = metrics.trim();
    let mut ids = BTreeSet::new();
    for (method, address) in [
        (Method::GET, at("/healthz")),
        (Method::GET, at("/readyz")),
        (Method::GET, at("/")),
        (Method::GET, at("/register/connect")),
        (Method::GET, at("/favicon.svg")),
        (Method::GET, at("/i/unknown")),
        (Method::GET, at("/sandbox/behaviour")),
        (Method::POST, at("/api/register/open")),
        (Method::POST, at("/language")),
        (Method::DELETE, at("/healthz")),
        (Method::GET, metrics.to_owned()),
        (Method::GET, metrics.replace("/metrics", "/")),
    ] {
        let request = client().request(method, &address).header("X-Request-Id", "0123456789abcdef");
        assert!(ids.insert(id(&request.send().await.unwrap())), "{address}: its id is there already");
    }
    assert!(!ids.contains("0123456789abcdef"), "what a client says is not taken for it");
    let mut stream = TcpStream::connect(("127.0.0.1", program.port())).await.unwrap();
    stream.write_all(raw::handshake("/ws/connections", "").as_bytes()).await.unwrap();
    let upgraded = raw::answer(&mut stream).await;
    assert!(upgraded.starts_with("HTTP/1.1 101") && upgraded.contains("x-request-id: "), "{upgraded}");
}

#[tokio::test]
async fn errors_name_the_request_as_the_log_does() {
    let (program, _folder) = program(&[]).await;
    let foreign = |request: RequestBuilder| request.header("Origin", "https://evil.example");
    for request in [
        client().get(format!("{}/api/nothing", program.url)),
        client().delete(format!("{}/api/webhooks/confirmd", program.url)),
        client().get(format!("{}/ws/connections", program.url)),
        client().post(format!("{}/api/register/submit", program.url)).body("email[]=a"),
        foreign(client().post(format!("{}/register", program.url))),
        webhook(&program, &json!([])),
    ] {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        let id = id(&answer);
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["requestId"], id, "{problem}");
    }
    let refused = webhook_with("wrong", &program, &json!({})).header("traceparent", traceparent(TRACE));
    let refused = refused.send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    let line = line(&program, "webhook refused", "request.id", &id(&refused)).await;
    assert_eq!(line["trace.id"], TRACE);
    let page = client().get(format!("{}/nowhere", program.url)).header("Accept", "text/html").send().await.unwrap();
    let (status, id) = (page.status(), id(&page));
    let text = page.text().await.unwrap();
    assert!(status == StatusCode::NOT_FOUND && text.contains(&id), "{id} is not on the page: {text}");
}

#[tokio::test]
async fn what_is_done_to_its_end_in_a_task_of_its_own_is_logged_for_its_request() {
    let (program, _folder) = program(&[]).await;
    let visit = Visit::begin(&program.url).await;
    hurry(&client(), &program.url, "envelope").await;
    visit.verify("amaka").await;
    let form = [("email", "amaka@example.org"), ("phone", "+234 809 000 0000")];
    let answer = visit.posting("submit").form(&form).send().await.unwrap();
    line(&program, "registration submitted", "request.id", &id(&answer)).await;
}

#[tokio::test]
async fn a_page_that_cannot_be_drawn_names_its_request_as_the_log_does() {
    // What a page reads and has to wait for, it reads in a task of its own.
    let database = postgres::fresh().await;
    let key = key_of(&database);
    let (program, _folder) = program(&[("DATABASE_URL", &*database), ("SECRET_KEY", &key)]).await;
    let visit = Visit::begin(&program.url).await;
    execute_at(&database, "ALTER TABLE attempts RENAME TO attempts_elsewhere").await;
    let request = visit.with_cookie(client().get(format!("{}/register/connect", program.url)));
    let page = request.send().await.unwrap();
    let (status, id) = (page.status(), id(&page));
    let text = page.text().await.unwrap();
    assert!(status == StatusCode::SERVICE_UNAVAILABLE && text.contains(&id), "{id} is not on the page: {text}");
    line(&program, "the store failed", "request.id", &id).await;
}

#[tokio::test]
async fn a_log_for_people_names_the_request_too() {
    let (program, _folder) = program(&[("LOG_FORMAT", "text")]).await;
    let opened = opening(&program).header("traceparent", traceparent(TRACE)).send().await.unwrap();
    let id = id(&opened);
    let written = program.written.text();
    let line = written.lines().find(|line| line.contains("registration opened")).unwrap();
    assert!(line.ends_with(&format!(" request.id={id} trace.id={TRACE}")), "{line}");
    assert!(!written.contains('\u{1b}'), "no colours in a file");
}

#[tokio::test]
async fn webhooks_that_are_recorded_together_are_told_apart() {
    let (program, _folder) = program(&[]).await;
    let mut round = 0;
    loop {
        round += 1;
        let send = async |number: u32| {
            let state = format!("made-up-{number}");
            let body = json!({ "type": "Connection", "id": Uuid::new_v4(), "state": state });
            let trace = format!("{:032x}", Uuid::new_v4().as_u128());
            let answer = webhook(&program, &body).header("traceparent", traceparent(&trace)).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::OK);
            let line = line(&program, "delivery recorded", "request.id", &id(&answer)).await;
            assert_eq!((&line["fields"]["delivery.state"], &line["trace.id"]), (&json!(state), &json!(trace)));
        };
        join_all((0..100).map(|number| send(round * 100 + number))).await;
        let metrics = client().get(format!("{}/metrics", program.url)).bearer_auth(ADMIN_TOKEN).send().await.unwrap();
        let metrics = Exposition::read(&metrics.text().await.unwrap());
        if metrics.value("commit_deliveries_count") < metrics.value("commit_deliveries_sum") {
            return;
        }
        assert!(round < 50, "they never came together");
    }
}

#[tokio::test]
async fn a_trace_goes_from_its_caller_to_the_platform() {
    let platform = FakePlatform::start(ProofEnd::Silent).await;
    let (program, _folder) = program(&with(&on(&platform), &[])).await;
    let opened = opening(&program).header("traceparent", traceparent(TRACE)).header("tracestate", "congo=t61,rojo=1");
    let opened = opened.send().await.unwrap();
    line(&program, "registration opened", "trace.id", TRACE).await;
    let heard = platform.heard();
    let called: Vec<&str> = heard.iter().map(|(called, _)| called.as_str()).collect();
    assert_eq!(called, ["token", "connections"]);
    let mut spans = BTreeSet::from([PARENT.to_owned(), id(&opened)]);
    for (called, headers) in &heard {
        let parent = headers["traceparent"].to_str().unwrap();
        let [version, trace, span, flags] = parent.split('-').collect::<Vec<_>>()[..] else { panic!("{parent}") };
        assert_eq!((version, trace, flags), ("00", TRACE, "01"), "{called}");
        assert!(spans.insert(span.to_owned()), "{called} has a span of its own");
        assert_eq!(headers["tracestate"], "congo=t61,rojo=1");
    }
}

#[tokio::test]
async fn a_run_of_an_act_is_a_trace_of_its_own() {
    let platform = FakePlatform::start(ProofEnd::CannotAsk).await;
    let (program, _folder) = program(&with(&on(&platform), &[])).await;
    opening(&program).send().await.unwrap();
    let body = json!({
        "type": "Connection", "id": Uuid::new_v4(), "state": "completed", "outOfBandId": platform.last_out_of_band_id(),
    });
    webhook(&program, &body).header("traceparent", traceparent(TRACE)).send().await.unwrap();
    let put_off = async |tries: u64| {
        let is_it = |line: &Value| line["fields"]["message"] == "put off" && line["fields"]["act.tries"] == tries;
        let waited = tokio::time::timeout(PATIENCE, async {
            loop {
                let text = program.written.text();
                let mut lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
                if let Some(line) = lines.find(is_it) {
                    return (
                        line["run.id"].as_str().unwrap().to_owned(),
                        line["trace.id"].as_str().unwrap().to_owned(),
                    );
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        waited.await.expect("it is put off")
    };
    let ((first, trace), (again, other)) = (put_off(0).await, put_off(1).await);
    assert_ne!(first, again);
    assert!(trace != other && trace != TRACE && other != TRACE);
    let asked = platform.heard().into_iter().filter(|(called, _)| called == "proofs");
    let asked: Vec<String> =
        asked.map(|(_, headers)| headers["traceparent"].to_str().unwrap()[3..35].to_owned()).collect();
    assert!(asked.contains(&trace) && asked.contains(&other), "{asked:?}");
}

#[tokio::test]
async fn what_is_no_traceparent_begins_a_trace_of_our_own() {
    let (program, _folder) = program(&[("LOG_LEVEL", "debug")]).await;
    let zeros = "0".repeat(32);
    for odd in [
        "",
        "nonsense",
        TRACE,
        &format!("ff-{TRACE}-{PARENT}-01"),
        &format!("00-{zeros}-{PARENT}-01"),
        &format!("00-{TRACE}-{}-01", &zeros[..16]),
        &format!("00-{TRACE}-{PARENT}-01-more"),
        &format!("00-{TRACE}-{PARENT}"),
        &"9".repeat(8_000),
    ] {
        let refused = webhook_with("wrong", &program, &json!({})).header("traceparent", odd);
        let refused = refused.header("tracestate", odd).send().await.unwrap();
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED, "{odd}");
        let line = line(&program, "webhook refused", "request.id", &id(&refused)).await;
        let trace = line["trace.id"].as_str().unwrap();
        assert!(trace.len() == 32 && trace != TRACE && trace != zeros, "{odd}: {trace}");
    }
    let later = format!("01-{TRACE}-{PARENT}-01-what-the-future-has");
    let refused = webhook_with("wrong", &program, &json!({})).header("traceparent", later);
    let line = line(&program, "webhook refused", "request.id", &id(&refused.send().await.unwrap())).await;
    assert_eq!(line["trace.id"], TRACE);
}
