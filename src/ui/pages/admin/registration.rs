//! `/admin/registrations/{session}`: what happened, what it waits for, and what can be done. *Runs: server.*

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::{
    Desk, Done, Place, loaded,
    words::{act, happened, length, moment, reason, stage},
};
use crate::{
    api::admin::{self, ActOn, Entry, Moment, Pending, RegistrationView, Remedies},
    domain::time::Timestamp,
};

/// The page of one registration.
#[component]
pub fn Registration() -> impl IntoView {
    let session = use_params_map().with_untracked(|params| params.get("session")).unwrap_or_default();
    let done = use_query_map().with_untracked(|query| query.get("done"));
    let view = Resource::new_blocking(move || session.clone(), admin::read_registration);
    view! {
        <Suspense>
            {move || {
                let done = done.clone();
                Suspend::new(async move {
                    loaded(view.await, |view| view! { <Whole view done /> }.into_any())
                })
            }}
        </Suspense>
    }
    .into_any()
}

#[component]
fn Whole(view: RegistrationView, done: Option<String>) -> impl IntoView {
    let RegistrationView { frame, entry, code, ids, personal, shown, timeline, pending, remedies } = view;
    let now = frame.now;
    let title = entry.number.clone().unwrap_or_else(|| "A registration".to_owned());
    let (session, attempt) = (entry.session.to_string(), entry.attempt);
    let begun = entry.begun;
    view! {
        <Desk frame title=title.clone() place=Place::Elsewhere>
            <p>
                <a href="/admin">"All registrations"</a>
            </p>
            <h1>{title}</h1>
            <Done word=done />
            <div id="state" data-live="">
                <State entry code ids now />
            </div>
            <div id="remedies" data-live="">
                <Help session=session.clone() attempt remedies />
            </div>
            <section aria-labelledby="personal-heading">
                <h2 id="personal-heading">"Personal values"</h2>
                <div id="personal" data-live="">
                    <Personal session=session.clone() attempt personal shown />
                </div>
            </section>
            <section aria-labelledby="timeline-heading">
                <h2 id="timeline-heading">"What happened"</h2>
                <div id="timeline" data-live="">
                    <Timeline timeline begun />
                </div>
            </section>
            <div id="pending" data-live="">
                <Due pending now />
            </div>
            <Erase session attempt />
        </Desk>
    }
    .into_any()
}

#[component]
fn State(entry: Entry, code: String, ids: Vec<(String, String)>, now: Timestamp) -> impl IntoView {
    let is_over = entry.stage.is_end();
    let why = reason(&entry);
    view! {
        <p class="standing" data-stage=entry.stage.as_str()>
            <span class="stage">{stage(entry.stage)}</span>
            " "
            {why}
        </p>
        <dl class="known">
            <dt>"Begun"</dt>
            <dd>{moment(entry.begun)} " UTC, " {length(now.since(entry.begun))} " ago"</dd>
            <dt>"Last news"</dt>
            <dd>{length(now.since(entry.changed))} " ago"</dd>
            {(!is_over)
                .then(|| {
                    view! {
                        <dt>"Time left"</dt>
                        <dd>{length(entry.ends.since(now))}</dd>
                        <dt>"Matching code"</dt>
                        <dd>
                            <strong>{code}</strong>
                            ": the person sees the same one"
                        </dd>
                    }
                })}
            <dt>"Attempt"</dt>
            <dd>{entry.attempt}</dd>
            <dt>"Session"</dt>
            <dd>
                <code>{entry.session.to_string()}</code>
            </dd>
            {ids
                .into_iter()
                .map(|(name, id)| {
                    view! {
                        <dt>{capitalized(&name)}</dt>
                        <dd>
                            <code>{id}</code>
                        </dd>
                    }
                })
                .collect_view()}
        </dl>
    }
    .into_any()
}

fn capitalized(text: &str) -> String {
    let mut signs = text.chars();
    signs.next().map_or_else(String::new, |first| first.to_uppercase().chain(signs).collect())
}

