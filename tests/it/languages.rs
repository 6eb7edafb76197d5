//! The language of pages, and what pages say without scripts when nothing happens.

use std::{collections::HashSet, time::Duration};

use reqwest::{Response, StatusCode};

use crate::{
    browser::{Browser, sent_to, verified},
    harness::Desk,
};

/// A page as a browser asks for it that prefers this language, and has these cookies.
async fn page(desk: &Desk, path: &str, accepted: &str, cookies: &str) -> Response {
    let get = desk.http.get(format!("{}{path}", desk.url)).header("Accept", "text/html");
    get.header("Accept-Language", accepted).header("Cookie", cookies).send().await.unwrap()
}

async fn text(desk: &Desk, path: &str, accepted: &str, cookies: &str) -> String {
    page(desk, path, accepted, cookies).await.text().await.unwrap()
}

#[tokio::test]
async fn a_page_is_in_the_language_that_the_browser_asks_for() {
    let desk = Desk::sandbox().await;
    for (accepted, tag, begin) in
        [("fr-CM, en;q=0.5", "fr", "Commencer"), ("de", "en", "Begin"), ("ha", "ha", "Fara"), ("ig", "ig", "Malite")]
    {
        let answer = page(&desk, "/", accepted, "").await;
        assert_eq!(answer.headers()["vary"], "Accept-Language, Cookie");
        assert_eq!(answer.headers()["cache-control"], "no-cache");
        let page = answer.text().await.unwrap();
        assert!(page.contains(&format!("<html lang=\"{tag}\"")) && page.contains(begin), "{accepted}: {page}");
    }
    let french = text(&desk, "/register", "fr", "").await;
    assert!(french.contains("Inscription des étudiants") && french.contains("pour prévenir votre département"));
    assert!(french.contains("conservé pendant 90 jours") && !french.contains("to tell your department"));
    let missing = page(&desk, "/no/such/page", "fr", "").await;
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
    assert!(missing.text().await.unwrap().contains("Cette page n’existe pas"));
    let gone = page(&desk, "/i/AAAAAAAAAAAAAAAAAAAAAA", "fr", "").await;
    assert_eq!(gone.status(), StatusCode::GONE);
    let gone = gone.text().await.unwrap();
    assert!(gone.contains("<html lang=\"fr\"") && gone.contains("Ce code n’est plus valable"), "{gone}");
}

#[tokio::test]
async fn a_page_that_is_drawn_once_for_all_has_a_nonce_of_its_own_each_time() {
    let desk = Desk::sandbox().await;
    for path in ["/", "/register"] {
        let mut nonces = HashSet::new();
        let mut pages = HashSet::new();
        for cookies in ["", "", "language=de", "whatever=1"] {
            let answer = page(&desk, path, "fr", cookies).await;
            assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8");
            assert_eq!(answer.headers()["cache-control"], "no-cache");
            let text = answer.text().await.unwrap();
            let (_, after) = text.split_once("script-src 'nonce-").expect("a policy with a nonce");
            let nonce = after.split_once('\'').unwrap().0.to_owned();
            assert!(nonce.len() >= 22, "128 bits: {nonce}");
            let scripts = text.matches("<script").count();
            assert!(scripts > 0, "{text}");
            assert_eq!(text.matches(&format!("nonce=\"{nonce}\"")).count(), scripts, "every script may run: {text}");
            pages.insert(text.replace(&nonce, ""));
            nonces.insert(nonce);
        }
        assert_eq!((nonces.len(), pages.len()), (4, 1), "{path}");
    }
}

