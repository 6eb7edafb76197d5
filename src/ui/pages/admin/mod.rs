//! The staff's pages, below `/admin`: the same house seen from the desk. In English, whatever the visitors' languages are.
//! *Runs: server.*

mod board;
mod deliveries;
mod figures;
mod record;
mod registration;
mod sign_in;
mod words;

pub use board::Board;
pub use deliveries::Deliveries;
pub use figures::FiguresPage;
pub use record::Record;
pub use registration::Registration;
pub use sign_in::SignInPage;

use leptos::prelude::*;
use leptos_meta::Title;

use self::words::clock;
use crate::{
    api::admin::{Frame, SignOut},
    ui::components::live_page::{LivePage, PACE},
};

/// A page of the staff's.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Board,
    Deliveries,
    Figures,
    Record,
    /// None of those in the list.
    Elsewhere,
}

const PLACES: [(Place, &str, &str); 4] = [
    (Place::Board, "/admin", "Registrations"),
    (Place::Deliveries, "/admin/deliveries", "Deliveries"),
    (Place::Figures, "/admin/figures", "Figures"),
    (Place::Record, "/admin/record", "Record"),
];

/// A page: its title, the ways to the others, who is signed in, and what is live in it.
#[component]
fn Desk(
    frame: Frame,
    #[prop(into)] title: String,
    place: Place,
    /// How long to wait after a change before the page is read again, in milliseconds. What costs the server more waits longer.
    #[prop(default = 500)]
    pace: u32,
    children: Children,
) -> impl IntoView {
    let sign_out = ServerAction::<SignOut>::new();
    let Frame { name, title: desk, now, has_strays } = frame;
    view! {
        <Title text=format!("{title} · {desk}") />
        <a class="skip" href="#content">
            "Skip to the content"
        </a>
        <header class="top staff-top">
            <a class="brand" href="/admin">
                <svg viewBox="0 0 20 24" width="20" height="24" aria-hidden="true">
                    <path d="M1 24V10a9 9 0 0 1 18 0v14h-4V10a5 5 0 0 0-10 0v14z" />
                </svg>
                {desk}
            </a>
            <nav aria-label="Staff">
                <ul id="places" class="places" data-live="">
                    {PLACES
                        .map(|(of, href, label)| {
                            let current = (of == place).then_some("page");
                            let marked = of == Place::Deliveries && has_strays;
                            view! {
                                <li>
                                    <a id=format!("to-{href}") href=href aria-current=current>
                                        {label}
                                        {marked
                                            .then(|| {
                                                view! {
                                                    <span class="mark" aria-hidden="true"></span>
                                                    <span class="visually-hidden">" (some found no registration)"</span>
                                                }
                                            })}
                                    </a>
                                </li>
                            }
                        })
                        .collect_view()}
                </ul>
            </nav>
            <div class="who">
                <span id="live" class="badge" data-method="connecting">
                    "As of " {clock(now)}
                </span>
                <span>{name}</span>
                <ActionForm action=sign_out>
                    <button class="quiet" type="submit">
                        "Sign out"
                    </button>
                </ActionForm>
            </div>
        </header>
        <main id="content" class="staff" tabindex="-1">
            {children()}
        </main>
        <div id=PACE data-pace=pace.to_string() hidden></div>
        <LivePage />
    }
    .into_any()
}

/// Draws a page of what the server gave for it: nothing where the browser is on its way to where one signs in.
fn loaded<T>(view: Result<Option<T>, ServerFnError>, draw: impl FnOnce(T) -> AnyView) -> AnyView {
    match view {
        Err(_) => view! { <Nothing /> }.into_any(),
        Ok(view) => view.map_or_else(|| ().into_any(), draw),
    }
}

/// What came of an action, by the word in the address.
#[component]
fn Done(word: Option<String>) -> impl IntoView {
    let said = words::done(word.as_deref());
    said.map(|(said, is_trouble)| {
        view! {
            <p class=if is_trouble { "trouble" } else { "done-now" } role="status" tabindex="-1" autofocus=true>
                {said}
            </p>
        }
    })
}

/// The data of a page cannot be had, or there is nothing at its address.
#[component]
fn Nothing() -> impl IntoView {
    view! {
        <Title text="Not to be had" />
        <main id="content" class="staff" tabindex="-1">
            <h1>"This is not to be had"</h1>
            <p>"There is no such thing (it may have been deleted), or the database does not answer."</p>
            <p>
                <a class="button primary" href="/admin">
                    "To the board"
                </a>
            </p>
        </main>
    }
    .into_any()
}
