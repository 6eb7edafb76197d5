//! Where a registration stands and how events move it. *Runs: both.*
//!
//! The machine tolerates what webhooks do: events come twice, late, out of order, or not at all. It only goes forward, an
//! event whose predecessors are missing is applied directly, an end is final. With at most one ending among the events, any
//! order and repetition leads to the same stage. (Of a connection's `completed` and `abandoned` the first one counts.)

use serde::{Deserialize, Serialize};

/// Where a registration stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The code is on screen and no wallet has answered it.
    Waiting,
    /// A wallet asked to connect.
    Scanned,
    /// The connection is complete.
    Connected,
    /// The wallet was asked for the data.
    Requested,
    /// The holder approved; the platform has yet to confirm what was presented.
    Presented,
    /// The platform confirmed the presentation, and the attributes are stored.
    Verified,
    /// The registration is submitted: the good end.
    Submitted,
    /// The holder declined to share.
    Declined,
    /// What was presented did not verify, or mixed two cards.
    Invalid,
    /// The wallet broke the connection off.
    Abandoned,
    /// The deadline of its stage passed.
    Expired,
    /// The person cancelled.
    Cancelled,
    /// The platform refused for good; nothing the person can do with this attempt.
    Failed,
}

/// Something that happened to a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// `request-received`: a wallet asked to connect.
    ConnectionRequested,
    /// `response-sent`: the platform answered the wallet.
    ConnectionAnswered,
    /// `completed`: the wallet confirmed the connection.
    ConnectionCompleted,
    /// The wallet sent a problem report while connecting.
    ConnectionAbandoned,
    /// The request for the data left for the wallet.
    ProofRequested,
    /// The holder approved. Also what a webhook's `done` means to us: only the platform's own answer verifies.
    PresentationReceived,
    /// The holder declined.
    ProofDeclined,
    /// The presentation is not valid.
    ProofInvalid,
    /// The presentation answers from two cards. It may come to light after it was verified.
    CardsMixed,
    /// The platform, asked by us, confirmed the presentation.
    ProofVerified,
    /// The person submitted the form.
    Submitted,
    /// The person cancelled.
    Cancelled,
    /// The deadline passed.
    Expired,
    /// The platform refused for good.
    Failed,
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It moved the registration.
    Advanced,
    /// The registration was already there.
    Repeated,
    /// The registration is already further.
    Late,
    /// The registration, or this attempt at it, had already ended.
    AfterEnd,
}

/// The part of a session's state that events move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Where the registration stands.
    pub stage: Stage,
    /// Whether the platform has answered the wallet's wish to connect. It parts `request` from `response` on the wire
    /// while the stage is [`Stage::Scanned`].
    pub answered: bool,
}

impl Stage {
    /// Every stage, in the order of the design.
    pub const ALL: [Self; 13] = [
        Self::Waiting,
        Self::Scanned,
        Self::Connected,
        Self::Requested,
        Self::Presented,
        Self::Verified,
        Self::Submitted,
        Self::Declined,
        Self::Invalid,
        Self::Abandoned,
        Self::Expired,
        Self::Cancelled,
        Self::Failed,
    ];

    /// The name on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Scanned => "scanned",
            Self::Connected => "connected",
            Self::Requested => "requested",
            Self::Presented => "presented",
            Self::Verified => "verified",
            Self::Submitted => "submitted",
            Self::Declined => "declined",
            Self::Invalid => "invalid",
            Self::Abandoned => "abandoned",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }

    /// The stage of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == name)
    }

    /// How far along the good way this stage is; `None` for the other ends.
    #[must_use]
    pub const fn rank(self) -> Option<u8> {
        match self {
            Self::Waiting => Some(0),
            Self::Scanned => Some(1),
            Self::Connected => Some(2),
            Self::Requested => Some(3),
            Self::Presented => Some(4),
            Self::Verified => Some(5),
            Self::Submitted => Some(6),
            Self::Declined | Self::Invalid | Self::Abandoned | Self::Expired | Self::Cancelled | Self::Failed => None,
        }
    }

    /// Whether nothing moves this attempt any more.
    #[must_use]
    pub const fn is_end(self) -> bool {
        matches!(self, Self::Submitted) || self.rank().is_none()
    }
}

