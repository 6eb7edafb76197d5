//! The figures of a run, and what is made of them: a table, JSON, a plot. *Runs: generator.*

mod figures;
mod files;
mod plot;
mod table;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{server::Kind, stats::median};
pub use figures::{Against, FIGURES, Figure, TARGETS, Target};
pub use files::write;
pub use plot::plot;
pub use table::{figures_table, targets_table};

/// What a run found.
#[derive(Default)]
pub struct Report {
    /// The machine and the way of measuring, in words.
    pub circumstances: Vec<String>,
    /// Figure → server → its value in each round.
    values: BTreeMap<String, BTreeMap<Kind, Vec<f64>>>,
    remarks: Vec<String>,
}

impl Report {
    /// Notes a value of one round.
    pub fn note(&mut self, key: &str, kind: Kind, value: f64) {
        debug_assert!(FIGURES.iter().any(|figure| figure.key == key), "{key} is no figure");
        self.values.entry(key.to_owned()).or_default().entry(kind).or_default().push(value);
    }

    /// Says something that belongs to the figures, once.
    pub fn remark(&mut self, text: &str) {
        if !self.remarks.iter().any(|known| known == text) {
            self.remarks.push(text.to_owned());
        }
    }

    /// What was remarked.
    #[must_use]
    pub fn remarks(&self) -> &[String] {
        &self.remarks
    }

    /// The median of a figure's rounds.
    #[must_use]
    pub fn value(&self, key: &str, kind: Kind) -> Option<f64> {
        self.values.get(key)?.get(&kind).map(|values| median(values))
    }

    /// What the program reached of a target: its figure, or its ratio to another server's. `None` where that was not measured.
    #[must_use]
    pub fn reached(&self, target: &Target) -> Option<f64> {
        let ours = self.value(target.key, Kind::Vestibule)?;
        match target.against {
            Against::Nothing => Some(ours),
            Against::Server(kind) => {
                self.value(target.key, kind).filter(|theirs| *theirs > 0.0).map(|theirs| ours / theirs)
            }
        }
    }

    /// All of it as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        let figures = FIGURES.iter().filter_map(|figure| {
            let servers = self.values.get(figure.key)?;
            let values: serde_json::Map<String, Value> = servers
                .iter()
                .map(|(kind, rounds)| {
                    let all: Vec<f64> = rounds.iter().copied().map(rounded).collect();
                    (kind.name().to_owned(), json!({ "median": rounded(median(rounds)), "rounds": all }))
                })
                .collect();
            Some(json!({ "key": figure.key, "label": figure.label, "unit": figure.unit, "servers": values }))
        });
        let targets = TARGETS.iter().filter_map(|target| {
            let reached = self.reached(target)?;
            let against = match target.against {
                Against::Server(kind) => Value::from(kind.name()),
                Against::Nothing => Value::Null,
            };
            Some(json!({
                "key": target.key, "against": against, "reached": rounded(reached), "must": target.must, "aim": target.aim,
                "more_is_better": target.more, "must_reached": target.holds(reached, target.must),
                "aim_reached": target.holds(reached, target.aim),
            }))
        });
        json!({
            "circumstances": self.circumstances,
            "figures": figures.collect::<Vec<_>>(),
            "targets": targets.collect::<Vec<_>>(),
            "remarks": self.remarks,
        })
    }
}

/// No figure here is exact to a thousandth.
fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

impl Target {
    /// Whether a value is as good as a limit.
    #[must_use]
    pub fn holds(&self, value: f64, limit: f64) -> bool {
        if self.more { value >= limit } else { value <= limit }
    }
}
