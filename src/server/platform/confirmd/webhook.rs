//! Reads a webhook body in any of its three forms: envelope, gateway, flat (contract 5.3 and 5.4).
//!
//! Refuses nothing but what is no JSON object: what is merely not understood is kept and counted. *Runs: server.*

use std::collections::BTreeSet;

use serde_json_borrow::Value;

use crate::{
    domain::ids::{ConnectionId, OutOfBandId},
    server::platform::{
        Cards, Delivery, DeliveryKind, NotAnObject,
        body::{self, Fields, Keep, long_text, object, text},
    },
};

/// Translates a body into a delivery.
///
/// # Errors
/// When the body is no JSON object.
pub fn translate(body: &[u8]) -> Result<Delivery, NotAnObject> {
    let top = body::parse(body)?;
    let nested = object(&top, "data").filter(|data| data.contains_key("id") || data.contains_key("state"));
    let record = nested.unwrap_or(&top);

    let kind = kind(&top, record);
    let id = text(record, "id");
    let connection_id = match kind {
        DeliveryKind::Connection => text(record, "connectionId").or_else(|| id.clone()),
        _ => text(record, "connectionId"),
    };
    let record_id = if kind == DeliveryKind::Connection { connection_id.clone() } else { id };
    let reused_for = object(record, "outOfBandRecord").and_then(|record| text(record, "id"));
    let out_of_band_id = reused_for
        .clone()
        .or_else(|| text(record, "outOfBandId"))
        .or_else(|| object(record, "_tags").and_then(|tags| text(tags, "outOfBandId")));
    let tenant_id = text(&top, "tenantId").or_else(|| {
        let tenant = text(record, "contextCorrelationId")?;
        // A dedicated agent says `default`; newer shared ones prefix the tenant.
        let tenant = tenant.strip_prefix("tenant-").unwrap_or(&tenant);
        (tenant != "default").then(|| tenant.to_owned())
    });
    let updated_at = text(record, "updatedAt");
    Ok(Delivery {
        kind,
        record_id,
        state: text(record, "state"),
        connection_id: connection_id.map(ConnectionId),
        out_of_band_id: out_of_band_id.map(OutOfBandId),
        reused_for: reused_for.map(OutOfBandId),
        thread_id: text(record, "threadId"),
        org_id: text(&top, "orgId").or_else(|| text(record, "orgId")),
        tenant_id,
        alias: None,
        their_label: text(record, "theirLabel"),
        is_verified: record.get("isVerified").and_then(Value::as_bool),
        error_message: long_text(record, "errorMessage"),
        occurred_at: updated_at
            .clone()
            .or_else(|| text(&top, "timestamp"))
            .or_else(|| text(record, "timestamp"))
            .or_else(|| text(record, "createdAt")),
        updated_at,
        cards: cards(record),
        body: keep(kind, &top, nested.is_some()),
    })
}

/// The fields that are kept of a delivery that is not our business: whose it is and when, and nothing of its content. A
/// credential's delivery holds the whole card.
const SHORT_RECORD: [&str; 10] = [
    "type",
    "timestamp",
    "orgId",
    "tenantId",
    "id",
    "state",
    "connectionId",
    "threadId",
    "updatedAt",
    "contextCorrelationId",
];

/// What is stored of a delivery.
fn keep(kind: DeliveryKind, top: &Fields<'_>, nested: bool) -> String {
    match kind {
        DeliveryKind::Issuance | DeliveryKind::Other => body::write(top, |name, value| {
            let is_short = SHORT_RECORD.contains(&name) && (value.is_string() || value.is_number());
            // Within it there is nothing else that is an object and stays.
            if is_short || (nested && name == "data" && value.is_object()) { Keep::Field } else { Keep::Nothing }
        }),
        // A name that somebody gave their wallet is personal, and the session keeps it, sealed; a presentation is kept
        // nowhere. Its name stays, because its presence tells a proof from a connection.
        DeliveryKind::Connection | DeliveryKind::Proof => body::write(top, |name, _| match name {
            "theirLabel" => Keep::Nothing,
            "proofData" => Keep::Name,
            _ => Keep::Field,
        }),
    }
}

/// The kind by its label, corrected by content: proof events arrive labelled `Connection` too, and the state alone
/// cannot tell them apart.
fn kind(top: &Fields<'_>, record: &Fields<'_>) -> DeliveryKind {
    let label = text(top, "type").or_else(|| text(record, "type")).unwrap_or_default();
    match label.to_ascii_lowercase().as_str() {
        "connection" if looks_like_proof(record) => DeliveryKind::Proof,
        "connection" => DeliveryKind::Connection,
        "proof" | "proofrequest" | "verification" | "presentation" => DeliveryKind::Proof,
        "credential" | "issuance" => DeliveryKind::Issuance,
        _ => DeliveryKind::Other,
    }
}

fn looks_like_proof(record: &Fields<'_>) -> bool {
    ["protocolVersion", "autoAcceptProof", "isVerified", "proofData"].iter().any(|field| record.contains_key(field))
        || record.get("role").and_then(Value::as_str) == Some("verifier")
}

