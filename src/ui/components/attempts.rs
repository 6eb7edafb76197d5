//! The buttons that begin another attempt, or another device's part of it. *Runs: server.*

use leptos::prelude::*;

use crate::{
    api::{AskAgain, HandOver, RenewSession},
    language::tr,
};

/// A new code.
#[component]
pub fn NewCode(
    /// The attempt that the page shows.
    attempt: u32,
    /// What the button says.
    label: String,
    /// Whether it is the one thing to do.
    main: bool,
) -> impl IntoView {
    let renew = ServerAction::<RenewSession>::new();
    view! {
        <ActionForm action=renew>
            <input type="hidden" name="attempt" value=attempt />
            <button class=main.then_some("primary") type="submit">
                {label}
            </button>
        </ActionForm>
    }
}

/// Asks the wallet once more, over the connection that stands.
#[component]
pub fn AskWalletAgain(
    /// The attempt that the page shows.
    attempt: u32,
    /// What the button says.
    label: String,
    /// Whether it is the one thing to do.
    main: bool,
) -> impl IntoView {
    let ask = ServerAction::<AskAgain>::new();
    view! {
        <ActionForm action=ask>
            <input type="hidden" name="attempt" value=attempt />
            <button class=main.then_some("primary") type="submit">
                {label}
            </button>
        </ActionForm>
    }
}

/// Goes on on another device.
#[component]
pub fn AnotherDevice() -> impl IntoView {
    let hand_over = ServerAction::<HandOver>::new();
    view! {
        <ActionForm action=hand_over>
            <button class="quiet" type="submit">
                {tr!("hand-over-heading")}
            </button>
        </ActionForm>
    }
}
