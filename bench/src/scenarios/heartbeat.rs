//! i: what ten thousand sockets on which nothing happens cost in processor time, their heartbeats included. They watch a
//! few sessions only, so that nothing but sockets is measured. *Runs: generator.*

use std::{
    io,
    rc::Rc,
    time::{Duration, Instant},
};

use tokio::time::sleep;

use super::Bench;
use crate::{
    board::{Board, Sockets},
    desk::Desk,
    report::Report,
    server::Kind,
};

/// The program's and the Node server's interval between heartbeats: measured is one of them, after one has passed.
const HEARTBEAT: Duration = Duration::from_secs(30);
const SESSIONS: usize = 10;

pub(super) async fn run(bench: &Bench, kind: Kind, report: &mut Report) -> io::Result<()> {
    let all = bench.size(10_000, 4000);
    let server = bench.start(kind).await?;
    let desk = Rc::new(Desk::open(&server, &bench.platform, SESSIONS).await?);
    let board = Board::new(kind, all);
    let mut sockets = Sockets::default();
    sockets.open(&desk, &board, 0..all, |socket| socket % SESSIONS).await?;
    sleep(HEARTBEAT).await;
    let (began, before) = (Instant::now(), server.cpu_time()?);
    sleep(HEARTBEAT).await;
    let used = server.cpu_time()?.saturating_sub(before).as_secs_f64() * 1e6;
    report.note("i.cpu", kind, used / all as f64 / began.elapsed().as_secs_f64());
    report.note("i.lost", kind, (all - board.open()) as f64);
    Ok(())
}
