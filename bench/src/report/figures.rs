//! What is measured, and what has to be reached: the tables of figures and of targets. *Runs: generator.*

use crate::server::Kind;

/// One figure.
pub struct Figure {
    /// Its name: the scenario's letter, and what it is.
    pub key: &'static str,
    /// In words.
    pub label: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// How many decimals are worth printing.
    pub decimals: usize,
}

const fn figure(key: &'static str, label: &'static str, unit: &'static str, decimals: usize) -> Figure {
    Figure { key, label, unit, decimals }
}

/// All figures, in the order of the table.
pub const FIGURES: &[Figure] = &[
    figure("a.1k", "memory per idle socket, 1 000", "KiB", 2),
    figure("a.10k", "memory per idle socket, 10 000", "KiB", 2),
    figure("a.max", "memory per idle socket, as many as descriptors allow", "KiB", 2),
    figure("a.next", "memory of each further socket", "KiB", 2),
    figure("a.kernel", "the kernel's own price of a socket", "KiB", 2),
    figure("a.sockets", "as many as descriptors allow", "sockets", 0),
    figure("b.200.p50", "webhook to message, 200/s, p50", "ms", 2),
    figure("b.200.p90", "p90", "ms", 2),
    figure("b.200.p99", "p99", "ms", 2),
    figure("b.200.p999", "p99.9", "ms", 2),
    figure("b.200.max", "max", "ms", 2),
    figure("b.200.lost", "states lost", "", 0),
    figure("b.200.repeated", "states told twice", "", 0),
    figure("b.200.cpu", "processor time per webhook, with all that follows", "µs", 0),
    figure("b.200.late", "the generator late by, at worst", "ms", 2),
    figure("b.1000.p50", "webhook to message, 1000/s, p50", "ms", 2),
    figure("b.1000.p90", "p90", "ms", 2),
    figure("b.1000.p99", "p99", "ms", 2),
    figure("b.1000.p999", "p99.9", "ms", 2),
    figure("b.1000.max", "max", "ms", 2),
    figure("b.1000.lost", "states lost", "", 0),
    figure("b.1000.repeated", "states told twice", "", 0),
    figure("b.1000.cpu", "processor time per webhook, with all that follows", "µs", 0),
    figure("b.1000.late", "the generator late by, at worst", "ms", 2),
    figure("c.intake.rate", "acknowledged, 64 publishers, intake", "/s", 0),
    figure("c.intake.cpu", "processor time per webhook, intake", "µs", 0),
    figure("c.whole.rate", "acknowledged, 64 publishers, whole registrations", "/s", 0),
    figure("c.whole.cpu", "processor time per webhook, whole registrations", "µs", 0),
    figure("d.last", "1000 watchers of one session, until the last", "ms", 1),
    figure("d.lost", "states lost", "", 0),
    figure("e.seconds", "10 000 sockets back after SIGKILL", "s", 2),
    figure("e.stale", "greeted with a state older than acknowledged", "", 0),
    figure("f.live", "delivered live while sockets break", "%", 1),
    figure("f.end", "delivered in the end while sockets break", "%", 2),
    figure("f.repeated", "states told twice", "", 0),
    figure("f.stale", "greeted with an older state than told before", "", 0),
    figure("f.cuts", "sockets cut", "", 0),
    figure("g.acknowledged", "acknowledged before the kills", "", 0),
    figure("g.missing", "of these missing in the log", "", 0),
    figure("g.disagreeing", "sessions that stand elsewhere than their log says", "", 0),
    figure("h.cpu", "processor time per poll", "ms", 3),
    figure("h.p50", "answer to a poll, p50", "ms", 2),
    figure("h.unchanged", "answered 304", "%", 1),
    figure("i.cpu", "processor time of an idle socket", "µs/s", 2),
    figure("i.lost", "sockets lost meanwhile", "", 0),
    figure("j.p50", "first byte of the first page, p50", "ms", 2),
    figure("j.p99", "first byte of the first page, p99", "ms", 2),
    figure("j.empty_start", "start on an empty database", "ms", 0),
    figure("j.start", "start with 100 000 sessions", "ms", 0),
    figure("j.empty", "memory when empty", "MiB", 1),
    figure("k.50.p50", "webhook to message at the other server, 50/s, p50", "ms", 2),
    figure("k.50.p99", "p99", "ms", 2),
    figure("k.200.p50", "webhook to message at the other server, 200/s, p50", "ms", 2),
    figure("k.200.p99", "p99", "ms", 2),
    figure("k.lost", "states lost", "", 0),
    figure("k.repeated", "states told twice", "", 0),
    figure("k.rate", "acknowledged, 64 publishers at all servers, whole registrations", "/s", 0),
    figure("k.cpu", "processor time of the servers per webhook", "µs", 0),
];

