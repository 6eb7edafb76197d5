//! A copy of SQLite's file that is made while a server works on it, and what comes of it.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, sync::atomic::Ordering};

use futures_util::future::{join, join_all};
use reqwest::{Client, StatusCode};
use serde_json::json;
use tokio::{process::Command, sync::Notify};

use crate::{
    database,
    harness::{Opened, WEBHOOK_SECRET},
    program::{BINARY, Program},
    storm::{Story, storm},
};

const SESSIONS: usize = 100;
/// A copy is begun when so many webhooks were answered, of twice as many as there are sessions.
const COPY_AT: usize = 60;

/// What the program says to these arguments, and its exit code.
async fn run(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> (i32, String) {
    let mut command = Command::new(BINARY);
    let done = command.args(arguments).env_clear().envs(variables.iter().copied()).current_dir(folder).output().await;
    let done = done.unwrap();
    (done.status.code().unwrap(), [done.stdout, done.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat())
}

#[tokio::test]
async fn a_copy_made_in_a_storm_is_one_moment_and_goes_on_from_there() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let http = Client::new();
    let program = Program::start(folder.path(), 0, &[]).await;
    let stories = join_all((0..SESSIONS).map(|_| Story::begin(&http, &program.url))).await;
    let copy = other.path().join("copy.db");
    let reached = Notify::new();
    let copying = async {
        reached.notified().await;
        let acknowledged: Vec<_> = stories.iter().map(|story| story.acknowledged.load(Ordering::Relaxed)).collect();
        let (code, said) = run(folder.path(), &["backup", copy.to_str().unwrap()], &[]).await;
        assert!(code == 0 && said.contains("100 sessions, 0 registrations"), "{said}");
        acknowledged
    };
    // The server answers everything meanwhile, which the storm looks at.
    let ((), acknowledged) = join(storm(&http, &program.url, &stories, COPY_AT, &reached), copying).await;
    assert!(program.terminate().await);
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600, "only the owner reads it");
    fs::copy(folder.path().join("vestibule.key"), other.path().join("vestibule.key")).unwrap();
    let (code, said) = run(other.path(), &["restore", "copy.db"], &[]).await;
    assert!(code == 0 && said.contains("restored 100 sessions, 0 registrations"), "{said}");
    assert_eq!(fs::metadata(other.path().join("vestibule.db")).unwrap().permissions().mode() & 0o777, 0o600);
    let program = Program::start(other.path(), 0, &[]).await;
    for (story, acknowledged) in stories.iter().zip(acknowledged) {
        story.goes_on_from_its_log(&http, &program.url, 1 + acknowledged as u64, acknowledged).await;
    }
    assert!(program.terminate().await);
}

#[tokio::test]
async fn nothing_is_written_over_and_no_broken_copy_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let (here, path) = (folder.path(), |name: &str| folder.path().join(name));
    let program = Program::start(here, 0, &[]).await;
    let http = Client::new();
    let request = http.post(format!("{}/api/connections/session", program.url));
    let opened = Opened::of(request.json(&json!({ "requestType": "registration" })).send().await.unwrap()).await;
    let webhook = json!({ "type": "Connection", "id": uuid::Uuid::new_v4(), "state": "request-received",
        "outOfBandId": opened.sandbox_out_of_band_id(), "theirLabel": "A phone" });
    let webhook = http.post(format!("{}/api/webhooks/confirmd", program.url)).json(&webhook);
    let answer = webhook.header("X-API-Key", WEBHOOK_SECRET).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(program.terminate().await);

    let refuses = async |arguments: &[&str], variables: &[(&str, &str)], why: &str| {
        let before = fs::read(path("vestibule.db")).ok();
        let (code, said) = run(here, arguments, variables).await;
        assert!(code == 1 && said.contains(why), "{arguments:?}: {said}");
        assert_eq!(fs::read(path("vestibule.db")).ok(), before, "{arguments:?} changed the file");
        assert!(!path("vestibule.db.restoring").exists());
    };
    let (code, said) = run(here, &["backup", "copy.db"], &[]).await;
    assert!(code == 0 && said.contains("1 sessions"), "{said}");
    let copy = fs::read(path("copy.db")).unwrap();
    refuses(&["backup", "copy.db"], &[], "copy.db exists").await;
    assert_eq!(fs::read(path("copy.db")).unwrap(), copy);
    refuses(&["backup", "nowhere/copy.db"], &[], "nowhere/copy.db").await;
    refuses(&["backup", "of-none.db"], &[("DATABASE_URL", "sqlite://none.db")], "none.db").await;
    assert!(!path("of-none.db").exists() && !path("none.db").exists());
    let server = [("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none"), ("SECRET_KEY", &*database::key_of("any"))];
    refuses(&["backup", "another.db"], &server, "pg_dump").await;
    refuses(&["restore", "copy.db"], &server, "pg_restore").await;
    refuses(&["restore", "copy.db"], &[], "vestibule.db exists").await;

    for name in ["vestibule.db", "vestibule.db-wal", "vestibule.db-shm"] {
        let _ = fs::rename(path(name), path(&format!("old-{name}")));
    }
    fs::write(path("vestibule.db-wal"), "of another file").unwrap();
    refuses(&["restore", "copy.db"], &[], "vestibule.db-wal exists").await;
    fs::remove_file(path("vestibule.db-wal")).unwrap();
    refuses(&["restore", "none.db"], &[], "none.db").await;
    let mut holed = copy.clone();
    holed[2 * 4096..3 * 4096].fill(0xFF);
    for (broken, why) in [
        (&copy[..copy.len() / 2], "not a whole database"),
        (&copy[..1000], "not a whole database"),
        (&holed, "not a whole database"),
        (b"", "not a whole database"),
        (b"{\"vestibule\":{\"form\":1}}\n", "not a whole database"),
    ] {
        fs::write(path("broken.db"), broken).unwrap();
        refuses(&["restore", "broken.db"], &[], why).await;
    }
    fs::write(path("newer.db"), &copy).unwrap();
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                 VALUES (9999, 'of the future', 1, x'00', 0)";
    database::execute_at(&format!("sqlite://{}", path("newer.db").display()), newer).await;
    refuses(&["restore", "newer.db"], &[], "newer version").await;

    let wrong = [("SECRET_KEY", &*database::key_of("wrong"))];
    let (code, said) = run(here, &["restore", "copy.db"], &wrong).await;
    assert!(code == 1 && said.contains("1 of them hold what cannot be opened"), "{said}");
    for name in ["vestibule.db", "vestibule.db-wal", "vestibule.db-shm"] {
        let _ = fs::remove_file(path(name));
    }
    let (code, said) = run(here, &["restore", "copy.db"], &[]).await;
    assert!(code == 0 && said.contains("restored 1 sessions"), "{said}");
}
