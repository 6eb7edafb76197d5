//! An ACA-Py agent: its admin API (`docs/platforms/acapy.md` says of which versions), and its webhooks in our words.
//!
//! *Runs: server.*

mod calls;
mod client;
mod presentation;
pub mod schema;
mod webhook;

pub use client::{Client, InvitationDid, Settings, Tenant};
pub use webhook::{envelope, translate};
