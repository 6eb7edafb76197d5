//! Pages for what is not there, and for what is broken. *Runs: server.*

use leptos::prelude::*;

use crate::ui::components::layout::Layout;

/// There is no such page. The server's fallback answers with 404.
#[component]
pub fn NotFound() -> impl IntoView {
    view! {
        <Layout title="Not found">
            <h1>"There is no such page"</h1>
            <p>"The address may be mistyped or old. A registration that is under way is not lost: it is where it was."</p>
            <p>
                <a class="button primary" href="/">
                    "To the start"
                </a>
            </p>
        </Layout>
    }
}

/// The page's data could not be had.
#[component]
pub fn Broken() -> impl IntoView {
    view! {
        <Layout title="Not available">
            <h1>"This page cannot be shown just now"</h1>
            <p>"Something went wrong on our side, and it has been noted. Nothing you did is lost: try again in a minute."</p>
            <p>
                <a class="button primary" href="">
                    "Try again"
                </a>
            </p>
        </Layout>
    }
}
