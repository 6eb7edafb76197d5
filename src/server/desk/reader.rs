//! Reads the text of `registration.toml`. Goes on after a mistake, so that one message tells them all.
//!
//! *Runs: server.*

use std::collections::BTreeMap;

use reqwest::Url;
use toml::{Spanned, de::DeTable};

use super::{
    credential,
    fields::{Faults, Fields, own},
    translations,
    variables::Variables,
};
use crate::domain::desk::{Attribute, CodeForm, Condition, Desk, Lifetimes, Predicate, Wallet};

/// The desk that this text describes; the variables fill what it leaves out. `path` is only told, not opened.
///
/// # Errors
/// With one sentence for each mistake, which names its line. In a text that is no TOML only the first one can be found.
pub(super) fn read(path: &str, text: &str, variables: &Variables) -> Result<Desk, Vec<String>> {
    let faults = Faults::new(path, text);
    let table = match DeTable::parse(text) {
        Ok(table) => table.into_inner(),
        Err(error) => {
            faults.note(error.span().map_or(0, |span| span.start), error.message());
            return Err(faults.told());
        }
    };
    let desk = desk(Fields::new(table, 0, "the desk", &faults), &faults, variables);
    if faults.is_empty() { Ok(desk) } else { Err(faults.told()) }
}

/// Reads the whole desk; where something is wrong, with a stand-in that nobody gets to see.
fn desk(mut top: Fields<'_, '_>, faults: &Faults<'_>, variables: &Variables) -> Desk {
    let code = top.get("code", "\"link\" or \"direct\"", |value| match value.as_str()? {
        "link" => Some(CodeForm::Link),
        "direct" => Some(CodeForm::Direct),
        _ => None,
    });
    let (title, organisation) = (own(top.filled_text("title", "")), own(top.needed_text("organisation")));
    let credential = credential::read(&mut top, faults, variables);
    let has_conditions = credential.format.is_anoncreds();
    let mut desk = Desk {
        title,
        organisation,
        introduction: top.text("introduction").unwrap_or_default(),
        comment: top.text("comment").or_else(|| variables.comment.clone()).unwrap_or_default(),
        after: top.text("after").unwrap_or_default(),
        code: code.map_or_else(CodeForm::default, Spanned::into_inner),
        lifetimes: top.table("lifetimes", "[lifetimes]").map(lifetimes).unwrap_or_default(),
        credential,
        attributes: attributes(&mut top, faults, variables, has_conditions),
        wallet: top.table("wallet", "[wallet]").map(|table| wallet(table, faults)).unwrap_or_default(),
        translations: BTreeMap::new(),
    };
    desk.translations = translations::read(&mut top, &desk.attributes);
    top.end();
    desk
}

fn lifetimes(mut table: Fields<'_, '_>) -> Lifetimes {
    let default = Lifetimes::default();
    let lifetimes = Lifetimes {
        code: table.length("code"),
        wallet: table.length("wallet").unwrap_or(default.wallet),
        form: table.length("form").unwrap_or(default.form),
        unfinished: table.length("unfinished").unwrap_or(default.unfinished),
        keep: table.length("keep").unwrap_or(default.keep),
    };
    table.end();
    lifetimes
}

fn attributes(
    top: &mut Fields<'_, '_>,
    faults: &Faults<'_>,
    variables: &Variables,
    has_conditions: bool,
) -> Vec<Attribute> {
    if !top.has("attribute") {
        let attributes = variables.attributes();
        if attributes.is_empty() {
            top.lacks("[[attribute]]");
        }
        // Also says that the field is known.
        let _ = top.tables("attribute", "[[attribute]]");
        return attributes;
    }
    let Some(tables) = top.tables("attribute", "[[attribute]]") else { return Vec::new() };
    if tables.get_ref().is_empty() {
        faults.note(tables.span().start, "`attribute` is empty: a desk asks for at least one");
    }
    let mut attributes: Vec<Attribute> = Vec::new();
    for mut table in tables.into_inner() {
        let name = table.filled_text("name", "");
        if let Some(name) =
            name.as_ref().filter(|name| attributes.iter().any(|earlier| earlier.name == **name.get_ref()))
        {
            faults.note(name.span().start, format!("the attribute `{}` is there twice", name.get_ref()));
        }
        attributes.push(Attribute {
            name: own(name),
            label: own(table.filled_text("label", "")),
            purpose: table.text("purpose").unwrap_or_default(),
            required: table.flag("required", true),
            predicate: predicate(&mut table, faults, has_conditions),
        });
        table.end();
    }
    attributes
}

