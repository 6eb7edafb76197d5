//! The server: everything that only it can do. Built with the feature `ssr` alone, by the one gate in `lib.rs`.
//!
//! Arrows point down only: `startup → router → endpoints, pages → sessions, acts, janitor → store, platform, live → domain`.
//! *Runs: server.*

pub mod acts;
pub mod backplane;
pub mod clock;
pub mod commands;
pub mod config;
pub mod desk;
pub mod doctor;
pub mod endpoints;
pub mod guests;
pub mod html;
pub mod janitor;
pub mod listener;
pub mod live;
pub mod metrics;
pub mod pages;
pub mod patience;
pub mod platform;
pub mod problem;
pub mod router;
pub mod sandbox;
pub mod secrets;
pub mod serve;
pub mod sessions;
pub mod staff;
pub mod startup;
pub mod state;
pub mod store;
pub mod telemetry;
pub mod trace;
