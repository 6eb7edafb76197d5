//! What staff do to help: have the platform asked, try a delivery once more, delete what is personal. *Runs: server.*

use std::sync::atomic::Ordering;

use super::{Sessions, awaits_news, record::SOON};
use crate::{
    domain::{ids::SessionId, session::Session, stage::Event},
    server::store::{About, ActKind, EventOutcome, StoreError},
};

impl Sessions {
    /// Has the platform asked at once how things stand, before all that merely repair. Says whether there is anything to ask for.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reconcile(&self, id: SessionId) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let Some(session) = tx.session(id).await?.filter(|session| awaits_news(session.progress.stage)) else {
            return Ok(false);
        };
        tx.set_act(ActKind::Reconcile, &About::Attempt(id, session.attempt), SOON).await?;
        self.save(tx, None, now).await?;
        Ok(true)
    }

    /// Deletes what is personal of a registration; one that is under way is cancelled first. Says whether there is one.
    ///
    /// # Errors
    /// When the database fails; then nothing was deleted.
    pub async fn erase(&self, id: SessionId) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let Some(mut session) = tx.session(id).await? else { return Ok(false) };
        if !session.progress.stage.is_end() {
            self.step(&mut tx, &mut session, Event::Cancelled, now).await?;
        }
        tx.erase(id).await?;
        session.their_label = None;
        self.save(tx, Some(&session), now).await?;
        // The log of the database still holds it until the janitor has emptied that.
        self.deleted.store(true, Ordering::Relaxed);
        Ok(true)
    }

    /// Tries a delivery that found no session once more. Gives back what became of it; `None` when it finds none still, or is gone.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn replay(&self, event: i64) -> Result<Option<Option<Session>>, StoreError> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let Some(event) = tx.stray(event).await? else { return Ok(None) };
        let settled = self.settle(&mut tx, &event, now).await?;
        self.save(tx, settled.as_ref().and_then(Option::as_ref), now).await?;
        Ok(settled)
    }

    /// Puts a delivery aside that found no session. Says whether there was one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn discard(&self, event: i64) -> Result<bool, StoreError> {
        let mut tx = self.store.begin().await?;
        let discarded = tx.discard(event).await?;
        tx.commit().await?;
        if discarded {
            self.metrics.deliveries.count([EventOutcome::Discarded.as_str()]);
            self.hub.board_changed(true);
        }
        Ok(discarded)
    }
}
