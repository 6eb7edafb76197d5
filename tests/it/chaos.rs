//! Many people register at once while servers are killed, Redis and PostgreSQL go and come, and connections are cut: each
//! registration completes, once, every browser ends with the true state, and no webhook that was answered with 200 is missing.
//! `CHAOS_SEED` runs the same troubles again, `CHAOS_PEOPLE` says how many register.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, routing::post};
use futures_util::{StreamExt, stream};
use rand::{Rng, SeedableRng, rngs::StdRng};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use vestibule::server::platform::AuthMode;

use crate::{
    cluster::Cluster, database, harness::PATIENCE, own_platform, passage::Passage, postgres::End, visit::client,
};

/// So many people are at it at the same time.
const AT_ONCE: usize = 20;
const SERVERS: usize = 3;
/// Nobody waits longer than this to the end of a registration, whatever goes wrong.
const LONGEST: Duration = Duration::from_secs(120);
/// A browser or a platform that got no answer tries again after this.
const AGAIN: Duration = Duration::from_millis(50);

fn from_environment<T: std::str::FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok().map(|value| value.parse().ok().unwrap_or_else(|| panic!("{name} is {value}")))
}

/// Asks until it is answered like this.
async fn insist(request: impl Fn() -> RequestBuilder, status: StatusCode) -> Response {
    loop {
        match request().timeout(PATIENCE).send().await {
            Ok(answer) if answer.status() == status => return answer,
            _ => tokio::time::sleep(AGAIN).await,
        }
    }
}

/// Webhooks on their way from the platform, and those of them that were taken.
#[derive(Clone)]
struct Hooks {
    http: Client,
    desk: String,
    taken: Arc<Mutex<Vec<(String, String)>>>,
}

async fn pass_on(State(hooks): State<Hooks>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let webhook = hooks.http.post(format!("{}/api/webhooks/confirmd", hooks.desk)).body(body.clone());
    let Ok(answer) = webhook.header("X-API-Key", headers["x-api-key"].clone()).send().await else {
        return StatusCode::BAD_GATEWAY;
    };
    if answer.status() == StatusCode::OK {
        let body: Value = serde_json::from_slice(&body).unwrap();
        let record = if body["data"].is_object() { &body["data"] } else { &body };
        let of = |name: &str| record[name].as_str().unwrap().to_owned();
        hooks.taken.lock().unwrap().push((of("id"), of("state")));
    }
    answer.status()
}

/// Somebody's browser, which comes back whenever its socket breaks, until the registration is submitted: the last version.
async fn browser(desk: &str, id: &str, token: &str) -> u64 {
    let url = format!("{}/ws/connections?sessionId={id}&token={token}", desk.replacen("http", "ws", 1));
    let mut version = 0;
    loop {
        let Ok((mut socket, _)) = tokio_tungstenite::connect_async(&url).await else {
            tokio::time::sleep(AGAIN).await;
            continue;
        };
        while let Some(Ok(message)) = socket.next().await {
            let Message::Text(text) = message else { continue };
            let state: Value = serde_json::from_str(&text).unwrap();
            let Some(next) = state["version"].as_u64() else { continue };
            assert!(next >= version, "{id}: told {next} after {version}");
            version = next;
            if state["stage"] == "submitted" {
                return version;
            }
        }
    }
}

/// What is left of somebody who has registered.
struct Registered {
    id: String,
    version: u64,
    connection: String,
}

