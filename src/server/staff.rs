//! Staff: who is signed in, and what they may do. One `ADMIN_TOKEN` opens the pages; each sign-in has a name of its own, so that the
//! record says who did what. The browser keeps a secret in a cookie, and the database a digest of it; with another `ADMIN_TOKEN` all are
//! signed out.
//!
//! Called by the pages below `/admin`, their socket and the exports. *Runs: server.*

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};
use cookie::{Cookie, SameSite};
use sha2::{Digest, Sha256};

use super::{
    problem::Problem,
    secrets::{random_text, same_secret},
    state::{App, bearer},
    store::{Deed, SignIn, StoreError},
};
use crate::domain::ids::SessionId;

/// How long a sign-in is good: a working day.
const GOOD_FOR: Duration = Duration::from_secs(12 * 60 * 60);
/// How long what is personal is shown after somebody asked for it.
pub const SHOWN_FOR: Duration = Duration::from_secs(60);
/// The longest name that is kept of staff, in characters.
const NAME_LIMIT: usize = 64;

/// Why somebody is not signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotSignedIn {
    /// There is no `ADMIN_TOKEN`, so there are no pages for staff.
    SwitchedOff,
    /// The token is another one.
    WrongToken,
    /// There is no name.
    NoName,
}

/// Who acts: somebody who signed in, or whoever has the `ADMIN_TOKEN` itself.
#[derive(Clone, Debug)]
pub enum Actor {
    /// Signed in.
    SignedIn(SignIn),
    /// A program, with the token.
    Token,
}

impl Actor {
    /// The sign-in, for the record.
    #[must_use]
    pub fn sign_in(&self) -> Option<&str> {
        match self {
            Self::SignedIn(sign_in) => Some(&sign_in.id),
            Self::Token => None,
        }
    }
}

/// `__Host-` binds the cookie to this host and to https; browsers refuse it over http.
fn cookie_name(app: &App) -> &'static str {
    if app.is_https() { "__Host-vestibule-staff" } else { "vestibule-staff" }
}

fn digest(secret: &str) -> [u8; 32] {
    Sha256::digest(secret).into()
}

/// A mark of the present token by which sign-ins with it are known, and which says nothing about it.
fn mark(app: &App) -> Option<[u8; 32]> {
    app.admin_token.as_ref().map(|token| app.keys.digest("admin token", &token.0))
}

/// A cookie that only our own pages send back, and no script reads.
fn cookie(app: &App, secret: &str, good_for: Duration) -> HeaderValue {
    let max_age = i64::try_from(good_for.as_secs()).unwrap_or_default();
    let cookie = Cookie::build((cookie_name(app), secret))
        .path("/")
        .http_only(true)
        .secure(app.is_https())
        .same_site(SameSite::Strict)
        .max_age(cookie::time::Duration::seconds(max_age));
    // A secret is base64url, so the header can always be made.
    HeaderValue::from_str(&cookie.to_string()).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// Who sent these headers, if it is somebody who signed in and may still.
///
/// # Errors
/// When the database fails.
pub async fn of(app: &App, headers: &HeaderMap) -> Result<Option<SignIn>, StoreError> {
    let Some(mark) = mark(app) else { return Ok(None) };
    let secrets = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(Cookie::split_parse)
        .filter_map(Result::ok)
        .filter(|cookie| cookie.name() == cookie_name(app));
    for secret in secrets {
        let found = app.sessions.store.signed_in(&digest(secret.value()), &mark, app.sessions.clock.now()).await?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// Who may export: somebody who signed in, or whoever has the token.
///
/// # Errors
/// With the answer for those who may not.
pub async fn actor(app: &App, headers: &HeaderMap) -> Result<Actor, Problem> {
    if bearer(headers).is_none()
        && let Some(sign_in) = of(app, headers).await?
    {
        return Ok(Actor::SignedIn(sign_in));
    }
    app.check_admin(headers).map(|()| Actor::Token)
}

/// Signs somebody in who knows the token: the cookie for their browser.
///
/// # Errors
/// When the database fails; inside, when they may not.
pub async fn sign_in(app: &App, name: &str, token: &str) -> Result<Result<HeaderValue, NotSignedIn>, StoreError> {
    let (Some(expected), Some(mark)) = (&app.admin_token, mark(app)) else { return Ok(Err(NotSignedIn::SwitchedOff)) };
    if !same_secret(token.trim().as_bytes(), expected.0.as_bytes()) {
        tracing::warn!("somebody tried to sign in as staff with a wrong token");
        return Ok(Err(NotSignedIn::WrongToken));
    }
    let name: String = name.trim().chars().filter(|sign| !sign.is_control()).take(NAME_LIMIT).collect();
    if name.is_empty() {
        return Ok(Err(NotSignedIn::NoName));
    }
    let (secret, sign_in) = (random_text(), SignIn { id: random_text(), name });
    let now = app.sessions.clock.now();
    let mut tx = app.sessions.store.begin().await?;
    tx.insert_sign_in(&sign_in, (&digest(&secret), &mark), now, now.plus(GOOD_FOR)).await?;
    tx.record_deed(Some(&sign_in.id), Deed::SignedIn, None, None, now).await?;
    tx.commit().await?;
    tracing::info!(staff.sign_in = sign_in.id, "staff signed in");
    Ok(Ok(cookie(app, &secret, GOOD_FOR)))
}

/// Signs somebody out: the cookie that takes theirs away.
///
/// # Errors
/// When the database fails; then they are still signed in.
pub async fn sign_out(app: &App, who: &SignIn) -> Result<HeaderValue, StoreError> {
    let now = app.sessions.clock.now();
    let mut tx = app.sessions.store.begin().await?;
    tx.end_sign_in(&who.id, now).await?;
    tx.record_deed(Some(&who.id), Deed::SignedOut, None, None, now).await?;
    tx.commit().await?;
    Ok(cookie(app, "", Duration::ZERO))
}

/// Notes in the record what somebody did.
///
/// # Errors
/// When the database fails; then it must not be done.
pub async fn record(
    app: &App,
    who: &Actor,
    deed: Deed,
    session: Option<SessionId>,
    detail: Option<&str>,
) -> Result<(), StoreError> {
    let mut tx = app.sessions.store.begin().await?;
    tx.record_deed(who.sign_in(), deed, session, detail, app.sessions.clock.now()).await?;
    tx.commit().await?;
    tracing::info!(
        staff.sign_in = who.sign_in().unwrap_or("token"),
        staff.deed = deed.as_str(),
        session.id = session.map(|id| id.to_string()),
        "staff",
    );
    Ok(())
}

/// Masks a text: how it begins, and no more; its length is not told either.
#[must_use]
pub fn masked(text: &str) -> String {
    text.chars().next().map_or_else(String::new, |first| format!("{first}•••••"))
}
