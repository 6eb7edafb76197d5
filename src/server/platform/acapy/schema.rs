//! What bodies of webhooks look like, for the document of the API: the fields that are read, in the agent's words. The reader is
//! lenient: what is missing, of another type or unknown is no error. *Runs: server.*

use serde_json::json;
use utoipa::ToSchema;

/// A webhook of an ACA-Py agent: a record that changed, or a problem report. Fields that are not named here are let pass.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it says what the reader of webhooks looks for")]
pub struct AcapyWebhook {
    /// Of a connection, an invitation or a proof. Those that are not known are kept, and move nothing.
    state: Option<String>,
    /// A connection's state in the words of the RFC, which counts where it is there.
    rfc23_state: Option<String>,
    /// The connection.
    connection_id: Option<String>,
    /// The invitation that a connection answers.
    invitation_msg_id: Option<String>,
    /// The invitation that an out-of-band record is of.
    invi_msg_id: Option<String>,
    /// The proof exchange.
    pres_ex_id: Option<String>,
    /// The DIDComm thread of a proof exchange.
    thread_id: Option<String>,
    /// The agent's check of a presentation, `true` or `false` as text. It is never believed: the agent is asked.
    verified: Option<String>,
    /// The name of the wallet.
    their_label: Option<String>,
    /// The last part of what tells a repetition from something new.
    updated_at: Option<String>,
}

/// A delivery of each topic that moves something, by topic.
#[must_use]
pub fn examples() -> [(&'static str, serde_json::Value); 4] {
    let (connection, invitation) = ("29632e51-b138-4a25-8540-6ba2cc78d426", "95b92de9-76be-48d7-a479-d91a0b1827fe");
    let thread = "34e57ff0-35d0-4209-83e9-395cf65d8994";
    [
        (
            "connections",
            json!({ "state": "request", "rfc23_state": "request-received", "connection_id": connection,
                "invitation_msg_id": invitation, "their_label": "Amaka's phone",
                "updated_at": "2026-11-23T02:10:10.676795Z" }),
        ),
        ("out_of_band", json!({ "state": "done", "connection_id": connection, "invi_msg_id": invitation })),
        (
            "present_proof_v2_0",
            json!({ "state": "done", "verified": "true", "connection_id": connection, "thread_id": thread,
                "pres_ex_id": "b5d1b2f0-6b1e-4f0c-9a55-6a1b4f0f8a43" }),
        ),
        ("problem_report", json!({ "description": { "code": "abandoned" }, "~thread": { "thid": thread } })),
    ]
}
