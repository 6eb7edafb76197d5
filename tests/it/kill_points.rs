//! The binary is killed with SIGKILL at every moment of a registration at which it speaks to anybody: before and after
//! each call to the platform has its effect, before and after each webhook is stored, before and after the form. Started
//! again on the same file it completes the registration, and nothing is done twice.
//!
//! Between the program and its platform, both ways, stands a relay that counts these moments and kills at one of them.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, stream};
use reqwest::{Client, redirect::Policy};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::Mutex as AsyncMutex};
use vestibule::server::{platform::AuthMode, sandbox::Sandbox};

use crate::{
    database,
    harness::PATIENCE,
    own_platform::{self, listen},
    program::Program,
};

/// Everything of one registration.
struct Stage {
    /// The program; none while it is dead.
    program: AsyncMutex<Option<Program>>,
    folder: tempfile::TempDir,
    variables: Vec<(String, String)>,
    port: u16,
    /// At which moment it is killed.
    kill_at: usize,
    moments: AtomicUsize,
    names: Mutex<Vec<String>>,
    http: Client,
}

impl Stage {
    /// A moment: the one to kill at kills the program and starts it anew. Says whether it did.
    async fn moment(&self, name: String) -> bool {
        let number = self.moments.fetch_add(1, Ordering::SeqCst);
        self.names.lock().unwrap().push(name);
        if number != self.kill_at {
            return false;
        }
        let mut program = self.program.lock().await;
        if let Some(program) = program.take() {
            program.kill().await;
        }
        let variables: Vec<(&str, &str)> = self.variables.iter().map(|(name, value)| (&**name, &**value)).collect();
        *program = Some(Program::start(self.folder.path(), self.port, &variables).await);
        true
    }

    /// Hands a request on and its answer back. Where the program was killed, whoever waits for the answer has none.
    async fn relay(&self, to: String, method: Method, headers: HeaderMap, body: Bytes) -> Response {
        let path: Vec<&str> = to.split(['/', '?']).skip(3).filter(|part| part.len() < 30).collect();
        let name = format!("{method} {}", path.join("/"));
        if self.moment(format!("before {name}")).await {
            return StatusCode::BAD_GATEWAY.into_response();
        }
        let mut request = self.http.request(method, to).body(body);
        for (name, value) in headers.iter().filter(|(name, _)| !["host", "content-length"].contains(&name.as_str())) {
            request = request.header(name, value);
        }
        let Ok(answer) = request.send().await else { return StatusCode::BAD_GATEWAY.into_response() };
        let (status, headers, body) = (answer.status(), answer.headers().clone(), answer.bytes().await.unwrap());
        if self.moment(format!("after {name}")).await {
            return StatusCode::BAD_GATEWAY.into_response();
        }
        let mut response = (status, body).into_response();
        for (name, value) in headers.iter().filter(|(name, _)| ["content-type", "location"].contains(&name.as_str())) {
            response.headers_mut().insert(name, value.clone());
        }
        response
    }

    /// Serves a relay to this address.
    fn serve(self: &Arc<Self>, listener: TcpListener, to: String) {
        async fn pass(State((stage, to)): State<(Arc<Stage>, String)>, uri: Uri, request: Request) -> Response {
            let (parts, body) = request.into_parts();
            let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            let to = format!("{to}{}", uri.path_and_query().unwrap());
            // To its end, though the one who asked is dead.
            tokio::spawn(async move { stage.relay(to, parts.method, parts.headers, body).await }).await.unwrap()
        }
        let router = Router::new().fallback(pass).with_state((Arc::clone(self), to));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    }
}

