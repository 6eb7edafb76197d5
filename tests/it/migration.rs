//! A database of the first version is brought up to date with what is in it: registrations under way go on.

use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use uuid::Uuid;
use vestibule::{
    domain::{
        ids::{LinkId, SessionId},
        stage::Stage,
    },
    server::{platform::Revealed, secrets::random_bytes},
};

use crate::{
    harness::{Desk, Opened},
    platform::{FakePlatform, ProofEnd},
    reconcile::pass_until,
};

const KEY: &str = "0707070707070707070707070707070707070707070707070707070707070707";

#[tokio::test]
async fn registrations_under_way_survive_the_change_of_the_tables() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.db");
    let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true).foreign_keys(true);
    let mut old = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::migrate!("migrations/sqlite").run_to(1, &mut old).await.unwrap();
    let far = 4_000_000_000_000_i64;
    let mut sessions = Vec::new();
    for (place, stage) in Stage::ALL.into_iter().enumerate() {
        // As ids were then, without a time.
        let id: SessionId = LinkId::from_bytes(random_bytes()).as_str().parse().unwrap();
        sqlx::query("INSERT INTO sessions VALUES ($1, 1, 3, $2, 0, 0, 'A phone', 1000, 2000, $3, $4)")
            .bind(id.as_str())
            .bind(stage.as_str())
            .bind(far)
            .bind(i64::from(!stage.is_end()))
            .execute(&mut old)
            .await
            .unwrap();
        sqlx::query(
            "INSERT INTO attempts (session_id, attempt, link, alias, invitation_url, out_of_band_id, connection_id, created_at) \
             VALUES ($1, 1, $2, $3, 'https://agent.example.org?oob=e30', $4, $5, 1000)",
        )
        .bind(id.as_str())
        .bind(LinkId::from_bytes(random_bytes()).as_str())
        .bind(format!("reg-{place}"))
        .bind(Uuid::new_v4().to_string())
        .bind((stage == Stage::Connected).then(|| Uuid::new_v4().to_string()))
        .execute(&mut old)
        .await
        .unwrap();
        if stage == Stage::Connected {
            sqlx::query("INSERT INTO acts (session_id, attempt, kind, due_at) VALUES ($1, 1, 'request_proof', 0)")
                .bind(id.as_str())
                .execute(&mut old)
                .await
                .unwrap();
        }
        sqlx::query(
            "INSERT INTO events (key, kind, mixes_credentials, outcome, session_id, attempt, received_at, body) \
             VALUES ('k', 'connection', 0, 'applied', $1, 1, 1000, '{\"data\":{\"theirLabel\":\"A phone\"}}')",
        )
        .bind(id.as_str())
        .execute(&mut old)
        .await
        .unwrap();
        sessions.push((id, stage));
    }
    old.close().await.unwrap();

    // The desk keeps what began in 1970 for as long as it takes to look at it.
    let desk_file = folder.path().join("desk.toml");
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/registration.toml")).unwrap();
    let text = text.replace("unfinished = \"7d\"", "unfinished = \"40000d\"");
    assert!(text.contains("40000d"));
    std::fs::write(&desk_file, text).unwrap();
    let platform = FakePlatform::start(ProofEnd::Silent).await;
    let database = format!("sqlite://{}", path.display());
    let variables = [("DATABASE_URL", &*database), ("DESK_FILE", desk_file.to_str().unwrap()), ("SECRET_KEY", KEY)];
    let desk = Desk::on_with(&platform, &variables).await;
    let store = &desk.app.sessions.store;
    for (id, stage) in &sessions {
        let session = store.session(*id).await.unwrap().unwrap();
        // What had to be done is done by now, or in a moment.
        let went_on = *stage == Stage::Connected && session.progress.stage == Stage::Requested;
        assert!(session.progress.stage == *stage || went_on, "{stage:?} became {session:?}");
        assert!(store.attempt(*id, 1).await.unwrap().unwrap().invited.is_some());
    }
    let (connected, _) = sessions.iter().find(|(_, stage)| *stage == Stage::Connected).unwrap();
    let opened = Opened { id: connected.to_string(), token: desk.app.token(*connected), data: serde_json::Value::Null };
    pass_until(&desk, &opened, "requested").await;
    assert_eq!(platform.proof_requests().len(), 1);
    let revealed = vec![Revealed { name: "surname".to_owned(), value: "Okonkwo".to_owned() }];
    let mut tx = store.begin().await.unwrap();
    tx.store_attributes(*connected, 1, Some(&revealed)).await.unwrap();
    tx.commit().await.unwrap();
    let attempt = store.attempt(*connected, 1).await.unwrap().unwrap();
    assert_eq!(store.revealed(&attempt), Some(revealed));
    desk.stop().await;
    let bytes = std::fs::read(&path).unwrap();
    assert!(!bytes.windows(7).any(|window| window == b"A phone"), "names are no longer in clear");
}
