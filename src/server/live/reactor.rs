//! The thread that the sockets live on: it hears what comes from them, and does what is due by time.
//!
//! One thread for all of them, without a task, a timer or a buffer for each. With no sockets it sleeps. *Runs: server.*

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use mio::{Events, Poll, Token};

use super::hub::Shared;

/// By this the selector names the call to look at what is due.
pub(super) const WAKE: Token = Token(usize::MAX);
/// Into how many parts the interval of the heartbeat is divided. In each, every so many-th socket is pinged: where many are
/// pinged in the same moment, what is to be pushed waits for all of them, and once more when all of them answer.
const PARTS: u32 = 512;
/// How often sockets are closed while the server stops.
const DRAIN_STEP: Duration = Duration::from_millis(5);
/// How many sockets are dealt with before others may have the table.
const AT_ONCE: usize = 32;
/// Read into by all sockets, one after the other.
const SCRATCH: usize = 8192;

/// Runs until the hub is dropped.
pub(super) fn run(mut poll: Poll, shared: &Arc<Shared>, ping_interval: Duration) {
    let mut events = Events::with_capacity(1024);
    let mut scratch = vec![0; SCRATCH];
    let mut heart = Heart::new(ping_interval);
    let mut wait = None;
    while !shared.is_over() {
        match poll.poll(&mut events, wait) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => {
                // There is nothing to hear any more: it cannot be, and spinning would make it worse.
                tracing::error!(%error, "the sockets cannot be heard");
                std::thread::sleep(Duration::from_secs(1));
            }
            Ok(()) => {}
        }
        for event in events.iter().filter(|event| event.token() != WAKE) {
            if let Ok(index) = u32::try_from(event.token().0) {
                shared.table().turn(index, &mut scratch);
            }
        }
        // As many turns as wait now: those who want yet another one come after the events that arrived meanwhile.
        let ready = shared.table().ready();
        for _ in 0..ready {
            let mut table = shared.table();
            if let Some(index) = table.next_ready() {
                table.turn(index, &mut scratch);
            }
        }
        wait = due(shared, &mut heart);
    }
}

/// Does what is due, and says how long there will be nothing.
fn due(shared: &Shared, heart: &mut Heart) -> Option<Duration> {
    let now = Instant::now();
    let mut drains = shared.table().drain(now, AT_ONCE);
    while drains == Some(true) {
        drains = shared.table().drain(now, AT_ONCE);
    }
    let late = shared.table().drop_late(now);
    let beat = heart.beat(shared, now);
    let table = shared.table();
    if table.ready() > 0 {
        return Some(Duration::ZERO);
    }
    let step = drains.map(|_| now + DRAIN_STEP);
    let next = [late, beat.filter(|_| table.len() > 0), step].into_iter().flatten().min()?;
    Some(next.saturating_duration_since(Instant::now()))
}

/// When which socket is pinged.
struct Heart {
    parts: u32,
    /// The time from one part to the next.
    step: Duration,
    part: u32,
    next: Instant,
}

impl Heart {
    fn new(interval: Duration) -> Self {
        let millis = u32::try_from(interval.as_millis()).unwrap_or(u32::MAX);
        let parts = millis.clamp(1, PARTS);
        Self { parts, step: interval / parts, part: 0, next: Instant::now() + interval / parts }
    }

    /// Pings the sockets of the parts that are due. Gives back when the next part is.
    fn beat(&mut self, shared: &Shared, now: Instant) -> Option<Instant> {
        let numbers = shared.table().numbers();
        if numbers == 0 {
            // The first one that comes has a whole step.
            self.next = now + self.step;
            return None;
        }
        if self.next <= now {
            for some in self.next_part(numbers).chunks(AT_ONCE) {
                let mut table = shared.table();
                some.iter().for_each(|index| table.ping(*index));
            }
            // Late beats are not made up for: peers would be asked again before they could answer.
            self.next = now.max(self.next + self.step);
        }
        Some(self.next)
    }

    /// Which of so many sockets are in the part that is next.
    fn next_part(&mut self, numbers: usize) -> Vec<usize> {
        let part = (self.part as usize..numbers).step_by(self.parts as usize).collect();
        self.part = (self.part + 1) % self.parts;
        part
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_an_interval_each_socket_is_pinged_once_and_few_in_the_same_moment() {
        for numbers in [1, 511, 512, 513, 10_000] {
            let mut heart = Heart::new(Duration::from_secs(30));
            let parts: Vec<Vec<usize>> = (0..heart.parts).map(|_| heart.next_part(numbers)).collect();
            assert_eq!(heart.step * heart.parts, Duration::from_secs(30));
            let most = parts.iter().map(Vec::len).max().unwrap();
            assert!(most <= numbers.div_ceil(512), "{most} of {numbers} at once");
            let mut pinged = parts.concat();
            pinged.sort_unstable();
            assert!(pinged.into_iter().eq(0..numbers), "not each of {numbers} once");
            assert_eq!(heart.next_part(numbers), parts[0], "the next interval is like this one");
        }
    }

    #[test]
    fn an_interval_too_short_to_be_divided_is_not_divided_into_nothing() {
        let mut heart = Heart::new(Duration::from_millis(1));
        assert_eq!((heart.parts, heart.step), (1, Duration::from_millis(1)));
        assert_eq!(heart.next_part(3), [0, 1, 2]);
    }
}
