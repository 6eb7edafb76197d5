//! `vestibule webhook`: the platform is told where its webhooks go, by the calls that it has, and then they come.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use vestibule::server::{platform::AuthMode, sandbox::ORG_ID};

use crate::{
    exposition,
    harness::WEBHOOK_SECRET,
    odd::Odd,
    own_platform::{Elsewhere, account, desk_on_a_sandbox_elsewhere},
    patient::Patient,
};

/// A call that the platform's operator makes by hand.
async fn call(elsewhere: &Elsewhere, path: &str, body: &Value) {
    let account = account(&elsewhere.url);
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &*account.client_id),
        ("client_secret", &*account.client_secret.0),
    ];
    let http = &elsewhere.desk.http;
    let token: Value = http.post(account.auth_url).form(&form).send().await.unwrap().json().await.unwrap();
    let request = http.request(Method::POST, format!("{}/sandbox{path}", elsewhere.url)).json(body);
    let answer = request.bearer_auth(token["access_token"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED);
}

/// A desk on a platform of this generation, whose webhooks go elsewhere so far.
async fn desk_on(generation: &str, auth: AuthMode) -> Elsewhere {
    let elsewhere = desk_on_a_sandbox_elsewhere(auth, &[]).await;
    elsewhere.behave(json!({ "registration": generation }));
    let path = match generation {
        "apps" => format!("/orgs/{ORG_ID}/apps"),
        _ => format!("/webhooks/orgs/{ORG_ID}/register"),
    };
    let body =
        json!({ "webhookUrl": "http://127.0.0.1:1/somebody/else", "webhookSecret": "a-secret-of-somebody-else" });
    let strict = json!({ "webhookUrl": body["webhookUrl"] });
    call(&elsewhere, &path, if generation == "strict" { &strict } else { &body }).await;
    elsewhere
}

#[tokio::test]
async fn once_the_address_is_registered_webhooks_come_and_are_taken() {
    for (generation, auth, words) in [
        ("signing", AuthMode::Hmac, "it took the first secret of WEBHOOK_SECRET"),
        ("apps", AuthMode::ApiKey, "which comes as X-API-Key"),
        ("plain", AuthMode::None, "keep the address to yourself"),
        ("strict", AuthMode::None, "keep the address to yourself"),
    ] {
        let elsewhere = desk_on(generation, auth).await;
        let patient = Patient::of(&elsewhere.desk);
        if generation != "apps" {
            patient.doctor().await.has("fault", "webhook", "which is not here");
            let said = patient.run(&["webhook", "show"]).await;
            assert!(said.code == 1 && said.text.contains("127.0.0.1:1/…, which is not here"), "{}", said.text);
        }
        let said = patient.run(&["webhook", "register"]).await;
        assert_eq!(said.code, 0, "{generation}: {}", said.text);
        for words in
            [words, "/api/webhooks/confirmd/… now", "only a platform on this machine", "read back, it is the same"]
        {
            assert!(said.text.contains(words), "{generation}: {}", said.text);
        }
        if generation != "apps" {
            patient.doctor().await.has("ok", "webhook", "/api/webhooks/confirmd/…");
            let said = patient.run(&["webhook", "show"]).await;
            assert!(said.code == 0 && said.text.contains("which is here"), "{}", said.text);
        }
        let opened = elsewhere.desk.open().await;
        elsewhere.take(&opened, "amaka", "connect").await;
        let scraped = exposition::until(&elsewhere.desk, "a webhook", |read| read.sum("deliveries_total") > 0.0).await;
        assert_eq!(scraped.sum("deliveries_refused_total"), 0.0, "{generation}");
    }
}

#[tokio::test]
async fn a_platform_that_takes_no_secret_is_no_success_where_one_is_asked_for() {
    for generation in ["plain", "strict"] {
        let elsewhere = desk_on(generation, AuthMode::ApiKey).await;
        let said = Patient::of(&elsewhere.desk).run(&["webhook", "register"]).await;
        assert_eq!(said.code, 1, "{}", said.text);
        for words in ["it took the address alone", "ask the platform's operator", "WEBHOOK_AUTH=none"] {
            assert!(said.text.contains(words), "{generation}: {}", said.text);
        }
    }
}

#[tokio::test]
async fn a_way_of_authentication_that_is_not_the_platforms_is_told() {
    for (generation, auth, words) in
        [("signing", AuthMode::ApiKey, "set it to hmac"), ("apps", AuthMode::Hmac, "set it to api_key")]
    {
        let elsewhere = desk_on(generation, auth).await;
        let said = Patient::of(&elsewhere.desk).run(&["webhook", "register"]).await;
        assert!(said.code == 0 && said.text.contains(words), "{}", said.text);
    }
}

