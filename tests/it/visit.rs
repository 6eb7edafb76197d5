//! A browser's visit to the binary itself: everything that comes back is written down, but for the record's own page and
//! the wallet's.

use reqwest::{Client, RequestBuilder, StatusCode, header::HeaderMap, redirect::Policy};
use serde_json::{Value, json};

use crate::harness::Watcher;

/// An answer.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    /// Where it sends the browser.
    pub fn location(&self) -> &str {
        self.headers.get("location").map_or("", |location| location.to_str().unwrap())
    }

    /// Its body, as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{}: {}", self.status, self.body))
    }
}

/// A browser and what it heard.
pub struct Visit {
    pub url: String,
    pub http: Client,
    /// What opens the session.
    pub token: String,
    /// The session.
    pub id: String,
    /// The short link.
    pub link: String,
    /// Every answer, as text.
    pub heard: Vec<String>,
}

/// A client that follows no redirect by itself.
pub fn client() -> Client {
    Client::builder().redirect(Policy::none()).build().unwrap()
}

/// Makes the sandbox at this address quick, with this form of webhooks.
pub async fn hurry(http: &Client, url: &str, webhook: &str) {
    let behaviour = json!({ "pace": 0, "webhook": webhook });
    http.put(format!("{url}/sandbox/behaviour")).json(&behaviour).send().await.unwrap();
}

impl Visit {
    /// Agrees, and has a code.
    pub async fn begin(url: &str) -> Self {
        Self::begin_with(client(), url).await
    }

    /// The same with this client.
    pub async fn begin_with(http: Client, url: &str) -> Self {
        let nothing = String::new;
        let mut visit =
            Self { url: url.to_owned(), http, token: nothing(), id: nothing(), link: nothing(), heard: Vec::new() };
        let agreed = visit.post("open", &[]).await;
        assert_eq!(agreed.location(), "/register/connect");
        let cookie = agreed.headers["set-cookie"].to_str().unwrap();
        visit.token = cookie.split(['=', ';']).nth(1).unwrap().to_owned();
        visit.id = visit.token.split('.').next().unwrap().to_owned();
        let view = visit.read("view").await.json();
        view["code"]["link"].as_str().unwrap().clone_into(&mut visit.link);
        visit
    }

    /// Sends a request, and writes down all of its answer.
    pub async fn send(&mut self, request: RequestBuilder) -> Answer {
        let answer = self.send_unheard(request).await;
        self.heard.push(answer.body.clone());
        answer
    }

    /// Sends a request whose answer may hold what is personal: what is written down is all but its body.
    pub async fn send_unheard(&mut self, request: RequestBuilder) -> Answer {
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        self.heard.push(format!("{status} {headers:?}"));
        Answer { status, headers, body: answer.text().await.unwrap() }
    }

    /// A request with the session's cookie.
    pub fn with_cookie(&self, request: RequestBuilder) -> RequestBuilder {
        if self.token.is_empty() { request } else { request.header("Cookie", format!("vestibule={}", self.token)) }
    }

    /// Opens a page.
    pub async fn page(&mut self, path: &str) -> Answer {
        let request = self.with_cookie(self.http.get(format!("{}{path}", self.url)).header("Accept", "text/html"));
        self.send(request).await
    }

    /// Opens the page that shows the record, or reads what it is drawn from.
    pub async fn record(&mut self) -> (Answer, Answer) {
        let page = self.http.get(format!("{}/register/application", self.url)).header("Accept", "text/html");
        let view = self.http.post(format!("{}/api/register/shared", self.url)).form(&[("", "")]);
        let (page, view) = (self.with_cookie(page), self.with_cookie(view));
        (self.send_unheard(page).await, self.send_unheard(view).await)
    }

    /// A form's post that is not sent yet.
    pub fn posting(&self, function: &str) -> RequestBuilder {
        let request = self.http.post(format!("{}/api/register/{function}", self.url)).header("Accept", "text/html");
        self.with_cookie(request)
    }

    /// Posts a form.
    pub async fn post(&mut self, function: &str, form: &[(&str, &str)]) -> Answer {
        let request = self.posting(function).form(form);
        self.send(request).await
    }

    /// Submits the form.
    pub async fn submit(&mut self, email: &str, phone: &str) -> Answer {
        self.post("submit", &[("email", email), ("phone", phone)]).await
    }

    /// Reads what a page is drawn from.
    pub async fn read(&mut self, function: &str) -> Answer {
        let request = self.with_cookie(self.http.post(format!("{}/api/register/{function}", self.url)));
        self.send(request.form(&[("", "")])).await
    }

    /// Polls.
    pub async fn poll(&mut self, token: &str) -> Answer {
        let poll = self.http.get(format!("{}/api/connections/session?sessionId={}", self.url, self.id));
        self.send(poll.bearer_auth(token)).await
    }

    /// Opens a socket.
    pub async fn watch(&self) -> Watcher {
        let address = self.url.replacen("http", "ws", 1);
        let query = format!("sessionId={}&token={}", self.id, self.token);
        Watcher::connect(&format!("{address}/ws/connections?{query}"), &[]).await.unwrap()
    }

    /// Takes the code with a wallet of this holder: the address of the wallet's page.
    pub async fn take(&self, holder: &str) -> String {
        let form = [("link", &*self.link), ("holder", holder)];
        let taken = self.http.post(format!("{}/sandbox/wallet", self.url)).form(&form).send().await.unwrap();
        format!("{}{}", self.url, taken.headers()["location"].to_str().unwrap())
    }

    /// The wallet answers the request that is there.
    pub async fn answer(&self, wallet: &str, answer: &str) {
        self.http.post(wallet).form(&[("answer", answer)]).send().await.unwrap();
    }

    /// Goes the way from the code to what is verified.
    pub async fn verify(&self, holder: &str) {
        let mut watcher = self.watch().await;
        let wallet = self.take(holder).await;
        watcher.until("requested").await;
        self.answer(&wallet, "share").await;
        watcher.until("verified").await;
    }
}
