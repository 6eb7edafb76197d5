//! `/admin/figures`: how far people come, how long it takes, where they stop, and how this server does. *Runs: server.*

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{
    Desk, Place, loaded,
    words::{clock, day, length, stage},
};
use crate::{
    api::admin::{self, FiguresView, Range, Step},
    domain::{
        figures::{Figures, STEPS},
        time::Timestamp,
    },
    ui::components::plot::{Drawn, Plot, Row},
};

/// Figures cost more than a list.
const PACE: u32 = 15_000;

/// The page.
#[component]
pub fn FiguresPage() -> impl IntoView {
    let range = use_query_map().with_untracked(|query| query.get("range").unwrap_or_default());
    let view = Resource::new_blocking(move || range.clone(), admin::read_figures);
    view! {
        <Suspense>
            {move || Suspend::new(async move {
                loaded(view.await, |view| view! { <Plots view /> }.into_any())
            })}
        </Suspense>
    }
    .into_any()
}

#[component]
fn Plots(view: FiguresView) -> impl IntoView {
    let FiguresView { frame, range, total, parts, by_hour, steps } = view;
    view! {
        <Desk frame title="Figures" place=Place::Figures pace=PACE>
            <h1>"Figures"</h1>
            <nav class="ranges" aria-label="Time">
                <ul>
                    {Range::ALL
                        .map(|of| {
                            let label = match of {
                                Range::Day => "24 hours",
                                Range::Week => "7 days",
                                Range::Month => "30 days",
                            };
                            view! {
                                <li>
                                    <a
                                        id=format!("range-{}", of.as_str())
                                        href=format!("/admin/figures?range={}", of.as_str())
                                        aria-current=(of == range).then_some("page")
                                    >
                                        {label}
                                    </a>
                                </li>
                            }
                        })
                        .collect_view()}
                </ul>
            </nav>
            <div id="figures" class="plots" data-live="">
                <h2>"Registrations, by when they began (UTC)"</h2>
                <Funnel total=total.clone() />
                <Times total=total.clone() />
                <Stops total />
                <ByTime range parts />
                <ByHour by_hour />
                <h2>"This server, the last hour"</h2>
                <Server steps />
            </div>
        </Desk>
    }
    .into_any()
}

/// A part of a whole, in words.
fn part(count: u32, of: u32) -> String {
    if of == 0 { "–".to_owned() } else { format!("{:.0} %", f64::from(count) * 100.0 / f64::from(of)) }
}

fn whole(value: f64) -> String {
    if value.fract().abs() < 1e-9 { format!("{value:.0}") } else { format!("{value:.1}") }
}

#[component]
fn Funnel(total: Figures) -> impl IntoView {
    let reached = total.reached;
    let says = if reached[0] == 0 {
        "Nobody began in this time.".to_owned()
    } else {
        format!("{} of {} who began are registered: {}.", reached[5], reached[0], part(reached[5], reached[0]))
    };
    view! {
        <figure class="plot" aria-labelledby="funnel-title">
            <figcaption>
                <h3 id="funnel-title">"How far people come"</h3>
                <p>{says}</p>
            </figcaption>
            <table class="funnel">
                <thead>
                    <tr>
                        <th scope="col">"Step"</th>
                        <th scope="col" class="figure">"People"</th>
                        <th scope="col" class="figure">"Of all"</th>
                        <th scope="col" class="figure">"Of the step before"</th>
                        <td></td>
                    </tr>
                </thead>
                <tbody>
                    {STEPS
                        .iter()
                        .enumerate()
                        .map(|(step, name)| {
                            let before = reached[step.saturating_sub(1)];
                            let width = if reached[0] == 0 { 0.0 } else { f64::from(reached[step]) * 100.0 / f64::from(reached[0]) };
                            view! {
                                <tr>
                                    <th scope="row">{*name}</th>
                                    <td class="figure">{reached[step]}</td>
                                    <td class="figure">{part(reached[step], reached[0])}</td>
                                    <td class="figure">{part(reached[step], before)}</td>
                                    <td class="bar">
                                        <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
                                            <rect class="series-0" width=width height="10" />
                                        </svg>
                                    </td>
                                </tr>
                            }
                        })
                        .collect_view()}
                </tbody>
            </table>
        </figure>
    }
    .into_any()
}

