//! What islands use to stay live. *Runs: browser (effects).*

pub mod backoff;
pub mod use_connection_status;
