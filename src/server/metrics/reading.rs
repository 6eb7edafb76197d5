//! What a scrape reads: the metrics that were moved, and beside them what others count, what waits in the database, and
//! what the system says of the process. It writes nothing, takes the sockets' lock once, and asks the database once, over a
//! connection that only reads. *Runs: server.*

use std::{collections::BTreeMap, time::Duration};

use prometheus::{
    Error, TextEncoder,
    proto::{Counter, Gauge, LabelPair, Metric, MetricFamily, MetricType},
};

use super::process;
use crate::{
    domain::wire::Close,
    server::{
        live::stats::LiveStats,
        sessions::Sessions,
        store::{Backlog, Lane},
    },
};

/// How long the database may take to say what waits in it. Who scrapes gives up after ten seconds by default, and would then
/// have none of the other figures either.
const PATIENCE: Duration = Duration::from_secs(2);

/// Close codes that are shown also before they occur. A peer may send others.
const CLOSE_CODES: [u16; 11] = [
    1000,
    Close::SILENT.code,
    Close::PROTOCOL.code,
    LiveStats::NO_CODE,
    LiveStats::GONE,
    Close::NOT_TEXT.code,
    Close::FLOOD.code,
    Close::TOO_BIG.code,
    Close::UNAVAILABLE.code,
    Close::RESTARTING.code,
    Close::FULL.code,
];

/// Everything there is to tell, and how often a page polls that has to, in the text format of Prometheus (version 0.0.4).
///
/// # Errors
/// When it cannot be written as text.
pub async fn scrape(sessions: &Sessions, polling_interval: Duration) -> Result<String, Error> {
    let metrics = &sessions.metrics;
    let backlog = tokio::time::timeout(PATIENCE, sessions.store.backlog(sessions.clock.now())).await;
    let backlog = match backlog {
        Ok(Ok(backlog)) => Some(backlog),
        Ok(Err(error)) => {
            tracing::error!(%error, "what waits in the database cannot be told");
            None
        }
        Err(_) => {
            tracing::error!("the database is too slow to tell what waits in it");
            None
        }
    };
    let started = metrics.started;
    // To count open files may mean to list them; that is no work for a thread that serves.
    let process = tokio::task::spawn_blocking(move || process::families(started)).await.unwrap_or_default();
    let mut families = metrics.registry.gather();
    families.extend(of_sockets(&sessions.hub.stats()));
    families.push(gauge(
        "vestibule_intake_waiting",
        "Webhooks that wait to be recorded.",
        sessions.intake.depth() as f64,
    ));
    families.push(gauge(
        "vestibule_polling_interval_seconds",
        "How long a page waits between two polls.",
        polling_interval.as_secs_f64(),
    ));
    let up = if backlog.is_some() { 1.0 } else { 0.0 };
    families.push(gauge("vestibule_store_up", "Whether the database answered this scrape in time.", up));
    families.extend(backlog.iter().flat_map(of_backlog));
    families.push(labelled(
        MetricType::GAUGE,
        "vestibule_build_info",
        "Always 1; the label says which version runs.",
        "version",
        [(env!("CARGO_PKG_VERSION").to_owned(), 1.0)],
    ));
    families.extend(process);
    TextEncoder::new().encode_to_string(&families)
}

fn of_sockets(stats: &LiveStats) -> [MetricFamily; 6] {
    let mut closed: BTreeMap<u16, u64> = CLOSE_CODES.into_iter().map(|code| (code, 0)).collect();
    closed.extend(&stats.closed);
    [
        gauge(
            "vestibule_sockets_open",
            "Sockets that are open now, those included that are being closed.",
            stats.open as f64,
        ),
        counter(
            "vestibule_sockets_opened_total",
            "Sockets that were opened, those included that were only told a close code.",
            stats.opened as f64,
        ),
        labelled(
            MetricType::COUNTER,
            "vestibule_sockets_closed_total",
            "Sockets that ended, by close code: 1005 without one, 1006 without goodbye, 3000 and 4000 stand for all from there.",
            "code",
            closed.into_iter().map(|(code, count)| (code.to_string(), count as f64)),
        ),
        counter("vestibule_states_pushed_total", "States that were written to sockets.", stats.states_pushed as f64),
        counter(
            "vestibule_states_skipped_total",
            "States that were passed over because their socket was behind and a newer one came.",
            stats.states_skipped as f64,
        ),
        counter("vestibule_pings_sent_total", "Pings sent to sockets.", stats.pings_sent as f64),
    ]
}

fn of_backlog(backlog: &Backlog) -> [MetricFamily; 2] {
    let due = Lane::ALL.into_iter().zip(backlog.due).map(|(lane, due)| (lane.as_str().to_owned(), due as f64));
    [
        labelled(MetricType::GAUGE, "vestibule_acts_due", "Acts that are due and not begun, by lane.", "lane", due),
        gauge(
            "vestibule_deliveries_unmatched",
            "Webhooks that wait for their registration to be known.",
            backlog.unmatched as f64,
        ),
    ]
}

fn family(kind: MetricType, name: &str, help: &str, series: Vec<Metric>) -> MetricFamily {
    let mut family = MetricFamily::default();
    family.set_name(name.to_owned());
    family.set_help(help.to_owned());
    family.set_field_type(kind);
    family.set_metric(series);
    family
}

fn metric(kind: MetricType, labels: Vec<LabelPair>, value: f64) -> Metric {
    let mut metric = Metric::from_label(labels);
    if kind == MetricType::COUNTER {
        let mut counter = Counter::default();
        counter.set_value(value);
        metric.set_counter(counter);
    } else {
        let mut gauge = Gauge::default();
        gauge.set_value(value);
        metric.set_gauge(gauge);
    }
    metric
}

/// A family of one series.
pub(super) fn gauge(name: &str, help: &str, value: f64) -> MetricFamily {
    family(MetricType::GAUGE, name, help, vec![metric(MetricType::GAUGE, Vec::new(), value)])
}

fn counter(name: &str, help: &str, value: f64) -> MetricFamily {
    family(MetricType::COUNTER, name, help, vec![metric(MetricType::COUNTER, Vec::new(), value)])
}

/// A family with a series for each of these values of a label.
fn labelled(
    kind: MetricType,
    name: &str,
    help: &str,
    label: &str,
    series: impl IntoIterator<Item = (String, f64)>,
) -> MetricFamily {
    let series = series.into_iter().map(|(of, value)| {
        let mut pair = LabelPair::default();
        pair.set_name(label.to_owned());
        pair.set_value(of);
        metric(kind, vec![pair], value)
    });
    family(kind, name, help, series.collect())
}