#[component]
fn Times(total: Figures) -> impl IntoView {
    let said = |value: Option<u64>| value.map_or_else(|| "–".to_owned(), length);
    view! {
        <figure class="plot" aria-labelledby="times-title">
            <figcaption>
                <h3 id="times-title">"How long each step takes"</h3>
                <p>"From the step before. Half of all people were quicker than the first time, 95 of 100 quicker than the second."</p>
            </figcaption>
            <table>
                <thead>
                    <tr>
                        <th scope="col">"To"</th>
                        <th scope="col" class="figure">"p50"</th>
                        <th scope="col" class="figure">"p95"</th>
                        <th scope="col" class="figure">"People"</th>
                    </tr>
                </thead>
                <tbody>
                    {total
                        .times
                        .iter()
                        .enumerate()
                        .map(|(step, times)| {
                            view! {
                                <tr>
                                    <th scope="row">{STEPS[step + 1]}</th>
                                    <td class="figure">{said(times.quantile(0.5))}</td>
                                    <td class="figure">{said(times.quantile(0.95))}</td>
                                    <td class="figure">{times.len()}</td>
                                </tr>
                            }
                        })
                        .collect_view()}
                </tbody>
            </table>
        </figure>
    }
    .into_any()
}

#[component]
fn Stops(total: Figures) -> impl IntoView {
    let mut stops = total.stops;
    stops.sort_by_key(|stop| std::cmp::Reverse(stop.count));
    let all: u32 = stops.iter().map(|stop| stop.count).sum();
    view! {
        <figure class="plot" aria-labelledby="stops-title">
            <figcaption>
                <h3 id="stops-title">"Where people stop"</h3>
                <p>{if all == 0 { "Nobody stopped.".to_owned() } else { format!("{all} stopped on the way.") }}</p>
            </figcaption>
            <table hidden=all == 0>
                <thead>
                    <tr>
                        <th scope="col">"After"</th>
                        <th scope="col">"How it ended"</th>
                        <th scope="col" class="figure">"People"</th>
                        <th scope="col" class="figure">"Of these"</th>
                    </tr>
                </thead>
                <tbody>
                    {stops
                        .into_iter()
                        .map(|stop| {
                            view! {
                                <tr>
                                    <th scope="row">{STEPS.get(usize::from(stop.after)).copied()}</th>
                                    <td>{stage(stop.end)}</td>
                                    <td class="figure">{stop.count}</td>
                                    <td class="figure">{part(stop.count, all)}</td>
                                </tr>
                            }
                        })
                        .collect_view()}
                </tbody>
            </table>
        </figure>
    }
    .into_any()
}

#[component]
fn ByTime(range: Range, parts: Vec<(Timestamp, Figures)>) -> impl IntoView {
    let label = |at: Timestamp| match range {
        Range::Day => clock(at).get(..5).unwrap_or_default().to_owned(),
        Range::Week | Range::Month => day(at),
    };
    let most = parts.iter().max_by_key(|(_, figures)| figures.reached[0]);
    let says = match most {
        Some((at, figures)) if figures.reached[0] > 0 => {
            format!("Most began at {}: {}.", label(*at), figures.reached[0])
        }
        _ => "Nobody began in this time.".to_owned(),
    };
    let rows = parts
        .iter()
        .map(|(at, figures)| Row {
            label: label(*at),
            values: vec![Some(f64::from(figures.reached[0])), Some(f64::from(figures.reached[5]))],
        })
        .collect();
    let (title, places) = if range == Range::Day { ("By hour", "Hour") } else { ("By day", "Day") };
    view! {
        <Plot title says names=vec!["started", "submitted"] rows drawn=Drawn::Bars write=whole places id="by-time" />
    }
    .into_any()
}

