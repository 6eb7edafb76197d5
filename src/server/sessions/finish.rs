//! What acts found out or have to do: applied, written and told; each together with the end of its act, in one
//! transaction. *Runs: server.*

use std::{sync::atomic::Ordering, time::Duration};

use super::{CONFIRMATION, NEWS, Sessions, awaits_news, has_news};
use crate::{
    domain::{
        session::Session,
        stage::{Event, Outcome, Stage},
        time::Timestamp,
    },
    server::{
        platform::{Cards, Delivery, Proof, Revealed},
        store::{About, Act, ActKind, Matched, StoreError, Tx},
    },
};

/// The first questions come this fast, each later one after twice the time,
const FIRST_QUESTION: Duration = Duration::from_secs(3);
/// up to this;
const LONGEST_QUESTION: Duration = Duration::from_secs(15);
/// and where nobody watches and nothing is new, only so often.
const UNATTENDED: Duration = Duration::from_secs(60);
/// A session with news younger than this counts as young.
const YOUNG: Duration = Duration::from_secs(120);

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
    /// The presentation is valid and mixes two cards.
    Mixed,
    /// The connection may count as complete, although the wallet has not confirmed it.
    GoOn,
    /// The platform refuses for good.
    Refused,
    /// What the platform says of the session's records; it goes the way of webhooks.
    Seen(Vec<Delivery>),
}

impl Finding {
    const fn event(&self) -> Option<Event> {
        match self {
            Self::Nothing | Self::Seen(_) => None,
            Self::Asked(_) => Some(Event::ProofRequested),
            Self::Verified(_) => Some(Event::ProofVerified),
            Self::Declined => Some(Event::ProofDeclined),
            Self::Invalid => Some(Event::ProofInvalid),
            Self::Mixed => Some(Event::CardsMixed),
            Self::GoOn => Some(Event::ConnectionCompleted),
            Self::Refused => Some(Event::Failed),
        }
    }
}

impl Sessions {
    /// Ends an act with what it found.
    ///
    /// # Errors
    /// When the database fails; then the act stays due.
    pub async fn finish(&self, act: &Act, found: &Finding) -> Result<(), StoreError> {
        let now = self.clock.now();
        let mut tx = self.store.begin_shared().await?;
        let changed = match (&act.about, found) {
            (About::Attempt(..), _) => self.apply_finding(&mut tx, act, found, now).await?,
            (About::Connection(_), Finding::Seen(deliveries)) => {
                let mut changed = None;
                for delivery in deliveries {
                    if let Some(found) = tx.match_attempt(delivery, None).await? {
                        changed = self.apply_asked(&mut tx, delivery, &found.attempt, now).await?.or(changed);
                    }
                }
                changed
            }
            (About::Connection(_), _) => None,
        };
        match changed.as_ref().filter(|session| act.kind == ActKind::Reconcile && self.goes_on(act, session)) {
            // As long as news is awaited there is a next question. Where there was news meanwhile, they begin anew.
            Some(session) if has_news(session, now) => tx.rest_act(act.id, session.updated_at.plus(NEWS)).await?,
            Some(session) => tx.put_off_act(act.id, now.plus(self.next_question(act, session, now)), None).await?,
            None => tx.finish_act(act.id, now).await?,
        }
        self.save(tx, changed.as_ref(), now).await
    }

    fn goes_on(&self, act: &Act, session: &Session) -> bool {
        act.about.attempt().is_some_and(|(_, attempt)| attempt == session.attempt)
            && awaits_news(session.progress.stage)
    }

    fn next_question(&self, act: &Act, session: &Session, now: Timestamp) -> Duration {
        let young = now < session.updated_at.plus(YOUNG);
        let question = if young || self.hub.is_watched(session.id) {
            (FIRST_QUESTION * (1 << act.tries.min(5))).min(LONGEST_QUESTION)
        } else {
            UNATTENDED
        };
        // The wallet's confirmation is waited for so long, and no longer.
        let awaits_confirmation = session.progress.stage == Stage::Scanned && session.progress.answered;
        let overdue = session.updated_at.plus(CONFIRMATION).since(now);
        if awaits_confirmation && overdue > 0 { question.min(Duration::from_millis(overdue)) } else { question }
    }

