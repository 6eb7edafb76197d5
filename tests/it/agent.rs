//! An ACA-Py agent's admin API on a real socket, in the forms that were recorded of a real one (`tests/fixtures/acapy`); and
//! the webhooks that it would send, which the test posts when it likes. What a real agent does, `make test-agent` shows.

use std::sync::{Arc, Mutex};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::harness::{Desk, Opened, WEBHOOK_SECRET};

/// What calls carry.
pub const ADMIN_KEY: &str = "an-admin-key-for-tests";

/// A call that came.
#[derive(Clone, Debug)]
pub struct Call {
    pub name: String,
    pub headers: HeaderMap,
    pub body: Value,
}

#[derive(Default)]
struct Inner {
    invitations: Vec<String>,
    connections: Vec<Value>,
    exchanges: Vec<Value>,
    calls: Vec<Call>,
    /// What the next calls are answered with, whatever they are.
    faults: Vec<(StatusCode, &'static str)>,
    counter: u32,
    /// The calls of this name are done and answered with 500.
    lost: Option<&'static str>,
}

/// The agent.
#[derive(Clone)]
pub struct Agent {
    pub url: String,
    inner: Arc<Mutex<Inner>>,
    /// Who holds it keeps questions to wallets from being taken in.
    pub gate: Arc<tokio::sync::Mutex<()>>,
}

impl Agent {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let agent = Self { url, inner: Arc::default(), gate: Arc::default() };
        let router = Router::new().fallback(answer).with_state(agent.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        agent
    }

    /// A desk on this agent, with further variables.
    pub async fn desk(&self, variables: &[(&str, &str)]) -> Desk {
        let mut all = vec![("PLATFORM", "acapy"), ("ACAPY_ADMIN_URL", &*self.url), ("ACAPY_ADMIN_KEY", ADMIN_KEY)];
        all.extend(variables);
        Desk::with(&all).await
    }

