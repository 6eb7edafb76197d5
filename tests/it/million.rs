//! The staff's board with a million registrations, beside one with a thousand: what each of its lists takes, as ratios within one run.
//! `cargo test --test it -- --ignored --nocapture a_board_of_a_million` takes some minutes and a gigabyte.

#![allow(clippy::print_stdout, reason = "its result is what it prints")]

use std::{
    fmt::Write,
    time::{Duration, Instant},
};

use vestibule::{
    domain::{ids::SessionId, session::Session, stage::Stage},
    server::{
        secrets::random_bytes,
        store::{About, ActKind},
    },
};

use crate::{harness::Desk, staff::Staff};

const ENDS: [Stage; 4] = [Stage::Submitted, Stage::Expired, Stage::Declined, Stage::Cancelled];

/// So many registrations, begun a second apart; the last ones of them under way.
async fn fill(desk: &Desk, count: usize, running: usize) {
    let sessions = &desk.app.sessions;
    let mut left = count;
    while left > 0 {
        let mut tx = sessions.store.begin().await.unwrap();
        for _ in 0..left.min(10_000) {
            desk.clock.advance(Duration::from_secs(1));
            let now = desk.clock.now();
            let id = SessionId::new(now, random_bytes());
            let mut session = Session::open(id, sessions.consent.clone(), now, &sessions.deadlines);
            session.expires_at = now.plus(Duration::from_secs(100 * 24 * 60 * 60));
            tx.insert_session(&session).await.unwrap();
            if left > running {
                session.progress.stage = ENDS[left % ENDS.len()];
                tx.update_session(&session).await.unwrap();
            } else {
                tx.add_act(ActKind::Expire, &About::Attempt(id, 1), session.expires_at).await.unwrap();
            }
            left -= 1;
        }
        tx.commit().await.unwrap();
    }
}

/// The median of what a view takes.
async fn median(staff: &Staff<'_>, form: &[(&str, &str)]) -> Duration {
    let mut times = Vec::new();
    for _ in 0..15 {
        let began = Instant::now();
        staff.board(form).await;
        times.push(began.elapsed());
    }
    times.sort_unstable();
    times[times.len() / 2]
}

#[tokio::test]
#[ignore = "takes minutes"]
async fn a_board_of_a_million() {
    let mut columns = Vec::new();
    for (count, running) in [(1_000, 50), (1_000_000, 20_000)] {
        let desk = Desk::sandbox().await;
        fill(&desk, count, running).await;
        let staff = Staff::sign_in(&desk, "Ada").await;
        let mut place = staff.board(&[("list", "all")]).await.older.unwrap();
        // Somewhere in the middle of all there are.
        let (time, id) = place.split_once('.').unwrap();
        let middle: i64 = time.parse::<i64>().unwrap() - i64::try_from(count * 500).unwrap();
        place = format!("{middle}.{id}");
        let mut times = Vec::new();
        for (what, form) in [
            ("all", vec![("list", "all")]),
            ("all, in the middle", vec![("list", "all"), ("older", &*place)]),
            ("expired", vec![("list", "expired")]),
            ("expired, in the middle", vec![("list", "expired"), ("older", &*place)]),
            ("under way", vec![("list", "running")]),
            ("stuck", vec![("list", "stuck")]),
            ("by an id", vec![("query", "0f0f0f0f-0000-4000-8000-000000000001")]),
        ] {
            times.push((what, median(&staff, &form).await));
        }
        columns.push(times);
        desk.stop().await;
    }
    let mut table = String::new();
    for ((what, small), (_, large)) in columns[0].iter().zip(&columns[1]) {
        let ratio = large.as_secs_f64() / small.as_secs_f64();
        writeln!(table, "{what:<26}{small:>12.1?}{large:>12.1?}{ratio:>8.1}x").unwrap();
    }
    println!("{:<26}{:>12}{:>12}\n{table}", "median of 15", "1 thousand", "1 million");
}
