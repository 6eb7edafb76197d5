//! Deliveries that wait together are recorded together, and nothing about them is different for it.

use std::time::Instant;

use futures_util::future::join_all;
use proptest::{collection::vec, prelude::*, sample::select};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;
use vestibule::{
    domain::ids::SessionId,
    server::{
        clock::Clock,
        platform::Delivery,
        sessions::{NotRecorded, intake::Received},
        startup::Server,
        state::App,
        store::EventOutcome,
    },
};

use crate::{
    database::{self, Busy},
    harness::{Desk, PATIENCE, configuration},
    platform::{FakePlatform, ProofEnd},
};

/// The registrations that deliveries are about.
const SESSIONS: usize = 3;

#[derive(Clone, Debug)]
enum Step {
    /// A webhook about a session's invitation, if it says so, and about one of a few connections.
    Connection { session: Option<usize>, connection: usize, state: &'static str, at: u8 },
    /// A webhook about one of a few exchanges.
    Proof { record: usize, connection: usize, state: &'static str, cards: u8, at: u8 },
    /// The server is about to ask a session's wallet for the proof.
    Ask { session: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let connection_states = select(vec!["request-received", "response-sent", "completed", "abandoned", "start"]);
    let proof_states = select(vec!["request-sent", "presentation-received", "done", "abandoned"]);
    prop_oneof![
        6 => (prop::option::weighted(0.7, 0..SESSIONS), 0..SESSIONS + 1, connection_states, 0..2_u8)
            .prop_map(|(session, connection, state, at)| Step::Connection { session, connection, state, at }),
        4 => (0..3_usize, 0..SESSIONS + 1, proof_states, 0..3_u8, 0..2_u8)
            .prop_map(|(record, connection, state, cards, at)| Step::Proof { record, connection, state, cards, at }),
        2 => (0..SESSIONS).prop_map(|session| Step::Ask { session }),
    ]
}

/// A server that does nothing by itself: what happens is what is told to it.
struct Still {
    app: App,
    sessions: Vec<(SessionId, String)>,
    _folder: TempDir,
}

impl Still {
    async fn start(platform: &FakePlatform) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let auth_url = format!("{}/token", platform.url);
        let variables = [
            ("PLATFORM", "confirmd"),
            ("CONFIRMD_BASE_URL", &*platform.url),
            ("CONFIRMD_AUTH_URL", &*auth_url),
            ("CONFIRMD_ORG_ID", crate::platform::ORG_ID),
            ("CONFIRMD_CLIENT_ID", "client"),
            ("CONFIRMD_CLIENT_SECRET", "secret"),
        ];
        let server = Server::start(configuration(folder.path(), &variables).await, Clock::default()).await.unwrap();
        let app = server.app().clone();
        let mut sessions = Vec::new();
        for _ in 0..SESSIONS {
            platform.next_out_of_band_id(&Uuid::new_v4().to_string());
            let session = app.sessions.open().await.unwrap();
            sessions.push((session.id, platform.last_out_of_band_id()));
        }
        Self { app, sessions, _folder: folder }
    }

    fn delivery(&self, step: &Step) -> Option<Delivery> {
        let id = |kind: &str, number: usize| format!("{kind}-{number}");
        let at = |at: u8| format!("2026-03-02T10:15:00.{at:03}Z");
        let body = match step {
            Step::Connection { session, connection, state, at: time } => json!({ "type": "Connection", "data": {
                "id": id("connection", *connection), "state": state, "updatedAt": at(*time),
                "outOfBandId": session.map(|index| &self.sessions[index].1), "theirLabel": "A phone",
            }}),
            Step::Proof { record, connection, state, cards, at: time } => {
                let indexes: Value =
                    (0..*cards).map(|card| (format!("a{card}"), json!({ "sub_proof_index": card }))).collect();
                json!({ "type": "Proof", "data": {
                    "id": id("proof", *record), "threadId": id("thread", *record), "state": state,
                    "connectionId": id("connection", *connection), "updatedAt": at(*time),
                    "isVerified": (*state == "done").then_some(true),
                    "proofData": { "presentation": { "indy": { "requested_proof": { "revealed_attrs": indexes } } } },
                }})
            }
            Step::Ask { .. } => return None,
        };
        Some(self.app.sessions.platform.translate(body.to_string().as_bytes()).unwrap())
    }

    async fn ask(&self, session: usize) {
        let id = self.sessions[session].0;
        let statement = format!(
            "UPDATE attempts SET proof_asked_at = 1 WHERE session_id = '{id}' AND proof_id IS NULL AND EXISTS \
             (SELECT 1 FROM sessions WHERE id = '{id}' AND stage IN ('connected', 'requested'))"
        );
        database::execute_at(&self.app.config.database_url.0, &statement).await;
    }

    /// Everything that is stored, without what chance and time decide: a question about a connection of unknown origin is
    /// written if any was awaited when the deliveries were taken up.
    async fn stored(&self) -> Vec<String> {
        let mut all = Vec::new();
        for query in [
            "SELECT json_array('session', id, stage, version, attempt, answered, wallet_name IS NULL) FROM sessions",
            "SELECT json_array('attempt', session_id, connection_id, proof_id, proof_thread_id, cards) FROM attempts",
            "SELECT json_array('event', id, kind, record_id, state, connection_id, thread_id, cards, outcome, source, \
             session_id, attempt) FROM events",
            "SELECT json_array('act', kind, lane, session_id, attempt, connection_id, done_at IS NULL, tries) FROM acts \
             WHERE kind <> 'read_connection'",
        ] {
            let query = if database::is_postgres() {
                query.replace("json_array(", "CAST(json_build_array(").replacen(") FROM", ") AS TEXT) FROM", 1)
            } else {
                query.to_owned()
            };
            let rows: Vec<(String,)> = database::rows_at(&self.app.config.database_url.0, &query).await;
            let mut rows: Vec<String> = rows.into_iter().map(|(row,)| row).collect();
            for row in &mut rows {
                for (number, (id, _)) in self.sessions.iter().enumerate() {
                    *row = row.replace(id.as_str(), &format!("session-{number}"));
                }
            }
            rows.sort();
            all.extend(rows);
        }
        all
    }
}

async fn alone_and_together_are_the_same(steps: Vec<Step>) {
    let platform = FakePlatform::start(ProofEnd::Verified).await;
    let (alone, together) = (Still::start(&platform).await, Still::start(&platform).await);
    let mut outcomes_alone = Vec::new();
    for step in &steps {
        match alone.delivery(step) {
            Some(delivery) => outcomes_alone.extend(alone.app.sessions.record_each(&[delivery.into()]).await),
            None => {
                if let Step::Ask { session } = step {
                    alone.ask(*session).await;
                }
            }
        }
    }
    let mut outcomes_together = Vec::new();
    for part in steps.chunk_by(|_, next| !matches!(next, Step::Ask { .. })) {
        if let Step::Ask { session } = part[0] {
            together.ask(session).await;
        }
        let deliveries: Vec<Received> =
            part.iter().filter_map(|step| together.delivery(step)).map(Received::from).collect();
        if !deliveries.is_empty() {
            outcomes_together.extend(together.app.sessions.record_each(&deliveries).await);
        }
    }
    assert_eq!(outcomes_alone, outcomes_together);
    assert!(outcomes_alone.iter().all(Result::is_ok));
    assert_eq!(alone.stored().await, together.stored().await);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(32) })]

    #[test]
    fn recorded_together_they_leave_what_they_leave_one_by_one(steps in vec(step(), 1..60)) {
        tokio::runtime::Runtime::new().unwrap().block_on(alone_and_together_are_the_same(steps));
    }
}

