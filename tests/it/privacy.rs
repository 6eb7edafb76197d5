//! Nothing personal is where it has no purpose: not in a log, not in an answer, not in clear on disk.

use reqwest::StatusCode;
use serde_json::json;

use crate::{
    browser::{Browser, verified},
    collector::Collector,
    database::place_that_holds,
    form::AMAKA,
    harness::{ADMIN_TOKEN, Desk, WEBHOOK_SECRET, Watcher},
    program::Program,
    sandbox::{Wallet, behave},
    visit::{Answer, Visit, client, hurry},
};

/// As typed, and as they are understood. Nothing else in these tests looks like them.
const EMAIL: &str = " Quite.Made-Up@Example.org";
const PHONE: &str = "+234 (0) 809 777-0163";
/// The name that Amaka's wallet gives itself.
const WALLET: &str = "Green phone";

/// What may not be found: the values of the card and what was typed, however it is written. The name of the school is the
/// desk's own, and the year is in every date.
fn personal() -> Vec<String> {
    let of_the_card = AMAKA.iter().map(|(_, value)| (*value).to_owned());
    let of_the_card = of_the_card.filter(|value| !["Unity State University", "2026"].contains(&&**value));
    let typed = ["Quite.Made-Up", "quite.made-up", "2348097770163", "777-0163", "7770163", "777%2D0163"];
    of_the_card.chain(typed.map(str::to_owned)).collect()
}

fn holds_nothing_personal(what: &str, text: &str) {
    for value in personal() {
        assert!(!text.contains(&value), "{value} is in {what}: {text}");
    }
}

/// Everything the binary can be brought to say about somebody: wrong and right, early and late, twice.
async fn everything(visit: &mut Visit) -> Vec<Watcher> {
    for path in ["/", "/register", "/register/connect", "/register/application", "/register/confirmation"] {
        visit.page(path).await;
    }
    assert_eq!(visit.submit(EMAIL, PHONE).await.location(), "/register/connect", "too early");
    let mut watcher = visit.watch().await;
    let wallet = visit.take("amaka").await;
    watcher.until("requested").await;
    visit.page("/register/connect").await;
    visit.answer(&wallet, "partial").await;
    watcher.until("verified").await;
    visit.record().await;
    assert_eq!(visit.submit(EMAIL, PHONE).await.location(), "/register/application", "something is missing");
    visit.post("renew", &[("attempt", "7")]).await;
    assert_eq!(visit.post("ask-again", &[("attempt", "1")]).await.location(), "/register/connect");
    visit.page("/register/connect").await;
    visit.read("view").await;
    watcher.until("requested").await;
    share_when_asked(visit, &wallet).await;
    watcher.until("verified").await;
    let token = visit.token.clone();
    for token in [&*token, "made.up.token", "Okonkwo"] {
        visit.poll(token).await;
    }
    wrong_submits(visit).await;
    let (page, view) = visit.record().await;
    for shown in [&page.body, &view.body] {
        assert!(shown.contains("Okonkwo"), "the one place where it is shown: {shown}");
    }
    assert!(view.body.contains("Quite.Made-Up"), "what was typed is offered again");
    for _ in 0..2 {
        assert_eq!(visit.submit(EMAIL, PHONE).await.location(), "/register/confirmation");
    }
    watcher.until("submitted").await;
    assert!(visit.read("confirmed").await.json()["number"].is_string());
    for path in ["/register", "/register/connect", "/register/application", "/register/confirmation"] {
        visit.page(path).await;
    }
    let address = format!("{}/api/connections/session?sessionId={}", visit.url, visit.id);
    let cancel = visit.http.delete(address).bearer_auth(&visit.token);
    visit.send(cancel).await;
    // A socket that comes late is told how it ended.
    let mut late = visit.watch().await;
    late.until("submitted").await;
    vec![watcher, late]
}

/// The wallet shares once the request has reached it.
async fn share_when_asked(visit: &mut Visit, wallet: &str) {
    loop {
        visit.answer(wallet, "share").await;
        let token = visit.token.clone();
        let Answer { body, .. } = visit.poll(&token).await;
        if !body.contains("\"stage\":\"requested\"") {
            return;
        }
        tokio::task::yield_now().await;
    }
}

async fn wrong_submits(visit: &mut Visit) {
    let form = [("email", EMAIL), ("email", EMAIL), ("phone", PHONE)];
    let twice = visit.post("submit", &form).await;
    assert_eq!((twice.status, twice.location()), (StatusCode::BAD_REQUEST, ""));
    for accept in ["text/html", "application/json"] {
        let from_elsewhere = visit.posting("submit").header("Referer", format!("{}/register/application", visit.url));
        let odd = from_elsewhere.header("Accept", accept).form(&[("email[]", EMAIL), ("phone[]", PHONE)]);
        visit.send(odd).await;
        let big = EMAIL.repeat(2_700);
        let big = visit.posting("submit").header("Accept", accept).form(&[("email", &*big), ("phone", PHONE)]);
        visit.send(big).await;
        let json = visit.posting("submit").header("Accept", accept).json(&json!({ "email": EMAIL, "phone": PHONE }));
        visit.send(json).await;
        let form = [("attempt", EMAIL)];
        let no_number = visit.posting("renew").header("Accept", accept).form(&form);
        visit.send(no_number).await;
    }
    let foreign = visit.posting("submit").header("Origin", "https://evil.example");
    let refused = visit.send(foreign.form(&[("email", EMAIL), ("phone", PHONE)])).await;
    assert_eq!(refused.json()["code"], "foreign_origin");
    for address in [format!("/api/register/submit?email={EMAIL}"), format!("/api/nothing?phone={PHONE}")] {
        let get = visit.http.get(format!("{}{address}", visit.url));
        visit.send(get).await;
    }
    for (email, phone) in [("Quite.Made-Up", PHONE), (EMAIL, "777-0163"), ("<Quite.Made-Up@>", "7770163 x")] {
        assert_eq!(visit.submit(email, phone).await.location(), "/register/application");
    }
}

