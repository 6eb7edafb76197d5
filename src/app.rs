//! The document, and the table of pages. *Runs: both; rendered by the server.*

use leptos::prelude::*;
use leptos_meta::{HashedStylesheet, MetaTags, Title, provide_meta_context};
use leptos_router::{
    SsrMode,
    components::{Route, Router, Routes},
    path,
};

use crate::{
    language::use_language,
    ui::pages::{
        admin::{Board, Deliveries, FiguresPage, Record, Registration, SignInPage},
        application::Application,
        confirmation::Confirmation,
        connect::Connect,
        hand_over::{Continue, HandOver},
        home::Home,
        not_found::NotFound,
        register::Register,
    },
};

/// The document around every page.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    // One policy for the page: scripts of this render alone, and nothing from elsewhere. `cargo leptos watch` reloads the
    // page over a socket on another port, so it goes without.
    let watched = std::env::var("LEPTOS_WATCH").is_ok();
    let policy = leptos::nonce::use_nonce().filter(|_| !watched).map(|nonce| {
        format!(
            "default-src 'self'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self'; \
             img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; object-src 'none'"
        )
    });
    view! {
        <!DOCTYPE html>
        <html lang=use_language().tag()>
            <head>
                <meta charset="utf-8" />
                <meta http-equiv="Content-Security-Policy" content=policy />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                <HashedStylesheet id="style" options=options.clone() />
                <AutoReload options=options.clone() />
                <HydrationScripts options islands=true />
                <MetaTags />
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}

/// The table of pages. Each is whole without JavaScript, so none is streamed in pieces.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    view! {
        <Title formatter=|title: String| if title.is_empty() { "Vestibule".to_owned() } else { title } />
        <Router>
            <Routes fallback=NotFound>
                <Route path=path!("/") view=Home ssr=SsrMode::Async />
                <Route path=path!("/register") view=Register ssr=SsrMode::Async />
                <Route path=path!("/register/connect") view=Connect ssr=SsrMode::Async />
                <Route path=path!("/register/hand-over") view=HandOver ssr=SsrMode::Async />
                <Route path=path!("/continue") view=Continue ssr=SsrMode::Async />
                <Route path=path!("/register/application") view=Application ssr=SsrMode::Async />
                <Route path=path!("/register/confirmation") view=Confirmation ssr=SsrMode::Async />
                <Route path=path!("/admin") view=Board ssr=SsrMode::Async />
                <Route path=path!("/admin/sign-in") view=SignInPage ssr=SsrMode::Async />
                <Route path=path!("/admin/registrations/:session") view=Registration ssr=SsrMode::Async />
                <Route path=path!("/admin/deliveries") view=Deliveries ssr=SsrMode::Async />
                <Route path=path!("/admin/figures") view=FiguresPage ssr=SsrMode::Async />
                <Route path=path!("/admin/record") view=Record ssr=SsrMode::Async />
            </Routes>
        </Router>
    }
}
