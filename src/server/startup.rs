//! From a configuration to a running server, and back down without losing anything. *Runs: server.*

use std::{
    net::SocketAddr,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use axum::Router;
use tokio::{
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::{Instant, timeout_at},
};

use super::{
    acts,
    backplane::{self, Link},
    clock::Clock,
    config::{Config, PlatformConfig},
    endpoints::{self, Guarded},
    guests::{Files, Guests},
    janitor,
    listener::Listener,
    live::{
        board,
        hub::{Hub, Limits},
    },
    metrics::{Metrics, series},
    platform::{AuthMode, Platform, acapy, confirmd},
    router,
    sandbox::{self, ORG_ID, Sandbox},
    secrets::{Secret, fingerprint, random_text},
    serve,
    sessions::{
        Due, Intake, Sessions,
        intake::{self, Queue},
    },
    state::{App, Parts},
    store::{Store, StoreError, Unusable},
    trace::export::{self, Outlet},
};
use crate::domain::time::Timestamp;

mod addresses;
mod failure;
mod greeting;
mod keys;

pub use addresses::lan_address;
use addresses::{own_url, public_url};
pub use failure::StartError;
pub use greeting::greeting;
pub use keys::{key_file, keys};

/// A task ended that has to go on: nothing would be recorded, begun, deleted or served any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a part of the server ended that it cannot do without")]
pub struct Broken;

/// A server that is ready to serve.
pub struct Server {
    listener: Listener,
    router: Router,
    /// The port of `/metrics`, where it has one of its own.
    metrics: Option<Listener>,
    sessions: Arc<Sessions>,
    app: App,
    files: Files,
    queue: Queue,
    /// To other servers, where there may be any.
    link: Option<Link>,
    /// To a collector, where one is configured.
    outlet: Option<Outlet>,
    stop: watch::Sender<bool>,
}

/// How long what is in flight may take when the server stops, beyond the time over which sockets are closed.
const FINISH: Duration = Duration::from_secs(8);
/// How long the closing of the database may take after that.
const CLOSE: Duration = Duration::from_secs(2);

impl Server {
    /// Listens, opens the database and puts everything together. Nothing is served before [`Server::run`].
    ///
    /// # Errors
    /// When anything that is needed cannot be had.
    pub async fn start(config: Config, clock: Clock) -> Result<Self, StartError> {
        let address = SocketAddr::new(config.hostname, config.port);
        let listen = |source| StartError::Listen { address, source };
        let files = Files::raise();
        // Before anything that takes time: who comes meanwhile waits.
        let listener = Listener::open(address, files).map_err(listen)?;
        let local = listener.local_addr();
        let metrics_address = config.metrics_port.map(|port| SocketAddr::new(config.hostname, port));
        let metrics_listener = metrics_address
            .map(|address| Listener::bind(address, files).map_err(|source| StartError::Listen { address, source }))
            .transpose()?;
        for doubt in config.doubts() {
            tracing::warn!("{doubt}");
        }
        if let [missing, ..] = &*router::missing_files(&config.site_root) {
            let missing = missing.display();
            tracing::warn!(
                "there is no {missing}, so pages have no looks and are not live: LEPTOS_SITE_ROOT has to be where `make build` put it"
            );
        }
        let keys = Arc::new(keys(&config)?);
        let url = &config.database_url.0;
        let store = Store::open(url, config.database_connections, Arc::clone(&keys)).await;
        let store = store.map_err(|error| Unusable::new(url, error))?;
        let terms = config.desk.consent_text();
        let consent = fingerprint::<8>(&terms);
        let now = clock.now();
        prepare(&store, &config, &consent, &terms, now).await.map_err(|error| Unusable::new(url, error))?;
        let public_url = public_url(&config, local)?;
        let is_sandbox = matches!(config.platform, PlatformConfig::Sandbox);
        let webhook_secrets = if config.webhook_secrets.is_empty() && is_sandbox {
            vec![Secret(random_text())]
        } else {
            config.webhook_secrets.clone()
        };
        let admin_token = config.admin_token.clone().or_else(|| is_sandbox.then(|| Secret(random_text())));
        let metrics = Arc::new(Metrics::new()?);
        let (tracer, outlet) = export::open(config.export.as_ref(), &metrics)?;
        let confirmd = |settings| -> Result<Arc<dyn Platform>, StartError> {
            Ok(Arc::new(confirmd::Client::new(settings, config.platform_timeout, Arc::clone(&metrics))?))
        };
        let (org_id, platform, sandbox) = match &config.platform {
            PlatformConfig::Confirmd(settings) => {
                (settings.org_id.clone(), confirmd(confirmd::Settings::clone(settings))?, None)
            }
            PlatformConfig::Acapy(settings) => {
                let settings = acapy::Settings::clone(settings);
                let client = acapy::Client::new(settings, config.platform_timeout, Arc::clone(&metrics))?;
                (String::new(), Arc::new(client) as Arc<dyn Platform>, None)
            }
            PlatformConfig::Sandbox => {
                let own_url = own_url(local)?;
                let sandbox = Sandbox::new(sandbox::Settings {
                    store: store.clone(),
                    clock: clock.clone(),
                    desk: Arc::clone(&config.desk),
                    public_url: public_url.clone(),
                    // The public name may lead through a proxy that this machine does not reach.
                    desk_url: own_url.clone(),
                    webhook_url: config.webhook_address(&own_url),
                    own_url,
                    webhook_auth: config.webhook_auth,
                    webhook_secret: webhook_secrets.first().cloned().unwrap_or(Secret(String::new())),
                    client_secret: Secret(random_text()),
                })
                .await?;
                (ORG_ID.to_owned(), confirmd(sandbox.settings())?, Some(sandbox))
            }
        };
        let link = Link::between(&config, &store)?;
        let outside = link.as_ref().map(|link| Arc::clone(&link.outside));
        let (intake, queue) = Intake::new();
        let sessions = Arc::new(Sessions {
            store,
            platform,
            hub: Hub::open(limits(&config, files), clock.clone(), outside).map_err(StartError::Sockets)?,
            metrics,
            tracer,
            clock,
            desk: Arc::clone(&config.desk),
            consent,
            deadlines: config.deadlines,
            webhooks_are_hints: config.webhook_auth == AuthMode::None,
            intake,
            due: Due::default(),
            // The last process may have been killed between deleting and emptying the log.
            deleted: AtomicBool::new(true),
        });
        let (stop, _) = watch::channel(false);
        let app = App::new(Parts {
            config,
            public_url,
            port: local.port(),
            sessions: Arc::clone(&sessions),
            keys,
            webhook_secrets,
            org_id,
            admin_token,
            sandbox: is_sandbox,
            link: link.clone(),
        });
        let router = router::router(app.clone(), local, sandbox.clone());
        if let Some(sandbox) = sandbox {
            sandbox.resume();
        }
        Ok(Self { listener, router, metrics: metrics_listener, sessions, app, files, queue, link, outlet, stop })
    }

    /// The address it listens on.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.listener.local_addr()
    }

    /// The address of `/metrics`, where it has a port of its own.
    #[must_use]
    pub fn metrics_addr(&self) -> Option<SocketAddr> {
        self.metrics.as_ref().map(Listener::local_addr)
    }

    /// What handlers share.
    #[must_use]
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Serves until `signal` comes; then stops accepting, closes the sockets spread over time, and finishes what is in
    /// flight. It returns within `DRAIN` and ten seconds after that, whatever hangs.
    ///
    /// # Errors
    /// When it stopped by itself, because a part of it ended that it cannot do without.
    pub async fn run(self, signal: impl Future<Output = ()>) -> Result<(), Broken> {
        let Self { listener, router, metrics, sessions, app, files, queue, link, outlet, stop } = self;
        let exporting = outlet.map(Outlet::start);
        let mut intake = tokio::spawn(intake::run(Arc::clone(&sessions), queue));
        let mut outside = tokio::spawn(backplane::run(Arc::clone(&sessions), link.clone()));
        let mut workers = JoinSet::new();
        workers.spawn(acts::run(Arc::clone(&sessions), stop.subscribe()));
        workers.spawn(janitor::run(Arc::clone(&sessions), stop.subscribe()));
        workers.spawn(forget(app.clone(), stop.subscribe()));
        workers.spawn(board::run(Arc::clone(&sessions.hub), stop.subscribe()));
        workers.spawn(series::run(Arc::clone(&sessions), stop.subscribe()));
        let counts = app.config.max_clients_per_address.is_some();
        let guests = Guests::new(files, counts, app.config.trusted_proxies.clone());
        if let Some(listener) = metrics {
            let table = Guarded::new(app.clone(), endpoints::metrics::router(app.clone()));
            workers.spawn(serve::serve(listener, table, Arc::clone(&guests), stop.subscribe()));
        }
        let table = Guarded::new(app.clone(), router).and_webhooks();
        workers.spawn(serve::serve(listener, table, guests, stop.subscribe()));
        let ended = until_told(signal, [&mut intake, &mut outside], &mut workers).await;
        match &ended {
            Ok(()) => tracing::info!("stopping"),
            Err(error) => tracing::error!(%error, "stopping"),
        }
        let _ = stop.send(true);
        sessions.hub.drain(app.config.drain);
        let deadline = Instant::now() + app.config.drain + FINISH;
        let finished = async {
            while workers.join_next().await.is_some() {}
            sessions.hub.empty().await;
            if let Some(link) = &link {
                link.all_told().await;
            }
        };
        if timeout_at(deadline, finished).await.is_err() {
            // What acts were doing is leased in the database, and is done again at the next start.
            tracing::warn!("some connections or acts did not end in time");
        }
        workers.abort_all();
        // Whoever waited for an answer has it, or is gone.
        intake.abort();
        outside.abort();
        let closed = timeout_at(deadline + CLOSE, sessions.store.close());
        if tokio::join!(closed, export::finish(exporting)).0.is_err() {
            tracing::warn!("the database could not be closed in time");
        }
        ended
    }
}

