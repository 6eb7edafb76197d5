//! A ConfirmD Platform on a real socket, whose answers the test chooses. It knows nothing of Vestibule's code.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    extract::{Path, Request, State},
    http::{HeaderMap, StatusCode},
    middleware::{Next, from_fn_with_state},
    response::Response,
    routing::{get, post},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::Notify};
use uuid::Uuid;

use crate::harness::PATIENCE;

/// The organisation of the fixtures.
pub const ORG_ID: &str = "7c1f4f0e-52a8-4a0f-9d5e-3b2f6a9d1c40";

/// How the proofs on this platform end when it is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum ProofEnd {
    Verified,
    /// The platform cannot make proof requests: 500.
    CannotAsk,
    /// The holder has not answered.
    Silent,
    /// Done, and not a word of whether it was valid.
    DoneUnchecked,
    Declined,
    Invalid,
}

#[derive(Default)]
struct Records {
    /// What the next invitation's `recordId` is, instead of a random one.
    next_out_of_band_id: Option<String>,
    last_out_of_band_id: String,
    /// Proof id → state.
    proofs: HashMap<String, String>,
    proof_requests: Vec<Value>,
    calls: Vec<String>,
    /// The last part of the address of each call, and what the call carried.
    heard: Vec<(String, HeaderMap)>,
    /// Statuses to answer the next calls with, whatever they are.
    faults: Vec<StatusCode>,
    /// Connections whose proofs are listed though they cannot be read.
    listed: Vec<String>,
    /// The next call of this name is answered once this is told.
    held: Option<(&'static str, Arc<Notify>)>,
    /// What it says of every connection beside its id; nothing means that it is complete.
    connection: Option<Value>,
    /// What it answers an acceptance with, instead of the record.
    acceptance: Option<Value>,
}

#[derive(Clone)]
pub struct FakePlatform {
    pub url: String,
    end: ProofEnd,
    records: Arc<Mutex<Records>>,
}

/// The proof id that this platform gives a connection: another first part, so that tests know it beforehand.
pub fn proof_id_for(connection: &str) -> String {
    format!("4b6f2a90{}", &connection[8..])
}

/// Likewise its thread.
pub fn thread_id_for(connection: &str) -> String {
    format!("a57c1e38{}", &connection[8..])
}

impl FakePlatform {
    pub async fn start(end: ProofEnd) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let platform = Self { url, end, records: Arc::default() };
        let router = Router::new()
            .route("/token", post(token))
            .route("/orgs/{org}/connections", post(create_invitation))
            .route("/orgs/{org}/connections/{id}", get(connection))
            .route("/orgs/{org}/proofs", post(create_proof).get(list_proofs))
            .route("/orgs/{org}/proofs/{id}", get(proof))
            .route("/orgs/{org}/proofs/{id}/verify", post(verify))
            .route("/orgs/{org}/verified-proofs/{id}", get(revealed))
            .layer(from_fn_with_state(platform.clone(), hear))
            .with_state(platform.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        platform
    }

    pub fn next_out_of_band_id(&self, id: &str) {
        self.records.lock().unwrap().next_out_of_band_id = Some(id.to_owned());
    }

    pub fn last_out_of_band_id(&self) -> String {
        self.records.lock().unwrap().last_out_of_band_id.clone()
    }

    pub fn proof_requests(&self) -> Vec<Value> {
        self.records.lock().unwrap().proof_requests.clone()
    }

    pub fn calls(&self) -> Vec<String> {
        self.records.lock().unwrap().calls.clone()
    }

    /// The last part of the address of each call, and what the call carried.
    pub fn heard(&self) -> Vec<(String, HeaderMap)> {
        self.records.lock().unwrap().heard.clone()
    }

    pub fn fail_next(&self, faults: &[StatusCode]) {
        self.records.lock().unwrap().faults = faults.to_vec();
    }

    /// Says this of every connection from now on.
    pub fn connections_are(&self, record: Value) {
        self.records.lock().unwrap().connection = Some(record);
    }

    /// Answers acceptances with this from now on, instead of the record.
    pub fn acceptances_say(&self, answer: Value) {
        self.records.lock().unwrap().acceptance = Some(answer);
    }

    /// Keeps whoever makes a call of this name next waiting until what is given back is told. By then the answer may be of
    /// yesterday.
    pub fn holds_next(&self, call: &'static str) -> Arc<Notify> {
        let held = Arc::new(Notify::new());
        self.records.lock().unwrap().held = Some((call, Arc::clone(&held)));
        held
    }

    async fn hold(&self, call: &str) {
        let held = self.records.lock().unwrap().held.take_if(|(held, _)| *held == call);
        if let Some((_, told)) = held {
            told.notified().await;
        }
    }

    /// Waits until the one that is to wait has come.
    pub async fn until_it_holds(&self) {
        let held = async {
            while self.records.lock().unwrap().held.is_some() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, held).await.expect("it asks");
    }

    /// Lists a proof on this connection that it does not show when it is asked for.
    pub fn lists(&self, connection: &str) {
        self.records.lock().unwrap().listed.push(connection.to_owned());
    }

    pub fn count(&self, call: &str) -> usize {
        self.calls().iter().filter(|name| *name == call).count()
    }

