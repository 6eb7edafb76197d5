//! What the connect page shows. *Runs: server.*

use leptos::prelude::ServerFnError;
use qrcode::{EcLevel, QrCode, render::svg};

use super::{app, desk, failed, no_store, present_attempt, session_of_browser};
use crate::{
    api::{CodeView, ConnectView, LiveOptions},
    domain::desk::CodeForm,
    server::{platform::invitation, problem::Problem, state::App, store::Invited},
};

/// What the connect page shows; `None` after sending a browser without a session to where one begins.
pub async fn connect_view() -> Result<Option<ConnectView>, ServerFnError> {
    no_store();
    let app = app();
    let Some(session) = session_of_browser(&app).await? else {
        leptos_axum::redirect("/register");
        return Ok(None);
    };
    let attempt = present_attempt(&app, &session).await?;
    let code = match &attempt.invited {
        Some(invited) => Some(code_view(&app, invited).ok_or_else(|| failed(Problem::PlatformUnavailable))?),
        None => None,
    };
    Ok(Some(ConnectView {
        snapshot: session.snapshot(app.sessions.clock.now()),
        code,
        matching_code: attempt.code,
        desk: desk(),
        sandbox: app.is_sandbox(),
        options: LiveOptions {
            attempts: app.config.reconnect_attempts,
            polling_ms: u32::try_from(app.config.polling_interval.as_millis()).unwrap_or(u32::MAX),
        },
    }))
}

fn code_view(app: &App, invited: &Invited) -> Option<CodeView> {
    let (held, level) = match app.sessions.desk.code {
        CodeForm::Link => (format!("{}i/{}", app.public_url, invited.link), EcLevel::M),
        // Long already: a lower level keeps it as light as it can be.
        CodeForm::Direct => (invited.invitation.url.clone(), EcLevel::L),
    };
    Some(CodeView { svg: code_svg(&held, level)?, wallet_links: wallet_links(app, invited), link: held })
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
pub fn wallet_links(app: &App, invited: &Invited) -> Vec<String> {
    if app.is_sandbox() {
        return vec![format!("{}i/{}", app.public_url, invited.link)];
    }
    let Some(message) = &invited.invitation.message else { return Vec::new() };
    app.sessions.desk.wallet.links.iter().map(|template| invitation::wallet_link(template, message)).collect()
}
