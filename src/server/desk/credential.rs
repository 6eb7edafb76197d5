//! Reads `[credential]`: which card is asked for, and in which form it is proven. *Runs: server.*

use toml::Spanned;

use super::{
    fields::{Faults, Fields, own},
    variables::Variables,
};
use crate::domain::desk::{Credential, Format, JsonLd};

/// The credential of a desk; the variables fill what its table leaves out.
pub(super) fn read(top: &mut Fields<'_, '_>, faults: &Faults<'_>, variables: &Variables) -> Credential {
    let stand_in = variables.credential();
    if !top.has("credential") && stand_in.cred_def_id.is_empty() {
        top.lacks("[credential]");
    }
    let Some(mut table) = top.table("credential", "[credential]") else { return stand_in };
    let name = if table.has("name") || !variables.name_credential() {
        own(table.filled_text("name", ""))
    } else {
        stand_in.name
    };
    let format = format(&mut table, faults);
    let has_definition = format.is_anoncreds();
    let cred_def_id = if has_definition && (table.has("cred_def_id") || stand_in.cred_def_id.is_empty()) {
        own(table.filled_text("cred_def_id", ": without it any issuer's card would be accepted"))
    } else if has_definition {
        stand_in.cred_def_id
    } else {
        String::new()
    };
    let credential = Credential {
        name,
        issuer: table.text("issuer").unwrap_or_default(),
        how_to_get: table.text("how_to_get").unwrap_or_default(),
        schema_id: if has_definition { table.text("schema_id").or(stand_in.schema_id) } else { None },
        format,
        cred_def_id,
    };
    table.end();
    credential
}

fn format(table: &mut Fields<'_, '_>, faults: &Faults<'_>) -> Format {
    let format = table.get("format", "\"anoncreds\", \"indy\" or \"dif\"", |value| match value.as_str()? {
        "anoncreds" => Some(Format::AnonCreds),
        "indy" => Some(Format::Indy),
        "dif" => Some(Format::Dif(JsonLd::default())),
        _ => None,
    });
    match format.map(Spanned::into_inner).unwrap_or_default() {
        Format::Dif(_) => Format::Dif(JsonLd {
            credential_type: own(table.filled_text("type", ": without it any card of the issuer would be accepted")),
            issuer_did: own(table.filled_text("issuer_did", ": without it any issuer's card would be accepted")),
            contexts: contexts(table, faults),
        }),
        format => format,
    }
}

/// Addresses, and objects as JSON.
fn contexts(table: &mut Fields<'_, '_>, faults: &Faults<'_>) -> Vec<serde_json::Value> {
    if !table.has("contexts") {
        table.lacks("contexts");
    }
    let mut read = Vec::new();
    for context in table.texts("contexts") {
        let (at, text) = (context.span().start, context.into_inner());
        if !text.starts_with('{') {
            read.push(text.into());
        } else if let Ok(object) = serde_json::from_str(&text) {
            read.push(object);
        } else {
            faults.note(at, "`contexts` has an object that is no JSON");
        }
    }
    read
}
