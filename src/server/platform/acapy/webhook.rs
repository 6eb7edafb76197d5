//! Reads an agent's webhook. Of its body only ids, states and times are kept, whatever the agent was told to send:
//! with `--debug-webhooks` it sends whole records, and in them what people presented. *Runs: server.*

use serde::Serialize;

use crate::{
    domain::ids::{ConnectionId, OutOfBandId},
    server::platform::{
        Delivery, DeliveryKind, NotAnObject, TAKEN_UP,
        body::{self, Fields, Keep, object, text},
    },
};

/// A body with the topic that its path names, as one: the way in which the agent's own socket tells it.
///
/// # Errors
/// When the body is no JSON object.
pub fn envelope(topic: &str, body: &[u8]) -> Result<Vec<u8>, NotAnObject> {
    #[derive(Serialize)]
    struct Envelope<'a> {
        topic: &'a str,
        payload: &'a Fields<'a>,
    }
    let payload = &body::parse(body)?;
    serde_json::to_vec(&Envelope { topic, payload }).map_err(|_| NotAnObject)
}

/// Translates a body in its envelope into a delivery.
///
/// # Errors
/// When there is no such envelope.
pub fn translate(envelope: &[u8]) -> Result<Delivery, NotAnObject> {
    let top = body::parse(envelope)?;
    let payload = object(&top, "payload").ok_or(NotAnObject)?;
    let body = body::write(&top, |name, value| {
        let is_kept = KEPT.contains(&name) && !value.is_object();
        if is_kept || WITHIN.contains(&name) { Keep::Field } else { Keep::Nothing }
    });
    let delivery = match text(&top, "topic").as_deref() {
        Some("connections") => connection(payload, body),
        Some("out_of_band") => invitation(payload, body),
        Some("present_proof_v2_0") => proof(payload, body),
        Some("problem_report") => problem(payload, body),
        Some(topic) if topic.starts_with("issue_credential") => Delivery::new(DeliveryKind::Issuance, body),
        _ => Delivery::new(DeliveryKind::Other, body),
    };
    let updated_at = text(payload, "updated_at");
    Ok(Delivery {
        occurred_at: updated_at.clone().or_else(|| text(payload, "created_at")),
        // A message has no such time, and a number of its own.
        updated_at: updated_at.or_else(|| text(payload, "@id")),
        ..delivery
    })
}

/// What is kept of what is within these, too.
const WITHIN: [&str; 3] = ["payload", "~thread", "description"];

/// The fields that are kept: what happened to which record, and when. Not the reasons, which are words of the wallet's: how an
/// exchange ended its record tells.
const KEPT: [&str; 18] = [
    "topic",
    "@id",
    "thid",
    "code",
    "state",
    "rfc23_state",
    "connection_id",
    "invitation_msg_id",
    "invi_msg_id",
    "oob_id",
    "pres_ex_id",
    "cred_ex_id",
    "thread_id",
    "role",
    "verified",
    "verified_msgs",
    "created_at",
    "updated_at",
];

fn connection(payload: &Fields<'_>, body: String) -> Delivery {
    let id = text(payload, "connection_id");
    Delivery {
        record_id: id.clone(),
        connection_id: id.map(ConnectionId),
        // The words of the RFC. A record that was deleted has none: that says nothing of a registration.
        state: text(payload, "rfc23_state").or_else(|| text(payload, "state")),
        out_of_band_id: text(payload, "invitation_msg_id").map(OutOfBandId),
        their_label: text(payload, "their_label"),
        ..Delivery::new(DeliveryKind::Connection, body)
    }
}

/// An invitation's own record names a connection once a wallet took it up: a new one, of which more is told, or, where the
/// invitation's DID was known to the wallet, one that stands, of which nothing more is told.
fn invitation(payload: &Fields<'_>, body: String) -> Delivery {
    let id = text(payload, "connection_id");
    let state = text(payload, "state").map(|state| if state == "done" { TAKEN_UP.to_owned() } else { state });
    Delivery {
        record_id: id.clone(),
        connection_id: id.map(ConnectionId),
        state,
        out_of_band_id: text(payload, "invi_msg_id").map(OutOfBandId),
        ..Delivery::new(DeliveryKind::Connection, body)
    }
}

