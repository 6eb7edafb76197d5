//! What the domain's types look like as JSON. The domain names no framework, so it is said here; tests hold it against what is
//! really sent. *Runs: server.*

use std::{borrow::Cow, collections::BTreeSet};

use serde::Serialize;
use serde_json::json;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Ref, RefOr, Schema,
        schema::{AllOfBuilder, ObjectBuilder, OneOfBuilder, Type},
    },
};

use crate::domain::{
    ids::SessionId,
    session::Snapshot,
    stage::{Progress, Stage},
    status::{EventType, Status},
    wire::{ClientMessage, ServerMessage},
};

impl ToSchema for SessionId {}

impl PartialSchema for SessionId {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new().schema_type(Type::String).description(Some("The name of a session."));
        text.pattern(Some("^[A-Za-z0-9_-]{22}([A-Za-z0-9_-]{6})?$"))
            .examples([json!("AZ3qk1ZrV0m8u5nXc2YpTfWb7hDe")])
            .into()
    }
}

/// A text that is one of the words that these become.
fn words<T: Serialize>(description: &str, all: impl IntoIterator<Item = T>) -> RefOr<Schema> {
    let words: BTreeSet<_> = all.into_iter().map(|one| json!(one).as_str().unwrap_or_default().to_owned()).collect();
    let text = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words));
    text.description(Some(description)).into()
}

/// Everything that a stage can look like.
fn progresses() -> impl Iterator<Item = Progress> {
    let both = |stage| [false, true].map(|answered| Progress { stage, answered });
    Stage::ALL.into_iter().flat_map(both)
}

impl ToSchema for Stage {}

impl PartialSchema for Stage {
    fn schema() -> RefOr<Schema> {
        words("Where the registration stands.", Stage::ALL)
    }
}

impl ToSchema for Status {}

impl PartialSchema for Status {
    fn schema() -> RefOr<Schema> {
        words("The same in the words of the platform.", progresses().map(Progress::status))
    }
}

impl ToSchema for EventType {}

impl PartialSchema for EventType {
    fn schema() -> RefOr<Schema> {
        words("The protocol that `status` speaks of.", progresses().map(Progress::event_type))
    }
}

/// The whole public state of a session. Of two, the one with the higher `version` is newer.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase", example = json!({
    "sessionId": "AZ3qk1ZrV0m8u5nXc2YpTfWb7hDe", "attempt": 1, "version": 3, "stage": "connected", "status": "active",
    "eventType": "connection", "opened": true, "theirLabel": "Amaka's phone", "timestamp": "2026-03-02T10:15:03.410Z",
    "expiresAt": "2026-03-02T10:25:00.120Z", "remainingMs": 596_710,
}))]
#[expect(dead_code, reason = "it says what the domain's own looks like")]
struct SnapshotShape {
    session_id: SessionId,
    /// Counts from 1; when it changes, the code on screen is another one.
    #[schema(minimum = 1)]
    attempt: u32,
    /// Rises by one with each change.
    #[schema(minimum = 1)]
    version: u64,
    stage: Stage,
    status: Status,
    event_type: EventType,
    /// Whether a wallet fetched the code's link.
    opened: bool,
    /// There, and true, while the platform keeps the server waiting.
    #[schema(required = false)]
    delayed: bool,
    /// The name of the wallet, once it asked to connect: a stranger's text.
    #[schema(nullable = false)]
    their_label: Option<String>,
    /// When the state last changed.
    #[schema(format = DateTime)]
    timestamp: String,
    /// The deadline of the stage.
    #[schema(format = DateTime)]
    expires_at: String,
    /// Milliseconds until the deadline, when this was sent.
    remaining_ms: u64,
}

impl ToSchema for Snapshot {}

impl PartialSchema for Snapshot {
    fn schema() -> RefOr<Schema> {
        SnapshotShape::schema()
    }
}

/// The schemas that a snapshot's names.
#[must_use]
pub fn of_snapshots() -> Vec<(String, RefOr<Schema>)> {
    let mut schemas = Vec::new();
    SnapshotShape::schemas(&mut schemas);
    schemas
}

/// A snapshot with the word that says what it is.
fn message(word: &str) -> AllOfBuilder {
    AllOfBuilder::new().item(word_alone(word)).item(Ref::from_schema_name("Snapshot"))
}

/// An object that has nothing but that word.
fn word_alone(word: &str) -> ObjectBuilder {
    let text = ObjectBuilder::new().schema_type(Type::String).enum_values(Some([word]));
    ObjectBuilder::new().schema_type(Type::Object).property("type", text).required("type")
}

impl ToSchema for ServerMessage {}

impl PartialSchema for ServerMessage {
    fn schema() -> RefOr<Schema> {
        let any = OneOfBuilder::new().description(Some(
            "What the socket sends: the state as it is now, each newer one, and the answer to a ping.",
        ));
        any.item(message("connected")).item(message("status_update")).item(word_alone("pong")).into()
    }
}

/// The answer to a poll: the same as what the socket sends of a newer state.
pub struct StatusUpdate;

impl ToSchema for StatusUpdate {
    fn name() -> Cow<'static, str> {
        "StatusUpdate".into()
    }
}

impl PartialSchema for StatusUpdate {
    fn schema() -> RefOr<Schema> {
        message("status_update").description(Some("The state, in the shape of a pushed update.")).into()
    }
}

impl ToSchema for ClientMessage {}

impl PartialSchema for ClientMessage {
    fn schema() -> RefOr<Schema> {
        word_alone("ping").description(Some("What a client may send over the socket.")).into()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::Value;

    use super::*;
    use crate::domain::{
        session::{Deadlines, Session},
        time::Timestamp,
    };

    fn names(value: &Value) -> BTreeSet<String> {
        value.as_object().unwrap().keys().cloned().collect()
    }

    #[test]
    fn a_snapshot_has_the_members_that_are_described_and_no_others() {
        let time = Duration::from_secs(1);
        let (id, deadlines) =
            (SessionId::new(Timestamp(0), [7; 16]), Deadlines { code: time, wallet: time, form: time });
        let session = Session::open(id, "c".to_owned(), Timestamp(0), &deadlines);
        let least = session.snapshot(Timestamp(0));
        let most = Snapshot { delayed: true, their_label: Some("Amaka".to_owned()), ..least.clone() };
        let (least, most, described) = (json!(least), json!(most), json!(Snapshot::schema()));
        assert_eq!(names(&described["properties"]), names(&most));
        let required = described["required"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned());
        assert_eq!(required.collect::<BTreeSet<_>>(), names(&least));
    }
}
