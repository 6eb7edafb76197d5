//! Further attempts in the same session: over the same connection or with a new code; nothing of an earlier one reaches
//! a later one.

use serde_json::{Value, json};
use vestibule::server::{platform::AuthMode, sessions::OpenError};

use crate::{
    harness::{Desk, Opened, PATIENCE},
    own_platform::{Elsewhere, desk_on_a_sandbox_elsewhere},
    platform::{FakePlatform, ProofEnd, proof_id_for},
    reconcile::pass_until,
    sandbox::application_page,
};

async fn ask_again(desk: &Desk, opened: &Opened, attempt: u32) -> Result<u32, OpenError> {
    let asked = desk.app.sessions.ask_again(opened.id.parse().unwrap(), attempt).await;
    asked.map(|session| session.attempt)
}

async fn code_of(desk: &Desk, opened: &Opened, attempt: u32) -> String {
    let attempt = desk.app.sessions.store.attempt(opened.id.parse().unwrap(), attempt).await.unwrap();
    attempt.unwrap().code
}

/// A registration whose wallet was asked.
async fn requested(elsewhere: &Elsewhere) -> (Opened, crate::sandbox::Wallet<'_>) {
    elsewhere.behave(json!({}));
    let opened = elsewhere.desk.open().await;
    let wallet = elsewhere.take(&opened, "amaka", "connect").await;
    pass_until(&elsewhere.desk, &opened, "requested").await;
    (opened, wallet)
}

#[tokio::test]
async fn after_every_bad_answer_the_same_wallet_can_be_asked_again() {
    for (answer, end) in [("decline", "declined"), ("invalid", "invalid"), ("silent", "requested")] {
        let elsewhere = desk_on_a_sandbox_elsewhere(AuthMode::ApiKey, &[]).await;
        let desk = &elsewhere.desk;
        let (opened, wallet) = requested(&elsewhere).await;
        wallet.answer(answer).await;
        pass_until(desk, &opened, end).await;
        let before = desk.snapshot(&opened).await["version"].as_u64().unwrap();
        // Two presses at once are one wish.
        let (first, second) = tokio::join!(ask_again(desk, &opened, 1), ask_again(desk, &opened, 1));
        assert_eq!((first.unwrap(), second.unwrap()), (2, 2));
        let snapshot = desk.snapshot(&opened).await;
        assert_eq!((&snapshot["attempt"], &snapshot["stage"]), (&json!(2), &json!("requested")));
        assert!(snapshot["version"].as_u64().unwrap() > before);
        let (old, new) = (code_of(desk, &opened, 1).await, code_of(desk, &opened, 2).await);
        assert_ne!(old, new, "the codes tell the requests apart");
        while !wallet.shown().await.contains(&new) {
            desk.pass(std::time::Duration::from_millis(20)).await;
        }
        assert_eq!(elsewhere.proofs_on(wallet.connection()).await, 2, "one request for each attempt");
        wallet.answer("share").await;
        assert_eq!(pass_until(desk, &opened, "verified").await["attempt"], 2);
        assert!(application_page(desk, &opened).await.text().await.unwrap().contains("UNI/CSC/21/0417"));
    }
}

#[tokio::test]
async fn an_earlier_attempts_exchange_is_never_taken_for_the_one_that_is_looked_for() {
    let elsewhere = desk_on_a_sandbox_elsewhere(AuthMode::ApiKey, &[]).await;
    let desk = &elsewhere.desk;
    let (opened, wallet) = requested(&elsewhere).await;
    wallet.answer("decline").await;
    pass_until(desk, &opened, "declined").await;
    // The connection is read, and the call that asks fails without effect: what is found then is the first exchange.
    elsewhere.behave(json!({ "faults": ["none", "error"] }));
    ask_again(desk, &opened, 1).await.unwrap();
    let code = code_of(desk, &opened, 2).await;
    tokio::time::timeout(PATIENCE, async {
        while !wallet.shown().await.contains(&code) {
            desk.pass(std::time::Duration::from_millis(200)).await;
        }
    })
    .await
    .expect("the wallet is asked after all");
    assert_eq!(elsewhere.proofs_on(wallet.connection()).await, 2);
}

#[tokio::test]
async fn an_expired_attempt_can_go_on_over_its_connection() {
    let elsewhere = desk_on_a_sandbox_elsewhere(AuthMode::ApiKey, &[]).await;
    let desk = &elsewhere.desk;
    let (opened, wallet) = requested(&elsewhere).await;
    desk.clock.advance(desk.app.sessions.deadlines.wallet);
    pass_until(desk, &opened, "expired").await;
    ask_again(desk, &opened, 1).await.unwrap();
    let code = code_of(desk, &opened, 2).await;
    while !wallet.shown().await.contains(&code) {
        desk.pass(std::time::Duration::from_millis(20)).await;
    }
    wallet.answer("share").await;
    pass_until(desk, &opened, "verified").await;
}

