//! What pages ask of the server: the bodies of the server functions in `api.rs`, one call each. *Runs: server.*

pub mod admin;
mod connect;
mod form;
mod hand_over;

use connect::code_svg;
pub use connect::wallet_links;
pub use form::submit;
pub use hand_over::{hand_over, take_over};

use std::{net::SocketAddr, sync::Arc};

use axum::{
    extract::ConnectInfo,
    http::{HeaderMap, header},
};
use leptos::prelude::{ServerFnError, expect_context, use_context};
use leptos_axum::ResponseOptions;

use super::{
    problem::Problem,
    sessions::{OpenError, to_the_end},
    state::App,
    store::Attempt,
    trace::{self, Trace},
};
use crate::{
    api::{ApplicationView, ConfirmationView, ConnectView, HandOverView},
    domain::{desk::Desk, ids::SessionId, session::Session, stage::Stage},
    language::use_language,
};

type Answer<T> = Result<T, ServerFnError>;

/// Where something leads that did not work with a registration under way.
const NOT_DONE: &str = "/register/connect?problem=server";

fn app() -> App {
    expect_context::<App>()
}

/// A failed page shows the reason in the server's log, never its text to the person.
fn failed(problem: Problem) -> ServerFnError {
    let (status, _, title) = problem.parts();
    expect_context::<ResponseOptions>().set_status(status);
    ServerFnError::ServerError(title.to_owned())
}

/// What a page shows is read in a task of its own, which does not know whose it is but by the page's context.
async fn of_its_request<T>(view: impl Future<Output = T>) -> T {
    trace::within(use_context::<Trace>(), view).await
}

async fn headers() -> Answer<HeaderMap> {
    Ok(leptos_axum::extract::<HeaderMap>().await?)
}

/// Counts a new code for whoever asks for it; says whether there may be one.
async fn may_have_code(app: &App) -> Answer<bool> {
    let ConnectInfo(peer) = leptos_axum::extract::<ConnectInfo<SocketAddr>>().await?;
    Ok(app.count_new_session(app.address(peer, &headers().await?)).is_ok())
}

/// Counts a code from another device for whoever types it; says whether it may be looked at.
async fn may_try_code(app: &App) -> Answer<bool> {
    let ConnectInfo(peer) = leptos_axum::extract::<ConnectInfo<SocketAddr>>().await?;
    Ok(app.count_typed_code(app.address(peer, &headers().await?)).is_ok())
}

/// The session of this browser, when it has one, whatever its terms.
async fn any_session_of_browser(app: &App) -> Answer<Option<Session>> {
    let Some(id) = app.session_of_cookie(&headers().await?) else { return Ok(None) };
    app.sessions.store.session(id).await.map_err(|error| failed(error.into()))
}

/// The session of this browser, when it has one. One that was begun under other terms has to begin anew.
async fn session_of_browser(app: &App) -> Answer<Option<Session>> {
    Ok(any_session_of_browser(app).await?.filter(|session| app.sessions.is_agreed(session)))
}

/// The present attempt of a session.
async fn present_attempt(app: &App, session: &Session) -> Answer<Attempt> {
    let attempt = app.sessions.store.attempt(session.id, session.attempt).await;
    attempt.map_err(|error| failed(error.into()))?.ok_or_else(|| failed(Problem::NotFound))
}

/// Gives this browser its session for the whole time once more.
fn give_cookie(app: &App, session: SessionId) {
    expect_context::<ResponseOptions>().append_header(header::SET_COOKIE, app.cookie(session));
}

