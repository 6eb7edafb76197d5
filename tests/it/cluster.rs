//! Several servers: processes of the binary on one PostgreSQL, told of each other's changes over Redis or PostgreSQL, behind a
//! balancer.

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    database,
    harness::{Opened, PATIENCE, WEBHOOK_SECRET, Watcher},
    passage::Passage,
    postgres::PostgresServer,
    program::{Program, lasting_port},
    redis::RedisServer,
    visit::client,
};

/// Several servers, and all that they need.
pub struct Cluster {
    pub postgres: PostgresServer,
    pub redis: Option<RedisServer>,
    /// Between the servers and these, so that connections can be cut.
    pub to_postgres: Passage,
    pub to_redis: Passage,
    /// Where invitations and proofs come from, in the words of the configuration.
    platform: Vec<(&'static str, String)>,
    /// `None` where one is down.
    pub servers: Vec<Option<Program>>,
    ports: Vec<u16>,
    pub balancer: Passage,
    pub http: Client,
    folder: TempDir,
}

impl Cluster {
    /// So many servers on a platform, which tell each other what changed over Redis, or over PostgreSQL.
    pub async fn on(platform: Vec<(&'static str, String)>, servers: usize, over_redis: bool) -> Self {
        Self::behind(Passage::to(Vec::new()).await, platform, servers, over_redis).await
    }

    /// The same behind this balancer.
    pub async fn behind(
        balancer: Passage,
        platform: Vec<(&'static str, String)>,
        servers: usize,
        over_redis: bool,
    ) -> Self {
        let start = move || (PostgresServer::start(true), over_redis.then(RedisServer::start));
        let (postgres, redis) = tokio::task::spawn_blocking(start).await.unwrap();
        let to_postgres = Passage::to(vec![postgres.port()]).await;
        let to_redis = Passage::to(redis.iter().map(RedisServer::port).collect()).await;
        let mut cluster = Self {
            postgres,
            redis,
            to_postgres,
            to_redis,
            platform,
            servers: Vec::new(),
            ports: Vec::new(),
            balancer,
            http: client(),
            folder: tempfile::tempdir().unwrap(),
        };
        // All at the same time: the tables are made once.
        cluster.ports = (0..servers).map(|_| lasting_port()).collect();
        let started = cluster.ports.iter().map(|port| cluster.server(*port));
        let started = futures_util::future::join_all(started).await;
        cluster.servers = started.into_iter().map(Some).collect();
        cluster.balancer.leads_to(cluster.ports.clone());
        cluster
    }

    /// Starts a server on this port.
    async fn server(&self, port: u16) -> Program {
        let mut variables = self.platform.clone();
        variables.extend([
            ("DATABASE_URL", self.postgres.url_at(self.to_postgres.port())),
            ("SECRET_KEY", database::key_of("a cluster")),
            ("PUBLIC_URL", format!("{}/", self.balancer.url())),
            ("DRAIN", "300ms".to_owned()),
            ("DESK_FILE", concat!(env!("CARGO_MANIFEST_DIR"), "/registration.toml").to_owned()),
        ]);
        variables.extend(self.redis.as_ref().map(|redis| ("REDIS_URL", redis.url_at(self.to_redis.port()))));
        let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, &**value)).collect();
        Program::start(self.folder.path(), port, &variables).await
    }

    /// The address of one server.
    pub fn url(&self, server: usize) -> String {
        format!("http://127.0.0.1:{}", self.ports[server])
    }

    /// Kills a server, as a machine that fails.
    pub async fn kill(&mut self, server: usize) {
        if let Some(program) = self.servers[server].take() {
            program.kill().await;
        }
    }

    /// Stops a server in order.
    pub async fn terminate(&mut self, server: usize) {
        assert!(self.servers[server].take().unwrap().terminate().await, "it ends well");
    }

    /// Starts a server again that is down.
    pub async fn restart(&mut self, server: usize) {
        if self.servers[server].is_none() {
            self.servers[server] = Some(self.server(self.ports[server]).await);
        }
    }

    /// Begins a registration at this address.
    pub async fn open_at(&self, url: &str) -> Opened {
        let request = self.http.post(format!("{url}/api/connections/session"));
        Opened::of(request.json(&json!({ "requestType": "registration" })).send().await.unwrap()).await
    }

    /// Sends a webhook to this address; what became of it, where it was taken.
    pub async fn deliver_to(&self, url: &str, body: &Value) -> Option<String> {
        let request = self.http.post(format!("{url}/api/webhooks/confirmd")).header("X-API-Key", WEBHOOK_SECRET);
        let answer = request.json(body).send().await.ok()?;
        if answer.status() != StatusCode::OK {
            assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert!(answer.headers().contains_key("retry-after"), "the platform is told to come back");
            return None;
        }
        Some(answer.json::<Value>().await.ok()?["outcome"].as_str()?.to_owned())
    }

    /// Watches a registration from this address.
    pub async fn watch_at(&self, url: &str, opened: &Opened) -> Watcher {
        let query = format!("sessionId={}&token={}", opened.id, opened.token);
        Watcher::connect(&format!("{}/ws/connections?{query}", url.replacen("http", "ws", 1)), &[]).await.unwrap()
    }

    /// What a server says of itself.
    async fn readiness(&self, server: usize) -> Value {
        let answer = self.http.get(format!("{}/readyz", self.url(server))).send().await.unwrap();
        let status = answer.status();
        let body: Value = answer.json().await.unwrap();
        let says = &body["status"];
        assert!(status.is_success() == says.is_string(), "{status} {body}");
        body
    }

    /// Waits until a server says this of itself.
    pub async fn until_it_says(&self, server: usize, word: impl Into<Value>) {
        let word = word.into();
        let reached = async {
            loop {
                if self.readiness(server).await["status"] == word {
                    return;
                }
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, reached).await.unwrap_or_else(|_| panic!("server {server} never was {word}"));
    }
}
