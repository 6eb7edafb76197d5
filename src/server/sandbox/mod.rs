//! A ConfirmD Platform and a wallet inside the program, so that everything can be tried without an account. It speaks
//! the contract over real HTTP: the program reaches it only through the client and the receiver it uses for the real
//! platform.
//!
//! Refuses to exist unless `PLATFORM=sandbox`. Its records lie in the database, so it survives a restart like a real
//! platform would. *Runs: server.*

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    middleware::from_fn_with_state,
    routing::{get, post},
};
use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::{
    clock::Clock,
    platform::confirmd,
    secrets::{Secret, random_text},
    store::{Store, StoreError},
};
use crate::domain::desk::Desk;

mod api;
mod cards;
mod records;
mod wallet;
mod webhook;

use records::Records;

/// The organisation of the sandbox; made up.
pub const ORG_ID: &str = "5a0d8c51-0b1e-4c55-8f3e-5b7f6b1f2d10";
const TENANT_ID: &str = "c1f7a2de-9a34-4f0b-8b0e-6f2c61d3a7b9";
const CLIENT_ID: &str = "sandbox";

/// How the sandbox behaves; changed with `PUT /sandbox/behaviour`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Behaviour {
    /// The form of invitation URLs.
    pub invitation_url: UrlForm,
    /// The form of webhook bodies.
    pub webhook: BodyForm,
    /// Milliseconds between the steps of the wallet and the agent.
    pub pace: u64,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self { invitation_url: UrlForm::Short, webhook: BodyForm::Envelope, pace: 400 }
    }
}

/// The form of an invitation URL (contract 2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum UrlForm {
    /// An object store's address, which answers with the long URL as a JSON string.
    Short,
    /// The invitation inside the URL.
    Long,
}

/// The form of a webhook's body (contract 5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum BodyForm {
    /// `{type, timestamp, orgId, tenantId, data, clientContext}`
    Envelope,
    /// `{data: {…, type}}`
    Gateway,
    /// Everything at the top.
    Flat,
}

/// The sandbox.
pub struct Sandbox {
    store: Store,
    clock: Clock,
    desk: Arc<Desk>,
    records: Mutex<Records>,
    behaviour: Mutex<Behaviour>,
    http: reqwest::Client,
    /// Where it is mounted, on the loopback interface.
    base_url: Url,
    /// The program's own address as browsers see it: links of it alone are fetched.
    public_url: Url,
    /// Where its webhooks go.
    webhook_url: Url,
    webhook_secret: Secret,
    client_secret: Secret,
    access_token: Secret,
}

impl Sandbox {
    /// A sandbox at `own_url`, with the records that the database has of it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn new(
        store: Store,
        clock: Clock,
        desk: Arc<Desk>,
        own_url: &Url,
        public_url: Url,
        webhook_path: &str,
        webhook_secret: Secret,
    ) -> Result<Arc<Self>, StoreError> {
        let records = Records::load(&store).await?;
        let at = |path: &str| {
            let mut url = own_url.clone();
            url.set_path(path);
            url
        };
        Ok(Arc::new(Self {
            records: Mutex::new(records),
            behaviour: Mutex::default(),
            http: reqwest::Client::builder().timeout(Duration::from_secs(10)).build().unwrap_or_default(),
            base_url: at("/sandbox"),
            webhook_url: at(webhook_path),
            client_secret: Secret(random_text()),
            access_token: Secret(random_text()),
            store,
            clock,
            desk,
            public_url,
            webhook_secret,
        }))
    }

    /// The account at this platform, for the client.
    #[must_use]
    pub fn settings(&self) -> confirmd::Settings {
        let mut auth_url = self.base_url.clone();
        auth_url.set_path("/sandbox/realms/sandbox/protocol/openid-connect/token");
        confirmd::Settings {
            base_url: self.base_url.clone(),
            auth_url,
            org_id: ORG_ID.to_owned(),
            client_id: CLIENT_ID.to_owned(),
            client_secret: self.client_secret.clone(),
            timeout: Duration::from_secs(30),
        }
    }

    /// Its part of the address space, below `/sandbox`.
    pub fn router(self: Arc<Self>) -> Router {
        let organisation = Router::new()
            .route("/connections", post(api::create_invitation))
            .route("/connections/{id}", get(api::connection))
            .route("/agent/connections", get(api::connections))
            .route("/proofs", post(api::create_proof).get(api::proofs))
            .route("/proofs/{id}", get(api::proof))
            .route("/proofs/{id}/verify", post(api::verify))
            .route("/verified-proofs/{id}", get(api::revealed))
            .layer(from_fn_with_state(Arc::clone(&self), api::check));
        Router::new()
            .route("/behaviour", get(api::behaviour).put(api::set_behaviour))
            .route("/realms/sandbox/protocol/openid-connect/token", post(api::token))
            .route("/invitations/default/{id}", get(api::short_url))
            .nest("/orgs/{org}", organisation)
            .route("/wallet", get(wallet::open).post(wallet::connect))
            .route("/wallet/{connection}", get(wallet::show).post(wallet::answer))
            .with_state(self)
    }

    /// Goes on where the last process stopped: a real platform would not have stopped with us.
    pub fn resume(self: &Arc<Self>) {
        let unfinished = self.records().unfinished_connections();
        for id in unfinished {
            wallet::spawn_handshake(Arc::clone(self), id);
        }
        let latest = self.records().latest_changes(self.clock.now().minus(Duration::from_secs(60)));
        let sandbox = Arc::clone(self);
        tokio::spawn(async move {
            for record in latest {
                sandbox.deliver(record).await;
            }
        });
    }

    /// Every change under the lock is complete in itself, so a panic elsewhere leaves nothing half-done.
    fn records(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn behaviour(&self) -> Behaviour {
        *self.behaviour.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn pace(&self) {
        tokio::time::sleep(Duration::from_millis(self.behaviour().pace)).await;
    }
}
