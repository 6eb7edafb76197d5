//! The languages of the pages. The texts are in `locales/`, one file for each language; `build.rs` makes them into code, so a
//! key that does not exist is an error of the compiler. *Runs: both; what the browser needs of them the page brings along.*

use std::time::Duration;

use leptos::prelude::use_context;
use leptos_i18n::td_string;

use crate::domain::{
    contact::ContactFault,
    desk::{Condition, Predicate},
    stage::Stage,
    time::{CalendarTime, Unit, in_units},
};

#[allow(missing_docs, unreachable_pub, reason = "made by build.rs")]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/i18n/mod.rs"));
}

pub use generated::i18n::Locale as Language;
pub use leptos_i18n::Locale as LanguageExt;

/// The cookie that keeps the language somebody chose; its value is a tag as in [`from_tag`].
pub const COOKIE: &str = "language";

/// A text in the language of the page that is being drawn: `tr!(home.begin)`, `tr!(now.scanned, wallet = name)`. A `String`.
#[macro_export]
macro_rules! tr {
    ($($key_and_values:tt)*) => {
        ::leptos_i18n::td_string!($crate::language::use_language(), $($key_and_values)*).to_string()
    };
}
pub use crate::tr;

/// The language of the page that is being drawn; English where nobody said.
#[must_use]
pub fn use_language() -> Language {
    use_context().unwrap_or_default()
}

/// The language with this tag (BCP 47), exact.
#[must_use]
pub fn from_tag(tag: &str) -> Option<Language> {
    Language::get_all().iter().copied().find(|language| language.as_str() == tag)
}

/// Its name, in itself.
#[must_use]
pub fn name(language: Language) -> &'static str {
    match language {
        Language::en => "English",
        Language::fr => "Français",
    }
}

/// The best language for somebody who chose `chosen` before, and whose browser asks by `Accept-Language` (RFC 9110 12.5.4).
#[must_use]
pub fn negotiate(chosen: Option<&str>, accepted: Option<&str>) -> Language {
    if let Some(language) = chosen.and_then(from_tag) {
        return language;
    }
    let mut wanted: Vec<(u16, &str)> = accepted.unwrap_or_default().split(',').filter_map(weighed).collect();
    // Stable: of two that are as welcome the first one wins.
    wanted.sort_by_key(|(weight, _)| u16::MAX - weight);
    wanted.into_iter().find_map(|(_, tag)| from_tag(tag.split('-').next()?)).unwrap_or_default()
}

/// `fr-CM;q=0.8` → 800 and `fr-CM`; `None` for what is refused (`q=0`), or is no such thing.
fn weighed(range: &str) -> Option<(u16, &str)> {
    let mut parts = range.split(';').map(str::trim);
    let tag = parts.next().filter(|tag| !tag.is_empty())?;
    let weight = match parts.find_map(|part| part.strip_prefix("q=")) {
        Some(weight) => weight.parse::<f32>().ok().filter(|weight| (0.0..=1.0).contains(weight))?,
        None => 1.0,
    };
    let thousandths = (weight * 1_000.0) as u16;
    (thousandths > 0).then_some((thousandths, tag))
}

/// A length of time: `90 days`.
#[must_use]
pub fn length_of_time(length: Duration) -> String {
    let (count, unit) = in_units(length);
    match unit {
        Unit::Days => tr!(time.days, count = count),
        Unit::Hours => tr!(time.hours, count = count),
        Unit::Minutes => tr!(time.minutes, count = count),
        Unit::Seconds => tr!(time.seconds, count = count),
    }
}

/// A time in RFC 3339 and UTC as people read it: `2 March 2026, 10:15 UTC`. A text of another form comes back as it is.
#[must_use]
pub fn point_in_time(rfc3339: &str) -> String {
    let Some(CalendarTime { year, month, day, time }) = CalendarTime::read(rfc3339) else { return rfc3339.to_owned() };
    let month = match month {
        1 => tr!(time.month.m1),
        2 => tr!(time.month.m2),
        3 => tr!(time.month.m3),
        4 => tr!(time.month.m4),
        5 => tr!(time.month.m5),
        6 => tr!(time.month.m6),
        7 => tr!(time.month.m7),
        8 => tr!(time.month.m8),
        9 => tr!(time.month.m9),
        10 => tr!(time.month.m10),
        11 => tr!(time.month.m11),
        _ => tr!(time.month.m12),
    };
    tr!(time.date, day = day, month = month, year = year, time = time)
}

/// A condition on a number: `at least 60`.
#[must_use]
pub fn condition(Predicate { condition, value }: Predicate) -> String {
    match condition {
        Condition::AtLeast => tr!(register.at_least, value = value),
        Condition::AtMost => tr!(register.at_most, value = value),
        Condition::MoreThan => tr!(register.more_than, value = value),
        Condition::LessThan => tr!(register.less_than, value = value),
    }
}

/// What is wrong with what was typed, and how to mend it.
#[must_use]
pub fn fault(fault: ContactFault) -> String {
    match fault {
        ContactFault::EmailMissing => tr!(fault.email_missing),
        ContactFault::EmailParts => tr!(fault.email_parts),
        ContactFault::EmailSigns => tr!(fault.email_signs),
        ContactFault::EmailDots => tr!(fault.email_dots),
        ContactFault::EmailDomain => tr!(fault.email_domain),
        ContactFault::EmailLong => tr!(fault.email_long),
        ContactFault::PhoneMissing => tr!(fault.phone_missing),
        ContactFault::PhoneSigns => tr!(fault.phone_signs),
        ContactFault::PhoneCountry => tr!(fault.phone_country),
        ContactFault::PhoneLength => tr!(fault.phone_length),
    }
}

/// What stands for the wallet's name in a sentence of [`now`].
pub const WALLET: &str = "{wallet}";

/// What happens now in a stage, in one sentence; [`WALLET`] stands for the wallet's name.
#[must_use]
pub fn now(stage: Stage) -> String {
    match stage {
        Stage::Waiting => tr!(now.waiting),
        Stage::Scanned => tr!(now.scanned, wallet = WALLET),
        Stage::Connected => tr!(now.connected, wallet = WALLET),
        Stage::Requested => tr!(now.requested, wallet = WALLET),
        Stage::Presented => tr!(now.presented),
        Stage::Verified => tr!(now.verified),
        Stage::Submitted => tr!(now.submitted),
        Stage::Declined => tr!(now.declined),
        Stage::Invalid => tr!(now.invalid),
        Stage::Abandoned => tr!(now.abandoned),
        Stage::Expired => tr!(now.expired),
        Stage::Cancelled => tr!(now.cancelled),
        Stage::Failed => tr!(now.failed),
    }
}
