//! What Vestibule asks of an agent, in its words. *Runs: server.*

use serde_json::{Value, json};

use super::{
    Client, InvitationDid,
    client::PRESENT_PROOF,
    presentation::{self, proof},
};
use crate::{
    domain::{
        desk::Desk,
        ids::{ConnectionId, OutOfBandId, ProofId},
    },
    server::platform::{
        Call, Connection, ConnectionState, Delivery, Invitation, InvitationKeys, Leftovers, NotAnObject, Platform,
        PlatformError, Proof, ProofState, Revealed,
        http::{LONGEST_WAIT, missing, patiently, text, within},
    },
};

/// What a wallet is told whose answer is no longer wanted.
const NO_LONGER_WANTED: &str = "The registration was ended.";

/// Reads a connection record; `None` while it only stands for an invitation. It is read by the words of RFC 0023.
fn connection(record: &Value) -> Result<Option<Connection>, PlatformError> {
    let id = text(record, "connection_id").ok_or_else(|| missing("connection id"))?;
    let state = match record["rfc23_state"].as_str().unwrap_or_default() {
        "completed" => ConnectionState::Completed,
        "abandoned" => ConnectionState::Abandoned,
        "response-sent" => ConnectionState::Answered,
        "request-received" => ConnectionState::Requested,
        _ => return Ok(None),
    };
    Ok(Some(Connection {
        id: ConnectionId(id),
        state,
        out_of_band_id: text(record, "invitation_msg_id").map(OutOfBandId),
        alias: text(record, "alias"),
        their_label: text(record, "their_label"),
    }))
}

fn results(answer: Option<&Value>) -> Result<&[Value], PlatformError> {
    let Some(answer) = answer else { return Ok(&[]) };
    answer["results"].as_array().map(Vec::as_slice).ok_or_else(|| missing("list"))
}

impl Client {
    async fn invite(&self, alias: &str) -> Result<Value, PlatformError> {
        let mut body = json!({
            // Not `connections/1.0`: this agent takes such an answer and does nothing.
            "handshake_protocols": ["https://didcomm.org/didexchange/1.1", "https://didcomm.org/didexchange/1.0"],
            "accept": ["didcomm/aip1", "didcomm/aip2;env=rfc19"],
            "alias": alias,
        });
        if !self.settings.label.is_empty() {
            body["my_label"] = json!(self.settings.label);
        }
        match &self.settings.invitation_did {
            InvitationDid::New => {}
            InvitationDid::Method(method) => body["use_did_method"] = json!(method),
            InvitationDid::Did(did) => body["use_did"] = json!(did),
        }
        // Single use: a scan belongs to one session and to no other.
        let query = [("auto_accept", "true"), ("multi_use", "false")];
        let answer = self.call(Call::CreateInvitation, &["out-of-band", "create-invitation"], &query, Some(&body));
        answer.await?.ok_or(PlatformError::Refused(404))
    }

    async fn record(&self, call: Call, id: &ProofId) -> Result<Option<Value>, PlatformError> {
        self.call(call, &[PRESENT_PROOF, "records", &id.0], &[], None).await
    }
}

#[async_trait::async_trait]
impl Platform for Client {
    fn translate(&self, body: &[u8]) -> Result<Delivery, NotAnObject> {
        super::translate(body)
    }

    async fn create_invitation(&self, alias: &str) -> Result<Invitation, PlatformError> {
        let mut answer = within(LONGEST_WAIT, patiently(|| self.invite(alias))).await?;
        Ok(Invitation {
            url: text(&answer, "invitation_url").ok_or_else(|| missing("invitation URL"))?,
            out_of_band_id: Some(OutOfBandId(text(&answer, "invi_msg_id").ok_or_else(|| missing("invitation id"))?)),
            row_id: text(&answer, "oob_id"),
            message: Some(answer["invitation"].take()).filter(Value::is_object),
        })
    }

    async fn connection(&self, id: &ConnectionId) -> Result<Option<Connection>, PlatformError> {
        let record = self.call(Call::Connection, &["connections", &id.0], &[], None).await?;
        record.as_ref().map_or(Ok(None), connection)
    }

