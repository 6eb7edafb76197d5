//! How acts get from the transaction that makes them due to the worker: it is woken, or, where it has room, they are leased
//! in that very transaction and handed over, which saves one of their own. *Runs: server.*

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use crate::{
    domain::{session::Session, time::Timestamp},
    server::store::{Act, ActKind, Attempt, Lane, StoreError, Tx},
};

/// A lease is renewed while its act runs. Should the process or the act die, somebody takes over when it ends.
pub const LEASE: Duration = Duration::from_secs(10);

/// What an act is about, as it was when the act was leased.
pub type State = (Session, Attempt);

/// A leased act, with its place among those that run.
pub struct Leased {
    /// The act.
    pub act: Act,
    /// From when its lease counts, at the latest.
    pub leased_at: Instant,
    /// What it is about, where it needs that and it could be read.
    pub state: Option<State>,
    /// Kept for as long as it runs.
    pub place: OwnedSemaphorePermit,
}

/// Between those who make acts due and the worker.
pub struct Due {
    /// Something was handed over, or is to be looked for.
    news: Notify,
    look: AtomicBool,
    handed: Mutex<Vec<Leased>>,
    /// For each lane of [`Lane::ALL`]: how many more of its acts may run.
    places: [Arc<Semaphore>; Lane::ALL.len()],
}

/// How many acts of a lane run at the same time, so that one slow answer does not hold up the others.
const fn at_once(lane: Lane) -> usize {
    match lane {
        Lane::Doing => 32,
        Lane::Asking | Lane::Expiring => 8,
        Lane::Purging => 2,
    }
}

impl Default for Due {
    fn default() -> Self {
        Self {
            news: Notify::new(),
            look: AtomicBool::new(false),
            handed: Mutex::default(),
            places: Lane::ALL.map(|_| Arc::new(Semaphore::new(0))),
        }
    }
}

impl Due {
    /// A worker is there: only from now on anything is leased.
    pub fn open(&self) {
        for lane in Lane::ALL {
            self.places[lane as usize].add_permits(at_once(lane));
        }
        self.wake();
    }

    /// How many more acts of a lane may run.
    #[must_use]
    pub fn room(&self, lane: Lane) -> usize {
        self.places[lane as usize].available_permits()
    }

    /// Leases acts of a lane that are due, at most so many and as far as there is room. They run once this transaction is
    /// committed and they are begun, or handed over.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lease(&self, tx: &mut Tx, lane: Lane, most: usize, now: Timestamp) -> Result<Vec<Leased>, StoreError> {
        let place = |_| Arc::clone(&self.places[lane as usize]).try_acquire_owned().ok();
        let places: Vec<_> = (0..most).map_while(place).collect();
        if places.is_empty() {
            return Ok(Vec::new());
        }
        let leased_at = Instant::now();
        let acts = tx.lease_acts(lane, now, LEASE, places.len()).await?;
        let mut leased = Vec::with_capacity(acts.len());
        for (act, place) in acts.into_iter().zip(places) {
            // What cannot be read here is read once more by the act itself, which then says why.
            let state = state(tx, &act).await.ok().flatten();
            leased.push(Leased { act, leased_at, state, place });
        }
        Ok(leased)
    }

    /// Gives the worker what was leased, after the commit.
    pub fn hand_over(&self, leased: Vec<Leased>) {
        if !leased.is_empty() {
            self.handed.lock().unwrap_or_else(PoisonError::into_inner).extend(leased);
            self.news.notify_one();
        }
    }

    /// Lets the worker look for what is due.
    pub fn wake(&self) {
        self.look.store(true, Ordering::Release);
        self.news.notify_one();
    }

    /// Waits for something to do: what was handed over, and whether there is more to look for.
    pub async fn news(&self) -> (Vec<Leased>, bool) {
        self.news.notified().await;
        self.taken()
    }

    /// Leases nothing from now on; gives back what was handed over.
    pub fn close(&self) -> Vec<Leased> {
        self.places.iter().for_each(|places| places.close());
        self.taken().0
    }

    fn taken(&self) -> (Vec<Leased>, bool) {
        let handed = std::mem::take(&mut *self.handed.lock().unwrap_or_else(PoisonError::into_inner));
        (handed, self.look.swap(false, Ordering::Acquire))
    }
}

/// Reads what an act is about, if it needs it.
async fn state(tx: &mut Tx, act: &Act) -> Result<Option<State>, StoreError> {
    let needs = !matches!(act.kind, ActKind::Expire | ActKind::Purge);
    let Some((id, number)) = act.about.attempt().filter(|_| needs) else { return Ok(None) };
    Ok(tx.look_at_session(id).await?.zip(tx.attempt(id, number).await?))
}
