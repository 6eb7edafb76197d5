//! What each kind of act asks of the platform, and what it finds. Changes nothing but the note that the wallet is about
//! to be asked. *Runs: server.*

use std::time::Duration;

use crate::{
    domain::{ids::ConnectionId, session::Session, stage::Stage},
    server::{
        platform::{
            Cards, Connection, ConnectionState, Delivery, InvitationKeys, Leftovers, PlatformError, ProofState,
        },
        sessions::{CONFIRMATION, Finding, Sessions, State, has_news},
        store::{About, Act, ActKind, Attempt, StoreError},
    },
};

/// How long an exchange is looked for after a call whose outcome is unknown, before it is made again (design 5).
const SEARCH: Duration = Duration::from_secs(10);

/// Why an act is not done yet.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotYet {
    #[error(transparent)]
    Platform(#[from] PlatformError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0}")]
    Wait(&'static str),
}

/// Does an act. Where the state it begins in is not known, it is read.
pub(super) async fn perform(sessions: &Sessions, act: &Act, state: Option<State>) -> Result<Finding, NotYet> {
    let (id, number) = match &act.about {
        About::Attempt(id, number) => (*id, *number),
        About::Connection(id) => return read_connection(sessions, id).await,
    };
    if matches!(act.kind, ActKind::Expire | ActKind::Purge) {
        // These ask nothing: they are done where they are stored.
        return Ok(Finding::Nothing);
    }
    let state = match state {
        Some(state) => Some(state),
        None => sessions.store.session(id).await?.zip(sessions.store.attempt(id, number).await?),
    };
    let Some((session, attempt)) = state else { return Ok(Finding::Nothing) };
    if act.kind == ActKind::TidyUp {
        return tidy_up(sessions, &attempt).await;
    }
    // An act of an attempt that is over has nothing else left to do.
    if session.attempt != number || session.progress.stage.is_end() {
        return Ok(Finding::Nothing);
    }
    match act.kind {
        ActKind::RequestProof => request_proof(sessions, act, &session, &attempt).await,
        ActKind::VerifyProof => verify_proof(sessions, &session, &attempt).await,
        ActKind::Reconcile | ActKind::FallBack => reconcile(sessions, &session, &attempt).await,
        // Not about an attempt, or done above.
        ActKind::Expire | ActKind::Purge | ActKind::ReadConnection | ActKind::TidyUp => Ok(Finding::Nothing),
    }
}

/// Asks the wallet for the desk's attributes, at most once.
async fn request_proof(
    sessions: &Sessions,
    act: &Act,
    session: &Session,
    attempt: &Attempt,
) -> Result<Finding, NotYet> {
    // An attempt over a connection that stands begins at `requested`.
    let due = match session.progress.stage {
        Stage::Connected => true,
        Stage::Requested => attempt.proof_id.is_none(),
        _ => false,
    };
    if !due {
        return Ok(Finding::Nothing);
    }
    if !sessions.is_agreed(session) {
        tracing::warn!(session.id = %session.id, "not asked: the desk's terms are no longer those that were agreed to");
        return Ok(Finding::Refused);
    }
    let Some(connection) = &attempt.connection_id else { return Err(NotYet::Wait("no connection is bound yet")) };
    let platform = &sessions.platform;
    // A webhook is a hint: the platform has to say itself that the connection stands.
    match platform.connection(connection).await?.map(|connection| connection.state) {
        Some(ConnectionState::Completed) => {}
        Some(ConnectionState::Answered) if confirmation_is_overdue(sessions, attempt).await? => {}
        Some(ConnectionState::Abandoned) => return Ok(Finding::Refused),
        Some(ConnectionState::Requested | ConnectionState::Answered) | None => {
            return Err(NotYet::Wait("the platform does not show it completed"));
        }
    }
    let comment = sessions.desk.request_comment(&attempt.code);
    if let Some(asked_at) = attempt.proof_asked_at {
        if let Some(proof) = platform.find_proof(connection, &comment).await?
            // The newest exchange may be an earlier attempt's, or, on a reused connection, an earlier registration's: one
            // that was accepted is, because what we ask for waits for our own acceptance.
            && proof.state != ProofState::Verified
            && !sessions.store.is_bound_elsewhere(&proof.id, attempt.session, attempt.number).await?
        {
            return Ok(Finding::Asked(proof));
        }
        if sessions.clock.now() < asked_at.plus(SEARCH) {
            return Err(NotYet::Wait("the outcome of the first call is not known yet"));
        }
    }
    if !note_asking(sessions, act, attempt).await? {
        return Ok(Finding::Nothing);
    }
    match platform.request_proof(connection, &sessions.desk, &comment).await {
        Ok(proof) => Ok(Finding::Asked(proof)),
        Err(refused @ PlatformError::Refused(_)) => Err(refused.into()),
        Err(error) => {
            // It may have had its effect all the same. The search for it begins now, not when the call began.
            note_asking(sessions, act, attempt).await?;
            Err(error.into())
        }
    }
}

/// The agent takes requests from `response-sent` on; the wallet's own confirmation depends on a phone that stays awake
/// (contract 3.4).
async fn confirmation_is_overdue(sessions: &Sessions, attempt: &Attempt) -> Result<bool, StoreError> {
    if attempt.invited.is_none() {
        return Ok(true);
    }
    let answered = sessions.store.answered_at(attempt.session, attempt.number).await?;
    Ok(answered.is_some_and(|answered| sessions.clock.now() >= answered.plus(CONFIRMATION)))
}

/// Looks once more, in a transaction, whether the wallet is still to be asked, and notes that it is about to be.
async fn note_asking(sessions: &Sessions, act: &Act, attempt: &Attempt) -> Result<bool, StoreError> {
    let mut tx = sessions.store.begin_shared().await?;
    let noted = tx.mark_proof_asked(act, attempt, sessions.clock.now()).await?;
    tx.commit().await?;
    Ok(noted)
}

/// Confirms a presentation at the platform, accepts it, and fetches what it revealed.
async fn verify_proof(sessions: &Sessions, session: &Session, attempt: &Attempt) -> Result<Finding, NotYet> {
    // Earlier stages too: the end of an exchange may be all that was heard of it.
    if session.progress.stage.rank() >= Stage::Verified.rank() {
        return Ok(Finding::Nothing);
    }
    if !sessions.is_agreed(session) {
        tracing::warn!(session.id = %session.id, "not verified: the desk's terms are no longer those that were agreed to");
        return Ok(Finding::Refused);
    }
    let Some(id) = &attempt.proof_id else { return Err(NotYet::Wait("no proof exchange is bound yet")) };
    let platform = &sessions.platform;
    let read = async || platform.proof(id).await?.ok_or(NotYet::Wait("the platform does not show the proof"));
    let mut proof = read().await?;
    if proof.state == ProofState::Presented {
        // It fails in any state but this one, for instance when a first call's answer was lost: then, and wherever the
        // answer does not show that all is well, the record decides.
        let accepted = platform.accept_proof(id).await;
        proof = match &accepted {
            Ok(Some(ended)) if ended.id == *id && ended.state == ProofState::Verified => ended.clone(),
            _ => read().await?,
        };
        if proof.state == ProofState::Presented {
            accepted?;
            return Err(NotYet::Wait("the platform has not accepted the presentation yet"));
        }
    }
    match proof.state {
        ProofState::Declined => Ok(Finding::Declined),
        ProofState::Invalid => Ok(Finding::Invalid),
        ProofState::Requested | ProofState::Presented => Err(NotYet::Wait("the platform does not show a presentation")),
        ProofState::Verified if [attempt.cards, proof.cards].contains(&Some(Cards::Several)) => Ok(Finding::Mixed),
        ProofState::Verified => Ok(Finding::Verified(platform.revealed(id, &sessions.desk).await?)),
    }
}

/// Asks the platform how things stand (contract 5.7). Where only the wallet's confirmation is missing and has been for long, the
/// registration goes on without it (contract 3.4).
async fn reconcile(sessions: &Sessions, session: &Session, attempt: &Attempt) -> Result<Finding, NotYet> {
    // A webhook that says less than its record is the reason to ask at once: any where they are hints, and one that bound
    // a connection and did not tell how it stands.
    let is_asked_for =
        sessions.webhooks_are_hints || (session.progress.stage == Stage::Waiting && attempt.connection_id.is_some());
    if !is_asked_for && has_news(session, sessions.clock.now()) {
        return Ok(Finding::Nothing);
    }
    let platform = &sessions.platform;
    let seen = match (session.progress.stage, &attempt.connection_id, &attempt.invited, &attempt.proof_id) {
        (Stage::Waiting | Stage::Scanned, Some(connection), _, _) => {
            let connection = platform.connection(connection).await?;
            let is_answered = |connection: &Connection| connection.state == ConnectionState::Answered;
            if connection.as_ref().is_some_and(is_answered) && confirmation_is_overdue(sessions, attempt).await? {
                return Ok(Finding::GoOn);
            }
            connection.iter().map(Delivery::of_connection).collect()
        }
        (Stage::Waiting | Stage::Scanned, None, Some(invited), _) => {
            let keys =
                InvitationKeys { out_of_band_id: invited.invitation.out_of_band_id.as_ref(), alias: &invited.alias };
            only(platform.connections(keys).await?).iter().map(Delivery::of_connection).collect()
        }
        (Stage::Requested, _, _, Some(proof)) => platform.proof(proof).await?.iter().map(Delivery::of_proof).collect(),
        // The act that is due there asks by itself.
        _ => Vec::new(),
    };
    Ok(Finding::Seen(seen))
}

/// The connection that a single-use invitation led to. One that was broken off does not count beside one that was not;
/// of two that stand, neither does: to choose would be to guess.
fn only(mut connections: Vec<Connection>) -> Option<Connection> {
    if connections.iter().any(|connection| connection.state != ConnectionState::Abandoned) {
        connections.retain(|connection| connection.state != ConnectionState::Abandoned);
    }
    if connections.len() > 1 {
        tracing::error!("a single-use invitation led to several connections; none is taken");
        return None;
    }
    connections.pop()
}

/// Reads a connection whose webhook named no invitation (contract 5.6, row 4).
async fn read_connection(sessions: &Sessions, id: &ConnectionId) -> Result<Finding, NotYet> {
    let connection = sessions.platform.connection(id).await?;
    Ok(Finding::Seen(connection.iter().map(Delivery::of_connection).collect()))
}

/// Deletes at the platform what an attempt that is over left there.
async fn tidy_up(sessions: &Sessions, attempt: &Attempt) -> Result<Finding, NotYet> {
    let platform = &sessions.platform;
    let invited = attempt.invited.as_ref().filter(|_| attempt.connection_id.is_none());
    let invitation = invited.map(|invited| InvitationKeys {
        out_of_band_id: invited.invitation.out_of_band_id.as_ref(),
        alias: &invited.alias,
    });
    let found = match (&attempt.proof_id, &attempt.connection_id, attempt.proof_asked_at) {
        // It was asked, and the answer that named the exchange was lost.
        (None, Some(connection), Some(_)) => {
            platform.find_proof(connection, &sessions.desk.request_comment(&attempt.code)).await?.map(|proof| proof.id)
        }
        (known, _, _) => known.clone(),
    };
    platform.delete_leftovers(Leftovers { invitation, proof: found.as_ref() }).await?;
    Ok(Finding::Nothing)
}
