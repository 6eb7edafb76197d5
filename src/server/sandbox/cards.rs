//! The made-up cards in the sandbox's wallets. Nobody in them exists. *Runs: server.*

use std::time::Duration;

use super::records::{Asked, How, Predicate, Presentation};
use crate::domain::time::Timestamp;

/// A card with a face: one that the wallet's first page offers.
struct Card {
    key: &'static str,
    wallet: &'static str,
    values: &'static [(&'static str, &'static str)],
}

const CARDS: [Card; 2] = [
    Card {
        key: "amaka",
        wallet: "Green phone",
        values: &[
            ("surname", "Okonkwo"),
            ("othernames", "Amaka Ngozi"),
            ("full_name", "Amaka Ngozi Okonkwo"),
            ("matric_number", "UNI/CSC/21/0417"),
            ("student_number", "S-2021-0417"),
            ("school_name", "Unity State University"),
            ("faculty", "Faculty of Science"),
            ("programme", "B.Sc Computer Science"),
            ("department", "Computer Science"),
            ("date_of_birth", "2003-04-17"),
            ("national_id_number", "70123456789"),
            ("graduation_year", "2026"),
            ("course_code", "CSC 411"),
            ("course_title", "Distributed Systems"),
            ("semester", "First semester 2026"),
            ("credits_earned", "84"),
        ],
    },
    Card {
        key: "tunde",
        wallet: "Blue phone",
        values: &[
            ("surname", "Balogun"),
            ("othernames", "Tunde Adebayo"),
            ("full_name", "Tunde Adebayo Balogun"),
            ("matric_number", "UNI/MTH/22/0038"),
            ("student_number", "S-2022-0038"),
            ("school_name", "Unity State University"),
            ("faculty", "Faculty of Physical Sciences"),
            ("programme", "B.Sc Mathematics"),
            ("department", "Mathematics"),
            ("date_of_birth", "2004-11-02"),
            ("national_id_number", "70987654321"),
            ("graduation_year", "2027"),
            ("course_code", "MTH 302"),
            ("course_title", "Numerical Analysis"),
            ("semester", "Second semester 2026"),
            ("credits_earned", "42"),
        ],
    },
];

/// A made-up holder.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// One that the wallet's first page offers.
    Known(Known),
    /// One of many students, for when there have to be many at once.
    Student(u16),
}

/// The place of a known holder's card.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Known(usize);

impl Holder {
    /// Those that the wallet's first page offers.
    pub fn known() -> impl Iterator<Item = Self> {
        (0..CARDS.len()).map(|place| Self::Known(Known(place)))
    }

    /// The holder of this key: a name, or `student-<number>`; the first one for any other.
    #[must_use]
    pub fn of(key: &str) -> Self {
        let student = || key.strip_prefix("student-")?.parse().ok().map(Self::Student);
        let known = CARDS.iter().position(|card| card.key == key);
        known.map(|place| Self::Known(Known(place))).or_else(student).unwrap_or(Self::Known(Known(0)))
    }

    /// The name in the wallet's forms.
    #[must_use]
    pub fn key(self) -> String {
        match self {
            Self::Known(Known(place)) => CARDS[place].key.to_owned(),
            Self::Student(number) => format!("student-{number}"),
        }
    }

    /// The name the wallet gives itself when it connects. Nothing of the card is in it: it is shown before anything is
    /// shared.
    #[must_use]
    pub fn wallet(self) -> String {
        match self {
            Self::Known(Known(place)) => CARDS[place].wallet.to_owned(),
            // In letters, because the cards of students are full of their number.
            Self::Student(number) => {
                let letters =
                    number.to_string().bytes().map(|digit| char::from(digit - b'0' + b'A')).collect::<String>();
                format!("Phone {letters}")
            }
        }
    }

    /// The name on the card.
    #[must_use]
    pub fn name(self) -> String {
        self.on_card("full_name").unwrap_or_default()
    }

    /// The holder with whose card this one's is mixed.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Known(Known(place)) => Self::Known(Known((place + 1) % CARDS.len())),
            Self::Student(number) => Self::Student(number.wrapping_add(1)),
        }
    }

    fn on_card(self, attribute: &str) -> Option<String> {
        match self {
            Self::Known(Known(place)) => {
                let value = CARDS[place].values.iter().find(|(name, _)| *name == attribute);
                value.map(|(_, value)| (*value).to_owned())
            }
            Self::Student(number) => Some(match attribute {
                "date_of_birth" => {
                    let days = Duration::from_secs(u64::from(number) * 24 * 60 * 60);
                    // 1985-01-01, so that many are born before they could not be students.
                    Timestamp(473_385_600_000).plus(days).rfc3339().chars().take(10).collect()
                }
                "national_id_number" => (80_000_000_000 + u64::from(number)).to_string(),
                "graduation_year" => (3000 + u32::from(number)).to_string(),
                "credits_earned" => (60 + u32::from(number)).to_string(),
                // Of one length, so that no student's value is the beginning of another's.
                name => format!("{} {number:05}", name.replace('_', " ")),
            }),
        }
    }

    /// What this holder's card says. Of an attribute that no card of ours has it says something made up, so that any
    /// desk can be tried.
    #[must_use]
    pub fn value(self, attribute: &str) -> String {
        self.on_card(attribute).unwrap_or_else(|| "Sample".to_owned())
    }

    /// Whether this holder's card satisfies what is asked. A number that no card of ours has is made to.
    #[must_use]
    pub fn satisfies(self, asked: &Asked) -> bool {
        let Some(Predicate { condition, value: bound }) = &asked.predicate else { return true };
        match self {
            Self::Known(_) if self.on_card(&asked.name).is_none() => true,
            Self::Student(_) if !CARDS[0].values.iter().any(|(name, _)| *name == asked.name) => true,
            _ => self.value(&asked.name).parse().is_ok_and(|value: i64| condition.holds(value, *bound)),
        }
    }

    /// Whether this holder's card satisfies everything that is asked.
    #[must_use]
    pub fn satisfies_all(self, asked: &[Asked]) -> bool {
        asked.iter().all(|asked| self.satisfies(asked))
    }
}

