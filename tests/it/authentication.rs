//! How a webhook has to show that the platform sent it, in each mode (contract 5.2).

use std::{collections::BTreeMap, time::Duration};

use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;
use vestibule::{
    domain::time::Timestamp,
    server::{
        config::Config,
        platform::{AuthMode, SKEW},
        secrets::Secret,
    },
};

use crate::harness::{Desk, Opened, WEBHOOK_SECRET};

const PATH_TOKEN: &str = "sixteen-letters!";

/// Posts a body with these headers.
async fn post(desk: &Desk, path: &str, headers: &[(&str, String)], body: &str) -> Response {
    let request = desk.http.post(format!("{}/api/webhooks/confirmd{path}", desk.url)).body(body.to_owned());
    headers.iter().fold(request, |request, (name, value)| request.header(*name, value)).send().await.unwrap()
}

fn signed(secret: &str, at: Timestamp, body: &str) -> Vec<(&'static str, String)> {
    AuthMode::Hmac.headers(&Secret(secret.to_owned()), at, body.as_bytes())
}

async fn status_of_signed(desk: &Desk, secret: &str, at: Timestamp, body: &str) -> StatusCode {
    post(desk, "", &signed(secret, at, body), body).await.status()
}

fn scan(opened: &Opened) -> String {
    let id = opened.sandbox_out_of_band_id();
    json!({ "type": "Connection", "id": Uuid::new_v4(), "state": "request-received", "outOfBandId": id }).to_string()
}

#[tokio::test]
async fn a_signed_webhook_is_accepted_and_one_that_was_changed_or_signed_by_another_is_not() {
    let desk = Desk::with(&[("WEBHOOK_AUTH", "hmac")]).await;
    let opened = desk.open().await;
    let (now, body) = (desk.clock.now(), scan(&opened));
    let right = signed(WEBHOOK_SECRET, now, &body);
    let key_alone = vec![("X-API-Key", WEBHOOK_SECRET.to_owned())];
    for (headers, sent) in [
        (signed("another secret", now, &body), body.clone()),
        (right.clone(), body.replace("request-received", "completed")),
        (right.clone(), format!("{body} ")),
        (signed(WEBHOOK_SECRET, now, ""), body.clone()),
        (right[..1].to_vec(), body.clone()),
        (right[1..].to_vec(), body.clone()),
        (key_alone, body.clone()),
        (Vec::new(), body.clone()),
    ] {
        let answer = post(&desk, "", &headers, &sent).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{headers:?}");
        assert_eq!(answer.json::<Value>().await.unwrap()["code"], "unauthorized");
    }
    assert_eq!(desk.snapshot(&opened).await["version"], 1);
    assert_eq!(post(&desk, "", &right, &body).await.status(), StatusCode::OK);
    assert_eq!(desk.snapshot(&opened).await["version"], 2);
}

