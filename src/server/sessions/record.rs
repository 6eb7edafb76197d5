//! What webhooks bring, and what the platform says when it is asked: matched, applied and written in one transaction, then
//! told. *Runs: server.*

use std::time::{Duration, Instant};

use super::{Leased, Sessions, awaits_news, intake::Received};
use crate::{
    domain::{
        ids::{ConnectionId, ProofId},
        session::Session,
        stage::{Event, Outcome, Stage},
        time::Timestamp,
    },
    server::{
        platform::{Cards, Delivery, DeliveryKind, Meaning},
        store::{About, ActKind, EventOutcome, Found, Lane, Matched, Source, StoreError, Tx, UnmatchedEvent},
    },
};

/// How long a delivery waits for its session before it is parked (contract 5.6).
const WAIT: Duration = Duration::from_secs(30);

/// When a question is due that somebody waits for: before all that merely repair.
pub(super) const SOON: Timestamp = Timestamp(0);

/// What a delivery did to a session, inside a transaction.
pub(super) struct Applied {
    pub(super) outcome: EventOutcome,
    pub(super) session: Session,
    /// A key was bound by which other deliveries may have been waiting.
    bound: Option<ConnectionId>,
}

/// Deliveries that are written, and not on disk yet.
pub(super) struct Recorded {
    tx: Tx,
    now: Timestamp,
    /// What became of each, whose it is, and the session as it is then.
    each: Vec<(EventOutcome, Option<Matched>, Option<Session>)>,
    /// What they made due.
    leased: Vec<Leased>,
}

impl Sessions {
    /// Records verified deliveries in one transaction: stores them, applies each to the session it belongs to, and tells
    /// the browsers. When this returns, all of it is on disk. Gives back what became of each.
    ///
    /// # Errors
    /// When they could not be stored; then nothing changed, and the platform has to send them again.
    pub(super) async fn record_together(&self, deliveries: &[Received]) -> Result<Vec<EventOutcome>, StoreError> {
        let tx = self.store.begin_shared().await?;
        let recorded = self.record_within(tx, deliveries).await?;
        self.commit(recorded, deliveries).await
    }

    /// The first half of it: all but the commit. Until that, nobody may be told.
    pub(super) async fn record_within(&self, mut tx: Tx, deliveries: &[Received]) -> Result<Recorded, StoreError> {
        let now = self.clock.now();
        let mut each = Vec::with_capacity(deliveries.len());
        for Received { delivery, .. } in deliveries {
            let key = delivery.key();
            let (outcome, attempt, changed) = self.record_in(&mut tx, delivery, &key, now).await?;
            tx.insert_event(Source::Webhook, delivery, &key, outcome, attempt.as_ref(), now).await?;
            let unplaced = outcome == EventOutcome::Unmatched && names_no_invitation(delivery);
            if let Some(connection) = delivery.connection_id.as_ref().filter(|_| unplaced)
                // A connection of unknown origin is worth a question only while one is awaited.
                && tx.awaits_connection().await?
            {
                tx.set_act(ActKind::ReadConnection, &About::Connection(connection.clone()), now).await?;
            }
            each.push((outcome, attempt, changed));
        }
        let leased = if tx.soonest(Lane::Doing).is_some_and(|soonest| soonest <= now) {
            self.due.lease(&mut tx, Lane::Doing, deliveries.len(), now).await?
        } else {
            Vec::new()
        };
        Ok(Recorded { tx, now, each, leased })
    }

    /// The second half of it.
    pub(super) async fn commit(
        &self,
        recorded: Recorded,
        deliveries: &[Received],
    ) -> Result<Vec<EventOutcome>, StoreError> {
        let Recorded { tx, now, each, leased } = recorded;
        self.save(tx, None, now).await?;
        self.due.hand_over(leased);
        let committed = Instant::now();
        self.metrics.deliveries_together.observe(deliveries.len() as f64);
        for (index, (outcome, attempt, changed)) in each.iter().enumerate() {
            // Of several that moved the same session, the last one knows its newest state.
            let moved_on = |changed: &Session| {
                each[index + 1..].iter().any(|(_, _, later)| later.as_ref().is_some_and(|s| s.id == changed.id))
            };
            if let Some(session) = changed.as_ref().filter(|changed| !moved_on(changed)) {
                self.hub.publish(session);
                if *outcome == EventOutcome::Applied {
                    self.metrics.commit_to_push.observe(committed.elapsed().as_secs_f64());
                }
            }
            self.metrics.deliveries.count([outcome.as_str()]);
            if *outcome == EventOutcome::Unmatched {
                self.hub.board_changed(true);
            }
            let received = &deliveries[index];
            received.log(|| log(&received.delivery, *outcome, attempt.as_ref()));
        }
        Ok(each.into_iter().map(|(outcome, _, _)| outcome).collect())
    }

