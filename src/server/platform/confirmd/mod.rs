//! The ConfirmD Platform (its wire contract): its client, and its webhooks in our words.
//!
//! *Runs: server.*

mod calls;
mod client;
mod operator;
pub mod schema;
mod token;
mod webhook;

pub use client::{Client, Settings};
pub use operator::{NotRegistered, Registered, Taken};
pub use webhook::translate;
