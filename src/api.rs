//! The doorway: what pages ask of the server. Both sides know the signatures; the bodies, one call each, are in
//! `server::pages`. *Runs: both.*

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::domain::{desk::Desk, session::Snapshot};

/// What the connect page shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectView {
    /// Where the registration stands.
    pub snapshot: Snapshot,
    /// The code, as SVG drawn by the server.
    pub code_svg: String,
    /// What the code holds.
    pub link: String,
    /// Links that open a wallet on the same phone, the main one first.
    pub wallet_links: Vec<String>,
    /// The desk.
    pub desk: Desk,
    /// Whether the wallet is the simulated one.
    pub sandbox: bool,
    /// How the page stays live.
    pub options: LiveOptions,
}

/// How the page stays live, as the operator configured it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveOptions {
    /// How often the socket is tried before the page polls.
    pub attempts: u32,
    /// Milliseconds between polls.
    pub polling_ms: u32,
}

/// What was shared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationView {
    /// What one registers for.
    pub title: String,
    /// The credential it comes from.
    pub credential: String,
    /// Who asked.
    pub organisation: String,
    /// Every attribute that was asked for, in the desk's order.
    pub fields: Vec<Field>,
}

/// One attribute that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// What people call it.
    pub label: String,
    /// What was proven; `None` when it was not revealed.
    pub value: Option<String>,
}

/// The desk, for pages that describe it.
#[server(endpoint = "register/desk")]
pub async fn read_desk() -> Result<Desk, ServerFnError> {
    Ok(crate::server::pages::desk())
}

/// Begins a registration and goes on to its code.
#[server(endpoint = "register/open")]
pub async fn open_session() -> Result<(), ServerFnError> {
    crate::server::pages::open().await
}

/// Asks for a new code, after the attempt that the page shows.
#[server(endpoint = "register/renew")]
pub async fn renew_session(
    /// The attempt that the page shows.
    attempt: u32,
) -> Result<(), ServerFnError> {
    crate::server::pages::renew(attempt).await
}

/// Cancels.
#[server(endpoint = "register/cancel")]
pub async fn cancel_session() -> Result<(), ServerFnError> {
    crate::server::pages::cancel().await
}

/// The present state of this browser's registration; `None` when the browser is sent elsewhere.
#[server(endpoint = "register/view")]
pub async fn read_connect_view() -> Result<Option<ConnectView>, ServerFnError> {
    crate::server::pages::connect_view().await
}

/// What this browser's registration shared; `None` when the browser is sent elsewhere.
#[server(endpoint = "register/shared")]
pub async fn read_application_view() -> Result<Option<ApplicationView>, ServerFnError> {
    crate::server::pages::application_view().await
}
