//! The whole flow against the sandbox, over its real HTTP: every body form, every URL form, every answer of a wallet.

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

use crate::harness::{Desk, Opened};

/// What a person does with the simulated wallet.
pub struct Wallet<'a> {
    http: &'a Client,
    /// The page of the connection.
    pub page: String,
}

impl<'a> Wallet<'a> {
    /// Opens the short link and accepts the connection.
    pub async fn connect(desk: &'a Desk, opened: &Opened, holder: &str) -> Self {
        let link = opened.data["link"].as_str().unwrap();
        Self::take(&desk.http, &desk.url, link, holder, "connect").await
    }

    /// Takes the invitation behind a link in this way, with a wallet of the sandbox at this address.
    pub async fn take(http: &'a Client, sandbox: &str, link: &str, holder: &str, way: &str) -> Self {
        let form = [("link", link), ("holder", holder), ("way", way)];
        let answer = http.post(format!("{sandbox}/sandbox/wallet")).form(&form).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{}", answer.text().await.unwrap());
        let page = format!("{sandbox}{}", answer.headers()["location"].to_str().unwrap());
        Self { http, page }
    }

    /// The wallet of a connection that stands.
    pub fn at(desk: &'a Desk, connection: &str) -> Self {
        Self { http: &desk.http, page: format!("{}/sandbox/wallet/{connection}", desk.url) }
    }

    /// The id of its connection.
    pub fn connection(&self) -> &str {
        self.page.rsplit('/').next().unwrap()
    }

    /// Answers the request that is there.
    pub async fn answer(&self, answer: &str) {
        let answered = self.http.post(&self.page).form(&[("answer", answer)]).send().await.unwrap();
        assert_eq!(answered.status(), StatusCode::SEE_OTHER);
    }

    /// What the wallet shows.
    pub async fn shown(&self) -> String {
        self.http.get(&self.page).send().await.unwrap().text().await.unwrap()
    }
}

/// Makes the sandbox quick, and otherwise as said.
pub async fn behave(desk: &Desk, behaviour: serde_json::Value) {
    let answer = desk.http.put(format!("{}/sandbox/behaviour", desk.url)).json(&behaviour).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK, "{behaviour}");
}

/// The page of what was shared, as the browser of this session sees it.
pub async fn application_page(desk: &Desk, opened: &Opened) -> reqwest::Response {
    let page = desk.http.get(format!("{}/register/application", desk.url));
    page.header("Cookie", format!("vestibule={}", opened.token)).header("Accept", "text/html").send().await.unwrap()
}

#[tokio::test]
async fn a_registration_is_verified_in_every_form_that_a_platform_may_use() {
    let desk = Desk::sandbox().await;
    for webhook in ["envelope", "gateway", "flat"] {
        for url in ["short", "long"] {
            behave(&desk, json!({ "webhook": webhook, "invitationUrl": url, "pace": 0 })).await;
            let opened = desk.open().await;
            let mut watcher = desk.watch(&opened).await;
            let wallet = Wallet::connect(&desk, &opened, "amaka").await;
            watcher.until("requested").await;
            assert!(wallet.shown().await.contains("Share your Student Card to register"));
            wallet.answer("share").await;
            watcher.until("verified").await;
            let page = application_page(&desk, &opened).await.text().await.unwrap();
            for value in ["Okonkwo", "Amaka Ngozi", "UNI/CSC/21/0417", "70123456789"] {
                assert!(page.contains(value), "{webhook}, {url}: {value} is missing");
            }
            let pushed = serde_json::to_string(&watcher.seen).unwrap();
            assert!(!pushed.contains("Okonkwo"), "personal data is never pushed");
        }
    }
}

