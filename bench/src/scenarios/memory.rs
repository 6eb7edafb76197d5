//! a: what an idle socket costs in memory, its session and its token included: each socket has a session of its own.
//!
//! Before anything is counted the server has opened and closed a few hundred of both, so that what it needs once is not
//! taken for what a socket needs. *Runs: generator.*

use std::{io, rc::Rc, time::Duration};

use tokio::time::sleep;

use super::Bench;
use crate::{
    board::{Board, Sockets},
    desk::Desk,
    process,
    report::Report,
    server::Kind,
};

/// So many sockets come and go before anything is counted.
const WARM_UP: usize = 300;
/// Descriptors that are needed for something else: the database, kept connections, the platform.
const SPARE: usize = 800;
/// What was freed and what is written later has settled by then.
const SETTLE: Duration = Duration::from_secs(2);

pub(super) async fn run(bench: &Bench, kind: Kind, report: &mut Report) -> io::Result<()> {
    let most = process::descriptors().saturating_sub(SPARE);
    let sizes = [("1k", 1000), ("10k", bench.size(10_000, 4000)), ("max", bench.size(most, 4000))];
    let server = bench.start(kind).await?;
    let mut desk = Desk::open(&server, &bench.platform, WARM_UP).await?;
    {
        let (shared, board) = (Rc::new(desk), Board::new(kind, WARM_UP));
        let mut sockets = Sockets::default();
        sockets.open(&shared, &board, 0..WARM_UP, |socket| socket).await?;
        drop(sockets);
        sleep(SETTLE).await;
        desk = Rc::into_inner(shared).ok_or_else(|| io::Error::other("a socket outlived its end"))?;
    }
    let empty = process::resident(server.pid())?;
    let mut sockets = Sockets::default();
    let board = Board::new(kind, 0);
    let mut grown = Vec::new();
    let mut desk = Rc::new(desk);
    for (name, size) in sizes {
        if size > board.open() {
            let sessions = Rc::get_mut(&mut desk).ok_or_else(|| io::Error::other("sockets are still being opened"))?;
            sessions.open_up_to(WARM_UP + size).await?;
            board.grow(size);
            let kernel = process::kernel_memory()?;
            let open = board.open();
            sockets.open(&desk, &board, open..size, |socket| WARM_UP + socket).await?;
            sleep(SETTLE).await;
            if name != "1k" {
                // Both ends are on this machine.
                let kernel = process::kernel_memory()?.saturating_sub(kernel) as f64 / (size - open) as f64 / 2.0;
                report.note("a.kernel", kind, kernel / 1024.0);
            }
        }
        let resident = process::resident(server.pid())?.saturating_sub(empty) as f64 / 1024.0;
        grown.push((size as f64, resident));
        report.note(&format!("a.{name}"), kind, resident / size as f64);
    }
    let [(few, at_few), .., (many, at_many)] = grown[..] else { return Ok(()) };
    report.note("a.next", kind, (at_many - at_few) / (many - few));
    report.note("a.sockets", kind, many);
    Ok(())
}
