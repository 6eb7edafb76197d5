//! The record and the form, as a browser without scripts uses them: what was proven, what is typed, and one registration.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use vestibule::{
    api::{Field, TypedField},
    domain::{
        contact::{ContactFault, Email, Phone},
        ids::SessionId,
    },
    language::said,
};

use crate::{
    browser::{Browser, EMAIL, PHONE, answered, sent_to, until_stage, verified},
    database::rows,
    harness::{Desk, Opened, desk_file},
    sandbox::{Wallet, application_page},
};

/// The labels of the sample desk with what Amaka's card says.
pub const AMAKA: [(&str, &str); 9] = [
    ("Surname", "Okonkwo"),
    ("Other names", "Amaka Ngozi"),
    ("Matriculation number", "UNI/CSC/21/0417"),
    ("School", "Unity State University"),
    ("Programme", "B.Sc Computer Science"),
    ("Department", "Computer Science"),
    ("Date of birth", "2003-04-17"),
    ("National ID number", "70123456789"),
    ("Graduation year", "2026"),
];
/// What a screen reader says where a value was proven.
pub const TICK: &str = "aria-label=\"proven\"";

fn id(opened: &Opened) -> SessionId {
    opened.id.parse().unwrap()
}

async fn numbers(desk: &Desk) -> Vec<String> {
    let rows: Vec<(String,)> = rows(desk, "SELECT number FROM registrations").await;
    rows.into_iter().map(|(number,)| number).collect()
}

/// What is typed into the form and not submitted, as it lies in the database: sealed.
async fn drafts(desk: &Desk) -> usize {
    let rows: Vec<(Vec<u8>,)> = rows(desk, "SELECT draft FROM sessions WHERE draft IS NOT NULL").await;
    rows.len()
}

fn typed(value: &str, fault: Option<ContactFault>) -> TypedField {
    TypedField { value: value.to_owned(), fault }
}

/// A desk whose last attribute, the graduation year, is optional.
async fn desk_with_an_optional_attribute() -> Desk {
    let folder = tempfile::tempdir().unwrap();
    let last = "to know how long the registration runs\"\nrequired = ";
    let file = desk_file(folder.path(), &format!("{last}true"), &format!("{last}false"));
    Desk::with(&[("DESK_FILE", &file)]).await
}

#[tokio::test]
async fn the_page_shows_exactly_what_was_proven_and_by_whom_it_was_issued() {
    let desk = Desk::sandbox().await;
    let opened = verified(&desk, "amaka").await;
    let view = Browser::of(&desk, &opened).application().await.unwrap();
    let field = |(label, value): (&str, &str)| Field {
        label: label.to_owned(),
        value: Some(value.to_owned()),
        only_proven: false,
        required: true,
    };
    assert_eq!(view.fields, AMAKA.map(field));
    assert_eq!((&*view.issuer, view.issuer_did.as_deref()), ("Unity State University", Some("Th7MpTaRZVRYnPiabds81Y")));
    assert_eq!((&view.email, &view.phone), (&TypedField::default(), &TypedField::default()), "nothing is typed yet");
    assert!(!view.falls_short);
    let page = application_page(&desk, &opened).await.text().await.unwrap();
    for (label, value) in AMAKA {
        assert!(page.contains(label) && page.contains(value), "{label}: {value} is missing");
    }
    assert!(page.contains(&view.issuer) && page.contains(&view.credential));
    assert_eq!(page.matches(TICK).count(), AMAKA.len());
}

#[tokio::test]
async fn what_was_not_revealed_is_never_shown_as_proven() {
    for desk in [Desk::sandbox().await, desk_with_an_optional_attribute().await] {
        let required = desk.app.sessions.desk.attributes[8].required;
        let opened = answered(&desk, "amaka", "partial").await;
        let view = Browser::of(&desk, &opened).application().await.unwrap();
        let missing = Field { label: "Graduation year".to_owned(), value: None, only_proven: false, required };
        assert_eq!(view.fields[8], missing);
        assert!(view.fields[..8].iter().all(|field| field.value.is_some()));
        assert_eq!(view.falls_short, required);
        let page = application_page(&desk, &opened).await.text().await.unwrap();
        assert!(page.contains("Graduation year"), "one sees what is missing");
        assert_eq!(page.matches(TICK).count(), 8);
    }
}

