//! What Vestibule needs of a wallet platform: one small trait, and the words it shares with the rest of the program.
//! Platform words end here.
//!
//! Called by `sessions`, `acts` and the webhook endpoint. *Runs: server.*

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::{
    desk::Desk,
    ids::{ConnectionId, OutOfBandId, ProofId},
};

pub mod acapy;
mod auth;
pub mod body;
mod call;
pub mod confirmd;
mod delivery;
mod http;
pub mod invitation;

pub use auth::{AuthMode, Claim, NotAuthentic, SKEW};
pub use call::Call;
pub use delivery::{Delivery, DeliveryKind, Meaning, NotAnObject, TAKEN_UP};

/// What went wrong with a call to the platform. Says what to do, never holds a body.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PlatformError {
    /// No answer: it cannot be reached, or was too slow. The call may or may not have had its effect.
    #[error("the platform does not answer: {0}")]
    Unreachable(String),
    /// It is there and cannot serve now (429, 5xx). Worth trying again.
    #[error("the platform cannot serve now (HTTP {status})")]
    Unavailable {
        /// The HTTP status.
        status: u16,
        /// When it said to come back.
        retry_after: Option<Duration>,
    },
    /// It refused our credentials, after a fresh token too (401).
    #[error("the platform refuses our account (HTTP {0})")]
    Unauthorized(u16),
    /// It refused the call itself (other 4xx, a 403 among them). Trying again changes nothing (contract 1, rule 4).
    #[error("the platform refuses the call (HTTP {0})")]
    Refused(u16),
    /// It answered something that is not of the contract.
    #[error("the platform's answer cannot be understood: {0}")]
    Nonsense(String),
}

impl PlatformError {
    /// What [`PlatformError::kind`] may be.
    pub const KINDS: [&'static str; 5] = ["unreachable", "unavailable", "unauthorized", "refused", "nonsense"];

    /// Which kind of failure it is, without what differs from case to case.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "unreachable",
            Self::Unavailable { .. } => "unavailable",
            Self::Unauthorized(_) => "unauthorized",
            Self::Refused(_) => "refused",
            Self::Nonsense(_) => "nonsense",
        }
    }
}

/// A single-use invitation.
#[derive(Clone, Debug)]
pub struct Invitation {
    /// Its URL as the platform gave it, short or long.
    pub url: String,
    /// The key that webhooks carry. It may be missing; then connections are found by our alias (contract 7, point 2).
    pub out_of_band_id: Option<OutOfBandId>,
    /// The platform's own row, in case a deployment's webhooks carry that one (contract 5.6, row 3).
    pub row_id: Option<String>,
    /// The invitation message itself; missing when a short URL could not be resolved.
    pub message: Option<Value>,
}

/// How many cards a presentation answers from, as far as a webhook told (contract 5.3, `sub_proof_index`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cards {
    /// All of it is from one.
    One,
    /// It mixes several.
    Several,
}

impl Cards {
    /// The name in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::One => "one",
            Self::Several => "several",
        }
    }

    /// What this name stands for; none for any other.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::One, Self::Several].into_iter().find(|cards| cards.as_str() == name)
    }
}

/// A connection as the platform has it.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Its id.
    pub id: ConnectionId,
    /// Where it stands.
    pub state: ConnectionState,
    /// The invitation it was made from.
    pub out_of_band_id: Option<OutOfBandId>,
    /// The reference we gave that invitation.
    pub alias: Option<String>,
    /// The name of the wallet.
    pub their_label: Option<String>,
}

/// Where a connection stands (contract 3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionState {
    /// A wallet asked.
    Requested,
    /// The wallet was answered; it has not confirmed.
    Answered,
    /// Ready for a proof request.
    Completed,
    /// Broken off.
    Abandoned,
}

