//! `vestibule doctor` about what is here: finds nothing wrong with a server that is well, and names what is wrong with its
//! configuration, its database and its machine.

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt, path::Path};

use serde_json::json;
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::process::Command;

use crate::{
    database,
    harness::Desk,
    patient::Patient,
    postgres::{self, PostgresServer},
    program::BINARY,
    redis::RedisServer,
};

/// What of the files in a folder can be seen from outside.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).filter(|path| path.is_file());
    files.map(|path| (path.display().to_string(), fs::read(&path).unwrap())).collect()
}

/// A wallet's name comes, which is kept sealed.
async fn seal_something(desk: &Desk) {
    let opened = desk.open().await;
    let webhook = json!({ "type": "Connection", "id": uuid::Uuid::new_v4(), "state": "request-received",
        "outOfBandId": opened.sandbox_out_of_band_id(), "theirLabel": "A phone" });
    assert_eq!(desk.record(&webhook).await, "applied");
}

#[tokio::test]
async fn a_server_that_is_well_is_told_so() {
    let desk = Desk::sandbox().await;
    seal_something(&desk).await;
    let said = Patient::of(&desk).doctor().await;
    said.is_healthy();
    for (about, words) in [
        ("configuration", "can be used"),
        ("database", "up to date"),
        ("sealed data", "1 values, and all of them open"),
        ("platform", "the sandbox"),
        ("server", "it runs at 127.0.0.1:"),
        ("public address", "is found"),
        ("clock", "says the same"),
        ("site", "are in"),
    ] {
        said.has("ok", about, words);
    }
}

#[tokio::test]
async fn nothing_is_changed_or_made_by_looking() {
    let patient = Patient::new();
    let said = patient.doctor().await;
    said.has("ok", "database", "is made at the first start");
    said.has("ok", "key", "is made at the first start");
    said.has("fault", "server", "nobody listens there");
    assert_eq!(files(patient.folder.path()), BTreeMap::new());

    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("vestibule.db").display());
    let desk = Desk::with(&[("DATABASE_URL", &url)]).await;
    seal_something(&desk).await;
    let patient = Patient::of(&desk);
    desk.stop().await;
    let before = files(folder.path());
    assert!(!before.is_empty());
    patient.doctor().await.has("ok", "sealed data", "1 values");
    assert_eq!(files(folder.path()), before);
}

#[tokio::test]
async fn a_configuration_that_cannot_be_used_is_the_first_fault() {
    let said = Patient::new().with("MAX_CLIENTS", "none").with("PLATFORM", "confirmd").doctor().await;
    assert!(said.text.starts_with("fault    configuration: the configuration cannot be used:"), "{}", said.text);
    for words in [
        "MAX_CLIENTS is `none`",
        "CONFIRMD_ORG_ID is not set",
        "once the configuration can be read",
        "one thing is at fault",
    ] {
        said.has("fault", "configuration", words);
    }
    let patient =
        Patient::new().with("SECRET_KEY", "secret-and-no-key").with("SECRET_KEY_OLD", "nor-are-these,and-those");
    let said = patient.doctor().await;
    said.has("fault", "configuration", "SECRET_KEY has to be 32 bytes");
    said.has("fault", "configuration", "SECRET_KEY_OLD has to be keys");
    let patient = Patient::new();
    fs::write(patient.path(".env"), "ADMIN_TOKEN='a-password-for-tests\n").unwrap();
    patient.doctor().await.has("fault", "configuration", "the file .env cannot be read");
}

#[tokio::test]
async fn what_is_doubtful_in_a_configuration_is_told() {
    let patient = Patient::new().on_nobody();
    patient.doctor().await.has("warning", "configuration", "PUBLIC_URL is not set");
    let said = Patient::new().with("PUBLIC_URL", "http://desk.invalid").doctor().await;
    said.has("warning", "configuration", "PUBLIC_URL is http://desk.invalid");
    let open = Patient::new().with("PUBLIC_URL", "https://desk.invalid").with("WEBHOOK_AUTH", "none");
    let said = open.with("WEBHOOK_PATH_TOKEN", "sixteen-letters!").doctor().await;
    said.has("warning", "configuration", "TRUSTED_PROXIES does not name it");
    said.has("warning", "configuration", "WEBHOOK_AUTH is none");
    let said = Patient::new().with("ADMIN_TOKEN", "fifteen-letters").doctor().await;
    said.has("warning", "configuration", "ADMIN_TOKEN has fewer than 16 characters");
}

