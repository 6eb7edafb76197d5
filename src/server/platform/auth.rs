//! How a webhook shows that the platform sent it (contract 5.2): both sides of each mode, so that the receiver and the
//! sandbox's sender cannot drift apart.
//!
//! Refuses to read a body: what can be told from the headers alone is told before one is there. *Runs: server.*

use std::str::FromStr;

use hmac::{Hmac, Mac};
use reqwest::header::HeaderMap;
use sha2::Sha256;

use crate::{
    domain::time::Timestamp,
    server::secrets::{Secret, decode_hex, same_secret},
};

const API_KEY: &str = "x-api-key";
const SIGNATURE: &str = "x-signature";
const TIMESTAMP: &str = "x-timestamp";

/// How far the sender's clock may be from ours, either way, in milliseconds.
pub const SKEW: u64 = 5 * 60 * 1000;

/// The way in which webhooks are authenticated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AuthMode {
    /// `X-API-Key` holds the secret: what the deployed platform sends.
    #[default]
    ApiKey,
    /// `X-Signature` is the lower-case hexadecimal HMAC-SHA256 of `<X-Timestamp>.<raw body>`, and `X-Timestamp` the time
    /// of sending in Unix milliseconds: what newer platforms send.
    Hmac,
    /// Nothing: what older platforms send. Only an address that nobody can guess protects the receiver then.
    None,
}

impl FromStr for AuthMode {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "api_key" => Ok(Self::ApiKey),
            "hmac" => Ok(Self::Hmac),
            "none" => Ok(Self::None),
            _ => Err(()),
        }
    }
}

/// The credentials are missing or wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAuthentic;

/// What is left to check once the body is there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a delivery is authentic only after its body was checked too"]
pub struct Claim(Option<Signature>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Signature {
    /// As it came, because that is what was signed.
    timestamp: String,
    mac: Vec<u8>,
}

impl AuthMode {
    /// Checks what the headers alone can tell. Any of the secrets will do: two are valid while one is changed for the
    /// other.
    ///
    /// # Errors
    /// When the credentials are missing, wrong, or of another time.
    pub fn check_headers(self, headers: &HeaderMap, secrets: &[Secret], now: Timestamp) -> Result<Claim, NotAuthentic> {
        match self {
            Self::ApiKey => {
                let given = headers.get(API_KEY).ok_or(NotAuthentic)?;
                let matches = any(secrets, |secret| same_secret(given.as_bytes(), secret.0.as_bytes()));
                if matches { Ok(Claim(None)) } else { Err(NotAuthentic) }
            }
            Self::Hmac => {
                let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).ok_or(NotAuthentic);
                let timestamp = text(TIMESTAMP)?;
                // No sign and no blank: a number has one way to be written.
                if !timestamp.bytes().all(|byte| byte.is_ascii_digit()) {
                    return Err(NotAuthentic);
                }
                let sent_at: i64 = timestamp.parse().map_err(|_| NotAuthentic)?;
                if sent_at.abs_diff(now.0) > SKEW {
                    return Err(NotAuthentic);
                }
                let mac = decode_hex(text(SIGNATURE)?).ok_or(NotAuthentic)?;
                Ok(Claim(Some(Signature { timestamp: timestamp.to_owned(), mac })))
            }
            Self::None => Ok(Claim(None)),
        }
    }

    /// The headers by which a body is sent now. Made anew for each attempt, because the time is part of them.
    #[must_use]
    pub fn headers(self, secret: &Secret, now: Timestamp, body: &[u8]) -> Vec<(&'static str, String)> {
        match self {
            Self::ApiKey => vec![(API_KEY, secret.0.clone())],
            Self::Hmac => {
                let timestamp = now.0.to_string();
                let mac = mac(secret, &timestamp, body).finalize().into_bytes();
                let hex = mac.iter().map(|byte| format!("{byte:02x}")).collect();
                vec![(TIMESTAMP, timestamp), (SIGNATURE, hex)]
            }
            Self::None => Vec::new(),
        }
    }
}

impl Claim {
    /// Checks the body, as it came, against what the headers claimed.
    ///
    /// # Errors
    /// When it was not signed with any of the secrets, or was changed since.
    pub fn check_body(&self, secrets: &[Secret], body: &[u8]) -> Result<(), NotAuthentic> {
        let Some(Signature { timestamp, mac: given }) = &self.0 else { return Ok(()) };
        let matches = any(secrets, |secret| mac(secret, timestamp, body).verify_slice(given).is_ok());
        if matches { Ok(()) } else { Err(NotAuthentic) }
    }
}