fn predicate(table: &mut Fields<'_, '_>, faults: &Faults<'_>, is_known: bool) -> Option<Predicate> {
    // What is of the wrong kind is noted as that, and not also as missing.
    let (has_condition, has_value) = (table.has("condition"), table.has("value"));
    let condition = table.get("condition", "\">=\", \"<=\", \">\" or \"<\"", |value| {
        let spelled = value.as_str()?;
        Condition::ALL.into_iter().find(|condition| condition.as_str() == spelled)
    });
    let value = table.number("value");
    match (&condition, &value) {
        (Some(condition), _) if !is_known => {
            faults.note(condition.span().start, "a `condition` cannot be proven in the format \"dif\"");
        }
        (Some(condition), None) if !has_value => {
            faults.note(condition.span().start, "`condition` needs a `value` beside it");
        }
        (None, Some(value)) if !has_condition => {
            faults.note(value.span().start, "`value` needs a `condition` beside it");
        }
        _ => {}
    }
    Some(Predicate { condition: condition?.into_inner(), value: value?.into_inner() })
}

fn wallet(mut table: Fields<'_, '_>, faults: &Faults<'_>) -> Wallet {
    let links = table.texts("links");
    for link in &links {
        let (at, link) = (link.span().start, link.get_ref());
        if !link.contains("{oob}") {
            faults.note(at, format!("the wallet link `{link}` has no `{{oob}}` for the invitation"));
        }
        if Url::parse(link).is_err() {
            faults.note(at, format!("the wallet link `{link}` is no URL: it begins with a scheme, as in wallet://"));
        }
    }
    let mut store = |name| {
        let read =
            |value: toml::de::DeValue<'_>| Some(value.as_str()?.to_owned()).filter(|text| Url::parse(text).is_ok());
        table.get(name, "an address such as https://store.example.org/wallet", read).map(Spanned::into_inner)
    };
    let (app_store, play_store) = (store("app_store"), store("play_store"));
    let name = table.text("name").unwrap_or_default();
    table.end();
    Wallet { name, links: links.into_iter().map(Spanned::into_inner).collect(), app_store, play_store }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::desk::Format;

    fn read_alone(text: &str) -> Result<Desk, Vec<String>> {
        read("desk.toml", text, &Variables::default())
    }

    /// The lines of the mistakes with what is said about them.
    fn told(text: &str) -> Vec<String> {
        let told = read_alone(text).unwrap_err();
        told.iter().map(|fault| fault.strip_prefix("desk.toml, line ").unwrap().to_owned()).collect()
    }

    /// A desk without faults, of nine lines, and what follows it.
    fn desk_and(rest: &str) -> String {
        let desk = "title = \"T\"\norganisation = \"O\"\n[credential]\nname = \"C\"\ncred_def_id = \"D\"\n\n\
                    [[attribute]]\nname = \"a\"\nlabel = \"A\"\n";
        format!("{desk}{rest}")
    }

    #[test]
    fn the_desks_in_this_repository_are_without_faults() {
        let student = read_alone(include_str!("../../../registration.toml")).unwrap();
        assert_eq!(student.attributes.len(), 9);
        assert!(student.attributes.iter().all(|attribute| attribute.required && attribute.predicate.is_none()));
        assert_eq!(student.lifetimes, Lifetimes::default());
        assert_eq!(student.credential.issuer_did(), Some("Th7MpTaRZVRYnPiabds81Y"));

        let text = include_str!("../../../desks/course.toml");
        assert!(!text.to_lowercase().contains("student card") && !text.contains(&student.organisation));
        let course = read_alone(text).unwrap();
        let (proven, revealed): (Vec<_>, Vec<_>) =
            course.attributes.iter().partition(|attribute| attribute.predicate.is_some());
        assert_eq!(revealed.len(), 6);
        assert_eq!(revealed.iter().filter(|attribute| !attribute.required).count(), 1);
        let proven: Vec<_> = proven.iter().map(|attribute| (&*attribute.name, attribute.predicate)).collect();
        assert_eq!(proven, [("credits_earned", Some(Predicate { condition: Condition::AtLeast, value: 60 }))]);
        assert_ne!(course.lifetimes, student.lifetimes);
        assert!(course.wallet.links.iter().all(|link| !student.wallet.links.contains(link)));
        assert!(!course.after.is_empty() && !student.after.is_empty());
    }

    #[test]
    fn ten_mistakes_are_told_at_once_each_with_its_line() {
        let text = r#"title = 5
organisation = "O"
keep = "90d"
code = "sideways"

[lifetimes]
wallet = "0s"
unfinished = "a while"

[credential]
name = "C"
cred_def_id = " "

[[attribute]]
name = "a"
label = "A"
condition = ">="

[[attribute]]
name = "a"
required = "yes"
"#;
        let told = told(text);
        let expected = [
            "1: `title` has to be text in quotes",
            "3: unknown field `keep`: the desk has ",
            "4: `code` has to be \"link\" or \"direct\"",
            "7: `wallet` has to be a length of time above zero",
            "8: `unfinished` has to be a length of time above zero",
            "12: `cred_def_id` is empty: without it any issuer's card would be accepted",
            "17: `condition` needs a `value` beside it",
            "19: [[attribute]] has no `label`",
            "20: the attribute `a` is there twice",
            "21: `required` has to be true or false",
        ];
        assert_eq!(told.len(), expected.len(), "{told:#?}");
        for (told, expected) in told.iter().zip(expected) {
            assert!(told.starts_with(expected), "{told}");
        }
    }

    #[test]
    fn each_kind_of_mistake_has_its_sentence_and_its_line() {
        let cases = [
            ("condition = \"=\"\nvalue = 1", "10: `condition` has to be \">=\", \"<=\", \">\" or \"<\""),
            ("condition = \"<\"\nvalue = \"60\"", "11: `value` has to be a whole number"),
            ("condition = \"<\"\nvalue = 2147483648", "11: `value` has to be a whole number"),
            ("\nvalue = 60", "11: `value` needs a `condition` beside it"),
            (
                "purpsoe = \"p\"",
                "10: unknown field `purpsoe`: [[attribute]] has `name`, `label`, `purpose`, `required`",
            ),
            ("[[attribute]]\nlabel = \"B\"", "10: [[attribute]] has no `name`"),
            ("[[attribute]]\nname = \"\"\nlabel = \"B\"", "11: `name` is empty"),
            ("[wallet]\nlinks = [\n\"x://a?{oob}\",\n\"x://a\"]", "13: the wallet link `x://a` has no `{oob}`"),
            ("[wallet]\nlinks = [\"wallet?{oob}\"]", "11: the wallet link `wallet?{oob}` is no URL"),
            ("[wallet]\nlinks = \"x://{oob}\"", "11: `links` has to be a list of texts"),
            ("[wallet]\napp_store = \"the store\"", "11: `app_store` has to be an address"),
            ("[wallet]\nname = \"W\"\n\n[stage]\n", "13: unknown field `stage`: the desk has "),
        ];
        for (rest, expected) in cases {
            let told = told(&desk_and(rest));
            assert!(told.len() == 1 && told[0].starts_with(expected), "{rest}\n{told:#?}");
        }
        let rest = "[[attribute]]\nname = \"b\"\nlabel = \"B\"\nrequired = true\ncondition = \"<=\"\nvalue = -0x1F";
        assert!(read_alone(&desk_and(rest)).is_err(), "TOML knows no negative hexadecimal number");
        let desk = read_alone(&desk_and(&rest.replace("-0x1F", "0x1F"))).unwrap();
        assert_eq!(desk.attributes[1].predicate, Some(Predicate { condition: Condition::AtMost, value: 31 }));
    }

    #[test]
    fn a_json_ld_credential_has_a_type_and_an_issuer_and_no_definition() {
        let text = |credential: &str, rest: &str| {
            format!(
                "title = \"T\"\norganisation = \"O\"\n[credential]\nname = \"C\"\nformat = \"dif\"\n{credential}\n\
                 [[attribute]]\nname = \"a\"\nlabel = \"A\"\n{rest}"
            )
        };
        let full = "type = \"https://x.example/v1#Card\"\nissuer_did = \"did:key:z6\"\n\
                    contexts = [\"https://x.example/v1\", '{\"a\": \"https://x.example/a\"}']";
        let desk = read_alone(&text(full, "")).unwrap();
        assert_eq!(desk.credential.issuer_did(), Some("did:key:z6"));
        assert_eq!(desk.credential.cred_def_id, "");
        let Format::Dif(card) = desk.credential.format else { panic!("it is JSON-LD") };
        assert_eq!(card.contexts, [json!("https://x.example/v1"), json!({ "a": "https://x.example/a" })]);
        assert!(
            told(&text(&full.replace("\"https://x.example/a\"}", "}"), ""))[0]
                .starts_with("8: `contexts` has an object")
        );
        assert_eq!(
            told(&text("type = \" \"", "condition = \"<\"\nvalue = 1")),
            [
                "3: [credential] has no `issuer_did`",
                "3: [credential] has no `contexts`",
                "6: `type` is empty: without it any card of the issuer would be accepted",
                "10: a `condition` cannot be proven in the format \"dif\"",
            ]
        );
        assert!(
            told(&text(&format!("{full}\ncred_def_id = \"D\""), ""))[0].starts_with("9: unknown field `cred_def_id`")
        );
        let format = told(&text(full, "").replace("\"dif\"", "\"jwt\""));
        assert!(format[1].starts_with("5: `format` has to be \"anoncreds\", \"indy\" or \"dif\""), "{format:#?}");
    }

    #[test]
    fn what_a_desk_lacks_is_told_with_where_it_lacks_it() {
        assert_eq!(
            told(""),
            [
                "1: the desk has no `title`",
                "1: the desk has no `organisation`",
                "1: the desk has no `[credential]`",
                "1: the desk has no `[[attribute]]`",
            ]
        );
        let text = "title = \" \"\norganisation = \"O\"\nattribute = []\n\n[credential]\nissuer = \"I\"";
        assert_eq!(
            told(text),
            [
                "1: `title` is empty",
                "3: `attribute` is empty: a desk asks for at least one",
                "5: [credential] has no `name`",
                "5: [credential] has no `cred_def_id`",
            ]
        );
        let text = "title = \"T\"\norganisation = \"O\"\ncredential = 1\n[attribute]\nname = \"a\"";
        assert_eq!(
            told(text),
            [
                "3: `credential` has to be a table, `[credential]`",
                "4: `attribute` has to be a list of tables, each begun with `[[attribute]]`",
            ]
        );
    }

    #[test]
    fn a_text_that_is_no_toml_is_told_with_its_line() {
        for (text, line) in
            [("title = ", "1: "), ("title = \"T\"\n\n[credential\nname = 1", "3: "), ("a = 1\na = 2", "2: ")]
        {
            let told = told(text);
            assert!(told.len() == 1 && told[0].starts_with(line), "{text}\n{told:#?}");
        }
    }
}
