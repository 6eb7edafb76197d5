//! f: delivery while sockets break. Each of two thousand browsers is cut off about every ten seconds (a reset, as when a
//! network goes away) and comes back after two, while webhooks come at a steady rate.
//!
//! Two shares of the webhooks are told: *live*, that a message of its own arrived at the session's browser; and *in the
//! end*, that the browser was told this state or a newer one, live or on its return. Who only broadcasts loses what comes
//! while nobody listens. *Runs: generator.*

use std::{cell::Cell, io, pin::pin, rc::Rc, time::Duration};

use tokio::time::{sleep, timeout};

use super::Bench;
use crate::{
    board::{Board, Sockets, connect},
    desk::{Desk, Turns},
    flow,
    report::Report,
    server::Kind,
    webhook::Step,
};

/// Webhooks a second.
const RATE: f64 = 100.0;
/// How long a socket lives: so long at least, and at most twice as much more.
const SHORTEST: Duration = Duration::from_secs(5);
/// How long a browser is away.
const AWAY: Duration = Duration::from_secs(2);
/// After the last browser is back, this long nothing more may come before it counts as lost.
const CALM: Duration = Duration::from_secs(3);

pub(super) async fn run(bench: &Bench, kind: Kind, report: &mut Report) -> io::Result<()> {
    let (browsers, seconds) = (bench.size(2000, 600), bench.size(30, 12));
    let server = bench.start(kind).await?;
    let desk = Rc::new(Desk::open(&server, &bench.platform, browsers).await?);
    let board = Board::new(kind, browsers);
    let (calm, cuts) = (Rc::new(Cell::new(false)), Rc::new(Cell::new(0_u32)));
    let mut sockets = Sockets::default();
    for browser in 0..browsers {
        let (desk, board) = (Rc::clone(&desk), Rc::clone(&board));
        let (calm, cuts) = (Rc::clone(&calm), Rc::clone(&cuts));
        sockets.spawn(async move {
            // The first one anywhere in its life, as in the middle of a day.
            let mut life = SHORTEST.mul_f64(fastrand::f64() * 2.0);
            loop {
                if let Ok(mut stream) = connect(&desk, browser, browser).await {
                    {
                        let mut watching = pin!(board.watch(browser, &mut stream));
                        if timeout(life, &mut watching).await.is_err() && calm.get() {
                            // Nothing is cut any more.
                            return watching.await;
                        }
                    }
                    let _ = stream.get_ref().set_zero_linger();
                    cuts.set(cuts.get() + 1);
                }
                sleep(AWAY).await;
                life = SHORTEST.mul_f64(1.0 + fastrand::f64() * 2.0);
            }
        });
    }
    board.wait_until(|board| board.open() > browsers * 3 / 4).await;
    let turns = Turns::by_chance(0..browsers, Step::ALL.len());
    let webhooks = RATE as usize * seconds;
    let flow = flow::at_rate(&desk, &board, turns, RATE, webhooks).await?;
    calm.set(true);
    // Who is away comes back, and what is on its way arrives; of a broadcaster much never comes.
    board.wait_until(|board| board.open() == browsers).await;
    let _ = timeout(CALM, board.wait_until(|board| board.missing() == 0)).await;
    let share = |count: usize| count as f64 / flow.acknowledged as f64 * 100.0;
    report.note("f.live", kind, share(board.arrived()));
    report.note("f.end", kind, share(flow.acknowledged - board.missing()));
    report.note("f.repeated", kind, board.repeated() as f64);
    report.note("f.stale", kind, board.look(|tracks| tracks.iter().map(|track| f64::from(track.stale)).sum()));
    report.note("f.cuts", kind, f64::from(cuts.get()));
    Ok(())
}
