//! The languages of the pages: which there are, which one somebody gets, and the texts. Those are in `locales/`, a Fluent
//! file for each language, and a part of the server alone: what the browser writes later the page brings along
//! (`ui/hooks/handed_texts.rs`). A key that does not exist, or lacks a value, is an error of the compiler. *Runs: both; the
//! texts are read by the server.*

pub mod said;
mod texts;

use leptos::{
    prelude::{provide_context, use_context},
    reactive::owner::Owner,
};

pub use crate::tr;
pub use texts::texts;

/// A language that the pages are written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the language it names")]
pub enum Language {
    #[default]
    English,
    French,
    Hausa,
    Yoruba,
    Igbo,
}

impl Language {
    /// Every language, in the order in which the pages offer them.
    pub const ALL: [Self; 5] = [Self::English, Self::French, Self::Hausa, Self::Yoruba, Self::Igbo];

    /// Its tag (BCP 47).
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::French => "fr",
            Self::Hausa => "ha",
            Self::Yoruba => "yo",
            Self::Igbo => "ig",
        }
    }

    /// Its name, in itself.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::French => "Français",
            Self::Hausa => "Hausa",
            Self::Yoruba => "Yorùbá",
            Self::Igbo => "Igbo",
        }
    }

    /// Whether somebody who grew up with it has read its texts. Where nobody did, the pages say so.
    #[must_use]
    pub const fn is_reviewed(self) -> bool {
        matches!(self, Self::English | Self::French)
    }

    /// The language with this tag, exact.
    #[must_use]
    pub fn from_tag(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.tag() == tag)
    }

    /// The best language for somebody who chose `chosen` before, and whose browser asks by `Accept-Language` (RFC 9110,
    /// section 12.5.4). Regions are not told apart: who asks for `fr-CM` gets French.
    #[must_use]
    pub fn negotiate(chosen: Option<&str>, accepted: Option<&str>) -> Self {
        if let Some(language) = chosen.and_then(Self::from_tag) {
            return language;
        }
        let mut wanted: Vec<(u16, &str)> = accepted.unwrap_or_default().split(',').filter_map(weighed).collect();
        // Stable: of two that are as welcome the first one wins.
        wanted.sort_by_key(|(weight, _)| u16::MAX - weight);
        let known = |tag: &str| Self::from_tag(&tag.split('-').next()?.to_ascii_lowercase());
        wanted.into_iter().find_map(|(_, tag)| known(tag)).unwrap_or_default()
    }
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

/// The language of the page that is being drawn; English where nobody said.
#[must_use]
pub fn use_language() -> Language {
    use_context().unwrap_or_default()
}

/// Draws something in a language, outside of the application.
pub fn speaking<T>(language: Language, draw: impl FnOnce() -> T) -> T {
    Owner::new().with(|| {
        provide_context(language);
        draw()
    })
}

/// A text in the language of the page that is being drawn, as a `String`: `tr!("home-begin")`, `tr!("now-scanned", wallet = name)`.
#[macro_export]
macro_rules! tr {
    ($($key_and_values:tt)*) => {
        ::i18n_embed_fl::fl!($crate::language::texts($crate::language::use_language()), $($key_and_values)*)
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_chose_counts_before_what_their_browser_asks_for() {
        for (chosen, accepted, expected) in [
            (None, None, Language::English),
            (None, Some(""), Language::English),
            (None, Some("fr"), Language::French),
            (None, Some("fr-CM, en;q=0.8"), Language::French),
            (None, Some("en;q=0.8, FR-fr"), Language::French),
            (None, Some("de, ha;q=0.4, yo;q=0.7"), Language::Yoruba),
            (None, Some("ig;q=0.5,ha;q=0.5"), Language::Igbo),
            (None, Some("fr;q=0, en"), Language::English),
            (None, Some("fr;q=many, de, *"), Language::English),
            (Some("ha"), Some("fr"), Language::Hausa),
            (Some("de"), Some("fr"), Language::French),
        ] {
            assert_eq!(Language::negotiate(chosen, accepted), expected, "{chosen:?} {accepted:?}");
        }
    }

    #[test]
    fn a_tag_leads_back_to_its_language() {
        for language in Language::ALL {
            assert_eq!(Language::from_tag(language.tag()), Some(language));
        }
        assert_eq!(Language::from_tag("EN"), None);
    }
}
