//! The simulated wallet once it is connected: it shows the newest request, and answers it in every way that a wallet
//! may, some of which no honest one would. *Runs: server.*

use std::{sync::Arc, time::Duration};

use axum::{
    Form,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;
use serde::Deserialize;

use super::{
    Sandbox,
    cards::Holder,
    records::{Asked, How, Predicate, Presentation, Proof},
    wallet::{label, page},
};

type Here = State<Arc<Sandbox>>;

/// How long the webhook of a late presentation is held back.
const LATE: Duration = Duration::from_secs(5);

/// The wallet after connecting: waits for a request, shows it, says what became of it.
pub async fn show(State(sandbox): Here, Path(id): Path<String>) -> Response {
    let records = sandbox.records();
    let Some(connection) = records.connections.get(&id).cloned() else {
        drop(records);
        return page(
            StatusCode::NOT_FOUND,
            false,
            view! { <h1>"This wallet has no such connection"</h1> <p>"Scan the code on the desk's page again."</p> },
        );
    };
    let (newest, waiting) = {
        let proofs = records.proofs_on(&id);
        let waiting = proofs.iter().filter(|proof| waits(proof)).count();
        (proofs.first().copied().cloned(), waiting)
    };
    let organisation = records.invitations.get(&connection.out_of_band_id).map(|invitation| label(&invitation.message));
    drop(records);
    let organisation = organisation.unwrap_or_else(|| sandbox.to.desk.organisation.clone());
    let holder = Holder::of(&connection.holder);
    match newest {
        None if connection.breaks_off => page(
            StatusCode::OK,
            false,
            view! {
                <h1>"Not connected to " {organisation}</h1>
                <p role="status">"You broke the handshake off. Nothing was shared."</p>
            },
        ),
        None => page(
            StatusCode::OK,
            true,
            view! {
                <h1>"Connected to " {organisation}</h1>
                <p>"Waiting for their request …"</p>
            },
        ),
        Some(proof) if waits(&proof) => {
            page(StatusCode::OK, false, request(&sandbox, &proof, waiting, &organisation, holder))
        }
        Some(proof) => {
            let said = match (proof.state.as_str(), proof.is_verified) {
                ("request-sent", _) => "You dismissed the request; the desk was not told.",
                ("abandoned", None) => "You declined. Nothing was shared.",
                ("abandoned", Some(_)) => "The card you shared could not be verified.",
                ("done", _) => "Shared, and accepted. You can go back to the other page.",
                _ => "Shared. You can go back to the other page.",
            };
            // What was dismissed may be asked for again.
            let waits = matches!(proof.state.as_str(), "presentation-received" | "request-sent");
            page(StatusCode::OK, waits, view! { <h1>{organisation}</h1> <p role="status">{said}</p> })
        }
    }
}

/// Whether the wallet still has to answer.
fn waits(proof: &Proof) -> bool {
    proof.state == "request-sent" && !proof.dismissed
}

fn request(
    sandbox: &Sandbox,
    proof: &Proof,
    waiting: usize,
    organisation: &str,
    holder: Holder,
) -> impl IntoView + use<> {
    let label = |name: &str| {
        let attribute = sandbox.to.desk.attributes.iter().find(|attribute| attribute.name == name);
        attribute.map_or(name, |attribute| attribute.label.as_str()).to_owned()
    };
    let shown = |asked: &Asked| match asked.predicate {
        None => holder.value(&asked.name),
        Some(Predicate { condition, value }) if holder.satisfies(asked) => {
            format!("{} {value} (the value stays here)", condition.words())
        }
        Some(Predicate { condition, value }) => {
            format!("{} {value}: your card cannot show this", condition.words())
        }
    };
    let rows = proof
        .asked
        .iter()
        .map(|asked| view! { <div><dt>{label(&asked.name)}</dt><dd>{shown(asked)}</dd></div> })
        .collect_view();
    let several = (waiting > 1).then(|| {
        let comment = proof.comment.clone();
        view! { <p>{waiting} " requests wait. This is the newest; it says “" {comment} "”."</p> }
    });
    let answers = if holder.satisfies_all(&proof.asked) {
        view! {
            <form method="post">
                <button class="primary" type="submit" name="answer" value="share">"Share"</button>
                <button type="submit" name="answer" value="decline">"Decline"</button>
            </form>
            <details>
                <summary>"Other ways a wallet can answer"</summary>
                <form method="post">
                    <button type="submit" name="answer" value="silent">"Dismiss it without a word"</button>
                    <button type="submit" name="answer" value="invalid">"Share a card that does not verify"</button>
                    <button type="submit" name="answer" value="mix">"Share half from another's card"</button>
                    <button type="submit" name="answer" value="partial">"Share all but the last"</button>
                    <button type="submit" name="answer" value="twice">"Share, and tell it twice"</button>
                    <button type="submit" name="answer" value="late">"Share, and tell it late"</button>
                </form>
            </details>
        }
        .into_any()
    } else {
        view! {
            <p role="status">"Your card does not satisfy this request. You can only decline."</p>
            <form method="post">
                <button type="submit" name="answer" value="decline">"Decline"</button>
            </form>
        }
        .into_any()
    };
    view! {
        <h1>{organisation.to_owned()} " asks for your " {sandbox.to.desk.credential.name.clone()}</h1>
        <p class="quote">{proof.comment.clone()}</p>
        {several}
        <dl class="facts">{rows}</dl>
        {answers}
    }
}

#[derive(Deserialize)]
pub struct Answered {
    answer: Answer,
}

/// How the holder answers a request.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    /// Shares what was asked.
    Share,
    /// Declines, and says so.
    Decline,
    /// Dismisses the request: nothing is sent, and the exchange waits for ever (contract 4.7).
    Silent,
    /// Shares what does not verify.
    Invalid,
    /// Shares from two holders' cards.
    Mix,
    /// Leaves out the last thing that was asked.
    Partial,
    /// Shares, and every webhook of it is sent twice.
    Twice,
    /// Shares, and the webhook of it comes late; the agent knows at once.
    Late,
}

