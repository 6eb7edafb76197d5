//! The sandbox's webhook sender: any of the three body forms, with the configured authentication, and the platform's
//! own four attempts; and as often and as late as its behaviour says (contract 5.2, 5.3, 5.5). *Runs: server.*

use std::{sync::Arc, time::Duration};

use reqwest::header;
use serde_json::{Value, json};

use super::{BodyForm, ORG_ID, OutOfBandPlace, Sandbox, TENANT_ID, records::Record};

impl Sandbox {
    /// Posts a record to the receiver, in as many copies and as late as chance has it.
    pub(super) async fn deliver(self: &Arc<Self>, record: Record) {
        let mut copies = self.mood().copies();
        if matches!(&record, Record::Proof(proof) if proof.presented.as_ref().is_some_and(|shown| shown.twice)) {
            copies.extend(copies.clone());
        }
        for (form, wait) in copies {
            let body = self.body(&record, form).to_string();
            if wait.is_zero() {
                self.post(body).await;
            } else {
                let sandbox = Arc::clone(self);
                // Not waited for: what comes after it may arrive before it.
                tokio::spawn(async move {
                    tokio::time::sleep(wait).await;
                    sandbox.post(body).await;
                });
            }
        }
    }

    /// Posts a body; gives up after four attempts, like the platform.
    async fn post(&self, body: String) {
        for wait in [2, 4, 8, 0] {
            let to = self.hook().clone();
            let headers = to.auth.headers(&to.secret, self.to.clock.now(), body.as_bytes());
            let request = self.http.post(to.url).header(header::CONTENT_TYPE, "application/json");
            let request = headers.into_iter().fold(request, |request, (name, value)| request.header(name, value));
            match request.body(body.clone()).send().await {
                Ok(answer) if answer.status().is_success() => return,
                Ok(answer) => tracing::warn!(status = answer.status().as_u16(), "the sandbox's webhook was refused"),
                Err(_) => tracing::warn!("the sandbox's webhook found nobody"),
            }
            tokio::time::sleep(Duration::from_secs(wait)).await;
        }
    }

    fn body(&self, record: &Record, form: BodyForm) -> Value {
        let now = self.to.clock.now().rfc3339();
        let (mut data, envelope_type, gateway_type) = match record {
            Record::Connection(connection) => (connection.to_json(), "Connection", "Connection"),
            Record::Reused(connection, invitation) => {
                let mut data = connection.to_json();
                data["outOfBandRecord"] = json!({ "id": invitation.id });
                data["reuseThreadId"] = json!(invitation.reuse.as_ref().map(|reuse| &reuse.thread_id));
                (data, "Connection", "Connection")
            }
            Record::Proof(proof) => (proof.to_json(), "Proof", "Verification"),
        };
        let place = self.mood().behaviour.out_of_band_id;
        let drop = |data: &mut Value, fields: &[&str]| {
            if let Value::Object(data) = data {
                data.retain(|field, _| !fields.contains(&field.as_str()));
            }
        };
        if place != OutOfBandPlace::Everywhere {
            drop(&mut data, &["outOfBandId"]);
        }
        if place == OutOfBandPlace::Nowhere {
            drop(&mut data["_tags"], &["outOfBandId"]);
        }
        match form {
            BodyForm::Envelope | BodyForm::Any => {
                if let Record::Connection(connection) | Record::Reused(connection, _) = record {
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
                    Record::Connection(_) | Record::Reused(..) => {
                        &["_tags", "metadata", "alias", "connectionTypes", "errorMessage"]
                    }
                    Record::Proof(_) => &["role"],
                };
                drop(&mut data, dropped);
                if let Record::Proof(proof) = record {
                    data["proofData"] = proof.proof_data();
                }
                data["contextCorrelationId"] = json!(TENANT_ID);
                data["type"] = json!(gateway_type);
                json!({ "data": data })
            }
            BodyForm::Flat => {
                let id = data["id"].clone();
                let kept: &[&str] = match record {
                    Record::Connection(_) => &["id", "state", "theirLabel", "outOfBandId"],
                    Record::Reused(..) => {
                        &["id", "state", "theirLabel", "outOfBandId", "outOfBandRecord", "reuseThreadId"]
                    }
                    Record::Proof(_) => &["id", "state", "connectionId"],
                };
                if let Value::Object(data) = &mut data {
                    data.retain(|field, _| kept.contains(&field.as_str()));
                }
                if !matches!(record, Record::Proof(_)) {
                    data["connectionId"] = id;
                }
                data["type"] = json!(envelope_type);
                data["orgId"] = json!(ORG_ID);
                data["timestamp"] = json!(now);
                data
            }
        }
    }
}
