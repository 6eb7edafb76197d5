//! Who gets in to the staff's pages, and what is written down of what they do there.

use std::time::Duration;

use reqwest::{
    StatusCode,
    header::{HeaderMap, ORIGIN},
};

use crate::{
    browser::{Browser, EMAIL, PHONE, sent_to, verified},
    database,
    harness::{ADMIN_TOKEN, Desk, Watcher},
    staff::Staff,
};

const PAGES: [&str; 5] = ["/admin", "/admin/deliveries", "/admin/figures", "/admin/record", "/admin/registrations/x"];
const READS: [(&str, &[(&str, &str)]); 5] = [
    ("board", &[("list", "all")]),
    ("deliveries", &[("older", "")]),
    ("figures", &[("range", "day")]),
    ("record", &[("older", "")]),
    ("registration", &[("session", "x")]),
];

async fn refused(desk: &Desk, cookie: &str) {
    let stranger = Staff { desk, cookie: cookie.to_owned() };
    for page in PAGES {
        let to = sent_to(&stranger.page(page).await);
        assert!(to.starts_with("/admin/sign-in"), "{page} leads to {to}");
    }
    for (function, form) in READS {
        let post = desk.http.post(format!("{}/api/admin/{function}", desk.url)).form(form).header("Cookie", cookie);
        assert_eq!(post.send().await.unwrap().text().await.unwrap(), "null", "{function}");
    }
    for (function, form) in [
        ("act", &[("session", "x"), ("what", "cancel")][..]),
        ("settle", &[("id", "1"), ("what", "discard")]),
        ("sign-out", &[("x", "")]),
    ] {
        let answer = stranger.posting(function).form(form).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{function}");
    }
    for file in ["export.csv", "export.jsonl"] {
        assert_eq!(stranger.page(&format!("/admin/{file}")).await.status(), StatusCode::UNAUTHORIZED);
    }
    let socket = format!("{}/ws/admin", desk.url.replacen("http", "ws", 1));
    let mut socket = Watcher::connect(&socket, &[("origin", &desk.url), ("cookie", cookie)]).await.unwrap();
    let close = socket.closed().await;
    assert_eq!((u16::from(close.code), &*close.reason), (1008, "Not signed in"));
}

#[tokio::test]
async fn without_signing_in_nothing_is_shown_and_nothing_done() {
    let desk = Desk::sandbox().await;
    desk.open().await;
    refused(&desk, "").await;
    refused(&desk, "vestibule-staff=made-up").await;
    assert_eq!(Staff::sign_in(&desk, "Ada").await.board(&[("list", "waiting")]).await.entries.len(), 1);
}

#[tokio::test]
async fn only_the_token_and_a_name_sign_in_and_nobody_tries_for_ever() {
    let desk = Desk::sandbox().await;
    let stranger = Staff { desk: &desk, cookie: String::new() };
    for (name, token, problem) in
        [("Ada", "wrong", "token"), ("Ada", "", "token"), ("  ", ADMIN_TOKEN, "name"), ("\u{7}", ADMIN_TOKEN, "name")]
    {
        let answer = stranger.signing_in(name, token).send().await.unwrap();
        assert_eq!(sent_to(&answer), format!("/admin/sign-in?problem={problem}"));
        assert!(!answer.headers().contains_key("set-cookie"));
    }
    for _ in 0..6 {
        stranger.signing_in("Ada", "wrong").send().await.unwrap();
    }
    let answer = stranger.signing_in("Ada", ADMIN_TOKEN).send().await.unwrap();
    assert_eq!(sent_to(&answer), "/admin/sign-in?problem=busy", "the right token too, after ten attempts");
}

#[tokio::test]
async fn a_form_from_another_page_is_refused_also_from_one_that_may_use_the_api() {
    let desk = Desk::with(&[("ALLOWED_ORIGINS", "https://partner.example.org")]).await;
    let opened = desk.open().await;
    let staff = Staff::sign_in(&desk, "Ada").await;
    let form = [("session", &*opened.id), ("attempt", "1"), ("what", "cancel")];
    for origin in [None, Some("https://evil.example"), Some("https://partner.example.org"), Some("null")] {
        let headers: HeaderMap = origin.map(|origin| (ORIGIN, origin.parse().unwrap())).into_iter().collect();
        let answer = staff.foreign("act").headers(headers).form(&form).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{origin:?}");
    }
    assert_eq!(desk.snapshot(&opened).await["stage"], "waiting");
    staff.act(&opened.id, 1, "cancel").await;
    assert_eq!(desk.snapshot(&opened).await["stage"], "cancelled");
}

