//! `/admin/sign-in`. *Runs: server.*

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::Nothing;
use crate::{
    api::admin::{self, SignIn},
    ui::components::layout::{Layout, Trouble},
};

/// The page where staff sign in.
#[component]
pub fn SignInPage() -> impl IntoView {
    let is_open = Resource::new_blocking(|| (), |()| admin::has_admin());
    let (problem, next) = use_query_map().with_untracked(|query| (query.get("problem"), query.get("next")));
    view! {
        <Suspense>
            {move || {
                let (problem, next) = (problem.clone(), next.clone());
                Suspend::new(async move {
                    match is_open.await {
                        Err(_) => view! { <Nothing /> }.into_any(),
                        Ok(false) => view! { <SwitchedOff /> }.into_any(),
                        Ok(true) => view! { <Form problem next /> }.into_any(),
                    }
                })
            }}
        </Suspense>
    }
    .into_any()
}

#[component]
fn SwitchedOff() -> impl IntoView {
    view! {
        <Layout title="Staff">
            <h1>"There is no way in here"</h1>
            <p>"The pages for staff are switched off. Whoever runs this desk opens them by setting " <code>"ADMIN_TOKEN"</code> "."</p>
        </Layout>
    }
    .into_any()
}

#[component]
fn Form(problem: Option<String>, next: Option<String>) -> impl IntoView {
    let sign_in = ServerAction::<SignIn>::new();
    let said = problem.map(|problem| {
        match &*problem {
            "busy" => "Too many attempts from this address. Wait a minute.",
            "name" => "Give your name too: what you do here is recorded under it.",
            "server" => "The database does not answer. Try again.",
            _ => "That is not the token.",
        }
        .to_owned()
    });
    view! {
        <Layout title="Staff">
            <h1>"Staff"</h1>
            <Trouble said focus=true />
            <ActionForm action=sign_in attr:class="contact">
                <input type="hidden" name="next" value=next />
                <div class="field">
                    <label for="name">"Your name"</label>
                    <p id="name-why" class="hint">
                        "For the record: whoever looks at personal values, exports or cancels is noted."
                    </p>
                    <input
                        id="name"
                        name="name"
                        type="text"
                        autocomplete="name"
                        maxlength="64"
                        required
                        aria-describedby="name-why"
                    />
                </div>
                <div class="field">
                    <label for="token">"Token"</label>
                    <input id="token" name="token" type="password" autocomplete="current-password" required />
                </div>
                <button class="primary" type="submit">
                    "Sign in"
                </button>
            </ActionForm>
        </Layout>
    }
    .into_any()
}
