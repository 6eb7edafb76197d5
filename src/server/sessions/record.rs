//! What webhooks and acts bring: matched, applied and written in one transaction, then told. *Runs: server.*

use super::{Sessions, place};
use crate::{
    domain::{
        ids::{ConnectionId, ProofId},
        session::Session,
        stage::{Event, Outcome, Stage},
        time::Timestamp,
    },
    server::{
        platform::{Delivery, DeliveryKind, Meaning, Proof, Revealed},
        store::{Act, ActKind, Attempt, EventOutcome, StoreError, Tx},
    },
};

/// What a delivery or an act did to a session, inside a transaction.
struct Applied {
    outcome: EventOutcome,
    session: Session,
    /// A key was bound by which other deliveries may have been waiting.
    bound: Option<ConnectionId>,
}

impl Sessions {
    /// Records a verified delivery: stores it, applies it to the session it belongs to, and tells the browsers. When
    /// this returns, all of it is on disk.
    ///
    /// # Errors
    /// When it could not be stored; then nothing changed, and the platform has to send it again.
    pub async fn record(&self, delivery: &Delivery) -> Result<EventOutcome, StoreError> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let (outcome, attempt, changed) = self.record_in(&mut tx, delivery, now).await?;
        tx.insert_event(delivery, outcome, attempt.as_ref(), now).await?;
        tx.commit().await?;
        self.tell(changed.as_ref());
        if matches!(outcome, EventOutcome::Ignored | EventOutcome::Unmatched | EventOutcome::OtherConnection) {
            tracing::warn!(delivery.outcome = outcome.as_str(), "a delivery moves nothing");
        }
        tracing::info!(
            delivery.kind = delivery.kind.as_str(),
            delivery.state = delivery.state.as_deref().unwrap_or("-"),
            delivery.outcome = outcome.as_str(),
            session.id = attempt.map(|attempt| attempt.session.to_string()),
            "delivery recorded",
        );
        Ok(outcome)
    }

    async fn record_in(
        &self,
        tx: &mut Tx,
        delivery: &Delivery,
        now: Timestamp,
    ) -> Result<(EventOutcome, Option<Attempt>, Option<Session>), StoreError> {
        let Some(meaning) = delivery.meaning() else { return Ok((EventOutcome::Ignored, None, None)) };
        // That two cards were mixed shows in one body form only, which may come second: it is looked at in any case.
        if !delivery.mixes_credentials && tx.has_event(&delivery.key()).await? {
            return Ok((EventOutcome::Repeated, None, None));
        }
        let Some(attempt) = tx.match_attempt(delivery).await? else {
            return Ok((EventOutcome::Unmatched, None, None));
        };
        let Some(applied) = self.apply(tx, delivery, meaning, &attempt, now).await? else {
            return Ok((EventOutcome::Late, Some(attempt), None));
        };
        let mut session = applied.session;
        if let Some(connection) = applied.bound {
            session = self.rematch(tx, &connection, now).await?.unwrap_or(session);
        }
        Ok((applied.outcome, Some(attempt), Some(session)))
    }

    /// Applies a matched delivery; `None` when its attempt is not the session's present one.
    async fn apply(
        &self,
        tx: &mut Tx,
        delivery: &Delivery,
        meaning: Meaning,
        attempt: &Attempt,
        now: Timestamp,
    ) -> Result<Option<Applied>, StoreError> {
        let Some(mut session) = tx.session(attempt.session).await? else { return Ok(None) };
        if session.attempt != attempt.number {
            return Ok(None);
        }
        let mut bound = None;
        if !session.progress.stage.is_end() {
            match (delivery.kind, &delivery.connection_id, &delivery.record_id) {
                (DeliveryKind::Connection, Some(id), _) => match &attempt.connection_id {
                    None => {
                        tx.bind_connection(attempt, id).await?;
                        bound = Some(id.clone());
                    }
                    Some(known) if known != id => {
                        return Ok(Some(Applied { outcome: EventOutcome::OtherConnection, session, bound: None }));
                    }
                    Some(_) => {}
                },
                (DeliveryKind::Proof, _, Some(id)) if attempt.proof_id.is_none() => {
                    let id = ProofId(id.clone());
                    tx.bind_proof(session.id, session.attempt, &id, delivery.thread_id.as_deref()).await?;
                    bound = attempt.connection_id.clone();
                }
                _ => {}
            }
        }
        if let Some(label) = &delivery.their_label {
            session.name_wallet(label);
        }
        let outcome = match meaning {
            Meaning::Event(event) => self.step(tx, &mut session, event, now).await?.into(),
            Meaning::EndedSomehow if session.progress.stage.is_end() => EventOutcome::AfterEnd,
            Meaning::EndedSomehow => {
                tx.add_act(session.id, session.attempt, ActKind::VerifyProof, now).await?;
                EventOutcome::LookedUp
            }
        };
        Ok(Some(Applied { outcome, session, bound }))
    }

    /// Moves a session by an event and writes what has to follow from it.
    async fn step(
        &self,
        tx: &mut Tx,
        session: &mut Session,
        event: Event,
        now: Timestamp,
    ) -> Result<Outcome, StoreError> {
        let outcome = session.apply(event, now, &self.deadlines);
        if outcome == Outcome::Advanced {
            tx.update_session(session).await?;
            let act = match session.progress.stage {
                Stage::Connected => Some(ActKind::RequestProof),
                Stage::Presented => Some(ActKind::VerifyProof),
                _ => None,
            };
            if let Some(act) = act {
                tx.add_act(session.id, session.attempt, act, now).await?;
            }
        }
        Ok(outcome)
    }

    /// Applies the deliveries that had waited for a session with this connection. Gives back the session if any did.
    async fn rematch(
        &self,
        tx: &mut Tx,
        connection: &ConnectionId,
        now: Timestamp,
    ) -> Result<Option<Session>, StoreError> {
        let mut latest = None;
        // One that is applied may bind the key of the next; stop when a round settles nothing.
        loop {
            let mut settled = false;
            for event in tx.unmatched_events(connection).await? {
                let Ok(mut delivery) = self.platform.translate(event.body.as_bytes()) else { continue };
                delivery.mixes_credentials = event.mixes_credentials != 0;
                let (Some(meaning), Some(attempt)) = (delivery.meaning(), tx.match_attempt(&delivery).await?) else {
                    continue;
                };
                let applied = self.apply(tx, &delivery, meaning, &attempt, now).await?;
                let outcome = applied.as_ref().map_or(EventOutcome::Late, |applied| applied.outcome);
                tx.settle_event(event.id, outcome, &attempt).await?;
                latest = applied.map(|applied| applied.session).or(latest);
                settled = true;
            }
            if !settled {
                return Ok(latest);
            }
        }
    }

    /// Tells the browsers and the worker of what was just committed.
    fn tell(&self, changed: Option<&Session>) {
        if let Some(session) = changed {
            self.hub.publish(session);
            self.acts_due.notify_one();
        }
    }

    /// Ends an act with what it brought: an event for its session, and the keys and data that belong to it, all in one
    /// transaction.
    ///
    /// # Errors
    /// When the database fails; then the act stays due.
    pub async fn finish(&self, act: &Act, found: &Finding) -> Result<(), StoreError> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let mut changed = None;
        if let Some(mut session) = tx.session(act.session).await?
            && session.attempt == act.attempt
        {
            if let Finding::Asked(proof) = found {
                tx.bind_proof(act.session, act.attempt, &proof.id, proof.thread_id.as_deref()).await?;
            }
            let outcome = match found.event() {
                Some(event) => Some(self.step(&mut tx, &mut session, event, now).await?),
                None => None,
            };
            match found {
                // Of a registration that ended meanwhile, by cancelling for instance, nothing is kept.
                Finding::Verified(revealed) if outcome == Some(Outcome::Advanced) => {
                    let json = serde_json::to_vec(revealed).unwrap_or_default();
                    let sealed = self.key.seal(&place(act.session, act.attempt), &json);
                    tx.store_attributes(act.session, act.attempt, &sealed).await?;
                }
                // Its webhooks may have overtaken the answer that named the exchange.
                Finding::Asked(_) => {
                    let attempt = tx.attempt(act.session, act.attempt).await?;
                    if let Some(connection) = attempt.and_then(|attempt| attempt.connection_id) {
                        session = self.rematch(&mut tx, &connection, now).await?.unwrap_or(session);
                    }
                }
                _ => {}
            }
            changed = Some(session);
        }
        tx.finish_act(act.id, now).await?;
        tx.commit().await?;
        self.tell(changed.as_ref());
        Ok(())
    }
}

/// What an act found out at the platform.
#[derive(Debug)]
pub enum Finding {
    /// There was nothing left to do.
    Nothing,
    /// The wallet was asked.
    Asked(Proof),
    /// The presentation is valid, and this is what it revealed.
    Verified(Vec<Revealed>),
    /// The holder declined.
    Declined,
    /// The presentation is not valid.
    Invalid,
    /// The platform refuses for good.
    Refused,
}

impl Finding {
    const fn event(&self) -> Option<Event> {
        match self {
            Self::Nothing => None,
            Self::Asked(_) => Some(Event::ProofRequested),
            Self::Verified(_) => Some(Event::ProofVerified),
            Self::Declined => Some(Event::ProofDeclined),
            Self::Invalid => Some(Event::ProofInvalid),
            Self::Refused => Some(Event::Failed),
        }
    }
}
