//! Pages for what is not there, and for what is broken. *Runs: server.*

use leptos::prelude::*;

use crate::{language::tr, ui::components::layout::Layout};

/// There is no such page. The server's fallback answers with 404.
#[component]
pub fn NotFound() -> impl IntoView {
    view! {
        <Layout title=tr!("not-found-title")>
            <h1>{tr!("not-found")}</h1>
            <p>{tr!("not-found-text")}</p>
            <p>
                <a class="button primary" href="/">
                    {tr!("to-the-start")}
                </a>
            </p>
        </Layout>
    }
}

/// The page's data could not be had.
#[component]
pub fn Broken() -> impl IntoView {
    view! {
        <Layout title=tr!("broken-title")>
            <h1>{tr!("broken")}</h1>
            <p>{tr!("broken-text")}</p>
            <p>
                <a class="button primary" href="">
                    {tr!("try-again")}
                </a>
            </p>
        </Layout>
    }
}
