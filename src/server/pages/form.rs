//! What the pages after the wallet show: what was shared, the form, and the registration. *Runs: server.*

use std::sync::Arc;

use super::{Answer, app, desk, failed, give_cookie, lead, no_store, present_attempt, session_of_browser};
use crate::{
    api::{ApplicationView, ConfirmationView, Field, TypedField},
    domain::{
        contact::{ContactFault, Email, Phone},
        desk::Attribute,
        stage::Stage,
    },
    language::said,
    server::{
        platform::Revealed,
        problem::Problem,
        sessions::{Submission, Typed, to_the_end},
    },
};

/// Where a form leads that could not be stored.
const NOT_STORED: &str = "/register/application?problem=server";

pub(super) async fn application_view() -> Answer<Option<ApplicationView>> {
    no_store();
    let app = app();
    let session = session_of_browser(&app).await?;
    let Some(session) = session.as_ref().filter(|session| session.progress.stage == Stage::Verified) else {
        let submitted = session.is_some_and(|session| session.progress.stage == Stage::Submitted);
        leptos_axum::redirect(if submitted { "/register/confirmation" } else { "/register/connect" });
        return Ok(None);
    };
    let attempt = present_attempt(&app, session).await?;
    // Not shown as missing: the operator may still have the key, and then all of it is there again.
    let Some(revealed) = app.sessions.store.revealed(&attempt) else {
        tracing::error!(session.id = %session.id, "the attributes of a verified session cannot be opened");
        return Err(failed(Problem::StoreUnavailable));
    };
    let typed = app.sessions.typed(session.id).await.map_err(|error| failed(error.into()))?;
    let desk = desk();
    let fields = desk.attributes.iter().map(|asked| field(asked, &revealed)).collect();
    Ok(Some(ApplicationView {
        title: desk.title,
        issuer_did: desk.credential.issuer_did().map(str::to_owned),
        issuer: desk.credential.issuer,
        credential: desk.credential.name,
        organisation: desk.organisation,
        fields,
        session: session.id,
        attempt: session.attempt,
        falls_short: app.sessions.falls_short(session, Some(&attempt)),
        email: typed_field(typed.as_ref().map(|typed| &*typed.email), |text| Email::parse(text).err()),
        phone: typed_field(typed.as_ref().map(|typed| &*typed.phone), |text| Phone::parse(text).err()),
    }))
}

fn field(asked: &Attribute, revealed: &[Revealed]) -> Field {
    let value = revealed.iter().find(|revealed| revealed.name == asked.name);
    Field {
        label: asked.label.clone(),
        // Of a condition the words are shown: the value itself stayed in the wallet.
        value: value.map(|value| asked.predicate.map_or_else(|| value.value.clone(), said::condition)),
        only_proven: asked.predicate.is_some(),
        required: asked.required,
    }
}

/// A field that was never sent has no fault yet.
fn typed_field(typed: Option<&str>, fault: impl Fn(&str) -> Option<ContactFault>) -> TypedField {
    TypedField { value: typed.unwrap_or_default().to_owned(), fault: typed.and_then(fault) }
}

/// Submits this browser's form and sends it on: to the number, back to what is to be mended, or to where it stands.
pub async fn submit(email: String, phone: String) -> Answer<()> {
    lead(NOT_STORED, submitted(Typed { email, phone })).await
}

async fn submitted(typed: Typed) -> Answer<String> {
    let app = app();
    let Some(session) = session_of_browser(&app).await? else { return Ok("/register".to_owned()) };
    let sessions = Arc::clone(&app.sessions);
    let submitted = to_the_end(async move { sessions.submit(session.id, &typed).await }).await;
    let to = match submitted {
        Ok(Submission::Registered(_)) => {
            // The number stays in reach of this browser for the whole time once more.
            give_cookie(&app, session.id);
            "/register/confirmation"
        }
        Ok(Submission::Faulty | Submission::FallsShort) => "/register/application",
        Ok(Submission::NotVerified) => "/register/connect",
        Err(error) => {
            tracing::error!(%error, session.id = %session.id, "not submitted");
            NOT_STORED
        }
    };
    Ok(to.to_owned())
}

pub(super) async fn confirmation_view() -> Answer<Option<ConfirmationView>> {
    no_store();
    let app = app();
    let Some(session) = session_of_browser(&app).await? else {
        leptos_axum::redirect("/register");
        return Ok(None);
    };
    let registration = app.sessions.store.registration(session.id).await.map_err(|error| failed(error.into()))?;
    let Some(registration) = registration else {
        let verified = session.progress.stage == Stage::Verified;
        leptos_axum::redirect(if verified { "/register/application" } else { "/register/connect" });
        return Ok(None);
    };
    let desk = desk();
    Ok(Some(ConfirmationView {
        title: desk.title,
        organisation: desk.organisation,
        number: registration.number,
        submitted_at: registration.submitted_at.rfc3339(),
        after: desk.after,
        kept: desk.lifetimes.keep,
    }))
}
