//! The texts that an island writes. The server draws the page in one language and hands over what is written into it later,
//! so that no language is a part of what a browser loads. *Runs: both; read in the browser.*

use js_sys::{JSON, Object, Reflect};
use wasm_bindgen::JsValue;
use web_sys::Element;

/// The attribute that has them, as JSON.
pub const ATTRIBUTE: &str = "data-texts";

/// Texts by name, as the page brings them along.
#[derive(Clone)]
pub struct HandedTexts(JsValue);

impl HandedTexts {
    /// The texts of an element; none of them where it brings none.
    #[must_use]
    pub fn of(element: &Element) -> Self {
        let texts = element.get_attribute(ATTRIBUTE).and_then(|json| JSON::parse(&json).ok());
        Self(texts.unwrap_or_else(|| Object::new().into()))
    }

    /// A text; empty where there is none of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> String {
        let text = Reflect::get(&self.0, &JsValue::from_str(name)).ok();
        text.and_then(|text| text.as_string()).unwrap_or_default()
    }
}

/// Texts as the attribute that hands them over.
pub fn hand_over(texts: impl IntoIterator<Item = (impl Into<String>, String)>) -> String {
    let texts: serde_json::Map<_, _> = texts.into_iter().map(|(name, text)| (name.into(), text.into())).collect();
    serde_json::Value::Object(texts).to_string()
}
