//! The table of environment variables, and the help made of it. *Runs: server.*

/// One environment variable: its name, its default as the table shows it, and what it means.
pub struct Variable {
    /// The name.
    pub name: &'static str,
    /// The default.
    pub default: &'static str,
    /// The meaning.
    pub meaning: &'static str,
}

const fn variable(name: &'static str, default: &'static str, meaning: &'static str) -> Variable {
    Variable { name, default, meaning }
}

/// Every variable that is read. `--help` and the README's table are made of it; a test compares the latter.
pub const VARIABLES: &[Variable] = &[
    variable("PORT", "3300", "where it listens; 0 takes a free one"),
    variable("HOSTNAME", "127.0.0.1", "the address it listens on; 0.0.0.0 lets phones on the same network in"),
    variable(
        "METRICS_PORT",
        "-",
        "a port of its own for /metrics, on the same address and open to whoever reaches it; 0 takes a free one; without it, /metrics \
         is on the main port, behind ADMIN_TOKEN",
    ),
    variable(
        "PUBLIC_URL",
        "http://localhost:$PORT",
        "its own address as browsers and wallets see it; https makes cookies Secure",
    ),
    variable(
        "ALLOWED_ORIGINS",
        "PUBLIC_URL",
        "other origins whose pages may open sockets and post; there is no CORS, so they cannot read answers",
    ),
    variable(
        "DATABASE_URL",
        "sqlite://vestibule.db",
        "the database file, made when it is not there; or `postgres://…` for several servers",
    ),
    variable(
        "REDIS_URL",
        "-",
        "`redis://…` or, with TLS, `rediss://…`: how several servers tell each other what changed",
    ),
    variable("DATABASE_CONNECTIONS", "16", "the most connections that this server has to PostgreSQL"),
    variable(
        "SECRET_KEY",
        "made once beside the database",
        "32 bytes as 64 hex digits or base64; signs tokens, seals personal data",
    ),
    variable(
        "SECRET_KEY_OLD",
        "-",
        "keys before this one, comma-separated: what they sealed still opens; `vestibule reencrypt` makes them needless",
    ),
    variable("PLATFORM", "sandbox", "sandbox, confirmd or acapy"),
    variable("PLATFORM_TIMEOUT", "30s", "how long a call to the platform may take"),
    variable("CONFIRMD_BASE_URL", "-", "the platform's API"),
    variable("CONFIRMD_AUTH_URL", "-", "the whole address of its token endpoint"),
    variable("CONFIRMD_ORG_ID", "-", "the organisation"),
    variable("CONFIRMD_CLIENT_ID", "-", "the account"),
    variable("CONFIRMD_CLIENT_SECRET", "-", "its secret"),
    variable("CONFIRMD_TENANT_ID", "-", "the tenant, if webhooks are to be checked for it"),
    variable("ACAPY_ADMIN_URL", "-", "the admin API of an ACA-Py agent"),
    variable("ACAPY_ADMIN_KEY", "-", "its --admin-api-key; a tenant's token may be enough"),
    variable("ACAPY_TENANT_TOKEN", "-", "the token of a tenant of a multitenant agent"),
    variable(
        "ACAPY_INVITATION_DID",
        "new",
        "the DID that invitations carry: new for each, or did:peer:4, did:peer:2 or a DID of the agent's that stays, so that wallets go \
         over the connection they have",
    ),
    variable(
        "WEBHOOK_SECRET",
        "random in the sandbox",
        "what webhooks carry as X-API-Key or are signed with; two, comma-separated, while it is changed",
    ),
    variable(
        "WEBHOOK_AUTH",
        "api_key",
        "api_key, hmac (X-Signature and X-Timestamp) or none, which needs a WEBHOOK_PATH_TOKEN",
    ),
    variable(
        "WEBHOOK_PATH_TOKEN",
        "-",
        "a last part of the webhook's path that nobody can guess; 16 characters or more with WEBHOOK_AUTH=none",
    ),
    variable("DESK_FILE", "registration.toml", "what the registration is about"),
    variable("PROOF_CRED_DEF_ID", "-", "the credential definition, where there is no desk file"),
    variable("PROOF_SCHEMA_ID", "-", "its schema, where there is no desk file"),
    variable("PROOF_ATTRIBUTES", "-", "the attributes, comma-separated or as a JSON list, where there is no desk file"),
    variable("PROOF_REQUEST_COMMENT", "-", "what the wallet shows, where the desk file does not say"),
    variable(
        "ADMIN_TOKEN",
        "random in the sandbox",
        "opens the staff's pages and the operator's calls; without it they are closed",
    ),
    variable("SESSION_TTL", "15m", "how long a code waits to be scanned"),
    variable("TOKEN_TTL", "24h", "how long a browser may come back to its session"),
    variable("PING_INTERVAL", "30s", "how often sockets are pinged; one that is silent for two is closed"),
    variable("DRAIN", "10s", "over how long sockets are closed when the server stops"),
    variable("MAX_CLIENTS_PER_SESSION", "5", "sockets for one session"),
    variable(
        "MAX_CLIENTS_PER_ADDRESS",
        "20000",
        "sockets from one address, or from one /64 of IPv6: many people may share it, so it only keeps one from taking all; or off",
    ),
    variable("MAX_CLIENTS", "100000", "sockets in all; the limit of open files may be lower"),
    variable("RECONNECT_ATTEMPTS", "5", "how often the page tries the socket before it polls"),
    variable("POLLING_INTERVAL", "3s", "how often the page polls"),
    variable("RATE_SESSIONS", "30/m", "new codes for one address, per s, m or h; off for load tests"),
    variable(
        "TRUSTED_PROXIES",
        "-",
        "addresses and networks (10.0.0.0/8) whose X-Forwarded-For is believed, comma-separated",
    ),
    variable("LOG_LEVEL", "info", "error, warn, info, debug, trace, or directives of tracing-subscriber"),
    variable("LOG_FORMAT", "text", "text or json"),
    variable(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "-",
        "a collector that spans are exported to over OTLP/HTTP, such as http://localhost:4318; without it none are",
    ),
    variable("OTEL_EXPORTER_OTLP_HEADERS", "-", "what calls to it carry, as name=value, comma-separated"),
    variable("OTEL_SERVICE_NAME", "vestibule", "what the server is called there"),
    variable(
        "OTEL_TRACES_SAMPLER",
        "parentbased_always_on",
        "which traces are exported: always_on, always_off or traceidratio; after parentbased_, callers decide first",
    ),
    variable("OTEL_TRACES_SAMPLER_ARG", "1", "the part of them for traceidratio, from 0 to 1"),
    variable("LEPTOS_SITE_ROOT", "target/site", "where the files for the browser are"),
];

