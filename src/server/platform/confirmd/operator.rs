//! What an operator asks of the ConfirmD Platform and the server itself never does: whether the account is let in, and where
//! webhooks go (contract 1 and 5.1). Which of the calls for the latter a deployment knows is found out by calling.
//!
//! Called by `doctor` and the command `webhook`. *Runs: server.*

use reqwest::{Method, StatusCode, Url};
use serde_json::{Value, json};

use super::Client;
use crate::server::{
    platform::{
        PlatformError,
        http::{self, answer_error, missing, read, text, within},
    },
    secrets::Secret,
};

/// The most that is shown of the platform's own words.
const WORDS: usize = 300;

/// Where the platform sends its webhooks, as far as it tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Registered {
    /// To this address.
    At(String),
    /// Nowhere yet.
    Nowhere,
    /// It does not know the call.
    Untold,
}

/// How the platform took an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// With the secret: it signs its webhooks with that.
    WithSecret,
    /// Alone: its webhooks show nothing by which they could be told from anybody's.
    Alone,
    /// As an app, with the secret: its webhooks carry that.
    AsApp {
        /// The app's id.
        id: String,
        /// The address that it has now.
        address: Option<String>,
    },
}

/// Why the address was not registered.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NotRegistered {
    /// The call failed.
    #[error(transparent)]
    Failed(#[from] PlatformError),
    /// The platform does not want it.
    #[error("the platform refuses it (HTTP {status}): {words}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Its own words, without the secret.
        words: String,
    },
    /// It has none of the calls that are known here.
    #[error("the platform knows none of the calls by which an address is registered")]
    NoSuchCall,
}

/// An answer, whatever its status.
struct Answer {
    status: StatusCode,
    error: Option<PlatformError>,
    envelope: Value,
}

impl Answer {
    /// What the platform says, a text or a list of texts (contract 0), without what is to be hidden: it may repeat what it was
    /// sent.
    fn words(&self, hidden: &[&str]) -> String {
        let words = match &self.envelope["message"] {
            Value::Array(texts) => texts.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("; "),
            message => message.as_str().unwrap_or("it does not say why").to_owned(),
        };
        let words = hidden.iter().fold(words, |words, secret| words.replace(secret, "…"));
        words.chars().map(|one| if one.is_control() { ' ' } else { one }).take(WORDS).collect()
    }

    /// Whether there is no such call, rather than no such record: the platform's framework says "Cannot POST /…" then, and a
    /// gateway in front of it something of its own.
    fn is_no_call(&self) -> bool {
        let is_not_its_own = !self.envelope.is_object() || self.words(&[]).starts_with("Cannot ");
        self.status == StatusCode::METHOD_NOT_ALLOWED || self.status == StatusCode::NOT_FOUND && is_not_its_own
    }

    /// Whether it refuses a field of this name, whatever is in it. A field that it knows and finds wanting is another matter.
    fn refuses_field(&self, name: &str) -> bool {
        self.status == StatusCode::BAD_REQUEST && self.words(&[]).contains(&format!("property {name} should not exist"))
    }

    /// Its data, where it is a good answer.
    fn data(mut self) -> Result<Value, PlatformError> {
        self.error.map_or_else(|| Ok(self.envelope["data"].take()), Err)
    }
}

impl Client {
    /// Signs in at the token service, if it has not.
    ///
    /// # Errors
    /// When there is no token.
    pub async fn sign_in(&self) -> Result<(), PlatformError> {
        self.token().await.map(drop)
    }

    /// Reads the organisation, which needs a token that the platform takes.
    ///
    /// # Errors
    /// When the platform does not answer, or does not let the account in.
    pub async fn read_organisation(&self) -> Result<(), PlatformError> {
        self.asked(&Method::GET, &["orgs", &self.settings.org_id], &[], None).await?.data().map(drop)
    }

