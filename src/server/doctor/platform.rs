//! Whether the platform lets us in, and where it sends its webhooks. *Runs: server.*

use std::sync::Arc;

use reqwest::Url;

use super::{
    Finding,
    clocks::Clocks,
    probe::{Probe, Unseen},
};
use crate::{
    domain::ids::OutOfBandId,
    server::{
        config::{Config, PlatformConfig, is_same, not_here, without_secrets},
        metrics::Metrics,
        platform::{
            InvitationKeys, Platform, PlatformError, acapy,
            confirmd::{self, Registered},
        },
    },
};

const PLATFORM: &str = "platform";
const WEBHOOK: &str = "webhook";
/// Of no invitation: what is asked for is whether we may ask.
const NOBODY: &str = "00000000-0000-4000-8000-000000000000";

pub(super) async fn examine(config: &Config, probe: &Probe, clocks: &mut Clocks, tell: &mut dyn FnMut(Finding)) {
    match &config.platform {
        PlatformConfig::Sandbox => tell(Finding::ok(
            PLATFORM,
            "the sandbox, which is part of the server: nothing there is real. PLATFORM names a real one",
        )),
        PlatformConfig::Confirmd(settings) => {
            if let Ok(seen) = probe.look(&settings.base_url).await {
                seen.note_time("the platform", clocks);
            }
            tell(match confirmd_client(config, settings) {
                Some(client) => confirmd(&client, settings, probe).await,
                None => unusable(),
            });
        }
        PlatformConfig::Acapy(settings) => tell(acapy(config, settings, probe, clocks).await),
    }
}

fn unusable() -> Finding {
    Finding::fault(PLATFORM, "its client cannot be made", "see `calls` above")
}

fn confirmd_client(config: &Config, settings: &confirmd::Settings) -> Option<confirmd::Client> {
    confirmd::Client::new(settings.clone(), config.platform_timeout, Arc::new(Metrics::new().ok()?)).ok()
}

async fn confirmd(client: &confirmd::Client, settings: &confirmd::Settings, probe: &Probe) -> Finding {
    if let Err(error) = client.sign_in().await {
        let mend = match &error {
            PlatformError::Unauthorized(400 | 401) => {
                "look at CONFIRMD_CLIENT_ID and CONFIRMD_CLIENT_SECRET".to_owned()
            }
            PlatformError::Unreachable(_) => why_unreachable(probe, &settings.auth_url).await,
            PlatformError::Unavailable { .. } => {
                "try again later; if that lasts, ask the platform's operator".to_owned()
            }
            _ => "CONFIRMD_AUTH_URL has to be the whole address of the token service, such as \
                  https://login.example.org/realms/example/protocol/openid-connect/token"
                .to_owned(),
        };
        let service = without_secrets(settings.auth_url.as_str());
        return Finding::fault(PLATFORM, format!("there is no token from {service}: {error}"), mend);
    }
    let api = without_secrets(settings.base_url.as_str());
    let Err(error) = client.read_organisation().await else {
        return Finding::ok(PLATFORM, format!("ConfirmD at {api} lets the account in"));
    };
    let mend = match &error {
        PlatformError::Unauthorized(_) => {
            "the token is good and not taken: CONFIRMD_AUTH_URL and CONFIRMD_BASE_URL belong to different platforms".to_owned()
        }
        PlatformError::Refused(404) => {
            "there is no such organisation, or that is not the platform's API: look at CONFIRMD_ORG_ID and CONFIRMD_BASE_URL".to_owned()
        }
        PlatformError::Refused(_) => {
            "the account is not of that organisation, or may not read it: look at CONFIRMD_ORG_ID, and at the account's roles".to_owned()
        }
        PlatformError::Unreachable(_) => why_unreachable(probe, &settings.base_url).await,
        PlatformError::Unavailable { .. } => "try again later; if that lasts, ask the platform's operator".to_owned(),
        PlatformError::Nonsense(_) => "that is not the platform's API: look at CONFIRMD_BASE_URL".to_owned(),
    };
    Finding::fault(PLATFORM, format!("{api} does not tell about the organisation: {error}"), mend)
}

