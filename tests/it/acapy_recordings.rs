//! What was recorded of a real ACA-Py agent (`tests/fixtures/acapy`), read as Vestibule reads it.

use std::fs;

use serde_json::Value;
use vestibule::{
    domain::stage::Event,
    server::platform::{
        Delivery, Meaning,
        acapy::{envelope, translate},
    },
};

/// A recording, or an answer of the admin API.
pub fn recorded(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/acapy/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn translated(webhook: &Value) -> Delivery {
    let topic = webhook["path"].as_str().unwrap().trim_end_matches('/').rsplit('/').next().unwrap();
    translate(&envelope(topic, webhook["body"].to_string().as_bytes()).unwrap()).unwrap()
}

/// What a recording means, without what moves nothing.
fn meanings(name: &str) -> Vec<Meaning> {
    recorded(name)["webhooks"].as_array().unwrap().iter().filter_map(|webhook| translated(webhook).meaning()).collect()
}

#[test]
fn recordings_of_a_real_agent_mean_what_happened() {
    use Event::{
        ConnectionAbandoned, ConnectionAnswered, ConnectionCompleted, ConnectionRequested, PresentationReceived,
        ProofRequested,
    };
    let connected = [ConnectionRequested, ConnectionAnswered, ConnectionCompleted];
    let and = |more: &[Event]| [&connected[..], more].concat();
    for (name, expected) in [
        ("connect-didexchange-1.1", connected.to_vec()),
        ("connect-rejected", vec![ConnectionRequested, ConnectionAbandoned]),
        ("invitation-deleted", Vec::new()),
        ("message", connected.to_vec()),
        ("credential-offer", connected.to_vec()),
        ("proof-declined", and(&[ProofRequested])),
        ("proof-withdrawn", and(&[ProofRequested])),
        ("proof-anoncreds-verified", and(&[ProofRequested, PresentationReceived, PresentationReceived])),
        ("proof-anoncreds-not-verified", and(&[ProofRequested, PresentationReceived, PresentationReceived])),
        ("proof-ldp-verified", and(&[ProofRequested, PresentationReceived, PresentationReceived])),
        ("debug-webhooks-proof", and(&[ProofRequested, PresentationReceived, PresentationReceived])),
    ] {
        let mut found = meanings(name);
        let taken_up = found.len();
        found.retain(|meaning| *meaning != Meaning::TakenUp);
        assert!(taken_up - found.len() <= 1, "{name}");
        if ["proof-declined", "proof-withdrawn"].contains(&name) {
            assert_eq!(found.pop(), Some(Meaning::EndedSomehow), "{name}: its record tells");
        }
        assert_eq!(found, expected.into_iter().map(Meaning::Event).collect::<Vec<_>>(), "{name}");
    }
    // The second invitation is told of by its own record alone.
    assert_eq!(meanings("connect-reuse").pop(), Some(Meaning::TakenUp));
}

#[test]
fn nothing_personal_stays_of_any_recording_with_debug_webhooks_least_of_all() {
    for file in fs::read_dir(format!("{}/tests/fixtures/acapy", env!("CARGO_MANIFEST_DIR"))).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let Some(name) = name.strip_suffix(".json") else { continue };
        for webhook in recorded(name)["webhooks"].as_array().unwrap() {
            let kept = translated(webhook).body;
            for personal in
                ["Ada", "Lovelace", "ada@example.org", "Holder Wallet", "their_label", "invitation_url", "by_format"]
            {
                assert!(!kept.contains(personal), "{name} keeps {personal}: {kept}");
            }
        }
    }
}
