//! How a person can be reached, as they type it: an e-mail address and a phone number. The browser and the server hold
//! what was typed against the same rules. *Runs: both.*

use std::fmt;

use serde::{Deserialize, Serialize};

/// What is wrong with what was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ContactFault {
    /// No e-mail address.
    EmailMissing,
    /// Not one `@` with something on both sides.
    EmailParts,
    /// Blanks, commas, brackets or other signs that no address has.
    EmailSigns,
    /// A dot at an end of a part, or two in a row.
    EmailDots,
    /// What follows the `@` is no domain.
    EmailDomain,
    /// Longer than mail can carry.
    EmailLong,
    /// No phone number.
    PhoneMissing,
    /// Letters or other signs.
    PhoneSigns,
    /// No country.
    PhoneCountry,
    /// Fewer than 7 digits or more than 15.
    PhoneLength,
}

impl ContactFault {
    /// Every fault.
    pub const ALL: [Self; 10] = [
        Self::EmailMissing,
        Self::EmailParts,
        Self::EmailSigns,
        Self::EmailDots,
        Self::EmailDomain,
        Self::EmailLong,
        Self::PhoneMissing,
        Self::PhoneSigns,
        Self::PhoneCountry,
        Self::PhoneLength,
    ];

    /// A word for it. The sentence that says to people how to mend it is in `language::said`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EmailMissing => "email-missing",
            Self::EmailParts => "email-parts",
            Self::EmailSigns => "email-signs",
            Self::EmailDots => "email-dots",
            Self::EmailDomain => "email-domain",
            Self::EmailLong => "email-long",
            Self::PhoneMissing => "phone-missing",
            Self::PhoneSigns => "phone-signs",
            Self::PhoneCountry => "phone-country",
            Self::PhoneLength => "phone-length",
        }
    }
}

impl fmt::Display for ContactFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::error::Error for ContactFault {}

/// How a person can be reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// Where to write to.
    pub email: Email,
    /// Where to call.
    pub phone: Phone,
}

/// A text that went through its type's `parse`. `Debug` does not show it, for it is personal and could reach a log.
macro_rules! checked_text {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = ContactFault;

            fn try_from(text: String) -> Result<Self, ContactFault> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    };
}

checked_text! {
    /// An e-mail address that mail could be sent to, as it was typed but for blanks around it.
    Email
}
checked_text! {
    /// A phone number in the form of E.164: `+2348012345678`.
    Phone
}

impl Email {
    /// Reads an e-mail address. Pragmatic: what people have is taken, what only a standard allows (quoted names, addresses
    /// in numbers, comments) is not.
    ///
    /// # Errors
    /// With the first thing that is wrong.
    pub fn parse(text: &str) -> Result<Self, ContactFault> {
        let text = trimmed(text);
        if text.is_empty() {
            return Err(ContactFault::EmailMissing);
        }
        let (local, domain) = text.split_once('@').ok_or(ContactFault::EmailParts)?;
        if local.is_empty() || domain.is_empty() || domain.contains('@') {
            return Err(ContactFault::EmailParts);
        }
        if !text.chars().all(may_stand_in_address) {
            return Err(ContactFault::EmailSigns);
        }
        // Mail counts octets, as `len` does.
        if text.len() > 254 || local.len() > 64 {
            return Err(ContactFault::EmailLong);
        }
        if [local, domain].iter().any(|part| part.split('.').any(str::is_empty)) {
            return Err(ContactFault::EmailDots);
        }
        if is_domain(domain) { Ok(Self(text.to_owned())) } else { Err(ContactFault::EmailDomain) }
    }
}

