//! What islands use to stay live. *Runs: browser (effects).*

pub mod backoff;
pub mod in_browser;
pub mod use_connection_status;
