//! The key, the database and what is sealed in it. *Runs: server.*

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use super::{Finding, clocks::Clocks, machine};
use crate::server::{
    clock::Clock,
    config::Config,
    secrets::{KeyRing, SecretKey},
    startup::key_file,
    store::{Inspection, SealedRows, Tables, Unusable, inspect, name_of, of_place, path_of},
};

const KEY: &str = "key";
const DATABASE: &str = "database";
const SEALED: &str = "sealed data";

pub(super) async fn examine(config: &Config, clocks: &mut Clocks, tell: &mut dyn FnMut(Finding)) {
    let url = &config.database_url.0;
    let (name, path) = (name_of(url), path_of(url));
    let keys = keys(config, path.as_deref().is_some_and(Path::exists), tell);
    if let Some(path) = &path {
        if !path.exists() {
            tell(match of_place(path) {
                Some(why) => Finding::fault(DATABASE, format!("{name} cannot be made at the first start"), why),
                None => Finding::ok(DATABASE, format!("{name} is made at the first start")),
            });
            return;
        }
        tell(machine::space(path));
    }
    let asked = Clock::default().now();
    let Inspection { tables, unwritable, now, sealed } = match inspect(url, keys.as_ref()).await {
        Ok(inspection) => inspection,
        Err(error) => {
            let mend = "what is sealed in it is looked at once it can be used";
            tell(Finding::fault(DATABASE, Unusable::new(url, error).to_string(), mend));
            return;
        }
    };
    if let Some(now) = now {
        clocks.note("PostgreSQL", now, 1, asked, Clock::default().now());
    }
    if let Some(why) = unwritable {
        tell(Finding::fault(DATABASE, format!("{name} can be read and not written"), why));
    }
    tell(match tables {
        Tables::None => Finding::ok(DATABASE, format!("{name} has no tables yet: the first start makes them")),
        Tables::UpToDate => Finding::ok(DATABASE, format!("{name} opens, and its tables are up to date")),
        Tables::Older => Finding::warning(
            DATABASE,
            format!("the tables of {name} are older than this version of the program"),
            "the next start brings them up to date, as `vestibule migrate` does; an older version does not start on them afterwards, so \
             make a backup first",
        ),
    });
    if tables == Tables::UpToDate {
        tell(opens(sealed));
    }
}

/// The keys there are. None is made.
fn keys(config: &Config, has_database: bool, tell: &mut dyn FnMut(Finding)) -> Option<KeyRing> {
    let present = if let Some(key) = &config.secret_key {
        tell(Finding::ok(KEY, "SECRET_KEY is set"));
        key.clone()
    } else {
        let path = key_file(&config.database_url.0);
        let shown = path.display();
        if !path.exists() {
            tell(if has_database {
                let mend = "the next start makes a new one. If there was one, bring it back, or set SECRET_KEY to what it held";
                Finding::warning(KEY, format!("there is a database and no key file {shown} beside it"), mend)
            } else {
                Finding::ok(KEY, format!("the key file {shown} is made at the first start"))
            });
            return None;
        }
        let others_may = fs::metadata(&path).is_ok_and(|about| about.permissions().mode() & 0o077 != 0);
        match SecretKey::read(&path) {
            Ok(key) if others_may => {
                let mend = format!("`chmod 600 {shown}`");
                tell(Finding::warning(KEY, format!("others on this machine may use the key file {shown}"), mend));
                key
            }
            Ok(key) => {
                tell(Finding::ok(KEY, format!("it is in the file {shown}")));
                key
            }
            Err(error) => {
                tell(Finding::fault(KEY, error.to_string(), ""));
                return None;
            }
        }
    };
    Some(KeyRing::new(present, config.old_keys.clone()))
}

fn opens(sealed: SealedRows) -> Finding {
    let SealedRows { present, old, lost } = sealed;
    let all = present + old + lost;
    if lost > 0 {
        let mend = "their key is neither SECRET_KEY (or the key file) nor in SECRET_KEY_OLD: bring it back from where the backups of \
                    this server's configuration are. What nobody has a key for is lost, and is deleted when its time comes";
        return Finding::fault(SEALED, format!("{lost} of {all} values cannot be opened"), mend);
    }
    if old > 0 {
        let mend = "`vestibule reencrypt` seals them with the present one; until then SECRET_KEY_OLD has to stay";
        return Finding::warning(SEALED, format!("{old} of {all} values open with an older key only"), mend);
    }
    Finding::ok(
        SEALED,
        if all == 0 { "there is none yet".to_owned() } else { format!("{all} values, and all of them open") },
    )
}
