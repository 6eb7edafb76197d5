//! Parts of pages. *Runs: both.*

pub mod arch;
pub mod attempts;
pub mod layout;
pub mod live_controls;
mod live_island;
pub mod live_page;
pub mod live_status;
pub mod plot;
