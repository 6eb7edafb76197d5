//! Loads the desk: `registration.toml`, or the variables of the earlier system, or in the sandbox the sample.
//!
//! *Runs: server.*

use serde::de::Deserialize;
use toml::{Table, Value};

use crate::domain::desk::Desk;

const SAMPLE: &str = include_str!("../../registration.toml");

/// The desk that ships with the program.
///
/// # Panics
/// Never: a test reads the same text.
#[must_use]
pub fn sample() -> Desk {
    toml::from_str(SAMPLE).expect("the sample desk is a desk")
}

/// The desk that these variables describe; with what is wrong, if anything is.
///
/// # Errors
/// With one sentence for each mistake.
pub fn load<'a>(get: &impl Fn(&str) -> Option<&'a str>, sandbox: bool) -> Result<Desk, Vec<String>> {
    let given = get("DESK_FILE");
    let path = given.unwrap_or("registration.toml");
    let table = match std::fs::read_to_string(path) {
        Ok(text) => match text.parse::<Table>() {
            Ok(table) => Some((table, text)),
            Err(error) => return Err(vec![format!("{path}: {}", error.to_string().trim())]),
        },
        Err(error) if given.is_none() && error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(vec![format!("DESK_FILE {path}: {error}")]),
    };
    let attributes = get("PROOF_ATTRIBUTES").map(attribute_names).transpose()?;
    let desk = match table {
        Some((mut table, text)) => {
            if complete(&mut table, get, attributes) {
                Desk::deserialize(Value::Table(table)).map_err(|error| error.to_string())
            } else {
                // From the text itself: then a mistake is told with its line.
                toml::from_str(&text).map_err(|error| error.to_string())
            }
            .map_err(|error| vec![format!("{path}: {}", error.trim())])?
        }
        None if get("PROOF_CRED_DEF_ID").is_some() || attributes.is_some() => {
            let mut table = Table::new();
            table.insert("title".to_owned(), "Registration".into());
            table.insert("organisation".to_owned(), "".into());
            complete(&mut table, get, attributes);
            Desk::deserialize(Value::Table(table)).map_err(|error| {
                vec![format!("PROOF_CRED_DEF_ID and PROOF_ATTRIBUTES do not make a desk: {}", error.to_string().trim())]
            })?
        }
        None if sandbox => sample(),
        None => {
            return Err(vec![
                "there is no desk: neither a file registration.toml nor PROOF_CRED_DEF_ID and PROOF_ATTRIBUTES"
                    .to_owned(),
            ]);
        }
    };
    let faults = desk.faults();
    if faults.is_empty() { Ok(desk) } else { Err(faults.into_iter().map(|fault| format!("{path}: {fault}")).collect()) }
}

/// `a, b` or `["a", "b"]`.
fn attribute_names(text: &str) -> Result<Vec<String>, Vec<String>> {
    if text.trim_start().starts_with('[') {
        return serde_json::from_str(text).map_err(|_| vec!["PROOF_ATTRIBUTES is not a JSON list of names".to_owned()]);
    }
    Ok(text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect())
}

/// Puts what the earlier system's variables say where the file does not say otherwise. Says whether anything was put.
fn complete<'a>(table: &mut Table, get: &impl Fn(&str) -> Option<&'a str>, attributes: Option<Vec<String>>) -> bool {
    let mut changed = false;
    if let (Some(comment), false) = (get("PROOF_REQUEST_COMMENT"), table.contains_key("comment")) {
        table.insert("comment".to_owned(), comment.into());
        changed = true;
    }
    if let (Some(attributes), false) = (attributes, table.contains_key("attribute")) {
        let entry = |name: String| {
            // `national_id_number` is read out as "National id number".
            let mut label = name.replace('_', " ");
            if let Some(first) = label.get_mut(..1) {
                first.make_ascii_uppercase();
            }
            Value::Table(Table::from_iter([("name".to_owned(), name.into()), ("label".to_owned(), label.into())]))
        };
        table.insert("attribute".to_owned(), Value::Array(attributes.into_iter().map(entry).collect()));
        changed = true;
    }
    let ids = [("schema_id", "PROOF_SCHEMA_ID"), ("cred_def_id", "PROOF_CRED_DEF_ID")];
    if ids.iter().any(|(_, variable)| get(variable).is_some()) {
        let credential = table.entry("credential").or_insert_with(|| Value::Table(Table::new()));
        if let Value::Table(credential) = credential {
            for (field, variable) in ids {
                if let (Some(id), false) = (get(variable), credential.contains_key(field)) {
                    credential.insert(field.to_owned(), id.into());
                    changed = true;
                }
            }
            credential.entry("name").or_insert_with(|| "Credential".into());
        }
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load_with(file: Option<&str>, set: &[(&str, &str)], sandbox: bool) -> Result<Desk, Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("desk.toml");
        if let Some(text) = file {
            std::fs::write(&path, text).unwrap();
        }
        let path = path.to_str().unwrap().to_owned();
        load(
            &|name| {
                if name == "DESK_FILE" {
                    return file.map(|_| path.as_str());
                }
                set.iter().find(|(n, _)| *n == name).map(|(_, value)| *value)
            },
            sandbox,
        )
    }

    const FILE: &str = "title = \"T\"\norganisation = \"O\"\n[credential]\nname = \"C\"\ncred_def_id = \"D\"\n";

    #[test]
    fn the_sample_is_a_desk_without_faults() {
        assert_eq!(sample().faults(), Vec::<String>::new());
    }

    #[test]
    fn the_earlier_systems_variables_fill_what_the_file_leaves_out() {
        let set = [("PROOF_ATTRIBUTES", "a_b, c"), ("PROOF_CRED_DEF_ID", "X"), ("PROOF_REQUEST_COMMENT", "please")];
        let desk = load_with(Some(FILE), &set, false).unwrap();
        assert_eq!(desk.credential.cred_def_id, "D");
        assert_eq!(desk.comment, "please");
        let labels: Vec<_> = desk.attributes.iter().map(|a| (a.name.as_str(), a.label.as_str())).collect();
        assert_eq!(labels, [("a_b", "A b"), ("c", "C")]);
    }

    #[test]
    fn mistakes_are_told_with_their_line_or_name() {
        let told = |file: &str| load_with(Some(file), &[], true).unwrap_err().join("\n");
        assert!(told("title = ").contains("line 1"));
        assert!(told(&format!("{FILE}\n[[attribute]]\nnmae = \"x\"\n")).contains("line 8"));
        assert!(
            told(&format!("{FILE}\n[[attribute]]\nname=\"x\"\nlabel=\"\"\n[[attribute]]\nname=\"x\"\nlabel=\"\"\n"))
                .contains("twice")
        );
        assert!(
            told(&format!("{FILE}\n[wallet]\nlinks = [\"x://\"]\n[[attribute]]\nname=\"x\"\nlabel=\"\"\n"))
                .contains("{oob}")
        );
        let list = load_with(Some(FILE), &[("PROOF_ATTRIBUTES", "[1]")], true).unwrap_err();
        assert!(list[0].contains("PROOF_ATTRIBUTES"));
    }

    #[test]
    fn a_desk_of_variables_alone_needs_a_credential_definition() {
        // `registration.toml` of the working directory must not answer here.
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("none.toml");
        let result = load(&|name| (name == "DESK_FILE").then(|| missing.to_str().unwrap()), false);
        assert!(result.unwrap_err()[0].contains("DESK_FILE"));
    }
}
