//! The program: reads its configuration, starts, and runs until it is told to stop.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program talks to its terminal")]

use std::{collections::BTreeMap, path::PathBuf, process::ExitCode};

use vestibule::server::{
    clock::Clock,
    commands,
    config::{self, Config},
    doctor,
    startup::{self, Server},
    telemetry,
};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// What the program is told to do.
enum Command {
    Serve,
    Migrate,
    Export(PathBuf),
    Import(PathBuf),
    Backup(PathBuf),
    Restore(PathBuf),
    Reencrypt,
    Health,
    Doctor,
    RegisterWebhook,
    ShowWebhook,
    Help,
    Version,
}

impl Command {
    /// Reads it from the arguments; otherwise what is wrong with them.
    fn from_arguments(arguments: &[String]) -> Result<Self, String> {
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        Ok(match words[..] {
            [] => Self::Serve,
            ["migrate"] => Self::Migrate,
            ["export", file] => Self::Export(file.into()),
            ["import", file] => Self::Import(file.into()),
            ["backup", file] => Self::Backup(file.into()),
            ["restore", file] => Self::Restore(file.into()),
            [command @ ("export" | "import" | "backup" | "restore"), ..] => {
                return Err(format!("`{command}` needs the name of one file"));
            }
            ["reencrypt"] => Self::Reencrypt,
            ["health"] => Self::Health,
            ["doctor"] => Self::Doctor,
            ["webhook", "register"] => Self::RegisterWebhook,
            ["webhook", "show"] => Self::ShowWebhook,
            ["webhook", ..] => return Err("`webhook` needs one of the words register and show".to_owned()),
            ["--help" | "-h" | "help", ..] => Self::Help,
            ["--version" | "-V", ..] => Self::Version,
            _ => return Err(format!("there is no `{}`; try --help", words.join(" "))),
        })
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let command = match Command::from_arguments(&arguments) {
        Ok(Command::Help) => {
            print!("{}", config::help());
            return ExitCode::SUCCESS;
        }
        Ok(Command::Version) => {
            println!("vestibule {}", env!("CARGO_PKG_VERSION"));
            return ExitCode::SUCCESS;
        }
        Ok(command) => command,
        Err(problem) => {
            eprintln!("vestibule: {problem}");
            return ExitCode::from(2);
        }
    };
    match run(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("vestibule: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Runtime::new()?;
    let ended = runtime.block_on(configured(command));
    // What still runs on a thread of its own, such as a look-up of a name, would otherwise be waited for.
    runtime.shutdown_background();
    ended
}

async fn configured(command: Command) -> Result<(), Box<dyn std::error::Error>> {
    let config = configuration();
    if matches!(command, Command::Doctor) {
        return examine(config).await;
    }
    let config = config?;
    telemetry::init(&config);
    let done = match command {
        Command::Migrate => commands::migrate(&config).await?,
        Command::Export(path) => commands::export(&config, &path).await?,
        Command::Import(path) => commands::import(&config, &path).await?,
        Command::Backup(path) => commands::backup(&config, &path)?,
        Command::Restore(path) => commands::restore(&config, &path).await?,
        Command::Reencrypt => commands::reencrypt(&config).await?,
        Command::Health => commands::health(&config).await?,
        Command::RegisterWebhook => commands::webhook::register(&config).await?,
        Command::ShowWebhook => commands::webhook::show(&config).await?,
        Command::Serve | Command::Doctor | Command::Help | Command::Version => return serve(config).await,
    };
    println!("{done}");
    Ok(())
}

/// The configuration, from the environment and the file `.env`.
fn configuration() -> Result<Config, Box<dyn std::error::Error>> {
    match dotenvy::dotenv() {
        // Its own words repeat the line, which may hold a secret.
        Err(dotenvy::Error::LineParse(..)) => {
            return Err(
                "the file .env cannot be read: a line in it is not NAME=value, or lacks a quotation mark".into()
            );
        }
        Err(error) if !error.not_found() => return Err(format!("the file .env cannot be read: {error}").into()),
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
    Ok(Config::from_variables(&variables)?)
}

/// Says what the doctor finds, as it is found. It fails where anything is at fault.
async fn examine(config: Result<Config, Box<dyn std::error::Error>>) -> Result<(), Box<dyn std::error::Error>> {
    let config = config.map_err(|error| error.to_string());
    match doctor::examine(config, &mut |finding| println!("{finding}")).await {
        0 => Ok(()),
        1 => Err("one thing is at fault".into()),
        faults => Err(format!("{faults} things are at fault").into()),
    }
}

async fn serve(config: Config) -> Result<(), Box<dyn std::error::Error>> {
    let shows_admin_token = config.admin_token.is_none();
    let server = Server::start(config, Clock::default()).await?;
    print!("{}", startup::greeting(&server, shows_admin_token));
    Ok(server.run(told_to_stop()).await?)
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
