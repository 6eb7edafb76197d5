//! How the sandbox behaves, and the chance it is left to: everything a real platform was seen to do, or may.
//!
//! Refuses to be surprising twice: the same seed and the same events lead to the same choices. *Runs: server.*

use std::{collections::VecDeque, time::Duration};

use rand::{Rng, SeedableRng, rngs::StdRng};
use serde::{Deserialize, Serialize};

/// How the sandbox behaves; changed with `PUT /sandbox/behaviour`. A field that is left out goes back to its default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Behaviour {
    /// The form of invitation URLs.
    pub invitation_url: UrlForm,
    /// Whether the answer to create-invitation names the out-of-band record. Default: yes.
    pub record_id: bool,
    /// Where connection webhooks carry the out-of-band id. The API's records always have it.
    pub out_of_band_id: OutOfBandPlace,
    /// The form of webhook bodies.
    pub webhook: BodyForm,
    /// How often an event is sent: one of these numbers, by chance for each event. 0 drops it. Default: once.
    pub copies: Vec<u8>,
    /// The least and the most milliseconds a copy is held back, by chance for each, so that events overtake each other.
    pub delay: (u64, u64),
    /// Milliseconds between the steps of the wallet and the agent.
    pub pace: u64,
    /// Seeds the chance.
    pub seed: u64,
    /// Milliseconds an answer of the API is held back after its effect, so that webhooks overtake the answer they
    /// belong to.
    pub answer_delay: u64,
    /// What goes wrong with the next calls of the API, one for each call, in order.
    pub faults: VecDeque<Fault>,
    /// By which calls it is told where its webhooks go.
    pub registration: Registration,
    /// Whether every call of the API answers 503. Meanwhile no fault is used up.
    pub down: bool,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            invitation_url: UrlForm::Short,
            record_id: true,
            out_of_band_id: OutOfBandPlace::Everywhere,
            webhook: BodyForm::Envelope,
            copies: vec![1],
            delay: (0, 0),
            pace: 400,
            seed: 0,
            answer_delay: 0,
            faults: VecDeque::new(),
            registration: Registration::Signing,
            down: false,
        }
    }
}

impl Behaviour {
    /// What cannot be meant, in a sentence.
    #[must_use]
    pub fn mistake(&self) -> Option<&'static str> {
        if self.copies.is_empty() {
            return Some("copies has to hold a number; [0] drops every event");
        }
        (self.delay.0 > self.delay.1).then_some("delay is [least, most]")
    }
}

/// The form of an invitation URL (contract 2.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum UrlForm {
    /// An object store's address, which answers with the long URL as a JSON string and a misleading coding.
    #[default]
    Short,
    /// The invitation inside the URL, as `oob`.
    Long,
    /// An invitation of the older protocol inside the URL, as `c_i`.
    Legacy,
    /// A short URL that answers with the invitation as a JSON object.
    Object,
    /// A short URL that redirects to the long one.
    Redirect,
}

/// Where connection webhooks carry the out-of-band id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OutOfBandPlace {
    /// As a field and in the tags.
    Everywhere,
    /// In the tags alone, which the gateway and the flat form do not have.
    Tags,
    /// Nowhere.
    Nowhere,
}

/// The form of a webhook's body (contract 5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum BodyForm {
    /// `{type, timestamp, orgId, tenantId, data, clientContext}`
    Envelope,
    /// `{data: {…, type}}`
    Gateway,
    /// Everything at the top.
    Flat,
    /// One of the three, by chance for each copy.
    Any,
}

/// By which calls an operator says where webhooks go (contract 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Registration {
    /// `register`, which takes a secret and signs with it.
    Signing,
    /// `register`, which drops the secret without a word; webhooks show nothing.
    Plain,
    /// The same, but it refuses what it does not know.
    Strict,
    /// `apps`, which takes a secret and shows it; there is no `register`.
    Apps,
}