#[component]
fn ByHour(by_hour: Vec<[u32; 2]>) -> impl IntoView {
    let rows = by_hour
        .iter()
        .enumerate()
        .map(|(hour, counts)| Row {
            label: format!("{hour:02}"),
            values: counts.iter().map(|count| Some(f64::from(*count))).collect(),
        })
        .collect();
    let busiest = by_hour.iter().enumerate().max_by_key(|(_, counts)| counts[0]).filter(|(_, counts)| counts[0] > 0);
    let says = busiest.map_or_else(
        || "Nobody began in this time.".to_owned(),
        |(hour, counts)| format!("Most begin from {hour:02} to {:02} o'clock: {}.", (hour + 1) % 24, counts[0]),
    );
    view! {
        <Plot
            title="By the hour of the day"
            says
            names=vec!["started", "submitted"]
            rows
            drawn=Drawn::Bars
            write=whole
            places="Hour of the day"
            id="by-hour"
        />
    }
    .into_any()
}

/// A minute of steps at a time: a plot has no room for more.
fn minutes(steps: &[Step]) -> Vec<&[Step]> {
    steps.chunks(6).collect()
}

#[component]
fn Server(steps: Vec<Step>) -> impl IntoView {
    let minutes = minutes(&steps);
    let rows = |value: fn(&[Step]) -> Vec<Option<f64>>| -> Vec<Row> {
        let label = |minute: &[Step]| {
            minute.first().map(|step| clock(step.at).get(..5).unwrap_or_default().to_owned()).unwrap_or_default()
        };
        minutes.iter().map(|minute| Row { label: label(minute), values: value(minute) }).collect()
    };
    let newest = steps.last().copied().unwrap_or_default();
    let (calls, failed) =
        steps.iter().fold((0, 0), |(calls, failed), step| (calls + step.calls[0], failed + step.calls[1]));
    let platform = match (calls, failed) {
        (0, _) => "The platform was not asked for anything.".to_owned(),
        (calls, 0) => format!("All {calls} calls to the platform worked."),
        (calls, failed) => format!("Of {calls} calls to the platform {failed} failed."),
    };
    view! {
        <Plot
            title="Open sockets"
            says=format!("Open now: {}.", newest.sockets)
            names=vec!["sockets"]
            rows=rows(|minute| vec![minute.last().map(|step| step.sockets as f64)])
            drawn=Drawn::Line
            write=whole
            places="Minute"
            id="sockets"
        />
        <Plot
            title="Browsers that poll"
            says=newest
                .polling
                .map_or_else(
                    || "No browser is there.".to_owned(),
                    |part| format!("{:.0} % of the browsers poll instead of watching.", part * 100.0),
                )
            names=vec!["share, %"]
            rows=rows(|minute| vec![mean(minute.iter().filter_map(|step| step.polling)).map(|part| part * 100.0)])
            drawn=Drawn::Line
            write=whole
            places="Minute"
            id="polling"
        />
        <Plot
            title="Webhooks a second"
            says=format!("{} a second in the last ten.", whole(newest.webhooks))
            names=vec!["webhooks"]
            rows=rows(|minute| vec![mean(minute.iter().map(|step| step.webhooks))])
            drawn=Drawn::Line
            write=whole
            places="Minute"
            id="webhooks"
        />
        <Plot
            title="From a webhook to the screen"
            says=newest
                .push_ms
                .map_or_else(
                    || "Nothing was pushed in the last ten seconds.".to_owned(),
                    |time| format!("95 of 100 within {} ms.", whole(time)),
                )
            names=vec!["p95, ms"]
            rows=rows(|minute| vec![minute.iter().filter_map(|step| step.push_ms).reduce(f64::max)])
            drawn=Drawn::Line
            write=whole
            places="Minute"
            id="pushes"
        />
        <Plot
            title="The platform"
            says=platform
            names=vec!["calls", "failed"]
            rows=rows(|minute| {
                let sum = |of: usize| minute.iter().map(|step| step.calls[of] as f64).sum();
                vec![Some(sum(0)), Some(sum(1))]
            })
            drawn=Drawn::Bars
            write=whole
            places="Minute"
            id="platform"
        />
    }
    .into_any()
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (count, sum) = values.fold((0_u32, 0.0), |(count, sum), value| (count + 1, sum + value));
    (count > 0).then(|| sum / f64::from(count))
}