    async fn connections(&self, invitation: InvitationKeys<'_>) -> Result<Vec<Connection>, PlatformError> {
        let query = match invitation.out_of_band_id {
            Some(id) => ("invitation_msg_id", &*id.0),
            None => ("alias", invitation.alias),
        };
        let answer = self.call(Call::Connections, &["connections"], &[query], None).await?;
        let ours = |connection: &Connection| match invitation.out_of_band_id {
            Some(id) => connection.out_of_band_id.as_ref() == Some(id),
            None => connection.alias.as_deref() == Some(invitation.alias),
        };
        let records = results(answer.as_ref())?.iter();
        Ok(records.filter_map(|record| connection(record).ok().flatten()).filter(ours).collect())
    }

    async fn request_proof(&self, to: &ConnectionId, desk: &Desk, comment: &str) -> Result<Proof, PlatformError> {
        // Not verified by itself: the exchange waits for our own acceptance, after our own look at it.
        let body = json!({
            "connection_id": to, "comment": comment, "auto_verify": false, "auto_remove": false,
            "presentation_request": presentation::request(desk),
        });
        let answer = self.call(Call::RequestProof, &[PRESENT_PROOF, "send-request"], &[], Some(&body)).await?;
        proof(&answer.ok_or(PlatformError::Refused(404))?)
    }

    async fn find_proof(&self, connection: &ConnectionId, comment: &str) -> Result<Option<Proof>, PlatformError> {
        // An answer has a hundred at most.
        let query = [("connection_id", &*connection.0), ("role", "verifier"), ("descending", "true")];
        let answer = self.call(Call::FindProof, &[PRESENT_PROOF, "records"], &query, None).await?;
        // The comment is of one attempt alone: others may ask over the same connection.
        let ours = |record: &&Value| {
            record["connection_id"].as_str() == Some(&connection.0)
                && record["pres_request"]["comment"].as_str() == Some(comment)
        };
        // Times in RFC 3339, all in UTC and of the same length: their order is that of their texts.
        let newest = results(answer.as_ref())?.iter().filter(ours).max_by_key(|record| record["created_at"].as_str());
        newest.map(proof).transpose()
    }

    async fn proof(&self, id: &ProofId) -> Result<Option<Proof>, PlatformError> {
        self.record(Call::Proof, id).await?.as_ref().map(proof).transpose()
    }

    async fn accept_proof(&self, id: &ProofId) -> Result<Option<Proof>, PlatformError> {
        let path = [PRESENT_PROOF, "records", &*id.0, "verify-presentation"];
        match self.call(Call::AcceptProof, &path, &[], Some(&json!({}))).await {
            // Whether the exchange is given up with this, its record tells.
            Err(PlatformError::Refused(status)) => Err(PlatformError::Unavailable { status, retry_after: None }),
            answer => Ok(answer?.and_then(|record| proof(&record).ok())),
        }
    }

    async fn revealed(&self, id: &ProofId, desk: &Desk) -> Result<Vec<Revealed>, PlatformError> {
        let record = self.record(Call::Revealed, id).await?.ok_or_else(|| missing("exchange"))?;
        Ok(presentation::revealed(&record, desk))
    }

    fn keeps_leftovers(&self) -> bool {
        true
    }

    async fn delete_leftovers(&self, left: Leftovers<'_>) -> Result<(), PlatformError> {
        // With an invitation the agent deletes the connections that were made from it, or that went over to it.
        if let Some(keys @ InvitationKeys { out_of_band_id: Some(OutOfBandId(id)), .. }) = left.invitation
            && self.connections(keys).await?.is_empty()
        {
            self.call(Call::DeleteInvitation, &["out-of-band", "invitations", id], &[], None).await?;
        }
        let Some(id) = left.proof else { return Ok(()) };
        if self.proof(id).await?.is_some_and(|proof| proof.state == ProofState::Requested) {
            let path = [PRESENT_PROOF, "records", &*id.0, "problem-report"];
            let report = json!({ "description": NO_LONGER_WANTED });
            match self.call(Call::WithdrawProof, &path, &[], Some(&report)).await {
                // The wallet was quicker.
                Ok(_) | Err(PlatformError::Refused(_)) => {}
                Err(error) => return Err(error),
            }
        }
        self.record(Call::DeleteProof, id).await.map(drop)
    }
}