/// Somebody registers.
async fn person(number: usize, http: &Client, [desk, platform, database]: [&str; 3]) -> Registered {
    let open = || http.post(format!("{desk}/api/connections/session")).json(&json!({ "requestType": "registration" }));
    let data = insist(open, StatusCode::CREATED).await.json::<Value>().await.unwrap()["data"].take();
    let of = |name: &str| data[name].as_str().unwrap().to_owned();
    let (id, token, link, code) = (of("sessionId"), of("token"), of("link"), of("matchingCode"));
    let holder = format!("student-{number}");
    let form = [("link", &*link), ("holder", &*holder), ("way", "connect")];
    let wallet = async {
        let scan = || http.post(format!("{platform}/sandbox/wallet")).form(&form);
        let scanned = insist(scan, StatusCode::SEE_OTHER).await;
        let wallet = format!("{platform}{}", scanned.headers()["location"].to_str().unwrap());
        while !insist(|| http.get(&wallet), StatusCode::OK).await.text().await.unwrap().contains(&code) {
            tokio::time::sleep(AGAIN).await;
        }
        insist(|| http.post(&wallet).form(&[("answer", "share")]), StatusCode::SEE_OTHER).await;
        wallet.rsplit('/').next().unwrap().to_owned()
    };
    let form_page = async {
        let poll = || http.get(format!("{desk}/api/connections/session?sessionId={id}")).bearer_auth(&token);
        loop {
            let state: Value = insist(poll, StatusCode::OK).await.json().await.unwrap();
            match state["stage"].as_str().unwrap() {
                "verified" => break,
                "waiting" | "scanned" | "connected" | "requested" | "presented" => {}
                other => panic!("{id}: it ended as {other}"),
            }
            tokio::time::sleep(AGAIN).await;
        }
        let submit = || {
            let request =
                http.post(format!("{desk}/api/register/submit")).header("Cookie", format!("vestibule={token}"));
            request.header("Accept", "text/html").form(&[("email", "a@example.org"), ("phone", "+2348012345678")])
        };
        while insist(submit, StatusCode::FOUND).await.headers()["location"] != "/register/confirmation" {
            // The page says that it did not work, and keeps what was typed.
            tokio::time::sleep(AGAIN).await;
        }
    };
    let all = futures_util::future::join3(browser(desk, &id, &token), wallet, form_page);
    match tokio::time::timeout(LONGEST, all).await {
        Ok((version, connection, ())) => Registered { id, version, connection },
        Err(_) => panic!("it does not complete: {:#?}", all_that_is_known_of(&id, database).await),
    }
}

/// For somebody who has to find out why.
async fn all_that_is_known_of(id: &str, database: &str) -> Vec<String> {
    let mut known = Vec::new();
    for query in [
        "SELECT CAST(sessions AS TEXT) FROM sessions WHERE id = ",
        "SELECT CAST(attempts AS TEXT) FROM attempts WHERE session_id = ",
        "SELECT concat_ws(' ', kind, due_at, tries, leased, again_at, done_at, problem) FROM acts WHERE session_id = ",
        "SELECT concat_ws(' ', received_at, source, kind, state, outcome) FROM events WHERE session_id = ",
    ] {
        let rows: Vec<(String,)> = database::rows_at(database, &format!("{query}'{id}'")).await;
        known.extend(rows.into_iter().map(|(row,)| row));
    }
    known
}

/// What a killed server had leased, another takes over a while later; but then all is done.
async fn nothing_is_left_to_do(database: &str) {
    let mut left = Vec::new();
    let all_done = async {
        loop {
            let query = "SELECT concat_ws(' ', session_id, kind, due_at, tries, leased, again_at, problem) FROM acts \
                         WHERE done_at IS NULL AND lane = 0";
            left = database::rows_at::<(String,)>(database, query).await;
            if left.is_empty() {
                return;
            }
            tokio::time::sleep(AGAIN).await;
        }
    };
    if tokio::time::timeout(PATIENCE, all_done).await.is_err() {
        panic!("never done: {left:#?}");
    }
}

