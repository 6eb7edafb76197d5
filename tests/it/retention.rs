//! What is deleted is gone from the disk, when the desk's file says so.

use std::time::Duration;

use vestibule::domain::{ids::SessionId, time::Timestamp};

use crate::{
    browser::{Browser, EMAIL, PHONE, verified},
    database::{self, place_that_holds, rows},
    harness::{Desk, PATIENCE, desk_file},
};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn is_there(desk: &Desk, id: SessionId) -> bool {
    desk.app.sessions.store.session(id).await.unwrap().is_some()
}

async fn until_gone(desk: &Desk, id: SessionId) {
    let gone = async {
        while is_there(desk, id).await {
            desk.pass(MINUTE).await;
        }
    };
    tokio::time::timeout(PATIENCE, gone).await.expect("it is deleted");
}

/// Waits until none of these bytes is in the database or its log.
async fn until_overwritten(desk: &Desk, traces: &[Vec<u8>]) {
    let found = async || {
        for bytes in traces {
            if let Some(place) = place_that_holds(desk, bytes).await {
                return Some((place, bytes));
            }
        }
        None
    };
    let gone = async {
        while found().await.is_some() {
            desk.pass(MINUTE).await;
        }
    };
    if tokio::time::timeout(PATIENCE, gone).await.is_err() {
        let (place, bytes) = found().await.unwrap();
        panic!("{place} still holds {}", String::from_utf8_lossy(bytes));
    }
}

async fn all_are_on_disk(desk: &Desk, traces: &[Vec<u8>]) {
    for bytes in traces {
        assert!(place_that_holds(desk, bytes).await.is_some(), "{}", String::from_utf8_lossy(bytes));
    }
}

async fn sealed(desk: &Desk, query: &'static str) -> Vec<Vec<u8>> {
    let found: Vec<(Vec<u8>,)> = rows(desk, query).await;
    assert!(!found.is_empty(), "{query}");
    found.into_iter().map(|(bytes,)| bytes).collect()
}

#[tokio::test]
async fn what_is_deleted_leaves_no_byte_behind_and_each_kind_has_its_time() {
    let desk = Desk::with(&[("TOKEN_TTL", "1000d")]).await;
    let (unfinished, submitted) = (verified(&desk, "amaka").await, verified(&desk, "tunde").await);
    let browser = Browser::of(&desk, &unfinished);
    assert_eq!(browser.submit("a typo", PHONE).await, "/register/application");
    let mut of_unfinished = vec![unfinished.id.clone().into_bytes()];
    of_unfinished.extend(sealed(&desk, "SELECT draft FROM sessions WHERE draft IS NOT NULL").await);
    let attributes = "SELECT attributes FROM attempts JOIN sessions ON id = session_id WHERE draft IS NOT NULL";
    of_unfinished.extend(sealed(&desk, attributes).await);
    let browser = Browser::of(&desk, &submitted);
    assert_eq!(browser.submit(EMAIL, PHONE).await, "/register/confirmation");
    let number = browser.confirmation().await.unwrap().number;
    let mut of_submitted = vec![submitted.id.clone().into_bytes(), number.into_bytes()];
    of_submitted.extend(sealed(&desk, "SELECT record FROM registrations").await);
    of_submitted
        .extend(sealed(&desk, "SELECT wallet_name FROM sessions JOIN registrations ON session_id = sessions.id").await);
    all_are_on_disk(&desk, &of_unfinished).await;
    all_are_on_disk(&desk, &of_submitted).await;
    let (unfinished, submitted) = (unfinished.id.parse().unwrap(), submitted.id.parse().unwrap());

    desk.clock.advance(desk.app.sessions.desk.lifetimes.unfinished);
    until_gone(&desk, unfinished).await;
    until_overwritten(&desk, &of_unfinished).await;
    assert!(is_there(&desk, submitted).await, "what was submitted is kept longer");
    all_are_on_disk(&desk, &of_submitted).await;

    desk.clock.advance(desk.app.sessions.desk.lifetimes.keep);
    until_gone(&desk, submitted).await;
    until_overwritten(&desk, &of_submitted).await;
    assert!(browser.confirmation().await.is_none());
    let left: Vec<(i64,)> =
        rows(&desk, "SELECT COUNT(*) FROM events WHERE session_id IS NOT NULL UNION ALL SELECT COUNT(*) FROM acts")
            .await;
    assert_eq!(left, [(0,), (0,)], "nothing else about them is left");
}

#[tokio::test]
async fn another_time_in_the_desks_file_holds_for_what_is_stored_already() {
    let folder = tempfile::tempdir().unwrap();
    let database = database::fresh(folder.path(), "kept.db").await;
    let desk_that_keeps = async |keep: &str| {
        let file = desk_file(folder.path(), "keep = \"90d\"", &format!("keep = \"{keep}\""));
        Desk::with(&[("DATABASE_URL", &*database), ("DESK_FILE", &*file)]).await
    };
    let due = async |desk: &Desk| -> Timestamp {
        let due: Vec<(i64,)> = rows(desk, "SELECT due_at FROM acts WHERE kind = 'purge' AND done_at IS NULL").await;
        assert_eq!(due.len(), 1);
        Timestamp(due[0].0)
    };
    let desk = desk_that_keeps("90d").await;
    let opened = verified(&desk, "amaka").await;
    assert_eq!(Browser::of(&desk, &opened).submit(EMAIL, PHONE).await, "/register/confirmation");
    let id = opened.id.parse().unwrap();
    let submitted_at = desk.app.sessions.store.registration(id).await.unwrap().unwrap().submitted_at;
    assert_eq!(due(&desk).await, submitted_at.plus(90 * DAY));
    desk.stop().await;
    let desk = desk_that_keeps("365d").await;
    assert_eq!(due(&desk).await, submitted_at.plus(365 * DAY));
    desk.stop().await;
    let desk = desk_that_keeps("1d").await;
    assert!(is_there(&desk, id).await);
    desk.clock.advance(DAY);
    until_gone(&desk, id).await;
    desk.stop().await;
}
