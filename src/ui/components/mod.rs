//! Parts of pages. *Runs: both.*

pub mod arch;
pub mod attempts;
pub mod layout;
pub mod live_controls;
#[expect(missing_docs, reason = "the island macro makes a struct that cannot carry a comment")]
pub mod live_status;
