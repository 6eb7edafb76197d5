//! A sandbox on a port of its own: the platform of another server, or of nobody, so that a test sees what it sends.

use std::sync::Arc;

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, routing::post};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url, redirect::Policy};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::mpsc};
use vestibule::server::{
    clock::Clock,
    desk,
    platform::{AuthMode, confirmd},
    sandbox::{Behaviour, CLIENT_ID, ORG_ID, Sandbox, Settings},
    secrets::{KeyRing, Secret, SecretKey},
    store::Store,
};

use crate::{
    database,
    harness::{Desk, Opened, PATIENCE, WEBHOOK_SECRET},
    sandbox::Wallet,
};

const CLIENT_SECRET: &str = "a-client-secret-for-tests";

/// A webhook that was sent.
pub struct Sent {
    pub headers: HeaderMap,
    pub bytes: Bytes,
    pub body: Value,
}

impl Sent {
    /// The record, in whatever form it came.
    pub fn record(&self) -> &Value {
        if self.body["data"].is_object() { &self.body["data"] } else { &self.body }
    }

    pub fn state(&self) -> &str {
        self.record()["state"].as_str().unwrap()
    }
}

/// The sandbox, and the account at it.
pub struct OwnPlatform {
    pub url: String,
    pub http: Client,
    pub sandbox: Arc<Sandbox>,
    sent: mpsc::UnboundedReceiver<Sent>,
    token: String,
    webhook_url: String,
    database: String,
    folder: TempDir,
}

/// A port of one's own, and its address.
pub async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}

/// A sandbox on this port.
pub async fn sandbox_for(listener: TcpListener, settings: Settings) -> Arc<Sandbox> {
    let sandbox = Sandbox::new(settings).await.unwrap();
    let router = Router::new().nest("/sandbox", Arc::clone(&sandbox).router());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    sandbox
}

/// The settings of a sandbox whose records lie in this database.
pub async fn settings(database: &str, own_url: &str, public_url: &str, webhook_url: &str) -> Settings {
    let url = |text: &str| text.parse::<Url>().unwrap();
    Settings {
        store: Store::open(database, 4, Arc::new(KeyRing::new(SecretKey::from_master(&[9; 32]), Vec::new())))
            .await
            .unwrap(),
        clock: Clock::default(),
        desk: Arc::new(desk::sample()),
        own_url: url(own_url),
        public_url: url(public_url),
        desk_url: url(public_url),
        webhook_url: url(webhook_url),
        webhook_auth: AuthMode::Hmac,
        webhook_secret: Secret(WEBHOOK_SECRET.to_owned()),
        client_secret: Secret(CLIENT_SECRET.to_owned()),
    }
}

