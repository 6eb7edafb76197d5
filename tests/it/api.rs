//! The JSON API, the short link, cookies and origins, for clients that are not our page.

use std::time::Duration;

use reqwest::{StatusCode, header};
use serde_json::{Value, json};

use crate::{
    harness::{ADMIN_TOKEN, Desk},
    platform::{FakePlatform, ProofEnd},
};

fn session_url(desk: &Desk) -> String {
    format!("{}/api/connections/session", desk.url)
}

#[tokio::test]
async fn a_client_opens_reads_and_cancels_a_session() {
    let desk = Desk::sandbox().await;
    let opened = desk.open().await;
    assert_eq!(opened.data["stage"], "waiting");
    assert_eq!(opened.data["status"], "invitation");
    assert_eq!((&opened.data["attempt"], &opened.data["version"]), (&json!(1), &json!(1)));
    let answer = desk.poll(&opened).send().await.unwrap();
    assert_eq!(answer.headers()["etag"], "W/\"1\"");
    let snapshot: Value = answer.json().await.unwrap();
    assert_eq!(snapshot["type"], "status_update");
    assert_eq!(snapshot["sessionId"], *opened.id);
    let unchanged = desk.poll(&opened).header("If-None-Match", "W/\"1\"").send().await.unwrap();
    assert_eq!(unchanged.status(), StatusCode::NOT_MODIFIED);
    for (known, status) in [("W/\"7\", \"1\"", 304), ("*", 304), ("\"1\"", 304), ("W/\"11\",W/\"7\"", 200), ("1", 200)]
    {
        assert_eq!(desk.poll(&opened).header("If-None-Match", known).send().await.unwrap().status(), status, "{known}");
    }
    for _ in 0..2 {
        let url = format!("{}?sessionId={}&token={}", session_url(&desk), opened.id, opened.token);
        let answer = desk.http.delete(url).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(
            (&answer["success"], &answer["data"]["stage"], &answer["data"]["version"]),
            (&json!(true), &json!("cancelled"), &json!(2))
        );
    }
    let changed = desk.poll(&opened).header("If-None-Match", "W/\"1\"").send().await.unwrap();
    assert_eq!(changed.status(), StatusCode::OK);
}

