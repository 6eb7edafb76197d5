//! What the system says of this process, under the names that every exporter uses; what it does not say is left out.
//! *Runs: server.*

use std::{
    fs,
    time::{SystemTime, UNIX_EPOCH},
};

use prometheus::proto::MetricFamily;
use rlimit::Resource;

use super::reading::gauge;

/// Memory, open files, and since when. May take milliseconds where many files are open.
pub(super) fn families(started: SystemTime) -> Vec<MetricFamily> {
    let since = started.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs_f64());
    let figures = [
        ("process_resident_memory_bytes", "Memory that is resident.", resident().map(|bytes| bytes as f64)),
        ("process_open_fds", "Open file descriptors.", open_files().map(|files| files as f64)),
        (
            "process_max_fds",
            "Most file descriptors that may be open.",
            Resource::NOFILE.get_soft().ok().map(|most| most as f64),
        ),
        ("process_start_time_seconds", "When it started, in seconds since 1970.", since),
    ];
    figures.into_iter().filter_map(|(name, help, value)| Some(gauge(name, help, value?))).collect()
}

fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let kibibytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(kibibytes.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

fn open_files() -> Option<usize> {
    // From Linux 6.2 on the folder's size is their number; before, it is 0.
    match fs::metadata("/proc/self/fd").ok()?.len() {
        0 => Some(fs::read_dir("/proc/self/fd").ok()?.count()),
        files => usize::try_from(files).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_says_how_much_memory_and_how_many_files() {
        assert!(resident().is_some_and(|bytes| bytes > 1024 * 1024));
        let before = open_files().unwrap();
        let more: Vec<_> = (0..100).map(|_| fs::File::open("/dev/null").unwrap()).collect();
        // Other tests open and close files too, but not a hundred.
        assert!(open_files().unwrap() > before + 50, "{} are open", more.len());
    }
}
