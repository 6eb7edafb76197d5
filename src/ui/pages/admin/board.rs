//! `/admin`: which registrations there are, where they stand and why. *Runs: server.*

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{
    Desk, Place, loaded,
    words::{length, moment, reason, stage},
};
use crate::{
    api::admin::{self, BoardView, Entry},
    domain::{stage::Stage, time::Timestamp},
};

/// A search reads much, so it is not read anew with every change.
const SEARCH_PACE: u32 = 30_000;

/// The board.
#[component]
pub fn Board() -> impl IntoView {
    let query = use_query_map();
    let asked = query.with_untracked(|query| {
        let word = |name| query.get(name).unwrap_or_default();
        (word("list"), word("q"), word("older"), word("newer"))
    });
    let view = Resource::new_blocking(
        move || asked.clone(),
        |(list, text, older, newer)| admin::read_board(list, text, older, newer),
    );
    view! {
        <Suspense>
            {move || Suspend::new(async move {
                loaded(view.await, |view| view! { <Listing view /> }.into_any())
            })}
        </Suspense>
    }
    .into_any()
}

#[component]
fn Listing(view: BoardView) -> impl IntoView {
    let BoardView { frame, list, query, running, ended, entries, older, newer, searched_to } = view;
    let now = frame.now;
    let is_search = !query.is_empty();
    let pace = if is_search { SEARCH_PACE } else { 500 };
    let title = if is_search { format!("Search: {query}") } else { name_of(&list).to_owned() };
    let link = {
        let (list, query) = (list.clone(), query.clone());
        move |name: &str, place: String| address(&list, &query, Some((name, &place)))
    };
    let is_empty = entries.is_empty();
    view! {
        <Desk frame title=title.clone() place=Place::Board pace>
            <h1>"Registrations"</h1>
            <Search query />
            <div id="counts" data-live="">
                <Lists list=if is_search { String::new() } else { list } running ended />
            </div>
            <section class="listing" aria-labelledby="listed">
                <h2 id="listed">{title}</h2>
                <div id="entries" data-live="">
                    {searched_to
                        .map(|time| {
                            view! { <p class="hint">"Wallets were searched by name back to " {moment(time)} " UTC."</p> }
                        })}
                    {if is_empty {
                        view! { <p class="nobody">"Nobody."</p> }.into_any()
                    } else {
                        view! { <Entries entries now /> }.into_any()
                    }}
                    <nav class="pages" aria-label="Pages">
                        {newer
                            .map(|place| {
                                view! {
                                    <a id="newer" class="button" href=link("newer", place)>
                                        "Newer"
                                    </a>
                                }
                            })}
                        {older
                            .map(|place| {
                                let label = if is_search { "Search further back" } else { "Older" };
                                view! {
                                    <a id="older" class="button" href=link("older", place)>
                                        {label}
                                    </a>
                                }
                            })}
                    </nav>
                </div>
            </section>
        </Desk>
    }
    .into_any()
}

fn name_of(list: &str) -> &'static str {
    match list {
        "running" => "Under way",
        "stuck" => "Stuck",
        "all" => "All",
        word => Stage::from_name(word).map_or("There is no such list", stage),
    }
}

/// The address of a list, or of a search, from a place on.
fn address(list: &str, query: &str, place: Option<(&str, &str)>) -> String {
    let mut params = vec![("list", list)];
    if !query.is_empty() {
        params.push(("q", query));
    }
    params.extend(place);
    let mut address = "/admin".to_owned();
    for (index, (name, value)) in params.into_iter().enumerate() {
        address.push(if index == 0 { '?' } else { '&' });
        address.extend([name, "="]);
        address.push_str(&escaped(value));
    }
    address
}

