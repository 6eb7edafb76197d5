//! Codes by which somebody goes on with their registration on another device. They are kept in memory: each lives for a few
//! minutes and is good once, and whoever loses one to a restart asks for another. *Runs: server.*

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::secrets::random_code;
use crate::domain::{ids::SessionId, time::Timestamp};

/// How long a code is good.
pub const LIFE: Duration = Duration::from_secs(5 * 60);

/// 40 random bits: too many to guess in [`LIFE`] at the rate that an address may try.
const LENGTH: usize = 8;

/// The codes that are good now. A session has one at most.
#[derive(Default)]
pub struct HandOvers(Mutex<HashMap<SessionId, HandOver>>);

struct HandOver {
    code: String,
    until: Timestamp,
}

impl HandOvers {
    /// Makes a new code for a session, in place of one that it may have.
    pub fn offer(&self, session: SessionId, now: Timestamp) {
        let mut offered = self.offered();
        // Here, so that codes which nobody used do not stay for ever.
        offered.retain(|_, hand_over| hand_over.until > now);
        offered.insert(session, HandOver { code: random_code::<LENGTH>(), until: now.plus(LIFE) });
    }

    /// The code of a session, while it is good.
    pub fn of(&self, session: SessionId, now: Timestamp) -> Option<String> {
        self.offered().get(&session).filter(|hand_over| hand_over.until > now).map(|hand_over| hand_over.code.clone())
    }

    /// The session that this code leads to; from then on the code is of no use. What people put between its characters
    /// does not matter, nor do small letters.
    pub fn take(&self, typed: &str, now: Timestamp) -> Option<SessionId> {
        let typed: String = typed.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_uppercase();
        let mut offered = self.offered();
        let (session, _) = offered.iter().find(|(_, offer)| offer.code == typed && offer.until > now)?;
        let session = *session;
        offered.remove(&session);
        Some(session)
    }

    /// Every change under the lock is complete in itself.
    fn offered(&self) -> MutexGuard<'_, HashMap<SessionId, HandOver>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::secrets::random_bytes;

    const NOW: Timestamp = Timestamp(1_000_000);

    #[test]
    fn a_code_is_good_once_however_it_is_typed() {
        let hand_overs = HandOvers::default();
        let session = SessionId::new(NOW, random_bytes());
        hand_overs.offer(session, NOW);
        let code = hand_overs.of(session, NOW).unwrap();
        assert_eq!(code.len(), LENGTH);
        assert_eq!(hand_overs.take("", NOW), None);
        let typed = format!(" {}-{} ", &code[..4], &code[4..]).to_lowercase();
        assert_eq!(hand_overs.take(&typed, NOW), Some(session));
        assert_eq!(hand_overs.take(&code, NOW), None);
        assert_eq!(hand_overs.of(session, NOW), None);
    }

    #[test]
    fn a_code_ends_by_itself_and_by_the_next_one() {
        let hand_overs = HandOvers::default();
        let (one, other) = (SessionId::new(NOW, random_bytes()), SessionId::new(NOW, random_bytes()));
        hand_overs.offer(one, NOW);
        let first = hand_overs.of(one, NOW).unwrap();
        hand_overs.offer(one, NOW);
        assert_eq!(hand_overs.take(&first, NOW), None);
        let second = hand_overs.of(one, NOW).unwrap();
        assert_eq!((hand_overs.take(&second, NOW.plus(LIFE)), hand_overs.of(one, NOW.plus(LIFE))), (None, None));
        hand_overs.offer(other, NOW.plus(LIFE));
        assert_eq!(hand_overs.offered().len(), 1, "what is of no use any more is not kept");
    }
}
