//! The binary is killed in a storm of webhooks, at a moment of chance: every session stands where its log says, nothing that
//! was answered with 200 is missing, and nobody is greeted with less than what was known. `STORM_SEED` runs a storm again.

use std::{
    collections::VecDeque,
    sync::{Mutex, atomic::AtomicUsize, atomic::Ordering},
};

use futures_util::future::{join, join_all};
use rand::{Rng, SeedableRng, rngs::StdRng};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::{
    harness::{Opened, WEBHOOK_SECRET, Watcher},
    program::Program,
};

const PUBLISHERS: usize = 16;
const SESSIONS: usize = 100;
/// Each moves its session by one version, and neither has the server do anything by itself.
const STATES: [&str; 2] = ["request-received", "response-sent"];

/// One registration, with what its wallet's agent tells of it.
pub struct Story {
    opened: Opened,
    bodies: [String; 2],
    /// How many of these were answered with 200.
    pub acknowledged: AtomicUsize,
}

impl Story {
    pub async fn begin(http: &Client, url: &str) -> Self {
        let request = http.post(format!("{url}/api/connections/session"));
        let answer = request.json(&json!({ "requestType": "registration" })).send().await.unwrap();
        let opened = Opened::of(answer).await;
        let (connection, link) = (Uuid::new_v4(), opened.sandbox_out_of_band_id().to_owned());
        let body = |state| json!({ "type": "Connection", "id": connection, "state": state, "outOfBandId": link });
        let bodies = STATES.map(|state| body(state).to_string());
        Self { opened, bodies, acknowledged: AtomicUsize::new(0) }
    }

    async fn watch(&self, url: &str) -> (Watcher, u64) {
        let query = format!("sessionId={}&token={}", self.opened.id, self.opened.token);
        let url = format!("{}/ws/connections?{query}", url.replacen("http", "ws", 1));
        let mut watcher = Watcher::connect(&url, &[]).await.unwrap();
        let version = watcher.next().await["version"].as_u64().unwrap();
        (watcher, version)
    }

    /// A server that was started again knows this version at least, and stands where its log says: of webhooks that come again,
    /// as from a platform that heard no 200, it takes those alone that are new to it, which the first so many are not.
    pub async fn goes_on_from_its_log(&self, http: &Client, url: &str, known: u64, logged_at_least: usize) {
        let (mut watcher, greeted) = self.watch(url).await;
        assert!(greeted >= known, "greeted with {greeted}, but {known} was known");
        let mut logged = 0;
        for (number, body) in self.bodies.iter().enumerate() {
            match &*deliver(http, url, body).await.unwrap() {
                "repeated" => logged += 1,
                outcome => assert!(outcome == "applied" && number >= logged_at_least, "{number} was {outcome}"),
            }
        }
        assert_eq!(greeted, 1 + logged, "it stands where its log says");
        for version in greeted + 1..=3 {
            assert_eq!(watcher.next().await["version"], version, "and goes on from there");
        }
    }
}

/// What became of a webhook; `None` where there was no answer.
async fn deliver(http: &Client, url: &str, body: &str) -> Option<String> {
    let request = http.post(format!("{url}/api/webhooks/confirmd")).header("X-API-Key", WEBHOOK_SECRET);
    let answer = request.body(body.to_owned()).send().await.ok()?;
    assert_eq!(answer.status(), StatusCode::OK);
    Some(answer.json::<Value>().await.ok()?["outcome"].as_str()?.to_owned())
}

/// Sends everything, many at once, and tells when so many were answered; ends when nobody answers any more.
pub async fn storm(http: &Client, url: &str, stories: &[Story], last: usize, reached: &Notify) {
    let waiting: Mutex<VecDeque<&Story>> = Mutex::new(stories.iter().collect());
    let answered = AtomicUsize::new(0);
    let publisher = async || {
        loop {
            let Some(story) = waiting.lock().unwrap().pop_front() else { return };
            for body in &story.bodies {
                let Some(outcome) = deliver(http, url, body).await else { return };
                assert_eq!(outcome, "applied");
                story.acknowledged.fetch_add(1, Ordering::Relaxed);
                if answered.fetch_add(1, Ordering::Relaxed) + 1 == last {
                    reached.notify_one();
                }
            }
        }
    };
    join_all((0..PUBLISHERS).map(|_| publisher())).await;
}

#[tokio::test]
#[expect(clippy::print_stdout, reason = "shown where the test fails")]
async fn killed_in_a_storm_every_session_stands_where_its_log_says() {
    let seed = std::env::var("STORM_SEED").map_or_else(|_| rand::random(), |seed| seed.parse().unwrap());
    println!("STORM_SEED={seed}");
    let mut chance = StdRng::seed_from_u64(seed);
    let folder = tempfile::tempdir().unwrap();
    let http = Client::new();
    let mut program = Program::start(folder.path(), 0, &[]).await;
    let url = program.url.clone();
    for _ in 0..3 {
        let mut stories = Vec::new();
        let mut watching = Vec::new();
        for _ in 0..SESSIONS {
            let story = Story::begin(&http, &url).await;
            let (watcher, version) = story.watch(&url).await;
            assert_eq!(version, 1);
            watching.push(tokio::spawn(watcher.until_it_breaks()));
            stories.push(story);
        }
        let (last, reached) = (chance.random_range(1..SESSIONS * STATES.len()), Notify::new());
        let port = program.port();
        let killing = async {
            reached.notified().await;
            program.kill().await;
        };
        join(storm(&http, &url, &stories, last, &reached), killing).await;
        program = Program::start(folder.path(), port, &[]).await;
        for (story, watcher) in stories.iter().zip(watching) {
            let seen = watcher.await.unwrap();
            assert!(seen.iter().copied().eq(1..=seen.len() as u64), "one was lost or came again: {seen:?}");
            let acknowledged = story.acknowledged.load(Ordering::Relaxed);
            let known = seen.len().max(1 + acknowledged) as u64;
            story.goes_on_from_its_log(&http, &url, known, acknowledged).await;
        }
    }
}
