//! What a wallet is asked for in each format of present-proof 2.0 (RFC 0454), and what the record of an exchange tells:
//! AnonCreds (RFC 0771 and its predecessor for Indy, RFC 0592) and presentation exchange with JSON-LD (RFC 0510).
//! *Runs: server.*

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{
    domain::{
        desk::{Attribute, Desk, Format, Predicate},
        ids::ProofId,
    },
    server::platform::{Cards, PlatformError, Proof, ProofState, Revealed},
};

/// The one group of attributes in a request: a wallet answers it from one credential.
const GROUP: &str = "attributes";

/// The `presentation_request` of a desk.
pub(super) fn request(desk: &Desk) -> Value {
    match &desk.credential.format {
        Format::AnonCreds => json!({ "anoncreds": anoncreds_request(desk) }),
        Format::Indy => json!({ "indy": anoncreds_request(desk) }),
        Format::Dif { credential_type, issuer_did } => json!({ "dif": dif_request(desk, credential_type, issuer_did) }),
    }
}

fn anoncreds_request(desk: &Desk) -> Value {
    let mut restriction = json!({ "cred_def_id": desk.credential.cred_def_id });
    if let Some(schema) = &desk.credential.schema_id {
        restriction["schema_id"] = json!(schema);
    }
    let restrictions = json!([restriction]);
    let (mut names, mut predicates) = (Vec::new(), Map::new());
    for attribute in &desk.attributes {
        let Some(Predicate { condition, value }) = &attribute.predicate else {
            names.push(&attribute.name);
            continue;
        };
        let predicate = json!({
            "name": attribute.name, "p_type": condition.as_str(), "p_value": value, "restrictions": restrictions,
        });
        predicates.insert(attribute.name.clone(), predicate);
    }
    let attributes =
        if names.is_empty() { json!({}) } else { json!({ GROUP: { "names": names, "restrictions": restrictions } }) };
    json!({
        "name": desk.title, "version": "1.0", "requested_attributes": attributes, "requested_predicates": predicates,
    })
}

fn dif_request(desk: &Desk, credential_type: &str, issuer_did: &str) -> Value {
    let subject = |attribute: &Attribute| json!({ "path": [format!("$.credentialSubject.{}", attribute.name)] });
    let mut fields: Vec<Value> = desk.attributes.iter().map(subject).collect();
    fields.push(json!({
        "path": ["$.issuer", "$.issuer.id"], "filter": { "type": "string", "const": issuer_did },
    }));
    json!({
        "options": { "challenge": Uuid::new_v4().to_string(), "domain": Uuid::new_v4().to_string() },
        "presentation_definition": {
            "id": Uuid::new_v4().to_string(),
            "name": desk.title,
            "format": { "ldp_vp": { "proof_type": ["Ed25519Signature2018", "Ed25519Signature2020"] } },
            "input_descriptors": [{
                "id": GROUP,
                "name": desk.credential.name,
                // Without a schema the agent fails over the answer and says nothing. It matches types, other wallets
                // match contexts: the second entry is for those.
                "schema": [
                    { "uri": credential_type },
                    { "uri": "https://www.w3.org/2018/credentials/v1", "required": false },
                ],
                "constraints": { "fields": fields },
            }],
        },
    })
}

/// Reads the record of an exchange. `done` alone is not enough, and `verified` is a text.
///
/// # Errors
/// When it is no such record.
pub(super) fn proof(record: &Value) -> Result<Proof, PlatformError> {
    let text = |field: &str| record[field].as_str().map(str::to_owned);
    let id = text("pres_ex_id").ok_or_else(|| PlatformError::Nonsense("no exchange id in the answer".to_owned()))?;
    let state = match (record["state"].as_str().unwrap_or_default(), record["verified"].as_str()) {
        ("presentation-received", _) => ProofState::Presented,
        ("done", Some("true")) if dif(record).is_none_or(is_of_its_subject) => ProofState::Verified,
        ("done", Some(_)) | ("abandoned", Some("false")) => ProofState::Invalid,
        ("abandoned", _) if was_ended_here(record["error_msg"].as_str()) => ProofState::Invalid,
        ("abandoned", _) => ProofState::Declined,
        _ => ProofState::Requested,
    };
    Ok(Proof { id: ProofId(id), thread_id: text("thread_id"), state, cards: cards(record) })
}

/// Whether the agent itself broke the exchange off, because it could make nothing of the answer: the wallet's own reasons
/// it tells otherwise.
pub(super) fn was_ended_here(error: Option<&str>) -> bool {
    error.is_some_and(|error| error.starts_with("created problem report"))
}

/// The answer in AnonCreds or Indy.
fn anoncreds(record: &Value) -> Option<&Value> {
    let answer = &record["by_format"]["pres"];
    ["anoncreds", "indy"].into_iter().map(|format| &answer[format]).find(|answer| answer.is_object())
}

/// The answer in JSON-LD.
fn dif(record: &Value) -> Option<&Value> {
    Some(&record["by_format"]["pres"]["dif"]).filter(|answer| answer.is_object())
}