/// A connection webhook for the invitation of a session of a desk on the sandbox.
fn completed(out_of_band_id: &str) -> Value {
    json!({ "type": "Connection", "data": {
        "id": Uuid::new_v4(), "state": "completed", "outOfBandId": out_of_band_id, "updatedAt": "2026-03-02T10:15:00.000Z",
    }})
}

async fn until(what: &str, reached: impl Fn() -> bool) {
    let wait = async {
        while !reached() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("never: {what}"));
}

/// On the one thread of a test: whoever can go on has done so after this.
async fn all_go_on() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn more_than_can_wait_is_refused_at_once_and_nothing_that_was_taken_is_lost() {
    let desk = Desk::sandbox().await;
    let intake = &desk.app.sessions.intake;
    let delivery = |number: usize| {
        let body = json!({ "type": "Connection", "data": { "id": format!("c-{number}"), "state": "completed" } });
        desk.app.sessions.platform.translate(body.to_string().as_bytes()).unwrap()
    };
    // Somebody else writes, and takes long: the first delivery is taken from the queue and waits for the database.
    let busy = Busy::all_of(&desk).await;
    let mut waiting = Vec::new();
    let mut outcome_at_once = async |number: usize| {
        let mut record = Box::pin(intake.record(delivery(number), Instant::now()));
        match futures_util::poll!(&mut record) {
            std::task::Poll::Ready(outcome) => Some(outcome),
            std::task::Poll::Pending => {
                waiting.push(record);
                None
            }
        }
    };
    let mut taken = 0;
    let full = async {
        loop {
            while outcome_at_once(taken).await.is_none() {
                taken += 1;
            }
            // Full after that, it is full for good.
            all_go_on().await;
            if let Some(outcome) = outcome_at_once(taken).await {
                return outcome;
            }
            taken += 1;
        }
    };
    assert_eq!(tokio::time::timeout(PATIENCE, full).await.unwrap(), Err(NotRecorded::Full));
    let answer = desk.deliver(&completed("of-nobody")).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers()["retry-after"], "1");
    assert_eq!(answer.json::<Value>().await.unwrap()["code"], "busy");
    drop(busy);
    for outcome in tokio::time::timeout(PATIENCE, join_all(waiting)).await.unwrap() {
        assert_eq!(outcome, Ok(EventOutcome::Unmatched));
    }
    let stored: Vec<(i64,)> = database::rows(&desk, "SELECT COUNT(*) FROM events").await;
    assert_eq!(stored, [(i64::try_from(taken).unwrap(),)]);
    let scraped = crate::exposition::scrape(&desk).await;
    assert_eq!(scraped.value("commit_deliveries_sum"), taken as f64);
    // On PostgreSQL each has its own, and the server lets them wait for the disk together.
    let most = if database::is_postgres() { taken } else { taken.div_ceil(64) + 1 };
    assert!(scraped.value("commit_deliveries_count") <= most as f64, "{taken} that waited share {most} commits");
    assert_eq!(desk.record(&completed("of-nobody")).await, "unmatched", "there is room again");
}

