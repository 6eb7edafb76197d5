//! The keys of a server. *Runs: server.*

use std::path::{Path, PathBuf};

use crate::server::{
    config::Config,
    secrets::{KeyError, KeyRing, SecretKey},
    store::path_of,
};

/// The keys of a configuration. Where none is set, the present one lies beside the database.
///
/// # Errors
/// When the key's file cannot be used.
pub fn keys(config: &Config) -> Result<KeyRing, KeyError> {
    let present = match &config.secret_key {
        Some(key) => key.clone(),
        None => {
            let path = key_file(&config.database_url.0);
            let is_late = !path.exists() && path_of(&config.database_url.0).is_some_and(|database| database.exists());
            let key = SecretKey::from_file(&path)?;
            if is_late {
                tracing::warn!(
                    key = %path.display(),
                    "the database was here before its key, so a new one was made: what another key sealed in it does not open. If \
                     there was one, stop, and bring that file back or set SECRET_KEY; `vestibule doctor` counts what does not open"
                );
            }
            key
        }
    };
    Ok(KeyRing::new(present, config.old_keys.clone()))
}

/// Where the key lies of a file that has one beside it: `vestibule.db` has it in `vestibule.key`.
#[must_use]
pub fn key_file(database_url: &str) -> PathBuf {
    let path = database_url.trim_start_matches("sqlite://");
    let path = path.split('?').next().unwrap_or_default();
    Path::new(path).with_extension("key")
}
