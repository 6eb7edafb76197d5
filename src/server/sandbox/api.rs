//! The sandbox's platform API: who may call it, what goes wrong with it, and its half about connections (contract 1 to
//! 3), as far as a registration needs it. *Runs: server.*

use std::{collections::HashMap, sync::Arc, time::Duration};

use axum::{
    Form, Json,
    extract::{Path, Query, Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Behaviour, CLIENT_ID, Fault, ORG_ID, Sandbox, UrlForm,
    behaviour::HANG,
    records::{Connection, Invitation, Records, new_id},
};
use crate::server::{platform::invitation, secrets::same_secret, state::bearer};

pub(super) type Here = State<Arc<Sandbox>>;

/// The platform's failure envelope.
pub(super) fn failure(status: StatusCode, message: &str) -> Response {
    let error = status.canonical_reason().unwrap_or_default();
    (status, Json(json!({ "statusCode": status.as_u16(), "message": message, "error": error }))).into_response()
}

/// The platform's success envelope.
pub(super) fn success(status: StatusCode, message: &str, data: &Value) -> Response {
    (status, Json(json!({ "statusCode": status.as_u16(), "message": message, "data": data }))).into_response()
}

/// Where several servers share a database, each has a sandbox, and all of them are one: a call finds what came to the others.
pub async fn catch_up(State(sandbox): Here, request: Request, next: Next) -> Response {
    if sandbox.to.store.is_shared() {
        match Records::load(&sandbox.to.store).await {
            Ok(others) => sandbox.records().take_newer(others),
            Err(error) => {
                tracing::error!(%error, "the sandbox's records cannot be read");
                return failure(StatusCode::SERVICE_UNAVAILABLE, "The service is down");
            }
        }
    }
    next.run(request).await
}

/// What every call below an organisation has to show: our token, and our organisation.
pub async fn check(
    State(sandbox): Here,
    Path(path): Path<HashMap<String, String>>,
    request: Request,
    next: Next,
) -> Response {
    if sandbox.mood().behaviour.down {
        return failure(StatusCode::SERVICE_UNAVAILABLE, "The service is down");
    }
    let token = bearer(request.headers()).unwrap_or_default();
    if !same_secret(token.as_bytes(), sandbox.access_token.0.as_bytes()) {
        return failure(StatusCode::UNAUTHORIZED, "Unauthorized");
    }
    let query = Query::<HashMap<String, String>>::try_from_uri(request.uri()).unwrap_or_default();
    let org = path.get("org").or_else(|| query.get("orgId"));
    if org.map(String::as_str) != Some(ORG_ID) {
        return failure(StatusCode::FORBIDDEN, "Organization does not have access");
    }
    next.run(request).await
}

/// What goes wrong with a call that is allowed. The effect of a call is complete before its answer is held back or
/// lost, so a caller that hangs up meanwhile changes nothing.
pub async fn misbehave(State(sandbox): Here, request: Request, next: Next) -> Response {
    let (fault, answer_delay) = {
        let mut mood = sandbox.mood();
        (mood.fault(), Duration::from_millis(mood.behaviour.answer_delay))
    };
    let failed = || failure(StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong");
    match fault {
        Fault::Refused => return failure(StatusCode::BAD_REQUEST, "Bad request"),
        Fault::Unauthorized => return failure(StatusCode::UNAUTHORIZED, "Unauthorized"),
        Fault::TooMany => {
            let mut answer = failure(StatusCode::TOO_MANY_REQUESTS, "Too many requests");
            answer.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
            return answer;
        }
        Fault::Error => return failed(),
        Fault::None | Fault::Lost | Fault::Hang | Fault::Nonsense => {}
    }
    let answer = next.run(request).await;
    tokio::time::sleep(answer_delay).await;
    match fault {
        Fault::Lost => failed(),
        Fault::Nonsense => {
            let json = [(header::CONTENT_TYPE, "application/json")];
            (answer.status(), json, "{\"statusCode\":200,\"message\":\"ok\",\"data\":{\"id\":\"4b6f").into_response()
        }
        Fault::Hang => {
            tokio::time::sleep(HANG).await;
            answer
        }
        _ => answer,
    }
}

impl Sandbox {
    /// Writes a record to the database. The sandbox goes on from memory if that fails.
    pub(super) async fn persist(&self, kind: &str, id: &str, record: &impl serde::Serialize) {
        let body = serde_json::to_value(record).unwrap_or_default();
        if let Err(error) = self.to.store.put_sandbox_record(kind, id, &body).await {
            tracing::error!(%error, "the sandbox could not store a record");
        }
    }

    /// The address that carries the invitation in itself.
    fn long_url(&self, form: UrlForm, message: &Value) -> String {
        let mut url = self.base_url.clone();
        match form {
            // The older protocol's encoding is base64 with all its signs.
            UrlForm::Legacy => url.query_pairs_mut().append_pair("c_i", &STANDARD.encode(message.to_string())),
            _ => url.query_pairs_mut().append_pair("oob", &invitation::encode(message)),
        };
        url.into()
    }
}

pub async fn behaviour(State(sandbox): Here) -> Json<Behaviour> {
    Json(sandbox.behaviour())
}

pub async fn set_behaviour(State(sandbox): Here, Json(behaviour): Json<Behaviour>) -> Response {
    if let Some(mistake) = behaviour.mistake() {
        return failure(StatusCode::BAD_REQUEST, mistake);
    }
    sandbox.behave(behaviour);
    Json(sandbox.behaviour()).into_response()
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
    let secret_is_right = same_secret(request.client_secret.as_bytes(), sandbox.to.client_secret.0.as_bytes());
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
    let (form, names_record) = {
        let behaviour = &sandbox.mood().behaviour;
        (behaviour.invitation_url, behaviour.record_id)
    };
    let label = &sandbox.to.desk.organisation;
    // A made-up key: there is no agent behind the sandbox.
    let key = "z6MkqRYqQiSgvZQdnBytw86Qbs2ZWUkGv22od935YF4s8M7V";
    let message = match form {
        UrlForm::Legacy => json!({
            "@type": "https://didcomm.org/connections/1.0/invitation",
            "@id": message_id,
            "label": label,
            "recipientKeys": [key], "routingKeys": [], "serviceEndpoint": sandbox.base_url.as_str(),
        }),
        _ => json!({
            "@type": "https://didcomm.org/out-of-band/1.1/invitation",
            "@id": message_id,
            "label": label,
            "accept": ["didcomm/aip1", "didcomm/aip2;env=rfc19"],
            "handshake_protocols": ["https://didcomm.org/didexchange/1.1", "https://didcomm.org/connections/1.0"],
            "services": [{
                "id": "#inline-0", "type": "did-communication", "serviceEndpoint": sandbox.base_url.as_str(),
                "recipientKeys": [format!("did:key:{key}")], "routingKeys": [],
            }],
        }),
    };
    let url = match form {
        UrlForm::Long | UrlForm::Legacy => sandbox.long_url(form, &message),
        UrlForm::Short | UrlForm::Object | UrlForm::Redirect => {
            format!("{}/invitations/default/{id}", sandbox.base_url)
        }
    };
    let invitation = Invitation {
        id: id.clone(),
        row_id: row_id.clone(),
        message_id,
        alias: request.alias,
        message,
        form,
        connection: None,
        reuse: None,
    };
    sandbox.records().invitations.insert(id.clone(), invitation.clone());
    sandbox.persist("invitation", &id, &invitation).await;
    let now = sandbox.to.clock.now().rfc3339();
    let mut data = json!({
        "id": row_id, "orgId": ORG_ID, "agentId": ORG_ID, "connectionInvitation": url,
        // The platform says so of every invitation, single-use ones too.
        "multiUse": true,
        "createDateTime": now, "createdBy": 1, "lastChangedDateTime": now, "lastChangedBy": 1, "invitationDid": null,
    });
    if names_record {
        data["recordId"] = json!(id);
    }
    success(StatusCode::CREATED, "Connection created successfully", &data)
}

/// What a short URL leads to. An object store answers with a JSON string and a misleading `Content-Encoding`; others
/// with the invitation itself, or with a redirect.
pub async fn short_url(State(sandbox): Here, Path(id): Path<String>) -> Response {
    let found = sandbox.records().invitations.get(&id).map(|invitation| (invitation.form, invitation.message.clone()));
    let Some((form, message)) = found else { return StatusCode::NOT_FOUND.into_response() };
    let long = sandbox.long_url(form, &message);
    match form {
        UrlForm::Object => Json(message).into_response(),
        UrlForm::Redirect => (StatusCode::FOUND, [(header::LOCATION, long)]).into_response(),
        UrlForm::Short | UrlForm::Long | UrlForm::Legacy => {
            let headers = [(header::CONTENT_TYPE, "application/json"), (header::CONTENT_ENCODING, "base64")];
            (headers, json!(long).to_string()).into_response()
        }
    }
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
        .map(Connection::to_json)
        .collect();
    success(StatusCode::OK, "Connections fetched successfully", &Value::Array(found))
}