fn proof(payload: &Fields<'_>, body: String) -> Delivery {
    Delivery {
        record_id: text(payload, "pres_ex_id"),
        connection_id: text(payload, "connection_id").map(ConnectionId),
        thread_id: text(payload, "thread_id"),
        state: text(payload, "state"),
        is_verified: text(payload, "verified").and_then(|verified| verified.parse().ok()),
        ..Delivery::new(DeliveryKind::Proof, body)
    }
}

/// What a wallet said that can make nothing of a question, because it has no such card for instance: the message itself,
/// which names no record, and the record does not change.
fn problem(payload: &Fields<'_>, body: String) -> Delivery {
    let code = object(payload, "description").and_then(|said| text(said, "code"));
    // It may say whatever it likes; that it gives up is all that counts.
    let code = code.filter(|code| code == "abandoned");
    Delivery {
        state: code.clone(),
        error_message: code,
        thread_id: object(payload, "~thread").and_then(|thread| text(thread, "thid")),
        ..Delivery::new(DeliveryKind::Proof, body)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::{domain::stage::Event, server::platform::Meaning};

    fn delivery(topic: &str, payload: &Value) -> Delivery {
        translate(&envelope(topic, payload.to_string().as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for body in ["", "null", "[]", "12", "{", "{},\"topic\":1", "{} {}"] {
            assert_eq!(envelope("connections", body.as_bytes()), Err(NotAnObject), "{body:?}");
        }
        assert_eq!(translate(b"{\"topic\":\"connections\"}").err(), Some(NotAnObject));
    }

    #[test]
    fn how_an_exchange_ended_its_record_tells_and_a_wallet_may_only_give_up() {
        let meaning = |topic, payload| delivery(topic, &payload).meaning();
        for error in [Value::Null, json!("abandoned: no")] {
            let ended = json!({ "pres_ex_id": "1", "state": "abandoned", "error_msg": error });
            assert_eq!(meaning("present_proof_v2_0", ended), Some(Meaning::EndedSomehow));
        }
        assert_eq!(meaning("present_proof_v2_0", json!({ "pres_ex_id": "1", "state": "deleted" })), None);
        let said = |code: &str| meaning("problem_report", json!({ "description": { "code": code } }));
        assert_eq!(said("abandoned"), Some(Meaning::Event(Event::ProofDeclined)));
        assert_eq!(said("done"), None);
    }

    #[test]
    fn verified_is_a_text() {
        let verified =
            |value| delivery("present_proof_v2_0", &json!({ "state": "done", "verified": value })).is_verified;
        assert_eq!(verified(json!("true")), Some(true));
        assert_eq!(verified(json!("false")), Some(false));
        assert_eq!(verified(json!("yes")), None);
        assert_eq!(verified(json!(true)), None);
    }

    #[test]
    fn what_a_delivery_means_is_the_same_after_it_was_stored() {
        let label = json!({ "state": "request", "rfc23_state": "request-received", "connection_id": "c",
            "invitation_msg_id": "i", "updated_at": "t", "their_label": "Somebody" });
        let done = json!({ "state": "done", "connection_id": "c", "invi_msg_id": "i", "invitation": { "state": "x" } });
        let proof = json!({ "state": "done", "verified": "true", "pres_ex_id": "p", "thread_id": "t",
            "by_format": { "pres": { "verified": "Somebody" } }, "verified_msgs": [{ "raw": "Somebody" }, "RMV"] });
        let problem = json!({ "@id": "m", "~thread": { "thid": "t", "pthid": "Somebody" },
            "description": { "en": "no card", "code": "abandoned", "more": "Somebody" }, "noticed_time": "Somebody" });
        let all =
            [("connections", label), ("out_of_band", done), ("present_proof_v2_0", proof), ("problem_report", problem)];
        for (topic, payload) in all {
            let first = delivery(topic, &payload);
            let again = translate(first.body.as_bytes()).unwrap();
            assert!(!first.body.contains("Somebody"), "{}", first.body);
            assert_eq!((first.key(), first.meaning(), &first.body), (again.key(), again.meaning(), &again.body));
            assert_eq!((first.out_of_band_id, first.connection_id), (again.out_of_band_id, again.connection_id));
        }
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(topic in "\\PC*", bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(envelope) = envelope(&topic, &bytes) {
                prop_assert!(translate(&envelope).is_ok());
            }
        }
    }
}