    /// Applies what was found about an attempt. Gives back its session, when it is the session's present one.
    async fn apply_finding(
        &self,
        tx: &mut Tx,
        act: &Act,
        found: &Finding,
        now: Timestamp,
    ) -> Result<Option<Session>, StoreError> {
        let Some((id, number)) = act.about.attempt() else { return Ok(None) };
        let (Some(mut session), Some(attempt)) = (tx.session(id).await?, tx.attempt(id, number).await?) else {
            return Ok(None);
        };
        if let Finding::Asked(proof) = found {
            tx.bind_proof(&Matched::from(&attempt), &proof.id, proof.thread_id.as_deref()).await?;
            // Too late: nobody waits for an answer any more.
            if session.attempt != number || session.progress.stage.is_end() {
                self.tidy_up(tx, &act.about, now).await?;
            }
        }
        if session.attempt != number {
            return Ok(None);
        }
        if let Finding::Seen(deliveries) = found {
            for delivery in deliveries {
                // Read again each time: the one before may have bound the next one's key.
                let Some(attempt) = tx.attempt(id, number).await? else { break };
                session = self.apply_asked(tx, delivery, &Matched::from(&attempt), now).await?.unwrap_or(session);
            }
            if self.webhooks_are_hints && session.resume(now) {
                tx.update_session(&session).await?;
            }
            return Ok(Some(session));
        }
        let event = match found {
            // It came to light while the platform was asked.
            Finding::Verified(_) if attempt.cards == Some(Cards::Several) => Some(Event::CardsMixed),
            found => found.event(),
        };
        let outcome = match event {
            Some(event) => Some(self.step(tx, &mut session, event, now).await?),
            None => None,
        };
        let awaited = matches!(act.kind, ActKind::RequestProof | ActKind::VerifyProof);
        if awaited && outcome != Some(Outcome::Advanced) && session.resume(now) {
            tx.update_session(&session).await?;
        }
        match found {
            // Of a registration that ended meanwhile, by cancelling for instance, nothing is kept.
            Finding::Verified(revealed)
                if event == Some(Event::ProofVerified) && outcome == Some(Outcome::Advanced) =>
            {
                tx.store_attributes(id, number, Some(revealed)).await?;
            }
            Finding::Asked(_) => {
                if session.progress.stage == Stage::Requested {
                    let about = About::Attempt(id, number);
                    tx.wake_act(ActKind::Reconcile, &about, now.plus(NEWS)).await?;
                }
                // Its webhooks may have overtaken the answer that named the exchange.
                session = self.and_those_that_waited(tx, session, attempt.connection_id, now).await?;
            }
            _ => {}
        }
        Ok(Some(session))
    }

    /// Puts an act off. Where somebody waits for it and it is not the first time, the page says so.
    ///
    /// # Errors
    /// When the database fails; then the act's lease has to end first.
    pub async fn put_off(&self, act: &Act, wait: Duration, reason: &str) -> Result<(), StoreError> {
        let now = self.clock.now();
        let mut tx = self.store.begin_shared().await?;
        let awaited = match act.kind {
            ActKind::RequestProof | ActKind::VerifyProof => act.tries > 0,
            // Where webhooks only make the server ask, everything waits for the answers.
            ActKind::Reconcile => self.webhooks_are_hints && act.tries > 1,
            _ => false,
        };
        let mut changed = None;
        if let Some((id, attempt)) = act.about.attempt().filter(|_| awaited)
            && let Some(mut session) = tx.session(id).await?
            && session.attempt == attempt
            && session.delay(now)
        {
            tx.update_session(&session).await?;
            changed = Some(session);
        }
        tx.put_off_act(act.id, now.plus(wait), Some(reason)).await?;
        self.save(tx, changed.as_ref(), now).await
    }

    /// Ends a session that is past its deadline, and its act; or puts the act off.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn expire(&self, act: &Act) -> Result<(), StoreError> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let mut changed = None;
        let mut later = None;
        if let Some((id, attempt)) = act.about.attempt()
            && let Some(mut session) = tx.session(id).await?
            && session.attempt == attempt
            && !session.progress.stage.is_end()
        {
            if session.expires_at <= now {
                self.step(&mut tx, &mut session, Event::Expired, now).await?;
                changed = Some(session);
            } else {
                later = Some(self.looks_at_deadline(&session, now));
            }
        }
        match later {
            Some(at) => tx.put_off_act(act.id, at, None).await?,
            None => tx.finish_act(act.id, now).await?,
        }
        self.save(tx, changed.as_ref(), now).await
    }

    /// Deletes a session that the desk has kept long enough, with all that belongs to it, its acts too.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn purge(&self, act: &Act) -> Result<(), StoreError> {
        let now = self.clock.now();
        let Some((id, _)) = act.about.attempt() else { return Ok(()) };
        let mut tx = self.store.begin().await?;
        let Some(session) = tx.session(id).await? else { return Ok(()) };
        let lifetimes = &self.desk.lifetimes;
        let at = match tx.registration(id).await? {
            Some(registration) => registration.submitted_at.plus(lifetimes.keep),
            // Nothing is deleted under somebody's hands.
            None if !session.progress.stage.is_end() => session.expires_at.plus(Duration::from_secs(1)),
            None => session.created_at.plus(lifetimes.unfinished),
        };
        if at <= now {
            tx.delete_session(id).await?;
            tracing::info!(session.id = %id, "deleted what is older than the desk keeps it");
        } else {
            tx.put_off_act(act.id, at, None).await?;
        }
        self.save(tx, None, now).await?;
        self.deleted.store(true, Ordering::Relaxed);
        Ok(())
    }
}
