//! The desk: what this registration is about, in the words of whoever runs it. Read from `registration.toml`; the code
//! knows nothing about students. *Runs: both.*

use std::{
    collections::BTreeMap,
    fmt::{self, Write},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::{time::in_words, translation::Translation};

/// One registration desk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Desk {
    /// What one registers for.
    pub title: String,
    /// Who asks.
    pub organisation: String,
    /// One or two sentences for the first page; may be empty.
    pub introduction: String,
    /// What the wallet shows with the request for the data; may be empty. See [`Desk::request_comment`].
    pub comment: String,
    /// What follows after registering, for the page that confirms it; may be empty.
    pub after: String,
    /// What the code on screen holds.
    pub code: CodeForm,
    /// How long each part may take, and how long what comes of it is kept.
    pub lifetimes: Lifetimes,
    /// The credential that is asked for.
    pub credential: Credential,
    /// Which of its attributes, and why. At least one, and no name twice: the platform refuses that (contract 4.1).
    pub attributes: Vec<Attribute>,
    /// How a phone reaches the wallet.
    pub wallet: Wallet,
    /// The texts in other languages, by their tags (BCP 47). A page gets one of them, in place of the desk's own.
    #[serde(skip)]
    pub translations: BTreeMap<String, Translation>,
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

/// How long each part of a registration may take, and how long what comes of it is kept. None is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifetimes {
    /// From the code on screen until a wallet answers it. `None`: `SESSION_TTL` decides.
    pub code: Option<Duration>,
    /// From the wallet's first answer until the data is verified.
    pub wallet: Duration,
    /// From verified until the form is submitted.
    pub form: Duration,
    /// After this a registration that was never submitted is deleted, counted from its beginning.
    pub unfinished: Duration,
    /// After this a registration that was submitted is deleted.
    pub keep: Duration,
}

impl Default for Lifetimes {
    fn default() -> Self {
        const HOUR: u64 = 60 * 60;
        Self {
            code: None,
            wallet: Duration::from_secs(10 * 60),
            form: Duration::from_secs(HOUR),
            unfinished: Duration::from_secs(7 * 24 * HOUR),
            keep: Duration::from_secs(90 * 24 * HOUR),
        }
    }
}

/// The credential that is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// Its name, as people know it.
    pub name: String,
    /// Who issues it, as people know them; may be empty.
    pub issuer: String,
    /// How one gets it into the wallet, in a sentence or two; may be empty.
    pub how_to_get: String,
    /// In which form it is proven.
    pub format: Format,
    /// The schema, `<did>:2:<name>:<version>`. Optional: the definition alone decides.
    pub schema_id: Option<String>,
    /// The credential definition, `<did>:3:CL:<seq>:<tag>`. Mandatory: without it any issuer's card would do (contract
    /// 4.1). Empty where the format knows none.
    pub cred_def_id: String,
}

/// In which form a credential is proven.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Format {
    /// AnonCreds.
    #[default]
    AnonCreds,
    /// AnonCreds under its former name, which agents with an older wallet call it by.
    Indy,
    /// A JSON-LD credential, by DIF presentation exchange.
    Dif(JsonLd),
}

/// What tells one JSON-LD credential from another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JsonLd {
    /// Its type as an address, such as `https://w3id.org/citizenship#PermanentResidentCard`.
    pub credential_type: String,
    /// Who has to have issued it.
    pub issuer_did: String,
    /// Its `@context`, exactly: what its words mean. Another one could give them any meaning.
    pub contexts: Vec<serde_json::Value>,
}

impl Format {
    /// Whether it is of the AnonCreds kind: named by its definition, and able to prove a condition without what it is about.
    #[must_use]
    pub const fn is_anoncreds(&self) -> bool {
        !matches!(self, Self::Dif(_))
    }
}

impl Credential {
    /// The issuer's DID; in AnonCreds what stands before `:3:CL:` in the definition's id. `None` when the id has another
    /// form.
    #[must_use]
    pub fn issuer_did(&self) -> Option<&str> {
        if let Format::Dif(card) = &self.format {
            return Some(&card.issuer_did);
        }
        self.cred_def_id.split_once(":3:CL:").map(|(did, _)| did).filter(|did| !did.is_empty())
    }
}

