//! The sandbox agent's records, in the form its API and its webhooks show them (contract 3.1, 4.1).
//!
//! Refuses to hold what is on a card: of a presentation it knows whose card it was and how it was shown, and what that
//! says is looked up when somebody asks. So nothing of a card comes into the database. *Runs: server.*

use std::collections::HashMap;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{behaviour::UrlForm, cards::Holder};
use crate::{
    domain::time::Timestamp,
    server::store::{Store, StoreError},
};

/// An invitation the sandbox made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Invitation {
    /// The out-of-band record.
    pub id: String,
    /// The platform's own row.
    pub row_id: String,
    /// The message's `@id`, which the wallet sees.
    pub message_id: String,
    /// The caller's reference.
    pub alias: Option<String>,
    /// The message.
    pub message: Value,
    /// What its URL is.
    #[serde(default)]
    pub form: UrlForm,
    /// The connection made from it, or reused for it; a single-use invitation takes one.
    pub connection: Option<String>,
    /// When an older connection was reused for it.
    #[serde(default)]
    pub reuse: Option<Reuse>,
}

/// The reuse of an older connection.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Reuse {
    pub thread_id: String,
    pub at: Timestamp,
}

/// A connection record.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Connection {
    pub id: String,
    pub out_of_band_id: String,
    pub alias: Option<String>,
    pub thread_id: String,
    /// Whose wallet it is: the key of a made-up holder, which tells its name too.
    pub holder: String,
    pub state: String,
    /// Whether the wallet will break the handshake off.
    #[serde(default)]
    pub breaks_off: bool,
    #[serde(default)]
    pub error_message: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// One thing that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    pub name: String,
    pub cred_def_id: String,
    pub schema_id: Option<String>,
    /// The condition, where the value itself stays with the holder.
    pub predicate: Option<Predicate>,
}

/// A condition on a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Predicate {
    pub condition: Condition,
    pub value: i64,
}

/// How a number is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Condition {
    #[serde(rename = ">=")]
    AtLeast,
    #[serde(rename = ">")]
    Above,
    #[serde(rename = "<=")]
    AtMost,
    #[serde(rename = "<")]
    Below,
}

impl Condition {
    pub fn holds(self, value: i64, bound: i64) -> bool {
        match self {
            Self::AtLeast => value >= bound,
            Self::Above => value > bound,
            Self::AtMost => value <= bound,
            Self::Below => value < bound,
        }
    }

    /// As the platform writes it.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::AtLeast => ">=",
            Self::Above => ">",
            Self::AtMost => "<=",
            Self::Below => "<",
        }
    }

    /// As a person reads it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::AtLeast => "at least",
            Self::Above => "more than",
            Self::AtMost => "at most",
            Self::Below => "less than",
        }
    }
}

/// What the wallet presented: whose card, and how. The values are on the card.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Presentation {
    /// The key of the holder.
    pub holder: String,
    pub how: How,
    /// Whether every webhook of it is sent twice.
    pub twice: bool,
}

/// How a card is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum How {
    /// As it was asked.
    Whole,
    /// Half of it from another holder's card.
    Mixed,
    /// Without the last thing that was asked.
    Partial,
}

/// A proof exchange record.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Proof {
    pub id: String,
    /// Rises by one with each proof exchange: several may begin in one millisecond.
    pub number: usize,
    pub connection_id: String,
    pub thread_id: String,
    pub comment: String,
    /// What was asked for, in order.
    pub asked: Vec<Asked>,
    pub state: String,
    pub is_verified: Option<bool>,
    pub error_message: Option<String>,
    pub presented: Option<Presentation>,
    /// Whether the wallet dismissed the request without a word.
    pub dismissed: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// One of the records, for a webhook.
#[derive(Clone, Debug)]
pub enum Record {
    Connection(Connection),
    /// An older connection, reused for a newer invitation.
    Reused(Connection, Invitation),
    Proof(Proof),
}

/// All of them.
#[derive(Default)]
pub struct Records {
    pub invitations: HashMap<String, Invitation>,
    pub connections: HashMap<String, Connection>,
    pub proofs: HashMap<String, Proof>,
}

pub fn new_id() -> String {
    Uuid::new_v4().to_string()
}

