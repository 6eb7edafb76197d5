//! `/register/connect`: the code, and what the wallet does with it, live. The server draws a panel for every stage; the
//! style sheet shows the one that `data-stage` names, and the island changes that name. *Runs: server.*

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::{
    api::{self, CancelSession, CodeView, ConnectView},
    domain::{
        desk::{CodeForm, Credential, Desk, Wallet},
        stage::Stage,
    },
    language::tr,
    ui::{
        components::{
            arch::Arch,
            attempts::{AnotherDevice, AskWalletAgain, NewCode},
            layout::{Layout, Trouble, no_code},
            live_status::LiveStatus,
        },
        pages::{not_found::Broken, register::AskedFor},
    },
};

/// Asks for the page again, without whatever problem is in its address: that was told once.
const REFRESH: &str = r#"<meta http-equiv="refresh" content="3;url=/register/connect">"#;

/// The code's drawing, as the server draws it.
const DRAWING: &str = "drawing";
/// The code over the whole screen.
const LARGE: &str = "large";

/// The page of the code.
#[component]
pub fn Connect() -> impl IntoView {
    let view = Resource::new_blocking(|| (), |()| api::read_connect_view());
    let problem = use_query_map().with_untracked(|query| query.get("problem"));
    view! {
        <Suspense>
            {move || {
                let problem = problem.clone();
                Suspend::new(async move {
                    match view.await {
                        Err(_) => view! { <Broken /> }.into_any(),
                        // The browser is on its way to where a registration begins.
                        Ok(None) => ().into_any(),
                        Ok(Some(view)) => view! { <Door view problem /> }.into_any(),
                    }
                })
            }}
        </Suspense>
    }
}

#[component]
fn Door(view: ConnectView, problem: Option<String>) -> impl IntoView {
    let ConnectView { snapshot, silent_ms, code_ms, wallet_ms, code, matching_code, desk, sandbox, options } = view;
    let attempt = snapshot.attempt;
    // Without scripts the page asks again by itself, for as long as something can happen.
    let waits = !snapshot.stage.is_end() && snapshot.stage != Stage::Verified;
    let (who, card) = (desk.organisation.clone(), desk.credential.name.clone());
    let (for_code, for_card) = (desk.clone(), desk.clone());
    view! {
        <Layout title=desk.title.clone() step=2>
            {waits.then(|| view! { <noscript inner_html=REFRESH></noscript> })}
            <LiveStatus snapshot silent_ms code_ms wallet_ms options>
                <Panel of="waiting declined invalid abandoned expired cancelled failed">
                    <Trouble said=no_code(problem.as_deref(), tr!("problem-no-new-code")) focus=true />
                </Panel>
                <Panel of="waiting">
                    {code.map(|code| view! { <Code attempt code desk=for_code sandbox /> })}
                </Panel>
                <Panel of="scanned connected requested presented verified">
                    <Arch />
                </Panel>
                <Said of="scanned" text=tr!("connect-scanned", organisation = who.as_str()) />
                <Said of="connected" text=tr!("connect-connected", card = card.as_str()) />
                <Said
                    of="requested"
                    text=tr!("connect-requested", organisation = who.as_str())
                />
                <Panel of="connected requested">
                    <MatchingCode code=matching_code />
                </Panel>
                <Said of="presented" text=tr!("connect-presented", card = card.as_str()) />
                <Said of="verified" text=tr!("connect-verified", card = card.as_str()) />
                <Panel of="verified">
                    <p>
                        <a class="button primary" href="/register/application">
                            {tr!("connect-to-the-form")}
                        </a>
                    </p>
                </Panel>
                <Panel of="requested">
                    <NothingToSee attempt />
                </Panel>
                <Panel of="requested">
                    <NoCard desk=for_card />
                </Panel>
                <Panel of="scanned connected requested">
                    <NotYourWallet />
                </Panel>
                <Panel of="scanned connected requested">
                    <Cancel />
                </Panel>
                <Panel of="waiting scanned connected requested presented verified">
                    <AnotherDevice />
                </Panel>
                <Endings desk attempt />
            </LiveStatus>
        </Layout>
    }
}

/// Shown in these stages, named in one text with blanks between.
#[component]
fn Panel(of: &'static str, children: Children) -> impl IntoView {
    view! {
        <div class="panel" data-of=of>
            {children()}
        </div>
    }
}

/// A sentence for a stage.
#[component]
fn Said(of: &'static str, #[prop(into)] text: String) -> impl IntoView {
    view! {
        <Panel of>
            <p>{text}</p>
        </Panel>
    }
}

/// What the page and the wallet's request both show, so that a person can tell which request is theirs.
#[component]
fn MatchingCode(code: String) -> impl IntoView {
    view! {
        <div class="matching">
            <p>{tr!("connect-code")} " " <strong>{code}</strong></p>
            <p>{tr!("connect-same-code")}</p>
        </div>
    }
}

/// The wallet may have lost the request, or may not tell that it has one.
#[component]
fn NothingToSee(attempt: u32) -> impl IntoView {
    view! {
        <details>
            <summary>{tr!("connect-nothing-to-see")}</summary>
            <p>{tr!("connect-nothing-to-see-text")}</p>
            <div class="actions">
                <AskWalletAgain attempt label=tr!("connect-ask-again") main=false />
                <NewCode attempt label=tr!("connect-new-code") main=false />
            </div>
        </details>
    }
}

