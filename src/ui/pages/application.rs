//! `/register/application`: what was shared, exactly as it was proven, and the form for what no card says. *Runs: server.*

use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

use crate::{
    api::{self, ApplicationView, Field, SubmitForm, TypedField},
    ui::{
        components::{
            attempts::{AskWalletAgain, NewCode},
            layout::{Layout, Trouble},
            live_controls::{LiveControls, ids},
        },
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
    let not_stored = problem.map(|_| {
        "Your registration could not be stored just now, and this has been noted. Nothing is lost: try again in a minute."
            .to_owned()
    });
    let faulty = [&email, &phone].iter().filter(|field| field.fault.is_some()).count();
    let fields_are = if faulty == 1 { "One field has" } else { "Two fields have" };
    let summary = (faulty > 0)
        .then(|| format!("You are not registered yet. {fields_are} to be mended; what you typed is still there."));
    let phone_first = email.fault.is_none();
    view! {
        <Layout title=title.clone() step=3>
            <h1>"What you shared"</h1>
            <Trouble said=not_stored />
            <p class="lead">
                "Proven by your " {credential} ", and now known to " {organisation.clone()} ". Nothing of it had to be typed."
            </p>
            <Facts fields />
            <IssuedBy issuer did=issuer_did />
            <h2>"How to reach you"</h2>
            <p>"No card says this, so you type it. " {organisation} " uses it for this registration only."</p>
            <form class="contact" method="post" action=SubmitForm::url() novalidate>
                <LiveControls />
                <div class="summary">
                    <Trouble said=summary />
                </div>
                <ContactField
                    name=ids::EMAIL
                    session=session.to_string()
                    label="E-mail address"
                    hint="For example amaka@example.org"
                    inputmode="email"
                    autofocus=true
                    typed=email
                />
                <ContactField
                    name=ids::PHONE
                    label="Phone number"
                    hint="With the country's number, for example +234 801 234 5678"
                    inputmode="tel"
                    autofocus=phone_first
                    typed=phone
                />
                <button id=ids::REGISTER class="primary" type="submit">
                    "Register"
                </button>
            </form>
        </Layout>
    }
}

/// A field of the form with its label, an example, and the sentence that says what is wrong. The browser's own words stay
/// away: the input is a plain text, so that it comes back exactly as it was typed.
#[component]
fn ContactField(
    name: &'static str,
    label: &'static str,
    hint: &'static str,
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
                {typed.fault}
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
            <h1>"Something is missing"</h1>
            <div class="trouble" role="alert">
                <p>"Your wallet did not share what " {organisation} " cannot register you without:"</p>
                <ul>{missing.into_iter().map(|label| view! { <li>{label}</li> }).collect_view()}</ul>
            </div>
            <p>
                "Ask your wallet again, and let it share that too. If it is on the " {credential}
                " in another wallet, begin again with a new code."
            </p>
            <div class="actions start">
                <AskWalletAgain attempt label="Ask my wallet again" main=true />
                <NewCode attempt label="Try again with a new code" main=false />
            </div>
            <h2>"What you shared"</h2>
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
                    let said = value.unwrap_or_else(|| if required { "not shared, required" } else { "not shared" }.to_owned());
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
                                                <span class="note">"proven; the value itself stayed in your wallet"</span>
                                            }
                                        })}
                                </span>
                                {(!is_missing)
                                    .then(|| {
                                        view! {
                                            " "
                                            <span class="tick" role="img" aria-label="proven">
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
                {if issuer.is_empty() { "The issuer is".to_owned() } else { format!("Issued by {issuer}") }}
                {did.map(|did| view! { " " <code>{did}</code> })}
            </p>
        }
    })
}
