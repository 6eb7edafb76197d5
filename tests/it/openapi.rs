//! The document of the API: it has what the server has, says what the server answers, and can be read.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use vestibule::server::problem::Problem;

use crate::{
    agent::Agent,
    database,
    described::Described,
    fixtures::fixture,
    harness::{ADMIN_TOKEN, Desk, Opened, PATIENCE, WEBHOOK_SECRET},
    platform::{FakePlatform, ProofEnd},
};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const PATH_TOKEN: &str = "a-path-that-nobody-can-guess";

/// What wants the operator's token.
const OPERATORS: [(&str, &str); 4] = [
    ("countSockets", "/api/admin/websocket-stats"),
    ("scrape", "/metrics"),
    ("exportTable", "/admin/export.csv"),
    ("exportLines", "/admin/export.jsonl"),
];

/// What another test provokes, or nothing can: operation, status, and why it is not here.
const ELSEWHERE: [(&str, u16, &str); 8] = [
    ("follow", 101, "sockets.rs, rfc6455.rs"),
    ("openSession", 408, "takes the time that a body may take; read as a webhook's, serving.rs"),
    ("receiveConfirmd", 408, "serving.rs"),
    ("receiveConfirmdByToken", 408, "serving.rs"),
    ("receiveAcapy", 408, "serving.rs"),
    ("receiveAcapyByToken", 408, "serving.rs"),
    ("openLink", 307, "for invitations that cannot be read, as no platform made one yet"),
    ("scrape", 500, "nothing makes the figures unprintable"),
];

#[tokio::test]
async fn the_document_has_what_the_server_has_and_nothing_else() {
    let agent = Agent::start().await;
    for desk in [Desk::sandbox().await, agent.desk(&[]).await] {
        let described = Described::of(&desk).await;
        let mut methods = BTreeMap::<&str, BTreeSet<String>>::new();
        for (path, method, _) in described.operations() {
            methods.entry(path).or_default().insert(method.to_uppercase());
            if method == "get" {
                methods.entry(path).or_default().insert("HEAD".to_owned());
            }
        }
        for (path, methods) in methods {
            // The router itself says which methods an address has.
            for other in ["TRACE", "QUERY", "PUT"] {
                let request = desk.http.request(Method::from_bytes(other.as_bytes()).unwrap(), desk.url.clone() + path);
                let answer = request.send().await.unwrap();
                assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED, "{other} {path}");
                let allowed = answer.headers()["allow"].to_str().unwrap();
                assert_eq!(allowed.split(',').map(str::to_owned).collect::<BTreeSet<_>>(), methods, "{path}");
                assert_eq!(answer.json::<Value>().await.unwrap()["code"], "method_not_allowed");
            }
        }
        for path in leptos::server_fn::axum::server_fn_paths().map(|(path, _)| path) {
            let is_of_pages = path.starts_with("/api/register/") || path.starts_with("/api/admin/");
            assert!(is_of_pages, "{path} looks like a call for others than the pages");
            assert!(described.document["paths"][path].is_null(), "{path} belongs to the pages");
        }
    }
}

/// Whatever is added by `routes!` is in the document; these are not to be.
#[test]
fn only_a_few_routes_are_added_past_the_document() {
    let mut past = BTreeSet::new();
    for file in fs::read_dir(format!("{ROOT}/src/server/endpoints")).unwrap() {
        let path = file.unwrap().path();
        let text = if path.is_file() { fs::read_to_string(path).unwrap() } else { String::new() };
        past.extend(text.split(".route(").skip(1).map(|rest| rest.split('"').nth(1).unwrap().to_owned()));
    }
    let known = ["/language", "/ws/admin", "/metrics", "/api/", "/api/{*rest}"].map(str::to_owned);
    assert_eq!(past, BTreeSet::from(known), "/metrics is the one on its own port");
    let router = fs::read_to_string(format!("{ROOT}/src/server/router.rs")).unwrap();
    assert!(!router.contains(".route("));
}

#[tokio::test]
async fn every_code_and_every_name_is_there_once() {
    let described = Described::of(&Desk::sandbox().await).await;
    assert_eq!(described.document["openapi"], "3.1.0");
    let codes = &described.document["components"]["schemas"]["Problem"]["properties"]["code"]["enum"];
    assert_eq!(*codes, json!(Problem::ALL.map(Problem::code)));
    let ids: BTreeSet<_> = described.operations().iter().map(|(.., one)| one["operationId"].to_string()).collect();
    assert_eq!(ids.len(), described.operations().len());
    // Every link within it leads somewhere.
    let text = described.document.to_string();
    for link in text.split("\"$ref\":\"#").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(described.document.pointer(link).is_some(), "{link}");
    }
}

