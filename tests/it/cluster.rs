//! Several servers: processes of the binary on one PostgreSQL, told of each other's changes over Redis or PostgreSQL, behind a
//! balancer.

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    database,
    harness::{Opened, PATIENCE, WEBHOOK_SECRET, Watcher},
    passage::Passage,
    platform::{FakePlatform, ORG_ID, ProofEnd},
    postgres::PostgresServer,
    program::Program,
    redis::RedisServer,
};

/// Several servers, and all that they need.
pub struct Cluster {
    pub postgres: PostgresServer,
    pub redis: Option<RedisServer>,
    /// Between the servers and these, so that connections can be cut.
    pub to_postgres: Passage,
    pub to_redis: Option<Passage>,
    pub platform: FakePlatform,
    /// `None` where one is down.
    pub servers: Vec<Option<Program>>,
    ports: Vec<u16>,
    pub balancer: Passage,
    pub http: Client,
    folder: TempDir,
}

impl Cluster {
    /// So many servers, which tell each other what changed over Redis.
    pub async fn over_redis(servers: usize) -> Self {
        Self::start(servers, Some(RedisServer::start())).await
    }

    /// The same without Redis.
    pub async fn over_postgres(servers: usize) -> Self {
        Self::start(servers, None).await
    }

    async fn start(servers: usize, redis: Option<RedisServer>) -> Self {
        let postgres = tokio::task::spawn_blocking(|| PostgresServer::start(true)).await.unwrap();
        let to_postgres = Passage::to(vec![postgres.port()]).await;
        let to_redis = match &redis {
            Some(redis) => Some(Passage::to(vec![redis.port()]).await),
            None => None,
        };
        let mut cluster = Self {
            postgres,
            redis,
            to_postgres,
            to_redis,
            platform: FakePlatform::start(ProofEnd::Verified).await,
            servers: Vec::new(),
            ports: Vec::new(),
            balancer: Passage::to(Vec::new()).await,
            http: Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .pool_max_idle_per_host(0)
                .build()
                .unwrap(),
            folder: tempfile::tempdir().unwrap(),
        };
        // Two at the same time: the tables are made once.
        let started = futures_util::future::join_all((0..servers).map(|_| cluster.server(0))).await;
        cluster.ports = started.iter().map(Program::port).collect();
        cluster.servers = started.into_iter().map(Some).collect();
        cluster.balancer.leads_to(cluster.ports.clone());
        cluster
    }

    /// Starts a server on this port.
    async fn server(&self, port: u16) -> Program {
        let (platform, auth_url) = (&*self.platform.url, format!("{}/token", self.platform.url));
        let database = self.postgres.url_at(self.to_postgres.port());
        let redis = self.redis.as_ref().zip(self.to_redis.as_ref()).map(|(redis, way)| redis.url_at(way.port()));
        let key = database::key_of("a cluster");
        let mut variables = vec![
            ("PLATFORM", "confirmd"),
            ("CONFIRMD_BASE_URL", platform),
            ("CONFIRMD_AUTH_URL", &auth_url),
            ("CONFIRMD_ORG_ID", ORG_ID),
            ("CONFIRMD_CLIENT_ID", "client"),
            ("CONFIRMD_CLIENT_SECRET", "secret"),
            ("DATABASE_URL", &database),
            ("SECRET_KEY", &key),
            ("DRAIN", "300ms"),
            ("ADMIN_TOKEN", crate::harness::ADMIN_TOKEN),
            ("DESK_FILE", concat!(env!("CARGO_MANIFEST_DIR"), "/registration.toml")),
        ];
        variables.extend(redis.as_deref().map(|url| ("REDIS_URL", url)));
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
    pub async fn readiness(&self, server: usize) -> (StatusCode, Value) {
        let answer = self.http.get(format!("{}/readyz", self.url(server))).send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }

    /// Waits until a server says this of itself.
    pub async fn until_it_says(&self, server: usize, status: StatusCode, word: &str) {
        let reached = async {
            loop {
                let (now, body) = self.readiness(server).await;
                if now == status && body["status"] == word {
                    return;
                }
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, reached).await.unwrap_or_else(|_| panic!("server {server} never was {word}"));
    }
}