    async fn record_in(
        &self,
        tx: &mut Tx,
        delivery: &Delivery,
        key: &str,
        now: Timestamp,
    ) -> Result<(EventOutcome, Option<Matched>, Option<Session>), StoreError> {
        let Some(meaning) = delivery.meaning() else { return Ok((EventOutcome::Ignored, None, None)) };
        let found = tx.match_attempt(delivery, Some(key)).await?;
        // That two cards were mixed shows in one body form only, which may come second: it is looked at in any case.
        let mixed = delivery.cards == Some(Cards::Several);
        let Some(Found { attempt, session, is_repeated }) = found else {
            let is_repeated = !mixed && tx.has_stray(key).await?;
            let outcome = if is_repeated { EventOutcome::Repeated } else { EventOutcome::Unmatched };
            return Ok((outcome, None, None));
        };
        if is_repeated && !mixed {
            return Ok((EventOutcome::Repeated, Some(attempt), None));
        }
        let Some(applied) = self.apply_webhook(tx, delivery, meaning, (&attempt, session), now).await? else {
            return Ok((EventOutcome::Late, Some(attempt), None));
        };
        let session = self.and_those_that_waited(tx, applied.session, applied.bound, now).await?;
        Ok((applied.outcome, Some(attempt), Some(session)))
    }

    /// Applies a matched webhook; `None` when its attempt is not the session's present one.
    async fn apply_webhook(
        &self,
        tx: &mut Tx,
        delivery: &Delivery,
        meaning: Meaning,
        (attempt, mut session): (&Matched, Session),
        now: Timestamp,
    ) -> Result<Option<Applied>, StoreError> {
        if let Some(cards) = delivery.cards.filter(|_| attempt.cards != Some(Cards::Several)) {
            tx.store_cards(attempt.session, attempt.attempt, cards).await?;
        }
        // What is verified already is not verified once more: there this one finding has to count by itself.
        let after_all = meaning == Meaning::Event(Event::CardsMixed);
        if self.webhooks_are_hints {
            if session.attempt != attempt.attempt {
                return Ok(None);
            }
            let outcome = match session.progress.stage {
                Stage::Verified if after_all => self.step(tx, &mut session, Event::CardsMixed, now).await?.into(),
                stage if awaits_news(stage) => {
                    tx.set_act(ActKind::Reconcile, &About::Attempt(session.id, session.attempt), SOON).await?;
                    EventOutcome::LookedUp
                }
                stage if stage.is_end() => EventOutcome::AfterEnd,
                _ => EventOutcome::Late,
            };
            return Ok(Some(Applied { outcome, session, bound: None }));
        }
        self.apply(tx, delivery, meaning, (attempt, session), now).await
    }

