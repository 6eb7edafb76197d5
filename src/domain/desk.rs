//! The desk: what this registration is about, in the words of whoever runs it. Read from `registration.toml`; the code
//! knows nothing about students. *Runs: both.*

use serde::{Deserialize, Serialize};

/// One registration desk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Desk {
    /// What one registers for.
    pub title: String,
    /// Who asks.
    pub organisation: String,
    /// One or two sentences for the first page.
    #[serde(default)]
    pub introduction: String,
    /// What the wallet shows with the request for the data.
    #[serde(default)]
    pub comment: String,
    /// How long a registration is kept before it is deleted, for instance `90d`.
    #[serde(with = "humantime_length", default = "default_keep")]
    pub keep: std::time::Duration,
    /// What the code on screen holds.
    #[serde(default)]
    pub code: CodeForm,
    /// The credential that is asked for.
    pub credential: Credential,
    /// Which of its attributes, and why. At least one.
    #[serde(rename = "attribute")]
    pub attributes: Vec<Attribute>,
    /// How a phone reaches the wallet.
    #[serde(default)]
    pub wallet: Wallet,
}

/// What the code on screen holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeForm {
    /// Our own short link: light enough to scan from a cheap phone.
    #[default]
    Link,
    /// The platform's invitation URL as it came, for wallets that cannot fetch.
    Direct,
}

/// The credential that is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credential {
    /// Its name, as people know it.
    pub name: String,
    /// The schema, `<did>:2:<name>:<version>`. Optional: the definition alone decides.
    #[serde(default)]
    pub schema_id: Option<String>,
    /// The credential definition, `<did>:3:CL:<seq>:<tag>`. Mandatory: without it any issuer's card would do (contract 4.1).
    pub cred_def_id: String,
}

/// One attribute that is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attribute {
    /// Its name in the credential's schema, exact.
    pub name: String,
    /// What people call it.
    pub label: String,
    /// Why it is needed, as half a sentence.
    #[serde(default)]
    pub purpose: String,
}

/// How a phone reaches the wallet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wallet {
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// Links that open it; `{oob}` stands for the invitation, base64url (contract 6.2). The first one is the main one.
    #[serde(default)]
    pub links: Vec<String>,
    /// Where to get it for iOS.
    #[serde(default)]
    pub app_store: Option<String>,
    /// Where to get it for Android.
    #[serde(default)]
    pub play_store: Option<String>,
}

fn default_keep() -> std::time::Duration {
    std::time::Duration::from_secs(90 * 24 * 60 * 60)
}

/// Lengths of time as `90d` or `12h`.
mod humantime_length {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(length: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&humantime::format_duration(*length))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        humantime::parse_duration(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl Desk {
    /// What is wrong with this desk beyond its form, one sentence each; empty when nothing is.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.title.trim().is_empty() {
            faults.push("`title` is empty".to_owned());
        }
        if self.credential.cred_def_id.trim().is_empty() {
            faults.push("`credential.cred_def_id` is empty: without it any issuer's card would be accepted".to_owned());
        }
        if self.attributes.is_empty() {
            faults.push("there is no `[[attribute]]`: a desk asks for at least one".to_owned());
        }
        for (place, attribute) in self.attributes.iter().enumerate() {
            if attribute.name.trim().is_empty() {
                faults.push(format!("attribute {} has no `name`", place + 1));
            }
            if self.attributes[..place].iter().any(|earlier| earlier.name == attribute.name) {
                faults.push(format!("attribute `{}` is there twice", attribute.name));
            }
        }
        for link in &self.wallet.links {
            if !link.contains("{oob}") {
                faults.push(format!("wallet link `{link}` has no `{{oob}}` for the invitation"));
            }
        }
        faults
    }
}