#[tokio::test]
async fn registrations_at_the_same_time_each_end_with_their_own_student() {
    let desk = Desk::sandbox().await;
    behave(&desk, json!({ "pace": 5 })).await;
    let one = async |holder: &'static str, surname: &'static str, other: &'static str| {
        let opened = desk.open().await;
        let mut watcher = desk.watch(&opened).await;
        let wallet = Wallet::connect(&desk, &opened, holder).await;
        watcher.until("requested").await;
        wallet.answer("share").await;
        watcher.until("verified").await;
        let page = application_page(&desk, &opened).await.text().await.unwrap();
        assert!(page.contains(surname) && !page.contains(other), "{holder} sees {surname} alone");
    };
    let all = (0..10).map(|place| {
        if place % 2 == 0 { one("amaka", "Okonkwo", "Balogun") } else { one("tunde", "Balogun", "Okonkwo") }
    });
    futures_util::future::join_all(all).await;
}

#[tokio::test]
async fn many_students_at_once_each_end_with_their_own_card() {
    let desk = Desk::sandbox().await;
    behave(&desk, json!({ "pace": 0, "webhook": "any" })).await;
    let one = async |number: usize| {
        let opened = desk.open().await;
        let mut watcher = desk.watch(&opened).await;
        let wallet = Wallet::connect(&desk, &opened, &format!("student-{number}")).await;
        watcher.until("requested").await;
        wallet.answer("share").await;
        watcher.until("verified").await;
        let page = application_page(&desk, &opened).await.text().await.unwrap();
        for attribute in ["surname", "matric number", "department"] {
            assert!(page.contains(&format!("{attribute} {number:05}")), "{attribute} of {number} is missing");
            assert_eq!(page.matches(&format!("{attribute} 0")).count(), 1, "{number} sees one {attribute}");
        }
    };
    futures_util::future::join_all((0..20).map(one)).await;
}

#[tokio::test]
async fn no_value_of_a_card_comes_into_the_database() {
    let desk = Desk::sandbox().await;
    behave(&desk, json!({ "pace": 0, "webhook": "gateway" })).await;
    for answer in ["share", "invalid"] {
        let opened = desk.open().await;
        let mut watcher = desk.watch(&opened).await;
        let wallet = Wallet::connect(&desk, &opened, "amaka").await;
        watcher.until("requested").await;
        wallet.answer(answer).await;
        let end = if answer == "share" { "verified" } else { "invalid" };
        while watcher.next().await["stage"] != end {}
    }
    for file in std::fs::read_dir(desk.folder.path()).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        for value in ["Okonkwo", "Amaka Ngozi", "UNI/CSC", "Computer Science", "2003-04-17", "70123456789"] {
            let found = bytes.windows(value.len()).any(|window| window == value.as_bytes());
            assert!(!found, "{value} is in {}", path.display());
        }
    }
}

#[tokio::test]
async fn every_form_of_invitation_url_leads_to_a_code_that_gives_the_invitation() {
    let desk = Desk::sandbox().await;
    for (form, kind) in [
        ("short", "out-of-band/1.1"),
        ("long", "out-of-band/1.1"),
        ("legacy", "connections/1.0"),
        ("object", "out-of-band/1.1"),
        ("redirect", "out-of-band/1.1"),
    ] {
        behave(&desk, json!({ "pace": 0, "invitationUrl": form })).await;
        let opened = desk.open().await;
        let url = opened.data["invitationUrl"].as_str().unwrap();
        let inside = [("long", "?oob="), ("legacy", "?c_i=")].iter().find(|(long, _)| *long == form);
        assert!(inside.map_or(url.contains("/invitations/default/"), |(_, query)| url.contains(query)), "{url}");
        let link = opened.data["link"].as_str().unwrap();
        let message = desk.http.get(link).header("Accept", "application/json").send().await.unwrap();
        let message: Value = message.json().await.unwrap();
        assert_eq!(message["@type"], format!("https://didcomm.org/{kind}/invitation"), "{form}");
        let mut watcher = desk.watch(&opened).await;
        Wallet::connect(&desk, &opened, "amaka").await;
        watcher.until("requested").await;
    }
}

