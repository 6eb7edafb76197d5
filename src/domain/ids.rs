//! The names of things: our own random ids, and the opaque ids that a platform gives. *Runs: both.*

use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::time::Timestamp;

/// A text that is not one of our ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAnId;

impl fmt::Display for NotAnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id has 22 or 28 characters of A-Z, a-z, 0-9, - and _")
    }
}

impl std::error::Error for NotAnId {}

/// An id with 128 random bits, kept as it is written: unpadded base64url (RFC 4648, section 5), followed by zeros where it
/// is shorter than it may be. So the browser, which only hands ids on, needs no decoder.
macro_rules! random_id {
    ($(#[$meta:meta])* $name:ident, $longest:literal, $lengths:pat) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name([u8; $longest]);

        impl $name {
            fn encode(bytes: &[u8]) -> Self {
                let mut text = [0; $longest];
                // There is room for as many bytes as the kinds below have.
                let _ = URL_SAFE_NO_PAD.encode_slice(bytes, &mut text);
                Self(text)
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                let length = self.0.iter().position(|sign| *sign == 0).unwrap_or($longest);
                // Only ASCII ever gets in.
                std::str::from_utf8(&self.0[..length]).unwrap_or_default()
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                let fits = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
                if !matches!(text.len(), $lengths) || !text.as_bytes().iter().all(fits) {
                    return Err(NotAnId);
                }
                let mut signs = [0; $longest];
                signs[..text.len()].copy_from_slice(text.as_bytes());
                Ok(Self(signs))
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
    /// Names one registration, from consent to its end: 40 bits of the time it began at, then 128 random ones. Those that
    /// are under way at the same time are neighbours in every index, and what changes of them lies on few pages. The
    /// first ones had no time.
    SessionId, 28, 22 | 28
}
random_id! {
    /// The random part of a short link `/i/{link}`; one for each attempt, and it ends with the attempt.
    LinkId, 22, 22
}

impl SessionId {
    /// Where a session's id is a place to look at, this one stands for all of them: of a time and of random bytes that were none.
    pub const ALL_OF_THEM: Self = Self([b'A'; 28]);

    /// The id of a registration that begins now. The bytes have to come from the operating system's random source.
    #[must_use]
    pub fn new(now: Timestamp, random: [u8; 16]) -> Self {
        let mut bytes = [0; 21];
        // In steps of eight milliseconds: 40 bits of those last until 2248, and a page has room for the sessions of several.
        bytes[..5].copy_from_slice(&(now.0 >> 3).to_be_bytes()[3..]);
        bytes[5..].copy_from_slice(&random);
        Self::encode(&bytes)
    }
}

impl LinkId {
    /// The id made of these bytes; they have to come from the operating system's random source.
    #[must_use]
    pub fn from_bytes(random: [u8; 16]) -> Self {
        Self::encode(&random)
    }
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

/// Names one request that was made to the server: in its log, in answers, and on pages that something went wrong with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId(pub u64);

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
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
        let id = SessionId::new(Timestamp(1_700_000_000_000), [0xfb; 16]);
        assert_eq!(id.to_string().len(), 28);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(serde_json::from_str::<SessionId>(&serde_json::to_string(&id).unwrap()).unwrap(), id);
        let link = LinkId::from_bytes([0xfb; 16]);
        assert_eq!(link.to_string().len(), 22);
        assert_eq!(link.to_string().parse(), Ok(link));
    }

    #[test]
    fn ids_of_the_same_moment_are_neighbours_and_those_without_a_time_stay_good() {
        let id = |now, byte| SessionId::new(Timestamp(now), [byte; 16]).to_string();
        let moment = 1_700_000_000_000;
        assert_eq!(id(moment, 1)[..6], id(moment + 7, 9)[..6]);
        assert_eq!(id(moment, 1), id(moment + 7, 1));
        assert_ne!(id(moment, 1)[..7], id(moment + 8, 1)[..7]);
        assert_ne!(id(moment, 1), id(moment, 2));
        let first_form = "--------------------AA";
        assert_eq!(first_form.parse::<SessionId>().map(|id| id.to_string()).as_deref(), Ok(first_form));
        assert_eq!("a".repeat(28).parse::<LinkId>(), Err(NotAnId));
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
            "aaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "aaaaaaaaaaaaaaaaaaaaaaa\0\0\0\0\0",
        ] {
            assert_eq!(text.parse::<SessionId>(), Err(NotAnId), "{text:?}");
        }
    }
}