/// What is written before anything is served.
async fn prepare(store: &Store, config: &Config, consent: &str, terms: &str, now: Timestamp) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    // Those that are left are those of a process that is no more.
    tx.free_leases().await?;
    tx.schedule_purges(config.desk.lifetimes.keep, config.desk.lifetimes.unfinished).await?;
    tx.keep_consent(consent, terms, now).await?;
    tx.commit().await
}

/// Waits until the server is told to stop, or has to: each of these tasks ends only after it was told, unless it panics.
async fn until_told(
    signal: impl Future<Output = ()>,
    [intake, outside]: [&mut JoinHandle<()>; 2],
    workers: &mut JoinSet<()>,
) -> Result<(), Broken> {
    tokio::select! {
        () = signal => Ok(()),
        _ = intake => Err(Broken),
        _ = outside => Err(Broken),
        _ = workers.join_next() => Err(Broken),
    }
}

/// What the sockets are allowed: what is configured, as far as the system gives descriptors for it.
fn limits(config: &Config, files: Files) -> Limits {
    let room = files.for_sockets();
    if config.max_clients > room {
        tracing::info!(
            room,
            "the limit of open files leaves room for fewer sockets than MAX_CLIENTS: raise it (LimitNOFILE= with systemd), or lower \
             MAX_CLIENTS to what you expect"
        );
    }
    Limits::new(
        config.max_clients_per_session,
        config.max_clients_per_address,
        config.max_clients.min(room),
        files.for_open_sockets(),
        config.ping_interval,
    )
}

async fn forget(app: App, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(60)) => app.forget_quiet_addresses(),
            _ = stop.changed() => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    #[tokio::test]
    async fn a_server_that_lost_a_part_of_it_does_not_go_on() {
        let alive = || tokio::spawn(pending::<()>());
        let panics = || async { panic!("on purpose") };
        let mut workers = JoinSet::new();
        workers.spawn(pending());
        assert_eq!(until_told(ready(()), [&mut alive(), &mut alive()], &mut workers).await, Ok(()));
        let mut broken = tokio::spawn(panics());
        assert_eq!(until_told(pending(), [&mut broken, &mut alive()], &mut workers).await, Err(Broken));
        let mut broken = tokio::spawn(panics());
        assert_eq!(until_told(pending(), [&mut alive(), &mut broken], &mut workers).await, Err(Broken));
        workers.spawn(panics());
        assert_eq!(until_told(pending(), [&mut alive(), &mut alive()], &mut workers).await, Err(Broken));
    }
}
