//! The key is changed for another one, and nothing that was sealed is lost, nor said to be there when it is.

use std::{path::Path, process::Stdio};

use tokio::process::Command;
use vestibule::{
    domain::time::Timestamp,
    server::{
        clock::Clock,
        secrets::{KeyRing, SecretKey},
    },
};

use crate::{
    browser::{EMAIL, PHONE},
    harness::PATIENCE,
    program::Program,
    visit::{Visit, client, hurry},
};

const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

/// Runs `vestibule reencrypt` with these keys: its exit code and what it says.
async fn reencrypt(folder: &Path, key: &str, old: &str) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
    command.arg("reencrypt").env_clear().envs([("SECRET_KEY", key), ("SECRET_KEY_OLD", old)]);
    let output = command.current_dir(folder).stdin(Stdio::null()).output();
    let output = tokio::time::timeout(PATIENCE, output).await.expect("it ends").unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

/// A visit that goes on at another server, with the token it had or one of this key.
fn go_on(visit: &mut Visit, url: &str, key: Option<&str>) {
    url.clone_into(&mut visit.url);
    if let Some(key) = key {
        let keys = KeyRing::new(key.parse::<SecretKey>().unwrap(), Vec::new());
        let Timestamp(now) = Clock::default().now();
        visit.token = keys.token(visit.id.parse().unwrap(), Timestamp(now + 60_000));
    }
}

/// Everything that was sealed is shown.
async fn all_is_readable(verified: &mut Visit, submitted: &mut Visit, number: &str) {
    let shown = verified.record().await.1.json();
    assert_eq!(shown["fields"][0]["value"], "Okonkwo");
    assert_eq!(shown["email"]["value"], "a typo");
    assert_eq!(submitted.read("confirmed").await.json()["number"], number);
    let token = submitted.token.clone();
    assert_eq!(submitted.poll(&token).await.json()["theirLabel"], "Blue phone");
}

#[tokio::test]
async fn the_key_is_changed_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path(), 0, &[("SECRET_KEY", A)]).await;
    hurry(&client(), &program.url, "envelope").await;
    let mut verified = Visit::begin(&program.url).await;
    verified.verify("amaka").await;
    assert_eq!(verified.submit("a typo", PHONE).await.location(), "/register/application");
    let mut submitted = Visit::begin(&program.url).await;
    submitted.verify("tunde").await;
    assert_eq!(submitted.submit(EMAIL, PHONE).await.location(), "/register/confirmation");
    let number = submitted.read("confirmed").await.json()["number"].as_str().unwrap().to_owned();
    all_is_readable(&mut verified, &mut submitted, &number).await;
    assert!(program.terminate().await);

    // Two wallet names, a draft, what one shared, and a record: with the new key alone none of it opens, and it is said.
    let (code, said) = reencrypt(folder.path(), B, "").await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("0 sealed anew, 0 were already") && said.contains("5 cannot be opened"), "{said}");
    let program = Program::start(folder.path(), 0, &[("SECRET_KEY", B)]).await;
    verified.url.clone_from(&program.url);
    let token = verified.token.clone();
    assert_eq!(verified.poll(&token).await.status, 401, "the old cookie does not open");
    go_on(&mut verified, &program.url, Some(B));
    let (page, view) = verified.record().await;
    assert_eq!(view.status, 503, "no record is shown instead of an empty one");
    assert!(!page.body.contains("aria-label=\"proven\""));
    assert_eq!(verified.submit(EMAIL, PHONE).await.location(), "/register/application");
    assert!(verified.read("confirmed").await.json().is_null(), "nor can it be submitted");
    assert!(program.terminate().await);
    verified.token = token;

    // With the old key beside the new one all is as it was: the cookies too.
    let both = [("SECRET_KEY", B), ("SECRET_KEY_OLD", A)];
    let program = Program::start(folder.path(), 0, &both).await;
    go_on(&mut verified, &program.url, None);
    go_on(&mut submitted, &program.url, None);
    assert_eq!(verified.submit("a typo", PHONE).await.location(), "/register/application");
    all_is_readable(&mut verified, &mut submitted, &number).await;
    // A server on the same database goes on meanwhile. What was typed just now is sealed with the new key already.
    let (code, said) = reencrypt(folder.path(), B, A).await;
    assert_eq!((code, said.trim()), (Some(0), "4 sealed anew, 1 were already sealed with this key"));
    all_is_readable(&mut verified, &mut submitted, &number).await;
    assert!(program.terminate().await);
    let (code, said) = reencrypt(folder.path(), B, "").await;
    assert_eq!((code, said.trim()), (Some(0), "0 sealed anew, 5 were already sealed with this key"));

    let program = Program::start(folder.path(), 0, &[("SECRET_KEY", B)]).await;
    go_on(&mut verified, &program.url, Some(B));
    go_on(&mut submitted, &program.url, Some(B));
    all_is_readable(&mut verified, &mut submitted, &number).await;
    assert_eq!(verified.submit(EMAIL, PHONE).await.location(), "/register/confirmation");
    assert!(program.terminate().await);
}
