//! Where verified deliveries wait for their turn. Those that wait at the same time are recorded in one transaction, so
//! that many cost the disk hardly more than one; and more than can wait is refused at once instead of growing.
//! *Runs: server.*

use std::{sync::Arc, time::Instant};

use tokio::{
    sync::{Semaphore, mpsc, oneshot},
    task::{JoinSet, yield_now},
};

use super::Sessions;
use crate::server::{
    platform::Delivery,
    store::{EventOutcome, StoreError},
    trace::{self, Trace},
};

/// How many may wait. At a thousand in a second, the platform is told to come back after a second's worth.
const ROOM: usize = 1024;
/// The most that are recorded in one transaction: one that is larger holds up everybody else who writes.
const TOGETHER: usize = 64;

/// How often a delivery is recorded when others are in the way; each time one of them gets on.
const TRIES: usize = 5;

/// Why a delivery was not recorded; the platform has to send it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotRecorded {
    /// As many wait as may.
    #[error("too many deliveries wait to be recorded")]
    Full,
    /// The database failed.
    #[error("the delivery could not be stored")]
    Failed,
}

/// A delivery, and the request that it came with: those that are recorded together are still told apart in the log.
pub struct Received {
    pub(super) delivery: Delivery,
    pub(super) trace: Option<Trace>,
}

impl From<Delivery> for Received {
    /// Received with the request that is being answered, if any.
    fn from(delivery: Delivery) -> Self {
        Self { delivery, trace: trace::current() }
    }
}

impl Received {
    /// Logs something about it.
    pub(super) fn log(&self, say: impl FnOnce()) {
        trace::within_now(self.trace.as_ref(), say);
    }
}

struct Waiting {
    received: Received,
    arrived: Instant,
    answer: Answer,
}

/// To whoever waits for what became of a delivery.
type Answer = oneshot::Sender<Result<EventOutcome, NotRecorded>>;

/// The queue.
pub struct Intake {
    queue: mpsc::Sender<Waiting>,
}

/// The other end of it.
pub struct Queue(mpsc::Receiver<Waiting>);

impl Intake {
    /// A queue with its two ends. Deliveries wait until somebody works it off, see [`run`].
    #[must_use]
    pub fn new() -> (Self, Queue) {
        let (queue, waiting) = mpsc::channel(ROOM);
        (Self { queue }, Queue(waiting))
    }

    /// How many wait.
    #[must_use]
    pub fn depth(&self) -> usize {
        ROOM - self.queue.capacity()
    }

    /// Records a delivery: when this returns an outcome, it is on disk. It is recorded also when nobody waits for the
    /// answer any more. `arrived` is when its request came.
    ///
    /// # Errors
    /// When it was not recorded.
    pub async fn record(&self, delivery: Delivery, arrived: Instant) -> Result<EventOutcome, NotRecorded> {
        let (answer, answered) = oneshot::channel();
        self.queue.try_send(Waiting { received: delivery.into(), arrived, answer }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => NotRecorded::Full,
            mpsc::error::TrySendError::Closed(_) => NotRecorded::Failed,
        })?;
        answered.await.unwrap_or(Err(NotRecorded::Failed))
    }
}

/// Works off the queue, for as long as anybody can put something into it.
pub async fn run(sessions: Arc<Sessions>, queue: Queue) {
    // SQLite has one writer, so those that wait share its commit. PostgreSQL has many, whose commits it gathers by itself.
    if sessions.store.is_shared() {
        record_side_by_side(sessions, queue).await;
    } else {
        gather_and_record(sessions, queue).await;
    }
}

async fn record_side_by_side(sessions: Arc<Sessions>, mut queue: Queue) {
    let writers = Arc::new(Semaphore::new(sessions.store.writers()));
    while let (Ok(place), Some(waiting)) = (Arc::clone(&writers).acquire_owned().await, queue.0.recv().await) {
        let sessions = Arc::clone(&sessions);
        tokio::spawn(async move {
            let Waiting { received, arrived, answer } = waiting;
            let outcomes = sessions.record_each(std::slice::from_ref(&received)).await;
            drop(place);
            sessions.answer([(arrived, answer)], outcomes);
        });
    }
}

