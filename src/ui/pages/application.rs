//! `/register/application`: what was shared, exactly as it was proven. *Runs: server.*

use leptos::prelude::*;

use crate::{
    api::{self, ApplicationView},
    ui::{components::layout::Layout, pages::not_found::Broken},
};

/// The page of what was shared.
#[component]
pub fn Application() -> impl IntoView {
    let view = Resource::new_blocking(|| (), |()| api::read_application_view());
    view! {
        <Suspense>
            {move || Suspend::new(async move {
                match view.await {
                    Err(_) => view! { <Broken /> }.into_any(),
                    // The browser is on its way back to its code.
                    Ok(None) => ().into_any(),
                    Ok(Some(view)) => view! { <Shared view /> }.into_any(),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Shared(view: ApplicationView) -> impl IntoView {
    let ApplicationView { title, credential, organisation, fields, .. } = view;
    view! {
        <Layout title=title.clone() step=3>
            <h1>"What you shared"</h1>
            <p class="lead">
                "Proven by your " {credential.clone()} ", and now known to " {organisation} ". Nothing had to be typed."
            </p>
            <dl class="facts proven">
                {fields
                    .into_iter()
                    .map(|field| match field.value {
                        Some(value) => {
                            view! {
                                <div>
                                    <dt>{field.label}</dt>
                                    <dd>
                                        {value} " " <span class="tick" role="img" aria-label="proven">
                                            "✓"
                                        </span>
                                    </dd>
                                </div>
                            }
                                .into_any()
                        }
                        None => {
                            view! {
                                <div class="missing">
                                    <dt>{field.label}</dt>
                                    <dd>"not shared"</dd>
                                </div>
                            }
                                .into_any()
                        }
                    })
                    .collect_view()}
            </dl>
        </Layout>
    }
}
