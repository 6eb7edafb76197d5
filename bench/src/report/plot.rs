//! The plot: a panel for each of the figures that matter most, a bar for each server. Written by hand, still, legible in
//! light and dark. *Runs: generator.*

use std::fmt::Write;

use super::{FIGURES, Report, table::number};
use crate::server::Kind;

/// A panel: the figure, its heading, and what is better.
const PANELS: [(&str, &str, &str); 8] = [
    ("a.10k", "Memory of an idle socket", "less is better"),
    ("b.1000.p50", "Webhook to message, 1000/s, half of them", "less is better"),
    ("b.1000.p99", "Webhook to message, 1000/s, 99 %", "less is better"),
    ("c.intake.rate", "Acknowledged webhooks", "more is better"),
    ("c.intake.cpu", "Processor time of a webhook", "less is better"),
    ("d.last", "1000 watchers of one session", "less is better"),
    ("e.seconds", "10 000 sockets back after a kill", "less is better"),
    ("f.end", "Delivered while sockets break", "more is better"),
];
const COLUMNS: usize = 2;
const PANEL: (usize, usize) = (420, 138);
const MARGIN: usize = 20;
/// Where the bars begin, and the longest of them.
const BARS: (usize, f64) = (96, 210.0);

/// Colours as custom properties, so that the same plot fits a light and a dark page.
const STYLE: &str = "\
svg { --ink: #26302b; --soft: #66736b; --bar: #b9c4bc; --ours: #2f6b4f; font: 13px system-ui, sans-serif }
@media (prefers-color-scheme: dark) { svg { --ink: #e4e9e5; --soft: #9aa79f; --bar: #4d5952; --ours: #7cc4a0 } }
text { fill: var(--ink) } .soft { fill: var(--soft); font-size: 11px } .title { font-weight: 600 }
rect { fill: var(--bar) } .ours { fill: var(--ours) } text.ours { font-weight: 600 } .end { text-anchor: end }";

/// The plot of a report; panels that were not measured are left out.
#[must_use]
pub fn plot(report: &Report) -> String {
    let measured: Vec<_> = PANELS.iter().filter(|(key, ..)| report.value(key, Kind::Vestibule).is_some()).collect();
    let width = PANEL.0 * COLUMNS + MARGIN * 2;
    let height = PANEL.1 * measured.len().div_ceil(COLUMNS) + MARGIN * 2;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\">\n\
         <title>Vestibule beside bare floors and a Node server</title>\n<style>\n{STYLE}\n</style>\n"
    );
    for (number, (key, heading, better)) in measured.into_iter().enumerate() {
        let (x, y) = (MARGIN + number % COLUMNS * PANEL.0, MARGIN + number / COLUMNS * PANEL.1);
        let _ = writeln!(svg, "<g transform=\"translate({x} {y})\">");
        svg += &panel(report, key, heading, better);
        svg += "</g>\n";
    }
    svg + "</svg>\n"
}

fn panel(report: &Report, key: &str, heading: &str, better: &str) -> String {
    let (unit, decimals) =
        FIGURES.iter().find(|figure| figure.key == key).map_or(("", 0), |figure| (figure.unit, figure.decimals));
    let values: Vec<(Kind, f64)> =
        Kind::ALL.into_iter().filter_map(|kind| Some((kind, report.value(key, kind)?))).collect();
    let most = values.iter().fold(f64::MIN_POSITIVE, |most, (_, value)| most.max(*value));
    let mut text = format!(
        "<text class=\"title\" y=\"12\">{heading}</text>\n<text class=\"soft end\" x=\"{}\" y=\"12\">{better}</text>\n",
        PANEL.0 - MARGIN
    );
    for (row, (kind, value)) in values.into_iter().enumerate() {
        let y = 24 + row * 24;
        let class = if kind == Kind::Vestibule { " class=\"ours\"" } else { "" };
        let length = (value / most * BARS.1).max(1.0);
        let (name, figure) = (kind.name(), number(value, decimals));
        let _ = writeln!(
            text,
            "<text{class} y=\"{}\">{name}</text><rect{class} x=\"{}\" y=\"{y}\" width=\"{length:.1}\" height=\"16\" rx=\"3\"/>\
             <text{class} x=\"{:.1}\" y=\"{}\">{figure} {unit}</text>",
            y + 13,
            BARS.0,
            BARS.0 as f64 + length + 6.0,
            y + 13,
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_bar_is_the_largest_figure_and_what_was_not_measured_has_no_panel() {
        let mut report = Report::default();
        report.note("d.last", Kind::Vestibule, 5.0);
        report.note("d.last", Kind::NodeWs, 20.0);
        let svg = plot(&report);
        assert_eq!(svg.matches("<g ").count(), 1, "{svg}");
        assert_eq!(svg.matches("<rect").count(), 2, "{svg}");
        assert!(svg.contains("width=\"210.0\"") && svg.contains("width=\"52.5\""), "{svg}");
    }
}
