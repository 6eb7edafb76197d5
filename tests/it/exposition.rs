//! The text format of Prometheus, version 0.0.4, read more strictly than Prometheus itself does: what is odd fails.

use std::collections::BTreeMap;

use crate::harness::{ADMIN_TOKEN, Desk, PATIENCE};

/// A family as its first lines announce it.
pub struct Family {
    /// `counter`, `gauge` or `histogram`.
    pub kind: String,
}

/// One scrape.
pub struct Exposition {
    pub text: String,
    pub families: BTreeMap<String, Family>,
    /// Each series with its labels, as it is written, and its value.
    pub series: BTreeMap<String, f64>,
}

impl Exposition {
    /// Reads a scrape; fails on everything that does not belong there.
    pub fn read(text: &str) -> Self {
        assert!(text.ends_with('\n'), "the last line has an end");
        let mut read = Self { text: text.to_owned(), families: BTreeMap::new(), series: BTreeMap::new() };
        let mut present = String::new();
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, help) = rest.split_once(' ').unwrap();
                let kind = lines.next().unwrap().strip_prefix("# TYPE ").unwrap();
                let kind = kind.strip_prefix(name).unwrap().strip_prefix(' ').unwrap();
                assert!(is_name(name), "{name}");
                assert!(help.ends_with('.') && help.len() > 10, "{name} is not explained: {help}");
                assert_eq!(kind == "counter", name.ends_with("_total"), "{name} is a {kind}");
                let family = Family { kind: kind.to_owned() };
                assert!(read.families.insert(name.to_owned(), family).is_none(), "{name} is there twice");
                name.clone_into(&mut present);
            } else {
                let (series, value) = line.rsplit_once(' ').unwrap();
                let (name, labels) = split(series);
                let is_histogram = read.families[&present].kind == "histogram";
                let suffix = name.strip_prefix(&*present).unwrap_or_else(|| panic!("{line} stands below {present}"));
                let suffixes: &[&str] = if is_histogram { &["_bucket", "_sum", "_count"] } else { &[""] };
                assert!(suffixes.contains(&suffix), "{line} stands below {present}");
                assert_eq!(labels.iter().any(|(label, _)| *label == "le"), suffix == "_bucket", "{line}");
                let value: f64 = value.parse().unwrap();
                assert!(value >= 0.0, "{line}");
                assert!(read.series.insert(series.to_owned(), value).is_none(), "{series} is there twice");
            }
        }
        read.check_histograms();
        read
    }

    /// Buckets only grow, and the last one holds everything.
    fn check_histograms(&self) {
        let mut buckets: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
        for (series, value) in self.series.iter().filter(|(series, _)| series.contains("_bucket{")) {
            let (name, labels) = split(series);
            let bound = labels.iter().find(|(label, _)| *label == "le").unwrap().1;
            let others: Vec<String> =
                labels.iter().filter(|(label, _)| *label != "le").map(|(l, v)| format!("{l}=\"{v}\"")).collect();
            let others = if others.is_empty() { String::new() } else { format!("{{{}}}", others.join(",")) };
            let count = format!("{}_count{others}", name.strip_suffix("_bucket").unwrap());
            buckets.entry(count).or_default().push((bound.parse().unwrap(), *value));
        }
        for (count, mut buckets) in buckets {
            buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
            assert!(buckets.is_sorted_by(|a, b| a.1 <= b.1), "{count}: {buckets:?}");
            assert_eq!(buckets.last(), Some(&(f64::INFINITY, self.series[&count])), "{count}");
        }
    }

    /// The value of a series, written as in the scrape, without the prefix.
    pub fn value(&self, series: &str) -> f64 {
        let value = self.series.get(&format!("vestibule_{series}"));
        *value.unwrap_or_else(|| panic!("there is no {series} in\n{}", self.text))
    }

    /// The sum over all series of a family.
    pub fn sum(&self, family: &str) -> f64 {
        let family = format!("vestibule_{family}");
        assert!(self.families.contains_key(&family), "there is no {family}");
        self.series.iter().filter(|(series, _)| split(series).0 == family).map(|(_, value)| value).sum()
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// The name and the labels of a series. No value has anything in it that would have to be escaped.
pub fn split(series: &str) -> (&str, Vec<(&str, &str)>) {
    let Some((name, labels)) = series.split_once('{') else {
        assert!(is_name(series), "{series}");
        return (series, Vec::new());
    };
    let labels = labels.strip_suffix('}').unwrap().split(',').map(|pair| {
        let (label, value) = pair.split_once('=').unwrap();
        let value = value.strip_prefix('"').unwrap().strip_suffix('"').unwrap();
        let is_plain = value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.+-".contains(&byte));
        assert!(is_name(name) && is_name(label) && is_plain && value.len() <= 24, "{series}");
        (label, value)
    });
    (name, labels.collect())
}

/// What an operator of this desk reads.
pub async fn scrape(desk: &Desk) -> Exposition {
    let answer = match &desk.metrics_url {
        Some(url) => desk.http.get(format!("{url}/metrics")),
        None => desk.http.get(format!("{}/metrics", desk.url)).bearer_auth(ADMIN_TOKEN),
    };
    let answer = answer.send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    assert_eq!(answer.headers()["content-type"], "text/plain; version=0.0.4");
    Exposition::read(&answer.text().await.unwrap())
}

/// Reads until it says so.
pub async fn until(desk: &Desk, what: &str, is_so: impl Fn(&Exposition) -> bool) -> Exposition {
    let mut last = String::new();
    let reached = async {
        loop {
            let scraped = scrape(desk).await;
            if is_so(&scraped) {
                return scraped;
            }
            last.clone_from(&scraped.text);
        }
    };
    let reached = tokio::time::timeout(PATIENCE, reached).await.ok();
    reached.unwrap_or_else(|| panic!("never: {what}\n{last}"))
}
