//! k: several servers. One on SQLite, one on PostgreSQL, and two on PostgreSQL that tell each other what changed, over it or
//! over Redis: webhooks come to the first and browsers watch at the second, so that all news go from one to the other; then
//! webhooks come to both as fast as 64 publishers can. *Runs: generator.*

use std::{io, rc::Rc};

use super::Bench;
use crate::{
    board::{Board, Sockets},
    databases::Database,
    desk::{Desk, Turns},
    flow,
    report::Report,
    server::{Kind, Server},
    stats::{percentile, sorted},
    webhook::Step,
};

/// For how long each rate is held, in seconds.
const SECONDS: f64 = 12.0;
const QUICK_SECONDS: f64 = 4.0;
/// Webhooks a second, per rate.
const RATES: [u32; 2] = [50, 200];
/// As in c.
const PUBLISHERS: usize = 64;
/// All servers of a cluster have the same.
const SECRET_KEY: &str = "6b657920666f7220746865206265756e63686d61726b206f6e6c792c206e6f20";

/// Servers, and what they share.
struct Cluster {
    servers: Vec<Server>,
    // After the servers: dropped in this order.
    _databases: Vec<Database>,
}

impl Cluster {
    async fn start(bench: &Bench, kind: Kind) -> io::Result<Self> {
        let mut variables = vec![("SECRET_KEY", SECRET_KEY.to_owned())];
        let mut databases = Vec::new();
        if kind != Kind::Vestibule {
            databases.push(Database::postgres().await?);
            variables.push(("DATABASE_URL", databases[0].url.clone()));
        }
        if kind == Kind::TwoOverRedis {
            databases.push(Database::redis().await?);
            variables.push(("REDIS_URL", databases[1].url.clone()));
        }
        let mut servers = Vec::new();
        for _ in 0..kind.servers() {
            servers.push(bench.start_with(kind, &variables).await?);
        }
        Ok(Self { servers, _databases: databases })
    }

    /// The processor time of all servers so far, in µs; what their databases use is not in it.
    fn cpu(&self) -> io::Result<f64> {
        self.servers.iter().map(|server| Ok(server.cpu_time()?.as_secs_f64() * 1e6)).sum()
    }
}

pub(super) async fn run(bench: &Bench, kind: Kind, report: &mut Report) -> io::Result<()> {
    let (idle, fast) = (bench.size(2000, 1000), bench.size(2000, 500));
    let seconds = if bench.quick { QUICK_SECONDS } else { SECONDS };
    let cluster = Cluster::start(bench, kind).await?;
    let mut desk = Desk::open(&cluster.servers[0], &bench.platform, idle + fast).await?;
    desk.is_watched_at(&cluster.servers[cluster.servers.len() - 1]);
    let desk = Rc::new(desk);
    let board = Board::new(kind, idle);
    let mut sockets = Sockets::default();
    sockets.open(&desk, &board, 0..idle, |socket| socket).await?;
    let (mut lost, mut first) = (0, 0);
    for rate in RATES {
        let count = (f64::from(rate) * seconds) as usize;
        let sessions = first..first + count / Step::ALL.len() + rate as usize;
        first = sessions.end;
        let turns = Turns::of(sessions, rate as usize / 2, Step::ALL.len());
        let missing = board.missing();
        let flow = flow::at_rate(&desk, &board, turns, f64::from(rate), count).await?;
        if !board.wait_until(|board| board.missing() <= missing).await {
            lost += board.missing() - missing;
        }
        if flow.fell_behind {
            report.remark(&format!("k, {}: falls behind at {rate}/s", kind.name()));
        }
        let latencies = sorted(board.take_latencies());
        report.note(&format!("k.{rate}.p50"), kind, percentile(&latencies, 0.5));
        report.note(&format!("k.{rate}.p99"), kind, percentile(&latencies, 0.99));
    }
    report.note("k.lost", kind, lost as f64);
    report.note("k.repeated", kind, board.repeated() as f64);
    drop(sockets);
    let mut desk = Rc::into_inner(desk).ok_or_else(|| io::Error::other("a socket outlived its end"))?;
    desk.is_told_by_turns(&cluster.servers);
    let turns = Turns::of(idle..idle + fast, fast, Step::ALL.len());
    let cpu = cluster.cpu()?;
    let flow = flow::at_full_speed(&Rc::new(desk), turns, PUBLISHERS, fast * Step::ALL.len(), false, |_, _| {}).await?;
    report.note("k.rate", kind, flow.acknowledged as f64 / flow.took.as_secs_f64());
    report.note("k.cpu", kind, (cluster.cpu()? - cpu) / flow.acknowledged as f64);
    Ok(())
}
