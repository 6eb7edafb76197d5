//! The table of everything that is served: machines' calls, pages, files. The one room of the server that names the
//! application. *Runs: server.*

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header, request::Parts},
    middleware::{self, Next},
    response::{Html, IntoResponse, Response},
};
use leptos::{
    config::LeptosOptions,
    nonce::Nonce,
    prelude::{provide_context, use_context},
    server_fn::error::SERVER_FN_ERROR_HEADER,
};
use leptos_axum::{AxumRouteListing, LeptosRoutes, generate_route_list};

use super::{
    endpoints, html,
    problem::Problem,
    sandbox::Sandbox,
    state::{App, AppState},
    trace,
};
use crate::{app, language::Language};

/// The most that a browser posts to a page: a form of a few fields.
const FORM_LIMIT: usize = 64 * 1024;

/// The pages that are the same for all who read one language: those by which people come in. What says anything of whoever
/// asks, or of the moment, has no place here.
const COMMON: [&str; 2] = ["/", "/register"];

/// Each of these pages in each language, as it was drawn for the first who asked, cut where its nonce stood.
#[derive(Default)]
struct Drawn([[OnceLock<Vec<String>>; Language::ALL.len()]; COMMON.len()]);

/// The table of pages, the same for every server of a process. It is made before any of them serves: while it is made,
/// whatever page anybody in the process begins to load never ends (leptos-rs/leptos#4773).
static PAGES: OnceLock<Vec<AxumRouteListing>> = OnceLock::new();

/// The table of everything that is served: machines' calls, pages, files.
pub fn router(app: App, local: SocketAddr, sandbox: Option<Arc<Sandbox>>) -> Router {
    let leptos = leptos_options(&app.config.site_root, local);
    html::set_style(style_address(&leptos));
    let state = AppState { leptos: leptos.clone(), app: app.clone() };
    let routes = PAGES.get_or_init(|| generate_route_list(app::App)).clone();
    let context = {
        let app = app.clone();
        move || {
            provide_context(app.clone());
            if let (Some(trace), Some(id)) = (trace::current(), trace::request_id()) {
                provide_context(trace);
                provide_context(id);
            }
            let asked = use_context::<Parts>();
            // The staff's pages are in English alone.
            let visitor = asked.filter(|asked| !asked.uri.path().starts_with("/admin"));
            provide_context(visitor.map_or_else(Language::default, |asked| endpoints::language::of(&asked.headers)));
        }
    };
    let shell = {
        let leptos = leptos.clone();
        move || app::shell(leptos.clone())
    };
    let pages = Router::new()
        .leptos_routes_with_context(&state, routes, context.clone(), shell)
        .method_not_allowed_fallback(endpoints::method_not_allowed)
        .layer(middleware::map_response(refuse_unreadable_forms))
        .fallback(leptos_axum::file_and_error_handler_with_context::<AppState, _>(context, app::shell))
        .layer(DefaultBodyLimit::max(FORM_LIMIT))
        .layer(middleware::from_fn_with_state(Arc::<Drawn>::default(), draw_once))
        // The names of these files change with their contents.
        .layer(middleware::map_response(cache_hashed_files))
        .layer(middleware::map_response(keep_no_page))
        .with_state(state);
    let mut router = endpoints::router(app.clone()).merge(pages);
    if let Some(sandbox) = sandbox {
        router = router.nest("/sandbox", sandbox.router());
    }
    router
}

/// A server function that cannot read its arguments is called wrongly. By itself it would answer 500, or send a browser to
/// whatever page the call says it comes from. Where a body of ours failed, it has set a status of its own.
async fn refuse_unreadable_forms(response: Response) -> Response {
    let unread = matches!(response.status(), StatusCode::INTERNAL_SERVER_ERROR | StatusCode::FOUND);
    if unread && response.headers().contains_key(SERVER_FN_ERROR_HEADER) {
        return Problem::BadForm.into_response();
    }
    response
}

