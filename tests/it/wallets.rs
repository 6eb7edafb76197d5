//! How the sandbox's wallets may answer, honest or not, and what a platform makes of it.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use vestibule::server::{
    platform::{Cards, confirmd::translate},
    sandbox::Behaviour,
};

use crate::own_platform::{OwnPlatform, at_least, reveal};

fn course() -> Vec<Value> {
    vec![reveal("full_name"), reveal("student_number"), reveal("course_code"), at_least("credits_earned", "60")]
}

#[tokio::test]
async fn of_a_condition_the_value_stays_with_the_holder() {
    let mut platform = OwnPlatform::start().await;
    platform.behave(json!({ "webhook": "gateway" }));
    let (connection, page) = platform.connected("amaka").await;
    let proof = platform.asked(&connection, &course()).await;
    let shown = platform.shown(&page).await;
    assert!(shown.contains("at least 60 (the value stays here)") && shown.contains("S-2021-0417"), "{shown}");
    platform.answer(&page, "share").await;
    let sent = platform.next().await;
    let indy = &sent.record()["proofData"];
    let referent = "additionalProp4";
    let asked = &indy["request"]["indy"]["requested_predicates"][referent];
    assert_eq!(
        (&asked["name"], &asked["p_type"], &asked["p_value"]),
        (&json!("credits_earned"), &json!(">="), &json!(60))
    );
    let requested = &indy["presentation"]["indy"]["requested_proof"];
    assert_eq!(requested["predicates"], json!({ referent: { "sub_proof_index": 0 } }));
    assert!(requested["revealed_attrs"][referent].is_null());
    assert_eq!(translate(&sent.bytes).unwrap().cards, Some(Cards::One));
    let revealed = platform.data(Method::GET, &format!("/verified-proofs/{proof}"), None).await;
    assert_eq!(
        revealed[0],
        json!({ "full_name": "Amaka Ngozi Okonkwo", "credDefId": "definition", "schemaId": "schema" })
    );
    assert_eq!(revealed[3], json!({ "credits_earned": ">=60", "credDefId": "definition", "schemaId": "schema" }));
    assert!(!revealed.to_string().contains("84"));
}

#[tokio::test]
async fn a_card_that_does_not_satisfy_the_request_can_only_be_kept() {
    let mut platform = OwnPlatform::start().await;
    let (connection, page) = platform.connected("tunde").await;
    let proof = platform.asked(&connection, &course()).await;
    let shown = platform.shown(&page).await;
    assert!(shown.contains("Your card does not satisfy this request") && shown.contains("Decline"), "{shown}");
    assert!(!shown.contains("value=\"share\"") && !shown.contains("(the value stays here)"));
    for answer in ["share", "partial", "twice", "late", "invalid"] {
        platform.answer(&page, answer).await;
        assert_eq!(platform.proof(&proof).await["state"], "request-sent", "{answer}");
    }
    platform.answer(&page, "decline").await;
    let sent = platform.next().await;
    assert_eq!((sent.state(), &sent.record()["isVerified"]), ("abandoned", &Value::Null));
}

#[tokio::test]
async fn an_attribute_that_no_card_has_is_made_up_to_fit() {
    let mut platform = OwnPlatform::start().await;
    for holder in ["amaka", "tunde", "student-3"] {
        let (connection, page) = platform.connected(holder).await;
        let proof = platform.asked(&connection, &[reveal("shoe_colour"), at_least("shoe_size", "1000")]).await;
        platform.answer(&page, "share").await;
        assert_eq!(platform.next().await.state(), "presentation-received");
        let revealed = platform.data(Method::GET, &format!("/verified-proofs/{proof}"), None).await;
        assert!(!revealed[0]["shoe_colour"].as_str().unwrap().is_empty());
        assert_eq!(revealed[1]["shoe_size"], ">=1000");
    }
}

