//! `POST /api/webhooks/confirmd` and `POST /api/webhooks/acapy/topic/{topic}/`: verify, translate, record, answer. 200
//! means it is on disk; nothing is parsed before it is verified, nor logged raw. *Runs: server.*

use std::{borrow::Cow, net::SocketAddr, time::Instant};

use axum::{
    Json,
    body::to_bytes,
    extract::{ConnectInfo, Path, Request, State, rejection::PathRejection},
    http::{HeaderMap, HeaderValue, Method, request::Parts},
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;
use serde::Serialize;
use utoipa::{ToSchema, openapi::schema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    BODY_LIMIT, health,
    openapi::{elsewhere, problems, webhooks::described},
};
use crate::server::{
    config::{CONFIRMD_WEBHOOK, PlatformConfig},
    platform::{Delivery, NotAuthentic, acapy, confirmd},
    problem::Problem,
    secrets::same_secret,
    state::App,
    store::EventOutcome,
    trace,
};

/// The answer to a delivery that is on disk.
#[derive(Serialize, ToSchema)]
pub struct Received {
    received: bool,
    /// What became of it.
    #[schema(schema_with = outcomes)]
    outcome: &'static str,
}

fn outcomes() -> schema::Object {
    let all = EventOutcome::ALL.map(EventOutcome::as_str);
    schema::ObjectBuilder::new().schema_type(schema::Type::String).enum_values(Some(all)).build()
}

problems! { Refusals:
    Problem::BadJson,
    Problem::Unauthorized,
    Problem::Forbidden,
    Problem::ForeignOrigin,
    Problem::NotFound,
    Problem::TooSlow,
    Problem::TooLarge,
    Problem::TooMany { retry_after: 1 },
    Problem::StoreUnavailable,
    Problem::Busy,
}

/// The addresses of the platform that is configured; of others there are none.
pub fn router(app: &App) -> OpenApiRouter<App> {
    let router = OpenApiRouter::default();
    let router = match &app.config.platform {
        PlatformConfig::Sandbox | PlatformConfig::Confirmd(_) => router
            .routes(routes!(receive_confirmd, health::webhook))
            .routes(elsewhere("/{path_token}", "ByToken", routes!(receive_confirmd, health::webhook))),
        // The agent adds all that follows `/api/webhooks/acapy` or the path token by itself.
        PlatformConfig::Acapy(_) => router
            .routes(routes!(health::agents_webhook))
            .routes(routes!(receive_acapy))
            .routes(elsewhere("/topic/{topic}/", "OfTopic", routes!(health::agents_webhook)))
            .routes(routes!(receive_acapy_by_token))
            .routes(elsewhere("/{path_token}/topic/{topic}/", "ByToken", routes!(health::agents_webhook))),
    };
    described(router, app.config.webhook_auth)
}

/// The address of the one call that may come a thousand times a second, where there is such a call.
pub fn usual_address(app: &App) -> Option<&'static str> {
    (!matches!(app.config.platform, PlatformConfig::Acapy(_))).then_some(CONFIRMD_WEBHOOK)
}

/// Whether a request is that call.
pub fn is_usual(usual: Option<&'static str>, request: &Request) -> bool {
    request.method() == Method::POST && usual == Some(request.uri().path())
}

/// Answers that call as the table of what is served would.
pub fn receive(app: App, peer: SocketAddr, request: Request) -> impl Future<Output = Response> {
    trace::take_route(&request, CONFIRMD_WEBHOOK);
    receive_confirmd(State(app), ConnectInfo(peer), Ok(None), request).map(IntoResponse::into_response)
}

/// Who sent a delivery, and the token in the address: `Err` when it is no text, which is not the token.
type Sender = (SocketAddr, Result<Option<String>, ()>);

/// Receives one delivery of the ConfirmD Platform.
#[utoipa::path(
    post, path = "/api/webhooks/confirmd", operation_id = "receiveConfirmd", tag = "webhooks",
    summary = "A webhook of the ConfirmD Platform",
    description = "200 means that it is on disk. Whatever else is answered, the platform should deliver it again.",
    request_body(content = confirmd::schema::ConfirmdWebhook, description = "In one of three forms, at most 1 MiB."),
    responses((status = 200, description = "It is on disk.", body = Received), Refusals),
)]
async fn receive_confirmd(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    path_token: Result<Option<Path<String>>, PathRejection>,
    request: Request,
) -> Result<Json<Received>, Problem> {
    let path_token = path_token.map(|token| token.map(|Path(token)| token)).map_err(|_| ());
    counted(&app, take_in(&app, (peer, path_token), None, request).await)
}

