//! The live view: what a socket is sent, and how it ends.

use std::{collections::HashSet, time::Duration};

use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;
use vestibule::domain::ids::SessionId;

use crate::harness::{Desk, Opened, Watcher, parts};

fn event(opened: &Opened, connection: &str, state: &str) -> Value {
    json!({ "type": "Connection", "id": connection, "state": state, "outOfBandId": opened.sandbox_out_of_band_id() })
}

/// Waits until the operators' figures show this many sockets.
async fn until_sockets(desk: &Desk, count: usize) {
    tokio::time::timeout(crate::harness::PATIENCE, async {
        while desk.socket_stats().await["totalConnections"] != count {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("the sockets are as many as expected");
}

#[tokio::test]
async fn a_socket_gets_the_state_and_then_every_newer_one() {
    let desk = Desk::sandbox().await;
    let opened = desk.open().await;
    let mut watcher = desk.watch(&opened).await;
    let welcome = watcher.next().await;
    assert_eq!(welcome["type"], "connected");
    for field in ["sessionId", "attempt", "version", "stage", "status", "eventType", "opened", "timestamp", "expiresAt"]
    {
        assert_eq!(welcome[field], opened.data[field], "{field}");
    }
    let connection = Uuid::new_v4().to_string();
    desk.record(&event(&opened, &connection, "request-received")).await;
    let update = watcher.next().await;
    assert_eq!(
        (&update["type"], &update["stage"], &update["version"]),
        (&json!("status_update"), &json!("scanned"), &json!(2))
    );
    // A late one and a repeated one are not heard of: the next message is the next version.
    desk.record(&event(&opened, &connection, "request")).await;
    desk.record(&event(&opened, &connection, "response-sent")).await;
    assert_eq!(watcher.next().await["version"], 3);
}

#[tokio::test]
async fn a_ping_is_answered_and_everything_else_is_dropped() {
    let desk = Desk::sandbox().await;
    let opened = desk.open().await;
    let mut watcher = desk.watch(&opened).await;
    watcher.next().await;
    for noise in [
        Message::text(""),
        Message::text("not json"),
        Message::text(r#"{"type":"subscribe"}"#),
        Message::text("[".repeat(4_000)),
        Message::binary(vec![0_u8; 4_000]),
        Message::Ping(vec![1, 2, 3].into()),
        Message::text(r#"{"type":"ping"}"#),
    ] {
        watcher.send(noise).await;
    }
    assert_eq!(watcher.next().await, json!({ "type": "pong" }));
}

#[tokio::test]
async fn what_is_too_big_is_closed_with_1009() {
    let desk = Desk::sandbox().await;
    let opened = desk.open().await;
    for message in [Message::text("x".repeat(5_000)), Message::binary(vec![0_u8; 5_000])] {
        let mut watcher = desk.watch(&opened).await;
        watcher.next().await;
        watcher.send(message).await;
        assert_eq!(parts(&watcher.closed().await), (1009, "Message too big"));
    }
    until_sockets(&desk, 0).await;
}

#[tokio::test]
async fn who_may_not_watch_is_told_why() {
    let desk = Desk::sandbox().await;
    let (mine, other) = (desk.open().await, desk.open().await);
    let origin = desk.app.public_url.origin().ascii_serialization();
    let cookie = format!("vestibule={}", mine.token);
    let id = &mine.id;
    let page: &[(&'static str, &str)] = &[("origin", &origin), ("cookie", &cookie)];
    // Well formed, and signed with the key of another desk.
    let stranger = Desk::sandbox().await;
    let forged = stranger.app.token(id.parse().unwrap());
    let bearer_of_another = format!("Bearer {}", other.token);
    for (query, headers, close) in [
        (String::new(), page, (1008, "Session ID required")),
        ("?sessionId=".to_owned(), page, (1008, "Session ID required")),
        ("?sessionId=nonsense".to_owned(), page, (1008, "Invalid token")),
        (format!("?sessionId={}", other.id), page, (1008, "Invalid token")),
        (format!("?sessionId={id}"), &[], (1008, "Invalid token")),
        (format!("?sessionId={id}&token={}", other.token), &[], (1008, "Invalid token")),
        (format!("?sessionId={id}&token=forged"), page, (1008, "Invalid token")),
        (format!("?sessionId={id}&token={forged}"), &[], (1008, "Invalid token")),
        (format!("?sessionId={id}"), &[("authorization", &bearer_of_another)], (1008, "Invalid token")),
        // A cookie alone proves nothing where there is no page.
        (format!("?sessionId={id}"), &page[1..], (1008, "Invalid token")),
    ] {
        let mut watcher = Watcher::connect(&desk.socket_url(&query), headers).await.unwrap();
        assert_eq!(parts(&watcher.closed().await), close, "{query} {headers:?}");
    }
    let url = desk.socket_url(&format!("?sessionId={id}"));
    let bearer = format!("Bearer {}", mine.token);
    for headers in [page, &[("authorization", &*bearer)]] {
        let mut watcher = Watcher::connect(&url, headers).await.unwrap();
        assert_eq!(watcher.next().await["type"], "connected");
    }
    // A day later none of them opens anything.
    desk.clock.advance(desk.app.config.token_ttl + Duration::from_secs(1));
    let with_token = desk.socket_url(&format!("?sessionId={id}&token={}", mine.token));
    for (url, headers) in [(&url, page), (&url, &[("authorization", &*bearer)]), (&with_token, &[])] {
        let mut watcher = Watcher::connect(url, headers).await.unwrap();
        assert_eq!(parts(&watcher.closed().await), (1008, "Invalid token"), "{headers:?}");
    }
}

#[tokio::test]
async fn a_foreign_origin_is_refused_before_the_upgrade() {
    let desk = Desk::sandbox().await;
    let opened = desk.open().await;
    let url = desk.socket_url(&format!("?sessionId={}&token={}", opened.id, opened.token));
    for origin in ["https://evil.example.org", "null"] {
        let refused = Watcher::connect(&url, &[("origin", origin)]).await;
        assert_eq!(refused.err(), Some(StatusCode::FORBIDDEN), "{origin}");
    }
}

#[tokio::test]
async fn a_session_has_five_sockets_and_the_sixth_is_closed_without_harm_to_them() {
    let desk = Desk::sandbox().await;
    let opened = desk.open().await;
    let mut watchers = Vec::new();
    for _ in 0..5 {
        let mut watcher = desk.watch(&opened).await;
        watcher.next().await;
        watchers.push(watcher);
    }
    let mut sixth = desk.watch(&opened).await;
    assert_eq!(parts(&sixth.closed().await), (1008, "Too many connections for this session"));
    let stats = desk.socket_stats().await;
    assert_eq!(stats["sessionCounts"], json!([{ "sessionId": opened.id, "clients": 5 }]));
    assert_eq!(stats["activeSessions"], json!([opened.id]));
    desk.record(&event(&opened, &Uuid::new_v4().to_string(), "request-received")).await;
    for watcher in &mut watchers {
        assert_eq!(watcher.next().await["version"], 2);
    }
    drop(watchers.pop());
    until_sockets(&desk, 4).await;
    assert_eq!(desk.watch(&opened).await.next().await["type"], "connected");
    drop(watchers);
    until_sockets(&desk, 0).await;
}

#[tokio::test]
async fn a_full_server_turns_newcomers_away_and_keeps_whom_it_has() {
    let desk = Desk::with(&[("MAX_CLIENTS", "1")]).await;
    let (first, second) = (desk.open().await, desk.open().await);
    let mut watcher = desk.watch(&first).await;
    watcher.next().await;
    assert_eq!(desk.watch(&second).await.closed().await.code, 1013.into());
    desk.record(&event(&first, &Uuid::new_v4().to_string(), "request-received")).await;
    assert_eq!(watcher.next().await["version"], 2);
}

#[tokio::test]
async fn a_peer_that_does_not_answer_pings_is_dropped() {
    let desk = Desk::with(&[("PING_INTERVAL", "40ms")]).await;
    let opened = desk.open().await;
    let silent = desk.watch(&opened).await;
    // It stays connected and reads nothing, so it answers nothing.
    until_sockets(&desk, 0).await;
    assert_eq!(desk.app.sessions.hub.stats().closed, [(1001, 1)].into());
    drop(silent);
}

#[tokio::test]
async fn a_socket_that_opens_in_the_middle_of_changes_misses_none() {
    let desk = Desk::sandbox().await;
    for _ in 0..30 {
        let opened = desk.open().await;
        let connection = Uuid::new_v4().to_string();
        let changes = async {
            for state in ["request-received", "response-sent"] {
                desk.record(&event(&opened, &connection, state)).await;
            }
        };
        let follow = async {
            let mut watcher = desk.watch(&opened).await;
            while watcher.next().await["status"] != "response" {}
            let versions: Vec<_> = watcher.seen.iter().map(|state| state["version"].as_u64().unwrap()).collect();
            assert!(versions.is_sorted_by(|a, b| a < b), "{versions:?}");
        };
        tokio::join!(changes, follow);
    }
}

#[tokio::test]
async fn a_server_that_stops_says_so_to_its_sockets() {
    let desk = Desk::sandbox().await;
    let opened = desk.open().await;
    let mut watcher = desk.watch(&opened).await;
    watcher.next().await;
    let (frame, ()) = tokio::join!(watcher.closed(), desk.stop());
    assert_eq!(parts(&frame), (1012, "Restarting"));
}

#[tokio::test]
async fn a_code_that_nobody_scans_expires_on_the_page_too() {
    let desk = Desk::sandbox().await;
    let opened = desk.open().await;
    let mut watcher = desk.watch(&opened).await;
    watcher.next().await;
    desk.clock.advance(Duration::from_secs(16 * 60));
    assert_eq!(watcher.next().await["stage"], "expired");
}

#[tokio::test]
async fn several_sessions_are_read_together() {
    let desk = Desk::sandbox().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(desk.open().await.id.parse::<SessionId>().unwrap());
    }
    let nobodys = SessionId::new(desk.clock.now(), [0; 16]);
    let read = desk.app.sessions.store.sessions(&[ids[0], nobodys, ids[2]]).await.unwrap();
    let read: HashSet<SessionId> = read.into_iter().map(|session| session.id).collect();
    assert_eq!(read, [ids[0], ids[2]].into());
    assert!(desk.app.sessions.store.sessions(&[]).await.unwrap().is_empty());
}
