//! `/register/connect`: the code, and what the wallet does with it, live. The server draws a panel for every stage; the
//! style sheet shows the one that `data-stage` names, and the island changes that name. *Runs: server.*

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::{
    api::{self, CancelSession, CodeView, ConnectView},
    domain::{
        desk::{CodeForm, Desk},
        stage::Stage,
    },
    ui::{
        components::{
            arch::Arch,
            attempts::{AskWalletAgain, NewCode},
            layout::{Layout, Trouble, no_code},
            live_status::LiveStatus,
        },
        pages::{not_found::Broken, register::AskedFor},
    },
};

/// Asks for the page again, without whatever problem is in its address: that was told once.
const REFRESH: &str = r#"<meta http-equiv="refresh" content="3;url=/register/connect">"#;

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
    let ConnectView { snapshot, code, matching_code, desk, sandbox, options } = view;
    let attempt = snapshot.attempt;
    // Without scripts the page asks again by itself, for as long as something can happen.
    let waits = !snapshot.stage.is_end() && snapshot.stage != Stage::Verified;
    let (who, card) = (desk.organisation.clone(), desk.credential.name.clone());
    let for_code = desk.clone();
    view! {
        <Layout title=desk.title.clone() step=2>
            {waits.then(|| view! { <noscript inner_html=REFRESH></noscript> })}
            <LiveStatus snapshot options>
                <Panel of="waiting declined invalid abandoned expired cancelled failed">
                    <Trouble said=no_code(problem.as_deref(), "new code") />
                </Panel>
                <Panel of="waiting">
                    {code.map(|code| view! { <Code attempt code desk=for_code sandbox /> })}
                </Panel>
                <Panel of="scanned connected requested presented verified">
                    <Arch />
                </Panel>
                <Slow />
                <Said of="scanned" text=format!("Your wallet and {who} are getting acquainted. This takes a few seconds.") />
                <Said of="connected" text=format!("In a moment your wallet asks whether you want to share your {card}.") />
                <Said
                    of="requested"
                    text=format!("It shows what {who} asks for. Approve it there, and this page goes on by itself.")
                />
                <Panel of="connected requested">
                    <MatchingCode code=matching_code />
                </Panel>
                <Said of="presented" text=format!("Your {card} arrived. Its signatures are being confirmed.") />
                <Said of="verified" text=format!("Your {card} is genuine. Only your e-mail address and your phone number are left to type.") />
                <Panel of="verified">
                    <p>
                        <a class="button primary" href="/register/application">
                            "Go on to the form"
                        </a>
                    </p>
                </Panel>
                <Panel of="requested">
                    <NothingToSee attempt />
                </Panel>
                <Panel of="scanned connected requested">
                    <Cancel />
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
            <p>"Code " <strong>{code}</strong></p>
            <p>
                "Your wallet shows this code with the request; if it shows another one, decline, because that request is not \
                 yours."
            </p>
        </div>
    }
}

/// The platform keeps the desk waiting. Shown by `data-delayed`, and told when it appears.
#[component]
fn Slow() -> impl IntoView {
    view! {
        <div class="slow" aria-live="polite">
            <p class="trouble">
                "The wallet platform is slow to answer. The desk goes on trying; you do not have to do anything."
            </p>
        </div>
    }
}

/// The wallet may have lost the request, or may not tell that it has one.
#[component]
fn NothingToSee(attempt: u32) -> impl IntoView {
    view! {
        <details>
            <summary>"Nothing to see in your wallet?"</summary>
            <p>
                "Open it and look for its messages. If there is none, ask again, and answer the newest request: the one with the \
                 new code. Or begin again with a new code to scan."
            </p>
            <div class="actions">
                <AskWalletAgain attempt label="Ask again" main=false />
                <NewCode attempt label="New code" main=false />
            </div>
        </details>
    }
}