impl Connection {
    /// The record as the agent shows it.
    pub fn to_json(&self) -> Value {
        let mut record = json!({
            "_tags": { "state": self.state, "role": "responder", "threadId": self.thread_id, "outOfBandId": self.out_of_band_id },
            "metadata": {},
            "connectionTypes": [],
            "id": self.id,
            "createdAt": self.created_at.rfc3339(),
            "theirDid": format!("did:peer:1zQm{}", self.id.replace('-', "")),
            "theirLabel": Holder::of(&self.holder).wallet(),
            "state": self.state,
            "role": "responder",
            "alias": self.alias,
            "autoAcceptConnection": true,
            "threadId": self.thread_id,
            "protocol": "https://didcomm.org/didexchange/1.x",
            "outOfBandId": self.out_of_band_id,
            "updatedAt": self.updated_at.rfc3339(),
        });
        if let Some(message) = &self.error_message {
            record["errorMessage"] = json!(message);
        }
        record
    }
}

impl Proof {
    /// The record as the agent shows it.
    pub fn to_json(&self) -> Value {
        let mut record = json!({
            "_tags": { "state": self.state, "role": "verifier", "threadId": self.thread_id, "connectionId": self.connection_id },
            "metadata": {},
            "id": self.id,
            "createdAt": self.created_at.rfc3339(),
            "protocolVersion": "v1",
            "state": self.state,
            "role": "verifier",
            "connectionId": self.connection_id,
            "threadId": self.thread_id,
            "autoAcceptProof": "never",
            "updatedAt": self.updated_at.rfc3339(),
        });
        if let Some(verified) = self.is_verified {
            record["isVerified"] = json!(verified);
        }
        if let Some(message) = &self.error_message {
            record["errorMessage"] = json!(message);
        }
        record
    }

    /// What was presented, in order: the place of what was asked, what that was, from whose card. What was left out is
    /// not there.
    fn shown(&self) -> Vec<(usize, &Asked, Holder)> {
        let Some(presentation) = &self.presented else { return Vec::new() };
        let cards = presentation.cards(&self.asked);
        let shown = self.asked.iter().zip(cards).enumerate();
        shown.filter_map(|(place, (asked, card))| Some((place, asked, card?))).collect()
    }

    /// What was presented, as `verified-proofs` lists it (contract 4.4); of a condition the condition, not the value.
    pub fn revealed(&self) -> Vec<Value> {
        let entry = |(_, asked, holder): (usize, &Asked, Holder)| {
            let shown = match asked.predicate {
                None => holder.value(&asked.name),
                Some(Predicate { condition, value }) => format!("{}{value}", condition.sign()),
            };
            json!({ asked.name.as_str(): shown, "credDefId": asked.cred_def_id, "schemaId": asked.schema_id })
        };
        self.shown().into_iter().map(entry).collect()
    }

    /// What the gateway form of a webhook carries beside the record: the whole presentation.
    pub fn proof_data(&self) -> Value {
        let referent = |place: usize| format!("additionalProp{}", place + 1);
        let (mut attributes, mut predicates) = (Map::new(), Map::new());
        for (place, asked) in self.asked.iter().enumerate() {
            let restrictions = json!([{ "cred_def_id": asked.cred_def_id, "schema_id": asked.schema_id }]);
            match asked.predicate {
                None => attributes.insert(referent(place), json!({ "name": asked.name, "restrictions": restrictions })),
                Some(Predicate { condition, value }) => predicates.insert(
                    referent(place),
                    json!({
                        "name": asked.name, "p_type": condition.sign(), "p_value": value, "restrictions": restrictions,
                    }),
                ),
            };
        }
        let mut data = json!({ "request": { "indy": {
            "name": "Proof Request", "version": "1.0",
            "requested_attributes": attributes, "requested_predicates": predicates,
        } } });
        if self.presented.is_some() {
            let (mut revealed, mut fulfilled) = (Map::new(), Map::new());
            // One sub-proof for each card that was used: a holder's, of one definition.
            let mut cards: Vec<(Holder, &Asked)> = Vec::new();
            for (place, asked, holder) in self.shown() {
                let same =
                    |(known, first): &(Holder, &Asked)| *known == holder && first.cred_def_id == asked.cred_def_id;
                let card = cards.iter().position(same).unwrap_or_else(|| {
                    cards.push((holder, asked));
                    cards.len() - 1
                });
                if asked.predicate.is_some() {
                    fulfilled.insert(referent(place), json!({ "sub_proof_index": card }));
                } else {
                    let raw = holder.value(&asked.name);
                    revealed.insert(referent(place), json!({ "sub_proof_index": card, "raw": raw, "encoded": "0" }));
                }
            }
            let identifiers: Vec<Value> = cards
                .into_iter()
                .map(|(_, asked)| {
                    json!({
                        "schema_id": asked.schema_id, "cred_def_id": asked.cred_def_id, "rev_reg_id": null,
                        "timestamp": null,
                    })
                })
                .collect();
            data["presentation"] = json!({ "indy": {
                "requested_proof": { "revealed_attrs": revealed, "predicates": fulfilled },
                "identifiers": identifiers,
            } });
        }
        data
    }
}

