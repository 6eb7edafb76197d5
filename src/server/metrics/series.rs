//! The last hour of this server, in steps of ten seconds, for the staff's plots. It is kept in memory and begins anew with each
//! start; whoever needs more has Prometheus. *Runs: server.*

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::watch;

use super::{Metrics, poll};
use crate::{
    domain::time::Timestamp,
    server::{sessions::Sessions, store::EventOutcome},
};

/// The length of a step.
pub const STEP: Duration = Duration::from_secs(10);
/// Steps in an hour.
const MOST: usize = 360;

/// What was counted up to a moment, and what there was then.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sample {
    /// When.
    pub at: Timestamp,
    /// Sockets that were open.
    pub sockets: u64,
    /// Webhooks that were stored.
    pub deliveries: u64,
    /// Polls that were answered.
    pub polls: u64,
    /// Calls to the platform, and those that failed.
    pub calls: [u64; 2],
    /// From a webhook's arrival to its push, in buckets: seconds, and how many took at most so long.
    pub pushes: Vec<(f64, u64)>,
}

/// The samples of the last hour.
#[derive(Default)]
pub struct Series(Mutex<VecDeque<Sample>>);

impl Series {
    fn keep(&self, sample: Sample) {
        let mut samples = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        samples.push_back(sample);
        // One more than there are steps: each step is the difference of two.
        if samples.len() > MOST + 1 {
            samples.pop_front();
        }
    }

    /// The samples, the oldest first.
    #[must_use]
    pub fn samples(&self) -> Vec<Sample> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

impl Metrics {
    /// What was counted up to now.
    #[must_use]
    pub fn sample(&self, sessions: &Sessions) -> Sample {
        let outcomes = EventOutcome::ALL.into_iter().filter(|outcome| *outcome != EventOutcome::Parked);
        let histogram = prometheus::core::Metric::metric(&self.webhook_to_push);
        let buckets = histogram.get_histogram().get_bucket();
        Sample {
            at: sessions.clock.now(),
            sockets: sessions.hub.stats().open as u64,
            deliveries: outcomes
                .filter_map(|outcome| self.deliveries.of([outcome.as_str()]))
                .map(super::Counter::get)
                .sum(),
            polls: poll::ANSWERS.iter().filter_map(|answer| self.polls.of([answer])).map(super::Counter::get).sum(),
            calls: self.platform_totals(),
            pushes: buckets.iter().map(|bucket| (bucket.upper_bound(), bucket.cumulative_count())).collect(),
        }
    }
}

/// Takes samples until told to stop.
pub async fn run(sessions: Arc<Sessions>, mut stop: watch::Receiver<bool>) {
    loop {
        let sample = sessions.metrics.sample(&sessions);
        sessions.metrics.series.keep(sample);
        tokio::select! {
            () = tokio::time::sleep(STEP) => {}
            _ = stop.changed() => return,
        }
    }
}
