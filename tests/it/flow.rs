//! What the server does by itself once a wallet is connected, on a platform that does not always behave.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use vestibule::server::{platform::Revealed, sessions::Finding, store::ActKind};

use crate::{
    harness::{Desk, Opened, PATIENCE, Watcher},
    platform::{FakePlatform, ProofEnd, proof_id_for},
    sandbox::application_page,
};

async fn connect(desk: &Desk, platform: &FakePlatform) -> (Opened, Watcher, String) {
    let opened = desk.open().await;
    let mut watcher = desk.watch(&opened).await;
    watcher.next().await;
    let connection = format!("e81d5c47{}", &Uuid::new_v4().to_string()[8..]);
    let body = json!({ "type": "Connection", "id": connection, "state": "completed", "outOfBandId": platform.last_out_of_band_id() });
    assert_eq!(desk.record(&body).await, "applied");
    (opened, watcher, connection)
}

/// A webhook of the proof that this platform asks for over a connection.
pub fn proof_event(connection: &str, state: &str, verified: bool) -> Value {
    json!({ "type": "Proof", "id": proof_id_for(connection), "connectionId": connection, "state": state, "isVerified": verified })
}

/// Moves the clock until the platform has been called like this so often, so that waits between tries take no time.
async fn until_called(desk: &Desk, platform: &FakePlatform, call: &str, times: usize) {
    tokio::time::timeout(PATIENCE, async {
        while platform.calls().iter().filter(|name| *name == call).count() < times {
            desk.pass(Duration::from_millis(100)).await;
        }
    })
    .await
    .unwrap_or_else(|_| panic!("{call} was not called {times} times: {:?}", platform.calls()));
}

#[tokio::test]
async fn a_connected_wallet_is_asked_once_for_exactly_the_desks_attributes() {
    let platform = FakePlatform::start(ProofEnd::Verified).await;
    let desk = Desk::on(&platform).await;
    let (opened, mut watcher, connection) = connect(&desk, &platform).await;
    watcher.until("requested").await;
    let requests = platform.proof_requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0]["connectionId"], *connection);
    assert_eq!(requests[0]["autoAcceptProof"], "never");
    let code = opened.data["matchingCode"].as_str().unwrap();
    assert_eq!(requests[0]["comment"], format!("Share your Student Card to register (code {code})"));
    let asked = requests[0]["proofFormats"]["indy"]["attributes"].as_array().unwrap();
    assert_eq!(asked.len(), 9);
    for attribute in asked {
        assert_eq!(attribute["credDefId"], desk.app.sessions.desk.credential.cred_def_id);
    }
    desk.record(&proof_event(&connection, "presentation-received", true)).await;
    watcher.until("verified").await;
    // What was not revealed is missing, and what was not asked for or is of another card is not kept.
    let page = application_page(&desk, &opened).await.text().await.unwrap();
    assert_eq!(page.matches("aria-label=\"proven\"").count(), 2);
    assert_eq!(page.matches("not shared").count(), 7);
    assert!(page.contains("Okonkwo") && !page.contains("thirty-eight") && !page.contains("UNI/OTHER/CARD"));
    assert_eq!(platform.proof_requests().len(), 1);
}

#[tokio::test]
async fn a_webhook_alone_verifies_nobody() {
    for (end, expected) in [
        (ProofEnd::Silent, "presented"),
        (ProofEnd::DoneUnchecked, "presented"),
        (ProofEnd::Declined, "declined"),
        (ProofEnd::Invalid, "invalid"),
    ] {
        let platform = FakePlatform::start(end).await;
        let desk = Desk::on(&platform).await;
        let (opened, mut watcher, connection) = connect(&desk, &platform).await;
        watcher.until("requested").await;
        desk.record(&proof_event(&connection, "done", true)).await;
        if expected == "presented" {
            until_called(&desk, &platform, "proof", 3).await;
        } else {
            while watcher.next().await["stage"] != expected {}
        }
        assert_eq!(desk.snapshot(&opened).await["stage"], expected);
        assert!(!platform.calls().contains(&"revealed".to_owned()), "nothing is fetched of what is not verified");
    }
}

#[tokio::test]
async fn a_platform_that_fails_is_tried_again_and_looked_at_before_it_is_asked_twice() {
    let platform = FakePlatform::start(ProofEnd::CannotAsk).await;
    let desk = Desk::with_sessions_for_a_day(&platform).await;
    let (opened, _watcher, _) = connect(&desk, &platform).await;
    until_called(&desk, &platform, "create_proof", 2).await;
    let calls = platform.calls();
    let places: Vec<usize> =
        calls.iter().enumerate().filter(|(_, call)| *call == "create_proof").map(|(place, _)| place).collect();
    assert!(calls[places[0]..places[1]].contains(&"list_proofs".to_owned()), "{calls:?}");
    assert_eq!(desk.snapshot(&opened).await["stage"], "connected");
}

#[tokio::test]
async fn an_old_token_is_renewed_once_and_a_refusal_is_not_hammered() {
    let platform = FakePlatform::start(ProofEnd::Silent).await;
    let desk = Desk::on(&platform).await;
    desk.open().await;
    assert_eq!(platform.calls(), ["token", "create_invitation"]);
    desk.open().await;
    assert_eq!(platform.calls(), ["token", "create_invitation", "create_invitation"], "one token serves many calls");
    platform.fail_next(&[StatusCode::UNAUTHORIZED]);
    desk.open().await;
    assert_eq!(platform.calls()[3..], ["create_invitation", "token", "create_invitation"]);
    platform.fail_next(&[StatusCode::FORBIDDEN]);
    assert!(desk.app.sessions.open().await.is_err());
    assert_eq!(platform.calls().len(), 7, "a 403 is final");
}

