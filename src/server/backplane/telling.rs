//! Tells the other servers what changed here. What cannot be told is kept, each session once, until it can. *Runs: server.*

use tokio::time::interval;

use super::{Direction, HEARTBEAT, Lost, Message, Shared, Teller, Topic, Wait, within_patience};
use crate::server::{live::outside::Changed, metrics::backplane};

pub(super) async fn run(shared: &Shared) {
    let mut wait = Wait::default();
    loop {
        let lost = match within_patience(shared.backplane.teller()).await {
            Ok(teller) => tell(shared, teller, &mut wait).await,
            Err(lost) => lost,
        };
        tracing::warn!(backplane = shared.backplane.name(), %lost, "cannot tell the other servers");
        shared.stands(Direction::Tells, false);
        wait.pass().await;
    }
}

async fn tell(shared: &Shared, mut teller: Box<dyn Teller>, wait: &mut Wait) -> Lost {
    let mut beat = interval(HEARTBEAT);
    loop {
        let changed = tokio::select! {
            _ = beat.tick() => None,
            changed = shared.outside.changed.taken() => Some(changed),
        };
        let messages: Vec<Message> = match &changed {
            None => vec![(Topic::Server(shared.own), shared.own)],
            Some(Changed::Any) => vec![(Topic::Any, shared.own)],
            Some(Changed::These(sessions)) => {
                sessions.iter().map(|session| (Topic::Session(*session), shared.own)).collect()
            }
        };
        if let Err(lost) = within_patience(teller.tell(&messages)).await {
            shared.outside.changed.note_all(changed.unwrap_or_default());
            return lost;
        }
        shared.sessions.metrics.backplane_messages.add([backplane::TOLD], messages.len() as u64);
        shared.stands(Direction::Tells, true);
        *wait = Wait::default();
    }
}
