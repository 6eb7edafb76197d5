//! What the webhook endpoint does with what it should not get, and with what it cannot place.

use reqwest::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    database::{self, Busy},
    fixtures::fixture,
    flow::proof_event,
    harness::{Desk, Opened, WEBHOOK_SECRET},
    platform::{FakePlatform, ORG_ID, ProofEnd, proof_id_for},
};

/// A connection webhook for the invitation of a session on the sandbox.
fn connection_event(opened: &Opened, connection: &str, state: &str) -> Value {
    json!({
        "type": "Connection",
        "data": {
            "id": connection, "state": state, "outOfBandId": opened.sandbox_out_of_band_id(),
            "theirLabel": "A phone", "updatedAt": format!("2026-03-02T10:15:00.{:03}Z", state.len()),
        },
    })
}

async fn code_of(answer: reqwest::Response) -> (StatusCode, String) {
    let status = answer.status();
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    (status, answer.json::<Value>().await.unwrap()["code"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_webhook_without_the_right_key_is_refused_and_changes_nothing() {
    let desk = Desk::sandbox().await;
    let opened = desk.open().await;
    let body = connection_event(&opened, &Uuid::new_v4().to_string(), "completed").to_string();
    let url = format!("{}/api/webhooks/confirmd", desk.url);
    let post = || desk.http.post(&url).header("Content-Type", "application/json").body(body.clone());
    for request in [
        post(),
        post().header("X-API-Key", "wrong"),
        post().header("X-API-Key", ""),
        post().header("X-API-Key", format!("{WEBHOOK_SECRET} ")),
        post().header("X-API-Key", b"\xff\xfe".as_slice()),
        post().bearer_auth(WEBHOOK_SECRET),
    ] {
        // A trailing blank is trimmed from a header's value by HTTP itself, so that one is the right key.
        let request = request.build().unwrap();
        let trimmed = request
            .headers()
            .get("x-api-key")
            .is_some_and(|key| key.as_bytes().trim_ascii() == WEBHOOK_SECRET.as_bytes());
        if !trimmed {
            let answer = desk.http.execute(request).await.unwrap();
            assert_eq!(code_of(answer).await, (StatusCode::UNAUTHORIZED, "unauthorized".to_owned()));
        }
    }
    assert_eq!(desk.snapshot(&opened).await["version"], 1);
}

#[tokio::test]
async fn two_secrets_are_valid_while_one_is_changed_for_the_other() {
    let desk = Desk::with(&[("WEBHOOK_SECRET", "old-one, new-one")]).await;
    for (key, status) in [("old-one", 200), ("new-one", 200), ("old-one, new-one", 401), ("older-one", 401)] {
        let request = desk.http.post(format!("{}/api/webhooks/confirmd", desk.url)).header("X-API-Key", key).body("{}");
        assert_eq!(request.send().await.unwrap().status().as_u16(), status, "{key}");
    }
}

#[tokio::test]
async fn a_path_token_is_asked_for_where_one_is_set() {
    let desk = Desk::with(&[("WEBHOOK_PATH_TOKEN", "unguessable")]).await;
    for (path, status) in [("", 404), ("/wrong", 404), ("/unguessable", 200)] {
        let request = desk.http.post(format!("{}/api/webhooks/confirmd{path}", desk.url));
        let answer = request.header("X-API-Key", WEBHOOK_SECRET).body("{}").send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{path}");
    }
    let desk = Desk::sandbox().await;
    let request = desk.http.post(format!("{}/api/webhooks/confirmd/anything", desk.url));
    assert_eq!(
        request.header("X-API-Key", WEBHOOK_SECRET).body("{}").send().await.unwrap().status(),
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn an_address_that_keeps_trying_keys_has_to_wait() {
    let desk = Desk::sandbox().await;
    let mut last = StatusCode::OK;
    for _ in 0..200 {
        let request = desk.http.post(format!("{}/api/webhooks/confirmd", desk.url)).header("X-API-Key", "wrong");
        let answer = request.send().await.unwrap();
        last = answer.status();
        if last == StatusCode::TOO_MANY_REQUESTS {
            assert!(answer.headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);
            break;
        }
        assert_eq!(last, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(desk.deliver(&json!({})).await.status(), StatusCode::OK, "the right key is not held up");
}

#[tokio::test]
async fn what_is_no_json_object_is_a_bad_request() {
    let desk = Desk::sandbox().await;
    for body in ["", "nonsense", "[]", "null", "3", "\"text\"", "{\"open\":", "\u{feff}{}"] {
        let answer = desk.deliver_bytes(body).await;
        assert_eq!(code_of(answer).await, (StatusCode::BAD_REQUEST, "bad_json".to_owned()), "{body:?}");
    }
    let answer = desk.deliver_bytes(vec![0xff, 0xfe, 0x00]).await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_body_of_two_mebibytes_is_too_large() {
    let desk = Desk::sandbox().await;
    let body = json!({ "type": "Connection", "padding": "x".repeat(2 * 1024 * 1024) });
    assert_eq!(code_of(desk.deliver(&body).await).await, (StatusCode::PAYLOAD_TOO_LARGE, "too_large".to_owned()));
    let stranger = desk.http.post(format!("{}/api/webhooks/confirmd", desk.url)).body(body.to_string());
    // Refused before its body is read.
    assert_eq!(stranger.send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn what_is_merely_not_understood_is_kept_and_answered_with_200() {
    let desk = Desk::sandbox().await;
    let id = Uuid::new_v4().to_string();
    for (body, outcome) in [
        (json!({}), "ignored"),
        (json!({ "type": "Weather", "id": id, "state": "sunny" }), "ignored"),
        (json!({ "type": "Connection", "id": id, "state": "confused" }), "ignored"),
        (json!({ "type": "Connection", "data": { "state": 7, "id": [] } }), "ignored"),
        (json!({ "type": 1, "data": "text", "orgId": false }), "ignored"),
        (json!({ "type": "Connection", "state": "completed" }), "unmatched"),
        (json!({ "type": "Connection", "id": id, "state": "completed" }), "unmatched"),
        (json!({ "type": "Connection", "id": id, "state": "completed" }), "repeated"),
        (json!({ "type": "Proof", "id": id, "connectionId": id, "state": "done", "isVerified": true }), "unmatched"),
        (serde_json::from_str(&fixture("gateway-issuance-done")).unwrap(), "ignored"),
        (serde_json::from_str(&fixture("gateway-question-answer")).unwrap(), "ignored"),
    ] {
        assert_eq!(desk.record(&body).await, outcome, "{body}");
    }
}

#[tokio::test]
async fn another_organisations_or_tenants_webhook_is_forbidden() {
    let platform = FakePlatform::start(ProofEnd::Silent).await;
    let desk = Desk::on_with(&platform, &[("CONFIRMD_TENANT_ID", "tenant-a")]).await;
    let forbidden = async |body: Value| code_of(desk.deliver(&body).await).await;
    let refusal = (StatusCode::FORBIDDEN, "forbidden".to_owned());
    assert_eq!(forbidden(json!({ "type": "Connection", "orgId": "another", "data": { "id": "1" } })).await, refusal);
    assert_eq!(forbidden(json!({ "data": { "id": "1", "orgId": "another" } })).await, refusal);
    assert_eq!(forbidden(json!({ "tenantId": "tenant-b" })).await, refusal);
    assert_eq!(forbidden(json!({ "data": { "id": "1", "contextCorrelationId": "tenant-b" } })).await, refusal);
    assert_eq!(desk.deliver(&json!({ "orgId": ORG_ID, "tenantId": "tenant-a" })).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn scanning_one_session_never_changes_another() {
    let desk = Desk::sandbox().await;
    let (first, second) = (desk.open().await, desk.open().await);
    let mut watcher = desk.watch(&second).await;
    watcher.next().await;
    let connection = Uuid::new_v4().to_string();
    // The newest waiting session is the second one: a guess would choose it.
    assert_eq!(desk.record(&connection_event(&first, &connection, "request-received")).await, "applied");
    assert_eq!(desk.record(&connection_event(&first, &connection, "completed")).await, "applied");
    let stray =
        json!({ "type": "Connection", "id": Uuid::new_v4(), "outOfBandId": Uuid::new_v4(), "state": "completed" });
    assert_eq!(desk.record(&stray).await, "unmatched");
    assert_eq!(desk.snapshot(&second).await["version"], 1);
    assert_ne!(desk.snapshot(&first).await["stage"], "waiting");
    desk.record(&connection_event(&second, &Uuid::new_v4().to_string(), "request-received")).await;
    assert_eq!(watcher.next().await["version"], 2, "the first thing it hears is its own");
}

#[tokio::test]
async fn an_invitation_is_bound_to_one_connection_and_to_no_second_one() {
    let desk = Desk::sandbox().await;
    let opened = desk.open().await;
    let (ours, stranger) = (Uuid::new_v4().to_string(), Uuid::new_v4().to_string());
    assert_eq!(desk.record(&connection_event(&opened, &ours, "request-received")).await, "applied");
    assert_eq!(desk.record(&connection_event(&opened, &stranger, "completed")).await, "other_connection");
    assert_eq!(desk.snapshot(&opened).await["stage"], "scanned");
    // Once bound, the connection alone is enough.
    assert_eq!(desk.record(&json!({ "type": "Connection", "id": ours, "state": "response-sent" })).await, "applied");
    assert_eq!(desk.snapshot(&opened).await["status"], "response");
}

#[tokio::test]
async fn a_reused_connection_belongs_to_the_new_invitation() {
    let platform = FakePlatform::start(ProofEnd::Silent).await;
    let desk = Desk::on(&platform).await;
    let ids = &crate::fixtures::expectations()["ids"];
    platform.next_out_of_band_id(ids["out_of_band_id"].as_str().unwrap());
    let old = desk.open().await;
    for event in ["gateway-connection-01-request-received", "gateway-connection-03-completed"] {
        assert_eq!(desk.record(&serde_json::from_str(&fixture(event)).unwrap()).await, "applied");
    }
    platform.next_out_of_band_id(ids["reused_out_of_band_id"].as_str().unwrap());
    let new = desk.open().await;
    let mut watcher = desk.watch(&new).await;
    // Reuse changes nothing in the connection's record: id, state and `updatedAt` are those of the old `completed`.
    assert_eq!(
        desk.record(&serde_json::from_str(&fixture("gateway-connection-handshake-reused")).unwrap()).await,
        "applied"
    );
    watcher.until("connected").await;
    assert_ne!(desk.snapshot(&old).await["stage"], "waiting");
}

#[tokio::test]
async fn of_two_registrations_on_one_connection_none_is_guessed() {
    let platform = FakePlatform::start(ProofEnd::CannotAsk).await;
    let desk = Desk::on(&platform).await;
    let connection = Uuid::new_v4().to_string();
    let mut versions = Vec::new();
    for state in ["request-received", "response-sent"] {
        let opened = desk.open().await;
        let event = json!({ "type": "Connection", "id": connection, "state": state, "outOfBandId": platform.last_out_of_band_id() });
        assert_eq!(desk.record(&event).await, "applied");
        versions.push((desk.snapshot(&opened).await["version"].clone(), opened));
    }
    let event = json!({ "type": "Connection", "id": connection, "state": "completed" });
    assert_eq!(desk.record(&event).await, "unmatched");
    for (version, opened) in versions {
        assert_eq!(desk.snapshot(&opened).await["version"], version);
    }
}

#[tokio::test]
async fn a_delivery_that_names_no_invitation_waits_for_one_that_does() {
    let desk = Desk::sandbox().await;
    let opened = desk.open().await;
    let connection = Uuid::new_v4().to_string();
    assert_eq!(
        desk.record(&json!({ "type": "Connection", "id": connection, "state": "response-sent" })).await,
        "unmatched"
    );
    assert_eq!(desk.snapshot(&opened).await["stage"], "waiting");
    assert_eq!(desk.record(&connection_event(&opened, &connection, "request-received")).await, "applied");
    assert_eq!(desk.snapshot(&opened).await["status"], "response", "both have counted");
}

#[tokio::test]
async fn a_proof_finds_the_exchange_that_is_bound_while_it_is_looked_for() {
    let platform = FakePlatform::start(ProofEnd::Verified).await;
    let desk = Desk::on(&platform).await;
    let connection = format!("e81d5c47{}", &Uuid::new_v4().to_string()[8..]);
    // Somebody registers, and once more over the same connection; of neither is the exchange known yet.
    let mut asking = Vec::new();
    for _ in 0..2 {
        let opened = desk.open().await;
        let answer = platform.holds_next("create_proof");
        let connected = json!({ "type": "Connection", "id": connection, "state": "completed", "outOfBandId": platform.last_out_of_band_id() });
        assert_eq!(desk.record(&connected).await, "applied");
        platform.until_it_holds().await;
        asking.push((opened, answer));
    }
    let [(first, answer), (second, _)] = &asking[..] else { unreachable!() };
    // First comes who binds the exchange that the answer names, then the webhook, which has not found it bound.
    let mut busy = Busy::with(&desk, &first.id).await;
    answer.notify_one();
    busy.awaited_by(1).await;
    let done = proof_event(&connection, "done", true);
    let free = async {
        busy.awaited_by(2).await;
        drop(busy);
    };
    let (outcome, ()) = tokio::join!(desk.record(&done), free);
    if database::is_postgres() {
        assert_eq!(outcome, "applied");
    }
    desk.watch(first).await.until("verified").await;
    assert_eq!(desk.snapshot(second).await["stage"], "connected", "it is not the second one's");
}

#[tokio::test]
async fn events_of_an_old_code_never_reach_the_new_one() {
    let desk = Desk::sandbox().await;
    let opened = desk.open().await;
    let id = opened.id.parse().unwrap();
    desk.app.sessions.renew(id, 1).await.unwrap();
    let late = connection_event(&opened, &Uuid::new_v4().to_string(), "completed");
    assert_eq!(desk.record(&late).await, "late");
    let snapshot = desk.snapshot(&opened).await;
    assert_eq!((&snapshot["attempt"], &snapshot["stage"]), (&json!(2), &json!("waiting")));
}

#[tokio::test]
async fn a_repetition_is_known_for_one_whatever_came_between() {
    let desk = Desk::sandbox().await;
    let opened = desk.open().await;
    let connection = Uuid::new_v4().to_string();
    let first = connection_event(&opened, &connection, "request-received");
    // What differs in its time alone is no repetition: what becomes of that one, the registration decides.
    let like_it = |second: u32| {
        let mut other = first.clone();
        other["data"]["updatedAt"] = json!(format!("2026-03-02T10:16:{second:02}.000Z"));
        other
    };
    assert_eq!(desk.record(&first).await, "applied");
    assert_eq!(desk.record(&connection_event(&opened, &connection, "abandoned")).await, "applied");
    assert_eq!(desk.record(&like_it(1)).await, "after_end");
    assert_eq!(desk.record(&first).await, "repeated");
    desk.app.sessions.renew(opened.id.parse().unwrap(), 1).await.unwrap();
    assert_eq!(desk.record(&like_it(2)).await, "late", "it is the earlier code's");
    assert_eq!(desk.record(&first).await, "repeated");
    let kept = database::count(&desk, "SELECT COUNT(*) FROM events WHERE outcome = 'repeated'").await;
    assert_eq!(kept, 2, "each of them is kept");
}

#[tokio::test]
async fn an_ended_session_is_not_revived() {
    let desk = Desk::sandbox().await;
    let opened = desk.open().await;
    let url = format!("{}/api/connections/session?sessionId={}", desk.url, opened.id);
    assert_eq!(desk.http.delete(url).bearer_auth(&opened.token).send().await.unwrap().status(), StatusCode::OK);
    let late = connection_event(&opened, &Uuid::new_v4().to_string(), "completed");
    assert_eq!(desk.record(&late).await, "after_end");
    assert_eq!(desk.snapshot(&opened).await["stage"], "cancelled");
}

#[tokio::test]
async fn a_presentation_of_two_cards_ends_the_attempt() {
    let platform = FakePlatform::start(ProofEnd::Verified).await;
    let desk = Desk::on(&platform).await;
    let ids = &crate::fixtures::expectations()["ids"];
    platform.next_out_of_band_id(ids["out_of_band_id"].as_str().unwrap());
    let opened = desk.open().await;
    let mut watcher = desk.watch(&opened).await;
    desk.record(&serde_json::from_str(&fixture("gateway-connection-03-completed")).unwrap()).await;
    watcher.until("requested").await;
    let proof = proof_id_for(ids["connection_id"].as_str().unwrap());
    let mixed = fixture("gateway-proof-02-presentation-received-two-credentials")
        .replace(ids["proof_id"].as_str().unwrap(), &proof);
    assert_eq!(desk.record(&serde_json::from_str(&mixed).unwrap()).await, "applied");
    assert_eq!(desk.snapshot(&opened).await["stage"], "invalid");
}

#[tokio::test]
async fn deliveries_at_the_same_time_are_all_kept_and_counted_once() {
    let desk = Desk::sandbox().await;
    let opened = desk.open().await;
    let connection = Uuid::new_v4().to_string();
    let states = ["request-received", "response-sent", "request-received", "response-sent"];
    let deliveries = (0..40).map(|place| {
        let body = connection_event(&opened, &connection, states[place % states.len()]);
        let desk = &desk;
        async move { desk.record(&body).await }
    });
    let outcomes = futures_util::future::join_all(deliveries).await;
    let applied = outcomes.iter().filter(|outcome| *outcome == "applied").count();
    let snapshot = desk.snapshot(&opened).await;
    // Two steps at most, and exactly as many versions as deliveries that were applied.
    assert_eq!(snapshot["version"].as_u64().unwrap(), 1 + applied as u64);
    assert_eq!(snapshot["status"], "response");
    assert!(outcomes.iter().all(|outcome| ["applied", "repeated", "late"].contains(&outcome.as_str())), "{outcomes:?}");
}

#[tokio::test]
async fn the_webhooks_address_answers_a_get() {
    let desk = Desk::sandbox().await;
    let url = format!("{}/api/webhooks/confirmd", desk.url);
    assert_eq!(desk.http.get(&url).send().await.unwrap().status(), StatusCode::OK);
    let answer = desk.http.put(&url).send().await.unwrap();
    assert_eq!(code_of(answer).await, (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed".to_owned()));
}