/// Receives one delivery of an agent.
#[utoipa::path(
    post, path = "/api/webhooks/acapy/topic/{topic}/", operation_id = "receiveAcapy", tag = "webhooks",
    summary = "A webhook of an ACA-Py agent",
    description = "200 means that it is on disk. Whatever else is answered, the agent should deliver it again.",
    params(("topic" = String, Path, description = "What it is about, as the agent calls it.", example = "connections")),
    request_body(content = acapy::schema::AcapyWebhook, description = "The record that changed, at most 1 MiB."),
    responses((status = 200, description = "It is on disk.", body = Received), Refusals),
)]
async fn receive_acapy(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path(topic): Path<String>,
    request: Request,
) -> Result<Json<Received>, Problem> {
    counted(&app, take_in(&app, (peer, Ok(None)), Some(&topic), request).await)
}

/// Receives one delivery of an agent, at an address that nobody can guess.
#[utoipa::path(
    post, path = "/api/webhooks/acapy/{path_token}/topic/{topic}/", operation_id = "receiveAcapyByToken", tag = "webhooks",
    summary = "A webhook of an ACA-Py agent",
    description = "As above, where `WEBHOOK_PATH_TOKEN` is set.",
    params(
        ("path_token" = String, Path, description = "`WEBHOOK_PATH_TOKEN`."),
        ("topic" = String, Path, description = "What it is about, as the agent calls it.", example = "connections"),
    ),
    request_body(content = acapy::schema::AcapyWebhook, description = "The record that changed, at most 1 MiB."),
    responses((status = 200, description = "It is on disk.", body = Received), Refusals),
)]
async fn receive_acapy_by_token(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path((token, topic)): Path<(String, String)>,
    request: Request,
) -> Result<Json<Received>, Problem> {
    counted(&app, take_in(&app, (peer, Ok(Some(token))), Some(&topic), request).await)
}

fn counted(app: &App, outcome: Result<EventOutcome, Problem>) -> Result<Json<Received>, Problem> {
    let outcome = outcome.inspect_err(|problem| app.sessions.metrics.deliveries_refused.count([problem.code()]))?;
    Ok(Json(Received { received: true, outcome: outcome.as_str() }))
}

async fn take_in(
    app: &App,
    (peer, path_token): Sender,
    topic: Option<&str>,
    request: Request,
) -> Result<EventOutcome, Problem> {
    let arrived = Instant::now();
    let (Parts { headers, .. }, body) = request.into_parts();
    let failed = |problem: Problem| {
        tracing::warn!(address = %app.address(peer, &headers), ?problem, "webhook refused");
        app.count_failed_webhook(app.address(peer, &headers)).err().unwrap_or(problem)
    };
    let path_token = path_token.map_err(|()| failed(Problem::NotFound))?;
    check_path(app, path_token.as_deref()).map_err(failed)?;
    let (mode, secrets) = (app.config.webhook_auth, &app.webhook_secrets);
    let unauthorized = |NotAuthentic| failed(Problem::Unauthorized);
    let claim = mode.check_headers(&headers, secrets, app.sessions.clock.now()).map_err(unauthorized)?;
    check_wallet(app, &headers)?;
    // Only now is anything read: a stranger cannot make us take a megabyte. Where the body itself is signed, the headers
    // have at least to be complete and of this time.
    let body = to_bytes(body, BODY_LIMIT).await.map_err(|error| Problem::of_body(&error))?;
    claim.check_body(secrets, &body).map_err(unauthorized)?;
    let body = match topic {
        Some(topic) => Cow::Owned(acapy::envelope(topic, &body).map_err(|_| Problem::BadJson)?),
        None => Cow::Borrowed(&*body),
    };
    let delivery = app.sessions.platform.translate(&body).map_err(|_| Problem::BadJson)?;
    check_addressee(app, &delivery)?;
    Ok(app.sessions.intake.record(delivery, arrived).await?)
}

fn check_path(app: &App, given: Option<&str>) -> Result<(), Problem> {
    match (&app.config.webhook_path_token, given) {
        (None, None) => Ok(()),
        (Some(expected), Some(given)) if same_secret(given.as_bytes(), expected.0.as_bytes()) => Ok(()),
        _ => Err(Problem::NotFound),
    }
}

/// The organisation is checked when it is named, the tenant when one is configured (contract 5.2, rule 4).
fn check_addressee(app: &App, delivery: &Delivery) -> Result<(), Problem> {
    let other_org = delivery.org_id.as_ref().is_some_and(|org| *org != app.org_id);
    let other_tenant = match (&app.config.tenant_id, &delivery.tenant_id) {
        (Some(ours), Some(theirs)) => ours != theirs,
        _ => false,
    };
    if other_org || other_tenant { Err(Problem::Forbidden) } else { Ok(()) }
}

/// The wallet that an agent's webhook is for: a tenant's names one, and only there.
fn check_wallet(app: &App, headers: &HeaderMap) -> Result<(), Problem> {
    let PlatformConfig::Acapy(settings) = &app.config.platform else { return Ok(()) };
    let ours = settings.tenant.as_ref().map(|tenant| tenant.wallet_id.as_bytes());
    let theirs = headers.get("x-wallet-id");
    if theirs.map(HeaderValue::as_bytes) == ours {
        return Ok(());
    }
    tracing::warn!(?theirs, "webhook refused: it is for another wallet");
    Err(Problem::Forbidden)
}
