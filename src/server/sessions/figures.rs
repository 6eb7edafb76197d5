//! Figures of registrations: of hours that are over as they were kept, of the last ones counted anew. *Runs: server.*

use std::{collections::BTreeMap, time::Duration};

use super::Sessions;
use crate::{
    domain::{
        figures::{Figures, HOUR, STEPS, hour_of},
        stage::Stage,
        time::Timestamp,
    },
    server::store::{Course, StoreError},
};

/// So long after an hour nearly all that began in it have ended, and its figures are kept.
const SETTLED: Duration = Duration::from_secs(6 * 60 * 60);
/// How long figures are kept: so that a month can be compared with that of the year before.
pub const KEPT: Duration = Duration::from_secs(400 * 24 * 60 * 60);
/// So many hours are kept at once; the next ones a minute later.
const AT_ONCE: usize = 24;

impl Sessions {
    /// Keeps the figures of hours that are long enough over. Those of an hour are made before its first registration is deleted,
    /// unless the desk keeps unfinished ones for less than two hours.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keep_figures(&self) -> Result<(), StoreError> {
        let unfinished = self.desk.lifetimes.unfinished.saturating_sub(Duration::from_secs(2 * 60 * 60));
        let over = self.clock.now().minus(SETTLED.min(unfinished));
        let mut next = self.store.last_figures().await?.map_or(Timestamp(0), |last| Timestamp(last.0 + HOUR));
        for _ in 0..AT_ONCE {
            let Some(begun) = self.store.first_begun(next).await? else { break };
            let hour = hour_of(begun);
            next = Timestamp(hour.0 + HOUR);
            if next > over {
                break;
            }
            let figures = self.counted(hour).await?;
            let mut tx = self.store.begin().await?;
            tx.insert_figures(hour, &serde_json::to_string(&figures).unwrap_or_default()).await?;
            tx.commit().await?;
        }
        let mut tx = self.store.begin().await?;
        if tx.delete_figures(self.clock.now().minus(KEPT)).await? > 0 {
            tx.commit().await?;
        }
        Ok(())
    }

    /// The figures of each hour from a time on in which any registration began.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn figures(&self, from: Timestamp) -> Result<BTreeMap<i64, Figures>, StoreError> {
        let from = hour_of(from);
        let mut hours = BTreeMap::new();
        for (hour, body) in self.store.figures(from).await? {
            match serde_json::from_str(&body) {
                Ok(figures) => {
                    hours.insert(hour.0, figures);
                }
                Err(error) => tracing::error!(%error, hour = hour.0, "the figures of an hour cannot be read"),
            }
        }
        let last = self.store.last_figures().await?;
        let mut next = last.map_or(from, |last| from.max(Timestamp(last.0 + HOUR)));
        while let Some(begun) = self.store.first_begun(next).await? {
            let hour = hour_of(begun);
            hours.insert(hour.0, self.counted(hour).await?);
            next = Timestamp(hour.0 + HOUR);
            // Others get their turn in between.
            tokio::task::yield_now().await;
        }
        Ok(hours)
    }

    /// The figures of those that began in an hour.
    async fn counted(&self, hour: Timestamp) -> Result<Figures, StoreError> {
        let mut figures = Figures::default();
        for course in self.store.courses(hour, Timestamp(hour.0 + HOUR)).await? {
            figures.count(steps(&course), course.stage.is_end().then_some(course.stage));
        }
        Ok(figures)
    }
}

/// When a registration came to each step. Whoever came to a later one passed those before, at the latest then.
fn steps(course: &Course) -> [Option<Timestamp>; STEPS.len()] {
    let [scanned, connected, approved, verified] = course.steps;
    let submitted = (course.stage == Stage::Submitted).then_some(course.since);
    let mut reached = [Some(course.begun), scanned, connected, approved, verified, submitted];
    for step in (1..reached.len() - 1).rev() {
        reached[step] = reached[step].or(reached[step + 1]);
    }
    reached
}
