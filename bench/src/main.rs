//! The benchmark: Vestibule's release binary beside bare floors and a Node server, in one run on one machine. Ratios inside
//! a run count; absolute figures are for orientation. `docs/performance.md` says what each figure means.
//!
//! The server has one core and the generator, with the stub of the platform, another. Loopback only, bounded in count and
//! time; processes and files are gone at the end, also after an error or Ctrl-C. *Runs: generator, floors.*

mod board;
mod databases;
mod desk;
mod floor;
mod flow;
mod http;
mod options;
mod platform;
mod process;
mod report;
mod scenarios;
mod serve;
mod server;
mod stats;
mod template;
mod webhook;

use std::{fs, io, path::Path, process::ExitCode, rc::Rc, time::Instant};

use options::Options;
use platform::Platform;
use report::{Report, figures_table, targets_table};
use scenarios::Bench;
use server::Programs;
use tokio::{
    runtime,
    signal::unix::{SignalKind, signal},
    task::LocalSet,
};

/// The share of the machine from which on others disturb what is measured.
const QUIET: f64 = 0.1;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // One thread: one core is all there is for it.
    let result = runtime::Builder::new_current_thread().enable_all().build().and_then(|runtime| {
        if let [floor, port, file @ ..] = &arguments[..]
            && floor == "floor"
        {
            let port = port.parse().map_err(io::Error::other)?;
            return runtime.block_on(floor::run(port, file.first().map(Path::new)));
        }
        match Options::read(&arguments) {
            Ok(Some(options)) => LocalSet::new().block_on(&runtime, until_stopped(&options)),
            Ok(None) => {
                print!("{}", options::HELP);
                Ok(())
            }
            Err(problem) => Err(io::Error::other(problem)),
        }
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Measures, unless it is told to stop; in any case servers and files are dropped before it returns.
async fn until_stopped(options: &Options) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        result = measure(options) => result,
        _ = tokio::signal::ctrl_c() => Err(io::Error::other("interrupted")),
        _ = terminate.recv() => Err(io::Error::other("told to stop")),
    }
}

async fn measure(options: &Options) -> io::Result<()> {
    let pinned = process::keep_to_own_core()?;
    let root = std::env::current_dir()?;
    let scratch = root.join("target");
    fs::create_dir_all(&scratch)?;
    if !process::is_on_disk(&scratch)? {
        return Err(io::Error::other("target/ lies in memory: nothing written there would be durable"));
    }
    let bench = Bench {
        programs: Programs {
            vestibule: root.join(&options.binary),
            site: root.join(&options.site),
            desk: root.join("registration.toml"),
            node: root.join("bench/node-ws/server.mjs"),
            scratch: scratch.clone(),
        },
        platform: Rc::new(Platform::start()?),
        quick: options.quick,
    };
    let mut report = Report::default();
    report.circumstances.push(process::machine(&scratch));
    report.circumstances.push(
        if pinned {
            "the server on one core, the generator with the stub of the platform on another"
        } else {
            "server and generator on the same single core: no figure means much"
        }
        .to_owned(),
    );
    let (rounds, size) = (options.rounds, if options.quick { "small sizes" } else { "full sizes" });
    report
        .circumstances
        .push(format!("{size}; median of {rounds}, rounds interleaved; databases with synchronous=FULL"));
    for line in &report.circumstances {
        eprintln!("{line}");
    }
    let load = process::Load::begin()?;
    for (letter, about) in scenarios::ALL.iter().filter(|(letter, _)| options.only.contains(letter)) {
        for round in 1..=rounds {
            for kind in scenarios::servers(*letter).iter().filter(|kind| options.servers.contains(kind)) {
                eprintln!("{letter} {about}: {}, round {round} of {rounds}", kind.name());
                let began = Instant::now();
                let result = scenarios::run(*letter, &bench, *kind, &mut report).await;
                result.map_err(|error| io::Error::other(format!("{letter}, {}: {error}", kind.name())))?;
                eprintln!("  {:.0} s", began.elapsed().as_secs_f64());
            }
        }
    }
    let others = load.others()? * 100.0;
    report.circumstances.push(format!("everything else on the machine used {others:.0} % of it meanwhile"));
    if others > QUIET * 100.0 {
        report.remark("the machine was not quiet: of this run only counts and processor times are worth anything");
    }
    println!("\n{}\n{}", figures_table(&report), targets_table(&report));
    for remark in report.remarks() {
        println!("{remark}");
    }
    println!("everything else on the machine used {others:.0} % of it meanwhile");
    if options.write {
        report::write(&report, &root.join("docs"))?;
    }
    Ok(())
}
