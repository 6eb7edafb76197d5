//! What Vestibule asks of the ConfirmD Platform, in its words (contract 2 to 4). *Runs: server.*

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::Client;
use crate::{
    domain::{
        desk::{Attribute, Desk},
        ids::{ConnectionId, OutOfBandId, ProofId},
    },
    server::platform::{
        Call, Connection, ConnectionState, Delivery, Invitation, InvitationKeys, NotAnObject, Platform, PlatformError,
        Proof, ProofState, Revealed,
        http::{LONGEST_WAIT, missing, patiently, text, within},
    },
};

/// Reads a connection record; `None` in a state that no invitation of ours comes into (contract 3.4).
fn connection(record: &Value) -> Result<Option<Connection>, PlatformError> {
    let id = text(record, "id").or_else(|| text(record, "connectionId")).ok_or_else(|| missing("connection id"))?;
    let state = match record["state"].as_str().unwrap_or_default() {
        "completed" | "active" => ConnectionState::Completed,
        "abandoned" | "error" => ConnectionState::Abandoned,
        "response-sent" | "response" => ConnectionState::Answered,
        "request-received" | "request" => ConnectionState::Requested,
        _ => return Ok(None),
    };
    Ok(Some(Connection {
        id: ConnectionId(id),
        state,
        out_of_band_id: text(record, "outOfBandId").or_else(|| text(&record["_tags"], "outOfBandId")).map(OutOfBandId),
        alias: text(record, "alias"),
        their_label: text(record, "theirLabel"),
    }))
}

/// Reads a proof record by state and `isVerified` together (contract 4.6). `done` alone is not enough.
fn proof(record: &Value) -> Result<Proof, PlatformError> {
    let id = text(record, "id").or_else(|| text(record, "proofId")).ok_or_else(|| missing("proof id"))?;
    let state = match (record["state"].as_str().unwrap_or_default(), record["isVerified"].as_bool()) {
        ("presentation-received", Some(true)) => ProofState::Presented,
        ("done", Some(true)) => ProofState::Verified,
        ("presentation-received" | "done" | "abandoned", Some(false)) => ProofState::Invalid,
        ("abandoned", _) => ProofState::Declined,
        _ => ProofState::Requested,
    };
    // Only webhooks show the presentation.
    Ok(Proof { id: ProofId(id), thread_id: text(record, "threadId"), state, cards: None })
}

/// One entry of a proof request. The value of a condition is a numeric string: a number is refused (contract 4.1).
fn entry(attribute: &Attribute, desk: &Desk) -> Value {
    let mut entry = json!({ "attributeName": attribute.name, "credDefId": desk.credential.cred_def_id });
    if let Some(schema) = &desk.credential.schema_id {
        entry["schemaId"] = json!(schema);
    }
    if let Some(predicate) = &attribute.predicate {
        entry["condition"] = json!(predicate.condition.as_str());
        entry["value"] = json!(predicate.value.to_string());
    }
    entry
}

/// What was revealed of one attribute; `None` when nothing was. An entry that names another definition is of another
/// card, and a predicate is answered with its own condition (contract 4.4).
fn answered(attribute: &Attribute, entries: &[Value], desk: &Desk) -> Result<Option<Revealed>, PlatformError> {
    let mut values = entries
        .iter()
        .filter(|entry| entry["credDefId"].as_str().is_none_or(|id| id == desk.credential.cred_def_id))
        .filter_map(|entry| entry[&attribute.name].as_str());
    let Some(value) = values.next() else { return Ok(None) };
    if values.any(|other| other != value) {
        return Err(PlatformError::Nonsense("two values for one attribute".to_owned()));
    }
    if let Some(predicate) = &attribute.predicate {
        let proven = format!("{}{}", predicate.condition.as_str(), predicate.value);
        if value.split_whitespace().collect::<String>() != proven {
            return Ok(None);
        }
    }
    Ok(Some(Revealed { name: attribute.name.clone(), value: value.to_owned() }))
}

impl Client {
    async fn invite(&self, alias: &str) -> Result<Value, PlatformError> {
        // Single use: a scan belongs to one session and to no other (contract 2.2).
        let body = json!({ "multiUseInvitation": false, "autoAcceptConnection": true, "alias": alias });
        let data = self.call(Call::CreateInvitation, &["connections"], &[], Some(&body)).await?;
        data.ok_or(PlatformError::Refused(StatusCode::NOT_FOUND.as_u16()))
    }
}

#[async_trait::async_trait]
impl Platform for Client {
    fn translate(&self, body: &[u8]) -> Result<Delivery, NotAnObject> {
        super::translate(body)
    }