/// Whoever works off the queue has what was in it, and cannot go on.
async fn it_waits_for_its_turn(desk: &Desk) {
    until("it is taken", || desk.app.sessions.intake.depth() == 0).await;
    all_go_on().await;
}

/// Deliveries that a server has yet to take from its queue, each of a registration of its own.
async fn received(desk: &Desk, several: usize) -> Vec<Delivery> {
    let mut all = Vec::new();
    for _ in 0..several {
        let body = completed(desk.open().await.sandbox_out_of_band_id()).to_string();
        all.push(desk.app.sessions.platform.translate(body.as_bytes()).unwrap());
    }
    all
}

#[tokio::test]
async fn what_comes_before_their_turn_goes_along() {
    // PostgreSQL has many writers: each delivery has a transaction of its own.
    if database::is_postgres() {
        return;
    }
    let desk = Desk::sandbox().await;
    let (store, intake) = (&desk.app.sessions.store, &desk.app.sessions.intake);
    let mut records = Vec::new();
    let mut deliveries = received(&desk, 12).await.into_iter();
    let turn = store.begin_shared().await.unwrap();
    for delivery in &mut deliveries {
        let mut record = Box::pin(intake.record(delivery, Instant::now()));
        assert!(futures_util::poll!(&mut record).is_pending());
        records.push(record);
        if records.len() == 1 {
            it_waits_for_its_turn(&desk).await;
        }
    }
    drop(turn);
    for outcome in tokio::time::timeout(PATIENCE, join_all(records)).await.unwrap() {
        assert_eq!(outcome, Ok(EventOutcome::Applied));
    }
    let scraped = crate::exposition::scrape(&desk).await;
    assert_eq!((scraped.value("commit_deliveries_count"), scraped.value("commit_deliveries_sum")), (1.0, 12.0));
}

