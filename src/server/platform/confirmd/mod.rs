//! The ConfirmD Platform (its wire contract): its client, and its webhooks, authenticated and in our words.
//!
//! *Runs: server.*

mod auth;
mod call;
mod calls;
mod client;
mod token;
mod webhook;

pub use auth::{AuthMode, Claim, NotAuthentic, SKEW};
pub use call::Call;
pub use client::{Client, Settings};
pub use webhook::translate;
