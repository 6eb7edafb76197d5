//! The sandbox's webhook sender: any of the three body forms, with the configured authentication, and the platform's
//! own four attempts (contract 5.2, 5.3, 5.5). *Runs: server.*

use std::time::Duration;

use serde_json::{Value, json};

use super::{BodyForm, ORG_ID, Sandbox, TENANT_ID, records::Record};

impl Sandbox {
    /// Posts a record to our receiver; gives up after four attempts, like the platform.
    pub(super) async fn deliver(&self, record: Record) {
        let body = self.body(&record);
        for wait in [2, 4, 8, 0] {
            let sent = self
                .http
                .post(self.webhook_url.clone())
                .header("X-API-Key", &self.webhook_secret.0)
                .json(&body)
                .send()
                .await;
            match sent {
                Ok(answer) if answer.status().is_success() => return,
                Ok(answer) => tracing::warn!(status = answer.status().as_u16(), "the sandbox's webhook was refused"),
                Err(_) => tracing::warn!("the sandbox's webhook found nobody"),
            }
            tokio::time::sleep(Duration::from_secs(wait)).await;
        }
    }

    fn body(&self, record: &Record) -> Value {
        let now = self.clock.now().rfc3339();
        let (mut data, envelope_type, gateway_type) = match record {
            Record::Connection(connection) => (connection.to_json(), "Connection", "Connection"),
            Record::Proof(proof) => (proof.to_json(), "Proof", "Verification"),
        };
        match self.behaviour().webhook {
            BodyForm::Envelope => {
                if let Record::Connection(connection) = record {
                    data["connectionId"] = json!(connection.id);
                }
                data["contextCorrelationId"] = json!(TENANT_ID);
                json!({
                    "type": envelope_type, "timestamp": now, "orgId": ORG_ID, "tenantId": TENANT_ID, "data": data,
                    "clientContext": {},
                })
            }
            BodyForm::Gateway => {
                // The gateway drops the fields that are not on its list; of proofs it keeps tags and metadata.
                let dropped: &[&str] = match record {
                    Record::Connection(_) => &["_tags", "metadata", "alias", "connectionTypes"],
                    Record::Proof(_) => &["role"],
                };
                if let Value::Object(fields) = &mut data {
                    fields.retain(|field, _| !dropped.contains(&field.as_str()));
                }
                if let Record::Proof(proof) = record {
                    data["proofData"] = proof.proof_data();
                }
                data["contextCorrelationId"] = json!(TENANT_ID);
                data["type"] = json!(gateway_type);
                json!({ "data": data })
            }
            BodyForm::Flat => match record {
                Record::Connection(connection) => json!({
                    "type": envelope_type, "id": connection.id, "connectionId": connection.id,
                    "state": connection.state, "theirLabel": connection.their_label,
                    "outOfBandId": connection.out_of_band_id, "orgId": ORG_ID, "timestamp": now,
                }),
                Record::Proof(proof) => json!({
                    "type": envelope_type, "id": proof.id, "connectionId": proof.connection_id, "state": proof.state,
                    "orgId": ORG_ID, "timestamp": now,
                }),
            },
        }
    }
}
