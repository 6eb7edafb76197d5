//! Where spans are exported to, by the variables that OpenTelemetry gives names to. *Runs: server.*

use reqwest::Url;

use super::reader::{Reader, web_address};

/// The export of spans.
#[derive(Clone, Debug)]
pub struct Export {
    /// Where they are posted.
    pub endpoint: Url,
    /// What the server is called there; `None`: as `OTEL_RESOURCE_ATTRIBUTES` say, or by its own name.
    pub service: Option<String>,
    /// Which of them.
    pub sampling: Sampling,
}

/// Which traces are exported.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampling {
    /// Whether that is up to a caller who has decided already.
    pub follows_callers: bool,
    /// The part of all others, from 0 to 1.
    pub part: f64,
}

/// `None` without an endpoint: then the others are not looked at, which somebody may have set for all programs.
pub(super) fn export(r: &mut Reader<'_>) -> Option<Export> {
    r.get("OTEL_EXPORTER_OTLP_ENDPOINT")?;
    // It is not shown: a password may be in it.
    let endpoint =
        r.secret("OTEL_EXPORTER_OTLP_ENDPOINT", None, "an address that begins with http:// or https://", |value| {
            let mut url = web_address(value).filter(|url| url.query().is_none() && url.fragment().is_none())?;
            url.path_segments_mut().ok()?.pop_if_empty().extend(["v1", "traces"]);
            Some(Some(url))
        });
    let part = r.parse("OTEL_TRACES_SAMPLER_ARG", 1.0, "a number from 0 to 1", |value| {
        value.parse().ok().filter(|part| (0.0..=1.0).contains(part))
    });
    let always = Sampling { follows_callers: true, part: 1.0 };
    let names = "always_on, always_off, traceidratio, or one of these after `parentbased_`";
    let sampling = r.parse("OTEL_TRACES_SAMPLER", always, names, |value| {
        let (follows_callers, own) = value.strip_prefix("parentbased_").map_or((false, value), |own| (true, own));
        let part = match own {
            "always_on" => 1.0,
            "always_off" => 0.0,
            "traceidratio" => part,
            _ => return None,
        };
        Some(Sampling { follows_callers, part })
    });
    let service = r.owned("OTEL_SERVICE_NAME");
    endpoint.map(|endpoint| Export { endpoint, service, sampling })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn read(set: &[(&str, &str)]) -> (Option<Export>, Vec<String>) {
        let set: BTreeMap<_, _> = set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut reader = Reader::new(&set);
        let read = export(&mut reader);
        (read, reader.problems)
    }

    #[test]
    fn spans_are_posted_below_the_endpoint() {
        assert!(read(&[]).0.is_none());
        assert_eq!(read(&[("OTEL_TRACES_SAMPLER", "xray")]).1, [""; 0], "nothing is wrong with what is not used");
        for (endpoint, expected) in [
            ("http://collector:4318", "http://collector:4318/v1/traces"),
            ("https://collector.example/", "https://collector.example/v1/traces"),
            ("https://collector.example/otlp/", "https://collector.example/otlp/v1/traces"),
        ] {
            let export = read(&[("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)]).0.unwrap();
            assert_eq!(export.endpoint.as_str(), expected);
            assert_eq!(export.sampling, Sampling { follows_callers: true, part: 1.0 });
        }
    }

    #[test]
    fn samplers_are_read_by_their_names() {
        let of = |sampler, arg| {
            let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");
            let set = [endpoint, ("OTEL_TRACES_SAMPLER", sampler), ("OTEL_TRACES_SAMPLER_ARG", arg)];
            let Sampling { follows_callers, part } = read(&set).0.unwrap().sampling;
            (follows_callers, part)
        };
        assert_eq!(of("always_on", ""), (false, 1.0));
        assert_eq!(of("always_off", "0.5"), (false, 0.0));
        assert_eq!(of("traceidratio", "0.25"), (false, 0.25));
        assert_eq!(of("traceidratio", ""), (false, 1.0));
        assert_eq!(of("parentbased_traceidratio", "0.25"), (true, 0.25));
        assert_eq!(of("parentbased_always_off", ""), (true, 0.0));
    }

    #[test]
    fn mistakes_are_told_without_the_address() {
        let (_, problems) = read(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector-and-hush:4317"),
            ("OTEL_TRACES_SAMPLER", "xray"),
            ("OTEL_TRACES_SAMPLER_ARG", "1.5"),
        ]);
        assert_eq!(problems.len(), 3, "{problems:?}");
        assert!(!problems.join(" ").contains("hush"));
    }
}
