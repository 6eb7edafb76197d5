//! Going on with a registration on another device, by a code that lives for a few minutes and is good once. *Runs: server.*

use std::time::Duration;

use super::Sessions;
use crate::{
    domain::ids::SessionId,
    server::{secrets::random_code, store::StoreError},
};

/// How long a code is good.
pub const LIFE: Duration = Duration::from_secs(5 * 60);

/// 40 random bits: too many to guess in [`LIFE`] at the rate that an address may try.
const LENGTH: usize = 8;

impl Sessions {
    /// Makes a new code for a session, in place of one that it may have.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn offer_hand_over(&self, session: SessionId) -> Result<(), StoreError> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        if tx.session(session).await?.is_some() {
            tx.store_hand_over(session, &random_code::<LENGTH>(), now.plus(LIFE), now).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// The session that this code leads to; from then on the code is of no use. What people put between its characters does
    /// not matter, nor do small letters.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take_hand_over(&self, typed: &str) -> Result<Option<SessionId>, StoreError> {
        let typed: String = typed.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_uppercase();
        if typed.len() != LENGTH {
            return Ok(None);
        }
        let mut tx = self.store.begin().await?;
        let taken = tx.take_hand_over(&typed, self.clock.now()).await?;
        tx.commit().await?;
        Ok(taken)
    }
}
