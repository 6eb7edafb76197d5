//! An operation as a command that anybody can try. *Runs: server.*

use serde_json::Value;

use super::shape::text;

/// The command. What only the reader knows stands there as a variable of the shell.
pub fn curl(document: &Value, method: &str, path: &str, operation: &Value) -> String {
    let mut address = text(&document["servers"][0], "url").to_owned() + path;
    let mut separator = '?';
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let (name, value) = (text(parameter, "name"), value(parameter));
        match text(parameter, "in") {
            "path" => address = address.replace(&format!("{{{name}}}"), &value),
            "query" => {
                address += &format!("{separator}{name}={value}");
                separator = '&';
            }
            // They may all be missing.
            _ => {}
        }
    }
    let other = if method == "get" { "" } else { &format!("-X {} ", method.to_uppercase()) };
    let mut parts = vec![format!("curl -i {other}\"{address}\"")];
    for name in operation["security"][0].as_object().into_iter().flatten().map(|(name, _)| name) {
        let scheme = &document["components"]["securitySchemes"][name];
        let header =
            if scheme["type"] == "http" { "Authorization: Bearer" } else { &format!("{}:", text(scheme, "name")) };
        parts.push(format!("-H \"{header} ${}\"", variable(name)));
    }
    if operation["responses"].get("101").is_some() {
        parts.extend(
            ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"]
                .map(|line| format!("-H '{line}'")),
        );
        parts.push("-H \"Sec-WebSocket-Key: $(openssl rand -base64 16)\"".to_owned());
    }
    if let Some(body) = example(document, &operation["requestBody"]["content"]["application/json"]) {
        parts.push("-H 'Content-Type: application/json'".to_owned());
        parts.push(format!("-d '{}'", body.to_string().replace('\'', "'\\''")));
    }
    parts.join(" \\\n  ")
}

/// What a parameter is in the command.
fn value(parameter: &Value) -> String {
    match text(parameter, "example") {
        "" => format!("${}", variable(text(parameter, "name"))),
        example => example.to_owned(),
    }
}

/// `sessionId` and `path_token` as `SESSION_ID` and `PATH_TOKEN`.
fn variable(name: &str) -> String {
    let letter = |letter: char| {
        let gap = if letter.is_uppercase() { "_" } else { "" };
        format!("{gap}{}", letter.to_uppercase())
    };
    name.chars().map(letter).collect()
}

/// An example of a body: its own, or the one that its schema has.
fn example(document: &Value, content: &Value) -> Option<Value> {
    let first = content["examples"].as_object().and_then(|all| all.values().next()).map(|first| &first["value"]);
    let pointer = text(&content["schema"], "$ref").trim_start_matches('#');
    let named = document.pointer(pointer).and_then(|schema| schema.get("example"));
    first.or(named).cloned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_command_says_where_with_what_and_as_whom() {
        let document = json!({
            "servers": [{ "url": "https://desk.example.org" }],
            "components": {
                "securitySchemes": { "webhookKey": { "type": "apiKey", "in": "header", "name": "X-API-Key" } },
                "schemas": { "Body": { "example": { "text": "it's" } } },
            },
        });
        let operation = json!({
            "parameters": [{ "name": "path_token", "in": "path" }, { "name": "sessionId", "in": "query" }],
            "security": [{ "webhookKey": [] }],
            "requestBody": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Body" } } } },
        });
        let expected = r#"curl -i -X POST "https://desk.example.org/a/$PATH_TOKEN?sessionId=$SESSION_ID" \
  -H "X-API-Key: $WEBHOOK_KEY" \
  -H 'Content-Type: application/json' \
  -d '{"text":"it'\''s"}'"#;
        assert_eq!(curl(&document, "post", "/a/{path_token}", &operation), expected);
    }
}
