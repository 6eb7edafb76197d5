//! What the staff's pages show and do. Each begins by asking who it is; whatever changes something also asks which page it comes
//! from, because a cookie comes along from everywhere. *Runs: server.*

mod board;
mod figures;
mod record;
mod registration;

pub use board::board;
pub use figures::figures;
pub use record::{record, settle, strays};
pub use registration::{act_on, registration};

use std::net::SocketAddr;

use axum::{
    extract::{ConnectInfo, OriginalUri},
    http::{HeaderMap, HeaderValue, header},
};
use leptos::prelude::expect_context;
use leptos_axum::ResponseOptions;

use super::{Answer, app, failed, headers, no_store};
use crate::{
    api::admin::{Entry as EntryView, Frame},
    server::{
        problem::Problem,
        staff::{self, NotSignedIn, masked},
        state::App,
        store::{Entry, SignIn, StoreError},
    },
};

/// Where one signs in.
const SIGN_IN: &str = "/admin/sign-in";
/// Rows on a page.
const ROWS: u32 = 50;

fn of_store(error: StoreError) -> leptos::prelude::ServerFnError {
    failed(error.into())
}

/// Who looks at a page; `None` after sending somebody who is not signed in to where one does.
async fn reader(app: &App) -> Answer<Option<SignIn>> {
    no_store();
    let found = staff::of(app, &headers().await?).await.map_err(of_store)?;
    if found.is_none() {
        let asked = leptos_axum::extract::<OriginalUri>().await.ok();
        let page = asked.and_then(|uri| Some(uri.path_and_query()?.as_str().to_owned()));
        let next = page.filter(|page| is_page(page) && page != "/admin").map(|page| {
            let query = as_value(&page);
            format!("{SIGN_IN}?next={query}")
        });
        leptos_axum::redirect(next.as_deref().unwrap_or(SIGN_IN));
    }
    Ok(found)
}

/// A text as a value in a query.
fn as_value(text: &str) -> String {
    reqwest::Url::parse_with_params("http://localhost/", [("next", text)])
        .ok()
        .and_then(|url| url.query()?.strip_prefix("next=").map(str::to_owned))
        .unwrap_or_default()
}

/// Whether a path is one of the staff's pages, so that nobody is sent to a place that is not ours.
fn is_page(path: &str) -> bool {
    path == "/admin" || ((path.starts_with("/admin/") || path.starts_with("/admin?")) && !path.starts_with(SIGN_IN))
}

/// Who acts: somebody who is signed in, on a page of ours.
async fn actor(app: &App) -> Answer<SignIn> {
    let headers = headers().await?;
    if !comes_from_us(app, &headers) {
        return Err(failed(Problem::ForeignOrigin));
    }
    staff::of(app, &headers).await.map_err(of_store)?.ok_or_else(|| failed(Problem::Unauthorized))
}

/// Browsers say with every form which page it was sent from. Here the pages of others that may use the API do not count.
fn comes_from_us(app: &App, headers: &HeaderMap) -> bool {
    headers.contains_key(header::ORIGIN) && app.origin_is_own(headers)
}

async fn frame(app: &App, who: SignIn) -> Answer<Frame> {
    let sessions = &app.sessions;
    let newest = (crate::domain::time::Timestamp(i64::MAX), i64::MAX);
    let strays = sessions.store.strays(newest, 1).await.map_err(of_store)?;
    Ok(Frame {
        name: who.name,
        title: sessions.desk.title.clone(),
        now: sessions.clock.now(),
        has_strays: !strays.is_empty(),
    })
}

fn entry(entry: Entry) -> EntryView {
    let session = entry.session;
    EntryView {
        session: session.id,
        number: entry.number,
        attempt: session.attempt,
        stage: session.progress.stage,
        opened: session.opened,
        delayed: session.delayed,
        wallet: session.their_label.as_deref().map(masked),
        begun: session.created_at,
        changed: session.updated_at,
        ends: session.expires_at,
        problem: entry.problem,
    }
}

/// Whether there are pages for staff.
pub async fn is_open() -> Answer<bool> {
    no_store();
    Ok(app().admin_token.is_some())
}

/// Signs in, and goes on to where one wanted to; back with the reason where it does not work.
pub async fn sign_in(name: String, token: String, next: String) -> Answer<()> {
    let app = app();
    let headers = headers().await?;
    if !comes_from_us(&app, &headers) {
        return Err(failed(Problem::ForeignOrigin));
    }
    let ConnectInfo(peer) = leptos_axum::extract::<ConnectInfo<SocketAddr>>().await?;
    let problem = if app.count_sign_in(app.address(peer, &headers)).is_err() {
        "busy"
    } else {
        match staff::sign_in(&app, &name, &token).await {
            Ok(Ok(cookie)) => {
                give(cookie);
                leptos_axum::redirect(if is_page(&next) { &next } else { "/admin" });
                return Ok(());
            }
            Ok(Err(NotSignedIn::NoName)) => "name",
            Ok(Err(NotSignedIn::WrongToken | NotSignedIn::SwitchedOff)) => "token",
            Err(error) => {
                tracing::error!(%error, "nobody can sign in");
                "server"
            }
        }
    };
    leptos_axum::redirect(&format!("{SIGN_IN}?problem={problem}"));
    Ok(())
}

/// Signs out.
pub async fn sign_out() -> Answer<()> {
    let app = app();
    let who = actor(&app).await?;
    give(staff::sign_out(&app, &who).await.map_err(of_store)?);
    leptos_axum::redirect(SIGN_IN);
    Ok(())
}

fn give(cookie: HeaderValue) {
    expect_context::<ResponseOptions>().append_header(header::SET_COOKIE, cookie);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_to_a_place_that_is_not_ours() {
        for page in ["/admin", "/admin?list=stuck", "/admin/registrations/x", "/admin/figures?range=week"] {
            assert!(is_page(page), "{page}");
        }
        for other in [
            "",
            "/",
            "//evil.example",
            "/administrator",
            "https://evil.example/admin",
            "/admin/sign-in?next=x",
            "admin",
        ] {
            assert!(!is_page(other), "{other}");
        }
        assert_eq!(as_value("/admin?list=a&b"), "%2Fadmin%3Flist%3Da%26b");
    }
}
