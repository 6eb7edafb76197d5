//! `/admin/record`: what staff did, and the exports. *Runs: server.*

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{
    Desk, Place, loaded,
    words::{deed, moment},
};
use crate::api::admin::{self, RecordView, Recorded};

/// The page.
#[component]
pub fn Record() -> impl IntoView {
    let older = use_query_map().with_untracked(|query| query.get("older").unwrap_or_default());
    let view = Resource::new_blocking(move || older.clone(), admin::read_record);
    view! {
        <Suspense>
            {move || Suspend::new(async move {
                loaded(view.await, |view| view! { <Listing view /> }.into_any())
            })}
        </Suspense>
    }
    .into_any()
}

#[component]
fn Listing(view: RecordView) -> impl IntoView {
    let RecordView { frame, lines, older } = view;
    view! {
        <Desk frame title="Record" place=Place::Record>
            <h1>"What staff did"</h1>
            <section aria-labelledby="export-heading">
                <h2 id="export-heading">"Export"</h2>
                <p>"Every registration with all its values. Each export is recorded."</p>
                <div class="actions start">
                    <a class="button" href="/admin/export.csv" download>
                        "Table (CSV)"
                    </a>
                    <a class="button" href="/admin/export.jsonl" download>
                        "JSON lines"
                    </a>
                </div>
            </section>
            <section aria-labelledby="record-heading">
                <h2 id="record-heading">"Record"</h2>
                <div id="record" data-live="">
                    <ol class="record">{lines.into_iter().map(|line| view! { <Line line /> }).collect_view()}</ol>
                    <nav class="pages" aria-label="Pages">
                        {older
                            .map(|place| {
                                view! {
                                    <a id="older" class="button" href=format!("/admin/record?older={place}")>
                                        "Older"
                                    </a>
                                }
                            })}
                    </nav>
                </div>
            </section>
        </Desk>
    }
    .into_any()
}

#[component]
fn Line(line: Recorded) -> impl IntoView {
    let Recorded { at, by, deed: what, session, detail } = line;
    view! {
        <li>
            <time datetime=at.rfc3339()>{moment(at)}</time>
            " "
            <strong>{by.unwrap_or_else(|| "Somebody with the token".to_owned())}</strong>
            " "
            {deed(&what)}
            {detail.map(|detail| format!(" ({detail})"))}
            {session
                .map(|session| {
                    view! {
                        ": "
                        <a href=format!("/admin/registrations/{session}")>"the registration"</a>
                    }
                })}
        </li>
    }
    .into_any()
}