/// Tries until it is answered: whoever finds the server away tries again.
async fn insist(request: impl Fn() -> reqwest::RequestBuilder, good: impl Fn(StatusCode) -> bool) -> reqwest::Response {
    loop {
        if let Ok(answer) = request().send().await
            && good(answer.status())
        {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A registration, with a kill at this moment. Gives back the names of its moments.
async fn registration(kill_at: usize) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let ((gate, gate_url), (hooks, hooks_url), (platform, platform_url)) =
        (listen().await, listen().await, listen().await);
    let account = own_platform::account(&gate_url);
    let variables = [
        ("PLATFORM", "confirmd"),
        ("CONFIRMD_BASE_URL", account.base_url.as_str()),
        ("CONFIRMD_AUTH_URL", account.auth_url.as_str()),
        ("CONFIRMD_ORG_ID", &account.org_id),
        ("CONFIRMD_CLIENT_ID", &account.client_id),
        ("CONFIRMD_CLIENT_SECRET", &account.client_secret.0),
        ("DESK_FILE", concat!(env!("CARGO_MANIFEST_DIR"), "/registration.toml")),
    ];
    let program = Program::start(folder.path(), 0, &variables).await;
    let (port, desk) = (program.port(), format!("http://127.0.0.1:{}", program.port()));
    let public_url = format!("{}/", program.url);
    let http = Client::builder().redirect(Policy::none()).build().unwrap();
    let stage = Arc::new(Stage {
        program: AsyncMutex::new(Some(program)),
        folder,
        variables: variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        port,
        kill_at,
        moments: AtomicUsize::new(0),
        names: Mutex::default(),
        http: http.clone(),
    });
    let records = tempfile::tempdir().unwrap();
    let database = database::fresh(records.path(), "platform.db").await;
    let mut settings =
        own_platform::settings(&database, &gate_url, &public_url, &format!("{hooks_url}/api/webhooks/confirmd")).await;
    settings.desk_url = format!("{desk}/").parse().unwrap();
    settings.webhook_auth = AuthMode::ApiKey;
    let sandbox: Arc<Sandbox> = own_platform::sandbox_for(platform, settings).await;
    sandbox.behave(serde_json::from_value(json!({ "pace": 20 })).unwrap());
    stage.serve(gate, platform_url.clone());
    stage.serve(hooks, desk.clone());

    let begin = || http.post(format!("{desk}/api/connections/session")).json(&json!({ "requestType": "registration" }));
    let data =
        insist(begin, |status| status == StatusCode::CREATED).await.json::<Value>().await.unwrap()["data"].take();
    let (id, token) = (data["sessionId"].as_str().unwrap(), data["token"].as_str().unwrap());
    let form = [("link", data["link"].as_str().unwrap()), ("holder", "student-4"), ("way", "connect")];
    let scanned = insist(
        || http.post(format!("{platform_url}/sandbox/wallet")).form(&form),
        |status| status == StatusCode::SEE_OTHER,
    );
    let wallet = format!("{platform_url}{}", scanned.await.headers()["location"].to_str().unwrap());
    let code = data["matchingCode"].as_str().unwrap();
    while !http.get(&wallet).send().await.unwrap().text().await.unwrap().contains(code) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    http.post(&wallet).form(&[("answer", "share")]).send().await.unwrap();
    let poll = || http.get(format!("{desk}/api/connections/session?sessionId={id}")).bearer_auth(token);
    let mut version = 0;
    loop {
        let snapshot: Value = insist(poll, |status| status == StatusCode::OK).await.json().await.unwrap();
        let next = snapshot["version"].as_u64().unwrap();
        assert!(next >= version, "a state that was shown is never taken back");
        version = next;
        match snapshot["stage"].as_str().unwrap() {
            "verified" => break,
            "waiting" | "scanned" | "connected" | "requested" | "presented" => {}
            other => panic!("it ended as {other}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stage.moment("before the form is sent".to_owned()).await;
    let submit = || {
        let request = http.post(format!("{desk}/api/register/submit")).header("Cookie", format!("vestibule={token}"));
        request.header("Accept", "text/html").form(&[("email", "a@example.org"), ("phone", "+2348012345678")])
    };
    insist(submit, |status| status == StatusCode::FOUND).await;
    let page = || http.get(format!("{desk}/register/confirmation")).header("Cookie", format!("vestibule={token}"));
    let number = number_in(&insist(page, |status| status == StatusCode::OK).await.text().await.unwrap());
    stage.moment("after the form was answered".to_owned()).await;
    // As a browser does that did not hear the answer.
    insist(submit, |status| status == StatusCode::FOUND).await;
    let again = number_in(&insist(page, |status| status == StatusCode::OK).await.text().await.unwrap());
    assert_eq!(number, again, "one registration for one session");
    assert_eq!(
        own_platform::proofs_on(&http, &platform_url, wallet.rsplit('/').next().unwrap()).await,
        1,
        "asked once"
    );
    stage.names.lock().unwrap().clone()
}

/// The number on the page of the registration: two groups of four.
fn number_in(page: &str) -> String {
    let is_number = |text: &str| {
        text.len() == 9
            && text.as_bytes()[4] == b'-'
            && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-')
    };
    let mut words = page.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    words.find(|word| is_number(word)).unwrap_or_else(|| panic!("no number in {page}")).to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_any_moment_it_completes_the_registration_and_does_nothing_twice() {
    let moments = tokio::time::timeout(PATIENCE, registration(usize::MAX)).await.expect("nobody kills it");
    assert!(moments.len() >= 24, "there are moments to kill at: {moments:#?}");
    let kills = stream::iter(0..moments.len()).map(|kill_at| {
        let name = moments[kill_at].clone();
        async move {
            // Two turns of the platform's own patience: its webhooks come again after 2, 4 and 8 s.
            let ended = tokio::time::timeout(2 * PATIENCE, registration(kill_at)).await;
            let names = ended.unwrap_or_else(|_| panic!("killed at {kill_at}, {name}: it does not complete"));
            assert!(names.len() > kill_at, "the moment {name} never came");
        }
    });
    kills.buffer_unordered(8).collect::<Vec<()>>().await;
}
