//! A browser without scripts: it posts forms, is sent on, and reads pages. What pages are drawn from it reads at the
//! doorway, so that these tests say nothing about markup.

use reqwest::{RequestBuilder, Response, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::json;
use vestibule::{
    api::{ApplicationView, ConfirmationView},
    domain::ids::SessionId,
};

use crate::{
    harness::{Desk, Opened, PATIENCE},
    sandbox::{Wallet, behave},
};

/// An address and a number that are right, as somebody types them.
pub const EMAIL: &str = "made-up.person@example.org";
pub const PHONE: &str = "+234 809 555 0199";

/// The browser of one session, or of none.
pub struct Browser<'a> {
    pub desk: &'a Desk,
    cookie: Option<String>,
}

impl<'a> Browser<'a> {
    /// The browser that this session belongs to.
    pub fn of(desk: &'a Desk, opened: &Opened) -> Self {
        Self::with_token(desk, &opened.token)
    }

    /// A browser with this token, good or not.
    pub fn with_token(desk: &'a Desk, token: &str) -> Self {
        Self { desk, cookie: Some(format!("vestibule={token}")) }
    }

    /// A browser that was never here.
    pub fn stranger(desk: &'a Desk) -> Self {
        Self { desk, cookie: None }
    }

    fn with_cookie(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.cookie {
            Some(cookie) => request.header("Cookie", cookie),
            None => request,
        }
    }

    /// A form's post that is not sent yet.
    pub fn posting(&self, function: &str) -> RequestBuilder {
        let post = self.desk.http.post(format!("{}/api/register/{function}", self.desk.url));
        self.with_cookie(post).header("Accept", "text/html")
    }

    /// Posts a form, and says where it sends the browser.
    pub async fn post(&self, function: &str, form: &[(&str, &str)]) -> String {
        sent_to(&self.posting(function).form(form).send().await.unwrap())
    }

    /// Submits the form.
    pub async fn submit(&self, email: &str, phone: &str) -> String {
        self.post("submit", &[("email", email), ("phone", phone)]).await
    }

    /// Opens a page.
    pub async fn page(&self, path: &str) -> Response {
        let get = self.desk.http.get(format!("{}{path}", self.desk.url));
        self.with_cookie(get).header("Accept", "text/html").send().await.unwrap()
    }

    async fn view<T: DeserializeOwned>(&self, function: &str) -> Option<T> {
        let post = self.desk.http.post(format!("{}/api/register/{function}", self.desk.url));
        let answer = self.with_cookie(post).form(&[("", "")]).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{function}");
        assert_eq!(answer.headers()["cache-control"], "no-store", "{function}");
        answer.json().await.unwrap()
    }

    /// What `/register/application` is drawn from; `None` when the browser is sent elsewhere.
    pub async fn application(&self) -> Option<ApplicationView> {
        self.view("shared").await
    }

    /// What `/register/confirmation` is drawn from; `None` when the browser is sent elsewhere.
    pub async fn confirmation(&self) -> Option<ConfirmationView> {
        self.view("confirmed").await
    }
}

/// Where an answer sends the browser.
pub fn sent_to(answer: &Response) -> String {
    assert_eq!(answer.status(), StatusCode::FOUND, "{:?}", answer.headers());
    answer.headers()["location"].to_str().unwrap().to_owned()
}

/// A registration whose wallet answered the request like this, as far as it goes by itself.
pub async fn answered(desk: &Desk, holder: &str, answer: &str) -> Opened {
    behave(desk, json!({ "pace": 0 })).await;
    let opened = desk.open().await;
    let mut watcher = desk.watch(&opened).await;
    let wallet = Wallet::connect(desk, &opened, holder).await;
    watcher.until("requested").await;
    wallet.answer(answer).await;
    watcher.until("verified").await;
    opened
}

/// A registration that is verified, of this holder.
pub async fn verified(desk: &Desk, holder: &str) -> Opened {
    answered(desk, holder, "share").await
}

/// Lets time pass until the registration is at this stage.
pub async fn until_stage(desk: &Desk, id: SessionId, stage: &str, step: std::time::Duration) {
    let reached = async {
        loop {
            let session = desk.app.sessions.store.session(id).await.unwrap().unwrap();
            if session.progress.stage.as_str() == stage {
                return;
            }
            desk.pass(step).await;
        }
    };
    tokio::time::timeout(PATIENCE, reached).await.unwrap_or_else(|_| panic!("it never was {stage}"));
}
