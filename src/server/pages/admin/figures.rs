//! The staff's figures. *Runs: server.*

use std::{collections::BTreeMap, time::Duration};

use super::{frame, of_store, reader};
use crate::{
    api::admin::{FiguresView, Range, Step},
    domain::{
        figures::{Figures, HOUR},
        time::Timestamp,
    },
    server::{
        metrics::series::{STEP, Sample},
        pages::{Answer, app},
    },
};

const DAY: i64 = 24 * HOUR;

/// How long a part of a range is, and how many it has.
const fn parts_of(range: Range) -> (i64, i64) {
    match range {
        Range::Day => (HOUR, 24),
        Range::Week => (DAY, 7),
        Range::Month => (DAY, 30),
    }
}

/// The figures; `None` after sending somebody who is not signed in to where one does.
pub async fn figures(range: String) -> Answer<Option<FiguresView>> {
    let app = app();
    let Some(who) = reader(&app).await? else { return Ok(None) };
    let range = Range::from_word(Some(&range));
    let now = app.sessions.clock.now();
    let (length, count) = parts_of(range);
    let last = now.0.div_euclid(length) * length;
    let first = last - (count - 1) * length;
    let hours = app.sessions.figures(Timestamp(first)).await.map_err(of_store)?;
    let mut parts: BTreeMap<i64, Figures> =
        (0..count).map(|part| (first + part * length, Figures::default())).collect();
    let (mut total, mut by_hour) = (Figures::default(), vec![[0, 0]; 24]);
    for (hour, figures) in &hours {
        total.add(figures);
        if let Some(part) = parts.get_mut(&(hour.div_euclid(length) * length)) {
            part.add(figures);
        }
        let of_day = usize::try_from(hour.div_euclid(HOUR).rem_euclid(24)).unwrap_or_default();
        by_hour[of_day][0] += figures.reached[0];
        by_hour[of_day][1] += figures.reached[figures.reached.len() - 1];
    }
    let samples = app.sessions.metrics.series.samples();
    let interval = app.config.polling_interval;
    Ok(Some(FiguresView {
        frame: frame(&app, who).await?,
        range,
        total,
        parts: parts.into_iter().map(|(begin, figures)| (Timestamp(begin), figures)).collect(),
        by_hour,
        steps: samples.windows(2).map(|pair| step(&pair[0], &pair[1], interval)).collect(),
    }))
}

/// What happened between two samples.
fn step(before: &Sample, after: &Sample, polling_interval: Duration) -> Step {
    let more = |count: fn(&Sample) -> u64| count(after).saturating_sub(count(before));
    // Each browser that polls does so once in an interval.
    let pollers = more(|sample| sample.polls) as f64 * polling_interval.as_secs_f64() / STEP.as_secs_f64();
    let browsers = pollers + after.sockets as f64;
    Step {
        at: after.at,
        sockets: after.sockets,
        webhooks: more(|sample| sample.deliveries) as f64 / STEP.as_secs_f64(),
        polling: (browsers > 0.0).then(|| pollers / browsers),
        push_ms: slowest_of_most(before, after).map(|seconds| seconds * 1_000.0),
        calls: [more(|sample| sample.calls[0]), more(|sample| sample.calls[1])],
    }
}

/// What 95 of 100 pushes did not exceed, in seconds: the end of the bucket in which that lies.
fn slowest_of_most(before: &Sample, after: &Sample) -> Option<f64> {
    let counts: Vec<(f64, u64)> = after
        .pushes
        .iter()
        .enumerate()
        .map(|(index, (bound, count))| {
            let earlier = before.pushes.get(index).map_or(0, |(_, count)| *count);
            (*bound, count.saturating_sub(earlier))
        })
        .collect();
    let all = counts.last()?.1;
    let wanted = (all as f64 * 0.95).ceil() as u64;
    (all > 0).then(|| counts.iter().find(|(_, count)| *count >= wanted).map(|(bound, _)| *bound))?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(polls: u64, sockets: u64, pushes: &[u64]) -> Sample {
        let bounds = [0.001, 0.01, 0.1];
        let pushes = bounds.into_iter().zip(pushes.iter().copied()).collect();
        Sample { polls, sockets, pushes, ..Sample::default() }
    }

    #[test]
    fn a_step_is_the_difference_of_two_samples() {
        let (before, after) = (sample(100, 0, &[5, 5, 5]), sample(110, 3, &[5, 24, 25]));
        let step = step(&before, &after, Duration::from_secs(3));
        // Ten polls in ten seconds are three browsers that poll every three seconds.
        assert_eq!((step.sockets, step.polling, step.push_ms), (3, Some(0.5), Some(10.0)));
    }

    #[test]
    fn where_nothing_happened_nothing_is_told() {
        let quiet = sample(0, 0, &[0, 0, 0]);
        let step = step(&quiet, &quiet, Duration::from_secs(3));
        assert_eq!((step.polling, step.push_ms), (None, None));
    }
}