#[tokio::test]
async fn keys_that_do_not_open_what_is_sealed_are_found() {
    let desk = Desk::sandbox().await;
    seal_something(&desk).await;
    let wrong = database::key_of("another");
    let said = Patient::of(&desk).with("SECRET_KEY", &wrong).doctor().await;
    said.has("fault", "sealed data", "1 of 1 values cannot be opened");
    if database::is_postgres() {
        let right = database::key_of(&desk.app.config.database_url.0);
        let said = Patient::of(&desk).with("SECRET_KEY", &wrong).with("SECRET_KEY_OLD", &right).doctor().await;
        return said.has("warning", "sealed data", "older key only");
    }
    let key = desk.folder.path().join("vestibule.key");
    let right = fs::read_to_string(&key).unwrap();
    let said = Patient::of(&desk).with("SECRET_KEY", &wrong).with("SECRET_KEY_OLD", right.trim()).doctor().await;
    said.has("warning", "sealed data", "older key only");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    Patient::of(&desk).doctor().await.has("warning", "key", "others on this machine may use");
    fs::write(&key, "half of a k").unwrap();
    let said = Patient::of(&desk).doctor().await;
    said.has("fault", "key", "cannot be used: a key is 32 bytes");
    fs::remove_file(&key).unwrap();
    let said = Patient::of(&desk).doctor().await;
    said.has("warning", "key", "there is a database and no key file");
    said.has("fault", "sealed data", "1 of 1 values cannot be opened");
    assert!(!key.exists());
}

#[tokio::test]
async fn tables_of_another_version_are_told_and_left_alone() {
    let patient = Patient::new();
    let url = format!("sqlite://{}", patient.path("vestibule.db").display());
    let options = SqliteConnectOptions::new().filename(patient.path("vestibule.db")).create_if_missing(true);
    let mut old = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::migrate!("migrations/sqlite").run_to(2, &mut old).await.unwrap();
    old.close().await.unwrap();
    let before = files(patient.folder.path());
    patient.doctor().await.has("warning", "database", "are older than this version");
    assert_eq!(files(patient.folder.path()), before);
    assert_eq!(patient.run(&["migrate"]).await.code, 0);
    patient.doctor().await.has("ok", "database", "up to date");
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                 VALUES (9999, 'of the future', 1, x'00', 0)";
    database::execute_at(&url, newer).await;
    patient.doctor().await.has(
        "fault",
        "database",
        "newer than this version of the program, which does not know their change 9999",
    );
    let said = patient.run(&["migrate"]).await;
    assert!(said.code == 1 && said.text.contains("newer than this version of the program"), "{}", said.text);
    database::execute_at(&url, "DELETE FROM _sqlx_migrations WHERE version = 9999").await;
    database::execute_at(&url, "UPDATE _sqlx_migrations SET checksum = x'00' WHERE version = 1").await;
    patient.doctor().await.has("fault", "database", "their change 1 is another one");
}

