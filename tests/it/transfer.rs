//! Everything from one database into another: SQLite to PostgreSQL and back, without loss; or nothing at all.

use std::sync::Arc;

use reqwest::StatusCode;
use tempfile::TempDir;
use tokio::process::Command;
use vestibule::server::{
    secrets::{KeyRing, SecretKey},
    store::{Store, Sum, TransferError},
};

use crate::{
    browser::{Browser, EMAIL, PHONE, verified},
    database,
    harness::{Desk, Opened},
    postgres,
    program::{BINARY, Program},
    visit::client,
};

/// A desk on a file, with somebody who is registered, somebody who is under way, and a code for another device.
async fn used(folder: &TempDir) -> (Desk, Opened, String) {
    let file = format!("sqlite://{}", folder.path().join("used.db").display());
    let desk = Desk::with(&[("DATABASE_URL", &*file), ("SECRET_KEY", &*database::key_of("used"))]).await;
    let registered = verified(&desk, "amaka").await;
    let browser = Browser::of(&desk, &registered);
    assert_eq!(browser.submit(EMAIL, PHONE).await, "/register/confirmation");
    let number = browser.confirmation().await.unwrap().number;
    let under_way = verified(&desk, "tunde").await;
    assert_eq!(Browser::of(&desk, &under_way).submit("a typo", PHONE).await, "/register/application");
    desk.app.sessions.offer_hand_over(under_way.id.parse().unwrap()).await.unwrap();
    (desk, registered, number)
}

async fn store_at(url: &str, key: &str) -> Store {
    let key: SecretKey = database::key_of(key).parse().unwrap();
    Store::open(url, 4, Arc::new(KeyRing::new(key, Vec::new()))).await.unwrap()
}

async fn exported(store: &Store) -> (Vec<u8>, Vec<Sum>) {
    let mut lines = Vec::new();
    let sums = store.export(&mut lines).await.unwrap();
    (lines, sums)
}

#[tokio::test]
async fn everything_goes_to_postgres_and_back_and_stays_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let (desk, registered, number) = used(&folder).await;
    let (url, token) = (desk.app.config.database_url.0.clone(), registered.token.clone());
    desk.stop().await;
    let (lines, sums) = exported(&store_at(&url, "used").await).await;
    let rows = |table: &str| sums.iter().find(|sum| sum.table == table).unwrap().rows;
    assert_eq!(
        ["sessions", "attempts", "invitations", "registrations", "consents", "hand_overs"].map(rows),
        [2, 2, 2, 1, 1, 1]
    );
    assert!(rows("events") >= 8 && rows("acts") >= 10 && rows("sandbox_records") >= 6);
    let (there, back) = (postgres::fresh().await, format!("sqlite://{}", folder.path().join("back.db").display()));
    for url in [&there, &back] {
        let store = store_at(url, "used").await;
        assert_eq!(store.import(&mut &*lines).await.unwrap(), sums);
        assert_eq!(exported(&store).await.0, lines, "it is the same on the other side");
        assert_eq!(store.reseal().await.unwrap().lost, 0);
        store.close().await;
    }
    // Who was registered before finds their number there, and others register as well.
    let moved = Desk::with(&[("DATABASE_URL", &*there), ("SECRET_KEY", &*database::key_of("used"))]).await;
    let registered = Opened { token, ..registered };
    assert_eq!(Browser::of(&moved, &registered).confirmation().await.unwrap().number, number);
    let other = verified(&moved, "ngozi").await;
    assert_eq!(Browser::of(&moved, &other).submit(EMAIL, PHONE).await, "/register/confirmation");
    let with_another_key = store_at(&there, "another").await;
    assert!(with_another_key.reseal().await.unwrap().lost >= 4, "one is told that the key is another");
}