#[tokio::test]
async fn what_the_wallet_refuses_ends_the_attempt_and_a_new_code_works() {
    let desk = Desk::sandbox().await;
    behave(&desk, json!({ "pace": 0 })).await;
    let ends = [("decline", "declined"), ("invalid", "invalid")];
    for ((answer, end), form) in
        ends.into_iter().flat_map(|end| ["envelope", "gateway", "flat"].map(|form| (end, form)))
    {
        behave(&desk, json!({ "pace": 0, "webhook": form })).await;
        let mut opened = desk.open().await;
        let mut watcher = desk.watch(&opened).await;
        let wallet = Wallet::connect(&desk, &opened, "amaka").await;
        watcher.until("requested").await;
        wallet.answer(answer).await;
        while watcher.next().await["stage"] != end {}
        assert_eq!(application_page(&desk, &opened).await.headers()["location"], "/register/connect");
        let session = desk.app.sessions.renew(opened.id.parse().unwrap(), 1).await.unwrap();
        assert_eq!((session.attempt, session.progress.stage.as_str()), (2, "waiting"));
        let attempt = desk.app.sessions.store.attempt(session.id, 2).await.unwrap().unwrap();
        opened.data["link"] = format!("{}i/{}", desk.app.public_url, attempt.invited.unwrap().link).into();
        let wallet = Wallet::connect(&desk, &opened, "amaka").await;
        watcher.until("requested").await;
        wallet.answer("share").await;
        assert_eq!(watcher.until("verified").await["attempt"], 2);
    }
}

#[tokio::test]
async fn a_used_code_takes_no_second_wallet() {
    let desk = Desk::sandbox().await;
    behave(&desk, json!({ "pace": 0 })).await;
    let opened = desk.open().await;
    let mut watcher = desk.watch(&opened).await;
    Wallet::connect(&desk, &opened, "amaka").await;
    watcher.until("requested").await;
    let form = [("link", opened.data["link"].as_str().unwrap()), ("holder", "tunde")];
    let second = desk.http.post(format!("{}/sandbox/wallet", desk.url)).form(&form).send().await.unwrap();
    assert_eq!(second.status(), StatusCode::GONE);
    assert_eq!(watcher.seen.last().unwrap()["theirLabel"], "Green phone");
}

#[tokio::test]
async fn the_wallet_fetches_no_link_but_this_desks_own() {
    let desk = Desk::sandbox().await;
    for link in ["http://169.254.169.254/i/x", "https://example.org/i/x", "file:///etc/passwd", "", "i/x"] {
        let request = desk.http.get(format!("{}/sandbox/wallet", desk.url)).query(&[("link", link)]);
        assert_eq!(request.send().await.unwrap().status(), StatusCode::GONE, "{link}");
    }
    let outside = format!("{}sandbox/behaviour", desk.app.public_url);
    let request = desk.http.get(format!("{}/sandbox/wallet", desk.url)).query(&[("link", outside)]);
    assert_eq!(request.send().await.unwrap().status(), StatusCode::GONE);
}

#[tokio::test]
async fn the_sandboxs_platform_is_as_strict_as_the_real_one() {
    let desk = Desk::sandbox().await;
    let org = vestibule::server::sandbox::ORG_ID;
    let get = |path: String| desk.http.get(format!("{}/sandbox{path}", desk.url));
    assert_eq!(get(format!("/orgs/{org}/proofs/x")).send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    assert_eq!(
        get(format!("/orgs/{org}/connections/x")).bearer_auth("no").send().await.unwrap().status(),
        StatusCode::UNAUTHORIZED
    );
    let token = desk.http.post(format!("{}/sandbox/realms/sandbox/protocol/openid-connect/token", desk.url));
    let wrong = [("grant_type", "client_credentials"), ("client_id", "sandbox"), ("client_secret", "wrong")];
    assert_eq!(token.form(&wrong).send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    let unknown = desk.http.put(format!("{}/sandbox/behaviour", desk.url)).json(&json!({ "typo": 1 }));
    assert!(unknown.send().await.unwrap().status().is_client_error());
}
