//! What an act is: of which kind, in which queue, and about what. *Runs: server.*

use crate::domain::ids::{ConnectionId, SessionId};

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActKind {
    /// Ask the wallet for the desk's attributes.
    RequestProof,
    /// Confirm a presentation at the platform, accept it and fetch its attributes.
    VerifyProof,
    /// What an older version wishes for beside [`ActKind::Reconcile`], which does the same.
    FallBack,
    /// End what is past its deadline.
    Expire,
    /// Delete what is older than the desk keeps it.
    Purge,
    /// Ask the platform how things stand, in case its webhook was lost (contract 5.7); and go on although the wallet has not
    /// confirmed the connection, once that is overdue and the platform agrees (contract 3.4).
    Reconcile,
    /// Read a connection whose webhook named no invitation (contract 5.6, row 4).
    ReadConnection,
    /// Delete at the platform what an attempt left there.
    TidyUp,
}

impl ActKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::RequestProof,
        Self::VerifyProof,
        Self::FallBack,
        Self::Expire,
        Self::Purge,
        Self::Reconcile,
        Self::ReadConnection,
        Self::TidyUp,
    ];

    /// The name in the database and in logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RequestProof => "request_proof",
            Self::VerifyProof => "verify_proof",
            Self::FallBack => "fall_back",
            Self::Expire => "expire",
            Self::Purge => "purge",
            Self::Reconcile => "reconcile",
            Self::ReadConnection => "read_connection",
            Self::TidyUp => "tidy_up",
        }
    }

    /// The queue it stands in.
    #[must_use]
    pub const fn lane(self) -> Lane {
        match self {
            Self::RequestProof | Self::VerifyProof | Self::FallBack => Lane::Doing,
            Self::Reconcile | Self::ReadConnection => Lane::Asking,
            Self::Expire => Lane::Expiring,
            Self::Purge | Self::TidyUp => Lane::Purging,
        }
    }
}

/// The queues that acts stand in, so that none holds up the others: a slow platform no deadline, a great purge no wallet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// What has to be done at the platform.
    Doing = 0,
    /// What only asks there, to repair what may be lost.
    Asking = 1,
    /// Deadlines.
    Expiring = 2,
    /// What is deleted.
    Purging = 3,
}

impl Lane {
    /// Every lane.
    pub const ALL: [Self; 4] = [Self::Doing, Self::Asking, Self::Expiring, Self::Purging];

    /// The name in figures.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Doing => "doing",
            Self::Asking => "asking",
            Self::Expiring => "expiring",
            Self::Purging => "purging",
        }
    }
}

/// What an act is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// An attempt of a session.
    Attempt(SessionId, u32),
    /// A connection that no session is known to have.
    Connection(ConnectionId),
}

impl About {
    /// The attempt; `None` when it is about something else.
    #[must_use]
    pub const fn attempt(&self) -> Option<(SessionId, u32)> {
        match self {
            Self::Attempt(session, attempt) => Some((*session, *attempt)),
            Self::Connection(_) => None,
        }
    }
}