impl OwnPlatform {
    /// A platform of nobody: its webhooks go to the test. It is quick, and its invitations can be taken without a desk.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ((listener, url), (receiver, webhook_url)) = (listen().await, listen().await);
        let (send, sent) = mpsc::unbounded_channel();
        let receive = async |State(send): State<mpsc::UnboundedSender<Sent>>, headers: HeaderMap, bytes: Bytes| {
            let body = serde_json::from_slice(&bytes).unwrap();
            send.send(Sent { headers, bytes, body }).unwrap();
        };
        let router = Router::new().route("/hooks", post(receive)).with_state(send);
        tokio::spawn(async move { axum::serve(receiver, router).await.unwrap() });
        let webhook_url = format!("{webhook_url}/hooks");
        let database = database::fresh(folder.path(), "platform.db").await;
        let settings = settings(&database, &url, &url, &webhook_url).await;
        let sandbox = sandbox_for(listener, settings).await;
        Self::on(sandbox, url, webhook_url, sent, (database, folder)).await
    }

    /// The same platform after a restart, on another port: what it knows now is what it had written down.
    pub async fn restarted(self) -> Self {
        let (listener, url) = listen().await;
        let settings = settings(&self.database, &url, &url, &self.webhook_url).await;
        let sandbox = sandbox_for(listener, settings).await;
        let platform = Self::on(sandbox, url, self.webhook_url, self.sent, (self.database, self.folder)).await;
        platform.sandbox.resume();
        platform
    }

    async fn on(
        sandbox: Arc<Sandbox>,
        url: String,
        webhook_url: String,
        sent: mpsc::UnboundedReceiver<Sent>,
        (database, folder): (String, TempDir),
    ) -> Self {
        let http = Client::builder().redirect(Policy::none()).build().unwrap();
        let account = sandbox.settings();
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", CLIENT_ID),
            ("client_secret", account.client_secret.0.as_str()),
        ];
        let answer: Value = http.post(account.auth_url).form(&form).send().await.unwrap().json().await.unwrap();
        let token = answer["access_token"].as_str().unwrap().to_owned();
        let platform = Self { url, http, sandbox, sent, token, webhook_url, database, folder };
        platform.behave(json!({}));
        platform
    }

    /// Behaves like this, quickly.
    pub fn behave(&self, mut behaviour: Value) {
        behaviour["pace"] = json!(0);
        self.sandbox.behave(serde_json::from_value::<Behaviour>(behaviour).unwrap());
    }

    /// Calls the API below the organisation.
    pub async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Response {
        let request = self.http.request(method, format!("{}/sandbox/orgs/{ORG_ID}{path}", self.url));
        let request = body.into_iter().fold(request.bearer_auth(&self.token), RequestBuilder::json);
        request.send().await.unwrap()
    }

    /// What a call that has to succeed answers with.
    pub async fn data(&self, method: Method, path: &str, body: Option<&Value>) -> Value {
        let answer = self.call(method, path, body).await;
        let status = answer.status();
        let mut answer: Value = answer.json().await.unwrap();
        assert!(status.is_success(), "{path}: {answer}");
        answer["data"].take()
    }

    /// What calls carry.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The next webhook.
    pub async fn next(&mut self) -> Sent {
        tokio::time::timeout(PATIENCE, self.sent.recv()).await.expect("a webhook is sent").unwrap()
    }

    /// An invitation, and a wallet that takes it in this way.
    pub async fn wallet(&self, holder: &str, way: &str) -> (Value, Wallet<'_>) {
        let invitation = self.data(Method::POST, "/connections", Some(&json!({ "alias": "a" }))).await;
        let link = invitation["connectionInvitation"].as_str().unwrap();
        let wallet = Wallet::take(&self.http, &self.url, link, holder, way).await;
        (invitation, wallet)
    }

    /// A connection that is complete, as its id and its wallet's page; its webhooks have been received.
    pub async fn connected(&mut self, holder: &str) -> (String, String) {
        let (connection, page) = {
            let (_, wallet) = self.wallet(holder, "connect").await;
            (wallet.connection().to_owned(), wallet.page)
        };
        while self.next().await.state() != "completed" {}
        (connection, page)
    }

    /// Asks for these, whose webhook is received too; gives back the proof's id.
    pub async fn asked(&mut self, connection: &str, attributes: &[Value]) -> String {
        let proof = self.data(Method::POST, "/proofs", Some(&proof_request(connection, attributes))).await;
        assert_eq!(self.next().await.state(), "request-sent");
        proof["id"].as_str().unwrap().to_owned()
    }

    /// The record of a proof.
    pub async fn proof(&self, id: &str) -> Value {
        self.data(Method::GET, &format!("/proofs/{id}"), None).await
    }

    /// Answers on a wallet's page.
    pub async fn answer(&self, page: &str, answer: &str) {
        let answered = self.http.post(page).form(&[("answer", answer)]).send().await.unwrap();
        assert_eq!(answered.status(), StatusCode::SEE_OTHER, "{answer}");
    }

    /// What a wallet's page shows.
    pub async fn shown(&self, page: &str) -> String {
        self.http.get(page).send().await.unwrap().text().await.unwrap()
    }
}

/// A proof request for these attributes.
pub fn proof_request(connection: &str, attributes: &[Value]) -> Value {
    json!({ "connectionId": connection, "comment": "please", "proofFormats": { "indy": { "attributes": attributes } } })
}

