//! What one server saves, browsers on the others see.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    cluster::Cluster,
    platform::{proof_id_for, thread_id_for},
    postgres::End,
};

/// A connection's webhook, about the platform's last invitation.
fn connection(cluster: &Cluster, id: &str, state: &str) -> Value {
    json!({ "type": "Connection", "id": id, "state": state, "outOfBandId": cluster.platform.last_out_of_band_id(),
        "theirLabel": "A phone" })
}

fn presentation(id: &str) -> Value {
    json!({ "type": "Proof", "data": { "id": proof_id_for(id), "threadId": thread_id_for(&proof_id_for(id)),
        "connectionId": id, "state": "presentation-received" } })
}

/// A registration that begins at one server, whose webhooks come to another, and which is watched from all.
async fn is_followed_from_everywhere(cluster: &Cluster) {
    let opened = cluster.open_at(&cluster.url(0)).await;
    let mut watchers = Vec::new();
    for server in [0, 1, 2, 2] {
        let mut watcher = cluster.watch_at(&cluster.url(server), &opened).await;
        assert_eq!(watcher.next().await["stage"], "waiting", "what one saved the others read");
        watchers.push(watcher);
    }
    let id = format!("e81d5c47{}", &Uuid::new_v4().to_string()[8..]);
    for (server, state, stage) in [(1, "request-received", "scanned"), (0, "completed", "connected")] {
        assert_eq!(
            cluster.deliver_to(&cluster.url(server), &connection(cluster, &id, state)).await.unwrap(),
            "applied"
        );
        for watcher in &mut watchers {
            watcher.until(stage).await;
        }
    }
    for watcher in &mut watchers {
        watcher.until("requested").await;
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
    assert_eq!(cluster.platform.count("create_proof"), 1, "one server asked, and once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_is_followed_from_every_server_over_redis() {
    is_followed_from_everywhere(&Cluster::over_redis(3).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_is_followed_from_every_server_over_postgres() {
    is_followed_from_everywhere(&Cluster::over_postgres(3).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_a_server_says_so_and_nothing_is_missed() {
    let mut cluster = Cluster::over_redis(2).await;
    for server in [0, 1] {
        cluster.until_it_says(server, StatusCode::OK, "ready").await;
    }
    let opened = cluster.open_at(&cluster.url(0)).await;
    let (mut near, mut far) =
        (cluster.watch_at(&cluster.url(0), &opened).await, cluster.watch_at(&cluster.url(1), &opened).await);
    assert_eq!((&near.next().await["version"], &far.next().await["version"]), (&json!(1), &json!(1)));
    cluster.redis.as_mut().unwrap().stop();
    for server in [0, 1] {
        cluster.until_it_says(server, StatusCode::OK, "degraded").await;
    }
    // The browsers of the server itself follow as ever, and whoever comes now is told what there is.
    let id = Uuid::new_v4().to_string();
    cluster.deliver_to(&cluster.url(0), &connection(&cluster, &id, "request-received")).await.unwrap();
    near.until("scanned").await;
    let mut late = cluster.watch_at(&cluster.url(1), &opened).await;
    assert_eq!(late.next().await["stage"], "scanned");
    cluster.redis.as_mut().unwrap().run();
    far.until("scanned").await;
    for server in [0, 1] {
        cluster.until_it_says(server, StatusCode::OK, "ready").await;
    }
    cluster.deliver_to(&cluster.url(0), &connection(&cluster, &id, "response-sent")).await.unwrap();
    for watcher in [&mut near, &mut far, &mut late] {
        while watcher.next().await["version"] != 3 {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_database_a_server_says_so_and_recovers_by_itself() {
    let mut cluster = Cluster::over_redis(1).await;
    let opened = cluster.open_at(&cluster.url(0)).await;
    let mut watcher = cluster.watch_at(&cluster.url(0), &opened).await;
    watcher.next().await;
    for how in [End::Fast, End::Immediate] {
        cluster.postgres.stop(how);
        let id = Uuid::new_v4().to_string();
        let body = connection(&cluster, &id, "request-received");
        assert_eq!(cluster.deliver_to(&cluster.url(0), &body).await, None, "it is to be sent again");
        cluster.until_it_says(0, StatusCode::SERVICE_UNAVAILABLE, "503").await;
        let page = cluster.http.get(format!("{}/register/connect", cluster.url(0))).header("accept", "text/html");
        let page = page.header("cookie", format!("vestibule={}", opened.token)).send().await.unwrap();
        assert_eq!(page.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(page.text().await.unwrap().contains("<main"), "people get a page");
        cluster.postgres.run();
        cluster.until_it_says(0, StatusCode::OK, "ready").await;
    }
    let id = Uuid::new_v4().to_string();
    let body = connection(&cluster, &id, "request-received");
    tokio::time::timeout(Duration::from_secs(30), async {
        while cluster.deliver_to(&cluster.url(0), &body).await.is_none() {}
    })
    .await
    .unwrap();
    watcher.until("scanned").await;
}
