//! What pages ask of the server: the bodies of the server functions in `api.rs`, one call each. *Runs: server.*

use std::{net::SocketAddr, sync::Arc};

use axum::{
    extract::ConnectInfo,
    http::{HeaderMap, header},
};
use leptos::prelude::{ServerFnError, expect_context};
use leptos_axum::ResponseOptions;
use qrcode::{EcLevel, QrCode, render::svg};

use super::{
    platform::invitation,
    problem::Problem,
    sessions::{OpenError, to_the_end},
    state::App,
    store::Attempt,
};
use crate::{
    api::{ApplicationView, ConnectView, Field, LiveOptions},
    domain::{
        desk::{CodeForm, Desk},
        session::Session,
        stage::Stage,
    },
};

type Answer<T> = Result<T, ServerFnError>;

fn app() -> App {
    expect_context::<App>()
}

/// A failed page shows the reason in the server's log, never its text to the person.
fn failed(problem: Problem) -> ServerFnError {
    let (status, _, title) = problem.parts();
    expect_context::<ResponseOptions>().set_status(status);
    ServerFnError::ServerError(title.to_owned())
}

async fn headers() -> Answer<HeaderMap> {
    Ok(leptos_axum::extract::<HeaderMap>().await?)
}

/// Counts a new code for whoever asks for it; says whether there may be one.
async fn may_have_code(app: &App) -> Answer<bool> {
    let ConnectInfo(peer) = leptos_axum::extract::<ConnectInfo<SocketAddr>>().await?;
    Ok(app.count_new_session(app.address(peer, &headers().await?)).is_ok())
}

/// The session of this browser, when it has one.
async fn session_of_browser(app: &App) -> Answer<Option<Session>> {
    match app.session_of_cookie(&headers().await?) {
        Some(id) => app.sessions.store.session(id).await.map_err(|error| failed(error.into())),
        None => Ok(None),
    }
}

/// Nothing that says something about a person may lie in a cache or come back with the back button unasked.
fn no_store() {
    expect_context::<ResponseOptions>()
        .insert_header(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
}

/// The desk, for the pages that describe it.
pub fn desk() -> Desk {
    Desk::clone(&app().sessions.desk)
}

/// Begins a registration and sends the browser to its code; when there is none to be had, back with the reason.
pub async fn open() -> Answer<()> {
    let app = app();
    let under_way = |session: &Session| session.progress.stage.rank() < Stage::Verified.rank();
    if session_of_browser(&app).await?.is_some_and(|session| !session.progress.stage.is_end() && under_way(&session)) {
        // A second consent does not throw away a code that may be scanned this very moment; cancelling does.
        leptos_axum::redirect("/register/connect");
        return Ok(());
    }
    if !may_have_code(&app).await? {
        leptos_axum::redirect("/register?problem=busy");
        return Ok(());
    }
    match app.sessions.open().await {
        Ok(session) => {
            expect_context::<ResponseOptions>().append_header(header::SET_COOKIE, app.cookie(session.id));
            leptos_axum::redirect("/register/connect");
        }
        Err(error) => {
            tracing::error!(%error, "no registration could be opened");
            leptos_axum::redirect(&format!("/register?problem={}", problem_word(&error)));
        }
    }
    Ok(())
}

/// A new code for this browser's session, after the attempt that its page shows.
pub async fn renew(attempt: u32) -> Answer<()> {
    let app = app();
    let Some(session) = session_of_browser(&app).await? else {
        leptos_axum::redirect("/register");
        return Ok(());
    };
    let to = if !may_have_code(&app).await? {
        "/register/connect?problem=busy".to_owned()
    } else {
        let sessions = Arc::clone(&app.sessions);
        match to_the_end(async move { sessions.renew(session.id, attempt).await }).await {
            Ok(_) => {
                // The new attempt has its whole time before it, so the cookie has to have it too.
                expect_context::<ResponseOptions>().append_header(header::SET_COOKIE, app.cookie(session.id));
                "/register/connect".to_owned()
            }
            // The page which asked was old: it shows how far the registration is.
            Err(OpenError::UnderWay) => "/register/connect".to_owned(),
            Err(error) => {
                tracing::error!(%error, session.id = %session.id, "no new code");
                format!("/register/connect?problem={}", problem_word(&error))
            }
        }
    };
    leptos_axum::redirect(&to);
    Ok(())
}

/// The word for a problem in a page's address; the page has the sentence for it.
fn problem_word(error: &OpenError) -> &'static str {
    match error {
        OpenError::Platform(_) => "platform",
        OpenError::Store(_) | OpenError::NoSession | OpenError::UnderWay => "server",
    }
}