/// Takes part in one transaction after the other, each time with all that has come until its turn. Who comes while a commit
/// waits for the disk does not wait for its end to be given a place in the next.
async fn gather_and_record(sessions: Arc<Sessions>, mut queue: Queue) {
    let mut waiting = Vec::with_capacity(TOGETHER);
    let mut commits = JoinSet::new();
    while queue.0.recv_many(&mut waiting, TOGETHER).await > 0 {
        let turn = sessions.store.begin_shared().await;
        gather(&mut waiting, TOGETHER, || queue.0.try_recv().ok()).await;
        let (deliveries, answers): (Vec<_>, Vec<_>) =
            waiting.drain(..).map(|Waiting { received, arrived, answer }| (received, (arrived, answer))).unzip();
        let recorded = match turn {
            Ok(tx) => sessions.record_within(tx, &deliveries).await,
            Err(error) => Err(error),
        };
        match recorded {
            Ok(recorded) => {
                let sessions = Arc::clone(&sessions);
                commits.spawn(async move {
                    let committed = sessions.commit(recorded, &deliveries).await;
                    sessions.answer(answers, sessions.or_alone(&deliveries, committed).await);
                });
            }
            Err(error) => sessions.answer(answers, sessions.or_alone(&deliveries, Err(error)).await),
        }
        while commits.try_join_next().is_some() {}
    }
    while commits.join_next().await.is_some() {}
}

/// Lets whoever is about to put something into a queue do so, for as long as anybody does and there are not `most`: what has
/// reached this process already goes along at no cost, and where there is nothing more nobody waits.
async fn gather<T>(gathered: &mut Vec<T>, most: usize, mut next: impl FnMut() -> Option<T>) {
    loop {
        yield_now().await;
        let before = gathered.len();
        while gathered.len() < most
            && let Some(more) = next()
        {
            gathered.push(more);
        }
        if gathered.len() == before {
            return;
        }
    }
}

impl Sessions {
    fn answer(
        &self,
        answers: impl IntoIterator<Item = (Instant, Answer)>,
        outcomes: Vec<Result<EventOutcome, NotRecorded>>,
    ) {
        for ((arrived, answer), outcome) in answers.into_iter().zip(outcomes) {
            if outcome == Ok(EventOutcome::Applied) {
                self.metrics.webhook_to_push.observe(arrived.elapsed().as_secs_f64());
            }
            // The platform may have hung up.
            let _ = answer.send(outcome);
        }
    }

    /// Records deliveries together, and gives back what became of each. Where one of them cannot be, for instance because
    /// its session's row is broken, it must not cost the others: then each is recorded by itself.
    pub async fn record_each(&self, deliveries: &[Received]) -> Vec<Result<EventOutcome, NotRecorded>> {
        let recorded = self.record_with_patience(deliveries).await;
        self.or_alone(deliveries, recorded).await
    }

    /// What became of each of the deliveries that were recorded together, or, where that failed, are recorded by themselves.
    async fn or_alone(
        &self,
        deliveries: &[Received],
        recorded: Result<Vec<EventOutcome>, StoreError>,
    ) -> Vec<Result<EventOutcome, NotRecorded>> {
        let error = match recorded {
            Ok(outcomes) => return outcomes.into_iter().map(Ok).collect(),
            Err(error) => error,
        };
        if deliveries.len() == 1 || !error.is_of_one_row() {
            for received in deliveries {
                let together = deliveries.len();
                received.log(|| tracing::error!(%error, together, "a delivery could not be recorded"));
            }
            return vec![Err(NotRecorded::Failed); deliveries.len()];
        }
        let mut outcomes = Vec::with_capacity(deliveries.len());
        for received in deliveries {
            let alone = self.record_with_patience(std::slice::from_ref(received)).await;
            let said =
                |error: &StoreError| received.log(|| tracing::error!(%error, "a delivery could not be recorded"));
            let outcome = alone.inspect_err(said);
            outcomes.push(outcome.ok().and_then(|outcomes| outcomes.first().copied()).ok_or(NotRecorded::Failed));
        }
        outcomes
    }

    /// Records deliveries, once more where somebody was in the way.
    async fn record_with_patience(&self, deliveries: &[Received]) -> Result<Vec<EventOutcome>, StoreError> {
        for _ in 1..TRIES {
            match self.record_together(deliveries).await {
                Err(error) if error.is_of_the_moment() => {
                    for received in deliveries {
                        received.log(|| tracing::debug!(%error, "recording once more"));
                    }
                }
                done => return done,
            }
        }
        self.record_together(deliveries).await
    }
}
