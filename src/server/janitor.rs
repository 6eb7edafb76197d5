//! Keeps the house in order: tries deliveries that wait for their session, parks them, deletes what belongs to nobody, and
//! empties the write-ahead log of what was deleted; keeps the figures of hours that are over, and forgets what staff did long
//! ago. What is due for a session is an act, and not done here. *Runs: server.*

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::sync::watch;

use super::{sessions::Sessions, store::StoreError};
use crate::domain::time::Timestamp;

/// How often it looks for deliveries that wait.
const LOOK: Duration = Duration::from_secs(1);
/// How long it is kept what staff did.
const RECORD_KEPT: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// How often it deletes. What is kept for days need not go by the second.
const DELETE: Duration = Duration::from_secs(60);

/// Runs until told to stop.
pub async fn run(sessions: Arc<Sessions>, mut stop: watch::Receiver<bool>) {
    let mut delete_at = sessions.clock.now();
    loop {
        if let Err(error) = clean(&sessions, &mut delete_at).await {
            tracing::error!(%error, "cannot keep the database in order");
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = stop.changed() => return,
        }
    }
}

async fn clean(sessions: &Sessions, delete_at: &mut Timestamp) -> Result<(), StoreError> {
    sessions.retry_unmatched().await?;
    let now = sessions.clock.now();
    if now < *delete_at {
        return Ok(());
    }
    // Whatever is the matter with figures, it holds up no deleting.
    if let Err(error) = sessions.keep_figures().await {
        tracing::error!(%error, "the figures of an hour cannot be kept");
    }
    forget_deeds(sessions, now.minus(RECORD_KEPT)).await?;
    while delete_some(sessions, now.minus(sessions.desk.lifetimes.unfinished)).await? {}
    if sessions.deleted.swap(false, Ordering::Relaxed) && !sessions.store.empty_log().await? {
        // Somebody was reading; next time.
        sessions.deleted.store(true, Ordering::Relaxed);
    }
    *delete_at = now.plus(DELETE);
    Ok(())
}

async fn forget_deeds(sessions: &Sessions, limit: Timestamp) -> Result<(), StoreError> {
    let mut tx = sessions.store.begin().await?;
    if tx.delete_deeds(limit).await? > 0 {
        tx.commit().await?;
        sessions.deleted.store(true, Ordering::Relaxed);
    }
    Ok(())
}

/// A part at a time, so that webhooks get their turn in between. Says whether there may be more.
async fn delete_some(sessions: &Sessions, limit: Timestamp) -> Result<bool, StoreError> {
    let mut tx = sessions.store.begin().await?;
    let deleted = tx.delete_strays(limit).await?;
    tx.commit().await?;
    if deleted > 0 {
        sessions.deleted.store(true, Ordering::Relaxed);
    }
    Ok(deleted > 0)
}
