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
    stage::Event,
};

pub mod body;
pub mod confirmd;
pub mod invitation;

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
}

/// Where a proof exchange stands, decided by state and `isVerified` together (contract 4.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofState {
    /// The wallet has not answered.
    Requested,
    /// A valid presentation is there and waits for our acceptance.
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

/// What a webhook is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryKind {
    /// A connection record changed.
    Connection,
    /// A proof record changed.
    Proof,
    /// A credential is being issued: not our business here.
    Issuance,
    /// Anything else.
    Other,
}

impl DeliveryKind {
    /// The name in the database and in logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::Proof => "proof",
            Self::Issuance => "issuance",
            Self::Other => "other",
        }
    }
}

/// One call of a webhook, translated. Verified by the endpoint, not yet matched to a session.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// What it is about.
    pub kind: DeliveryKind,
    /// The record that changed.
    pub record_id: Option<String>,
    /// Its state in the platform's words.
    pub state: Option<String>,
    /// The connection it belongs to.
    pub connection_id: Option<ConnectionId>,
    /// The invitation it belongs to.
    pub out_of_band_id: Option<OutOfBandId>,
    /// Set when an old connection was reused for a new invitation: that invitation (contract 5.5).
    pub reused_for: Option<OutOfBandId>,
    /// The DIDComm thread.
    pub thread_id: Option<String>,
    /// The organisation it was sent for.
    pub org_id: Option<String>,
    /// The tenant it was sent for.
    pub tenant_id: Option<String>,
    /// The reference we gave the invitation; webhooks do not carry it, the platform's answers do.
    pub alias: Option<String>,
    /// The name of the wallet.
    pub their_label: Option<String>,
    /// The platform's check of the presentation.
    pub is_verified: Option<bool>,
    /// The reason of an ending; may be in any language.
    pub error_message: Option<String>,
    /// When it happened, by the platform's clock; never used for order.
    pub occurred_at: Option<String>,
    /// `updatedAt`, the last part of the key by which repetitions are known (contract 5.5).
    pub updated_at: Option<String>,
    /// How many cards the presentation answers from, where the body told.
    pub cards: Option<Cards>,
    /// The delivery as it came, as JSON, without what is personal: the presentation and the wallet's name.
    pub body: String,
}

/// What a delivery means for a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// This happened.
    Event(Event),
    /// The proof exchange ended, and only its record at the platform tells how: the flat form says no more than that.
    EndedSomehow,
}

impl Delivery {
    /// What the platform said of a record when it was asked: it goes the way of a webhook.
    fn asked(kind: DeliveryKind, record_id: &str, state: &str) -> Self {
        Self {
            kind,
            record_id: Some(record_id.to_owned()),
            state: Some(state.to_owned()),
            connection_id: None,
            out_of_band_id: None,
            reused_for: None,
            thread_id: None,
            org_id: None,
            tenant_id: None,
            alias: None,
            their_label: None,
            is_verified: None,
            error_message: None,
            occurred_at: None,
            updated_at: None,
            cards: None,
            body: serde_json::json!({ "id": record_id, "state": state }).to_string(),
        }
    }

    /// A connection as the platform has it.
    #[must_use]
    pub fn of_connection(connection: &Connection) -> Self {
        let state = match connection.state {
            ConnectionState::Requested => "request-received",
            ConnectionState::Answered => "response-sent",
            ConnectionState::Completed => "completed",
            ConnectionState::Abandoned => "abandoned",
        };
        Self {
            connection_id: Some(connection.id.clone()),
            out_of_band_id: connection.out_of_band_id.clone(),
            alias: connection.alias.clone(),
            their_label: connection.their_label.clone(),
            ..Self::asked(DeliveryKind::Connection, &connection.id.0, state)
        }
    }

    /// A proof exchange as the platform has it.
    #[must_use]
    pub fn of_proof(proof: &Proof) -> Self {
        let (state, is_verified) = match proof.state {
            ProofState::Requested => ("request-sent", None),
            ProofState::Presented => ("presentation-received", Some(true)),
            ProofState::Verified => ("done", Some(true)),
            ProofState::Declined => ("abandoned", None),
            ProofState::Invalid => ("abandoned", Some(false)),
        };
        Self {
            thread_id: proof.thread_id.clone(),
            is_verified,
            error_message: (proof.state == ProofState::Declined).then(|| "declined".to_owned()),
            ..Self::asked(DeliveryKind::Proof, &proof.id.0, state)
        }
    }

    /// What it means for a registration; `None` for kinds and states that move nothing.
    #[must_use]
    pub fn meaning(&self) -> Option<Meaning> {
        let says_nothing = self.is_verified.is_none() && self.error_message.is_none();
        if self.kind == DeliveryKind::Proof && self.state.as_deref() == Some("abandoned") && says_nothing {
            return Some(Meaning::EndedSomehow);
        }
        self.event().map(Meaning::Event)
    }

    fn event(&self) -> Option<Event> {
        match (self.kind, self.state.as_deref()?) {
            (DeliveryKind::Connection, "request-received" | "request") => Some(Event::ConnectionRequested),
            (DeliveryKind::Connection, "response-sent" | "response") => Some(Event::ConnectionAnswered),
            (DeliveryKind::Connection, "completed" | "active") => Some(Event::ConnectionCompleted),
            (DeliveryKind::Connection, "abandoned" | "error") => Some(Event::ConnectionAbandoned),
            (DeliveryKind::Proof, "request-sent") => Some(Event::ProofRequested),
            (DeliveryKind::Proof, "presentation-received" | "done") if self.cards == Some(Cards::Several) => {
                Some(Event::CardsMixed)
            }
            (DeliveryKind::Proof, "presentation-received" | "done") => Some(Event::PresentationReceived),
            (DeliveryKind::Proof, "abandoned") if self.is_verified == Some(false) => Some(Event::ProofInvalid),
            (DeliveryKind::Proof, "abandoned") => Some(Event::ProofDeclined),
            _ => None,
        }
    }

    /// The key by which a repetition is known: kind, record, state, `updatedAt` (contract 5.5), and the invitation that
    /// an old connection was reused for, because reuse changes nothing in the connection's own record.
    #[must_use]
    pub fn key(&self) -> String {
        let [record, state, updated_at] =
            [&self.record_id, &self.state, &self.updated_at].map(|part| part.as_deref().unwrap_or_default());
        let parts = (self.kind.as_str(), record, state, updated_at, &self.reused_for);
        // As JSON, which quotes, so that no two different deliveries can run together into one key.
        serde_json::to_string(&parts).unwrap_or_default()
    }
}

/// The body of a webhook is no JSON object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the body is not a JSON object")]
pub struct NotAnObject;

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

    /// The newest proof exchange on a connection, if any.
    async fn find_proof(&self, connection: &ConnectionId) -> Result<Option<Proof>, PlatformError>;

    /// Reads a proof exchange; `None` when there is no such one.
    async fn proof(&self, id: &ProofId) -> Result<Option<Proof>, PlatformError>;

    /// Accepts a presentation, which ends the exchange. Safe to repeat.
    async fn accept_proof(&self, id: &ProofId) -> Result<(), PlatformError>;

    /// What a verified exchange revealed and proved, of exactly what the desk asks for, each name once. What is missing
    /// was not revealed.
    async fn revealed(&self, id: &ProofId, desk: &Desk) -> Result<Vec<Revealed>, PlatformError>;
}
