//! The figures and the targets as Markdown tables, aligned so that a terminal shows them well too. *Runs: generator.*

use super::{Against, FIGURES, Figure, Report, TARGETS};
use crate::server::Kind;

/// A figure for people: thousands apart, so many decimals.
pub(super) fn number(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) && whole.len() > 4 {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    grouped + rest
}

/// Rows of cells as an aligned table; the first row is the head, and all columns but the first lean to the right.
fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0).max(3);
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let cell = |column: usize, text: &str| {
        let room = width(column);
        if column == 0 { format!("{text:<room$}") } else { format!("{text:>room$}") }
    };
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        text += &line(row.iter().enumerate().map(|(column, words)| cell(column, words)).collect());
        if number == 0 {
            let rule = |column| match column {
                0 => "-".repeat(width(0)),
                _ => "-".repeat(width(column) - 1) + ":",
            };
            text += &line((0..columns).map(rule).collect());
        }
    }
    text
}

/// All figures, one column for each server; in a table of their own, those of several servers.
#[must_use]
pub fn figures_table(report: &Report) -> String {
    let (several, one): (Vec<_>, Vec<_>) = FIGURES.iter().partition(|figure| figure.key.starts_with('k'));
    let tables = [one, several].map(|figures| table_of(report, &figures));
    tables.into_iter().filter(|table| table.lines().count() > 2).collect::<Vec<_>>().join("\n")
}

fn table_of(report: &Report, figures: &[&Figure]) -> String {
    let measured = |kind: &Kind| figures.iter().any(|figure| report.value(figure.key, *kind).is_some());
    let kinds: Vec<Kind> = Kind::ALL.into_iter().filter(measured).collect();
    let mut rows = vec![vec![String::new(), "unit".to_owned()]];
    rows[0].extend(kinds.iter().map(|kind| kind.name().to_owned()));
    for figure in figures {
        let cells: Vec<_> = kinds
            .iter()
            .map(|kind| {
                report.value(figure.key, *kind).map_or_else(|| "–".to_owned(), |value| number(value, figure.decimals))
            })
            .collect();
        if cells.iter().any(|cell| cell != "–") {
            rows.push([format!("{} {}", &figure.key[..1], figure.label), figure.unit.to_owned()].into());
            if let Some(row) = rows.last_mut() {
                row.extend(cells);
            }
        }
    }
    aligned(&rows)
}

/// All targets that this run says something about, with what was reached.
#[must_use]
pub fn targets_table(report: &Report) -> String {
    let head = ["", "against", "reached", "must", "aim", ""];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for target in TARGETS {
        let (Some(reached), Some(figure)) =
            (report.reached(target), FIGURES.iter().find(|figure| figure.key == target.key))
        else {
            continue;
        };
        let (against, unit) = match target.against {
            Against::Server(kind) => (kind.name(), "×".to_owned()),
            Against::Nothing => ("", figure.unit.to_owned()),
        };
        let sign = if target.more { "≥" } else { "≤" };
        let limit = |value: f64| {
            if value == 0.0 {
                "0".to_owned()
            } else if value.is_infinite() {
                "–".to_owned()
            } else {
                format!("{sign} {value} {unit}").trim().to_owned()
            }
        };
        let verdict = match (target.holds(reached, target.must), target.holds(reached, target.aim)) {
            (_, true) => "aim ✓",
            (true, false) => "must ✓",
            (false, false) => "✗",
        };
        let label = match figure.key.split('.').collect::<Vec<_>>()[..] {
            ["b", rate, ..] if !figure.label.contains("/s") => format!("b {}, {rate}/s", figure.label),
            _ => format!("{} {}", &figure.key[..1], figure.label),
        };
        let reached = format!("{} {unit}", number(reached, if reached == 0.0 { 0 } else { 2 })).trim().to_owned();
        rows.push(vec![label, against.to_owned(), reached, limit(target.must), limit(target.aim), verdict.to_owned()]);
    }
    aligned(&rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!(number(34_567.8, 0), "34 568");
        assert_eq!(number(1234.5, 1), "1234.5");
        assert_eq!(number(0.256, 2), "0.26");
    }

    #[test]
    fn a_target_is_a_ratio_of_medians_and_says_whether_it_is_reached() {
        let mut report = Report::default();
        for (kind, rounds) in [(Kind::Vestibule, [9.0, 3.0, 4.0]), (Kind::FloorTuned, [2.0, 3.0, 90.0])] {
            for value in rounds {
                report.note("d.last", kind, value);
            }
        }
        let table = targets_table(&report);
        assert!(table.contains("1.33 ×") && table.contains("must ✓") && !table.contains("aim ✓"), "{table}");
    }
}
