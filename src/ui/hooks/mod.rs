//! What islands use to stay live. *Runs: browser (effects).*

pub mod backoff;
mod follower;
pub mod handed_texts;
pub mod in_browser;
pub mod live_state;
mod question;
pub mod timer;
pub mod use_connection_status;
