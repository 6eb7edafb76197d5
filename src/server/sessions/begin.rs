//! How a registration and its further attempts begin. *Runs: server.*

use super::{NEWS, Sessions};
use crate::{
    domain::{
        ids::{LinkId, SessionId},
        session::Session,
        stage::Stage,
        time::Timestamp,
    },
    server::{
        platform::PlatformError,
        secrets::{random_bytes, random_code, random_text},
        store::{About, ActKind, Attempt, Invited, StoreError, Tx},
    },
};

/// Why an attempt could not begin.
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
    /// A registration is under way; another attempt would throw it away.
    #[error("a registration is under way")]
    UnderWay,
    /// The wallet cannot be asked again: there is no connection, or it is not known how the last question fared.
    #[error("there is no connection to ask over")]
    NoConnection,
}

impl Sessions {
    /// Begins a registration: an invitation at the platform first, then one session with its first attempt.
    ///
    /// # Errors
    /// When the platform or the database fails; then nothing was stored.
    pub async fn open(&self) -> Result<Session, OpenError> {
        let id = SessionId::new(self.clock.now(), random_bytes());
        let attempt = self.invite(id, 1).await?;
        let now = self.clock.now();
        let session = Session::open(id, self.consent.clone(), now, &self.deadlines);
        let mut tx = self.store.begin().await?;
        tx.insert_session(&session).await?;
        self.begin(&mut tx, &session, &attempt, now).await?;
        let unfinished = now.plus(self.desk.lifetimes.unfinished);
        tx.add_act(ActKind::Purge, &About::Attempt(id, 1), unfinished).await?;
        self.save(tx, None, now).await?;
        self.metrics.registrations_opened.inc();
        tracing::info!(session.id = %id, "registration opened");
        Ok(session)
    }

    async fn invite(&self, session: SessionId, number: u32) -> Result<Attempt, PlatformError> {
        let alias = format!("reg-{}", random_text());
        let invitation = self.platform.create_invitation(&alias).await?;
        let link = LinkId::from_bytes(random_bytes());
        Ok(Attempt::new(session, number, random_code::<4>(), Some(Invited { link, alias, invitation }), None))
    }

    /// Stores an attempt with what is due from its first moment on.
    async fn begin(&self, tx: &mut Tx, session: &Session, attempt: &Attempt, now: Timestamp) -> Result<(), StoreError> {
        let about = About::Attempt(session.id, session.attempt);
        tx.insert_attempt(attempt, now).await?;
        tx.add_act(ActKind::Expire, &about, self.looks_at_deadline(session, now)).await?;
        tx.add_act(ActKind::Reconcile, &about, now.plus(NEWS)).await?;
        if attempt.invited.is_none() {
            tx.add_act(ActKind::RequestProof, &about, now).await?;
        }
        Ok(())
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
        let present = self.store.attempt(id, attempt).await?;
        if !before.may_renew() && !self.falls_short(&before, present.as_ref()) {
            return Err(OpenError::UnderWay);
        }
        let next = self.invite(id, before.attempt + 1).await?;
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let mut session = tx.session(id).await?.ok_or(OpenError::NoSession)?;
        if session.attempt != before.attempt {
            // Two presses at the same time: the other one was first, and its code is as new as ours.
            return Ok(session);
        }
        let present = tx.attempt(id, attempt).await?;
        if !session.may_renew() && !self.falls_short(&session, present.as_ref()) {
            return Err(OpenError::UnderWay);
        }
        session.renew(now, &self.deadlines);
        self.attempt_again(tx, &session, &next, now).await?;
        tracing::info!(session.id = %id, session.attempt = session.attempt, "new code");
        Ok(session)
    }

    /// Asks the wallet once more, over the connection that stands: a new attempt after this one. Where that is the past
    /// already, the session as it is.
    ///
    /// # Errors
    /// When the session is unknown, under way or without a connection, or the database fails; then the old attempt
    /// stands.
    pub async fn ask_again(&self, id: SessionId, attempt: u32) -> Result<Session, OpenError> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let mut session = tx.session(id).await?.ok_or(OpenError::NoSession)?;
        if session.attempt != attempt {
            return Ok(session);
        }
        let present = tx.attempt(id, attempt).await?.ok_or(OpenError::NoSession)?;
        if !session.may_ask_again() && !self.falls_short(&session, Some(&present)) {
            return Err(OpenError::UnderWay);
        }
        // An exchange of unknown fate could be taken for the new one, and its events leak into the new attempt.
        let (Some(connection), Some(_)) = (present.connection_id, present.proof_id) else {
            return Err(OpenError::NoConnection);
        };
        session.ask_again(now, &self.deadlines);
        let next = Attempt::new(id, session.attempt, random_code::<4>(), None, Some(connection));
        self.attempt_again(tx, &session, &next, now).await?;
        tracing::info!(session.id = %id, session.attempt = session.attempt, "asked again");
        Ok(session)
    }

    async fn attempt_again(
        &self,
        mut tx: Tx,
        session: &Session,
        next: &Attempt,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        // What an earlier attempt revealed and was not submitted is not kept beside the next one's.
        let before = session.attempt - 1;
        tx.store_attributes(session.id, before, None).await?;
        self.tidy_up(&mut tx, &About::Attempt(session.id, before), now).await?;
        self.begin(&mut tx, session, next, now).await?;
        tx.update_session_and_name(session).await?;
        self.save(tx, Some(session), now).await
    }

    /// Whether what was verified lacks something that the desk requires: then only another attempt leads on.
    #[must_use]
    pub fn falls_short(&self, session: &Session, attempt: Option<&Attempt>) -> bool {
        let Some(attempt) = attempt.filter(|_| session.progress.stage == Stage::Verified) else { return false };
        let revealed = self.store.revealed(attempt).unwrap_or_default();
        let has = |name: &str| revealed.iter().any(|revealed| revealed.name == name);
        self.desk.attributes.iter().any(|attribute| attribute.required && !has(&attribute.name))
    }
}
