//! The sandbox agent's records, in the form its API and its webhooks show them (contract 3.1, 4.1). *Runs: server.*

use std::collections::HashMap;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use uuid::Uuid;

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
    /// The connection made from it; a single-use invitation takes one.
    pub connection: Option<String>,
}

/// A connection record.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Connection {
    pub id: String,
    pub out_of_band_id: String,
    pub alias: Option<String>,
    pub thread_id: String,
    pub their_label: String,
    /// Whose wallet it is: the key of a made-up holder.
    pub holder: String,
    pub state: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A proof exchange record.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Proof {
    pub id: String,
    pub connection_id: String,
    pub thread_id: String,
    pub comment: String,
    /// Attribute, credential definition, schema: what was asked for, in order.
    pub asked: Vec<(String, String, Option<String>)>,
    pub state: String,
    pub is_verified: Option<bool>,
    pub error_message: Option<String>,
    /// What the wallet presented, by attribute.
    pub presented: HashMap<String, String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// One of the records, for a webhook.
#[derive(Clone, Debug)]
pub enum Record {
    Connection(Connection),
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
        json!({
            "_tags": { "state": self.state, "role": "responder", "threadId": self.thread_id, "outOfBandId": self.out_of_band_id },
            "metadata": {},
            "connectionTypes": [],
            "id": self.id,
            "createdAt": self.created_at.rfc3339(),
            "theirDid": format!("did:peer:1zQm{}", self.id.replace('-', "")),
            "theirLabel": self.their_label,
            "state": self.state,
            "role": "responder",
            "alias": self.alias,
            "autoAcceptConnection": true,
            "threadId": self.thread_id,
            "protocol": "https://didcomm.org/didexchange/1.x",
            "outOfBandId": self.out_of_band_id,
            "updatedAt": self.updated_at.rfc3339(),
        })
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

    /// What the gateway form of a webhook carries beside the record: the whole presentation.
    pub fn proof_data(&self) -> Value {
        let referent = |place: usize| format!("additionalProp{}", place + 1);
        let asked = self.asked.iter().enumerate().map(|(place, (name, definition, schema))| {
            let restriction = json!({ "cred_def_id": definition, "schema_id": schema });
            (referent(place), json!({ "name": name, "restrictions": [restriction] }))
        });
        let mut data = json!({ "request": { "indy": {
            "name": "Proof Request", "version": "1.0", "requested_attributes": Value::Object(asked.collect()),
            "requested_predicates": {},
        } } });
        if !self.presented.is_empty() {
            let revealed = self.asked.iter().enumerate().filter_map(|(place, (name, ..))| {
                let raw = self.presented.get(name)?;
                Some((referent(place), json!({ "sub_proof_index": 0, "raw": raw, "encoded": "0" })))
            });
            let identifiers = self.asked.first().map(|(_, definition, schema)| {
                json!({ "schema_id": schema, "cred_def_id": definition, "rev_reg_id": null, "timestamp": null })
            });
            data["presentation"] = json!({ "indy": {
                "requested_proof": { "revealed_attrs": Value::Object(revealed.collect()), "predicates": {} },
                "identifiers": [identifiers],
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

    /// The connections whose handshake has not come to its end.
    pub fn unfinished_connections(&self) -> Vec<String> {
        let unfinished = |connection: &&Connection| !matches!(connection.state.as_str(), "completed" | "abandoned");
        self.connections.values().filter(unfinished).map(|connection| connection.id.clone()).collect()
    }

    /// The records that changed since then.
    pub fn latest_changes(&self, since: Timestamp) -> Vec<Record> {
        let connections = self.connections.values().filter(|c| c.updated_at > since).cloned().map(Record::Connection);
        let proofs = self.proofs.values().filter(|p| p.updated_at > since).cloned().map(Record::Proof);
        connections.chain(proofs).collect()
    }

    /// The newest proof exchange on a connection.
    pub fn proof_on(&self, connection: &str) -> Option<&Proof> {
        self.proofs.values().filter(|proof| proof.connection_id == connection).max_by_key(|proof| proof.created_at)
    }
}
