//! The document of the API as a page: what it says, drawn by the server, without a script. *Runs: server.*

use leptos::prelude::*;
use serde_json::{Map, Value};

use super::{
    curl::curl,
    shape::{prose, row, schema, text},
};
use crate::server::html;

/// Draws the whole page.
pub fn draw(document: &Value) -> String {
    let empty = Map::new();
    let tags = document["tags"].as_array().map(Vec::as_slice).unwrap_or_default();
    let components = &document["components"];
    let schemas = components["schemas"].as_object().unwrap_or(&empty);
    let schemes = components["securitySchemes"].as_object().unwrap_or(&empty);
    let named = schemas.iter().map(|(name, of)| {
        let example = of.get("example").map(json);
        view! {
            <section aria-labelledby=name.clone()>
                <h3 id=name.clone()>{name.clone()}</h3>
                {schema(of)}
                {example}
            </section>
        }
    });
    let links = tags.iter().map(|tag| {
        let calls = operations(document, text(tag, "name")).map(|call| {
            view! { <li><a href=format!("#{}", call.id())>{call.name()}</a></li> }
        });
        calls.collect_view()
    });
    let parts = tags.iter().map(|tag| {
        let (name, calls) = (text(tag, "name"), operations(document, text(tag, "name")));
        view! {
            <h2>{capital(name)}</h2>
            {prose(text(tag, "description"))}
            {calls.map(|call| operation(document, &call)).collect_view()}
        }
    });
    html::text(
        "The API of Vestibule",
        view! {
            <main class="api">
                <h1>"The API of Vestibule"</h1>
                <p class="lead">
                    "Version " {text(&document["info"], "version").to_owned()} ". The same for programs: "
                    <a href="/api/openapi.json">"OpenAPI "{text(document, "openapi").to_owned()}</a> "."
                </p>
                {prose(text(&document["info"], "description"))}
                <nav aria-label="Calls">
                    <ul>{links.collect_view()}</ul>
                </nav>
                <h2>"Credentials"</h2>
                <dl class="facts">{schemes.iter().map(|(name, scheme)| credential(name, scheme)).collect_view()}</dl>
                {parts.collect_view()}
                <h2>"What they are made of"</h2>
                {named.collect_view()}
            </main>
        },
    )
}

/// One operation, and where it is.
struct Call<'a> {
    method: &'a str,
    path: &'a str,
    operation: &'a Value,
}

impl Call<'_> {
    fn id(&self) -> String {
        text(self.operation, "operationId").to_owned()
    }

    fn name(&self) -> String {
        format!("{} {}", self.method.to_uppercase(), self.path)
    }
}

/// The operations of a part.
fn operations<'a>(document: &'a Value, tag: &'a str) -> impl Iterator<Item = Call<'a>> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let all = paths.flat_map(|(path, item)| {
        // What makes something comes before what reads it.
        let methods = ["post", "get", "delete"].into_iter();
        methods.filter_map(move |method| Some(Call { method, path, operation: item.get(method)? }))
    });
    all.filter(move |call| call.operation["tags"][0] == tag)
}

fn operation(document: &Value, call: &Call<'_>) -> impl IntoView + use<> {
    let Call { operation, .. } = call;
    let parameters = operation["parameters"].as_array().map(|all| {
        let rows = all.iter().map(|one| {
            let place = text(one, "in").to_owned() + if one["required"] == true { "" } else { ", may be missing" };
            let described = with_description(&one["schema"], one);
            row(text(one, "name"), Some(&place), &described)
        });
        view! { <h4>"Parameters"</h4> <dl class="facts">{rows.collect_view()}</dl> }
    });
    let body = operation.get("requestBody").map(|body| {
        view! { <h4>"Body"</h4> {prose(text(body, "description"))} {contents(body, true)} }
    });
    let asked = operation["security"].as_array().map(|all| {
        let ways = all.iter().map(|way| way.as_object().into_iter().flatten().map(|(name, _)| format!("`{name}`")));
        let ways: Vec<_> = ways.map(|names| names.collect::<Vec<_>>().join(" with ")).collect();
        prose(&format!("Asks for {}.", ways.join(" or ")))
    });
    let answers = operation["responses"].as_object().into_iter().flatten().map(|(status, answer)| {
        view! {
            <div>
                <dt><code>{status.clone()}</code></dt>
                <dd>
                    {prose(text(answer, "description"))}
                    {headers(answer)}
                    {contents(answer, false)}
                </dd>
            </div>
        }
    });
    view! {
        <section aria-labelledby=call.id()>
            <h3 id=call.id()>
                <span class="method">{call.method.to_uppercase()}</span>
                " "
                <code>{call.path.to_owned()}</code>
            </h3>
            <p><strong>{text(operation, "summary").to_owned()}</strong></p>
            {prose(text(operation, "description"))}
            {asked}
            <pre>{curl(document, call.method, call.path, operation)}</pre>
            {parameters}
            {body}
            <h4>"Answers"</h4>
            <dl class="facts answers">{answers.collect_view()}</dl>
        </section>
    }
}

/// What a body can be, by its type. Of problems nothing more than what was said.
fn contents(of: &Value, is_open: bool) -> impl IntoView + use<> {
    let contents = of["content"].as_object().into_iter().flatten();
    let contents = contents.filter(|(kind, _)| *kind != "application/problem+json").map(|(kind, content)| {
        let examples = content["examples"].as_object().into_iter().flatten().map(|(name, example)| {
            view! { <details><summary>"Example: " {name.clone()}</summary> {json(&example["value"])}</details> }
        });
        view! {
            <details open=is_open>
                <summary><code>{kind.clone()}</code></summary>
                {schema(&content["schema"])}
                {content.get("example").map(json)}
            </details>
            {examples.collect_view()}
        }
    });
    contents.collect_view()
}

fn headers(answer: &Value) -> impl IntoView + use<> {
    let headers = answer["headers"].as_object().into_iter().flatten().map(|(name, header)| {
        let description = text(header, "description");
        prose(&format!("`{name}`{}{description}", if description.is_empty() { "" } else { ": " }))
    });
    headers.collect_view()
}

fn credential(name: &str, scheme: &Value) -> impl IntoView + use<> {
    let place = match text(scheme, "type") {
        "http" => "Authorization: Bearer".to_owned(),
        _ => format!("{} {}", text(scheme, "in"), text(scheme, "name")),
    };
    let described = prose(text(scheme, "description"));
    view! {
        <div>
            <dt><code>{name.to_owned()}</code></dt>
            <dd><p><code>{place}</code></p>{described}</dd>
        </div>
    }
}

/// A schema under a parameter's own description.
fn with_description(schema: &Value, parameter: &Value) -> Value {
    let mut schema = schema.clone();
    if let Value::Object(schema) = &mut schema {
        schema.insert("description".to_owned(), parameter["description"].clone());
    }
    schema
}

fn json(value: &Value) -> impl IntoView + use<> {
    view! { <pre>{serde_json::to_string_pretty(value).unwrap_or_default()}</pre> }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().collect::<String>() + letters.as_str()).unwrap_or_default()
}