/// Nothing that says something about a person may lie in a cache or come back with the back button unasked.
fn no_store() {
    expect_context::<ResponseOptions>()
        .insert_header(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
}

/// The desk in the language of the page, for the pages that describe it.
pub fn desk() -> Desk {
    app().sessions.desk.in_language(use_language().tag())
}

/// What the connect page shows; `None` after sending a browser without a session to where one begins.
pub async fn connect_view() -> Answer<Option<ConnectView>> {
    of_its_request(connect::connect_view()).await
}

/// What was shared, and the form; `None` after sending a browser that has nothing verified back to its code, or one that
/// is registered on.
pub async fn application_view() -> Answer<Option<ApplicationView>> {
    of_its_request(form::application_view()).await
}

/// This browser's registration; `None` after sending a browser that has none to where it stands.
pub async fn confirmation_view() -> Answer<Option<ConfirmationView>> {
    of_its_request(form::confirmation_view()).await
}

/// The code of this browser's registration; `None` after sending a browser without one to where it stands.
pub async fn hand_over_view() -> Answer<Option<HandOverView>> {
    of_its_request(hand_over::hand_over_view()).await
}

/// Sends the browser where its action leads. One that failed leads back to its page, which says so: its answer is nothing to
/// look at.
async fn lead(back: &str, action: impl Future<Output = Answer<String>>) -> Answer<()> {
    leptos_axum::redirect(&action.await.unwrap_or_else(|_| back.to_owned()));
    Ok(())
}

/// Begins a registration and sends the browser to its code; when there is none to be had, back with the reason.
pub async fn open() -> Answer<()> {
    lead("/register?problem=server", begin()).await
}

async fn begin() -> Answer<String> {
    let app = app();
    if let Some(session) = session_of_browser(&app).await?.filter(|session| !session.progress.stage.is_end()) {
        // A second consent does not throw away a code that may be scanned this very moment; cancelling does.
        let verified = session.progress.stage == Stage::Verified;
        return Ok(if verified { "/register/application" } else { "/register/connect" }.to_owned());
    }
    if !may_have_code(&app).await? {
        return Ok("/register?problem=busy".to_owned());
    }
    Ok(match app.sessions.open().await {
        Ok(session) => {
            give_cookie(&app, session.id);
            "/register/connect".to_owned()
        }
        Err(error) => {
            tracing::error!(%error, "no registration could be opened");
            format!("/register?problem={}", problem_word(&error))
        }
    })
}

/// A new code for this browser's session, after the attempt that its page shows.
pub async fn renew(attempt: u32) -> Answer<()> {
    lead(NOT_DONE, another_attempt(attempt, false)).await
}

/// Asks this browser's wallet once more, after the attempt that its page shows; where there is no wallet to ask, a new
/// code.
pub async fn ask_again(attempt: u32) -> Answer<()> {
    lead(NOT_DONE, another_attempt(attempt, true)).await
}

async fn another_attempt(attempt: u32, over_the_connection: bool) -> Answer<String> {
    let app = app();
    let Some(session) = session_of_browser(&app).await? else { return Ok("/register".to_owned()) };
    if !may_have_code(&app).await? {
        return Ok("/register/connect?problem=busy".to_owned());
    }
    let sessions = Arc::clone(&app.sessions);
    let begun = to_the_end(async move {
        if over_the_connection {
            match sessions.ask_again(session.id, attempt).await {
                Err(OpenError::NoConnection) => {}
                asked => return asked,
            }
        }
        sessions.renew(session.id, attempt).await
    });
    Ok(match begun.await {
        Ok(_) => {
            // The new attempt has its whole time before it, so the cookie has to have it too.
            give_cookie(&app, session.id);
            "/register/connect".to_owned()
        }
        // The page which asked was old: it shows how far the registration is.
        Err(OpenError::UnderWay) => "/register/connect".to_owned(),
        Err(error) => {
            tracing::error!(%error, session.id = %session.id, "no further attempt");
            format!("/register/connect?problem={}", problem_word(&error))
        }
    })
}

/// The word for a problem in a page's address; the page has the sentence for it.
fn problem_word(error: &OpenError) -> &'static str {
    match error {
        OpenError::Platform(_) => "platform",
        _ => "server",
    }
}

/// Cancels this browser's registration.
pub async fn cancel() -> Answer<()> {
    let cancelled = async {
        let app = app();
        if let Some(session) = any_session_of_browser(&app).await? {
            let sessions = Arc::clone(&app.sessions);
            if let Err(error) = to_the_end(async move { sessions.cancel(session.id).await }).await {
                tracing::error!(%error, session.id = %session.id, "not cancelled");
                return Ok(NOT_DONE.to_owned());
            }
        }
        Ok("/register/connect".to_owned())
    };
    lead(NOT_DONE, cancelled).await
}
