//! What the server does where webhooks are lost, late, unplaced or not to be believed: it asks the platform.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;
use vestibule::server::platform::AuthMode;

use crate::{
    browser::until_stage,
    database::count,
    harness::{Desk, Opened, PATIENCE},
    own_platform::{Elsewhere, desk_on_a_sandbox_elsewhere},
    platform::{FakePlatform, ProofEnd},
    sandbox::application_page,
};

/// Lets the desk's time pass until the session is at this stage.
pub async fn pass_until(desk: &Desk, opened: &Opened, stage: &str) -> Value {
    let mut snapshot = Value::Null;
    let waiting = async {
        loop {
            snapshot = desk.snapshot(opened).await;
            if snapshot["stage"] == stage {
                return;
            }
            desk.pass(Duration::from_millis(100)).await;
        }
    };
    if tokio::time::timeout(PATIENCE, waiting).await.is_err() {
        panic!("waiting for {stage}: {snapshot}");
    }
    snapshot
}

fn connection_event(platform: &FakePlatform, connection: &str, state: &str) -> Value {
    json!({ "type": "Connection", "id": connection, "state": state, "outOfBandId": platform.last_out_of_band_id() })
}

#[tokio::test]
async fn with_every_webhook_lost_a_registration_completes_by_asking() {
    for record_id in [true, false] {
        let elsewhere = desk_on_a_sandbox_elsewhere(AuthMode::ApiKey, &[]).await;
        elsewhere.behave(json!({ "copies": [0], "recordId": record_id }));
        let desk = &elsewhere.desk;
        let opened = desk.open().await;
        let wallet = elsewhere.take(&opened, "student-7", "connect").await;
        pass_until(desk, &opened, "requested").await;
        wallet.answer("share").await;
        pass_until(desk, &opened, "verified").await;
        assert!(application_page(desk, &opened).await.text().await.unwrap().contains("matric number 00007"));
    }
}

