//! Parts of pages. *Runs: both.*

pub mod arch;
pub mod layout;
#[expect(missing_docs, reason = "the island macro makes a struct that cannot carry a comment")]
pub mod live_status;
