//! What the clients of all platforms share: every call is bounded in time, a failure is typed, and nothing is repeated
//! but the wish for an invitation, because only the caller knows what is safe to repeat.
//!
//! Refuses to log bodies: they hold what people presented. *Runs: server.*

use std::time::{Duration, Instant};

use rand::Rng;
use reqwest::{StatusCode, Url, header};
use serde_json::Value;

use super::{Call, PlatformError};
use crate::server::{
    metrics::Metrics,
    trace::{self, Span},
};

/// The most that is read of an answer. An invitation has a few KiB, a list of proofs a few tens.
const BODY_LIMIT: usize = 4 * 1024 * 1024;

/// An invitation is tried so often: somebody waits for it, and one too many harms nobody.
const TRIES: u32 = 3;
/// A call that failed later than this is not tried again: somebody waits.
const PROMPT: Duration = Duration::from_secs(3);
/// How long somebody waits for a code at most.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(12);

/// A client whose calls take no longer than `timeout`. Makes no call yet.
///
/// # Errors
/// When the TLS library cannot be set up.
pub(super) fn client(timeout: Duration) -> Result<reqwest::Client, reqwest::Error> {
    // No redirect is followed: a call must not be made twice, and what a short URL leads to may be an invitation.
    reqwest::Client::builder()
        .timeout(timeout)
        .connect_timeout(timeout.min(Duration::from_secs(10)))
        .redirect(reqwest::redirect::Policy::none())
        .build()
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

/// Makes a call as a step of whatever it is made for: measured, and with a span. The requests in it carry
/// `trace::headers_of_a_call`.
pub(super) fn step<T>(
    metrics: &Metrics,
    call: Call,
    work: impl Future<Output = Result<T, PlatformError>>,
) -> impl Future<Output = Result<T, PlatformError>> {
    // The client's futures are large: whatever is wrapped around them would take as much of the stack once more.
    let work = Box::pin(work);
    async move {
        let step = trace::current().map(|made_for| made_for.step());
        let span = step.as_ref().map(|step| Span::of_call(step, call.as_str()));
        let result = trace::within(step, metrics.measured(call, work)).await;
        if let Some(span) = span {
            span.called(result.as_ref().err().map(PlatformError::kind));
        }
        result
    }
}

/// Gives up after this time.
pub(super) async fn within<T>(
    time: Duration,
    call: impl Future<Output = Result<T, PlatformError>>,
) -> Result<T, PlatformError> {
    let late = || PlatformError::Unreachable("it took too long".to_owned());
    tokio::time::timeout(time, call).await.unwrap_or_else(|_| Err(late()))
}

/// The body of an answer.
pub(super) async fn read(mut answer: reqwest::Response) -> Result<Vec<u8>, PlatformError> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| unreachable(&error))? {
        body.extend_from_slice(&chunk);
        if body.len() > BODY_LIMIT {
            return Err(PlatformError::Nonsense("an answer has no end".to_owned()));
        }
    }
    Ok(body)
}

/// An address below that of an API. Ids come from webhooks too, and `..` must not lead to another one.
///
/// # Errors
/// When a part cannot be one.
pub(super) fn address<'p>(base: &Url, path: impl IntoIterator<Item = &'p str>) -> Result<Url, PlatformError> {
    let is_segment = |part: &&str| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        !part.is_empty() && !part.starts_with('.') && part.bytes().all(is_plain)
    };
    let mut address = base.clone();
    let path: Vec<&str> = path.into_iter().collect();
    match address.path_segments_mut() {
        Ok(mut segments) if path.iter().all(is_segment) => segments.pop_if_empty().extend(path),
        _ => return Err(PlatformError::Refused(StatusCode::BAD_REQUEST.as_u16())),
    };
    Ok(address)
}

/// A text in an answer; none if it is empty.
pub(super) fn text(record: &Value, field: &str) -> Option<String> {
    record[field].as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// An answer lacks what it should have.
pub(super) fn missing(what: &str) -> PlatformError {
    PlatformError::Nonsense(format!("no {what} in the answer"))
}

/// Wishes for an invitation, and does so again where that may help and nobody waits too long for it.
pub(super) async fn patiently<T, F>(invite: impl Fn() -> F) -> Result<T, PlatformError>
where
    F: Future<Output = Result<T, PlatformError>>,
{
    let began = Instant::now();
    let mut tries = 1;
    loop {
        let error = match invite().await {
            Ok(invitation) => return Ok(invitation),
            Err(error) => error,
        };
        let wait = match &error {
            PlatformError::Unavailable { retry_after, .. } => retry_after.unwrap_or_default(),
            PlatformError::Unreachable(_) | PlatformError::Nonsense(_) => Duration::ZERO,
            PlatformError::Unauthorized(_) | PlatformError::Refused(_) => return Err(error),
        };
        // With jitter, so that all who failed together do not come back together.
        let wait = wait + Duration::from_millis(200 * u64::from(tries)).mul_f64(rand::rng().random_range(0.5..=1.0));
        if tries == TRIES || began.elapsed() + wait > PROMPT {
            return Err(error);
        }
        tracing::warn!(%error, tries, "no invitation yet");
        tokio::time::sleep(wait).await;
        tries += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_part_of_a_path_leads_nowhere() {
        let base: Url = "https://platform.example/api/".parse().unwrap();
        let leads = |part| address(&base, ["records", part]).map(String::from).ok();
        assert_eq!(leads("4b6f-2.0_x").as_deref(), Some("https://platform.example/api/records/4b6f-2.0_x"));
        for part in ["", ".", "..", "../x", "a/b", "a?b", "a#b", "%2e%2e", "a b", "\u{e9}"] {
            assert_eq!(leads(part), None, "{part}");
        }
    }
}
