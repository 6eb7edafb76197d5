//! The platform that Vestibule is told to use: all the calls that a registration needs, answered at once and consistently
//! with the webhooks that the generator sends. Its time is no part of what is measured. *Runs: generator.*

use std::{cell::RefCell, collections::HashMap, io, net::SocketAddr, rc::Rc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hyper::{Method, Request, StatusCode, body::Incoming};
use serde_json::{Value, json};
use tokio::task::{JoinHandle, spawn_local};

use crate::{
    serve::{Answer, body_json, json as answer, listen, parameter, serve},
    webhook::{Step, proof_id, random_id, thread_id},
};

/// How far a proof exchange is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Proof {
    Asked,
    Presented,
    Done,
}

#[derive(Default)]
struct Records {
    /// By connection id.
    connections: HashMap<String, Step>,
    /// By connection id without its first part, which is the one thing that a proof's id does not share.
    proofs: HashMap<String, Proof>,
}

/// A running platform; gone when it is dropped.
pub struct Platform {
    /// Where it answers.
    pub url: String,
    records: Rc<RefCell<Records>>,
    running: JoinHandle<()>,
}

impl Drop for Platform {
    fn drop(&mut self) {
        self.running.abort();
    }
}

impl Platform {
    /// Starts it on a free port.
    ///
    /// # Errors
    /// When there is none.
    pub fn start() -> io::Result<Self> {
        let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let url = format!("http://{}", listener.local_addr()?);
        let records = Rc::<RefCell<Records>>::default();
        let shared = Rc::clone(&records);
        let running = spawn_local(serve(listener, move |request| handle(Rc::clone(&shared), request)));
        Ok(Self { url, records, running })
    }

    /// Forgets all records, for the next server.
    pub fn clear(&self) {
        *self.records.borrow_mut() = Records::default();
    }

    /// The holder or the agent took this step; what the platform says when it is asked has to be as new as its webhook.
    pub fn moved(&self, connection: &str, step: Step) {
        let mut records = self.records.borrow_mut();
        if step == Step::Presented {
            records.proofs.insert(connection[8..].to_owned(), Proof::Presented);
        } else {
            records.connections.insert(connection.to_owned(), step);
        }
    }

    /// Whether the wallet was asked for the proof: before that it cannot present anything.
    #[must_use]
    pub fn was_asked(&self, connection: &str) -> bool {
        self.records.borrow().proofs.contains_key(&connection[8..])
    }
}

fn success(data: &Value) -> Answer {
    answer(StatusCode::OK, json!({ "statusCode": 200, "message": "ok", "data": data }).to_string())
}

fn proof(id: &str, state: Proof) -> Value {
    let (state, verified) = match state {
        Proof::Asked => ("request-sent", None),
        Proof::Presented => ("presentation-received", Some(true)),
        Proof::Done => ("done", Some(true)),
    };
    let mut record = json!({ "id": id, "state": state, "threadId": thread_id(id), "protocolVersion": "v1" });
    if let Some(verified) = verified {
        record["isVerified"] = json!(verified);
    }
    record
}

async fn handle(records: Rc<RefCell<Records>>, request: Request<Incoming>) -> Answer {
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    match (&method, &*parts) {
        (&Method::POST, ["token"]) => answer(
            StatusCode::OK,
            json!({ "access_token": random_id(), "expires_in": 86_400, "token_type": "Bearer" }).to_string(),
        ),
        (&Method::POST, ["orgs", _, "connections"]) => success(&invitation()),
        (&Method::GET, ["orgs", _, "agent", "connections"]) => success(&json!([])),
        (&Method::GET, ["orgs", _, "connections", id]) => match records.borrow().connections.get(*id) {
            Some(step) => success(&json!({ "id": id, "state": step.state() })),
            None => crate::serve::empty(StatusCode::NOT_FOUND),
        },
        (&Method::GET, ["orgs", _, "proofs"]) => {
            let connection = parameter(&request, "search").unwrap_or_default();
            let asked = connection.get(8..).is_some_and(|key| records.borrow().proofs.contains_key(key));
            let row = json!({ "presentationId": proof_id(connection), "connectionId": connection });
            success(&json!({ "data": if asked { vec![row] } else { Vec::new() } }))
        }
        (&Method::POST, ["orgs", _, "proofs"]) => {
            let body = body_json(request).await;
            let connection = body["connectionId"].as_str().unwrap_or_default();
            let Some(key) = connection.get(8..) else { return crate::serve::empty(StatusCode::BAD_REQUEST) };
            let state = *records.borrow_mut().proofs.entry(key.to_owned()).or_insert(Proof::Asked);
            success(&proof(&proof_id(connection), state))
        }
        (_, ["orgs", _, "proofs", id, ..]) => {
            let mut records = records.borrow_mut();
            let Some(state) = id.get(8..).and_then(|key| records.proofs.get_mut(key)) else {
                return crate::serve::empty(StatusCode::NOT_FOUND);
            };
            if method == Method::POST && *state == Proof::Presented {
                *state = Proof::Done;
            }
            success(&proof(id, *state))
        }
        (&Method::GET, ["orgs", _, "verified-proofs", _]) => success(&revealed()),
        _ => crate::serve::empty(StatusCode::NOT_FOUND),
    }
}

/// An invitation as long as a real one. Its URL tells the generator the record's id too.
fn invitation() -> Value {
    let record = random_id();
    let message = json!({
        "@type": "https://didcomm.org/out-of-band/1.1/invitation", "@id": random_id(), "label": "Unity State University",
        "accept": ["didcomm/aip1", "didcomm/aip2;env=rfc19"],
        "handshake_protocols": ["https://didcomm.org/didexchange/1.x", "https://didcomm.org/connections/1.x"],
        "services": [{ "id": "#inline-0", "serviceEndpoint": "https://agent.example.org", "type": "did-communication",
            "recipientKeys": ["did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH"], "routingKeys": [] }],
    });
    let url = format!("https://agent.example.org?oob={}&record={record}", URL_SAFE_NO_PAD.encode(message.to_string()));
    json!({ "id": random_id(), "recordId": record, "multiUse": true, "connectionInvitation": url })
}

/// The made-up student of the fixtures, as the sample desk asks for it.
fn revealed() -> Value {
    let of_the_card = |name: &str, value: &str| {
        json!({ name: value, "credDefId": "Th7MpTaRZVRYnPiabds81Y:3:CL:1482:Student Card",
            "schemaId": "Th7MpTaRZVRYnPiabds81Y:2:Student Card:1.0" })
    };
    json!([
        of_the_card("surname", "Okonkwo"),
        of_the_card("othernames", "Amaka Ngozi"),
        of_the_card("matric_number", "UNI/2023/00417"),
        of_the_card("date_of_birth", "2004-05-17"),
    ])
}