#[tokio::test]
async fn a_webhook_that_was_signed_and_recorded_changes_nothing_when_it_is_sent_again() {
    let desk = Desk::with(&[("WEBHOOK_AUTH", "hmac")]).await;
    let opened = desk.open().await;
    let body = scan(&opened);
    let headers = signed(WEBHOOK_SECRET, desk.clock.now(), &body);
    for outcome in ["applied", "repeated", "repeated"] {
        let answer = post(&desk, "", &headers, &body).await;
        assert_eq!(answer.json::<Value>().await.unwrap()["outcome"], outcome);
    }
    assert_eq!(desk.snapshot(&opened).await["version"], 2);
    desk.clock.advance(Duration::from_millis(SKEW + 1));
    assert_eq!(post(&desk, "", &headers, &body).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_signature_may_be_five_minutes_from_this_clock_and_no_more() {
    let desk = Desk::with(&[("WEBHOOK_AUTH", "hmac")]).await;
    let (skew, a_little) = (Duration::from_millis(SKEW), Duration::from_secs(60));
    let sent_at = desk.clock.now();
    desk.clock.advance(skew - a_little);
    assert_eq!(status_of_signed(&desk, WEBHOOK_SECRET, sent_at, "{}").await, StatusCode::OK);
    desk.clock.advance(2 * a_little);
    assert_eq!(status_of_signed(&desk, WEBHOOK_SECRET, sent_at, "{}").await, StatusCode::UNAUTHORIZED);
    let sent_at = desk.clock.now().plus(skew + a_little);
    assert_eq!(status_of_signed(&desk, WEBHOOK_SECRET, sent_at, "{}").await, StatusCode::UNAUTHORIZED);
    desk.clock.advance(2 * a_little);
    assert_eq!(status_of_signed(&desk, WEBHOOK_SECRET, sent_at, "{}").await, StatusCode::OK);
}

#[tokio::test]
async fn a_signature_with_either_of_two_secrets_and_in_either_case_will_do() {
    let desk = Desk::with(&[("WEBHOOK_AUTH", "hmac"), ("WEBHOOK_SECRET", "old-one, new-one")]).await;
    let now = desk.clock.now();
    for (secret, status) in [("old-one", 200), ("new-one", 200), ("old-one, new-one", 401), ("", 401)] {
        assert_eq!(status_of_signed(&desk, secret, now, "{}").await, status, "{secret}");
    }
    let upper: Vec<_> =
        signed("old-one", now, "{}").into_iter().map(|(name, value)| (name, value.to_uppercase())).collect();
    assert_eq!(post(&desk, "", &upper, "{}").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn nothing_is_parsed_before_its_signature_is_checked() {
    let desk = Desk::with(&[("WEBHOOK_AUTH", "hmac")]).await;
    let now = desk.clock.now();
    assert_eq!(status_of_signed(&desk, "another secret", now, "no JSON").await, StatusCode::UNAUTHORIZED);
    assert_eq!(status_of_signed(&desk, WEBHOOK_SECRET, now, "no JSON").await, StatusCode::BAD_REQUEST);
    let large = "x".repeat(2 * 1024 * 1024);
    assert_eq!(status_of_signed(&desk, WEBHOOK_SECRET, now, &large).await, StatusCode::PAYLOAD_TOO_LARGE);
    // A signature of yesterday is refused before the body is read: we see that, or the connection closed under it.
    let headers = signed(WEBHOOK_SECRET, Timestamp(0), &large);
    let request = desk.http.post(format!("{}/api/webhooks/confirmd", desk.url)).body(large);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
    if let Ok(answer) = request.send().await {
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn a_path_token_is_asked_for_in_every_mode_before_anything_else() {
    for mode in ["api_key", "hmac", "none"] {
        let desk = Desk::with(&[("WEBHOOK_AUTH", mode), ("WEBHOOK_PATH_TOKEN", PATH_TOKEN)]).await;
        let headers =
            mode.parse::<AuthMode>().unwrap().headers(&Secret(WEBHOOK_SECRET.to_owned()), desk.clock.now(), b"{}");
        let right = format!("/{PATH_TOKEN}");
        for (path, status) in [("", 404), ("/sixteen-letters?", 404), (right.as_str(), 200)] {
            assert_eq!(post(&desk, path, &headers, "{}").await.status(), status, "{mode} {path}");
        }
        let without = post(&desk, &right, &[], "{}").await.status();
        assert_eq!(without, if mode == "none" { 200 } else { 401 }, "{mode}");
    }
}

#[tokio::test]
async fn without_authentication_a_registration_goes_all_the_way_by_its_path_alone() {
    for mode in ["none", "hmac"] {
        let desk = Desk::with(&[("WEBHOOK_AUTH", mode), ("WEBHOOK_PATH_TOKEN", PATH_TOKEN)]).await;
        crate::sandbox::behave(&desk, json!({ "pace": 0 })).await;
        let opened = desk.open().await;
        let mut watcher = desk.watch(&opened).await;
        let wallet = crate::sandbox::Wallet::connect(&desk, &opened, "amaka").await;
        watcher.until("requested").await;
        wallet.answer("share").await;
        watcher.until("verified").await;
    }
}

#[test]
fn without_authentication_and_without_a_path_that_nobody_can_guess_it_does_not_start() {
    for token in ["", "short"] {
        let set = [("WEBHOOK_AUTH", "none"), ("WEBHOOK_PATH_TOKEN", token), ("PLATFORM", "sandbox")];
        let set: BTreeMap<String, String> = set.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let told = Config::from_variables(&set).unwrap_err().to_string();
        assert!(told.contains("WEBHOOK_PATH_TOKEN") && told.contains("16 characters"), "{told}");
    }
}
