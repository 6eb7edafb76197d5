//! Reads the tables `[translation.…]`: the texts of the desk in other languages. *Runs: server.*

use std::collections::BTreeMap;

use super::fields::Fields;
use crate::{
    domain::{
        desk::Attribute,
        translation::{AttributeTexts, Translation},
    },
    language::Language,
};

/// The translations by their languages' tags: those in which the pages are written, for another one is never shown.
pub(super) fn read(top: &mut Fields<'_, '_>, attributes: &[Attribute]) -> BTreeMap<String, Translation> {
    let Some(mut all) = top.table("translation", "[translation]") else { return BTreeMap::new() };
    let mut translations = BTreeMap::new();
    for tag in Language::ALL.map(Language::tag) {
        if let Some(table) = all.table(tag, format!("[translation.{tag}]")) {
            translations.insert(tag.to_owned(), translation(table, tag, attributes));
        }
    }
    all.end();
    translations
}

fn translation(mut table: Fields<'_, '_>, tag: &str, attributes: &[Attribute]) -> Translation {
    let translation = Translation {
        title: table.text("title"),
        organisation: table.text("organisation"),
        introduction: table.text("introduction"),
        after: table.text("after"),
        credential: table.text("credential"),
        issuer: table.text("issuer"),
        how_to_get: table.text("how_to_get"),
        attributes: table
            .table("attribute", format!("[translation.{tag}.attribute]"))
            .map(|table| attribute_texts(table, attributes))
            .unwrap_or_default(),
    };
    table.end();
    translation
}

fn attribute_texts(mut table: Fields<'_, '_>, attributes: &[Attribute]) -> BTreeMap<String, AttributeTexts> {
    let mut texts = BTreeMap::new();
    for Attribute { name, .. } in attributes {
        if let Some(mut table) = table.table(name, format!("the attribute `{name}`")) {
            texts.insert(name.clone(), AttributeTexts { label: table.text("label"), purpose: table.text("purpose") });
            table.end();
        }
    }
    table.end();
    texts
}

#[cfg(test)]
mod tests {
    use super::super::{reader, variables::Variables};

    const DESK: &str = "title = \"T\"\norganisation = \"O\"\n[credential]\nname = \"C\"\ncred_def_id = \"D\"\n\
                        [[attribute]]\nname = \"a\"\nlabel = \"A\"\npurpose = \"why\"\n";

    #[test]
    fn a_page_gets_what_is_translated_and_the_rest_as_it_is() {
        let translation = "[translation.fr]\ntitle = \"Titre\"\n[translation.fr.attribute]\na = { label = \"Bé\" }\n";
        let desk = reader::read("desk.toml", &format!("{DESK}{translation}"), &Variables::default()).unwrap();
        let french = desk.in_language("fr");
        assert_eq!((&*french.title, &*french.organisation), ("Titre", "O"));
        assert_eq!((&*french.attributes[0].label, &*french.attributes[0].purpose), ("Bé", "why"));
        assert_eq!(desk.in_language("ha").title, "T");
        let terms = desk.consent_text();
        assert!(terms.contains("Registration: T\n") && terms.contains("\n[fr]\nRegistration: Titre\n"), "{terms}");
    }

    #[test]
    fn a_mistake_in_a_translation_is_told_with_its_line() {
        for (rest, told) in [
            ("[translation.de]\n", "10: unknown field `de`: [translation] has `en`, `fr`"),
            ("[translation.fr]\ntitel = \"T\"\n", "11: unknown field `titel`: [translation.fr] has `title`"),
            ("[translation.fr.attribute]\nb = {}\n", "11: unknown field `b`: [translation.fr.attribute] has `a`"),
            ("[translation.fr.attribute]\na = { lable = \"B\" }\n", "11: unknown field `lable`: the attribute `a` has"),
        ] {
            let faults = reader::read("d", &format!("{DESK}{rest}"), &Variables::default()).unwrap_err();
            assert!(faults.len() == 1 && faults[0].starts_with(&format!("d, line {told}")), "{faults:?}");
        }
    }
}
