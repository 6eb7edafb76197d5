//! Attempts in the database: each with a code, or over the connection of an earlier one. *Runs: server.*

use serde_json::Value;

use super::{
    Act, Lane, Store, StoreError, Tx,
    statement::{Row, values},
};
use crate::{
    domain::{
        ids::{ConnectionId, LinkId, OutOfBandId, ProofId, SessionId},
        time::Timestamp,
    },
    server::platform::{Cards, Invitation, Revealed},
};

/// The code of an attempt: how a wallet gets to us.
#[derive(Clone, Debug)]
pub struct Invited {
    /// Our short link.
    pub link: LinkId,
    /// The reference that the platform keeps with the invitation and copies to the connection.
    pub alias: String,
    /// What the platform made.
    pub invitation: Invitation,
}

/// One attempt at a registration.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Whose it is.
    pub session: SessionId,
    /// Its number, from 1.
    pub number: u32,
    /// The matching code: the page and the wallet's request both show it.
    pub code: String,
    /// Its code to scan; `None` when it goes over the connection of an earlier attempt.
    pub invited: Option<Invited>,
    /// The connection, bound at most once.
    pub connection_id: Option<ConnectionId>,
    /// Set just before the platform is told to ask for the proof, so that after a crash nobody asks twice.
    pub proof_asked_at: Option<Timestamp>,
    /// The proof exchange, bound at most once.
    pub proof_id: Option<ProofId>,
    /// How many cards the presentation answers from; `None` when nothing told.
    pub cards: Option<Cards>,
    /// The revealed attributes, sealed.
    attributes: Option<Vec<u8>>,
}

impl Attempt {
    /// A new attempt of a session. With a connection it goes over that one; else it has a code to scan.
    #[must_use]
    pub const fn new(
        session: SessionId,
        number: u32,
        code: String,
        invited: Option<Invited>,
        connection_id: Option<ConnectionId>,
    ) -> Self {
        Self {
            session,
            number,
            code,
            invited,
            connection_id,
            proof_asked_at: None,
            proof_id: None,
            cards: None,
            attributes: None,
        }
    }
}

/// The columns of an attempt and of its invitation as they are stored.
struct Stored {
    session_id: String,
    attempt: i64,
    code: String,
    link: Option<String>,
    alias: Option<String>,
    invitation_url: Option<String>,
    invitation: Option<String>,
    out_of_band_id: Option<String>,
    invitation_id: Option<String>,
    connection_id: Option<String>,
    proof_asked_at: Option<i64>,
    proof_id: Option<String>,
    cards: Option<String>,
    attributes: Option<Vec<u8>>,
}

impl Stored {
    fn read(row: &mut Row<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            session_id: row.next()?,
            attempt: row.next()?,
            code: row.next()?,
            link: row.next()?,
            alias: row.next()?,
            invitation_url: row.next()?,
            invitation: row.next()?,
            out_of_band_id: row.next()?,
            invitation_id: row.next()?,
            connection_id: row.next()?,
            proof_asked_at: row.next()?,
            proof_id: row.next()?,
            cards: row.next()?,
            attributes: row.next()?,
        })
    }
}

impl TryFrom<Stored> for Attempt {
    type Error = StoreError;

    fn try_from(row: Stored) -> Result<Self, StoreError> {
        let wrong = |problem| StoreError::Inconsistent {
            table: "attempts",
            row: format!("{}/{}", row.session_id, row.attempt),
            problem,
        };
        let message = row.invitation.as_deref().map(serde_json::from_str::<Value>).transpose();
        let message = message.map_err(|_| wrong("the invitation is not JSON"))?;
        let invited = match (row.link.as_deref(), &row.alias, &row.invitation_url) {
            (Some(link), Some(alias), Some(url)) => Some(Invited {
                link: link.parse().map_err(|_| wrong("the link is none"))?,
                alias: alias.clone(),
                invitation: Invitation {
                    url: url.clone(),
                    out_of_band_id: row.out_of_band_id.clone().map(OutOfBandId),
                    row_id: row.invitation_id.clone(),
                    message,
                },
            }),
            (None, None, None) => None,
            _ => return Err(wrong("half of the code is missing")),
        };
        Ok(Self {
            session: row.session_id.parse().map_err(|_| wrong("the session's id is none"))?,
            number: row.attempt.try_into().map_err(|_| wrong("the number is out of range"))?,
            cards: row
                .cards
                .as_deref()
                .map(|name| Cards::from_name(name).ok_or_else(|| wrong("no such number of cards")))
                .transpose()?,
            code: row.code,
            invited,
            connection_id: row.connection_id.map(ConnectionId),
            proof_asked_at: row.proof_asked_at.map(Timestamp),
            proof_id: row.proof_id.map(ProofId),
            attributes: row.attributes,
        })
    }
}

/// The columns of [`Stored`], in one place. A macro, because statements have to be literals.
macro_rules! select {
    ($where:literal) => {
        concat!(
            "SELECT attempts.session_id, attempts.attempt, code, link, alias, url, message, out_of_band_id, invitation_id, \
             connection_id, proof_asked_at, proof_id, cards, attributes FROM attempts \
             LEFT JOIN invitations ON invitations.session_id = attempts.session_id \
             AND invitations.attempt = attempts.attempt WHERE ",
            $where
        )
    };
}

/// By its primary key.
const BY_NUMBER: &str = select!("attempts.session_id = ?1 AND attempts.attempt = ?2");

/// What sealed attributes are bound to.
fn attributes_place(session: SessionId, attempt: u32) -> String {
    format!("attempts/{session}/{attempt}/attributes")
}