#[tokio::test]
async fn a_registration_under_way_or_without_a_connection_is_not_asked_again() {
    let elsewhere = desk_on_a_sandbox_elsewhere(AuthMode::ApiKey, &[]).await;
    let desk = &elsewhere.desk;
    elsewhere.behave(json!({}));
    let opened = desk.open().await;
    assert!(matches!(ask_again(desk, &opened, 1).await, Err(OpenError::UnderWay)));
    desk.clock.advance(desk.app.sessions.deadlines.code);
    pass_until(desk, &opened, "expired").await;
    assert!(matches!(ask_again(desk, &opened, 1).await, Err(OpenError::NoConnection)));
    let (opened, wallet) = requested(&elsewhere).await;
    wallet.answer("share").await;
    pass_until(desk, &opened, "verified").await;
    assert!(matches!(ask_again(desk, &opened, 1).await, Err(OpenError::UnderWay)));
    let nobody = desk.app.sessions.ask_again("AAAAAAAAAAAAAAAAAAAAAA".parse().unwrap(), 1).await;
    assert!(matches!(nobody, Err(OpenError::NoSession)));
}

#[tokio::test]
async fn what_comes_of_an_earlier_attempt_never_reaches_a_later_one() {
    let platform = FakePlatform::start(ProofEnd::Verified).await;
    let desk = Desk::on(&platform).await;
    let opened = desk.open().await;
    let connection = "e81d5c47-93b2-4f6a-b0d8-2a7c4e9f1b35";
    let completed = json!({ "type": "Connection", "id": connection, "state": "completed",
        "outOfBandId": platform.last_out_of_band_id(), "theirLabel": "A phone" });
    desk.record(&completed).await;
    pass_until(&desk, &opened, "requested").await;
    let old = |state: &str| json!({ "type": "Proof", "id": proof_id_for(connection), "connectionId": connection, "state": state, "isVerified": true });
    let declined =
        json!({ "type": "Proof", "id": proof_id_for(connection), "state": "abandoned", "errorMessage": "no" });
    assert_eq!(desk.record(&declined).await, "applied");
    // With a new code: the old connection and the old exchange go on talking.
    desk.app.sessions.renew(opened.id.parse().unwrap(), 1).await.unwrap();
    let version = desk.snapshot(&opened).await["version"].clone();
    let late = json!({ "type": "Connection", "id": connection, "state": "abandoned" });
    for body in [old("presentation-received"), old("done"), late] {
        assert_eq!(desk.record(&body).await, "late", "{body}");
    }
    let snapshot = desk.snapshot(&opened).await;
    assert_eq!((&snapshot["stage"], &snapshot["version"]), (&json!("waiting"), &version));
    assert_eq!(snapshot["theirLabel"], Value::Null, "another wallet may scan the new code");
}

#[tokio::test]
async fn two_cards_that_come_to_light_after_verification_take_it_back() {
    let platform = FakePlatform::start(ProofEnd::Verified).await;
    let desk = Desk::on(&platform).await;
    let opened = desk.open().await;
    let connection = "e81d5c47-93b2-4f6a-b0d8-2a7c4e9f1b35";
    let completed = json!({ "type": "Connection", "id": connection, "state": "completed", "outOfBandId": platform.last_out_of_band_id() });
    desk.record(&completed).await;
    pass_until(&desk, &opened, "requested").await;
    // In the envelope form, which shows nothing of the presentation.
    desk.record(&json!({ "type": "Proof", "id": proof_id_for(connection), "state": "presentation-received", "isVerified": true })).await;
    pass_until(&desk, &opened, "verified").await;
    let revealed: Value = json!({ "a": { "sub_proof_index": 0 }, "b": { "sub_proof_index": 1 } });
    let done = json!({ "data": {
        "id": proof_id_for(connection), "type": "Verification", "state": "done", "isVerified": true,
        "proofData": { "presentation": { "indy": { "requested_proof": { "revealed_attrs": revealed } } } },
    } });
    assert_eq!(desk.record(&done).await, "applied");
    assert_eq!(desk.snapshot(&opened).await["stage"], "invalid");
    let attempt = desk.app.sessions.store.attempt(opened.id.parse().unwrap(), 1).await.unwrap().unwrap();
    assert!(desk.app.sessions.store.revealed(&attempt).is_none(), "and nothing of it is kept");
}

#[tokio::test]
async fn a_wallet_that_reuses_its_connection_moves_the_new_registration_alone() {
    for webhook in ["envelope", "gateway"] {
        let elsewhere = desk_on_a_sandbox_elsewhere(AuthMode::ApiKey, &[]).await;
        let desk = &elsewhere.desk;
        let (first, wallet) = requested(&elsewhere).await;
        wallet.answer("share").await;
        let version = pass_until(desk, &first, "verified").await["version"].clone();
        elsewhere.behave(json!({ "webhook": webhook, "copies": [3], "delay": [0, 20] }));
        let second = desk.open().await;
        let wallet = elsewhere.take(&second, "amaka", "reuse").await;
        pass_until(desk, &second, "requested").await;
        while !wallet.shown().await.contains(second.data["matchingCode"].as_str().unwrap()) {
            desk.pass(std::time::Duration::from_millis(20)).await;
        }
        wallet.answer("share").await;
        pass_until(desk, &second, "verified").await;
        assert_eq!(elsewhere.proofs_on(wallet.connection()).await, 2, "one request for each registration");
        let snapshot = desk.snapshot(&first).await;
        assert_eq!((&snapshot["stage"], &snapshot["version"]), (&json!("verified"), &version));
    }
}
