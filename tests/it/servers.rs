//! What one server saves, browsers on the others see.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use futures_util::StreamExt;
use reqwest::{Client, StatusCode, redirect::Policy};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    cluster::Cluster,
    harness::{ADMIN_TOKEN, PATIENCE, Watcher},
    platform::{FakePlatform, ORG_ID, ProofEnd, proof_id_for, thread_id_for},
    postgres::End,
    visit::Visit,
};

/// Servers on a platform of the test's.
pub async fn cluster(platform: &FakePlatform, servers: usize, over_redis: bool) -> Cluster {
    let variables = [
        ("PLATFORM", "confirmd"),
        ("CONFIRMD_BASE_URL", &*platform.url),
        ("CONFIRMD_AUTH_URL", &format!("{}/token", platform.url)),
        ("CONFIRMD_ORG_ID", ORG_ID),
        ("CONFIRMD_CLIENT_ID", "client"),
        ("CONFIRMD_CLIENT_SECRET", "secret"),
        ("ADMIN_TOKEN", ADMIN_TOKEN),
    ];
    let variables = variables.map(|(name, value)| (name, value.to_owned()));
    Cluster::on(variables.into(), servers, over_redis).await
}

/// A connection's webhook, about the platform's last invitation.
pub fn connection(platform: &FakePlatform, id: &str, state: &str) -> Value {
    json!({ "type": "Connection", "id": id, "state": state, "outOfBandId": platform.last_out_of_band_id(),
        "theirLabel": "A phone" })
}

fn presentation(id: &str) -> Value {
    json!({ "type": "Proof", "data": { "id": proof_id_for(id), "threadId": thread_id_for(&proof_id_for(id)),
        "connectionId": id, "state": "presentation-received" } })
}

/// A registration that begins at one server, whose webhooks come to another, and which is watched from all.
async fn is_followed_from_everywhere(over_redis: bool) {
    let platform = FakePlatform::start(ProofEnd::Verified).await;
    let cluster = cluster(&platform, 3, over_redis).await;
    let opened = cluster.open_at(&cluster.url(0)).await;
    let mut watchers = Vec::new();
    for server in [0, 1, 2, 2] {
        let mut watcher = cluster.watch_at(&cluster.url(server), &opened).await;
        assert_eq!(watcher.next().await["stage"], "waiting", "what one saved the others read");
        watchers.push(watcher);
    }
    let id = format!("e81d5c47{}", &Uuid::new_v4().to_string()[8..]);
    // Connected, it is soon asked: a server that hears late of the one tells the other alone.
    for (server, state, stage) in [(1, "request-received", "scanned"), (0, "completed", "requested")] {
        assert_eq!(
            cluster.deliver_to(&cluster.url(server), &connection(&platform, &id, state)).await.unwrap(),
            "applied"
        );
        for watcher in &mut watchers {
            watcher.until(stage).await;
        }
    }
    cluster.deliver_to(&cluster.url(2), &presentation(&id)).await.unwrap();
    for watcher in &mut watchers {
        let verified = watcher.until("verified").await;
        let mut versions: Vec<u64> = watcher.seen.iter().map(|state| state["version"].as_u64().unwrap()).collect();
        assert!(versions.is_sorted(), "{versions:?}");
        versions.dedup();
        assert_eq!(versions.len(), watcher.seen.len(), "no state is told twice");
        assert_eq!(verified["theirLabel"], "A phone");
    }
    assert_eq!(platform.count("create_proof"), 1, "one server asked, and once");
}

