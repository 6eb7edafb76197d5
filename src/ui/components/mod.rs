//! Parts of pages. *Runs: both.*

pub mod arch;
pub mod layout;
pub mod live_status;