    /// Answers the next calls with these, whatever they are.
    pub fn fail(&self, faults: &[(StatusCode, &'static str)]) {
        self.inner.lock().unwrap().faults = faults.to_vec();
    }

    /// Another application of the agent's asks over a connection; gives back the exchange's id.
    pub fn ask_for_somebody_else(&self, connection: &str) -> String {
        let id = Uuid::new_v4().to_string();
        self.inner.lock().unwrap().exchanges.push(json!({
            "pres_ex_id": id, "thread_id": Uuid::new_v4(), "connection_id": connection, "state": "request-sent",
            "created_at": "2027-01-01T00:00:00.000000Z", "pres_request": { "comment": "Something else" },
        }));
        id
    }

    /// Does the calls of this name, and answers as if not.
    pub fn lose_answers_to(&self, name: &'static str) {
        self.inner.lock().unwrap().lost = Some(name);
    }

    /// The calls of this name that came.
    pub fn calls(&self, name: &str) -> Vec<Call> {
        self.inner.lock().unwrap().calls.iter().filter(|call| call.name == name).cloned().collect()
    }

    /// Whether it still has this invitation.
    pub fn has_invitation(&self, id: &str) -> bool {
        self.inner.lock().unwrap().invitations.iter().any(|known| known == id)
    }

    /// The ids of the exchanges it has.
    pub fn exchanges(&self) -> Vec<String> {
        let inner = self.inner.lock().unwrap();
        inner.exchanges.iter().map(|exchange| exchange["pres_ex_id"].as_str().unwrap().to_owned()).collect()
    }

    /// What a wallet made of an invitation: the connection's id.
    pub fn connect(&self, invitation: &str, rfc23_state: &str) -> String {
        let id = Uuid::new_v4().to_string();
        self.inner.lock().unwrap().connections.push(json!({
            "connection_id": id, "invitation_msg_id": invitation, "rfc23_state": rfc23_state, "their_label": "A Wallet",
        }));
        id
    }

    /// Sets fields of a connection or an exchange.
    pub fn set(&self, id: &str, fields: &Value) {
        let mut inner = self.inner.lock().unwrap();
        let Inner { connections, exchanges, .. } = &mut *inner;
        let record = connections.iter_mut().chain(exchanges).find(|record| names(record, id)).unwrap();
        record.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    }

    /// Answers an exchange from one card with these values for the attributes that were asked for, in AnonCreds.
    pub fn present(&self, exchange: &str, cred_def_id: &str, value: &str) {
        let asked = self.asked(exchange);
        let names = asked["anoncreds"]["requested_attributes"]["attributes"]["names"].as_array().unwrap();
        let values: serde_json::Map<_, _> = names
            .iter()
            .map(|name| {
                (
                    name.as_str().unwrap().to_owned(),
                    json!({ "raw": format!("{value} {}", name.as_str().unwrap()), "encoded": "1" }),
                )
            })
            .collect();
        let mut by_format = json!({ "pres": { "anoncreds": {
            "requested_proof": { "revealed_attr_groups": { "attributes": { "sub_proof_index": 0, "values": values } } },
            "identifiers": [{ "cred_def_id": cred_def_id }],
        } } });
        by_format["pres_request"] = asked;
        self.set(exchange, &json!({ "state": "presentation-received", "by_format": by_format }));
    }

    /// What was asked for in an exchange.
    pub fn asked(&self, exchange: &str) -> Value {
        self.record(exchange)["by_format"]["pres_request"].take()
    }

    /// The DIDComm thread of an exchange.
    pub fn thread(&self, exchange: &str) -> String {
        self.record(exchange)["thread_id"].as_str().unwrap().to_owned()
    }

    /// A connection or an exchange.
    fn record(&self, id: &str) -> Value {
        let inner = self.inner.lock().unwrap();
        inner.connections.iter().chain(&inner.exchanges).find(|record| names(record, id)).unwrap().clone()
    }

    /// Posts a webhook as the agent does; gives back what became of it.
    pub async fn tell(&self, desk: &Desk, topic: &str, payload: &Value) -> String {
        let answer = post(desk, topic, WEBHOOK_SECRET, payload.to_string()).await;
        assert_eq!(answer.status(), StatusCode::OK, "{topic}: {payload}");
        answer.json::<Value>().await.unwrap()["outcome"].as_str().unwrap().to_owned()
    }

    /// Posts what it has of a connection, as it would at its next change.
    pub async fn tell_connection(&self, desk: &Desk, id: &str) -> String {
        self.tell(desk, "connections", &self.record(id)).await
    }

    /// Posts what it has of an exchange, without what is in it.
    pub async fn tell_exchange(&self, desk: &Desk, id: &str) -> String {
        let mut record = self.record(id);
        record.as_object_mut().unwrap().remove("by_format");
        self.tell(desk, "present_proof_v2_0", &record).await
    }
}

/// Posts a webhook with this key.
pub async fn post(desk: &Desk, topic: &str, key: &str, body: impl Into<reqwest::Body>) -> reqwest::Response {
    let post = desk.http.post(format!("{}/api/webhooks/acapy/topic/{topic}/", desk.url)).header("X-API-Key", key);
    post.body(body).send().await.unwrap()
}

/// The id of a registration's invitation at the agent.
pub fn invitation_of(opened: &Opened) -> String {
    opened.data["invitationUrl"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()
}

fn names(record: &Value, id: &str) -> bool {
    record["connection_id"] == id && record["pres_ex_id"].is_null() || record["pres_ex_id"] == id
}

fn gone() -> Response {
    (StatusCode::NOT_FOUND, "404: Record not found: record/…").into_response()
}

async fn answer(State(agent): State<Agent>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let bytes: Bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    let path: Vec<&str> = parts.uri.path().trim_matches('/').split('/').collect();
    let query = parts.uri.query().unwrap_or_default().to_owned();
    // By the words of the path, without ids.
    let words: Vec<_> = path.iter().filter(|part| part.parse::<Uuid>().is_err()).copied().collect();
    let call = Call { name: format!("{} {}", parts.method, words.join("/")), headers: parts.headers, body };
    agent.inner.lock().unwrap().calls.push(call.clone());
    if call.name.ends_with("/send-request") {
        drop(agent.gate.lock().await);
    }
    let mut inner = agent.inner.lock().unwrap();
    if !inner.faults.is_empty() {
        return inner.faults.remove(0).into_response();
    }
    inner.counter += 1;
    // As a real one has it: of the same length, and growing.
    let now = format!("2026-11-23T02:00:{:09.6}Z", f64::from(inner.counter) / 100.0);
    let ok = |value: Value| Json(value).into_response();
    let is_let_in =
        call.headers.get("x-api-key").is_some_and(|key| key == ADMIN_KEY) || call.headers.contains_key("authorization");
    match (&parts.method, &*path) {
        (&Method::GET, ["status", "ready"]) => ok(json!({ "ready": true })),
        _ if !is_let_in => (StatusCode::UNAUTHORIZED, "401: Unauthorized").into_response(),
        (&Method::POST, ["out-of-band", "create-invitation"]) => {
            let id = Uuid::new_v4().to_string();
            inner.invitations.push(id.clone());
            ok(json!({
                "state": "initial", "invi_msg_id": id, "oob_id": Uuid::new_v4(),
                "invitation": { "@type": "https://didcomm.org/out-of-band/1.1/invitation", "@id": id },
                "invitation_url": format!("http://agent.example/{id}"),
            }))
        }
        (&Method::DELETE, ["out-of-band", "invitations", id]) => {
            let before = inner.invitations.len();
            inner.invitations.retain(|known| known != id);
            inner.connections.retain(|connection| connection["invitation_msg_id"] != *id);
            if inner.invitations.len() < before { ok(json!({})) } else { gone() }
        }
        (&Method::GET, ["connections"]) => {
            let found = inner.connections.iter();
            let found = found.filter(|record| query.contains(record["invitation_msg_id"].as_str().unwrap_or("?")));
            ok(json!({ "results": found.collect::<Vec<_>>() }))
        }
        (&Method::GET, ["connections", id]) => {
            inner.connections.iter().find(|record| names(record, id)).map_or_else(gone, |record| ok(record.clone()))
        }
        (&Method::POST, ["present-proof-2.0", "send-request"]) => {
            let exchange = json!({
                "pres_ex_id": Uuid::new_v4(), "thread_id": Uuid::new_v4(), "connection_id": call.body["connection_id"],
                "state": "request-sent", "role": "verifier", "created_at": now, "updated_at": now,
                "pres_request": { "comment": call.body["comment"] },
                "by_format": { "pres_request": call.body["presentation_request"] },
            });
            inner.exchanges.push(exchange.clone());
            if inner.lost == Some(call.name.as_str()) {
                return (StatusCode::INTERNAL_SERVER_ERROR, "500: …").into_response();
            }
            ok(exchange)
        }
        (&Method::GET, ["present-proof-2.0", "records"]) => {
            let found = inner.exchanges.iter();
            let found = found.filter(|record| query.contains(record["connection_id"].as_str().unwrap_or("?")));
            ok(json!({ "results": found.collect::<Vec<_>>() }))
        }
        (method, ["present-proof-2.0", "records", id, rest @ ..]) => {
            let Some(place) = inner.exchanges.iter().position(|record| names(record, id)) else { return gone() };
            match (method, rest) {
                (&Method::DELETE, []) => {
                    inner.exchanges.remove(place);
                    return ok(json!({}));
                }
                (&Method::POST, ["verify-presentation"]) => {
                    let exchange = &mut inner.exchanges[place];
                    if exchange["state"] != "presentation-received" {
                        return (StatusCode::BAD_REQUEST, "400: the exchange is in another state").into_response();
                    }
                    if let Some(times) = exchange["cannot_verify"].as_u64().filter(|times| *times > 0) {
                        exchange["cannot_verify"] = json!(times - 1);
                        return (StatusCode::INTERNAL_SERVER_ERROR, "500: …").into_response();
                    }
                    if exchange["gives_up"] == true {
                        exchange["state"] = json!("abandoned");
                        exchange["error_msg"] = json!("cannot open the ledger pool");
                        return (StatusCode::BAD_REQUEST, "400: cannot open the ledger pool").into_response();
                    }
                    let verified = exchange["valid"].as_bool().unwrap_or(true);
                    exchange["state"] = json!("done");
                    exchange["verified"] = json!(verified.to_string());
                    exchange["updated_at"] = json!(now);
                    if exchange["answers_in_short"] == true {
                        let mut short = exchange.clone();
                        short["by_format"].take();
                        return ok(short);
                    }
                }
                (&Method::POST, ["problem-report"]) => {
                    inner.exchanges[place]["state"] = json!("abandoned");
                    return ok(json!({}));
                }
                _ => {}
            }
            ok(inner.exchanges[place].clone())
        }
        _ => (StatusCode::NOT_FOUND, "404: Not Found").into_response(),
    }
}
