//! Pages that are not part of the application: what a short link shows to a person, and the sandbox's wallet. Drawn in
//! the same dress, without any script. *Runs: server.*

use std::sync::OnceLock;

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use leptos::{prelude::*, reactive::owner::Owner};

use crate::language::use_language;

/// The address of the style sheet, known once the server starts.
static STYLE: OnceLock<String> = OnceLock::new();

/// Says where the style sheet is. Only the first word counts: it does not change while the program runs.
pub fn set_style(href: String) {
    let _ = STYLE.set(href);
}

/// A whole page, in the language of whoever draws it (`language::speaking`); else in English.
pub fn page<V: IntoView>(status: StatusCode, title: &str, content: V) -> Response {
    (status, answer(text(title, content))).into_response()
}

/// The text of such a page, for who keeps it.
pub fn text<V: IntoView>(title: &str, content: V) -> String {
    let style = STYLE.get().map(String::as_str).unwrap_or_default();
    Owner::new().with(|| {
        view! {
            <!DOCTYPE html>
            <html lang=use_language().tag()>
                <head>
                    <meta charset="utf-8" />
                    <meta name="viewport" content="width=device-width, initial-scale=1" />
                    <meta name="color-scheme" content="light dark" />
                    <meta name="robots" content="noindex" />
                    <title>{title.to_owned()}</title>
                    <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                    <link rel="stylesheet" href=style />
                </head>
                <body>{content}</body>
            </html>
        }
        .to_html()
    })
}

/// The answer with such a text.
pub fn answer(page: impl Into<Body>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("default-src 'self'; script-src 'none'; base-uri 'none'; form-action 'self'"),
        ),
    ];
    (headers, page.into()).into_response()
}
