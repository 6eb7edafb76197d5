//! The calls there are, by name: what each is made with, and how it is told apart in figures. *Runs: server.*

use reqwest::Method;

/// A call to the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Ask the token service for a token.
    Token,
    /// Make an invitation.
    CreateInvitation,
    /// Read a connection.
    Connection,
    /// Find the connections of an invitation.
    Connections,
    /// Ask a wallet.
    RequestProof,
    /// Find the proof of a connection.
    FindProof,
    /// Read a proof.
    Proof,
    /// Accept a presentation.
    AcceptProof,
    /// Read what was revealed.
    Revealed,
    /// Delete an invitation that nobody took up.
    DeleteInvitation,
    /// Tell a wallet that its answer is no longer wanted.
    WithdrawProof,
    /// Delete a proof with what it revealed.
    DeleteProof,
}

impl Call {
    /// Every call.
    pub const ALL: [Self; 12] = [
        Self::Token,
        Self::CreateInvitation,
        Self::Connection,
        Self::Connections,
        Self::RequestProof,
        Self::FindProof,
        Self::Proof,
        Self::AcceptProof,
        Self::Revealed,
        Self::DeleteInvitation,
        Self::WithdrawProof,
        Self::DeleteProof,
    ];

    /// The name in figures.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::CreateInvitation => "create_invitation",
            Self::Connection => "connection",
            Self::Connections => "connections",
            Self::RequestProof => "request_proof",
            Self::FindProof => "find_proof",
            Self::Proof => "proof",
            Self::AcceptProof => "accept_proof",
            Self::Revealed => "revealed",
            Self::DeleteInvitation => "delete_invitation",
            Self::WithdrawProof => "withdraw_proof",
            Self::DeleteProof => "delete_proof",
        }
    }

    pub(super) const fn method(self) -> Method {
        match self {
            Self::Token | Self::CreateInvitation | Self::RequestProof | Self::AcceptProof | Self::WithdrawProof => {
                Method::POST
            }
            Self::Connection | Self::Connections | Self::FindProof | Self::Proof | Self::Revealed => Method::GET,
            Self::DeleteInvitation | Self::DeleteProof => Method::DELETE,
        }
    }

    /// Whether it reads a record by its id.
    pub(super) const fn reads_one(self) -> bool {
        matches!(self, Self::Connection | Self::Proof | Self::Revealed)
    }
}
