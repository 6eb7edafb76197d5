//! PostgreSQL and Redis behind TLS.

use std::{path::Path, process::Command};

use serde_json::Value;

use crate::{
    database,
    harness::PATIENCE,
    postgres::{self, PostgresServer},
    program::{BINARY, Program},
    redis::RedisServer,
    visit::client,
};

/// Makes a certificate for this machine, its key and whoever signed it in a folder: `cert.pem`, `key.pem`, `authority.pem`.
pub fn make_certificate(folder: &Path) {
    let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
    let authority = ["-subj", "/CN=an authority", "-keyout", "authority-key.pem", "-out", "authority.pem"];
    let leaf = ["-subj", "/CN=localhost", "-keyout", "key.pem", "-out", "cert.pem"];
    let names =
        ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"];
    let signed = ["-CA", "authority.pem", "-CAkey", "authority-key.pem"];
    for arguments in [&authority[..], &[&leaf[..], &names, &signed].concat()] {
        let mut openssl = Command::new("openssl");
        let made = openssl.args(["req", "-x509"]).args(curve).args(arguments).current_dir(folder).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
}

/// Waits until a server calls itself this, and has or has not found a certificate that it does not trust.
async fn until(program: &Program, word: &str, distrusts: bool) {
    let says = async {
        loop {
            let answer = client().get(format!("{}/readyz", program.url)).send().await.unwrap();
            let says = answer.json::<Value>().await.unwrap();
            if says["status"] == word && program.written.text().contains("certificate") == distrusts {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, says).await.unwrap_or_else(|_| panic!("never {word}: {}", program.written.text()));
}

#[tokio::test]
async fn redis_may_be_behind_tls() {
    let redis = RedisServer::start_with_tls();
    let (folder, database) = (tempfile::tempdir().unwrap(), postgres::fresh().await);
    let (key, authority) = (database::key_of(&database), redis.authority());
    let trusted = [
        ("DATABASE_URL", &*database),
        ("SECRET_KEY", &*key),
        ("REDIS_URL", &*redis.url()),
        ("SSL_CERT_FILE", authority.to_str().unwrap()),
    ];
    for (variables, word) in [(&trusted[..], "ready"), (&trusted[..3], "degraded")] {
        let program = Program::start(folder.path(), 0, variables).await;
        until(&program, word, word == "degraded").await;
        assert!(program.terminate().await);
    }
}

#[tokio::test]
async fn postgresql_may_be_behind_tls_and_whoever_pretends_to_be_it_is_told_nothing() {
    let server = tokio::task::spawn_blocking(PostgresServer::start_with_tls).await.unwrap();
    let (folder, others) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    make_certificate(others.path());
    let key = database::key_of("behind TLS");
    let address = |mode: &str, authority: &Path| {
        format!("{}?sslmode={mode}&sslrootcert={}", server.url(), authority.join("authority.pem").display())
    };
    // The servers tell each other over the same database, so that connection is one with TLS too.
    let url = address("verify-full", server.folder());
    let program = Program::start(folder.path(), 0, &[("DATABASE_URL", &url), ("SECRET_KEY", &key)]).await;
    until(&program, "ready", false).await;
    assert!(program.terminate().await);
    for (url, why) in [
        (address("verify-full", others.path()), "certificate"),
        (address("disable", server.folder()), "no pg_hba.conf entry"),
    ] {
        let mut migrate = tokio::process::Command::new(BINARY);
        migrate.arg("migrate").env_clear().envs([("DATABASE_URL", &url), ("SECRET_KEY", &key)]);
        let done = migrate.current_dir(folder.path()).output().await.unwrap();
        let said = String::from_utf8(done.stderr).unwrap();
        assert!(!done.status.success() && said.contains(why), "{said}");
        assert!(!said.contains("waiting"), "it does not get better by waiting: {said}");
    }
}
