//! The names of things: our own random ids, and the opaque ids that a platform gives. *Runs: both.*

use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

/// A text that is not one of our ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAnId;

impl fmt::Display for NotAnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id has 22 characters of A-Z, a-z, 0-9, - and _")
    }
}

impl std::error::Error for NotAnId {}

/// An id of 128 random bits, kept as it is written: 22 characters of unpadded base64url (RFC 4648, section 5). So the
/// browser, which only hands ids on, needs no decoder.
macro_rules! random_id {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name([u8; 22]);

        impl $name {
            /// The id made of these bytes; they have to come from the operating system's random source.
            #[must_use]
            pub fn from_bytes(bytes: [u8; 16]) -> Self {
                let mut text = [b'A'; 22];
                // 16 bytes are 22 characters, always.
                let _ = URL_SAFE_NO_PAD.encode_slice(bytes, &mut text);
                Self(text)
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                // Only ASCII ever gets in.
                std::str::from_utf8(&self.0).unwrap_or_default()
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                let bytes: [u8; 22] = text.as_bytes().try_into().map_err(|_| NotAnId)?;
                let fits = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
                if bytes.iter().all(fits) { Ok(Self(bytes)) } else { Err(NotAnId) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotAnId;

            fn try_from(text: String) -> Result<Self, NotAnId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

random_id! {
    /// Names one registration, from consent to its end.
    SessionId
}
random_id! {
    /// The random part of a short link `/i/{link}`; one for each attempt, and it ends with the attempt.
    LinkId
}

/// An opaque id from a platform. A type of its own for each kind keeps one from being taken for another.
macro_rules! platform_id {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

platform_id! {
    /// The agent's out-of-band record: `recordId` of the create-invitation answer, `outOfBandId` in webhooks.
    OutOfBandId
}
platform_id! {
    /// The agent's connection record.
    ConnectionId
}
platform_id! {
    /// The agent's proof exchange record.
    ProofId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_the_way_through_text() {
        let id = SessionId::from_bytes([0xfb; 16]);
        assert_eq!(id.to_string().len(), 22);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(serde_json::from_str::<SessionId>(&serde_json::to_string(&id).unwrap()).unwrap(), id);
    }

    #[test]
    fn what_is_not_an_id_is_refused() {
        for text in [
            "",
            "short",
            "aaaaaaaaaaaaaaaaaaaaaaaaa",
            "++++++++++++++++++++++",
            "aaaaaaaaaaaaaaaaaaaaaa=",
            "../../etc/passwd",
        ] {
            assert_eq!(text.parse::<SessionId>(), Err(NotAnId), "{text:?}");
        }
    }
}
