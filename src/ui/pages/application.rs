//! `/register/application`: what was shared, exactly as it was proven, and the form for what no card says. *Runs: server.*

use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

use crate::{
    api::{self, ApplicationView, Field, SubmitForm, TypedField},
    domain::contact::ContactFault,
    language::{said, tr},
    ui::{
        components::{
            attempts::{AnotherDevice, AskWalletAgain, NewCode},
            layout::{Layout, Trouble},
            live_controls::{LiveControls, ids},
        },
        hooks::handed_texts::hand_over,
        pages::not_found::Broken,
    },
};

/// The page of what was shared.
#[component]
pub fn Application() -> impl IntoView {
    let view = Resource::new_blocking(|| (), |()| api::read_application_view());
    let problem = use_query_map().with_untracked(|query| query.get("problem"));
    view! {
        <Suspense>
            {move || {
                let problem = problem.clone();
                Suspend::new(async move {
                    match view.await {
                        Err(_) => view! { <Broken /> }.into_any(),
                        // The browser is on its way to where it stands.
                        Ok(None) => ().into_any(),
                        Ok(Some(view)) if view.falls_short => view! { <FallsShort view /> }.into_any(),
                        Ok(Some(view)) => view! { <Shared view problem /> }.into_any(),
                    }
                })
            }}
        </Suspense>
    }
}

#[component]
fn Shared(view: ApplicationView, problem: Option<String>) -> impl IntoView {
    let ApplicationView { title, credential, issuer, issuer_did, organisation, fields, session, email, phone, .. } =
        view;
    let not_stored = problem.map(|_| tr!("problem-not-stored"));
    let faulty = [&email, &phone].iter().filter(|field| field.fault.is_some()).count();
    let summary = (faulty > 0).then(|| tr!("form-faults", count = faulty));
    let phone_first = email.fault.is_none();
    let faults = hand_over(ContactFault::ALL.map(|fault| (fault.as_str(), said::fault(fault))));
    view! {
        <Layout title=title.clone() step=3>
            <h1>{tr!("form-shared")}</h1>
            <Trouble said=not_stored focus=true />
            <p class="lead">{tr!("form-proven-by", card = credential, organisation = organisation.as_str())}</p>
            <Facts fields />
            <IssuedBy issuer did=issuer_did />
            <h2>{tr!("form-reach")}</h2>
            <p>{tr!("form-reach-text", organisation = organisation)}</p>
            <form id=ids::FORM class="contact" method="post" action=SubmitForm::url() novalidate data-texts=faults>
                <LiveControls />
                <div class="summary">
                    <Trouble said=summary />
                </div>
                <ContactField
                    name=ids::EMAIL
                    session=session.to_string()
                    label=tr!("form-email")
                    hint=tr!("form-email-hint")
                    inputmode="email"
                    autofocus=true
                    typed=email
                />
                <ContactField
                    name=ids::PHONE
                    label=tr!("form-phone")
                    hint=tr!("form-phone-hint")
                    inputmode="tel"
                    autofocus=phone_first
                    typed=phone
                />
                <button class="primary" type="submit">
                    {tr!("form-register")}
                </button>
            </form>
            <AnotherDevice />
        </Layout>
    }
}

/// A field of the form with its label, an example, and the sentence that says what is wrong. The browser's own words stay
/// away: the input is a plain text, so that it comes back exactly as it was typed.
#[component]
fn ContactField(
    name: &'static str,
    label: String,
    hint: String,
    inputmode: &'static str,
    /// Whether the focus goes here when something is wrong with it.
    autofocus: bool,
    #[prop(optional, into)] session: Option<String>,
    typed: TypedField,
) -> impl IntoView {
    let (hint_id, fault_id) = (format!("{name}-hint"), format!("{name}-fault"));
    let is_faulty = typed.fault.is_some();
    view! {
        <div class="field">
            <label for=name>{label}</label>
            <p class="hint" id=hint_id.clone()>
                {hint}
            </p>
            <input
                id=name
                name=name
                type="text"
                inputmode=inputmode
                autocomplete=inputmode
                autocapitalize="none"
                spellcheck="false"
                maxlength="300"
                required
                aria-describedby=format!("{hint_id} {fault_id}")
                aria-invalid=is_faulty.to_string()
                autofocus=autofocus && is_faulty
                data-session=session
                value=typed.value
            />
            <p class="fault" id=fault_id aria-live="polite">
                {typed.fault.map(said::fault)}
            </p>
        </div>
    }
}

/// Something that is required is missing: there is nothing to fill in, only another attempt.
#[component]
fn FallsShort(view: ApplicationView) -> impl IntoView {
    let ApplicationView { title, credential, issuer, issuer_did, organisation, fields, attempt, .. } = view;
    let missing: Vec<String> = fields
        .iter()
        .filter(|field| field.required && field.value.is_none())
        .map(|field| field.label.clone())
        .collect();
    view! {
        <Layout title=title.clone() step=3>
            <h1>{tr!("form-missing")}</h1>
            <div class="trouble" role="alert">
                <p>{tr!("form-missing-text", organisation = organisation)}</p>
                <ul>{missing.into_iter().map(|label| view! { <li>{label}</li> }).collect_view()}</ul>
            </div>
            <p>{tr!("form-missing-way", card = credential)}</p>
            <div class="actions start">
                <AskWalletAgain attempt label=tr!("end-ask-my-wallet") main=true />
                <NewCode attempt label=tr!("end-new-code") main=false />
            </div>
            <h2>{tr!("form-shared")}</h2>
            <Facts fields />
            <IssuedBy issuer did=issuer_did />
        </Layout>
    }
}

/// Every attribute that was asked for, with what was proven of it. Only what was proven has a tick.
#[component]
fn Facts(fields: Vec<Field>) -> impl IntoView {
    view! {
        <dl class="facts proven">
            {fields
                .into_iter()
                .map(|Field { label, value, only_proven, required }| {
                    let is_missing = value.is_none();
                    let said = value.unwrap_or_else(|| if required { tr!("form-not-shared-required") } else { tr!("form-not-shared") });
                    let is_condition = only_proven && !is_missing;
                    view! {
                        <div class=is_missing.then_some("missing")>
                            <dt>{label}</dt>
                            <dd>
                                <span>
                                    {said}
                                    {is_condition
                                        .then(|| {
                                            view! {
                                                " "
                                                <span class="note">{tr!("form-proven-stayed")}</span>
                                            }
                                        })}
                                </span>
                                {(!is_missing)
                                    .then(|| {
                                        view! {
                                            " "
                                            <span class="tick" role="img" aria-label=tr!("form-proven")>
                                                "✓"
                                            </span>
                                        }
                                    })}
                            </dd>
                        </div>
                    }
                })
                .collect_view()}
        </dl>
    }
}

/// Who stands for it: the name that people know, and the one that was checked.
#[component]
fn IssuedBy(issuer: String, did: Option<String>) -> impl IntoView {
    (!issuer.is_empty() || did.is_some()).then(|| {
        view! {
            <p class="issuer">
                {if issuer.is_empty() { tr!("form-issuer-is") } else { tr!("form-issued-by", issuer = issuer) }}
                {did.map(|did| view! { " " <code>{did}</code> })}
            </p>
        }
    })
}