/// What names the connections made from one invitation: one of the two is there at least.
#[derive(Clone, Copy, Debug)]
pub struct InvitationKeys<'a> {
    /// The key of the invitation.
    pub out_of_band_id: Option<&'a OutOfBandId>,
    /// The reference we gave it.
    pub alias: &'a str,
}

/// A proof exchange as the platform has it.
#[derive(Clone, Debug)]
pub struct Proof {
    /// Its id.
    pub id: ProofId,
    /// The DIDComm thread.
    pub thread_id: Option<String>,
    /// Where it stands.
    pub state: ProofState,
    /// How many cards the presentation answers from, where the record tells.
    pub cards: Option<Cards>,
}

/// What an attempt that is over may have left at the platform.
#[derive(Clone, Copy, Debug)]
pub struct Leftovers<'a> {
    /// Its invitation, where nobody is known to have taken it up.
    pub invitation: Option<InvitationKeys<'a>>,
    /// Its proof exchange.
    pub proof: Option<&'a ProofId>,
}

/// Where a proof exchange stands, decided by its state and the platform's check together (contract 4.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofState {
    /// The wallet has not answered.
    Requested,
    /// A presentation is there and waits for our acceptance.
    Presented,
    /// Accepted, and valid.
    Verified,
    /// The holder declined.
    Declined,
    /// The presentation is not valid.
    Invalid,
}

/// One attribute that was revealed, or one condition that was proven.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revealed {
    /// Its name in the credential.
    pub name: String,
    /// Its value, always text; for a condition the condition itself, such as `>=60`.
    pub value: String,
}

impl std::fmt::Debug for Revealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The value is somebody's.
        f.debug_struct("Revealed").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A wallet platform. Every call is bounded in time and fails with a typed error.
#[async_trait::async_trait]
pub trait Platform: Send + Sync {
    /// Reads the body of a webhook.
    fn translate(&self, body: &[u8]) -> Result<Delivery, NotAnObject>;

    /// Makes a single-use invitation that carries our alias.
    async fn create_invitation(&self, alias: &str) -> Result<Invitation, PlatformError>;

    /// Reads a connection; `None` when there is no such one.
    async fn connection(&self, id: &ConnectionId) -> Result<Option<Connection>, PlatformError>;

    /// The connections made from an invitation.
    async fn connections(&self, invitation: InvitationKeys<'_>) -> Result<Vec<Connection>, PlatformError>;

    /// Asks the wallet for the desk's attributes, with a comment that the wallet shows. Not safe to repeat: look with
    /// [`Platform::find_proof`] first.
    async fn request_proof(
        &self,
        connection: &ConnectionId,
        desk: &Desk,
        comment: &str,
    ) -> Result<Proof, PlatformError>;

    /// The newest proof exchange on a connection, if any; where the platform tells, of those with this comment.
    async fn find_proof(&self, connection: &ConnectionId, comment: &str) -> Result<Option<Proof>, PlatformError>;

    /// Reads a proof exchange; `None` when there is no such one.
    async fn proof(&self, id: &ProofId) -> Result<Option<Proof>, PlatformError>;

    /// Accepts a presentation, which ends the exchange. Gives back the exchange as it is then, where the answer shows it.
    /// Safe to repeat.
    async fn accept_proof(&self, id: &ProofId) -> Result<Option<Proof>, PlatformError>;

    /// What a verified exchange revealed and proved, of exactly what the desk asks for, each name once. What is missing
    /// was not revealed.
    async fn revealed(&self, id: &ProofId, desk: &Desk) -> Result<Vec<Revealed>, PlatformError>;

    /// Whether an attempt leaves anything at the platform that has to be deleted when it is over.
    fn keeps_leftovers(&self) -> bool {
        false
    }

    /// Deletes what an attempt left: an invitation that could still be taken up, a question that could still be
    /// answered, a presentation with what it revealed. Safe to repeat: what is gone is gone.
    async fn delete_leftovers(&self, _: Leftovers<'_>) -> Result<(), PlatformError> {
        Ok(())
    }
}