/// Draws each of the [`COMMON`] pages once for each language. Everybody gets a nonce of their own all the same: what a page
/// allows by it (Content Security Policy, level 3) must not be known before.
async fn draw_once(State(drawn): State<Arc<Drawn>>, request: Request, next: Next) -> Response {
    let is_plain = request.method() == Method::GET && request.uri().query().is_none();
    let page = COMMON.iter().position(|path| is_plain && *path == request.uri().path());
    let Some(page) = page else { return next.run(request).await };
    let place = &drawn.0[page][endpoints::language::of(request.headers()) as usize];
    if let Some(pieces) = place.get() {
        return Html(pieces.join(&Nonce::new())).into_response();
    }
    let (head, body) = next.run(request).await.into_parts();
    // However long: it is our own, and drawn as a whole anyway.
    let text = match to_bytes(body, usize::MAX).await {
        Ok(text) => text,
        Err(error) => {
            tracing::error!(%error, "a page could not be drawn to its end");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    if let Some(pieces) = str::from_utf8(&text).ok().and_then(cut).filter(|_| head.status == StatusCode::OK) {
        // Where two are drawn at the same time, one of them is kept: they are the same.
        let _ = place.set(pieces);
    }
    Response::from_parts(head, Body::from(text))
}

/// The pieces of a page between one nonce and the next; `None` where its policy names none.
fn cut(page: &str) -> Option<Vec<String>> {
    let (nonce, _) = page.split_once("'nonce-")?.1.split_once('\'')?;
    Some(page.split(nonce).map(str::to_owned).collect())
}

/// Files under `/pkg/` carry the hash of their contents in their names, so a browser may keep them for ever.
async fn cache_hashed_files(uri: Uri, mut response: Response) -> Response {
    if uri.path().starts_with("/pkg/") && response.status().is_success() {
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
        headers.insert(HeaderName::from_static("vary"), HeaderValue::from_static("Accept-Encoding"));
    }
    response
}

/// Pages are for one person, or at least in one language: they may be kept only where they are asked for again.
async fn keep_no_page(mut response: Response) -> Response {
    let headers = response.headers_mut();
    if headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html")) {
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-cache"));
        headers.insert(header::VARY, HeaderValue::from_static("Accept-Language, Cookie"));
    }
    response
}

/// Without a variable set, the binary finds its site from the repository's root. `hash.txt` lies beside the binary.
fn leptos_options(site_root: &Path, local: SocketAddr) -> LeptosOptions {
    let hashed = std::env::current_exe()
        .ok()
        .and_then(|exe| exe.parent().map(|folder| folder.join("hash.txt")))
        .is_some_and(|file| file.exists());
    LeptosOptions::builder()
        .output_name("vestibule")
        .site_root(site_root.display().to_string())
        .site_pkg_dir("pkg")
        .site_addr(local)
        // As in Cargo.toml, for `cargo leptos watch`.
        .reload_port(3301_u32)
        .hash_files(hashed)
        .build()
}

/// The address of the style sheet, as the pages of the application have it.
fn style_address(options: &LeptosOptions) -> String {
    format!("/{}/{}", options.site_pkg_dir, file_name(options, "css"))
}

/// The name of one of the files for the browser, by its ending, as the pages of the application have it.
fn file_name(options: &LeptosOptions, ending: &str) -> String {
    let hash = options.hash_files.then(|| {
        let text = std::fs::read_to_string(std::env::current_exe().ok()?.parent()?.join(&*options.hash_file)).ok()?;
        let hash = text.lines().find_map(|line| line.strip_prefix(ending)?.strip_prefix(':'))?;
        Some(format!(".{}", hash.trim()))
    });
    // As Leptos writes it into the pages: cargo-leptos sets the variable, and names the file otherwise.
    let is_plain = ending == "wasm" && std::option_env!("LEPTOS_OUTPUT_NAME").is_none();
    let plain = if is_plain { "_bg" } else { "" };
    format!("{}{}.{ending}", options.output_name, hash.flatten().unwrap_or_else(|| plain.to_owned()))
}

/// Those of the files for the browser that are not there, of the few without which pages have no looks and are not live.
#[must_use]
pub fn missing_files(site_root: &Path) -> Vec<PathBuf> {
    let options = leptos_options(site_root, SocketAddr::from(([127, 0, 0, 1], 0)));
    let folder = site_root.join(&*options.site_pkg_dir);
    let files = ["css", "js", "wasm"].map(|ending| folder.join(file_name(&options, ending)));
    files.into_iter().filter(|file| !file.is_file()).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn a_common_page_is_drawn_once_for_each_language_and_any_other_each_time() {
        let count = Arc::new(AtomicUsize::new(0));
        let drawing = Arc::clone(&count);
        let draw = async move || {
            let number = drawing.fetch_add(1, Ordering::Relaxed);
            Html(format!("{number}: script-src 'nonce-abc'<script nonce=\"abc\">"))
        };
        let table =
            Router::new().fallback(draw).layer(middleware::from_fn_with_state(Arc::<Drawn>::default(), draw_once));
        let ask = async |method: Method, address: &str, language: &str| {
            let request = Request::builder().method(method).uri(address).header(header::ACCEPT_LANGUAGE, language);
            let answer = table.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
            to_bytes(answer.into_body(), usize::MAX).await.unwrap();
            count.load(Ordering::Relaxed)
        };
        for (address, language, drawn) in [
            ("/", "en", 1),
            ("/", "en", 1),
            ("/register", "en", 2),
            ("/", "fr", 3),
            ("/register", "en", 3),
            ("/", "fr", 3),
            ("/?problem=busy", "en", 4),
            ("/?problem=busy", "en", 5),
            ("/register/connect", "en", 6),
            ("/register/connect", "en", 7),
        ] {
            assert_eq!(ask(Method::GET, address, language).await, drawn, "{address} in {language}");
        }
        assert_eq!(ask(Method::POST, "/", "en").await, 8);
        assert_eq!(ask(Method::HEAD, "/", "en").await, 9);
    }
}
