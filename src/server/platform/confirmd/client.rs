//! How the ConfirmD Platform is called (contract 1 and 2.3): a 401 is answered with a fresh token once. *Runs: server.*

use std::{sync::Arc, time::Duration};

use reqwest::{Method, StatusCode, Url, header};
use serde_json::Value;

use super::token::Tokens;
use crate::server::{
    metrics::Metrics,
    platform::{
        Call, PlatformError,
        http::{self, answer_error, read, unreachable, within},
        invitation,
    },
    secrets::Secret,
    trace,
};

/// How many redirects a short URL may lead through.
const REDIRECTS: usize = 5;

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
    pub(super) settings: Settings,
    /// How long a call may take. Those that reach the agent take up to 5 s in practice (contract 0).
    pub(super) timeout: Duration,
    tokens: Tokens,
    metrics: Arc<Metrics>,
}

impl Client {
    /// A client for this account, whose calls take no longer than `timeout`. Makes no call yet.
    ///
    /// # Errors
    /// When the TLS library cannot be set up.
    pub fn new(settings: Settings, timeout: Duration, metrics: Arc<Metrics>) -> Result<Self, reqwest::Error> {
        Ok(Self { http: http::client(timeout)?, settings, timeout, tokens: Tokens::default(), metrics })
    }

    /// Calls the API below the organisation and gives back `data` of its envelope; `None` for a 404, or, where a record is
    /// read by its id, a 500 that says "not found" (contract 7, point 25). Takes no longer than a call may, with the wait
    /// for a token.
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
        let path = ["orgs", &self.settings.org_id].into_iter().chain(path.iter().copied());
        let url = http::address(&self.settings.base_url, path)?;
        let answer = self.ask(&call.method(), &url, query, body).await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let error = answer_error(&answer);
        let body = read(answer).await;
        if let Some(error) = error {
            let missing = call.reads_one()
                && matches!(error, PlatformError::Unavailable { status: 500, .. })
                && body.is_ok_and(|body| String::from_utf8_lossy(&body).to_ascii_lowercase().contains("not found"));
            return if missing { Ok(None) } else { Err(error) };
        }
        match serde_json::from_slice(&body?) {
            Ok(Value::Object(mut envelope)) => Ok(Some(envelope.remove("data").unwrap_or(Value::Null))),
            _ => Err(PlatformError::Nonsense("an answer is not the JSON envelope".to_owned())),
        }
    }

    /// Calls an address of the API, once more with a fresh token where the first one is refused. Gives back the answer
    /// whatever its status.
    pub(super) async fn ask(
        &self,
        method: &Method,
        url: &Url,
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<reqwest::Response, PlatformError> {
        let mut fresh = false;
        loop {
            let token = self.token().await?;
            let mut request = self
                .http
                .request(method.clone(), url.clone())
                .query(query)
                .header(header::ACCEPT, "application/json")
                .headers(trace::headers_of_a_call())
                .bearer_auth(&token);
            if let Some(body) = body {
                request = request.json(body);
            }
            let answer = request.send().await.map_err(|error| unreachable(&error))?;
            if answer.status() != StatusCode::UNAUTHORIZED || fresh {
                return Ok(answer);
            }
            self.tokens.drop(&token).await;
            fresh = true;
        }
    }

    /// A token that is good for a call.
    pub(super) async fn token(&self) -> Result<String, PlatformError> {
        self.tokens.get(&self.http, &self.settings, self.timeout, &self.metrics).await
    }

    /// Resolves an invitation URL, long or short, to its message (contract 2.3). `None` when it leads to none.
    pub(super) async fn resolve(&self, url: &str) -> Option<Value> {
        let mut url = url.to_owned();
        for _ in 0..=REDIRECTS {
            if let Some(message) = invitation::message_in_url(&url) {
                return Some(message);
            }
            // No decoding of content takes place: object stores send a misleading `Content-Encoding: base64`.
            let answer = self.http.get(&url).header(header::ACCEPT, "application/json").send().await.ok()?;
            if answer.status().is_redirection() {
                let target = answer.headers().get(header::LOCATION)?.to_str().ok()?;
                url = answer.url().join(target).ok()?.to_string();
                continue;
            }
            if !answer.status().is_success() {
                return None;
            }
            return invitation::message_in_body(&read(answer).await.ok()?);
        }
        None
    }
}