/// One attribute that is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribute {
    /// Its name in the credential's schema, exact.
    pub name: String,
    /// What people call it.
    pub label: String,
    /// Why it is needed, as half a sentence; may be empty.
    pub purpose: String,
    /// Whether one cannot register without it.
    pub required: bool,
    /// What is to be proven of it, instead of revealing it. `None`: it is revealed.
    pub predicate: Option<Predicate>,
}

/// A condition on a number that a wallet proves without revealing the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Predicate {
    /// How the number compares
    pub condition: Condition,
    /// to this one.
    pub value: i64,
}

/// As people say it: `at least 60`.
impl fmt::Display for Predicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.condition.in_words())?;
        write!(f, " {}", self.value)
    }
}

/// How a number compares to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Condition {
    /// Greater or equal.
    #[serde(rename = ">=")]
    AtLeast,
    /// Less or equal.
    #[serde(rename = "<=")]
    AtMost,
    /// Greater.
    #[serde(rename = ">")]
    MoreThan,
    /// Less.
    #[serde(rename = "<")]
    LessThan,
}

impl Condition {
    /// Every condition there is.
    pub const ALL: [Self; 4] = [Self::AtLeast, Self::AtMost, Self::MoreThan, Self::LessThan];

    /// As the platform spells it, and the desk's file: `>=`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AtLeast => ">=",
            Self::AtMost => "<=",
            Self::MoreThan => ">",
            Self::LessThan => "<",
        }
    }

    fn in_words(self) -> &'static str {
        match self {
            Self::AtLeast => "at least",
            Self::AtMost => "at most",
            Self::MoreThan => "more than",
            Self::LessThan => "less than",
        }
    }
}

/// How a phone reaches the wallet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wallet {
    /// Its name; may be empty.
    pub name: String,
    /// Links that open it; `{oob}` stands for the invitation, base64url (contract 6.2). The first one is the main one.
    pub links: Vec<String>,
    /// Where to get it for iOS.
    pub app_store: Option<String>,
    /// Where to get it for Android.
    pub play_store: Option<String>,
}

impl Desk {
    /// What the wallet shows with the request: the desk's comment and the code that the page shows too, so that a person
    /// can tell whether the request is the one of their page.
    #[must_use]
    pub fn request_comment(&self, code: &str) -> String {
        let comment = self.comment.trim();
        if comment.is_empty() {
            format!("Share your {} (code {code})", self.credential.name)
        } else {
            format!("{comment} (code {code})")
        }
    }

    /// Everything that a person agrees to on `/register`, in every language in which it is shown, as plain text, the same
    /// for the same terms. Its hash names the version of the terms, so it holds nothing but terms: neither links nor words
    /// of welcome.
    #[must_use]
    pub fn consent_text(&self) -> String {
        let mut text = self.terms();
        for tag in self.translations.keys() {
            // Writing to a String cannot fail.
            let _ = write!(text, "\n[{tag}]\n{}", self.in_language(tag).terms());
        }
        text
    }

