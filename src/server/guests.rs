//! Who is connected over HTTP, and what open files are left: nobody may take them all, and some are always kept for the
//! database and for calls to the platform. Sockets have limits of their own, see `live::hub`.
//!
//! Called by `serve`. *Runs: server.*

use std::{
    collections::HashMap,
    net::IpAddr,
    os::fd::RawFd,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{config::Proxies, live::hub::network};

/// Open files that are kept for everything but sockets: the database, webhooks, pages, calls to the platform. A quarter,
/// where there are few.
const OTHER_FILES: usize = 256;
/// How long a connection may be idle and then send the header of its next request. Longer than the minute after which
/// proxies usually give up an idle connection: if we did first, it could be while they send on it.
const IDLE_TIME: Duration = Duration::from_secs(75);
/// The same where more than half of the open files are in use. Longer than a page waits between two polls.
const SHORT_IDLE_TIME: Duration = Duration::from_secs(5);

/// How many files may be open, and for what.
#[derive(Clone, Copy, Debug)]
pub struct Files {
    most: usize,
}

impl Files {
    /// Raises the limit of the system as far as it goes.
    #[must_use]
    pub fn raise() -> Self {
        let limit = rlimit::increase_nofile_limit(u64::MAX).unwrap_or_else(|error| {
            tracing::debug!(%error, "the limit of open files cannot be raised");
            u64::MAX
        });
        tracing::debug!(limit, "open files");
        Self::of(usize::try_from(limit).unwrap_or(usize::MAX))
    }

    /// So many.
    #[must_use]
    pub fn of(most: usize) -> Self {
        Self { most }
    }

    fn others(self) -> usize {
        OTHER_FILES.min(self.most / 4)
    }

    /// Sockets that watch.
    #[must_use]
    pub fn for_sockets(self) -> usize {
        (self.most - self.others()).max(1)
    }

    /// Sockets that watch, and those that are told goodbye: these may take half of what is kept for others.
    #[must_use]
    pub fn for_open_sockets(self) -> usize {
        self.for_sockets() + self.others() / 2
    }

    /// Everything that comes from outside. A quarter of what is kept for others is left.
    pub(super) fn for_connections(self) -> usize {
        self.most - self.others() / 4
    }
}

/// How many files are in use, now that this one was opened: the lowest free number is given, so all below it are.
pub(super) fn in_use(descriptor: RawFd) -> usize {
    usize::try_from(descriptor).unwrap_or_default()
}

/// The connections over HTTP, by address.
pub struct Guests {
    files: Files,
    /// Whether one address may have half of the files at most.
    counts: bool,
    /// They speak for many.
    proxies: Proxies,
    by_address: Mutex<HashMap<IpAddr, usize>>,
}

impl Guests {
    /// No connections yet. `counts`: whether one address may only have half of the files; of IPv6, one network of 64 bits.
    /// These proxies may have any number.
    #[must_use]
    pub fn new(files: Files, counts: bool, proxies: Proxies) -> Arc<Self> {
        Arc::new(Self { files, counts, proxies, by_address: Mutex::default() })
    }

    fn by_address(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.by_address.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn files(&self) -> Files {
        self.files
    }

    /// Lets a connection in that was accepted as this descriptor; `None` where its address has as many as it may have.
    pub fn let_in(self: &Arc<Self>, descriptor: RawFd, address: IpAddr) -> Option<Guest> {
        let is_proxy = self.proxies.have(address);
        let is_quiet = in_use(descriptor) < self.files.most / 2;
        let idle_time = if is_proxy || is_quiet { IDLE_TIME } else { SHORT_IDLE_TIME };
        let address = (self.counts && !is_proxy).then(|| network(address));
        if let Some(address) = address {
            let mut by_address = self.by_address();
            let count = by_address.entry(address).or_default();
            if *count >= self.files.most / 2 {
                return None;
            }
            *count += 1;
        }
        Some(Guest { guests: Arc::clone(self), address, idle_time })
    }
}

/// A connection that was let in. It counts until it is dropped.
pub struct Guest {
    guests: Arc<Guests>,
    address: Option<IpAddr>,
    /// How long the connection may be idle.
    pub idle_time: Duration,
}

impl Drop for Guest {
    fn drop(&mut self) {
        let Some(address) = self.address else { return };
        let mut by_address = self.guests.by_address();
        if let Some(count) = by_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                by_address.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn proxy() -> Proxies {
        vec![address("192.0.2.9").into()].into()
    }

    #[test]
    fn an_address_has_half_of_the_files_and_whoever_goes_makes_room() {
        let guests = Guests::new(Files::of(8), true, proxy());
        let enter = |from| guests.let_in(0, address(from));
        for (from, other, elsewhere) in
            [("192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8::2", "2001:db8:0:1::1")]
        {
            let mut inside: Vec<_> = (0..4).map(|_| enter(from).unwrap()).collect();
            assert!(enter(other).is_none() && enter(elsewhere).is_some());
            inside.pop();
            assert!(enter(other).is_some());
        }
        assert!(guests.by_address().is_empty(), "what is over is forgotten");
        assert!((0..9).map(|_| enter("192.0.2.9")).all(|guest| guest.is_some()), "a proxy speaks for many");
        let any = Guests::new(Files::of(8), false, Proxies::default());
        assert!((0..9).map(|_| any.let_in(0, address("192.0.2.1"))).all(|guest| guest.is_some()));
    }

    #[test]
    fn idle_connections_go_sooner_where_files_are_few_and_the_last_ones_are_kept() {
        let guests = Guests::new(Files::of(1000), true, proxy());
        let idle_time = |descriptor, from| guests.let_in(descriptor, address(from)).unwrap().idle_time;
        assert_eq!(idle_time(499, "192.0.2.1"), IDLE_TIME);
        assert_eq!(idle_time(500, "192.0.2.1"), SHORT_IDLE_TIME);
        assert_eq!(idle_time(500, "192.0.2.9"), IDLE_TIME);
        assert_eq!((guests.files().for_sockets(), guests.files().for_connections()), (750, 938));
    }
}
