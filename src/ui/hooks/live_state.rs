//! What a page follows of a registration. The server hands the first one over in the page, and every later one comes as
//! the same JSON: a `Snapshot` (`domain::session`). *Runs: browser (effects).*

use js_sys::{JSON, Reflect};
use wasm_bindgen::JsValue;

use crate::domain::{ids::SessionId, stage::Stage};

/// The part of a snapshot that a page shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveState {
    /// The registration.
    pub session: SessionId,
    /// The attempt; when it changes, the code on screen is another one.
    pub attempt: u32,
    /// Higher is newer.
    pub version: u64,
    /// Where the registration stands.
    pub stage: Stage,
    /// Whether a wallet fetched the code's link.
    pub opened: bool,
    /// Whether the platform keeps the server waiting.
    pub delayed: bool,
    /// The name of the wallet, once it asked to connect.
    pub their_label: Option<String>,
    /// Milliseconds until the stage's deadline, when this was sent.
    pub remaining_ms: u64,
}

impl LiveState {
    /// The state in a JSON text; `None` when there is none in it.
    ///
    /// The browser's own parser reads it: the one of the server's side would be a quarter of all the code a page loads.
    #[must_use]
    pub fn read(json: &str) -> Option<Self> {
        let fields = JSON::parse(json).ok()?;
        let field = |name: &str| Reflect::get(&fields, &JsValue::from_str(name)).ok();
        let number = |name| field(name)?.as_f64();
        let text = |name| field(name)?.as_string();
        let so = |name| field(name).is_some_and(|value| value.is_truthy());
        Some(Self {
            session: text("sessionId")?.parse().ok()?,
            attempt: number("attempt")? as u32,
            version: number("version")? as u64,
            stage: Stage::from_name(&text("stage")?)?,
            opened: so("opened"),
            delayed: so("delayed"),
            their_label: text("theirLabel"),
            remaining_ms: number("remainingMs")? as u64,
        })
    }
}