impl Progress {
    /// Where every attempt with a new code begins.
    pub const START: Self = Self { stage: Stage::Waiting, answered: false };

    /// Moves on by an event, and says what became of it. Only [`Outcome::Advanced`] changes anything.
    pub fn apply(&mut self, event: Event) -> Outcome {
        let Some(rank) = self.stage.rank().filter(|_| !self.stage.is_end()) else {
            return Outcome::AfterEnd;
        };
        match event {
            Event::ConnectionRequested => self.reach(Stage::Scanned),
            Event::ConnectionAnswered => {
                let outcome = self.reach(Stage::Scanned);
                if self.stage == Stage::Scanned && !self.answered {
                    self.answered = true;
                    return Outcome::Advanced;
                }
                outcome
            }
            Event::ConnectionCompleted => self.reach(Stage::Connected),
            Event::ProofRequested => self.reach(Stage::Requested),
            Event::PresentationReceived => self.reach(Stage::Presented),
            Event::ProofVerified => self.reach(Stage::Verified),
            // Only what is verified can be submitted.
            Event::Submitted if self.stage != Stage::Verified => Outcome::Late,
            Event::Submitted => self.reach(Stage::Submitted),
            // `completed` is the connection's own good end: an abandoned one cannot take it back (contract 5.5).
            Event::ConnectionAbandoned => self.end_before(rank, Stage::Connected, Stage::Abandoned),
            Event::ProofDeclined => self.end_before(rank, Stage::Verified, Stage::Declined),
            Event::ProofInvalid => self.end_before(rank, Stage::Verified, Stage::Invalid),
            Event::CardsMixed => self.end(Stage::Invalid),
            Event::Failed => self.end_before(rank, Stage::Verified, Stage::Failed),
            Event::Cancelled => self.end(Stage::Cancelled),
            Event::Expired => self.end(Stage::Expired),
        }
    }

    fn reach(&mut self, goal: Stage) -> Outcome {
        match self.stage.rank().cmp(&goal.rank()) {
            std::cmp::Ordering::Less => {
                self.stage = goal;
                Outcome::Advanced
            }
            std::cmp::Ordering::Equal => Outcome::Repeated,
            std::cmp::Ordering::Greater => Outcome::Late,
        }
    }

    fn end_before(&mut self, rank: u8, limit: Stage, end: Stage) -> Outcome {
        if limit.rank().is_some_and(|limit| rank < limit) { self.end(end) } else { Outcome::Late }
    }

    fn end(&mut self, end: Stage) -> Outcome {
        self.stage = end;
        Outcome::Advanced
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::status::Status, *};

    const FORWARD: [Event; 6] = [
        Event::ConnectionRequested,
        Event::ConnectionAnswered,
        Event::ConnectionCompleted,
        Event::ProofRequested,
        Event::PresentationReceived,
        Event::ProofVerified,
    ];

    fn after(events: &[Event]) -> Progress {
        let mut progress = Progress::START;
        for event in events {
            progress.apply(*event);
        }
        progress
    }

    #[test]
    fn the_good_way_visits_every_stage_once() {
        let mut progress = Progress::START;
        let mut seen = vec![(progress.stage, progress.status())];
        for event in FORWARD {
            assert_eq!(progress.apply(event), Outcome::Advanced, "{event:?}");
            seen.push((progress.stage, progress.status()));
        }
        assert_eq!(
            seen,
            [
                (Stage::Waiting, Status::Invitation),
                (Stage::Scanned, Status::Request),
                (Stage::Scanned, Status::Response),
                (Stage::Connected, Status::Active),
                (Stage::Requested, Status::RequestSent),
                (Stage::Presented, Status::PresentationReceived),
                (Stage::Verified, Status::Done),
            ]
        );
    }

