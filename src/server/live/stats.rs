//! Figures about the sockets. *Runs: server.*

use std::collections::BTreeMap;

/// What became of the sockets of this server since it started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LiveStats {
    /// Sockets that are open now, those included that are being closed.
    pub open: usize,
    /// Sockets that were ever opened, those included that were refused by a close code.
    pub opened: u64,
    /// Sockets that ended, by close code: ours, or the peer's when it was the first to close. [`LiveStats::NO_CODE`] and
    /// [`LiveStats::GONE`] are as in RFC 6455, section 7.1.5. A peer may invent codes, so all from 3000 count as 3000, and
    /// all from 4000 as 4000.
    pub closed: BTreeMap<u16, u64>,
    /// States that went out.
    pub states_pushed: u64,
    /// States that were passed over because their socket was behind, and a newer one came.
    pub states_skipped: u64,
    /// Pings sent.
    pub pings_sent: u64,
}

impl LiveStats {
    /// Closed by the peer without a code.
    pub const NO_CODE: u16 = 1005;
    /// Gone without a close frame.
    pub const GONE: u16 = 1006;

    pub(super) fn count_close(&mut self, code: u16) {
        let code = if code >= 3000 { code / 1000 * 1000 } else { code };
        *self.closed.entry(code).or_default() += 1;
    }
}