#[tokio::test]
async fn what_is_said_to_one_browser_is_not_in_the_page_that_is_drawn_for_all() {
    let desk = Desk::sandbox().await;
    let plain = async || text(&desk, "/register", "en", "").await.contains("class=\"trouble\"");
    for _ in 0..2 {
        assert!(text(&desk, "/register?problem=busy", "en", "").await.contains("class=\"trouble\""));
        assert!(!plain().await);
    }
    let head = desk.http.head(format!("{}/register", desk.url)).send().await.unwrap();
    assert_eq!((head.status(), head.text().await.unwrap().as_str()), (StatusCode::OK, ""));
    assert!(!plain().await);
    let posted = desk.http.post(format!("{}/register", desk.url)).send().await.unwrap();
    assert_eq!(posted.status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn a_language_that_was_chosen_is_kept_and_leads_back_to_the_same_page() {
    let desk = Desk::sandbox().await;
    let choose = async |language: &str, back: &str| {
        let post = desk.http.post(format!("{}/language", desk.url));
        post.form(&[("language", language), ("back", back)]).send().await.unwrap()
    };
    let chosen = choose("yo", "/register").await;
    assert_eq!(
        (chosen.status(), &chosen.headers()["location"]),
        (StatusCode::SEE_OTHER, &"/register".parse().unwrap())
    );
    let cookie = chosen.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert_eq!(cookie, "language=yo; HttpOnly; SameSite=Lax; Path=/; Max-Age=31536000");
    let page = text(&desk, "/register", "fr", "language=yo").await;
    assert!(page.contains("<html lang=\"yo\"") && page.contains("Kí o tó bẹ̀rẹ̀"), "{page}");
    // Nobody whose language it is has read it yet, and the page says so.
    assert!(page.contains("kò tíì yẹ ìtumọ̀ yìí wò"), "{page}");
    assert_eq!(choose("yo", "https://elsewhere.test/").await.headers()["location"], "/");
    assert_eq!(choose("tlh", "/").await.status(), StatusCode::BAD_REQUEST);
    assert!(text(&desk, "/", "fr", "language=tlh").await.contains("<html lang=\"fr\""));
}

#[tokio::test]
async fn what_is_wrong_with_the_form_and_when_it_was_sent_are_told_in_the_pages_language() {
    let desk = Desk::sandbox().await;
    let opened = verified(&desk, "amaka").await;
    let browser = Browser::of(&desk, &opened);
    let cookies = format!("vestibule={}; language=fr", opened.token);
    assert_eq!(browser.submit("amaka", "0801").await, "/register/application");
    let form = text(&desk, "/register/application", "", &cookies).await;
    assert!(form.contains("Deux champs sont à corriger") && form.contains("Commencez par + et l’indicatif"), "{form}");
    assert_eq!(browser.submit("amaka@example.org", "+234 801 234 5678").await, "/register/confirmation");
    let confirmed = text(&desk, "/register/confirmation", "", &cookies).await;
    let year = desk.app.sessions.clock.now().rfc3339()[..4].to_owned();
    assert!(confirmed.contains(" UTC</time>") && confirmed.contains("pendant 90 jours"), "{confirmed}");
    let months = ["janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre"];
    let months = months.into_iter().chain(["novembre", "décembre"]);
    assert!(months.into_iter().any(|month| confirmed.contains(&format!("{month} {year}"))), "{confirmed}");
}

#[tokio::test]
async fn without_scripts_too_there_is_a_hint_when_nothing_happens() {
    let desk = Desk::sandbox().await;
    let opened = desk.open().await;
    let browser = Browser::of(&desk, &opened);
    let page = async || browser.page("/register/connect").await.text().await.unwrap();
    let hint = |text: &str| format!("class=\"hint-now\">{text}");
    let first = page().await;
    assert!(!first.contains(&hint("Nothing happens?")) && first.contains("http-equiv=\"refresh\""), "{first}");
    desk.clock.advance(Duration::from_secs(31));
    let silent = page().await;
    assert!(silent.contains(&hint("Nothing happens?")), "{silent}");
    desk.clock.advance(Duration::from_secs(90));
    assert!(page().await.contains(&hint("Still nothing?")));
    // A wallet reads the code: that is news.
    let link = opened.data["link"].as_str().unwrap().replace("localhost", "127.0.0.1");
    let link = format!("{}/i/{}", desk.url, link.rsplit('/').next().unwrap());
    let fetched = desk.http.get(link).header("Accept", "application/json").send().await.unwrap();
    assert_eq!(fetched.status(), StatusCode::OK);
    assert!(!page().await.contains(&hint("Still")));
    desk.clock.advance(Duration::from_secs(31));
    assert!(page().await.contains(&hint("Your wallet has the code but has not connected yet.")));
}

#[tokio::test]
async fn a_browser_that_keeps_no_cookie_is_told_what_is_the_matter() {
    let desk = Desk::sandbox().await;
    let connect = |referer: Option<String>| {
        let get = desk.http.get(format!("{}/register/connect", desk.url)).header("Accept", "text/html");
        referer.into_iter().fold(get, |get, referer| get.header("Referer", referer)).send()
    };
    assert_eq!(sent_to(&connect(None).await.unwrap()), "/register");
    let from_the_form = connect(Some(format!("{}/register", desk.url))).await.unwrap();
    assert_eq!(sent_to(&from_the_form), "/register?problem=cookies");
    assert!(text(&desk, "/register?problem=cookies", "en", "").await.contains("Allow cookies for this page"));
}
