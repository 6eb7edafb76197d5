//! What this machine gives: files, space on its disk, and the files for the browser. *Runs: server.*

use std::path::Path;

use super::Finding;
use crate::server::{config::Config, guests::Files, router::missing_files};

/// With less than this, nothing may be stored any more at any moment.
const LEAST: u64 = 16 * MIB;
/// With less than this somebody should look, and with less than the database takes: a copy needs as much.
const LITTLE: u64 = 256 * MIB;
const MIB: u64 = 1024 * 1024;

const SPACE: &str = "space";
const FILES: &str = "open files";
const SITE: &str = "site";

/// The space that is left where SQLite's file is.
pub(super) fn space(file: &Path) -> Finding {
    let free = match rustix::fs::statvfs(file) {
        Ok(about) => about.f_bavail.saturating_mul(about.f_frsize),
        Err(error) => {
            return Finding::warning(SPACE, format!("the system does not say how much is left ({error})"), "");
        }
    };
    let size = std::fs::metadata(file).map_or(0, |about| about.len());
    let said = format!("{} MiB are left where the database is, which has {} MiB", free / MIB, size.div_ceil(MIB));
    let mend = "make room there, or move the database. While there is none, webhooks are answered with 503, and the platform gives them \
                up after seconds";
    if free < LEAST {
        Finding::fault(SPACE, said, mend)
    } else if free < LITTLE.max(size) {
        Finding::warning(SPACE, said, mend)
    } else {
        Finding::ok(SPACE, said)
    }
}

/// The limit of open files, which is raised as a start does.
pub(super) fn files(config: &Config) -> Finding {
    let (room, most) = (Files::raise().for_sockets(), config.max_clients);
    if room >= most {
        return Finding::ok(FILES, format!("there may be enough for MAX_CLIENTS ({most})"));
    }
    Finding::warning(
        FILES,
        format!("the limit leaves room for {room} sockets, and MAX_CLIENTS is {most}"),
        "that is the limit of this shell; a service has its own (LimitNOFILE= with systemd, ulimits: in compose.yaml). Raise it, or \
         lower MAX_CLIENTS to what you expect",
    )
}

/// The files for the browser.
pub(super) fn site(config: &Config) -> Finding {
    let missing: Vec<String> = missing_files(&config.site_root).iter().map(|file| file.display().to_string()).collect();
    if missing.is_empty() {
        return Finding::ok(SITE, format!("the files for the browser are in {}", config.site_root.display()));
    }
    Finding::fault(
        SITE,
        format!("there is no {}", missing.join(", no ")),
        "without them the pages have no looks and are not live. Start from the folder that target/site is in, or set LEPTOS_SITE_ROOT to \
         where they are; they have to be of the same build as the program (`make build`)",
    )
}
