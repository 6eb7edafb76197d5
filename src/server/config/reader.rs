//! How single variables are read: each value parsed, what is wrong with it noted, and the default instead so that the other
//! mistakes are found too. *Runs: server.*

use std::{collections::BTreeMap, str::FromStr, time::Duration};

use reqwest::Url;

use super::VARIABLES;

/// The variables as they are set, and what turned out to be wrong with them.
pub(super) struct Reader<'a> {
    pub(super) set: &'a BTreeMap<String, String>,
    pub(super) problems: Vec<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(set: &'a BTreeMap<String, String>) -> Self {
        Self { set, problems: Vec::new() }
    }

    /// The value of a variable; one that is empty counts as not set.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        debug_assert!(VARIABLES.iter().any(|variable| variable.name == name), "{name} is not in VARIABLES");
        self.set.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    pub(super) fn owned(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }

    /// A parsed value. A wrong one is noted, and the default goes on so that the other mistakes are found too.
    pub(super) fn parse<T>(
        &mut self,
        name: &str,
        default: T,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> T {
        let said = format!("{name} is `{}`; it", self.get(name).unwrap_or_default());
        self.parse_as(name, &said, default, expected, parse)
    }

    /// The same for a value that may hold a password, and is not shown.
    pub(super) fn secret<T>(
        &mut self,
        name: &str,
        default: T,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> T {
        self.parse_as(name, name, default, expected, parse)
    }

    fn parse_as<T>(
        &mut self,
        name: &str,
        said: &str,
        default: T,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> T {
        let Some(value) = self.get(name) else { return default };
        parse(value).unwrap_or_else(|| {
            self.problems.push(format!("{said} has to be {expected}"));
            default
        })
    }

    pub(super) fn length(&mut self, name: &str, default: &str) -> Duration {
        let default = humantime::parse_duration(default).unwrap_or_default();
        self.parse(name, default, "a length of time such as 500ms, 3s, 15m or 24h", |value| {
            humantime::parse_duration(value).ok().filter(|length| !length.is_zero())
        })
    }

    pub(super) fn number<T: FromStr + PartialOrd + Default>(&mut self, name: &str, default: T) -> T {
        self.parse(name, default, "a number above 0", |value| value.parse().ok().filter(|n| *n > T::default()))
    }

    pub(super) fn number_or_off(&mut self, name: &str, default: usize) -> Option<usize> {
        (self.get(name) != Some("off")).then(|| self.number(name, default))
    }

    /// A value without which the chosen platform cannot be used.
    pub(super) fn required(&mut self, name: &str) -> String {
        let Some(value) = self.owned(name) else {
            let platform = self.get("PLATFORM").unwrap_or_default();
            self.problems.push(format!("{name} is not set; PLATFORM={platform} needs it"));
            return String::new();
        };
        value
    }

    pub(super) fn required_url(&mut self, name: &str) -> Option<Url> {
        let text = self.required(name);
        if text.is_empty() {
            return None;
        }
        let url = web_address(&text);
        if url.is_none() {
            // Not as it was set: a password may be in it.
            self.problems.push(format!("{name} has to be an address that begins with http:// or https://"));
        }
        url
    }

    pub(super) fn list<T>(&mut self, name: &str, expected: &str, parse: impl Fn(&str) -> Option<T>) -> Vec<T> {
        self.parse(name, Vec::new(), expected, |value| {
            value.split(',').map(str::trim).filter(|item| !item.is_empty()).map(parse).collect()
        })
    }
}

pub(super) fn web_address(text: &str) -> Option<Url> {
    Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.host().is_some())
}
