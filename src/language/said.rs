//! What the program knows, in words. *Runs: server.*

use std::time::Duration;

use super::tr;
use crate::domain::{
    contact::ContactFault,
    desk::{Condition, Predicate},
    stage::Stage,
    time::{CalendarTime, Unit, in_units},
};

/// A length of time: `90 days`.
#[must_use]
pub fn length_of_time(length: Duration) -> String {
    let (count, unit) = in_units(length);
    match unit {
        Unit::Days => tr!("time-days", count = count),
        Unit::Hours => tr!("time-hours", count = count),
        Unit::Minutes => tr!("time-minutes", count = count),
        Unit::Seconds => tr!("time-seconds", count = count),
    }
}

/// A time in RFC 3339 and UTC as people read it: `2 March 2026, 10:15 UTC`. A text of another form comes back as it is.
#[must_use]
pub fn point_in_time(rfc3339: &str) -> String {
    let Some(CalendarTime { year, month, day, time }) = CalendarTime::read(rfc3339) else { return rfc3339.to_owned() };
    let month = tr!("time-month", month = month);
    tr!("time-date", day = day, month = month, year = year, time = time)
}

/// A condition on a number: `at least 60`.
#[must_use]
pub fn condition(Predicate { condition, value }: Predicate) -> String {
    match condition {
        Condition::AtLeast => tr!("register-at-least", value = value),
        Condition::AtMost => tr!("register-at-most", value = value),
        Condition::MoreThan => tr!("register-more-than", value = value),
        Condition::LessThan => tr!("register-less-than", value = value),
    }
}

/// What is wrong with what was typed, and how to mend it.
#[must_use]
pub fn fault(fault: ContactFault) -> String {
    match fault {
        ContactFault::EmailMissing => tr!("fault-email-missing"),
        ContactFault::EmailParts => tr!("fault-email-parts"),
        ContactFault::EmailSigns => tr!("fault-email-signs"),
        ContactFault::EmailDots => tr!("fault-email-dots"),
        ContactFault::EmailDomain => tr!("fault-email-domain"),
        ContactFault::EmailLong => tr!("fault-email-long"),
        ContactFault::PhoneMissing => tr!("fault-phone-missing"),
        ContactFault::PhoneSigns => tr!("fault-phone-signs"),
        ContactFault::PhoneCountry => tr!("fault-phone-country"),
        ContactFault::PhoneLength => tr!("fault-phone-length"),
    }
}

/// What happens now in a stage, in one sentence, with this name for the wallet.
#[must_use]
pub fn now(stage: Stage, wallet: &str) -> String {
    match stage {
        Stage::Waiting => tr!("now-waiting"),
        Stage::Scanned => tr!("now-scanned", wallet = wallet),
        Stage::Connected => tr!("now-connected", wallet = wallet),
        Stage::Requested => tr!("now-requested", wallet = wallet),
        Stage::Presented => tr!("now-presented"),
        Stage::Verified => tr!("now-verified"),
        Stage::Submitted => tr!("now-submitted"),
        Stage::Declined => tr!("now-declined"),
        Stage::Invalid => tr!("now-invalid"),
        Stage::Abandoned => tr!("now-abandoned"),
        Stage::Expired => tr!("now-expired"),
        Stage::Cancelled => tr!("now-cancelled"),
        Stage::Failed => tr!("now-failed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::{Language, speaking};

    fn in_french<T>(say: impl FnOnce() -> T) -> T {
        speaking(Language::French, say)
    }

    #[test]
    fn times_are_said_as_each_language_says_them() {
        let (time, day) = ("2026-03-02T10:15:00.180Z", Duration::from_secs(24 * 60 * 60));
        assert_eq!(point_in_time(time), "2 March 2026, 10:15 UTC");
        assert_eq!(length_of_time(day), "1 day");
        assert_eq!(length_of_time(90 * day), "90 days");
        assert_eq!(in_french(|| point_in_time(time)), "2 mars 2026, 10:15 UTC");
        assert_eq!(in_french(|| length_of_time(90 * day)), "90 jours");
        assert_eq!(point_in_time("soon"), "soon");
    }

    #[test]
    fn what_is_put_in_stands_as_it_is() {
        assert_eq!(now(Stage::Scanned, "{ $wallet } & <b>"), "Connecting to { $wallet } & <b>");
        let at_least = Predicate { condition: Condition::AtLeast, value: -60_000 };
        assert_eq!(condition(at_least), "at least -60000");
        assert_ne!(in_french(|| fault(ContactFault::PhoneCountry)), fault(ContactFault::PhoneCountry));
    }
}
