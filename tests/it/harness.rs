//! A server in this process, and what tests do with it.

use std::{collections::BTreeMap, path::Path, time::Duration};

use futures_util::{SinkExt, StreamExt};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{net::TcpStream, sync::oneshot, task::JoinHandle, time::Instant};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{Message, client::IntoClientRequest, protocol::CloseFrame},
};
use vestibule::{
    domain::ids::SessionId,
    server::{
        clock::Clock,
        config::Config,
        sessions::LEASE,
        startup::Server,
        state::App,
        store::{About, Act, ActKind},
    },
};

use crate::{database, platform::FakePlatform};

/// What webhooks carry in these tests.
pub const WEBHOOK_SECRET: &str = "a-webhook-secret-for-tests";
/// What operators carry in these tests.
pub const ADMIN_TOKEN: &str = "an-admin-token-for-tests";
/// The longest that a test waits for anything. Nothing takes this long unless it never comes.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A running server.
pub struct Desk {
    pub url: String,
    /// Where `/metrics` is, where it has a port of its own.
    pub metrics_url: Option<String>,
    pub http: Client,
    pub clock: Clock,
    pub app: App,
    pub folder: TempDir,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<()>,
}

/// A registration that a client without a browser began.
pub struct Opened {
    pub id: String,
    pub token: String,
    pub data: Value,
}

impl Opened {
    /// Reads the answer to a registration that was begun.
    pub async fn of(answer: Response) -> Self {
        assert_eq!(answer.status(), StatusCode::CREATED);
        let data = answer.json::<Value>().await.unwrap()["data"].take();
        Self {
            id: data["sessionId"].as_str().unwrap().to_owned(),
            token: data["token"].as_str().unwrap().to_owned(),
            data,
        }
    }

    /// The out-of-band id of its invitation, which the sandbox's short URL ends with.
    pub fn sandbox_out_of_band_id(&self) -> &str {
        self.data["invitationUrl"].as_str().unwrap().rsplit('/').next().unwrap()
    }
}

impl Desk {
    /// A desk on the sandbox.
    pub async fn sandbox() -> Self {
        Self::with(&[]).await
    }

    /// A desk on a platform of the test's.
    pub async fn on(platform: &FakePlatform) -> Self {
        Self::on_with(platform, &[]).await
    }

    /// A desk on a platform of the test's, with further variables.
    pub async fn on_with(platform: &FakePlatform, variables: &[(&str, &str)]) -> Self {
        let auth_url = format!("{}/token", platform.url);
        let mut all = vec![
            ("PLATFORM", "confirmd"),
            ("CONFIRMD_BASE_URL", &*platform.url),
            ("CONFIRMD_AUTH_URL", &*auth_url),
            ("CONFIRMD_ORG_ID", crate::platform::ORG_ID),
            ("CONFIRMD_CLIENT_ID", "client"),
            ("CONFIRMD_CLIENT_SECRET", "secret"),
        ];
        all.extend(variables);
        Self::with(&all).await
    }

    /// A desk with these variables.
    pub async fn with(variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::default();
        let server = Server::start(configuration(folder.path(), variables).await, clock.clone()).await.unwrap();
        let url = format!("http://{}", server.local_addr());
        let metrics_url = server.metrics_addr().map(|address| format!("http://{address}"));
        let app = server.app().clone();
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(async move {
            let told = async move {
                // Dropped counts as told.
                let _ = stopped.await;
            };
            server.run(told).await.unwrap();
        });
        let http = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { url, metrics_url, http, clock, app, folder, stop: Some(stop), running }
    }

    /// An act of a session's first attempt, leased by nobody but the test.
    pub async fn leased(&self, kind: ActKind, session: SessionId) -> Act {
        let now = self.clock.now();
        let mut tx = self.app.sessions.store.begin().await.unwrap();
        tx.set_act(kind, &About::Attempt(session, 1), now).await.unwrap();
        let acts = tx.lease_acts(kind.lane(), now, LEASE, 10).await.unwrap();
        tx.commit().await.unwrap();
        acts.into_iter().find(|act| act.kind == kind).unwrap()
    }

