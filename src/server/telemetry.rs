//! Logs: sentences that read well alone, with fields of the same name everywhere. No bodies, no secrets, no personal
//! data, no query strings. *Runs: server.*

use tracing_subscriber::{EnvFilter, filter::LevelFilter};

use super::config::Config;

/// A bare level is ours alone below `info`: what libraries say there can hold whole messages. Who wants that says so
/// with directives of their own.
fn directives(level: &str) -> String {
    match level.parse::<LevelFilter>() {
        Ok(level) if level > LevelFilter::INFO => format!("info,vestibule={level}"),
        _ => level.to_owned(),
    }
}

/// Begins to log to standard error. A level that cannot be read counts as `info`, and that is said.
pub fn init(config: &Config) {
    let (filter, wrong) = match EnvFilter::try_new(directives(&config.log_level)) {
        Ok(filter) => (filter, None),
        Err(error) => (EnvFilter::new("info"), Some(error)),
    };
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if config.log_json {
        builder.json().init();
    } else {
        builder.init();
    }
    if let Some(error) = wrong {
        tracing::warn!(%error, "LOG_LEVEL cannot be read; logging at info");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_level_below_info_is_ours_alone_however_it_is_written() {
        for level in ["trace", "TRACE", "Debug", "5"] {
            assert!(directives(level).starts_with("info,vestibule="), "{level}");
        }
        for level in ["info", "warn", "off", "vestibule=trace", "hyper=debug,info"] {
            assert_eq!(directives(level), level);
        }
    }
}
