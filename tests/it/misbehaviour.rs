//! What the sandbox's platform can do wrong: each is what it says it is.

use std::collections::BTreeSet;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use vestibule::server::{
    clock::Clock,
    platform::{AuthMode, confirmd::translate},
    sandbox::Fault,
    secrets::Secret,
};

use crate::{
    harness::{Desk, WEBHOOK_SECRET},
    own_platform::{OwnPlatform, at_least, desk_on_a_sandbox_elsewhere, proof_request, reveal},
};

#[tokio::test]
async fn a_sandbox_of_its_own_is_a_platform_for_another_server() {
    let elsewhere = desk_on_a_sandbox_elsewhere(AuthMode::Hmac, &[]).await;
    elsewhere.behave(json!({}));
    let opened = elsewhere.desk.open().await;
    let mut watcher = elsewhere.desk.watch(&opened).await;
    let wallet = elsewhere.take(&opened, "student-7", "connect").await;
    watcher.until("requested").await;
    wallet.answer("share").await;
    assert_eq!(watcher.until("verified").await["theirLabel"], "Phone H");
}

#[tokio::test]
async fn every_fault_is_answered_as_said_and_has_the_effect_that_it_says() {
    let mut platform = OwnPlatform::start().await;
    let (connection, _) = platform.connected("amaka").await;
    let request = proof_request(&connection, &[reveal("surname")]);
    let path = format!("/proofs?search={connection}");
    for (fault, status, effect) in [
        ("none", 201, true),
        ("refused", 400, false),
        ("unauthorized", 401, false),
        ("tooMany", 429, false),
        ("error", 500, false),
        ("lost", 500, true),
        ("nonsense", 201, true),
    ] {
        let known = platform.call(Method::GET, &path, None).await.json::<Value>().await.unwrap();
        platform.behave(json!({ "faults": [fault] }));
        let answer = platform.call(Method::POST, "/proofs", Some(&request)).await;
        assert_eq!(answer.status(), status, "{fault}");
        assert_eq!(answer.headers().get("retry-after").is_some_and(|wait| wait == "1"), fault == "tooMany");
        let is_json = serde_json::from_slice::<Value>(&answer.bytes().await.unwrap()).is_ok();
        assert_eq!(is_json, fault != "nonsense", "{fault}");
        let now = platform.call(Method::GET, &path, None).await.json::<Value>().await.unwrap();
        let count = |answer: &Value| answer["data"]["totalItems"].as_u64().unwrap_or(0);
        assert_eq!(count(&now) - count(&known), u64::from(effect), "{fault}");
        if effect {
            assert_eq!(platform.next().await.state(), "request-sent", "{fault}");
        }
    }
}

#[tokio::test]
async fn what_hangs_or_is_held_back_has_had_its_effect_and_its_webhook_overtakes_it() {
    for behaviour in [json!({ "faults": ["hang"] }), json!({ "answerDelay": 60_000 })] {
        let mut platform = OwnPlatform::start().await;
        let (connection, _) = platform.connected("amaka").await;
        let request = proof_request(&connection, &[reveal("surname")]);
        platform.behave(behaviour.clone());
        let (http, url) = (platform.http.clone(), platform.url.clone());
        let token = platform.token().to_owned();
        let call = tokio::spawn(async move {
            let path = format!("{url}/sandbox/orgs/{}/proofs", vestibule::server::sandbox::ORG_ID);
            http.post(path).bearer_auth(token).json(&request).send().await.unwrap().status()
        });
        let sent = platform.next().await;
        assert_eq!(sent.state(), "request-sent");
        assert!(!call.is_finished(), "{behaviour}");
        call.abort();
        platform.behave(json!({}));
        assert_eq!(platform.proof(sent.record()["id"].as_str().unwrap()).await["state"], "request-sent");
    }
}

#[tokio::test]
async fn a_platform_that_is_down_answers_503_and_uses_no_fault_up() {
    let platform = OwnPlatform::start().await;
    platform.behave(json!({ "down": true, "faults": ["error", "lost"] }));
    for _ in 0..3 {
        let answer = platform.call(Method::POST, "/connections", Some(&json!({}))).await;
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    }
    assert_eq!(platform.sandbox.behaviour().faults, [Fault::Error, Fault::Lost]);
    platform.behave(json!({}));
    assert_eq!(platform.call(Method::POST, "/connections", Some(&json!({}))).await.status(), StatusCode::CREATED);
}

#[tokio::test]
async fn events_are_dropped_doubled_and_overtake_each_other() {
    let mut platform = OwnPlatform::start().await;
    platform.behave(json!({ "copies": [0] }));
    let connection = {
        let (_, wallet) = platform.wallet("amaka", "connect").await;
        wallet.connection().to_owned()
    };
    while platform.data(Method::GET, &format!("/connections/{connection}"), None).await["state"] != "completed" {
        tokio::task::yield_now().await;
    }
    platform.behave(json!({ "copies": [3] }));
    let request = proof_request(&connection, &[reveal("surname")]);
    platform.call(Method::POST, "/proofs", Some(&request)).await;
    let mut sent = 0;
    while sent < 3 {
        match platform.next().await.state() {
            "request-sent" => sent += 1,
            // The agent's record changes a moment before its webhook: this one may be of the new behaviour.
            "completed" => {}
            dropped => panic!("{dropped} was sent"),
        }
    }
    // Of thirty events, held back by chance, some overtake others; none is lost.
    platform.behave(json!({ "delay": [1, 60], "seed": 3, "webhook": "any" }));
    let mut asked = Vec::new();
    for _ in 0..30 {
        let proof = platform.data(Method::POST, "/proofs", Some(&request)).await;
        asked.push(proof["id"].as_str().unwrap().to_owned());
    }
    let mut received = Vec::new();
    let mut shapes = BTreeSet::new();
    while received.len() < asked.len() {
        let sent = platform.next().await;
        if sent.state() == "completed" {
            continue;
        }
        received.push(sent.record()["id"].as_str().unwrap().to_owned());
        shapes.insert((sent.body["data"].is_object(), sent.body["timestamp"].is_string()));
    }
    assert_ne!(received, asked, "they came in the order in which they were made");
    assert_eq!(BTreeSet::from_iter(&received), BTreeSet::from_iter(&asked));
    assert_eq!(shapes.len(), 3, "each of the three forms was used: {shapes:?}");
}

