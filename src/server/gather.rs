//! Doing together what comes at the same time, without waiting for it. *Runs: server.*

use tokio::task::yield_now;

/// Lets whoever is about to put something into a queue do so, for as long as anybody does and there are not `most`: what has
/// reached this process already goes along at no cost, and where there is nothing more nobody waits.
pub async fn gather<T>(gathered: &mut Vec<T>, most: usize, mut next: impl FnMut() -> Option<T>) {
    loop {
        yield_now().await;
        let before = gathered.len();
        while gathered.len() < most
            && let Some(more) = next()
        {
            gathered.push(more);
        }
        if gathered.len() == before {
            return;
        }
    }
}
