//! h: a thousand browsers without a socket, each of which asks every three seconds with the tag it knows. What the server
//! does anyway, measured before, is not counted. *Runs: generator.*

use std::{
    cell::Cell,
    io,
    rc::Rc,
    time::{Duration, Instant},
};

use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval, sleep},
};

use super::Bench;
use crate::{
    desk::Desk,
    http::Connection,
    report::Report,
    server::Kind,
    stats::{percentile, sorted},
};

const EVERY: Duration = Duration::from_secs(3);

pub(super) async fn run(bench: &Bench, kind: Kind, report: &mut Report) -> io::Result<()> {
    let browsers = bench.size(1000, 1000);
    let time = Duration::from_secs(bench.size(18, 9) as u64);
    let server = bench.start(kind).await?;
    let desk = Rc::new(Desk::open(&server, &bench.platform, browsers).await?);
    let before = server.cpu_time()?;
    sleep(time / 2).await;
    let idle = (server.cpu_time()?.saturating_sub(before)).as_secs_f64() / (time / 2).as_secs_f64();
    let (polls, unchanged) = (Rc::new(Cell::new(0_u32)), Rc::new(Cell::new(0_u32)));
    let times = Rc::new(std::cell::RefCell::new(Vec::new()));
    let mut polling = JoinSet::new();
    let (began, before) = (Instant::now(), server.cpu_time()?);
    for browser in 0..browsers {
        let (desk, polls, unchanged) = (Rc::clone(&desk), Rc::clone(&polls), Rc::clone(&unchanged));
        let times = Rc::clone(&times);
        polling.spawn_local(async move {
            sleep(EVERY.mul_f64(fastrand::f64())).await;
            let mut connection = Connection::open(desk.address).await?;
            let mut ticks = interval(EVERY);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut tag: Option<String> = None;
            while began.elapsed() < time {
                ticks.tick().await;
                let sent = Instant::now();
                let answer = connection.send(&desk.poll(browser, tag.as_deref())).await?;
                times.borrow_mut().push((answer.first_byte - sent).as_secs_f64() * 1000.0);
                polls.set(polls.get() + 1);
                match answer.status {
                    304 => unchanged.set(unchanged.get() + 1),
                    _ => {
                        answer.json()?;
                    }
                }
                tag = answer.etag.or(tag);
            }
            Ok::<_, io::Error>(())
        });
    }
    while let Some(done) = polling.join_next().await {
        done.map_err(io::Error::other)??;
    }
    let used = server.cpu_time()?.saturating_sub(before).as_secs_f64() - idle * began.elapsed().as_secs_f64();
    let polls = f64::from(polls.get());
    report.note("h.cpu", kind, used.max(0.0) * 1000.0 / polls);
    report.note("h.unchanged", kind, f64::from(unchanged.get()) / polls * 100.0);
    report.note("h.p50", kind, percentile(&sorted(times.take()), 0.5));
    Ok(())
}
