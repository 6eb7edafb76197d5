//! The body of a webhook as it came: a JSON object whose texts stay where they are until somebody takes one, and what is
//! kept of it, written without what is personal. *Runs: server.*

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json_borrow::{ObjectAsVec, Value};

use super::NotAnObject;

/// The fields of an object. Of two with the same name the first counts.
pub type Fields<'a> = ObjectAsVec<'a>;

/// Reads a body.
///
/// # Errors
/// When it is no JSON object.
pub fn parse(body: &[u8]) -> Result<Fields<'_>, NotAnObject> {
    // Looked at as text once, instead of each text in it.
    let body = str::from_utf8(body).map_err(|_| NotAnObject)?;
    match serde_json::from_str(body) {
        Ok(Value::Object(fields)) => Ok(fields),
        _ => Err(NotAnObject),
    }
}

/// The longest id, state or label that is taken from a body, in bytes. Ours and theirs have 36 to 100.
const TEXT_LIMIT: usize = 256;

/// A text that is an id, a state or a name; none if it is empty, or longer than any of these.
#[must_use]
pub fn text(fields: &Fields<'_>, name: &str) -> Option<String> {
    long_text(fields, name).filter(|text| text.len() <= TEXT_LIMIT)
}

/// A text of any length; none if it is empty.
#[must_use]
pub fn long_text(fields: &Fields<'_>, name: &str) -> Option<String> {
    let text = fields.get(name)?.as_str()?;
    (!text.is_empty()).then(|| text.to_owned())
}

/// An object within.
#[must_use]
pub fn object<'f, 'a>(fields: &'f Fields<'a>, name: &str) -> Option<&'f Fields<'a>> {
    fields.get(name).and_then(Value::as_object)
}

/// Room for what is kept of most bodies, in bytes, so that it need not grow while it is written.
const USUAL: usize = 1024;

/// What becomes of a field when a body is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// It stays, and what is within it is looked at.
    Field,
    /// Its name stays, with an empty object.
    Name,
    /// It goes.
    Nothing,
}

/// Writes a body again, each field at whatever depth as `keep` says: a form of body that nobody has seen yet may hold what
/// is personal elsewhere.
#[must_use]
pub fn write(fields: &Fields<'_>, keep: impl Fn(&str, &Value<'_>) -> Keep) -> String {
    let kept = Kept { value: fields, keep: &keep };
    let mut written = Vec::with_capacity(USUAL);
    let is_written = serde_json::to_writer(&mut written, &kept).is_ok();
    String::from_utf8(written).ok().filter(|_| is_written).unwrap_or_else(|| "{}".to_owned())
}

/// Something of a body, and what is kept of its fields.
struct Kept<'a, T, K> {
    value: &'a T,
    keep: &'a K,
}

impl<K: Fn(&str, &Value<'_>) -> Keep> Serialize for Kept<'_, Fields<'_>, K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.value.iter() {
            match (self.keep)(name, value) {
                Keep::Field => map.serialize_entry(name, &Kept { value, keep: self.keep })?,
                Keep::Name => map.serialize_entry(name, &Fields::default())?,
                Keep::Nothing => {}
            }
        }
        map.end()
    }
}

impl<K: Fn(&str, &Value<'_>) -> Keep> Serialize for Kept<'_, Value<'_>, K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.value {
            Value::Object(fields) => Kept { value: fields, keep: self.keep }.serialize(serializer),
            Value::Array(items) => serializer.collect_seq(items.iter().map(|value| Kept { value, keep: self.keep })),
            plain => plain.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn without_names(body: &str) -> String {
        write(&parse(body.as_bytes()).unwrap(), |name, _| match name {
            "name" => Keep::Nothing,
            "data" => Keep::Name,
            _ => Keep::Field,
        })
    }

    #[test]
    fn what_is_to_go_goes_wherever_it_stands() {
        let body = r#"{"a":1,"name":"x","b":{"name":{"c":2},"d":[{"name":3,"e":null},[{"data":"y"}]]},"data":[4]}"#;
        assert_eq!(without_names(body), r#"{"a":1,"b":{"d":[{"e":null},[{"data":{}}]]},"data":{}}"#);
    }

    #[test]
    fn a_name_in_disguise_and_a_second_one_go_too() {
        let body = "{\"n\\u0061me\":1,\"name\":2,\"name\":3,\"f\":\"\\u00e9\\n\"}";
        assert_eq!(without_names(body), "{\"f\":\"é\\n\"}");
    }

    proptest! {
        #[test]
        fn what_stays_is_what_came(fields in proptest::collection::btree_map("[a-e]{1,2}", "\\PC*", 0..6)) {
            let body = serde_json::to_string(&fields).unwrap();
            prop_assert_eq!(write(&parse(body.as_bytes()).unwrap(), |_, _| Keep::Field), body);
        }
    }
}