    /// Where the platform sends webhooks.
    ///
    /// # Errors
    /// When the platform does not answer.
    pub async fn webhook_address(&self) -> Result<Registered, PlatformError> {
        let query = [("orgId", &*self.settings.org_id)];
        let answer = self.asked(&Method::GET, &["webhooks", "orgs", "webhookurl"], &query, None).await?;
        if answer.is_no_call() {
            return Ok(Registered::Untold);
        }
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(Registered::Nowhere);
        }
        Ok(address_in(&answer.data()?).map_or(Registered::Nowhere, Registered::At))
    }

    /// Has the platform send its webhooks to this address, with this secret where it can. What was registered before is
    /// replaced, but for apps: each call makes another one.
    ///
    /// # Errors
    /// When it was not registered.
    pub async fn register_webhook(&self, address: &Url, secret: Option<&Secret>) -> Result<Taken, NotRegistered> {
        let register = ["webhooks", "orgs", &self.settings.org_id, "register"];
        let mut answer = self.asked(&Method::POST, &register, &[], Some(&body(address, secret))).await?;
        if answer.is_no_call() {
            return self.register_app(address, secret).await;
        }
        if secret.is_some() && answer.refuses_field("webhookSecret") {
            answer = self.asked(&Method::POST, &register, &[], Some(&body(address, None))).await?;
        }
        let data = taken(answer, address, secret)?;
        // A platform that drops the secret without a word answers with the address alone (contract 0, unknown fields).
        Ok(if secret.is_some() && text(&data, "webhookSecret").is_some() { Taken::WithSecret } else { Taken::Alone })
    }

    async fn register_app(&self, address: &Url, secret: Option<&Secret>) -> Result<Taken, NotRegistered> {
        let apps = ["orgs", &*self.settings.org_id, "apps"];
        let mut body = body(address, secret);
        body["name"] = json!("Vestibule");
        body["description"] = json!("A registration desk");
        body["clientContext"] = json!({});
        let answer = self.asked(&Method::POST, &apps, &[], Some(&body)).await?;
        if answer.is_no_call() {
            return Err(NotRegistered::NoSuchCall);
        }
        let data = taken(answer, address, secret)?;
        let id = text(&data, "id").ok_or_else(|| missing("id of the app"))?;
        // What such an answer looks like is not known (contract 5.1): where it has no address, the first one told it.
        let read = self.asked(&Method::GET, &["orgs", &self.settings.org_id, "apps", &id], &[], None).await;
        let read = read.and_then(Answer::data).ok();
        let address = read.as_ref().and_then(address_in).or_else(|| address_in(&data));
        Ok(Taken::AsApp { id, address })
    }

    async fn asked(
        &self,
        method: &Method,
        path: &[&str],
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Answer, PlatformError> {
        let url = http::address(&self.settings.base_url, path.iter().copied())?;
        within(self.timeout, async {
            let answer = self.ask(method, &url, query, body).await?;
            let (status, error) = (answer.status(), answer_error(&answer));
            let envelope = serde_json::from_slice(&read(answer).await?);
            if error.is_none() && !matches!(envelope, Ok(Value::Object(_))) {
                return Err(PlatformError::Nonsense("an answer is not the JSON envelope".to_owned()));
            }
            Ok(Answer { status, error, envelope: envelope.unwrap_or_default() })
        })
        .await
    }
}

fn body(address: &Url, secret: Option<&Secret>) -> Value {
    let mut body = json!({ "webhookUrl": address.as_str() });
    if let Some(Secret(secret)) = secret {
        body["webhookSecret"] = json!(secret);
    }
    body
}

/// The data of an answer to a wish to register; otherwise why it was refused.
fn taken(answer: Answer, address: &Url, secret: Option<&Secret>) -> Result<Value, NotRegistered> {
    if let Some(PlatformError::Refused(status)) = answer.error {
        let hidden: Vec<&str> =
            secret.iter().map(|secret| &*secret.0).chain([address.as_str(), address.path()]).collect();
        return Err(NotRegistered::Refused { status, words: answer.words(&hidden) });
    }
    Ok(answer.data()?)
}

/// The address in an answer: by itself, or beside other fields.
fn address_in(data: &Value) -> Option<String> {
    data.as_str().filter(|text| !text.is_empty()).map(str::to_owned).or_else(|| text(data, "webhookUrl"))
}
