//! The door: an arch whose two leaves open, step by step, as the wallet connects, approves and is verified. Drawn once;
//! how far it stands open is the style sheet's business, by the `data-stage` around it. *Runs: server.*

use leptos::prelude::*;

/// The arch with its two leaves. A picture for those who see it; everything it says is said in words beside it.
#[component]
pub fn Arch() -> impl IntoView {
    view! {
        <svg class="arch" viewBox="0 0 120 150" aria-hidden="true">
            <path class="beyond" d="M12 150V60a48 48 0 0 1 96 0v90z" />
            <path class="sun" d="M60 132a22 22 0 1 0 0-44 22 22 0 0 0 0 44z" />
            <path class="leaf left" d="M12 150V60a48 48 0 0 1 48-48v138z" />
            <path class="leaf right" d="M108 150V60a48 48 0 0 0-48-48v138z" />
            <path class="frame" d="M4 150V60a56 56 0 0 1 112 0v90h-8V60a48 48 0 0 0-96 0v90z" />
        </svg>
    }
}
