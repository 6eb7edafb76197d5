//! The worker that does what is due. Each act is leased, tried with back-off up to a limit, and safe to repeat, so a
//! process killed at any instruction continues where it stopped.
//!
//! Decides nothing by itself: `perform` asks the platform, and the finding goes to `sessions`. *Runs: server.*

use std::{
    collections::{BTreeSet, HashMap},
    future::poll_fn,
    num::NonZeroU32,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use rand::Rng;
use tokio::{
    sync::watch,
    task::{Id, JoinSet},
    time::{Instant, sleep_until, timeout, timeout_at},
};

use super::{
    metrics::act,
    platform::PlatformError,
    sessions::{Finding, LEASE, LOOK, Leased, Sessions, State},
    store::{Act, ActKind, Lane, StoreError},
    trace::Span,
};
use crate::domain::time::Timestamp;

mod perform;

use perform::NotYet;

/// How many questions that only repair lost webhooks may be begun in a second, however many registrations wait.
const ASKING_PER_SECOND: NonZeroU32 = NonZeroU32::new(20).unwrap();
/// Well before its lease ends.
const RENEW: Duration = Duration::from_secs(4);
/// After so long it is tried once more where it could not be renewed.
const RENEW_AGAIN: Duration = Duration::from_secs(1);
/// An act that is slower than this is given up, and tried again later.
const LONGEST: Duration = Duration::from_secs(240);
/// An act is given up for good after so many tries: with the back-off, more than an hour. The deadline of its session
/// comes first, unless the desk gives it longer than that.
const MOST_TRIES: u32 = 400;
/// A platform may ask for so much patience; for more, the registration would be over.
const LONGEST_WISH: Duration = Duration::from_secs(300);

struct Worker {
    sessions: Arc<Sessions>,
    running: JoinSet<()>,
    /// What runs now. A lease may end under an act that still runs, when the clock is moved: it is not begun twice.
    acts: HashMap<Id, (i64, ActKind)>,
    questions: DefaultDirectRateLimiter,
    /// A lane had no room at the last look: whatever ends makes some.
    is_short_of_room: bool,
}

/// Runs until told to stop, then finishes what it has begun.
pub async fn run(sessions: Arc<Sessions>, mut stop: watch::Receiver<bool>) {
    let mut worker = Worker::new(Arc::clone(&sessions));
    let mut look_at = Instant::now();
    sessions.due.open();
    loop {
        tokio::select! {
            (handed, look) = sessions.due.news() => {
                worker.begin(handed);
                if look {
                    look_at = Instant::now();
                }
            }
            () = sleep_until(look_at) => {
                look_at = Instant::now() + worker.look().await;
            }
            Some(ended) = worker.running.join_next_with_id() => {
                worker.ended(ended);
                if worker.is_short_of_room {
                    look_at = Instant::now();
                }
            }
            _ = stop.changed() => break,
        }
    }
    worker.begin(sessions.due.close());
    while worker.running.join_next().await.is_some() {}
}

impl Worker {
    fn new(sessions: Arc<Sessions>) -> Self {
        Self {
            sessions,
            running: JoinSet::new(),
            acts: HashMap::new(),
            questions: RateLimiter::direct(Quota::per_second(ASKING_PER_SECOND)),
            is_short_of_room: false,
        }
    }

    fn ended(&mut self, ended: Result<(Id, ()), tokio::task::JoinError>) {
        let id = ended.as_ref().map_or_else(tokio::task::JoinError::id, |(id, ())| *id);
        let Some((_, kind)) = self.acts.remove(&id) else { return };
        if let Err(error) = ended {
            tracing::error!(act.kind = kind.as_str(), %error, "an act panicked; it is tried again when its lease ends");
            self.sessions.metrics.acts.count([kind.as_str(), act::PANICKED]);
        }
        self.count_running(kind.lane());
    }

    fn running_in(&self, lane: Lane) -> usize {
        self.acts.values().filter(|(_, kind)| kind.lane() == lane).count()
    }

    fn count_running(&self, lane: Lane) {
        if let Some(gauge) = self.sessions.metrics.acts_running.of([lane.as_str()]) {
            gauge.set(i64::try_from(self.running_in(lane)).unwrap_or(i64::MAX));
        }
    }

    /// Begins what is due, and says how long there is nothing more to begin.
    async fn look(&mut self) -> Duration {
        let began = self.begin_what_is_due().await;
        began.unwrap_or_else(|error| {
            // What is due cannot be begun now: to look again at once would only turn in circles.
            tracing::error!(%error, "cannot lease acts");
            LOOK
        })
    }

    async fn begin_what_is_due(&mut self) -> Result<Duration, StoreError> {
        let mut wait = LOOK;
        self.is_short_of_room = false;
        // A look without the write lock first: mostly nothing is due.
        for (lane, mut next) in Lane::ALL.into_iter().zip(self.sessions.store.next_acts_at().await?) {
            let room = self.sessions.due.room(lane);
            if room == 0 {
                self.is_short_of_room = true;
                continue;
            }
            let asking = lane == Lane::Asking;
            let now = self.sessions.clock.now();
            if next.is_some_and(|at| at <= now) {
                let room = if asking { (0..room).take_while(|_| self.questions.check().is_ok()).count() } else { room };
                if room > 0 {
                    next = self.lease(lane, room).await?;
                }
            }
            if let Some(at) = next {
                let until = Duration::from_millis(at.since(self.sessions.clock.now()));
                // Still due: the ceiling is reached. The next second has room again.
                wait = wait.min(if until.is_zero() && asking { LOOK / 4 } else { until });
            }
        }
        Ok(wait)
    }

    /// Begins some of the acts of a lane that are due, and says when the next one is.
    async fn lease(&mut self, lane: Lane, most: usize) -> Result<Option<Timestamp>, StoreError> {
        let mut tx = self.sessions.store.begin_shared().await?;
        let leased = self.sessions.due.lease(&mut tx, lane, most, self.sessions.clock.now()).await?;
        let next = tx.soonest(lane);
        tx.commit().await?;
        // Somebody else was quicker to take the room that was left.
        self.is_short_of_room |= leased.is_empty();
        self.begin(leased);
        Ok(next)
    }

    fn begin(&mut self, leased: Vec<Leased>) {
        let running: BTreeSet<i64> = self.acts.values().map(|(act, _)| *act).collect();
        for leased in leased.into_iter().filter(|leased| !running.contains(&leased.act.id)) {
            let (id, kind) = (leased.act.id, leased.act.kind);
            let handle = self.running.spawn(run_leased(Arc::clone(&self.sessions), leased));
            self.acts.insert(handle.id(), (id, kind));
            self.count_running(kind.lane());
        }
    }
}

async fn run_leased(sessions: Arc<Sessions>, leased: Leased) {
    let Leased { act, leased_at, state, place } = leased;
    let (trace, kind) = (sessions.tracer.run(), act.kind.as_str());
    let span = Span::of_run(&trace, kind);
    let end = trace.scope(perform(&sessions, &act, leased_at, state)).await;
    span.ran(end);
    sessions.metrics.acts.count([kind, end]);
    drop(place);
}

/// Does an act and stores what came of it; gives back how it ended, by its name in figures.
async fn perform(sessions: &Sessions, act: &Act, leased_at: Instant, state: Option<State>) -> &'static str {
    // A database that is locked for a while must not cost what was found out: tried again at once, not after the lease.
    const AGAIN: [u64; 5] = [1, 2, 5, 10, 0];
    let work = timeout(LONGEST, perform::perform(sessions, act, state));
    let done = match with_lease(sessions, act, leased_at, work).await {
        Ok(done) => done.unwrap_or(Err(NotYet::Wait("it took too long"))),
        Err(LeaseLost) => return lost(act),
    };
    let (end, found) = match done {
        Err(NotYet::Platform(PlatformError::Refused(status))) if act.kind != ActKind::TidyUp => {
            tracing::error!(act.kind = act.kind.as_str(), status, "the platform refuses");
            (act::REFUSED, Ok(refused(act)))
        }
        // What is left at the platform is tried for as long as its session is kept.
        Err(reason) if act.tries >= MOST_TRIES && !matches!(act.kind, ActKind::Reconcile | ActKind::TidyUp) => {
            tracing::error!(act.kind = act.kind.as_str(), %reason, "given up");
            (act::GIVEN_UP, Ok(refused(act)))
        }
        Err(reason) => {
            if act.kind.lane() == Lane::Asking && act.tries > 0 {
                // Of the many that wait while a platform is down, one line each is enough.
                tracing::debug!(act.kind = act.kind.as_str(), act.tries, %reason, "put off");
            } else {
                tracing::warn!(act.kind = act.kind.as_str(), act.tries, %reason, "put off");
            }
            (act::PUT_OFF, Err(reason))
        }
        Ok(found) => (act::DONE, Ok(found)),
    };
    for wait in AGAIN {
        let stored = match (&found, act.kind) {
            (_, ActKind::Expire) => sessions.expire(act).await,
            (_, ActKind::Purge) => sessions.purge(act).await,
            (Ok(found), _) => sessions.finish(act, found).await,
            (Err(reason), _) => sessions.put_off(act, wait_for(reason, act.tries), &reason.to_string()).await,
        };
        let error = match stored {
            Ok(()) => return end,
            Err(StoreError::LeaseLost) => return lost(act),
            Err(error) => error,
        };
        tracing::error!(act.kind = act.kind.as_str(), %error, "an act could not be stored");
        tokio::time::sleep(Duration::from_secs(wait)).await;
    }
    act::NOT_STORED
}