#[tokio::test]
async fn what_is_no_request_for_a_registration_is_refused() {
    let desk = Desk::sandbox().await;
    for (body, code) in [
        ("", "bad_json"),
        ("{}", "bad_json"),
        ("[1]", "bad_json"),
        (r#"{"requestType":7}"#, "bad_json"),
        (r#"{"requestType":"login"}"#, "bad_request_type"),
    ] {
        let answer = desk.http.post(session_url(&desk)).body(body).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{body}");
        assert_eq!(answer.json::<Value>().await.unwrap()["code"], code, "{body}");
    }
    let large = desk.http.post(session_url(&desk)).body("x".repeat(100_000)).send().await.unwrap();
    assert_eq!(large.status(), StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_session_opens_to_its_own_token_alone() {
    let desk = Desk::sandbox().await;
    let (mine, other) = (desk.open().await, desk.open().await);
    let get = |query: String| desk.http.get(format!("{}{query}", session_url(&desk)));
    for (request, status) in [
        (get(format!("?sessionId={}", mine.id)), 401),
        (get(format!("?sessionId={}&token={}", mine.id, other.token)), 401),
        (get(format!("?sessionId={}", mine.id)).bearer_auth(&other.token), 401),
        (get(format!("?sessionId={}&token=nonsense", mine.id)), 401),
        (get(format!("?sessionId={}&token={}", mine.id, mine.token)), 200),
        (get(format!("?sessionId={}", mine.id)).bearer_auth(&mine.token), 200),
        (get(format!("?sessionId={}", mine.id)).header("Cookie", format!("a=b; vestibule={}; c", mine.token)), 200),
        (get(format!("?sessionId={}", mine.id)).header("Cookie", format!("vestibule={}", other.token)), 401),
        (get(String::new()), 400),
        (get("?sessionId=".to_owned()), 400),
        (get("?sessionId=../../etc/passwd".to_owned()), 400),
        (get(format!("?sessionId={}", "A".repeat(10_000))), 400),
    ] {
        let (client, request) = request.build_split();
        let request = request.unwrap();
        let shown = request.url().to_string();
        assert_eq!(client.execute(request).await.unwrap().status().as_u16(), status, "{shown}");
    }
}

#[tokio::test]
async fn a_token_ends_with_its_time() {
    let desk = Desk::with(&[("TOKEN_TTL", "1h")]).await;
    let opened = desk.open().await;
    desk.clock.advance(Duration::from_secs(3_599));
    assert_eq!(desk.poll(&opened).send().await.unwrap().status(), StatusCode::OK);
    desk.clock.advance(Duration::from_secs(2));
    assert_eq!(desk.poll(&opened).send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_cookie_is_kept_from_scripts_and_over_https_bound_to_the_host() {
    let open = |desk: &Desk| desk.http.post(session_url(desk)).json(&json!({ "requestType": "registration" })).send();
    let plain = Desk::sandbox().await;
    let cookie = open(&plain).await.unwrap().headers()[header::SET_COOKIE].to_str().unwrap().to_owned();
    assert!(cookie.starts_with("vestibule=") && !cookie.contains("Secure"), "{cookie}");
    let https = Desk::with(&[("PUBLIC_URL", "https://desk.example.org")]).await;
    let answer = open(&https).await.unwrap();
    assert!(answer.headers().contains_key("strict-transport-security"));
    let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap().to_owned();
    for part in ["__Host-vestibule=", "HttpOnly", "SameSite=Lax", "Secure", "Path=/", "Max-Age=86400"] {
        assert!(cookie.contains(part), "{cookie} lacks {part}");
    }
}

#[tokio::test]
async fn a_foreign_page_can_change_nothing() {
    let desk =
        Desk::with(&[("PUBLIC_URL", "https://desk.example.org"), ("ALLOWED_ORIGINS", "https://kiosk.example.org")])
            .await;
    let open = |origin: &str| {
        desk.http
            .post(session_url(&desk))
            .header("Origin", origin)
            .json(&json!({ "requestType": "registration" }))
            .send()
    };
    for (origin, status) in [
        ("https://evil.example.org", 403),
        ("http://desk.example.org", 403),
        ("https://desk.example.org.evil.example", 403),
        ("null", 403),
        ("https://desk.example.org", 201),
        ("https://kiosk.example.org", 201),
    ] {
        assert_eq!(open(origin).await.unwrap().status().as_u16(), status, "{origin}");
    }
    let form = desk.http.post(format!("{}/api/register/open", desk.url)).header("Origin", "https://evil.example.org");
    assert_eq!(form.send().await.unwrap().status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn an_address_that_asks_for_many_codes_has_to_wait() {
    let desk = Desk::with(&[("RATE_SESSIONS", "3/h")]).await;
    let open = || desk.http.post(session_url(&desk)).json(&json!({ "requestType": "registration" })).send();
    for _ in 0..3 {
        assert_eq!(open().await.unwrap().status(), StatusCode::CREATED);
    }
    let refused = open().await.unwrap();
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(refused.headers().contains_key("retry-after"));
    // Nobody behind an unlisted proxy can pretend to be somebody else.
    let pretending = desk.http.post(session_url(&desk)).header("X-Forwarded-For", "203.0.113.9");
    let pretending = pretending.json(&json!({ "requestType": "registration" })).send().await.unwrap();
    assert_eq!(pretending.status(), StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn behind_a_trusted_proxy_the_person_is_counted_and_not_the_proxy() {
    let desk = Desk::with(&[("RATE_SESSIONS", "1/h"), ("TRUSTED_PROXIES", "127.0.0.1, 10.0.0.0/30")]).await;
    let open = |forwarded: &str| {
        let request = desk.http.post(session_url(&desk)).header("X-Forwarded-For", forwarded);
        request.json(&json!({ "requestType": "registration" })).send()
    };
    for (forwarded, status) in [
        ("203.0.113.1", 201),
        ("203.0.113.1", 429),
        ("198.51.100.7, 203.0.113.2, 10.0.0.1", 201),
        // Whatever the person put in front does not help.
        ("198.51.100.8, 203.0.113.2", 429),
        ("198.51.100.9, 203.0.113.2:51234", 429),
        // The proxy could not name its peer: it is counted itself, and no invention before it.
        ("198.51.100.10, unknown", 201),
        ("198.51.100.11, unknown", 429),
    ] {
        assert_eq!(open(forwarded).await.unwrap().status().as_u16(), status, "{forwarded}");
    }
}

#[tokio::test]
async fn a_platform_that_is_down_is_an_honest_answer_and_leaves_nothing_behind() {
    let platform = FakePlatform::start(ProofEnd::Silent).await;
    let desk = Desk::on(&platform).await;
    platform.fail_next(&[StatusCode::INTERNAL_SERVER_ERROR; 3]);
    let answer =
        desk.http.post(session_url(&desk)).json(&json!({ "requestType": "registration" })).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::BAD_GATEWAY);
    assert!(answer.headers().get(header::SET_COOKIE).is_none());
    assert_eq!(answer.json::<Value>().await.unwrap()["code"], "platform_unavailable");
    // One hiccup costs nobody a registration: making an invitation is safe to repeat.
    platform.fail_next(&[StatusCode::INTERNAL_SERVER_ERROR, StatusCode::TOO_MANY_REQUESTS]);
    desk.open().await;
}

#[tokio::test]
async fn the_form_sends_a_browser_to_its_code_or_says_why_not() {
    let platform = FakePlatform::start(ProofEnd::Silent).await;
    let desk = Desk::on(&platform).await;
    let post = || {
        desk.http.post(format!("{}/api/register/open", desk.url)).header("Accept", "text/html").form(&[("", "")]).send()
    };
    let good = post().await.unwrap();
    assert_eq!((good.status(), good.headers()["location"].to_str().unwrap()), (StatusCode::FOUND, "/register/connect"));
    let cookie = good.headers()[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    platform.fail_next(&[StatusCode::SERVICE_UNAVAILABLE; 3]);
    let bad = post().await.unwrap();
    assert_eq!(bad.headers()["location"].to_str().unwrap(), "/register?problem=platform");
    let page =
        desk.http.get(format!("{}/register?problem=platform", desk.url)).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("role=\"alert\"") && page.contains("does not answer"));
    // The old attempt stands when a new code cannot be had.
    platform.fail_next(&[StatusCode::SERVICE_UNAVAILABLE; 3]);
    let renew = desk
        .http
        .post(format!("{}/api/register/renew", desk.url))
        .header("Accept", "text/html")
        .header("Cookie", &cookie)
        .form(&[("attempt", "1")]);
    assert_eq!(
        renew.send().await.unwrap().headers()["location"].to_str().unwrap(),
        "/register/connect?problem=platform"
    );
    let page = desk.http.get(format!("{}/register/connect", desk.url)).header("Cookie", &cookie).send().await.unwrap();
    assert_eq!(page.headers()["cache-control"], "no-store");
    assert!(page.text().await.unwrap().contains("data-stage=\"waiting\""));
}

#[tokio::test]
async fn what_an_old_page_asks_for_does_not_hurt_what_is_under_way() {
    let desk = Desk::sandbox().await;
    let opened = desk.open().await;
    let cookie = format!("vestibule={}", opened.token);
    let post = async |path: &str, form: &[(&str, &str)]| {
        let request = desk.http.post(format!("{}/api/register/{path}", desk.url)).header("Accept", "text/html");
        let answer = request.header("Cookie", &cookie).form(form).send().await.unwrap();
        assert_eq!(answer.headers()["location"], "/register/connect", "{path}");
        answer
    };
    // Two windows show the first code; both ask for a new one.
    for _ in 0..2 {
        post("renew", &[("attempt", "1")]).await;
        assert_eq!(desk.snapshot(&opened).await["attempt"], 2);
    }
    // A second consent goes on with the registration that is there.
    let again = post("open", &[]).await;
    assert!(again.headers().get(header::SET_COOKIE).is_none());
    post("cancel", &[]).await;
    assert_eq!(desk.snapshot(&opened).await["stage"], "cancelled");
    let anew = post("open", &[]).await;
    assert!(anew.headers().contains_key(header::SET_COOKIE), "after an end a consent begins anew");
}

#[tokio::test]
async fn malformed_calls_get_a_problem_too() {
    let desk = Desk::sandbox().await;
    for (path, status, code) in [
        ("/api/connections/session?sessionId=a&sessionId=b", 400, "session_id_missing"),
        ("/ws/connections?sessionId=a", 426, "upgrade_required"),
        ("/api/nothing", 404, "not_found"),
    ] {
        let answer = desk.http.get(format!("{}{path}", desk.url)).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{path}");
        assert_eq!(answer.json::<Value>().await.unwrap()["code"], code, "{path}");
    }
    let answer = desk.http.post(format!("{}/healthz", desk.url)).send().await.unwrap();
    assert_eq!(answer.json::<Value>().await.unwrap()["code"], "method_not_allowed");
}

#[tokio::test]
async fn the_short_link_gives_a_wallet_the_invitation_and_a_person_a_page() {
    let desk = Desk::with(&[("PUBLIC_URL", "https://desk.example.org")]).await;
    let opened = desk.open().await;
    let link = opened.data["link"].as_str().unwrap();
    let path = link.strip_prefix("https://desk.example.org").unwrap();
    assert_eq!(path.len(), "/i/".len() + 22);
    let get = |accept: &str| desk.http.get(format!("{}{path}", desk.url)).header("Accept", accept).send();
    let person = get("text/html,application/xhtml+xml,*/*;q=0.8").await.unwrap();
    assert_eq!(person.status(), StatusCode::SEE_OTHER, "in the sandbox the page is the simulated wallet");
    assert_eq!(desk.snapshot(&opened).await["opened"], false, "a person's look is no scan");
    let mut watcher = desk.watch(&opened).await;
    watcher.next().await;
    for _ in 0..2 {
        let wallet = get("application/json").await.unwrap();
        assert_eq!(wallet.headers()["cache-control"], "no-store");
        let message: Value = wallet.json().await.unwrap();
        assert_eq!(message["@type"], "https://didcomm.org/out-of-band/1.1/invitation");
    }
    let pushed = watcher.next().await;
    assert_eq!((&pushed["opened"], &pushed["stage"], &pushed["version"]), (&json!(true), &json!("waiting"), &json!(2)));
    desk.app.sessions.renew(opened.id.parse().unwrap(), 1).await.unwrap();
    assert_eq!(get("application/json").await.unwrap().status(), StatusCode::GONE);
    let gone = get("text/html").await.unwrap();
    assert_eq!(gone.status(), StatusCode::GONE);
    assert!(gone.text().await.unwrap().contains("no longer valid"));
    for path in ["/i/unknown", "/i/AAAAAAAAAAAAAAAAAAAAAA", "/i/%00"] {
        assert_eq!(
            desk.http.get(format!("{}{path}", desk.url)).send().await.unwrap().status(),
            StatusCode::GONE,
            "{path}"
        );
    }
}

#[tokio::test]
async fn on_a_real_platform_links_open_the_wallet_on_the_same_phone() {
    let platform = FakePlatform::start(ProofEnd::Silent).await;
    let desk = Desk::on(&platform).await;
    let opened = desk.open().await;
    let path = opened.data["link"].as_str().unwrap().strip_prefix(desk.app.public_url.as_str()).unwrap().to_owned();
    let get = |accept: &str| desk.http.get(format!("{}/{path}", desk.url)).header("Accept", accept).send();
    let message: Value = get("application/json").await.unwrap().json().await.unwrap();
    let deep_link = opened.data["deepLink"].as_str().unwrap();
    let oob = deep_link.strip_prefix("confirmdwallet://connect?oob=").unwrap();
    let carried = vestibule::server::platform::invitation::message_in_url(&format!("https://x.example?oob={oob}"));
    assert_eq!(carried.as_ref(), Some(&message), "the wallet gets the very invitation");
    let page = get("text/html").await.unwrap();
    assert_eq!(page.status(), StatusCode::OK);
    let page = page.text().await.unwrap();
    assert!(page.contains(deep_link) && page.contains("Google Play"), "{page}");
    let cookie = format!("vestibule={}", opened.token);
    let connect = desk.http.get(format!("{}/register/connect", desk.url)).header("Cookie", cookie);
    let connect = connect.send().await.unwrap().text().await.unwrap();
    assert!(connect.contains(deep_link) && connect.contains("didcomm://invite?oob="), "both links are there");
    assert!(connect.find(deep_link) < connect.find("id=\"drawing\""), "and before the code");
    assert!(
        connect.contains("https://apps.apple.com/") && connect.contains("https://play.google.com/"),
        "and the stores"
    );
}

#[tokio::test]
async fn operators_need_their_token() {
    let desk = Desk::sandbox().await;
    let url = format!("{}/api/admin/websocket-stats", desk.url);
    assert_eq!(desk.http.get(&url).send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    assert_eq!(desk.http.get(&url).bearer_auth("wrong").send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    let stats: Value = desk.http.get(&url).bearer_auth(ADMIN_TOKEN).send().await.unwrap().json().await.unwrap();
    assert_eq!(stats, json!({ "totalConnections": 0, "activeSessions": [], "sessionCounts": [] }));
    let platform = FakePlatform::start(ProofEnd::Silent).await;
    let closed = Desk::on_with(&platform, &[("ADMIN_TOKEN", "")]).await;
    let url = format!("{}/api/admin/websocket-stats", closed.url);
    assert_eq!(closed.http.get(url).bearer_auth("").send().await.unwrap().status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn outside_the_sandbox_there_is_no_sandbox() {
    let platform = FakePlatform::start(ProofEnd::Silent).await;
    let desk = Desk::on(&platform).await;
    for path in ["/sandbox/wallet", "/sandbox/behaviour", "/sandbox/orgs/x/proofs"] {
        assert_eq!(
            desk.http.get(format!("{}{path}", desk.url)).send().await.unwrap().status(),
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
}

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let desk = Desk::sandbox().await;
    for path in ["/", "/register", "/healthz", "/readyz", "/api/nothing", "/nothing", "/i/x", "/pkg/nothing.js"] {
        let answer = desk.http.get(format!("{}{path}", desk.url)).send().await.unwrap();
        for name in ["x-content-type-options", "referrer-policy", "x-frame-options"] {
            assert!(answer.headers().contains_key(name), "{path} lacks {name}");
        }
    }
    assert_eq!(desk.http.get(format!("{}/nothing", desk.url)).send().await.unwrap().status(), StatusCode::NOT_FOUND);
    let api = desk.http.get(format!("{}/api/nothing", desk.url)).send().await.unwrap();
    assert_eq!(api.headers()["content-type"], "application/problem+json");
}
