//! How an agent's admin API is called: a key, a tenant's token, or both; errors are plain text that is shown to nobody.
//! *Runs: server.*

use std::{sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::{StatusCode, Url, header};
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::server::{
    metrics::Metrics,
    platform::{
        Call, PlatformError,
        http::{self, answer_error, read, unreachable, within},
    },
    secrets::Secret,
    trace,
};

/// The agent and who we are to it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its admin API.
    pub admin_url: Url,
    /// What `--admin-api-key` says.
    pub admin_key: Option<Secret>,
    /// The tenant of a multitenant agent.
    pub tenant: Option<Tenant>,
    /// Which DID invitations carry.
    pub invitation_did: InvitationDid,
    /// The name that wallets show.
    pub label: String,
}

/// Which DID an invitation carries. With one that stays the same, a wallet that knows it goes over the connection it has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum InvitationDid {
    /// A new key for each invitation, and so a new connection.
    #[default]
    New,
    /// The one of this method that the agent keeps for invitations, such as `did:peer:4`.
    Method(String),
    /// This one, which the agent has.
    Did(String),
}

impl InvitationDid {
    /// `new`, a method of peer DIDs, or a DID; `None` for anything else.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        match text {
            "new" => Some(Self::New),
            "did:peer:2" | "did:peer:4" => Some(Self::Method(text.to_owned())),
            did => did.starts_with("did:").then(|| Self::Did(did.to_owned())),
        }
    }
}

/// A tenant of a multitenant agent.
#[derive(Clone, Debug)]
pub struct Tenant {
    token: Secret,
    /// The wallet that its webhooks name (`x-wallet-id`).
    pub wallet_id: String,
}

impl Tenant {
    /// The tenant that a token of the agent's is for. `None` when it is no such token: a JWT that names a wallet. Only the
    /// agent can tell whether it is signed.
    #[must_use]
    pub fn of_token(token: &str) -> Option<Self> {
        let mut parts = token.split('.');
        let (_header, claims, _signature) = (parts.next()?, parts.next()?, parts.next()?);
        let claims = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
        let claims: Value = serde_json::from_slice(&claims).ok()?;
        let wallet_id = claims["wallet_id"].as_str().filter(|id| !id.is_empty())?.to_owned();
        Some(Self { token: Secret(token.to_owned()), wallet_id })
    }
}

/// How many calls may be under way at once. An agent with a store of its own in SQLite has few connections to it: at five
/// calls at once they begin to wait for one another, and all of them fail.
const AT_ONCE: usize = 3;

/// The client.
pub struct Client {
    http: reqwest::Client,
    room: Semaphore,
    pub(super) settings: Settings,
    timeout: Duration,
    metrics: Arc<Metrics>,
}

impl Client {
    /// A client for this agent, whose calls take no longer than `timeout`. Makes no call yet.
    ///
    /// # Errors
    /// When the TLS library cannot be set up.
    pub fn new(settings: Settings, timeout: Duration, metrics: Arc<Metrics>) -> Result<Self, reqwest::Error> {
        Ok(Self { http: http::client(timeout)?, room: Semaphore::new(AT_ONCE), settings, timeout, metrics })
    }

    /// Calls the API and gives back the answer; `None` for a 404.
    pub(super) async fn call(
        &self,
        call: Call,
        path: &[&str],
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Option<Value>, PlatformError> {
        http::step(&self.metrics, call, within(self.timeout, self.call_in_time(call, path, query, body))).await
    }

    async fn call_in_time(
        &self,
        call: Call,
        path: &[&str],
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Option<Value>, PlatformError> {
        let url = http::address(&self.settings.admin_url, path.iter().copied())?;
        let mut request = self.http.request(call.method(), url).query(query).headers(trace::headers_of_a_call());
        if let Some(Secret(key)) = &self.settings.admin_key {
            request = request.header("X-API-Key", key);
        }
        if let Some(Tenant { token: Secret(token), .. }) = &self.settings.tenant {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        // In the order of their coming. It is never closed.
        let _room = self.room.acquire().await;
        let answer = request.send().await.map_err(|error| unreachable(&error))?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        if let Some(error) = answer_error(&answer) {
            return Err(error);
        }
        match serde_json::from_slice(&read(answer).await?) {
            Ok(answer @ Value::Object(_)) => Ok(Some(answer)),
            _ => Err(PlatformError::Nonsense("an answer is no JSON object".to_owned())),
        }
    }
}

/// The protocol by which proofs are asked for (RFC 0454), as the API's paths have it.
pub(super) const PRESENT_PROOF: &str = "present-proof-2.0";

#[cfg(test)]
mod tests {
    use super::*;

    fn token(claims: &str) -> String {
        format!("e30.{}.c2lnbmF0dXJl", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn a_token_names_its_wallet() {
        let wallet = |token: &str| Tenant::of_token(token).map(|tenant| tenant.wallet_id);
        assert_eq!(wallet(&token(r#"{"wallet_id":"w-1","iat":1}"#)).as_deref(), Some("w-1"));
        for other in ["", "secret", "a.b.c", &token("{}"), &token(r#"{"wallet_id":""}"#), &token("[]"), &token("no")] {
            assert_eq!(wallet(other), None, "{other}");
        }
        let tenant = Tenant::of_token(&token(r#"{"wallet_id":"w-1"}"#)).unwrap();
        assert!(!format!("{tenant:?}").contains("e30."), "a log would show the token");
    }

    #[test]
    fn a_did_for_invitations_is_new_of_a_method_or_a_certain_one() {
        assert_eq!(InvitationDid::from_text("new"), Some(InvitationDid::New));
        assert_eq!(InvitationDid::from_text("did:peer:4"), Some(InvitationDid::Method("did:peer:4".to_owned())));
        assert_eq!(InvitationDid::from_text("did:sov:x"), Some(InvitationDid::Did("did:sov:x".to_owned())));
        assert_eq!(InvitationDid::from_text("peer"), None);
    }
}
