//! Loads the desk: `registration.toml`, or the variables of the earlier system, or in the sandbox the sample.
//!
//! *Runs: server.*

mod credential;
mod fields;
mod reader;
mod translations;
mod variables;

use variables::Variables;

use crate::domain::desk::Desk;

const FILE: &str = "registration.toml";
const SAMPLE: &str = include_str!("../../../registration.toml");

/// The desk that ships with the program.
///
/// # Panics
/// Never: a test reads the same text.
#[must_use]
pub fn sample() -> Desk {
    reader::read(FILE, SAMPLE, &Variables::default()).expect("the sample desk is a desk")
}

/// The desk that these variables describe, most of all `DESK_FILE`, the file that does.
///
/// # Errors
/// With one sentence for each mistake; those in the file name their line.
pub fn load<'a>(get: &impl Fn(&str) -> Option<&'a str>, sandbox: bool) -> Result<Desk, Vec<String>> {
    let given = get("DESK_FILE");
    let path = given.unwrap_or(FILE);
    let text = match std::fs::read_to_string(path) {
        Ok(text) => Some(text),
        Err(error) if given.is_none() && error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(vec![format!("DESK_FILE {path}: {error}")]),
    };
    // Those of the variables and those of the file are told in one message.
    let mut faults = Vec::new();
    let variables = Variables::read(get, &mut faults);
    let desk = match text {
        Some(text) => reader::read(path, &text, &variables),
        None if variables.describe_a_desk() => variables.desk(),
        None if sandbox => Ok(sample()),
        None => {
            Err(vec![format!("there is no desk: neither a file {FILE} nor PROOF_CRED_DEF_ID and PROOF_ATTRIBUTES")])
        }
    };
    match desk {
        Ok(desk) if faults.is_empty() => Ok(desk),
        desk => {
            faults.extend(desk.err().unwrap_or_default());
            Err(faults)
        }
    }
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

    const START: &str = "title = \"T\"\norganisation = \"O\"\n[credential]\nname = \"C\"\ncred_def_id = \"D\"\n";

    #[test]
    fn the_sample_is_a_desk_without_faults() {
        assert_eq!(sample().title, "Student registration");
    }

    #[test]
    fn the_earlier_systems_variables_fill_what_the_file_leaves_out() {
        let set = [("PROOF_ATTRIBUTES", "a_b, c"), ("PROOF_CRED_DEF_ID", "X"), ("PROOF_REQUEST_COMMENT", "please")];
        let desk = load_with(Some(START), &set, false).unwrap();
        assert_eq!((&*desk.credential.name, &*desk.credential.cred_def_id), ("C", "D"));
        assert_eq!(desk.comment, "please");
        let labels: Vec<_> = desk.attributes.iter().map(|a| (a.name.as_str(), a.label.as_str())).collect();
        assert_eq!(labels, [("a_b", "A b"), ("c", "C")]);

        let set = [("PROOF_ATTRIBUTES", "[\"a\"]"), ("PROOF_CRED_DEF_ID", "X"), ("PROOF_SCHEMA_ID", "Y")];
        for file in ["title = \"T\"\norganisation = \"O\"", "title = \"T\"\norganisation = \"O\"\n[credential]"] {
            let desk = load_with(Some(file), &set, false).unwrap();
            assert_eq!((&*desk.credential.name, &*desk.credential.cred_def_id), ("Credential", "X"));
            assert_eq!(desk.credential.schema_id.as_deref(), Some("Y"));
        }
    }

    #[test]
    fn mistakes_in_the_file_and_in_the_variables_are_told_together() {
        let told = load_with(Some("title = 5"), &[("PROOF_ATTRIBUTES", "a, b, a")], true).unwrap_err();
        assert_eq!(told[0], "PROOF_ATTRIBUTES names `a` twice");
        assert!(told[3].ends_with("desk.toml, line 1: `title` has to be text in quotes"), "{told:#?}");
        let told = load_with(Some(START), &[("PROOF_ATTRIBUTES", "[1]")], true).unwrap_err();
        assert_eq!(told, ["PROOF_ATTRIBUTES is not a JSON list of names"]);
    }

    #[test]
    fn a_file_that_was_named_has_to_be_there() {
        // `registration.toml` of the working directory must not answer here.
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("none.toml");
        let result = load(&|name| (name == "DESK_FILE").then(|| missing.to_str().unwrap()), false);
        assert!(result.unwrap_err()[0].contains("DESK_FILE"));
    }

    #[test]
    fn the_variables_alone_make_a_plain_desk_and_need_a_credential_definition() {
        let desk = |set: &[(&str, &'static str)]| {
            let get = |name: &str| set.iter().find(|(n, _)| *n == name).map(|(_, value)| *value);
            let mut faults = Vec::new();
            let variables = Variables::read(&get, &mut faults);
            assert_eq!(faults, Vec::<String>::new());
            variables.desk()
        };
        let plain = desk(&[("PROOF_ATTRIBUTES", "a"), ("PROOF_CRED_DEF_ID", "X")]).unwrap();
        assert_eq!((&*plain.title, &*plain.credential.cred_def_id), ("Registration", "X"));
        assert!(desk(&[("PROOF_ATTRIBUTES", "a")]).unwrap_err()[0].contains("PROOF_CRED_DEF_ID"));
        assert!(desk(&[("PROOF_CRED_DEF_ID", "X")]).unwrap_err()[0].contains("PROOF_ATTRIBUTES"));
    }
}
