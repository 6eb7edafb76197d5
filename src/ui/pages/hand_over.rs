//! `/register/hand-over`: a code for another device; and `/continue`: where that one types it. *Runs: server.*

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::{
    api::{self, HandOverView, TakeOver},
    language::{said::length_of_time, tr},
    ui::{
        components::layout::{Layout, Trouble},
        pages::not_found::Broken,
    },
};

/// The page of the code for another device.
#[component]
pub fn HandOver() -> impl IntoView {
    let view = Resource::new_blocking(|| (), |()| api::read_hand_over_view());
    view! {
        <Suspense>
            {move || Suspend::new(async move {
                match view.await {
                    Err(_) => view! { <Broken /> }.into_any(),
                    // The browser is on its way to where it stands.
                    Ok(None) => ().into_any(),
                    Ok(Some(view)) => view! { <Offered view /> }.into_any(),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Offered(view: HandOverView) -> impl IntoView {
    let HandOverView { title, code, svg, address, life } = view;
    view! {
        <Layout title>
            <h1>{tr!("hand-over-heading")}</h1>
            <p>{tr!("hand-over-text", address = address, life = length_of_time(life))}</p>
            <div class="receipt">
                <p id="code-label">{tr!("hand-over-code")}</p>
                <output class="number" aria-labelledby="code-label">
                    {code}
                </output>
            </div>
            <p>{tr!("hand-over-scan")}</p>
            <div class="small-code" role="img" aria-label=tr!("hand-over-scan") inner_html=svg></div>
            <p>
                <a class="button" href="/register/connect">
                    {tr!("hand-over-back")}
                </a>
            </p>
        </Layout>
    }
}

/// The page on which another device goes on. A code in the address is only written into the form: a link that is looked at
/// before it is opened must not use it up.
#[component]
pub fn Continue() -> impl IntoView {
    let take = ServerAction::<TakeOver>::new();
    let (problem, code) = use_query_map().with_untracked(|query| (query.get("problem"), query.get("code")));
    let said = problem.map(|problem| match &*problem {
        "busy" => tr!("problem-busy"),
        "server" => tr!("problem-server"),
        _ => tr!("continue-wrong"),
    });
    view! {
        <Layout title=tr!("continue-heading")>
            <h1>{tr!("continue-heading")}</h1>
            <Trouble said focus=true />
            <p id="continue-text">{tr!("continue-text")}</p>
            <ActionForm action=take attr:class="contact">
                <div class="field">
                    <label for="code">{tr!("hand-over-code")}</label>
                    <input
                        id="code"
                        name="code"
                        type="text"
                        autocomplete="off"
                        autocapitalize="characters"
                        spellcheck="false"
                        maxlength="20"
                        required
                        aria-describedby="continue-text"
                        value=code
                    />
                </div>
                <button class="primary" type="submit">
                    {tr!("continue-go")}
                </button>
            </ActionForm>
        </Layout>
    }
}
