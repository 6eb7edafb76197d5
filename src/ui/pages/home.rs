//! `/`: what this is, and one button. *Runs: server.*

use leptos::prelude::*;

use crate::{
    api,
    language::tr,
    ui::{
        components::{arch::Arch, layout::Layout},
        pages::not_found::Broken,
    },
};

/// The first page.
#[component]
pub fn Home() -> impl IntoView {
    let desk = Resource::new_blocking(|| (), |()| api::read_desk());
    view! {
        <Suspense>
            {move || Suspend::new(async move {
                match desk.await {
                    Err(_) => view! { <Broken /> }.into_any(),
                    Ok(desk) => {
                        view! {
                            <Layout title=desk.title.clone()>
                                <div class="welcome" data-stage="waiting">
                                    <Arch />
                                    <p class="organisation">{desk.organisation}</p>
                                    <h1>{desk.title}</h1>
                                    <p class="lead">{desk.introduction}</p>
                                    <p>
                                        <a class="button primary" href="/register">
                                            {tr!("home-begin")}
                                        </a>
                                    </p>
                                </div>
                            </Layout>
                        }
                            .into_any()
                    }
                }
            })}
        </Suspense>
    }
}
