//! Points in time and lengths of time, as the database and the wire know them. *Runs: both.*

use std::time::{Duration, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00:00Z, never negative in practice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// This time, later by a length of time.
    #[must_use]
    pub fn plus(self, length: Duration) -> Self {
        Self(self.0.saturating_add(millis(length)))
    }

    /// This time, earlier by a length of time.
    #[must_use]
    pub fn minus(self, length: Duration) -> Self {
        Self(self.0.saturating_sub(millis(length)))
    }

    /// Milliseconds from `earlier` until this time; zero when that is already past.
    #[must_use]
    pub fn since(self, earlier: Self) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0)
    }

    /// RFC 3339 in UTC with milliseconds, for instance `2026-03-02T10:15:00.180Z`.
    #[must_use]
    pub fn rfc3339(self) -> String {
        let since_epoch = Duration::from_millis(u64::try_from(self.0).unwrap_or(0));
        humantime::format_rfc3339_millis(UNIX_EPOCH + since_epoch).to_string()
    }
}

/// The parts of a time that people read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CalendarTime<'a> {
    /// `2026`
    pub year: &'a str,
    /// From 1.
    pub month: u8,
    /// Of the month, from 1.
    pub day: u8,
    /// `10:15`
    pub time: &'a str,
}

impl<'a> CalendarTime<'a> {
    /// Of a time in RFC 3339 and UTC; `None` of a text of another form.
    #[must_use]
    pub fn read(rfc3339: &'a str) -> Option<Self> {
        let (date, time) = rfc3339.split_once('T')?;
        let mut date = date.split('-');
        let (year, month, day) = (date.next()?, date.next()?.parse().ok()?, date.next()?.parse().ok()?);
        (1..=12).contains(&month).then_some(Self { year, month, day, time: time.get(..5)? })
    }
}

/// A length of time in whole milliseconds; everything longer than i64 can hold becomes its maximum.
fn millis(length: Duration) -> i64 {
    i64::try_from(length.as_millis()).unwrap_or(i64::MAX)
}

/// A unit of time that people count in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Of 24 hours.
    Days,
    /// Of 60 minutes.
    Hours,
    /// Of 60 seconds.
    Minutes,
    /// The smallest.
    Seconds,
}

/// A length of time in the unit that people would choose. Where it is no whole number of a unit it is rounded up, so that
/// nothing is promised sooner than it comes.
#[must_use]
pub fn in_units(length: Duration) -> (u64, Unit) {
    let seconds = length.as_secs().saturating_add(u64::from(length.subsec_nanos() > 0));
    let units = [(24 * 60 * 60, Unit::Days), (60 * 60, Unit::Hours), (60, Unit::Minutes)];
    // From two of a unit on, a part of it more or less does not matter.
    let fits = |unit: u64| seconds >= 2 * unit || seconds == unit;
    let (unit, name) = units.into_iter().find(|(unit, _)| fits(*unit)).unwrap_or((1, Unit::Seconds));
    (seconds.div_ceil(unit), name)
}

/// A length of time in English: `90 days`, `36 hours`, `10 minutes`.
#[must_use]
pub fn in_words(length: Duration) -> String {
    let (count, unit) = in_units(length);
    let name = match unit {
        Unit::Days => "day",
        Unit::Hours => "hour",
        Unit::Minutes => "minute",
        Unit::Seconds => "second",
    };
    format!("{count} {name}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_is_said_in_the_unit_that_people_would_choose() {
        let said = |text: &str| in_words(humantime::parse_duration(text).unwrap());
        assert_eq!(said("90d"), "90 days");
        assert_eq!(said("1y"), "366 days");
        assert_eq!(said("24h"), "1 day");
        assert_eq!(said("36h"), "36 hours");
        assert_eq!(said("1h"), "1 hour");
        assert_eq!(said("90m"), "90 minutes");
        assert_eq!(said("61s"), "61 seconds");
        assert_eq!(said("1500ms"), "2 seconds");
        assert_eq!(in_words(Duration::MAX), "213503982334602 days");
    }

    #[test]
    fn a_timestamp_is_written_as_rfc_3339() {
        assert_eq!(Timestamp(1_772_446_500_180).rfc3339(), "2026-03-02T10:15:00.180Z");
    }

    #[test]
    fn a_time_has_the_parts_that_people_read() {
        let last = CalendarTime { year: "2026", month: 12, day: 31, time: "23:59" };
        assert_eq!(CalendarTime::read("2026-12-31T23:59:59.999Z"), Some(last));
        for text in ["", "T", "2026-00-02T10:15", "2026-13-02T10:15", "2026-03-02T1"] {
            assert_eq!(CalendarTime::read(text), None);
        }
    }

    #[test]
    fn lengths_never_wrap_and_never_turn_negative() {
        let now = Timestamp(1_000);
        assert_eq!(now.plus(Duration::from_secs(2)), Timestamp(3_000));
        assert_eq!(now.minus(Duration::from_millis(1)), Timestamp(999));
        assert_eq!(Timestamp(i64::MAX).plus(Duration::MAX), Timestamp(i64::MAX));
        assert_eq!(now.since(Timestamp(400)), 600);
        assert_eq!(now.since(Timestamp(4_000)), 0);
    }
}
