//! The simulated wallet: pages that an ordinary phone camera or a second tab opens. It fetches the invitation as a real
//! wallet does, connects, and shares a made-up card or declines. Plain forms; it needs no JavaScript. *Runs: server.*

use std::sync::Arc;

use axum::{
    Form,
    extract::{Path, Query, State},
    http::{StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;
use serde::Deserialize;
use serde_json::Value;

use super::{
    Sandbox,
    cards::{HOLDERS, Holder},
    records::{Connection, Invitation, Proof, Record, new_id},
};
use crate::server::{html, platform::invitation};

type Here = axum::extract::State<Arc<Sandbox>>;

#[derive(Deserialize)]
pub struct Opened {
    link: String,
}

impl Sandbox {
    /// The invitation behind a scanned link, fetched as a wallet does it: over HTTP, asking for JSON (contract 6.1).
    async fn fetch(&self, link: &str) -> Option<Invitation> {
        let message = match invitation::message_in_url(link) {
            Some(message) => message,
            None => {
                // Our own links alone: the wallet must not become a way to make this server call others.
                let path = link.strip_prefix(self.public_url.as_str()).filter(|path| path.starts_with("i/"))?;
                let mut url = self.base_url.clone();
                url.set_path(path);
                let answer = self.http.get(url).header(header::ACCEPT, "application/json").send().await.ok()?;
                invitation::message_in_body(&answer.bytes().await.ok()?)?
            }
        };
        let id = message["@id"].as_str()?;
        self.records().invitations.values().find(|invitation| invitation.message_id == id).cloned()
    }
}

/// The first page: who asks to connect.
pub async fn open(State(sandbox): Here, Query(Opened { link }): Query<Opened>) -> Response {
    let Some(invitation) = sandbox.fetch(&link).await else { return gone() };
    if invitation.connection.is_some() {
        // Single-use: the agent takes no second wallet, and no webhook tells of one (contract 2.2).
        return gone();
    }
    let label = label(&invitation.message);
    page(
        StatusCode::OK,
        false,
        view! {
            <h1>{label.clone()} " would like to connect"</h1>
            <p>"Connecting lets " {label} " send requests to this wallet. Nothing is shared yet."</p>
            <form method="post" action="/sandbox/wallet">
                <input type="hidden" name="link" value=link />
                <fieldset>
                    <legend>"Whose wallet is this?"</legend>
                    {HOLDERS
                        .iter()
                        .enumerate()
                        .map(|(place, holder)| {
                            view! {
                                <label class="choice">
                                    <input type="radio" name="holder" value=holder.key checked=place == 0 />
                                    {holder.name}
                                </label>
                            }
                        })
                        .collect_view()}
                </fieldset>
                <button class="primary" type="submit">"Connect"</button>
            </form>
        },
    )
}

fn gone() -> Response {
    page(
        StatusCode::GONE,
        false,
        view! {
            <h1>"This code cannot be used"</h1>
            <p>"It has expired, or a newer one took its place. Go back to the page that showed it and ask for a new code."</p>
        },
    )
}

fn label(message: &Value) -> String {
    message["label"].as_str().filter(|label| !label.is_empty()).unwrap_or("Somebody").to_owned()
}

#[derive(Deserialize)]
pub struct Accepted {
    link: String,
    #[serde(default)]
    holder: String,
}

/// Connects: the agent takes one wallet for a single-use invitation.
pub async fn connect(State(sandbox): Here, Form(Accepted { link, holder }): Form<Accepted>) -> Response {
    let Some(invitation) = sandbox.fetch(&link).await else { return gone() };
    let now = sandbox.clock.now();
    let connection = Connection {
        id: new_id(),
        out_of_band_id: invitation.id.clone(),
        alias: invitation.alias,
        thread_id: new_id(),
        their_label: Holder::of(&holder).wallet.to_owned(),
        holder: Holder::of(&holder).key.to_owned(),
        state: "request-received".to_owned(),
        created_at: now,
        updated_at: now,
    };
    let id = {
        let mut records = sandbox.records();
        let Some(invitation) = records.invitations.get_mut(&invitation.id) else { return gone() };
        match &invitation.connection {
            Some(known) => Err(known.clone()),
            None => {
                invitation.connection = Some(connection.id.clone());
                records.connections.insert(connection.id.clone(), connection.clone());
                Ok(connection.id.clone())
            }
        }
    };
    match id {
        Ok(id) => {
            let used = sandbox.records().invitations.get(&invitation.id).cloned();
            sandbox.persist("invitation", &invitation.id, &used).await;
            sandbox.persist("connection", &id, &connection).await;
            spawn_handshake(Arc::clone(&sandbox), id.clone());
            Redirect::to(&format!("/sandbox/wallet/{id}")).into_response()
        }
        // A second press of the same button is still the same wallet; anybody else comes too late.
        Err(known) => {
            let same = sandbox.records().connections.get(&known).is_some_and(|known| known.holder == connection.holder);
            if same { Redirect::to(&format!("/sandbox/wallet/{known}")).into_response() } else { gone() }
        }
    }
}

/// Goes through the rest of the handshake, with a webhook for each state.
pub fn spawn_handshake(sandbox: Arc<Sandbox>, id: String) {
    tokio::spawn(async move {
        loop {
            let Some(connection) = sandbox.records().connections.get(&id).cloned() else { return };
            sandbox.deliver(Record::Connection(connection.clone())).await;
            let next = match connection.state.as_str() {
                "request-received" => "response-sent",
                "response-sent" => "completed",
                _ => return,
            };
            sandbox.pace().await;
            let changed = Connection { state: next.to_owned(), updated_at: sandbox.clock.now(), ..connection };
            sandbox.records().connections.insert(id.clone(), changed.clone());
            sandbox.persist("connection", &id, &changed).await;
        }
    });
}

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
    let proof = records.proof_on(&id).cloned();
    let organisation = records.invitations.get(&connection.out_of_band_id).map(|invitation| label(&invitation.message));
    drop(records);
    let organisation = organisation.unwrap_or_else(|| sandbox.desk.organisation.clone());
    let holder = Holder::of(&connection.holder);
    match proof {
        None => page(
            StatusCode::OK,
            true,
            view! {
                <h1>"Connected to " {organisation}</h1>
                <p>"Waiting for their request …"</p>
            },
        ),
        Some(proof) if proof.state == "request-sent" => {
            page(StatusCode::OK, false, request(&sandbox, &proof, &organisation, holder))
        }
        Some(proof) => {
            let said = match (proof.state.as_str(), proof.is_verified) {
                ("abandoned", None) => "You declined. Nothing was shared.",
                ("abandoned", Some(_)) => "The card you shared could not be verified.",
                ("done", _) => "Shared, and accepted. You can go back to the other page.",
                _ => "Shared. You can go back to the other page.",
            };
            let waits = proof.state == "presentation-received";
            page(StatusCode::OK, waits, view! { <h1>{organisation}</h1> <p role="status">{said}</p> })
        }
    }
}

fn request(sandbox: &Sandbox, proof: &Proof, organisation: &str, holder: &Holder) -> impl IntoView + use<> {
    let card = holder.card(proof.asked.iter().map(|(name, ..)| name.as_str()));
    let label = |name: &str| {
        let attribute = sandbox.desk.attributes.iter().find(|attribute| attribute.name == name);
        attribute.map_or(name, |attribute| attribute.label.as_str()).to_owned()
    };
    let rows = proof
        .asked
        .iter()
        .map(|(name, ..)| {
            let value = card.get(name).cloned().unwrap_or_default();
            view! { <div><dt>{label(name)}</dt><dd>{value}</dd></div> }
        })
        .collect_view();
    view! {
        <h1>{organisation.to_owned()} " asks for your " {sandbox.desk.credential.name.clone()}</h1>
        <p class="quote">{proof.comment.clone()}</p>
        <dl class="facts">{rows}</dl>
        <form method="post">
            <button class="primary" type="submit" name="answer" value="share">"Share"</button>
            <button type="submit" name="answer" value="decline">"Decline"</button>
        </form>
        <details>
            <summary>"Other ways a wallet can answer"</summary>
            <form method="post">
                <button type="submit" name="answer" value="invalid">"Share a card that does not verify"</button>
            </form>
        </details>
    }
}

#[derive(Deserialize)]
pub struct Answered {
    answer: Answer,
}

/// How the holder answers a request.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Share,
    Decline,
    Invalid,
}

