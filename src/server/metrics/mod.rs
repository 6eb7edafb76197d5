//! What operators measure: counters and histograms that the rooms move as they work, handed around as one [`Metrics`].
//!
//! Every series is there from the start, made of the names that other rooms have for things; a label never holds anything
//! else, so nothing personal and nothing without an end. To move one is an atomic addition: no lock, no allocation. What
//! somebody else counts already, or what lies in the database, is read by `reading` when it is asked for. *Runs: server.*

mod labelled;
mod process;
mod reading;
pub mod series;

use std::time::{Instant, SystemTime};

use prometheus::Registry;
pub use prometheus::{Error, Histogram, IntCounter as Counter, IntGauge as Gauge, TEXT_FORMAT};

pub use self::{labelled::Labelled, reading::scrape};
use self::{labelled::Maker, series::Series};
use super::{
    platform::{Call, PlatformError},
    problem::Problem,
    store::{ActKind, EventOutcome, Lane},
};
use crate::domain::stage::Stage;

/// From half a millisecond, less than a flush of the disk takes, to where nobody takes it for "at once" any more.
const PUSH_SECONDS: [f64; 12] = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0];
/// A write to a socket takes microseconds, to a thousand of them milliseconds.
const LAG_SECONDS: [f64; 10] = [0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.1, 1.0];
/// Up to the longest that a call may take by default.
const CALL_SECONDS: [f64; 10] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];
/// Up to the most that are recorded together.
const TOGETHER: [f64; 7] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0];

/// How an act that was run ended.
pub mod act {
    /// It found what it asked for, or that there was nothing left to do.
    pub const DONE: &str = "done";
    /// It is tried again later.
    pub const PUT_OFF: &str = "put_off";
    /// It was tried as often as may be.
    pub const GIVEN_UP: &str = "given_up";
    /// The platform refuses it for good.
    pub const REFUSED: &str = "refused";
    /// What was found could not be stored; it is run again when its lease ends.
    pub const NOT_STORED: &str = "not_stored";
    /// Its lease was lost: somebody else runs it, or it is gone with its registration.
    pub const LOST: &str = "lost";
    /// It panicked; it is run again when its lease ends.
    pub const PANICKED: &str = "panicked";
    /// Every one.
    pub const ENDS: [&str; 7] = [DONE, PUT_OFF, GIVEN_UP, REFUSED, NOT_STORED, LOST, PANICKED];
}

/// Which way a message goes between servers.
pub mod backplane {
    /// To the others.
    pub const TOLD: &str = "told";
    /// From the others.
    pub const HEARD: &str = "heard";
    /// Both.
    pub const DIRECTIONS: [&str; 2] = [TOLD, HEARD];
}

/// How a poll was answered.
pub mod poll {
    /// With the state, read from the database.
    pub const STATE: &str = "state";
    /// Not modified, which was known without the database.
    pub const UNCHANGED_IN_MEMORY: &str = "unchanged_in_memory";
    /// Not modified, by the database.
    pub const UNCHANGED_IN_DATABASE: &str = "unchanged_in_database";
    /// Every one.
    pub const ANSWERS: [&str; 3] = [STATE, UNCHANGED_IN_MEMORY, UNCHANGED_IN_DATABASE];
}

/// What became of a span that was to be exported.
pub mod span {
    /// The collector took it.
    pub const EXPORTED: &str = "exported";
    /// As many waited as may.
    pub const DROPPED: &str = "dropped";
    /// The collector could not be reached, or refused it.
    pub const LOST: &str = "lost";
    /// Every one.
    pub const ENDS: [&str; 3] = [EXPORTED, DROPPED, LOST];
}

/// Nobody waited for the call's end any more.
const CALL_DROPPED: &str = "dropped";

/// The counters and histograms. What each means stands in [`Metrics::new`], in the words that operators read.
#[expect(missing_docs, reason = "each is explained by its help text in `new`")]
pub struct Metrics {
    registry: Registry,
    started: SystemTime,
    pub deliveries: Labelled<Counter, 1>,
    pub deliveries_refused: Labelled<Counter, 1>,
    pub deliveries_together: Histogram,
    pub webhook_to_push: Histogram,
    pub commit_to_push: Histogram,
    pub acts: Labelled<Counter, 2>,
    pub acts_running: Labelled<Gauge, 1>,
    pub polls: Labelled<Counter, 1>,
    pub backplane_messages: Labelled<Counter, 1>,
    pub backplane_losses: Labelled<Counter, 1>,
    pub backplane_lost: Gauge,
    pub registrations_opened: Counter,
    pub registrations_ended: Labelled<Counter, 1>,
    pub spans: Labelled<Counter, 1>,
    /// The last hour, for the staff's plots.
    pub series: Series,
    platform_calls: Labelled<Histogram, 1>,
    platform_errors: Labelled<Counter, 2>,
}