/// Cancels this browser's registration.
pub async fn cancel() -> Answer<()> {
    let app = app();
    if let Some(session) = session_of_browser(&app).await? {
        let sessions = Arc::clone(&app.sessions);
        if let Err(error) = to_the_end(async move { sessions.cancel(session.id).await }).await {
            tracing::error!(%error, session.id = %session.id, "not cancelled");
            leptos_axum::redirect("/register/connect?problem=server");
            return Ok(());
        }
    }
    leptos_axum::redirect("/register/connect");
    Ok(())
}

/// What the connect page shows; `None` after sending a browser without a session to where one begins.
pub async fn connect_view() -> Answer<Option<ConnectView>> {
    no_store();
    let app = app();
    let Some(session) = session_of_browser(&app).await? else {
        leptos_axum::redirect("/register");
        return Ok(None);
    };
    let attempt =
        app.sessions.store.attempt(session.id, session.attempt).await.map_err(|error| failed(error.into()))?;
    let attempt = attempt.ok_or_else(|| failed(Problem::NotFound))?;
    let link = format!("{}i/{}", app.public_url, attempt.link);
    let (held, level) = match app.sessions.desk.code {
        CodeForm::Link => (link.clone(), EcLevel::M),
        // Long already: a lower level keeps it as light as it can be.
        CodeForm::Direct => (attempt.invitation_url.clone(), EcLevel::L),
    };
    Ok(Some(ConnectView {
        snapshot: session.snapshot(app.sessions.clock.now()),
        code_svg: code_svg(&held, level).ok_or_else(|| failed(Problem::PlatformUnavailable))?,
        wallet_links: wallet_links(&app, &attempt),
        desk: desk(),
        sandbox: app.is_sandbox(),
        options: LiveOptions {
            attempts: app.config.reconnect_attempts,
            polling_ms: u32::try_from(app.config.polling_interval.as_millis()).unwrap_or(u32::MAX),
        },
        link: held,
    }))
}

/// The code as inline SVG, with its quiet zone; `None` when the text is too long for any code.
fn code_svg(text: &str, level: EcLevel) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, level).ok()?;
    // Always dark on light, whatever the page's colours: many scanners cannot read it the other way round.
    let drawn = code
        .render::<svg::Color<'_>>()
        .dark_color(svg::Color("#14231c"))
        .light_color(svg::Color("#fffdf8"))
        .quiet_zone(true)
        .build();
    // An XML declaration has no place inside a page.
    drawn.find("<svg").map(|start| drawn[start..].to_owned())
}

/// The links that open a wallet on the same phone; none when the invitation could not be resolved, or in the sandbox,
/// whose wallet is a page.
pub fn wallet_links(app: &App, attempt: &Attempt) -> Vec<String> {
    if app.is_sandbox() {
        return vec![format!("{}i/{}", app.public_url, attempt.link)];
    }
    let Some(message) = &attempt.invitation else { return Vec::new() };
    app.sessions.desk.wallet.links.iter().map(|template| invitation::wallet_link(template, message)).collect()
}

/// What was shared; `None` after sending a browser that has nothing verified back to its code.
pub async fn application_view() -> Answer<Option<ApplicationView>> {
    no_store();
    let app = app();
    let verified = session_of_browser(&app)
        .await?
        .filter(|session| matches!(session.progress.stage, Stage::Verified | Stage::Submitted));
    let Some(session) = verified else {
        leptos_axum::redirect("/register/connect");
        return Ok(None);
    };
    let attempt =
        app.sessions.store.attempt(session.id, session.attempt).await.map_err(|error| failed(error.into()))?;
    let Some(revealed) = attempt.as_ref().and_then(|attempt| app.sessions.revealed(attempt)) else {
        tracing::error!(session.id = %session.id, "the attributes of a verified session cannot be opened");
        return Err(failed(Problem::StoreUnavailable));
    };
    let desk = desk();
    let fields = desk
        .attributes
        .iter()
        .map(|asked| Field {
            label: asked.label.clone(),
            value: revealed.iter().find(|revealed| revealed.name == asked.name).map(|revealed| revealed.value.clone()),
        })
        .collect();
    Ok(Some(ApplicationView {
        title: desk.title,
        credential: desk.credential.name,
        organisation: desk.organisation,
        fields,
    }))
}