#[tokio::test]
async fn what_is_not_right_is_kept_as_typed_with_the_sentence_that_mends_it() {
    let desk = Desk::sandbox().await;
    let opened = verified(&desk, "amaka").await;
    let browser = Browser::of(&desk, &opened);
    // Each with the other field right, both wrong, with blanks around, and with what could break a page.
    for (email, phone) in [
        ("made-up.person", PHONE),
        (EMAIL, "0809 555 0199"),
        ("", ""),
        ("  a@b..org\t", "+234 call me"),
        ("\"><script>alert(1)</script>@example.org", "<b>&amp;"),
        ("ä\u{202e}@bücher.example", "\u{1F4DE}"),
    ] {
        assert_eq!(browser.submit(email, phone).await, "/register/application", "{email} {phone}");
        for _reload in 0..2 {
            let view = browser.application().await.unwrap();
            assert_eq!(view.email, typed(email, Email::parse(email).err()));
            assert_eq!(view.phone, typed(phone, Phone::parse(phone).err()));
            assert!(view.email.fault.is_some() || view.phone.fault.is_some());
        }
        assert_eq!(numbers(&desk).await, [""; 0]);
        assert_eq!(desk.snapshot(&opened).await["stage"], "verified");
    }
    let before = desk.app.sessions.clock.now();
    let answer = browser.posting("submit").form(&[("email", EMAIL), ("phone", PHONE)]).send().await.unwrap();
    assert_eq!(sent_to(&answer), "/register/confirmation");
    assert!(answer.headers()["set-cookie"].to_str().unwrap().starts_with("vestibule="), "the number stays in reach");
    let shown = browser.confirmation().await.unwrap();
    let registration = desk.app.sessions.store.registration(id(&opened)).await.unwrap().unwrap();
    assert_eq!((&shown.number, shown.submitted_at), (&registration.number, registration.submitted_at.rfc3339()));
    let (first, second) = shown.number.split_once('-').unwrap();
    let fits = |part: &str| part.len() == 4 && part.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    assert!(fits(first) && fits(second), "{}", shown.number);
    assert!(before <= registration.submitted_at && registration.submitted_at <= desk.app.sessions.clock.now());
    let record = desk.app.sessions.store.submitted(id(&opened)).await.unwrap().unwrap();
    assert_eq!((record.contact.email.as_str(), record.contact.phone.as_str()), (EMAIL, "+2348095550199"));
    assert_eq!(record.revealed.len(), AMAKA.len());
    assert_eq!(drafts(&desk).await, 0, "the registration holds it, and nothing else does");
}

#[tokio::test]
async fn twenty_presses_at_once_are_one_registration() {
    let desk = Desk::sandbox().await;
    let opened = verified(&desk, "amaka").await;
    let browser = Browser::of(&desk, &opened);
    let tabs = [(EMAIL, PHONE), ("other.tab@example.org", "+44 20 7946 0958")];
    let press = async |place: usize| {
        let (email, phone) = tabs[place % 2];
        assert_eq!(browser.submit(email, phone).await, "/register/confirmation");
        browser.confirmation().await.unwrap().number
    };
    let shown = futures_util::future::join_all((0..20).map(press)).await;
    let stored = numbers(&desk).await;
    assert_eq!(stored.len(), 1);
    assert!(shown.iter().all(|number| *number == stored[0]), "{shown:?}");
    let record = desk.app.sessions.store.submitted(id(&opened)).await.unwrap().unwrap();
    let first = (record.contact.email.as_str().to_owned(), record.contact.phone.as_str().to_owned());
    assert!(
        [(EMAIL, "+2348095550199"), ("other.tab@example.org", "+442079460958")]
            .iter()
            .any(|(email, phone)| first.0 == *email && first.1 == *phone)
    );
    let version = desk.snapshot(&opened).await["version"].clone();
    // Right, wrong or empty: what is submitted is submitted.
    for (email, phone) in [("late@example.org", PHONE), ("nonsense", ""), ("", "")] {
        assert_eq!(browser.submit(email, phone).await, "/register/confirmation");
    }
    assert_eq!(numbers(&desk).await, stored);
    let record = desk.app.sessions.store.submitted(id(&opened)).await.unwrap().unwrap();
    assert_eq!(first, (record.contact.email.as_str().to_owned(), record.contact.phone.as_str().to_owned()));
    assert_eq!((desk.snapshot(&opened).await["version"].clone(), drafts(&desk).await), (version, 0));
}