#[tokio::test]
async fn nothing_personal_is_in_any_output_of_the_binary_even_at_its_most_talkative() {
    let folder = tempfile::tempdir().unwrap();
    let collector = Collector::start().await;
    let export = ("OTEL_EXPORTER_OTLP_ENDPOINT", &*collector.url);
    let variables = [("LOG_LEVEL", "trace"), ("DRAIN", "1ms"), ("ADMIN_TOKEN", ADMIN_TOKEN), export];
    let program = Program::start(folder.path(), 0, &variables).await;
    let (mut tokens, mut ids) = (Vec::new(), Vec::new());
    // The gateway's form of a webhook carries the whole presentation.
    for webhook in ["gateway", "envelope", "flat"] {
        hurry(&client(), &program.url, webhook).await;
        let mut visit = Visit::begin(&program.url).await;
        let watchers = everything(&mut visit).await;
        assert!(visit.heard.len() > 60, "it heard a lot: {}", visit.heard.len());
        for heard in &visit.heard {
            holds_nothing_personal("an answer", heard);
        }
        for watcher in watchers {
            assert!(watcher.seen.len() > 3 || watcher.seen.len() == 1);
            holds_nothing_personal("a socket", &json!(watcher.seen).to_string());
        }
        tokens.push(visit.token);
        ids.push(visit.id);
    }
    let body = json!({ "type": "Connection", "id": "marker-in-a-body", "state": "completed", "theirLabel": "marker-of-a-person" });
    for body in [body.to_string(), "marker-in-a-body that is no JSON".to_owned()] {
        for key in [WEBHOOK_SECRET, "marker-of-a-wrong-key"] {
            let request = client().post(format!("{}/api/webhooks/confirmd", program.url)).header("X-API-Key", key);
            request.body(body.clone()).send().await.unwrap();
        }
    }
    let metrics = client().get(format!("{}/metrics", program.url)).bearer_auth(ADMIN_TOKEN).send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    assert!(metrics.contains("vestibule_registrations_ended_total{stage=\"submitted\"} 3"), "{metrics}");
    holds_nothing_personal("the metrics", &metrics);
    for id in ids.iter().chain(&tokens).map(String::as_str).chain([WALLET, "marker", "127.0.0.1"]) {
        assert!(!metrics.contains(id), "{id} is in the metrics");
    }
    let written = program.written.clone();
    assert!(program.terminate().await);
    let written = written.text();
    for said in ["delivery recorded", "webhook refused", "registration submitted", "asked again"] {
        assert!(written.contains(said), "it logs at all: {said} is missing in {written}");
    }
    holds_nothing_personal("the log", &written);
    let markers = ["marker-in-a-body", "marker-of-a-person", "marker-of-a-wrong-key", WEBHOOK_SECRET, WALLET];
    for secret in markers.into_iter().chain(tokens.iter().map(String::as_str)) {
        assert!(!written.contains(secret), "{secret} is in the log");
    }
    let spans = format!("{:#?}", collector.spans());
    for told in ["GET /register/connect", "POST /api/webhooks/confirmd", "GET /ws/connections", "request_proof"] {
        assert!(spans.contains(told), "it exports at all: {told} is missing in {spans}");
    }
    holds_nothing_personal("the spans", &spans);
    let told = ids.iter().chain(&tokens).map(String::as_str).chain([WALLET, "marker", "127.0.0.1", "sessionId"]);
    for secret in told {
        assert!(!spans.contains(secret), "{secret} is in the spans");
    }
}

async fn nothing_personal_lies_in_clear_at(desk: &Desk) {
    for value in personal().iter().map(String::as_str).chain([WALLET]) {
        assert_eq!(place_that_holds(desk, value.as_bytes()).await, None, "{value}");
    }
}

#[tokio::test]
async fn nothing_personal_lies_in_clear_on_disk() {
    let desk = Desk::sandbox().await;
    for webhook in ["gateway", "envelope", "flat"] {
        for answer in ["share", "invalid", "partial", "decline"] {
            behave(&desk, json!({ "pace": 0, "webhook": webhook })).await;
            let opened = desk.open().await;
            let mut watcher = desk.watch(&opened).await;
            let wallet = Wallet::connect(&desk, &opened, "amaka").await;
            assert_eq!(watcher.until("requested").await["theirLabel"], WALLET, "it is known");
            wallet.answer(answer).await;
            while watcher.next().await["stage"] == "presented" {}
            // Whatever came of it: what is typed is kept, and not in clear.
            Browser::of(&desk, &opened).submit(EMAIL, "777-0163").await;
            nothing_personal_lies_in_clear_at(&desk).await;
        }
    }
    let opened = verified(&desk, "amaka").await;
    let browser = Browser::of(&desk, &opened);
    assert_eq!(browser.submit("Quite.Made-Up", PHONE).await, "/register/application");
    nothing_personal_lies_in_clear_at(&desk).await;
    assert_eq!(browser.submit(EMAIL, PHONE).await, "/register/confirmation");
    nothing_personal_lies_in_clear_at(&desk).await;
    let number = browser.confirmation().await.unwrap().number;
    for known in [&number, &opened.id, &desk.app.sessions.consent] {
        assert!(place_that_holds(&desk, known.as_bytes()).await.is_some(), "one would find it: {known}");
    }
}
