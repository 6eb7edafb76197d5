//! Draws the parts of the document that say what something looks like: schemas as rows of names, and sentences. *Runs: server.*

use leptos::prelude::*;
use serde_json::{Map, Value};

/// Sentences as the document has them, of Markdown no more than paragraphs, lists and code.
pub fn prose(text: &str) -> impl IntoView + use<> {
    let block = |block: &str| match block.strip_prefix("- ") {
        Some(list) => {
            let items = list.split("\n- ").map(|item| view! { <li>{inline(item)}</li> }).collect_view();
            view! { <ul>{items}</ul> }.into_any()
        }
        None => view! { <p>{inline(block)}</p> }.into_any(),
    };
    text.split("\n\n").filter(|text| !text.is_empty()).map(block).collect_view()
}

/// A sentence in which every second piece between backticks is code.
fn inline(text: &str) -> impl IntoView + use<> {
    let piece = |(number, piece): (usize, &str)| {
        let piece = piece.to_owned();
        if number % 2 == 1 { view! { <code>{piece}</code> }.into_any() } else { piece.into_any() }
    };
    text.split('`').enumerate().map(piece).collect_view()
}

/// The text of a member; empty where there is none.
pub fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// What a schema says: rows for an object, a link for one with a name, words for everything else.
pub fn schema(of: &Value) -> AnyView {
    let description = prose_of(of);
    for (word, joined) in [("oneOf", "One of these:"), ("anyOf", "One of these:"), ("allOf", "")] {
        if let Some(parts) = of[word].as_array() {
            let all = joined.is_empty();
            let parts = parts.iter().filter(|part| part["type"] != "null").map(|part| {
                let title = text(part, "title").to_owned();
                let title = (!title.is_empty()).then(|| view! { <p><strong>{title}</strong></p> });
                if all { schema(part) } else { view! { <li>{title}{schema(part)}</li> }.into_any() }
            });
            let parts = parts.collect_view();
            let parts = if all { parts.into_any() } else { view! { <p>{joined}</p><ul>{parts}</ul> }.into_any() };
            return view! { {description} {parts} }.into_any();
        }
    }
    match of["properties"].as_object() {
        Some(properties) => view! { {description} {rows(of, properties)} }.into_any(),
        None => view! { {description} <p>{kind(of)}</p> }.into_any(),
    }
}

fn prose_of(of: &Value) -> Option<impl IntoView + use<>> {
    of["description"].as_str().map(prose)
}

fn rows(of: &Value, properties: &Map<String, Value>) -> impl IntoView + use<> {
    let required = of["required"].as_array().cloned().unwrap_or_default();
    let rows = properties.iter().map(|(name, property)| {
        let may_lack = (!required.contains(&Value::from(name.as_str()))).then_some("may be missing");
        row(name, may_lack, property)
    });
    view! { <dl class="facts">{rows.collect_view()}</dl> }
}

/// A name, what is to be known of it at a glance, and what it holds.
pub fn row(name: &str, note: Option<&str>, of: &Value) -> impl IntoView + use<> {
    let note = note.map(|note| view! { <span class="note">{note.to_owned()}</span> });
    view! {
        <div>
            <dt>
                <code>{name.to_owned()}</code>
                {note}
            </dt>
            <dd>{schema(of)}</dd>
        </div>
    }
}

/// A schema in a word or two.
fn kind(of: &Value) -> AnyView {
    if let Some(name) = of["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return view! { <a href=format!("#{name}")>{name.to_owned()}</a> }.into_any();
    }
    if let Some(words) = of["enum"].as_array() {
        let words = words.iter().enumerate().map(|(number, word)| {
            let word = word.as_str().map_or_else(|| word.to_string(), str::to_owned);
            view! { {if number > 0 { ", " } else { "" }} <code>{word}</code> }
        });
        return words.collect_view().into_any();
    }
    let types = match &of["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
        one => one.as_str().unwrap_or("anything").to_owned(),
    };
    let format = of["format"].as_str().filter(|format| !format.starts_with("int")).map(|format| format!(", {format}"));
    let pattern = of["pattern"].as_str().map(|pattern| view! { ", " <code>{pattern.to_owned()}</code> });
    let items = (of["type"] == "array").then(|| view! { " of " {kind(&of["items"])} });
    view! { {types} {format} {pattern} {items} }.into_any()
}