#[tokio::test]
async fn only_what_is_verified_can_be_submitted() {
    let desk = Desk::sandbox().await;
    // Nothing is known of this browser.
    for browser in [Browser::stranger(&desk), Browser::with_token(&desk, "made.up.token")] {
        assert_eq!(browser.submit(EMAIL, PHONE).await, "/register");
    }
    let early = desk.open().await;
    assert_eq!(Browser::of(&desk, &early).submit(EMAIL, PHONE).await, "/register/connect");
    assert_eq!(desk.snapshot(&early).await["stage"], "waiting", "and nothing happens to it");
    let cancelled = verified(&desk, "amaka").await;
    let browser = Browser::of(&desk, &cancelled);
    assert_eq!(browser.submit("a typo", PHONE).await, "/register/application");
    assert_eq!(browser.post("cancel", &[]).await, "/register/connect");
    let kept = async || {
        let session = desk.app.sessions.store.session(id(&cancelled)).await.unwrap().unwrap();
        desk.app.sessions.typed(session.id).await.unwrap().is_some()
    };
    assert!(!kept().await, "who cancels leaves nothing typed behind");
    assert_eq!(browser.submit(EMAIL, PHONE).await, "/register/connect");
    assert!(!kept().await, "and a tab that was left open brings nothing back");
    assert_eq!(numbers(&desk).await, [""; 0]);
    assert!(browser.confirmation().await.is_none() && browser.application().await.is_none());
}

#[tokio::test]
async fn what_was_typed_outlives_an_expiry_and_is_offered_again() {
    let desk = Desk::with(&[("TOKEN_TTL", "1000d")]).await;
    let opened = verified(&desk, "amaka").await;
    let browser = Browser::of(&desk, &opened);
    assert_eq!(browser.submit("a typo", PHONE).await, "/register/application");
    until_stage(&desk, id(&opened), "expired", Duration::from_secs(600)).await;
    // Mended, but too late: the page was left open.
    assert_eq!(browser.submit(EMAIL, PHONE).await, "/register/connect");
    assert_eq!(numbers(&desk).await, [""; 0]);
    assert!(browser.application().await.is_none());
    let attempt: Vec<(Option<Vec<u8>>,)> = rows(&desk, "SELECT attributes FROM attempts").await;
    assert_eq!(attempt, [(None,)], "what was revealed for a registration that is over is not kept");
    // Asked once more over the same connection, and shared.
    let (page,): (String,) = rows(&desk, "SELECT connection_id FROM attempts").await.remove(0);
    let wallet = Wallet::at(&desk, &page);
    assert_eq!(browser.post("ask-again", &[("attempt", "1")]).await, "/register/connect");
    let mut watcher = desk.watch(&opened).await;
    loop {
        wallet.answer("share").await;
        if desk.snapshot(&opened).await["stage"] != "requested" {
            break;
        }
        desk.pass(Duration::from_millis(10)).await;
    }
    watcher.until("verified").await;
    let view = browser.application().await.unwrap();
    assert_eq!((view.attempt, view.email, view.phone), (2, typed(EMAIL, None), typed(PHONE, None)));
    assert_eq!(browser.submit(EMAIL, PHONE).await, "/register/confirmation");
    let attempts: Vec<(i64,)> = rows(&desk, "SELECT attempt FROM registrations").await;
    assert_eq!(attempts, [(2,)]);
}

