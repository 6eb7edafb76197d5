//! The webhooks of a registration, in the platform's real form: the fixtures of the program's own tests with other ids.
//! *Runs: generator.*

use serde_json::Value;

use crate::{http, template::Template};

/// The key that every server is told, and that every webhook carries.
pub const KEY: &str = "a-key-for-the-benchmark-alone";
/// The address that every server takes webhooks at.
pub const PATH: &str = "/api/webhooks/confirmd";
/// The organisation of the fixtures.
pub const ORGANISATION: &str = "7c1f4f0e-52a8-4a0f-9d5e-3b2f6a9d1c40";

/// The ids in the fixtures, which are other ones in each registration. A proof and its thread have the id of their
/// connection with another first part.
const OUT_OF_BAND_ID: &str = "c2a9f6d3-0b74-4e18-8f5a-6d1b3c9e7a20";
const CONNECTION_ID: &str = "e81d5c47-93b2-4f6a-b0d8-2a7c4e9f1b35";
const PROOF_ID: &str = "4b6f2a90-d15e-4c73-a8b2-9e0d7c3f5161";
const THREAD_ID: &str = "a57c1e38-2f94-4b06-8d7e-c3b9510f6e42";

/// The steps of a registration that a webhook brings and that a browser is told of, in their order. The request for the
/// proof and its verification are the server's own steps; their webhooks tell nothing new.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// A wallet asks to connect.
    Requested,
    /// The platform answered it.
    Answered,
    /// The connection is complete.
    Completed,
    /// The holder approved.
    Presented,
}

impl Step {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Requested, Self::Answered, Self::Completed, Self::Presented];

    /// The platform's word for it.
    #[must_use]
    pub const fn state(self) -> &'static str {
        match self {
            Self::Requested => "request-received",
            Self::Answered => "response-sent",
            Self::Completed => "completed",
            Self::Presented => "presentation-received",
        }
    }

    const fn fixture(self) -> &'static str {
        match self {
            Self::Requested => {
                include_str!("../../tests/fixtures/webhooks/envelope-connection-01-request-received.json")
            }
            Self::Answered => include_str!("../../tests/fixtures/webhooks/envelope-connection-02-response-sent.json"),
            Self::Completed => include_str!("../../tests/fixtures/webhooks/envelope-connection-03-completed.json"),
            Self::Presented => {
                include_str!("../../tests/fixtures/webhooks/envelope-proof-02-presentation-received.json")
            }
        }
    }
}

/// An id of the form that the platform's have.
#[must_use]
pub fn random_id() -> String {
    let [a, b] = [fastrand::u64(..), fastrand::u64(..)];
    let (high, middle, low) = (a >> 32, (a >> 16) & 0xffff, a & 0xfff);
    format!("{high:08x}-{middle:04x}-4{low:03x}-{:04x}-{:012x}", 0x8000 | (b >> 50), b & 0xffff_ffff_ffff)
}

/// The proof exchange over this connection.
#[must_use]
pub fn proof_id(connection: &str) -> String {
    format!("{}{}", &PROOF_ID[..8], &connection[8..])
}

/// The thread of the proof exchange over this connection.
#[must_use]
pub fn thread_id(connection: &str) -> String {
    format!("{}{}", &THREAD_ID[..8], &connection[8..])
}

/// Makes the requests that bring webhooks.
pub struct Webhooks {
    templates: [Template; 4],
}

impl Default for Webhooks {
    fn default() -> Self {
        let ids = [OUT_OF_BAND_ID, CONNECTION_ID, PROOF_ID, THREAD_ID];
        // A fixture is JSON, else the program's own tests would fail.
        let body = |step: Step| serde_json::from_str::<Value>(step.fixture()).unwrap_or_default().to_string();
        Self { templates: Step::ALL.map(|step| Template::of(&body(step), &ids)) }
    }
}

impl Webhooks {
    /// The request that brings this step of the registration with this invitation and this connection.
    #[must_use]
    pub fn request(&self, step: Step, out_of_band: &str, connection: &str) -> Vec<u8> {
        let ids = [out_of_band, connection, &proof_id(connection), &thread_id(connection)];
        let body = self.templates[step as usize].with(&ids);
        http::post(PATH, &format!("X-API-Key: {KEY}\r\n"), &body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_names_its_own_registration_and_no_other() {
        let (out_of_band, connection) = (random_id(), random_id());
        for step in Step::ALL {
            let request = String::from_utf8(Webhooks::default().request(step, &out_of_band, &connection)).unwrap();
            let body: serde_json::Value = serde_json::from_str(request.split("\r\n\r\n").nth(1).unwrap()).unwrap();
            assert_eq!(body["data"]["state"], step.state());
            assert_eq!(body["data"]["connectionId"], *connection);
            for id in [OUT_OF_BAND_ID, CONNECTION_ID, PROOF_ID, THREAD_ID] {
                assert!(!request.contains(id), "{step:?} names {id}");
            }
            if step == Step::Presented {
                assert_eq!(body["data"]["id"], proof_id(&connection));
            } else {
                assert_eq!(body["data"]["outOfBandId"], *out_of_band);
            }
        }
    }
}