async fn acapy(config: &Config, settings: &acapy::Settings, probe: &Probe, clocks: &mut Clocks) -> Finding {
    let api = without_secrets(settings.admin_url.as_str());
    let mut ready = settings.admin_url.clone();
    if let Ok(mut path) = ready.path_segments_mut() {
        path.pop_if_empty().extend(["status", "ready"]);
    }
    match probe.look(&ready).await {
        Ok(seen) => {
            seen.note_time("the agent", clocks);
            let answer: serde_json::Value = serde_json::from_str(&seen.body).unwrap_or_default();
            if answer["ready"] != true {
                let mend = "ACAPY_ADMIN_URL has to be the agent's admin API (--admin), not where wallets reach it. If it is, the agent \
                            is still starting, or its log says why it cannot";
                return Finding::fault(
                    PLATFORM,
                    format!("{api} does not say that it is ready (HTTP {})", seen.status),
                    mend,
                );
            }
        }
        Err(unseen) => {
            return Finding::fault(
                PLATFORM,
                format!("the agent at {api} does not answer: {unseen}"),
                "look at ACAPY_ADMIN_URL",
            );
        }
    }
    let made = Metrics::new()
        .ok()
        .and_then(|metrics| acapy::Client::new(settings.clone(), config.platform_timeout, Arc::new(metrics)).ok());
    let Some(client) = made else { return unusable() };
    let nobody = OutOfBandId(NOBODY.to_owned());
    match client.connections(InvitationKeys { out_of_band_id: Some(&nobody), alias: NOBODY }).await {
        Ok(_) => Finding::ok(PLATFORM, format!("the ACA-Py agent at {api} is ready, and lets us in")),
        Err(error @ PlatformError::Unauthorized(_)) => Finding::fault(
            PLATFORM,
            format!("the agent at {api} is ready, and does not let us in: {error}"),
            "ACAPY_ADMIN_KEY has to be its --admin-api-key. For a tenant, ACAPY_TENANT_TOKEN has to be the newest token of its wallet",
        ),
        Err(error) => Finding::fault(
            PLATFORM,
            format!("the agent at {api} says that it is ready, and does not do what it is asked: {error}"),
            "look at the agent's log",
        ),
    }
}

/// Why there was no answer, more exactly than whoever asked has noted.
async fn why_unreachable(probe: &Probe, url: &Url) -> String {
    match probe.look(url).await {
        Err(Unseen::Refused) | Ok(_) => "look at the address, and whether the platform is there".to_owned(),
        Err(unseen) => unseen.to_string(),
    }
}

/// Whether the platform sends its webhooks here, where it tells.
pub(super) async fn examine_webhook(config: &Config, public_url: &Url, tell: &mut dyn FnMut(Finding)) {
    let PlatformConfig::Confirmd(settings) = &config.platform else { return };
    let Some(client) = confirmd_client(config, settings) else { return };
    let (ours, register) = (config.webhook_address(public_url), "`vestibule webhook register` has it sent here");
    tell(match client.webhook_address().await {
        Ok(Registered::At(noted)) if is_same(&noted, &ours) => {
            Finding::ok(WEBHOOK, format!("the platform sends its webhooks to {}", without_secrets(&noted)))
        }
        Ok(Registered::At(noted)) => {
            let (shown, why) = (without_secrets(&noted), not_here(&noted, &ours));
            Finding::fault(
                WEBHOOK,
                format!("the platform sends its webhooks to {shown}, which is not here: {why}"),
                register,
            )
        }
        Ok(Registered::Nowhere) => Finding::fault(WEBHOOK, "the platform sends its webhooks nowhere", register),
        Ok(Registered::Untold) => Finding::warning(
            WEBHOOK,
            "this platform has no call that tells where it sends its webhooks",
            format!("look at its own pages: it has to be {}", without_secrets(ours.as_str())),
        ),
        Err(error) => Finding::warning(
            WEBHOOK,
            format!("where the platform sends its webhooks could not be read: {error}"),
            "see `platform` above",
        ),
    });
}
