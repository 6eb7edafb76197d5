//! What sockets are told: the whole state of what they watch, with a version by which the newer one is known. *Runs: server.*

use std::sync::Arc;

use super::frame;
use crate::domain::{
    session::Session,
    time::Timestamp,
    wire::{BoardState, ServerMessage},
};

/// A state.
#[derive(Clone, Copy, Debug)]
pub enum Told<'a> {
    /// Of one registration.
    Session(&'a Session),
    /// That anything changed of all there are: the board's state is what the database says now.
    Board(BoardState),
}

/// A state that is kept for somebody who does not read yet, or who is about to come.
#[derive(Clone, Debug)]
pub enum Kept {
    /// Of one registration.
    Session(Arc<Session>),
    /// Of the board.
    Board(BoardState),
}

impl Told<'_> {
    /// Higher is newer.
    #[must_use]
    pub fn version(&self) -> u64 {
        match self {
            Self::Session(session) => session.version,
            Self::Board(state) => state.version,
        }
    }

    /// The state, to be kept.
    pub(super) fn kept(&self) -> Kept {
        match self {
            Self::Session(session) => Kept::Session(Arc::new((*session).clone())),
            Self::Board(state) => Kept::Board(*state),
        }
    }

    /// The frame of the first state on a socket. The remaining time in it is counted from now, so it is made when it is sent.
    pub(super) fn first_frame(&self, now: Timestamp) -> Vec<u8> {
        message_frame(&match self {
            Self::Session(session) => ServerMessage::Connected(session.snapshot(now)),
            Self::Board(state) => ServerMessage::Board(*state),
        })
    }

    /// The frame of a further state.
    pub(super) fn frame(&self, now: Timestamp) -> Vec<u8> {
        message_frame(&match self {
            Self::Session(session) => ServerMessage::StatusUpdate(session.snapshot(now)),
            Self::Board(state) => ServerMessage::Board(*state),
        })
    }
}

impl Kept {
    /// The state, to be told.
    #[must_use]
    pub fn told(&self) -> Told<'_> {
        match self {
            Self::Session(session) => Told::Session(session),
            Self::Board(state) => Told::Board(*state),
        }
    }

    /// Higher is newer.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.told().version()
    }
}

/// The frame of a message.
pub(super) fn message_frame(message: &ServerMessage) -> Vec<u8> {
    // A message of plain fields can always be written as JSON.
    frame::text(&serde_json::to_vec(message).unwrap_or_default())
}
