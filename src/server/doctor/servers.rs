//! The way to the other servers, where there are any. *Runs: server.*

use super::Finding;
use crate::server::{
    backplane::{self, Redis},
    config::Config,
};

const REDIS: &str = "redis";

/// Tells itself something over Redis, where that is set. `None` where it is not.
pub(super) async fn examine(config: &Config) -> Option<Finding> {
    let url = config.redis_url.as_ref()?;
    let tried = match Redis::at(&url.0) {
        Ok(redis) => backplane::try_out(&redis).await,
        Err(error) => Err(error),
    };
    Some(match tried {
        Ok(()) => Finding::ok(REDIS, "what is told there is heard"),
        Err(error) => Finding::fault(
            REDIS,
            format!("servers cannot tell each other what changed ({error})"),
            "look whether Redis runs, and at address and password in REDIS_URL. Until then the pages of other servers' registrations \
             are up to 15 seconds late",
        ),
    })
}
