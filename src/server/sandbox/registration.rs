//! The sandbox's calls by which an operator says where webhooks go, as each generation of the platform has them (contract 5.1).
//! What is registered counts at once, and is forgotten with the process. *Runs: server.*

use std::sync::{MutexGuard, PoisonError};

use axum::{
    Json,
    extract::{OriginalUri, Path, State},
    http::{Method, StatusCode},
    response::Response,
};
use reqwest::Url;
use serde_json::{Value, json};

use super::{
    ORG_ID, Registration, Sandbox,
    api::{Here, failure, success},
    records::new_id,
};
use crate::server::{platform::AuthMode, secrets::Secret};

/// Where webhooks go, and what they show.
#[derive(Clone)]
pub(super) struct Hook {
    pub(super) url: Url,
    pub(super) auth: AuthMode,
    pub(super) secret: Secret,
    /// The app it is of.
    pub(super) app: Option<String>,
}

/// The newest generation refuses shorter ones.
const LEAST_SECRET: usize = 16;

impl Sandbox {
    /// Every change under the lock is complete in itself, so a panic elsewhere leaves nothing half-done.
    pub(super) fn hook(&self) -> MutexGuard<'_, Hook> {
        self.hook.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn generation(&self) -> Registration {
        self.mood().behaviour.registration
    }
}

/// What the platform's framework says of any address that it does not have.
fn no_such_call(method: &Method, uri: &OriginalUri) -> Response {
    failure(StatusCode::NOT_FOUND, &format!("Cannot {method} {}", uri.path()))
}

/// What its validation says, in a list.
fn invalid(problem: &str) -> Response {
    let status = StatusCode::BAD_REQUEST;
    let body = json!({ "statusCode": status.as_u16(), "message": [problem], "error": "Bad Request" });
    axum::response::IntoResponse::into_response((status, Json(body)))
}

/// The address and the secret in a wish to register; otherwise the answer.
fn wish(body: &Value) -> Result<(Url, Option<Secret>), Box<Response>> {
    let url = body["webhookUrl"].as_str().and_then(|text| Url::parse(text).ok()).filter(Url::has_host);
    let url = url.ok_or_else(|| Box::new(invalid("webhookUrl must be a URL address")))?;
    Ok((url, body["webhookSecret"].as_str().map(|text| Secret(text.to_owned()))))
}

pub async fn register(State(sandbox): Here, method: Method, uri: OriginalUri, Json(body): Json<Value>) -> Response {
    let generation = sandbox.generation();
    if generation == Registration::Apps {
        return no_such_call(&method, &uri);
    }
    let (url, secret) = match wish(&body) {
        Ok(wish) => wish,
        Err(answer) => return *answer,
    };
    let address = json!(url.as_str());
    let (secret, data) = match (generation, secret) {
        (Registration::Strict, Some(_)) => return invalid("property webhookSecret should not exist"),
        (Registration::Signing, Some(Secret(secret))) if secret.len() < LEAST_SECRET => {
            return invalid("webhookSecret must be longer than or equal to 16 characters");
        }
        (Registration::Signing, Some(secret)) => {
            (Some(secret), json!({ "webhookUrl": address, "webhookSecret": "sealed by the platform" }))
        }
        // Older ones drop what they do not know.
        _ => (None, address),
    };
    let auth = if secret.is_some() { AuthMode::Hmac } else { AuthMode::None };
    *sandbox.hook() = Hook { url, auth, secret: secret.unwrap_or(Secret(String::new())), app: None };
    success(StatusCode::CREATED, "Webhook registered successfully", &data)
}

pub async fn show(State(sandbox): Here, method: Method, uri: OriginalUri) -> Response {
    if sandbox.generation() == Registration::Apps {
        return no_such_call(&method, &uri);
    }
    let address = json!(sandbox.hook().url.as_str());
    success(StatusCode::OK, "Webhook url fetched successfully", &address)
}

pub async fn make_app(State(sandbox): Here, method: Method, uri: OriginalUri, Json(body): Json<Value>) -> Response {
    if sandbox.generation() != Registration::Apps {
        return no_such_call(&method, &uri);
    }
    let (url, secret) = match wish(&body) {
        Ok((url, Some(secret))) => (url, secret),
        Ok(_) => return invalid("webhookSecret should not be empty"),
        Err(answer) => return *answer,
    };
    let (id, now) = (new_id(), sandbox.to.clock.now().rfc3339());
    let data = json!({
        "id": id, "orgId": ORG_ID, "name": body["name"], "webhookUrl": url.as_str(), "isActive": true, "createDateTime": now,
    });
    *sandbox.hook() = Hook { url, auth: AuthMode::ApiKey, secret, app: Some(id) };
    success(StatusCode::CREATED, "App created successfully", &data)
}

pub async fn app(State(sandbox): Here, Path((_, id)): Path<(String, String)>) -> Response {
    let hook = sandbox.hook().clone();
    if hook.app.as_ref() != Some(&id) {
        return failure(StatusCode::NOT_FOUND, "App not found");
    }
    let data = json!({ "id": id, "orgId": ORG_ID, "webhookUrl": hook.url.as_str(), "isActive": true });
    success(StatusCode::OK, "App fetched successfully", &data)
}

/// The organisation itself.
pub async fn organisation(State(sandbox): Here) -> Response {
    let data = json!({ "id": ORG_ID, "name": sandbox.to.desk.organisation });
    success(StatusCode::OK, "Organization details fetched successfully", &data)
}