#[tokio::test]
async fn a_registration_is_shown_to_its_browser_alone() {
    let desk = Desk::sandbox().await;
    let opened = verified(&desk, "amaka").await;
    let other = verified(&desk, "tunde").await;
    let browser = Browser::of(&desk, &opened);
    assert_eq!(browser.submit(EMAIL, PHONE).await, "/register/confirmation");
    let number = browser.confirmation().await.unwrap().number;
    for (stranger, place) in [
        (Browser::stranger(&desk), "/register"),
        (Browser::with_token(&desk, "made.up.token"), "/register"),
        (Browser::of(&desk, &desk.open().await), "/register/connect"),
        (Browser::of(&desk, &other), "/register/application"),
    ] {
        let answer = stranger.posting("confirmed").form(&[("", "")]).send().await.unwrap();
        assert_eq!(sent_to(&answer), place);
        assert!(!answer.text().await.unwrap().contains(&number));
    }
    assert_eq!(browser.post("shared", &[]).await, "/register/confirmation");
    let page = browser.page("/register/application").await;
    assert_eq!(sent_to(&page), "/register/confirmation");
    assert!(!page.text().await.unwrap().contains("Okonkwo"), "the record is no longer shown");
    assert_eq!(browser.post("open", &[]).await, "/register/connect", "after an end one may begin anew");
}

#[tokio::test]
async fn without_what_is_required_there_is_no_registration_but_another_attempt() {
    let desk = Desk::sandbox().await;
    for again in ["ask-again", "renew"] {
        let opened = answered(&desk, "amaka", "partial").await;
        let browser = Browser::of(&desk, &opened);
        for _ in 0..2 {
            assert_eq!(browser.submit(EMAIL, PHONE).await, "/register/application");
        }
        assert!(browser.application().await.unwrap().falls_short);
        assert!(desk.app.sessions.store.registration(id(&opened)).await.unwrap().is_none());
        assert_eq!(browser.post(again, &[("attempt", "1")]).await, "/register/connect");
        let session = desk.app.sessions.store.session(id(&opened)).await.unwrap().unwrap();
        assert_eq!(session.attempt, 2, "{again}");
        assert_eq!(session.progress.stage.as_str() == "waiting", again == "renew");
        // What the first answer revealed is gone, and a form of it too: nothing is verified any more.
        let first = desk.app.sessions.store.attempt(id(&opened), 1).await.unwrap().unwrap();
        assert!(desk.app.sessions.store.revealed(&first).is_none());
        assert_eq!(browser.submit(EMAIL, PHONE).await, "/register/connect");
    }
    let whole = verified(&desk, "amaka").await;
    for again in ["ask-again", "renew"] {
        assert_eq!(Browser::of(&desk, &whole).post(again, &[("attempt", "1")]).await, "/register/connect");
        assert_eq!(desk.snapshot(&whole).await["attempt"], 1, "what is whole is not thrown away");
    }
    assert_eq!(numbers(&desk).await, [""; 0]);
}

#[tokio::test]
async fn without_what_is_optional_one_is_registered() {
    let desk = desk_with_an_optional_attribute().await;
    let opened = answered(&desk, "amaka", "partial").await;
    assert_eq!(Browser::of(&desk, &opened).submit(EMAIL, PHONE).await, "/register/confirmation");
    let record = desk.app.sessions.store.submitted(id(&opened)).await.unwrap().unwrap();
    let names: Vec<&str> = record.revealed.iter().map(|revealed| &*revealed.name).collect();
    assert_eq!(names.len(), 8);
    assert!(!names.contains(&"graduation_year"));
}

