//! Asks the server for the state, once. *Runs: browser (effects).*

use leptos::prelude::window;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, Headers, RequestCache, RequestInit, Response};

use super::live_state::LiveState;

/// What came back.
pub(super) enum Answer {
    /// A state.
    State(LiveState),
    /// 304: the one that is known.
    Known,
    /// 401 or 404 in the server's own words: not this browser's registration any more.
    Refused,
    /// No answer, or none of our server's.
    Failed,
}

/// Asks for the state of this registration.
pub(super) async fn ask(known: LiveState, signal: AbortSignal) -> Answer {
    fetch(&known, &signal).await.unwrap_or(Answer::Failed)
}

async fn fetch(known: &LiveState, signal: &AbortSignal) -> Result<Answer, JsValue> {
    let headers = Headers::new()?;
    headers.set("If-None-Match", &format!("W/\"{}\"", known.version))?;
    let init = RequestInit::new();
    init.set_signal(Some(signal));
    init.set_headers(&headers);
    // The state is ours to compare: the browser's own cache must not answer for the server.
    init.set_cache(RequestCache::NoStore);
    let url = format!("/api/connections/session?sessionId={}", known.session);
    let response: Response = JsFuture::from(window().fetch_with_str_and_init(&url, &init)).await?.unchecked_into();
    Ok(match response.status() {
        200 => {
            let text = JsFuture::from(response.text()?).await?.as_string();
            text.and_then(|text| LiveState::read(&text)).map_or(Answer::Failed, Answer::State)
        }
        304 => Answer::Known,
        // A proxy whose server is away says 404 too, and a page that it takes for our answer is gone for good.
        401 | 404 if is_problem(&response) => Answer::Refused,
        _ => Answer::Failed,
    })
}

/// Whether it is an error in the form of our API (RFC 9457).
fn is_problem(response: &Response) -> bool {
    let kind = response.headers().get("content-type").ok().flatten();
    kind.is_some_and(|kind| kind.starts_with("application/problem+json"))
}
