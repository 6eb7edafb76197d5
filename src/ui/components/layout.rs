//! What every page has around its content. *Runs: server.*

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_location;

use crate::language::{Language, tr, use_language};

/// A page: its title, the way back to the start, and one column.
#[component]
pub fn Layout(
    /// The title of the document.
    #[prop(into)]
    title: String,
    /// The step one is at, from 1; none on pages outside the way.
    #[prop(optional)]
    step: Option<u8>,
    children: Children,
) -> impl IntoView {
    view! {
        <Title text=title />
        <a class="skip" href="#content">
            {tr!("layout-skip")}
        </a>
        <header class="top">
            <a class="brand" href="/">
                <svg viewBox="0 0 20 24" width="20" height="24" aria-hidden="true">
                    <path d="M1 24V10a9 9 0 0 1 18 0v14h-4V10a5 5 0 0 0-10 0v14z" />
                </svg>
                "Vestibule"
            </a>
            {step.map(|step| view! { <Steps step /> })}
        </header>
        <main id="content" tabindex="-1">
            {children()}
        </main>
        // The staff's pages have one language.
        {(!use_location().pathname.get_untracked().starts_with("/admin")).then(|| view! { <Languages /> })}
    }
}

/// The languages to choose from. A form, so that it works without scripts.
#[component]
fn Languages() -> impl IntoView {
    let present = use_language();
    let back = use_location().pathname.get_untracked();
    view! {
        <footer class="foot">
            {(!present.is_reviewed()).then(|| view! { <p>{tr!("layout-unreviewed")}</p> })}
            <form method="post" action="/language">
                <input type="hidden" name="back" value=back />
                <fieldset class="languages">
                    <legend class="visually-hidden">{tr!("layout-language")}</legend>
                    {Language::ALL
                        .map(|language| {
                            let is_present = (language == present).then_some("true");
                            let tag = language.tag();
                            view! {
                                <button name="language" value=tag lang=tag aria-current=is_present>
                                    {language.name()}
                                </button>
                            }
                        })
                        .collect_view()}
                </fieldset>
            </form>
        </footer>
    }
}

/// Where one is on the way.
#[component]
fn Steps(step: u8) -> impl IntoView {
    view! {
        <ol class="steps" aria-label=tr!("layout-progress")>
            {[tr!("layout-agree"), tr!("layout-connect"), tr!("layout-your-data"), tr!("layout-done")]
                .into_iter()
                .zip(1_u8..)
                .map(|(name, place)| {
                    let current = (place == step).then_some("step");
                    let done = (place < step).then_some("done");
                    view! {
                        <li class=done aria-current=current>
                            {name}
                        </li>
                    }
                })
                .collect_view()}
        </ol>
    }
}

/// Something went wrong, in a sentence; nothing when nothing did.
#[component]
pub fn Trouble(
    /// What happened, and what to do.
    said: Option<String>,
    /// Whether one begins to read here, where nothing better takes the focus.
    #[prop(optional)]
    focus: bool,
) -> impl IntoView {
    said.map(|said| {
        view! {
            <p class="trouble" role="alert" tabindex="-1" autofocus=focus>
                {said}
            </p>
        }
    })
}

/// What the word in the page's address means, where a problem sent the browser back to a page that gives codes.
#[must_use]
pub fn no_code(word: Option<&str>, no_platform: String) -> Option<String> {
    Some(match word? {
        "platform" => no_platform,
        "busy" => tr!("problem-busy"),
        "cookies" => tr!("problem-cookies"),
        _ => tr!("problem-server"),
    })
}