/// Staff at one server, who signed in at another, are told of what that one changes.
async fn staff_follow_from_everywhere(over_redis: bool) {
    let platform = FakePlatform::start(ProofEnd::Silent).await;
    let cluster = cluster(&platform, 2, over_redis).await;
    let origin = cluster.balancer.url();
    let form = [("name", "Ada"), ("token", ADMIN_TOKEN)];
    let sign_in = cluster.http.post(format!("{}/api/admin/sign-in", cluster.url(0))).header("Origin", &origin);
    let signed_in = sign_in.header("Accept", "text/html").form(&form).send().await.unwrap();
    let cookie = signed_in.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let url = format!("{}/ws/admin", cluster.url(1).replacen("http", "ws", 1));
    let mut watcher = Watcher::connect(&url, &[("origin", &origin), ("cookie", &cookie)]).await.unwrap();
    watcher.next().await;
    let opened = cluster.open_at(&cluster.url(0)).await;
    let told = async {
        loop {
            watcher.next().await;
            let page = cluster.http.get(format!("{}/admin", cluster.url(1))).header("Cookie", &cookie);
            if page.send().await.unwrap().text().await.unwrap().contains(&opened.id) {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, told).await.expect("the one that began is on the board");
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_follow_over_redis_what_another_server_changes() {
    staff_follow_from_everywhere(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_follow_over_postgres_what_another_server_changes() {
    staff_follow_from_everywhere(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_is_followed_from_every_server_over_redis() {
    is_followed_from_everywhere(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_is_followed_from_every_server_over_postgres() {
    is_followed_from_everywhere(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_a_server_says_so_and_nothing_is_missed() {
    let platform = FakePlatform::start(ProofEnd::Silent).await;
    let mut cluster = cluster(&platform, 2, true).await;
    for server in [0, 1] {
        cluster.until_it_says(server, "ready").await;
    }
    let opened = cluster.open_at(&cluster.url(0)).await;
    let (mut near, mut far) =
        (cluster.watch_at(&cluster.url(0), &opened).await, cluster.watch_at(&cluster.url(1), &opened).await);
    assert_eq!((&near.next().await["version"], &far.next().await["version"]), (&json!(1), &json!(1)));
    cluster.redis.as_mut().unwrap().stop();
    for server in [0, 1] {
        cluster.until_it_says(server, "degraded").await;
    }
    // The browsers of the server itself follow as ever, and whoever comes now is told what there is.
    let id = Uuid::new_v4().to_string();
    cluster.deliver_to(&cluster.url(0), &connection(&platform, &id, "request-received")).await.unwrap();
    near.until("scanned").await;
    let mut late = cluster.watch_at(&cluster.url(1), &opened).await;
    assert_eq!(late.next().await["stage"], "scanned");
    cluster.redis.as_mut().unwrap().run();
    far.until("scanned").await;
    for server in [0, 1] {
        cluster.until_it_says(server, "ready").await;
    }
    cluster.deliver_to(&cluster.url(0), &connection(&platform, &id, "response-sent")).await.unwrap();
    for watcher in [&mut near, &mut far, &mut late] {
        while watcher.next().await["version"] != 3 {}
    }
}

/// What a person sends cannot be done, and a page says so: not an error where a page should be.
async fn every_form_leads_back_to_its_page(cluster: &Cluster, token: &str) {
    let send = async |action: &str, form: &[(&str, &str)]| {
        let request = cluster.http.post(format!("{}/api/register/{action}", cluster.url(0))).form(form);
        let request = request.header("accept", "text/html").header("cookie", format!("vestibule={token}"));
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::FOUND, "{action}");
        answer.headers()["location"].to_str().unwrap().to_owned()
    };
    let connect = "/register/connect?problem=server";
    let led = futures_util::future::join_all([
        send("open", &[]),
        send("renew", &[("attempt", "1")]),
        send("ask-again", &[("attempt", "1")]),
        send("cancel", &[]),
        send("hand-over", &[]),
        send("submit", &[("email", "a@example.org"), ("phone", "+2348012345678")]),
        send("take-over", &[("code", "2345-6789")]),
    ]);
    let application = "/register/application?problem=server";
    assert_eq!(
        led.await,
        ["/register?problem=server", connect, connect, connect, connect, application, "/continue?problem=server"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_database_a_server_says_so_and_recovers_by_itself() {
    let platform = FakePlatform::start(ProofEnd::Silent).await;
    let mut cluster = cluster(&platform, 1, true).await;
    let opened = cluster.open_at(&cluster.url(0)).await;
    let mut watcher = cluster.watch_at(&cluster.url(0), &opened).await;
    watcher.next().await;
    for how in [End::Fast, End::Immediate] {
        cluster.postgres.stop(how);
        let id = Uuid::new_v4().to_string();
        let body = connection(&platform, &id, "request-received");
        assert_eq!(cluster.deliver_to(&cluster.url(0), &body).await, None, "it is to be sent again");
        cluster.until_it_says(0, 503).await;
        let page = cluster.http.get(format!("{}/register/connect", cluster.url(0))).header("accept", "text/html");
        let page = page.header("cookie", format!("vestibule={}", opened.token)).send().await.unwrap();
        assert_eq!(page.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(page.text().await.unwrap().contains("<main"), "people get a page");
        every_form_leads_back_to_its_page(&cluster, &opened.token).await;
        cluster.postgres.run();
        cluster.until_it_says(0, "ready").await;
    }
    let id = Uuid::new_v4().to_string();
    let body = connection(&platform, &id, "request-received");
    tokio::time::timeout(Duration::from_secs(30), async {
        while cluster.deliver_to(&cluster.url(0), &body).await.is_none() {}
    })
    .await
    .unwrap();
    watcher.until("scanned").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_server_after_another_is_replaced_and_nobody_notices() {
    let platform = FakePlatform::start(ProofEnd::Silent).await;
    let mut cluster = cluster(&platform, 2, true).await;
    let desk = cluster.balancer.url();
    let opened = cluster.open_at(&desk).await;
    let id = Uuid::new_v4().to_string();
    let replaced = AtomicBool::new(false);
    // A connection for each page: one that is idle may be closed at the moment it is used again, and browsers ask once more then
    // (RFC 9112, section 9.3.1).
    let http = Client::builder().pool_max_idle_per_host(0).redirect(Policy::none()).build().unwrap();
    let pages = async {
        let mut loaded = 0;
        while !replaced.load(Ordering::Relaxed) {
            let page = http.get(format!("{desk}/register/connect")).header("accept", "text/html");
            let page =
                page.header("cookie", format!("vestibule={}", opened.token)).send().await.expect("it is answered");
            assert_eq!(page.status(), StatusCode::OK);
            assert!(page.text().await.expect("all of it").contains("</html>"));
            loaded += 1;
        }
        loaded
    };
    let browsers: Vec<_> =
        (0..4).map(|_| tokio::spawn(follow(desk.clone(), opened.id.clone(), opened.token.clone()))).collect();
    let first = connection(&platform, &id, "request-received");
    let last = connection(&platform, &id, "completed");
    let upgrade = async {
        cluster.deliver_to(&desk, &first).await.unwrap();
        for server in [0, 1] {
            cluster.terminate(server).await;
            cluster.restart(server).await;
        }
        cluster.deliver_to(&desk, &last).await.unwrap();
        replaced.store(true, Ordering::Relaxed);
    };
    let (loaded, ()) = tokio::join!(pages, upgrade);
    assert!(loaded > 5, "pages were loaded all the while: {loaded}");
    for browser in browsers {
        let versions = tokio::time::timeout(PATIENCE, browser).await.expect("it is told the last state").unwrap();
        assert!(versions.is_sorted(), "no state is taken back: {versions:?}");
    }
}

/// A server that stops in the middle of an act, before it gets the platform's answer to this call, until another one has
/// done the act: how often the platform was told `deed`.
async fn is_stopped_before_the_answer_to(call: &'static str, deed: &str) -> usize {
    let platform = FakePlatform::start(ProofEnd::Verified).await;
    let cluster = cluster(&platform, 2, true).await;
    let slow = cluster.servers[0].as_ref().unwrap();
    let opened = cluster.open_at(&cluster.url(0)).await;
    let mut watcher = cluster.watch_at(&cluster.url(1), &opened).await;
    let id = format!("e81d5c47{}", &Uuid::new_v4().to_string()[8..]);
    let connected = connection(&platform, &id, "completed");
    let (last, end) = if call == "proof" {
        cluster.deliver_to(&cluster.url(0), &connected).await.unwrap();
        watcher.until("requested").await;
        (presentation(&id), "verified")
    } else {
        (connected, "requested")
    };
    let answer = platform.holds_next(call);
    cluster.deliver_to(&cluster.url(0), &last).await.unwrap();
    platform.until_it_holds().await;
    slow.signal("STOP").await;
    watcher.until(end).await;
    assert_eq!(platform.count(deed), 1, "the other one did it");
    answer.notify_one();
    slow.signal("CONT").await;
    let noticed = async {
        while !slow.written.text().contains("an act was taken over by somebody else, or deleted") {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, noticed).await.expect("it notices that it was too slow");
    platform.count(deed)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_only_slow_does_not_ask_a_wallet_again() {
    assert_eq!(is_stopped_before_the_answer_to("connection", "create_proof").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_only_slow_does_not_take_another_step() {
    assert_eq!(is_stopped_before_the_answer_to("proof", "verify").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_told_is_found_all_the_same() {
    let platform = FakePlatform::start(ProofEnd::Silent).await;
    let cluster = cluster(&platform, 1, true).await;
    cluster.until_it_says(0, "ready").await;
    let opened = cluster.open_at(&cluster.url(0)).await;
    let mut watcher = cluster.watch_at(&cluster.url(0), &opened).await;
    assert_eq!(watcher.next().await["version"], 1);
    // As a server that died between its commit and its message.
    for statement in ["DELETE FROM acts WHERE session_id", "UPDATE sessions SET version = 2, opened = 1 WHERE id"] {
        // Without its acts: whatever they find is told too.
        let statement = format!("{statement} = '{}'", opened.id);
        crate::database::execute_at(&cluster.postgres.url(), &statement).await;
    }
    assert_eq!(watcher.next().await["version"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_to_all_servers_at_once_is_applied_once() {
    let platform = FakePlatform::start(ProofEnd::Silent).await;
    let cluster = cluster(&platform, 3, true).await;
    for _ in 0..15 {
        let opened = cluster.open_at(&cluster.url(0)).await;
        let id = Uuid::new_v4().to_string();
        let bodies = ["request-received", "response-sent"].map(|state| connection(&platform, &id, state));
        let sent = (0..12).map(|place| {
            let (server, body) = (cluster.url(place % 3), &bodies[place / 3 % 2]);
            let cluster = &cluster;
            async move { cluster.deliver_to(&server, body).await.unwrap() }
        });
        let outcomes = futures_util::future::join_all(sent).await;
        let applied = outcomes.iter().filter(|outcome| *outcome == "applied").count();
        let rows: Vec<(i64, i64)> = crate::database::rows_at(
            &cluster.postgres.url(),
            &format!(
                "SELECT version, (SELECT COUNT(DISTINCT state) FROM events WHERE session_id = sessions.id AND outcome = 'applied') \
                 FROM sessions WHERE id = '{}'",
                opened.id
            ),
        )
        .await;
        let applied = i64::try_from(applied).unwrap();
        // The first may come second: then it is late.
        assert!(applied == 1 || applied == 2, "{outcomes:?}");
        assert_eq!(rows, [(1 + applied, applied)], "each moved it by one, and each once: {outcomes:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sandboxes_of_several_servers_are_one() {
    let cluster = Cluster::on(vec![("PLATFORM", "sandbox".to_owned())], 3, true).await;
    for holder in ["amaka", "tunde", "student-3"] {
        // Each connection goes to the next server in turn, and no request shares one with another.
        let http = Client::builder().redirect(Policy::none()).pool_max_idle_per_host(0).build().unwrap();
        let mut visit = Visit::begin_with(http, &cluster.balancer.url()).await;
        visit.verify(holder).await;
        assert_eq!(visit.submit("a@example.org", "+2348012345678").await.location(), "/register/confirmation");
    }
}

/// A browser that comes back whenever its socket is closed, until the wallet is connected: the versions it was told.
async fn follow(desk: String, id: String, token: String) -> Vec<u64> {
    let url = format!("{}/ws/connections?sessionId={id}&token={token}", desk.replacen("http", "ws", 1));
    let mut versions = Vec::new();
    loop {
        let Ok((mut socket, _)) = tokio_tungstenite::connect_async(&url).await else { continue };
        while let Some(Ok(message)) = socket.next().await {
            let Ok(text) = message.into_text() else { continue };
            let Ok(state) = serde_json::from_str::<Value>(&text) else { continue };
            versions.extend(state["version"].as_u64());
            if state["stage"] == "connected" || state["stage"] == "requested" {
                return versions;
            }
        }
    }
}
