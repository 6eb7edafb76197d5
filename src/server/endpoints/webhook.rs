//! `POST /api/webhooks/confirmd`: verify, translate, record, answer. 200 means it is on disk; nothing is parsed before
//! it is verified, nor logged raw. *Runs: server.*

use std::{net::SocketAddr, time::Instant};

use axum::{
    Json,
    body::{Body, to_bytes},
    extract::{ConnectInfo, Path, State, rejection::PathRejection},
    http::HeaderMap,
};
use serde::Serialize;

use super::BODY_LIMIT;
use crate::server::{
    platform::{Delivery, confirmd::NotAuthentic},
    problem::Problem,
    secrets::same_secret,
    state::App,
    store::EventOutcome,
};

/// The answer to a delivery that is on disk.
#[derive(Serialize)]
pub struct Received {
    received: bool,
    outcome: &'static str,
}

/// Receives one delivery.
pub async fn receive(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    path_token: Result<Option<Path<String>>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Received>, Problem> {
    let outcome = take_in(&app, Instant::now(), peer, path_token, &headers, body).await;
    let outcome = outcome.inspect_err(|problem| app.sessions.metrics.deliveries_refused.count([problem.code()]))?;
    Ok(Json(Received { received: true, outcome: outcome.as_str() }))
}

async fn take_in(
    app: &App,
    arrived: Instant,
    peer: SocketAddr,
    path_token: Result<Option<Path<String>>, PathRejection>,
    headers: &HeaderMap,
    body: Body,
) -> Result<EventOutcome, Problem> {
    let failed = |problem: Problem| {
        tracing::warn!(address = %app.address(peer, headers), ?problem, "webhook refused");
        app.count_failed_webhook(app.address(peer, headers)).err().unwrap_or(problem)
    };
    // What is no text is not the token.
    let path_token = path_token.map_err(|_| failed(Problem::NotFound))?;
    check_path(app, path_token.as_ref().map(|Path(token)| token.as_str())).map_err(failed)?;
    let (mode, secrets) = (app.config.webhook_auth, &app.webhook_secrets);
    let unauthorized = |NotAuthentic| failed(Problem::Unauthorized);
    let claim = mode.check_headers(headers, secrets, app.sessions.clock.now()).map_err(unauthorized)?;
    // Only now is anything read: a stranger cannot make us take a megabyte. Where the body itself is signed, the headers
    // have at least to be complete and of this time.
    let body = to_bytes(body, BODY_LIMIT).await.map_err(|error| Problem::of_body(&error))?;
    claim.check_body(secrets, &body).map_err(unauthorized)?;
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