/// What a refusal means: the end of the attempt where the act is the way on, nothing where it was only a question.
fn refused(act: &Act) -> Finding {
    match act.kind {
        ActKind::RequestProof | ActKind::VerifyProof => Finding::Refused,
        _ => Finding::Nothing,
    }
}

/// Somebody else has the act, and it is theirs to end; or it went with its registration. What was found here counts for nothing.
fn lost(act: &Act) -> &'static str {
    tracing::warn!(act.kind = act.kind.as_str(), "an act was taken over by somebody else, or deleted");
    act::LOST
}

/// The lease is somebody else's by now, or may be.
struct LeaseLost;

/// Renews the lease of an act for as long as it runs. A process that was stopped for a while looks after its lease first, and
/// not a step of the work is taken before that: somebody else may be at it.
async fn with_lease<T>(
    sessions: &Sessions,
    act: &Act,
    leased_at: Instant,
    work: impl Future<Output = T>,
) -> Result<T, LeaseLost> {
    tokio::pin!(work);
    let (mut ends, mut renew_at) = (leased_at + LEASE, leased_at + RENEW);
    loop {
        let step = poll_fn(|context| match work.as_mut() {
            _ if Instant::now() >= renew_at => Poll::Ready(None),
            work => work.poll(context).map(Some),
        });
        if let Ok(Some(done)) = timeout_at(renew_at, step).await {
            return Ok(done);
        }
        let asked = Instant::now();
        match renew_lease(sessions, act).await {
            Ok(()) => (ends, renew_at) = (asked + LEASE, asked + RENEW),
            Err(StoreError::LeaseLost) => return Err(LeaseLost),
            Err(error) => {
                tracing::error!(%error, "a lease could not be renewed");
                renew_at = (Instant::now() + RENEW_AGAIN).min(ends);
            }
        }
        if Instant::now() >= ends {
            return Err(LeaseLost);
        }
    }
}

