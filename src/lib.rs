//! Vestibule: a self-hosted registration desk for digital wallets.
//!
//! The path tells where code runs. [`domain`] and [`ui`] run on both sides, `server` only on the server, and [`api`] is
//! the doorway: signatures both sides know, bodies only the server has. See `ARCHITECTURE.md`.

pub mod api;
pub mod app;
pub mod domain;
pub mod language;
pub mod ui;

#[cfg(feature = "ssr")]
pub mod server;

/// Where the browser begins: makes the islands of the page live.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_islands();
}