/// How many credentials the presentation answers from: the only thing in it that is needed (contract 5.3,
/// `sub_proof_index`).
fn cards(record: &Fields<'_>) -> Option<Cards> {
    let proof = record.get("proofData")?.get("presentation").get("indy").get("requested_proof");
    let credentials: BTreeSet<Option<i64>> = ["revealed_attrs", "revealed_attr_groups", "predicates"]
        .iter()
        .filter_map(|part| proof.get(*part).as_object())
        .flat_map(Fields::values)
        .map(|answer| answer.get("sub_proof_index").as_i64())
        .collect();
    match credentials.len() {
        0 => None,
        1 => Some(Cards::One),
        _ => Some(Cards::Several),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::{domain::stage::Event, server::platform::Meaning};

    fn delivery(body: &Value) -> Delivery {
        translate(body.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for body in ["", "null", "[]", "12", "\"text\"", "{", "\u{0}", "<xml/>"] {
            assert_eq!(translate(body.as_bytes()).err(), Some(NotAnObject), "{body:?}");
        }
    }

    #[test]
    fn wrong_types_are_read_as_missing() {
        let delivery = delivery(&json!({
            "type": 7, "orgId": [], "tenantId": {}, "data": { "id": 12, "state": true, "isVerified": "true" }
        }));
        assert_eq!(delivery.kind, DeliveryKind::Other);
        assert_eq!((delivery.record_id.as_ref(), delivery.state.as_ref(), delivery.is_verified), (None, None, None));
        assert_eq!(delivery.meaning(), None);
    }

    #[test]
    fn the_old_words_for_states_are_understood() {
        let event = |state: &str| delivery(&json!({ "type": "connection", "id": "1", "state": state })).meaning();
        assert_eq!(event("request"), Some(Meaning::Event(Event::ConnectionRequested)));
        assert_eq!(event("response"), Some(Meaning::Event(Event::ConnectionAnswered)));
        assert_eq!(event("active"), Some(Meaning::Event(Event::ConnectionCompleted)));
        assert_eq!(event("error"), Some(Meaning::Event(Event::ConnectionAbandoned)));
        assert_eq!(event("invitation"), None);
    }

    #[test]
    fn an_end_that_says_nothing_is_looked_up() {
        let ended = |more: Value| {
            let mut body = json!({ "type": "Proof", "id": "1", "state": "abandoned" });
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            delivery(&body).meaning()
        };
        assert_eq!(ended(json!({})), Some(Meaning::EndedSomehow));
        assert_eq!(ended(json!({ "isVerified": false })), Some(Meaning::Event(Event::ProofInvalid)));
        assert_eq!(ended(json!({ "errorMessage": "declined" })), Some(Meaning::Event(Event::ProofDeclined)));
    }

    #[test]
    fn a_prefixed_tenant_is_the_tenant() {
        let tenant = |id: &str| delivery(&json!({ "data": { "id": "1", "contextCorrelationId": id } })).tenant_id;
        assert_eq!(tenant("tenant-17").as_deref(), Some("17"));
        assert_eq!(tenant("17").as_deref(), Some("17"));
        assert_eq!(tenant("default"), None);
    }

    #[test]
    fn the_presentation_never_stays_in_the_body() {
        let presentation = json!({ "presentation": { "indy": { "requested_proof": { "revealed_attrs": {
            "a": { "sub_proof_index": 0, "raw": "Okonkwo" }, "b": { "sub_proof_index": 0, "raw": "Amaka" } } } } } });
        for body in [
            json!({ "data": { "id": "1", "type": "Verification", "proofData": presentation } }),
            json!({ "id": "1", "type": "Connection", "proofData": presentation }),
        ] {
            let delivery = delivery(&body);
            assert_eq!(delivery.kind, DeliveryKind::Proof);
            assert_eq!(delivery.cards, Some(Cards::One));
            assert!(!delivery.body.contains("Okonkwo"));
        }
    }

    #[test]
    fn a_condition_proven_with_another_card_is_a_mixture_too() {
        let proof = |predicate: i64| {
            json!({ "data": { "id": "1", "type": "Verification", "state": "done", "proofData": {
            "presentation": { "indy": { "requested_proof": {
                "revealed_attrs": { "a": { "sub_proof_index": 0, "raw": "x" } },
                "predicates": { "p": { "sub_proof_index": predicate } } } } } } } })
        };
        assert_eq!(delivery(&proof(0)).cards, Some(Cards::One));
        assert_eq!(delivery(&proof(1)).cards, Some(Cards::Several));
        assert_eq!(delivery(&proof(1)).meaning(), Some(Meaning::Event(Event::CardsMixed)));
        assert_eq!(delivery(&json!({ "data": { "id": "1", "proofData": {} } })).cards, None);
    }

    #[test]
    fn the_wallets_name_is_read_and_does_not_stay_in_the_body() {
        for body in [
            json!({ "type": "Connection", "data": { "id": "1", "theirLabel": "Somebody" } }),
            json!({ "type": "Connection", "id": "1", "theirLabel": "Somebody" }),
        ] {
            let delivery = delivery(&body);
            assert_eq!(delivery.their_label.as_deref(), Some("Somebody"));
            assert!(!delivery.body.contains("Somebody"));
        }
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = translate(&bytes);
        }

        #[test]
        fn no_object_is_refused(fields in proptest::collection::btree_map("type|id|state|data|proofData|_tags", "\\PC*", 0..6)) {
            let delivery = translate(&serde_json::to_vec(&fields).unwrap()).unwrap();
            let _ = (delivery.meaning(), delivery.key());
        }
    }
}