    /// Lets some of the desk's time pass, and everybody do what is due by then. For loops that wait for a condition.
    pub async fn pass(&self, time: Duration) {
        self.clock.advance(time);
        self.app.sessions.due.wake();
        tokio::time::sleep(Duration::from_millis(2)).await;
    }

    /// Stops the server and waits until it has.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        tokio::time::timeout(PATIENCE, &mut self.running).await.expect("the server stops in time").unwrap();
    }

    /// Begins a registration over the JSON API.
    pub async fn open(&self) -> Opened {
        let answer = self
            .http
            .post(format!("{}/api/connections/session", self.url))
            .json(&json!({ "requestType": "registration" }))
            .send()
            .await
            .unwrap();
        Opened::of(answer).await
    }

    /// The snapshot as polling gives it.
    pub async fn snapshot(&self, opened: &Opened) -> Value {
        self.poll(opened).send().await.unwrap().json().await.unwrap()
    }

    /// A poll that is not sent yet.
    pub fn poll(&self, opened: &Opened) -> RequestBuilder {
        self.http
            .get(format!("{}/api/connections/session?sessionId={}", self.url, opened.id))
            .bearer_auth(&opened.token)
    }

    /// Posts a webhook with the right key.
    pub async fn deliver(&self, body: &Value) -> Response {
        self.deliver_bytes(body.to_string()).await
    }

    /// Posts a webhook with the right key, whatever its body is.
    pub async fn deliver_bytes(&self, body: impl Into<reqwest::Body>) -> Response {
        self.http
            .post(format!("{}/api/webhooks/confirmd", self.url))
            .header("X-API-Key", WEBHOOK_SECRET)
            .header("Content-Type", "application/json")
            .body(body)
            .send()
            .await
            .unwrap()
    }

    /// Posts a webhook that has to be accepted, and gives back what became of it.
    pub async fn record(&self, body: &Value) -> String {
        let answer = self.deliver(body).await;
        assert_eq!(answer.status(), StatusCode::OK, "{body}");
        answer.json::<Value>().await.unwrap()["outcome"].as_str().unwrap().to_owned()
    }

    /// Opens a socket with the session's token.
    pub async fn watch(&self, opened: &Opened) -> Watcher {
        Watcher::connect(&self.socket_url(&format!("?sessionId={}&token={}", opened.id, opened.token)), &[])
            .await
            .unwrap()
    }

    /// The address of the socket with this query.
    pub fn socket_url(&self, query: &str) -> String {
        format!("{}/ws/connections{query}", self.url.replacen("http", "ws", 1))
    }

    /// What operators see of the sockets.
    pub async fn socket_stats(&self) -> Value {
        let stats = self.http.get(format!("{}/api/admin/websocket-stats", self.url)).bearer_auth(ADMIN_TOKEN);
        stats.send().await.unwrap().json().await.unwrap()
    }
}

/// The configuration of a desk in this folder.
pub async fn configuration(folder: &Path, variables: &[(&str, &str)]) -> Config {
    let mut set: BTreeMap<String, String> = [
        ("PORT", "0"),
        ("WEBHOOK_SECRET", WEBHOOK_SECRET),
        ("ADMIN_TOKEN", ADMIN_TOKEN),
        ("RATE_SESSIONS", "off"),
        ("DRAIN", "1ms"),
    ]
    .iter()
    .chain(variables)
    .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
    .collect();
    if !set.contains_key("DATABASE_URL") {
        set.insert("DATABASE_URL".to_owned(), database::fresh(folder, "vestibule.db").await);
    }
    if database::is_postgres() {
        // There is no file that it could lie beside.
        let key = database::key_of(&set["DATABASE_URL"]);
        set.entry("SECRET_KEY".to_owned()).or_insert(key);
    }
    set.entry("DESK_FILE".to_owned()).or_insert_with(|| format!("{}/registration.toml", env!("CARGO_MANIFEST_DIR")));
    Config::from_variables(&set).unwrap()
}

