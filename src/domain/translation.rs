//! The texts of a desk in another language. *Runs: both.*

use std::collections::BTreeMap;

use super::desk::{Attribute, Credential, Desk};

/// What is `None` is as in the desk's own language.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields of `Desk` and `Credential` that they stand for")]
pub struct Translation {
    pub title: Option<String>,
    pub organisation: Option<String>,
    pub introduction: Option<String>,
    pub after: Option<String>,
    /// The name of the credential.
    pub credential: Option<String>,
    pub issuer: Option<String>,
    pub how_to_get: Option<String>,
    /// By the names of the attributes.
    pub attributes: BTreeMap<String, AttributeTexts>,
}

/// The texts of one attribute.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields of `Attribute` that they stand for")]
pub struct AttributeTexts {
    pub label: Option<String>,
    pub purpose: Option<String>,
}

impl Desk {
    /// The desk as a page in this language shows it; in its own where it is not translated. What the wallet shows
    /// ([`Desk::comment`]) stays: it is sent by acts, which know no page.
    #[must_use]
    pub fn in_language(&self, tag: &str) -> Self {
        let untranslated = Translation::default();
        let to = self.translations.get(tag).unwrap_or(&untranslated);
        let said = |own: &String, translated: &Option<String>| translated.as_ref().unwrap_or(own).clone();
        let attribute = |own: &Attribute| {
            let texts = to.attributes.get(&own.name).cloned().unwrap_or_default();
            Attribute {
                label: said(&own.label, &texts.label),
                purpose: said(&own.purpose, &texts.purpose),
                ..own.clone()
            }
        };
        Self {
            title: said(&self.title, &to.title),
            organisation: said(&self.organisation, &to.organisation),
            introduction: said(&self.introduction, &to.introduction),
            comment: self.comment.clone(),
            after: said(&self.after, &to.after),
            code: self.code,
            lifetimes: self.lifetimes,
            credential: Credential {
                name: said(&self.credential.name, &to.credential),
                issuer: said(&self.credential.issuer, &to.issuer),
                how_to_get: said(&self.credential.how_to_get, &to.how_to_get),
                ..self.credential.clone()
            },
            attributes: self.attributes.iter().map(attribute).collect(),
            wallet: self.wallet.clone(),
            translations: BTreeMap::new(),
        }
    }
}
