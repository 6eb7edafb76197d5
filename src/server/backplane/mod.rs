//! Between this server and the others: what one saves, the browsers on all others hear of. Only that a session changed is told,
//! and by which server; whoever watches it reads the rest from the database. So nothing personal leaves it, and a message that
//! comes twice or late does no harm.
//!
//! A message may also be lost: a server may die between its commit and its message, a connection may break. So each server
//! reads all that it watches anew when it hears the others again, and in any case every [`SWEEP`]. *Runs: server.*

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use rand::Rng;

use super::{
    config::Config,
    live::outside::{Noted, Outside},
    metrics::backplane,
    sessions::Sessions,
    store::Store,
};
use crate::domain::ids::SessionId;

mod listening;
mod notify;
mod redis;
mod rereading;
mod telling;

pub use notify::Notifications;
pub use redis::Redis;

/// Every server tells itself something this often,
const HEARTBEAT: Duration = Duration::from_secs(5);
/// and takes its connection for lost when it has not heard that for so long.
const SILENCE: Duration = Duration::from_secs(15);
/// Everything that is watched is read anew within this time.
pub const SWEEP: Duration = Duration::from_secs(15);
/// While a server stops, so often it is looked whether all is told.
const SOON: Duration = Duration::from_millis(2);
/// How long a message, a subscription or a connection may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// A lost connection is tried again after this, doubling to a limit, each time shortened by chance.
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// What a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// This session changed.
    Session(SessionId),
    /// Any session may have changed.
    Any,
    /// The server with this number is there.
    Server(u64),
}

/// A message: what about, and the number of the server that tells it.
pub type Message = (Topic, u64);

