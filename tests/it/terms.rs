//! What people agree to is kept with what they submitted, and nobody is held to terms that they did not see.

use std::time::Duration;

use serde_json::json;
use uuid::Uuid;

use crate::{
    browser::{Browser, EMAIL, PHONE, sent_to, until_stage, verified},
    database::{self, rows},
    harness::{Desk, desk_file},
    platform::{FakePlatform, ProofEnd},
};

/// Other terms: the year is to be proven 2030 at least, and no more of it shown.
const YEAR: &str = "to know how long the registration runs\"\n";
const CONDITION: &str = "to know how long the registration runs\"\ncondition = \">=\"\nvalue = 2030\n";

#[tokio::test]
async fn a_registration_keeps_what_was_consented_to_and_when() {
    let desk = Desk::sandbox().await;
    let opened = verified(&desk, "amaka").await;
    assert_eq!(Browser::of(&desk, &opened).submit(EMAIL, PHONE).await, "/register/confirmation");
    let kept: Vec<(String, i64)> = rows(&desk, "SELECT consent, consented_at FROM registrations").await;
    let session = desk.app.sessions.store.session(opened.id.parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(kept, [(desk.app.sessions.consent.clone(), session.created_at.0)]);
    let texts: Vec<(String, String)> = rows(&desk, "SELECT version, text FROM consents").await;
    let terms = desk.app.sessions.desk.consent_text();
    assert_eq!(texts, [(desk.app.sessions.consent.clone(), terms.clone())]);
    assert!(terms.contains("National ID number") && terms.contains("90 days"));
    // Another text on the same database is another version beside the first one, which stays as it was agreed to.
    let database = desk.app.config.database_url.clone();
    let course = concat!(env!("CARGO_MANIFEST_DIR"), "/desks/course.toml");
    let beside = Desk::with(&[("DATABASE_URL", &*database.0), ("DESK_FILE", course)]).await;
    let versions: Vec<(String, String)> =
        rows(&beside, "SELECT version, text FROM consents ORDER BY first_used_at").await;
    assert_eq!((versions.len(), &versions[0].1), (2, &terms));
    assert_eq!(versions[1], (beside.app.sessions.consent.clone(), beside.app.sessions.desk.consent_text()));
    let kept: Vec<(String,)> = rows(&beside, "SELECT consent FROM registrations").await;
    assert_eq!(kept[0].0, versions[0].0);
}

#[tokio::test]
async fn after_a_change_of_terms_one_agrees_anew_and_what_is_submitted_stays() {
    let folder = tempfile::tempdir().unwrap();
    let database = database::fresh(folder.path(), "kept.db").await;
    let before = Desk::with(&[("DATABASE_URL", &*database)]).await;
    let (shared, submitted) = (verified(&before, "amaka").await, verified(&before, "tunde").await);
    assert_eq!(Browser::of(&before, &shared).submit("a typo", PHONE).await, "/register/application");
    assert_eq!(Browser::of(&before, &submitted).submit(EMAIL, PHONE).await, "/register/confirmation");
    let number = Browser::of(&before, &submitted).confirmation().await.unwrap().number;
    before.stop().await;
    let file = desk_file(folder.path(), YEAR, CONDITION);
    let after = Desk::with(&[("DATABASE_URL", &*database), ("DESK_FILE", &*file)]).await;
    let browser = Browser::of(&after, &shared);
    // Her card says 2026: it must not be taken for a proof of 2030, which this desk asks for now.
    assert!(browser.application().await.is_none());
    for path in ["/register/application", "/register/connect"] {
        let page = browser.page(path).await;
        assert!(sent_to(&page).starts_with("/register"), "{path}");
        assert!(!page.text().await.unwrap().contains("at least 2030"), "{path}");
    }
    for (function, form) in [
        ("submit", [("email", EMAIL), ("phone", PHONE)]),
        ("renew", [("attempt", "1"), ("", "")]),
        ("ask-again", [("attempt", "1"), ("", "")]),
    ] {
        assert_eq!(browser.post(function, &form).await, "/register", "{function}");
    }
    assert!(after.app.sessions.store.registration(shared.id.parse().unwrap()).await.unwrap().is_none());
    let anew = browser.posting("open").form(&[("", "")]).send().await.unwrap();
    assert_eq!(sent_to(&anew), "/register/connect");
    assert!(anew.headers().contains_key("set-cookie"), "a registration of its own");
    assert_eq!(Browser::of(&after, &submitted).confirmation().await.unwrap().number, number);
    after.stop().await;
    // A change that is no term changes nothing for those who are on their way.
    let file = desk_file(folder.path(), "form = \"1h\"", "form = \"2h\"");
    let same = Desk::with(&[("DATABASE_URL", &*database), ("DESK_FILE", &*file)]).await;
    assert_eq!(Browser::of(&same, &shared).submit(EMAIL, PHONE).await, "/register/confirmation");
    same.stop().await;
}

#[tokio::test]
async fn nobody_is_asked_for_what_they_did_not_agree_to() {
    let folder = tempfile::tempdir().unwrap();
    let database = database::fresh(folder.path(), "kept.db").await;
    let platform = FakePlatform::start(ProofEnd::Silent).await;
    let before = Desk::on_with(&platform, &[("DATABASE_URL", &*database)]).await;
    let opened = before.open().await;
    before.stop().await;
    let file = desk_file(folder.path(), YEAR, CONDITION);
    let after = Desk::on_with(&platform, &[("DATABASE_URL", &*database), ("DESK_FILE", &*file)]).await;
    let body = json!({ "type": "Connection", "id": Uuid::new_v4(), "state": "completed", "outOfBandId": platform.last_out_of_band_id() });
    assert_eq!(after.record(&body).await, "applied");
    until_stage(&after, opened.id.parse().unwrap(), "failed", Duration::ZERO).await;
    assert!(platform.proof_requests().is_empty());
}
