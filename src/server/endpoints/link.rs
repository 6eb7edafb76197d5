//! `GET /i/{link}`: what the code on screen holds. What fetches it decides what it gets: a wallet the invitation as
//! JSON, a camera's browser a page that says how to go on (design 2). *Runs: server.*

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;
use utoipa::{
    IntoResponses, PartialSchema, ToSchema,
    openapi::{Content, RefOr, response},
};

use super::{language, openapi::problems};
use crate::{
    language::{speaking, tr, use_language},
    server::{html, pages::wallet_links, problem::Problem, sessions::to_the_end, state::App, store::Invited},
};

struct Refusals;

impl IntoResponses for Refusals {
    fn responses() -> BTreeMap<String, RefOr<response::Response>> {
        let mut responses = problems::responses(&[Problem::Gone, Problem::StoreUnavailable]);
        // People get a page that says it.
        if let Some(RefOr::T(gone)) = responses.get_mut("410") {
            gone.content.insert("text/html; charset=utf-8".to_owned(), Content::new(Some(String::schema())).into());
        }
        responses
    }
}

/// An invitation of a wallet, as the platform made it (DIDComm, out-of-band or connections protocol).
#[derive(ToSchema)]
#[expect(dead_code, reason = "the platform makes it; this says what every one has")]
struct Invitation {
    /// Which kind of message it is.
    #[schema(rename = "@type", example = "https://didcomm.org/out-of-band/1.1/invitation")]
    r#type: String,
}

/// What the code on screen holds.
///
/// A wallet gets the invitation as JSON, or is sent on to the platform's own address of it. Who asks for `text/html` gets a page
/// for people; in the sandbox, the simulated wallet. A wallet's fetch is the first sign of a scan, and is told as `opened`.
#[utoipa::path(
    get, path = "/i/{link}", operation_id = "openLink", tag = "wallets",
    params(("link" = String, Path, description = "From `link` of a session, 22 characters.", example = "q3Jd0Zb1mT7uYp5xRw2KcA")),
    responses(
        (
            status = 200, description = "The invitation; for people, a page.",
            content((Invitation = "application/json"), (str = "text/html; charset=utf-8")),
        ),
        (status = 303, description = "To the simulated wallet.", headers(("Location" = String))),
        (status = 307, description = "To the platform's own address.", headers(("Location" = String))),
        Refusals,
    ),
)]
pub async fn open(
    State(app): axum::extract::State<App>,
    link: Result<Path<String>, PathRejection>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let person = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"));
    let found = match link.ok().and_then(|Path(link)| link.parse().ok()) {
        Some(link) => app.sessions.open_link(link).await?,
        None => None,
    };
    let mut response = match (found, person) {
        (Some((_, _, invited)), true) => speaking(language::of(&headers), || page(&app, &invited)),
        (Some((_, attempt, invited)), false) => {
            if method == Method::GET {
                let sessions = Arc::clone(&app.sessions);
                to_the_end(async move { sessions.note_fetch(&attempt).await }).await?;
            }
            match invited.invitation.message {
                Some(message) => Json(message).into_response(),
                // Wallets follow a redirect to the platform's own link (contract 6.1, rule 3).
                None => Redirect::temporary(&invited.invitation.url).into_response(),
            }
        }
        (None, true) => speaking(language::of(&headers), gone),
        (None, false) => Problem::Gone.into_response(),
    };
    response.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    response.headers_mut().insert(header::VARY, header::HeaderValue::from_static("Accept, Accept-Language, Cookie"));
    Ok(response)
}

fn page(app: &App, invited: &Invited) -> Response {
    if app.is_sandbox() {
        // Relative, so that it stays under whatever name this page was reached. A link needs no escaping in a query.
        return Redirect::to(&format!("/sandbox/wallet?link={}i/{}", app.public_url, invited.link)).into_response();
    }
    let desk = app.sessions.desk.in_language(use_language().tag());
    let (name, wallet) = (wallet_name(&desk.wallet.name), &desk.wallet);
    let links = wallet_links(app, invited);
    let stores = [("App Store", &wallet.app_store), ("Google Play", &wallet.play_store)];
    html::page(
        StatusCode::OK,
        &desk.title,
        view! {
            <main class="notice">
                <h1>{tr!("link-open-with", wallet = name.as_str())}</h1>
                <p>{tr!("link-for-a-wallet", wallet = name.as_str())}</p>
                {links
                    .into_iter()
                    .next()
                    .map(|href| view! { <p><a class="button primary" href=href>{tr!("link-open", wallet = name.as_str())}</a></p> })}
                <p class="stores">
                    {stores
                        .into_iter()
                        .filter_map(|(store, href)| Some(view! { <a href=href.clone()?>{store}</a> }))
                        .collect_view()}
                </p>
            </main>
        },
    )
}

fn wallet_name(name: &str) -> String {
    if name.is_empty() { tr!("now-your-wallet") } else { name.to_owned() }
}

fn gone() -> Response {
    html::page(
        StatusCode::GONE,
        &tr!("link-gone"),
        view! {
            <main class="notice">
                <h1>{tr!("link-gone")}</h1>
                <p>{tr!("link-gone-text")}</p>
                <p><a class="button" href="/">{tr!("to-the-start")}</a></p>
            </main>
        },
    )
}
