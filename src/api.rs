//! The doorway: what pages ask of the server. Both sides know the signatures; the bodies, one call each, are in
//! `server::pages`. *Runs: both.*

pub mod admin;

use std::time::Duration;

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::domain::{contact::ContactFault, desk::Desk, ids::SessionId, session::Snapshot};

/// What the connect page shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectView {
    /// Where the registration stands.
    pub snapshot: Snapshot,
    /// Milliseconds since the last news.
    pub silent_ms: u64,
    /// How many milliseconds a code waits to be scanned.
    pub code_ms: u64,
    /// How many milliseconds the wallet has from then on.
    pub wallet_ms: u64,
    /// The code to scan; `None` when the wallet is asked over a connection that stands.
    pub code: Option<CodeView>,
    /// What the wallet's request shows too, so that a person knows it for theirs.
    pub matching_code: String,
    /// The desk.
    pub desk: Desk,
    /// Whether the wallet is the simulated one.
    pub sandbox: bool,
    /// How the page stays live.
    pub options: LiveOptions,
}

/// The code to scan, and the other ways to a wallet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeView {
    /// The code, as SVG drawn by the server.
    pub svg: String,
    /// What the code holds.
    pub link: String,
    /// Links that open a wallet on the same phone, the main one first.
    pub wallet_links: Vec<String>,
}

/// How the page stays live, as the operator configured it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveOptions {
    /// How often the socket is tried before the page polls.
    pub attempts: u32,
    /// Milliseconds between polls.
    pub polling_ms: u32,
}

/// What was shared, and the form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationView {
    /// What one registers for.
    pub title: String,
    /// The credential it comes from.
    pub credential: String,
    /// Who issued that, as people know them; may be empty.
    pub issuer: String,
    /// The issuer's DID, where the definition's id has one.
    pub issuer_did: Option<String>,
    /// Who asked.
    pub organisation: String,
    /// Every attribute that was asked for, in the desk's order.
    pub fields: Vec<Field>,
    /// The registration, so that what is typed in a tab is not given to another one.
    pub session: SessionId,
    /// The attempt it was shared in.
    pub attempt: u32,
    /// Something that is required is missing: there is no form, only another attempt.
    pub falls_short: bool,
    /// The e-mail address as typed before.
    pub email: TypedField,
    /// The phone number as typed before.
    pub phone: TypedField,
}

/// One attribute that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// What people call it.
    pub label: String,
    /// What was proven; `None` when it was not.
    pub value: Option<String>,
    /// A condition was proven, and the value stayed in the wallet.
    pub only_proven: bool,
    /// Whether one cannot register without it.
    pub required: bool,
}

/// A field of the form, as it was sent before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypedField {
    /// What was typed.
    pub value: String,
    /// What is wrong with it.
    pub fault: Option<ContactFault>,
}

/// A registration, for the browser it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfirmationView {
    /// What one registered for.
    pub title: String,
    /// With whom.
    pub organisation: String,
    /// The registration's number.
    pub number: String,
    /// When it was submitted, RFC 3339.
    pub submitted_at: String,
    /// What follows; may be empty.
    pub after: String,
    /// How long it is kept.
    pub kept: Duration,
}

/// A code by which another device goes on with this registration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandOverView {
    /// What one registers for.
    pub title: String,
    /// The code, in two halves.
    pub code: String,
    /// Address and code together, as SVG drawn by the server.
    pub svg: String,
    /// Where it is typed.
    pub address: String,
    /// How long it is good.
    pub life: Duration,
}

/// The desk in the language of the page, for pages that describe it.
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

/// Asks the wallet once more over the connection that stands, after the attempt that the page shows.
#[server(endpoint = "register/ask-again")]
pub async fn ask_again(
    /// The attempt that the page shows.
    attempt: u32,
) -> Result<(), ServerFnError> {
    crate::server::pages::ask_again(attempt).await
}

/// Cancels.
#[server(endpoint = "register/cancel")]
pub async fn cancel_session() -> Result<(), ServerFnError> {
    crate::server::pages::cancel().await
}

/// Makes a code for another device.
#[server(endpoint = "register/hand-over")]
pub async fn hand_over() -> Result<(), ServerFnError> {
    crate::server::pages::hand_over().await
}

/// The code for another device; `None` when the browser is sent elsewhere.
#[server(endpoint = "register/handed-over")]
pub async fn read_hand_over_view() -> Result<Option<HandOverView>, ServerFnError> {
    crate::server::pages::hand_over_view().await
}

/// Goes on here with the registration that the code of another device leads to.
#[server(endpoint = "register/take-over")]
pub async fn take_over(
    /// The code, as typed.
    #[server(default)]
    code: String,
) -> Result<(), ServerFnError> {
    crate::server::pages::take_over(code).await
}

/// The present state of this browser's registration; `None` when the browser is sent elsewhere.
#[server(endpoint = "register/view")]
pub async fn read_connect_view() -> Result<Option<ConnectView>, ServerFnError> {
    crate::server::pages::connect_view().await
}

/// Submits the form.
#[server(endpoint = "register/submit")]
pub async fn submit_form(
    /// The e-mail address, as typed.
    #[server(default)]
    email: String,
    /// The phone number, as typed.
    #[server(default)]
    phone: String,
) -> Result<(), ServerFnError> {
    crate::server::pages::submit(email, phone).await
}

/// What this browser's registration shared, and its form; `None` when the browser is sent elsewhere.
#[server(endpoint = "register/shared")]
pub async fn read_application_view() -> Result<Option<ApplicationView>, ServerFnError> {
    crate::server::pages::application_view().await
}

/// This browser's registration; `None` when the browser is sent elsewhere.
#[server(endpoint = "register/confirmed")]
pub async fn read_confirmation_view() -> Result<Option<ConfirmationView>, ServerFnError> {
    crate::server::pages::confirmation_view().await
}
