//! What the program says when it starts, and when it cannot.

use std::{fs, net::TcpListener};

use sqlx::{Connection, SqliteConnection};
use vestibule::server::{
    clock::Clock,
    startup::{Server, greeting},
};

use crate::{
    database,
    harness::configuration,
    patient::Patient,
    postgres::{self, PostgresServer},
};

/// Starting with this fails, and says these words.
#[track_caller]
fn assert_says(said: &crate::patient::Said, words: &[&str]) {
    for words in words {
        assert!(said.code == 1 && said.text.contains(words), "{words}: {}", said.text);
    }
}

#[tokio::test]
async fn a_start_that_fails_says_why_and_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let said = Patient::new().with("PORT", &port).run(&[]).await;
    assert_says(&said, &["another program listens there", "set PORT", &port]);
    assert_says(&Patient::new().with("METRICS_PORT", &port).run(&[]).await, &["another program listens there"]);
    assert_says(&Patient::new().with("HOSTNAME", "192.0.2.1").run(&[]).await, &["this machine has no such address"]);

    let nowhere = || Patient::new().with("DATABASE_URL", "sqlite://nowhere/vestibule.db");
    assert_says(&nowhere().run(&[]).await, &["no key file could be made at nowhere/vestibule.key", "Make the folder"]);
    let said = nowhere().with("SECRET_KEY", &database::key_of("any")).run(&[]).await;
    assert_says(&said, &["there is no folder nowhere"]);

    let patient = Patient::new();
    assert_eq!(patient.run(&["migrate"]).await.code, 0);
    let url = format!("sqlite://{}", patient.path("vestibule.db").display());
    let mut other = SqliteConnection::connect(&url).await.unwrap();
    sqlx::query("BEGIN EXCLUSIVE").execute(&mut other).await.unwrap();
    assert_says(&patient.run(&[]).await, &["another program keeps it locked"]);
    other.close().await.unwrap();
    fs::write(patient.path("vestibule.key"), "no key").unwrap();
    assert_says(&patient.run(&[]).await, &["vestibule.key cannot be used", "bring it back from a backup"]);
    fs::remove_file(patient.path("vestibule.key")).unwrap();
    let said = patient.run(&["migrate"]).await;
    assert!(said.code == 0 && said.text.contains("the database was here before its key"), "{}", said.text);
    fs::write(patient.path("vestibule.db"), "This is a text, and long enough to be looked at. ".repeat(30)).unwrap();
    assert_says(&patient.run(&[]).await, &["no database of SQLite's"]);
}

#[tokio::test]
async fn a_start_without_its_postgresql_says_what_is_wrong_with_the_address() {
    let server = tokio::task::spawn_blocking(|| PostgresServer::start(true)).await.unwrap();
    let patient = |url: &str| Patient::new().with("SECRET_KEY", &database::key_of("any")).with("DATABASE_URL", url);
    for (url, words) in [
        (server.url().replace("a-password-for-tests", "wrong-password"), "does not let this user in"),
        (server.url().replace("/postgres", "/nowhere"), "has no such database: make it (createdb)"),
        (format!("{}?options[default_transaction_read_only]=on", server.url()), "it only reads"),
    ] {
        let said = patient(&url).run(&[]).await;
        assert_says(&said, &[words, "PostgreSQL database"]);
        assert!(!said.text.contains("wrong-password"), "{}", said.text);
    }
}

/// What a person is greeted with.
async fn greeted(variables: &[(&str, &str)], shows_admin_token: bool) -> String {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(configuration(folder.path(), variables).await, Clock::default()).await.unwrap();
    greeting(&server, shows_admin_token)
}

#[tokio::test]
async fn a_person_is_told_what_the_server_works_with() {
    let sandbox = greeted(&[("HOSTNAME", "0.0.0.0"), ("METRICS_PORT", "0")], true).await;
    for words in [
        "Vestibule is open at http://",
        "on this machine      http://localhost:",
        "  metrics              http://0.0.0.0:",
        "the sandbox: nothing here is real",
        "ADMIN_TOKEN          an-admin-token-for-tests",
    ] {
        assert!(sandbox.contains(words), "{words}: {sandbox}");
    }
    let (database, redis) = (postgres::fresh().await, "redis://:a-password-for-tests@127.0.0.1:1");
    let key = database::key_of(&database);
    let shared = [("DATABASE_URL", &*database), ("SECRET_KEY", &key), ("PUBLIC_URL", "https://desk.example.org")];
    let confirmd = [
        ("PLATFORM", "confirmd"),
        ("CONFIRMD_BASE_URL", "https://user:a-password-for-tests@platform.example.org/api"),
        ("CONFIRMD_AUTH_URL", "https://login.example.org/token"),
        ("CONFIRMD_ORG_ID", "an-organisation"),
        ("CONFIRMD_CLIENT_ID", "client"),
        ("CONFIRMD_CLIENT_SECRET", "a-password-for-tests"),
        ("ADMIN_TOKEN", ""),
        ("REDIS_URL", redis),
    ];
    let acapy = [
        ("PLATFORM", "acapy"),
        ("ACAPY_ADMIN_URL", "http://127.0.0.1:8031"),
        ("ACAPY_ADMIN_KEY", "a-password-for-tests"),
    ];
    let confirmd = greeted(&[&shared[..], &confirmd].concat(), true).await;
    let acapy = greeted(&[&shared[..], &acapy].concat(), false).await;
    for (greeting, words) in [
        (&confirmd, "Vestibule is open at https://desk.example.org/\n  it listens on        127.0.0.1:"),
        (&confirmd, "ConfirmD at https://platform.example.org;"),
        (&confirmd, "database             the PostgreSQL database postgres at 127.0.0.1:"),
        (&confirmd, "are told over Redis\n"),
        (&confirmd, "ADMIN_TOKEN          is not set, so the operator's calls are closed"),
        (&acapy, "the ACA-Py agent at http://127.0.0.1:8031;"),
        (&acapy, "are told over PostgreSQL"),
    ] {
        assert!(greeting.contains(words), "{words}: {greeting}");
        assert!(!greeting.contains("for-tests"), "{greeting}");
    }
}