#[tokio::test]
async fn many_who_find_no_token_wait_for_the_same_one() {
    let platform = FakePlatform::start(ProofEnd::Silent).await;
    let desk = Desk::on(&platform).await;
    futures_util::future::join_all((0..20).map(|_| desk.open())).await;
    assert_eq!((platform.count("token"), platform.count("create_invitation")), (1, 20));
}

#[tokio::test]
async fn of_two_workers_on_one_database_one_does_each_act() {
    let platform = FakePlatform::start(ProofEnd::Verified).await;
    let desk = Desk::on(&platform).await;
    let (_stop, stopped) = tokio::sync::watch::channel(false);
    tokio::spawn(vestibule::server::acts::run(desk.app.sessions.clone(), stopped));
    for _ in 0..10 {
        let (_, mut watcher, connection) = connect(&desk, &platform).await;
        watcher.until("requested").await;
        desk.record(&proof_event(&connection, "presentation-received", true)).await;
        watcher.until("verified").await;
    }
    assert_eq!((platform.count("create_proof"), platform.count("verify"), platform.count("revealed")), (10, 10, 10));
}

#[tokio::test]
async fn an_exchange_is_read_once_more_only_where_the_answer_to_its_acceptance_does_not_show_it_verified() {
    let its_own = "its own";
    let answers = [
        (None, 1),
        (Some(Value::Null), 2),
        (Some(json!({ "state": "done", "isVerified": true })), 2),
        (Some(json!({ "id": Uuid::new_v4(), "state": "done", "isVerified": true })), 2),
        (Some(json!({ "id": its_own, "state": "done" })), 2),
        (Some(json!({ "id": its_own, "state": "presentation-received", "isVerified": true })), 2),
        (Some(json!({ "id": its_own, "state": "abandoned", "isVerified": false })), 2),
    ];
    for (answer, reads) in answers {
        let platform = FakePlatform::start(ProofEnd::Verified).await;
        let desk = Desk::on(&platform).await;
        let (_, mut watcher, connection) = connect(&desk, &platform).await;
        watcher.until("requested").await;
        if let Some(mut answer) = answer.clone() {
            if answer["id"] == its_own {
                answer["id"] = json!(proof_id_for(&connection));
            }
            platform.acceptances_say(answer);
        }
        desk.record(&proof_event(&connection, "presentation-received", true)).await;
        watcher.until("verified").await;
        assert_eq!((platform.count("verify"), platform.count("proof")), (1, reads), "{answer:?}");
    }
}

#[tokio::test]
async fn what_the_platform_refuses_for_good_ends_the_attempt() {
    let platform = FakePlatform::start(ProofEnd::Verified).await;
    let desk = Desk::on(&platform).await;
    let opened = desk.open().await;
    let mut watcher = desk.watch(&opened).await;
    platform.fail_next(&[StatusCode::BAD_REQUEST]);
    let body = json!({ "type": "Connection", "id": Uuid::new_v4(), "state": "completed", "outOfBandId": platform.last_out_of_band_id() });
    desk.record(&body).await;
    let failed = loop {
        let message = watcher.next().await;
        if message["stage"] != "connected" && message["stage"] != "waiting" {
            break message;
        }
    };
    assert_eq!((&failed["stage"], &failed["status"]), (&json!("failed"), &json!("error")));
}

#[tokio::test]
async fn what_was_shared_is_sealed_on_disk_and_deleted_in_time() {
    let platform = FakePlatform::start(ProofEnd::Verified).await;
    let desk = Desk::on_with(&platform, &[("TOKEN_TTL", "1000d")]).await;
    let (opened, mut watcher, connection) = connect(&desk, &platform).await;
    watcher.until("requested").await;
    desk.record(&proof_event(&connection, "presentation-received", true)).await;
    watcher.until("verified").await;
    for file in std::fs::read_dir(desk.folder.path()).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        for value in [&b"Okonkwo"[..], b"Amaka Ngozi"] {
            assert!(
                !bytes.windows(value.len()).any(|window| window == value),
                "{} is in {}",
                String::from_utf8_lossy(value),
                path.display()
            );
        }
    }
    desk.clock.advance(desk.app.sessions.desk.lifetimes.keep + Duration::from_secs(1));
    tokio::time::timeout(PATIENCE, async {
        while desk.poll(&opened).send().await.unwrap().status() != StatusCode::NOT_FOUND {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("it is deleted");
}

#[tokio::test]
async fn of_a_registration_that_was_cancelled_meanwhile_nothing_is_kept() {
    let platform = FakePlatform::start(ProofEnd::Silent).await;
    let desk = Desk::on(&platform).await;
    let opened = desk.open().await;
    let session = opened.id.parse().unwrap();
    desk.app.sessions.cancel(session).await.unwrap();
    let act = desk.leased(ActKind::VerifyProof, session).await;
    let revealed = vec![Revealed { name: "surname".to_owned(), value: "Okonkwo".to_owned() }];
    desk.app.sessions.finish(&act, &Finding::Verified(revealed)).await.unwrap();
    let attempt = desk.app.sessions.store.attempt(session, 1).await.unwrap().unwrap();
    assert!(desk.app.sessions.store.revealed(&attempt).is_none());
    assert_eq!(desk.snapshot(&opened).await["stage"], "cancelled");
}

impl Desk {
    /// A desk whose sessions outlast a test that moves the clock.
    async fn with_sessions_for_a_day(platform: &FakePlatform) -> Self {
        Self::on_with(platform, &[("SESSION_TTL", "24h")]).await
    }
}
