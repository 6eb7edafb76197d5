//! Hears what other servers changed, of the sessions that are watched here. *Runs: server.*

use std::collections::HashSet;

use tokio::time::{Instant, MissedTickBehavior, interval};

use super::{Direction, HEARTBEAT, Listener, Lost, SILENCE, Shared, Topic, Wait, within_patience};
use crate::{
    domain::ids::SessionId,
    server::{
        live::outside::{Changed, Turns},
        metrics::backplane,
    },
};

/// So many topics go into one call.
const AT_ONCE: usize = 1000;

pub(super) async fn run(shared: &Shared) {
    let mut wait = Wait::default();
    loop {
        let lost = match deaf(shared, within_patience(shared.backplane.listener())).await {
            Ok(listener) => Ears { shared, listener, hears_of: HashSet::new() }.hear(&mut wait).await,
            Err(lost) => lost,
        };
        tracing::warn!(backplane = shared.backplane.name(), %lost, "cannot hear the other servers");
        shared.stands(Direction::Hears, false);
        deaf(shared, wait.pass()).await;
    }
}

/// Waits for something while nothing can be heard: who is about to watch does not wait for that.
async fn deaf<T>(shared: &Shared, work: impl Future<Output = T>) -> T {
    tokio::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return done,
            turns = shared.outside.turns() => drop(turns),
        }
    }
}

struct Ears<'a> {
    shared: &'a Shared,
    listener: Box<dyn Listener>,
    hears_of: HashSet<SessionId>,
}

impl Ears<'_> {
    /// Hears until the connection is lost.
    async fn hear(mut self, wait: &mut Wait) -> Lost {
        if let Err(lost) = self.begin().await {
            return lost;
        }
        self.shared.stands(Direction::Hears, true);
        *wait = Wait::default();
        // What was told before this is read.
        self.shared.heard.note_all(Changed::Any);
        let mut last = Instant::now();
        let mut look = interval(HEARTBEAT);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                message = self.listener.next() => match message {
                    Ok((topic, from)) => {
                        last = Instant::now();
                        self.take(topic, from);
                    }
                    Err(lost) => return lost,
                },
                turns = self.shared.outside.turns() => {
                    if let Err(lost) = self.follow(turns).await {
                        return lost;
                    }
                }
                _ = look.tick() => {
                    if last.elapsed() > SILENCE {
                        return Lost::Silence;
                    }
                }
            }
        }
    }

    /// Begins to hear of everything that is watched. Whoever begins to watch from now on has their turn later.
    async fn begin(&mut self) -> Result<(), Lost> {
        within_patience(self.listener.begin(&[Topic::Any, Topic::Server(self.shared.own)])).await?;
        let watched = self.shared.sessions.hub.watched();
        self.begin_with(&watched).await
    }

    async fn begin_with(&mut self, sessions: &[SessionId]) -> Result<(), Lost> {
        for sessions in sessions.chunks(AT_ONCE) {
            let topics: Vec<Topic> = sessions.iter().copied().map(Topic::Session).collect();
            within_patience(self.listener.begin(&topics)).await?;
            self.hears_of.extend(sessions);
        }
        Ok(())
    }

    fn take(&self, topic: Topic, from: u64) {
        if matches!(topic, Topic::Server(_)) {
            return;
        }
        self.shared.sessions.metrics.backplane_messages.count([backplane::HEARD]);
        // Our own are known here already.
        if from == self.shared.own {
            return;
        }
        match topic {
            Topic::Session(session) if self.shared.sessions.hub.is_watched(session) => self.shared.heard.note(session),
            Topic::Any => self.shared.heard.note_all(Changed::Any),
            Topic::Session(_) | Topic::Server(_) => {}
        }
    }

    /// Hears of those that are watched now, and no longer of those that are not.
    async fn follow(&mut self, Turns { sessions, waiting }: Turns) -> Result<(), Lost> {
        let hub = &self.shared.sessions.hub;
        let turned: HashSet<SessionId> = sessions.into_iter().collect();
        let (watched, left): (Vec<_>, Vec<_>) = turned.into_iter().partition(|session| hub.is_watched(*session));
        let more: Vec<_> = watched.into_iter().filter(|session| !self.hears_of.contains(session)).collect();
        self.begin_with(&more).await?;
        for (session, told) in waiting {
            if told.send(()).is_err() {
                // Who waited has read the state already, perhaps before a change that was told before this.
                self.shared.heard.note(session);
            }
        }
        let less: Vec<_> = left.into_iter().filter(|session| self.hears_of.remove(session)).collect();
        for sessions in less.chunks(AT_ONCE) {
            let topics: Vec<Topic> = sessions.iter().copied().map(Topic::Session).collect();
            within_patience(self.listener.end(&topics)).await?;
        }
        Ok(())
    }
}
