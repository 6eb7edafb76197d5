//! What the staff's pages are drawn from. What is personal in it is masked, unless somebody asked to see it. *Runs: both.*

use serde::{Deserialize, Serialize};

use crate::domain::{figures::Figures, ids::SessionId, stage::Stage, time::Timestamp};

/// What every page of the staff has around it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// Who is signed in.
    pub name: String,
    /// What one registers for.
    pub title: String,
    /// The server's time.
    pub now: Timestamp,
    /// Whether any delivery waits for its registration, or found none.
    pub has_strays: bool,
}

/// A registration, as it is listed. What is personal is masked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its session.
    pub session: SessionId,
    /// Its number, once it is submitted.
    pub number: Option<String>,
    /// The attempt.
    pub attempt: u32,
    /// Where it stands.
    pub stage: Stage,
    /// Whether the code's link was fetched.
    pub opened: bool,
    /// Whether the platform keeps the server waiting.
    pub delayed: bool,
    /// The wallet's name.
    pub wallet: Option<String>,
    /// When it began.
    pub begun: Timestamp,
    /// When it last changed.
    pub changed: Timestamp,
    /// The deadline of its stage.
    pub ends: Timestamp,
    /// Why the server's next step was put off, and how often it was tried.
    pub problem: Option<(String, u32)>,
}

/// The board.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoardView {
    /// What is around it.
    pub frame: Frame,
    /// Which list is shown, by its word in the address.
    pub list: String,
    /// What was searched for; empty where nothing was.
    pub query: String,
    /// How many are under way, by stage.
    pub running: Vec<(Stage, u64)>,
    /// How many ended of those that began in the last 24 hours, by their end.
    pub ended: Vec<(Stage, u64)>,
    /// The registrations.
    pub entries: Vec<Entry>,
    /// Where the list goes on to older ones, and to newer ones.
    pub older: Option<String>,
    /// To newer ones.
    pub newer: Option<String>,
    /// When wallets were searched by name and the search is not at its end: the time it came to.
    pub searched_to: Option<Timestamp>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Happened {
    /// The person agreed, and the registration began.
    Begun,
    /// An attempt began: with a code, or over the connection that stands.
    Attempt {
        /// With a code.
        has_code: bool,
    },
    /// The platform was told to ask the wallet.
    Asked,
    /// A webhook, or the platform's answer to a question.
    Told {
        /// What it means, by the name of the event; empty where it means nothing.
        event: String,
        /// The platform's word.
        state: String,
        /// What became of it.
        outcome: String,
        /// The platform said it when it was asked.
        was_asked: bool,
    },
    /// The server did something.
    Done {
        /// The kind of act.
        act: String,
        /// How often it was tried.
        tries: u32,
    },
    /// The data were confirmed.
    Verified,
    /// It came to an end.
    Ended(Stage),
    /// Somebody of the staff did something.
    Deed {
        /// What, by its name.
        deed: String,
        /// Who; empty where the token itself was used.
        by: String,
    },
}

/// A line of a registration's timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// When.
    pub at: Timestamp,
    /// In which attempt.
    pub attempt: Option<u32>,
    /// What.
    pub what: Happened,
}

/// What the server still has to do for a registration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// The kind of act.
    pub act: String,
    /// When it is due.
    pub due: Timestamp,
    /// How often it was tried.
    pub tries: u32,
    /// Why it was put off.
    pub problem: Option<String>,
}

/// What can be done about a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remedies {
    /// Ask the wallet again.
    pub ask_again: bool,
    /// Make a new code.
    pub renew: bool,
    /// Have the platform asked.
    pub reconcile: bool,
    /// Cancel.
    pub cancel: bool,
}

/// One registration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistrationView {
    /// What is around it.
    pub frame: Frame,
    /// How it is listed.
    pub entry: Entry,
    /// The matching code that the person sees.
    pub code: String,
    /// The platform's ids of the present attempt, by what they name.
    pub ids: Vec<(String, String)>,
    /// What is personal, by its label: masked, or as it is where `shown`.
    pub personal: Vec<(String, String)>,
    /// Whether what is personal is shown.
    pub shown: bool,
    /// What happened, in its order.
    pub timeline: Vec<Moment>,
    /// What the server still has to do.
    pub pending: Vec<Pending>,
    /// What can be done.
    pub remedies: Remedies,
}

/// A delivery that belongs to no registration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stray {
    /// Its number.
    pub id: i64,
    /// When it came.
    pub at: Timestamp,
    /// What it is about.
    pub kind: String,
    /// The platform's word for the state.
    pub state: String,
    /// It still waits for its registration; else it was given up.
    pub waits: bool,
    /// The platform's ids, by what they name.
    pub ids: Vec<(String, String)>,
}

/// The deliveries that belong to no registration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StraysView {
    /// What is around it.
    pub frame: Frame,
    /// The deliveries, the newest first.
    pub strays: Vec<Stray>,
    /// Where the list goes on.
    pub older: Option<String>,
}

/// A line of the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// When.
    pub at: Timestamp,
    /// Who; `None` where the token itself was used.
    pub by: Option<String>,
    /// What, by its name.
    pub deed: String,
    /// About which registration.
    pub session: Option<SessionId>,
    /// What else there is to say.
    pub detail: Option<String>,
}

/// The record of what staff did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordView {
    /// What is around it.
    pub frame: Frame,
    /// The lines, the newest first.
    pub lines: Vec<Recorded>,
    /// Where the list goes on.
    pub older: Option<i64>,
}

/// A length of time that figures are shown of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Range {
    /// The last 24 hours, by hour.
    #[default]
    Day,
    /// The last seven days, by day.
    Week,
    /// The last thirty days, by day.
    Month,
}

impl Range {
    /// Every range.
    pub const ALL: [Self; 3] = [Self::Day, Self::Week, Self::Month];

    /// The word in the address.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    /// The range of this word; a day for others.
    #[must_use]
    pub fn from_word(word: Option<&str>) -> Self {
        Self::ALL.into_iter().find(|range| Some(range.as_str()) == word).unwrap_or_default()
    }
}

/// A step of ten seconds of this server's last hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Its end.
    pub at: Timestamp,
    /// Sockets that were open.
    pub sockets: u64,
    /// Webhooks in a second.
    pub webhooks: f64,
    /// The part of browsers that poll, 0 to 1; `None` where none was there.
    pub polling: Option<f64>,
    /// What 95 of 100 pushes did not exceed, in milliseconds; `None` without any.
    pub push_ms: Option<f64>,
    /// Calls to the platform, and those that failed.
    pub calls: [u64; 2],
}

/// The figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FiguresView {
    /// What is around them.
    pub frame: Frame,
    /// Of which time.
    pub range: Range,
    /// All together.
    pub total: Figures,
    /// By hour or day, each by its beginning.
    pub parts: Vec<(Timestamp, Figures)>,
    /// How many began and were submitted, by the hour of the day (UTC) at which they began.
    pub by_hour: Vec<[u32; 2]>,
    /// This server's last hour.
    pub steps: Vec<Step>,
}
