//! e: ten thousand sockets, the server killed (SIGKILL) under load and started again on the same file; all come back at
//! once. The time runs from the start of the new process until the last socket was greeted. No greeting may be older
//! than what was acknowledged. *Runs: generator.*

use std::{
    io,
    rc::Rc,
    time::{Duration, Instant},
};

use tokio::time::sleep;

use super::Bench;
use crate::{
    board::{Board, Sockets, connect},
    desk::{Desk, Turns},
    flow,
    report::Report,
    server::Kind,
};

const PUBLISHERS: usize = 16;
/// A browser that was refused tries again after this.
const AGAIN: Duration = Duration::from_millis(50);

pub(super) async fn run(bench: &Bench, kind: Kind, report: &mut Report) -> io::Result<()> {
    let all = bench.size(10_000, 3000);
    let mut server = bench.start(kind).await?;
    let desk = Rc::new(Desk::open(&server, &bench.platform, all).await?);
    let board = Board::new(kind, all);
    let mut sockets = Sockets::default();
    sockets.open(&desk, &board, 0..all, |socket| socket).await?;
    let acknowledged = flow::until_killed(&mut server, &desk, Turns::of(0..all, all, 2), PUBLISHERS, all * 2).await?;
    board.wait_until(|board| board.open() == 0).await;
    drop(sockets);
    let began = Instant::now();
    server.restart()?;
    server.wait_until_it_listens().await?;
    let board = Board::new(kind, all);
    let mut sockets = Sockets::default();
    for socket in 0..all {
        let (desk, board) = (Rc::clone(&desk), Rc::clone(&board));
        sockets.spawn(async move {
            loop {
                if let Ok(mut stream) = connect(&desk, socket, socket).await {
                    return board.watch(socket, &mut stream).await;
                }
                sleep(AGAIN).await;
            }
        });
    }
    if !board.wait_until(|board| board.open() == all).await {
        return Err(io::Error::other(format!("{} of {all} came back", board.open())));
    }
    report.note("e.seconds", kind, began.elapsed().as_secs_f64());
    // What is kept in memory alone is gone, and Node's greeting tells no state.
    if matches!(kind, Kind::Vestibule | Kind::FloorSqlite) {
        let stale =
            board.look(|tracks| acknowledged.iter().filter(|(socket, goal)| tracks[*socket].reached < *goal).count());
        report.note("e.stale", kind, stale as f64);
    }
    Ok(())
}
