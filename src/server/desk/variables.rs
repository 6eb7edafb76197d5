//! The variables by which the earlier system knew its desk: they fill what a file leaves out, and make a plain desk where
//! there is none. *Runs: server.*

use std::collections::BTreeMap;

use crate::domain::desk::{Attribute, CodeForm, Credential, Desk, Format, Lifetimes, Wallet};

/// What the variables say.
#[derive(Default)]
pub(super) struct Variables {
    /// `PROOF_REQUEST_COMMENT`.
    pub(super) comment: Option<String>,
    schema_id: Option<String>,
    cred_def_id: Option<String>,
    attributes: Option<Vec<String>>,
}

impl Variables {
    /// Reads them, and notes one sentence for each mistake.
    pub(super) fn read<'a>(get: &impl Fn(&str) -> Option<&'a str>, faults: &mut Vec<String>) -> Self {
        let owned = |name: &str| get(name).map(str::to_owned);
        Self {
            comment: owned("PROOF_REQUEST_COMMENT"),
            schema_id: owned("PROOF_SCHEMA_ID"),
            cred_def_id: owned("PROOF_CRED_DEF_ID"),
            attributes: get("PROOF_ATTRIBUTES").map(|text| attribute_names(text, faults)),
        }
    }

    /// Whether they are meant to describe a desk.
    pub(super) fn describe_a_desk(&self) -> bool {
        self.cred_def_id.is_some() || self.attributes.is_some()
    }

    /// Whether they say what credential it is, so that a file need not name it.
    pub(super) fn name_credential(&self) -> bool {
        self.cred_def_id.is_some() || self.schema_id.is_some()
    }

    /// The credential that they name; without an id of its definition when they do not say it.
    pub(super) fn credential(&self) -> Credential {
        Credential {
            name: "Credential".to_owned(),
            issuer: String::new(),
            how_to_get: String::new(),
            format: Format::default(),
            schema_id: self.schema_id.clone(),
            cred_def_id: self.cred_def_id.clone().unwrap_or_default(),
        }
    }

    /// The attributes that they name.
    pub(super) fn attributes(&self) -> Vec<Attribute> {
        let attribute = |name: &String| {
            // `national_id_number` is read out as "National id number".
            let mut label = name.replace('_', " ");
            if let Some(first) = label.get_mut(..1) {
                first.make_ascii_uppercase();
            }
            Attribute { name: name.clone(), label, purpose: String::new(), required: true, predicate: None }
        };
        self.attributes.iter().flatten().map(attribute).collect()
    }

    /// The desk that they describe without any file.
    ///
    /// # Errors
    /// With one sentence for each variable that is missing.
    pub(super) fn desk(self) -> Result<Desk, Vec<String>> {
        let (credential, attributes) = (self.credential(), self.attributes());
        let mut missing = Vec::new();
        if credential.cred_def_id.is_empty() {
            missing.push("PROOF_CRED_DEF_ID is not set: without it any issuer's card would be accepted".to_owned());
        }
        if attributes.is_empty() {
            missing.push("PROOF_ATTRIBUTES is not set: a desk asks for at least one attribute".to_owned());
        }
        if !missing.is_empty() {
            return Err(missing);
        }
        Ok(Desk {
            title: "Registration".to_owned(),
            organisation: String::new(),
            introduction: String::new(),
            comment: self.comment.unwrap_or_default(),
            after: String::new(),
            code: CodeForm::default(),
            lifetimes: Lifetimes::default(),
            credential,
            attributes,
            wallet: Wallet::default(),
            translations: BTreeMap::new(),
        })
    }
}

/// `a, b` or `["a", "b"]`.
fn attribute_names(text: &str, faults: &mut Vec<String>) -> Vec<String> {
    let names: Vec<String> = if text.trim_start().starts_with('[') {
        serde_json::from_str(text).unwrap_or_else(|_| {
            faults.push("PROOF_ATTRIBUTES is not a JSON list of names".to_owned());
            // A stand-in, so that it is not also told that there are none.
            vec![text.to_owned()]
        })
    } else {
        text.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
    };
    for (place, name) in names.iter().enumerate() {
        if name.trim().is_empty() {
            faults.push(format!("PROOF_ATTRIBUTES: name {} is empty", place + 1));
        } else if names[..place].contains(name) {
            faults.push(format!("PROOF_ATTRIBUTES names `{name}` twice"));
        }
    }
    names
}