#[tokio::test]
async fn who_comes_after_others_does_not_wait_for_their_commit_to_end_before_they_are_taken() {
    if database::is_postgres() {
        return;
    }
    let desk = Desk::sandbox().await;
    let (store, intake) = (&desk.app.sessions.store, &desk.app.sessions.intake);
    let [one, other] = <[Delivery; 2]>::try_from(received(&desk, 2).await).unwrap();
    let before = store.begin_shared().await.unwrap();
    let mut one = Box::pin(intake.record(one, Instant::now()));
    assert!(futures_util::poll!(&mut one).is_pending());
    it_waits_for_its_turn(&desk).await;
    let mut after = Box::pin(store.begin_shared());
    assert!(futures_util::poll!(&mut after).is_pending());
    drop(before);
    // Whoever has the turn now has it in the same transaction: its commit is still to come.
    let after = after.await.unwrap();
    let mut other = Box::pin(intake.record(other, Instant::now()));
    assert!(futures_util::poll!(&mut other).is_pending());
    until("the other one is taken", || intake.depth() == 0).await;
    assert!(futures_util::poll!(&mut one).is_pending(), "nobody is told before the commit");
    drop(after);
    let told = tokio::time::timeout(PATIENCE, futures_util::future::join(one, other)).await.unwrap();
    assert_eq!(told, (Ok(EventOutcome::Applied), Ok(EventOutcome::Applied)));
}

#[tokio::test]
async fn a_broken_session_holds_up_nobody_elses_delivery() {
    let desk = Desk::sandbox().await;
    let opened = [desk.open().await, desk.open().await, desk.open().await];
    let broken = format!("UPDATE sessions SET stage = 'nowhere' WHERE id = '{}'", opened[1].id);
    database::execute_at(&desk.app.config.database_url.0, &broken).await;
    let busy = Busy::all_of(&desk).await;
    let bodies: Vec<Value> = opened.iter().map(|opened| completed(opened.sandbox_out_of_band_id())).collect();
    // The first is taken from the queue and waits for the database; the others wait in the queue, together.
    let first = desk.deliver(&bodies[0]);
    let others = async {
        until("the first is taken", || desk.app.sessions.intake.depth() == 0).await;
        let queued = join_all([desk.deliver(&bodies[1]), desk.deliver(&bodies[2])]);
        let release = async {
            // On PostgreSQL they are taken as well, and all of them wait for the database.
            until("both wait", || database::is_postgres() || desk.app.sessions.intake.depth() == 2).await;
            drop(busy);
        };
        futures_util::future::join(queued, release).await.0
    };
    let (first, others) = futures_util::future::join(first, others).await;
    let statuses: Vec<u16> = [&first, &others[0], &others[1]].map(|answer| answer.status().as_u16()).into();
    assert_eq!(statuses, [200, 503, 200]);
    for opened in [&opened[0], &opened[2]] {
        assert_ne!(desk.snapshot(opened).await["stage"], "waiting");
    }
}
