//! What the system says about a process: memory and processor time. And how processes are kept to their cores, and ended.
//! *Runs: generator.*

use std::{
    ffi::OsStr,
    fs, io,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use rustix::{
    process::{Pid, Resource, Signal, getrlimit, kill_process},
    thread::{CpuSet, sched_setaffinity},
};
use tokio::process::{Child, Command};

/// The core that the measured server has for itself,
pub const SERVER_CORE: usize = 0;
/// and that of the generator, with its platform and its database readers.
pub const GENERATOR_CORE: usize = 1;
/// How long a process may take to end.
const PATIENCE: Duration = Duration::from_secs(60);
/// `f_type` of a file system in memory (statfs(2)).
const TMPFS: u64 = 0x0102_1994;

fn wrong(what: &str) -> io::Error {
    io::Error::other(format!("/proc does not show {what}"))
}

/// The processor time a process has used so far, in user and system mode, its threads included. In steps of 10 ms.
///
/// # Errors
/// When there is no such process.
pub fn cpu_time(pid: u32) -> io::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name, in parentheses, may hold anything; the fields after it are counted from the state, number 3 (proc(5)).
    let fields = stat.rsplit_once(')').map(|(_, rest)| rest).ok_or_else(|| wrong("a name"))?;
    let field = |number: usize| fields.split_whitespace().nth(number - 3).and_then(|text| text.parse::<u64>().ok());
    let (user, system) = field(14).zip(field(15)).ok_or_else(|| wrong("processor time"))?;
    Ok(Duration::from_secs_f64((user + system) as f64 / rustix::param::clock_ticks_per_second() as f64))
}

/// Ends a process, and waits until it is gone: whoever comes next has the core for itself, and its processor time is ours.
pub fn end(child: &mut Child, signal: Signal) {
    if let Some(pid) = child.id().and_then(|id| Pid::from_raw(id.cast_signed())) {
        let _ = kill_process(pid, signal);
    }
    let began = Instant::now();
    while matches!(child.try_wait(), Ok(None)) && began.elapsed() < PATIENCE {
        thread::sleep(Duration::from_millis(10));
    }
}

/// How busy the machine is, and how much of that is ours: its own processes, and those it started that have ended.
pub struct Load {
    all: u64,
    idle: u64,
    ours: u64,
}

impl Load {
    /// Begins to watch.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn begin() -> io::Result<Self> {
        let fields = |text: &str, from: usize| -> Vec<u64> {
            text.split_whitespace().skip(from).map_while(|word| word.parse().ok()).collect()
        };
        let stat = fs::read_to_string("/proc/stat")?;
        let ticks = fields(stat.lines().next().unwrap_or_default(), 1);
        let own = fs::read_to_string("/proc/self/stat")?;
        let own = own.rsplit_once(')').map(|(_, rest)| fields(rest, 14 - 3)).unwrap_or_default();
        // user, nice, system, idle, iowait, irq, softirq, steal; after it guests, who are in user already (proc(5)).
        let (all, idle) = (ticks.iter().take(8).sum(), ticks.iter().skip(3).take(2).sum());
        Ok(Self { all, idle, ours: own.iter().take(4).sum() })
    }

    /// The share of the machine that others have used since.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn others(&self) -> io::Result<f64> {
        let now = Self::begin()?;
        let busy = (now.all - self.all).saturating_sub(now.idle - self.idle);
        Ok(busy.saturating_sub(now.ours - self.ours) as f64 / (now.all - self.all).max(1) as f64)
    }
}

/// The resident memory of a process, in bytes.
///
/// # Errors
/// When there is no such process.
pub fn resident(pid: u32) -> io::Result<u64> {
    kib_in(&format!("/proc/{pid}/status"), "VmRSS:").map(|kib| kib * 1024)
}

/// What the kernel holds for itself on the whole machine, in bytes: its slabs, and the buffers of TCP. A socket's price
/// at the kernel is the growth of this, shared by its two ends.
///
/// # Errors
/// When the system does not say.
pub fn kernel_memory() -> io::Result<u64> {
    let sockets = fs::read_to_string("/proc/net/sockstat")?;
    let tcp = sockets.lines().find(|line| line.starts_with("TCP:")).unwrap_or_default();
    let pages =
        tcp.split_whitespace().skip_while(|word| *word != "mem").nth(1).and_then(|pages| pages.parse::<u64>().ok());
    let buffers = pages.ok_or_else(|| wrong("TCP's memory"))? * rustix::param::page_size() as u64;
    Ok(kib_in("/proc/meminfo", "Slab:")? * 1024 + buffers)
}

