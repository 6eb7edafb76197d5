//! The results in the repository: JSON, the plot, and the tables in the page about performance. *Runs: generator.*

use std::{fs, io, path::Path};

use serde_json::Value;

use super::{Report, figures_table, plot, targets_table};

/// Between these lines of the page stands what a run wrote.
const BEGIN: &str = "<!-- figures: written by `make bench ARGS=--write` -->\n";
const END: &str = "<!-- end of figures -->\n";

/// Writes everything below `docs/`.
///
/// # Errors
/// When a file cannot be written, or the page has no place for the tables.
pub fn write(report: &Report, docs: &Path) -> io::Result<()> {
    fs::write(docs.join("performance.json"), lines(&report.json()))?;
    fs::write(docs.join("performance.svg"), plot(report))?;
    let page = docs.join("performance.md");
    let text = fs::read_to_string(&page)?;
    fs::write(
        page,
        with_tables(&text, report).ok_or_else(|| io::Error::other("performance.md has no place for figures"))?,
    )
}

/// An object of lists as JSON, with a line for each item: a change of one figure is a change of one line.
fn lines(object: &Value) -> String {
    let fields = object.as_object().into_iter().flatten().map(|(name, list)| {
        let items: Vec<_> = list.as_array().into_iter().flatten().map(|item| format!("\n    {item}")).collect();
        format!("\n  \"{name}\": [{}\n  ]", items.join(","))
    });
    format!("{{{}\n}}\n", fields.collect::<Vec<_>>().join(","))
}

fn with_tables(page: &str, report: &Report) -> Option<String> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    let list = |lines: &[String]| lines.iter().map(|line| format!("- {line}\n")).collect::<String>();
    let (circumstances, remarks) = (list(&report.circumstances), list(report.remarks()));
    let remarks = if remarks.is_empty() { remarks } else { format!("\n{remarks}") };
    let (targets, figures) = (targets_table(report), figures_table(report));
    Some(format!("{before}{BEGIN}{circumstances}\n{targets}\n{figures}{remarks}{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::Kind;

    #[test]
    fn the_lines_are_the_same_json() {
        let mut report = Report::default();
        report.note("d.last", Kind::Vestibule, 5.0);
        report.remark("a \"remark\"");
        let read: Value = serde_json::from_str(&lines(&report.json())).unwrap();
        assert_eq!(read, report.json());
    }

    #[test]
    fn what_stands_around_the_figures_stays_and_a_second_run_replaces_the_first() {
        let mut report = Report::default();
        report.note("d.last", Kind::Vestibule, 5.0);
        let page = format!("before\n{BEGIN}old\n{END}after\n");
        let once = with_tables(&page, &report).unwrap();
        assert!(once.starts_with("before\n") && once.ends_with("after\n") && !once.contains("old"), "{once}");
        assert_eq!(with_tables(&once, &report).unwrap(), once);
        assert!(with_tables("no place", &report).is_none());
    }
}
