//! Families of metrics whose series are all known beforehand: made once, found by comparing a few short names.
//! *Runs: server.*

use prometheus::{
    Error, HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry,
    core::{Collector, MetricVec, MetricVecBuilder},
};

use super::{Counter, Gauge, Histogram};

/// One metric for each of some values of `N` labels.
pub struct Labelled<M, const N: usize> {
    series: Vec<([&'static str; N], M)>,
}

impl<M, const N: usize> Labelled<M, N> {
    /// The metric with these values; `None` for values that nobody foresaw, which are not counted.
    #[must_use]
    pub fn of(&self, values: [&str; N]) -> Option<&M> {
        let found = self.series.iter().find(|(of, _)| *of == values);
        debug_assert!(found.is_some(), "there is no series for {values:?}");
        found.map(|(_, metric)| metric)
    }

    /// Every metric.
    pub fn each(&self) -> impl Iterator<Item = &M> {
        self.series.iter().map(|(_, metric)| metric)
    }
}

impl<const N: usize> Labelled<Counter, N> {
    /// Counts one.
    pub fn count(&self, values: [&str; N]) {
        self.add(values, 1);
    }

    /// Counts several.
    pub fn add(&self, values: [&str; N], more: u64) {
        if let Some(counter) = self.of(values) {
            counter.inc_by(more);
        }
    }
}

/// Makes metrics and registers them.
pub(super) struct Maker {
    pub(super) registry: Registry,
}

impl Maker {
    pub(super) fn new(prefix: &str) -> Result<Self, Error> {
        Ok(Self { registry: Registry::new_custom(Some(prefix.to_owned()), None)? })
    }

    fn register<C: Collector + Clone + 'static>(&self, metric: C) -> Result<C, Error> {
        self.registry.register(Box::new(metric.clone()))?;
        Ok(metric)
    }

    fn each<B: MetricVecBuilder + 'static, const N: usize>(
        &self,
        family: MetricVec<B>,
        values: impl IntoIterator<Item = [&'static str; N]>,
    ) -> Result<Labelled<B::M, N>, Error>
    where
        MetricVec<B>: Collector,
    {
        let family = self.register(family)?;
        let series = values.into_iter().map(|values| Ok((values, family.get_metric_with_label_values(&values)?)));
        Ok(Labelled { series: series.collect::<Result<_, Error>>()? })
    }

    pub(super) fn counter(&self, name: &str, help: &str) -> Result<Counter, Error> {
        self.register(Counter::new(name, help)?)
    }

    pub(super) fn gauge(&self, name: &str, help: &str) -> Result<Gauge, Error> {
        self.register(Gauge::new(name, help)?)
    }

    pub(super) fn counters<const N: usize>(
        &self,
        name: &str,
        help: &str,
        labels: [&str; N],
        values: impl IntoIterator<Item = [&'static str; N]>,
    ) -> Result<Labelled<Counter, N>, Error> {
        self.each(IntCounterVec::new(Opts::new(name, help), &labels)?, values)
    }

    pub(super) fn gauges<const N: usize>(
        &self,
        name: &str,
        help: &str,
        labels: [&str; N],
        values: impl IntoIterator<Item = [&'static str; N]>,
    ) -> Result<Labelled<Gauge, N>, Error> {
        self.each(IntGaugeVec::new(Opts::new(name, help), &labels)?, values)
    }

    pub(super) fn histogram(&self, name: &str, help: &str, bounds: &[f64]) -> Result<Histogram, Error> {
        self.register(Histogram::with_opts(HistogramOpts::new(name, help).buckets(bounds.to_vec()))?)
    }

    pub(super) fn histograms<const N: usize>(
        &self,
        name: &str,
        help: &str,
        labels: [&str; N],
        values: impl IntoIterator<Item = [&'static str; N]>,
        bounds: &[f64],
    ) -> Result<Labelled<Histogram, N>, Error> {
        let options = HistogramOpts::new(name, help).buckets(bounds.to_vec());
        self.each(HistogramVec::new(options, &labels)?, values)
    }
}
