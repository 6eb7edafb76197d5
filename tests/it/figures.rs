//! The staff's figures: from begun to submitted, kept when the registrations are gone.

use std::time::Duration;

use vestibule::{domain::figures::HOUR, domain::stage::Stage};

use crate::{
    browser::{Browser, EMAIL, PHONE, verified},
    database,
    harness::{Desk, PATIENCE},
    staff::Staff,
};

/// Brings the desk's clock to the beginning of an hour, so that nothing of a test falls into two.
async fn fresh_hour(desk: &Desk) {
    let into = desk.clock.now().0.rem_euclid(HOUR);
    desk.clock.advance(Duration::from_millis(u64::try_from(HOUR - into + 1_000).unwrap()));
}

#[tokio::test]
async fn the_funnel_counts_how_far_each_came_and_where_they_stopped() {
    let desk = Desk::sandbox().await;
    fresh_hour(&desk).await;
    let staff = Staff::sign_in(&desk, "Ada").await;
    desk.open().await;
    let cancelled = desk.open().await;
    desk.app.sessions.cancel(cancelled.id.parse().unwrap()).await.unwrap();
    verified(&desk, "tunde").await;
    let registered = verified(&desk, "amaka").await;
    desk.clock.advance(Duration::from_secs(40));
    Browser::of(&desk, &registered).submit(EMAIL, PHONE).await;
    let view = staff.figures("day").await;
    assert_eq!(view.total.reached, [4, 2, 2, 2, 2, 1]);
    assert_eq!(view.total.times[4].len(), 1);
    let time = view.total.times[4].quantile(0.5).unwrap();
    assert!((40_000..=51_000).contains(&time), "{time}");
    let stops = view.total.stops;
    assert_eq!((stops.len(), stops[0].after, stops[0].end, stops[0].count), (1, 0, Stage::Cancelled, 1));
    assert_eq!(view.parts.len(), 24);
    assert_eq!(view.parts.last().unwrap().1.reached[0], 4);
    assert_eq!(view.by_hour.iter().map(|counts| counts[0]).sum::<u32>(), 4);
}

#[tokio::test]
async fn figures_are_kept_when_the_registrations_are_deleted() {
    let desk = Desk::sandbox().await;
    fresh_hour(&desk).await;
    let registered = verified(&desk, "amaka").await;
    Browser::of(&desk, &registered).submit(EMAIL, PHONE).await;
    desk.open().await;
    desk.clock.advance(Duration::from_secs(7 * 60 * 60));
    let until = async |query: &str, count: i64| {
        let reached = async {
            while database::count(&desk, query).await != count {
                desk.pass(Duration::from_secs(60)).await;
            }
        };
        tokio::time::timeout(PATIENCE, reached).await.unwrap_or_else(|_| panic!("{query} is not {count}"));
    };
    until("SELECT COUNT(*) FROM figures", 1).await;
    let staff = Staff::sign_in(&desk, "Ada").await;
    let before = staff.figures("month").await;
    assert_eq!(before.total.reached, [2, 1, 1, 1, 1, 1]);
    desk.clock.advance(Duration::from_secs(8 * 24 * 60 * 60));
    until("SELECT COUNT(*) FROM sessions WHERE stage <> 'submitted'", 0).await;
    let staff = Staff::sign_in(&desk, "Ada").await;
    let after = staff.figures("month").await;
    assert_eq!(after.total, before.total, "once each, whether counted or kept");
    assert_eq!(after.parts.iter().filter(|(_, figures)| figures.reached[0] == 2).count(), 1);
    assert_eq!(staff.figures("day").await.total.reached[0], 0);
    desk.clock.advance(Duration::from_secs(401 * 24 * 60 * 60));
    until("SELECT COUNT(*) FROM figures", 0).await;
}

#[tokio::test]
async fn what_this_server_did_is_sampled() {
    let desk = Desk::sandbox().await;
    verified(&desk, "amaka").await;
    let sample = desk.app.sessions.metrics.sample(&desk.app.sessions);
    assert!(sample.deliveries >= 4 && sample.calls[0] >= 3 && sample.calls[1] == 0, "{sample:?}");
    assert!(sample.pushes.last().unwrap().1 >= 4);
    assert!(!desk.app.sessions.metrics.series.samples().is_empty(), "the first is taken at the start");
}
