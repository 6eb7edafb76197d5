//! The time, from one place, so that tests can move it.
//!
//! Refuses to sleep: waiting is the runtime's business. *Runs: server.*

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::domain::time::Timestamp;

/// The system's clock, plus what a test has added to it.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// Milliseconds ahead of the system; shared by all copies.
    ahead: Arc<AtomicI64>,
}

impl Clock {
    /// Now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        // A system clock before 1970 counts as 1970.
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(self.ahead.load(Ordering::Relaxed)).plus(since_epoch)
    }

    /// Moves this clock, and every copy of it, ahead.
    pub fn advance(&self, by: Duration) {
        self.ahead.fetch_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX), Ordering::Relaxed);
    }
}
