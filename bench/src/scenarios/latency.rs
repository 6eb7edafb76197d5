//! b: from webhook to message, with ten thousand sockets open. Open loop: what a webhook takes counts from the moment it was
//! due to be sent, so that a server that stalls is charged for all that waited. Each socket is checked by its versions:
//! nothing lost, nothing told twice. *Runs: generator.*

use std::{io, rc::Rc};

use super::Bench;
use crate::{
    board::{Board, Sockets},
    desk::{Desk, Turns},
    flow,
    report::Report,
    server::Kind,
    stats::{percentile, sorted},
    webhook::Step,
};

/// For how long each rate is held, in seconds.
const SECONDS: f64 = 12.0;
const QUICK_SECONDS: f64 = 5.0;

pub(super) async fn run(bench: &Bench, kind: Kind, report: &mut Report) -> io::Result<()> {
    let idle = bench.size(10_000, 3000);
    let seconds = if bench.quick { QUICK_SECONDS } else { SECONDS };
    let server = bench.start(kind).await?;
    let desk = Rc::new(Desk::open(&server, &bench.platform, idle).await?);
    let board = Board::new(kind, idle);
    let mut sockets = Sockets::default();
    sockets.open(&desk, &board, 0..idle, |socket| socket).await?;
    // No session is used for both rates.
    for (rate, sessions) in [(200, 0..idle / 5), (1000, idle / 5..idle)] {
        let count = (f64::from(rate) * seconds) as usize;
        // Each registration takes its steps about half a second apart.
        let turns = Turns::of(sessions, rate as usize / 2, Step::ALL.len());
        let (cpu, repeated, missing) = (server.cpu_time()?, board.repeated(), board.missing());
        let flow = flow::at_rate(&desk, &board, turns, f64::from(rate), count).await?;
        let all_came = board.wait_until(|board| board.missing() <= missing).await;
        let cpu = server.cpu_time()?.saturating_sub(cpu);
        let latencies = sorted(board.take_latencies());
        if flow.fell_behind {
            report.remark(&format!(
                "b, {}: falls behind at {rate}/s; what came in time is all that its figures tell",
                kind.name()
            ));
        }
        let key = |name: &str| format!("b.{rate}.{name}");
        for (name, share) in [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p999", 0.999), ("max", 1.0)] {
            report.note(&key(name), kind, percentile(&latencies, share));
        }
        let lost = if all_came { 0 } else { board.missing() - missing };
        report.note(&key("lost"), kind, lost as f64);
        report.note(&key("repeated"), kind, (board.repeated() - repeated) as f64);
        report.note(&key("cpu"), kind, cpu.as_secs_f64() * 1e6 / flow.acknowledged as f64);
        report.note(&key("late"), kind, flow.late);
    }
    Ok(())
}
