//! One registration for staff: what happened to it, what it waits for, and what can be done about it. *Runs: server.*

use std::sync::Arc;

use super::{actor, entry, frame, of_store, reader, record::named};
use crate::{
    api::admin::{Happened, Moment, Pending, RegistrationView, Remedies},
    domain::{
        ids::SessionId,
        session::Session,
        stage::{Event, Stage},
    },
    server::{
        pages::{Answer, app, failed},
        platform::{Delivery, Meaning},
        problem::Problem,
        sessions::{OpenError, to_the_end},
        staff::{self, Actor, SHOWN_FOR, masked},
        state::App,
        store::{ActKind, Attempt, Deed, PastAct, PastAttempt, PastEvent, Registration, StoreError},
    },
};

/// The most lines of the record that are shown with a registration.
const DEEDS: u32 = 100;

/// One registration; `None` after sending somebody who is not signed in to where one does.
pub async fn registration(session: String) -> Answer<Option<RegistrationView>> {
    let app = app();
    let Some(who) = reader(&app).await? else { return Ok(None) };
    let store = &app.sessions.store;
    let found = match session.parse() {
        Ok(id) => store.one_entry(id).await.map_err(of_store)?,
        Err(_) => None,
    };
    let Some(listed) = found else { return Err(failed(Problem::NotFound)) };
    let id = listed.session.id;
    let since = app.sessions.clock.now().minus(SHOWN_FOR);
    let shown = store.looked_since(&who.id, id, since).await.map_err(of_store)?;
    let attempts = store.past_attempts(id).await.map_err(of_store)?;
    let acts = store.past_acts(id).await.map_err(of_store)?;
    let present = store.attempt(id, listed.session.attempt).await.map_err(of_store)?;
    let submitted = store.registration(id).await.map_err(of_store)?;
    let mut timeline = moments(&listed.session, &attempts, &acts, submitted.as_ref());
    timeline.extend(store.past_events(id).await.map_err(of_store)?.into_iter().map(told));
    timeline.extend(store.deeds_about(id, DEEDS).await.map_err(of_store)?.into_iter().map(|line| Moment {
        at: line.at,
        attempt: None,
        what: Happened::Deed {
            deed: line.deed.map(Deed::as_str).unwrap_or_default().to_owned(),
            by: line.name.unwrap_or_default(),
        },
    }));
    // What led to an end comes before it, at the same moment too.
    timeline.sort_by_key(|moment| (moment.at, matches!(moment.what, Happened::Ended(_) | Happened::Verified)));
    let last = attempts.into_iter().next_back();
    let (code, ids) = last.map(|attempt| (attempt.code, attempt.ids)).unwrap_or_default();
    Ok(Some(RegistrationView {
        frame: frame(&app, who).await?,
        personal: personal(&app, &listed.session, present.as_ref(), shown).await.map_err(of_store)?,
        shown,
        code,
        ids: named(["out-of-band id", "connection", "presentation exchange"], ids),
        timeline,
        pending: acts
            .into_iter()
            .filter(|act| is_to_come(act, &listed.session))
            .map(|act| pending(act, &listed.session))
            .collect(),
        remedies: remedies(&app, &listed.session, present.as_ref()),
        entry: entry(listed),
    }))
}

/// What is personal, by its label, in the order of the desk.
async fn personal(
    app: &App,
    session: &Session,
    attempt: Option<&Attempt>,
    shown: bool,
) -> Result<Vec<(String, String)>, StoreError> {
    let store = &app.sessions.store;
    let (revealed, contact) = match store.submitted(session.id).await? {
        Some(submitted) => (submitted.revealed, Some(submitted.contact)),
        None => (attempt.and_then(|attempt| store.revealed(attempt)).unwrap_or_default(), None),
    };
    let desk = &app.sessions.desk;
    let label = |name: &str| {
        let known = desk.attributes.iter().find(|attribute| attribute.name == name);
        known.map_or_else(|| name.to_owned(), |attribute| attribute.label.clone())
    };
    let mut values: Vec<(String, String)> = Vec::new();
    values.extend(session.their_label.clone().map(|name| ("Wallet".to_owned(), name)));
    values.extend(revealed.into_iter().map(|revealed| (label(&revealed.name), revealed.value)));
    if let Some(contact) = contact {
        values.push(("E-mail".to_owned(), contact.email.as_str().to_owned()));
        values.push(("Phone".to_owned(), contact.phone.as_str().to_owned()));
    }
    if !shown {
        values.iter_mut().for_each(|(_, value)| *value = masked(value));
    }
    Ok(values)
}

/// What is known from the rows of the registration itself.
fn moments(
    session: &Session,
    attempts: &[PastAttempt],
    acts: &[PastAct],
    submitted: Option<&Registration>,
) -> Vec<Moment> {
    let mut moments = vec![Moment { at: session.created_at, attempt: None, what: Happened::Begun }];
    for attempt in attempts {
        let number = Some(attempt.number);
        let what = Happened::Attempt { has_code: attempt.has_code };
        moments.push(Moment { at: attempt.created_at, attempt: number, what });
        moments.extend(attempt.proof_asked_at.map(|at| Moment { at, attempt: number, what: Happened::Asked }));
    }
    for act in acts {
        let (Some(at), true) = (act.done_at, is_told(&act.kind)) else { continue };
        let what = Happened::Done { act: act.kind.clone(), tries: act.tries };
        moments.push(Moment { at, attempt: act.attempt, what });
    }
    let stage = session.progress.stage;
    if let Some(submitted) = submitted {
        let what = Happened::Ended(Stage::Submitted);
        moments.push(Moment { at: submitted.submitted_at, attempt: Some(session.attempt), what });
    } else if stage.is_end() {
        moments.push(Moment { at: session.updated_at, attempt: Some(session.attempt), what: Happened::Ended(stage) });
    } else if stage == Stage::Verified {
        moments.push(Moment { at: session.updated_at, attempt: Some(session.attempt), what: Happened::Verified });
    }
    moments
}

