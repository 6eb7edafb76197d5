//! The contract of a backplane, held by each; and servers that tell each other over it.

use std::{sync::Arc, time::Duration};

use tokio::time::timeout;
use vestibule::{
    domain::{ids::SessionId, time::Timestamp},
    server::{
        backplane::{Backplane, Listener, Message, Notifications, Redis, Topic},
        secrets::{KeyRing, SecretKey, random_bytes},
        store::Store,
    },
};

use crate::{
    harness::PATIENCE,
    platform::{FakePlatform, ProofEnd},
    postgres::{self, PostgresServer},
    redis::RedisServer,
    servers::{cluster, connection},
};

fn session() -> SessionId {
    SessionId::new(Timestamp(0), random_bytes())
}

async fn hears(listener: &mut dyn Listener) -> Message {
    timeout(PATIENCE, listener.next()).await.expect("it hears something").unwrap()
}

/// Everything up to a message of this number, which comes last.
async fn hears_until(listener: &mut dyn Listener, last: u64) -> Vec<Message> {
    let mut heard = Vec::new();
    loop {
        let message = hears(listener).await;
        if message.1 == last {
            return heard;
        }
        heard.push(message);
    }
}

/// What every backplane promises.
async fn keeps_its_promises(backplane: &dyn Backplane, only_what_was_asked_for: bool) {
    let (watched, other) = (session(), session());
    let mut teller = backplane.teller().await.unwrap();
    let (mut first, mut second) = (backplane.listener().await.unwrap(), backplane.listener().await.unwrap());
    first.begin(&[Topic::Any, Topic::Session(watched)]).await.unwrap();
    second.begin(&[Topic::Any, Topic::Server(7)]).await.unwrap();
    second.begin(&[]).await.unwrap();
    second.end(&[]).await.unwrap();
    // Whoever asked before it was told hears of it.
    let told = [(Topic::Session(watched), 1), (Topic::Session(other), 1), (Topic::Server(7), 1), (Topic::Any, 1)];
    teller.tell(&told).await.unwrap();
    teller.tell(&[(Topic::Any, 2)]).await.unwrap();
    let (by_first, by_second) = (hears_until(&mut *first, 2).await, hears_until(&mut *second, 2).await);
    for (heard, asked_for) in [(&by_first, [told[0], told[3]]), (&by_second, [told[2], told[3]])] {
        assert!(asked_for.iter().all(|message| heard.contains(message)), "{heard:?}");
        assert_eq!(heard.len(), if only_what_was_asked_for { 2 } else { 4 }, "each once: {heard:?}");
    }
    // Nothing is lost when whoever waits for it gives up.
    for _ in 0..50 {
        assert!(timeout(Duration::from_micros(200), first.next()).await.is_err(), "there is nothing");
    }
    let many: Vec<Message> = (10..3010).map(|number| (Topic::Session(watched), number)).collect();
    let telling = async {
        for some in many.chunks(700) {
            teller.tell(some).await.unwrap();
        }
        teller.tell(&[(Topic::Any, 3)]).await.unwrap();
    };
    let hearing = async {
        let mut heard = Vec::new();
        loop {
            match timeout(Duration::from_micros(100), first.next()).await.map(Result::unwrap) {
                Err(_) => {}
                Ok((Topic::Any, 3)) => return heard,
                Ok(message) => heard.push(message),
            }
        }
    };
    let ((), mut heard) = timeout(PATIENCE, futures_util::future::join(telling, hearing)).await.unwrap();
    heard.sort_unstable_by_key(|(_, number)| *number);
    assert!(heard == many, "{} of {}", heard.len(), many.len());
    // Whoever no longer asks need not hear of it, and hears of the rest.
    first.end(&[Topic::Session(watched)]).await.unwrap();
    teller.tell(&[(Topic::Session(watched), 4)]).await.unwrap();
    teller.tell(&[(Topic::Any, 5)]).await.unwrap();
    let heard = hears_until(&mut *first, 5).await;
    assert_eq!(heard.is_empty(), only_what_was_asked_for, "{heard:?}");
}

