//! Going on with a registration on another device. *Runs: server.*

use leptos::prelude::ServerFnError;
use qrcode::EcLevel;

use super::{Answer, app, code_svg, desk, failed, give_cookie, may_try_code, no_store, session_of_browser};
use crate::{
    api::HandOverView,
    server::{hand_over::LIFE, problem::Problem},
};

/// Makes a code for this browser's registration, and shows it.
pub async fn hand_over() -> Answer<()> {
    let app = app();
    let Some(session) = session_of_browser(&app).await? else {
        leptos_axum::redirect("/register");
        return Ok(());
    };
    app.hand_overs.offer(session.id, app.sessions.clock.now());
    leptos_axum::redirect("/register/hand-over");
    Ok(())
}

/// The code of this browser's registration; `None` after sending a browser without one to where it stands.
pub async fn hand_over_view() -> Result<Option<HandOverView>, ServerFnError> {
    no_store();
    let app = app();
    let session = session_of_browser(&app).await?;
    let Some(code) = session.and_then(|session| app.hand_overs.of(session.id, app.sessions.clock.now())) else {
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
    match app.hand_overs.take(&code, app.sessions.clock.now()) {
        Some(session) => {
            give_cookie(&app, session);
            tracing::info!(session.id = %session, "goes on on another device");
            leptos_axum::redirect("/register/connect");
        }
        None => leptos_axum::redirect("/continue?problem=code"),
    }
    Ok(())
}
