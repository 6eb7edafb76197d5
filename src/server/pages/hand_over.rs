//! Going on with a registration on another device. *Runs: server.*

use std::sync::Arc;

use leptos::prelude::ServerFnError;
use qrcode::EcLevel;

use super::{Answer, app, code_svg, desk, failed, give_cookie, may_try_code, no_store, session_of_browser};
use crate::{
    api::HandOverView,
    server::{
        problem::Problem,
        sessions::{hand_over::LIFE, to_the_end},
    },
};

/// Makes a code for this browser's registration, and shows it.
pub async fn hand_over() -> Answer<()> {
    let app = app();
    let Some(session) = session_of_browser(&app).await? else {
        leptos_axum::redirect("/register");
        return Ok(());
    };
    let sessions = Arc::clone(&app.sessions);
    to_the_end(async move { sessions.offer_hand_over(session.id).await })
        .await
        .map_err(|error| failed(error.into()))?;
    leptos_axum::redirect("/register/hand-over");
    Ok(())
}

/// The code of this browser's registration; `None` after sending a browser without one to where it stands.
pub async fn hand_over_view() -> Result<Option<HandOverView>, ServerFnError> {
    no_store();
    let app = app();
    let session = session_of_browser(&app).await?;
    let code = match session {
        Some(session) => app
            .sessions
            .store
            .hand_over(session.id, app.sessions.clock.now())
            .await
            .map_err(|error| failed(error.into()))?,
        None => None,
    };
    let Some(code) = code else {
        // It was used, or its time is over.
        leptos_axum::redirect("/register/connect");
        return Ok(None);
    };
    let address = format!("{}continue", app.public_url);
    let svg = code_svg(&format!("{address}?code={code}"), EcLevel::M);
    let (start, end) = code.split_at(code.len() / 2);
    Ok(Some(HandOverView {
        title: desk().title,
        code: format!("{start}-{end}"),
        svg: svg.ok_or_else(|| failed(Problem::NotFound))?,
        address,
        life: LIFE,
    }))
}

/// Gives this browser the registration that the code leads to, and sends it on; or back, with what is wrong.
pub async fn take_over(code: String) -> Answer<()> {
    let app = app();
    if !may_try_code(&app).await? {
        leptos_axum::redirect("/continue?problem=busy");
        return Ok(());
    }
    let sessions = Arc::clone(&app.sessions);
    match to_the_end(async move { sessions.take_hand_over(&code).await }).await.map_err(|error| failed(error.into()))? {
        Some(session) => {
            give_cookie(&app, session);
            tracing::info!(session.id = %session, "goes on on another device");
            leptos_axum::redirect("/register/connect");
        }
        None => leptos_axum::redirect("/continue?problem=code"),
    }
    Ok(())
}