#[tokio::test]
async fn a_presentation_may_be_made_of_two_cards_and_says_so_in_its_proof_data_alone() {
    let mut platform = OwnPlatform::start().await;
    platform.behave(json!({ "webhook": "gateway" }));
    // The one who has too few credits borrows them.
    for holder in ["amaka", "tunde"] {
        let (connection, page) = platform.connected(holder).await;
        let proof = platform.asked(&connection, &course()).await;
        platform.answer(&page, "mix").await;
        let sent = platform.next().await;
        let presentation = &sent.record()["proofData"]["presentation"]["indy"];
        let index = |place: usize| &presentation["requested_proof"]["revealed_attrs"][format!("additionalProp{place}")];
        assert_eq!((&index(1)["sub_proof_index"], &index(3)["sub_proof_index"]), (&json!(0), &json!(1)));
        assert_eq!(presentation["identifiers"].as_array().unwrap().len(), 2);
        assert_eq!(translate(&sent.bytes).unwrap().cards, Some(Cards::Several));
        assert_eq!(platform.proof(&proof).await["isVerified"], true);
        let revealed = platform.data(Method::GET, &format!("/verified-proofs/{proof}"), None).await;
        let two = [("amaka", "S-2021-0417", "MTH 302"), ("tunde", "S-2022-0038", "CSC 411")];
        let (_, own, others) = two.into_iter().find(|(key, ..)| *key == holder).unwrap();
        assert_eq!((&revealed[1]["student_number"], &revealed[2]["course_code"]), (&json!(own), &json!(others)));
    }
}

#[tokio::test]
async fn a_presentation_may_lack_its_last_attribute() {
    let mut platform = OwnPlatform::start().await;
    let (connection, page) = platform.connected("amaka").await;
    let proof = platform.asked(&connection, &[reveal("surname"), reveal("othernames")]).await;
    platform.answer(&page, "partial").await;
    assert_eq!(platform.next().await.record()["isVerified"], true);
    let revealed = platform.data(Method::GET, &format!("/verified-proofs/{proof}"), None).await;
    assert_eq!(revealed.as_array().unwrap().len(), 1);
    assert_eq!(revealed[0]["surname"], "Okonkwo");
}

#[tokio::test]
async fn a_presentation_may_be_told_twice_or_late() {
    let mut platform = OwnPlatform::start().await;
    let (connection, page) = platform.connected("amaka").await;
    let proof = platform.asked(&connection, &[reveal("surname")]).await;
    platform.answer(&page, "twice").await;
    platform.data(Method::POST, &format!("/proofs/{proof}/verify"), None).await;
    let mut states = Vec::new();
    for _ in 0..4 {
        states.push(platform.next().await.state().to_owned());
    }
    states.sort_unstable();
    assert_eq!(states, ["done", "done", "presentation-received", "presentation-received"]);
    let proof = platform.asked(&connection, &[reveal("surname")]).await;
    platform.answer(&page, "late").await;
    assert_eq!(platform.proof(&proof).await["state"], "presentation-received", "the agent knows at once");
    platform.data(Method::POST, &format!("/proofs/{proof}/verify"), None).await;
    assert_eq!(platform.next().await.state(), "done", "what comes after it is told before it");
}

#[tokio::test]
async fn a_request_that_is_dismissed_waits_for_ever_and_a_newer_one_is_shown() {
    let mut platform = OwnPlatform::start().await;
    let (connection, page) = platform.connected("amaka").await;
    let dismissed = platform.asked(&connection, &[reveal("surname")]).await;
    platform.answer(&page, "silent").await;
    assert!(platform.shown(&page).await.contains("You dismissed the request; the desk was not told."));
    platform.answer(&page, "share").await;
    assert_eq!(platform.proof(&dismissed).await["state"], "request-sent");
    let first = platform.asked(&connection, &[reveal("surname")]).await;
    assert!(!platform.shown(&page).await.contains("requests wait"), "what was dismissed does not wait");
    let second = platform.asked(&connection, &[reveal("surname")]).await;
    assert!(platform.shown(&page).await.contains("requests wait"));
    platform.answer(&page, "share").await;
    let sent = platform.next().await;
    assert_eq!(sent.record()["id"], *second, "nothing was told of the others");
    assert_eq!(platform.proof(&first).await["state"], "request-sent");
}

