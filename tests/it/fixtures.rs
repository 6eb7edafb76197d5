//! The webhook fixtures: every one gives the fields that `meta/expectations.json` says, and every sequence ends where
//! it says, in the given order and in any other.

use std::{fs, path::PathBuf};

use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;
use vestibule::{
    domain::stage::{Event, Progress},
    server::platform::{Cards, Delivery, Meaning, confirmd::translate},
};

use crate::{
    harness::Desk,
    platform::{FakePlatform, ProofEnd, proof_id_for, thread_id_for},
};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/webhooks");

pub fn expectations() -> Value {
    let text = fs::read_to_string(format!("{FOLDER}/meta/expectations.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The body of a fixture, as text.
pub fn fixture(name: &str) -> String {
    fs::read_to_string(format!("{FOLDER}/{name}.json")).unwrap()
}

fn normalised(delivery: &Delivery) -> Value {
    json!({
        "kind": delivery.kind.as_str(),
        "record_id": delivery.record_id,
        "state": delivery.state,
        "connection_id": delivery.connection_id,
        "out_of_band_id": delivery.out_of_band_id,
        "thread_id": delivery.thread_id,
        "org_id": delivery.org_id,
        "tenant_id": delivery.tenant_id,
        "is_verified": delivery.is_verified,
        "error_message": delivery.error_message,
        "occurred_at": delivery.occurred_at,
    })
}

#[test]
fn every_fixture_gives_its_normalised_fields() {
    let expectations = expectations();
    let expected = expectations["expected"].as_object().unwrap();
    let mut files: Vec<PathBuf> = fs::read_dir(FOLDER).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    assert_eq!(files.len(), expected.len(), "a fixture without expectations, or the other way round");
    for path in files {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let delivery = translate(&fs::read(&path).unwrap()).unwrap();
        assert_eq!(normalised(&delivery), expected[name], "{name}");
    }
}

#[test]
fn no_fixtures_personal_data_stays_in_what_is_stored() {
    let expectations = expectations();
    for name in expectations["expected"].as_object().unwrap().keys() {
        let stored = translate(fixture(name).as_bytes()).unwrap().body;
        for field in ["surname", "othernames", "matric_number", "date_of_birth", "national_id_number"] {
            let value = expectations["student"][field].as_str().unwrap();
            assert!(!stored.contains(value), "{name} keeps {value}");
        }
    }
}

#[test]
fn only_a_presentation_of_two_cards_is_found_to_mix_them() {
    for name in expectations()["expected"].as_object().unwrap().keys() {
        let mixes = translate(fixture(name).as_bytes()).unwrap().cards == Some(Cards::Several);
        assert_eq!(mixes, name.ends_with("two-credentials"), "{name}");
    }
}

/// Our stage for the words of the expectations, where only events count. `verified` needs the platform's own word, so
/// the events alone lead to `presented`.
fn stage_by_events(word: &str) -> &str {
    match word {
        "verified" => "presented",
        "connection_failed" => "abandoned",
        other => other,
    }
}

fn sequences() -> Vec<(String, Vec<String>, String)> {
    let expectations = expectations();
    let sequences = expectations["sequences"].as_object().unwrap();
    sequences
        .iter()
        .map(|(name, sequence)| {
            let events = sequence["events"].as_array().unwrap().iter().map(|event| event.as_str().unwrap().to_owned());
            (name.clone(), events.collect(), sequence["final_state"].as_str().unwrap().to_owned())
        })
        .collect()
}

fn event_of(delivery: &Delivery) -> Event {
    match delivery.meaning() {
        Some(Meaning::Event(event)) => event,
        other => panic!("{other:?} is no event"),
    }
}

#[test]
fn every_sequence_ends_in_its_stage_by_events_alone() {
    for (name, events, end) in sequences() {
        let mut progress = Progress::START;
        for event in &events {
            let delivery = translate(fixture(event).as_bytes()).unwrap();
            progress.apply(event_of(&delivery));
        }
        assert_eq!(progress.stage.as_str(), stage_by_events(&end), "{name}");
    }
}

/// Posts a sequence to a real server, and waits for where it ends.
async fn play(desk: &Desk, platform: &FakePlatform, events: &[String], end: &str) -> Vec<String> {
    let opened = desk.open().await;
    let mut watcher = desk.watch(&opened).await;
    // Ids of this registration's own, because one database sees many of them.
    let ids = &expectations()["ids"];
    let id = |name: &str| ids[name].as_str().unwrap().to_owned();
    let connection = format!("e81d5c47{}", &Uuid::new_v4().to_string()[8..]);
    let mut outcomes = Vec::new();
    for event in events {
        let body = fixture(event)
            .replace(&id("out_of_band_id"), &platform.last_out_of_band_id())
            .replace(&id("connection_id"), &connection)
            .replace(&id("proof_id"), &proof_id_for(&connection))
            .replace(&id("proof_thread_id"), &thread_id_for(&connection));
        outcomes.push(desk.record(&serde_json::from_str(&body).unwrap()).await);
    }
    let reached = loop {
        let message = watcher.next().await;
        if message["stage"] == end {
            break message;
        }
    };
    let versions: Vec<u64> = watcher.seen.iter().map(|state| state["version"].as_u64().unwrap()).collect();
    assert!(versions.is_sorted_by(|a, b| a < b), "versions only rise: {versions:?}");
    assert_eq!(reached["sessionId"], opened.id);
    if end != "requested" {
        // Nothing moves it any more, not even what has come since.
        assert_eq!(desk.snapshot(&opened).await["stage"], end);
    }
    outcomes
}

/// Where a sequence ends on a server that asks for the proof by itself.
fn stage_on_server(word: &str) -> &str {
    match word {
        "connected" => "requested",
        "connection_failed" => "abandoned",
        other => other,
    }
}

#[tokio::test]
async fn every_sequence_ends_in_its_stage_on_a_real_server() {
    let platform = FakePlatform::start(ProofEnd::Verified).await;
    let desk = Desk::on(&platform).await;
    for (name, events, end) in sequences() {
        let outcomes = play(&desk, &platform, &events, stage_on_server(&end)).await;
        assert_eq!(outcomes.len(), events.len(), "{name}");
        if name == "same_events_in_two_dialects" {
            assert_eq!(outcomes[1], "repeated", "one exchange reported twice counts once");
            assert_eq!(outcomes[3], "repeated", "one exchange reported twice counts once");
        }
    }
}

#[test]
fn any_order_and_any_repetition_of_a_sequence_ends_in_the_same_stage() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let platform = runtime.block_on(FakePlatform::start(ProofEnd::Verified));
    let desk = runtime.block_on(Desk::on(&platform));
    let sequences = sequences();
    let strategy = (0..sequences.len()).prop_flat_map(|place| {
        let (_, events, end) = sequences[place].clone();
        let twice: Vec<String> = events.iter().chain(&events).cloned().collect();
        (1..=events.len())
            .prop_flat_map(move |extra| {
                // Each event at least once, some of them twice, in any order.
                Just(twice[..events.len() + extra].to_vec()).prop_shuffle()
            })
            .prop_map(move |events| (events, end.clone()))
    });
    let config = ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |((events, end) in strategy)| {
        runtime.block_on(play(&desk, &platform, &events, stage_on_server(&end)));
    });
}
