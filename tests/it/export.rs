//! Exports: every registration, whole, for those who may; and each written down.

use reqwest::StatusCode;
use serde_json::Value;
use vestibule::{
    domain::{contact::Contact, ids::SessionId, session::Session, stage::Stage},
    server::{
        platform::Revealed,
        secrets::random_bytes,
        store::{Registration, Submitted},
    },
};

use crate::{
    browser::{Browser, EMAIL, PHONE, verified},
    harness::{ADMIN_TOKEN, Desk},
    staff::Staff,
};

/// Registrations with these values, as fast as they can be stored.
async fn registered(desk: &Desk, numbers: impl Iterator<Item = usize>, revealed: &[(&str, &str)]) {
    let sessions = &desk.app.sessions;
    let contact: Contact =
        serde_json::from_value(serde_json::json!({ "email": EMAIL, "phone": "+2348095550199" })).unwrap();
    let revealed: Vec<Revealed> = revealed
        .iter()
        .map(|(name, value)| Revealed { name: (*name).to_owned(), value: (*value).to_owned() })
        .collect();
    let mut tx = sessions.store.begin().await.unwrap();
    for number in numbers {
        let now = desk.clock.now();
        let id = SessionId::new(now, random_bytes());
        let mut session = Session::open(id, sessions.consent.clone(), now, &sessions.deadlines);
        tx.insert_session(&session).await.unwrap();
        session.progress.stage = Stage::Submitted;
        tx.update_session(&session).await.unwrap();
        let registration = Registration { number: format!("N-{number:05}"), submitted_at: now };
        let submitted = Submitted { revealed: revealed.clone(), contact: contact.clone() };
        assert!(tx.insert_registration(id, 1, &registration, (&session.consent, now), &submitted).await.unwrap());
    }
    tx.commit().await.unwrap();
}

async fn csv_rows(text: &str) -> Vec<csv::StringRecord> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    reader.records().map(Result::unwrap).collect()
}

#[tokio::test]
async fn every_registration_is_in_both_forms_once_and_the_export_is_recorded() {
    let desk = Desk::sandbox().await;
    let opened = verified(&desk, "amaka").await;
    let browser = Browser::of(&desk, &opened);
    browser.submit(EMAIL, PHONE).await;
    let number = browser.confirmation().await.unwrap().number;
    // More than are read at once, so that they come in parts.
    registered(&desk, 0..1_234, &[]).await;
    let staff = Staff::sign_in(&desk, "Ada").await;
    let answer = staff.page("/admin/export.csv").await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["content-type"], "text/csv; charset=utf-8; header=present");
    assert!(answer.headers()["content-disposition"].to_str().unwrap().starts_with("attachment"));
    let text = answer.text().await.unwrap();
    assert!(text.lines().count() >= 1_236 && text.contains("\r\n"));
    let rows = csv_rows(&text).await;
    assert_eq!(rows.len(), 1_236);
    let column = |name: &str| rows[0].iter().position(|cell| cell == name).unwrap();
    let row = rows.iter().find(|row| row.get(0) == Some(&*number)).unwrap();
    assert_eq!(row.get(column("email")), Some(EMAIL));
    assert_eq!(row.get(column("phone")), Some("'+2348095550199"), "it would be a formula");
    assert!(row.iter().any(|cell| cell == "UNI/CSC/21/0417"));
    assert_eq!(row.get(column("session")), Some(&*opened.id));
    let numbers: std::collections::HashSet<&str> = rows[1..].iter().map(|row| row.get(0).unwrap()).collect();
    assert_eq!(numbers.len(), 1_235);

    let answer = desk.http.get(format!("{}/admin/export.jsonl", desk.url)).bearer_auth(ADMIN_TOKEN);
    let text = answer.send().await.unwrap().text().await.unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 1_235);
    let line = lines.iter().find(|line| line["number"] == *number).unwrap();
    assert_eq!((&line["email"], &line["phone"]), (&EMAIL.into(), &"+2348095550199".into()));
    assert!(line["attributes"].as_object().unwrap().values().any(|value| value == "UNI/CSC/21/0417"));
    let record = staff.record().await;
    let exports: Vec<(Option<&str>, Option<&str>)> = record
        .lines
        .iter()
        .filter(|line| line.deed == "exported")
        .map(|line| (line.by.as_deref(), line.detail.as_deref()))
        .collect();
    assert_eq!(exports, [(None, Some("registrations.jsonl")), (Some("Ada"), Some("registrations.csv"))]);
}

#[tokio::test]
async fn values_that_would_break_a_table_or_act_in_it_arrive_as_text() {
    let desk = Desk::sandbox().await;
    let name = desk.app.sessions.desk.attributes[0].name.clone();
    let evil = "=HYPERLINK(\"http://evil.example\",\"a\r\nb\")";
    registered(&desk, 1..2, &[(&*name, evil), ("of an earlier desk", "\"quoted\", kept")]).await;
    let staff = Staff::sign_in(&desk, "Ada").await;
    let text = staff.page("/admin/export.csv").await.text().await.unwrap();
    let rows = csv_rows(&text).await;
    assert_eq!(rows.len(), 2);
    let cell = |column: &str| rows[1].get(rows[0].iter().position(|cell| cell == column).unwrap()).unwrap().to_owned();
    assert_eq!(cell(&name), format!("'{evil}"));
    let other: Value = serde_json::from_str(&cell("other")).unwrap();
    assert_eq!(other["of an earlier desk"], "\"quoted\", kept");
}

#[tokio::test]
async fn nobody_else_exports() {
    let desk = Desk::sandbox().await;
    registered(&desk, 1..2, &[]).await;
    for (header, value) in [("X-Nothing", ""), ("Authorization", "Bearer wrong"), ("Authorization", "Basic eDp5")] {
        let answer =
            desk.http.get(format!("{}/admin/export.csv", desk.url)).header(header, value).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{header}: {value}");
        assert!(!answer.text().await.unwrap().contains(EMAIL));
    }
    // A wrong token is not made up for by a cookie.
    let staff = Staff::sign_in(&desk, "Ada").await;
    let both = desk.http.get(format!("{}/admin/export.csv", desk.url)).header("Cookie", &staff.cookie);
    assert_eq!(both.bearer_auth("wrong").send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    assert!(!staff.deeds().await.contains(&"exported".to_owned()));
}