/// Why something could not be told or heard.
#[derive(Debug, thiserror::Error)]
pub enum Lost {
    /// Redis, or the way to it.
    #[error("Redis: {0}")]
    Redis(#[from] ::redis::RedisError),
    /// PostgreSQL, or the way to it.
    #[error(transparent)]
    Store(#[from] super::store::StoreError),
    /// Nothing was heard for too long.
    #[error("there is no answer")]
    Silence,
    /// The other end closed the connection.
    #[error("the connection was closed")]
    Closed,
}

/// Who carries messages from each server to all others.
#[async_trait]
pub trait Backplane: Send + Sync {
    /// A connection for telling.
    async fn teller(&self) -> Result<Box<dyn Teller>, Lost>;

    /// A connection for hearing.
    async fn listener(&self) -> Result<Box<dyn Listener>, Lost>;

    /// Its name in figures and for people.
    fn name(&self) -> &'static str;
}

/// Tells.
#[async_trait]
pub trait Teller: Send {
    /// Tells everybody who listens, in any order.
    async fn tell(&mut self, messages: &[Message]) -> Result<(), Lost>;
}

/// Hears.
#[async_trait]
pub trait Listener: Send {
    /// Hears of these topics from now on: when this returns, a message that is told after it is not missed.
    async fn begin(&mut self, topics: &[Topic]) -> Result<(), Lost>;

    /// No longer needs to hear of these.
    async fn end(&mut self, topics: &[Topic]) -> Result<(), Lost>;

    /// The next message. Nothing is lost when whoever waits for it gives up.
    async fn next(&mut self) -> Result<Message, Lost>;
}

/// A backplane, what is to be told over it, and how it stands with it.
#[derive(Clone)]
pub struct Link {
    /// Who carries the messages.
    pub backplane: Arc<dyn Backplane>,
    /// What is to be told, and what is watched.
    pub outside: Arc<Outside>,
    /// How it stands.
    pub standing: Arc<Standing>,
}

impl Link {
    /// Between the servers on this store, where there may be several.
    ///
    /// # Errors
    /// When the address of Redis is none.
    pub fn between(config: &Config, store: &Store) -> Result<Option<Self>, Lost> {
        let backplane: Arc<dyn Backplane> = match &config.redis_url {
            _ if !store.is_shared() => return Ok(None),
            Some(url) => Arc::new(Redis::at(&url.0)?),
            None => Arc::new(Notifications(store.clone())),
        };
        Ok(Some(Self::over(backplane)))
    }

    /// Over this backplane.
    #[must_use]
    pub fn over(backplane: Arc<dyn Backplane>) -> Self {
        Self { backplane, outside: Arc::default(), standing: Arc::default() }
    }

    /// Waits until everything is told that changed here, while it can be told.
    pub async fn all_told(&self) {
        while self.standing.is_connected() && !self.outside.changed.is_empty() {
            tokio::time::sleep(SOON).await;
        }
    }
}

/// How it stands with the backplane.
#[derive(Default)]
pub struct Standing {
    tells: AtomicBool,
    hears: AtomicBool,
}

impl Standing {
    /// Whether this server tells the others and hears them.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.tells.load(Ordering::Relaxed) && self.hears.load(Ordering::Relaxed)
    }
}

/// What the parts of it share.
struct Shared {
    backplane: Arc<dyn Backplane>,
    outside: Arc<Outside>,
    standing: Arc<Standing>,
    sessions: Arc<Sessions>,
    /// This server's number.
    own: u64,
    /// Sessions that others changed, or may have, and that are to be read anew.
    heard: Noted,
}

/// Runs for ever: tells, hears, and reads anew, where there are others.
pub async fn run(sessions: Arc<Sessions>, link: Option<Link>) {
    let Some(Link { backplane, outside, standing }) = link else { return pending().await };
    let shared = Shared { backplane, outside, standing, sessions, own: rand::rng().random(), heard: Noted::default() };
    tokio::join!(telling::run(&shared), listening::run(&shared), rereading::run(&shared), rereading::sweep(&shared),);
}

impl Shared {
    /// Notes that telling or hearing is possible now, or is not.
    fn stands(&self, direction: Direction, is_possible: bool) {
        let standing = match direction {
            Direction::Tells => &self.standing.tells,
            Direction::Hears => &self.standing.hears,
        };
        if standing.swap(is_possible, Ordering::Relaxed) != is_possible {
            let (backplane, direction) = (self.backplane.name(), direction.as_str());
            if is_possible {
                tracing::info!(backplane, direction, "connected to the other servers");
            } else {
                self.sessions.metrics.backplane_losses.count([direction]);
            }
        }
        let lost = i64::from(!self.standing.is_connected());
        self.sessions.metrics.backplane_lost.set(lost);
    }
}

/// One of the two ways.
#[derive(Clone, Copy)]
enum Direction {
    Tells,
    Hears,
}

impl Direction {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Tells => backplane::TOLD,
            Self::Hears => backplane::HEARD,
        }
    }
}

/// How long to wait before a lost connection is tried again.
struct Wait(Duration);

impl Default for Wait {
    fn default() -> Self {
        Self(FIRST_WAIT)
    }
}

impl Wait {
    async fn pass(&mut self) {
        let wait = self.0.mul_f64(rand::rng().random_range(0.5..=1.0));
        self.0 = (self.0 * 2).min(LONGEST_WAIT);
        tokio::time::sleep(wait).await;
    }
}

/// Tells itself something over a backplane and hears it, as a server does every few seconds.
///
/// # Errors
/// When that does not come about.
pub async fn try_out(backplane: &dyn Backplane) -> Result<(), Lost> {
    let own = rand::rng().random();
    let mut listener = within_patience(backplane.listener()).await?;
    within_patience(listener.begin(&[Topic::Server(own)])).await?;
    let mut teller = within_patience(backplane.teller()).await?;
    within_patience(teller.tell(&[(Topic::Server(own), own)])).await?;
    within_patience(async {
        while listener.next().await? != (Topic::Server(own), own) {}
        Ok(())
    })
    .await
}

/// Gives up what takes too long.
async fn within_patience<T>(work: impl Future<Output = Result<T, Lost>>) -> Result<T, Lost> {
    tokio::time::timeout(PATIENCE, work).await.unwrap_or(Err(Lost::Silence))
}
