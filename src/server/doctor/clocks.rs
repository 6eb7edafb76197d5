//! Whether this machine's clock is that of others: webhooks that are signed are taken for a few minutes only, and so are tokens.
//! *Runs: server.*

use std::time::Duration;

use super::Finding;
use crate::{
    domain::time::{Timestamp, in_words},
    server::platform::SKEW,
};

/// What answers and their way take, and clocks are usually apart, in milliseconds.
const USUAL: u64 = 30_000;

/// How far the clocks of others are ahead of ours, in milliseconds.
#[derive(Default)]
pub(super) struct Clocks(Vec<(&'static str, i64)>);

impl Clocks {
    /// Notes the time somebody told between these two times of ours. They tell no part of time that is shorter than this.
    pub(super) fn note(&mut self, whose: &'static str, told: Timestamp, part: i64, asked: Timestamp, heard: Timestamp) {
        let (earliest, latest) = (told.0, told.0 + part);
        let ahead = if earliest > heard.0 { earliest - heard.0 } else { (latest - asked.0).min(0) };
        self.0.push((whose, ahead));
    }

    pub(super) fn examine(&self, tell: &mut dyn FnMut(Finding)) {
        for (whose, ahead) in &self.0 {
            let apart = in_words(Duration::from_millis(ahead.unsigned_abs()));
            let (way, mend) = (
                if *ahead > 0 { "ahead of" } else { "behind" },
                "have both set by NTP (`timedatectl` shows whether this one is)",
            );
            tell(if ahead.unsigned_abs() <= USUAL {
                Finding::ok("clock", format!("that of {whose} says the same"))
            } else if ahead.unsigned_abs() <= SKEW {
                Finding::warning("clock", format!("that of {whose} is {apart} {way} this machine's"), mend)
            } else {
                let skew = in_words(Duration::from_millis(SKEW));
                let harm = format!("webhooks that are signed are refused from {skew} on, and tokens may be too");
                Finding::fault("clock", format!("that of {whose} is {apart} {way} this machine's: {harm}"), mend)
            });
        }
    }

    /// Whether nobody told the time.
    pub(super) fn are_none(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ahead(told: i64, part: i64) -> i64 {
        let mut clocks = Clocks::default();
        clocks.note("the platform", Timestamp(told), part, Timestamp(10_000), Timestamp(11_500));
        clocks.0[0].1
    }

    #[test]
    fn what_the_way_took_and_what_was_not_told_is_no_difference() {
        assert_eq!([ahead(9_000, 1_000), ahead(10_000, 1_000), ahead(11_000, 1_000), ahead(11_500, 1)], [0; 4]);
        assert_eq!(ahead(8_000, 1_000), -1_000);
        assert_eq!(ahead(12_000, 1_000), 500);
    }
}
