//! The forms of an invitation URL (contract 2.3), read and made. Fetching short URLs is the client's business.
//!
//! *Runs: server.*

use base64::{
    Engine,
    alphabet::{STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::URL_SAFE_NO_PAD},
};
use reqwest::Url;
use serde_json::Value;

/// Wallets and platforms pad or do not pad as they like.
const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);

/// The invitation message inside a long URL: `oob`, else `c_i`, else `d_m`. `None` for any other URL.
#[must_use]
pub fn message_in_url(url: &str) -> Option<Value> {
    let url = Url::parse(url).ok()?;
    ["oob", "c_i", "d_m"].into_iter().find_map(|name| {
        let (_, value) = url.query_pairs().find(|(key, _)| key == name)?;
        decode(&value)
    })
}

/// The URL that a platform's short URL leads to, or the message itself, read from the body it answered with.
#[must_use]
pub fn message_in_body(body: &[u8]) -> Option<Value> {
    match serde_json::from_slice(body).ok()? {
        Value::String(url) => message_in_url(&url),
        Value::Object(message) if message.contains_key("@type") => Some(Value::Object(message)),
        _ => None,
    }
}

/// The `oob` value of a long URL, as it stands there.
#[must_use]
pub fn oob_in_url(url: &str) -> Option<&str> {
    url.split_once('?')?.1.split(['&', '#']).find_map(|pair| pair.strip_prefix("oob="))
}

/// A link that opens a wallet: the template with the invitation's `oob` value in place of `{oob}` (contract 6.2).
#[must_use]
pub fn wallet_link(template: &str, oob: &str) -> String {
    template.replace("{oob}", oob)
}

/// The message as an `oob` value: unpadded base64url of its JSON.
#[must_use]
pub fn encode(message: &Value) -> String {
    URL_SAFE_NO_PAD.encode(message.to_string())
}

fn decode(value: &str) -> Option<Value> {
    // In a query a `+` is a blank; in base64 it never is.
    let value = value.replace(' ', "+");
    let alphabet = if value.contains(['+', '/']) { &STANDARD } else { &URL_SAFE };
    let bytes = GeneralPurpose::new(alphabet, LENIENT).decode(value).ok()?;
    serde_json::from_slice(&bytes).ok().filter(Value::is_object)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn message() -> Value {
        // The label makes both alphabets differ: it encodes to characters 62 and 63.
        json!({ "@type": "https://didcomm.org/out-of-band/1.1/invitation", "@id": "1", "label": "ÿþ?>~" })
    }

    #[test]
    fn every_long_form_is_read() {
        let text = message().to_string();
        let padded = base64::engine::general_purpose::STANDARD.encode(&text);
        let unpadded = base64::engine::general_purpose::STANDARD_NO_PAD.encode(&text);
        for url in [
            format!("https://agent.example.org?oob={}", encode(&message())),
            format!("https://agent.example.org/path?x=1&c_i={padded}"),
            format!("didcomm://invite?c_i={unpadded}"),
            format!("didcomm://invite?d_m={}", padded.replace('=', "%3D").replace('+', "%2B")),
        ] {
            assert_eq!(message_in_url(&url), Some(message()), "{url}");
        }
    }

    #[test]
    fn every_body_of_a_short_url_is_read() {
        let long = format!("https://agent.example.org?oob={}", encode(&message()));
        assert_eq!(message_in_body(json!(long).to_string().as_bytes()), Some(message()));
        assert_eq!(message_in_body(message().to_string().as_bytes()), Some(message()));
    }

    #[test]
    fn what_is_no_invitation_is_none() {
        for url in ["", "no url", "https://x.example", "https://x.example?oob=%%%", "https://x.example?oob=MTIz"] {
            assert_eq!(message_in_url(url), None, "{url:?}");
        }
        for body in ["", "{}", "[]", "12", "\"https://x.example\"", "<html>"] {
            assert_eq!(message_in_body(body.as_bytes()), None, "{body:?}");
        }
    }

    #[test]
    fn a_wallet_link_carries_the_message() {
        let link = wallet_link("confirmdwallet://connect?oob={oob}", &encode(&message()));
        assert_eq!(message_in_url(&link), Some(message()));
    }

    #[test]
    fn the_value_of_a_long_url_is_taken_as_it_stands() {
        assert_eq!(oob_in_url("https://p.test/invite?goal=x&oob=eyJ9-_==&a=b"), Some("eyJ9-_=="));
        assert_eq!(oob_in_url("https://p.test/invite?oob=eyJ9#top"), Some("eyJ9"));
        for other in ["https://p.test/oob=eyJ9", "https://p.test/?c_i=eyJ9", "https://p.test/?noob=eyJ9"] {
            assert_eq!(oob_in_url(other), None, "{other}");
        }
    }
}
