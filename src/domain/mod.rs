//! What Vestibule knows, free of any machine: ids, the stages of a registration, the session and its snapshot, the
//! messages on the wire, the desk, what a person types.
//!
//! Pure: no async, no I/O, no clock, no randomness, no framework. Time comes in as an argument.
//! Called by every other room. *Runs: both.*

pub mod contact;
pub mod desk;
pub mod figures;
pub mod ids;
pub mod session;
pub mod silence;
pub mod stage;
pub mod status;
pub mod time;
pub mod translation;
pub mod wire;