    fn call(&self, name: &str) -> Result<(), StatusCode> {
        let mut records = self.records.lock().unwrap();
        records.calls.push(name.to_owned());
        if records.faults.is_empty() { Ok(()) } else { Err(records.faults.remove(0)) }
    }

    fn record(&self, id: &str, state: &str) -> Value {
        let (state, verified) = match (self.end, state) {
            (ProofEnd::Silent | ProofEnd::CannotAsk, _) => ("request-sent", None),
            (ProofEnd::DoneUnchecked, _) => ("done", None),
            (ProofEnd::Declined, _) => ("abandoned", None),
            (ProofEnd::Invalid, _) => ("abandoned", Some(false)),
            (ProofEnd::Verified, "done") => ("done", Some(true)),
            (ProofEnd::Verified, _) => ("presentation-received", Some(true)),
        };
        let mut record = json!({ "id": id, "state": state, "threadId": thread_id_for(id), "protocolVersion": "v1" });
        if let Some(verified) = verified {
            record["isVerified"] = json!(verified);
        }
        record
    }
}

type Here = State<FakePlatform>;
type Answer = Result<(StatusCode, Json<Value>), StatusCode>;

fn success(data: Value) -> Answer {
    Ok((StatusCode::OK, Json(json!({ "statusCode": 200, "message": "ok", "data": data }))))
}

async fn hear(State(platform): Here, request: Request, next: Next) -> Response {
    let called = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
    platform.records.lock().unwrap().heard.push((called, request.headers().clone()));
    next.run(request).await
}

async fn token(State(platform): Here) -> Answer {
    platform.call("token")?;
    Ok((StatusCode::OK, Json(json!({ "access_token": Uuid::new_v4(), "expires_in": 900, "token_type": "Bearer" }))))
}

async fn create_invitation(State(platform): Here, Json(body): Json<Value>) -> Answer {
    platform.call("create_invitation")?;
    assert_eq!(body["multiUseInvitation"], false);
    let mut records = platform.records.lock().unwrap();
    let id = records.next_out_of_band_id.take().unwrap_or_else(|| Uuid::new_v4().to_string());
    records.last_out_of_band_id.clone_from(&id);
    let message =
        json!({ "@type": "https://didcomm.org/out-of-band/1.1/invitation", "@id": Uuid::new_v4(), "services": [] });
    let oob = base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, message.to_string());
    success(json!({
        "id": Uuid::new_v4(), "recordId": id, "multiUse": true,
        "connectionInvitation": format!("https://agent.example.org?oob={oob}"),
    }))
}

async fn connection(State(platform): Here, Path((_, id)): Path<(String, String)>) -> Answer {
    platform.call("connection")?;
    let mut record = platform.records.lock().unwrap().connection.clone().unwrap_or(json!({ "state": "completed" }));
    record["id"] = json!(id);
    platform.hold("connection").await;
    success(record)
}

async fn create_proof(State(platform): Here, Json(body): Json<Value>) -> Answer {
    platform.call("create_proof")?;
    let id = proof_id_for(body["connectionId"].as_str().unwrap());
    {
        let mut records = platform.records.lock().unwrap();
        records.proof_requests.push(body);
        if platform.end == ProofEnd::CannotAsk {
            return Err(StatusCode::INTERNAL_SERVER_ERROR);
        }
        records.proofs.insert(id.clone(), "request-sent".to_owned());
    }
    platform.hold("create_proof").await;
    success(json!({ "id": id, "state": "request-sent", "threadId": thread_id_for(&id) }))
}

async fn list_proofs(State(platform): Here) -> Answer {
    platform.call("list_proofs")?;
    let records = platform.records.lock().unwrap();
    let rows: Vec<Value> = records
        .proofs
        .keys()
        .map(|id| json!({ "presentationId": id, "connectionId": format!("e81d5c47{}", &id[8..]) }))
        .chain(
            records
                .listed
                .iter()
                .map(|connection| json!({ "presentationId": Uuid::new_v4(), "connectionId": connection })),
        )
        .collect();
    success(json!({ "data": rows }))
}

async fn proof(State(platform): Here, Path((_, id)): Path<(String, String)>) -> Answer {
    platform.call("proof")?;
    let state = platform.records.lock().unwrap().proofs.get(&id).cloned().ok_or(StatusCode::NOT_FOUND)?;
    platform.hold("proof").await;
    success(platform.record(&id, &state))
}

async fn verify(State(platform): Here, Path((_, id)): Path<(String, String)>) -> Answer {
    platform.call("verify")?;
    let mut records = platform.records.lock().unwrap();
    records.proofs.insert(id.clone(), "done".to_owned());
    success(records.acceptance.clone().unwrap_or_else(|| platform.record(&id, "done")))
}

async fn revealed(State(platform): Here) -> Answer {
    platform.call("revealed")?;
    let asked = platform.proof_requests()[0]["proofFormats"]["indy"]["attributes"][0]["credDefId"].clone();
    success(json!([
        { "surname": "Okonkwo", "credDefId": asked, "schemaId": "s" },
        { "othernames": "Amaka Ngozi", "credDefId": asked, "schemaId": "s" },
        { "matric_number": "UNI/OTHER/CARD", "credDefId": "of another card", "schemaId": "s" },
        { "shoe_size": "thirty-eight", "credDefId": asked, "schemaId": "s" },
    ]))
}
