//! A rate as it is written: `30/m`. *Runs: server.*

use std::{num::NonZeroU32, time::Duration};

/// How many new codes one address may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many,
    pub count: NonZeroU32,
    /// in this time.
    pub per: Duration,
}

/// Reads a rate; `off` is none.
pub(super) fn rate(text: &str) -> Option<Option<Rate>> {
    if text == "off" {
        return Some(None);
    }
    let (count, per) = text.split_once('/')?;
    let per = match per {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return None,
    };
    Some(Some(Rate { count: count.parse().ok()?, per: Duration::from_secs(per) }))
}
