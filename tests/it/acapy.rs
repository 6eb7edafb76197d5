//! With an ACA-Py agent as platform: the way through, every bad end, what is deleted afterwards, faults, and who may
//! post. The agent is [`crate::agent::Agent`].

use std::{fs, time::Duration};

use crate::{
    acapy_recordings::recorded,
    agent::{ADMIN_KEY, Agent, invitation_of, post},
    database::place_that_holds,
    harness::{Desk, Opened, PATIENCE, WEBHOOK_SECRET},
    reconcile::pass_until,
    sandbox::application_page,
};
use reqwest::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

const CARD: &str = "Th7MpTaRZVRYnPiabds81Y:3:CL:1482:Student Card";

/// Lets the desk's time pass until this holds.
async fn pass_while(desk: &Desk, what: &str, holds: impl Fn() -> bool) {
    let waiting = async {
        while holds() {
            desk.pass(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("still {what}"));
}

/// A wallet that took the code and is connected, told by webhooks. Gives back the connection and the exchange.
async fn asked(agent: &Agent, desk: &Desk, opened: &Opened) -> (String, String) {
    let connection = agent.connect(&invitation_of(opened), "request-received");
    for state in ["request-received", "response-sent", "completed"] {
        agent.set(&connection, &json!({ "rfc23_state": state, "updated_at": state }));
        assert_eq!(agent.tell_connection(desk, &connection).await, "applied", "{state}");
    }
    pass_until(desk, opened, "requested").await;
    (connection, agent.exchanges().pop().unwrap())
}

#[tokio::test]
async fn a_registration_goes_through_and_leaves_nothing_at_the_agent() {
    let agent = Agent::start().await;
    let desk = agent.desk(&[]).await;
    let opened = desk.open().await;
    let made = &agent.calls("POST out-of-band/create-invitation")[0];
    assert_eq!(made.headers["x-api-key"], ADMIN_KEY);
    assert_eq!(made.body["my_label"], "Unity State University");
    assert!(made.body["alias"].as_str().unwrap().starts_with("reg-"));
    let protocols = made.body["handshake_protocols"].to_string();
    assert!(protocols.contains("didexchange") && !protocols.contains("connections/1.0"), "{protocols}");

    let (_, exchange) = asked(&agent, &desk, &opened).await;
    let call = &agent.calls("POST present-proof-2.0/send-request")[0].body;
    assert_eq!((&call["auto_verify"], &call["auto_remove"]), (&json!(false), &json!(false)));
    let group = &agent.asked(&exchange)["anoncreds"]["requested_attributes"]["attributes"];
    assert_eq!(group["names"].as_array().unwrap().len(), 9);
    assert_eq!(group["restrictions"][0]["cred_def_id"], CARD);
    assert!(call["comment"].as_str().unwrap().starts_with("Share your Student Card to register (code "));

    agent.present(&exchange, CARD, "Proven");
    assert_eq!(agent.tell_exchange(&desk, &exchange).await, "applied");
    pass_until(&desk, &opened, "verified").await;
    let page = application_page(&desk, &opened).await.text().await.unwrap();
    assert!(page.contains("Proven surname") && page.contains("Proven graduation_year"));
    pass_while(&desk, "an exchange at the agent", || !agent.exchanges().is_empty()).await;
    assert!(agent.calls("POST present-proof-2.0/records/problem-report").is_empty(), "nothing was open any more");
}

#[tokio::test]
async fn every_bad_end_is_told_and_its_exchange_deleted() {
    for (end, stage) in [
        (json!({ "state": "abandoned", "error_msg": "abandoned: not today" }), "declined"),
        (json!({ "state": "abandoned", "error_msg": "created problem report: by hand" }), "invalid"),
        (json!({ "state": "abandoned", "by_format": { "pres": {} }, "error_msg": "no ledger" }), "invalid"),
        (json!({ "state": "abandoned" }), "declined"),
        (json!({ "state": "presentation-received", "valid": false }), "invalid"),
        // Another application of the agent's has it verified at once.
        (json!({ "state": "done", "verified": "false" }), "invalid"),
    ] {
        let agent = Agent::start().await;
        let desk = agent.desk(&[]).await;
        let opened = desk.open().await;
        let (_, exchange) = asked(&agent, &desk, &opened).await;
        agent.set(&exchange, &end);
        agent.tell_exchange(&desk, &exchange).await;
        pass_until(&desk, &opened, stage).await;
        pass_while(&desk, "an exchange at the agent", || !agent.exchanges().is_empty()).await;
    }
}

#[tokio::test]
async fn a_wallet_without_such_a_card_says_so_in_a_message_that_names_the_thread_alone() {
    let agent = Agent::start().await;
    let desk = agent.desk(&[]).await;
    let opened = desk.open().await;
    let (_, exchange) = asked(&agent, &desk, &opened).await;
    let problem = |thread: &str| {
        json!({ "@id": Uuid::new_v4(), "~thread": { "thid": thread },
            "description": { "en": "no such card", "code": "abandoned" } })
    };
    // Of something else that goes on at this agent.
    assert_eq!(agent.tell(&desk, "problem_report", &problem("elsewhere")).await, "unmatched");
    let said = problem(&agent.thread(&exchange));
    assert_eq!(agent.tell(&desk, "problem_report", &said).await, "applied");
    assert_eq!(agent.tell(&desk, "problem_report", &said).await, "repeated");
    pass_until(&desk, &opened, "declined").await;
    pass_while(&desk, "an exchange at the agent", || !agent.exchanges().is_empty()).await;
}

#[tokio::test]
async fn what_the_agent_does_not_tell_is_asked_for() {
    let agent = Agent::start().await;
    let desk = agent.desk(&[]).await;
    let opened = desk.open().await;
    let connection = agent.connect(&invitation_of(&opened), "completed");
    pass_until(&desk, &opened, "requested").await;
    let exchange = agent.exchanges().pop().unwrap();
    agent.present(&exchange, CARD, "Proven");
    pass_until(&desk, &opened, "verified").await;
    assert_eq!(agent.calls("POST present-proof-2.0/send-request").len(), 1, "{connection} is asked once");
}

#[tokio::test]
async fn a_code_that_nobody_may_use_any_more_is_deleted_at_the_agent_even_when_that_fails_first() {
    let agent = Agent::start().await;
    let desk = agent.desk(&[("SESSION_TTL", "1m")]).await;
    let down = (StatusCode::SERVICE_UNAVAILABLE, "down");
    // Cancelled, with the agent down for a while.
    let cancelled = desk.open().await;
    agent.fail(&[down, down]);
    desk.app.sessions.cancel(cancelled.id.parse().unwrap()).await.unwrap();
    pass_while(&desk, "there after cancelling", || agent.has_invitation(&invitation_of(&cancelled))).await;
    assert_eq!(agent.calls("GET connections").len(), 3, "twice in vain");
    // Replaced by a new code.
    let renewed = desk.open().await;
    desk.app.sessions.renew(renewed.id.parse().unwrap(), 1).await.unwrap();
    pass_while(&desk, "there after a new code", || agent.has_invitation(&invitation_of(&renewed))).await;
    // Too late.
    let expired = desk.open().await;
    pass_until(&desk, &expired, "expired").await;
    pass_while(&desk, "there after its time", || agent.has_invitation(&invitation_of(&expired))).await;
}

#[tokio::test]
async fn a_question_that_is_taken_back_is_told_to_the_wallet_and_deleted() {
    let agent = Agent::start().await;
    let desk = agent.desk(&[]).await;
    let opened = desk.open().await;
    let (_, exchange) = asked(&agent, &desk, &opened).await;
    desk.app.sessions.cancel(opened.id.parse().unwrap()).await.unwrap();
    pass_while(&desk, "an exchange at the agent", || agent.exchanges().contains(&exchange)).await;
    assert_eq!(agent.calls("POST present-proof-2.0/records/problem-report").len(), 1);
    assert!(agent.calls("DELETE out-of-band/invitations").is_empty(), "the invitation was used up");
}

#[tokio::test]
async fn a_wallet_that_goes_over_the_connection_it_has_is_asked_over_that_one() {
    let agent = Agent::start().await;
    let desk = agent.desk(&[("ACAPY_INVITATION_DID", "did:peer:4")]).await;
    let first = desk.open().await;
    assert_eq!(agent.calls("POST out-of-band/create-invitation")[0].body["use_did_method"], "did:peer:4");
    let (connection, _) = asked(&agent, &desk, &first).await;
    let taken_up = |opened: &Opened| json!({ "state": "done", "invi_msg_id": invitation_of(opened), "connection_id": connection, "updated_at": opened.id });
    // Of a new connection its own webhooks tell more.
    assert_eq!(agent.tell(&desk, "out_of_band", &taken_up(&first)).await, "late");
    let second = desk.open().await;
    assert_eq!(agent.tell(&desk, "out_of_band", &taken_up(&second)).await, "looked_up");
    pass_until(&desk, &second, "requested").await;
    let asked = agent.calls("POST present-proof-2.0/send-request");
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[1].body["connection_id"], json!(connection));
    // What comes next is of the second registration alone.
    let exchange = agent.exchanges().pop().unwrap();
    agent.present(&exchange, CARD, "Proven");
    agent.tell_exchange(&desk, &exchange).await;
    pass_until(&desk, &second, "verified").await;
    assert_eq!(desk.snapshot(&first).await["stage"], "requested");
}

#[tokio::test]
async fn errors_in_plain_text_are_understood_and_shown_to_nobody() {
    let agent = Agent::start().await;
    let desk = agent.desk(&[]).await;
    let text = "422: {'match_info': {'secret': 1}}";
    for status in [StatusCode::UNAUTHORIZED, StatusCode::UNPROCESSABLE_ENTITY, StatusCode::INTERNAL_SERVER_ERROR] {
        agent.fail(&[(status, text), (status, text), (status, text)]);
        let open = desk.http.post(format!("{}/api/connections/session", desk.url));
        let answer = open.json(&json!({ "requestType": "registration" })).send().await.unwrap();
        assert!(answer.status().is_server_error(), "{status}: {}", answer.status());
        assert!(!answer.text().await.unwrap().contains("match_info"));
        agent.fail(&[]);
    }
}

/// The wallet presents, and the agent has this trouble with it.
async fn presents_until(agent: &Agent, trouble: &Value, stage: &str) {
    let desk = agent.desk(&[]).await;
    let opened = desk.open().await;
    let (_, exchange) = asked(agent, &desk, &opened).await;
    agent.present(&exchange, CARD, "Proven");
    agent.set(&exchange, trouble);
    agent.tell_exchange(&desk, &exchange).await;
    pass_until(&desk, &opened, stage).await;
}

#[tokio::test]
async fn an_agent_that_cannot_verify_for_a_while_is_asked_again() {
    let agent = Agent::start().await;
    presents_until(&agent, &json!({ "cannot_verify": 2 }), "verified").await;
    assert_eq!(agent.calls("POST present-proof-2.0/records/verify-presentation").len(), 3);
}

#[tokio::test]
async fn an_answer_that_does_not_show_what_was_verified_ends_nothing() {
    let agent = Agent::start().await;
    presents_until(&agent, &json!({ "answers_in_short": true }), "verified").await;
}

#[tokio::test]
async fn what_an_agent_gives_up_to_verify_is_not_told_as_declined() {
    let agent = Agent::start().await;
    presents_until(&agent, &json!({ "gives_up": true }), "invalid").await;
}

#[tokio::test]
async fn an_exchange_whose_answer_was_lost_is_found_and_deleted_after_the_end() {
    let agent = Agent::start().await;
    let desk = agent.desk(&[]).await;
    let opened = desk.open().await;
    agent.lose_answers_to("POST present-proof-2.0/send-request");
    let connection = agent.connect(&invitation_of(&opened), "completed");
    agent.tell_connection(&desk, &connection).await;
    pass_while(&desk, "not asked", || agent.exchanges().is_empty()).await;
    let other = agent.ask_for_somebody_else(&connection);
    desk.app.sessions.cancel(opened.id.parse().unwrap()).await.unwrap();
    pass_while(&desk, "an exchange at the agent", || agent.exchanges() != [other.clone()]).await;
}

#[tokio::test]
async fn a_question_that_is_taken_in_only_after_the_end_is_deleted_too() {
    let agent = Agent::start().await;
    let desk = agent.desk(&[]).await;
    let opened = desk.open().await;
    let held = agent.gate.clone().lock_owned().await;
    let connection = agent.connect(&invitation_of(&opened), "completed");
    agent.tell_connection(&desk, &connection).await;
    pass_while(&desk, "not asked", || agent.calls("POST present-proof-2.0/send-request").is_empty()).await;
    desk.app.sessions.cancel(opened.id.parse().unwrap()).await.unwrap();
    pass_while(&desk, "not looked for", || agent.calls("GET present-proof-2.0/records").is_empty()).await;
    drop(held);
    pass_while(&desk, "not deleted", || agent.calls("DELETE present-proof-2.0/records").is_empty()).await;
    assert!(agent.exchanges().is_empty());
}

#[tokio::test]
async fn an_invitation_that_a_wallet_went_over_to_is_not_deleted_with_its_connection() {
    let agent = Agent::start().await;
    let desk = agent.desk(&[]).await;
    let first = desk.open().await;
    let (connection, _) = asked(&agent, &desk, &first).await;
    // The agent notes the new invitation at the old connection, and its webhook is lost.
    let second = desk.open().await;
    agent.set(&connection, &json!({ "invitation_msg_id": invitation_of(&second) }));
    desk.app.sessions.cancel(second.id.parse().unwrap()).await.unwrap();
    pass_while(&desk, "not looked at", || agent.calls("GET connections").is_empty()).await;
    let exchange = agent.exchanges().pop().unwrap();
    agent.present(&exchange, CARD, "Proven");
    agent.tell_exchange(&desk, &exchange).await;
    pass_until(&desk, &first, "verified").await;
    assert!(agent.calls("DELETE out-of-band/invitations").is_empty());
}

#[tokio::test]
async fn a_card_of_another_definition_counts_as_missing() {
    let agent = Agent::start().await;
    let desk = agent.desk(&[]).await;
    let opened = desk.open().await;
    let (_, exchange) = asked(&agent, &desk, &opened).await;
    agent.present(&exchange, "somebody:3:CL:1:else", "Proven");
    agent.tell_exchange(&desk, &exchange).await;
    pass_until(&desk, &opened, "verified").await;
    assert!(!application_page(&desk, &opened).await.text().await.unwrap().contains("Proven surname"));
}

#[tokio::test]
async fn only_the_agent_may_post_and_only_for_its_wallet() {
    let agent = Agent::start().await;
    let desk = agent.desk(&[]).await;
    assert_eq!(post(&desk, "connections", "wrong", "{}").await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(post(&desk, "connections", WEBHOOK_SECRET, "[]").await.status(), StatusCode::BAD_REQUEST);
    assert_eq!(post(&desk, "connections", WEBHOOK_SECRET, "{},\"topic\":1").await.status(), StatusCode::BAD_REQUEST);
    // What is not understood is taken, or it would be sent five times.
    for topic in ["basicmessages", "ping", "issue_credential_v2_0_anoncreds", "something-new"] {
        assert_eq!(agent.tell(&desk, topic, &json!({ "content": "Hello" })).await, "ignored");
    }
    assert!(place_that_holds(&desk, b"Hello").await.is_none(), "a message is kept");
    let at = |path: &str| desk.http.post(format!("{}{path}", desk.url)).header("X-API-Key", WEBHOOK_SECRET).body("{}");
    for path in ["/api/webhooks/confirmd", "/api/webhooks/acapy/x/topic/connections/", "/api/webhooks/acapy/topic/"] {
        assert_eq!(at(path).send().await.unwrap().status(), StatusCode::NOT_FOUND, "{path}");
    }
    let tenant = at("/api/webhooks/acapy/topic/ping/").header("x-wallet-id", "somebody");
    assert_eq!(tenant.send().await.unwrap().status(), StatusCode::FORBIDDEN, "no tenant is configured");

    // {"wallet_id":"w-1"}
    let token = "e30.eyJ3YWxsZXRfaWQiOiJ3LTEifQ.c2lnbmF0dXJl";
    let variables = [("ACAPY_TENANT_TOKEN", token), ("WEBHOOK_PATH_TOKEN", "a-path")];
    let desk = agent.desk(&variables).await;
    desk.open().await;
    let made = agent.calls("POST out-of-band/create-invitation").pop().unwrap();
    assert_eq!(made.headers["authorization"], format!("Bearer {token}"));
    let at = |path: &str, wallet: &str| {
        let post = desk.http.post(format!("{}{path}", desk.url)).header("X-API-Key", WEBHOOK_SECRET);
        post.header("x-wallet-id", wallet).body("{}").send()
    };
    let path = "/api/webhooks/acapy/a-path/topic/ping/";
    assert_eq!(at(path, "w-1").await.unwrap().status(), StatusCode::OK);
    assert_eq!(at(path, "w-2").await.unwrap().status(), StatusCode::FORBIDDEN);
    assert_eq!(at("/api/webhooks/acapy/topic/ping/", "w-1").await.unwrap().status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_json_ld_card_is_asked_for_by_type_and_issuer_and_counts_only_with_its_subject() {
    let folder = tempfile::tempdir().unwrap();
    let record = recorded("api/pres-record.ldp.done");
    let issuer = record["by_format"]["pres"]["dif"]["verifiableCredential"][0]["issuer"].as_str().unwrap();
    let desk = format!(
        "title = \"T\"\norganisation = \"O\"\n[credential]\nname = \"C\"\nformat = \"dif\"\nissuer_did = \"{issuer}\"\n\
         type = \"https://w3id.org/citizenship#PermanentResidentCard\"\n\
         contexts = [\"https://www.w3.org/2018/credentials/v1\", \"https://w3id.org/citizenship/v1\"]\n\
         [[attribute]]\nname = \"familyName\"\nlabel = \"Surname\"\n"
    );
    let path = folder.path().join("desk.toml");
    fs::write(&path, desk).unwrap();
    let path = path.to_str().unwrap();
    for (change, stage) in [(None, "verified"), (Some("id"), "invalid"), (Some("issuer"), "missing")] {
        let agent = Agent::start().await;
        let desk = agent.desk(&[("DESK_FILE", path)]).await;
        let opened = desk.open().await;
        let (_, exchange) = asked(&agent, &desk, &opened).await;
        let descriptor = &agent.asked(&exchange)["dif"]["presentation_definition"]["input_descriptors"][0];
        assert_eq!(descriptor["schema"][0]["uri"], "https://w3id.org/citizenship#PermanentResidentCard");
        assert!(descriptor["constraints"]["fields"].to_string().contains(issuer));
        let mut by_format = record["by_format"].clone();
        let card = &mut by_format["pres"]["dif"]["verifiableCredential"][0];
        match change {
            Some("id") => card["credentialSubject"]["id"] = json!("did:key:somebody-else"),
            Some(field) => card[field] = json!("did:key:somebody-else"),
            None => {}
        }
        agent.set(&exchange, &json!({ "state": "presentation-received", "by_format": by_format }));
        agent.tell_exchange(&desk, &exchange).await;
        let end = if stage == "missing" { "verified" } else { stage };
        pass_until(&desk, &opened, end).await;
        let page = application_page(&desk, &opened).await.text().await.unwrap();
        assert_eq!(page.contains("Lovelace"), stage == "verified", "{stage}");
        assert!(!page.contains("1815-12-10"), "only what was asked for is taken of the card");
    }
}