/// A value in a query (RFC 3986, section 2.1).
fn escaped(value: &str) -> String {
    value
        .bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

#[component]
fn Search(query: String) -> impl IntoView {
    view! {
        <form class="search" method="get" action="/admin" role="search">
            <label for="q">"Number, matching code, out-of-band id, or the wallet's name"</label>
            <div>
                <input id="q" name="q" type="search" autocomplete="off" maxlength="200" value=query />
                <button type="submit">"Search"</button>
            </div>
        </form>
    }
    .into_any()
}

/// The lists, each with how many there are in it.
#[component]
fn Lists(list: String, running: Vec<(Stage, u64)>, ended: Vec<(Stage, u64)>) -> impl IntoView {
    let count = |counts: &[(Stage, u64)], of: Stage| {
        counts.iter().find(|(stage, _)| *stage == of).map_or(0, |(_, count)| *count)
    };
    let all: u64 = running.iter().map(|(_, count)| count).sum();
    let item = {
        let list = list.clone();
        move |word: &'static str, label: &'static str, count: Option<u64>| {
            let current = (word == list).then_some("page");
            let is_nobody = count == Some(0) && word != list;
            view! {
                <li data-nobody=is_nobody.then_some("")>
                    <a id=format!("list-{word}") href=address(word, "", None) aria-current=current>
                        <span>{label}</span>
                        " "
                        {count.map(|count| view! { <b>{count}</b> })}
                    </a>
                </li>
            }
        }
    };
    let stages = |ends: bool| Stage::ALL.into_iter().filter(move |stage| stage.is_end() == ends);
    view! {
        <nav class="lists" aria-label="Lists">
            <ul>
                {item("running", "Under way", Some(all))}
                {item("stuck", "Stuck", None)}
                {item("all", "All", None)}
            </ul>
            <p id="by-stage">"Under way, by stage"</p>
            <ul aria-labelledby="by-stage">
                {stages(false)
                    .map(|of| item(of.as_str(), stage(of), Some(count(&running, of))))
                    .collect_view()}
            </ul>
            <p id="by-end">"Ended, begun in the last 24 hours"</p>
            <ul aria-labelledby="by-end">
                {stages(true)
                    .map(|of| item(of.as_str(), stage(of), Some(count(&ended, of))))
                    .collect_view()}
            </ul>
        </nav>
    }
    .into_any()
}

/// A table, told to be one: on a phone its rows are drawn as blocks, and some browsers take that for no table.
#[component]
fn Entries(entries: Vec<Entry>, now: Timestamp) -> impl IntoView {
    view! {
        <table class="entries" role="table" aria-labelledby="listed">
            <thead role="rowgroup">
                <tr role="row">
                    <th role="columnheader" scope="col">"Registration"</th>
                    <th role="columnheader" scope="col">"Stage"</th>
                    <th role="columnheader" scope="col">"Waits for"</th>
                    <th role="columnheader" scope="col">"Wallet"</th>
                    <th role="columnheader" scope="col" class="figure">"Begun"</th>
                    <th role="columnheader" scope="col" class="figure">"No news for"</th>
                </tr>
            </thead>
            <tbody role="rowgroup">
                {entries.into_iter().map(|entry| view! { <Row entry now /> }).collect_view()}
            </tbody>
        </table>
    }
    .into_any()
}

#[component]
fn Row(entry: Entry, now: Timestamp) -> impl IntoView {
    let id = entry.session.to_string();
    let name = entry.number.clone().unwrap_or_else(|| format!("…{}", &id[id.len().saturating_sub(6)..]));
    let is_trouble = !entry.stage.is_end() && (entry.problem.is_some() || entry.delayed);
    let silent = (!entry.stage.is_end()).then(|| length(now.since(entry.changed)));
    view! {
        <tr role="row" data-stage=entry.stage.as_str() data-trouble=is_trouble.then_some("")>
            <th role="rowheader" scope="row">
                <a id=format!("row-{id}") href=format!("/admin/registrations/{id}")>
                    {name}
                </a>
            </th>
            <td role="cell">
                <span class="stage">{stage(entry.stage)}</span>
                {(entry.attempt > 1).then(|| format!(" · attempt {}", entry.attempt))}
            </td>
            <td role="cell" class="why">
                {reason(&entry)}
            </td>
            <td role="cell">{entry.wallet}</td>
            <td role="cell" class="figure">
                <time datetime=entry.begun.rfc3339()>{length(now.since(entry.begun))} " ago"</time>
            </td>
            <td role="cell" class="figure">
                {silent}
            </td>
        </tr>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_searched_for_is_whole_in_the_next_address() {
        assert_eq!(address("all", "", None), "/admin?list=all");
        assert_eq!(address("", "Ada's é&=", Some(("older", "1.x"))), "/admin?list=&q=Ada%27s%20%C3%A9%26%3D&older=1.x");
    }
}
