//! The use cases: open, renew, ask again, cancel, record, finish, submit, expire, purge. The only room that writes
//! registrations, and its rule is *saved, then told*: every change is committed before anybody hears of it.
//!
//! Called by the endpoints, the pages, the acts and the janitor. *Runs: server.*

mod begin;
mod due;
pub mod figures;
mod finish;
mod form;
pub mod hand_over;
mod help;
pub mod intake;
mod record;

pub use begin::OpenError;
pub use due::{Due, LEASE, Leased, State};
pub use finish::Finding;
pub use form::{Submission, Typed};
pub use intake::{Intake, NotRecorded};

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use crate::{
    domain::{
        desk::Desk,
        ids::{LinkId, SessionId},
        session::{Deadlines, Session},
        stage::{Event, Outcome, Stage},
        time::Timestamp,
    },
    server::{
        clock::Clock,
        live::hub::Hub,
        metrics::Metrics,
        platform::Platform,
        store::{About, ActKind, Attempt, Invited, Store, StoreError, Tx},
        trace::{self, Tracer},
    },
};

/// The worker looks at least this often, whatever it believes to be due.
pub const LOOK: Duration = Duration::from_secs(1);
/// After so long without news the platform is asked (contract 5.7).
const NEWS: Duration = Duration::from_secs(5);
/// After so long without the wallet's confirmation an answered connection may count as complete (contract 3.4).
pub const CONFIRMATION: Duration = Duration::from_secs(20);

/// The registrations.
pub struct Sessions {
    /// What lasts.
    pub store: Store,
    /// Who connects us to wallets.
    pub platform: Arc<dyn Platform>,
    /// Who tells the browsers.
    pub hub: Arc<Hub>,
    /// What operators measure.
    pub metrics: Arc<Metrics>,
    /// Who gives requests and runs of acts their ids.
    pub tracer: Tracer,
    /// The time.
    pub clock: Clock,
    /// What is asked for.
    pub desk: Arc<Desk>,
    /// The fingerprint of what people consent to at this desk.
    pub consent: String,
    /// How long each part may take.
    pub deadlines: Deadlines,
    /// Webhooks come without credentials, so they move nothing: each only makes the server ask the platform.
    pub webhooks_are_hints: bool,
    /// Where deliveries wait to be recorded.
    pub intake: Intake,
    /// How the worker gets what is due.
    pub due: Due,
    /// Something was deleted that the write-ahead log may still hold.
    pub deleted: AtomicBool,
}