/// The text of `--help`.
#[must_use]
pub fn help() -> String {
    use std::fmt::Write;
    let mut text = format!(
        "vestibule {} - a self-hosted registration desk for digital wallets\n\nUsage: vestibule [migrate | backup FILE | restore FILE | export FILE | import FILE | reencrypt | health | doctor | webhook register | webhook show | --help | --version]\n\n\
         Without a command it serves.\n\n\
         migrate    brings the database's tables up to date, as a start does too\n\
         backup     copies SQLite's file into a new one, also beside a running server\n\
         restore    makes SQLite's file of such a copy, where there is none\n\
         export     writes all that the database holds into a new file\n\
         import     fills an empty database with such a file, for instance one on PostgreSQL, and compares\n\
         reencrypt  seals everything in the database anew with SECRET_KEY; SECRET_KEY_OLD names the keys before\n\
         health     asks the server on this machine whether it lives\n\
         doctor     looks at everything a server needs, changes nothing, and says how to mend what is wrong; ends with 1 then\n\
         webhook    register: has the ConfirmD Platform send its webhooks to PUBLIC_URL; show: says where it sends them\n\n\
         It is configured by environment variables, also from a file `.env`:\n\n",
        env!("CARGO_PKG_VERSION")
    );
    for Variable { name, default, meaning } in VARIABLES {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {name:<24} {meaning}\n  {:<24} [{default}]", "");
    }
    text
}
