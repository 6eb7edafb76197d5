//! Which platform connects us to wallets, and who we are to it. *Runs: server.*

use super::reader::Reader;
use crate::server::{
    platform::{AuthMode, acapy, confirmd},
    secrets::Secret,
};

/// Which platform connects us to wallets.
#[derive(Clone, Debug)]
pub enum PlatformConfig {
    /// The one inside this program.
    Sandbox,
    /// The ConfirmD Platform.
    Confirmd(Box<confirmd::Settings>),
    /// An ACA-Py agent.
    Acapy(Box<acapy::Settings>),
}

/// The platforms by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Sandbox,
    Confirmd,
    Acapy,
}

impl Kind {
    /// The platform that `PLATFORM` names.
    pub(super) fn read(r: &mut Reader<'_>) -> Self {
        r.parse("PLATFORM", Self::Sandbox, "sandbox, confirmd or acapy", |value| match value {
            "sandbox" => Some(Self::Sandbox),
            "confirmd" => Some(Self::Confirmd),
            "acapy" => Some(Self::Acapy),
            _ => None,
        })
    }

    /// What else the platform needs, and what of it is wrong. Where a part is missing, a stand-in that nobody gets to see.
    pub(super) fn config(self, r: &mut Reader<'_>, webhook_auth: AuthMode) -> PlatformConfig {
        let config = match self {
            Self::Sandbox => return PlatformConfig::Sandbox,
            Self::Confirmd => confirmd(r).map(|settings| PlatformConfig::Confirmd(Box::new(settings))),
            Self::Acapy => acapy(r, webhook_auth).map(|settings| PlatformConfig::Acapy(Box::new(settings))),
        };
        if webhook_auth != AuthMode::None {
            let secrets = r.required("WEBHOOK_SECRET");
            if !secrets.is_empty() && secrets.split(',').all(|secret| secret.trim().is_empty()) {
                r.problems.push("WEBHOOK_SECRET holds no secret".to_owned());
            }
        }
        config.unwrap_or(PlatformConfig::Sandbox)
    }
}

fn confirmd(r: &mut Reader<'_>) -> Option<confirmd::Settings> {
    let (base_url, auth_url) = (r.required_url("CONFIRMD_BASE_URL"), r.required_url("CONFIRMD_AUTH_URL"));
    let org_id = r.required("CONFIRMD_ORG_ID");
    let client_id = r.required("CONFIRMD_CLIENT_ID");
    let client_secret = Secret(r.required("CONFIRMD_CLIENT_SECRET"));
    Some(confirmd::Settings { base_url: base_url?, auth_url: auth_url?, org_id, client_id, client_secret })
}

fn acapy(r: &mut Reader<'_>, webhook_auth: AuthMode) -> Option<acapy::Settings> {
    if webhook_auth != AuthMode::ApiKey {
        let problem = "WEBHOOK_AUTH has to be api_key with PLATFORM=acapy: the agent sends what follows # in its \
                       --webhook-url as X-API-Key, and signs nothing";
        r.problems.push(problem.to_owned());
    }
    let token = r.owned("ACAPY_TENANT_TOKEN");
    let tenant = token.as_deref().and_then(acapy::Tenant::of_token);
    if token.is_some() && tenant.is_none() {
        // It is a secret: the message does not show it.
        r.problems.push("ACAPY_TENANT_TOKEN is no token of an agent's wallet: a JWT with a wallet_id".to_owned());
    }
    let admin_key = r.owned("ACAPY_ADMIN_KEY").map(Secret);
    if admin_key.is_none() && token.is_none() {
        r.problems.push("ACAPY_ADMIN_KEY is not set; PLATFORM=acapy needs it, or an ACAPY_TENANT_TOKEN".to_owned());
    }
    let did = r.parse(
        "ACAPY_INVITATION_DID",
        acapy::InvitationDid::New,
        "new, did:peer:2, did:peer:4 or a DID that the agent has",
        acapy::InvitationDid::from_text,
    );
    let admin_url = r.required_url("ACAPY_ADMIN_URL")?;
    Some(acapy::Settings { admin_url, admin_key, tenant, invitation_did: did, label: String::new() })
}
