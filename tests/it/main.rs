//! The integration tests, one binary. The vocabulary:
//!
//! - [`harness::Desk`]: a real server on a port of its own with a real SQLite file and a clock that can be moved.
//!   `open` begins a registration, `deliver` posts a webhook, `watch` opens a socket.
//! - [`platform::FakePlatform`]: a ConfirmD Platform on a real socket, whose answers the test chooses.
//! - [`own_platform::OwnPlatform`]: a sandbox on a port of its own, and what it sends where no server is wanted.
//! - [`harness::Watcher`]: a browser's socket; `until` waits for a stage and fails when it cannot come any more.
//! - [`raw::RawSocket`]: a socket whose bytes the test writes itself.
//! - [`browser::Browser`]: a browser without scripts, which posts forms and is sent on.
//! - [`staff::Staff`]: the browser of somebody of the staff.
//! - [`exposition::Exposition`]: what `/metrics` says, read strictly.
//! - [`cluster::Cluster`]: several servers as processes of their own, with PostgreSQL, Redis and a balancer.
//! - [`collector::Collector`]: where spans are exported to, over OTLP/HTTP.
//! - [`patient::Patient`]: somebody's configuration, for commands that end, such as `doctor`; [`odd::Odd`]: a server that answers
//!   everything alike.
//! - [`program::Program`]: the binary itself, which can be killed; [`visit::Visit`]: a browser's visit to it, which writes
//!   down everything it is answered.

#![allow(clippy::unwrap_used, reason = "a test that fails by a panic is a test that fails")]

mod acapy;
mod acapy_recordings;
mod acts;
mod admin;
mod agent;
mod api;
mod authentication;
mod backplane;
mod backup;
mod board;
mod browser;
mod chaos;
mod cluster;
mod collector;
mod course;
mod database;
mod described;
mod descriptors;
mod docs;
mod doctor;
mod export;
mod exposition;
mod figures;
mod fixtures;
mod flow;
mod form;
mod fuzz;
mod harness;
mod help;
mod house;
mod intake;
mod kill;
mod kill_points;
mod languages;
mod live;
mod metrics;
mod migration;
mod million;
mod misbehaviour;
mod odd;
mod openapi;
mod outlook;
mod own_platform;
mod passage;
mod patient;
mod platform;
mod postgres;
mod privacy;
mod program;
mod raw;
mod reconcile;
mod redis;
mod registering;
mod repeat;
mod retention;
mod rfc6455;
mod rotation;
mod sandbox;
mod schedules;
mod servers;
mod serving;
mod sockets;
mod spans;
mod staff;
mod starting;
mod storm;
mod terms;
mod tls;
mod together;
mod traces;
mod transfer;
mod visit;
mod wallets;
