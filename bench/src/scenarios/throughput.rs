//! c: how many webhooks are acknowledged in a second when 64 publishers bring them as fast as they can, each waiting for
//! its answer, and what one costs in processor time. Nobody watches: what a push costs is in b and d.
//!
//! Twice: the two webhooks of a connection that only the intake deals with, and whole registrations, where the program
//! also asks the platform, by five calls for every four webhooks, on the same core. *Runs: generator.*

use std::{io, rc::Rc};

use super::Bench;
use crate::{
    desk::{Desk, Turns},
    flow,
    report::Report,
    server::Kind,
    webhook::Step,
};

/// The publishers.
const PUBLISHERS: usize = 64;
/// From this share of its core on, the generator itself may be what limits.
const BUSY: f64 = 0.9;

pub(super) async fn run(bench: &Bench, kind: Kind, report: &mut Report) -> io::Result<()> {
    let sessions = bench.size(12_000, 2500);
    let server = bench.start(kind).await?;
    let desk = Rc::new(Desk::open(&server, &bench.platform, sessions + sessions / 3).await?);
    let parts = [
        ("intake", Turns::of(0..sessions, sessions, 2), sessions * 2),
        // Enough under way that nobody waits for the program's own steps.
        ("whole", Turns::of(sessions..sessions + sessions / 3, 1000, Step::ALL.len()), sessions / 3 * 4),
    ];
    for (name, turns, count) in parts {
        let cpu = server.cpu_time()?;
        let flow = flow::at_full_speed(&desk, turns, PUBLISHERS, count, false, |_, _| {}).await?;
        let cpu = server.cpu_time()?.saturating_sub(cpu);
        report.note(&format!("c.{name}.rate"), kind, flow.acknowledged as f64 / flow.took.as_secs_f64());
        report.note(&format!("c.{name}.cpu"), kind, cpu.as_secs_f64() * 1e6 / flow.acknowledged as f64);
        if flow.own_share > BUSY {
            let share = flow.own_share * 100.0;
            report.remark(&format!("c.{name}, {}: the generator used {share:.0} % of its core", kind.name()));
        }
        if flow.refused > 0 {
            report.remark(&format!("c.{name}, {}: {} refused with 503 and brought again", kind.name(), flow.refused));
        }
    }
    Ok(())
}
