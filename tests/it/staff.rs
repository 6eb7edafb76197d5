//! A browser of the staff's. What pages are drawn from it reads at the doorway, as visitors' browsers do.

use reqwest::{RequestBuilder, Response, StatusCode};
use serde::de::DeserializeOwned;
use vestibule::api::admin::{BoardView, FiguresView, RecordView, RegistrationView, StraysView};

use crate::{
    browser::sent_to,
    harness::{ADMIN_TOKEN, Desk, Watcher},
};

/// The browser of somebody who is signed in, or is not.
pub struct Staff<'a> {
    pub desk: &'a Desk,
    pub cookie: String,
}

impl<'a> Staff<'a> {
    /// Somebody of this name, who signed in.
    pub async fn sign_in(desk: &'a Desk, name: &str) -> Self {
        let stranger = Self { desk, cookie: String::new() };
        let answer = stranger.signing_in(name, ADMIN_TOKEN).send().await.unwrap();
        assert_eq!(sent_to(&answer), "/admin");
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
        Self { desk, cookie: cookie.split(';').next().unwrap().to_owned() }
    }

    /// The form with which one signs in, not sent yet.
    pub fn signing_in(&self, name: &str, token: &str) -> RequestBuilder {
        self.posting("sign-in").form(&[("name", name), ("token", token), ("next", "")])
    }

    /// A form of a page of ours, not sent yet.
    pub fn posting(&self, function: &str) -> RequestBuilder {
        self.foreign(function).header("Origin", &self.desk.url)
    }

    /// The same, without saying which page it comes from.
    pub fn foreign(&self, function: &str) -> RequestBuilder {
        let post = self.desk.http.post(format!("{}/api/admin/{function}", self.desk.url));
        post.header("Cookie", &self.cookie).header("Accept", "text/html")
    }

    /// Opens a page.
    pub async fn page(&self, path: &str) -> Response {
        let get = self.desk.http.get(format!("{}{path}", self.desk.url)).header("Cookie", &self.cookie);
        get.header("Accept", "text/html").send().await.unwrap()
    }

    /// Does something about a registration; says where that leads.
    pub async fn act(&self, session: &str, attempt: u32, what: &str) -> String {
        let form = [("session", session), ("attempt", &attempt.to_string()), ("what", what)];
        sent_to(&self.posting("act").form(&form).send().await.unwrap())
    }

    /// Does something about a delivery; says where that leads.
    pub async fn settle(&self, id: i64, what: &str) -> String {
        let form = [("id", &*id.to_string()), ("what", what)];
        sent_to(&self.posting("settle").form(&form).send().await.unwrap())
    }

    async fn view<T: DeserializeOwned>(&self, function: &str, form: &[(&str, &str)]) -> T {
        let post = self.desk.http.post(format!("{}/api/admin/{function}", self.desk.url)).form(form);
        let answer = post.header("Cookie", &self.cookie).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{function}");
        assert_eq!(answer.headers()["cache-control"], "no-store", "{function}");
        answer.json::<Option<T>>().await.unwrap().expect("signed in")
    }

    /// What the board shows of a list, a search, or a place in them.
    pub async fn board(&self, form: &[(&str, &str)]) -> BoardView {
        self.view("board", form).await
    }

    /// What the page of a registration shows.
    pub async fn registration(&self, session: &str) -> RegistrationView {
        self.view("registration", &[("session", session)]).await
    }

    /// The deliveries that belong to no registration.
    pub async fn strays(&self) -> StraysView {
        self.view("deliveries", &[("older", "")]).await
    }

    /// What staff did, the newest first.
    pub async fn record(&self) -> RecordView {
        self.view("record", &[("older", "")]).await
    }

    /// The names of what staff did, the newest first.
    pub async fn deeds(&self) -> Vec<String> {
        self.record().await.lines.into_iter().map(|line| line.deed).collect()
    }

    /// The figures.
    pub async fn figures(&self, range: &str) -> FiguresView {
        self.view("figures", &[("range", range)]).await
    }

    /// The board's socket.
    pub async fn watch(&self) -> Watcher {
        let url = format!("{}/ws/admin", self.desk.url.replacen("http", "ws", 1));
        Watcher::connect(&url, &[("origin", &self.desk.url), ("cookie", &self.cookie)]).await.unwrap()
    }
}