impl Presentation {
    /// From whose card each thing that was asked is answered; `None` where it was left out.
    pub fn cards(&self, asked: &[Asked]) -> Vec<Option<Holder>> {
        let holder = Holder::of(&self.holder);
        asked
            .iter()
            .enumerate()
            .map(|(place, asked_here)| match self.how {
                How::Whole => Some(holder),
                How::Partial => (place + 1 < asked.len()).then_some(holder),
                How::Mixed => {
                    let (own, other) = (holder.satisfies(asked_here), holder.other().satisfies(asked_here));
                    // Half from each; a condition from whichever card fulfils it.
                    let borrows = if place * 2 >= asked.len() { other } else { !own && other };
                    Some(if borrows { holder.other() } else { holder })
                }
            })
            .collect()
    }

    /// Whether a wallet with these cards could make it.
    pub fn is_possible(&self, asked: &[Asked]) -> bool {
        let holder = Holder::of(&self.holder);
        match self.how {
            How::Whole | How::Partial => holder.satisfies_all(asked),
            How::Mixed => asked.iter().all(|asked| holder.satisfies(asked) || holder.other().satisfies(asked)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::server::sandbox::records::Condition;

    fn asked(name: &str, predicate: Option<(Condition, i64)>) -> Asked {
        let predicate = predicate.map(|(condition, value)| Predicate { condition, value });
        Asked { name: name.to_owned(), cred_def_id: "D".to_owned(), schema_id: None, predicate }
    }

    #[test]
    fn no_two_students_share_any_value() {
        for (attribute, _) in CARDS[0].values.iter().chain(&[("shoe_size", "")]) {
            let values: BTreeSet<String> = (0..1000).map(|number| Holder::Student(number).value(attribute)).collect();
            assert_eq!(values.len(), 1000, "{attribute}");
        }
        let wallets: BTreeSet<String> = (0..1000).map(|number| Holder::Student(number).wallet()).collect();
        assert_eq!(wallets.len(), 1000);
        assert_eq!(Holder::Student(50).value("date_of_birth"), "1985-02-20");
    }

    #[test]
    fn a_wallets_name_holds_nothing_of_a_card() {
        for holder in Holder::known().chain((0..200).map(Holder::Student)) {
            let wallet = holder.wallet();
            for (attribute, _) in CARDS[0].values {
                for part in holder.value(attribute).split([' ', '/', '-']) {
                    assert!(!wallet.contains(part), "{part} of {attribute} is in {wallet}");
                }
            }
        }
    }

    #[test]
    fn both_cards_have_the_same_attributes_and_a_key_finds_its_holder() {
        let names = |card: &Card| card.values.iter().map(|(name, _)| *name).collect::<Vec<_>>();
        assert_eq!(names(&CARDS[0]), names(&CARDS[1]));
        for key in ["amaka", "tunde", "student-7"] {
            assert_eq!(Holder::of(key).key(), key);
        }
        for key in ["", "student-", "student-x", "student-70000", "nobody"] {
            assert_eq!(Holder::of(key).key(), "amaka", "{key}");
        }
    }

    #[test]
    fn a_condition_is_decided_by_the_number_on_the_card() {
        let (amaka, tunde) = (Holder::of("amaka"), Holder::of("tunde"));
        let credits = asked("credits_earned", Some((Condition::AtLeast, 60)));
        assert!(amaka.satisfies(&credits) && !tunde.satisfies(&credits));
        assert!(!amaka.satisfies(&asked("surname", Some((Condition::AtLeast, 0)))), "a name is no number");
        assert!(tunde.satisfies(&asked("shoe_size", Some((Condition::Below, -5)))), "made up to fit");
        assert!(Holder::of("student-1").satisfies(&asked("shoe_size", Some((Condition::Above, 1_000_000)))));
    }

    #[test]
    fn a_mixed_presentation_borrows_half_and_what_the_own_card_cannot_show() {
        let asked = [
            asked("surname", None),
            asked("credits_earned", Some((Condition::AtLeast, 60))),
            asked("faculty", None),
            asked("semester", None),
        ];
        let of = |holder: &str, how| Presentation { holder: holder.to_owned(), how, twice: false };
        let cards = |presentation: Presentation| -> Vec<String> {
            presentation.cards(&asked).into_iter().map(|card| card.map_or_else(String::new, Holder::key)).collect()
        };
        assert_eq!(cards(of("amaka", How::Mixed)), ["amaka", "amaka", "tunde", "tunde"]);
        assert_eq!(cards(of("tunde", How::Mixed)), ["tunde", "amaka", "amaka", "amaka"]);
        assert_eq!(cards(of("tunde", How::Partial)), ["tunde", "tunde", "tunde", ""]);
        assert!(of("tunde", How::Mixed).is_possible(&asked) && !of("tunde", How::Whole).is_possible(&asked));
    }
}
