//! One registration: its session, the deadlines of its stages, and the public snapshot of it. *Runs: both.*

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    ids::SessionId,
    stage::{Event, Outcome, Progress, Stage},
    status::{EventType, Status},
    time::Timestamp,
};

/// How long each part of a registration may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// From the code on screen until a wallet answers it.
    pub code: Duration,
    /// From the wallet's first answer until the data is verified.
    pub wallet: Duration,
    /// From verified until the form is submitted.
    pub form: Duration,
}

/// One registration. Only the server changes it, and only through the methods here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its name; never in a page's URL.
    pub id: SessionId,
    /// Counts the attempts, from 1: each with a new code, or over the same connection. Events of an earlier attempt never reach a later one.
    pub attempt: u32,
    /// Raised by one with every change. Clients order by it alone.
    pub version: u64,
    /// Where it stands.
    pub progress: Progress,
    /// Whether something that is not a browser fetched the short link of this attempt: the first sign of a scan.
    pub opened: bool,
    /// Whether what the server has to do next had to be put off, because the platform does not answer as it should.
    pub delayed: bool,
    /// The name the holder gave the wallet: personal, untrusted text.
    pub their_label: Option<String>,
    /// Which text the person consented to: the fingerprint of the desk's consent text.
    pub consent: String,
    /// When the person consented and the session began.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// The deadline of the present stage.
    pub expires_at: Timestamp,
}

/// The longest wallet name kept, in characters. A longer one is cut: it is a stranger's text on our page.
const LABEL_LIMIT: usize = 64;

impl Session {
    /// A new registration, waiting for its first code to be scanned.
    #[must_use]
    pub fn open(id: SessionId, consent: String, now: Timestamp, deadlines: &Deadlines) -> Self {
        Self {
            id,
            attempt: 1,
            version: 1,
            progress: Progress::START,
            opened: false,
            delayed: false,
            their_label: None,
            consent,
            created_at: now,
            updated_at: now,
            expires_at: now.plus(deadlines.code),
        }
    }

    /// Applies an event; when it moves the session, raises the version and sets the deadline of the new stage.
    pub fn apply(&mut self, event: Event, now: Timestamp, deadlines: &Deadlines) -> Outcome {
        let before = self.progress.stage;
        let outcome = self.progress.apply(event);
        if outcome == Outcome::Advanced {
            self.changed(now);
            self.delayed = false;
            match self.progress.stage {
                Stage::Verified => self.expires_at = now.plus(deadlines.form),
                // The person's part is done: a platform that is slow to confirm it must not cost them the registration.
                Stage::Presented => self.expires_at = now.plus(deadlines.wallet),
                stage if stage.is_end() => self.expires_at = now,
                // The wallet's time is one stretch: its later steps do not lengthen it.
                _ if before == Stage::Waiting => self.expires_at = now.plus(deadlines.wallet),
                _ => {}
            }
        }
        outcome
    }

    /// Notes that a wallet fetched the short link. Says whether that was news.
    pub fn open_link(&mut self, now: Timestamp) -> bool {
        let news = !self.opened && self.progress.stage == Stage::Waiting;
        if news {
            self.opened = true;
            self.changed(now);
        }
        news
    }

    /// Notes the wallet's name. It raises no version of its own: it comes with the event that does. Says whether it was
    /// news.
    pub fn name_wallet(&mut self, label: &str) -> bool {
        let label: String = label.chars().filter(|c| !c.is_control()).take(LABEL_LIMIT).collect();
        let label = label.trim();
        let news = !label.is_empty() && self.their_label.as_deref() != Some(label);
        if news {
            self.their_label = Some(label.to_owned());
        }
        news
    }

    /// Notes that the server's next step has to wait for the platform. Says whether that was news.
    pub fn delay(&mut self, now: Timestamp) -> bool {
        let news = !self.delayed && !self.progress.stage.is_end();
        if news {
            self.delayed = true;
            self.changed(now);
        }
        news
    }

    /// Notes that the server's next step is done after all. Says whether that was news.
    pub fn resume(&mut self, now: Timestamp) -> bool {
        let news = std::mem::take(&mut self.delayed);
        if news {
            self.changed(now);
        }
        news
    }

    /// Whether a new code may begin a new attempt: while nobody scanned the present one, while the wallet is silent,
    /// and after every bad end.
    #[must_use]
    pub fn may_renew(&self) -> bool {
        matches!(self.progress.stage, Stage::Waiting | Stage::Requested) || self.has_ended_badly()
    }