#[tokio::test]
async fn what_the_platform_answers_is_said() {
    let elsewhere = desk_on("signing", AuthMode::Hmac).await;
    let patient = || Patient::of(&elsewhere.desk);
    let token = |data: &str| format!("{{\"access_token\":\"t\",\"expires_in\":900,\"data\":{data}}}");
    let says = async |status, body: String| Odd::start(status, &[], body.leak()).await;
    let elsewhere_noted = says(StatusCode::OK, token("\"https://elsewhere.example.org/hush\"")).await;
    let nothing_noted = says(StatusCode::OK, token("null")).await;
    // It repeats what it was sent; the patient looks whether any of that is shown.
    let address = format!("{}/api/webhooks/confirmd/a-path-that-nobody-guesses", elsewhere.desk.url);
    let repeats = format!("{{\"message\":[\"{WEBHOOK_SECRET} is no good\",\"nor is {address}\"]}}");
    let repeating = says(StatusCode::BAD_REQUEST, repeats).await;
    let unknown = says(StatusCode::NOT_FOUND, "no such page".to_owned()).await;
    for (patient, words) in [
        (patient().with("WEBHOOK_SECRET", "too-short"), "(HTTP 400): webhookSecret must be longer"),
        (patient().with("CONFIRMD_CLIENT_SECRET", "wrong-secret"), "refuses our account"),
        (
            patient().with("CONFIRMD_ORG_ID", "5a0d8c51-0b1e-4c55-8f3e-5b7f6b1f2d11"),
            "(HTTP 403): Organization does not have access",
        ),
        (
            patient().with("CONFIRMD_BASE_URL", &elsewhere_noted.url),
            "says now that it sends its webhooks to https://elsewhere.example.org/…",
        ),
        (patient().with("CONFIRMD_BASE_URL", &nothing_noted.url), "says now that it has none"),
        (patient().with("CONFIRMD_BASE_URL", &unknown.url), "knows none of the calls"),
        (patient().with("CONFIRMD_BASE_URL", &repeating.url), "(HTTP 400): … is no good; nor is …"),
    ] {
        let said = patient.run(&["webhook", "register"]).await;
        assert!(said.code == 1 && said.text.contains(words), "{words}: {}", said.text);
    }
    for (patient, words) in [
        (patient().with("CONFIRMD_BASE_URL", &nothing_noted.url), "nowhere: register"),
        (patient().with("CONFIRMD_BASE_URL", &unknown.url), "has no call that tells"),
        (patient().with("WEBHOOK_PATH_TOKEN", "another-path-that-nobody-guesses"), "which is not here"),
    ] {
        let said = patient.run(&["webhook", "show"]).await;
        assert!(said.code == 1 && said.text.contains(words), "{words}: {}", said.text);
    }
}

#[tokio::test]
async fn what_is_not_to_be_registered_is_refused_without_a_call() {
    let agent = |patient: Patient| {
        let patient = patient.with("PLATFORM", "acapy").with("ACAPY_ADMIN_URL", "http://127.0.0.1:1");
        patient.with("ACAPY_ADMIN_KEY", "an-admin-key")
    };
    let desk = || Patient::new().with("PUBLIC_URL", "https://desk.invalid");
    for (patient, words) in [
        (desk(), "PLATFORM is the sandbox"),
        (
            agent(desk()),
            "--webhook-url (or ACAPY_WEBHOOK_URL). It is https://desk.invalid/api/webhooks/acapy#<WEBHOOK_SECRET>",
        ),
        (
            agent(desk()).with("WEBHOOK_PATH_TOKEN", "a-path-token"),
            "/api/webhooks/acapy/<WEBHOOK_PATH_TOKEN>#<WEBHOOK_SECRET>",
        ),
        (agent(desk()).with("ACAPY_TENANT_TOKEN", "e30.eyJ3YWxsZXRfaWQiOiJ3LTEifQ.c2ln"), "wallet_webhook_urls"),
        (Patient::new().on_nobody(), "PUBLIC_URL is not set"),
        (Patient::new().on_nobody().with("PUBLIC_URL", "http://desk.invalid"), "PUBLIC_URL is not https"),
    ] {
        for word in ["register", "show"] {
            let said = patient.run(&["webhook", word]).await;
            let of_the_address = words.starts_with("PUBLIC_URL");
            assert!(said.code == 1 && (said.text.contains(words) || word == "show" && of_the_address), "{}", said.text);
        }
    }
    let said = Patient::new().run(&["webhook"]).await;
    assert!(said.code == 2 && said.text.contains("register and show"), "{}", said.text);
}