#[tokio::test]
async fn a_handshake_may_be_broken_off() {
    let mut platform = OwnPlatform::start().await;
    let (connection, page) = {
        let (_, wallet) = platform.wallet("amaka", "abandon").await;
        (wallet.connection().to_owned(), wallet.page)
    };
    assert_eq!(platform.next().await.state(), "request-received");
    let sent = platform.next().await;
    assert_eq!(sent.state(), "abandoned");
    let record = platform.data(Method::GET, &format!("/connections/{connection}"), None).await;
    assert_eq!(record["state"], "abandoned");
    assert!(record["errorMessage"].is_string() && sent.record()["errorMessage"].is_string());
    assert!(platform.shown(&page).await.contains("You broke the handshake off"));
}

#[tokio::test]
async fn what_wallets_did_is_still_so_after_a_restart() {
    let mut platform = OwnPlatform::start().await;
    let (connection, page) = platform.connected("student-12").await;
    let proof = platform.asked(&connection, &[reveal("surname"), reveal("othernames")]).await;
    platform.answer(&page, "partial").await;
    assert_eq!(platform.next().await.state(), "presentation-received");
    let (reuse, _) = platform.wallet("student-12", "reuse").await;
    platform.next().await;
    // This one stands still in the middle of its handshake.
    platform.sandbox.behave(Behaviour { pace: 3_600_000, ..Behaviour::default() });
    let broken = platform.wallet("amaka", "abandon").await.1.connection().to_owned();
    assert_eq!(platform.next().await.state(), "request-received");
    let mut platform = platform.restarted().await;
    let revealed = platform.data(Method::GET, &format!("/verified-proofs/{proof}"), None).await;
    assert_eq!(revealed[0]["surname"], "surname 00012");
    assert_eq!(revealed.as_array().unwrap().len(), 1);
    // What changed last is told again, because nobody knows whether it was; and the handshake goes on to its end.
    let (mut told, mut ended) = (Vec::new(), false);
    while !ended || told.len() < 2 {
        let sent = platform.next().await;
        ended |= sent.record()["id"] == *broken && sent.state() == "abandoned";
        match translate(&sent.bytes).unwrap().reused_for {
            Some(invitation) => told.push(invitation.0),
            None if sent.record()["id"] == *proof => told.push(proof.clone()),
            None => {}
        }
    }
    told.sort_unstable();
    let mut expected = [reuse["recordId"].as_str().unwrap().to_owned(), proof];
    expected.sort_unstable();
    assert_eq!(told, expected);
}

#[tokio::test]
async fn a_wallet_that_was_here_before_may_answer_with_the_connection_it_has() {
    let mut platform = OwnPlatform::start().await;
    let offered = "Use what is already there";
    for form in ["envelope", "gateway", "flat"] {
        platform.behave(json!({ "webhook": form }));
        let (connection, _) = platform.connected("tunde").await;
        let invitation = platform.data(Method::POST, "/connections", Some(&json!({}))).await;
        let link = invitation["connectionInvitation"].as_str().unwrap();
        let open = platform.http.get(format!("{}/sandbox/wallet", platform.url)).query(&[("link", link)]);
        let open = open.send().await.unwrap().text().await.unwrap();
        assert_eq!(open.matches(offered).count(), 1, "to the one who was here");
        let (new, reused) = {
            let (invitation, wallet) = platform.wallet("tunde", "reuse").await;
            (invitation, wallet.connection().to_owned())
        };
        assert_eq!(reused, connection);
        let sent = platform.next().await;
        let read = translate(&sent.bytes).unwrap();
        assert_eq!((sent.state(), read.connection_id.unwrap().0), ("completed", connection.clone()));
        assert_eq!(read.reused_for.unwrap().0, new["recordId"].as_str().unwrap());
        assert!(sent.record()["reuseThreadId"].is_string());
        assert_ne!(sent.record()["outOfBandId"], new["recordId"], "the record is the old one");
        let form = [("link", new["connectionInvitation"].as_str().unwrap()), ("holder", "amaka")];
        let second = platform.http.post(format!("{}/sandbox/wallet", platform.url)).form(&form).send().await.unwrap();
        assert_eq!(second.status(), StatusCode::GONE, "a single-use invitation is used up by it");
    }
    let (_, wallet) = platform.wallet("amaka", "reuse").await;
    assert!(platform.shown(&wallet.page).await.contains("Connected to"), "without one it connects");
}
