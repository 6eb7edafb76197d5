//! The staff's board: which registrations there are, in pages; and the search. *Runs: server.*

use std::time::Duration;

use super::{ROWS, entry, frame, of_store, reader};
use crate::{
    api::admin::BoardView,
    domain::{ids::SessionId, session::Session, stage::Stage, time::Timestamp},
    server::{
        pages::{Answer, app},
        store::{ByName, Entry, Listed, Place, Store, StoreError, Towards},
    },
};

/// Who says nothing for so long, and should, is stuck.
const STUCK: Duration = Duration::from_secs(2 * 60);
/// The ends that are counted: of registrations that began in this time.
const LATELY: Duration = Duration::from_secs(24 * 60 * 60);
/// So many wallets are searched by name at once; then one may go on.
const SEARCHED: u32 = 50_000;

/// What is asked for, by the word in the address.
fn listed(word: &str, now: Timestamp) -> Option<Listed> {
    Some(match word {
        "" | "running" => Listed::Running(None),
        "stuck" => Listed::Stuck(now.minus(STUCK)),
        "all" => Listed::All,
        word => match Stage::from_name(word)? {
            stage if stage.is_end() => Listed::Ended(stage),
            stage => Listed::Running(Some(stage)),
        },
    })
}

/// A place in the list as it stands in addresses: a time and a session.
fn place(text: &str) -> Option<Place> {
    let (time, id) = text.split_once('.')?;
    let id: SessionId = id.parse().ok()?;
    Some(Place { created_at: Timestamp(time.parse().ok()?), id: id.to_string() })
}

fn as_text(place: &Place) -> String {
    format!("{}.{}", place.created_at.0, place.id)
}

fn place_of(session: &Session) -> Place {
    Place { created_at: session.created_at, id: session.id.to_string() }
}

/// A part of a list, and where it goes on.
#[derive(Default)]
struct Page {
    entries: Vec<Entry>,
    older: Option<Place>,
    newer: Option<Place>,
    searched_to: Option<Timestamp>,
}

/// The board; `None` after sending somebody who is not signed in to where one does.
pub async fn board(list: String, query: String, older: String, newer: String) -> Answer<Option<BoardView>> {
    let app = app();
    let Some(who) = reader(&app).await? else { return Ok(None) };
    let store = &app.sessions.store;
    let now = app.sessions.clock.now();
    // PostgreSQL takes no text with a zero in it, and no name has one.
    let query: String = query.trim().chars().filter(|sign| !sign.is_control()).collect();
    let page = match (listed(&list, now), &*query) {
        (Some(listed), "") => page(store, listed, place(&older), place(&newer)).await,
        (_, "") => Ok(Page::default()),
        (_, text) => search(store, text, place(&older)).await,
    };
    let page = page.map_err(of_store)?;
    let order = |mut counts: Vec<(Stage, u64)>| {
        counts.sort_by_key(|(stage, _)| Stage::ALL.iter().position(|known| known == stage));
        counts
    };
    Ok(Some(BoardView {
        frame: frame(&app, who).await?,
        list: if list.is_empty() { "running".to_owned() } else { list },
        query,
        running: order(store.count_running().await.map_err(of_store)?),
        ended: order(store.count_ended(now.minus(LATELY)).await.map_err(of_store)?),
        older: page.older.as_ref().map(as_text),
        newer: page.newer.as_ref().map(as_text),
        searched_to: page.searched_to,
        entries: page.entries.into_iter().map(entry).collect(),
    }))
}

/// One more is read than is shown: whether there is one says whether the list goes on.
async fn page(store: &Store, listed: Listed, older: Option<Place>, newer: Option<Place>) -> Result<Page, StoreError> {
    let (from, towards) = match (older, newer) {
        (_, Some(place)) => (place, Towards::Newer),
        (Some(place), None) => (place, Towards::Older),
        (None, None) => (Place::newest(), Towards::Older),
    };
    let is_first = from == Place::newest();
    let mut entries = store.entries(listed, &from, towards, ROWS + 1).await?;
    let goes_on = entries.len() > ROWS as usize;
    if goes_on {
        match towards {
            Towards::Older => entries.pop(),
            Towards::Newer => Some(entries.remove(0)),
        };
    }
    let first = entries.first().map(|entry| place_of(&entry.session));
    let last = entries.last().map(|entry| place_of(&entry.session));
    let (has_older, has_newer) = match towards {
        Towards::Older => (goes_on, !is_first),
        Towards::Newer => (true, goes_on),
    };
    Ok(Page { entries, older: last.filter(|_| has_older), newer: first.filter(|_| has_newer), searched_to: None })
}

/// By what names exactly one, first; and by the wallet's name, in which a text may stand anywhere.
async fn search(store: &Store, text: &str, from: Option<Place>) -> Result<Page, StoreError> {
    if from.is_none() {
        let entries = store.entries_by_key(text).await?;
        if !entries.is_empty() {
            return Ok(Page { entries, ..Page::default() });
        }
    }
    let from = from.unwrap_or_else(Place::newest);
    let ByName { found, searched_to } = store.entries_by_wallet(text, &from, ROWS as usize, SEARCHED).await?;
    let time = searched_to.as_ref().map(|place| place.created_at);
    Ok(Page { entries: found, older: searched_to, newer: None, searched_to: time })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_an_address_is_read_again_and_nonsense_is_none() {
        let there = Place { created_at: Timestamp(1_767_225_600_000), id: "abc-_".repeat(5) + "xyz" };
        assert_eq!(place(&as_text(&there)), Some(there));
        for text in ["", "1", "x.y", ".", "1.\0", "99999999999999999999.a"] {
            assert_eq!(place(text), None, "{text}");
        }
    }

    #[test]
    fn every_stage_is_a_list_and_other_words_are_none() {
        for stage in Stage::ALL {
            let is_end = matches!(listed(stage.as_str(), Timestamp(0)), Some(Listed::Ended(_)));
            assert_eq!(is_end, stage.is_end());
        }
        assert_eq!(listed("everything", Timestamp(0)), None);
    }
}
