//! The half of the sandbox's platform API that is about proofs (contract 4). *Runs: server.*

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use axum::{
    Json,
    extract::{Path, Query, State},
    http::StatusCode,
    response::Response,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    ORG_ID, Sandbox,
    api::{Here, failure, success},
    records::{Asked, Condition, Predicate, Proof, Record, new_id},
};

impl Sandbox {
    /// Writes a changed proof to the database, and sends its webhook after a while, which nobody waits for.
    pub(super) async fn save_proof(self: &Arc<Self>, proof: Proof, wait: Duration) {
        self.persist("proof", &proof.id, &proof).await;
        let sandbox = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(wait).await;
            sandbox.deliver(Record::Proof(proof)).await;
        });
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProofRequest {
    connection_id: String,
    #[serde(default)]
    comment: String,
    proof_formats: ProofFormats,
}

#[derive(Deserialize)]
struct ProofFormats {
    indy: IndyRequest,
}

#[derive(Deserialize)]
struct IndyRequest {
    attributes: Vec<AskedAttribute>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AskedAttribute {
    attribute_name: String,
    schema_id: Option<String>,
    #[serde(default)]
    cred_def_id: String,
    condition: Option<Value>,
    value: Option<Value>,
}

/// A request that is refused: with which status, and what it is told.
type Refusal = (StatusCode, &'static str);

impl AskedAttribute {
    fn read(self) -> Result<Asked, Refusal> {
        let refused = |message| Err((StatusCode::BAD_REQUEST, message));
        if self.attribute_name.is_empty() {
            return refused("attributeName should not be empty");
        }
        // The real platform would take any issuer's card then: nobody can mean that.
        if self.cred_def_id.is_empty() {
            return refused("credDefId should not be empty");
        }
        let predicate = match (self.condition, self.value) {
            (None, None) => None,
            (Some(_), None) => return refused("value should not be empty"),
            (None, Some(_)) => return refused("condition should not be empty"),
            (Some(condition), Some(value)) => {
                // A number in a string, and not a JSON number: so the real platform's validator has it.
                let Some(value) = value.as_str().and_then(|text| text.parse().ok()) else {
                    return refused("value must be a number");
                };
                let Ok(condition) = serde_json::from_value::<Condition>(condition) else {
                    return refused("condition must be one of the following values: <, <=, >=, >");
                };
                Some(Predicate { condition, value })
            }
        };
        Ok(Asked { name: self.attribute_name, cred_def_id: self.cred_def_id, schema_id: self.schema_id, predicate })
    }
}

/// What is asked for, if it can be (contract 4.1).
fn asked(attributes: Vec<AskedAttribute>) -> Result<Vec<Asked>, Refusal> {
    let asked = attributes.into_iter().map(AskedAttribute::read).collect::<Result<Vec<_>, _>>()?;
    let names = |predicates: bool| -> HashSet<&str> {
        let of_kind = asked.iter().filter(|asked| asked.predicate.is_some() == predicates);
        of_kind.map(|asked| asked.name.as_str()).collect()
    };
    if !names(true).is_disjoint(&names(false)) {
        return Err((StatusCode::INTERNAL_SERVER_ERROR, "The agent refused the proof request"));
    }
    let different: HashSet<_> = asked.iter().map(|asked| (&asked.name, &asked.schema_id, &asked.cred_def_id)).collect();
    if different.len() != asked.len() || asked.is_empty() {
        return Err((StatusCode::BAD_REQUEST, "Please provide unique attribute names"));
    }
    Ok(asked)
}

pub async fn create(State(sandbox): Here, Json(request): Json<Value>) -> Response {
    let request: ProofRequest = match serde_json::from_value(request) {
        Ok(request) => request,
        Err(error) => return failure(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    let asked = match asked(request.proof_formats.indy.attributes) {
        Ok(asked) => asked,
        Err((status, message)) => return failure(status, message),
    };
    let now = sandbox.to.clock.now();
    let proof = {
        let mut records = sandbox.records();
        let connection = records.connections.get(&request.connection_id);
        if connection.is_none_or(|connection| connection.state != "completed") {
            return failure(StatusCode::NOT_FOUND, "Connection not found");
        }
        let proof = Proof {
            id: new_id(),
            number: records.proofs.len(),
            connection_id: request.connection_id,
            thread_id: new_id(),
            comment: request.comment,
            asked,
            state: "request-sent".to_owned(),
            is_verified: None,
            error_message: None,
            presented: None,
            dismissed: false,
            created_at: now,
            updated_at: now,
        };
        records.proofs.insert(proof.id.clone(), proof.clone());
        proof
    };
    let data = proof.to_json();
    sandbox.save_proof(proof, Duration::ZERO).await;
    success(StatusCode::CREATED, "Proof request send successfully.", &data)
}

pub async fn list(State(sandbox): Here, Query(query): Query<HashMap<String, String>>) -> Response {
    let search = query.get("search").map(String::as_str).unwrap_or_default();
    let records = sandbox.records();
    let mut found: Vec<&Proof> = records
        .proofs
        .values()
        .filter(|proof| {
            proof.connection_id.contains(search) || proof.id.contains(search) || proof.state.contains(search)
        })
        .collect();
    // As our own client asks for it: `sortField=createDateTime&sortBy=desc`.
    found.sort_unstable_by_key(|proof| std::cmp::Reverse(proof.number));
    let rows: Vec<Value> = found
        .into_iter()
        .map(|proof| {
            json!({
                "id": proof.id, "createDateTime": proof.created_at.rfc3339(), "connectionId": proof.connection_id,
                "state": proof.state, "orgId": ORG_ID, "presentationId": proof.id,
            })
        })
        .collect();
    if rows.is_empty() {
        return failure(StatusCode::NOT_FOUND, "Proof presentations not found");
    }
    let page = json!({ "totalItems": rows.len(), "hasNextPage": false, "hasPreviousPage": false, "nextPage": 2,
        "previousPage": 0, "lastPage": 1, "data": rows });
    success(StatusCode::OK, "Proof presentations received successfully", &page)
}

pub async fn show(State(sandbox): Here, Path((_, id)): Path<(String, String)>) -> Response {
    match sandbox.records().proofs.get(&id) {
        Some(proof) => success(StatusCode::OK, "Proof presentation received successfully", &proof.to_json()),
        None => failure(StatusCode::NOT_FOUND, "Proof presentation not found"),
    }
}

pub async fn verify(State(sandbox): Here, Path((_, id)): Path<(String, String)>) -> Response {
    let proof = {
        let mut records = sandbox.records();
        let Some(proof) = records.proofs.get_mut(&id) else {
            return failure(StatusCode::NOT_FOUND, "Proof presentation not found");
        };
        if proof.state != "presentation-received" {
            let text =
                format!("Proof record is in invalid state {}. Valid states are: presentation-received.", proof.state);
            return failure(StatusCode::INTERNAL_SERVER_ERROR, &text);
        }
        "done".clone_into(&mut proof.state);
        proof.updated_at = sandbox.to.clock.now();
        proof.clone()
    };
    let data = proof.to_json();
    sandbox.save_proof(proof, Duration::ZERO).await;
    success(StatusCode::CREATED, "Proof presentation verified successfully.", &data)
}

pub async fn revealed(State(sandbox): Here, Path((_, id)): Path<(String, String)>) -> Response {
    let Some(proof) = sandbox.records().proofs.get(&id).filter(|proof| proof.presented.is_some()).cloned() else {
        return failure(StatusCode::NOT_FOUND, "Proof presentations not found");
    };
    success(StatusCode::OK, "Proof presentation details fetched successfully.", &Value::Array(proof.revealed()))
}
