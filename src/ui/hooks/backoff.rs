//! When a socket that ended is tried again, and whether to poll meanwhile. Waits are exponential with full jitter, so that
//! many who lost the same server do not come back in the same moment. Pure. *Runs: both.*

use std::time::Duration;

use super::use_connection_status::ConnectionStatusOptions;
use crate::domain::wire::Close;

/// What to do after a socket ended or could not be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Next {
    /// How long to wait before the socket is tried again.
    pub retry: Duration,
    /// Whether to ask for the state meanwhile.
    pub poll: bool,
}

/// Counts failures in a row.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    options: ConnectionStatusOptions,
    failures: u32,
}

impl Backoff {
    /// No failures yet.
    #[must_use]
    pub const fn new(options: ConnectionStatusOptions) -> Self {
        Self { options, failures: 0 }
    }

    /// A socket ended with this close code after having been of use for so long; `random` is from 0 up to 1.
    pub fn ended(&mut self, code: u16, stood: Duration, random: f64) -> Next {
        let options = &self.options;
        let part_of = |length: Duration| length.mul_f64(random);
        // A server that lets a socket in and breaks it off again and again is no better than one that does not let it in.
        if stood >= options.settled {
            self.failures = 0;
        }
        if code == Close::RESTARTING.code {
            // Meant so, and soon over.
            return Next { retry: part_of(options.restart_spread), poll: self.failures >= options.attempts };
        }
        self.failures = self.failures.saturating_add(1);
        if Close::stays_away(code) {
            // Room is made when others leave, of the server's sockets or of the session's: later, and not by asking often.
            return Next { retry: between_half_and_whole(options.longest_wait, random), poll: true };
        }
        let doubled = 1_u32.checked_shl(self.failures - 1).unwrap_or(u32::MAX);
        let bound = options.first_wait.saturating_mul(doubled).min(options.longest_wait);
        Next { retry: part_of(bound), poll: self.failures >= options.attempts }
    }
}

/// Half of this length at least; `random` is from 0 up to 1.
#[must_use]
pub fn between_half_and_whole(length: Duration, random: f64) -> Duration {
    (length / 2) + (length / 2).mul_f64(random)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOST: u16 = 1006;
    const SECOND: Duration = Duration::from_secs(1);

    fn backoff() -> Backoff {
        Backoff::new(ConnectionStatusOptions::default())
    }

    #[test]
    fn the_wait_doubles_up_to_half_a_minute_and_polling_begins_with_the_fifth_failure() {
        let mut backoff = backoff();
        let nexts: Vec<Next> = (0..40).map(|_| backoff.ended(LOST, Duration::ZERO, 1.0)).collect();
        let waits: Vec<u128> = nexts.iter().map(|next| next.retry.as_millis()).collect();
        assert_eq!(waits[..8], [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
        assert_eq!((waits.len(), waits[39]), (40, 30_000), "it is tried for ever");
        assert_eq!(nexts.iter().position(|next| next.poll), Some(4));
        assert!(nexts[4..].iter().all(|next| next.poll));
    }

    #[test]
    fn jitter_takes_any_part_of_the_wait() {
        let wait = |random| backoff().ended(LOST, Duration::ZERO, random).retry;
        assert_eq!(wait(0.0), Duration::ZERO);
        assert_eq!(wait(0.5), Duration::from_millis(250));
        assert_eq!(wait(1.0), Duration::from_millis(500));
    }

    #[test]
    fn a_socket_that_stood_for_a_while_makes_up_for_failures_and_a_short_one_does_not() {
        let mut backoff = backoff();
        for _ in 0..9 {
            backoff.ended(LOST, SECOND, 1.0);
        }
        assert_eq!(backoff.ended(LOST, SECOND, 1.0), Next { retry: 30 * SECOND, poll: true });
        assert_eq!(backoff.ended(LOST, 10 * SECOND, 1.0), Next { retry: SECOND / 2, poll: false });
    }

    #[test]
    fn a_restart_is_no_failure_and_all_come_back_spread_over_a_short_time() {
        let mut backoff = backoff();
        for _ in 0..50 {
            assert_eq!(backoff.ended(1012, SECOND, 0.5), Next { retry: SECOND, poll: false });
        }
        assert_eq!(backoff.ended(LOST, SECOND, 1.0), Next { retry: SECOND / 2, poll: false });
    }

    #[test]
    fn where_there_is_no_room_or_no_leave_it_is_tried_later_and_polled_at_once() {
        for code in [1008, 1013] {
            let mut backoff = backoff();
            assert_eq!(backoff.ended(code, Duration::ZERO, 0.0), Next { retry: 15 * SECOND, poll: true });
            assert_eq!(backoff.ended(code, Duration::ZERO, 1.0), Next { retry: 30 * SECOND, poll: true });
        }
    }
}
