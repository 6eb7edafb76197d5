//! The access token of the ConfirmD account: kept in memory, renewed before it ends, one renewal at a time (contract 1).
//!
//! *Runs: server.*

use std::time::{Duration, Instant};

use serde::Deserialize;
use tokio::sync::Mutex;

use super::client::{Settings, answer_error, unreachable};
use crate::server::platform::PlatformError;

/// A token with less time than this is renewed before use.
const MARGIN: Duration = Duration::from_secs(60);
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
    token: Mutex<Option<Token>>,
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
        http: &reqwest::Client,
        settings: &Settings,
        timeout: Duration,
    ) -> Result<String, PlatformError> {
        let mut token = self.token.lock().await;
        if let Some(token) = token.as_ref().filter(|token| Instant::now() < token.renew_at) {
            return Ok(token.text.clone());
        }
        let answer = http
            .post(settings.auth_url.clone())
            .timeout(timeout.min(TIMEOUT))
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
        let answer: Answer = answer
            .json()
            .await
            .map_err(|_| PlatformError::Nonsense("no access token in the token answer".to_owned()))?;
        // A token that lives shorter than the margin is used for half its life rather than for none of it.
        let life = Duration::from_secs(answer.expires_in);
        let renew_at = Instant::now() + if life > MARGIN { life - MARGIN } else { life / 2 };
        *token = Some(Token { text: answer.access_token.clone(), renew_at });
        Ok(answer.access_token)
    }

    /// Drops a token that the platform refused, unless another one has taken its place.
    pub async fn drop(&self, refused: &str) {
        let mut token = self.token.lock().await;
        if token.as_ref().is_some_and(|token| token.text == refused) {
            *token = None;
        }
    }
}
