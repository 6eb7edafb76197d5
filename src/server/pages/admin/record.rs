//! The record of what staff did, and the deliveries that belong to no registration. *Runs: server.*

use super::{ROWS, actor, frame, of_store, reader};
use crate::{
    api::admin::{RecordView, Recorded, Stray as StrayView, StraysView},
    domain::time::Timestamp,
    server::{
        pages::{Answer, app, failed},
        problem::Problem,
        sessions::to_the_end,
        staff::{self, Actor},
        store::{Deed, EventOutcome},
    },
};

/// The record; `None` after sending somebody who is not signed in to where one does.
pub async fn record(older: String) -> Answer<Option<RecordView>> {
    let app = app();
    let Some(who) = reader(&app).await? else { return Ok(None) };
    let before = older.parse().unwrap_or(i64::MAX);
    let mut lines = app.sessions.store.deeds(before, ROWS + 1).await.map_err(of_store)?;
    let goes_on = lines.len() > ROWS as usize;
    lines.truncate(ROWS as usize);
    Ok(Some(RecordView {
        frame: frame(&app, who).await?,
        older: lines.last().filter(|_| goes_on).map(|line| line.id),
        lines: lines.into_iter().map(line).collect(),
    }))
}

fn line(line: crate::server::store::Recorded) -> Recorded {
    Recorded {
        at: line.at,
        by: line.name,
        deed: line.deed.map(Deed::as_str).unwrap_or_default().to_owned(),
        session: line.session,
        detail: line.detail,
    }
}

/// The deliveries that belong to no registration; `None` after sending somebody who is not signed in to where one does.
pub async fn strays(older: String) -> Answer<Option<StraysView>> {
    let app = app();
    let Some(who) = reader(&app).await? else { return Ok(None) };
    let place = older.split_once('.').and_then(|(at, id)| Some((Timestamp(at.parse().ok()?), id.parse().ok()?)));
    let before = place.unwrap_or((Timestamp(i64::MAX), i64::MAX));
    let mut strays = app.sessions.store.strays(before, ROWS + 1).await.map_err(of_store)?;
    let goes_on = strays.len() > ROWS as usize;
    strays.truncate(ROWS as usize);
    Ok(Some(StraysView {
        frame: frame(&app, who).await?,
        older: strays.last().filter(|_| goes_on).map(|stray| format!("{}.{}", stray.at.0, stray.id)),
        strays: strays
            .into_iter()
            .map(|stray| StrayView {
                id: stray.id,
                at: stray.at,
                kind: stray.kind,
                state: stray.state.unwrap_or_default(),
                waits: stray.outcome == EventOutcome::Unmatched.as_str(),
                ids: named(["invitation", "connection", "record"], stray.ids),
            })
            .collect(),
    }))
}

/// Ids with what they name, those that there are.
pub(super) fn named(names: [&str; 3], ids: [Option<String>; 3]) -> Vec<(String, String)> {
    names.into_iter().zip(ids).filter_map(|(name, id)| Some((name.to_owned(), id?))).collect()
}

/// Tries a delivery once more or puts it aside, and goes back to the list, which says what came of it.
pub async fn settle(id: i64, what: String) -> Answer<()> {
    let app = app();
    let who = Actor::SignedIn(actor(&app).await?);
    let deed = match &*what {
        "replay" => Deed::Replayed,
        "discard" => Deed::Discarded,
        _ => return Err(failed(Problem::BadForm)),
    };
    staff::record(&app, &who, deed, None, Some(&format!("delivery {id}"))).await.map_err(of_store)?;
    let sessions = app.sessions.clone();
    let word = if deed == Deed::Replayed {
        let settled = to_the_end(async move { sessions.replay(id).await }).await.map_err(of_store)?;
        if settled.is_some() { "matched" } else { "unmatched" }
    } else {
        let is_done = to_the_end(async move { sessions.discard(id).await }).await.map_err(of_store)?;
        if is_done { "discarded" } else { "gone" }
    };
    leptos_axum::redirect(&format!("/admin/deliveries?done={word}"));
    Ok(())
}