/// No short cut: all secrets are compared, whichever fits, so that the time tells nothing.
fn any(secrets: &[Secret], fits: impl Fn(&Secret) -> bool) -> bool {
    secrets.iter().fold(false, |found, secret| fits(secret) | found)
}

fn mac(secret: &Secret, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
    <Hmac<Sha256> as Mac>::new_from_slice(secret.0.as_bytes())
        .expect("HMAC takes keys of any length")
        .chain_update(timestamp)
        .chain_update(b".")
        .chain_update(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_772_446_500_000);

    fn secrets(texts: &[&str]) -> Vec<Secret> {
        texts.iter().map(|text| Secret((*text).to_owned())).collect()
    }

    fn sent(mode: AuthMode, secret: &str, body: &[u8]) -> HeaderMap {
        let headers = mode.headers(&Secret(secret.to_owned()), NOW, body);
        headers.into_iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn accepts(mode: AuthMode, headers: &HeaderMap, valid: &[&str], body: &[u8]) -> bool {
        let valid = secrets(valid);
        mode.check_headers(headers, &valid, NOW).is_ok_and(|claim| claim.check_body(&valid, body).is_ok())
    }

    #[test]
    fn what_the_sender_makes_the_receiver_accepts() {
        for mode in [AuthMode::ApiKey, AuthMode::Hmac, AuthMode::None] {
            let headers = sent(mode, "new", b"{}");
            assert!(accepts(mode, &headers, &["old", "new"], b"{}"), "{mode:?}");
            assert_eq!(accepts(mode, &headers, &["old"], b"{}"), mode == AuthMode::None, "{mode:?}");
            assert_eq!(accepts(mode, &headers, &[], b"{}"), mode == AuthMode::None, "{mode:?}");
        }
    }

    #[test]
    fn the_signature_is_the_one_that_anybody_would_make() {
        let headers = AuthMode::Hmac.headers(&Secret("secret".to_owned()), NOW, b"{\"a\":1}");
        // printf '1772446500000.{"a":1}' | openssl dgst -sha256 -hmac secret
        let expected = "e994b97151a22f26e8f964b29edde2bba1f2c3c962247cd48995f51452d52896";
        assert_eq!(headers, [(TIMESTAMP, "1772446500000".to_owned()), (SIGNATURE, expected.to_owned())]);
    }

    #[test]
    fn a_signature_is_for_one_body_and_one_time() {
        let headers = sent(AuthMode::Hmac, "secret", b"{}");
        assert!(!accepts(AuthMode::Hmac, &headers, &["secret"], b"{} "));
        let mut moved = headers.clone();
        moved.insert(TIMESTAMP, (NOW.0 + 1).to_string().parse().unwrap());
        assert!(!accepts(AuthMode::Hmac, &moved, &["secret"], b"{}"));
        let mut upper = headers.clone();
        upper.insert(SIGNATURE, headers[SIGNATURE].to_str().unwrap().to_uppercase().parse().unwrap());
        assert!(accepts(AuthMode::Hmac, &upper, &["secret"], b"{}"));
    }

    #[test]
    fn headers_that_say_nothing_are_refused_without_a_body() {
        let good = sent(AuthMode::Hmac, "secret", b"{}");
        let signature = good[SIGNATURE].to_str().unwrap().to_owned();
        for (name, value) in [
            (TIMESTAMP, "-1772446500000".to_owned()),
            (TIMESTAMP, "+1772446500000".to_owned()),
            (TIMESTAMP, "1772446500".to_owned()),
            (TIMESTAMP, "99999999999999999999".to_owned()),
            (TIMESTAMP, String::new()),
            (SIGNATURE, format!("+{}", &signature[1..])),
            (SIGNATURE, format!("sha256={signature}")),
            (SIGNATURE, signature[1..].to_owned()),
        ] {
            let mut headers = good.clone();
            headers.insert(name, value.parse().unwrap());
            assert_eq!(
                AuthMode::Hmac.check_headers(&headers, &secrets(&["secret"]), NOW),
                Err(NotAuthentic),
                "{value}"
            );
        }
        for name in [TIMESTAMP, SIGNATURE] {
            let mut headers = good.clone();
            headers.remove(name);
            assert!(AuthMode::Hmac.check_headers(&headers, &secrets(&["secret"]), NOW).is_err(), "{name}");
        }
        // An empty signature is hexadecimal; it signs nothing.
        let mut headers = good;
        headers.insert(SIGNATURE, "".parse().unwrap());
        assert!(!accepts(AuthMode::Hmac, &headers, &["secret"], b"{}"));
    }
}
