//! The staff's board: its lists, pages and searches, and how it stays live.

use std::{collections::HashSet, time::Duration};

use serde_json::json;
use vestibule::domain::{session::Session, stage::Stage};

use crate::{
    browser::{Browser, EMAIL, PHONE, answered, verified},
    database,
    harness::{Desk, Opened, PATIENCE},
    sandbox::{Wallet, behave},
    staff::Staff,
};

/// Sessions that began one after the other, a second apart, as fast as they can be stored.
async fn begun(desk: &Desk, count: usize) -> Vec<String> {
    let sessions = &desk.app.sessions;
    let mut tx = sessions.store.begin().await.unwrap();
    let mut ids = Vec::new();
    for _ in 0..count {
        desk.clock.advance(Duration::from_secs(1));
        let now = desk.clock.now();
        let id = vestibule::domain::ids::SessionId::new(now, vestibule::server::secrets::random_bytes());
        let mut session = Session::open(id, sessions.consent.clone(), now, &sessions.deadlines);
        tx.insert_session(&session).await.unwrap();
        session.progress.stage = Stage::Expired;
        tx.update_session(&session).await.unwrap();
        ids.push(id.to_string());
    }
    tx.commit().await.unwrap();
    ids
}

#[tokio::test]
async fn every_list_has_those_of_whom_it_says_so() {
    let desk = Desk::sandbox().await;
    let waiting = desk.open().await;
    let cancelled = desk.open().await;
    desk.app.sessions.cancel(cancelled.id.parse().unwrap()).await.unwrap();
    let declined = {
        behave(&desk, json!({ "pace": 0 })).await;
        let opened = desk.open().await;
        let mut watcher = desk.watch(&opened).await;
        let wallet = Wallet::connect(&desk, &opened, "tunde").await;
        watcher.until("requested").await;
        wallet.answer("decline").await;
        while desk.snapshot(&opened).await["stage"] != "declined" {
            desk.pass(Duration::from_millis(50)).await;
        }
        opened
    };
    let at_form = verified(&desk, "amaka").await;
    let registered = verified(&desk, "amaka").await;
    Browser::of(&desk, &registered).submit(EMAIL, PHONE).await;
    let staff = Staff::sign_in(&desk, "Ada").await;
    let listed = async |list: &str| -> HashSet<String> {
        staff.board(&[("list", list)]).await.entries.into_iter().map(|entry| entry.session.to_string()).collect()
    };
    let of = |opened: &[&Opened]| -> HashSet<String> { opened.iter().map(|opened| opened.id.clone()).collect() };
    assert_eq!(listed("").await, of(&[&waiting, &at_form]));
    assert_eq!(listed("waiting").await, of(&[&waiting]));
    assert_eq!(listed("verified").await, of(&[&at_form]));
    assert_eq!(listed("cancelled").await, of(&[&cancelled]));
    assert_eq!(listed("declined").await, of(&[&declined]));
    assert_eq!(listed("submitted").await, of(&[&registered]));
    assert_eq!(listed("all").await.len(), 5);
    assert_eq!(listed("nonsense").await, of(&[]));
    assert_eq!(listed("stuck").await, of(&[]));
    let view = staff.board(&[("list", "")]).await;
    assert_eq!(view.running, [(Stage::Waiting, 1), (Stage::Verified, 1)]);
    assert_eq!(view.ended, [(Stage::Submitted, 1), (Stage::Declined, 1), (Stage::Cancelled, 1)]);
}

#[tokio::test]
async fn pages_lead_through_all_and_back_also_while_others_begin() {
    let desk = Desk::sandbox().await;
    let mut expected = begun(&desk, 120).await;
    expected.reverse();
    let staff = Staff::sign_in(&desk, "Ada").await;
    for list in ["all", "expired"] {
        let (mut seen, mut place, mut pages) = (Vec::new(), None::<String>, Vec::new());
        loop {
            let form = [("list", list), ("older", place.as_deref().unwrap_or_default())];
            let view = staff.board(&form).await;
            assert_eq!(view.newer.is_some(), !seen.is_empty());
            seen.extend(view.entries.iter().map(|entry| entry.session.to_string()));
            pages.push((view.newer, view.entries.len()));
            place = view.older;
            if place.is_none() {
                break;
            }
            begun(&desk, 3).await;
        }
        assert_eq!(seen, expected, "{list}");
        assert_eq!(pages.iter().map(|(_, rows)| *rows).collect::<Vec<_>>(), [50, 50, expected.len() - 100]);
        // Back from the third page to the second.
        let view = staff.board(&[("list", list), ("newer", pages[2].0.as_deref().unwrap())]).await;
        let back: Vec<String> = view.entries.iter().map(|entry| entry.session.to_string()).collect();
        assert_eq!(back, expected[50..100], "{list}");
        expected = {
            let all = database::texts(&desk, "SELECT id FROM sessions ORDER BY created_at DESC").await;
            assert_eq!(all.len(), expected.len() + 6);
            all
        };
        desk.clock.advance(Duration::from_secs(1));
    }
}

