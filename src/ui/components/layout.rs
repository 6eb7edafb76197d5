//! What every page has around its content. *Runs: server.*

use leptos::prelude::*;
use leptos_meta::Title;

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
            "Skip to the content"
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
    }
}

/// Where one is on the way.
#[component]
fn Steps(step: u8) -> impl IntoView {
    view! {
        <ol class="steps" aria-label="Progress">
            {["Agree", "Connect", "Your data", "Done"]
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
) -> impl IntoView {
    said.map(|said| {
        view! {
            <p class="trouble" role="alert">
                {said}
            </p>
        }
    })
}

/// What the word in the page's address means, where a problem sent the browser back to a page that gives codes.
#[must_use]
pub fn no_code(word: Option<&str>, missing: &str) -> Option<String> {
    Some(match word? {
        "platform" => format!(
            "The wallet platform does not answer at the moment, so there is no {missing}. Nothing is lost: try again in a \
             minute.",
        ),
        "busy" => "There were many tries from your network just now. Wait a minute, then try again.".to_owned(),
        _ => "Something went wrong on our side, and it has been noted. Try again in a minute.".to_owned(),
    })
}
