//! What bodies of webhooks look like, for the document of the API: the fields that are read, in the platform's words. The reader
//! is lenient (contract 5.3): what is missing, of another type or unknown is no error. *Runs: server.*

#![expect(dead_code, reason = "it says what the reader of webhooks looks for")]

use serde_json::json;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema,
        schema::{AnyOfBuilder, RefBuilder},
    },
};

/// A body, in one of three forms. Which one, the fields tell.
pub struct ConfirmdWebhook;

impl ToSchema for ConfirmdWebhook {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((ConfirmdRecord::name().into(), ConfirmdRecord::schema()));
    }
}

impl PartialSchema for ConfirmdWebhook {
    fn schema() -> RefOr<Schema> {
        let flat = RefBuilder::new().ref_location_from_schema_name(ConfirmdRecord::name()).title(Some("Flat"));
        let any = AnyOfBuilder::new()
            .description(Some("A webhook of the ConfirmD Platform. Fields that are not named here are let pass."));
        any.item(Envelope::schema()).item(Gateway::schema()).item(flat).into()
    }
}

/// The envelope: the record in `data`, and around it what it is about.
#[derive(ToSchema)]
#[schema(title = "Envelope", rename_all = "camelCase")]
struct Envelope {
    /// `Connection`, `Proof` or `Credential`. Proofs were seen under the name of connections: then the record tells.
    r#type: String,
    /// When it was sent.
    timestamp: Option<String>,
    /// The organisation. Another one than ours is refused.
    org_id: Option<String>,
    /// The tenant. Another one than ours is refused, where `CONFIRMD_TENANT_ID` is set.
    tenant_id: Option<String>,
    data: ConfirmdRecord,
}

/// The gateway's form: nothing but `data`, and in it the type.
#[derive(ToSchema)]
#[schema(title = "Gateway")]
struct Gateway {
    data: ConfirmdRecord,
}

/// A connection or a proof exchange at the platform.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
struct ConfirmdRecord {
    /// Which record changed.
    id: Option<String>,
    /// `Connection`, `Proof`, `Verification` or `Issuance`, where nothing around the record tells.
    r#type: Option<String>,
    /// Of a connection `request-received`, `response-sent`, `completed` or `abandoned`; of a proof `request-sent`,
    /// `presentation-received`, `done` or `abandoned`. Others are kept, and move nothing.
    state: Option<String>,
    /// The connection it belongs to.
    connection_id: Option<String>,
    /// The invitation it belongs to; also looked for in `_tags`.
    out_of_band_id: Option<String>,
    /// The DIDComm thread.
    thread_id: Option<String>,
    /// The name of the wallet.
    their_label: Option<String>,
    /// The platform's check of a presentation. It is never believed: the platform is asked.
    is_verified: Option<bool>,
    /// How an exchange ended, in any language.
    error_message: Option<String>,
    /// The last part of what tells a repetition from something new.
    updated_at: Option<String>,
}

/// A delivery in each of the forms.
#[must_use]
pub fn examples() -> [(&'static str, serde_json::Value); 3] {
    let (connection, proof) = ("e81d5c47-93b2-4f6a-b0d8-2a7c4e9f1b35", "4b6f2a90-d15e-4c73-a8b2-9e0d7c3f5161");
    let invitation = "c2a9f6d3-0b74-4e18-8f5a-6d1b3c9e7a20";
    [
        (
            "envelope",
            json!({ "type": "Connection", "timestamp": "2026-03-02T10:15:04.310Z", "data": {
                "id": connection, "connectionId": connection, "state": "completed", "outOfBandId": invitation,
                "theirLabel": "Amaka's phone", "updatedAt": "2026-03-02T10:15:03.410Z",
            } }),
        ),
        (
            "gateway",
            json!({ "data": {
                "type": "Verification", "id": proof, "connectionId": connection, "state": "presentation-received",
                "isVerified": true, "updatedAt": "2026-03-02T10:15:41.730Z",
            } }),
        ),
        ("flat", json!({ "type": "Proof", "id": proof, "connectionId": connection, "state": "done" })),
    ]
}
