//! The sandbox's platform API (contract 1 to 4), as far as a registration needs it. *Runs: server.*

use std::{collections::HashMap, sync::Arc};

use axum::{
    Form, Json,
    extract::{Path, Query, Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Behaviour, CLIENT_ID, ORG_ID, Sandbox, UrlForm,
    records::{Invitation, Proof, Record, new_id},
};
use crate::server::{platform::invitation, secrets::same_secret, state::bearer};

type Here = State<Arc<Sandbox>>;

/// The platform's failure envelope.
fn failure(status: StatusCode, message: &str) -> Response {
    let error = status.canonical_reason().unwrap_or_default();
    (status, Json(json!({ "statusCode": status.as_u16(), "message": message, "error": error }))).into_response()
}

/// The platform's success envelope.
fn success(status: StatusCode, message: &str, data: &Value) -> Response {
    (status, Json(json!({ "statusCode": status.as_u16(), "message": message, "data": data }))).into_response()
}

/// What every call below an organisation has to show: our token, and our organisation.
pub async fn check(
    State(sandbox): Here,
    Path(path): Path<HashMap<String, String>>,
    request: Request,
    next: Next,
) -> Response {
    let token = bearer(request.headers()).unwrap_or_default();
    if !same_secret(token.as_bytes(), sandbox.access_token.0.as_bytes()) {
        return failure(StatusCode::UNAUTHORIZED, "Unauthorized");
    }
    if path.get("org").map(String::as_str) != Some(ORG_ID) {
        return failure(StatusCode::FORBIDDEN, "Organization does not have access");
    }
    next.run(request).await
}

impl Sandbox {
    /// Writes a changed proof to the database, and sends its webhook.
    pub(super) async fn save_proof(&self, proof: Proof) {
        self.persist("proof", &proof.id, &proof).await;
        self.deliver(Record::Proof(proof)).await;
    }

    /// Writes a record to the database. The sandbox goes on from memory if that fails.
    pub(super) async fn persist(&self, kind: &str, id: &str, record: &impl serde::Serialize) {
        let body = serde_json::to_value(record).unwrap_or_default();
        if let Err(error) = self.store.put_sandbox_record(kind, id, &body).await {
            tracing::error!(%error, "the sandbox could not store a record");
        }
    }
}

pub async fn behaviour(State(sandbox): Here) -> Json<Behaviour> {
    Json(sandbox.behaviour())
}

pub async fn set_behaviour(State(sandbox): Here, Json(behaviour): Json<Behaviour>) -> Json<Behaviour> {
    *sandbox.behaviour.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = behaviour;
    Json(behaviour)
}

#[derive(Deserialize)]
pub struct TokenRequest {
    grant_type: String,
    client_id: String,
    client_secret: String,
}

pub async fn token(State(sandbox): Here, Form(request): Form<TokenRequest>) -> Response {
    let refused = |status, error| (status, Json(json!({ "error": error }))).into_response();
    if request.grant_type != "client_credentials" {
        return refused(StatusCode::BAD_REQUEST, "unsupported_grant_type");
    }
    let secret_is_right = same_secret(request.client_secret.as_bytes(), sandbox.client_secret.0.as_bytes());
    if request.client_id != CLIENT_ID || !secret_is_right {
        return refused(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    Json(json!({
        "access_token": sandbox.access_token.0, "expires_in": 900, "refresh_expires_in": 0, "token_type": "Bearer",
        "not-before-policy": 0, "scope": "profile email",
    }))
    .into_response()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InvitationRequest {
    alias: Option<String>,
}

pub async fn create_invitation(State(sandbox): Here, Json(request): Json<InvitationRequest>) -> Response {
    let (id, row_id, message_id) = (new_id(), new_id(), new_id());
    let behaviour = sandbox.behaviour();
    let message = json!({
        "@type": "https://didcomm.org/out-of-band/1.1/invitation",
        "@id": message_id,
        "label": sandbox.desk.organisation,
        "accept": ["didcomm/aip1", "didcomm/aip2;env=rfc19"],
        "handshake_protocols": ["https://didcomm.org/didexchange/1.1", "https://didcomm.org/connections/1.0"],
        "services": [{
            "id": "#inline-0", "type": "did-communication", "serviceEndpoint": sandbox.base_url.as_str(),
            // A made-up key: there is no agent behind the sandbox.
            "recipientKeys": ["did:key:z6MkqRYqQiSgvZQdnBytw86Qbs2ZWUkGv22od935YF4s8M7V"], "routingKeys": [],
        }],
    });
    let url = match behaviour.invitation_url {
        UrlForm::Short => format!("{}/invitations/default/{id}", sandbox.base_url),
        UrlForm::Long => format!("{}?oob={}", sandbox.base_url, invitation::encode(&message)),
    };
    let invitation = Invitation {
        id: id.clone(),
        row_id: row_id.clone(),
        message_id,
        alias: request.alias,
        message,
        connection: None,
    };
    sandbox.records().invitations.insert(id.clone(), invitation.clone());
    sandbox.persist("invitation", &id, &invitation).await;
    let now = sandbox.clock.now().rfc3339();
    let data = json!({
        "id": row_id, "recordId": id, "orgId": ORG_ID, "agentId": ORG_ID, "connectionInvitation": url,
        // The platform says so of every invitation, single-use ones too.
        "multiUse": true,
        "createDateTime": now, "createdBy": 1, "lastChangedDateTime": now, "lastChangedBy": 1, "invitationDid": null,
    });
    success(StatusCode::CREATED, "Connection created successfully", &data)
}

/// What a short URL leads to: a JSON string, with the object store's misleading `Content-Encoding`.
pub async fn short_url(State(sandbox): Here, Path(id): Path<String>) -> Response {
    let Some(message) = sandbox.records().invitations.get(&id).map(|invitation| invitation.message.clone()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let long = format!("{}?oob={}", sandbox.base_url, invitation::encode(&message));
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CONTENT_ENCODING, "base64")];
    (headers, json!(long).to_string()).into_response()
}

pub async fn connection(State(sandbox): Here, Path((_, id)): Path<(String, String)>) -> Response {
    if Uuid::parse_str(&id).is_err() {
        return failure(StatusCode::BAD_REQUEST, "Invalid format for connectionId");
    }
    match sandbox.records().connections.get(&id) {
        Some(connection) => success(StatusCode::OK, "Connection details fetched successfully", &connection.to_json()),
        None => failure(StatusCode::NOT_FOUND, "Connection not found"),
    }
}

pub async fn connections(State(sandbox): Here, Query(query): Query<HashMap<String, String>>) -> Response {
    // With `outOfBandId` the other filters are not applied (contract 3.2).
    let (out_of_band_id, alias) = (query.get("outOfBandId"), query.get("alias"));
    let found: Vec<Value> = sandbox
        .records()
        .connections
        .values()
        .filter(|connection| match out_of_band_id {
            Some(id) => connection.out_of_band_id == *id,
            None => alias.is_none_or(|alias| connection.alias.as_ref() == Some(alias)),
        })
        .map(super::records::Connection::to_json)
        .collect();
    success(StatusCode::OK, "Connections fetched successfully", &Value::Array(found))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProofRequest {
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
}

pub async fn create_proof(State(sandbox): Here, Json(request): Json<ProofRequest>) -> Response {
    let ready = sandbox
        .records()
        .connections
        .get(&request.connection_id)
        .is_some_and(|connection| connection.state == "completed");
    if !ready {
        return failure(StatusCode::NOT_FOUND, "Connection not found");
    }
    let mut names: Vec<_> = request.proof_formats.indy.attributes.iter().map(|a| &a.attribute_name).collect();
    names.sort_unstable();
    names.dedup();
    if names.len() != request.proof_formats.indy.attributes.len() || names.is_empty() {
        return failure(StatusCode::BAD_REQUEST, "Please provide unique attribute names");
    }
    let now = sandbox.clock.now();
    let asked = request.proof_formats.indy.attributes.into_iter();
    let proof = Proof {
        id: new_id(),
        connection_id: request.connection_id,
        thread_id: new_id(),
        comment: request.comment,
        asked: asked.map(|a| (a.attribute_name, a.cred_def_id, a.schema_id)).collect(),
        state: "request-sent".to_owned(),
        is_verified: None,
        error_message: None,
        presented: HashMap::new(),
        created_at: now,
        updated_at: now,
    };
    let data = proof.to_json();
    sandbox.records().proofs.insert(proof.id.clone(), proof.clone());
    tokio::spawn(async move { sandbox.save_proof(proof).await });
    success(StatusCode::CREATED, "Proof request send successfully.", &data)
}

pub async fn proofs(State(sandbox): Here, Query(query): Query<HashMap<String, String>>) -> Response {
    let search = query.get("search").map(String::as_str).unwrap_or_default();
    let rows: Vec<Value> = sandbox
        .records()
        .proofs
        .values()
        .filter(|proof| {
            proof.connection_id.contains(search) || proof.id.contains(search) || proof.state.contains(search)
        })
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

pub async fn proof(State(sandbox): Here, Path((_, id)): Path<(String, String)>) -> Response {
    match sandbox.records().proofs.get(&id) {
        Some(proof) => success(StatusCode::OK, "Proof presentation received successfully", &proof.to_json()),
        None => failure(StatusCode::NOT_FOUND, "Proof presentation not found"),
    }
}

pub async fn verify(State(sandbox): Here, Path((_, id)): Path<(String, String)>) -> Response {
    let Some(mut proof) = sandbox.records().proofs.get(&id).cloned() else {
        return failure(StatusCode::NOT_FOUND, "Proof presentation not found");
    };
    if proof.state != "presentation-received" {
        let text =
            format!("Proof record is in invalid state {}. Valid states are: presentation-received.", proof.state);
        return failure(StatusCode::INTERNAL_SERVER_ERROR, &text);
    }
    "done".clone_into(&mut proof.state);
    proof.updated_at = sandbox.clock.now();
    let data = proof.to_json();
    sandbox.records().proofs.insert(id, proof.clone());
    tokio::spawn(async move { sandbox.save_proof(proof).await });
    success(StatusCode::CREATED, "Proof presentation verified successfully.", &data)
}

pub async fn revealed(State(sandbox): Here, Path((_, id)): Path<(String, String)>) -> Response {
    let Some(proof) = sandbox.records().proofs.get(&id).filter(|proof| !proof.presented.is_empty()).cloned() else {
        return failure(StatusCode::NOT_FOUND, "Proof presentations not found");
    };
    let entries: Vec<Value> = proof
        .asked
        .iter()
        .filter_map(|(name, definition, schema)| {
            let value = proof.presented.get(name)?;
            Some(json!({ name: value, "credDefId": definition, "schemaId": schema }))
        })
        .collect();
    success(StatusCode::OK, "Proof presentation details fetched successfully.", &Value::Array(entries))
}
