//! What a webhook said, or the platform when it was asked, in our words; and what it means. *Runs: server.*

use super::{Cards, Connection, ConnectionState, Proof, ProofState};
use crate::{
    domain::{
        ids::{ConnectionId, OutOfBandId},
        stage::Event,
    },
    server::secrets::fingerprint,
};

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
    /// A wallet took up the invitation, and only the connection's record tells how it stands: it may be an old one.
    TakenUp,
}

/// The state of a connection that an invitation led to, which may have stood before.
pub const TAKEN_UP: &str = "taken-up";

impl Delivery {
    /// One that says nothing yet, of which this is kept.
    pub(super) fn new(kind: DeliveryKind, body: String) -> Self {
        Self {
            kind,
            record_id: None,
            state: None,
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
            body,
        }
    }

    /// What the platform said of a record when it was asked: it goes the way of a webhook.
    fn asked(kind: DeliveryKind, record_id: &str, state: &str) -> Self {
        Self {
            record_id: Some(record_id.to_owned()),
            state: Some(state.to_owned()),
            ..Self::new(kind, serde_json::json!({ "id": record_id, "state": state }).to_string())
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
            cards: proof.cards,
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
        if self.kind == DeliveryKind::Connection && self.state.as_deref() == Some(TAKEN_UP) {
            return Some(Meaning::TakenUp);
        }
        self.event().map(Meaning::Event)
    }

    /// What a kind and a state by their names in the database mean, as far as these two alone tell.
    #[must_use]
    pub fn meaning_of(kind: &str, state: Option<&str>) -> Option<Meaning> {
        let kinds = [DeliveryKind::Connection, DeliveryKind::Proof];
        let kind = kinds.into_iter().find(|known| known.as_str() == kind)?;
        Self { state: state.map(str::to_owned), ..Self::new(kind, String::new()) }.meaning()
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
        // As JSON, which quotes, so that no two different deliveries can run together into one key. Of that a digest, because an
        // index holds it for every delivery: 128 bits, of which nobody finds the same twice.
        fingerprint::<16>(&serde_json::to_string(&parts).unwrap_or_default())
    }
}

/// The body of a webhook is no JSON object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the body is not a JSON object")]
pub struct NotAnObject;
