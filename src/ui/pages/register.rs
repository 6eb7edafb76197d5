//! `/register`: what is needed, what will be asked and why, how long it is kept. Agreeing begins. *Runs: server.*

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::{
    api::{self, OpenSession},
    domain::desk::{Attribute, Desk},
    language::{
        said::{condition, length_of_time},
        tr,
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
    let wallet = if desk.wallet.name.is_empty() {
        tr!("register-a-wallet")
    } else {
        tr!("register-the-wallet", wallet = desk.wallet.name.as_str())
    };
    let card = desk.credential.name.as_str();
    let card = if desk.credential.issuer.is_empty() {
        tr!("register-card", card = card)
    } else {
        tr!("register-card-issued", card = card, issuer = desk.credential.issuer.as_str())
    };
    let terms = tr!(
        "register-terms",
        organisation = desk.organisation.as_str(),
        kept = length_of_time(desk.lifetimes.keep),
        unfinished = length_of_time(desk.lifetimes.unfinished)
    );
    let whole_card = (!desk.credential.format.is_anoncreds()).then(|| tr!("register-whole-card"));
    view! {
        <Layout title=desk.title.clone() step=1>
            <h1>{tr!("register-heading")}</h1>
            <Trouble said=no_code(problem.as_deref(), tr!("problem-no-code")) focus=true />
            <h2>{tr!("register-need")}</h2>
            <ul>
                <li>{wallet}</li>
                <li>{card}</li>
                <li>{tr!("register-a-minute")}</li>
            </ul>
            <h2>{tr!("register-asked")}</h2>
            <AskedFor desk=desk.clone() />
            <p>{terms}</p>
            {whole_card.map(|said| view! { <p>{said}</p> })}
            <ActionForm action=open>
                <button class="primary" type="submit">
                    {tr!("register-agree")}
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
    let proven = attribute.predicate.map(|predicate| tr!("register-only-proven", condition = condition(predicate)));
    let optional = (!attribute.required).then(|| tr!("register-optional"));
    proven.into_iter().chain(optional).collect()
}
