//! What the connect page shows. *Runs: server.*

use std::time::Duration;

use axum::http::header;
use leptos::prelude::ServerFnError;
use qrcode::{EcLevel, QrCode, render::svg};
use reqwest::Url;

use super::{app, desk, failed, headers, no_store, present_attempt, session_of_browser};
use crate::{
    api::{CodeView, ConnectView, LiveOptions},
    domain::desk::CodeForm,
    server::{
        platform::{Invitation, invitation},
        problem::Problem,
        state::App,
        store::Invited,
    },
};

pub(super) async fn connect_view() -> Result<Option<ConnectView>, ServerFnError> {
    no_store();
    let app = app();
    let Some(session) = session_of_browser(&app).await? else {
        // Sent here by the form that begins one, and yet without a session: the browser did not keep its cookie.
        let comes_from = headers().await?.get(header::REFERER).and_then(|from| from.to_str().ok()?.parse::<Url>().ok());
        let has_begun = comes_from.is_some_and(|from| from.path() == "/register");
        leptos_axum::redirect(if has_begun { "/register?problem=cookies" } else { "/register" });
        return Ok(None);
    };
    let attempt = present_attempt(&app, &session).await?;
    let code = match &attempt.invited {
        Some(invited) => Some(code_view(&app, invited).ok_or_else(|| failed(Problem::PlatformUnavailable))?),
        None => None,
    };
    let now = app.sessions.clock.now();
    let deadlines = &app.sessions.deadlines;
    let millis = |length: Duration| u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
    Ok(Some(ConnectView {
        silent_ms: now.since(session.updated_at),
        code_ms: millis(deadlines.code),
        wallet_ms: millis(deadlines.wallet),
        snapshot: session.snapshot(now),
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
pub(super) fn code_svg(text: &str, level: EcLevel) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, level).ok()?;
    // Always dark on light, whatever the page's colours: many scanners cannot read it the other way round.
    let drawn = code
        .render::<svg::Color<'_>>()
        .dark_color(svg::Color("#14231c"))
        .light_color(svg::Color("#fffdf8"))
        .quiet_zone(true)
        .build();
    // An XML declaration has no place inside a page. It has a name, so that it can be shown enlarged too.
    let svg = drawn.find("<svg").map(|start| &drawn[start + 4..])?;
    Some(format!("<svg id=\"drawing\" aria-hidden=\"true\"{svg}"))
}

/// The links that open a wallet on the same phone; none when the invitation could not be resolved, or in the sandbox,
/// whose wallet is a page.
pub fn wallet_links(app: &App, invited: &Invited) -> Vec<String> {
    if app.is_sandbox() {
        return vec![format!("{}i/{}", app.public_url, invited.link)];
    }
    let Invitation { url, message, .. } = &invited.invitation;
    // What the platform wrote stays as it is; where it gave a short URL, the message that it led to is written anew.
    let Some(oob) = invitation::oob_in_url(url).map(str::to_owned).or_else(|| message.as_ref().map(invitation::encode))
    else {
        return Vec::new();
    };
    app.sessions.desk.wallet.links.iter().map(|template| invitation::wallet_link(template, &oob)).collect()
}
