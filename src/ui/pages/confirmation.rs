//! `/register/confirmation`: the number, what follows, and how long it is kept; to be printed. *Runs: server.*

use leptos::prelude::*;

use crate::{
    api::{self, ConfirmationView},
    language::{
        said::{length_of_time, point_in_time},
        tr,
    },
    ui::{
        components::{
            layout::Layout,
            live_controls::{LiveControls, ids},
        },
        pages::not_found::Broken,
    },
};

/// The page of the good end.
#[component]
pub fn Confirmation() -> impl IntoView {
    let view = Resource::new_blocking(|| (), |()| api::read_confirmation_view());
    view! {
        <Suspense>
            {move || Suspend::new(async move {
                match view.await {
                    Err(_) => view! { <Broken /> }.into_any(),
                    // The browser is on its way to where it stands.
                    Ok(None) => ().into_any(),
                    Ok(Some(view)) => view! { <Registered view /> }.into_any(),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Registered(view: ConfirmationView) -> impl IntoView {
    let ConfirmationView { title, organisation, number, submitted_at, after, kept } = view;
    let time = point_in_time(&submitted_at);
    view! {
        <Layout title=title.clone() step=4>
            <h1>{tr!("confirmation-heading")}</h1>
            <p class="lead">{title.clone()} ", " {organisation}</p>
            <div class="receipt">
                <p id="number-label">{tr!("confirmation-number")}</p>
                <output class="number" aria-labelledby="number-label">
                    {number}
                </output>
                <p>
                    <time datetime=submitted_at>{time}</time>
                </p>
            </div>
            {(!after.is_empty())
                .then(|| {
                    view! {
                        <h2>{tr!("confirmation-follows")}</h2>
                        <p>{after}</p>
                    }
                })}
            <h2>{tr!("confirmation-kept")}</h2>
            <p>{tr!("confirmation-kept-text", kept = length_of_time(kept))}</p>
            <div class="actions start">
                <button id=ids::PRINT type="button" hidden>
                    {tr!("confirmation-print")}
                </button>
                <LiveControls />
                <a class="button quiet" href="/">
                    {tr!("to-the-start")}
                </a>
            </div>
        </Layout>
    }
}
