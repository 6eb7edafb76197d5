//! What staff do to help: for a registration, and for a delivery that found none.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::json;
use uuid::Uuid;
use vestibule::{
    api::admin::{Happened, Remedies},
    domain::stage::Stage,
    server::platform::AuthMode,
};

use crate::{
    browser::{Browser, EMAIL, PHONE, verified},
    database,
    harness::{Desk, PATIENCE},
    own_platform::desk_on_a_sandbox_elsewhere,
    platform::{FakePlatform, ProofEnd},
    reconcile::pass_until,
    staff::Staff,
};

#[tokio::test]
async fn a_wallet_is_asked_again_and_a_new_code_made_from_the_staffs_page() {
    let elsewhere = desk_on_a_sandbox_elsewhere(AuthMode::ApiKey, &[]).await;
    let desk = &elsewhere.desk;
    elsewhere.behave(json!({}));
    let opened = desk.open().await;
    let wallet = elsewhere.take(&opened, "amaka", "connect").await;
    pass_until(desk, &opened, "requested").await;
    wallet.answer("decline").await;
    pass_until(desk, &opened, "declined").await;
    let staff = Staff::sign_in(desk, "Ada").await;
    let view = staff.registration(&opened.id).await;
    assert_eq!(view.remedies, Remedies { ask_again: true, renew: true, reconcile: false, cancel: false });
    assert!(staff.act(&opened.id, 1, "ask-again").await.ends_with("?done=asked_again"));
    pass_until(desk, &opened, "requested").await;
    let asked = async {
        while elsewhere.proofs_on(wallet.connection()).await < 2 {
            desk.pass(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, asked).await.expect("the wallet is asked");
    // The page was old: what it wanted has been done since.
    assert!(staff.act(&opened.id, 1, "ask-again").await.ends_with("?done=asked_again"));
    assert_eq!(staff.registration(&opened.id).await.entry.attempt, 2);
    assert!(staff.act(&opened.id, 2, "renew").await.ends_with("?done=renewed"));
    let view = staff.registration(&opened.id).await;
    assert_eq!((view.entry.attempt, view.entry.stage), (3, Stage::Waiting));
    let attempts: Vec<bool> = view
        .timeline
        .iter()
        .filter_map(|moment| match moment.what {
            Happened::Attempt { has_code } => Some(has_code),
            _ => None,
        })
        .collect();
    assert_eq!(attempts, [true, false, true]);
    assert!(view.timeline.is_sorted_by_key(|moment| moment.at));
    let by_ada = view.timeline.iter().filter(|moment| matches!(&moment.what, Happened::Deed { by, .. } if by == "Ada"));
    assert_eq!(by_ada.count(), 3);
    // What cannot be done now is said, and is not done.
    desk.app.sessions.cancel(opened.id.parse().unwrap()).await.unwrap();
    assert!(staff.act(&opened.id, 3, "ask-again").await.ends_with("?done=too_late"));
    assert!(staff.act(&opened.id, 3, "reconcile").await.ends_with("?done=too_late"));
    assert_eq!(staff.posting("act").form(&[("session", "x"), ("what", "cancel")]).send().await.unwrap().status(), 404);
    let odd = [("session", &*opened.id), ("what", "explode")];
    assert_eq!(staff.posting("act").form(&odd).send().await.unwrap().status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn where_the_platform_is_away_there_is_no_new_code_and_that_is_said() {
    let platform = FakePlatform::start(ProofEnd::Silent).await;
    let desk = Desk::on(&platform).await;
    let opened = desk.open().await;
    let staff = Staff::sign_in(&desk, "Ada").await;
    platform.fail_next(&[StatusCode::INTERNAL_SERVER_ERROR; 3]);
    assert!(staff.act(&opened.id, 1, "renew").await.ends_with("?done=platform"));
    assert_eq!(desk.snapshot(&opened).await["attempt"], 1);
}

#[tokio::test]
async fn a_lost_webhook_is_made_up_for_when_staff_have_the_platform_asked() {
    let platform = FakePlatform::start(ProofEnd::Verified).await;
    let desk = Desk::on(&platform).await;
    let opened = desk.open().await;
    let connection = Uuid::new_v4().to_string();
    let scanned = json!({ "type": "Connection", "id": connection, "state": "completed",
        "outOfBandId": platform.last_out_of_band_id() });
    assert_eq!(desk.record(&scanned).await, "applied");
    pass_until(&desk, &opened, "requested").await;
    let asked_before = platform.count("proof");
    let staff = Staff::sign_in(&desk, "Ada").await;
    assert!(staff.registration(&opened.id).await.remedies.reconcile);
    assert!(staff.act(&opened.id, 1, "reconcile").await.ends_with("?done=reconciled"));
    // The desk's clock stands still: without staff nothing would be asked.
    let verified = async {
        while desk.snapshot(&opened).await["stage"] != "verified" {
            desk.pass(Duration::ZERO).await;
        }
    };
    tokio::time::timeout(PATIENCE, verified).await.expect("the platform says that it is done");
    assert!(platform.count("proof") > asked_before);
}

#[tokio::test]
async fn what_is_personal_is_deleted_for_good_and_the_number_stays() {
    let desk = Desk::sandbox().await;
    let opened = verified(&desk, "amaka").await;
    let browser = Browser::of(&desk, &opened);
    assert_eq!(browser.submit(EMAIL, PHONE).await, "/register/confirmation");
    let number = browser.confirmation().await.unwrap().number;
    let under_way = verified(&desk, "tunde").await;
    let staff = Staff::sign_in(&desk, "Ada").await;
    for session in [&opened.id, &under_way.id] {
        assert!(staff.act(session, 1, "erase").await.ends_with("?done=erased"));
        let view = staff.registration(session).await;
        assert!(view.personal.is_empty() && view.entry.wallet.is_none(), "{:?}", view.personal);
        let id = session.parse().unwrap();
        assert!(desk.app.sessions.store.submitted(id).await.unwrap().is_none());
        let sealed = format!(
            "SELECT (SELECT COUNT(*) FROM sessions WHERE id = '{session}' AND (wallet_name IS NOT NULL OR draft IS NOT NULL)) + \
             (SELECT COUNT(*) FROM attempts WHERE session_id = '{session}' AND attributes IS NOT NULL) + \
             (SELECT COUNT(*) FROM registrations WHERE session_id = '{session}' AND length(record) > 0) + \
             (SELECT COUNT(*) FROM events WHERE session_id = '{session}' AND body <> '{{}}')"
        );
        assert_eq!(database::count(&desk, &sealed).await, 0);
    }
    assert_eq!(desk.snapshot(&under_way).await["stage"], "cancelled");
    assert_eq!(browser.confirmation().await.unwrap().number, number);
    // There is nothing that could not be sealed anew.
    assert_eq!(desk.app.sessions.store.reseal().await.unwrap().lost, 0);
}

#[tokio::test]
async fn a_parked_delivery_finds_its_registration_when_it_is_tried_again() {
    let platform = FakePlatform::start(ProofEnd::Silent).await;
    let desk = Desk::on(&platform).await;
    let staff = Staff::sign_in(&desk, "Ada").await;
    let connection = Uuid::new_v4().to_string();
    let later = Uuid::new_v4().to_string();
    let early = json!({ "type": "Connection", "id": connection, "state": "request-received", "outOfBandId": later,
        "theirLabel": "A phone" });
    assert_eq!(desk.record(&early).await, "unmatched");
    let stray = staff.strays().await.strays.remove(0);
    assert!(stray.waits && stray.ids.contains(&("connection".to_owned(), connection.clone())), "{stray:?}");
    let told = staff.settle(stray.id, "replay").await;
    assert_eq!(told, "/admin/deliveries?done=unmatched");
    desk.clock.advance(Duration::from_secs(31));
    let parked = async {
        while staff.strays().await.strays[0].waits {
            desk.pass(Duration::ZERO).await;
        }
    };
    tokio::time::timeout(PATIENCE, parked).await.expect("it is given up");
    // The registration it belongs to is there now, and nobody tries it again by themselves.
    platform.next_out_of_band_id(&later);
    let opened = desk.open().await;
    let mut watcher = desk.watch(&opened).await;
    let (first, second) = tokio::join!(staff.settle(stray.id, "replay"), staff.settle(stray.id, "replay"));
    let mut told = [first, second];
    told.sort();
    assert_eq!(told, ["/admin/deliveries?done=matched", "/admin/deliveries?done=unmatched"], "once");
    watcher.until("scanned").await;
    assert!(staff.strays().await.strays.is_empty());
    assert_eq!(staff.registration(&opened.id).await.entry.session.to_string(), opened.id);
}

#[tokio::test]
async fn a_delivery_that_is_put_aside_is_listed_no_more_and_counted() {
    let desk = Desk::sandbox().await;
    let staff = Staff::sign_in(&desk, "Ada").await;
    for _ in 0..60 {
        let body = json!({ "type": "Connection", "id": Uuid::new_v4(), "state": "completed" });
        assert_eq!(desk.record(&body).await, "unmatched");
    }
    let view = staff.strays().await;
    assert_eq!((view.strays.len(), view.older.is_some()), (50, true));
    assert!(view.frame.has_strays);
    let id = view.strays[0].id;
    assert_eq!(staff.settle(id, "discard").await, "/admin/deliveries?done=discarded");
    assert_eq!(staff.settle(id, "discard").await, "/admin/deliveries?done=gone");
    assert_eq!(staff.settle(id, "replay").await, "/admin/deliveries?done=unmatched");
    assert!(staff.strays().await.strays.iter().all(|stray| stray.id != id));
    // A delivery of somebody's registration is not to be put aside.
    let opened = verified(&desk, "amaka").await;
    let query = format!("SELECT MIN(id) FROM events WHERE session_id = '{}'", opened.id);
    let theirs = database::count(&desk, &query).await;
    assert_eq!(staff.settle(theirs, "discard").await, "/admin/deliveries?done=gone");
    assert_eq!(staff.deeds().await.iter().filter(|deed| *deed == "discarded").count(), 3);
}
