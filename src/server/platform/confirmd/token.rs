//! The access token of the ConfirmD account: kept in memory, renewed before it ends, one renewal at a time (contract 1).
//!
//! *Runs: server.*

use std::time::{Duration, Instant};

use serde::Deserialize;
use tokio::sync::Mutex;

use super::client::Settings;
use crate::server::{
    metrics::Metrics,
    platform::{
        Call, PlatformError,
        http::{self, answer_error, unreachable},
    },
    trace,
};

/// A token with less time than this is renewed before use.
const MARGIN: Duration = Duration::from_secs(60);
/// Whatever a token service says, no token is used for longer.
const LONGEST_LIFE: Duration = Duration::from_secs(24 * 60 * 60);
/// The token service answers sooner than an agent, or not at all.
const TIMEOUT: Duration = Duration::from_secs(15);

struct Token {
    text: String,
    renew_at: Instant,
}

/// The cache of the one token.
#[derive(Default)]
pub struct Tokens {
    /// Held during a renewal, so that everybody who needs a token waits for the same one.
    latest: Mutex<Latest>,
}

#[derive(Default)]
struct Latest {
    token: Option<Token>,
    /// The last failure, and when: whoever was waiting by then gets it too, instead of a turn of their own.
    failure: Option<(Instant, PlatformError)>,
}

#[derive(Deserialize)]
struct Answer {
    access_token: String,
    /// Seconds.
    expires_in: u64,
}

impl Tokens {
    /// A token that is good for a call.
    pub async fn get(
        &self,
        client: &reqwest::Client,
        settings: &Settings,
        timeout: Duration,
        metrics: &Metrics,
    ) -> Result<String, PlatformError> {
        let asked_at = Instant::now();
        let mut latest = self.latest.lock().await;
        if let Some(token) = latest.token.as_ref().filter(|token| Instant::now() < token.renew_at) {
            return Ok(token.text.clone());
        }
        if let Some((_, failure)) = latest.failure.as_ref().filter(|(at, _)| *at > asked_at) {
            return Err(failure.clone());
        }
        match http::step(metrics, Call::Token, fetch(client, settings, timeout.min(TIMEOUT))).await {
            Ok(token) => {
                let text = token.text.clone();
                latest.token = Some(token);
                Ok(text)
            }
            Err(failure) => {
                latest.failure = Some((Instant::now(), failure.clone()));
                Err(failure)
            }
        }
    }

    /// Drops a token that the platform refused, unless another one has taken its place.
    pub async fn drop(&self, refused: &str) {
        let mut latest = self.latest.lock().await;
        if latest.token.as_ref().is_some_and(|token| token.text == refused) {
            latest.token = None;
        }
    }
}

async fn fetch(client: &reqwest::Client, settings: &Settings, timeout: Duration) -> Result<Token, PlatformError> {
    let answer = client
        .post(settings.auth_url.clone())
        .timeout(timeout)
        .headers(trace::headers_of_a_call())
        .form(&[
            ("grant_type", "client_credentials"),
            ("client_id", &settings.client_id),
            ("client_secret", &settings.client_secret.0),
        ])
        .send()
        .await
        .map_err(|error| unreachable(&error))?;
    if let Some(error) = answer_error(&answer) {
        return Err(match error {
            // Keycloak answers 400 and 401 alike to a client it does not accept.
            PlatformError::Refused(status) => PlatformError::Unauthorized(status),
            error => error,
        });
    }
    let answer: Answer =
        answer.json().await.map_err(|_| PlatformError::Nonsense("no access token in the token answer".to_owned()))?;
    // A token that lives shorter than the margin is used for half its life rather than for none of it.
    let life = Duration::from_secs(answer.expires_in).min(LONGEST_LIFE);
    let renew_at = Instant::now() + if life > MARGIN { life - MARGIN } else { life / 2 };
    Ok(Token { text: answer.access_token, renew_at })
}
