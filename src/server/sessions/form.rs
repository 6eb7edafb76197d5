//! The form: what is typed, kept while it is not right, and submitted once. *Runs: server.*

use serde::{Deserialize, Serialize};

use super::Sessions;
use crate::{
    domain::{
        contact::{Contact, Email, Phone},
        ids::SessionId,
        stage::{Event, Stage},
    },
    server::{
        secrets::random_code,
        store::{About, ActKind, Registration, StoreError, Submitted},
    },
};

/// The most that is kept of what was typed into a field, in characters: longer than anything that is right.
const TYPED_LIMIT: usize = 300;

/// What was typed, as it was typed.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Typed {
    /// The e-mail address.
    pub email: String,
    /// The phone number.
    pub phone: String,
}

impl Typed {
    /// What it says, if it is right.
    #[must_use]
    pub fn contact(&self) -> Option<Contact> {
        Some(Contact { email: Email::parse(&self.email).ok()?, phone: Phone::parse(&self.phone).ok()? })
    }
}

/// What became of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Submission {
    /// The person is registered, by this or by an earlier press.
    Registered(Registration),
    /// Something typed is not right; it is kept as it was typed.
    Faulty,
    /// What was verified lacks something that is required, or is no longer there.
    FallsShort,
    /// Nothing is verified: too early, or too late.
    NotVerified,
}

impl Sessions {
    /// Submits the form of a session. Safe to repeat: one session has one registration.
    ///
    /// # Errors
    /// When the database fails; then nothing changed.
    pub async fn submit(&self, id: SessionId, typed: &Typed) -> Result<Submission, StoreError> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let Some(mut session) = tx.session(id).await? else { return Ok(Submission::NotVerified) };
        if session.progress.stage == Stage::Submitted {
            drop(tx);
            let registration = self.store.registration(id).await?;
            return Ok(registration.map_or(Submission::NotVerified, Submission::Registered));
        }
        // Where there was a form: what somebody else on this browser typed earlier is not kept for the next one.
        if !matches!(session.progress.stage, Stage::Verified | Stage::Expired) || !self.is_agreed(&session) {
            return Ok(Submission::NotVerified);
        }
        let contact = typed.contact();
        // Whatever becomes of it, nothing that was typed is lost.
        let cut = |text: &str| text.chars().take(TYPED_LIMIT).collect::<String>();
        let typed = Typed { email: cut(&typed.email), phone: cut(&typed.phone) };
        tx.store_draft(id, Some(&serde_json::to_vec(&typed).unwrap_or_default())).await?;
        let attempt = tx.attempt(id, session.attempt).await?;
        let revealed = attempt.as_ref().and_then(|attempt| tx.revealed(attempt));
        let refused = match (session.progress.stage, contact, revealed) {
            (Stage::Verified, Some(contact), Some(revealed)) if !self.falls_short(&session, attempt.as_ref()) => {
                Ok(Submitted { revealed, contact })
            }
            (Stage::Verified, None, _) => Err(Submission::Faulty),
            (Stage::Verified, Some(_), _) => Err(Submission::FallsShort),
            _ => Err(Submission::NotVerified),
        };
        let submitted = match refused {
            Ok(submitted) => submitted,
            Err(refused) => {
                tx.commit().await?;
                return Ok(refused);
            }
        };
        let registration = loop {
            let (first, second) = (random_code::<4>(), random_code::<4>());
            let registration = Registration { number: format!("{first}-{second}"), submitted_at: now };
            let consent = (session.consent.as_str(), session.created_at);
            if tx.insert_registration(id, session.attempt, &registration, consent, &submitted).await? {
                break registration;
            }
        };
        self.step(&mut tx, &mut session, Event::Submitted, now).await?;
        // The registration holds it all now; one copy is enough.
        tx.store_attributes(id, session.attempt, None).await?;
        tx.store_draft(id, None).await?;
        tx.set_act(ActKind::Purge, &About::Attempt(id, 1), now.plus(self.desk.lifetimes.keep)).await?;
        self.save(tx, Some(&session), now).await?;
        tracing::info!(session.id = %id, "registration submitted");
        Ok(Submission::Registered(registration))
    }

    /// What was typed before and could not be submitted.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn typed(&self, id: SessionId) -> Result<Option<Typed>, StoreError> {
        let draft = self.store.draft(id).await?;
        Ok(draft.and_then(|json| serde_json::from_slice(&json).ok()))
    }
}