fn session(desk: &Desk, method: Method) -> RequestBuilder {
    desk.http.request(method, format!("{}/api/connections/session", desk.url))
}

async fn open(desk: &Desk) -> reqwest::Response {
    session(desk, Method::POST).json(&json!({ "requestType": "registration" })).send().await.unwrap()
}

/// Makes the database refuse what is asked of it from now on.
async fn break_database(desk: &Desk) {
    for table in ["sessions", "attempts", "events", "deeds"] {
        let statement = format!("ALTER TABLE {table} RENAME TO {table}_gone");
        database::execute_at(&desk.app.config.database_url.0, &statement).await;
    }
}

/// Everything that a webhook can be answered, at its address and, with the wrong token, at the other one.
async fn provoke_webhooks(described: &mut Described, desk: &Desk, id: &str, path: &str, wrong: (&str, &str)) {
    let post = |path: &str| desk.http.post(desk.url.clone() + path).header("X-API-Key", WEBHOOK_SECRET);
    let foreign = if path.contains("acapy") { ("X-Wallet-Id", "{}") } else { ("X-Other", r#"{"orgId":"another"}"#) };
    let calls = [
        post(path).body("{}"),
        post(path).body("[]"),
        post(path).body(vec![b' '; 2 << 20]),
        post(path).body("{}").header("Origin", "https://elsewhere.example"),
        post(path).body(foreign.1).header(foreign.0, "another"),
        desk.http.post(desk.url.clone() + path).body("{}"),
    ];
    for call in calls {
        described.check(id, call.send().await.unwrap()).await;
    }
    described.check(wrong.0, post(wrong.1).body("{}").send().await.unwrap()).await;
    break_database(desk).await;
    described.check(id, post(path).body(r#"{"type":"Proof","id":"1","state":"done"}"#).send().await.unwrap()).await;
    // Whoever tries again and again is told to wait.
    let is_told = async {
        loop {
            let answer = desk.http.post(desk.url.clone() + path).body("{}").send().await.unwrap();
            let status = answer.status();
            described.check(id, answer).await;
            if status == StatusCode::TOO_MANY_REQUESTS {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, is_told).await.expect("it is told");
}

/// Fails unless everything that the document promises was seen, or is known to be seen elsewhere.
fn expect_all_seen(described: &Described) {
    let promised = described.promised();
    let missing: Vec<_> = promised.difference(&described.seen).collect();
    let unexplained = missing.iter().filter(|(id, status, word)| {
        let elsewhere = ELSEWHERE.iter().any(|(other, number, _)| other == id && number == status);
        // Two that need a database which is away or holds everybody up: servers.rs, together.rs.
        let needs_another_database = id == "isReady" && *status == 503 || word == "busy";
        // At each address of webhooks one of both, as the other's path is the right one.
        !elsewhere && !needs_another_database
    });
    assert_eq!(unexplained.collect::<Vec<_>>(), Vec::<&&_>::new());
}

#[tokio::test]
async fn whatever_is_answered_is_described_and_whatever_is_described_can_be_answered() {
    let platform = FakePlatform::start(ProofEnd::Silent).await;
    let desk = Desk::sandbox().await;
    let mut all = Described::of(&desk).await;
    let token = Opened::of(open(&desk).await).await;
    all.check("openSession", open(&desk).await).await;
    let opening = || session(&desk, Method::POST);
    for call in [
        opening().body("{"),
        opening().json(&json!({ "requestType": "else" })),
        opening().json(&json!({ "requestType": "registration" })).header("Origin", "https://elsewhere.example"),
        opening().body(vec![b' '; 1 << 20]),
    ] {
        all.check("openSession", call.send().await.unwrap()).await;
    }
    for (id, method) in [("readSession", Method::GET), ("cancelSession", Method::DELETE)] {
        let call = |query: &[(&str, &str)]| session(&desk, method.clone()).query(query);
        let known = [("sessionId", &*token.id), ("token", &*token.token)];
        let gone = "AZ3qk1ZrV0m8u5nXc2YpTfWb7hDe";
        let gone = [("sessionId", gone), ("token", &desk.app.token(gone.parse().unwrap()))];
        for call in [
            call(&known),
            call(&known).header("If-None-Match", "*"),
            call(&[]),
            call(&known[..1]),
            call(&gone),
            call(&known).header("Origin", "https://elsewhere.example"),
        ] {
            all.check(id, call.send().await.unwrap()).await;
        }
    }
    let get = |path: &str| desk.http.get(desk.url.clone() + path);
    all.check("follow", get("/ws/connections?sessionId=a").send().await.unwrap()).await;
    let foreign = get("/ws/connections?sessionId=a").header("Origin", "https://elsewhere.example");
    all.check("follow", foreign.send().await.unwrap()).await;
    let other = desk.open().await;
    let link = other.data["link"].as_str().unwrap().strip_prefix(desk.app.public_url.as_str()).unwrap();
    for path in [format!("/{link}"), "/i/none".to_owned()] {
        for kind in ["application/json", "text/html"] {
            all.check("openLink", get(&path).header("Accept", kind).send().await.unwrap()).await;
        }
    }
    for (id, path) in OPERATORS {
        all.check(id, get(path).bearer_auth(ADMIN_TOKEN).send().await.unwrap()).await;
        all.check(id, get(path).send().await.unwrap()).await;
    }
    for (id, path) in [
        ("isAlive", "/healthz"),
        ("isReady", "/readyz"),
        ("checkWebhook", "/api/webhooks/confirmd"),
        ("checkWebhookByToken", "/api/webhooks/confirmd/x"),
        ("describe", "/api/openapi.json"),
        ("read", "/api/docs"),
    ] {
        all.check(id, get(path).send().await.unwrap()).await;
    }
    let by_token = ("receiveConfirmdByToken", "/api/webhooks/confirmd/wrong");
    provoke_webhooks(&mut all, &desk, "receiveConfirmd", "/api/webhooks/confirmd", by_token).await;
    for (id, method) in [("readSession", Method::GET), ("cancelSession", Method::DELETE)] {
        let call = session(&desk, method).query(&[("sessionId", &token.id), ("token", &token.token)]);
        all.check(id, call.send().await.unwrap()).await;
    }
    for (id, path) in &OPERATORS[2..] {
        all.check(id, get(path).bearer_auth(ADMIN_TOKEN).send().await.unwrap()).await;
    }
    all.check("openSession", open(&desk).await).await;
    all.check("openLink", get(&format!("/{link}")).send().await.unwrap()).await;

    let guarded = Desk::with(&[("WEBHOOK_PATH_TOKEN", PATH_TOKEN)]).await;
    let path = format!("/api/webhooks/confirmd/{PATH_TOKEN}");
    let plain = ("receiveConfirmd", "/api/webhooks/confirmd");
    provoke_webhooks(&mut all, &guarded, "receiveConfirmdByToken", &path, plain).await;

    let real = Desk::on_with(&platform, &[("ADMIN_TOKEN", ""), ("RATE_SESSIONS", "2/h")]).await;
    let first = Opened::of(open(&real).await).await;
    let link = first.data["link"].as_str().unwrap().strip_prefix(real.app.public_url.as_str()).unwrap().to_owned();
    let page = real.http.get(format!("{}/{link}", real.url)).header("Accept", "text/html").send().await.unwrap();
    all.check("openLink", page).await;
    platform.fail_next(&[StatusCode::INTERNAL_SERVER_ERROR; 3]);
    for _ in 0..2 {
        all.check("openSession", open(&real).await).await;
    }
    for (id, path) in OPERATORS {
        all.check(id, real.http.get(real.url.clone() + path).send().await.unwrap()).await;
    }
    let apart = Desk::with(&[("METRICS_PORT", "0")]).await;
    all.check("scrape", apart.http.get(format!("{}/metrics", apart.url)).send().await.unwrap()).await;
    expect_all_seen(&all);
}

#[tokio::test]
async fn an_agents_webhooks_are_described_too() {
    let agent = Agent::start().await;
    let desk = agent.desk(&[]).await;
    let mut all = Described::of(&desk).await;
    let only_webhooks = |id: &str| id.contains("Acapy");
    let topic = "/topic/connections/";
    let (plain, by_token) = (format!("/api/webhooks/acapy{topic}"), format!("/api/webhooks/acapy/{PATH_TOKEN}{topic}"));
    provoke_webhooks(&mut all, &desk, "receiveAcapy", &plain, ("receiveAcapyByToken", &by_token)).await;
    let guarded = agent.desk(&[("WEBHOOK_PATH_TOKEN", PATH_TOKEN)]).await;
    provoke_webhooks(&mut all, &guarded, "receiveAcapyByToken", &by_token, ("receiveAcapy", &plain)).await;
    for (id, path) in [
        ("checkWebhook", "/api/webhooks/acapy".to_owned()),
        ("checkWebhookOfTopic", plain),
        ("checkWebhookByToken", by_token),
    ] {
        all.check(id, desk.http.get(desk.url.clone() + &path).send().await.unwrap()).await;
    }
    let promised = all.promised().into_iter().filter(|(id, ..)| only_webhooks(id));
    let missing: Vec<_> = promised.filter(|one| !all.seen.contains(one) && one.1 != 408 && one.2 != "busy").collect();
    assert_eq!(missing, []);
}

#[tokio::test]
async fn what_a_socket_sends_is_described() {
    let desk = Desk::sandbox().await;
    let described = Described::of(&desk).await;
    let opened = desk.open().await;
    let mut watcher = desk.watch(&opened).await;
    let connected = watcher.next().await;
    watcher.send(r#"{"type":"ping"}"#.into()).await;
    let pong = watcher.next().await;
    let url = format!("?sessionId={}&token={}", opened.id, opened.token);
    desk.http.delete(format!("{}/api/connections/session{url}", desk.url)).send().await.unwrap();
    let schema = json!({ "$ref": "#/components/schemas/ServerMessage" });
    for message in [connected, pong, watcher.next().await] {
        described.expect_valid(&schema, &message, "a message");
    }
}

#[tokio::test]
async fn what_platforms_send_is_described_and_the_examples_are_taken() {
    let agent = Agent::start().await;
    let (confirmd, acapy) = (Desk::sandbox().await, agent.desk(&[]).await);
    let (described, of_agents) = (Described::of(&confirmd).await, Described::of(&acapy).await);
    let schema = json!({ "$ref": "#/components/schemas/ConfirmdWebhook" });
    for file in fs::read_dir(format!("{ROOT}/tests/fixtures/webhooks")).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        if let Some(name) = name.strip_suffix(".json") {
            described.expect_valid(&schema, &serde_json::from_str(&fixture(name)).unwrap(), name);
        }
    }
    let schema = json!({ "$ref": "#/components/schemas/AcapyWebhook" });
    for file in fs::read_dir(format!("{ROOT}/tests/fixtures/acapy")).unwrap() {
        let path = file.unwrap().path();
        let text = if path.is_file() { fs::read_to_string(&path).unwrap() } else { "{}".to_owned() };
        for told in serde_json::from_str::<Value>(&text).unwrap()["webhooks"].as_array().into_iter().flatten() {
            of_agents.expect_valid(&schema, &told["body"], &path.display().to_string());
        }
    }
    for (desk, described) in [(&confirmd, &described), (&acapy, &of_agents)] {
        for (path, _, operation) in described.operations() {
            let body = &operation["requestBody"]["content"]["application/json"];
            for (name, example) in body["examples"].as_object().into_iter().flatten() {
                described.expect_valid(&body["schema"], &example["value"], name);
                let address = desk.url.clone() + &path.replace("{topic}", name);
                if !path.contains("path_token") {
                    let post = desk.http.post(address).header("X-API-Key", WEBHOOK_SECRET).json(&example["value"]);
                    let outcome: Value = post.send().await.unwrap().json().await.unwrap();
                    assert_eq!(outcome["outcome"], "unmatched", "{name} says something");
                }
            }
        }
    }
}

#[tokio::test]
async fn what_webhooks_carry_is_described_as_it_is_configured() {
    for (mode, names) in
        [("api_key", &["webhookKey"][..]), ("hmac", &["webhookSignature", "webhookTimestamp"]), ("none", &[])]
    {
        let desk = Desk::with(&[("WEBHOOK_AUTH", mode), ("WEBHOOK_PATH_TOKEN", PATH_TOKEN)]).await;
        let described = Described::of(&desk).await;
        let asked = &described.document["paths"]["/api/webhooks/confirmd"]["post"]["security"];
        let given: Vec<&str> = asked[0].as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        assert_eq!(given, names);
        for name in names {
            assert!(described.document["components"]["securitySchemes"][name]["description"].is_string(), "{name}");
        }
    }
}

#[tokio::test]
async fn the_page_shows_every_operation_and_needs_nothing_from_elsewhere() {
    let desk = Desk::sandbox().await;
    let described = Described::of(&desk).await;
    let answer = desk.http.get(format!("{}/api/docs", desk.url)).send().await.unwrap();
    let policy = answer.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'self'") && policy.contains("script-src 'none'"), "{policy}");
    let page = answer.text().await.unwrap();
    for (path, method, operation) in described.operations() {
        let id = operation["operationId"].as_str().unwrap();
        assert!(page.contains(&format!("id=\"{id}\"")) && page.contains(&format!("href=\"#{id}\"")), "{id}");
        assert!(page.contains(path) && page.contains(&method.to_uppercase()), "{method} {path}");
    }
    for name in described.document["components"]["schemas"].as_object().unwrap().keys() {
        assert!(page.contains(&format!("id=\"{name}\"")), "{name}");
    }
    assert!(!page.contains("<script") && !page.contains(" src="), "it is whole by itself");
}