impl Metrics {
    /// All of them, at zero.
    ///
    /// # Errors
    /// When a name is no name, or is there twice.
    pub fn new() -> Result<Self, Error> {
        let make = Maker::new("vestibule")?;
        let calls = Call::ALL.map(Call::as_str);
        let errors = PlatformError::KINDS.into_iter().chain([CALL_DROPPED]);
        Ok(Self {
            deliveries: make.counters(
                "deliveries_total",
                "Webhooks that were stored, by what became of them when they came; parked ones were unmatched before.",
                ["outcome"],
                EventOutcome::ALL.map(|outcome| [outcome.as_str()]),
            )?,
            deliveries_refused: make.counters(
                "deliveries_refused_total",
                "Webhooks that were not stored, by the problem they were answered with.",
                ["code"],
                Problem::ALL.map(|problem| [problem.code()]),
            )?,
            deliveries_together: make.histogram(
                "commit_deliveries",
                "Webhooks recorded in one transaction.",
                &TOGETHER,
            )?,
            webhook_to_push: make.histogram(
                "webhook_to_push_seconds",
                "From the arrival of a webhook that moved its registration until the new state, and those that were \
                 recorded with it, was written to the sockets.",
                &PUSH_SECONDS,
            )?,
            commit_to_push: make.histogram(
                "commit_to_push_seconds",
                "From the commit of a webhook that moved its registration until its state was written to the sockets.",
                &LAG_SECONDS,
            )?,
            acts: make.counters(
                "acts_total",
                "Acts that were run, by kind and how they ended; one that is put off is run again.",
                ["kind", "end"],
                ActKind::ALL.into_iter().flat_map(|kind| act::ENDS.map(|end| [kind.as_str(), end])),
            )?,
            acts_running: make.gauges(
                "acts_running",
                "Acts that run now, by lane.",
                ["lane"],
                Lane::ALL.map(|lane| [lane.as_str()]),
            )?,
            polls: make.counters(
                "polls_total",
                "Status polls, by how they were answered.",
                ["answer"],
                poll::ANSWERS.map(|answer| [answer]),
            )?,
            backplane_messages: make.counters(
                "backplane_messages_total",
                "Messages between servers, by direction; of those that were heard, a server's own are some.",
                ["direction"],
                backplane::DIRECTIONS.map(|direction| [direction]),
            )?,
            backplane_losses: make.counters(
                "backplane_losses_total",
                "How often the connection to the backplane was lost.",
                ["direction"],
                backplane::DIRECTIONS.map(|direction| [direction]),
            )?,
            backplane_lost: make.gauge(
                "backplane_lost",
                "1 while this server cannot tell the others what changed, or cannot hear them.",
            )?,
            registrations_opened: make.counter("registrations_opened_total", "Registrations that were begun.")?,
            registrations_ended: make.counters(
                "registrations_ended_total",
                "Attempts at a registration that ended, by their last stage.",
                ["stage"],
                Stage::ALL.into_iter().filter(|stage| stage.is_end()).map(|stage| [stage.as_str()]),
            )?,
            spans: make.counters(
                "spans_total",
                "Spans that were to be exported, by what became of them.",
                ["end"],
                span::ENDS.map(|end| [end]),
            )?,
            platform_calls: make.histograms(
                "platform_call_seconds",
                "How long calls to the platform took, the wait for a token and failures included.",
                ["call"],
                calls.map(|call| [call]),
                &CALL_SECONDS,
            )?,
            platform_errors: make.counters(
                "platform_errors_total",
                "Calls to the platform that failed, by kind of failure.",
                ["call", "error"],
                errors.flat_map(|error| calls.map(|call| [call, error])),
            )?,
            series: Series::default(),
            registry: make.registry,
            started: SystemTime::now(),
        })
    }

    /// How many calls there were to the platform, and how many of them failed.
    fn platform_totals(&self) -> [u64; 2] {
        let calls = self.platform_calls.each().map(Histogram::get_sample_count).sum();
        [calls, self.platform_errors.each().map(Counter::get).sum()]
    }

    /// Makes a call to the platform, and measures it.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn measured<T>(
        &self,
        call: Call,
        work: impl Future<Output = Result<T, PlatformError>>,
    ) -> Result<T, PlatformError> {
        let mut under_way = UnderWay { metrics: self, call, began: Instant::now(), error: Some(CALL_DROPPED) };
        let result = work.await;
        under_way.error = result.as_ref().err().map(PlatformError::kind);
        result
    }
}

/// A call that is noted when it ends, and also when whoever waited for it gives up: a platform that hangs would
/// otherwise leave no trace.
struct UnderWay<'a> {
    metrics: &'a Metrics,
    call: Call,
    began: Instant,
    error: Option<&'static str>,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let call = self.call.as_str();
        if let Some(seconds) = self.metrics.platform_calls.of([call]) {
            seconds.observe(self.began.elapsed().as_secs_f64());
        }
        if let Some(error) = self.error {
            self.metrics.platform_errors.count([call, error]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_call_that_nobody_waits_for_any_more_is_noted_too() {
        let metrics = Metrics::new().unwrap();
        let errors = |kind| metrics.platform_errors.of([Call::Proof.as_str(), kind]).unwrap().get();
        metrics.measured(Call::Proof, async { Ok(()) }).await.unwrap();
        assert_eq!((errors(CALL_DROPPED), errors("refused")), (0, 0));
        metrics.measured(Call::Proof, async { Err::<(), _>(PlatformError::Refused(400)) }).await.unwrap_err();
        assert_eq!((errors(CALL_DROPPED), errors("refused")), (0, 1));
        let mut hangs = Box::pin(metrics.measured(Call::Proof, std::future::pending::<Result<(), _>>()));
        assert!(futures_util::poll!(&mut hangs).is_pending());
        drop(hangs);
        assert_eq!((errors(CALL_DROPPED), errors("refused")), (1, 1));
        let seconds = metrics.platform_calls.of([Call::Proof.as_str()]).unwrap();
        assert_eq!(seconds.get_sample_count(), 3);
    }
}
