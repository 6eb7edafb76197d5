//! What handlers share, and who may do what: session tokens, cookies, origins, rates. *Runs: server.*

use std::{
    net::{IpAddr, SocketAddr},
    num::NonZeroU32,
    ops::Deref,
    sync::Arc,
};

use axum::{
    extract::FromRef,
    http::{HeaderMap, HeaderValue, header},
};
use cookie::{Cookie, SameSite};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock as _};
use leptos::config::LeptosOptions;
use reqwest::Url;

use super::{
    backplane::Link,
    config::{Config, Rate},
    problem::Problem,
    secrets::{KeyRing, Secret, same_secret},
    sessions::Sessions,
};
use crate::domain::ids::SessionId;

/// What every handler has at hand.
#[derive(Clone, FromRef)]
pub struct AppState {
    /// For rendering pages.
    pub leptos: LeptosOptions,
    /// For everything else.
    pub app: App,
}

/// The shared part, cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

impl Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

/// The parts.
pub struct Inner {
    /// The configuration.
    pub config: Config,
    /// Its own address as browsers and wallets see it; ends with a slash.
    pub public_url: Url,
    /// The use cases.
    pub sessions: Arc<Sessions>,
    /// Sign and check session tokens.
    pub keys: Arc<KeyRing>,
    /// What webhooks have to carry, any of them.
    pub webhook_secrets: Vec<Secret>,
    /// The organisation that webhooks have to be for.
    pub org_id: String,
    /// What opens the operator's calls.
    pub admin_token: Option<Secret>,
    /// To other servers, where there may be any.
    pub link: Option<Link>,
    origins: Vec<String>,
    sandbox: bool,
    new_sessions: Option<DefaultKeyedRateLimiter<IpAddr>>,
    failed_webhooks: DefaultKeyedRateLimiter<IpAddr>,
    typed_codes: DefaultKeyedRateLimiter<IpAddr>,
    sign_ins: DefaultKeyedRateLimiter<IpAddr>,
}

/// Wrong credentials on webhooks that one address may send in a minute, before it is told to wait.
const FAILED_WEBHOOKS: NonZeroU32 = NonZeroU32::new(60).unwrap();

/// Codes from another device that one address may type in a minute. At that rate the best guess is one in millions.
const TYPED_CODES: NonZeroU32 = NonZeroU32::new(20).unwrap();

/// Attempts to sign in as staff from one address in a minute.
const SIGN_INS: NonZeroU32 = NonZeroU32::new(10).unwrap();

/// The parts of the state that are made while starting.
#[expect(missing_docs, reason = "the fields of `Inner` they become")]
pub struct Parts {
    pub config: Config,
    pub public_url: Url,
    pub port: u16,
    pub sessions: Arc<Sessions>,
    pub keys: Arc<KeyRing>,
    pub webhook_secrets: Vec<Secret>,
    pub org_id: String,
    pub admin_token: Option<Secret>,
    pub sandbox: bool,
    pub link: Option<Link>,
}