#[tokio::test]
async fn a_registration_is_found_by_whatever_names_it() {
    let desk = Desk::sandbox().await;
    let other = verified(&desk, "tunde").await;
    let opened = verified(&desk, "amaka").await;
    let waiting = desk.open().await;
    Browser::of(&desk, &opened).submit(EMAIL, PHONE).await;
    let staff = Staff::sign_in(&desk, "Ada").await;
    let found = async |query: &str| -> Vec<String> {
        let view = staff.board(&[("query", query)]).await;
        view.entries.into_iter().map(|entry| entry.session.to_string()).collect()
    };
    let number = staff.registration(&opened.id).await.entry.number.unwrap();
    let connection =
        database::texts(&desk, &format!("SELECT connection_id FROM attempts WHERE session_id = '{}'", opened.id)).await;
    for query in [&*number, &number.to_lowercase(), opened.sandbox_out_of_band_id(), &opened.id, &connection[0]] {
        assert_eq!(found(query).await, [&*opened.id], "{query}");
    }
    assert_eq!(found(&format!("  {number} ")).await, [&*opened.id]);
    // The code that a person reads out is that of somebody under way.
    let code = waiting.data["matchingCode"].as_str().unwrap();
    assert_eq!(found(&code.to_lowercase()).await, [&*waiting.id]);
    // A wallet's name, of which a part is enough, in any case.
    let label = desk.snapshot(&other).await["theirLabel"].as_str().unwrap().to_owned();
    let part: String = label.chars().take(5).collect();
    assert_eq!(found(&part.to_uppercase()).await, [&*other.id], "{label}");
    for query in ["nobody's", "%", "_", "'", "a\u{0}b", &"x".repeat(5_000)] {
        assert_eq!(found(query).await, [""; 0], "{query:?}");
    }
}

#[tokio::test]
async fn a_search_by_name_goes_on_where_it_stopped_and_comes_to_the_oldest() {
    let desk = Desk::sandbox().await;
    let oldest = verified(&desk, "amaka").await;
    let label = desk.snapshot(&oldest).await["theirLabel"].as_str().unwrap().to_owned();
    begun(&desk, 50_001).await;
    let staff = Staff::sign_in(&desk, "Ada").await;
    let first = staff.board(&[("query", &*label)]).await;
    assert!(first.entries.is_empty() && first.searched_to.is_some());
    let form = [("query", &*label), ("older", first.older.as_deref().unwrap())];
    let second = staff.board(&form).await;
    assert_eq!(second.entries.iter().map(|entry| entry.session.to_string()).collect::<Vec<_>>(), [&*oldest.id]);
    assert_eq!((second.searched_to, second.older), (None, None));
}

#[tokio::test]
async fn who_waits_for_the_platform_is_stuck_and_the_reason_is_told() {
    let platform = crate::platform::FakePlatform::start(crate::platform::ProofEnd::CannotAsk).await;
    let desk = Desk::on(&platform).await;
    let opened = desk.open().await;
    let staff = Staff::sign_in(&desk, "Ada").await;
    let body = json!({ "type": "Connection", "id": "c0ffee00-0000-4000-8000-000000000001", "state": "completed",
        "outOfBandId": platform.last_out_of_band_id() });
    assert_eq!(desk.record(&body).await, "applied");
    let stuck = async {
        loop {
            let view = staff.board(&[("list", "stuck")]).await;
            if let [entry] = &*view.entries
                && entry.delayed
            {
                return entry.clone();
            }
            desk.pass(Duration::from_millis(200)).await;
        }
    };
    let entry = tokio::time::timeout(PATIENCE, stuck).await.expect("it is stuck");
    assert_eq!(entry.session.to_string(), opened.id);
    let (problem, tries) = entry.problem.unwrap();
    assert!(!problem.is_empty() && tries > 1, "{problem} {tries}");
    let said = format!("The wallet is about to be asked. Tried {tries} times: {problem}");
    let page = staff.page("/admin?list=stuck").await.text().await.unwrap();
    assert!(page.contains(&said), "{said}\n{page}");
}

#[tokio::test]
async fn the_board_is_told_of_every_change_and_of_many_at_once() {
    let desk = Desk::sandbox().await;
    let staff = Staff::sign_in(&desk, "Ada").await;
    let mut watcher = staff.watch().await;
    let first = watcher.next().await;
    assert_eq!(first["type"], "board");
    let mut version = first["version"].as_u64().unwrap();
    desk.open().await;
    let told = watcher.next().await["version"].as_u64().unwrap();
    assert!(told > version, "nobody watches that registration, and staff see that it began");
    version = told;
    // A delivery without a registration, and a whole registration.
    let stray = json!({ "type": "Connection", "id": "c0ffee00-0000-4000-8000-000000000009", "state": "completed" });
    desk.record(&stray).await;
    let told = watcher.next().await["version"].as_u64().unwrap();
    assert!(told > version);
    version = told;
    let opened = answered(&desk, "amaka", "share").await;
    let told = async {
        loop {
            let next = watcher.next().await["version"].as_u64().unwrap();
            assert!(next > version, "versions grow");
            version = next;
            if staff.registration(&opened.id).await.entry.stage == Stage::Verified {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, told).await.expect("the last change is told too");
    // It is no session that others could look at.
    let url = desk.socket_url("?sessionId=AAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    let mut stranger = crate::harness::Watcher::connect(&url, &[("origin", &desk.url)]).await.unwrap();
    assert_eq!(&*stranger.closed().await.reason, "Invalid token");
    assert_eq!(desk.socket_stats().await["totalConnections"], 0, "staff are no visitors");
}