#[tokio::test]
async fn with_every_webhook_lost_the_bad_ends_are_learned_too() {
    for (answer, end) in [("decline", "declined"), ("invalid", "invalid")] {
        let elsewhere = desk_on_a_sandbox_elsewhere(AuthMode::ApiKey, &[]).await;
        elsewhere.behave(json!({ "copies": [0] }));
        let opened = elsewhere.desk.open().await;
        let wallet = elsewhere.take(&opened, "amaka", "connect").await;
        pass_until(&elsewhere.desk, &opened, "requested").await;
        wallet.answer(answer).await;
        pass_until(&elsewhere.desk, &opened, end).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_registrations_at_once_with_shuffled_webhooks_each_end_with_their_own_student() {
    let elsewhere = desk_on_a_sandbox_elsewhere(AuthMode::Hmac, &[]).await;
    elsewhere
        .behave(json!({ "delay": [0, 150], "copies": [1, 1, 3], "webhook": "any", "outOfBandId": "tags", "seed": 50 }));
    let one = async |number: usize| {
        let desk = &elsewhere.desk;
        let opened = desk.open().await;
        let mut watcher = desk.watch(&opened).await;
        let wallet = elsewhere.take(&opened, &format!("student-{number}"), "connect").await;
        watcher.until("requested").await;
        wallet.answer("share").await;
        watcher.until("verified").await;
        let page = application_page(desk, &opened).await.text().await.unwrap();
        for other in 0..50 {
            let shown = page.contains(&format!("matric number {other:05}"));
            assert_eq!(shown, other == number, "student {number} and the data of student {other}");
        }
        assert_eq!(elsewhere.proofs_on(wallet.connection()).await, 1);
    };
    let everybody = join_all((0..50).map(one));
    tokio::time::timeout(2 * PATIENCE, everybody).await.expect("all of them are verified");
}

#[tokio::test]
async fn twenty_seconds_without_the_wallets_confirmation_the_platform_is_asked_and_it_goes_on() {
    let platform = FakePlatform::start(ProofEnd::Silent).await;
    platform.connections_are(json!({ "state": "response-sent" }));
    let desk = Desk::on(&platform).await;
    let opened = desk.open().await;
    let connection = Uuid::new_v4().to_string();
    for state in ["request-received", "response-sent"] {
        assert_eq!(desk.record(&connection_event(&platform, &connection, state)).await, "applied");
    }
    desk.pass(Duration::from_secs(18)).await;
    // It has asked by now, and was told that nothing is confirmed.
    tokio::time::timeout(PATIENCE, async {
        while platform.count("connection") == 0 {
            desk.pass(Duration::ZERO).await;
        }
    })
    .await
    .expect("the platform is asked");
    assert_eq!(desk.snapshot(&opened).await["stage"], "scanned");
    assert_eq!(platform.count("create_proof"), 0);
    let next =
        "SELECT due_at - updated_at FROM acts JOIN sessions ON sessions.id = session_id WHERE kind = 'reconcile'";
    tokio::time::timeout(PATIENCE, async {
        while count(&desk, next).await != 20_000 {
            desk.pass(Duration::ZERO).await;
        }
    })
    .await
    .expect("it asks once more just then");
    desk.pass(Duration::from_secs(2)).await;
    pass_until(&desk, &opened, "requested").await;
    assert_eq!(platform.count("create_proof"), 1);
}

#[tokio::test]
async fn a_completed_webhook_that_the_platform_does_not_confirm_asks_no_wallet() {
    let platform = FakePlatform::start(ProofEnd::Silent).await;
    platform.connections_are(json!({ "state": "response-sent" }));
    let desk = Desk::on(&platform).await;
    let opened = desk.open().await;
    let body = connection_event(&platform, &Uuid::new_v4().to_string(), "completed");
    assert_eq!(desk.record(&body).await, "applied");
    tokio::time::timeout(PATIENCE, async {
        while platform.count("connection") < 3 {
            desk.pass(Duration::from_millis(100)).await;
        }
    })
    .await
    .expect("the platform is asked more than once");
    assert_eq!(platform.count("create_proof"), 0);
    platform.connections_are(json!({ "state": "completed" }));
    pass_until(&desk, &opened, "requested").await;
}

#[tokio::test]
async fn a_connection_whose_webhook_names_no_invitation_is_read_at_the_platform() {
    for key in ["outOfBandId", "_tags", "alias"] {
        let platform = FakePlatform::start(ProofEnd::Silent).await;
        let desk = Desk::on(&platform).await;
        let opened = desk.open().await;
        let attempt = desk.app.sessions.store.attempt(opened.id.parse().unwrap(), 1).await.unwrap().unwrap();
        platform.connections_are(match key {
            "outOfBandId" => json!({ "state": "completed", "outOfBandId": platform.last_out_of_band_id() }),
            "_tags" => json!({ "state": "completed", "_tags": { "outOfBandId": platform.last_out_of_band_id() } }),
            _ => json!({ "state": "completed", "alias": attempt.invited.unwrap().alias }),
        });
        let mut watcher = desk.watch(&opened).await;
        let body = json!({ "type": "Connection", "id": Uuid::new_v4(), "state": "completed", "theirLabel": "A phone" });
        assert_eq!(desk.record(&body).await, "unmatched");
        watcher.until("requested").await;
    }
}

#[tokio::test]
async fn a_strangers_connection_is_read_and_moves_nobody() {
    let platform = FakePlatform::start(ProofEnd::Silent).await;
    let desk = Desk::on(&platform).await;
    let opened = desk.open().await;
    platform.connections_are(json!({ "state": "completed", "outOfBandId": Uuid::new_v4(), "alias": "somebody-elses" }));
    for id in
        ["", "..", "../connections", "a/b", "%2e%2e"].map(str::to_owned).into_iter().chain([Uuid::new_v4().to_string()])
    {
        desk.record(&json!({ "type": "Connection", "id": id, "state": "completed" })).await;
    }
    tokio::time::timeout(PATIENCE, async {
        while platform.count("connection") == 0 {
            desk.pass(Duration::from_millis(10)).await;
        }
    })
    .await
    .expect("the one with an id is read");
    desk.pass(Duration::from_secs(1)).await;
    assert_eq!(platform.count("connection"), 1, "what is no id is no address: {:?}", platform.calls());
    assert_eq!(desk.snapshot(&opened).await["version"], 1);
}

#[tokio::test]
async fn a_delivery_that_finds_no_session_in_time_is_parked_and_may_come_again() {
    let platform = FakePlatform::start(ProofEnd::Silent).await;
    let desk = Desk::on(&platform).await;
    let later = Uuid::new_v4().to_string();
    let connection = Uuid::new_v4().to_string();
    let body = json!({ "type": "Connection", "id": connection, "state": "request-received", "outOfBandId": later });
    assert_eq!(desk.record(&body).await, "unmatched");
    assert_eq!(desk.record(&body).await, "repeated", "it waits, so the same one again says nothing new");
    // Before the answer to our own call, as it were: the session it belongs to begins now, and the delivery is applied.
    platform.next_out_of_band_id(&later);
    let opened = desk.open().await;
    // Time stands still: what the desk would ask by itself is not due.
    until_stage(&desk, opened.id.parse().unwrap(), "scanned", Duration::ZERO).await;

    let stranger =
        json!({ "type": "Connection", "id": Uuid::new_v4(), "state": "completed", "outOfBandId": Uuid::new_v4() });
    assert_eq!(desk.record(&stranger).await, "unmatched");
    desk.clock.advance(Duration::from_secs(31));
    tokio::time::timeout(PATIENCE, async {
        // The janitor looks every second. A parked delivery does not make the next one a repetition.
        while desk.record(&stranger).await != "unmatched" {
            desk.pass(Duration::ZERO).await;
        }
    })
    .await
    .expect("it is parked");
}

#[tokio::test]
async fn a_webhook_without_credentials_moves_nothing_by_itself() {
    let Elsewhere { desk, .. } = &desk_on_a_sandbox_elsewhere(AuthMode::None, &[]).await;
    let opened = desk.open().await;
    let forge = async |state: &str| {
        let body = json!({ "type": "Connection", "id": Uuid::new_v4(), "state": state, "outOfBandId": opened.sandbox_out_of_band_id() });
        let url = format!("{}/api/webhooks/confirmd/a-path-that-nobody-guesses", desk.url);
        let answer = desk.http.post(url).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        answer.json::<Value>().await.unwrap()["outcome"].as_str().unwrap().to_owned()
    };
    for state in ["request-received", "completed", "abandoned"] {
        assert_eq!(forge(state).await, "looked_up");
    }
    for _ in 0..200 {
        desk.pass(Duration::from_millis(100)).await;
    }
    let snapshot = desk.snapshot(&opened).await;
    assert_eq!((&snapshot["stage"], &snapshot["version"]), (&json!("waiting"), &json!(1)));
    let attempt = desk.app.sessions.store.attempt(opened.id.parse().unwrap(), 1).await.unwrap().unwrap();
    assert_eq!(attempt.connection_id, None, "and binds nothing");
}

#[tokio::test]
async fn a_platform_that_is_down_is_told_to_the_person_and_tried_until_it_is_back() {
    let elsewhere = desk_on_a_sandbox_elsewhere(AuthMode::ApiKey, &[]).await;
    elsewhere.behave(json!({}));
    let desk = &elsewhere.desk;
    let opened = desk.open().await;
    elsewhere.behave(json!({ "down": true }));
    let wallet = elsewhere.take(&opened, "amaka", "connect").await;
    tokio::time::timeout(PATIENCE, async {
        while desk.snapshot(&opened).await["delayed"] != true {
            desk.pass(Duration::from_millis(100)).await;
        }
    })
    .await
    .expect("the page says that it takes longer");
    assert_eq!(desk.snapshot(&opened).await["stage"], "connected");
    elsewhere.behave(json!({}));
    assert_eq!(pass_until(desk, &opened, "requested").await.get("delayed"), None, "and that it goes on");
    wallet.answer("share").await;
    pass_until(desk, &opened, "verified").await;
}
