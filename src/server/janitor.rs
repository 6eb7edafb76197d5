//! Expires what is overdue and deletes what is older than the desk keeps it. *Runs: server.*

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

use super::{sessions::Sessions, store::StoreError};
use crate::domain::time::Timestamp;

/// How often it looks for what is overdue; a page shows an expiry at most this late.
const LOOK: Duration = Duration::from_secs(1);
/// How often it deletes. What is kept for days need not go by the second.
const DELETE: Duration = Duration::from_secs(60);

/// Runs until told to stop.
pub async fn run(sessions: Arc<Sessions>, mut stop: watch::Receiver<bool>) {
    let mut delete_at = sessions.clock.now();
    loop {
        if let Err(error) = clean(&sessions, &mut delete_at).await {
            tracing::error!(%error, "cannot expire or delete");
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = stop.changed() => return,
        }
    }
}

async fn clean(sessions: &Sessions, delete_at: &mut Timestamp) -> Result<(), StoreError> {
    while sessions.expire_due().await? {}
    let now = sessions.clock.now();
    if now < *delete_at {
        return Ok(());
    }
    while delete_some(sessions, now.minus(sessions.desk.lifetimes.keep)).await? {}
    *delete_at = now.plus(DELETE);
    Ok(())
}

/// A part at a time, so that webhooks get their turn in between. Says whether there may be more.
async fn delete_some(sessions: &Sessions, limit: Timestamp) -> Result<bool, StoreError> {
    let mut tx = sessions.store.begin().await?;
    let deleted = tx.delete_older(limit).await?;
    tx.commit().await?;
    if deleted > 0 {
        tracing::info!(deleted, "deleted what is older than the desk keeps it");
    }
    Ok(deleted > 0)
}