    /// Whether the wallet may be asked once more, over the connection that stands.
    #[must_use]
    pub fn may_ask_again(&self) -> bool {
        matches!(self.progress.stage, Stage::Requested | Stage::Declined | Stage::Invalid | Stage::Expired)
    }

    fn has_ended_badly(&self) -> bool {
        self.progress.stage.is_end() && self.progress.stage != Stage::Submitted
    }

    /// Begins a new attempt with a new code.
    pub fn renew(&mut self, now: Timestamp, deadlines: &Deadlines) {
        self.begin(Progress::START, now, deadlines.code);
        self.opened = false;
        self.their_label = None;
    }

    /// Begins a new attempt over the connection that stands: the wallet is asked once more.
    pub fn ask_again(&mut self, now: Timestamp, deadlines: &Deadlines) {
        self.begin(Progress { stage: Stage::Requested, answered: true }, now, deadlines.wallet);
    }

    fn begin(&mut self, progress: Progress, now: Timestamp, time: Duration) {
        self.attempt += 1;
        self.progress = progress;
        self.delayed = false;
        self.changed(now);
        self.expires_at = now.plus(time);
    }

    fn changed(&mut self, now: Timestamp) {
        self.version += 1;
        self.updated_at = now;
    }

    /// The public state, as every client gets it. Holds nothing personal but the name of the wallet.
    #[must_use]
    pub fn snapshot(&self, now: Timestamp) -> Snapshot {
        Snapshot {
            session_id: self.id,
            attempt: self.attempt,
            version: self.version,
            stage: self.progress.stage,
            status: self.progress.status(),
            event_type: self.progress.event_type(),
            opened: self.opened,
            delayed: self.delayed,
            their_label: self.their_label.clone(),
            timestamp: self.updated_at.rfc3339(),
            expires_at: self.expires_at.rfc3339(),
            remaining_ms: self.expires_at.since(now),
        }
    }
}