/// Makes trouble until it is told that all are done. What is down is up again at its end.
async fn trouble(mut cluster: Cluster, mut chance: StdRng, done: Arc<tokio::sync::Notify>) -> Cluster {
    let pause = |chance: &mut StdRng, most: u64| Duration::from_millis(chance.random_range(most / 10..most));
    loop {
        tokio::select! {
            () = tokio::time::sleep(pause(&mut chance, 2000)) => {}
            () = done.notified() => return cluster,
        }
        match chance.random_range(0..10) {
            0..4 => {
                let server = chance.random_range(0..SERVERS);
                cluster.kill(server).await;
                tokio::time::sleep(pause(&mut chance, 1500)).await;
                cluster.restart(server).await;
            }
            4..6 => {
                tokio::task::block_in_place(|| cluster.redis.as_mut().unwrap().stop());
                tokio::time::sleep(pause(&mut chance, 2000)).await;
                tokio::task::block_in_place(|| cluster.redis.as_mut().unwrap().run());
            }
            6..7 => {
                let how = if chance.random() { End::Fast } else { End::Immediate };
                tokio::task::block_in_place(|| cluster.postgres.stop(how));
                tokio::time::sleep(pause(&mut chance, 1000)).await;
                tokio::task::block_in_place(|| cluster.postgres.run());
            }
            7..8 => cluster.to_postgres.cut(),
            8..9 => cluster.to_redis.cut(),
            _ => cluster.balancer.cut(),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::print_stdout, reason = "shown where the test fails")]
async fn whatever_fails_every_registration_completes_once() {
    let seed = from_environment("CHAOS_SEED").unwrap_or_else(rand::random);
    let people = from_environment("CHAOS_PEOPLE").unwrap_or(200);
    println!("CHAOS_SEED={seed} CHAOS_PEOPLE={people}");
    let folder = tempfile::tempdir().unwrap();
    let ((listener, platform), (receiver, hooks_url)) = (own_platform::listen().await, own_platform::listen().await);
    // Its address has to be known before there are servers behind it.
    let balancer = Passage::to(Vec::new()).await;
    let desk = balancer.url();
    let records = format!("sqlite://{}", folder.path().join("platform.db").display());
    let mut settings =
        own_platform::settings(&records, &platform, &format!("{desk}/"), &format!("{hooks_url}/hooks")).await;
    settings.webhook_auth = AuthMode::ApiKey;
    let sandbox = own_platform::sandbox_for(listener, settings).await;
    sandbox.behave(serde_json::from_value(json!({ "pace": 20 })).unwrap());
    let hooks = Hooks { http: client(), desk: desk.clone(), taken: Arc::default() };
    let router = Router::new().route("/hooks", post(pass_on)).with_state(hooks.clone());
    tokio::spawn(async move { axum::serve(receiver, router).await.unwrap() });
    let account = sandbox.settings();
    let variables = vec![
        ("PLATFORM", "confirmd".to_owned()),
        ("CONFIRMD_BASE_URL", account.base_url.to_string()),
        ("CONFIRMD_AUTH_URL", account.auth_url.to_string()),
        ("CONFIRMD_ORG_ID", account.org_id),
        ("CONFIRMD_CLIENT_ID", account.client_id),
        ("CONFIRMD_CLIENT_SECRET", account.client_secret.0),
    ];
    let cluster = Cluster::behind(balancer, variables, SERVERS, true).await;
    let url = cluster.postgres.url();
    let done = Arc::new(tokio::sync::Notify::new());
    let troubles = tokio::spawn(trouble(cluster, StdRng::seed_from_u64(seed), Arc::clone(&done)));
    let http = client();
    let register = |number| person(number, &http, [&desk, &platform, &url]);
    let registered: Vec<Registered> = stream::iter(0..people).map(register).buffer_unordered(AT_ONCE).collect().await;
    done.notify_one();
    let _cluster = troubles.await.unwrap();
    let rows: Vec<(String, String, i64, i64)> = database::rows_at(
        &url,
        "SELECT id, stage, version, (SELECT COUNT(*) FROM registrations WHERE session_id = id) FROM sessions",
    )
    .await;
    for Registered { id, version, connection } in &registered {
        let (_, stage, stored, count) = rows.iter().find(|(row, ..)| row == id).unwrap();
        assert_eq!((&**stage, *stored, *count), ("submitted", i64::try_from(*version).unwrap(), 1), "{id}");
        assert_eq!(own_platform::proofs_on(&http, &platform, connection).await, 1, "{id} was asked once");
    }
    let numbers: Vec<(String,)> = database::rows_at(&url, "SELECT DISTINCT number FROM registrations").await;
    assert_eq!(numbers.len(), people, "each has a number of its own");
    let events = "SELECT record_id, state FROM events WHERE source = 'webhook' AND record_id IS NOT NULL";
    let events: HashSet<(String, String)> = database::rows_at(&url, events).await.into_iter().collect();
    let taken = hooks.taken.lock().unwrap().clone();
    let missing: Vec<_> = taken.iter().filter(|webhook| !events.contains(webhook)).collect();
    assert!(missing.is_empty() && taken.len() >= people * 4, "{missing:?} of {} are not in the log", taken.len());
    nothing_is_left_to_do(&url).await;
}