async fn store_at(url: &str) -> Store {
    Store::open(url, 4, Arc::new(KeyRing::new(SecretKey::from_master(&[9; 32]), Vec::new()))).await.unwrap()
}

#[tokio::test]
async fn redis_keeps_the_promises_of_a_backplane() {
    let server = RedisServer::start();
    keeps_its_promises(&Redis::at(&server.url()).unwrap(), true).await;
}

#[tokio::test]
async fn notifications_keep_the_promises_of_a_backplane() {
    // One of its own: on the shared one others are heard too.
    let server = PostgresServer::start(false);
    keeps_its_promises(&Notifications(store_at(&server.url()).await), false).await;
}

#[tokio::test]
async fn whoever_hears_notices_that_the_backplane_is_gone() {
    let mut redis = RedisServer::start();
    let backplane = Redis::at(&redis.url()).unwrap();
    let mut listener = backplane.listener().await.unwrap();
    listener.begin(&[Topic::Any]).await.unwrap();
    redis.stop();
    assert!(timeout(PATIENCE, listener.next()).await.unwrap().is_err());
    assert!(backplane.listener().await.is_err() && backplane.teller().await.is_err());
    let mut postgres = PostgresServer::start(false);
    let backplane = Notifications(store_at(&postgres.url()).await);
    let mut listener = backplane.listener().await.unwrap();
    postgres.stop(postgres::End::Fast);
    assert!(timeout(PATIENCE, listener.next()).await.unwrap().is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_watches_is_woken_and_nothing_personal_is_said() {
    let platform = FakePlatform::start(ProofEnd::Silent).await;
    let cluster = cluster(&platform, 2, true).await;
    for server in [0, 1] {
        cluster.until_it_says(server, "ready").await;
    }
    let client = redis::Client::open(cluster.redis.as_ref().unwrap().url()).unwrap();
    let mut asking = client.get_multiplexed_async_connection().await.unwrap();
    let mut spying = client.get_async_pubsub().await.unwrap();
    // Another name than the channel's own, so that it is not counted among those who hear of the session.
    spying.psubscribe("*").await.unwrap();
    let opened = cluster.open_at(&cluster.url(0)).await;
    let channel = format!("vestibule:session:{}", opened.id);
    let mut until_heard_by = async |servers: usize| {
        let heard = async {
            loop {
                let counted: (String, usize) =
                    redis::cmd("PUBSUB").arg("NUMSUB").arg(&channel).query_async(&mut asking).await.unwrap();
                if counted.1 == servers {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, heard).await.unwrap_or_else(|_| panic!("never heard by {servers}"));
    };
    until_heard_by(0).await;
    let mut watchers = Vec::new();
    for (server, heard_by) in [(1, 1), (1, 1), (0, 2)] {
        let mut watcher = cluster.watch_at(&cluster.url(server), &opened).await;
        watcher.next().await;
        watchers.push(watcher);
        until_heard_by(heard_by).await;
    }
    let body = connection(&platform, &uuid::Uuid::new_v4().to_string(), "request-received");
    cluster.deliver_to(&cluster.url(0), &body).await.unwrap();
    let mut said = futures_util::StreamExt::boxed(spying.on_message());
    let told = async {
        loop {
            let message = futures_util::StreamExt::next(&mut said).await.unwrap();
            let payload: String = message.get_payload().unwrap();
            assert!(payload.parse::<u64>().is_ok(), "the number of a server, and nothing else: {payload}");
            if message.get_channel_name() == channel {
                return;
            }
        }
    };
    timeout(PATIENCE, told).await.expect("it is told");
    for watcher in &mut watchers {
        watcher.until("scanned").await;
    }
    watchers.pop();
    until_heard_by(1).await;
    watchers.pop();
    until_heard_by(1).await;
    watchers.pop();
    until_heard_by(0).await;
}
