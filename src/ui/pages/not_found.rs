//! Pages for what is not there, and for what is broken. *Runs: server.*

use leptos::prelude::*;

use crate::{domain::ids::RequestId, language::tr, ui::components::layout::Layout};

/// There is no such page. The server's fallback answers with 404.
#[component]
pub fn NotFound() -> impl IntoView {
    view! {
        <Layout title=tr!("not-found-title")>
            <h1>{tr!("not-found")}</h1>
            <p>{tr!("not-found-text")}</p>
            <Number />
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
            <Number />
            <p>
                <a class="button primary" href="">
                    {tr!("try-again")}
                </a>
            </p>
        </Layout>
    }
}

/// By which the log has more about it, for people to pass on.
#[component]
fn Number() -> impl IntoView {
    use_context::<RequestId>().map(|id| view! { <p>{tr!("number-of-request", id = id.to_string())}</p> })
}
