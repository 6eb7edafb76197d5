//! What operators read at `/metrics`: it moves as it should, costs nobody's privacy, and is for whom it is meant.

use std::{
    collections::BTreeSet,
    net::TcpListener,
    time::{Duration, Instant},
};

use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};
use vestibule::server::{clock::Clock, metrics, startup::Server};

use crate::{
    browser::{Browser, EMAIL, PHONE},
    database::is_postgres,
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
    let calls = |call| value(&format!("platform_call_seconds_count{{call=\"{call}\"}}"));
    assert_eq!(["token", "create_invitation", "request_proof"].map(calls), [1.0; 3]);
    assert!(["connection", "proof", "accept_proof", "revealed"].map(calls).into_iter().all(|count| count > 0.0));
    assert_eq!(scraped.sum("platform_errors_total"), 0.0);
    assert_eq!((value("store_up"), value("polling_interval_seconds")), (1.0, 3.0));
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
    // Where other servers may change a session, what this one remembers of it counts for nothing.
    assert_eq!(counted, if is_postgres() { [2.0, 0.0, 2.0] } else { [2.0, 1.0, 1.0] });
}

#[tokio::test]
async fn deliveries_count_by_what_became_of_them_and_refused_ones_by_why() {
    let platform = FakePlatform::start(ProofEnd::Silent).await;
    let desk = Desk::on(&platform).await;
    desk.open().await;
    let known = platform.last_out_of_band_id();
    desk.open().await;
    let further = platform.last_out_of_band_id();
    let state = |connection: &str, invitation: &str, state: &str| json!({ "type": "Connection", "data": { "id": connection, "state": state, "outOfBandId": invitation } });
    let connection = "c0ffee00-0000-4000-8000-000000000001";
    for (body, outcome) in [
        (state(connection, &known, "response-sent"), "applied"),
        (state(connection, &known, "response-sent"), "repeated"),
        (state(connection, &known, "unheard-of"), "ignored"),
        (state("c0ffee00-0000-4000-8000-000000000002", &known, "completed"), "other_connection"),
        (state(connection, &known, "abandoned"), "applied"),
        (state(connection, &known, "completed"), "after_end"),
        (state("c0ffee00-0000-4000-8000-000000000005", &further, "completed"), "applied"),
        (state("c0ffee00-0000-4000-8000-000000000005", &further, "request-received"), "late"),
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
        ("applied", 3.0),
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
    platform.fail_next(&[StatusCode::SERVICE_UNAVAILABLE]);
    desk.open().await;
    let scraped = scrape(&desk).await;
    // The token failed, and with it the call that needed it; both were made again.
    for call in ["token", "create_invitation"] {
        assert_eq!(scraped.value(&format!("platform_errors_total{{call=\"{call}\",error=\"unavailable\"}}")), 1.0);
        assert_eq!(scraped.value(&format!("platform_call_seconds_count{{call=\"{call}\"}}")), 2.0);
    }
    assert_eq!(scraped.sum("platform_errors_total"), 2.0);
    let completed = json!({ "id": "c0ffee00-0000-4000-8000-000000000004", "state": "completed", "outOfBandId": platform.last_out_of_band_id() });
    assert_eq!(desk.record(&json!({ "type": "Connection", "data": completed })).await, "applied");
    let scraped = until(&desk, "it is put off", |scraped| {
        scraped.value("acts_total{end=\"put_off\",kind=\"request_proof\"}") > 0.0
    })
    .await;
    assert!(scraped.value("platform_errors_total{call=\"request_proof\",error=\"unavailable\"}") > 0.0);
    let refuse = async {
        while scrape(&desk).await.value("registrations_ended_total{stage=\"failed\"}") == 0.0 {
            platform.fail_next(&[StatusCode::BAD_REQUEST]);
            desk.pass(Duration::from_secs(1)).await;
        }
    };
    tokio::time::timeout(PATIENCE, refuse).await.expect("it is refused");
    let scraped = scrape(&desk).await;
    assert_eq!(scraped.value("acts_total{end=\"refused\",kind=\"request_proof\"}"), 1.0);
    assert!(scraped.sum("platform_errors_total") > 3.0);
}

#[tokio::test]
async fn what_waits_is_read_from_the_queue_and_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let platform = FakePlatform::start(ProofEnd::Silent).await;
    let auth_url = format!("{}/token", platform.url);
    let variables = [
        ("PLATFORM", "confirmd"),
        ("CONFIRMD_BASE_URL", &*platform.url),
        ("CONFIRMD_AUTH_URL", &*auth_url),
        ("CONFIRMD_ORG_ID", ORG_ID),
        ("CONFIRMD_CLIENT_ID", "client"),
        ("CONFIRMD_CLIENT_SECRET", "secret"),
    ];
    let clock = Clock::default();
    // It is not run, so nobody works anything off.
    let server = Server::start(configuration(folder.path(), &variables).await, clock.clone()).await.unwrap();
    let sessions = &server.app().sessions;
    sessions.open().await.unwrap();
    let read = async || Exposition::read(&metrics::scrape(sessions, Duration::from_secs(3)).await.unwrap());
    let due = |scraped: &Exposition| {
        ["doing", "asking", "expiring", "purging"].map(|lane| scraped.value(&format!("acts_due{{lane=\"{lane}\"}}")))
    };
    assert_eq!(due(&read().await), [0.0; 4]);
    clock.advance(Duration::from_secs(10));
    assert_eq!(due(&read().await), [0.0, 1.0, 0.0, 0.0], "the platform is to be asked");
    clock.advance(Duration::from_secs(15 * 60));
    assert_eq!(due(&read().await), [0.0, 1.0, 1.0, 0.0], "the code is too old");
    clock.advance(sessions.desk.lifetimes.unfinished);
    assert_eq!(due(&read().await), [0.0, 1.0, 1.0, 1.0], "all of it is");

    let body = json!({ "type": "Connection", "data": { "id": "c-1", "state": "completed" } }).to_string();
    let delivery = sessions.platform.translate(body.as_bytes()).unwrap();
    let mut waiting = Box::pin(sessions.intake.record(delivery, Instant::now()));
    assert!(futures_util::poll!(&mut waiting).is_pending());
    assert_eq!(read().await.value("intake_waiting"), 1.0);

    sessions.store.close().await;
    let scraped = read().await;
    assert_eq!(scraped.value("store_up"), 0.0);
    assert_eq!((scraped.value("registrations_opened_total"), scraped.value("intake_waiting")), (1.0, 1.0));
    assert!(!scraped.families.contains_key("vestibule_acts_due"), "nothing is better than something that is not so");
}

