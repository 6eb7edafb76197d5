//! The ConfirmD Platform (contract: `docs/platforms/confirmd.md`): its client, and its webhooks in our words.
//!
//! *Runs: server.*

mod client;
mod token;
mod webhook;

pub use client::{Client, Settings};
pub use webhook::translate;
