//! What a wallet is asked for in each format of present-proof 2.0 (RFC 0454), and what the record of an exchange tells:
//! AnonCreds (RFC 0771 and its predecessor for Indy, RFC 0592) and presentation exchange with JSON-LD (RFC 0510).
//! *Runs: server.*

use std::{collections::BTreeSet, time::SystemTime};

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{
    domain::{
        desk::{Attribute, Desk, Format, JsonLd, Predicate},
        ids::ProofId,
    },
    server::platform::{
        Cards, PlatformError, Proof, ProofState, Revealed,
        http::{missing, text},
    },
};

/// The one group of attributes in a request: a wallet answers it from one credential.
const GROUP: &str = "attributes";

/// The `presentation_request` of a desk.
pub(super) fn request(desk: &Desk) -> Value {
    match &desk.credential.format {
        Format::AnonCreds => json!({ "anoncreds": anoncreds_request(desk) }),
        Format::Indy => json!({ "indy": anoncreds_request(desk) }),
        Format::Dif(card) => json!({ "dif": dif_request(desk, card) }),
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

fn dif_request(desk: &Desk, card: &JsonLd) -> Value {
    let subject = |attribute: &Attribute| json!({ "path": [format!("$.credentialSubject.{}", attribute.name)] });
    // The whole subject comes in any case: what is optional must not keep a card without it away.
    let mut fields: Vec<Value> = desk.attributes.iter().filter(|asked| asked.required).map(subject).collect();
    fields.push(json!({
        "path": ["$.issuer", "$.issuer.id"], "filter": { "type": "string", "const": card.issuer_did },
    }));
    json!({
        "options": { "challenge": Uuid::new_v4().to_string() },
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
                    { "uri": card.credential_type },
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
    let id = text(record, "pres_ex_id").ok_or_else(|| missing("exchange id"))?;
    let state = match (record["state"].as_str().unwrap_or_default(), record["verified"].as_str()) {
        ("presentation-received", _) => ProofState::Presented,
        ("done", Some("true")) if is_as_asked(record) => ProofState::Verified,
        ("done", Some(_)) | ("abandoned", Some("false")) => ProofState::Invalid,
        // An agent that cannot make out whether what was shared is valid gives it up: it is not valid here.
        ("abandoned", _) if record["by_format"]["pres"].is_object() => ProofState::Invalid,
        ("abandoned", _) if was_withdrawn(record) => ProofState::Invalid,
        ("abandoned", _) => ProofState::Declined,
        _ => ProofState::Requested,
    };
    Ok(Proof { id: ProofId(id), thread_id: text(record, "thread_id"), state, cards: cards(record) })
}

/// Whether somebody broke the exchange off at the agent: the holder did not.
fn was_withdrawn(record: &Value) -> bool {
    record["error_msg"].as_str().is_some_and(|error| error.starts_with("created problem report"))
}

/// Whether an answer came in the one format that was asked for. The agent verifies no other, and shows it all the same.
fn is_as_asked(record: &Value) -> bool {
    let formats = |part: &str| -> Vec<&String> {
        record["by_format"][part].as_object().into_iter().flat_map(Map::keys).collect()
    };
    let (asked, answered) = (formats("pres_request"), formats("pres"));
    asked.len() == 1
        && asked == answered
        && (asked[0] != "dif" || is_of_its_subject(&record["by_format"]["pres"]["dif"]))
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

/// Whether whoever signed a presentation is the subject of every credential in it: a credential alone can be copied. Of
/// several signatures it would not be known which one was checked.
fn is_of_its_subject(presentation: &Value) -> bool {
    let signer = presentation["proof"]["verificationMethod"].as_str().and_then(|method| method.split('#').next());
    let credentials = each(&presentation["verifiableCredential"]);
    let is_signers = |credential: &Value| signer.is_some() && credential["credentialSubject"]["id"].as_str() == signer;
    !credentials.is_empty() && credentials.iter().all(is_signers)
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
    let find = |attribute: &Attribute| {
        let key = match &desk.credential.format {
            Format::AnonCreds => "anoncreds",
            Format::Indy => "indy",
            Format::Dif(card) => return in_dif(dif(record)?, attribute, card),
        };
        let [answer, request] = ["pres", "pres_request"].map(|part| &record["by_format"][part][key]);
        in_anoncreds(answer, request, attribute, &desk.credential.cred_def_id)
    };
    let found = desk.attributes.iter().map(|attribute| Some((attribute.name.clone(), find(attribute)?)));
    found.flatten().map(|(name, value)| Revealed { name, value }).collect()
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

fn in_dif(answer: &Value, attribute: &Attribute, card: &JsonLd) -> Option<String> {
    let credential = each(&answer["verifiableCredential"]).iter().find(|credential| is_of_card(credential, card))?;
    match &credential["credentialSubject"][&attribute.name] {
        Value::String(text) => Some(text.clone()),
        plain @ (Value::Number(_) | Value::Bool(_)) => Some(plain.to_string()),
        _ => None,
    }
}

/// Whether a credential is one of the issuer's, and its words mean what they say.
///
/// What is signed are statements, not JSON: whoever presents may spell them otherwise, put them elsewhere (`@nest`), or
/// bring words of their own (`@context`), so that a word that is read here is not the one that was signed. So there are
/// only the contexts that the desk knows, and names that these explain: nothing that begins with `@`, no address for a name.
fn is_of_card(credential: &Value, card: &JsonLd) -> bool {
    // The last part of an expanded type is its name in the credential.
    let type_name = card.credential_type.rsplit(['#', '/']).next().unwrap_or_default();
    let issuer = credential["issuer"].as_str().or_else(|| credential["issuer"]["id"].as_str());
    let (subject, contexts) = (&credential["credentialSubject"], credential["@context"].as_array());
    let is_plain = |name: &str| !name.contains(['@', ':']);
    let has_plain_names = |object: &Value, but: &str| {
        object.as_object().is_some_and(|fields| fields.keys().all(|name| name == but || is_plain(name)))
    };
    let has_plain_types =
        |object: &Value| each(&object["type"]).iter().all(|named| named.as_str().is_some_and(is_plain));
    issuer == Some(card.issuer_did.as_str())
        && contexts == Some(&card.contexts)
        && has_plain_names(credential, "@context")
        && has_plain_names(subject, "")
        && has_plain_types(credential)
        && has_plain_types(subject)
        && each(&credential["type"]).iter().any(|named| named == type_name)
        && ["expirationDate", "validUntil"].iter().all(|end| is_yet_to_come(&credential[end]))
}

/// Whether a time is none, or is not past. One that cannot be read is past.
fn is_yet_to_come(time: &Value) -> bool {
    let Some(text) = time.as_str() else { return time.is_null() };
    humantime::parse_rfc3339(&text.replace("+00:00", "Z")).is_ok_and(|time| time > SystemTime::now())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::desk;

    const ANONCREDS: &str = include_str!("../../../../tests/fixtures/acapy/api/pres-record.anoncreds.done.json");
    const JSON_LD: &str = include_str!("../../../../tests/fixtures/acapy/api/pres-record.ldp.done.json");

    /// A recorded exchange, changed.
    fn record(recorded: &str, change: impl FnOnce(&mut Value)) -> Value {
        let mut record = serde_json::from_str(recorded).unwrap();
        change(&mut record);
        record
    }

    /// A desk that asks for these attributes, of the card in a recorded exchange.
    fn desk(recorded: &str, names: &[&str]) -> Desk {
        let mut desk = desk::sample();
        let record = record(recorded, |_| ());
        let answer = &record["by_format"]["pres"];
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        if let Some(issuer) = answer["dif"]["verifiableCredential"][0]["issuer"].as_str() {
            desk.credential.format = Format::Dif(JsonLd {
                credential_type: "https://w3id.org/citizenship#PermanentResidentCard".to_owned(),
                issuer_did: issuer.to_owned(),
                contexts: answer["dif"]["verifiableCredential"][0]["@context"].as_array().unwrap().clone(),
            });
        } else {
            desk.credential.cred_def_id = text(&answer["anoncreds"]["identifiers"][0]["cred_def_id"]);
        }
        let first = desk.attributes[0].clone();
        desk.attributes = names.iter().map(|name| Attribute { name: (*name).to_owned(), ..first.clone() }).collect();
        desk
    }

    fn shown(record: &Value, desk: &Desk) -> Vec<String> {
        assert_eq!(proof(record).unwrap().state, ProofState::Verified);
        revealed(record, desk).into_iter().map(|revealed| format!("{}={}", revealed.name, revealed.value)).collect()
    }

    #[test]
    fn a_recorded_answer_reveals_what_was_asked_for() {
        let names = ["family_name", "given_name", "height"];
        let same = record(ANONCREDS, |_| ());
        assert_eq!(shown(&same, &desk(ANONCREDS, &names)), ["family_name=Lovelace", "given_name=Ada"]);
        assert_eq!(proof(&same).unwrap().cards, Some(Cards::One));
        let same = record(JSON_LD, |_| ());
        assert_eq!(shown(&same, &desk(JSON_LD, &["familyName", "height"])), ["familyName=Lovelace"]);
    }

    #[test]
    fn an_attribute_that_was_asked_for_by_itself_is_read_by_its_referent() {
        let single = record(ANONCREDS, |record| {
            record["by_format"]["pres_request"]["anoncreds"]["requested_attributes"] =
                json!({ "r1": { "name": "email" }, "r2": { "name": "phone" } });
            let proof = &mut record["by_format"]["pres"]["anoncreds"]["requested_proof"];
            proof["revealed_attr_groups"] = json!({});
            proof["revealed_attrs"] = json!({ "r1": { "sub_proof_index": 0, "raw": "a@b.example" },
                "r3": { "sub_proof_index": 0, "raw": "never asked" } });
            proof["self_attested_attrs"] = json!({ "r2": "typed, not proven" });
        });
        assert_eq!(shown(&single, &desk(ANONCREDS, &["email", "phone"])), ["email=a@b.example"]);
    }

    #[test]
    fn a_condition_counts_only_as_it_was_asked_for_and_by_this_card() {
        let mut desk = desk(ANONCREDS, &["credits"]);
        desk.attributes[0].predicate =
            Some(Predicate { condition: crate::domain::desk::Condition::AtLeast, value: 60 });
        let answered = |asked: i64, index: u64| {
            let answered = record(ANONCREDS, |record| {
                record["by_format"]["pres_request"]["anoncreds"]["requested_predicates"] =
                    json!({ "credits": { "name": "credits", "p_type": ">=", "p_value": asked } });
                record["by_format"]["pres"]["anoncreds"]["requested_proof"]["predicates"] =
                    json!({ "credits": { "sub_proof_index": index } });
            });
            (shown(&answered, &desk), proof(&answered).unwrap().cards)
        };
        assert_eq!(answered(60, 0), (vec!["credits=>=60".to_owned()], Some(Cards::One)));
        assert_eq!(answered(50, 0).0, Vec::<String>::new());
        assert_eq!(answered(60, 1), (Vec::new(), Some(Cards::Several)), "of another card");
    }

    #[test]
    fn an_answer_in_a_format_that_was_not_asked_for_is_not_valid() {
        let both = record(ANONCREDS, |record| {
            let forged = record["by_format"]["pres"]["anoncreds"].clone();
            record["by_format"]["pres"]["indy"] = forged;
        });
        assert_eq!(proof(&both).unwrap().state, ProofState::Invalid);
    }

    #[test]
    fn a_card_counts_only_with_its_subject_who_signed_once() {
        let dif = |change: fn(&mut Value)| {
            let changed = record(JSON_LD, |record| change(&mut record["by_format"]["pres"]["dif"]));
            proof(&changed).unwrap().state
        };
        assert_eq!(dif(|_| ()), ProofState::Verified);
        assert_eq!(dif(|pres| pres["proof"] = json!([pres["proof"], pres["proof"]])), ProofState::Invalid);
        assert_eq!(dif(|pres| *pres = json!([*pres])), ProofState::Invalid);
        assert_eq!(dif(|pres| pres["verifiableCredential"] = json!([])), ProofState::Invalid);
        let subject = |pres: &mut Value| {
            pres["verifiableCredential"][0]["credentialSubject"].as_object_mut().unwrap().remove("id");
        };
        assert_eq!(dif(subject), ProofState::Invalid);
    }

    #[test]
    fn words_that_the_presenter_gave_another_meaning_or_place_are_not_read() {
        let desk = desk(JSON_LD, &["familyName"]);
        let read = |change: fn(&mut Value)| {
            let changed = record(JSON_LD, |record| {
                change(&mut record["by_format"]["pres"]["dif"]["verifiableCredential"][0]);
            });
            revealed(&changed, &desk).len()
        };
        assert_eq!(read(|_| ()), 1);
        // The true statement elsewhere, and a word beside it that is not signed.
        assert_eq!(read(|card| card["credentialSubject"]["@nest"] = json!({ "familyName": "Lovelace" })), 0);
        assert_eq!(read(|card| card["credentialSubject"]["http://schema.org/familyName"] = json!("Lovelace")), 0);
        assert_eq!(read(|card| card["credentialSubject"]["type"] = json!("https://w3id.org/citizenship#X")), 0);
        assert_eq!(read(|card| card["credentialSubject"]["@context"] = json!({ "familyName": null })), 0);
        // Words of the presenter's own.
        assert_eq!(read(|card| card["@context"].as_array_mut().unwrap().push(json!({ "familyName": null }))), 0);
        assert_eq!(read(|card| card["@included"] = json!([])), 0);
        assert_eq!(read(|card| card["issuer"] = json!("did:key:somebody")), 0);
        assert_eq!(read(|card| card["type"] = json!(["VerifiableCredential"])), 0);
        for end in ["2001-01-01T00:00:00Z", "someday"] {
            let changed = record(JSON_LD, |record| {
                record["by_format"]["pres"]["dif"]["verifiableCredential"][0]["expirationDate"] = json!(end);
            });
            assert!(revealed(&changed, &desk).is_empty(), "{end}");
        }
        assert_eq!(read(|card| card["expirationDate"] = json!("2999-01-01T00:00:00+00:00")), 1);
    }

    #[test]
    fn how_an_exchange_that_was_given_up_ended() {
        let ended = |fields: Value| {
            let mut record = json!({ "pres_ex_id": "p", "state": "abandoned" });
            record.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
            proof(&record).unwrap().state
        };
        assert_eq!(ended(json!({ "error_msg": "abandoned: not today" })), ProofState::Declined);
        assert_eq!(ended(json!({})), ProofState::Declined);
        assert_eq!(ended(json!({ "by_format": { "pres": { "anoncreds": {} } } })), ProofState::Invalid);
        assert_eq!(ended(json!({ "error_msg": "created problem report: by hand" })), ProofState::Invalid);
        assert_eq!(ended(json!({ "verified": "false" })), ProofState::Invalid);
        assert!(proof(&json!({ "state": "done" })).is_err());
    }
}