#[component]
fn Code(attempt: u32, code: CodeView, desk: Desk, sandbox: bool) -> impl IntoView {
    let CodeView { svg, link, wallet_links } = code;
    let wallet = if desk.wallet.name.is_empty() { "wallet".to_owned() } else { format!("{} wallet", desk.wallet.name) };
    let hint = if sandbox {
        "This desk runs with the sandbox: any phone camera will do.".to_owned()
    } else {
        format!("Open the {wallet} on your phone and scan.")
    };
    let mut other_links = wallet_links;
    let main_link = (!other_links.is_empty()).then(|| other_links.remove(0));
    let stores = [("App Store", desk.wallet.app_store), ("Google Play", desk.wallet.play_store)];
    view! {
        <div class="code" role="img" aria-label="Code to scan with your wallet" inner_html=svg></div>
        <p class="hint">
            {hint} " "
            {sandbox
                .then(|| {
                    view! {
                        <a href=link.clone() target="_blank" rel="noopener">
                            "Open the simulated wallet in a second tab"
                        </a>
                    }
                })}
        </p>
        {main_link
            .map(|href| {
                view! {
                    <p class="same-phone">
                        <a class="button primary" href=href>
                            "Open the wallet on this phone"
                        </a>
                    </p>
                }
            })}
        <details>
            <summary>"Cannot scan?"</summary>
            <p>
                <label for="link">"Copy this link into your wallet:"</label>
            </p>
            <input id="link" class="link" type="text" readonly value=link.clone() />
            {other_links
                .into_iter()
                .map(|href| {
                    view! {
                        <p>
                            <a href=href>"Open another wallet on this phone"</a>
                        </p>
                    }
                })
                .collect_view()}
            {(!sandbox)
                .then(|| {
                    view! {
                        <p class="stores">
                            "No wallet yet? "
                            {stores
                                .into_iter()
                                .filter_map(|(store, href)| Some(view! { <a href=href?>{store}</a> " " }))
                                .collect_view()}
                        </p>
                    }
                })}
        </details>
        <div class="actions">
            <NewCode attempt label="New code" main=false />
            <Cancel />
        </div>
    }
}

#[component]
fn Cancel() -> impl IntoView {
    let cancel = ServerAction::<CancelSession>::new();
    view! {
        <ActionForm action=cancel>
            <button class="quiet" type="submit">
                "Cancel"
            </button>
        </ActionForm>
    }
}

/// What each bad end means, and the way on: always a new code, and where a wallet is connected, the wallet again.
#[component]
fn Endings(desk: Desk, attempt: u32) -> impl IntoView {
    let (who, card) = (desk.organisation.clone(), desk.credential.name.clone());
    // Of a code that is a link it is known whether a wallet read it.
    let by_link = desk.code == CodeForm::Link;
    view! {
        <Panel of="declined">
            <p>"Nothing was shared. If you want to register after all, begin again."</p>
        </Panel>
        <Said
            of="invalid"
            text=format!(
                "What your wallet sent is not a valid {card}. Make sure that the card is yours, that it has not expired, and \
                 that all values come from one card.",
            )
        />
        <Said
            of="abandoned"
            text="The wallet stopped before it was connected. Try once more, and accept the connection when the wallet asks."
        />
        <Said of="expired" text="This registration was not finished in time, so it has ended. You can begin again." />
        <Said of="cancelled" text="The registration is cancelled, and the code no longer works." />
        <Said
            of="failed"
            text=format!(
                "The wallet platform would not go on with this registration. It has been noted. Try once more; if it happens \
                 again, tell {who}.",
            )
        />
        <Panel of="declined invalid abandoned expired cancelled failed">
            <NewCode attempt label="Try again with a new code" main=true />
        </Panel>
        <Panel of="declined invalid expired">
            <div class=by_link.then_some("once-read")>
                <AskWalletAgain attempt label="Ask my wallet again" main=false />
            </div>
        </Panel>
        <Panel of="declined">
            <h2>"What each value is for"</h2>
            <AskedFor desk />
        </Panel>
        <Said of="submitted" text="You are registered." />
        <Panel of="submitted">
            <p>
                <a class="button primary" href="/register/confirmation">
                    "See your number"
                </a>
            </p>
        </Panel>
    }
}