impl Phone {
    /// Reads a phone number with its country: `+234 801 234 5678`, `00234-801-234-5678`, `+44 (0)20 7946 0958`.
    ///
    /// # Errors
    /// With the first thing that is wrong.
    pub fn parse(text: &str) -> Result<Self, ContactFault> {
        // What is typed, without the signs that are there for the eye.
        let mut signs = String::new();
        let mut rest = text;
        while let Some(sign) = rest.chars().next() {
            // A zero in parentheses is for those who call from within the country.
            if let Some(after) = rest.strip_prefix("(0)") {
                rest = after;
                continue;
            }
            rest = &rest[sign.len_utf8()..];
            if separates_digits(sign) {
                continue;
            }
            if !(sign.is_ascii_digit() || (sign == '+' && signs.is_empty())) {
                return Err(ContactFault::PhoneSigns);
            }
            signs.push(sign);
        }
        if signs.is_empty() {
            return Err(ContactFault::PhoneMissing);
        }
        let digits = signs.strip_prefix('+').or_else(|| signs.strip_prefix("00")).ok_or(ContactFault::PhoneCountry)?;
        if digits.starts_with('0') {
            // No country's number does: this is the number within a country.
            return Err(ContactFault::PhoneCountry);
        }
        if !(7..=15).contains(&digits.len()) {
            return Err(ContactFault::PhoneLength);
        }
        Ok(Self(format!("+{digits}")))
    }
}