    /// Applies what is known to be of an attempt; `None` when that is not the session's present one.
    pub(super) async fn apply(
        &self,
        tx: &mut Tx,
        delivery: &Delivery,
        meaning: Meaning,
        (attempt, mut session): (&Matched, Session),
        now: Timestamp,
    ) -> Result<Option<Applied>, StoreError> {
        if session.attempt != attempt.attempt {
            return Ok(None);
        }
        let mut bound = None;
        let mut is_renamed = false;
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
                    tx.bind_proof(attempt, &ProofId(id.clone()), delivery.thread_id.as_deref()).await?;
                    bound = attempt.connection_id.clone();
                }
                _ => {}
            }
            is_renamed = delivery.their_label.as_ref().is_some_and(|label| session.name_wallet(label));
        }
        let outcome = match meaning {
            Meaning::Event(event) => self.step_and_name(tx, &mut session, event, is_renamed, now).await?.into(),
            Meaning::EndedSomehow | Meaning::TakenUp if session.progress.stage.is_end() => EventOutcome::AfterEnd,
            Meaning::EndedSomehow => {
                tx.add_act(ActKind::VerifyProof, &About::Attempt(session.id, session.attempt), now).await?;
                EventOutcome::LookedUp
            }
            Meaning::TakenUp if session.progress.stage == Stage::Waiting => {
                tx.set_act(ActKind::Reconcile, &About::Attempt(session.id, session.attempt), SOON).await?;
                EventOutcome::LookedUp
            }
            // A new connection's own webhook was quicker.
            Meaning::TakenUp => EventOutcome::Late,
        };
        Ok(Some(Applied { outcome, session, bound }))
    }

    /// Applies the deliveries that had waited for a session with this connection. Gives back the session as it is then.
    pub(super) async fn and_those_that_waited(
        &self,
        tx: &mut Tx,
        mut session: Session,
        bound: Option<ConnectionId>,
        now: Timestamp,
    ) -> Result<Session, StoreError> {
        let Some(connection) = bound else { return Ok(session) };
        // One that is applied may bind the key of the next; stop when a round settles nothing.
        loop {
            let mut settled = false;
            for event in tx.unmatched_events(&connection).await? {
                let Some(moved) = self.settle(tx, &event, now).await? else { continue };
                settled = true;
                session = moved.filter(|moved| moved.id == session.id).unwrap_or(session);
            }
            if !settled {
                return Ok(session);
            }
        }
    }

    /// Settles a delivery that waited, if its session is known by now. Gives back whether, and the session it moved.
    pub(super) async fn settle(
        &self,
        tx: &mut Tx,
        event: &UnmatchedEvent,
        now: Timestamp,
    ) -> Result<Option<Option<Session>>, StoreError> {
        let Ok(mut delivery) = self.platform.translate(event.body.as_bytes()) else { return Ok(None) };
        delivery.cards = event.cards.as_deref().and_then(Cards::from_name);
        let (Some(meaning), Some(found)) = (delivery.meaning(), tx.match_attempt(&delivery, None).await?) else {
            return Ok(None);
        };
        let Found { attempt, session, .. } = found;
        let applied = self.apply_webhook(tx, &delivery, meaning, (&attempt, session), now).await?;
        let outcome = applied.as_ref().map_or(EventOutcome::Late, |applied| applied.outcome);
        tx.settle_event(event.id, outcome, &attempt).await?;
        Ok(Some(applied.map(|applied| applied.session)))
    }

    /// Tries the deliveries that wait once more, and parks those that have waited long enough.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn retry_unmatched(&self) -> Result<(), StoreError> {
        // A look without the write lock first: mostly none waits.
        if !self.store.has_unmatched().await? {
            return Ok(());
        }
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let mut changed = Vec::new();
        for event in tx.matchable_events().await? {
            changed.extend(self.settle(&mut tx, &event, now).await?.flatten());
        }
        let parked = tx.park_events(now.minus(WAIT)).await?;
        self.save(tx, None, now).await?;
        changed.iter().for_each(|session| self.hub.publish(session));
        if parked > 0 {
            self.metrics.deliveries.add([EventOutcome::Parked.as_str()], parked as u64);
            self.hub.board_changed(true);
            tracing::warn!(parked, "deliveries found no session");
        }
        Ok(())
    }

    /// Applies what the platform said of an attempt when it was asked, and keeps it if it moved anything: a webhook that
    /// never came. Gives back the session if it moved.
    pub(super) async fn apply_asked(
        &self,
        tx: &mut Tx,
        delivery: &Delivery,
        attempt: &Matched,
        now: Timestamp,
    ) -> Result<Option<Session>, StoreError> {
        let Some(meaning) = delivery.meaning() else { return Ok(None) };
        let Some(session) = tx.session(attempt.session).await? else { return Ok(None) };
        let Some(applied) = self.apply(tx, delivery, meaning, (attempt, session), now).await? else { return Ok(None) };
        if applied.outcome == EventOutcome::Applied {
            tx.insert_event(Source::Asked, delivery, &delivery.key(), applied.outcome, Some(attempt), now).await?;
            tracing::info!(session.id = %attempt.session, delivery.state = delivery.state.as_deref(), "learned by asking");
        }
        Ok(Some(self.and_those_that_waited(tx, applied.session, applied.bound, now).await?))
    }
}

/// Whether a connection's webhook does not tell which invitation it was made from (contract 5.6, row 4).
fn names_no_invitation(delivery: &Delivery) -> bool {
    delivery.kind == DeliveryKind::Connection && delivery.out_of_band_id.is_none() && delivery.meaning().is_some()
}

fn log(delivery: &Delivery, outcome: EventOutcome, attempt: Option<&Matched>) {
    if matches!(outcome, EventOutcome::Ignored | EventOutcome::Unmatched | EventOutcome::OtherConnection) {
        tracing::warn!(delivery.outcome = outcome.as_str(), "a delivery moves nothing");
    }
    tracing::info!(
        delivery.kind = delivery.kind.as_str(),
        delivery.state = delivery.state.as_deref().unwrap_or("-"),
        delivery.outcome = outcome.as_str(),
        session.id = attempt.map(|attempt| attempt.session.as_str()),
        "delivery recorded",
    );
}

impl From<Outcome> for EventOutcome {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Advanced => Self::Applied,
            Outcome::Repeated => Self::Repeated,
            Outcome::Late => Self::Late,
            Outcome::AfterEnd => Self::AfterEnd,
        }
    }
}
