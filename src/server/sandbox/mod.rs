//! A ConfirmD Platform and a wallet inside the program, so that everything can be tried without an account. It speaks
//! the contract over real HTTP: the program reaches it only through the client and the receiver it uses for the real
//! platform. And it can misbehave in every way that a real one was seen to, or may (contract 8).
//!
//! Refuses to exist unless `PLATFORM=sandbox`, or in a test. Its records lie in the database, so it survives a restart like a real
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

use super::{
    clock::Clock,
    platform::{AuthMode, confirmd},
    secrets::{Secret, random_text},
    store::{Store, StoreError},
};
use crate::domain::desk::Desk;

mod answer;
mod api;
mod behaviour;
mod cards;
mod proofs;
mod records;
mod registration;
mod wallet;
mod webhook;

use behaviour::Mood;
pub use behaviour::{Behaviour, BodyForm, Fault, OutOfBandPlace, Registration, UrlForm};
use records::Records;
use registration::Hook;

/// The organisation of the sandbox; made up.
pub const ORG_ID: &str = "5a0d8c51-0b1e-4c55-8f3e-5b7f6b1f2d10";
const TENANT_ID: &str = "c1f7a2de-9a34-4f0b-8b0e-6f2c61d3a7b9";
/// The client of its account.
pub const CLIENT_ID: &str = "sandbox";

/// What a sandbox has to be told.
pub struct Settings {
    /// Where its records lie; a sandbox of its own needs a database of its own.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// What the desk is called, and what it calls the attributes.
    pub desk: Arc<Desk>,
    /// The server that it is part of, its router nested at `/sandbox`.
    pub own_url: Url,
    /// The desk's address as browsers and wallets see it, with a slash at its end: the wallet opens links of it alone.
    pub public_url: Url,
    /// Where the wallet fetches those links. The same, unless the desk does not reach itself under its public name.
    pub desk_url: Url,
    /// Where its webhooks go until another address is registered.
    pub webhook_url: Url,
    /// How they are authenticated until then,
    pub webhook_auth: AuthMode,
    /// and with what.
    pub webhook_secret: Secret,
    /// The secret of the account. It is given, so that a client can be set up before its platform is there.
    pub client_secret: Secret,
}

/// The sandbox.
pub struct Sandbox {
    to: Settings,
    records: Mutex<Records>,
    mood: Mutex<Mood>,
    hook: Mutex<Hook>,
    http: reqwest::Client,
    /// Where it is mounted.
    base_url: Url,
    access_token: Secret,
}

/// The address of the platform inside the server at this address.
fn mounted(own_url: &Url) -> Url {
    let mut url = own_url.clone();
    url.set_path("/sandbox");
    url
}

/// The account at the sandbox of the server at this address, for the client.
#[must_use]
pub fn account(own_url: &Url, client_secret: Secret) -> confirmd::Settings {
    let (base_url, mut auth_url) = (mounted(own_url), own_url.clone());
    auth_url.set_path("/sandbox/realms/sandbox/protocol/openid-connect/token");
    confirmd::Settings { base_url, auth_url, org_id: ORG_ID.to_owned(), client_id: CLIENT_ID.to_owned(), client_secret }
}

impl Sandbox {
    /// A sandbox with the records that the database has of it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn new(settings: Settings) -> Result<Arc<Self>, StoreError> {
        Ok(Arc::new(Self {
            records: Mutex::new(Records::load(&settings.store).await?),
            mood: Mutex::default(),
            hook: Mutex::new(Hook {
                url: settings.webhook_url.clone(),
                auth: settings.webhook_auth,
                secret: settings.webhook_secret.clone(),
                app: None,
            }),
            http: reqwest::Client::builder().timeout(Duration::from_secs(10)).build().unwrap_or_default(),
            base_url: mounted(&settings.own_url),
            access_token: Secret(random_text()),
            to: settings,
        }))
    }

    /// The account at this platform, for the client.
    #[must_use]
    pub fn settings(&self) -> confirmd::Settings {
        account(&self.to.own_url, self.to.client_secret.clone())
    }

    /// Its part of the address space, below `/sandbox`.
    pub fn router(self: Arc<Self>) -> Router {
        let webhooks = Router::new()
            .route("/{org}/register", post(registration::register))
            .route("/webhookurl", get(registration::show))
            .layer(from_fn_with_state(Arc::clone(&self), api::misbehave))
            .layer(from_fn_with_state(Arc::clone(&self), api::check));
        let organisation = Router::new()
            .route("/", get(registration::organisation))
            .route("/apps", post(registration::make_app))
            .route("/apps/{id}", get(registration::app))
            .route("/connections", post(api::create_invitation))
            .route("/connections/{id}", get(api::connection))
            .route("/agent/connections", get(api::connections))
            .route("/proofs", post(proofs::create).get(proofs::list))
            .route("/proofs/{id}", get(proofs::show))
            .route("/proofs/{id}/verify", post(proofs::verify))
            .route("/verified-proofs/{id}", get(proofs::revealed))
            .layer(from_fn_with_state(Arc::clone(&self), api::misbehave))
            .layer(from_fn_with_state(Arc::clone(&self), api::check));
        Router::new()
            .route("/behaviour", get(api::behaviour).put(api::set_behaviour))
            .route("/realms/sandbox/protocol/openid-connect/token", post(api::token))
            .route("/invitations/default/{id}", get(api::short_url))
            .nest("/orgs/{org}", organisation)
            .nest("/webhooks/orgs", webhooks)
            .route("/wallet", get(wallet::open).post(wallet::connect))
            .route("/wallet/{connection}", get(answer::show).post(answer::answer))
            .layer(from_fn_with_state(Arc::clone(&self), api::catch_up))
            .with_state(self)
    }

    /// Goes on where the last process stopped: a real platform would not have stopped with us.
    pub fn resume(self: &Arc<Self>) {
        let unfinished = self.records().unfinished_connections();
        for id in unfinished {
            wallet::spawn_handshake(Arc::clone(self), id);
        }
        let latest = self.records().latest_changes(self.to.clock.now().minus(Duration::from_secs(60)));
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

    /// How it behaves now; of its faults those that are left.
    #[must_use]
    pub fn behaviour(&self) -> Behaviour {
        self.mood().behaviour.clone()
    }

    /// Makes it behave like this from now on. What is under way goes on as it began.
    pub fn behave(&self, behaviour: Behaviour) {
        *self.mood() = Mood::new(behaviour);
    }

    fn mood(&self) -> MutexGuard<'_, Mood> {
        self.mood.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn pace(&self) {
        let pace = self.mood().behaviour.pace;
        tokio::time::sleep(Duration::from_millis(pace)).await;
    }
}
