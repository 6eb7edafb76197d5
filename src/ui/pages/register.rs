//! `/register`: what is needed, what will be asked and why, how long it is kept. Agreeing begins. *Runs: server.*

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::{
    api::{self, OpenSession},
    domain::{
        desk::{Attribute, Desk},
        time::in_words,
    },
    ui::{
        components::layout::{Layout, Trouble, no_code},
        pages::not_found::Broken,
    },
};

/// The page of consent.
#[component]
pub fn Register() -> impl IntoView {
    let desk = Resource::new_blocking(|| (), |()| api::read_desk());
    let problem = use_query_map().with_untracked(|query| query.get("problem"));
    view! {
        <Suspense>
            {move || {
                let problem = problem.clone();
                Suspend::new(async move {
                    match desk.await {
                        Err(_) => view! { <Broken /> }.into_any(),
                        Ok(desk) => view! { <Consent desk problem /> }.into_any(),
                    }
                })
            }}
        </Suspense>
    }
}

#[component]
fn Consent(desk: Desk, problem: Option<String>) -> impl IntoView {
    let open = ServerAction::<OpenSession>::new();
    let wallet =
        if desk.wallet.name.is_empty() { "A wallet".to_owned() } else { format!("The {} wallet", desk.wallet.name) };
    let (kept, unfinished) = (in_words(desk.lifetimes.keep), in_words(desk.lifetimes.unfinished));
    let issued = if desk.credential.issuer.is_empty() {
        String::new()
    } else {
        format!(", issued by {},", desk.credential.issuer)
    };
    view! {
        <Layout title=desk.title.clone() step=1>
            <h1>"Before you begin"</h1>
            <Trouble said=no_code(problem.as_deref(), "code") />
            <h2>"What you need"</h2>
            <ul>
                <li>{wallet} ", on a phone"</li>
                <li>"Your " {desk.credential.name.clone()} {issued} " in it"</li>
                <li>"About a minute"</li>
            </ul>
            <h2>"What will be asked, and why"</h2>
            <AskedFor desk=desk.clone() />
            <p>
                {desk.organisation.clone()}
                " sees these values and the name of your wallet, and nothing else of what is in it. Afterwards you type your \
                 e-mail address and your phone number. All of it is kept for " {kept}
                " and then deleted; if you do not finish, after " {unfinished} ". You can still decline in the wallet."
            </p>
            <ActionForm action=open>
                <button class="primary" type="submit">
                    "I agree, show me the code"
                </button>
            </ActionForm>
        </Layout>
    }
}

/// Every attribute with the reason it is asked for, whether it may be left out, and what is proven instead of revealed.
#[component]
pub fn AskedFor(
    /// The desk that asks.
    desk: Desk,
) -> impl IntoView {
    view! {
        <dl class="facts">
            {desk
                .attributes
                .into_iter()
                .map(|attribute| {
                    let notes = notes(&attribute);
                    view! {
                        <div>
                            <dt>{attribute.label}</dt>
                            <dd>
                                {attribute.purpose}
                                {notes
                                    .into_iter()
                                    .map(|note| view! { " " <span class="note">{note}</span> })
                                    .collect_view()}
                            </dd>
                        </div>
                    }
                })
                .collect_view()}
        </dl>
    }
}

/// What is to be known about an attribute beside its purpose.
fn notes(attribute: &Attribute) -> Vec<String> {
    let proven = attribute.predicate.map(|predicate| format!("{predicate}; the value itself stays in your wallet"));
    let optional = (!attribute.required).then(|| "optional".to_owned());
    proven.into_iter().chain(optional).collect()
}
