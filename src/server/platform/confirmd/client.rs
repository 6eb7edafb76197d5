//! The client of the ConfirmD Platform's API (contract 1 to 4). Every call is bounded in time; a 401 is answered with a
//! fresh token once; nothing else is repeated here, because only the caller knows what is safe to repeat.
//!
//! Refuses to log bodies: they hold what people presented. *Runs: server.*

use std::time::Duration;

use reqwest::{Method, StatusCode, Url, header};
use serde_json::{Value, json};

use super::token::Tokens;
use crate::{
    domain::{
        desk::Desk,
        ids::{ConnectionId, OutOfBandId, ProofId},
    },
    server::{
        platform::{
            ConnectionState, Delivery, Invitation, NotAnObject, Platform, PlatformError, Proof, ProofState, Revealed,
            invitation,
        },
        secrets::Secret,
    },
};

/// Calls that reach the agent take up to 5 s in practice (contract 0).
const TIMEOUT: Duration = Duration::from_secs(30);
/// The most that is read of a short URL's body. An invitation has a few KiB.
const INVITATION_LIMIT: usize = 256 * 1024;

/// The account at the platform.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The API, without a path at its end.
    pub base_url: Url,
    /// The whole address of the token endpoint.
    pub auth_url: Url,
    /// The organisation.
    pub org_id: String,
    /// The client of the account.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Secret,
}

/// The client.
pub struct Client {
    http: reqwest::Client,
    settings: Settings,
    tokens: Tokens,
}

pub(super) fn unreachable(error: &reqwest::Error) -> PlatformError {
    // The error's own text holds the address, which may hold ids; its kind is all that is needed.
    PlatformError::Unreachable(
        if error.is_timeout() {
            "it took too long"
        } else if error.is_connect() {
            "no connection"
        } else {
            "the connection broke"
        }
        .to_owned(),
    )
}

/// What an answer's status says went wrong; `None` when nothing did.
pub(super) fn answer_error(answer: &reqwest::Response) -> Option<PlatformError> {
    let status = answer.status();
    if status.is_success() {
        return None;
    }
    Some(match status.as_u16() {
        401 => PlatformError::Unauthorized(401),
        code if code == 429 || status.is_server_error() => PlatformError::Unavailable {
            status: code,
            retry_after: answer
                .headers()
                .get(header::RETRY_AFTER)
                .and_then(|value| value.to_str().ok()?.parse().ok())
                .map(Duration::from_secs),
        },
        code => PlatformError::Refused(code),
    })
}

impl Client {
    /// A client for this account. Makes no call yet.
    ///
    /// # Errors
    /// When the TLS library cannot be set up.
    pub fn new(settings: Settings) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder().timeout(TIMEOUT).connect_timeout(Duration::from_secs(10)).build()?;
        Ok(Self { http, settings, tokens: Tokens::default() })
    }

    /// Calls the API below the organisation and gives back `data` of its envelope; `None` for a 404, or a 500 that says
    /// "not found" (contract 7, point 25).
    async fn call(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Option<Value>, PlatformError> {
        let mut url = self.settings.base_url.clone();
        url.path_segments_mut()
            .map_err(|()| PlatformError::Nonsense("CONFIRMD_BASE_URL is no base of an address".to_owned()))?
            .pop_if_empty()
            .extend(["orgs", &self.settings.org_id])
            .extend(path);
        let mut fresh = false;
        loop {
            let token = self.tokens.get(&self.http, &self.settings).await?;
            let mut request = self
                .http
                .request(method.clone(), url.clone())
                .query(query)
                .header(header::ACCEPT, "application/json")
                .bearer_auth(&token);
            if let Some(body) = body {
                request = request.json(body);
            }
            let answer = request.send().await.map_err(|error| unreachable(&error))?;
            if answer.status() == StatusCode::UNAUTHORIZED && !fresh {
                self.tokens.drop(&token).await;
                fresh = true;
                continue;
            }
            if answer.status() == StatusCode::NOT_FOUND {
                return Ok(None);
            }
            let error = answer_error(&answer);
            let body = answer.bytes().await.map_err(|error| unreachable(&error));
            if let Some(error) = error {
                let missing = matches!(error, PlatformError::Unavailable { status: 500, .. })
                    && body.is_ok_and(|body| String::from_utf8_lossy(&body).to_ascii_lowercase().contains("not found"));
                return if missing { Ok(None) } else { Err(error) };
            }
            return match serde_json::from_slice(&body?) {
                Ok(Value::Object(mut envelope)) => Ok(Some(envelope.remove("data").unwrap_or(Value::Null))),
                _ => Err(PlatformError::Nonsense("an answer is not the JSON envelope".to_owned())),
            };
        }
    }

    /// Resolves an invitation URL, long or short, to its message (contract 2.3). `None` when it leads to none.
    async fn resolve(&self, url: &str) -> Option<Value> {
        if let Some(message) = invitation::message_in_url(url) {
            return Some(message);
        }
        // No decoding of content takes place: object stores send a misleading `Content-Encoding: base64`.
        let answer = self.http.get(url).header(header::ACCEPT, "application/json").send().await.ok()?;
        if let Some(message) = invitation::message_in_url(answer.url().as_str()) {
            return Some(message);
        }
        if !answer.status().is_success() {
            return None;
        }
        let mut answer = answer;
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.ok()? {
            body.extend_from_slice(&chunk);
            if body.len() > INVITATION_LIMIT {
                return None;
            }
        }
        invitation::message_in_body(&body)
    }
}

fn missing(what: &str) -> PlatformError {
    PlatformError::Nonsense(format!("no {what} in the answer"))
}