impl Sessions {
    /// Ends a registration at the person's wish. Gives back its state; `None` when there is no such session.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn cancel(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let Some(mut session) = tx.session(id).await? else { return Ok(None) };
        if self.step(&mut tx, &mut session, Event::Cancelled, now).await? == Outcome::Advanced {
            tx.commit().await?;
            self.hub.publish(&session);
        }
        Ok(Some(session))
    }

    /// The session, attempt and code behind a short link, while a wallet may still use it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open_link(&self, link: LinkId) -> Result<Option<(Session, Attempt, Invited)>, StoreError> {
        let Some(attempt) = self.store.attempt_by_link(link).await? else { return Ok(None) };
        let Some(invited) = attempt.invited.clone() else { return Ok(None) };
        let session = self.store.session(attempt.session).await?;
        Ok(session
            .filter(|session| session.attempt == attempt.number)
            .filter(|session| matches!(session.progress.stage, Stage::Waiting | Stage::Scanned))
            .map(|session| (session, attempt, invited)))
    }

    /// Notes that a wallet fetched the link of an attempt: the first sign of a scan.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn note_fetch(&self, attempt: &Attempt) -> Result<(), StoreError> {
        let mut tx = self.store.begin().await?;
        let Some(mut session) = tx.session(attempt.session).await? else { return Ok(()) };
        if session.attempt == attempt.number && session.open_link(self.clock.now()) {
            tx.update_session(&session).await?;
            tx.commit().await?;
            self.hub.publish(&session);
        }
        Ok(())
    }

    /// Whether the terms of a registration are those that hold now. Where the desk's file was changed in between, nobody
    /// may be asked for what they did not agree to, nor what was shared be taken for something else. What is submitted
    /// stays as it was agreed to.
    #[must_use]
    pub fn is_agreed(&self, session: &Session) -> bool {
        // Without a version it is of a time before there were any.
        session.progress.stage == Stage::Submitted || session.consent.is_empty() || session.consent == self.consent
    }

    /// Moves a session by an event and writes what has to follow from it.
    async fn step(
        &self,
        tx: &mut Tx,
        session: &mut Session,
        event: Event,
        now: Timestamp,
    ) -> Result<Outcome, StoreError> {
        self.step_and_name(tx, session, event, false, now).await
    }

    /// The same, and where it moved the session, its wallet's name is written too if that `is_renamed`.
    async fn step_and_name(
        &self,
        tx: &mut Tx,
        session: &mut Session,
        event: Event,
        is_renamed: bool,
        now: Timestamp,
    ) -> Result<Outcome, StoreError> {
        let (deadline, before, changed_at) = (session.expires_at, session.progress.stage, session.updated_at);
        let outcome = session.apply(event, now, &self.deadlines);
        if outcome != Outcome::Advanced {
            return Ok(outcome);
        }
        if is_renamed {
            tx.update_session_and_name(session).await?;
        } else {
            tx.update_session(session).await?;
        }
        let (stage, about) = (session.progress.stage, About::Attempt(session.id, session.attempt));
        if stage == Stage::Verified || (stage.is_end() && stage != Stage::Submitted) {
            self.tidy_up(tx, &about, now).await?;
        }
        if stage.is_end() {
            let metrics = Arc::clone(&self.metrics);
            tx.after_commit(move || metrics.registrations_ended.count([stage.as_str()]));
            if stage != Stage::Submitted {
                // What was revealed for a registration that will not be has no purpose any more.
                tx.store_attributes(session.id, session.attempt, None).await?;
            }
            if stage == Stage::Cancelled {
                // Who is merely late finds again what was typed; who cancels wants none of it kept.
                tx.store_draft(session.id, None).await?;
            }
            return Ok(outcome);
        }
        // To a deadline that is later than it was the act comes too early, and waits on. To a wallet's it never comes too late.
        if stage == Stage::Verified && session.expires_at < deadline {
            tx.set_act(ActKind::Expire, &about, session.expires_at).await?;
        }
        match stage {
            Stage::Connected => tx.add_act(ActKind::RequestProof, &about, now).await?,
            Stage::Presented => tx.add_act(ActKind::VerifyProof, &about, now).await?,
            _ => {}
        }
        // The scan a moment ago has set the next question already.
        let is_near = before == Stage::Scanned && now < changed_at.plus(NEWS);
        if awaits_news(stage) && !is_near {
            tx.wake_act(ActKind::Reconcile, &about, now.plus(NEWS)).await?;
        }
        Ok(outcome)
    }

    /// When the act is due that ends a registration: at its deadline; and while a wallet may still begin its own, shorter time, not
    /// later than that may pass. So the act stays where it is when a wallet answers, which would cost as much as all else then.
    fn looks_at_deadline(&self, session: &Session, now: Timestamp) -> Timestamp {
        match session.progress.stage {
            Stage::Waiting => session.expires_at.min(now.plus(self.deadlines.wallet)),
            _ => session.expires_at,
        }
    }

    /// Has deleted at the platform what an attempt that is over, or has brought what it should, left there.
    async fn tidy_up(&self, tx: &mut Tx, about: &About, now: Timestamp) -> Result<(), StoreError> {
        if self.platform.keeps_leftovers() { tx.set_act(ActKind::TidyUp, about, now).await } else { Ok(()) }
    }

    /// Commits, and then tells the browsers, and the worker if anything is due before it would look by itself.
    async fn save(&self, tx: Tx, changed: Option<&Session>, now: Timestamp) -> Result<(), StoreError> {
        let is_due = tx.makes_due(now.plus(LOOK));
        tx.commit().await?;
        match changed {
            Some(session) => self.hub.publish(session),
            // Staff see more than visitors: also who begins, what is put off, and what is deleted.
            None => self.hub.board_changed(true),
        }
        if is_due {
            self.due.wake();
        }
        Ok(())
    }
}

/// Whether the next step is one that a webhook brings.
const fn awaits_news(stage: Stage) -> bool {
    matches!(stage, Stage::Waiting | Stage::Scanned | Stage::Requested)
}

/// Whether anything came so lately that there is nothing to ask for yet.
pub fn has_news(session: &Session, now: Timestamp) -> bool {
    now < session.updated_at.plus(NEWS)
}

/// Does work to its end, even when whoever waits for it goes away: a request that is dropped in the middle of a commit
/// must not leave a state that nobody was told of. It is logged as a part of the request all the same.
///
/// # Panics
/// When the work does.
pub async fn to_the_end<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    match tokio::spawn(trace::carried(work)).await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
