//! d: a thousand sockets watch one session; how long until the last of them has a new state. *Runs: generator.*

use std::{io, rc::Rc, time::Instant};

use super::Bench;
use crate::{
    board::{Board, Sockets},
    desk::Desk,
    report::Report,
    server::Kind,
    stats::median,
    webhook::Step,
};

const WATCHERS: usize = 1000;

pub(super) async fn run(bench: &Bench, kind: Kind, report: &mut Report) -> io::Result<()> {
    let sessions = bench.size(8, 3);
    let server = bench.start(kind).await?;
    let desk = Rc::new(Desk::open(&server, &bench.platform, sessions).await?);
    let mut times = Vec::new();
    let mut lost = 0;
    for session in 0..sessions {
        let board = Board::new(kind, WATCHERS);
        let mut sockets = Sockets::default();
        sockets.open(&desk, &board, 0..WATCHERS, |_| session).await?;
        for _ in Step::ALL {
            while !desk.is_ready(session, Step::ALL.len()) {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
            // What the program does by itself has been told by then.
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            let (request, goal) = desk.next_webhook(session);
            let since = Instant::now();
            for socket in 0..WATCHERS {
                board.expect(socket, goal, since);
            }
            desk.deliver(&request).await?;
            if !board.wait_until(|board| board.missing() == 0).await {
                lost += board.missing();
                break;
            }
            times.push(board.take_latencies().into_iter().fold(0.0, f64::max));
        }
    }
    report.note("d.last", kind, median(&times));
    report.note("d.lost", kind, lost as f64);
    Ok(())
}