fn text(record: &Value, field: &str) -> Option<String> {
    record[field].as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Reads a proof record by state and `isVerified` together (contract 4.6). `done` alone is not enough.
fn proof(record: &Value) -> Result<Proof, PlatformError> {
    let id = text(record, "id").or_else(|| text(record, "proofId")).ok_or_else(|| missing("proof id"))?;
    let state = match (record["state"].as_str().unwrap_or_default(), record["isVerified"].as_bool()) {
        ("presentation-received", Some(true)) => ProofState::Presented,
        ("done", Some(true)) => ProofState::Verified,
        ("presentation-received" | "done" | "abandoned", Some(false)) => ProofState::Invalid,
        ("abandoned", _) => ProofState::Declined,
        _ => ProofState::Requested,
    };
    Ok(Proof { id: ProofId(id), thread_id: text(record, "threadId"), state })
}

#[async_trait::async_trait]
impl Platform for Client {
    fn translate(&self, body: &[u8]) -> Result<Delivery, NotAnObject> {
        super::translate(body)
    }

    async fn create_invitation(&self, alias: &str) -> Result<Invitation, PlatformError> {
        // Single use: a scan belongs to one session and to no other (contract 2.2).
        let body = json!({ "multiUseInvitation": false, "autoAcceptConnection": true, "alias": alias });
        let data = self
            .call(Method::POST, &["connections"], &[], Some(&body))
            .await?
            .ok_or(PlatformError::Refused(StatusCode::NOT_FOUND.as_u16()))?;
        let url = text(&data, "connectionInvitation").ok_or_else(|| missing("invitation URL"))?;
        let (out_of_band_id, row_id) = (text(&data, "recordId").map(OutOfBandId), text(&data, "id"));
        match (&out_of_band_id, &row_id) {
            // No webhook could ever be matched to it: better no code than one that leads nowhere.
            (None, None) => return Err(missing("id of the invitation")),
            (None, Some(_)) => {
                tracing::warn!("an invitation came without recordId; only webhooks that name its row will match");
            }
            _ => {}
        }
        let message = self.resolve(&url).await;
        if message.is_none() {
            tracing::warn!("the platform's invitation URL leads to no invitation; wallets are sent to it as it is");
        }
        Ok(Invitation { out_of_band_id, row_id, message, url })
    }

    async fn connection(&self, id: &ConnectionId) -> Result<Option<ConnectionState>, PlatformError> {
        let record = self.call(Method::GET, &["connections", &id.0], &[], None).await?;
        Ok(record.map(|record| match record["state"].as_str().unwrap_or_default() {
            "completed" | "active" => ConnectionState::Completed,
            "abandoned" | "error" => ConnectionState::Abandoned,
            _ => ConnectionState::Pending,
        }))
    }

    async fn request_proof(&self, connection: &ConnectionId, desk: &Desk) -> Result<Proof, PlatformError> {
        let attributes: Vec<Value> = desk
            .attributes
            .iter()
            .map(|attribute| {
                let mut entry = json!({ "attributeName": attribute.name, "credDefId": desk.credential.cred_def_id });
                if let Some(schema) = &desk.credential.schema_id {
                    entry["schemaId"] = json!(schema);
                }
                entry
            })
            .collect();
        // `never`: the exchange waits for our own acceptance, after our own look at it (contract 4.1).
        let body = json!({
            "connectionId": connection, "comment": desk.comment, "autoAcceptProof": "never",
            "proofFormats": { "indy": { "attributes": attributes } },
        });
        let record = self
            .call(Method::POST, &["proofs"], &[("requestType", "indy")], Some(&body))
            .await?
            // A connection that the platform does not know yet: it said completed a moment ago.
            .ok_or(PlatformError::Unavailable { status: 404, retry_after: None })?;
        proof(&record)
    }

    async fn find_proof(&self, connection: &ConnectionId) -> Result<Option<Proof>, PlatformError> {
        let query = [
            ("pageNumber", "1"),
            ("pageSize", "10"),
            ("search", &*connection.0),
            ("sortField", "createDateTime"),
            ("sortBy", "desc"),
        ];
        let Some(page) = self.call(Method::GET, &["proofs"], &query, None).await? else { return Ok(None) };
        let id = page["data"].as_array().into_iter().flatten().find_map(|row| {
            // The search matches parts of ids: only the whole one counts.
            (row["connectionId"].as_str() == Some(&connection.0)).then(|| text(row, "presentationId"))?
        });
        match id {
            Some(id) => self.proof(&ProofId(id)).await,
            None => Ok(None),
        }
    }

    async fn proof(&self, id: &ProofId) -> Result<Option<Proof>, PlatformError> {
        self.call(Method::GET, &["proofs", &id.0], &[], None).await?.as_ref().map(proof).transpose()
    }

    async fn accept_proof(&self, id: &ProofId) -> Result<(), PlatformError> {
        self.call(Method::POST, &["proofs", &id.0, "verify"], &[], None).await.map(|_| ())
    }

    async fn revealed(&self, id: &ProofId) -> Result<Vec<Revealed>, PlatformError> {
        let data = self.call(Method::GET, &["verified-proofs", &id.0], &[], None).await?;
        let entries = data.as_ref().and_then(Value::as_array).ok_or_else(|| missing("revealed attribute"))?;
        // One object for each attribute: its own name, and ids that only repeat the request (contract 4.4).
        Ok(entries
            .iter()
            .filter_map(Value::as_object)
            .flat_map(|entry| entry.iter())
            .filter(|(name, _)| !matches!(name.as_str(), "credDefId" | "schemaId" | "certificateTemplate"))
            .filter_map(|(name, value)| Some(Revealed { name: name.clone(), value: value.as_str()?.to_owned() }))
            .collect())
    }
}