impl App {
    /// Puts the parts together.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let Parts { config, public_url, port, sessions, keys, webhook_secrets, org_id, admin_token, sandbox, link } =
            parts;
        let mut origins = config.allowed_origins.clone();
        origins.push(public_url.origin().ascii_serialization());
        if matches!(config.public_url, super::config::PublicUrl::Derived) {
            // Nobody said under which name it is reached: the machine's own names are as good as the derived one.
            origins.extend(["localhost", "127.0.0.1"].map(|host| format!("http://{host}:{port}")));
        }
        let limiter = |Rate { count, per }: Rate| {
            Quota::with_period(per / count.get()).map(|quota| RateLimiter::keyed(quota.allow_burst(count)))
        };
        let new_sessions = config.rate_sessions.and_then(limiter);
        let failed_webhooks = RateLimiter::keyed(Quota::per_minute(FAILED_WEBHOOKS));
        let typed_codes = RateLimiter::keyed(Quota::per_minute(TYPED_CODES));
        let sign_ins = RateLimiter::keyed(Quota::per_minute(SIGN_INS));
        Self(Arc::new(Inner {
            config,
            public_url,
            sessions,
            keys,
            webhook_secrets,
            org_id,
            admin_token,
            link,
            origins,
            sandbox,
            new_sessions,
            failed_webhooks,
            typed_codes,
            sign_ins,
        }))
    }

    /// Whether the platform is the sandbox.
    #[must_use]
    pub fn is_sandbox(&self) -> bool {
        self.sandbox
    }

    /// A fresh token for a session.
    #[must_use]
    pub fn token(&self, session: SessionId) -> String {
        self.keys.token(session, self.sessions.clock.now().plus(self.config.token_ttl))
    }

    /// The session that this token opens.
    #[must_use]
    pub fn opens(&self, token: &str) -> Option<SessionId> {
        self.keys.opens(token, self.sessions.clock.now())
    }

    /// Whether browsers reach it by https.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.public_url.scheme() == "https"
    }

    /// The name of the cookie that carries a session. `__Host-` binds the cookie to this host and to https; browsers refuse it over http.
    #[must_use]
    pub fn cookie_name(&self) -> &'static str {
        if self.is_https() { "__Host-vestibule" } else { "vestibule" }
    }

    /// The cookie that carries a session in a browser.
    #[must_use]
    pub fn cookie(&self, session: SessionId) -> HeaderValue {
        let max_age = i64::try_from(self.config.token_ttl.as_secs()).unwrap_or(i64::MAX);
        let cookie = Cookie::build((self.cookie_name(), self.token(session)))
            .path("/")
            .http_only(true)
            .secure(self.is_https())
            .same_site(SameSite::Lax)
            .max_age(cookie::time::Duration::seconds(max_age));
        // A token is ASCII without separators, so the header can always be made.
        HeaderValue::from_str(&cookie.to_string()).unwrap_or_else(|_| HeaderValue::from_static(""))
    }

    /// The session of the browser that sent these headers.
    #[must_use]
    pub fn session_of_cookie(&self, headers: &HeaderMap) -> Option<SessionId> {
        headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(Cookie::split_parse)
            .filter_map(Result::ok)
            .filter(|cookie| cookie.name() == self.cookie_name())
            .find_map(|cookie| self.opens(cookie.value()))
    }

    /// Whether these headers, or this token from the address, may see this session.
    #[must_use]
    pub fn may_see(&self, session: SessionId, headers: &HeaderMap, token: Option<&str>) -> bool {
        let token = token.or_else(|| bearer(headers));
        match token {
            Some(token) => self.opens(token) == Some(session),
            None => self.session_of_cookie(headers) == Some(session),
        }
    }

    /// Whether a browser on the page these headers come from may call: our own origin, or one that is allowed. Calls
    /// without an origin do not come from a page.
    #[must_use]
    pub fn origin_is_ours(&self, headers: &HeaderMap) -> bool {
        headers.get(header::ORIGIN).is_none_or(|origin| {
            origin.to_str().is_ok_and(|origin| self.origins.iter().any(|ours| ours.eq_ignore_ascii_case(origin)))
        })
    }

    /// Whether these headers come from a page of our own, and not from one that is allowed beside it.
    #[must_use]
    pub fn origin_is_own(&self, headers: &HeaderMap) -> bool {
        let allowed = &self.config.allowed_origins;
        let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok()).unwrap_or_default();
        let own = self.origins.iter().skip(allowed.len());
        own.into_iter().any(|own| own.eq_ignore_ascii_case(origin))
    }

    /// Whether these headers carry the operator's token.
    ///
    /// # Errors
    /// With the answer for those that do not.
    pub fn check_admin(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let expected = self.admin_token.as_ref().ok_or(Problem::Forbidden)?;
        let given = bearer(headers).ok_or(Problem::Unauthorized)?;
        if same_secret(given.as_bytes(), expected.0.as_bytes()) { Ok(()) } else { Err(Problem::Unauthorized) }
    }

    /// Counts a new code for an address.
    ///
    /// # Errors
    /// With the answer for an address that asked too often.
    pub fn count_new_session(&self, address: IpAddr) -> Result<(), Problem> {
        self.new_sessions.as_ref().map_or(Ok(()), |limiter| count(limiter, address))
    }

    /// Counts a webhook with wrong credentials for an address.
    ///
    /// # Errors
    /// With the answer for an address that tried too often.
    pub fn count_failed_webhook(&self, address: IpAddr) -> Result<(), Problem> {
        count(&self.failed_webhooks, address)
    }

    /// Counts a code from another device for an address.
    ///
    /// # Errors
    /// With the answer for an address that tried too often.
    pub fn count_typed_code(&self, address: IpAddr) -> Result<(), Problem> {
        count(&self.typed_codes, address)
    }

    /// Counts an attempt to sign in as staff for an address.
    ///
    /// # Errors
    /// With the answer for an address that tried too often.
    pub fn count_sign_in(&self, address: IpAddr) -> Result<(), Problem> {
        count(&self.sign_ins, address)
    }

    /// Forgets addresses that have been quiet, so that the counters do not grow for ever.
    pub fn forget_quiet_addresses(&self) {
        if let Some(limiter) = &self.new_sessions {
            limiter.retain_recent();
        }
        self.failed_webhooks.retain_recent();
        self.typed_codes.retain_recent();
        self.sign_ins.retain_recent();
    }

    /// The address of the person or machine that called, also through a proxy that is trusted.
    #[must_use]
    pub fn address(&self, peer: SocketAddr, headers: &HeaderMap) -> IpAddr {
        self.config.trusted_proxies.caller(peer.ip(), headers)
    }
}

fn count(limiter: &DefaultKeyedRateLimiter<IpAddr>, address: IpAddr) -> Result<(), Problem> {
    limiter.check_key(&address).map_err(|until| {
        let wait = until.wait_time_from(limiter.clock().now());
        Problem::TooMany { retry_after: wait.as_secs() + 1 }
    })
}

/// The token of `Authorization: Bearer`.
#[must_use]
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
