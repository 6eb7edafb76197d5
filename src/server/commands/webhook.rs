//! `vestibule webhook register` and `show`: where the ConfirmD Platform sends its webhooks. An operator does this once; a server
//! never does, because it would take the webhooks away from another one. *Runs: server.*

use std::{error::Error, sync::Arc};

use reqwest::Url;

use super::Done;
use crate::server::{
    config::{Config, PlatformConfig, PublicUrl, is_same, not_here, without_secrets},
    metrics::Metrics,
    platform::{
        AuthMode,
        confirmd::{Client, Registered, Taken},
    },
};

/// Has the platform send its webhooks to `PUBLIC_URL`, and reads back what it noted.
///
/// # Errors
/// When there is nothing to register, the platform refuses it or noted another address, or when its webhooks would be refused here.
pub async fn register(config: &Config) -> Done {
    let client = client(config)?;
    let (address, warning) = address(config)?;
    let secret = config.webhook_secrets.first().filter(|_| config.webhook_auth != AuthMode::None);
    let taken = client.register_webhook(&address, secret).await?;
    let mut lines = vec![format!("the platform sends its webhooks to {} now", without_secrets(address.as_str()))];
    lines.extend(warning);
    let noted = match &taken {
        Taken::AsApp { address, .. } => address.clone().map_or(Registered::Untold, Registered::At),
        Taken::WithSecret | Taken::Alone => {
            let noted = client.webhook_address().await;
            noted.map_err(|error| format!("the platform took the address, which could not be read back: {error}"))?
        }
    };
    lines.push(match noted {
        Registered::At(noted) if is_same(&noted, &address) => "read back, it is the same".to_owned(),
        Registered::At(noted) => {
            let noted = without_secrets(&noted);
            return Err(
                format!("the platform took the address, and says now that it sends its webhooks to {noted}").into()
            );
        }
        Registered::Nowhere => return Err("the platform took the address, and says now that it has none".into()),
        Registered::Untold => "it cannot be read back from this platform".to_owned(),
    });
    match (taken, config.webhook_auth) {
        (_, AuthMode::None) => lines.push(
            "they show nothing by which they could be told from anybody's (WEBHOOK_AUTH is none): keep the address to yourself"
                .to_owned(),
        ),
        (Taken::Alone, _) => return Err(without_the_secret(&lines).into()),
        (Taken::WithSecret, auth) => {
            lines.push("it took the first secret of WEBHOOK_SECRET, and platforms with this call sign with it".to_owned());
            if auth != AuthMode::Hmac {
                lines.push("WEBHOOK_AUTH is api_key: if webhooks are refused with 401, set it to hmac".to_owned());
            }
        }
        (Taken::AsApp { id, .. }, auth) => {
            lines.push(format!(
                "it made the app {id} of it with the first secret of WEBHOOK_SECRET, which comes as X-API-Key. One that was made \
                 before is still there: delete it at the platform, or each webhook comes twice"
            ));
            if auth != AuthMode::ApiKey {
                lines.push("WEBHOOK_AUTH is hmac: if webhooks are refused with 401, set it to api_key".to_owned());
            }
        }
    }
    Ok(lines.join("\n"))
}

fn without_the_secret(lines: &[String]) -> String {
    format!(
        "{}; but it took the address alone. It knows no secret, so its webhooks carry none, and this server refuses them with 401. Either \
         ask the platform's operator for a way to set the secret; or set WEBHOOK_AUTH=none and a WEBHOOK_PATH_TOKEN of 16 characters or \
         more that nobody can guess, start the server again, and register once more",
        lines.join("; ")
    )
}

/// Says where the platform sends its webhooks.
///
/// # Errors
/// When the platform does not say, or it is not here.
pub async fn show(config: &Config) -> Done {
    let client = client(config)?;
    match client.webhook_address().await? {
        Registered::At(noted) => {
            let shown = format!("the platform sends its webhooks to {}", without_secrets(&noted));
            match address(config) {
                Ok((ours, _)) if is_same(&noted, &ours) => Ok(format!("{shown}, which is here")),
                Ok((ours, _)) => Err(format!("{shown}, which is not here: {}", not_here(&noted, &ours)).into()),
                Err(_) => Ok(format!("{shown}; whether that is here, PUBLIC_URL would tell")),
            }
        }
        Registered::Nowhere => {
            Err("the platform sends its webhooks nowhere: register the address with `vestibule webhook register`"
                .into())
        }
        Registered::Untold => {
            Err("this platform has no call that tells where it sends its webhooks: look at its own pages".into())
        }
    }
}

/// Where the platform's webhooks arrive, as the platform sees it; and what is doubtful about that.
fn address(config: &Config) -> Result<(Url, Option<String>), Box<dyn Error>> {
    let PublicUrl::Given(url) = &config.public_url else {
        return Err(
            "PUBLIC_URL is not set: the platform has to be told under which address it reaches this server".into()
        );
    };
    let is_here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    let warning = match (url.scheme(), is_here) {
        ("https", _) => None,
        (_, true) => Some("only a platform on this machine finds that address".to_owned()),
        _ => {
            return Err("PUBLIC_URL is not https, so whoever is on the way would read and write along: put a proxy with a certificate in \
                        front (deploy/ has some), and set it to https://…"
                .into());
        }
    };
    Ok((config.webhook_address(url), warning))
}

fn client(config: &Config) -> Result<Client, Box<dyn Error>> {
    match &config.platform {
        PlatformConfig::Confirmd(settings) => {
            let metrics = Arc::new(Metrics::new()?);
            Ok(Client::new(settings.as_ref().clone(), config.platform_timeout, metrics)?)
        }
        PlatformConfig::Sandbox => {
            Err("PLATFORM is the sandbox, which sends its webhooks to its own server by itself: there is nothing to register".into())
        }
        PlatformConfig::Acapy(settings) => {
            let token = config.webhook_path_token.as_ref().map_or("", |_| "/<WEBHOOK_PATH_TOKEN>");
            let base = match &config.public_url {
                PublicUrl::Given(url) => url.origin().ascii_serialization(),
                PublicUrl::Derived => format!("http://{}:{}", config.hostname, config.port),
            };
            let how = if settings.tenant.is_some() {
                "a tenant's wallet has it in its wallet_webhook_urls, with wallet_dispatch_type default"
            } else {
                "start the agent with it as --webhook-url (or ACAPY_WEBHOOK_URL)"
            };
            Err(format!(
                "an ACA-Py agent takes no address while it runs: {how}. It is {base}/api/webhooks/acapy{token}#<WEBHOOK_SECRET>, without \
                 a / at its end; what follows # is what the agent shows with each webhook"
            )
            .into())
        }
    }
}
