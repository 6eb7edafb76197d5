//! Expires what is overdue and deletes what is older than the desk keeps it. *Runs: server.*

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

use super::{sessions::Sessions, store::StoreError};

const LOOK: Duration = Duration::from_secs(1);

/// Runs until told to stop.
pub async fn run(sessions: Arc<Sessions>, mut stop: watch::Receiver<bool>) {
    loop {
        if let Err(error) = clean(&sessions).await {
            tracing::error!(%error, "cannot expire or delete");
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = stop.changed() => return,
        }
    }
}

async fn clean(sessions: &Sessions) -> Result<(), StoreError> {
    while sessions.expire_due().await? {}
    let limit = sessions.clock.now().minus(sessions.desk.keep);
    loop {
        let mut tx = sessions.store.begin().await?;
        let deleted = tx.delete_older(limit).await?;
        tx.commit().await?;
        if deleted == 0 {
            return Ok(());
        }
        tracing::info!(deleted, "deleted what is older than the desk keeps it");
    }
}