    /// The whole table, written down once more: where each event leads, and from which open stages.
    #[test]
    fn every_stage_answers_every_event_by_the_table() {
        use Stage::*;
        let open = [Waiting, Scanned, Connected, Requested, Presented, Verified];
        let table: [(Event, Stage, &[Stage]); 14] = [
            (Event::ConnectionRequested, Scanned, &open[..1]),
            (Event::ConnectionAnswered, Scanned, &open[..1]),
            (Event::ConnectionCompleted, Connected, &open[..2]),
            (Event::ProofRequested, Requested, &open[..3]),
            (Event::PresentationReceived, Presented, &open[..4]),
            (Event::ProofVerified, Verified, &open[..5]),
            (Event::ConnectionAbandoned, Abandoned, &open[..2]),
            (Event::ProofDeclined, Declined, &open[..5]),
            (Event::ProofInvalid, Invalid, &open[..5]),
            (Event::Failed, Failed, &open[..5]),
            (Event::CardsMixed, Invalid, &open),
            (Event::Submitted, Submitted, &open[5..]),
            (Event::Cancelled, Cancelled, &open),
            (Event::Expired, Expired, &open),
        ];
        for (event, goal, from) in table {
            for stage in Stage::ALL {
                let mut progress = Progress { stage, answered: true };
                let outcome = progress.apply(event);
                let moves = from.contains(&stage);
                assert_eq!(progress.stage, if moves { goal } else { stage }, "{stage:?} {event:?}");
                assert_eq!(outcome == Outcome::Advanced, moves, "{stage:?} {event:?}");
                assert_eq!(outcome == Outcome::AfterEnd, !open.contains(&stage), "{stage:?} {event:?}");
            }
        }
    }

    #[test]
    fn an_answer_to_the_wallet_is_a_step_of_its_own_while_scanned() {
        let mut progress = Progress { stage: Stage::Scanned, answered: false };
        assert_eq!(progress.apply(Event::ConnectionAnswered), Outcome::Advanced);
        assert_eq!(progress.apply(Event::ConnectionAnswered), Outcome::Repeated);
        assert_eq!((progress.stage, progress.status()), (Stage::Scanned, Status::Response));
    }

    #[test]
    fn an_abandoned_connection_cannot_take_back_a_completed_one() {
        assert_eq!(after(&[Event::ConnectionCompleted, Event::ConnectionAbandoned]).stage, Stage::Connected);
        assert_eq!(after(&[Event::ConnectionRequested, Event::ConnectionAbandoned]).stage, Stage::Abandoned);
    }

    #[test]
    fn a_decline_cannot_take_back_what_was_verified() {
        assert_eq!(after(&[Event::ProofVerified, Event::ProofDeclined]).stage, Stage::Verified);
        assert_eq!(after(&[Event::PresentationReceived, Event::ProofInvalid]).stage, Stage::Invalid);
    }

    #[test]
    fn names_lead_back_to_their_stage() {
        for stage in Stage::ALL {
            assert_eq!(Stage::from_name(stage.as_str()), Some(stage));
            assert_eq!(serde_json::to_value(stage).unwrap(), stage.as_str());
        }
        assert_eq!(Stage::from_name("done"), None);
    }

    /// Some events, with at most one ending among them, and the same ones repeated in another order.
    fn events_twice() -> impl Strategy<Value = (Vec<Event>, Vec<Event>)> {
        use Event::*;
        let endings = vec![ProofDeclined, ProofInvalid, CardsMixed, Cancelled, Expired, Failed];
        let ending = proptest::option::of(proptest::sample::select(endings));
        (proptest::collection::vec(proptest::sample::select(&FORWARD[..5]), 0..12), ending).prop_flat_map(
            |(mut events, ending)| {
                events.extend(ending);
                let twice: Vec<Event> = events.iter().chain(&events).copied().collect();
                (Just(events), Just(twice).prop_shuffle())
            },
        )
    }

    proptest! {
        /// Whatever comes, in whatever order and however often: the stage is the one that the set of events says.
        #[test]
        fn order_and_repetition_do_not_matter((events, shuffled) in events_twice()) {
            prop_assert_eq!(after(&events).stage, after(&shuffled).stage);
        }
    }
}
