//! Spans on their way to a collector, over OTLP/HTTP. Nobody ever waits for it: what does not fit into the queue is dropped and
//! counted, and a collector that is slow or down costs spans alone. *Runs: server.*

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use opentelemetry::{InstrumentationScope, KeyValue, TraceId, trace::SpanKind};
pub use opentelemetry_otlp::ExporterBuildError as Error;
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::{
    Resource,
    resource::{EnvResourceDetector, TelemetryResourceDetector},
    trace::{Sampler, SamplingDecision, ShouldSample, SpanData, SpanExporter as _},
};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::Tracer;
use crate::server::{
    config::{Export, Sampling},
    metrics::{Metrics, span},
};

/// How many spans may wait, as the specification of OpenTelemetry has it; likewise the two below.
const ROOM: usize = 2048;
/// The most that are sent together.
const TOGETHER: usize = 512;
/// How long spans wait for others to go with.
const GATHER: Duration = Duration::from_secs(5);
/// How long the last ones may take when the server stops.
const LAST: Duration = Duration::from_secs(1);

/// Where spans are put.
pub struct Exporter {
    queue: mpsc::Sender<SpanData>,
    sampling: Sampling,
    /// What they say that they come from.
    pub(super) scope: InstrumentationScope,
    metrics: Arc<Metrics>,
    /// Some were dropped since the last ones were sent, and it was said.
    is_full: AtomicBool,
}

impl Exporter {
    /// Whether a trace is exported, where its caller wishes so, or does not, or there is none.
    pub(super) fn samples(&self, trace: TraceId, callers: Option<bool>) -> bool {
        if let Some(wish) = callers.filter(|_| self.sampling.follows_callers) {
            return wish;
        }
        // A part of all ids, the same one for everybody who takes it of the same trace.
        let sampler = Sampler::TraceIdRatioBased(self.sampling.part);
        sampler.should_sample(None, trace, "", &SpanKind::Internal, &[], &[]).decision
            == SamplingDecision::RecordAndSample
    }

    pub(super) fn take(&self, span: SpanData) {
        if self.queue.try_send(span).is_ok() {
            return;
        }
        self.metrics.spans.count([span::DROPPED]);
        if !self.is_full.swap(true, Ordering::Relaxed) {
            tracing::warn!(room = ROOM, "spans are dropped: the collector is slower than they come");
        }
    }
}

/// The other end of the queue, with the way to the collector.
pub struct Outlet {
    to: SpanExporter,
    spans: mpsc::Receiver<SpanData>,
    exporter: Arc<Exporter>,
}

/// Who begins traces, and the export to the collector if one is configured, which is not called yet. What calls to it carry,
/// and how long they may take, the library reads from the environment by the names that OpenTelemetry gives.
///
/// # Errors
/// When what is configured cannot be used.
pub fn open(export: Option<&Export>, metrics: &Arc<Metrics>) -> Result<(Tracer, Option<Outlet>), Error> {
    let Some(export) = export else { return Ok((Tracer::default(), None)) };
    let mut to = SpanExporter::builder().with_http().with_endpoint(export.endpoint.as_str()).build()?;
    let resource = Resource::builder_empty()
        .with_service_name("vestibule")
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_detectors(&[Box::new(TelemetryResourceDetector), Box::new(EnvResourceDetector::new())]);
    let resource = export.service.iter().fold(resource, |resource, name| resource.with_service_name(name.clone()));
    to.set_resource(&resource.build());
    let (queue, spans) = mpsc::channel(ROOM);
    let scope = InstrumentationScope::builder("vestibule").with_version(env!("CARGO_PKG_VERSION")).build();
    let (sampling, metrics, is_full) = (export.sampling, Arc::clone(metrics), AtomicBool::new(false));
    let exporter = Arc::new(Exporter { queue, sampling, scope, metrics, is_full });
    Ok((Tracer(Some(Arc::clone(&exporter))), Some(Outlet { to, spans, exporter })))
}

/// An export that goes on.
pub struct Exporting {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

/// Sends what waits, and gives up what cannot be sent within a second.
pub async fn finish(exporting: Option<Exporting>) {
    let Some(Exporting { stop, mut task }) = exporting else { return };
    let _ = stop.send(());
    if timeout(LAST, &mut task).await.is_err() {
        task.abort();
        tracing::warn!("the last spans could not be exported in time");
    }
}

impl Outlet {
    /// Begins to export, in a task of its own.
    #[must_use]
    pub fn start(self) -> Exporting {
        let (stop, stopped) = oneshot::channel();
        Exporting { stop, task: tokio::spawn(self.run(stopped)) }
    }

    async fn run(mut self, mut stop: oneshot::Receiver<()>) {
        let (mut batch, mut is_stopping, mut is_failing) = (Vec::with_capacity(TOGETHER), false, false);
        loop {
            let gather = async {
                loop {
                    let room = TOGETHER - batch.len();
                    // With room for none, or when none will come any more, none come.
                    if self.spans.recv_many(&mut batch, room).await == 0 {
                        return;
                    }
                }
            };
            tokio::select! {
                () = gather => {}
                () = sleep(GATHER) => {}
                _ = &mut stop, if !is_stopping => {
                    // From here on nothing is waited for.
                    is_stopping = true;
                    self.spans.close();
                    continue;
                }
            }
            if !batch.is_empty() {
                self.send(std::mem::take(&mut batch), &mut is_failing).await;
            } else if is_stopping {
                return;
            }
        }
    }

    async fn send(&self, batch: Vec<SpanData>, is_failing: &mut bool) {
        let (count, spans) = (batch.len() as u64, &self.exporter.metrics.spans);
        match self.to.export(batch).await {
            Ok(()) => {
                spans.add([span::EXPORTED], count);
                self.exporter.is_full.store(false, Ordering::Relaxed);
                if std::mem::take(is_failing) {
                    tracing::info!("spans are exported again");
                }
            }
            Err(error) => {
                spans.add([span::LOST], count);
                if !std::mem::replace(is_failing, true) {
                    tracing::warn!(%error, "spans cannot be exported, and are lost until they can");
                }
            }
        }
    }
}
