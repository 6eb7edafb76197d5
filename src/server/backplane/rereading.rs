//! Reads sessions anew that others changed, or may have, and tells their watchers here. *Runs: server.*

use std::time::Duration;

use tokio::time::sleep;

use super::{SWEEP, Shared};
use crate::{domain::ids::SessionId, server::live::outside::Changed};

/// So many sessions are read with one statement.
const AT_ONCE: usize = 500;
/// Where they cannot be read, it is tried again after this.
const AGAIN: Duration = Duration::from_secs(1);

pub(super) async fn run(shared: &Shared) {
    loop {
        let sessions: Vec<SessionId> = match shared.heard.taken().await {
            Changed::These(sessions) => sessions.into_iter().collect(),
            Changed::Any => shared.sessions.hub.watched(),
        };
        // The board is no session: who looks at it reads for themselves.
        if sessions.contains(&SessionId::ALL_OF_THEM) {
            shared.sessions.hub.board_changed(false);
        }
        for sessions in sessions.chunks(AT_ONCE) {
            match shared.sessions.store.sessions(sessions).await {
                // Who knows a state already is not told it again.
                Ok(sessions) => sessions.iter().for_each(|session| shared.sessions.hub.publish_here(session)),
                Err(error) => {
                    tracing::warn!(%error, sessions = sessions.len(), "what others changed cannot be read yet");
                    shared.heard.note_all(Changed::These(sessions.iter().copied().collect()));
                    sleep(AGAIN).await;
                }
            }
        }
    }
}

/// Reads everything that is watched anew, evenly over a time.
pub(super) async fn sweep(shared: &Shared) {
    loop {
        let watched = shared.sessions.hub.watched();
        let parts = watched.chunks(AT_ONCE);
        let pause = SWEEP / u32::try_from(parts.len().max(1)).unwrap_or(u32::MAX);
        for part in parts {
            shared.heard.note_all(Changed::These(part.iter().copied().collect()));
            sleep(pause).await;
        }
        if watched.is_empty() {
            sleep(SWEEP).await;
        }
    }
}
