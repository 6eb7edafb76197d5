//! The language of a page: the one that somebody chose, else the best for their browser. Choosing is a plain form; the
//! choice is kept in a cookie. *Runs: server.*

use axum::{
    Form,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Redirect, Response},
};
use cookie::{Cookie, SameSite, time::Duration};
use serde::Deserialize;

use crate::{
    language::Language,
    server::{problem::Problem, state::App},
};

/// The cookie that keeps a choice; its value is the language's tag.
const COOKIE: &str = "language";

/// The language for the browser that sent these headers.
#[must_use]
pub fn of(headers: &HeaderMap) -> Language {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let chosen = cookies.flat_map(Cookie::split_parse).filter_map(Result::ok).find(|cookie| cookie.name() == COOKIE);
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    Language::negotiate(chosen.as_ref().map(Cookie::value), accepted)
}

/// What the form of the languages sends.
#[derive(Deserialize)]
pub struct Choice {
    language: String,
    /// The path of the page to show in it.
    #[serde(default)]
    back: String,
}

/// `POST`: keeps the choice and goes back to the page it was made on.
pub async fn choose(
    State(app): State<App>,
    Form(Choice { language, back }): Form<Choice>,
) -> Result<Response, Problem> {
    let language = Language::from_tag(&language).ok_or(Problem::BadForm)?;
    let cookie = Cookie::build((COOKIE, language.tag()))
        .path("/")
        .http_only(true)
        .secure(app.is_https())
        .same_site(SameSite::Lax)
        .max_age(Duration::days(365));
    let back = if is_a_path(&back) { &back } else { "/" };
    Ok(([(header::SET_COOKIE, cookie.to_string())], Redirect::to(back)).into_response())
}

/// Whether it is a path on this server: a browser takes `//` and `/\` for the beginning of another one's name.
fn is_a_path(text: &str) -> bool {
    let is_graphic = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    is_graphic && text.starts_with('/') && !text.starts_with("//")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_elsewhere() {
        for path in ["/", "/register", "/register/connect", "/no/such%20page"] {
            assert!(is_a_path(path), "{path}");
        }
        for other in
            ["", "register", "//elsewhere.test", "/\\elsewhere.test", "https://elsewhere.test", "/a\r\nb: c", "/é"]
        {
            assert!(!is_a_path(other), "{other}");
        }
    }
}
