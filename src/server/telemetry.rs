//! Logs: sentences that read well alone, with fields of the same name everywhere, and whose work each is about. No bodies, no
//! secrets, no personal data, no query strings. *Runs: server.*

use std::{
    fmt,
    io::{IsTerminal, stderr},
};

use tracing::{Event, Subscriber};
use tracing_subscriber::{
    EnvFilter,
    filter::LevelFilter,
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::{Format, Json, Writer},
    },
    registry::LookupSpan,
};

use super::{config::Config, trace};

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
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    if config.log_json {
        builder.json().map_event_format(|format: Format<Json>| Lines { format, end: Some("}") }).init();
    } else {
        // In a file the codes of colours would stand between a field and its value.
        let in_colour = stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty());
        builder.map_event_format(|format| Lines { format: format.with_ansi(in_colour), end: None }).init();
    }
    if let Some(error) = wrong {
        tracing::warn!(%error, "LOG_LEVEL cannot be read; logging at info");
    }
}

/// Lines that end with whose work they are about, see [`trace`].
struct Lines<F> {
    format: F,
    /// What closes a line in JSON.
    end: Option<&'static str>,
}

impl<S, N, F> FormatEvent<S, N> for Lines<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut to: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let Some(trace) = trace::current() else { return self.format.format_event(context, to, event) };
        let mut line = String::new();
        self.format.format_event(context, Writer::new(&mut line), event)?;
        let line = line.trim_end();
        let [(of, id), (name, value)] = trace.fields();
        match self.end.and_then(|end| line.strip_suffix(end)) {
            Some(open) => writeln!(to, r#"{open},"{of}":"{id}","{name}":"{value}"}}"#),
            None => writeln!(to, "{line} {of}={id} {name}={value}"),
        }
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
