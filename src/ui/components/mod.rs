//! Parts of pages. *Runs: both.*

pub mod arch;
pub mod attempts;
pub mod layout;
pub mod live_controls;
pub mod live_status;
