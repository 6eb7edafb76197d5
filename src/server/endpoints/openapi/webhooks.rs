//! What the document says of webhooks by configuration: how they are authenticated, and what bodies look like. *Runs: server.*

use serde_json::Value;
use utoipa::openapi::{
    Components, RefOr,
    example::ExampleBuilder,
    path::Operation,
    security::{ApiKey, ApiKeyValue, SecurityRequirement, SecurityScheme},
};
use utoipa_axum::router::OpenApiRouter;

use crate::server::{
    platform::{AuthMode, acapy, confirmd},
    state::App,
};

/// The routes of webhooks, with what this server asks of them.
pub fn described(mut router: OpenApiRouter<App>, mode: AuthMode) -> OpenApiRouter<App> {
    let document = router.get_openapi_mut();
    let schemes = schemes(mode);
    let asked: SecurityRequirement = schemes
        .iter()
        .fold(SecurityRequirement::default(), |asked, (name, ..)| asked.add::<_, [&str; 0], _>(*name, []));
    for (path, item) in &mut document.paths.paths {
        let Some(operation) = &mut item.post else { continue };
        operation.security = (!schemes.is_empty()).then(|| vec![asked.clone()]);
        let examples: &[(&str, Value)] =
            if path.contains("acapy") { &acapy::schema::examples() } else { &confirmd::schema::examples() };
        show(operation, examples);
    }
    let components = document.components.get_or_insert_with(Components::new);
    for &(name, header, description) in schemes {
        let key = ApiKey::Header(ApiKeyValue::with_description(header, description));
        components.add_security_scheme(name, SecurityScheme::ApiKey(key));
    }
    router
}

/// Name, header and meaning of what a webhook has to carry.
const fn schemes(mode: AuthMode) -> &'static [(&'static str, &'static str, &'static str)] {
    match mode {
        AuthMode::ApiKey => &[("webhookKey", "X-API-Key", "`WEBHOOK_SECRET`.")],
        AuthMode::Hmac => &[
            (
                "webhookSignature",
                "X-Signature",
                "HMAC-SHA256 of `X-Timestamp`, a point and the body as it is sent, with `WEBHOOK_SECRET`, in hexadecimal.",
            ),
            ("webhookTimestamp", "X-Timestamp", "When it was sent, in Unix milliseconds: at most five minutes ago."),
        ],
        AuthMode::None => &[],
    }
}

fn show(operation: &mut Operation, examples: &[(&str, Value)]) {
    let Some(RefOr::T(body)) = &mut operation.request_body else { return };
    let example = |value: &Value| ExampleBuilder::new().value(Some(value.clone())).build();
    for content in body.content.values_mut() {
        if let RefOr::T(content) = content {
            content.examples.extend(examples.iter().map(|(name, value)| ((*name).to_owned(), example(value).into())));
        }
    }
}
