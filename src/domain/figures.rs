//! Figures of the registrations that began in some time: how far they came, how long each step took, and where people stop. Pure,
//! and nothing personal: counts alone. *Runs: both.*

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{stage::Stage, time::Timestamp};

/// The steps of a registration as figures have them, in their order.
pub const STEPS: [&str; 6] = ["started", "scanned", "connected", "approved", "verified", "submitted"];

/// An hour, in milliseconds.
pub const HOUR: i64 = 3_600_000;

/// The beginning of the hour that a time lies in.
#[must_use]
pub const fn hour_of(time: Timestamp) -> Timestamp {
    Timestamp(time.0.div_euclid(HOUR) * HOUR)
}

/// Lengths of time, counted in classes of which each is a quarter longer than the one before. So a quantile is right to a
/// quarter of itself, and those of several hours can be added.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Times(BTreeMap<u8, u32>);

/// The first class ends here, in milliseconds.
const FIRST: f64 = 250.0;
const GROWTH: f64 = 1.25;

impl Times {
    /// Counts one.
    pub fn count(&mut self, milliseconds: u64) {
        let class = ((milliseconds.max(1) as f64 / FIRST).ln() / GROWTH.ln()).ceil().clamp(0.0, 250.0) as u8;
        *self.0.entry(class).or_default() += 1;
    }

    /// How many were counted.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.0.values().sum()
    }

    /// Whether none was.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn add(&mut self, others: &Self) {
        for (class, count) in &others.0 {
            *self.0.entry(*class).or_default() += count;
        }
    }

    /// What a part of them did not exceed, in milliseconds: the end of the class in which it lies. `None` without any.
    #[must_use]
    pub fn quantile(&self, part: f64) -> Option<u64> {
        let wanted = (f64::from(self.len()) * part).ceil().max(1.0) as u32;
        let mut below = 0;
        let class = self.0.iter().find(|(_, count)| {
            below += **count;
            below >= wanted
        });
        class.map(|(class, _)| (FIRST * GROWTH.powi(i32::from(*class))) as u64)
    }
}

/// How many stopped after a step, and how that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// The last of [`STEPS`] that was reached, by its place.
    pub after: u8,
    /// The end.
    pub end: Stage,
    /// How many.
    pub count: u32,
}

/// The figures of some registrations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// How many came to each of [`STEPS`].
    pub reached: [u32; STEPS.len()],
    /// How long each step took, from the one before: the first of these is from started to scanned.
    pub times: [Times; STEPS.len() - 1],
    /// Where people stopped.
    pub stops: Vec<Stop>,
}

impl Figures {
    /// Counts a registration: when it came to each of [`STEPS`], and how it ended if it did.
    pub fn count(&mut self, reached: [Option<Timestamp>; STEPS.len()], end: Option<Stage>) {
        let mut last = 0;
        for (step, at) in reached.into_iter().enumerate() {
            let Some(at) = at else { continue };
            self.reached[step] += 1;
            if let Some(before) = step.checked_sub(1).and_then(|before| reached[before]) {
                self.times[step - 1].count(at.since(before));
            }
            last = step;
        }
        if let Some(end) = end.filter(|end| *end != Stage::Submitted) {
            self.stop(Stop { after: u8::try_from(last).unwrap_or_default(), end, count: 1 });
        }
    }

    fn stop(&mut self, stop: Stop) {
        match self.stops.iter_mut().find(|known| known.after == stop.after && known.end == stop.end) {
            Some(known) => known.count += stop.count,
            None => self.stops.push(stop),
        }
    }

    /// Adds the figures of others.
    pub fn add(&mut self, others: &Self) {
        for (here, there) in self.reached.iter_mut().zip(others.reached) {
            *here += there;
        }
        for (here, there) in self.times.iter_mut().zip(&others.times) {
            here.add(there);
        }
        others.stops.iter().for_each(|stop| self.stop(*stop));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_quantile_is_right_to_a_quarter_of_itself(mut lengths in prop::collection::vec(1_u64..100_000_000, 1..200), part in 0.0..1.0_f64) {
            let mut times = Times::default();
            lengths.iter().for_each(|length| times.count(*length));
            lengths.sort_unstable();
            let place = ((lengths.len() as f64 * part).ceil().max(1.0) as usize) - 1;
            let (exact, told) = (lengths[place], times.quantile(part).unwrap());
            prop_assert!(told as f64 >= exact.max(200) as f64 * 0.99 , "{told} for {exact}");
            prop_assert!(told as f64 <= exact.max(250) as f64 * GROWTH * 1.01, "{told} for {exact}");
        }

        #[test]
        fn those_of_two_hours_are_those_of_both_together(
            first in prop::collection::vec((0_usize..6, 1_i64..1_000_000), 0..20),
            second in prop::collection::vec((0_usize..6, 1_i64..1_000_000), 0..20),
        ) {
            let of = |courses: &[(usize, i64)]| {
                let mut figures = Figures::default();
                for (last, pace) in courses {
                    let mut reached = [None; 6];
                    (0..=*last).for_each(|step| reached[step] = Some(Timestamp(step as i64 * pace)));
                    figures.count(reached, Some(if *last == 5 { Stage::Submitted } else { Stage::Expired }));
                }
                figures.stops.sort_by_key(|stop| stop.after);
                figures
            };
            let mut sum = of(&first);
            sum.add(&of(&second));
            sum.stops.sort_by_key(|stop| stop.after);
            prop_assert_eq!(sum, of(&[first, second].concat()));
        }
    }

    #[test]
    fn who_stops_is_counted_where_they_stopped() {
        let mut figures = Figures::default();
        let at = |milliseconds| Some(Timestamp(milliseconds));
        figures.count([at(0), at(2_000), None, None, None, None], Some(Stage::Expired));
        figures.count([at(0), None, None, None, None, None], None);
        assert_eq!(figures.reached, [2, 1, 0, 0, 0, 0]);
        assert_eq!(figures.stops, [Stop { after: 1, end: Stage::Expired, count: 1 }]);
        assert!(Times::default().quantile(0.5).is_none());
    }

    #[test]
    fn what_is_stored_is_read_again() {
        let mut figures = Figures::default();
        figures.count([Some(Timestamp(0)), Some(Timestamp(90_000)), None, None, None, None], Some(Stage::Declined));
        let text = serde_json::to_string(&figures).unwrap();
        assert_eq!(serde_json::from_str::<Figures>(&text).unwrap(), figures);
    }
}
