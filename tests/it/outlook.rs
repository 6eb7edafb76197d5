//! `vestibule doctor` about what is outside: platforms, clocks, and what the public name leads to.

use std::{
    net::TcpListener,
    time::{Duration, SystemTime},
};

use reqwest::StatusCode;
use serde_json::json;
use vestibule::server::platform::AuthMode;

use crate::{
    agent::{ADMIN_KEY, Agent},
    harness::Desk,
    odd::Odd,
    own_platform::{Elsewhere, desk_on_a_sandbox_elsewhere},
    patient::{Patient, Said},
    redis::RedisServer,
};

/// What the doctor finds with a change of one variable.
async fn changed(elsewhere: &Elsewhere, name: &'static str, value: &str) -> Said {
    Patient::of(&elsewhere.desk).with(name, value).doctor().await
}

#[tokio::test]
async fn a_platform_that_does_not_let_us_in_is_told_with_what_to_look_at() {
    let elsewhere = desk_on_a_sandbox_elsewhere(AuthMode::ApiKey, &[]).await;
    let said = Patient::of(&elsewhere.desk).doctor().await;
    said.is_healthy();
    said.has("ok", "platform", "lets the account in");
    said.has("ok", "webhook", "/api/webhooks/confirmd/…");
    said.has("ok", "clock", "that of the platform says the same");
    let other = desk_on_a_sandbox_elsewhere(AuthMode::ApiKey, &[]).await;
    let others = |path: &str| format!("{}/sandbox{path}", other.url);
    let odd = Odd::start(StatusCode::OK, &[], "<html>").await;
    for (name, value, words) in [
        ("CONFIRMD_CLIENT_SECRET", "wrong", "look at CONFIRMD_CLIENT_ID"),
        ("CONFIRMD_AUTH_URL", &*others("/token"), "the whole address of the token service"),
        ("CONFIRMD_AUTH_URL", &odd.url, "the whole address of the token service"),
        ("CONFIRMD_AUTH_URL", "http://127.0.0.1:1/token", "whether the platform is there"),
        ("CONFIRMD_AUTH_URL", "http://platform.invalid/token", "does not resolve"),
        ("CONFIRMD_BASE_URL", "http://platform.invalid", "does not resolve"),
        ("CONFIRMD_BASE_URL", &odd.url, "not the platform's API"),
        ("CONFIRMD_BASE_URL", &others(""), "belong to different platforms"),
        ("CONFIRMD_BASE_URL", &others("/nothing"), "there is no such organisation"),
        ("CONFIRMD_ORG_ID", "5a0d8c51-0b1e-4c55-8f3e-5b7f6b1f2d11", "not of that organisation"),
    ] {
        changed(&elsewhere, name, value).await.has("fault", "platform", words);
    }
    elsewhere.behave(json!({ "down": true }));
    let said = Patient::of(&elsewhere.desk).doctor().await;
    said.has("fault", "platform", "cannot serve now (HTTP 503)");
    said.has("warning", "webhook", "could not be read");
}

#[tokio::test]
async fn webhooks_that_go_elsewhere_are_told() {
    let elsewhere = desk_on_a_sandbox_elsewhere(AuthMode::ApiKey, &[]).await;
    let said = changed(&elsewhere, "WEBHOOK_PATH_TOKEN", "another-path-that-nobody-guesses").await;
    said.has("fault", "webhook", "its end is not WEBHOOK_PATH_TOKEN");
    let odd = Odd::start(StatusCode::NOT_FOUND, &[], "{\"statusCode\":404,\"message\":\"Webhook not found\"}").await;
    // The token is another's and good there, which is not looked at.
    changed(&elsewhere, "CONFIRMD_BASE_URL", &odd.url).await.has("fault", "webhook", "sends its webhooks nowhere");
    elsewhere.behave(json!({ "registration": "apps" }));
    let said = Patient::of(&elsewhere.desk).doctor().await;
    said.has("warning", "webhook", "no call that tells where");
    assert_eq!(said.code, 0, "{}", said.text);
}

