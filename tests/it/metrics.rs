//! What operators read at `/metrics`: it moves as it should, costs nobody's privacy, and is for whom it is meant.

use std::{collections::BTreeSet, net::TcpListener, time::Duration};

use reqwest::StatusCode;
use serde_json::{Value, json};
use vestibule::server::{clock::Clock, metrics, startup::Server};

use crate::{
    browser::{Browser, EMAIL, PHONE},
    exposition::{Exposition, scrape, until},
    harness::{ADMIN_TOKEN, Desk, PATIENCE, WEBHOOK_SECRET, configuration},
    platform::{FakePlatform, ORG_ID, ProofEnd},
    program::Program,
    sandbox::{Wallet, behave},
};

/// A series that says nothing of the process itself.
fn own(series: &str) -> bool {
    series.starts_with("vestibule_")
}

#[tokio::test]
async fn a_registration_moves_what_it_should_and_makes_no_new_series() {
    let desk = Desk::sandbox().await;
    behave(&desk, json!({ "pace": 0 })).await;
    let before = scrape(&desk).await;
    for moved in ["deliveries_total", "acts_total", "polls_total", "sockets_opened_total", "registrations_ended_total"]
    {
        assert_eq!(before.sum(moved), 0.0, "{moved}");
    }
    let opened = desk.open().await;
    let mut watcher = desk.watch(&opened).await;
    let wallet = Wallet::connect(&desk, &opened, "amaka").await;
    watcher.until("requested").await;
    wallet.answer("share").await;
    watcher.until("verified").await;
    assert_eq!(Browser::of(&desk, &opened).submit(EMAIL, PHONE).await, "/register/confirmation");
    watcher.until("submitted").await;

    let scraped = until(&desk, "the acts have ended", |scraped| {
        let done = |kind| scraped.value(&format!("acts_total{{end=\"done\",kind=\"{kind}\"}}")) > 0.0;
        done("request_proof") && done("verify_proof") && scraped.sum("acts_running") == 0.0
    })
    .await;
    let value = |series: &str| scraped.value(series);
    assert_eq!(value("registrations_opened_total"), 1.0);
    assert_eq!(value("registrations_ended_total{stage=\"submitted\"}"), 1.0);
    assert_eq!(scraped.sum("registrations_ended_total"), 1.0);

    let applied = value("deliveries_total{outcome=\"applied\"}");
    assert!(applied >= 2.0, "a connection and a presentation");
    assert_eq!(value("webhook_to_push_seconds_count"), applied);
    assert!(value("webhook_to_push_seconds_sum") > 0.0);
    let pushed = value("commit_to_push_seconds_count");
    assert!(pushed > 0.0 && pushed <= applied, "of those that were recorded together, one state is written");
    assert!(value("commit_to_push_seconds_sum") <= value("webhook_to_push_seconds_sum"));
    assert_eq!(value("commit_deliveries_sum"), scraped.sum("deliveries_total"), "each was in one transaction");
    assert!(value("commit_deliveries_count") <= value("commit_deliveries_sum"));
    assert_eq!(scraped.sum("deliveries_refused_total"), 0.0);

    assert_eq!((value("sockets_open"), value("sockets_opened_total")), (1.0, 1.0));
    assert_eq!(value("states_pushed_total"), watcher.seen.len() as f64);
    for call in ["token", "create_invitation", "request_proof", "accept_proof", "revealed"] {
        assert_eq!(value(&format!("platform_call_seconds_count{{call=\"{call}\"}}")), 1.0, "{call}");
    }
    assert_eq!(scraped.sum("platform_errors_total"), 0.0);
    assert_eq!(value("store_up"), 1.0);
    assert_eq!(value(&format!("build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"))), 1.0);
    assert!(scraped.series["process_resident_memory_bytes"] > 1e6);
    assert!(scraped.series["process_open_fds"] > 3.0);
    assert!(scraped.series["process_max_fds"] >= scraped.series["process_open_fds"]);
    assert!(scraped.series["process_start_time_seconds"] > 1.7e9);

    drop(watcher);
    until(&desk, "the socket is counted as gone", |scraped| {
        let closed =
            scraped.value("sockets_closed_total{code=\"1005\"}") + scraped.value("sockets_closed_total{code=\"1006\"}");
        scraped.value("sockets_open") == 0.0 && closed == 1.0
    })
    .await;
    let names = |scraped: &Exposition| -> BTreeSet<String> {
        scraped.series.keys().filter(|series| own(series)).cloned().collect()
    };
    assert_eq!(names(&scraped), names(&before), "every series is there from the start");
}

