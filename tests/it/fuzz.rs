//! Whatever comes in, nothing falls over: bodies of webhooks, and calls of every address with everything that can be wrong
//! about a call. `PROPTEST_CASES` says how many; `make fuzz` takes many.

use std::{convert::Infallible, future::pending};

use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::select,
    test_runner::{Config, TestCaseError, TestRunner},
};
use reqwest::StatusCode;
use serde_json::{Map, Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    runtime::Runtime,
    time::sleep,
};
use vestibule::server::platform::{NotAnObject, confirmd::translate};

use crate::{
    browser::{Browser, EMAIL, PHONE, verified},
    harness::{ADMIN_TOKEN, Desk, PATIENCE, WEBHOOK_SECRET},
};

/// The fields of the contract, and words that stand in them.
const FIELDS: [&str; 26] = [
    "type",
    "timestamp",
    "orgId",
    "tenantId",
    "data",
    "clientContext",
    "id",
    "state",
    "connectionId",
    "outOfBandId",
    "threadId",
    "updatedAt",
    "createdAt",
    "isVerified",
    "errorMessage",
    "theirLabel",
    "proofData",
    "presentation",
    "indy",
    "requested_proof",
    "revealed_attrs",
    "sub_proof_index",
    "_tags",
    "outOfBandRecord",
    "contextCorrelationId",
    "role",
];
const WORDS: [&str; 14] = [
    "Connection",
    "Proof",
    "Verification",
    "Issuance",
    "verifier",
    "request-received",
    "response-sent",
    "completed",
    "abandoned",
    "request-sent",
    "presentation-received",
    "done",
    "default",
    "tenant-",
];

/// JSON made of the contract's words in the wrong places, as deep as bodies may be.
fn body() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        4 => select(&WORDS[..]).prop_map(str::to_owned),
        2 => "\\PC{0,12}",
        1 => any::<String>(),
        1 => (0_usize..40_000).prop_map(|length| "ü".repeat(length)),
    ];
    let leaf = prop_oneof![
        6 => text.prop_map(Value::String),
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::Bool),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(|number| json!(number)),
    ];
    let name = prop_oneof![9 => select(&FIELDS[..]).prop_map(str::to_owned), 1 => "\\PC{0,6}"];
    leaf.prop_recursive(12, 96, 8, move |inner| {
        prop_oneof![
            1 => vec(inner.clone(), 0..4).prop_map(Value::Array),
            4 => vec((name.clone(), inner), 0..8).prop_map(|fields| Value::Object(Map::from_iter(fields))),
        ]
    })
}

/// A body that is taken for a delivery: the words of the contract in their places, and anything beside them.
fn delivery() -> impl Strategy<Value = Value> {
    let kind = select(&["Connection", "Proof", "Verification", "Issuance", "connection"][..]);
    let fields = || vec((select(&FIELDS[..]), body()), 0..8);
    (kind, select(&WORDS[..]), fields(), fields(), any::<bool>()).prop_map(|(kind, state, top, data, flat)| {
        let of = |fields: Vec<(&str, Value)>| {
            Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
        };
        let (mut body, mut record) = (of(top), of(data));
        let place = if flat { &mut body } else { &mut record };
        (place["id"], place["state"]) = (json!("1"), json!(state));
        body["type"] = json!(kind);
        if !flat {
            body["data"] = record;
        }
        body
    })
}

/// Whether a presentation or a wallet's name is in there.
fn is_personal(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(is_personal),
        Value::Object(fields) => fields.iter().any(|(name, value)| match name.as_str() {
            "theirLabel" => true,
            "proofData" => *value != json!({}),
            _ => is_personal(value),
        }),
        _ => false,
    }
}