fn kib_in(file: &str, name: &str) -> io::Result<u64> {
    let text = fs::read_to_string(file)?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)).ok_or_else(|| wrong(name))?;
    line.split_whitespace().next().and_then(|kib| kib.parse().ok()).ok_or_else(|| wrong(name))
}

/// Keeps this process, and what it starts from now on, to the generator's core. False where the machine has only one.
///
/// # Errors
/// When the system refuses.
pub fn keep_to_own_core() -> io::Result<bool> {
    if cores() <= GENERATOR_CORE {
        return Ok(false);
    }
    let mut set = CpuSet::new();
    set.set(GENERATOR_CORE);
    sched_setaffinity(None, &set)?;
    Ok(true)
}

/// A command that keeps to these cores, also with its first threads; or to none, where the machine has only one.
#[must_use]
pub fn on(these: &str, program: impl AsRef<OsStr>) -> Command {
    if cores() <= GENERATOR_CORE {
        return Command::new(program);
    }
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", these]).arg(program);
    command
}

/// The cores for several servers and their databases: all but the generator's.
#[must_use]
pub fn cores_of_servers() -> String {
    let others: Vec<_> = (0..cores()).filter(|core| *core != GENERATOR_CORE).map(|core| core.to_string()).collect();
    others.join(",")
}

/// How many cores are online, whatever this process may use of them.
#[must_use]
pub fn cores() -> usize {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    text.lines().filter(|line| line.starts_with("processor")).count().max(1)
}

/// The machine in words: processor, cores, memory, kernel, file system of this folder.
#[must_use]
pub fn machine(folder: &Path) -> String {
    let read = |file| fs::read_to_string(file).unwrap_or_default();
    let info = read("/proc/cpuinfo");
    let model = info.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split(':').nth(1));
    let memory = kib_in("/proc/meminfo", "MemTotal:").unwrap_or_default() as f64 / 1024.0 / 1024.0;
    let kernel = read("/proc/sys/kernel/osrelease");
    let kernel: Vec<&str> = kernel.trim().split(['.', '-']).take(2).collect();
    format!(
        "{} ({} cores online), {memory:.0} GiB, Linux {}, database on {}",
        model.unwrap_or("a processor without a name").trim(),
        cores(),
        kernel.join("."),
        file_system(folder),
    )
}

/// The type of the file system that holds this folder, as mounted.
fn file_system(folder: &Path) -> String {
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    let folder = folder.canonicalize().unwrap_or_default();
    let mount = mounts.lines().filter_map(|line| {
        let mut words = line.split_whitespace().skip(1);
        Some((words.next()?, words.next()?))
    });
    let holds = mount.filter(|(point, _)| folder.starts_with(point)).max_by_key(|(point, _)| point.len());
    holds.map_or_else(|| "an unknown file system".to_owned(), |(_, kind)| kind.to_owned())
}

/// Whether this folder lies on a disk, so that writing through to it means something.
///
/// # Errors
/// When there is no such folder.
pub fn is_on_disk(folder: &Path) -> io::Result<bool> {
    let kind = rustix::fs::statfs(folder)?.f_type as u64;
    Ok(kind != TMPFS)
}

/// How many descriptors a process may have open, this one and those it starts.
#[must_use]
pub fn descriptors() -> usize {
    let limit = getrlimit(Resource::Nofile);
    usize::try_from(limit.current.or(limit.maximum).unwrap_or(1024)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_is_ended_is_gone_and_its_processor_time_is_ours() {
        // Of those that have been waited for, in ticks (proc(5), fields 16 and 17).
        let of_children = || -> u64 {
            let stat = fs::read_to_string("/proc/self/stat").unwrap();
            let fields = stat.rsplit_once(')').unwrap().1.split_whitespace().skip(16 - 3).take(2);
            fields.map(|field| field.parse::<u64>().unwrap()).sum()
        };
        let before = of_children();
        let mut busy = Command::new("sh").args(["-c", "while :; do :; done"]).kill_on_drop(true).spawn().unwrap();
        let pid = busy.id().unwrap();
        while cpu_time(pid).unwrap() < Duration::from_millis(50) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        end(&mut busy, Signal::KILL);
        assert!(!Path::new(&format!("/proc/{pid}")).exists());
        assert!(of_children() >= before + 5, "50 ms are five ticks");
    }
}
