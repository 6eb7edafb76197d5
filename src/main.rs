//! The program: reads its configuration, starts, and runs until it is told to stop.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program talks to its terminal")]

use std::{collections::BTreeMap, process::ExitCode, sync::Arc};

use vestibule::server::{
    clock::Clock,
    config::{self, Config},
    startup::{self, Server},
    store::{Resealed, Store},
    telemetry,
};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let command = std::env::args().nth(1);
    let reencrypts = match command.as_deref() {
        None => false,
        Some("reencrypt") => true,
        Some("--help" | "-h" | "help") => {
            print!("{}", config::help());
            return ExitCode::SUCCESS;
        }
        Some("--version" | "-V") => {
            println!("vestibule {}", env!("CARGO_PKG_VERSION"));
            return ExitCode::SUCCESS;
        }
        Some(other) => {
            eprintln!("vestibule: there is no `{other}`; try --help");
            return ExitCode::from(2);
        }
    };
    match run(reencrypts) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("vestibule: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(reencrypts: bool) -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Runtime::new()?;
    let ended = runtime.block_on(configured(reencrypts));
    // What still runs on a thread of its own, such as a look-up of a name, would otherwise be waited for.
    runtime.shutdown_background();
    ended
}

async fn configured(reencrypts: bool) -> Result<(), Box<dyn std::error::Error>> {
    match dotenvy::dotenv() {
        Err(error) if !error.not_found() => return Err(format!("the file .env: {error}").into()),
        _ => {}
    }
    let mut variables: BTreeMap<String, String> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    // Containers and some shells set HOSTNAME to the machine's name: nobody's wish about where to listen.
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    if variables.get("HOSTNAME").is_some_and(|name| name == machine.trim()) {
        variables.remove("HOSTNAME");
    }
    let config = Config::from_variables(&variables)?;
    telemetry::init(&config);
    if reencrypts {
        return reencrypt(&config).await;
    }
    let shows_admin_token = config.admin_token.is_none();
    let server = Server::start(config, Clock::default()).await?;
    greet(&server, server.local_addr()?.port(), shows_admin_token);
    Ok(server.run(told_to_stop()).await?)
}

/// Seals everything anew with the present key. A server on the same database may go on meanwhile.
async fn reencrypt(config: &Config) -> Result<(), Box<dyn std::error::Error>> {
    let store = Store::open(&config.database_url.0, 2, Arc::new(startup::keys(config)?)).await?;
    let Resealed { changed, kept, lost } = store.reseal().await?;
    store.close().await;
    println!("{changed} sealed anew, {kept} were already sealed with this key");
    if lost > 0 {
        return Err(format!("{lost} cannot be opened: their key is neither SECRET_KEY nor in SECRET_KEY_OLD").into());
    }
    Ok(())
}

/// What a person at a terminal wants to know.
fn greet(server: &Server, port: u16, shows_admin_token: bool) {
    let app = server.app();
    println!("Vestibule is open at {}", app.public_url);
    if app.config.hostname.is_unspecified() {
        println!("  on this machine      http://localhost:{port}/");
        if let Some(address) = vestibule::server::startup::lan_address() {
            println!("  from a phone nearby  http://{address}:{port}/");
        }
    }
    if let Some(address) = server.metrics_addr() {
        println!("  metrics              http://{address}/metrics");
    }
    if app.is_sandbox() {
        println!("  platform             the sandbox: nothing here is real; the code opens a simulated wallet");
        if !app.config.hostname.is_unspecified() {
            println!("  to use a phone       start with HOSTNAME=0.0.0.0");
        }
        if let Some(token) = app.admin_token.as_ref().filter(|_| shows_admin_token) {
            println!("  ADMIN_TOKEN          {}", token.0);
        }
    }
}

/// Ctrl-C, or the signal that service managers send.
async fn told_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        }
        Err(error) => {
            tracing::error!(%error, "cannot hear the signal to stop; Ctrl-C still works");
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}