/// The sample's desk file with one change, in this folder: its path.
pub fn desk_file(folder: &Path, from: &str, to: &str) -> String {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/registration.toml")).unwrap();
    assert_eq!(text.matches(from).count(), 1, "{from}");
    let file = folder.join("desk.toml");
    std::fs::write(&file, text.replace(from, to)).unwrap();
    file.to_str().unwrap().to_owned()
}

/// A browser's socket.
pub struct Watcher {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// Every state it was sent, in order.
    pub seen: Vec<Value>,
}

impl Watcher {
    /// Connects with these headers; the HTTP status when the upgrade is refused.
    pub async fn connect(url: &str, headers: &[(&'static str, &str)]) -> Result<Self, StatusCode> {
        let mut request = url.into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match tokio_tungstenite::connect_async(request).await {
            Ok((socket, _)) => Ok(Self { socket, seen: Vec::new() }),
            Err(tokio_tungstenite::tungstenite::Error::Http(answer)) => Err(answer.status()),
            Err(error) => panic!("the socket failed: {error}"),
        }
    }

    /// Sends a message.
    pub async fn send(&mut self, message: Message) {
        self.socket.send(message).await.unwrap();
    }

    /// The next message that is not a ping, pong or close.
    pub async fn next(&mut self) -> Value {
        // Pings come however long nothing else does.
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.receive(deadline).await {
                Message::Text(text) => {
                    let message: Value = serde_json::from_str(&text).unwrap();
                    if message["version"].is_number() {
                        self.seen.push(message.clone());
                    }
                    return message;
                }
                Message::Close(frame) => panic!("closed with {frame:?} after {:#?}", self.seen),
                _ => {}
            }
        }
    }

    async fn receive(&mut self, deadline: Instant) -> Message {
        tokio::time::timeout_at(deadline, self.socket.next())
            .await
            .unwrap_or_else(|_| panic!("nothing came after {:#?}", self.seen))
            .expect("the socket is open")
            .unwrap()
    }

    /// Waits for a stage; fails at once when the registration ends elsewhere.
    pub async fn until(&mut self, stage: &str) -> Value {
        loop {
            let message = self.next().await;
            if message["stage"] == stage {
                return message;
            }
            let ended = ["declined", "invalid", "abandoned", "expired", "cancelled", "failed"];
            assert!(!ended.iter().any(|end| message["stage"] == *end), "waiting for {stage}: {:#?}", self.seen);
        }
    }

    /// Follows until the connection breaks, without a word if need be: the versions that came, those from before included.
    pub async fn until_it_breaks(mut self) -> Vec<u64> {
        let mut versions: Vec<u64> = self.seen.iter().filter_map(|state| state["version"].as_u64()).collect();
        while let Ok(Some(Ok(message))) = tokio::time::timeout(PATIENCE, self.socket.next()).await {
            if let Message::Text(text) = message {
                versions.extend(serde_json::from_str::<Value>(&text).unwrap()["version"].as_u64());
            }
        }
        versions
    }

    /// Waits for the close frame.
    pub async fn closed(&mut self) -> CloseFrame {
        self.closed_after(&mut Vec::new()).await
    }

    /// Waits for the close frame, and notes the versions of the states that come before it.
    pub async fn closed_after(&mut self, versions: &mut Vec<u64>) -> CloseFrame {
        loop {
            match tokio::time::timeout(PATIENCE, self.socket.next()).await.expect("it is closed in time") {
                Some(Ok(Message::Close(Some(frame)))) => {
                    // Reading on sends our half of the closing handshake, as a browser does.
                    let _ = tokio::time::timeout(PATIENCE, self.socket.next()).await;
                    return frame;
                }
                Some(Ok(Message::Text(text))) => {
                    versions.extend(serde_json::from_str::<Value>(&text).unwrap()["version"].as_u64());
                }
                Some(Ok(_)) => {}
                other => panic!("no close frame but {other:?}"),
            }
        }
    }
}

/// The code and reason of a close frame.
pub fn parts(frame: &CloseFrame) -> (u16, &str) {
    (frame.code.into(), frame.reason.as_str())
}
