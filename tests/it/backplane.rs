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
    postgres::{self, PostgresServer},
    redis::RedisServer,
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