async fn renew_lease(sessions: &Sessions, act: &Act) -> Result<(), StoreError> {
    let mut tx = sessions.store.begin_shared().await?;
    tx.renew_lease(act.id, sessions.clock.now().plus(LEASE)).await?;
    tx.commit().await
}

fn wait_for(reason: &NotYet, tries: u32) -> Duration {
    match reason {
        NotYet::Platform(PlatformError::Unavailable { retry_after: Some(wait), .. }) => {
            (*wait).min(LONGEST_WISH).max(backoff(tries))
        }
        _ => backoff(tries),
    }
}

/// Half a second, doubling to 15 s, each time shortened by up to a half so that many do not come back together.
fn backoff(tries: u32) -> Duration {
    let longest = Duration::from_millis(500 << tries.min(5)).min(Duration::from_secs(15));
    longest.mul_f64(rand::rng().random_range(0.5..=1.0))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use tokio::sync::Notify;

    use super::*;
    use crate::{
        domain::ids::ConnectionId,
        server::{clock::Clock, config::Config, startup::Server, store::About},
    };

    /// A server that is not run.
    async fn server() -> (Server, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let database = format!("sqlite://{}", folder.path().join("v.db").display());
        let set = [("PORT".to_owned(), "0".to_owned()), ("DATABASE_URL".to_owned(), database)];
        let server = Server::start(Config::from_variables(&set.into()).unwrap(), Clock::default()).await.unwrap();
        (server, folder)
    }

    #[tokio::test]
    async fn an_act_that_panics_is_counted_and_runs_no_more() {
        let (server, _folder) = server().await;
        let mut worker = Worker::new(Arc::clone(&server.app().sessions));
        let handle = worker.running.spawn(async { panic!("on purpose") });
        worker.acts.insert(handle.id(), (1, ActKind::Purge));
        assert_eq!(worker.running_in(Lane::Purging), 1);
        let ended = worker.running.join_next_with_id().await.unwrap();
        worker.ended(ended);
        assert_eq!(worker.running_in(Lane::Purging), 0);
        let counted = worker.sessions.metrics.acts.of([ActKind::Purge.as_str(), act::PANICKED]).unwrap();
        assert_eq!(counted.get(), 1);
    }

    #[tokio::test]
    async fn not_a_step_is_taken_after_a_stop_before_the_lease_was_looked_after() {
        let (server, _folder) = server().await;
        let sessions = &server.app().sessions;
        // Nobody's any more, as one that another server has taken over and ended.
        let about = About::Connection(ConnectionId("c-1".to_owned()));
        let act = Act { id: i64::MAX, kind: ActKind::ReadConnection, about, tries: 0 };
        let (answer, took_a_step) = (Notify::new(), AtomicBool::new(false));
        let work = async {
            answer.notified().await;
            took_a_step.store(true, Ordering::Relaxed);
        };
        let mut held = Box::pin(with_lease(sessions, &act, Instant::now(), work));
        assert!(futures_util::poll!(&mut held).is_pending());
        // The process stands still, and meanwhile its answer comes.
        tokio::time::pause();
        tokio::time::advance(RENEW).await;
        answer.notify_one();
        tokio::time::resume();
        assert!(held.await.is_err());
        assert!(!took_a_step.load(Ordering::Relaxed));
    }
}