/// What the earlier system needs for its page's first byte, in ms, where both were measured once: half of it is a target.
const EARLIER_PAGE: f64 = 0.71;

/// What a target is measured against.
#[derive(Clone, Copy)]
pub enum Against {
    /// A server of the same run: the targets are ratios to it.
    Server(Kind),
    /// Nothing: the targets are in the figure's own unit.
    Nothing,
}

/// One target, for the program.
pub struct Target {
    /// The figure.
    pub key: &'static str,
    /// Beside what.
    pub against: Against,
    /// What it has to reach.
    pub must: f64,
    /// What it should reach.
    pub aim: f64,
    /// Whether more is better.
    pub more: bool,
}

const fn at_most(key: &'static str, against: Against, must: f64, aim: f64) -> Target {
    Target { key, against, must, aim, more: false }
}

const fn at_least(key: &'static str, against: Against, must: f64, aim: f64) -> Target {
    Target { key, against, must, aim, more: true }
}

use Against::{Nothing, Server};
use Kind::{FloorSqlite, FloorTuned, NodeWs};

/// All targets.
pub const TARGETS: &[Target] = &[
    at_most("a.10k", Nothing, 3.0, 1.0),
    at_most("a.next", Nothing, 3.0, 1.0),
    at_most("b.200.p50", Server(FloorSqlite), 2.0, 1.0),
    at_most("b.200.p99", Server(FloorSqlite), 2.0, 0.5),
    at_most("b.1000.p50", Server(FloorSqlite), 2.0, 1.0),
    at_most("b.1000.p99", Server(FloorSqlite), 2.0, 0.5),
    at_most("b.200.lost", Nothing, 0.0, 0.0),
    at_most("b.200.repeated", Nothing, 0.0, 0.0),
    at_most("b.1000.lost", Nothing, 0.0, 0.0),
    at_most("b.1000.repeated", Nothing, 0.0, 0.0),
    at_least("c.intake.rate", Server(FloorSqlite), 0.5, 1.0),
    at_least("c.intake.rate", Server(NodeWs), 4.0, 9.0),
    at_least("c.whole.rate", Server(FloorSqlite), 0.5, 1.0),
    at_least("c.whole.rate", Server(NodeWs), 4.0, 9.0),
    at_most("c.intake.cpu", Server(FloorSqlite), 3.0, 1.2),
    at_most("c.whole.cpu", Server(FloorSqlite), 3.0, 1.2),
    at_most("d.last", Server(FloorTuned), 1.5, 1.1),
    at_most("d.lost", Nothing, 0.0, 0.0),
    at_most("e.seconds", Server(FloorTuned), 1.5, 1.1),
    at_most("e.stale", Nothing, 0.0, 0.0),
    at_least("f.end", Nothing, 100.0, 100.0),
    at_most("f.repeated", Nothing, 0.0, 0.0),
    at_most("f.stale", Nothing, 0.0, 0.0),
    at_most("g.missing", Nothing, 0.0, 0.0),
    at_most("g.disagreeing", Nothing, 0.0, 0.0),
    at_most("h.cpu", Server(FloorTuned), 2.0, 1.1),
    at_most("i.cpu", Nothing, 2.2, 0.6),
    at_most("i.lost", Nothing, 0.0, 0.0),
    at_most("j.p50", Nothing, EARLIER_PAGE / 2.0, EARLIER_PAGE / 2.0),
    at_most("j.p50", Server(FloorTuned), f64::INFINITY, 3.0),
    at_most("j.start", Nothing, 100.0, 30.0),
    at_most("j.empty", Nothing, 25.0, 10.0),
];