/// Labels of letters, digits and inner hyphens, two or more, the last one no number.
fn is_domain(text: &str) -> bool {
    let fits = |sign: char| sign.is_ascii_alphanumeric() || sign == '-' || !sign.is_ascii();
    let is_label = |label: &str| {
        (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-') && label.chars().all(fits)
    };
    text.split('.').all(is_label)
        && text.rsplit_once('.').is_some_and(|(_, last)| !last.bytes().all(|sign| sign.is_ascii_digit()))
}

/// Whether a sign may stand in an e-mail address. Beyond ASCII all may but those that cannot be seen: tables of letters
/// would weigh more in the browser than they are worth.
fn may_stand_in_address(sign: char) -> bool {
    let has_a_meaning = matches!(sign, '"' | '(' | ')' | ',' | ':' | ';' | '<' | '>' | '[' | '\\' | ']');
    !(has_a_meaning || sign.is_whitespace() || sign.is_control() || is_invisible(sign))
}

/// Blanks, dots, dashes, parentheses; and the marks of direction that telephone books copy along.
fn separates_digits(sign: char) -> bool {
    let is_dash = matches!(sign, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}');
    is_dash || matches!(sign, '.' | '(' | ')') || sign.is_whitespace() || is_invisible(sign)
}

/// Soft hyphen, joiners, marks of direction, byte order mark.
fn is_invisible(sign: char) -> bool {
    matches!(sign, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

fn trimmed(text: &str) -> &str {
    text.trim_matches(|sign: char| sign.is_whitespace() || is_invisible(sign))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_that_people_have_are_taken() {
        for text in [
            "amaka@example.org",
            "a@b.co",
            "amaka.ngozi+desk@mail.example.org",
            "o'neill_{x}/y=z@example.org",
            "amaka@münchen.example",
            "用户@例子.公司",
            "a@1.example",
            "a@xn--mnchen-3ya.example",
        ] {
            assert_eq!(Email::parse(text).unwrap().as_str(), text);
        }
        assert_eq!(Email::parse(" \u{202a}amaka@example.org\u{202c}\n").unwrap().as_str(), "amaka@example.org");
    }

    #[test]
    fn what_is_no_address_is_refused_with_the_reason() {
        let long = |local: usize, label: usize| format!("{}@{}.example.org", "a".repeat(local), "b".repeat(label));
        assert!(Email::parse(&long(64, 63)).is_ok());
        let labels = format!("a@{}example.org", "bbbbbbbbb.".repeat(25));
        let cases = [
            ("", ContactFault::EmailMissing),
            ("  ", ContactFault::EmailMissing),
            ("amaka", ContactFault::EmailParts),
            ("@example.org", ContactFault::EmailParts),
            ("amaka@", ContactFault::EmailParts),
            ("a@b@example.org", ContactFault::EmailParts),
            ("ama ka@example.org", ContactFault::EmailSigns),
            ("a@example.org\r\nBcc: b@example.org", ContactFault::EmailParts),
            ("a\r\nBcc:b@example.org", ContactFault::EmailSigns),
            ("a\0@example.org", ContactFault::EmailSigns),
            ("a@exam\u{200b}ple.org", ContactFault::EmailSigns),
            ("Amaka <amaka@example.org>", ContactFault::EmailSigns),
            ("a@[127.0.0.1]", ContactFault::EmailSigns),
            (".a@example.org", ContactFault::EmailDots),
            ("a.@example.org", ContactFault::EmailDots),
            ("a..b@example.org", ContactFault::EmailDots),
            ("a@.example.org", ContactFault::EmailDots),
            ("a@example.org.", ContactFault::EmailDots),
            ("a@example..org", ContactFault::EmailDots),
            ("a@localhost", ContactFault::EmailDomain),
            ("a@127.0.0.1", ContactFault::EmailDomain),
            ("a@-example.org", ContactFault::EmailDomain),
            ("a@example-.org", ContactFault::EmailDomain),
            ("a@exa_mple.org", ContactFault::EmailDomain),
            (&long(65, 9), ContactFault::EmailLong),
            (&long(9, 64), ContactFault::EmailDomain),
            (&labels, ContactFault::EmailLong),
        ];
        for (text, fault) in cases {
            assert_eq!(Email::parse(text), Err(fault), "{text:?}");
        }
    }

    #[test]
    fn phone_numbers_become_plus_and_digits() {
        for text in [
            "+2348012345678",
            " +234 801 234 5678 ",
            "00234-801-234-5678",
            "(+234) 801.234.5678",
            "\u{202a}+234\u{a0}801\u{2011}234\u{2011}5678\u{202c}",
            "+234 (0)801 234 5678",
        ] {
            assert_eq!(Phone::parse(text).unwrap().as_str(), "+2348012345678", "{text:?}");
        }
        assert_eq!(Phone::parse("+290 2000").unwrap().as_str(), "+2902000");
    }

    #[test]
    fn what_is_no_phone_number_is_refused_with_the_reason() {
        for (text, fault) in [
            ("", ContactFault::PhoneMissing),
            (" - ", ContactFault::PhoneMissing),
            ("0801 234 5678", ContactFault::PhoneCountry),
            ("801 234 5678", ContactFault::PhoneCountry),
            ("+0801 234 5678", ContactFault::PhoneCountry),
            ("000801 234 5678", ContactFault::PhoneCountry),
            ("+234 80", ContactFault::PhoneLength),
            ("+", ContactFault::PhoneLength),
            ("+2348012345678901", ContactFault::PhoneLength),
            ("+234 801 CALL ME", ContactFault::PhoneSigns),
            ("++2348012345678", ContactFault::PhoneSigns),
            ("234+8012345678", ContactFault::PhoneSigns),
            ("+234 801 234 5678 ext. 9", ContactFault::PhoneSigns),
            ("+٢٣٤٨٠١٢٣٤٥٦٧٨", ContactFault::PhoneSigns),
        ] {
            assert_eq!(Phone::parse(text), Err(fault), "{text:?}");
        }
    }

    #[test]
    fn what_comes_over_the_wire_is_checked_as_what_is_typed() {
        let read = |text: &str| serde_json::from_str::<Contact>(text).map(|contact| contact.phone.to_string());
        assert_eq!(read(r#"{"email":"a@b.co","phone":"00234 8012345678"}"#).unwrap(), "+2348012345678");
        let refused = read(r#"{"email":"a b","phone":"+2348012345678"}"#).unwrap_err().to_string();
        assert!(refused.starts_with(ContactFault::EmailParts.as_str()), "{refused}");
        let contact =
            Contact { email: Email::parse("a@b.co").unwrap(), phone: Phone::parse("+2348012345678").unwrap() };
        assert_eq!(format!("{contact:?}"), "Contact { email: Email(…), phone: Phone(…) }");
    }

    proptest! {
        #[test]
        fn an_address_once_read_reads_the_same_again(text in r"\PC*|[a-z.+@ -]{0,40}|[a-zé+]{1,9}@[a-z-]{1,9}\.[a-z]{2,5}") {
            if let Ok(email) = Email::parse(&text) {
                prop_assert_eq!(Email::parse(email.as_str()), Ok(email));
            }
        }

        #[test]
        fn a_phone_number_once_read_is_plus_and_digits_and_reads_the_same_again(text in r"\PC*|(\+|00)?[0-9 ().-]{0,24}") {
            if let Ok(phone) = Phone::parse(&text) {
                let digits = phone.as_str().strip_prefix('+').unwrap_or_default();
                prop_assert!((7..=15).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit()));
                prop_assert_eq!(Phone::parse(phone.as_str()), Ok(phone));
            }
        }
    }
}