/// Answers the request that waits.
pub async fn answer(
    State(sandbox): Here,
    Path(id): Path<String>,
    Form(Answered { answer }): Form<Answered>,
) -> Response {
    let answered = {
        let mut records = sandbox.records();
        let holder = Holder::of(records.connections.get(&id).map_or("", |connection| &connection.holder));
        let waiting = records.proof_on(&id).filter(|proof| proof.state == "request-sent").cloned();
        waiting.map(|mut proof| {
            let (state, is_verified, error) = match answer {
                Answer::Share => ("presentation-received", Some(true), None),
                Answer::Decline => ("abandoned", None, Some("abandoned: Proof request declined")),
                Answer::Invalid => ("abandoned", Some(false), Some("Invalid proof")),
            };
            if !matches!(answer, Answer::Decline) {
                proof.presented = holder.card(proof.asked.iter().map(|(name, ..)| name.as_str()));
            }
            state.clone_into(&mut proof.state);
            proof.is_verified = is_verified;
            proof.error_message = error.map(str::to_owned);
            proof.updated_at = sandbox.clock.now();
            records.proofs.insert(proof.id.clone(), proof.clone());
            proof
        })
    };
    if let Some(proof) = answered {
        tokio::spawn(async move { sandbox.save_proof(proof).await });
    }
    Redirect::to(&format!("/sandbox/wallet/{id}")).into_response()
}

/// A page of the wallet; one that waits asks again every second.
fn page<V: IntoView>(status: StatusCode, waits: bool, content: V) -> Response {
    let mut response = html::page(
        status,
        "Sandbox wallet",
        view! {
            <main class="wallet">
                <p class="sign">"Simulated wallet · nothing here is real"</p>
                {content}
            </main>
        },
    );
    if waits {
        response.headers_mut().insert(header::REFRESH, header::HeaderValue::from_static("1"));
    }
    response
}