#[tokio::test]
async fn what_is_not_whole_is_not_brought_over_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let (desk, ..) = used(&folder).await;
    let (lines, sums) = exported(&desk.app.sessions.store).await;
    let text = String::from_utf8(lines).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let without = |place: usize| {
        let (before, after) = (&lines[..place], &lines[place + 1..]);
        [before, after].concat().join("\n") + "\n"
    };
    let of = |table: &str| lines.iter().position(|line| line.starts_with(&format!("{{\"row\":[\"{table}\""))).unwrap();
    for target in [postgres::fresh().await, format!("sqlite://{}", folder.path().join("target.db").display())] {
        let target = store_at(&target, "used").await;
        for (broken, why) in [
            (String::new(), "the end is missing"),
            (without(0), "begins otherwise"),
            (without(lines.len() - 1), "the end is missing"),
            (without(of("events")), "not as they were sent"),
            (without(of("sessions")), "database"),
            (text.replacen("\"waiting\"", "7", 1).replacen("amaka", "tunde", 1), "not"),
            (text.replacen("[\"events\"", "[\"rumours\"", 1), "there is no such table"),
            (text.replacen("{\"form\":2}", "{\"form\":1}", 1), "another version"),
            ("{}\n".to_owned(), "none of an export's"),
        ] {
            let error = target.import(&mut broken.as_bytes()).await.expect_err(why).to_string();
            assert!(error.contains(why), "{error}");
            assert!(exported(&target).await.1.iter().all(|sum| sum.rows == 0), "nothing is left of it");
        }
        assert_eq!(target.import(&mut text.as_bytes()).await.unwrap(), sums);
        let again = target.import(&mut text.as_bytes()).await;
        assert!(matches!(again, Err(TransferError::NotEmpty("sessions"))), "{again:?}");
    }
}

#[tokio::test]
async fn the_program_brings_a_database_over_and_says_what_it_did() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path(), 0, &[]).await;
    let port = program.port().to_string();
    let opened = client().post(format!("{}/api/connections/session", program.url));
    let opened = opened.json(&serde_json::json!({ "requestType": "registration" })).send().await.unwrap();
    assert_eq!(opened.status(), StatusCode::CREATED);
    let run = async |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = Command::new(BINARY);
        command.args(arguments).env_clear().envs(variables.iter().copied()).current_dir(folder.path());
        let done = command.output().await.unwrap();
        let said = [done.stdout, done.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
        (done.status.code().unwrap(), said)
    };
    assert_eq!(
        run(&["health"], &[("PORT", &port), ("HOSTNAME", "0.0.0.0")]).await,
        (0, "the server lives\n".to_owned())
    );
    assert!(program.terminate().await);
    let (code, said) = run(&["health"], &[("PORT", &port)]).await;
    assert!(code == 1 && said.starts_with("vestibule: "), "{said}");
    let (code, said) = run(&["export", "all.jsonl"], &[]).await;
    assert!(code == 0 && said.contains("exported 1 sessions"), "{said}");
    let (code, said) = run(&["export", "all.jsonl"], &[]).await;
    assert!(code == 1 && said.contains("exists"), "nothing is overwritten: {said}");
    let key = std::fs::read_to_string(folder.path().join("vestibule.key")).unwrap();
    let there = postgres::fresh().await;
    let (right, wrong) = (
        [("DATABASE_URL", &*there), ("SECRET_KEY", key.trim())],
        [("DATABASE_URL", &*there), ("SECRET_KEY", &*database::key_of("wrong"))],
    );
    let (code, said) = run(&["migrate"], &wrong).await;
    assert!(code == 0 && said.contains("up to date"), "{said}");
    let (code, said) = run(&["import", "all.jsonl"], &right).await;
    assert!(code == 0 && said.contains("imported and compared 1 sessions"), "{said}");
    let (code, said) = run(&["import", "all.jsonl"], &right).await;
    assert!(code == 1 && said.contains("not empty"), "{said}");
    let (code, said) = run(&["import"], &right).await;
    assert!(code == 2 && said.contains("needs the name of one file"), "{said}");
}
