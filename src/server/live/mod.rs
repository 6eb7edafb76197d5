//! Live push: who watches which session on this server. *Runs: server.*

pub mod hub;
