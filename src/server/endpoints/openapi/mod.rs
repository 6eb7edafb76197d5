//! The document of the API (OpenAPI 3.1), made from the routes that this server has, and a page that shows it. *Runs: server.*

use std::sync::{Arc, OnceLock};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde_json::Value;
use utoipa::openapi::{
    ComponentsBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, ServerBuilder,
    path::{Operation, ParameterBuilder, ParameterIn, PathItem},
    schema::{ObjectBuilder, Type},
    security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    tag::TagBuilder,
};
use utoipa_axum::{
    router::{OpenApiRouter, UtoipaMethodRouter},
    routes,
};

use crate::{
    domain::{
        session::Snapshot,
        wire::{ClientMessage, ServerMessage},
    },
    server::{html, problem, state::App},
};

mod curl;
mod page;
pub mod problems;
pub mod schemas;
mod shape;
pub mod webhooks;

pub(in crate::server) use problems::problems;

/// The parts of the API, in the order in which the page shows them.
const TAGS: [(&str, &str); 6] = [
    ("sessions", "Registrations: opened, read, cancelled. A session opens to its token."),
    ("live", "The state as it changes, without polling."),
    ("wallets", "What the code on screen holds."),
    ("webhooks", "Where the wallet platform tells what happened."),
    ("operators", "Whether the server is well, and how much it does."),
    ("document", "What you read."),
];

/// The document before there are any operations in it.
#[must_use]
pub fn about(app: &App) -> OpenApi {
    let info = InfoBuilder::new()
        .title("Vestibule")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(include_str!("about.md").trim_end()))
        .license(Some(
            LicenseBuilder::new().name(env!("CARGO_PKG_LICENSE")).identifier(Some(env!("CARGO_PKG_LICENSE"))).build(),
        ));
    let bearer = |description| {
        let http = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(description));
        SecurityScheme::Http(http.build())
    };
    let key = |name, description| ApiKeyValue::with_description(name, description);
    let components = ComponentsBuilder::new()
        .schema_from::<problem::Body>()
        .schema_from::<Snapshot>()
        .schema_from::<ServerMessage>()
        .schema_from::<ClientMessage>()
        .schemas_from_iter(schemas::of_snapshots())
        .security_scheme("sessionToken", bearer("The `token` of the session."))
        .security_scheme(
            "sessionTokenInQuery",
            SecurityScheme::ApiKey(ApiKey::Query(key("token", "The same, for who cannot set headers."))),
        )
        .security_scheme(
            "sessionCookie",
            SecurityScheme::ApiKey(ApiKey::Cookie(key(app.cookie_name(), "The same, in a browser."))),
        )
        .security_scheme("adminToken", bearer("`ADMIN_TOKEN`."));
    let tag = |(name, description): (&str, &str)| TagBuilder::new().name(name).description(Some(description)).build();
    OpenApiBuilder::new()
        .info(info.build())
        .servers(Some([ServerBuilder::new().url(app.public_url.as_str().trim_end_matches('/')).build()]))
        .tags(Some(TAGS.map(tag)))
        .components(Some(components.build()))
        .build()
}

/// The same calls at an address that goes on like this. A name says which of them these are.
pub fn elsewhere<S>(
    rest: &str,
    name: &str,
    (schemas, mut paths, calls): UtoipaMethodRouter<S>,
) -> UtoipaMethodRouter<S> {
    let items = std::mem::take(&mut paths.paths);
    paths.paths =
        items.into_iter().map(|(path, item)| (format!("{path}{rest}"), with_rest(item, rest, name))).collect();
    (schemas, paths, calls)
}

fn with_rest(mut item: PathItem, rest: &str, name: &str) -> PathItem {
    let within = |part: &str| Some(part.strip_prefix('{')?.strip_suffix('}')?.to_owned());
    for operation in [&mut item.get, &mut item.post].into_iter().flatten() {
        operation.operation_id = operation.operation_id.as_ref().map(|id| format!("{id}{name}"));
        for parameter in rest.split('/').filter_map(within) {
            add_parameter(operation, &parameter);
        }
    }
    item
}

fn add_parameter(operation: &mut Operation, name: &str) {
    let description =
        if name == "path_token" { "`WEBHOOK_PATH_TOKEN`." } else { "What it is about, as the agent calls it." };
    let parameter = ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(utoipa::openapi::Required::True)
        .description(Some(description))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)));
    operation.parameters.get_or_insert_default().push(parameter.build().into());
}

/// The document, and the page as it is once somebody asked for it.
struct Described {
    json: Bytes,
    document: Value,
    page: OnceLock<Bytes>,
}

/// Where a document is to be had. It says so itself.
pub fn router(mut document: OpenApi) -> Router<App> {
    let (calls, own) = OpenApiRouter::default().routes(routes!(json)).routes(routes!(read)).split_for_parts();
    document.merge(own);
    let document = serde_json::to_value(document).unwrap_or_default();
    let json = document.to_string().into();
    calls.with_state(Arc::new(Described { json, document, page: OnceLock::new() }))
}

/// This document.
#[utoipa::path(
    get, path = "/api/openapi.json", operation_id = "describe", tag = "document",
    responses((status = 200, description = "OpenAPI 3.1, of the operations that this server has.", body = Object)),
)]
async fn json(State(described): State<Arc<Described>>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (headers, described.json.clone()).into_response()
}

/// This document, to be read.
#[utoipa::path(
    get, path = "/api/docs", operation_id = "read", tag = "document",
    responses((status = 200, description = "A page.", body = str, content_type = "text/html; charset=utf-8")),
)]
async fn read(State(described): State<Arc<Described>>) -> Response {
    let page = described.page.get_or_init(|| page::draw(&described.document).into());
    html::answer(page.clone())
}
