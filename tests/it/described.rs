//! The document of the API, and answers held against it.

use std::collections::BTreeSet;

use reqwest::{Response, header};
use serde_json::{Value, json};

use crate::harness::Desk;

/// An operation, a status, and the problem's code or else the type of the body.
pub type Answer = (String, u16, String);

/// A document.
pub struct Described {
    pub document: Value,
    /// What was answered so far.
    pub seen: BTreeSet<Answer>,
}

impl Described {
    /// The document of a server.
    pub async fn of(desk: &Desk) -> Self {
        let document =
            desk.http.get(format!("{}/api/openapi.json", desk.url)).send().await.unwrap().json().await.unwrap();
        Self { document, seen: BTreeSet::new() }
    }

    /// Every operation: its path, its method, and what is said of it.
    pub fn operations(&self) -> Vec<(&str, &str, &Value)> {
        let paths = self.document["paths"].as_object().unwrap().iter();
        let all = paths.flat_map(|(path, item)| {
            item.as_object().unwrap().iter().map(|(method, operation)| (path.as_str(), method.as_str(), operation))
        });
        all.collect()
    }

    fn operation(&self, id: &str) -> &Value {
        let found = self.operations().into_iter().find(|(_, _, operation)| operation["operationId"] == id);
        found.unwrap_or_else(|| panic!("there is no operation {id}")).2
    }

    /// Fails unless the value is as the schema says, and has no member that the schema does not know.
    pub fn expect_valid(&self, schema: &Value, value: &Value, what: &str) {
        let whole = json!({ "allOf": [schema], "components": self.document["components"] });
        let validator = jsonschema::options().should_validate_formats(true).build(&whole).unwrap();
        let faults: Vec<String> = validator.iter_errors(value).map(|fault| fault.to_string()).collect();
        assert!(faults.is_empty(), "{what}: {faults:?} in {value}");
    }

    /// Fails unless the answer is one that the document has for the operation.
    pub async fn check(&mut self, id: &str, answer: Response) -> Value {
        let status = answer.status().as_u16();
        let described = &self.operation(id)["responses"][status.to_string()];
        assert!(described.is_object(), "{id} answers {status}, which is not described");
        for (name, _) in described["headers"].as_object().into_iter().flatten() {
            assert!(answer.headers().contains_key(name), "{id} {status} has no {name}");
        }
        let kind = answer.headers().get(header::CONTENT_TYPE).map(|kind| kind.to_str().unwrap().to_owned());
        let text = answer.text().await.unwrap();
        let Some(kind) = kind else {
            assert!(described["content"].is_null() && text.is_empty(), "{id} {status} has no Content-Type");
            self.seen.insert((id.to_owned(), status, String::new()));
            return Value::Null;
        };
        let content = &described["content"][&kind];
        assert!(content.is_object(), "{id} {status} is {kind}, which is not described");
        let is_json = kind.starts_with("application/json") || kind.ends_with("+json");
        let body = if is_json { serde_json::from_str(&text).unwrap() } else { Value::from(text) };
        self.expect_valid(&content["schema"], &body, &format!("{id} {status}"));
        let word = if kind == "application/problem+json" { body["code"].as_str().unwrap().to_owned() } else { kind };
        self.seen.insert((id.to_owned(), status, word));
        body
    }

    /// Everything that the document says can be answered.
    pub fn promised(&self) -> BTreeSet<Answer> {
        let mut promised = BTreeSet::new();
        for (_, _, operation) in self.operations() {
            for (status, answer) in operation["responses"].as_object().unwrap() {
                let mut words = Vec::new();
                for (kind, content) in answer["content"].as_object().into_iter().flatten() {
                    let codes = content["schema"]["allOf"][1]["properties"]["code"]["enum"].as_array();
                    match codes.filter(|_| kind == "application/problem+json") {
                        Some(codes) => words.extend(codes.iter().map(|code| code.as_str().unwrap().to_owned())),
                        None => words.push(kind.clone()),
                    }
                }
                if words.is_empty() {
                    words.push(String::new());
                }
                let id = operation["operationId"].as_str().unwrap();
                promised.extend(words.into_iter().map(|word| (id.to_owned(), status.parse().unwrap(), word)));
            }
        }
        promised
    }
}