/// An attribute to be revealed.
pub fn reveal(name: &str) -> Value {
    json!({ "attributeName": name, "credDefId": "definition", "schemaId": "schema" })
}

/// An attribute to be compared.
pub fn at_least(name: &str, value: &str) -> Value {
    let mut asked = reveal(name);
    asked["condition"] = json!(">=");
    asked["value"] = json!(value);
    asked
}

/// A server whose platform is a sandbox on another port.
pub struct Elsewhere {
    pub desk: Desk,
    pub sandbox: Arc<Sandbox>,
    /// Where the sandbox is.
    pub url: String,
    _folder: TempDir,
}

/// A server whose platform is a sandbox on another port, with webhooks authenticated in this way.
pub async fn desk_on_a_sandbox_elsewhere(auth: AuthMode, variables: &[(&str, &str)]) -> Elsewhere {
    const PATH_TOKEN: &str = "a-path-that-nobody-guesses";
    let (listener, url) = listen().await;
    let account = account(&url);
    let mode = match auth {
        AuthMode::ApiKey => "api_key",
        AuthMode::Hmac => "hmac",
        AuthMode::None => "none",
    };
    let mut all = vec![
        ("PLATFORM", "confirmd"),
        ("WEBHOOK_AUTH", mode),
        ("WEBHOOK_PATH_TOKEN", PATH_TOKEN),
        ("CONFIRMD_BASE_URL", account.base_url.as_str()),
        ("CONFIRMD_AUTH_URL", account.auth_url.as_str()),
        ("CONFIRMD_ORG_ID", &account.org_id),
        ("CONFIRMD_CLIENT_ID", &account.client_id),
        ("CONFIRMD_CLIENT_SECRET", &account.client_secret.0),
    ];
    all.extend(variables);
    let desk = Desk::with(&all).await;
    let folder = tempfile::tempdir().unwrap();
    let hooks = format!("{}/api/webhooks/confirmd/{PATH_TOKEN}", desk.url);
    let database = database::fresh(folder.path(), "platform.db").await;
    let mut settings = settings(&database, &url, desk.app.public_url.as_str(), &hooks).await;
    settings.clock = desk.clock.clone();
    settings.desk = Arc::clone(&desk.app.config.desk);
    settings.webhook_auth = auth;
    let sandbox = sandbox_for(listener, settings).await;
    Elsewhere { desk, sandbox, url, _folder: folder }
}

impl Elsewhere {
    /// Behaves like this, and quickly.
    pub fn behave(&self, mut behaviour: Value) {
        behaviour["pace"] = json!(0);
        self.sandbox.behave(serde_json::from_value::<Behaviour>(behaviour).unwrap());
    }

    /// Takes the code of a registration with this holder's wallet, in this way.
    pub async fn take(&self, opened: &Opened, holder: &str, way: &str) -> Wallet<'_> {
        Wallet::take(&self.desk.http, &self.url, opened.data["link"].as_str().unwrap(), holder, way).await
    }

    /// How many proof exchanges the platform has on a connection. Asked when it behaves again.
    pub async fn proofs_on(&self, connection: &str) -> usize {
        proofs_on(&self.desk.http, &self.url, connection).await
    }
}

/// The account at a sandbox that will be at this address.
pub fn account(url: &str) -> confirmd::Settings {
    vestibule::server::sandbox::account(&url.parse().unwrap(), Secret(CLIENT_SECRET.to_owned()))
}

/// How many proof exchanges the sandbox at this address has on a connection.
pub async fn proofs_on(http: &Client, url: &str, connection: &str) -> usize {
    let account = account(url);
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", CLIENT_ID),
        ("client_secret", account.client_secret.0.as_str()),
    ];
    let answer: Value = http.post(account.auth_url).form(&form).send().await.unwrap().json().await.unwrap();
    let list = http.get(format!("{}/orgs/{ORG_ID}/proofs?search={connection}", account.base_url));
    let list = list.bearer_auth(answer["access_token"].as_str().unwrap()).send().await.unwrap();
    // The platform answers 404 to an empty list.
    let list: Value = list.json().await.unwrap();
    list["data"]["data"].as_array().map_or(0, Vec::len)
}
