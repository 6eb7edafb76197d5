//! What people see. Browser APIs are touched only inside effects and event handlers, which do not run on the server.
//! *Runs: both.*

pub mod components;
pub mod hooks;
pub mod pages;