/// The whole public state of a session, numbered. What the page is drawn from, and what a socket is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// The session.
    pub session_id: SessionId,
    /// The attempt; when it changes, the code on screen is another one.
    pub attempt: u32,
    /// Higher is newer.
    pub version: u64,
    /// Where the registration stands.
    pub stage: Stage,
    /// The same in the words of the platform.
    pub status: Status,
    /// Which protocol `status` speaks of.
    pub event_type: EventType,
    /// Whether a wallet fetched the code's link.
    pub opened: bool,
    /// Whether the platform keeps the server waiting; it goes on trying.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub delayed: bool,
    /// The name of the wallet, once it asked to connect.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub their_label: Option<String>,
    /// When the state last changed, RFC 3339.
    pub timestamp: String,
    /// The deadline of the stage, RFC 3339.
    pub expires_at: String,
    /// Milliseconds until the deadline when this was sent, so that a browser with a wrong clock counts right.
    pub remaining_ms: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEADLINES: Deadlines =
        Deadlines { code: Duration::from_secs(900), wallet: Duration::from_secs(600), form: Duration::from_secs(3600) };

    fn session() -> Session {
        Session::open(SessionId::new(Timestamp(0), [7; 16]), "c".to_owned(), Timestamp(1_000), &DEADLINES)
    }

    #[test]
    fn only_a_change_raises_the_version() {
        let mut session = session();
        assert_eq!(session.apply(Event::ConnectionRequested, Timestamp(2_000), &DEADLINES), Outcome::Advanced);
        assert_eq!((session.version, session.updated_at), (2, Timestamp(2_000)));
        assert_eq!(session.apply(Event::ConnectionRequested, Timestamp(3_000), &DEADLINES), Outcome::Repeated);
        assert_eq!((session.version, session.updated_at), (2, Timestamp(2_000)));
    }

    #[test]
    fn the_wallets_time_is_one_stretch_and_the_form_has_its_own() {
        let mut session = session();
        assert_eq!(session.expires_at, Timestamp(901_000));
        session.apply(Event::ConnectionRequested, Timestamp(2_000), &DEADLINES);
        assert_eq!(session.expires_at, Timestamp(602_000));
        session.apply(Event::ConnectionCompleted, Timestamp(9_000), &DEADLINES);
        assert_eq!(session.expires_at, Timestamp(602_000));
        session.apply(Event::PresentationReceived, Timestamp(9_500), &DEADLINES);
        assert_eq!(session.expires_at, Timestamp(609_500), "the platform's time is not the person's");
        session.apply(Event::ProofVerified, Timestamp(10_000), &DEADLINES);
        assert_eq!(session.expires_at, Timestamp(3_610_000));
    }

    #[test]
    fn a_delay_is_told_once_and_forgotten_with_the_next_step() {
        let mut session = session();
        assert!(session.delay(Timestamp(1_500)));
        assert!(!session.delay(Timestamp(1_600)));
        assert_eq!((session.version, session.snapshot(Timestamp(2_000)).delayed), (2, true));
        session.apply(Event::ConnectionRequested, Timestamp(2_000), &DEADLINES);
        assert!(!session.delayed);
        session.apply(Event::Cancelled, Timestamp(2_500), &DEADLINES);
        assert!(!session.delay(Timestamp(3_000)), "nothing is awaited after the end");
    }

    #[test]
    fn asking_again_keeps_the_wallet_and_begins_at_requested() {
        let mut session = session();
        assert!(!session.may_ask_again());
        session.name_wallet("Old phone");
        session.apply(Event::ProofRequested, Timestamp(1_500), &DEADLINES);
        assert!(session.may_ask_again(), "the wallet is silent");
        session.apply(Event::ProofDeclined, Timestamp(2_000), &DEADLINES);
        assert!(session.may_ask_again());
        session.ask_again(Timestamp(3_000), &DEADLINES);
        assert_eq!((session.attempt, session.version, session.progress.stage), (2, 4, Stage::Requested));
        assert_eq!(session.their_label.as_deref(), Some("Old phone"));
        assert_eq!(session.expires_at, Timestamp(603_000));
    }

    #[test]
    fn a_new_code_begins_a_clean_attempt() {
        let mut session = session();
        session.name_wallet("Old phone");
        session.open_link(Timestamp(1_500));
        session.apply(Event::ProofDeclined, Timestamp(2_000), &DEADLINES);
        assert!(session.may_renew());
        session.renew(Timestamp(3_000), &DEADLINES);
        assert_eq!(session.progress, Progress::START);
        assert_eq!((session.attempt, session.version, session.opened), (2, 4, false));
        assert_eq!(session.their_label, None);
        assert_eq!(session.expires_at, Timestamp(903_000));
    }

    #[test]
    fn a_registration_under_way_keeps_its_code() {
        let mut session = session();
        session.apply(Event::ConnectionRequested, Timestamp(2_000), &DEADLINES);
        assert!(!session.may_renew());
        session.apply(Event::ProofVerified, Timestamp(2_000), &DEADLINES);
        assert!(!session.may_renew());
    }

    #[test]
    fn a_link_is_opened_once_and_only_while_waiting() {
        let mut session = session();
        assert!(session.open_link(Timestamp(1_500)));
        assert!(!session.open_link(Timestamp(1_600)));
        assert_eq!(session.version, 2);
        session.apply(Event::ConnectionRequested, Timestamp(2_000), &DEADLINES);
        session.opened = false;
        assert!(!session.open_link(Timestamp(2_500)));
    }

    #[test]
    fn a_wallets_name_is_cut_and_cleaned() {
        let mut session = session();
        session.name_wallet("  Amaka\u{0}\n's phone ");
        assert_eq!(session.their_label.as_deref(), Some("Amaka's phone"));
        session.name_wallet(" ");
        assert_eq!(session.their_label.as_deref(), Some("Amaka's phone"));
        session.name_wallet(&"x".repeat(500));
        assert_eq!(session.their_label.as_ref().map(String::len), Some(LABEL_LIMIT));
    }

    #[test]
    fn a_snapshot_is_the_documented_json() {
        let mut session = session();
        session.name_wallet("Amaka");
        session.apply(Event::ConnectionRequested, Timestamp(2_000), &DEADLINES);
        assert_eq!(
            serde_json::to_value(session.snapshot(Timestamp(2_500))).unwrap(),
            serde_json::json!({
                "sessionId": session.id.to_string(), "attempt": 1, "version": 2, "stage": "scanned",
                "status": "request", "eventType": "connection", "opened": false, "theirLabel": "Amaka",
                "timestamp": "1970-01-01T00:00:02.000Z", "expiresAt": "1970-01-01T00:10:02.000Z", "remainingMs": 599_500,
            })
        );
    }
}
