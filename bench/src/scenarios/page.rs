//! j: the first page's first byte, what an empty server needs, and how long one with a hundred thousand sessions takes to
//! start. *Runs: generator.*

use std::{
    io,
    time::{Duration, Instant},
};

use tokio::time::sleep;

use super::{Bench, fill};
use crate::{
    desk::Desk,
    http::{Connection, get},
    process,
    report::Report,
    server::Kind,
    stats::{median, percentile, sorted},
    webhook::Step,
};

/// How often the page is asked for.
const PAGES: usize = 2000;
/// How often the server with all the sessions is started.
const STARTS: usize = 5;
/// The last step of the program: verified.
const VERIFIED: u32 = 6;

pub(super) async fn run(bench: &Bench, kind: Kind, report: &mut Report) -> io::Result<()> {
    let mut server = bench.start(kind).await?;
    report.note("j.empty_start", kind, server.start_time.as_secs_f64() * 1000.0);
    sleep(Duration::from_secs(1)).await;
    report.note("j.empty", kind, process::resident(server.pid())? as f64 / 1024.0 / 1024.0);
    let request = get("/register", "Accept: text/html\r\nAccept-Encoding: br, gzip\r\n");
    let mut connection = Connection::open(server.address).await?;
    let mut times = Vec::new();
    for _ in 0..bench.size(PAGES, PAGES / 4) {
        let sent = Instant::now();
        let answer = connection.send(&request).await?;
        if answer.status != 200 {
            return Err(io::Error::other(format!("/register answers {}", answer.status)));
        }
        times.push((answer.first_byte - sent).as_secs_f64() * 1000.0);
    }
    let times = sorted(times);
    report.note("j.p50", kind, percentile(&times, 0.5));
    report.note("j.p99", kind, percentile(&times, 0.99));
    if kind != Kind::Vestibule {
        return Ok(());
    }
    // One registration that is verified and one whose code nobody scanned are the patterns of all the others.
    let desk = Desk::open(&server, &bench.platform, 2).await?;
    for _ in Step::ALL {
        while !desk.is_ready(0, Step::ALL.len()) {
            sleep(Duration::from_millis(5)).await;
        }
        let (request, _) = desk.next_webhook(0);
        desk.deliver(&request).await?;
    }
    while desk.reached(0).await? < VERIFIED {
        sleep(Duration::from_millis(5)).await;
    }
    desk.reconnect();
    drop(connection);
    server.stop().await?;
    let all = bench.size(100_000, 10_000);
    for (pattern, copies) in [(0, all - all / 20), (1, all / 20)] {
        fill::copy(&server.database(), &desk.sessions[pattern].id, copies).map_err(io::Error::other)?;
    }
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        let began = Instant::now();
        server.restart()?;
        server.wait_until_it_answers(began).await?;
        starts.push(server.start_time.as_secs_f64() * 1000.0);
        server.stop().await?;
    }
    report.note("j.start", kind, median(&starts));
    Ok(())
}