proptest! {
    #[test]
    fn a_body_of_the_contracts_words_in_any_order_is_translated_and_keeps_nothing_personal(
        body in prop_oneof![body(), delivery()]
    ) {
        match (translate(body.to_string().as_bytes()), body.is_object()) {
            (Ok(delivery), true) => {
                prop_assert_eq!(delivery.key(), delivery.key());
                let _ = delivery.meaning();
                let kept = serde_json::from_str(&delivery.body).expect("what is kept is JSON");
                prop_assert!(!is_personal(&kept), "{}", delivery.body);
                for id in [&delivery.record_id, &delivery.state, &delivery.thread_id].into_iter().flatten() {
                    prop_assert!(!id.is_empty() && id.len() <= 256);
                }
            }
            (refused, is_object) => {
                prop_assert!(!is_object);
                prop_assert_eq!(refused.err(), Some(NotAnObject));
            }
        }
    }
}

#[test]
fn a_body_may_be_deeper_than_any_stack() {
    for depth in [100, 127, 128, 1_000, 300_000] {
        let body = format!("{}{}", "{\"data\":".repeat(depth), "}".repeat(depth));
        let _ = translate(body.as_bytes());
        let body = format!("{{\"data\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        let _ = translate(body.as_bytes());
    }
}

/// A call as it goes over the wire.
#[derive(Clone, Debug)]
struct Call {
    method: String,
    target: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

/// Everything that is served. The session's and the link's ids are filled in when a call is sent.
const PATHS: [&str; 38] = [
    "/",
    "/register",
    "/register/connect",
    "/register/application",
    "/register/confirmation",
    "/healthz",
    "/readyz",
    "/api/connections/session",
    "/api/connections/session?sessionId=SESSION",
    "/api/connections/session?sessionId=SESSION&token=TOKEN",
    "/api/connections/session?sessionId=SESSION&sessionId=SESSION",
    "/api/webhooks/confirmd",
    "/api/webhooks/confirmd/token",
    "/api/admin/websocket-stats",
    "/api/nothing",
    "/api/register/desk",
    "/api/register/open",
    "/api/register/renew",
    "/api/register/ask-again",
    "/api/register/cancel",
    "/api/register/view",
    "/api/register/submit",
    "/api/register/shared",
    "/api/register/confirmed",
    "/ws/connections",
    "/ws/connections?sessionId=SESSION&token=TOKEN",
    "/i/LINK",
    "/i/nothing",
    "/sandbox/behaviour",
    "/sandbox/wallet",
    "/sandbox/wallet?link=LINK",
    "/sandbox/wallet/SESSION",
    "/sandbox/orgs/x/proofs",
    "/sandbox/orgs/x/connections",
    "/sandbox/orgs/x/proofs/y/verify",
    "/sandbox/invitations/default/LINK",
    "/sandbox/realms/sandbox/protocol/openid-connect/token",
    "/pkg/../../Cargo.toml",
];

fn target() -> impl Strategy<Value = String> {
    let mutation = prop_oneof![
        6 => Just((String::new(), 0)),
        2 => ("(/|//|/\\.\\./|%2e%2e/|%00|%ff|;|[a-z0-9%?&=+._~-]){1,6}", any::<usize>()),
        1 => ("[?&](sessionId|token|link|problem|attempt)=[!-~&&[^#]]{0,60}", Just(usize::MAX)),
        1 => ((0_usize..9_000).prop_map(|length| "a".repeat(length)), Just(usize::MAX)),
    ];
    (select(&PATHS[..]), mutation).prop_map(|(path, (piece, place))| {
        let place = if place == usize::MAX { path.len() } else { 1 + place % path.len() };
        format!("{}{piece}{}", &path[..place], &path[place..])
    })
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let field = select(&["email", "phone", "attempt", "link", "holder", "way", "answer", "grant_type", "x[]"][..]);
    let value =
        prop_oneof!["[!-~&&[^&]]{0,30}", Just("TOKEN".to_owned()), Just("1".to_owned()), Just("%FF%FE".to_owned())];
    let form = vec((field, value), 0..5).prop_map(|fields| {
        fields.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
    });
    prop_oneof![
        2 => Just(Vec::new()),
        4 => form.prop_map(String::into_bytes),
        1 => body().prop_map(|body| body.to_string().into_bytes()),
        3 => delivery().prop_map(|body| body.to_string().into_bytes()),
        1 => Just(b"{\"requestType\":\"registration\"}".to_vec()),
        2 => vec(any::<u8>(), 0..300),
        1 => (60_000_usize..1_200_000).prop_map(|length| vec![b'a'; length]),
    ]
}

fn header() -> impl Strategy<Value = (String, Vec<u8>)> {
    let known = |name: &'static str, values: &'static [&'static str]| {
        let value = prop_oneof![
            5 => select(values).prop_map(|value| value.as_bytes().to_vec()),
            1 => vec(prop_oneof![Just(9_u8), 32_u8..=126, 128_u8..=255], 0..60),
        ];
        value.prop_map(move |value| (name.to_owned(), value))
    };
    prop_oneof![
        3 => known("Cookie", &["vestibule=TOKEN", "vestibule=TOKEN; vestibule=x", "vestibule=", "vestibule=SESSION.1.x", "=;=;"]),
        2 => known("Authorization", &["Bearer TOKEN", "Bearer ADMIN", "bearer", "Basic eDp5", "Bearer  "]),
        2 => known("Content-Type", &["application/x-www-form-urlencoded", "application/json", "multipart/form-data", "text/plain; charset=x"]),
        2 => known("Accept", &["text/html", "application/json", "*/*", ""]),
        1 => known("Origin", &["OWN", "null", "https://evil.example", ""]),
        1 => known("Referer", &["OWN/register/application?__path=a&__err=b", "//evil.example", "x"]),
        2 => known("X-API-Key", &["KEY", "wrong", ""]),
        1 => known("X-Forwarded-For", &["1.2.3.4", "x, ::1", ","]),
        1 => known("X-Signature", &["00", "zz"]),
        1 => known("X-Timestamp", &["0", "99999999999999999999", "-1"]),
        1 => known("If-None-Match", &["W/\"1\"", "*", "\""]),
        1 => known("Upgrade", &["websocket", "h2c"]),
        1 => known("Connection", &["Upgrade", "keep-alive"]),
        1 => known("Sec-WebSocket-Key", &["dGhlIHNhbXBsZSBub25jZQ==", "x"]),
        1 => known("Sec-WebSocket-Version", &["13", "12"]),
        1 => known("Range", &["bytes=0-1", "bytes=9-"]),
        1 => ("[A-Za-z][A-Za-z0-9-]{0,20}", vec(33_u8..=126, 0..2_000))
            .prop_filter("says how long a body is", |(name, _)| !["content-length", "transfer-encoding", "host", "expect"].contains(&&*name.to_ascii_lowercase())),
    ]
}

fn call() -> impl Strategy<Value = Call> {
    let method = prop_oneof![
        4 => Just("POST".to_owned()),
        4 => Just("GET".to_owned()),
        2 => select(&["PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE", "QUERY"][..]).prop_map(str::to_owned),
        1 => "[A-Z]{1,12}",
    ];
    (method, target(), vec(header(), 0..7), option::of(bytes())).prop_map(|(method, target, headers, body)| Call {
        method,
        target,
        headers,
        body: body.unwrap_or_default(),
    })
}

/// What the placeholders of a call stand for.
struct Known<'a> {
    desk: &'a Desk,
    words: [(&'static str, String); 6],
}

impl Known<'_> {
    fn fill(&self, text: &[u8]) -> Vec<u8> {
        let Ok(text) = std::str::from_utf8(text) else { return text.to_vec() };
        self.words.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value)).into_bytes()
    }

    /// Sends it as it is, and reads the answer to its end: status, head, body.
    async fn send(&self, call: &Call) -> (u16, String, Vec<u8>) {
        let mut wire =
            [call.method.as_bytes(), b" ", &self.fill(call.target.as_bytes()), b" HTTP/1.1\r\nHost: desk\r\n"].concat();
        for (name, value) in &call.headers {
            wire.extend([name.as_bytes(), b": ", &self.fill(value), b"\r\n"].concat());
        }
        let body = self.fill(&call.body);
        wire.extend(format!("Content-Length: {}\r\nConnection: close\r\n\r\n", body.len()).into_bytes());
        let stream = TcpStream::connect(self.desk.url.trim_start_matches("http://")).await.unwrap();
        let (mut read, mut write) = stream.into_split();
        let sending = async {
            // A server that has seen enough may close before it was sent everything.
            let _ = write.write_all(&wire).await;
            let _ = write.write_all(&body).await;
            pending::<Infallible>().await
        };
        let receiving = async {
            let (mut answer, mut part) = (Vec::new(), [0; 16_384]);
            loop {
                match read.read(&mut part).await {
                    Ok(0) | Err(_) => break answer,
                    Ok(count) => answer.extend(&part[..count]),
                }
                // What follows is a socket's.
                if answer.starts_with(b"HTTP/1.1 101") && answer.windows(4).any(|window| window == b"\r\n\r\n") {
                    break answer;
                }
            }
        };
        let answer = tokio::select! {
            answer = receiving => answer,
            never = sending => match never {},
            () = sleep(PATIENCE) => panic!("not answered in time: {call:?}"),
        };
        let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or_default();
        let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
        (status, head, answer[(end + 4).min(answer.len())..].to_vec())
    }
}

