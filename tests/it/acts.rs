//! What is due: looked at once more before it is done, done again when it was wished for meanwhile, and given up by nobody.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use tempfile::TempDir;
use tokio::time::timeout;
use uuid::Uuid;
use vestibule::{
    domain::{
        ids::{ConnectionId, SessionId},
        stage::{Event, Stage},
    },
    server::{
        clock::Clock,
        metrics::act,
        platform::{Cards, Revealed},
        secrets::{KeyRing, SecretKey},
        sessions::{Due, Finding, LEASE, Leased},
        store::{About, Act, ActKind, Lane, Store, StoreError},
    },
};

use crate::{
    database,
    harness::{Desk, Opened, PATIENCE},
    platform::{FakePlatform, ProofEnd},
    reconcile::pass_until,
};

/// A database with nobody at work in it.
struct Idle {
    store: Store,
    url: String,
    clock: Clock,
    _folder: TempDir,
}

impl Idle {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = KeyRing::new(SecretKey::from_master(&[7; 32]), Vec::new());
        let url = database::fresh(folder.path(), "idle.db").await;
        let store = Store::open(&url, 4, Arc::new(keys)).await.unwrap();
        Self { store, url, clock: Clock::default(), _folder: folder }
    }

    /// Leases what is due in a lane.
    async fn lease(&self, lane: Lane) -> Vec<Act> {
        let mut tx = self.store.begin().await.unwrap();
        let acts = tx.lease_acts(lane, self.clock.now(), LEASE, 10).await.unwrap();
        tx.commit().await.unwrap();
        acts
    }

    /// The same as the worker does it, and whoever has just made something due.
    async fn lease_by(&self, due: &Due, most: usize) -> Vec<Leased> {
        let mut tx = self.store.begin().await.unwrap();
        let leased = due.lease(&mut tx, Lane::Asking, most, self.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        leased
    }

    async fn wish(&self, about: &About) {
        let mut tx = self.store.begin().await.unwrap();
        tx.set_act(ActKind::ReadConnection, about, self.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn finish(&self, act: &Act) {
        let mut tx = self.store.begin().await.unwrap();
        tx.finish_act(act.id, self.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
    }
}

#[tokio::test]
async fn an_act_that_is_wished_for_while_it_runs_is_done_once_more() {
    let idle = Idle::new().await;
    let about = About::Connection(ConnectionId("c".to_owned()));
    idle.wish(&about).await;
    let first = idle.lease(Lane::Asking).await;
    assert_eq!((first.len(), first[0].tries), (1, 0));
    assert!(idle.lease(Lane::Asking).await.is_empty(), "it is leased");
    idle.wish(&about).await;
    assert!(idle.lease(Lane::Asking).await.is_empty(), "and still is");
    idle.finish(&first[0]).await;
    let again = idle.lease(Lane::Asking).await;
    assert_eq!(again.len(), 1, "the wish was not lost");
    idle.finish(&again[0]).await;
    idle.clock.advance(LEASE);
    assert!(idle.lease(Lane::Asking).await.is_empty(), "and was fulfilled once");
}

#[tokio::test]
async fn an_act_whose_worker_died_comes_back_with_its_tries_counted() {
    let idle = Idle::new().await;
    idle.wish(&About::Connection(ConnectionId("c".to_owned()))).await;
    for tries in 0..3 {
        let leased = idle.lease(Lane::Asking).await;
        assert_eq!(leased.iter().map(|act| act.tries).collect::<Vec<_>>(), [tries]);
        // Nobody finishes it.
        idle.clock.advance(LEASE);
    }
    assert!(idle.lease(Lane::Doing).await.is_empty(), "a lane has its own acts");
}

#[tokio::test]
async fn nothing_is_leased_without_a_worker_nor_more_than_it_has_room_for() {
    let idle = Idle::new().await;
    for number in 0..20 {
        idle.wish(&About::Connection(ConnectionId(number.to_string()))).await;
    }
    let due = Due::default();
    assert!(idle.lease_by(&due, 20).await.is_empty(), "nobody would do them");
    due.open();
    let room = due.room(Lane::Asking);
    assert!((1..20).contains(&room));
    let mut leased = idle.lease_by(&due, 20).await;
    assert_eq!((leased.len(), due.room(Lane::Asking)), (room, 0));
    assert!(idle.lease_by(&due, 20).await.is_empty());
    drop(leased.pop());
    assert_eq!(idle.lease_by(&due, 20).await.len(), 1, "what ended made room, and the lease of another is not touched");
    let (asked, doing) = (due.room(Lane::Asking), due.room(Lane::Doing));
    assert!(asked < doing, "one lane takes nothing from another");
    due.close();
    drop(leased);
    assert!(idle.lease_by(&due, 20).await.is_empty(), "it stops");
}

#[tokio::test]
async fn what_is_handed_over_and_what_is_to_be_looked_for_reach_the_worker_both() {
    let idle = Idle::new().await;
    let due = Due::default();
    due.open();
    assert!(matches!(due.news().await, (handed, true) if handed.is_empty()), "it looks when it begins");
    idle.wish(&About::Connection(ConnectionId("c".to_owned()))).await;
    due.hand_over(idle.lease_by(&due, 1).await);
    due.wake();
    let (handed, look) = due.news().await;
    assert_eq!((handed.len(), look), (1, true));
    idle.wish(&About::Connection(ConnectionId("d".to_owned()))).await;
    due.hand_over(idle.lease_by(&due, 1).await);
    let (handed, look) = due.news().await;
    assert_eq!((handed.len(), look), (1, false), "what was handed over needs no search");
    due.hand_over(handed);
    assert_eq!(due.close().len(), 1, "and a worker that stops has it still");
}

#[tokio::test]
async fn a_transaction_knows_what_it_makes_due() {
    let idle = Idle::new().await;
    let about = About::Connection(ConnectionId("c".to_owned()));
    let soon = |seconds| idle.clock.now().plus(Duration::from_secs(seconds));
    let mut tx = idle.store.begin().await.unwrap();
    assert!(!tx.makes_due(soon(1000)));
    tx.set_act(ActKind::ReadConnection, &about, soon(20)).await.unwrap();
    assert_eq!((tx.makes_due(soon(10)), tx.makes_due(soon(30))), (false, true));
    let now = idle.clock.now();
    tx.set_act(ActKind::ReadConnection, &about, now).await.unwrap();
    assert_eq!((tx.soonest(Lane::Asking), tx.soonest(Lane::Doing)), (Some(now), None));
    let act = tx.lease_acts(Lane::Asking, idle.clock.now(), LEASE, 10).await.unwrap().pop().unwrap();
    assert!(!tx.makes_due(idle.clock.now()), "it is leased");
    tx.commit().await.unwrap();
    let ended = async |again: bool, end: &str| {
        if again {
            idle.wish(&about).await;
        }
        let mut tx = idle.store.begin().await.unwrap();
        match end {
            "finished" => tx.finish_act(act.id, idle.clock.now()).await.unwrap(),
            "put off" => tx.put_off_act(act.id, soon(20), Some("reason")).await.unwrap(),
            _ => tx.rest_act(act.id, soon(20)).await.unwrap(),
        }
        [1, 30].map(|seconds| tx.makes_due(soon(seconds)))
        // Dropped: it runs on.
    };
    assert_eq!(ended(false, "finished").await, [false, false]);
    assert_eq!(ended(false, "put off").await, [false, true]);
    assert_eq!(ended(false, "rests").await, [false, true]);
    for end in ["finished", "put off", "rests"] {
        assert_eq!(ended(true, end).await, [true, true], "{end}: it was wished for meanwhile");
    }
}

#[tokio::test]
async fn an_act_is_woken_for_an_earlier_time_and_once_it_was_done_but_never_put_off() {
    let platform = FakePlatform::start(ProofEnd::Silent).await;
    let desk = Desk::on(&platform).await;
    let about = About::Attempt(desk.open().await.id.parse().unwrap(), 1);
    let now = desk.clock.now();
    let after = |seconds| now.plus(Duration::from_secs(seconds));
    let mut tx = desk.app.sessions.store.begin().await.unwrap();
    tx.wake_act(ActKind::Reconcile, &about, after(60)).await.unwrap();
    let leased = tx.lease_acts(Lane::Asking, after(10), LEASE, 10).await.unwrap();
    assert_eq!(leased.len(), 1, "it stays at its time");
    tx.finish_act(leased[0].id, after(10)).await.unwrap();
    assert!(tx.lease_acts(Lane::Asking, after(100), LEASE, 10).await.unwrap().is_empty(), "it is done");
    tx.wake_act(ActKind::Reconcile, &about, after(60)).await.unwrap();
    tx.wake_act(ActKind::Reconcile, &about, after(20)).await.unwrap();
    assert_eq!(tx.lease_acts(Lane::Asking, after(30), LEASE, 10).await.unwrap().len(), 1, "and due once more");
}

#[tokio::test]
async fn every_deadline_passes_at_its_time_also_where_a_wallets_is_shorter_than_the_codes() {
    let platform = FakePlatform::start(ProofEnd::Silent).await;
    platform.connections_are(json!({ "state": "request-received" }));
    let desk = Desk::on(&platform).await;
    let (code, wallet) = (desk.app.sessions.deadlines.code, desk.app.sessions.deadlines.wallet);
    assert!(wallet < code);
    let (unseen, scanned) = (desk.open().await, desk.open().await);
    let body = json!({ "type": "Connection", "id": Uuid::new_v4(), "state": "request-received",
        "outOfBandId": platform.last_out_of_band_id() });
    assert_eq!(desk.record(&body).await, "applied");
    let read =
        async |opened: &Opened| desk.app.sessions.store.session(opened.id.parse().unwrap()).await.unwrap().unwrap();
    for (opened, left) in [(&scanned, wallet), (&unseen, code - wallet)] {
        let deadline = read(opened).await.expires_at;
        desk.clock.advance(left - Duration::from_secs(1));
        desk.pass(Duration::ZERO).await;
        desk.clock.advance(Duration::from_secs(1));
        let is_over = async {
            while desk.snapshot(opened).await["stage"] != "expired" {
                desk.pass(Duration::ZERO).await;
            }
        };
        timeout(PATIENCE, is_over).await.expect("it ends without further time");
        assert!(read(opened).await.updated_at >= deadline, "and not sooner");
    }
}

#[tokio::test]
async fn where_there_was_news_a_moment_ago_the_platform_is_not_asked() {
    let platform = FakePlatform::start(ProofEnd::Silent).await;
    let desk = Desk::on(&platform).await;
    desk.open().await;
    desk.clock.advance(Duration::from_millis(4_500));
    let of = platform.last_out_of_band_id();
    let body = json!({ "type": "Connection", "id": Uuid::new_v4(), "state": "request-received", "outOfBandId": of });
    assert_eq!(desk.record(&body).await, "applied");
    let calls = platform.calls();
    let asked = desk.app.sessions.metrics.acts.of([ActKind::Reconcile.as_str(), act::DONE]).unwrap();
    // Five seconds after the code was made.
    desk.clock.advance(Duration::from_millis(1_000));
    let all_is_done = async {
        while asked.get() == 0 {
            desk.pass(Duration::ZERO).await;
        }
    };
    timeout(PATIENCE, all_is_done).await.expect("the question is due");
    assert_eq!(platform.calls(), calls);
}

#[tokio::test]
async fn what_an_older_version_wished_for_is_done() {
    let platform = FakePlatform::start(ProofEnd::Silent).await;
    let desk = Desk::on(&platform).await;
    let opened = desk.open().await;
    let of = platform.last_out_of_band_id();
    let body = json!({ "type": "Connection", "id": Uuid::new_v4(), "state": "request-received", "outOfBandId": of });
    assert_eq!(desk.record(&body).await, "applied");
    // So that nobody else asks.
    database::execute_at(&desk.app.config.database_url.0, "DELETE FROM acts WHERE kind = 'reconcile'").await;
    desk.clock.advance(Duration::from_secs(60));
    assert_eq!((desk.snapshot(&opened).await["stage"].as_str(), platform.count("connection")), (Some("scanned"), 0));
    let mut tx = desk.app.sessions.store.begin().await.unwrap();
    tx.add_act(ActKind::FallBack, &About::Attempt(opened.id.parse().unwrap(), 1), desk.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    // The platform shows the connection completed.
    pass_until(&desk, &opened, "requested").await;
    let done = |kind: ActKind| desk.app.sessions.metrics.acts.of([kind.as_str(), act::DONE]).unwrap().get();
    assert_eq!((done(ActKind::FallBack), done(ActKind::Reconcile)), (1, 0));
}

#[tokio::test]
async fn a_wallet_is_not_asked_for_a_registration_that_ended_meanwhile() {
    let platform = FakePlatform::start(ProofEnd::Silent).await;
    let desk = Desk::on(&platform).await;
    let opened = desk.open().await;
    let (id, store) = (opened.id.parse::<SessionId>().unwrap(), &desk.app.sessions.store);
    let act = desk.leased(ActKind::RequestProof, id).await;
    let attempt = store.attempt(id, 1).await.unwrap().unwrap();
    let noted = async || {
        let mut tx = store.begin().await.unwrap();
        let noted = tx.mark_proof_asked(&act, &attempt, desk.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        noted
    };
    assert!(!noted().await, "nobody is connected");
    let mut tx = store.begin().await.unwrap();
    let mut session = tx.session(id).await.unwrap().unwrap();
    session.apply(Event::ConnectionCompleted, desk.clock.now(), &desk.app.sessions.deadlines);
    tx.update_session(&session).await.unwrap();
    tx.commit().await.unwrap();
    assert!(noted().await);
    desk.app.sessions.cancel(id).await.unwrap();
    assert!(!noted().await, "it is cancelled");
}

#[tokio::test]
async fn two_cards_that_come_to_light_while_the_platform_is_asked_are_found() {
    let platform = FakePlatform::start(ProofEnd::Silent).await;
    let desk = Desk::on(&platform).await;
    let opened = desk.open().await;
    let (id, store) = (opened.id.parse::<SessionId>().unwrap(), &desk.app.sessions.store);
    let mut tx = store.begin().await.unwrap();
    tx.store_cards(id, 1, Cards::Several).await.unwrap();
    tx.commit().await.unwrap();
    // The act began before that, and knows nothing of it.
    let act = desk.leased(ActKind::VerifyProof, id).await;
    let revealed = vec![Revealed { name: "surname".to_owned(), value: "Okonkwo".to_owned() }];
    desk.app.sessions.finish(&act, &Finding::Verified(revealed)).await.unwrap();
    assert_eq!(store.session(id).await.unwrap().unwrap().progress.stage, Stage::Invalid);
    assert!(store.revealed(&store.attempt(id, 1).await.unwrap().unwrap()).is_none());
}

#[tokio::test]
async fn a_listed_proof_that_cannot_be_read_is_not_taken_for_none() {
    let platform = FakePlatform::start(ProofEnd::CannotAsk).await;
    let desk = Desk::on(&platform).await;
    let opened = desk.open().await;
    let connection = "e81d5c47-93b2-4f6a-b0d8-2a7c4e9f1b35";
    // The first call has an unknown outcome, and the list shows an exchange that cannot be read yet.
    platform.lists(connection);
    let body = serde_json::json!({ "type": "Connection", "id": connection, "state": "completed",
        "outOfBandId": platform.last_out_of_band_id() });
    desk.record(&body).await;
    tokio::time::timeout(crate::harness::PATIENCE, async {
        while platform.count("list_proofs") < 4 {
            desk.pass(Duration::from_secs(4)).await;
        }
    })
    .await
    .expect("it is looked for");
    assert_eq!(platform.count("create_proof"), 1, "to ask twice would be worse than to wait");
    pass_until(&desk, &opened, "connected").await;
}

#[tokio::test]
async fn whoever_lost_its_lease_can_neither_renew_nor_end_it() {
    let idle = Idle::new().await;
    let about = About::Connection(ConnectionId("c-1".to_owned()));
    let mut tx = idle.store.begin().await.unwrap();
    tx.add_act(ActKind::ReadConnection, &about, idle.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    let lost = idle.lease(Lane::Asking).await.remove(0);
    // Another process, to which it is due once the lease has ended.
    let keys = KeyRing::new(SecretKey::from_master(&[7; 32]), Vec::new());
    let other = Store::open(&idle.url, 4, Arc::new(keys)).await.unwrap();
    let other =
        Idle { store: other, url: idle.url.clone(), clock: idle.clock.clone(), _folder: TempDir::new().unwrap() };
    assert!(other.lease(Lane::Asking).await.is_empty(), "somebody has it");
    idle.clock.advance(LEASE);
    assert_eq!(other.lease(Lane::Asking).await.len(), 1);
    let now = idle.clock.now();
    let mut tx = idle.store.begin().await.unwrap();
    for ended in [
        tx.renew_lease(lost.id, now.plus(LEASE)).await,
        tx.finish_act(lost.id, now).await,
        tx.put_off_act(lost.id, now, None).await,
        tx.rest_act(lost.id, now).await,
    ] {
        assert!(matches!(ended, Err(StoreError::LeaseLost)), "{ended:?}");
    }
    tx.commit().await.unwrap();
    let mut tx = other.store.begin().await.unwrap();
    tx.renew_lease(lost.id, now.plus(LEASE * 2)).await.unwrap();
    tx.finish_act(lost.id, now).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn two_servers_lease_at_the_same_time_and_get_different_acts() {
    let url = crate::postgres::fresh().await;
    let keys = || Arc::new(KeyRing::new(SecretKey::from_master(&[7; 32]), Vec::new()));
    let (one, other) = (Store::open(&url, 4, keys()).await.unwrap(), Store::open(&url, 4, keys()).await.unwrap());
    let now = Clock::default().now();
    let mut tx = one.begin().await.unwrap();
    for number in 0..6 {
        let about = About::Connection(ConnectionId(format!("c-{number}")));
        tx.add_act(ActKind::ReadConnection, &about, now).await.unwrap();
    }
    tx.commit().await.unwrap();
    let (mut first, mut second) = (one.begin().await.unwrap(), other.begin().await.unwrap());
    let leased = first.lease_acts(Lane::Asking, now, LEASE, 4).await.unwrap();
    // The first has not committed yet, and the second does not wait for it.
    let rest = second.lease_acts(Lane::Asking, now, LEASE, 4).await.unwrap();
    assert_eq!((leased.len(), rest.len()), (4, 2));
    assert!(rest.iter().all(|act| leased.iter().all(|other| other.id != act.id)));
    second.commit().await.unwrap();
    first.commit().await.unwrap();
}