#[tokio::test]
async fn what_operators_see_of_sockets_agrees() {
    let desk = Desk::sandbox().await;
    let (one, other) = (desk.open().await, desk.open().await);
    let mut watchers = Vec::new();
    for opened in [&one, &one, &other] {
        let mut watcher = desk.watch(opened).await;
        watcher.next().await;
        watchers.push(watcher);
    }
    let stats = desk.socket_stats().await;
    let mut counts: Vec<(&str, u64)> = stats["sessionCounts"].as_array().unwrap().iter().map(of_session).collect();
    counts.sort_unstable_by_key(|(_, clients)| *clients);
    assert_eq!(counts, [(&*other.id, 1), (&*one.id, 2)]);
    let active: BTreeSet<&str> =
        stats["activeSessions"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    assert_eq!(active, BTreeSet::from([&*one.id, &*other.id]));
    let scraped = scrape(&desk).await;
    assert_eq!(stats["totalConnections"].as_f64(), Some(scraped.value("sockets_open")));
    assert_eq!(scraped.value("states_pushed_total"), 3.0);
}

fn of_session(entry: &Value) -> (&str, u64) {
    assert_eq!(entry.as_object().unwrap().len(), 2);
    (entry["sessionId"].as_str().unwrap(), entry["clients"].as_u64().unwrap())
}

async fn status_of(desk: &Desk, url: &str, token: Option<&str>) -> (u16, String) {
    let request = desk.http.get(format!("{url}/metrics"));
    let answer = token.into_iter().fold(request, RequestBuilder::bearer_auth).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test]
async fn on_the_main_port_it_is_for_who_has_the_operators_token() {
    let desk = Desk::sandbox().await;
    let opened = desk.open().await;
    for (token, status) in
        [(None, 401), (Some("wrong"), 401), (Some(""), 401), (Some(&*opened.token), 401), (Some(ADMIN_TOKEN), 200)]
    {
        let (answered, body) = status_of(&desk, &desk.url, token).await;
        assert_eq!((answered, body.contains("vestibule_")), (status, status == 200), "{token:?}");
    }
    let platform = FakePlatform::start(ProofEnd::Silent).await;
    let closed = Desk::on_with(&platform, &[("ADMIN_TOKEN", "")]).await;
    assert_eq!(status_of(&closed, &closed.url, Some("")).await.0, 403);
    assert!(closed.metrics_url.is_none());
}

#[tokio::test]
async fn a_port_of_its_own_is_open_and_has_nothing_else() {
    let desk = Desk::with(&[("METRICS_PORT", "0")]).await;
    let own = desk.metrics_url.clone().unwrap();
    assert_eq!(status_of(&desk, &own, None).await.0, 200);
    assert_eq!(status_of(&desk, &desk.url, Some(ADMIN_TOKEN)).await.0, 404, "it is not in two places");
    for path in ["/", "/healthz", "/register", "/api/admin/websocket-stats", "/metrics/"] {
        let answer = desk.http.get(format!("{own}{path}")).bearer_auth(ADMIN_TOKEN).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
    }
    let posted = desk.http.post(format!("{own}/metrics")).send().await.unwrap();
    assert_eq!(posted.status(), StatusCode::METHOD_NOT_ALLOWED);
    let webhook = desk.http.post(format!("{own}/api/webhooks/confirmd")).send().await.unwrap();
    assert_eq!(webhook.status(), StatusCode::NOT_FOUND, "webhooks come to the main port alone");
    desk.open().await;
    assert_eq!(scrape(&desk).await.value("registrations_opened_total"), 1.0);
    let http = desk.http.clone();
    desk.stop().await;
    http.get(format!("{own}/metrics")).send().await.expect_err("it stops with the rest");
}

#[tokio::test]
async fn a_passed_socket_is_for_people_and_not_for_metrics() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let program = Program::start_on(&listener, folder.path(), &[("METRICS_PORT", "0"), ("DRAIN", "1ms")]).await;
    let written = program.written.clone();
    let told = || {
        written.text().lines().find_map(|line| line.trim().strip_prefix("metrics ").map(|url| url.trim().to_owned()))
    };
    let url = tokio::time::timeout(PATIENCE, async {
        loop {
            match told() {
                Some(url) => return url,
                None => tokio::task::yield_now().await,
            }
        }
    });
    let url = url.await.expect("it says where they are");
    assert!(!url.contains(&format!(":{port}/")), "{url}");
    let text = reqwest::get(&url).await.unwrap().text().await.unwrap();
    assert_eq!(Exposition::read(&text).value("sockets_open"), 0.0);
    let alive = reqwest::get(format!("http://127.0.0.1:{port}/healthz")).await.unwrap();
    assert_eq!(alive.text().await.unwrap(), "ok");
    assert!(program.terminate().await);
}

#[tokio::test]
async fn the_documentation_lists_every_family_and_no_other() {
    let documented = include_str!("../../docs/operations.md");
    let scraped = scrape(&Desk::sandbox().await).await;
    let row = |name: &str, kind: &str| format!("| `{name}` | {kind} |");
    for (name, family) in &scraped.families {
        assert!(documented.contains(&row(name, &family.kind)), "there is no row\n{}", row(name, &family.kind));
    }
    let rows = documented.lines().filter(|line| line.starts_with("| `vestibule_") || line.starts_with("| `process_"));
    assert_eq!(rows.count(), scraped.families.len());
    // What alerts and the dashboard ask for, a histogram's parts by their family's name.
    for asks in
        [include_str!("../../deploy/prometheus/alerts.yml"), include_str!("../../deploy/grafana/vestibule.json")]
    {
        let words = asks.split(|sign: char| !sign.is_ascii_alphanumeric() && sign != '_');
        for name in words.filter(|word| word.starts_with("vestibule_") || word.starts_with("process_")) {
            let family = ["_bucket", "_count", "_sum"].iter().find_map(|part| name.strip_suffix(part));
            assert!(scraped.families.contains_key(family.unwrap_or(name)), "no {name} is scraped");
        }
    }
}