#[component]
fn Code(attempt: u32, code: CodeView, desk: Desk, sandbox: bool) -> impl IntoView {
    let CodeView { svg, link, wallet_links } = code;
    let hint = if sandbox {
        tr!("connect-sandbox")
    } else if desk.wallet.name.is_empty() {
        tr!("connect-scan")
    } else {
        tr!("connect-scan-with", wallet = desk.wallet.name.as_str())
    };
    let mut other_links = wallet_links;
    let main_link = (!other_links.is_empty()).then(|| other_links.remove(0));
    view! {
        {main_link
            .map(|href| {
                view! {
                    <div class="same-phone">
                        <a class="button primary" href=href>
                            {tr!("connect-open-wallet")}
                        </a>
                        <Stores wallet=desk.wallet.clone() sandbox />
                        <p class="hint">{tr!("connect-other-phone")}</p>
                    </div>
                }
            })}
        <div
            class=if desk.code == CodeForm::Direct { "code dense" } else { "code" }
            role="img"
            aria-label=tr!("connect-picture-of-code")
            inner_html=svg
        ></div>
        <button class="quiet enlarge" type="button" popovertarget=LARGE>
            {tr!("connect-enlarge")}
        </button>
        <div id=LARGE class="large" popover>
            // The same drawing, so that it is loaded once.
            <svg viewBox="0 0 1 1" role="img" aria-label=tr!("connect-picture-of-code")>
                <use href=format!("#{DRAWING}") width="1" height="1" />
            </svg>
            <button type="button" popovertarget=LARGE>
                {tr!("connect-close")}
            </button>
        </div>
        <p class="hint">
            {hint} " "
            {sandbox
                .then(|| {
                    view! {
                        <a href=link.clone() target="_blank" rel="noopener">
                            {tr!("connect-sandbox-wallet")}
                        </a>
                    }
                })}
        </p>
        <details>
            <summary>{tr!("connect-cannot-scan")}</summary>
            <p>
                <label for="link">{tr!("connect-copy-link")}</label>
            </p>
            <input id="link" class="link" type="text" readonly value=link.clone() />
            {other_links
                .into_iter()
                .map(|href| {
                    view! {
                        <p>
                            <a href=href>{tr!("connect-open-other-wallet")}</a>
                        </p>
                    }
                })
                .collect_view()}
            <Stores wallet=desk.wallet sandbox />
        </details>
        <div class="actions">
            <NewCode attempt label=tr!("connect-new-code") main=false />
            <Cancel />
        </div>
    }
}

/// Where to get the wallet. The simulated one is a page, and needs no store.
#[component]
fn Stores(wallet: Wallet, sandbox: bool) -> impl IntoView {
    let stores = [("App Store", wallet.app_store), ("Google Play", wallet.play_store)];
    (!sandbox && stores.iter().any(|(_, address)| address.is_some())).then(|| {
        view! {
            <p class="stores">
                {tr!("connect-no-wallet")} " "
                {stores
                    .into_iter()
                    .filter_map(|(store, address)| Some(view! { <a href=address?>{store}</a> " " }))
                    .collect_view()}
            </p>
        }
    })
}

/// Somebody else was quicker with the code, or it was read with the wrong wallet.
#[component]
fn NotYourWallet() -> impl IntoView {
    view! {
        <details>
            <summary>{tr!("connect-other-wallet")}</summary>
            <p>{tr!("connect-other-wallet-text")}</p>
        </details>
    }
}

/// How to get the card that is asked for.
#[component]
fn NoCard(desk: Desk) -> impl IntoView {
    let Desk { organisation, credential: Credential { name, issuer, how_to_get, .. }, .. } = desk;
    let way = if how_to_get.is_empty() {
        tr!("connect-no-card-ask", issuer = if issuer.is_empty() { organisation } else { issuer })
    } else {
        how_to_get
    };
    view! {
        <details>
            <summary>{tr!("connect-no-card", card = name)}</summary>
            <p>{way}</p>
        </details>
    }
}

#[component]
fn Cancel() -> impl IntoView {
    let cancel = ServerAction::<CancelSession>::new();
    view! {
        <ActionForm action=cancel>
            <button class="quiet" type="submit">
                {tr!("connect-cancel")}
            </button>
        </ActionForm>
    }
}

/// What each bad end means, and the way on: always a new code, and where a wallet is connected, the wallet again.
#[component]
fn Endings(desk: Desk, attempt: u32) -> impl IntoView {
    let (who, card) = (desk.organisation.clone(), desk.credential.name.clone());
    let for_card = desk.clone();
    // Of a code that is a link it is known whether a wallet read it.
    let by_link = desk.code == CodeForm::Link;
    view! {
        <Panel of="declined">
            <p>{tr!("end-declined")}</p>
        </Panel>
        <Said
            of="invalid"
            text=tr!("end-invalid", card = card)
        />
        <Said
            of="abandoned"
            text=tr!("end-abandoned")
        />
        <Said of="expired" text=tr!("end-expired") />
        <Said of="cancelled" text=tr!("end-cancelled") />
        <Said
            of="failed"
            text=tr!("end-failed", organisation = who)
        />
        <Panel of="declined invalid abandoned expired cancelled failed">
            <NewCode attempt label=tr!("end-new-code") main=true />
        </Panel>
        <Panel of="declined invalid expired">
            <div class=by_link.then_some("once-read")>
                <AskWalletAgain attempt label=tr!("end-ask-my-wallet") main=false />
            </div>
        </Panel>
        <Panel of="declined invalid">
            <NoCard desk=for_card />
        </Panel>
        <Panel of="declined">
            <h2>{tr!("end-each-value")}</h2>
            <AskedFor desk />
        </Panel>
        <Said of="submitted" text=tr!("end-submitted") />
        <Panel of="submitted">
            <p>
                <a class="button primary" href="/register/confirmation">
                    {tr!("end-see-number")}
                </a>
            </p>
        </Panel>
    }
}
