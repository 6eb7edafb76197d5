//! What the staff's pages ask of the server. Every one of these wants somebody who signed in; whatever changes anything also
//! wants a page of ours to come from. *Runs: both.*

mod views;

use leptos::prelude::*;

pub use self::views::*;

/// The board.
#[server(endpoint = "admin/board")]
pub async fn read_board(
    /// The list, by its word.
    #[server(default)]
    list: String,
    /// What to search for.
    #[server(default)]
    query: String,
    /// The place to go on from, to older ones;
    #[server(default)]
    older: String,
    /// or to newer ones.
    #[server(default)]
    newer: String,
) -> Result<Option<BoardView>, ServerFnError> {
    crate::server::pages::admin::board(list, query, older, newer).await
}

/// One registration; `None` when the browser is sent elsewhere.
#[server(endpoint = "admin/registration")]
pub async fn read_registration(
    /// Its session.
    session: String,
) -> Result<Option<RegistrationView>, ServerFnError> {
    crate::server::pages::admin::registration(session).await
}

/// The deliveries that belong to no registration.
#[server(endpoint = "admin/deliveries")]
pub async fn read_strays(
    /// The place to go on from.
    #[server(default)]
    older: String,
) -> Result<Option<StraysView>, ServerFnError> {
    crate::server::pages::admin::strays(older).await
}

/// The record of what staff did.
#[server(endpoint = "admin/record")]
pub async fn read_record(
    /// The line to go on from.
    #[server(default)]
    older: String,
) -> Result<Option<RecordView>, ServerFnError> {
    crate::server::pages::admin::record(older).await
}

/// The figures.
#[server(endpoint = "admin/figures")]
pub async fn read_figures(
    /// Of which time, by its word.
    #[server(default)]
    range: String,
) -> Result<Option<FiguresView>, ServerFnError> {
    crate::server::pages::admin::figures(range).await
}

/// Whether there are pages for staff at all: without an `ADMIN_TOKEN` there are none.
#[server(endpoint = "admin/is-open")]
pub async fn has_admin() -> Result<bool, ServerFnError> {
    crate::server::pages::admin::is_open().await
}

/// Signs in.
#[server(endpoint = "admin/sign-in")]
pub async fn sign_in(
    /// The name for the record.
    #[server(default)]
    name: String,
    /// The `ADMIN_TOKEN`.
    #[server(default)]
    token: String,
    /// Where to go then.
    #[server(default)]
    next: String,
) -> Result<(), ServerFnError> {
    crate::server::pages::admin::sign_in(name, token, next).await
}

/// Signs out.
#[server(endpoint = "admin/sign-out")]
pub async fn sign_out() -> Result<(), ServerFnError> {
    crate::server::pages::admin::sign_out().await
}

/// Does something about a registration, by its word.
#[server(endpoint = "admin/act")]
pub async fn act_on(
    /// The session.
    #[server(default)]
    session: String,
    /// The attempt that the page shows.
    #[server(default)]
    attempt: u32,
    /// What to do.
    #[server(default)]
    what: String,
) -> Result<(), ServerFnError> {
    crate::server::pages::admin::act_on(session, attempt, what).await
}

/// Tries a delivery once more, or puts it aside, by the word for it.
#[server(endpoint = "admin/settle")]
pub async fn settle(
    /// The delivery's number.
    #[server(default)]
    id: i64,
    /// What to do.
    #[server(default)]
    what: String,
) -> Result<(), ServerFnError> {
    crate::server::pages::admin::settle(id, what).await
}
