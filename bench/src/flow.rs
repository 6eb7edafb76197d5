//! Two ways to bring webhooks: at a given rate whatever the server does, and as fast as so many publishers can.
//! *Runs: generator.*

use std::{
    cell::{Cell, RefCell},
    io,
    rc::Rc,
    time::{Duration, Instant},
};

use tokio::{
    sync::Notify,
    task::{JoinSet, yield_now},
    time::timeout,
};

use crate::{
    board::Board,
    desk::{Desk, Turns},
    process,
    server::Server,
};

/// A server that is so far behind will not catch up.
const BEHIND: Duration = Duration::from_secs(10);

/// A slow server is killed after this.
const LONGEST_LOAD: Duration = Duration::from_secs(3);

/// What bringing webhooks told.
#[derive(Debug, Default)]
pub struct Flow {
    /// How many were acknowledged.
    pub acknowledged: usize,
    /// How often one was refused because too many waited.
    pub refused: u32,
    /// How many broke off without an answer.
    pub broken: usize,
    /// Whether the server was so far behind that the rest was not brought.
    pub fell_behind: bool,
    /// How long it took.
    pub took: Duration,
    /// By how much the generator was late, at worst, in ms.
    pub late: f64,
    /// The share of its core that the generator used.
    pub own_share: f64,
}

struct Own {
    began: Instant,
    cpu: Duration,
}

impl Own {
    fn begin() -> io::Result<Self> {
        Ok(Self { began: Instant::now(), cpu: process::cpu_time(std::process::id())? })
    }

    fn share(&self) -> io::Result<f64> {
        let used = process::cpu_time(std::process::id())?.saturating_sub(self.cpu);
        Ok(used.as_secs_f64() / self.began.elapsed().as_secs_f64())
    }
}

/// Brings `count` webhooks at a rate, open loop: each has its moment, and what it takes counts from that moment even where
/// the server or the generator is behind. The board expects each state at the socket of the session's number.
///
/// The generator never sleeps meanwhile, so that neither a timer's grain nor waking up is in what it measures.
///
/// # Errors
/// When the server refuses one for good.
pub async fn at_rate(desk: &Rc<Desk>, board: &Rc<Board>, turns: Turns, rate: f64, count: usize) -> io::Result<Flow> {
    let own = Own::begin()?;
    let turns = Rc::new(RefCell::new(turns));
    let mut flow = Flow::default();
    let mut under_way = JoinSet::new();
    let began = Instant::now();
    let mut number = 0;
    while number < count {
        let moment = began + Duration::from_secs_f64(number as f64 / rate);
        let now = Instant::now();
        let session = if now < moment { None } else { turns.borrow_mut().take(desk) };
        let Some(session) = session else {
            if now > moment + BEHIND {
                flow.fell_behind = true;
                break;
            }
            yield_now().await;
            while let Some(done) = under_way.try_join_next() {
                add(&mut flow, done)?;
            }
            continue;
        };
        flow.late = flow.late.max((now - moment).as_secs_f64() * 1000.0);
        number += 1;
        let (request, goal) = desk.next_webhook(session);
        board.expect(session, goal, moment);
        let (desk, turns) = (Rc::clone(desk), Rc::clone(&turns));
        under_way.spawn_local(async move {
            let refused = desk.deliver(&request).await?;
            turns.borrow_mut().give_back(session, &desk);
            Ok(refused)
        });
    }
    while let Some(done) = under_way.join_next().await {
        add(&mut flow, done)?;
    }
    flow.took = began.elapsed();
    flow.own_share = own.share()?;
    Ok(flow)
}

fn add(flow: &mut Flow, done: Result<io::Result<u32>, tokio::task::JoinError>) -> io::Result<()> {
    flow.refused += done.map_err(io::Error::other)??;
    flow.acknowledged += 1;
    Ok(())
}

/// Brings webhooks as fast as `publishers` can, each of which waits for the answer before it brings its next one, until
/// there are `count` of them, or, where that is allowed, until the server is gone. Tells of each acknowledged one by its
/// session and how far it brought it.
///
/// # Errors
/// When the server refuses one for good.
pub async fn at_full_speed(
    desk: &Rc<Desk>,
    turns: Turns,
    publishers: usize,
    count: usize,
    until_gone: bool,
    acknowledged: impl Fn(usize, u32) + 'static,
) -> io::Result<Flow> {
    let own = Own::begin()?;
    let began = Instant::now();
    let (turns, left) = (Rc::new(RefCell::new(turns)), Rc::new(Cell::new(count)));
    let acknowledged = Rc::new(acknowledged);
    let last = Rc::new(Cell::new(began));
    let mut running = JoinSet::new();
    for _ in 0..publishers {
        let (desk, turns, left) = (Rc::clone(desk), Rc::clone(&turns), Rc::clone(&left));
        let (acknowledged, last) = (Rc::clone(&acknowledged), Rc::clone(&last));
        running.spawn_local(async move {
            let mut flow = Flow::default();
            while left.get() > 0 {
                let session = turns.borrow_mut().take(&desk);
                let Some(session) = session else {
                    if last.get().elapsed() > BEHIND {
                        return Err(io::Error::other("no session could take its next step for a long time"));
                    }
                    tokio::time::sleep(Duration::from_millis(1)).await;
                    continue;
                };
                left.set(left.get() - 1);
                last.set(Instant::now());
                let (request, goal) = desk.next_webhook(session);
                match desk.deliver(&request).await {
                    Ok(refused) => flow.refused += refused,
                    Err(_) if until_gone => {
                        flow.broken += 1;
                        break;
                    }
                    Err(error) => return Err(error),
                }
                flow.acknowledged += 1;
                acknowledged(session, goal);
                turns.borrow_mut().give_back(session, &desk);
            }
            Ok(flow)
        });
    }
    let mut all = Flow::default();
    while let Some(flow) = running.join_next().await {
        let flow = flow.map_err(io::Error::other)??;
        all.acknowledged += flow.acknowledged;
        all.refused += flow.refused;
        all.broken += flow.broken;
    }
    all.took = began.elapsed();
    all.own_share = own.share()?;
    Ok(all)
}

/// Brings webhooks as fast as `publishers` can, and kills the server (SIGKILL) in the middle, at a moment of chance. Gives
/// back those that were acknowledged: the session, and how far each brought it.
///
/// # Errors
/// When the server refuses one for good, or none was under way when it was killed.
pub async fn until_killed(
    server: &mut Server,
    desk: &Rc<Desk>,
    turns: Turns,
    publishers: usize,
    count: usize,
) -> io::Result<Vec<(usize, u32)>> {
    let acknowledged = Rc::<RefCell<Vec<(usize, u32)>>>::default();
    let reached = Rc::new(Notify::new());
    // By count, because a moment in time would be before the first webhook for one server and after the last for another.
    let enough = fastrand::usize(count / 20..count / 2);
    let note = {
        let (acknowledged, reached) = (Rc::clone(&acknowledged), Rc::clone(&reached));
        move |session, goal| {
            acknowledged.borrow_mut().push((session, goal));
            if acknowledged.borrow().len() == enough {
                reached.notify_one();
            }
        }
    };
    let load = at_full_speed(desk, turns, publishers, count, true, note);
    let killed = async {
        let _ = timeout(LONGEST_LOAD, reached.notified()).await;
        server.kill().await
    };
    let (flow, killed) = tokio::join!(load, killed);
    killed?;
    desk.reconnect();
    if flow?.broken == 0 {
        return Err(io::Error::other("it was killed when nothing was under way"));
    }
    Ok(acknowledged.take())
}