#[tokio::test]
async fn the_pages_hold_what_was_typed_what_mends_it_and_the_number() {
    let desk = Desk::sandbox().await;
    let opened = verified(&desk, "amaka").await;
    let browser = Browser::of(&desk, &opened);
    let evil = "\"><script>alert(1)</script>";
    assert_eq!(browser.submit(evil, "0809 555 0199").await, "/register/application");
    for _reload in 0..2 {
        let page = browser.page("/register/application").await;
        assert_eq!((page.status(), &page.headers()["cache-control"]), (StatusCode::OK, &"no-store".parse().unwrap()));
        let page = page.text().await.unwrap();
        assert!(page.contains("0809 555 0199") && page.contains("alert(1)"), "what was typed");
        assert!(!page.contains("<script>alert"), "and it is text");
        for fault in [Email::parse(evil).unwrap_err(), Phone::parse("0809 555 0199").unwrap_err()] {
            assert!(page.contains(&*said::fault(fault)), "{fault} is missing");
        }
    }
    assert_eq!(browser.submit(EMAIL, PHONE).await, "/register/confirmation");
    let number = browser.confirmation().await.unwrap().number;
    let page = browser.page("/register/confirmation").await;
    assert_eq!((page.status(), &page.headers()["cache-control"]), (StatusCode::OK, &"no-store".parse().unwrap()));
    let page = page.text().await.unwrap();
    assert!(page.contains(&number) && !page.contains("Okonkwo") && !page.contains(EMAIL), "{page}");
    let stranger = Browser::stranger(&desk).page("/register/confirmation").await;
    assert_eq!(sent_to(&stranger), "/register");
    assert!(!stranger.text().await.unwrap().contains(&number));
}

#[tokio::test]
async fn a_form_of_odd_bytes_has_a_clear_outcome_and_stores_nothing_odd() {
    let desk = Desk::sandbox().await;
    let opened = verified(&desk, "amaka").await;
    let browser = Browser::of(&desk, &opened);
    let (long, huge) = ("x".repeat(20_000), "x".repeat(70_000));
    for (body, status) in [
        (String::new(), 302),
        ("email=".to_owned(), 302),
        ("phone=%2B2348095550199".to_owned(), 302),
        ("email=a%00b&phone=%F0%9F%93%9E".to_owned(), 302),
        (format!("email={long}&phone={long}"), 302),
        (format!("email={huge}"), 400),
        ("email=%FF%FE&phone=%C3".to_owned(), 302),
        ("email=a&email=b&phone=c".to_owned(), 400),
        ("email[]=a&phone[x]=c".to_owned(), 400),
        ("{\"email\":1}".to_owned(), 302),
    ] {
        let post = browser.posting("submit").header("Content-Type", "application/x-www-form-urlencoded");
        let answer = post.body(body.clone()).send().await.unwrap();
        let start = &body[..body.len().min(40)];
        assert_eq!(answer.status(), status, "{start}");
        if status == 302 {
            assert_eq!(sent_to(&answer), "/register/application", "{start}");
        } else {
            let problem: Value = answer.json().await.unwrap();
            assert_eq!(problem["code"], "bad_form", "{start}");
        }
    }
    let json = browser.posting("submit").json(&json!({ "email": EMAIL, "phone": PHONE })).send().await.unwrap();
    assert!(!json.status().is_server_error());
    let foreign = browser.posting("submit").header("Origin", "https://evil.example");
    let answer = foreign.form(&[("email", EMAIL), ("phone", PHONE)]).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    assert_eq!(numbers(&desk).await, [""; 0]);
    assert_eq!(browser.submit(&long, &long).await, "/register/application");
    let kept = browser.application().await.unwrap();
    assert_eq!((kept.email.value.len(), kept.phone.value.len()), (300, 300), "no more than a little of it is kept");
    assert_eq!(browser.submit(EMAIL, PHONE).await, "/register/confirmation");
}
