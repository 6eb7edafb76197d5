//! g: webhooks at full speed, the server killed (SIGKILL) at a moment of chance and started again on the same file, some
//! times over. Every webhook that was acknowledged has to be in the log of events, and each session has to stand where
//! its log says. *Runs: generator.*

use std::{
    collections::{HashMap, HashSet},
    io,
    path::Path,
    rc::Rc,
    time::Instant,
};

use rusqlite::{Connection, OpenFlags};

use super::Bench;
use crate::{
    desk::{Desk, Turns},
    flow,
    report::Report,
    server::Kind,
    webhook::Step,
};

const PUBLISHERS: usize = 64;

pub(super) async fn run(bench: &Bench, kind: Kind, report: &mut Report) -> io::Result<()> {
    let (kills, batch) = (bench.size(5, 2), bench.size(3000, 1000));
    let mut server = bench.start(kind).await?;
    let mut desk = Rc::new(Desk::open(&server, &bench.platform, 0).await?);
    let (mut missing, mut disagreeing, mut acknowledged) = (0, 0, 0);
    for kill in 0..kills {
        let sessions = kill * batch..(kill + 1) * batch;
        let owned = Rc::get_mut(&mut desk).ok_or_else(|| io::Error::other("publishers outlived the server"))?;
        owned.open_up_to(sessions.end).await?;
        let turns = Turns::of(sessions.clone(), batch, Step::ALL.len());
        let heard = flow::until_killed(&mut server, &desk, turns, PUBLISHERS, batch * Step::ALL.len()).await?;
        let began = Instant::now();
        server.restart()?;
        server.wait_until_it_answers(began).await?;
        let log = events(kind, &server.database()).map_err(io::Error::other)?;
        acknowledged += heard.len();
        missing += heard.iter().filter(|(session, goal)| !log.holds(&desk, *session, *goal)).count();
        for session in sessions {
            let reached = desk.reached(session).await?;
            disagreeing += usize::from(!log.agrees(&desk, session, reached));
        }
    }
    report.note("g.acknowledged", kind, acknowledged as f64);
    report.note("g.missing", kind, missing as f64);
    report.note("g.disagreeing", kind, disagreeing as f64);
    Ok(())
}

/// The log of events: connection → the states that came.
struct Log {
    kind: Kind,
    events: HashMap<String, HashSet<String>>,
}

fn events(kind: Kind, database: &Path) -> rusqlite::Result<Log> {
    let connection = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let sql = if kind.is_the_program() {
        "SELECT connection_id, state FROM events WHERE connection_id IS NOT NULL"
    } else {
        "SELECT session_id, state FROM events"
    };
    let mut events: HashMap<String, HashSet<String>> = HashMap::new();
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        events.entry(row.get(0)?).or_default().insert(row.get(1)?);
    }
    Ok(Log { kind, events })
}

impl Log {
    /// How far the events of a session bring it.
    fn reached(&self, desk: &Desk, session: usize) -> u32 {
        let events = self.events.get(&desk.sessions[session].connection);
        let came = |step: &Step| events.is_some_and(|events| events.contains(step.state()));
        Step::ALL.iter().rposition(came).map_or(0, |number| self.kind.goal(number))
    }

    /// Whether the webhook that brought a session so far is in the log.
    fn holds(&self, desk: &Desk, session: usize, goal: u32) -> bool {
        let step = (0..Step::ALL.len()).find(|number| self.kind.goal(*number) == goal).map(|number| Step::ALL[number]);
        let events = self.events.get(&desk.sessions[session].connection);
        step.zip(events).is_some_and(|(step, events)| events.contains(step.state()))
    }

    /// Whether a session stands where its log says. The program takes the steps after the third and the last by itself.
    fn agrees(&self, desk: &Desk, session: usize, reached: u32) -> bool {
        let log = self.reached(desk, session);
        let own_step = self.kind.is_the_program() && matches!(log, 3 | 5);
        reached == log || (own_step && reached == log + 1)
    }
}