/// What may be said to any call.
fn check(call: &Call, (status, head, body): &(u16, String, Vec<u8>)) -> Result<(), TestCaseError> {
    prop_assert!((100..500).contains(status), "{}: {} {}", status, head, String::from_utf8_lossy(body));
    // What is no HTTP is refused before it reaches us.
    let ours = head.contains("\r\nserver: vestibule");
    prop_assert!(ours || [400, 414, 431].contains(status), "{}", head);
    if ours && *status >= 400 && call.target.starts_with("/api/") && call.method != "HEAD" {
        prop_assert!(head.contains("\r\ncontent-type: application/problem+json"), "{}", head);
        let problem: Value = serde_json::from_slice(body).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(&problem["status"], &json!(status));
        prop_assert!(problem["code"].is_string());
    }
    // What is no link any more says so, whatever it is made of.
    if ours && call.method == "GET" && call.target.starts_with("/i/") && *status >= 400 {
        prop_assert!([404, 410].contains(status), "{}", head);
    }
    Ok(())
}

#[test]
fn no_call_makes_the_server_fall_over() {
    let runtime = Runtime::new().unwrap();
    let desk = runtime.block_on(Desk::sandbox());
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&vec(call(), 1..4), |calls| {
        runtime.block_on(async {
            let opened = desk.open().await;
            let known = Known {
                desk: &desk,
                words: [
                    ("SESSION", opened.id.clone()),
                    ("TOKEN", opened.token.clone()),
                    ("LINK", opened.data["link"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()),
                    ("ADMIN", ADMIN_TOKEN.to_owned()),
                    ("KEY", WEBHOOK_SECRET.to_owned()),
                    ("OWN", desk.url.clone()),
                ],
            };
            for call in &calls {
                check(call, &known.send(call).await)?;
            }
            Ok(())
        })
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    runtime.block_on(async {
        let alive = desk.http.get(format!("{}/readyz", desk.url)).send().await.unwrap();
        assert_eq!(alive.status(), StatusCode::OK);
        // The workers are alive too, not the listener alone.
        let opened = verified(&desk, "amaka").await;
        assert_eq!(Browser::of(&desk, &opened).submit(EMAIL, PHONE).await, "/register/confirmation");
        desk.stop().await;
    });
}