/// Acts whose end says something: the others only look whether there is anything to do.
fn is_told(kind: &str) -> bool {
    [ActKind::RequestProof, ActKind::VerifyProof, ActKind::TidyUp].iter().any(|told| told.as_str() == kind)
}

fn told(event: PastEvent) -> Moment {
    let meaning = Delivery::meaning_of(&event.kind, event.state.as_deref());
    let event_name = match meaning {
        Some(Meaning::Event(event)) => name_of(event),
        Some(Meaning::EndedSomehow) => "exchange_ended",
        Some(Meaning::TakenUp) => "taken_up",
        None => "",
    };
    Moment {
        at: event.at,
        attempt: event.attempt,
        what: Happened::Told {
            event: event_name.to_owned(),
            state: [&*event.kind, event.state.as_deref().unwrap_or("-")].join(" "),
            outcome: event.outcome,
            was_asked: event.was_asked,
        },
    }
}

/// The names of the events that deliveries tell of.
const fn name_of(event: Event) -> &'static str {
    match event {
        Event::ConnectionRequested => "requested",
        Event::ConnectionAnswered => "answered",
        Event::ConnectionCompleted => "completed",
        Event::ConnectionAbandoned => "abandoned",
        Event::ProofRequested => "proof_requested",
        Event::PresentationReceived => "presented",
        Event::ProofDeclined => "declined",
        Event::ProofInvalid | Event::CardsMixed => "invalid",
        Event::ProofVerified | Event::Submitted | Event::Cancelled | Event::Expired | Event::Failed => "",
    }
}

/// Deadlines stand until they pass, also those of attempts that ended before.
fn is_to_come(act: &PastAct, session: &Session) -> bool {
    let is_idle = act.kind == ActKind::Expire.as_str()
        && (session.progress.stage.is_end() || act.attempt != Some(session.attempt));
    act.done_at.is_none() && !is_idle
}

fn pending(act: PastAct, session: &Session) -> Pending {
    // It may be due sooner, only to be put off.
    let due = if act.kind == ActKind::Expire.as_str() { session.expires_at } else { act.due_at };
    Pending { act: act.kind, due, tries: act.tries, problem: act.problem }
}

fn remedies(app: &App, session: &Session, attempt: Option<&Attempt>) -> Remedies {
    let falls_short = app.sessions.falls_short(session, attempt);
    let stage = session.progress.stage;
    let has_connection = attempt.is_some_and(|attempt| attempt.connection_id.is_some() && attempt.proof_id.is_some());
    Remedies {
        ask_again: has_connection && (session.may_ask_again() || falls_short),
        renew: session.may_renew() || falls_short,
        reconcile: matches!(stage, Stage::Waiting | Stage::Scanned | Stage::Requested),
        cancel: !stage.is_end(),
    }
}

/// Does something about a registration, notes it in the record, and goes back to its page, which says what came of it.
pub async fn act_on(session: String, attempt: u32, what: String) -> Answer<()> {
    let app = app();
    let who = Actor::SignedIn(actor(&app).await?);
    let Ok(id) = session.parse::<SessionId>() else { return Err(failed(Problem::NotFound)) };
    let deed = match &*what {
        "look" => Deed::Looked,
        "ask-again" => Deed::AskedAgain,
        "renew" => Deed::Renewed,
        "reconcile" => Deed::Reconciled,
        "cancel" => Deed::Cancelled,
        "erase" => Deed::Erased,
        _ => return Err(failed(Problem::BadForm)),
    };
    if app.sessions.store.session(id).await.map_err(of_store)?.is_none() {
        return Err(failed(Problem::NotFound));
    }
    // Written down first: nothing is shown or deleted of which there is no record.
    staff::record(&app, &who, deed, Some(id), None).await.map_err(of_store)?;
    let word = done(&app, id, attempt, deed).await?;
    leptos_axum::redirect(&format!("/admin/registrations/{id}?done={word}"));
    Ok(())
}

/// Does it. Gives back the word for what came of it.
async fn done(app: &App, id: SessionId, attempt: u32, deed: Deed) -> Answer<&'static str> {
    let sessions = Arc::clone(&app.sessions);
    let word = match deed {
        Deed::AskedAgain | Deed::Renewed => {
            let begun = to_the_end(async move {
                match deed {
                    Deed::AskedAgain => sessions.ask_again(id, attempt).await,
                    _ => sessions.renew(id, attempt).await,
                }
            });
            match begun.await {
                Ok(_) => deed.as_str(),
                Err(OpenError::Store(error)) => return Err(of_store(error)),
                Err(OpenError::Platform(error)) => {
                    tracing::error!(%error, session.id = %id, "no further attempt");
                    "platform"
                }
                Err(OpenError::UnderWay | OpenError::NoConnection | OpenError::NoSession) => "too_late",
            }
        }
        Deed::Reconciled => {
            let is_done = to_the_end(async move { sessions.reconcile(id).await }).await.map_err(of_store)?;
            if is_done { deed.as_str() } else { "too_late" }
        }
        Deed::Cancelled => {
            to_the_end(async move { sessions.cancel(id).await }).await.map_err(of_store)?;
            deed.as_str()
        }
        Deed::Erased => {
            to_the_end(async move { sessions.erase(id).await }).await.map_err(of_store)?;
            deed.as_str()
        }
        _ => deed.as_str(),
    };
    Ok(word)
}