#[tokio::test]
async fn polls_are_told_apart_by_what_they_cost() {
    let desk = Desk::sandbox().await;
    let opened = desk.open().await;
    let poll = async |tag: &str| desk.poll(&opened).header("If-None-Match", tag).send().await.unwrap();
    let first = desk.poll(&opened).send().await.unwrap();
    let tag = first.headers()["etag"].to_str().unwrap().to_owned();
    assert_eq!(poll(&tag).await.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(poll("W/\"7\"").await.status(), StatusCode::OK);
    let other = desk.open().await;
    let unread = desk.poll(&other).header("If-None-Match", "W/\"1\"").send().await.unwrap();
    assert_eq!(unread.status(), StatusCode::NOT_MODIFIED);
    let scraped = scrape(&desk).await;
    let answers = ["state", "unchanged_in_memory", "unchanged_in_database"];
    let counted = answers.map(|answer| scraped.value(&format!("polls_total{{answer=\"{answer}\"}}")));
    assert_eq!(counted, [2.0, 1.0, 1.0]);
}

#[tokio::test]
async fn deliveries_count_by_what_became_of_them_and_refused_ones_by_why() {
    let platform = FakePlatform::start(ProofEnd::Silent).await;
    let desk = Desk::on(&platform).await;
    desk.open().await;
    let state = |connection: &str, invitation: &str, state: &str| json!({ "type": "Connection", "data": { "id": connection, "state": state, "outOfBandId": invitation } });
    let known = platform.last_out_of_band_id();
    let connection = "c0ffee00-0000-4000-8000-000000000001";
    for (body, outcome) in [
        (state(connection, &known, "response-sent"), "applied"),
        (state(connection, &known, "response-sent"), "repeated"),
        (state(connection, &known, "request-received"), "late"),
        (state(connection, &known, "unheard-of"), "ignored"),
        (state("c0ffee00-0000-4000-8000-000000000002", &known, "completed"), "other_connection"),
        (state(connection, &known, "abandoned"), "applied"),
        (state(connection, &known, "completed"), "after_end"),
        (state("c0ffee00-0000-4000-8000-000000000003", "0f-nobody", "completed"), "unmatched"),
    ] {
        assert_eq!(desk.record(&body).await, outcome, "{body}");
    }
    let post = |path: &str, key: &str, body: String| {
        desk.http.post(format!("{}/api/webhooks/confirmd{path}", desk.url)).header("X-API-Key", key).body(body)
    };
    let elsewhere =
        json!({ "type": "Connection", "orgId": format!("{ORG_ID}0"), "data": { "id": "x", "state": "completed" } });
    for (request, status) in [
        (post("", "wrong", "{}".to_owned()), 401),
        (post("", WEBHOOK_SECRET, elsewhere.to_string()), 403),
        (post("/guessed", WEBHOOK_SECRET, "{}".to_owned()), 404),
        (post("", WEBHOOK_SECRET, "[]".to_owned()), 400),
        (post("", WEBHOOK_SECRET, " ".repeat(1024 * 1024 + 1)), 413),
    ] {
        assert_eq!(request.send().await.unwrap().status().as_u16(), status);
    }
    let scraped = scrape(&desk).await;
    for (outcome, count) in [
        ("applied", 2.0),
        ("repeated", 1.0),
        ("late", 1.0),
        ("ignored", 1.0),
        ("other_connection", 1.0),
        ("after_end", 1.0),
        ("unmatched", 1.0),
        ("parked", 0.0),
        ("looked_up", 0.0),
    ] {
        assert_eq!(scraped.value(&format!("deliveries_total{{outcome=\"{outcome}\"}}")), count, "{outcome}");
    }
    for code in ["unauthorized", "forbidden", "not_found", "bad_json", "too_large"] {
        assert_eq!(scraped.value(&format!("deliveries_refused_total{{code=\"{code}\"}}")), 1.0, "{code}");
    }
    assert_eq!(scraped.sum("deliveries_refused_total"), 5.0);
    assert_eq!(scraped.value("deliveries_unmatched"), 1.0);
    assert_eq!(scraped.value("registrations_ended_total{stage=\"abandoned\"}"), 1.0);
    desk.clock.advance(Duration::from_secs(31));
    until(&desk, "it is parked", |scraped| {
        scraped.value("deliveries_total{outcome=\"parked\"}") == 1.0 && scraped.value("deliveries_unmatched") == 0.0
    })
    .await;
}

#[tokio::test]
async fn a_platform_that_fails_shows_in_calls_and_acts() {
    let platform = FakePlatform::start(ProofEnd::CannotAsk).await;
    let desk = Desk::on(&platform).await;
    // One for the token, one for the call.
    platform.fail_next(&[StatusCode::SERVICE_UNAVAILABLE, StatusCode::OK, StatusCode::BAD_REQUEST]);
    let opened = desk.open().await;
    let scraped = scrape(&desk).await;
    assert_eq!(scraped.value("platform_errors_total{call=\"token\",error=\"unavailable\"}"), 1.0);
    assert_eq!(scraped.value("platform_errors_total{call=\"create_invitation\",error=\"unavailable\"}"), 1.0);
    let _ = opened;
}