impl Store {
    /// The attempt behind a short link.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn attempt_by_link(&self, link: LinkId) -> Result<Option<Attempt>, StoreError> {
        let sql = select!("link = ?1");
        self.database.row(sql, values![link.as_str()], Stored::read).await?.map(Attempt::try_from).transpose()
    }

    /// One attempt of a session.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn attempt(&self, session: SessionId, number: u32) -> Result<Option<Attempt>, StoreError> {
        let row = self.database.row(BY_NUMBER, values![&session, number], Stored::read).await?;
        row.map(Attempt::try_from).transpose()
    }

    /// What was revealed in an attempt; `None` when nothing is kept of it, or its key is gone.
    #[must_use]
    pub fn revealed(&self, attempt: &Attempt) -> Option<Vec<Revealed>> {
        open_attributes(&self.keys, attempt)
    }

    /// Whether a proof exchange belongs to another attempt.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_bound_elsewhere(&self, id: &ProofId, session: SessionId, number: u32) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM attempts WHERE proof_id = ?1 AND NOT (session_id = ?2 AND attempt = ?3)";
        self.database.has(sql, values![&id.0, &session, number]).await
    }
}

fn open_attributes(keys: &crate::server::secrets::KeyRing, attempt: &Attempt) -> Option<Vec<Revealed>> {
    let json = keys.unseal(&attributes_place(attempt.session, attempt.number), attempt.attributes.as_ref()?)?;
    serde_json::from_slice(&json).ok()
}

impl Tx {
    /// Stores a new attempt.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_attempt(&mut self, attempt: &Attempt, now: Timestamp) -> Result<(), StoreError> {
        let invited = attempt.invited.as_ref();
        let invitation = invited.map(|invited| &invited.invitation);
        let sql = "INSERT INTO attempts (session_id, attempt, code, link, alias, out_of_band_id, invitation_id, \
                   connection_id, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
        let values = values![
            &attempt.session,
            attempt.number,
            &attempt.code,
            invited.map(|invited| invited.link.as_str()),
            invited.map(|invited| &invited.alias),
            invitation.and_then(|invitation| invitation.out_of_band_id.as_ref()).map(|id| &id.0),
            invitation.and_then(|invitation| invitation.row_id.as_ref()),
            attempt.connection_id.as_ref().map(|id| &id.0),
            now,
        ];
        self.part.execute(sql, values).await?;
        if let Some(invitation) = invitation {
            let sql = "INSERT INTO invitations (session_id, attempt, url, message) VALUES (?1, ?2, ?3, ?4)";
            let message = invitation.message.as_ref().map(Value::to_string);
            self.part.execute(sql, values![&attempt.session, attempt.number, &invitation.url, message]).await?;
        }
        Ok(())
    }

    /// One attempt of a session, as it is in this transaction.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn attempt(&mut self, session: SessionId, number: u32) -> Result<Option<Attempt>, StoreError> {
        let row = self.part.row(BY_NUMBER, values![&session, number], Stored::read).await?;
        row.map(Attempt::try_from).transpose()
    }

    /// What was revealed in an attempt; `None` when nothing is kept of it, or its key is gone.
    #[must_use]
    pub fn revealed(&self, attempt: &Attempt) -> Option<Vec<Revealed>> {
        open_attributes(&self.keys, attempt)
    }

    /// Whether any attempt still waits for the wallet's connection: else a connection of unknown origin is none of ours.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn awaits_connection(&mut self) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM acts JOIN sessions ON sessions.id = acts.session_id AND sessions.attempt = acts.attempt \
                   WHERE acts.lane = ?1 AND acts.done_at IS NULL AND sessions.stage IN ('waiting', 'scanned') LIMIT 1";
        self.part.has(sql, values![Lane::Asking as i64]).await
    }

    /// Notes that the platform is about to be told to ask for the proof, by this act. Says whether it may be: not when the
    /// exchange is known meanwhile, nor when the attempt is over or another one has begun, nor when the act is no longer ours.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn mark_proof_asked(&mut self, act: &Act, attempt: &Attempt, now: Timestamp) -> Result<bool, StoreError> {
        let sql = "UPDATE attempts SET proof_asked_at = ?3 WHERE session_id = ?1 AND attempt = ?2 AND proof_id IS NULL \
                   AND EXISTS (SELECT 1 FROM sessions WHERE sessions.id = ?1 AND sessions.attempt = ?2 \
                   AND sessions.stage IN ('connected', 'requested')) \
                   AND EXISTS (SELECT 1 FROM acts WHERE acts.id = ?4 AND acts.leased = 1 AND acts.owner = ?5)";
        let values = values![&attempt.session, attempt.number, now, act.id, self.owner];
        Ok(self.part.execute(sql, values).await? > 0)
    }

    /// Keeps how many cards a presentation answers from.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn store_cards(&mut self, session: SessionId, number: u32, cards: Cards) -> Result<(), StoreError> {
        let sql = "UPDATE attempts SET cards = ?3 WHERE session_id = ?1 AND attempt = ?2";
        self.part.execute(sql, values![&session, number, cards.as_str()]).await.map(drop)
    }

    /// Stores the revealed attributes, sealed; or forgets them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn store_attributes(
        &mut self,
        session: SessionId,
        number: u32,
        revealed: Option<&[Revealed]>,
    ) -> Result<(), StoreError> {
        let sealed = revealed.map(|revealed| {
            self.keys.seal(&attributes_place(session, number), &serde_json::to_vec(revealed).unwrap_or_default())
        });
        let sql = "UPDATE attempts SET attributes = ?3 WHERE session_id = ?1 AND attempt = ?2";
        self.part.execute(sql, values![&session, number, sealed]).await.map(drop)
    }
}
