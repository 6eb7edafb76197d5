//! The scenarios. Each begins with a fresh server on an empty file, is bounded in count and time, and notes its figures in
//! the report. *Runs: generator.*

mod breaking;
mod fanout;
mod fill;
mod heartbeat;
mod kill;
mod latency;
mod memory;
mod page;
mod polling;
mod several;
mod storm;
mod throughput;

use std::{io, rc::Rc};

use crate::{
    platform::Platform,
    report::Report,
    server::{Kind, Programs, Server},
};

/// What every scenario needs.
pub struct Bench {
    /// Where the servers' programs are.
    pub programs: Programs,
    /// The platform.
    pub platform: Rc<Platform>,
    /// Less of everything: to see that it runs, and for a first look.
    pub quick: bool,
}

/// A scenario's letter.
pub type Letter = char;

/// All scenarios, with what they are about.
pub const ALL: [(Letter, &str); 11] = [
    ('a', "memory of idle sockets"),
    ('b', "from webhook to message"),
    ('c', "acknowledged webhooks a second"),
    ('d', "one session, a thousand watchers"),
    ('e', "ten thousand sockets come back"),
    ('f', "delivery while sockets break"),
    ('g', "killed under load"),
    ('h', "polling"),
    ('i', "heartbeats"),
    ('j', "page and start"),
    ('k', "several servers"),
];

/// The servers that a scenario says something about.
#[must_use]
pub fn servers(letter: Letter) -> &'static [Kind] {
    match letter {
        // What is not durable is gone by definition.
        'g' => &[Kind::Vestibule, Kind::FloorSqlite, Kind::NodeWs],
        // The floors have no heartbeat.
        'i' => &[Kind::Vestibule, Kind::NodeWs],
        'k' => &[Kind::Vestibule, Kind::OnPostgres, Kind::TwoOverPostgres, Kind::TwoOverRedis],
        _ => &[Kind::Vestibule, Kind::FloorTuned, Kind::FloorSqlite, Kind::NodeWs],
    }
}

/// Runs one round of a scenario against one server.
///
/// # Errors
/// When the server does not do what it has to.
pub async fn run(letter: Letter, bench: &Bench, kind: Kind, report: &mut Report) -> io::Result<()> {
    bench.platform.clear();
    match letter {
        'a' => memory::run(bench, kind, report).await,
        'b' => latency::run(bench, kind, report).await,
        'c' => throughput::run(bench, kind, report).await,
        'd' => fanout::run(bench, kind, report).await,
        'e' => storm::run(bench, kind, report).await,
        'f' => breaking::run(bench, kind, report).await,
        'g' => kill::run(bench, kind, report).await,
        'h' => polling::run(bench, kind, report).await,
        'i' => heartbeat::run(bench, kind, report).await,
        'j' => page::run(bench, kind, report).await,
        'k' => several::run(bench, kind, report).await,
        _ => Err(io::Error::other(format!("there is no scenario {letter}"))),
    }
}

impl Bench {
    /// A number, or a smaller one when it has to be quick.
    fn size(&self, full: usize, quick: usize) -> usize {
        if self.quick { quick } else { full }
    }

    /// Starts a server with room for everything that a scenario does.
    async fn start(&self, kind: Kind) -> io::Result<Server> {
        self.start_with(kind, &[]).await
    }

    /// The same with these variables too.
    async fn start_with(&self, kind: Kind, others: &[(&str, String)]) -> io::Result<Server> {
        let url = &self.platform.url;
        let variables = [
            ("CONFIRMD_BASE_URL", url.clone()),
            ("CONFIRMD_AUTH_URL", format!("{url}/token")),
            ("MAX_CLIENTS_PER_SESSION", "20000".to_owned()),
        ];
        Server::start(kind, &self.programs, &[&variables, others].concat()).await
    }
}
