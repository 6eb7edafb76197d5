//! `/admin/deliveries`: webhooks that belong to no registration. *Runs: server.*

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{
    Desk, Done, Place, loaded,
    words::{length, moment},
};
use crate::{
    api::admin::{self, Settle, Stray, StraysView},
    domain::time::Timestamp,
};

/// The page.
#[component]
pub fn Deliveries() -> impl IntoView {
    let (older, done) =
        use_query_map().with_untracked(|query| (query.get("older").unwrap_or_default(), query.get("done")));
    let view = Resource::new_blocking(move || older.clone(), admin::read_strays);
    view! {
        <Suspense>
            {move || {
                let done = done.clone();
                Suspend::new(async move {
                    loaded(view.await, |view| view! { <Listing view done /> }.into_any())
                })
            }}
        </Suspense>
    }
    .into_any()
}

#[component]
fn Listing(view: StraysView, done: Option<String>) -> impl IntoView {
    let StraysView { frame, strays, older } = view;
    let now = frame.now;
    let is_empty = strays.is_empty();
    view! {
        <Desk frame title="Deliveries" place=Place::Deliveries>
            <h1>"Deliveries without a registration"</h1>
            <Done word=done />
            <p class="lead">
                "Webhooks that name nothing known here. They wait for 30 seconds; those that another program's connections caused stay without."
            </p>
            <div id="strays" data-live="">
                {if is_empty {
                    view! { <p class="nobody">"None."</p> }.into_any()
                } else {
                    view! {
                        <ul class="strays">
                            {strays.into_iter().map(|stray| view! { <Row stray now /> }).collect_view()}
                        </ul>
                    }
                        .into_any()
                }}
                <nav class="pages" aria-label="Pages">
                    {older
                        .map(|place| {
                            view! {
                                <a id="older" class="button" href=format!("/admin/deliveries?older={place}")>
                                    "Older"
                                </a>
                            }
                        })}
                </nav>
            </div>
        </Desk>
    }
    .into_any()
}

#[component]
fn Row(stray: Stray, now: Timestamp) -> impl IntoView {
    let Stray { id, at, kind, state, waits, ids } = stray;
    let heading = format!("stray-{id}");
    let labelled = heading.clone();
    view! {
        <li data-trouble=(!waits).then_some("") aria-labelledby=labelled>
            <p id=heading>
                <strong>{kind} " " {state}</strong>
                {if waits { " waits for its registration" } else { " found no registration" }}
            </p>
            <p class="hint">
                <time datetime=at.rfc3339()>{moment(at)} " UTC, " {length(now.since(at))} " ago"</time>
            </p>
            <dl class="known">
                {ids
                    .into_iter()
                    .map(|(name, id)| {
                        view! {
                            <dt>{name}</dt>
                            <dd>
                                <code>{id}</code>
                            </dd>
                        }
                    })
                    .collect_view()}
            </dl>
            <div class="actions start">
                <Button id what="replay" label="Try again" />
                <Button id what="discard" label="Put aside" />
            </div>
        </li>
    }
    .into_any()
}

#[component]
fn Button(id: i64, what: &'static str, label: &'static str) -> impl IntoView {
    let action = ServerAction::<Settle>::new();
    view! {
        <ActionForm action>
            <input type="hidden" name="id" value=id.to_string() />
            <button id=format!("{what}-{id}") type="submit" name="what" value=what aria-describedby=format!("stray-{id}")>
                {label}
            </button>
        </ActionForm>
    }
    .into_any()
}