/// A button that does something about the registration.
#[component]
fn Remedy(session: String, attempt: u32, what: &'static str, label: &'static str) -> impl IntoView {
    let action = ServerAction::<ActOn>::new();
    view! {
        <ActionForm action>
            <input type="hidden" name="session" value=session />
            <input type="hidden" name="attempt" value=attempt.to_string() />
            <button id=format!("do-{what}") type="submit" name="what" value=what>
                {label}
            </button>
        </ActionForm>
    }
    .into_any()
}

#[component]
fn Help(session: String, attempt: u32, remedies: Remedies) -> impl IntoView {
    let Remedies { ask_again, renew, reconcile, cancel } = remedies;
    let all = [
        (reconcile, "reconcile", "Ask the platform now"),
        (ask_again, "ask-again", "Ask the wallet again"),
        (renew, "renew", "Make a new code"),
        (cancel, "cancel", "Cancel"),
    ];
    view! {
        <div class="actions start">
            {all
                .into_iter()
                .filter(|(may, ..)| *may)
                .map(|(_, what, label)| view! { <Remedy session=session.clone() attempt what label /> })
                .collect_view()}
        </div>
    }
    .into_any()
}

#[component]
fn Personal(session: String, attempt: u32, personal: Vec<(String, String)>, shown: bool) -> impl IntoView {
    if personal.is_empty() {
        return view! { <p class="nobody">"None are kept."</p> }.into_any();
    }
    view! {
        <dl class="known">
            {personal
                .into_iter()
                .map(|(label, value)| {
                    view! {
                        <dt>{label}</dt>
                        <dd>{value}</dd>
                    }
                })
                .collect_view()}
        </dl>
        {(!shown)
            .then(|| {
                view! {
                    <div class="actions start">
                        <Remedy session attempt what="look" label="Show for a minute" />
                    </div>
                    <p class="hint">"That you looked is recorded with your name."</p>
                }
            })}
    }
    .into_any()
}

/// The timeline, with the time from each line to the next.
#[component]
fn Timeline(timeline: Vec<Moment>, begun: Timestamp) -> impl IntoView {
    let mut before = begun;
    view! {
        <ol class="timeline">
            {timeline
                .into_iter()
                .map(|line| {
                    let gap = line.at.since(before);
                    before = line.at;
                    view! {
                        <li>
                            <time datetime=line.at.rfc3339()>{line.at.rfc3339().get(11..23).map(str::to_owned)}</time>
                            <span class="gap">{(gap > 0).then(|| format!("+{}", length(gap)))}</span>
                            <span>
                                {happened(&line.what)}
                                {line.attempt.filter(|attempt| *attempt > 1).map(|attempt| format!(" · attempt {attempt}"))}
                                {words_of(&line.what)}
                            </span>
                        </li>
                    }
                })
                .collect_view()}
        </ol>
    }
    .into_any()
}

/// The platform's own words, for whoever looks into its logs too.
fn words_of(what: &admin::Happened) -> Option<impl IntoView + use<>> {
    let admin::Happened::Told { state, .. } = what else { return None };
    Some(view! {
        " "
        <code>{state.clone()}</code>
    })
}

#[component]
fn Due(pending: Vec<Pending>, now: Timestamp) -> impl IntoView {
    (!pending.is_empty()).then(|| {
        view! {
            <section aria-labelledby="due-heading">
                <h2 id="due-heading">"What the server will do"</h2>
                <ul class="due">
                    {pending
                        .into_iter()
                        .map(|pending| {
                            let when = if pending.due <= now {
                                "now".to_owned()
                            } else {
                                format!("in {}", length(pending.due.since(now)))
                            };
                            let problem = pending
                                .problem
                                .map(|problem| format!(". Tried {} times: {problem}", pending.tries));
                            view! { <li>{act(&pending.act)} " " {when} {problem}</li> }
                        })
                        .collect_view()}
                </ul>
            </section>
        }
    })
}

#[component]
fn Erase(session: String, attempt: u32) -> impl IntoView {
    view! {
        <details id="erase">
            <summary>"Delete the personal data"</summary>
            <p>
                "What was shared, typed and submitted, the wallet's name, and what the platform's messages said is deleted for good. The number \
                 and the times stay. A registration that is under way is cancelled."
            </p>
            <div class="actions start">
                <Remedy session attempt what="erase" label="Delete for good" />
            </div>
        </details>
    }
    .into_any()
}
