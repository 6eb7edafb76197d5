//! Live push: who watches which session on this server, and the sockets they watch through.
//!
//! From the opening handshake on, nothing is kept of a socket but its stream and some hundred bytes. `hub` is what the rest
//! of the program knows; `table` holds the sockets behind one lock, `socket` is one of them, `rooms` is who belongs where;
//! `reactor` is the thread that hears them; `reader` and `frame` are RFC 6455; `outside` is what other servers have to know; `told` is
//! what is pushed, of a registration or of `board`, where staff look at all of them. *Runs: server.*

pub mod board;
pub mod frame;
pub mod handover;
pub mod hub;
pub mod outside;
mod reactor;
pub mod reader;
mod rooms;
mod socket;
pub mod stats;
mod table;
pub mod told;