/// What goes wrong with one call of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Fault {
    /// Nothing: it leaves this call in peace.
    None,
    /// 400, without effect.
    Refused,
    /// 401, without effect.
    Unauthorized,
    /// 429 with `Retry-After: 1`, without effect.
    TooMany,
    /// 500, without effect.
    Error,
    /// It has its effect, and answers 500.
    Lost,
    /// It has its effect, and answers after 30 seconds.
    Hang,
    /// It has its effect, and answers with broken JSON.
    Nonsense,
}

/// How long a call that hangs takes.
pub const HANG: Duration = Duration::from_secs(30);

/// The behaviour and its chance.
pub struct Mood {
    pub behaviour: Behaviour,
    chance: StdRng,
}

impl Default for Mood {
    fn default() -> Self {
        Self::new(Behaviour::default())
    }
}

impl Mood {
    pub fn new(behaviour: Behaviour) -> Self {
        let chance = StdRng::seed_from_u64(behaviour.seed);
        Self { behaviour, chance }
    }

    /// How often the next event is sent: the form and the wait of each copy.
    pub fn copies(&mut self) -> Vec<(BodyForm, Duration)> {
        let Behaviour { copies, delay, webhook, .. } = &self.behaviour;
        let count = copies.get(self.chance.random_range(0..copies.len().max(1))).copied().unwrap_or(1);
        (0..count)
            .map(|_| {
                let form = match webhook {
                    BodyForm::Any => {
                        [BodyForm::Envelope, BodyForm::Gateway, BodyForm::Flat][self.chance.random_range(0..3)]
                    }
                    form => *form,
                };
                (form, Duration::from_millis(self.chance.random_range(delay.0..=delay.1.max(delay.0))))
            })
            .collect()
    }

    /// What goes wrong with this call of the API.
    pub fn fault(&mut self) -> Fault {
        self.behaviour.faults.pop_front().unwrap_or(Fault::None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(behaviour: &str) -> Vec<Vec<(BodyForm, Duration)>> {
        let mut mood = Mood::new(serde_json::from_str(behaviour).unwrap());
        (0..200).map(|_| mood.copies()).collect()
    }

    #[test]
    fn by_default_every_event_is_sent_once_and_at_once() {
        assert!(events("{}").iter().all(|copies| *copies == [(BodyForm::Envelope, Duration::ZERO)]));
    }

    #[test]
    fn chance_follows_its_seed_and_takes_every_choice() {
        let wild = |seed: u64| format!("{{\"copies\":[0,1,3],\"delay\":[5,9],\"webhook\":\"any\",\"seed\":{seed}}}");
        assert_eq!(events(&wild(7)), events(&wild(7)));
        assert_ne!(events(&wild(7)), events(&wild(8)));
        let seen = events(&wild(7));
        for count in [0, 1, 3] {
            assert!(seen.iter().any(|copies| copies.len() == count), "{count} copies");
        }
        assert!(seen.iter().all(|copies| [0, 1, 3].contains(&copies.len())));
        for form in [BodyForm::Envelope, BodyForm::Gateway, BodyForm::Flat] {
            assert!(seen.iter().flatten().any(|(chosen, _)| *chosen == form), "{form:?}");
        }
        for wait in 5..=9 {
            assert!(seen.iter().flatten().any(|(_, chosen)| *chosen == Duration::from_millis(wait)), "{wait} ms");
        }
    }

    #[test]
    fn faults_are_used_up_in_order() {
        let mut mood = Mood::new(serde_json::from_str("{\"faults\":[\"lost\",\"none\",\"tooMany\"]}").unwrap());
        let faults: Vec<Fault> = (0..4).map(|_| mood.fault()).collect();
        assert_eq!(faults, [Fault::Lost, Fault::None, Fault::TooMany, Fault::None]);
    }

    #[test]
    fn what_cannot_be_meant_is_a_mistake() {
        assert!(Behaviour { copies: Vec::new(), ..Behaviour::default() }.mistake().is_some());
        assert!(Behaviour { delay: (2, 1), ..Behaviour::default() }.mistake().is_some());
        assert_eq!(Behaviour::default().mistake(), None);
    }
}
