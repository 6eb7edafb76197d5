//! The files of texts, read once. *Runs: server.*

use std::{borrow::Cow, sync::LazyLock};

use i18n_embed::{I18nAssets, LanguageLoader, fluent::FluentLanguageLoader, unic_langid::LanguageIdentifier};

use super::Language;

/// Each file by the name under which it is looked for: that of its language, and that of the package.
const FILES: [(&str, &str); 5] = [
    ("en/vestibule.ftl", include_str!("../../locales/en/vestibule.ftl")),
    ("fr/vestibule.ftl", include_str!("../../locales/fr/vestibule.ftl")),
    ("ha/vestibule.ftl", include_str!("../../locales/ha/vestibule.ftl")),
    ("yo/vestibule.ftl", include_str!("../../locales/yo/vestibule.ftl")),
    ("ig/vestibule.ftl", include_str!("../../locales/ig/vestibule.ftl")),
];

struct Files;

impl I18nAssets for Files {
    fn get_files(&self, path: &str) -> Vec<Cow<'_, [u8]>> {
        let texts = FILES.into_iter().filter(|(name, _)| *name == path);
        texts.map(|(_, text)| Cow::Borrowed(text.as_bytes())).collect()
    }

    fn filenames_iter(&self) -> Box<dyn Iterator<Item = String> + '_> {
        Box::new(FILES.into_iter().map(|(name, _)| name.to_owned()))
    }
}

/// In the order of [`Language::ALL`].
static TEXTS: LazyLock<[FluentLanguageLoader; 5]> = LazyLock::new(|| {
    let ids = Language::ALL.map(identifier);
    let all = FluentLanguageLoader::new("vestibule", identifier(Language::default()));
    all.load_languages(&Files, &ids).expect("a test reads the same files");
    // What is put in is shown in the same direction as all of it.
    all.set_use_isolating(false);
    ids.map(|id| all.select_languages(&[id]))
});

fn identifier(language: Language) -> LanguageIdentifier {
    language.tag().parse().expect("every tag of ours is well-formed")
}

/// The texts in a language; what it lacks is there in English.
///
/// # Panics
/// Never: a test reads the same files.
#[must_use]
pub fn texts(language: Language) -> &'static FluentLanguageLoader {
    &TEXTS[language as usize]
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    /// The keys of a file, each with the values that its text takes.
    fn keys(text: &str) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut keys = BTreeMap::<_, BTreeSet<_>>::new();
        let mut key = "";
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let is_key = |name: &str| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
            let rest = match line.split_once(" = ") {
                Some((name, rest)) if is_key(name) => {
                    key = name;
                    assert!(keys.insert(key, BTreeSet::new()).is_none(), "{key} is there twice");
                    rest
                }
                _ => line,
            };
            let values = rest.split("{ $").skip(1).filter_map(|value| value.split(' ').next());
            keys.entry(key).or_default().extend(values);
        }
        keys.remove("");
        keys
    }

    #[test]
    fn every_language_has_every_text_with_the_same_values() {
        let english = keys(FILES[0].1);
        assert!(english.len() > 100);
        for (name, text) in &FILES[1..] {
            let theirs = keys(text);
            for (key, values) in &english {
                assert_eq!(theirs.get(key), Some(values), "{key} in {name}");
            }
            for key in theirs.keys() {
                assert!(english.contains_key(key), "{name} has {key}, which English has not");
            }
        }
    }

    #[test]
    fn every_text_is_well_formed_and_each_language_gives_its_own() {
        for (language, (name, text)) in Language::ALL.into_iter().zip(FILES) {
            assert!(name.starts_with(language.tag()), "the files are in the order of the languages");
            let texts = texts(language);
            let written = texts.with_message_iter(&identifier(language), |messages| messages.count());
            assert_eq!(written, keys(text).len(), "{name} has a text that cannot be read");
        }
        assert_eq!(texts(Language::French).get("home-begin"), "Commencer");
    }
}
