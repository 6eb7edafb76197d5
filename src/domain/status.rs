//! A stage in the words of the platform, as clients of the earlier system know it. *Runs: both.*

use serde::{Deserialize, Serialize};

use super::stage::{Progress, Stage};

/// The stage in the words of the platform, as clients of the earlier system know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the platform's own words, explained by the stage they stand for")]
pub enum Status {
    Invitation,
    Request,
    Response,
    Active,
    RequestSent,
    PresentationReceived,
    Done,
    Abandoned,
    Error,
}

/// Which of the two protocols a [`Status`] belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "DIDComm's own words")]
pub enum EventType {
    Connection,
    Proof,
}

impl Progress {
    /// The stage in the words of the platform.
    #[must_use]
    pub const fn status(self) -> Status {
        match self.stage {
            Stage::Waiting => Status::Invitation,
            Stage::Scanned if self.answered => Status::Response,
            Stage::Scanned => Status::Request,
            Stage::Connected => Status::Active,
            Stage::Requested => Status::RequestSent,
            Stage::Presented => Status::PresentationReceived,
            Stage::Verified | Stage::Submitted => Status::Done,
            Stage::Declined | Stage::Invalid | Stage::Abandoned | Stage::Expired | Stage::Cancelled => {
                Status::Abandoned
            }
            Stage::Failed => Status::Error,
        }
    }

    /// Which protocol the stage belongs to.
    #[must_use]
    pub const fn event_type(self) -> EventType {
        match self.stage {
            Stage::Requested
            | Stage::Presented
            | Stage::Verified
            | Stage::Submitted
            | Stage::Declined
            | Stage::Invalid => EventType::Proof,
            _ => EventType::Connection,
        }
    }
}
