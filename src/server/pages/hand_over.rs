//! Going on with a registration on another device. *Runs: server.*

use std::sync::Arc;

use leptos::prelude::ServerFnError;
use qrcode::EcLevel;

use super::{
    Answer, NOT_DONE, app, code_svg, desk, failed, give_cookie, lead, may_try_code, no_store, session_of_browser,
};
use crate::{
    api::HandOverView,
    server::{
        problem::Problem,
        sessions::{hand_over::LIFE, to_the_end},
    },
};

/// Makes a code for this browser's registration, and shows it.
pub async fn hand_over() -> Answer<()> {
    let offered = async {
        let app = app();
        let Some(session) = session_of_browser(&app).await? else { return Ok("/register".to_owned()) };
        let sessions = Arc::clone(&app.sessions);
        let offered = to_the_end(async move { sessions.offer_hand_over(session.id).await }).await;
        offered.map_err(|error| failed(error.into()))?;
        Ok("/register/hand-over".to_owned())
    };
    lead(NOT_DONE, offered).await
}

pub(super) async fn hand_over_view() -> Result<Option<HandOverView>, ServerFnError> {
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
    let taken = async {
        let app = app();
        if !may_try_code(&app).await? {
            return Ok("/continue?problem=busy".to_owned());
        }
        let sessions = Arc::clone(&app.sessions);
        let taken = to_the_end(async move { sessions.take_hand_over(&code).await }).await;
        let Some(session) = taken.map_err(|error| failed(error.into()))? else {
            return Ok("/continue?problem=code".to_owned());
        };
        give_cookie(&app, session);
        tracing::info!(session.id = %session, "goes on on another device");
        Ok("/register/connect".to_owned())
    };
    lead("/continue?problem=server", taken).await
}
