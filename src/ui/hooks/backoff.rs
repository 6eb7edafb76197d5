//! How long to wait before trying again: exponential, with full jitter, so that many who lost the same server do not
//! come back in the same moment. Pure. *Runs: both.*

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);

/// The wait after this many failures in a row; `random` is from 0 up to 1.
#[must_use]
pub fn delay(failures: u32, random: f64) -> Duration {
    let bound = FIRST.saturating_mul(1 << failures.saturating_sub(1).min(6)).min(LONGEST);
    bound.mul_f64(random.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_doubles_up_to_half_a_minute() {
        let bounds: Vec<u64> = (0..10).map(|failures| delay(failures, 1.0).as_millis() as u64).collect();
        assert_eq!(bounds, [500, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
    }

    #[test]
    fn jitter_takes_any_part_of_it() {
        assert_eq!(delay(3, 0.0), Duration::ZERO);
        assert_eq!(delay(3, 0.5), Duration::from_secs(1));
        assert_eq!(delay(u32::MAX, 7.0), LONGEST);
    }
}
