//! The second desk, of another kind: its file alone makes it run the whole way.

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;
use vestibule::api::Field;

use crate::{
    browser::{Browser, EMAIL, PHONE, verified},
    database::{place_that_holds, rows},
    form::TICK,
    harness::Desk,
    platform::{FakePlatform, ProofEnd},
    sandbox::{Wallet, application_page, behave},
};

const COURSE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/desks/course.toml");
/// What the desk reveals, in its order; of the seventh thing it asks for, the credits, only a condition is proven.
const REVEALED: [&str; 6] = ["full_name", "student_number", "faculty", "course_code", "course_title", "semester"];
const MINUTE: Duration = Duration::from_secs(60);

async fn course() -> Desk {
    Desk::with(&[("DESK_FILE", COURSE), ("SESSION_TTL", "7m")]).await
}

#[tokio::test]
async fn the_page_of_consent_is_in_the_words_of_the_desk() {
    let desk = course().await;
    let page = Browser::stranger(&desk).page("/register").await.text().await.unwrap();
    for words in [
        "Course registration",
        "Riverside College",
        "Enrolment Card",
        "the Riverside College registry",
        "The Riverside wallet",
        "College number",
        "to admit those who are far enough for an advanced course",
        "at least 60",
        "optional",
        "180 days",
        "2 days",
    ] {
        assert!(page.contains(words), "{words} is missing");
    }
    assert!(!page.contains("Student Card") && !page.contains("ConfirmD"), "nothing of the other desk");
}

#[tokio::test]
async fn the_wallet_is_asked_for_six_attributes_and_for_a_condition() {
    let platform = FakePlatform::start(ProofEnd::Silent).await;
    let desk = Desk::on_with(&platform, &[("DESK_FILE", COURSE)]).await;
    let opened = desk.open().await;
    let mut watcher = desk.watch(&opened).await;
    let connected = json!({ "type": "Connection", "id": Uuid::new_v4(), "state": "completed", "outOfBandId": platform.last_out_of_band_id() });
    desk.record(&connected).await;
    watcher.until("requested").await;
    let asked = platform.proof_requests().remove(0);
    let comment =
        format!("Show your Enrolment Card to take your place (code {})", opened.data["matchingCode"].as_str().unwrap());
    assert_eq!(asked["comment"], comment);
    let asked = asked["proofFormats"]["indy"]["attributes"].as_array().unwrap().clone();
    let names: Vec<&str> = asked.iter().map(|asked| asked["attributeName"].as_str().unwrap()).collect();
    assert_eq!(names, [&REVEALED[..], &["credits_earned"]].concat());
    for asked in &asked[..6] {
        assert_eq!((&asked["condition"], &asked["value"]), (&Value::Null, &Value::Null), "{asked}");
    }
    assert_eq!((&asked[6]["condition"], &asked[6]["value"]), (&json!(">="), &json!("60")), "the platform takes text");
    assert!(asked.iter().all(|asked| asked["credDefId"] == "9vKx2mQpTbR4sWnYcE7dHf:3:CL:2075:Enrolment Card"));
    assert!(opened.data["deepLink"].as_str().unwrap().starts_with("riverside-wallet://invite?oob="));
}

#[tokio::test]
async fn who_has_the_credits_registers_and_how_many_they_are_stays_in_the_wallet() {
    let desk = course().await;
    let opened = desk.open().await;
    let id = opened.id.parse().unwrap();
    let session = desk.app.sessions.store.session(id).await.unwrap().unwrap();
    assert_eq!(session.expires_at, session.created_at.plus(30 * MINUTE), "the desk's time goes before SESSION_TTL");
    let opened = verified(&desk, "amaka").await;
    let id = opened.id.parse().unwrap();
    let session = desk.app.sessions.store.session(id).await.unwrap().unwrap();
    assert_eq!(session.expires_at, session.updated_at.plus(120 * MINUTE));
    let browser = Browser::of(&desk, &opened);
    let view = browser.application().await.unwrap();
    let (label, value) = ("Credits earned".to_owned(), Some("at least 60".to_owned()));
    assert_eq!(view.fields[6], Field { label, value, only_proven: true, required: true });
    assert!(view.fields[..6].iter().all(|field| field.value.is_some() && !field.only_proven));
    assert_eq!(view.fields[0].value.as_deref(), Some("Amaka Ngozi Okonkwo"));
    let page = application_page(&desk, &opened).await.text().await.unwrap();
    assert!(page.contains("at least 60") && page.contains("S-2021-0417"));
    assert!(!page.contains(">84<") && !page.contains("\"84\"") && !page.contains(" 84 "));
    assert_eq!(page.matches(TICK).count(), 7);
    assert_eq!(browser.submit(EMAIL, PHONE).await, "/register/confirmation");
    let shown = browser.confirmation().await.unwrap();
    assert_eq!((&*shown.title, shown.kept), ("Course registration", Duration::from_secs(180 * 24 * 60 * 60)));
    assert!(shown.after.contains("faculty office"));
    let record = desk.app.sessions.store.submitted(id).await.unwrap().unwrap();
    let credits: Vec<&str> =
        record.revealed.iter().filter(|one| one.name == "credits_earned").map(|one| &*one.value).collect();
    assert_eq!(credits, [">=60"]);
    assert!(record.revealed.iter().all(|revealed| revealed.value != "84"));
    for written in ["\"84\"", ":84,", ":84}", ": 84"] {
        assert_eq!(place_that_holds(&desk, written.as_bytes()).await, None, "{written}");
    }
    let due: Vec<(i64, i64)> =
        rows(&desk, "SELECT due_at, submitted_at FROM acts JOIN registrations USING (session_id) WHERE kind = 'purge'")
            .await;
    assert_eq!(due[0].0 - due[0].1, 180 * 24 * 60 * 60 * 1000);
}

#[tokio::test]
async fn who_lacks_the_credits_can_only_decline() {
    let desk = course().await;
    behave(&desk, json!({ "pace": 0, "webhook": "gateway" })).await;
    let opened = desk.open().await;
    let mut watcher = desk.watch(&opened).await;
    let wallet = Wallet::connect(&desk, &opened, "tunde").await;
    watcher.until("requested").await;
    let shown = wallet.shown().await;
    assert!(shown.contains("at least 60: your card cannot show this") && !shown.contains("value=\"share\""), "{shown}");
    for way in ["share", "partial", "invalid", "decline"] {
        wallet.answer(way).await;
    }
    while watcher.next().await["stage"] != "declined" {}
    assert!(watcher.seen.iter().all(|seen| seen["stage"] != "presented"), "nothing else was told before");
    let browser = Browser::of(&desk, &opened);
    assert_eq!(browser.submit(EMAIL, PHONE).await, "/register/connect");
    assert!(browser.application().await.is_none());
}