/// Without root's right to do whatever it likes with files.
fn as_nobody_special() -> Command {
    let mut command = Command::new("setpriv");
    let id = std::process::Command::new("id").arg("-u").output().unwrap();
    if id.stdout.trim_ascii() == b"0" {
        command.args(["--bounding-set", "-dac_override,-dac_read_search"]);
    }
    command.arg(BINARY);
    command
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_told_with_its_reason() {
    let mut patient = Patient::new();
    fs::write(patient.path("text.db"), "This is a text, and long enough to be looked at. ".repeat(30)).unwrap();
    for (name, what, words) in [
        ("nowhere/vestibule.db", "cannot be made", "there is no folder nowhere"),
        ("site", "cannot be used", "it is a folder"),
        ("text.db", "cannot be used", "no database of SQLite's"),
    ] {
        patient = patient.with("DATABASE_URL", &format!("sqlite://{name}"));
        let said = patient.doctor().await;
        said.has("fault", "database", what);
        said.has("fault", "database", words);
    }
    let patient = Patient::new();
    assert_eq!(patient.run(&["migrate"]).await.code, 0);
    for (name, mode, words) in [
        ("vestibule.db", 0o444, "this user may not read and write it"),
        (".", 0o555, "this user may not write in the folder"),
    ] {
        let (path, mut doctor) = (patient.path(name), as_nobody_special());
        let usual = fs::metadata(&path).unwrap().permissions();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        doctor.arg("doctor");
        let said = patient.finish(doctor).await;
        fs::set_permissions(&path, usual).unwrap();
        said.has("fault", "database", words);
    }
}

#[tokio::test]
#[expect(clippy::print_stdout, reason = "whoever reads the tests' output should know")]
async fn a_disk_that_is_nearly_full_is_told() {
    let patient = Patient::new();
    assert_eq!(patient.run(&["migrate"]).await.code, 0);
    fs::create_dir(patient.path("small")).unwrap();
    let patient = patient.with("DATABASE_URL", "sqlite://small/vestibule.db");
    for (size, mark) in [("8m", "fault"), ("64m", "warning")] {
        // In a view of its own onto the file system, which ends with it.
        let script = format!(
            "mount -t tmpfs -o size={size} small small && cp vestibule.db vestibule.key small && exec \"$0\" doctor"
        );
        let mut command = Command::new("unshare");
        command.args(["--mount", "--map-root-user", "sh", "-c", &script, BINARY]);
        let said = patient.finish(command).await;
        if !said.text.contains("configuration: ") {
            println!("SKIPPED: this machine lets no test have a disk of its own: {}", said.text);
            return;
        }
        said.has(mark, "space", "MiB are left");
    }
}

#[tokio::test]
async fn what_is_wrong_with_postgresql_is_told() {
    let server = tokio::task::spawn_blocking(|| PostgresServer::start(true)).await.unwrap();
    let (url, key) = (server.url(), database::key_of("any"));
    let patient = |url: &str| Patient::new().with("SECRET_KEY", &key).with("DATABASE_URL", url);
    patient(&url).doctor().await.has("ok", "database", "has no tables yet");
    assert_eq!(patient(&url).run(&["migrate"]).await.code, 0);
    let said = patient(&url).doctor().await;
    said.has("ok", "database", "up to date");
    said.has("ok", "clock", "that of PostgreSQL says the same");
    database::execute_at(&url, "CREATE ROLE poor LOGIN PASSWORD 'poor-password'").await;
    database::execute_at(&url, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO poor").await;
    let poor = url.replace("vestibule:a-password-for-tests", "poor:poor-password");
    for (url, words) in [
        (url.replace("a-password-for-tests", "wrong-password"), "does not let this user in"),
        (url.replace("/postgres", "/nowhere"), "no such database"),
        (format!("{url}?options[default_transaction_read_only]=on"), "it only reads"),
        (format!("{url}?sslmode=require"), "TLS does not come about"),
        (poor, "may not make or change tables"),
        (server.url_at(1), "nobody listens there"),
    ] {
        let said = patient(&url).doctor().await;
        said.has("fault", "database", words);
        assert!(!said.text.contains("-password"), "{}", said.text);
    }
}

#[tokio::test]
async fn what_is_wrong_with_redis_is_told() {
    let (mut redis, database) = (RedisServer::start(), postgres::fresh().await);
    let key = database::key_of(&database);
    let patient =
        |url: &str| Patient::new().with("SECRET_KEY", &key).with("DATABASE_URL", &database).with("REDIS_URL", url);
    let url = redis.url();
    patient(&url).doctor().await.has("ok", "redis", "is heard");
    let said = patient(&url.replace("a-password-for-tests", "wrong")).doctor().await;
    said.has("fault", "redis", "cannot tell each other");
    redis.stop();
    patient(&url).doctor().await.has("fault", "redis", "cannot tell each other");
}

#[tokio::test]
async fn a_machine_that_gives_too_little_is_told() {
    let desk = Desk::sandbox().await;
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "ulimit -n 300; exec \"$0\" doctor", BINARY]);
    let said = Patient::of(&desk).finish(shell).await;
    said.has("warning", "open files", "leaves room for 225 sockets, and MAX_CLIENTS is 100000");
    said.is_healthy();
    Patient::of(&desk).with("MAX_CLIENTS", "9").doctor().await.has("ok", "open files", "enough for MAX_CLIENTS (9)");
    let said = Patient::of(&desk).with("SSL_CERT_FILE", "/dev/null").doctor().await;
    said.has("fault", "calls", "what TLS needs is not on this machine");
    said.has("ok", "site", "are in");
    let patient = Patient::of(&desk);
    fs::remove_file(patient.path("site/pkg/vestibule.js")).unwrap();
    patient.doctor().await.has("fault", "site", "vestibule.js");
}