    async fn create_invitation(&self, alias: &str) -> Result<Invitation, PlatformError> {
        let data = within(LONGEST_WAIT, patiently(|| self.invite(alias))).await?;
        let url = text(&data, "connectionInvitation").ok_or_else(|| missing("invitation URL"))?;
        let (out_of_band_id, row_id) = (text(&data, "recordId").map(OutOfBandId), text(&data, "id"));
        if out_of_band_id.is_none() {
            tracing::error!("an invitation came without recordId; its connection has to be found by alias");
        }
        let message = within(LONGEST_WAIT, async { Ok(self.resolve(&url).await) }).await.unwrap_or_default();
        if message.is_none() {
            tracing::warn!("the platform's invitation URL leads to no invitation; wallets are sent to it as it is");
        }
        Ok(Invitation { out_of_band_id, row_id, message, url })
    }

    async fn connection(&self, id: &ConnectionId) -> Result<Option<Connection>, PlatformError> {
        let record = self.call(Call::Connection, &["connections", &id.0], &[], None).await?;
        record.as_ref().map_or(Ok(None), connection)
    }

    async fn connections(&self, invitation: InvitationKeys<'_>) -> Result<Vec<Connection>, PlatformError> {
        // With an out-of-band id the platform applies no other filter (contract 3.2).
        let query = match invitation.out_of_band_id {
            Some(id) => ("outOfBandId", &*id.0),
            None => ("alias", invitation.alias),
        };
        let Some(records) = self.call(Call::Connections, &["agent", "connections"], &[query], None).await? else {
            return Ok(Vec::new());
        };
        let records = records.as_array().ok_or_else(|| missing("list of connections"))?;
        // A platform that does not know the filter gives everybody's.
        let ours = |connection: &Connection| {
            connection.alias.as_deref() == Some(invitation.alias)
                || (invitation.out_of_band_id.is_some()
                    && connection.out_of_band_id.as_ref() == invitation.out_of_band_id)
        };
        Ok(records.iter().filter_map(|record| connection(record).ok().flatten()).filter(ours).collect())
    }

    async fn request_proof(&self, to: &ConnectionId, desk: &Desk, comment: &str) -> Result<Proof, PlatformError> {
        let attributes: Vec<Value> = desk.attributes.iter().map(|attribute| entry(attribute, desk)).collect();
        // `never`: the exchange waits for our own acceptance, after our own look at it (contract 4.1).
        let body = json!({
            "connectionId": to, "comment": comment, "autoAcceptProof": "never",
            "proofFormats": { "indy": { "attributes": attributes } },
        });
        let record = self
            .call(Call::RequestProof, &["proofs"], &[("requestType", "indy")], Some(&body))
            .await?
            // A connection that the platform does not know yet: it said completed a moment ago.
            .ok_or(PlatformError::Unavailable { status: 404, retry_after: None })?;
        proof(&record)
    }

    async fn find_proof(&self, connection: &ConnectionId, _: &str) -> Result<Option<Proof>, PlatformError> {
        let query = [
            ("pageNumber", "1"),
            ("pageSize", "10"),
            ("search", &*connection.0),
            ("sortField", "createDateTime"),
            ("sortBy", "desc"),
        ];
        let Some(page) = self.call(Call::FindProof, &["proofs"], &query, None).await? else { return Ok(None) };
        // The search matches parts of ids: only the whole one counts.
        let mut rows = page["data"].as_array().ok_or_else(|| missing("list of proofs"))?.iter();
        let Some(row) = rows.find(|row| row["connectionId"].as_str() == Some(&connection.0)) else { return Ok(None) };
        // One that is listed and cannot be read is there all the same: to say there is none would ask a second time.
        let id = text(row, "presentationId").ok_or_else(|| missing("proof id"))?;
        self.proof(&ProofId(id)).await?.map(Some).ok_or_else(|| missing("proof that is listed"))
    }

    async fn proof(&self, id: &ProofId) -> Result<Option<Proof>, PlatformError> {
        self.call(Call::Proof, &["proofs", &id.0], &[], None).await?.as_ref().map(proof).transpose()
    }

    async fn accept_proof(&self, id: &ProofId) -> Result<Option<Proof>, PlatformError> {
        let record = self.call(Call::AcceptProof, &["proofs", &id.0, "verify"], &[], None).await?;
        Ok(record.and_then(|record| proof(&record).ok()))
    }

    async fn revealed(&self, id: &ProofId, desk: &Desk) -> Result<Vec<Revealed>, PlatformError> {
        let data = self.call(Call::Revealed, &["verified-proofs", &id.0], &[], None).await?;
        let entries = data.as_ref().and_then(Value::as_array).ok_or_else(|| missing("revealed attribute"))?;
        let found = desk.attributes.iter().map(|attribute| answered(attribute, entries, desk));
        Ok(found.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }
}