    fn terms(&self) -> String {
        let Credential { name, issuer, .. } = &self.credential;
        let mut text = format!("Registration: {}\nAsked by: {}\nCredential: {name}\n", self.title, self.organisation);
        if !issuer.is_empty() {
            let _ = writeln!(text, "Issued by: {issuer}");
        }
        for Attribute { name, label, purpose, required, predicate } in &self.attributes {
            let _ = write!(text, "- {label} ({name}), {}", if *required { "required" } else { "optional" });
            if let Some(predicate) = predicate {
                let _ = write!(text, ", only proven to be {predicate}");
            }
            let _ = writeln!(text, ": {purpose}");
        }
        if !self.credential.format.is_anoncreds() {
            text.push_str("Sent besides, and not kept: the rest of the card\n");
        }
        let _ = writeln!(
            text,
            "Typed besides: an e-mail address and a phone number\nSeen besides: the name of the wallet\nDeleted after: {}\nDeleted if not finished after: {}",
            in_words(self.lifetimes.keep),
            in_words(self.lifetimes.unfinished)
        );
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn desk() -> Desk {
        let attribute = |name: &str, predicate: Option<Predicate>| Attribute {
            name: name.to_owned(),
            label: name.to_uppercase(),
            purpose: format!("to know the {name}"),
            required: predicate.is_none(),
            predicate,
        };
        Desk {
            title: "Library".to_owned(),
            organisation: "The town".to_owned(),
            introduction: String::new(),
            comment: "Share your Town Card".to_owned(),
            after: String::new(),
            code: CodeForm::Link,
            lifetimes: Lifetimes::default(),
            credential: Credential {
                name: "Town Card".to_owned(),
                issuer: "The registry".to_owned(),
                how_to_get: String::new(),
                format: Format::default(),
                schema_id: None,
                cred_def_id: "Th7MpTaRZVRYnPiabds81Y:3:CL:1482:Town Card".to_owned(),
            },
            attributes: vec![
                attribute("name", None),
                attribute("age", Some(Predicate { condition: Condition::AtLeast, value: 16 })),
            ],
            wallet: Wallet::default(),
            translations: BTreeMap::new(),
        }
    }

    #[test]
    fn a_predicate_is_said_to_people_and_spelled_for_the_platform() {
        let said = Condition::ALL.map(|condition| (condition.as_str(), Predicate { condition, value: 60 }.to_string()));
        let said = said.each_ref().map(|(spelled, words)| (*spelled, words.as_str()));
        assert_eq!(said, [(">=", "at least 60"), ("<=", "at most 60"), (">", "more than 60"), ("<", "less than 60")]);
        for condition in Condition::ALL {
            assert_eq!(serde_json::to_value(condition).unwrap(), condition.as_str());
        }
    }

    #[test]
    fn the_issuer_is_read_from_the_credential_definition() {
        let mut credential = desk().credential;
        assert_eq!(credential.issuer_did(), Some("Th7MpTaRZVRYnPiabds81Y"));
        for other in ["", "Th7MpTaRZVRYnPiabds81Y", ":3:CL:1482:Town Card", "Th7MpTaRZVRYnPiabds81Y:2:Town Card:1.0"] {
            other.clone_into(&mut credential.cred_def_id);
            assert_eq!(credential.issuer_did(), None, "{other:?}");
        }
    }

    #[test]
    fn the_wallet_shows_the_comment_with_the_code() {
        let mut desk = desk();
        desk.comment = "Share your Town Card to borrow ".to_owned();
        assert_eq!(desk.request_comment("K7P4"), "Share your Town Card to borrow (code K7P4)");
        desk.comment = " ".to_owned();
        assert_eq!(desk.request_comment("K7P4"), "Share your Town Card (code K7P4)");
    }

    #[test]
    fn the_terms_are_all_in_the_text_that_is_agreed_to() {
        assert_eq!(
            desk().consent_text(),
            "Registration: Library\nAsked by: The town\nCredential: Town Card\nIssued by: The registry\n\
             - NAME (name), required: to know the name\n\
             - AGE (age), optional, only proven to be at least 16: to know the age\n\
             Typed besides: an e-mail address and a phone number\nSeen besides: the name of the wallet\nDeleted after: 90 days\nDeleted if not finished after: 7 days\n"
        );
    }

    #[test]
    fn other_terms_are_another_text() {
        let day = Duration::from_secs(24 * 60 * 60);
        let changes: [fn(&mut Desk); 8] = [
            |desk| desk.organisation.push('s'),
            |desk| desk.credential.issuer.clear(),
            |desk| desk.attributes[0].purpose.push('s'),
            |desk| desk.attributes[0].required = false,
            |desk| desk.attributes[1].predicate = None,
            |desk| desk.attributes.swap(0, 1),
            |desk| desk.lifetimes.keep *= 2,
            |desk| desk.lifetimes.unfinished *= 2,
        ];
        let mut texts = vec![desk().consent_text()];
        for change in changes {
            let mut desk = desk();
            change(&mut desk);
            texts.push(desk.consent_text());
        }
        let mut longer = desk();
        longer.lifetimes.keep += day;
        texts.push(longer.consent_text());
        for (place, text) in texts.iter().enumerate() {
            assert!(!texts[..place].contains(text), "two of them are alike:\n{text}");
        }
    }

    #[test]
    fn what_is_not_a_term_changes_nothing() {
        let changes: [fn(&mut Desk); 4] = [
            |desk| desk.wallet.links.push("town://?oob={oob}".to_owned()),
            |desk| desk.wallet.play_store = Some("https://store.example.org".to_owned()),
            |desk| desk.introduction.push_str("Welcome."),
            |desk| desk.lifetimes.form *= 2,
        ];
        for change in changes {
            let mut changed = desk();
            change(&mut changed);
            assert_eq!(changed.consent_text(), desk().consent_text());
        }
    }
}