impl Answer {
    /// What it presents of this holder's card; `None` when it presents nothing.
    fn presentation(self, holder: String) -> Option<Presentation> {
        let how = match self {
            Self::Decline | Self::Silent => return None,
            Self::Mix => How::Mixed,
            Self::Partial => How::Partial,
            Self::Share | Self::Invalid | Self::Twice | Self::Late => How::Whole,
        };
        Some(Presentation { holder, how, twice: self == Self::Twice })
    }

    /// Puts the answer into the record.
    fn apply(self, proof: &mut Proof, presentation: Option<Presentation>) {
        let (state, is_verified, error) = match self {
            Self::Silent => {
                proof.dismissed = true;
                return;
            }
            Self::Decline => ("abandoned", None, Some("abandoned: Proof request declined")),
            Self::Invalid => ("abandoned", Some(false), Some("Invalid proof")),
            _ => ("presentation-received", Some(true), None),
        };
        state.clone_into(&mut proof.state);
        proof.is_verified = is_verified;
        proof.error_message = error.map(str::to_owned);
        proof.presented = presentation;
    }
}

/// Answers the newest request, if it waits and the cards at hand can do it.
pub async fn answer(
    State(sandbox): Here,
    Path(id): Path<String>,
    Form(Answered { answer }): Form<Answered>,
) -> Response {
    let answered = {
        let mut records = sandbox.records();
        let holder = records.connections.get(&id).map(|connection| connection.holder.clone()).unwrap_or_default();
        let presentation = answer.presentation(holder);
        let newest = records.proofs_on(&id).first().map(|proof| proof.id.clone());
        let possible =
            |proof: &&mut Proof| waits(proof) && presentation.as_ref().is_none_or(|p| p.is_possible(&proof.asked));
        let proof = newest.and_then(|newest| records.proofs.get_mut(&newest)).filter(possible);
        proof.map(|proof| {
            answer.apply(proof, presentation.clone());
            if !proof.dismissed {
                proof.updated_at = sandbox.to.clock.now();
            }
            proof.clone()
        })
    };
    if let Some(proof) = answered {
        if proof.dismissed {
            sandbox.persist("proof", &proof.id, &proof).await;
        } else {
            let wait = if answer == Answer::Late { LATE } else { Duration::ZERO };
            sandbox.save_proof(proof, wait).await;
        }
    }
    Redirect::to(&format!("/sandbox/wallet/{id}")).into_response()
}