/// One thing or a list of them, as JSON-LD has it.
fn each(value: &Value) -> &[Value] {
    match value {
        Value::Null => &[],
        Value::Array(items) => items,
        one => std::slice::from_ref(one),
    }
}

/// Whether whoever signed a presentation is the subject of every credential in it: a credential alone can be copied.
fn is_of_its_subject(presentation: &Value) -> bool {
    let signers: BTreeSet<&str> = each(&presentation["proof"])
        .iter()
        .filter_map(|proof| proof["verificationMethod"].as_str()?.split('#').next())
        .collect();
    let credentials = each(&presentation["verifiableCredential"]);
    let mut subjects = credentials.iter().flat_map(|credential| each(&credential["credentialSubject"]));
    !credentials.is_empty() && subjects.all(|subject| subject["id"].as_str().is_some_and(|id| signers.contains(id)))
}

fn cards(record: &Value) -> Option<Cards> {
    let several = match (anoncreds(record), dif(record)) {
        (Some(answer), _) => {
            let proof = &answer["requested_proof"];
            let parts = ["revealed_attrs", "revealed_attr_groups", "predicates"];
            let answers = parts.iter().filter_map(|part| proof[part].as_object()).flat_map(Map::values);
            answers.map(|answer| answer["sub_proof_index"].as_i64()).collect::<BTreeSet<_>>().len() > 1
        }
        (None, Some(answer)) => each(&answer["verifiableCredential"]).len() > 1,
        (None, None) => return None,
    };
    Some(if several { Cards::Several } else { Cards::One })
}

/// What a record reveals of exactly what the desk asks for. What is of another credential, or was typed into the wallet
/// instead of proven, counts as missing.
pub(super) fn revealed(record: &Value, desk: &Desk) -> Vec<Revealed> {
    let find = |attribute: &Attribute| match (anoncreds(record), dif(record), &desk.credential.format) {
        (Some(answer), _, Format::AnonCreds | Format::Indy) => {
            in_anoncreds(answer, &request_of(record), attribute, &desk.credential.cred_def_id)
        }
        (None, Some(answer), Format::Dif { credential_type, issuer_did }) => {
            in_dif(answer, attribute, credential_type, issuer_did)
        }
        _ => None,
    };
    let found = desk.attributes.iter().map(|attribute| Some((attribute.name.clone(), find(attribute)?)));
    found.flatten().map(|(name, value)| Revealed { name, value }).collect()
}

/// What was asked for, by referent.
fn request_of(record: &Value) -> Value {
    let asked = &record["by_format"]["pres_request"];
    ["anoncreds", "indy"]
        .into_iter()
        .map(|format| &asked[format])
        .find(|asked| asked.is_object())
        .cloned()
        .unwrap_or_default()
}

fn in_anoncreds(answer: &Value, request: &Value, attribute: &Attribute, cred_def_id: &str) -> Option<String> {
    let (proof, name) = (&answer["requested_proof"], attribute.name.as_str());
    let is_ours = |part: &Value| {
        let index = part["sub_proof_index"].as_u64().and_then(|index| usize::try_from(index).ok());
        index.is_some_and(|index| answer["identifiers"][index]["cred_def_id"] == cred_def_id)
    };
    if let Some(Predicate { condition, value }) = &attribute.predicate {
        let asked = &request["requested_predicates"][name];
        let same = asked["name"] == name && asked["p_type"] == condition.as_str() && asked["p_value"] == *value;
        return (same && is_ours(&proof["predicates"][name])).then(|| format!("{}{value}", condition.as_str()));
    }
    let groups = proof["revealed_attr_groups"].as_object().into_iter().flat_map(Map::values);
    let mut grouped = groups.filter(|group| is_ours(group)).filter_map(|group| group["values"][name]["raw"].as_str());
    let mut single = proof["revealed_attrs"].as_object().into_iter().flatten().filter_map(|(referent, part)| {
        let is_asked = request["requested_attributes"][referent]["name"] == name;
        part["raw"].as_str().filter(|_| is_asked && is_ours(part))
    });
    grouped.next().or_else(|| single.next()).map(str::to_owned)
}

fn in_dif(answer: &Value, attribute: &Attribute, credential_type: &str, issuer_did: &str) -> Option<String> {
    // The last part of an expanded type is its name in the credential.
    let type_name = credential_type.rsplit(['#', '/']).next().unwrap_or_default();
    let is_ours = |credential: &&Value| {
        let issuer = credential["issuer"].as_str().or_else(|| credential["issuer"]["id"].as_str());
        issuer == Some(issuer_did) && each(&credential["type"]).iter().any(|named| named == type_name)
    };
    let credential = each(&answer["verifiableCredential"]).iter().find(is_ours)?;
    each(&credential["credentialSubject"]).iter().find_map(|subject| match &subject[&attribute.name] {
        Value::String(text) => Some(text.clone()),
        plain @ (Value::Number(_) | Value::Bool(_)) => Some(plain.to_string()),
        _ => None,
    })
}