#[tokio::test]
async fn a_sign_in_ends_with_signing_out_with_its_time_and_with_the_token() {
    let desk = Desk::sandbox().await;
    let (ada, bola) = (Staff::sign_in(&desk, "Ada").await, Staff::sign_in(&desk, "Bola").await);
    let answer = ada.posting("sign-out").form(&[("x", "")]).send().await.unwrap();
    assert_eq!(sent_to(&answer), "/admin/sign-in");
    assert!(answer.headers()["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
    refused(&desk, &ada.cookie).await;
    assert_eq!(bola.page("/admin").await.status(), StatusCode::OK);
    desk.clock.advance(Duration::from_secs(12 * 60 * 60));
    refused(&desk, &bola.cookie).await;
}

#[tokio::test]
async fn another_token_signs_everybody_out() {
    let folder = tempfile::tempdir().unwrap();
    let url = database::fresh(folder.path(), "kept.db").await;
    let key = database::key_of("kept");
    let variables = [("DATABASE_URL", &*url), ("SECRET_KEY", &*key)];
    let desk = Desk::with(&variables).await;
    let cookie = Staff::sign_in(&desk, "Ada").await.cookie;
    desk.stop().await;
    let same = Desk::with(&variables).await;
    assert_eq!(Staff { desk: &same, cookie: cookie.clone() }.page("/admin").await.status(), StatusCode::OK);
    same.stop().await;
    let changed = Desk::with(&[&variables[..], &[("ADMIN_TOKEN", "another-token-for-tests")]].concat()).await;
    refused(&changed, &cookie).await;
}

#[tokio::test]
async fn without_a_token_there_are_no_pages_for_staff() {
    let platform = crate::platform::FakePlatform::start(crate::platform::ProofEnd::Verified).await;
    let desk = Desk::on_with(&platform, &[("ADMIN_TOKEN", "")]).await;
    let stranger = Staff { desk: &desk, cookie: String::new() };
    assert!(stranger.page("/admin/sign-in").await.text().await.unwrap().contains("switched off"));
    for token in ["", ADMIN_TOKEN] {
        let answer = stranger.signing_in("Ada", token).send().await.unwrap();
        assert_eq!(sent_to(&answer), "/admin/sign-in?problem=token");
    }
}

#[tokio::test]
async fn what_is_personal_is_masked_until_somebody_looks_and_that_is_written_down_first() {
    let desk = Desk::sandbox().await;
    let opened = verified(&desk, "amaka").await;
    assert_eq!(Browser::of(&desk, &opened).submit(EMAIL, PHONE).await, "/register/confirmation");
    let (ada, bola) = (Staff::sign_in(&desk, "Ada").await, Staff::sign_in(&desk, "Bola").await);
    let page = format!("/admin/registrations/{}", opened.id);
    let secrets = ["UNI/CSC/21/0417", EMAIL, "+2348095550199"];
    let hides = async |staff: &Staff<'_>| {
        let text = staff.page(&page).await.text().await.unwrap();
        for secret in secrets {
            assert!(!text.contains(secret), "{secret} is shown");
        }
        let board = staff.page("/admin?list=submitted").await.text().await.unwrap();
        assert!(!board.contains("Amaka") && board.contains("•••••"));
    };
    hides(&ada).await;
    assert!(ada.act(&opened.id, 1, "look").await.ends_with("?done=looked"));
    let view = ada.registration(&opened.id).await;
    assert!(view.shown);
    let shown: Vec<&str> = view.personal.iter().map(|(_, value)| &**value).collect();
    assert!(secrets.iter().all(|secret| shown.contains(secret)), "{shown:?}");
    // To nobody else, and for a minute.
    hides(&bola).await;
    desk.clock.advance(Duration::from_secs(61));
    hides(&ada).await;
    let record = bola.record().await;
    let look = record.lines.iter().find(|line| line.deed == "looked").unwrap();
    assert_eq!((look.by.as_deref(), look.session.map(|id| id.to_string())), (Some("Ada"), Some(opened.id.clone())));
    // Names of staff are personal too.
    if let Some(place) = database::place_that_holds(&desk, b"Bola").await {
        panic!("the name lies open in {place}");
    }
}

#[tokio::test]
async fn the_record_outlives_the_registration_and_goes_after_a_year() {
    let desk = Desk::sandbox().await;
    let opened = desk.open().await;
    let staff = Staff::sign_in(&desk, "Ada").await;
    staff.act(&opened.id, 1, "cancel").await;
    let count = async || database::count(&desk, "SELECT COUNT(*) FROM deeds").await;
    assert_eq!(count().await, 2);
    let gone = async |query: &str| {
        while database::count(&desk, query).await > 0 {
            desk.pass(Duration::from_secs(60)).await;
        }
    };
    desk.clock.advance(Duration::from_secs(40 * 24 * 60 * 60));
    tokio::time::timeout(crate::harness::PATIENCE, gone("SELECT COUNT(*) FROM sessions")).await.unwrap();
    assert_eq!(count().await, 2);
    desk.clock.advance(Duration::from_secs(366 * 24 * 60 * 60));
    tokio::time::timeout(crate::harness::PATIENCE, gone("SELECT COUNT(*) FROM deeds")).await.unwrap();
    assert_eq!(database::count(&desk, "SELECT COUNT(*) FROM sign_ins").await, 0);
}