fn parse<T: DeserializeOwned>(id: String, body: &str, into: &mut HashMap<String, T>) {
    // What an older version wrote in another form is left out: the sandbox is for trying.
    if let Ok(record) = serde_json::from_str(body) {
        into.insert(id, record);
    }
}

impl Records {
    /// The records that the database has.
    pub async fn load(store: &Store) -> Result<Self, StoreError> {
        let mut records = Self::default();
        for (kind, id, body) in store.sandbox_records().await? {
            match kind.as_str() {
                "invitation" => parse(id, &body, &mut records.invitations),
                "connection" => parse(id, &body, &mut records.connections),
                "proof" => parse(id, &body, &mut records.proofs),
                _ => {}
            }
        }
        Ok(records)
    }

    /// Takes over what another server's sandbox on the same database has written meanwhile. What is here is kept where it is
    /// as new: it may not be written down yet.
    pub fn take_newer(&mut self, others: Self) {
        for (id, invitation) in others.invitations {
            let known = self.invitations.get(&id);
            if known.is_none_or(|known| known.connection.is_none() && invitation.connection.is_some()) {
                self.invitations.insert(id, invitation);
            }
        }
        for (id, connection) in others.connections {
            if self.connections.get(&id).is_none_or(|known| known.updated_at < connection.updated_at) {
                self.connections.insert(id, connection);
            }
        }
        for (id, proof) in others.proofs {
            if self.proofs.get(&id).is_none_or(|known| known.updated_at < proof.updated_at) {
                self.proofs.insert(id, proof);
            }
        }
    }

    /// The connections whose handshake has not come to its end.
    pub fn unfinished_connections(&self) -> Vec<String> {
        let unfinished = |connection: &&Connection| !matches!(connection.state.as_str(), "completed" | "abandoned");
        self.connections.values().filter(unfinished).map(|connection| connection.id.clone()).collect()
    }

    /// The records that changed since then.
    pub fn latest_changes(&self, since: Timestamp) -> Vec<Record> {
        let connections = self.connections.values().filter(|c| c.updated_at > since).cloned().map(Record::Connection);
        let proofs = self.proofs.values().filter(|p| p.updated_at > since).cloned().map(Record::Proof);
        let recent = |invitation: &&Invitation| invitation.reuse.as_ref().is_some_and(|reuse| reuse.at > since);
        let reused = self.invitations.values().filter(recent).filter_map(|invitation| {
            let connection = self.connections.get(invitation.connection.as_ref()?)?.clone();
            Some(Record::Reused(connection, invitation.clone()))
        });
        connections.chain(reused).chain(proofs).collect()
    }

    /// The proof exchanges on a connection, newest first.
    pub fn proofs_on(&self, connection: &str) -> Vec<&Proof> {
        let mut proofs: Vec<_> = self.proofs.values().filter(|proof| proof.connection_id == connection).collect();
        proofs.sort_unstable_by_key(|proof| std::cmp::Reverse(proof.number));
        proofs
    }

    /// The connection that a holder's wallet would reuse: the newest one that is complete.
    pub fn reusable(&self, holder: &str) -> Option<&Connection> {
        let complete = |connection: &&Connection| connection.holder == holder && connection.state == "completed";
        self.connections.values().filter(complete).max_by_key(|connection| connection.created_at)
    }
}
