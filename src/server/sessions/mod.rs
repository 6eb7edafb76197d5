//! The use cases: open, view, renew, cancel, record, confirm, expire. The only room that writes registrations, and its
//! rule is *saved, then told*: every change is committed before anybody hears of it.
//!
//! Called by the endpoints, the acts and the janitor. *Runs: server.*

mod record;

pub use record::Finding;

use std::sync::Arc;

use tokio::sync::Notify;

use crate::{
    domain::{
        desk::Desk,
        ids::{LinkId, SessionId},
        session::{Deadlines, Session},
        stage::{Event, Outcome, Stage},
    },
    server::{
        clock::Clock,
        live::hub::Hub,
        platform::{Platform, PlatformError, Revealed},
        secrets::{SecretKey, random_bytes, random_text},
        store::{Attempt, Store, StoreError},
    },
};

/// Why a code could not be made.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The platform gave no invitation.
    #[error(transparent)]
    Platform(#[from] PlatformError),
    /// It could not be stored.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no such session.
    #[error("there is no such session")]
    NoSession,
    /// A registration is under way; a new code would throw it away.
    #[error("a registration is under way")]
    UnderWay,
}

/// The registrations.
pub struct Sessions {
    /// What lasts.
    pub store: Store,
    /// Who connects us to wallets.
    pub platform: Arc<dyn Platform>,
    /// Who tells the browsers.
    pub hub: Arc<Hub>,
    /// The time.
    pub clock: Clock,
    /// What is asked for.
    pub desk: Arc<Desk>,
    /// How long each part may take.
    pub deadlines: Deadlines,
    /// Seals what was revealed.
    pub key: SecretKey,
    /// Wakes the worker when an act was written.
    pub acts_due: Notify,
}

impl Sessions {
    /// Begins a registration: an invitation at the platform first, then one session with its first attempt.
    ///
    /// # Errors
    /// When the platform or the database fails; then nothing was stored.
    pub async fn open(&self) -> Result<Session, OpenError> {
        let id = SessionId::from_bytes(random_bytes());
        let attempt = self.invite(id, 1).await?;
        let now = self.clock.now();
        let session = Session::open(id, now, &self.deadlines);
        let mut tx = self.store.begin().await?;
        tx.insert_session(&session).await?;
        tx.insert_attempt(&attempt, now).await?;
        tx.commit().await?;
        tracing::info!(session.id = %id, "registration opened");
        Ok(session)
    }

    async fn invite(&self, session: SessionId, number: u32) -> Result<Attempt, PlatformError> {
        let alias = format!("reg-{}", random_text());
        let invitation = self.platform.create_invitation(&alias).await?;
        Ok(Attempt {
            session,
            number,
            link: LinkId::from_bytes(random_bytes()),
            alias,
            invitation_url: invitation.url,
            invitation: invitation.message,
            out_of_band_id: invitation.out_of_band_id,
            invitation_id: invitation.row_id,
            connection_id: None,
            proof_asked_at: None,
            proof_id: None,
            attributes: None,
        })
    }

    /// A new code for a session: a new attempt after this one. Where that is the past already, the session as it is.
    ///
    /// # Errors
    /// When the session is unknown or under way, or the platform or the database fails; then the old attempt stands.
    pub async fn renew(&self, id: SessionId, attempt: u32) -> Result<Session, OpenError> {
        let before = self.store.session(id).await?.ok_or(OpenError::NoSession)?;
        if before.attempt != attempt {
            return Ok(before);
        }
        if !before.may_renew() {
            return Err(OpenError::UnderWay);
        }
        let attempt = self.invite(id, before.attempt + 1).await?;
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let mut session = tx.session(id).await?.ok_or(OpenError::NoSession)?;
        if session.attempt != before.attempt {
            // Two presses at the same time: the other one was first, and its code is as new as ours.
            return Ok(session);
        }
        if !session.may_renew() {
            return Err(OpenError::UnderWay);
        }
        session.renew(now, &self.deadlines);
        tx.insert_attempt(&attempt, now).await?;
        tx.update_session(&session).await?;
        tx.commit().await?;
        self.hub.publish(&session);
        tracing::info!(session.id = %id, session.attempt = session.attempt, "new code");
        Ok(session)
    }

    /// Ends a registration at the person's wish. Gives back its state; `None` when there is no such session.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn cancel(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let Some(mut session) = tx.session(id).await? else { return Ok(None) };
        if session.apply(Event::Cancelled, now, &self.deadlines) == Outcome::Advanced {
            tx.update_session(&session).await?;
            tx.commit().await?;
            self.hub.publish(&session);
        }
        Ok(Some(session))
    }

    /// The session and attempt behind a short link, while a wallet may still use it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open_link(&self, link: LinkId) -> Result<Option<(Session, Attempt)>, StoreError> {
        let Some(attempt) = self.store.attempt_by_link(link).await? else { return Ok(None) };
        let session = self.store.session(attempt.session).await?;
        Ok(session
            .filter(|session| session.attempt == attempt.number)
            .filter(|session| matches!(session.progress.stage, Stage::Waiting | Stage::Scanned))
            .map(|session| (session, attempt)))
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

    /// Expires what is overdue. Says whether there may be more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn expire_due(&self) -> Result<bool, StoreError> {
        let now = self.clock.now();
        // A look without the write lock first: mostly nothing is.
        if !self.store.has_overdue(now).await? {
            return Ok(false);
        }
        let mut tx = self.store.begin().await?;
        let mut sessions = tx.overdue_sessions(now).await?;
        for session in &mut sessions {
            session.apply(Event::Expired, now, &self.deadlines);
            tx.update_session(session).await?;
        }
        tx.commit().await?;
        for session in &sessions {
            self.hub.publish(session);
        }
        Ok(true)
    }

    /// What was revealed in an attempt; `None` when nothing is stored for it, or it was sealed with another key.
    #[must_use]
    pub fn revealed(&self, attempt: &Attempt) -> Option<Vec<Revealed>> {
        let sealed = attempt.attributes.as_ref()?;
        let json = self.key.unseal(&place(attempt.session, attempt.number), sealed)?;
        serde_json::from_slice(&json).ok()
    }
}

/// Does work to its end, even when whoever waits for it goes away: a request that is dropped in the middle of a commit
/// must not leave a state that nobody was told of.
///
/// # Panics
/// When the work does.
pub async fn to_the_end<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    match tokio::spawn(work).await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// What sealed attributes are bound to: their row.
fn place(session: SessionId, attempt: u32) -> String {
    format!("attempts/{session}/{attempt}/attributes")
}