#[tokio::test]
async fn connection_webhooks_carry_the_out_of_band_id_where_they_are_told_to() {
    let mut platform = OwnPlatform::start().await;
    for form in ["envelope", "gateway", "flat"] {
        for (place, in_field, in_tags) in [("everywhere", true, true), ("tags", false, true), ("nowhere", false, false)]
        {
            platform.behave(json!({ "outOfBandId": place, "webhook": form, "recordId": in_field }));
            let (invitation, connection) = {
                let (invitation, wallet) = platform.wallet("amaka", "connect").await;
                (invitation, wallet.connection().to_owned())
            };
            assert_eq!(invitation.get("recordId").is_some(), in_field);
            let record = platform.data(Method::GET, &format!("/connections/{connection}"), None).await;
            assert!(record["outOfBandId"].is_string(), "the API always names it");
            for state in ["request-received", "response-sent", "completed"] {
                let sent = platform.next().await;
                assert_eq!(sent.state(), state);
                assert_eq!(sent.record()["outOfBandId"].is_string(), in_field, "{form} {place}");
                let has_tags = in_tags && form == "envelope";
                assert_eq!(sent.record()["_tags"]["outOfBandId"].is_string(), has_tags, "{form} {place}");
                let read = translate(&sent.bytes).unwrap();
                assert_eq!(read.connection_id.unwrap().0, connection);
                assert_eq!(read.out_of_band_id.is_some(), in_field || has_tags);
            }
        }
    }
}

#[tokio::test]
async fn webhooks_are_signed_anew_with_the_configured_secret() {
    let mut platform = OwnPlatform::start().await;
    platform.wallet("amaka", "connect").await;
    let secrets = [Secret(WEBHOOK_SECRET.to_owned())];
    for _ in 0..3 {
        let sent = platform.next().await;
        let claim = AuthMode::Hmac.check_headers(&sent.headers, &secrets, Clock::default().now()).unwrap();
        assert!(claim.check_body(&secrets, &sent.bytes).is_ok());
    }
}

#[tokio::test]
async fn a_request_for_a_proof_is_refused_for_the_reasons_the_real_platform_has() {
    let mut platform = OwnPlatform::start().await;
    let (connection, _) = platform.connected("amaka").await;
    let with = |field: &str, value: Value| {
        let mut asked = at_least("credits_earned", "60");
        asked[field] = value;
        vec![asked]
    };
    let mut other_card = reveal("surname");
    other_card["credDefId"] = json!("another");
    for (attributes, status, message) in [
        (vec![], 400, "unique attribute names"),
        (vec![reveal("surname"), reveal("surname")], 400, "unique attribute names"),
        (vec![reveal("surname"), other_card], 201, ""),
        (with("value", json!(60)), 400, "value must be a number"),
        (with("value", json!("many")), 400, "value must be a number"),
        (with("value", Value::Null), 400, "value"),
        (with("condition", Value::Null), 400, "condition"),
        (with("condition", json!("==")), 400, "condition"),
        (with("credDefId", json!("")), 400, "credDefId"),
        (with("attributeName", json!("")), 400, "attributeName"),
        (vec![reveal("credits_earned"), at_least("credits_earned", "60")], 500, ""),
        (vec![reveal("surname"), at_least("credits_earned", "60")], 201, ""),
    ] {
        let answer = platform.call(Method::POST, "/proofs", Some(&proof_request(&connection, &attributes))).await;
        assert_eq!(answer.status(), status, "{attributes:?}");
        let answer: Value = answer.json().await.unwrap();
        assert!(answer["message"].as_str().unwrap().contains(message), "{answer}");
    }
}

#[tokio::test]
async fn a_behaviour_that_cannot_be_meant_is_refused_and_changes_nothing() {
    let desk = Desk::sandbox().await;
    let url = format!("{}/sandbox/behaviour", desk.url);
    crate::sandbox::behave(&desk, json!({ "pace": 7 })).await;
    for wrong in [json!({ "copies": [] }), json!({ "delay": [2, 1] }), json!({ "faults": ["typo"] }), json!({ "x": 1 })]
    {
        assert!(desk.http.put(&url).json(&wrong).send().await.unwrap().status().is_client_error(), "{wrong}");
    }
    let now: Value = desk.http.get(&url).send().await.unwrap().json().await.unwrap();
    assert_eq!((&now["pace"], &now["copies"], &now["delay"]), (&json!(7), &json!([1]), &json!([0, 0])));
}
