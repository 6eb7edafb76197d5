//! The worker that does what is due: asks for the proof, confirms it. Each act is safe to repeat, so a process killed
//! at any instruction continues where it stopped.
//!
//! Decides nothing by itself: the platform is asked, and the finding goes to `sessions`. *Runs: server.*

use std::{sync::Arc, time::Duration};

use rand::Rng;
use tokio::{sync::watch, task::JoinSet, time::timeout};

use super::{
    platform::{ConnectionState, PlatformError, ProofState},
    sessions::{Finding, Sessions},
    store::{Act, ActKind, StoreError},
};
use crate::domain::stage::Stage;

/// How many acts run at the same time, so that one slow answer does not hold up the others.
const AT_ONCE: usize = 32;
/// An act is given up, and tried again, before its lease ends: nobody else may be doing it meanwhile.
const LEASE: Duration = Duration::from_secs(300);
const LONGEST: Duration = Duration::from_secs(240);
/// How long an exchange is looked for after a call whose outcome is unknown, before it is made again (design 5).
const SEARCH: Duration = Duration::from_secs(10);
/// The worker looks at least this often, whatever it believes to be due.
const LOOK: Duration = Duration::from_secs(1);

/// Why an act is not done yet.
#[derive(Debug, thiserror::Error)]
enum NotYet {
    #[error(transparent)]
    Platform(#[from] PlatformError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0}")]
    Wait(&'static str),
}

/// Runs until told to stop, then finishes what it has begun.
pub async fn run(sessions: Arc<Sessions>, mut stop: watch::Receiver<bool>) {
    let mut running = JoinSet::new();
    loop {
        while running.try_join_next().is_some() {}
        let mut failed = false;
        if running.len() < AT_ONCE {
            match lease(&sessions, AT_ONCE - running.len()).await {
                Ok(acts) => {
                    for act in acts {
                        running.spawn(perform(Arc::clone(&sessions), act));
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "cannot lease acts");
                    failed = true;
                }
            }
        }
        let wait = match sessions.store.next_act_at().await {
            // What is due cannot be begun now: to look again at once would only turn in circles.
            Ok(Some(at)) if !failed => Duration::from_millis(at.since(sessions.clock.now())).min(LOOK),
            _ => LOOK,
        };
        tokio::select! {
            () = sessions.acts_due.notified() => {}
            () = tokio::time::sleep(wait), if running.len() < AT_ONCE => {}
            Some(_) = running.join_next() => {}
            _ = stop.changed() => break,
        }
    }
    while running.join_next().await.is_some() {}
}

async fn lease(sessions: &Sessions, most: usize) -> Result<Vec<Act>, StoreError> {
    let now = sessions.clock.now();
    // A look without the write lock first: mostly nothing is due.
    if sessions.store.next_act_at().await?.is_none_or(|at| at > now) {
        return Ok(Vec::new());
    }
    let mut tx = sessions.store.begin().await?;
    let acts = tx.lease_acts(now, LEASE, u32::try_from(most).unwrap_or(u32::MAX)).await?;
    tx.commit().await?;
    Ok(acts)
}

async fn perform(sessions: Arc<Sessions>, act: Act) {
    let done = timeout(LONGEST, async {
        match act.kind {
            ActKind::RequestProof => request_proof(&sessions, &act).await,
            ActKind::VerifyProof => verify_proof(&sessions, &act).await,
        }
    })
    .await
    .unwrap_or(Err(NotYet::Wait("it took too long")));
    let found = match done {
        Err(NotYet::Platform(PlatformError::Refused(status))) => {
            tracing::error!(session.id = %act.session, act.kind = act.kind.as_str(), status, "the platform refuses");
            Ok(Finding::Refused)
        }
        Err(reason) => {
            tracing::warn!(session.id = %act.session, act.kind = act.kind.as_str(), act.tries, %reason, "put off");
            Err(reason)
        }
        Ok(found) => Ok(found),
    };
    // A database that is locked for a while must not cost what was found out: tried again at once, not after the lease.
    for wait in [1, 2, 5, 10, 0] {
        let stored = match &found {
            Ok(found) => sessions.finish(&act, found).await,
            Err(reason) => put_off(&sessions, &act, reason).await,
        };
        let Err(error) = stored else { return };
        tracing::error!(session.id = %act.session, act.kind = act.kind.as_str(), %error, "an act could not be stored");
        tokio::time::sleep(Duration::from_secs(wait)).await;
    }
}

async fn put_off(sessions: &Sessions, act: &Act, reason: &NotYet) -> Result<(), StoreError> {
    let wait = match reason {
        NotYet::Platform(PlatformError::Unavailable { retry_after: Some(wait), .. }) => {
            (*wait).min(Duration::from_secs(60)).max(backoff(act.tries))
        }
        _ => backoff(act.tries),
    };
    let mut tx = sessions.store.begin().await?;
    tx.put_off_act(act.id, sessions.clock.now().plus(wait), &reason.to_string()).await?;
    tx.commit().await
}

/// Half a second, doubling to 15 s, each time shortened by up to a half so that many do not come back together.
fn backoff(tries: u32) -> Duration {
    let longest = Duration::from_millis(500 << tries.min(5)).min(Duration::from_secs(15));
    longest.mul_f64(rand::rng().random_range(0.5..=1.0))
}

/// Asks the wallet for the desk's attributes, at most once.
async fn request_proof(sessions: &Sessions, act: &Act) -> Result<Finding, NotYet> {
    let Some(session) = sessions.store.session(act.session).await? else { return Ok(Finding::Nothing) };
    if session.attempt != act.attempt || session.progress.stage != Stage::Connected {
        return Ok(Finding::Nothing);
    }
    let Some(attempt) = sessions.store.attempt(act.session, act.attempt).await? else { return Ok(Finding::Nothing) };
    let Some(connection) = attempt.connection_id else { return Err(NotYet::Wait("no connection is bound yet")) };
    let platform = &sessions.platform;
    // A webhook is a hint: the platform has to say itself that the connection stands.
    match platform.connection(&connection).await? {
        Some(ConnectionState::Completed) => {}
        Some(ConnectionState::Abandoned) => return Ok(Finding::Refused),
        Some(ConnectionState::Pending) | None => return Err(NotYet::Wait("the platform does not show it completed")),
    }
    if let Some(asked_at) = attempt.proof_asked_at {
        if let Some(proof) = platform.find_proof(&connection).await?
            // On a connection that was reused the newest exchange may be an earlier registration's.
            && !sessions.store.is_bound_elsewhere(&proof.id, act.session).await?
        {
            return Ok(Finding::Asked(proof));
        }
        if sessions.clock.now() < asked_at.plus(SEARCH) {
            return Err(NotYet::Wait("the outcome of the first call is not known yet"));
        }
    }
    note_asking(sessions, act).await?;
    match platform.request_proof(&connection, &sessions.desk).await {
        Ok(proof) => Ok(Finding::Asked(proof)),
        Err(refused @ PlatformError::Refused(_)) => Err(refused.into()),
        Err(error) => {
            // It may have had its effect all the same. The search for it begins now, not when the call began.
            note_asking(sessions, act).await?;
            Err(error.into())
        }
    }
}

async fn note_asking(sessions: &Sessions, act: &Act) -> Result<(), StoreError> {
    let mut tx = sessions.store.begin().await?;
    tx.mark_proof_asked(act.session, act.attempt, sessions.clock.now()).await?;
    tx.commit().await
}

/// Confirms a presentation at the platform, accepts it, and fetches what it revealed.
async fn verify_proof(sessions: &Sessions, act: &Act) -> Result<Finding, NotYet> {
    let Some(session) = sessions.store.session(act.session).await? else { return Ok(Finding::Nothing) };
    // Earlier stages too: the end of an exchange may be all that was heard of it.
    let open = session.progress.stage.rank() < Stage::Verified.rank() && !session.progress.stage.is_end();
    if session.attempt != act.attempt || !open {
        return Ok(Finding::Nothing);
    }
    let Some(attempt) = sessions.store.attempt(act.session, act.attempt).await? else { return Ok(Finding::Nothing) };
    let Some(id) = attempt.proof_id else { return Err(NotYet::Wait("no proof exchange is bound yet")) };
    let platform = &sessions.platform;
    let read = async || platform.proof(&id).await?.ok_or(NotYet::Wait("the platform does not show the proof"));
    let mut state = read().await?.state;
    if state == ProofState::Presented {
        // It fails in any state but this one, for instance when a first call's answer was lost: the record decides.
        let accepted = platform.accept_proof(&id).await;
        state = read().await?.state;
        if state == ProofState::Presented {
            accepted?;
            return Err(NotYet::Wait("the platform has not accepted the presentation yet"));
        }
    }
    match state {
        ProofState::Declined => Ok(Finding::Declined),
        ProofState::Invalid => Ok(Finding::Invalid),
        ProofState::Requested | ProofState::Presented => Err(NotYet::Wait("the platform does not show a presentation")),
        ProofState::Verified => {
            let revealed = platform.revealed(&id).await?;
            // Exactly what was asked for; whatever else a platform may add was not consented to.
            let asked = |name: &str| sessions.desk.attributes.iter().any(|attribute| attribute.name == name);
            Ok(Finding::Verified(revealed.into_iter().filter(|revealed| asked(&revealed.name)).collect()))
        }
    }
}
