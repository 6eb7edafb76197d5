//! The simulated wallet up to its connection: pages that an ordinary phone camera or a second tab opens. It fetches the
//! invitation as a real wallet does, and connects, breaks off, or reuses. Plain forms; it needs no JavaScript.
//! *Runs: server.*

use std::sync::Arc;

use axum::{
    Form,
    extract::{Query, State},
    http::{StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;
use serde::Deserialize;
use serde_json::Value;

use super::{
    Sandbox,
    cards::Holder,
    records::{Connection, Invitation, Record, Reuse, new_id},
};
use crate::server::{html, platform::invitation};

type Here = State<Arc<Sandbox>>;

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
                let short = link.strip_prefix(self.base_url.as_str());
                if let Some(id) = short.and_then(|path| path.strip_prefix("/invitations/default/")) {
                    // The platform's own short link, in the code of a desk that shows it as it came.
                    return self.records().invitations.get(id).cloned();
                }
                // The desk's own links alone: the wallet must not become a way to make this server call others.
                let path = link.strip_prefix(self.to.public_url.as_str()).filter(|path| path.starts_with("i/"))?;
                let mut url = self.to.desk_url.clone();
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
    let reusing: Vec<Holder> = {
        let records = sandbox.records();
        Holder::known().filter(|holder| records.reusable(&holder.key()).is_some()).collect()
    };
    page(
        StatusCode::OK,
        false,
        view! {
            <h1>{label.clone()} " would like to connect"</h1>
            <p>"Connecting lets " {label} " send requests to this wallet. Nothing is shared yet."</p>
            <form method="post" action="/sandbox/wallet">
                <input type="hidden" name="link" value=link.clone() />
                <fieldset>
                    <legend>"Whose wallet is this?"</legend>
                    {Holder::known()
                        .enumerate()
                        .map(|(place, holder)| {
                            view! {
                                <label class="choice">
                                    <input type="radio" name="holder" value=holder.key() checked=place == 0 />
                                    {holder.name()}
                                </label>
                            }
                        })
                        .collect_view()}
                </fieldset>
                <button class="primary" type="submit">"Connect"</button>
                <details>
                    <summary>"Other ways a wallet can answer"</summary>
                    <button type="submit" name="way" value="abandon">"Break the handshake off"</button>
                </details>
            </form>
            {reusing
                .into_iter()
                .map(|holder| {
                    view! {
                        <details>
                            <summary>{holder.name()} " was here before"</summary>
                            <form method="post" action="/sandbox/wallet">
                                <input type="hidden" name="link" value=link.clone() />
                                <input type="hidden" name="holder" value=holder.key() />
                                <button type="submit" name="way" value="reuse">"Use what is already there"</button>
                            </form>
                        </details>
                    }
                })
                .collect_view()}
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

/// Who asks, by the invitation.
pub(super) fn label(message: &Value) -> String {
    message["label"].as_str().filter(|label| !label.is_empty()).unwrap_or("Somebody").to_owned()
}

#[derive(Deserialize)]
pub struct Accepted {
    link: String,
    #[serde(default)]
    holder: String,
    #[serde(default)]
    way: Way,
}

/// How the wallet takes an invitation.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Way {
    /// It connects.
    #[default]
    Connect,
    /// It asks to connect, and breaks the handshake off.
    Abandon,
    /// It answers with the connection it already has (contract 5.5); without one it connects.
    Reuse,
}

/// Answers an invitation: the agent takes one wallet for a single-use one.
pub async fn connect(State(sandbox): Here, Form(Accepted { link, holder, way }): Form<Accepted>) -> Response {
    let Some(invitation) = sandbox.fetch(&link).await else { return gone() };
    let now = sandbox.to.clock.now();
    let holder = Holder::of(&holder);
    let connection = Connection {
        id: new_id(),
        out_of_band_id: invitation.id.clone(),
        alias: invitation.alias,
        thread_id: new_id(),
        holder: holder.key(),
        state: "request-received".to_owned(),
        breaks_off: way == Way::Abandon,
        error_message: None,
        created_at: now,
        updated_at: now,
    };
    let taken = {
        let mut records = sandbox.records();
        let old = records.reusable(&holder.key()).filter(|_| way == Way::Reuse).cloned();
        let Some(invitation) = records.invitations.get_mut(&invitation.id) else { return gone() };
        if let Some(known) = invitation.connection.clone() {
            // A second press of the same button is still the same wallet; anybody else comes too late.
            let same = records.connections.get(&known).is_some_and(|known| known.holder == connection.holder);
            return if same { Redirect::to(&format!("/sandbox/wallet/{known}")).into_response() } else { gone() };
        }
        let taken = match old {
            Some(old) => {
                invitation.reuse = Some(Reuse { thread_id: new_id(), at: now });
                Record::Reused(old, invitation.clone())
            }
            None => Record::Connection(connection),
        };
        let (Record::Connection(connection) | Record::Reused(connection, _)) = &taken else { return gone() };
        invitation.connection = Some(connection.id.clone());
        let used = invitation.clone();
        records.connections.insert(connection.id.clone(), connection.clone());
        (taken, used)
    };
    let (record, used) = taken;
    sandbox.persist("invitation", &used.id, &used).await;
    let id = used.connection.unwrap_or_default();
    match record {
        Record::Connection(connection) => {
            sandbox.persist("connection", &id, &connection).await;
            spawn_handshake(Arc::clone(&sandbox), id.clone());
        }
        record => {
            let sandbox = Arc::clone(&sandbox);
            tokio::spawn(async move { sandbox.deliver(record).await });
        }
    }
    Redirect::to(&format!("/sandbox/wallet/{id}")).into_response()
}

/// Goes through the rest of the handshake, with a webhook for each state.
pub fn spawn_handshake(sandbox: Arc<Sandbox>, id: String) {
    tokio::spawn(async move {
        loop {
            let Some(connection) = sandbox.records().connections.get(&id).cloned() else { return };
            sandbox.deliver(Record::Connection(connection.clone())).await;
            let (next, error_message) = match connection.state.as_str() {
                "request-received" if connection.breaks_off => {
                    ("abandoned", Some("request_not_accepted : the wallet broke off".to_owned()))
                }
                "request-received" => ("response-sent", None),
                "response-sent" => ("completed", None),
                _ => return,
            };
            sandbox.pace().await;
            let updated_at = sandbox.to.clock.now();
            let changed = Connection { state: next.to_owned(), error_message, updated_at, ..connection };
            sandbox.records().connections.insert(id.clone(), changed.clone());
            sandbox.persist("connection", &id, &changed).await;
        }
    });
}

/// A page of the wallet; one that waits asks again every second.
pub(super) fn page<V: IntoView>(status: StatusCode, waits: bool, content: V) -> Response {
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
