//! The invariants of the house (ARCHITECTURE.md), held by reading the sources.

use std::{
    fs,
    path::{Path, PathBuf},
};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn files_below(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_below(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

/// Every source below `src` with this prefix, as its path from there and its text without comments and tests.
fn sources(prefix: &str) -> Vec<(String, String)> {
    let root = Path::new(ROOT).join("src");
    let mut files = Vec::new();
    files_below(&root, &mut files);
    let sources: Vec<_> = files
        .into_iter()
        .map(|path| {
            (path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned(), fs::read_to_string(&path).unwrap())
        })
        .filter(|(path, _)| path.starts_with(prefix))
        .map(|(path, text)| (path, code_of(&text)))
        .collect();
    assert!(!sources.is_empty(), "there is nothing below src/{prefix}");
    sources
}

fn code_of(text: &str) -> String {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// Fails for every source below the prefix that names one of these, unless it is one of the exceptions.
fn nobody_names(prefix: &str, words: &[&str], exceptions: &[&str]) {
    for (path, code) in sources(prefix) {
        if exceptions.iter().any(|exception| path.starts_with(exception)) {
            continue;
        }
        for word in words {
            assert!(!code.contains(word), "src/{path} names `{word}`");
        }
    }
}

#[test]
fn features_are_asked_for_in_lib_rs_alone_and_twice() {
    nobody_names("", &["cfg(feature", "cfg(not(feature", "cfg(any(", "cfg_attr("], &["lib.rs"]);
    assert_eq!(fs::read_to_string(format!("{ROOT}/src/lib.rs")).unwrap().matches("#[cfg(feature").count(), 2);
}

#[test]
fn the_domain_is_pure() {
    let words = [
        "leptos",
        "axum",
        "tokio",
        "sqlx",
        "reqwest",
        "tracing",
        "web_sys",
        "crate::server",
        "crate::ui",
        "::now(",
        "rand::",
    ];
    nobody_names("domain", &words, &[]);
}

#[test]
fn what_people_see_knows_no_server() {
    nobody_names("ui", &["server::", "sqlx", "axum", "reqwest"], &[]);
    for (path, code) in sources("api") {
        let calls = code.matches("crate::server::").count();
        assert_eq!(calls, code.matches("#[server(endpoint").count(), "{path}: one call for each server function");
        assert_eq!(calls, code.matches("crate::server::pages::").count(), "{path} calls the pages alone");
    }
}

#[test]
fn the_application_is_named_by_the_router_and_its_data_by_pages() {
    nobody_names("server", &["crate::app", "crate::ui"], &["server/router.rs"]);
    nobody_names("server", &["crate::api"], &["server/pages.rs"]);
}

#[test]
fn each_library_stays_in_its_room() {
    nobody_names("", &["sqlx::", "rusqlite::"], &["server/store/"]);
    nobody_names("", &["redis::"], &["server/backplane/"]);
    nobody_names("", &["prometheus::"], &["server/metrics/"]);
    nobody_names("", &["opentelemetry"], &["server/trace/"]);
    nobody_names("server", &["reqwest::Client"], &["server/platform/", "server/sandbox/", "server/doctor/"]);
    // Platform words end at the platform, and at the sandbox that plays one.
    nobody_names(
        "server",
        &["presentation-received", "request-received", "outOfBandId"],
        &["server/platform/", "server/sandbox/"],
    );
}

#[test]
fn only_the_use_cases_write_registrations() {
    let writers = [
        "insert_session(",
        "update_session(",
        "insert_attempt(",
        "insert_event(",
        "store_attributes(",
        "bind_connection(",
        "bind_proof(",
    ];
    nobody_names("server", &writers, &["server/sessions/", "server/store/"]);
    nobody_names("server", &["hub.publish("], &["server/sessions/"]);
}

#[test]
fn every_text_of_the_pages_is_used() {
    let code: String = sources("").into_iter().map(|(_, code)| code).collect();
    let texts = fs::read_to_string(format!("{ROOT}/locales/en/vestibule.ftl")).unwrap();
    let keys = texts.lines().filter(|line| line.starts_with(|first: char| first.is_ascii_lowercase()));
    for key in keys.filter_map(|line| line.split_once(" =")).map(|(key, _)| key) {
        assert!(code.contains(&format!("\"{key}\"")), "nothing says {key}");
    }
}

#[test]
fn what_the_security_page_promises_is_tested() {
    let page = fs::read_to_string(format!("{ROOT}/docs/security.md")).unwrap();
    let mut files = Vec::new();
    files_below(&Path::new(ROOT).join("tests"), &mut files);
    let tests: String = files.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    // Every second piece is in italics; bold ones have an empty piece before them, and after.
    let named: Vec<&str> = page.split('*').skip(1).step_by(2).filter(|name| !name.contains([' ', '\n'])).collect();
    let named: Vec<&str> = named.into_iter().filter(|name| !name.is_empty()).collect();
    assert!(named.len() > 15, "{named:?}");
    for name in named {
        let is_there = tests.contains(&format!("fn {name}(")) || tests.contains(&format!("\nmod {name};"));
        assert!(is_there || Path::new(ROOT).join(name).exists(), "there is no test {name}");
    }
}

#[test]
fn files_are_of_a_size_that_can_be_read() {
    let mut files = Vec::new();
    files_below(&Path::new(ROOT).join("src"), &mut files);
    files_below(&Path::new(ROOT).join("tests"), &mut files);
    for path in files {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= 400, "{} has {lines} lines: two ideas in one?", path.display());
    }
}

#[test]
fn every_module_says_what_it_is_for() {
    for (path, _) in sources("") {
        let text = fs::read_to_string(format!("{ROOT}/src/{path}")).unwrap();
        assert!(text.starts_with("//! "), "src/{path} does not say what it is for");
    }
}

#[test]
fn the_readme_lists_every_variable_with_its_default() {
    let readme = fs::read_to_string(format!("{ROOT}/README.md")).unwrap();
    for variable in vestibule::server::config::VARIABLES {
        let row = format!("| `{}` | {} | {} |", variable.name, variable.default, variable.meaning);
        assert!(readme.contains(&row), "the README has no row\n{row}");
    }
}