#[tokio::test]
async fn what_is_wrong_with_an_agent_is_told() {
    let agent = Agent::start().await;
    let patient = |url: &str| {
        let patient = Patient::new().with("PLATFORM", "acapy").with("ACAPY_ADMIN_KEY", ADMIN_KEY);
        patient.with("ACAPY_ADMIN_URL", url)
    };
    let desk = agent.desk(&[]).await;
    let well = || patient(&agent.url).with("PORT", desk.url.rsplit(':').next().unwrap()).with("PUBLIC_URL", &desk.url);
    let said = well().doctor().await;
    said.is_healthy();
    said.has("ok", "platform", "lets us in");
    well().with("ACAPY_ADMIN_KEY", "wrong").doctor().await.has("fault", "platform", "has to be its --admin-api-key");
    patient("http://127.0.0.1:1").doctor().await.has("fault", "platform", "nobody listens there");
    let odd = Odd::start(StatusCode::NOT_FOUND, &[], "404").await;
    patient(&odd.url).doctor().await.has("fault", "platform", "does not say that it is ready (HTTP 404)");
    let token = well().with("WEBHOOK_PATH_TOKEN", "a-path").doctor().await;
    token.has("ok", "public address", "is found");
}

fn date(ahead: i64) -> String {
    let now = SystemTime::now();
    let length = Duration::from_secs(ahead.unsigned_abs());
    let then = if ahead < 0 { now - length } else { now + length };
    httpdate::fmt_http_date(then)
}

#[tokio::test]
async fn clocks_that_are_apart_are_told() {
    for (ahead, age, mark, words) in [
        (-600, "0", "fault", "minutes behind this machine's"),
        (600, "0", "fault", "minutes ahead of this machine's"),
        (-90, "0", "warning", "behind this machine's"),
        (-10, "0", "ok", "says the same"),
        (-600, "600", "warning", "nobody was there to compare it with"),
    ] {
        let odd = Odd::start(StatusCode::OK, &[("date", &date(ahead)), ("age", age)], "{}").await;
        let said = Patient::new().on_nobody().with("CONFIRMD_BASE_URL", &odd.url).doctor().await;
        said.has(mark, "clock", words);
    }
}

#[tokio::test]
async fn a_public_name_that_leads_elsewhere_is_told_with_what_it_leads_to() {
    let desk = Desk::sandbox().await;
    let found_at =
        async |url: &str| Patient::of(&desk).with("PUBLIC_URL", url).with("PLATFORM_TIMEOUT", "2s").doctor().await;
    let plain = desk.url.replace("http://", "https://");
    let redis = RedisServer::start_with_tls();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let odd = async |status, headers: &[(&'static str, &str)]| Odd::start(status, headers, "Hello").await;
    for (url, words) in [
        (
            &*odd(StatusCode::OK, &[]).await.url,
            "another program answers, or a Vestibule with another PLATFORM (HTTP 200)",
        ),
        (&*odd(StatusCode::NOT_FOUND, &[]).await.url, "another program answers"),
        (
            &*odd(StatusCode::BAD_GATEWAY, &[]).await.url,
            "a proxy answers, which does not reach the server behind it (HTTP 502)",
        ),
        (
            &*odd(StatusCode::MOVED_PERMANENTLY, &[("location", "https://desk.invalid/")]).await.url,
            "answers with a redirect (HTTP 301)",
        ),
        ("http://127.0.0.1:1", "nobody listens there"),
        ("http://desk.invalid", "the name desk.invalid does not resolve here"),
        (&plain, "TLS does not come about"),
        (&format!("https://localhost:{}", redis.port()), "TLS does not come about"),
        (&format!("http://{}", silent.local_addr().unwrap()), "there is no answer in time"),
    ] {
        let said = found_at(url).await;
        said.has("fault", "public address", words);
        said.has("ok", "server", "it runs at");
    }
    // Found under its name, and not where it is said to listen: another server may be meant.
    let said = Patient::of(&desk).with("PORT", "1").doctor().await;
    said.has("warning", "server", "nobody listens there, though one is found under PUBLIC_URL");
    said.is_healthy();
    let odd = Odd::start(StatusCode::OK, &[], "Hello").await;
    let port = odd.url.rsplit(':').next().unwrap();
    Patient::new().with("PORT", port).doctor().await.has("fault", "server", "another program answers");
}
