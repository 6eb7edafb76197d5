//! The binary is killed, and nothing that was acknowledged is lost; and what it says at its terminal.

use std::process::Stdio;

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tokio::process::Command;
use uuid::Uuid;

use crate::{
    harness::{PATIENCE, WEBHOOK_SECRET, Watcher, parts},
    program::Program,
};

async fn open(http: &Client, url: &str) -> Value {
    let request = http.post(format!("{url}/api/connections/session")).json(&json!({ "requestType": "registration" }));
    request.send().await.unwrap().json::<Value>().await.unwrap()["data"].take()
}

fn socket(url: &str, data: &Value) -> String {
    let query = format!("sessionId={}&token={}", data["sessionId"].as_str().unwrap(), data["token"].as_str().unwrap());
    format!("{}/ws/connections?{query}", url.replacen("http", "ws", 1))
}

#[tokio::test]
async fn what_was_answered_with_200_is_there_after_sigkill() {
    let folder = tempfile::tempdir().unwrap();
    let http = Client::new();
    let mut program = Program::start(folder.path(), 0, &[]).await;
    let port = program.port();
    let data = open(&http, &program.url).await;
    let out_of_band_id = data["invitationUrl"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    let connection = Uuid::new_v4().to_string();
    for (place, state) in ["request-received", "response-sent"].iter().enumerate() {
        let body = json!({ "type": "Connection", "id": connection, "state": state, "outOfBandId": out_of_band_id });
        let request = http.post(format!("{}/api/webhooks/confirmd", program.url)).header("X-API-Key", WEBHOOK_SECRET);
        let answer = request.body(body.to_string()).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        program.kill().await;
        program = Program::start(folder.path(), port, &[]).await;
        // The token is still good, because the key lies beside the database; and the first message is the new state.
        let mut watcher = Watcher::connect(&socket(&program.url, &data), &[]).await.unwrap();
        let welcome = watcher.next().await;
        assert_eq!((&welcome["type"], &welcome["version"]), (&json!("connected"), &json!(place + 2)));
        // Sent again after the restart, as a platform does that did not hear the 200: it counts once.
        let request = http.post(format!("{}/api/webhooks/confirmd", program.url)).header("X-API-Key", WEBHOOK_SECRET);
        let again: Value = request.body(body.to_string()).send().await.unwrap().json().await.unwrap();
        assert_eq!(again["outcome"], "repeated");
    }
    assert!(program.terminate().await, "SIGTERM is a good end");
}

#[tokio::test]
async fn a_registration_goes_on_where_a_killed_process_left_it() {
    let folder = tempfile::tempdir().unwrap();
    let http = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let mut program = Program::start(folder.path(), 0, &[]).await;
    let port = program.port();
    let data = open(&http, &program.url).await;
    let form = [("link", data["link"].as_str().unwrap()), ("holder", "amaka")];
    let connected = http.post(format!("{}/sandbox/wallet", program.url)).form(&form).send().await.unwrap();
    let wallet = connected.headers()["location"].to_str().unwrap().to_owned();
    // Killed before each of these, at whatever instruction it is; it always gets there.
    for stage in ["connected", "requested"] {
        program.kill().await;
        program = Program::start(folder.path(), port, &[]).await;
        let mut watcher = Watcher::connect(&socket(&program.url, &data), &[]).await.unwrap();
        loop {
            let message = watcher.next().await;
            if message["stage"] == stage || message["stage"] == "requested" {
                break;
            }
        }
    }
    let answered = http.post(format!("{}{wallet}", program.url)).form(&[("answer", "share")]).send().await;
    assert_eq!(answered.unwrap().status(), StatusCode::SEE_OTHER);
    let mut watcher = Watcher::connect(&socket(&program.url, &data), &[]).await.unwrap();
    watcher.until("presented").await;
    program.kill().await;
    program = Program::start(folder.path(), port, &[]).await;
    let mut watcher = Watcher::connect(&socket(&program.url, &data), &[]).await.unwrap();
    watcher.until("verified").await;
}

#[tokio::test]
async fn sigterm_tells_every_socket_before_the_program_ends() {
    let folder = tempfile::tempdir().unwrap();
    let http = Client::new();
    let program = Program::start(folder.path(), 0, &[("DRAIN", "300ms")]).await;
    let mut watchers = Vec::new();
    for _ in 0..20 {
        let data = open(&http, &program.url).await;
        let mut watcher = Watcher::connect(&socket(&program.url, &data), &[]).await.unwrap();
        watcher.next().await;
        watchers.push(watcher);
    }
    let told = futures_util::future::join_all(watchers.iter_mut().map(Watcher::closed));
    let (frames, good) = tokio::join!(told, program.terminate());
    assert!(good);
    assert!(frames.iter().all(|frame| parts(frame) == (1012, "Restarting")), "{frames:?}");
}

#[tokio::test]
async fn the_command_line_helps_and_refuses() {
    let run = async |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
        command.args(arguments).env_clear().envs(variables.iter().copied()).stdin(Stdio::null());
        let output = command.output().await.unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, help, _) = run(&["--help"], &[]).await;
    assert_eq!(code, Some(0));
    for variable in vestibule::server::config::VARIABLES {
        assert!(help.contains(variable.name), "--help lacks {}", variable.name);
    }
    let (code, version, _) = run(&["--version"], &[]).await;
    assert_eq!((code, version.trim()), (Some(0), concat!("vestibule ", env!("CARGO_PKG_VERSION"))));
    assert_eq!(run(&["frobnicate"], &[]).await.0, Some(2));
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let folder = tempfile::tempdir().unwrap();
    // What a container sets by itself is no wish; anything else that is no address is a mistake.
    Program::start(folder.path(), 0, &[("HOSTNAME", machine.trim())]).await.kill().await;
    let (_, _, wrong) = run(&[], &[("HOSTNAME", "nowhere")]).await;
    assert!(wrong.contains("HOSTNAME"), "{wrong}");
    let (code, _, wrong) = run(&[], &[("PORT", "no"), ("PING_INTERVAL", "never")]).await;
    assert_eq!(code, Some(1));
    assert!(wrong.contains("PORT") && wrong.contains("PING_INTERVAL"), "{wrong}");
}

#[tokio::test]
async fn every_mistake_in_the_desks_file_is_told_at_once_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/registration.toml")).unwrap();
    let mut text = text;
    for (from, to) in [
        ("code = \"link\"", "code = \"lnik\""),
        ("form = \"1h\"", "form = \"soon\""),
        ("name = \"othernames\"", "name = \"surname\""),
        ("label = \"School\"", "lable = \"School\""),
        ("links = [", "links = [\"wallet-without-a-place\", "),
    ] {
        assert_eq!(text.matches(from).count(), 1, "{from}");
        text = text.replace(from, to);
    }
    let file = folder.path().join("registration.toml");
    std::fs::write(&file, &text).unwrap();
    let line_of = |mistake: &str| text.lines().position(|line| line.contains(mistake)).unwrap() + 1;
    let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
    command.env_clear().env("PORT", "0").current_dir(folder.path()).stdin(Stdio::null());
    let output = tokio::time::timeout(PATIENCE, command.output()).await.expect("it does not start").unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), &*output.stdout), (Some(1), &b""[..]), "{said}");
    assert_eq!(said.matches("the configuration cannot be used").count(), 1, "one message: {said}");
    let surname_again =
        text.lines().enumerate().filter(|(_, line)| *line == "name = \"surname\"").nth(1).unwrap().0 + 1;
    for line in
        [line_of("lnik"), line_of("form = \"soon\""), surname_again, line_of("lable"), line_of("wallet-without")]
    {
        assert!(said.contains(&format!("line {line}")), "line {line} is missing in {said}");
    }
    assert!(!folder.path().join("vestibule.db").exists(), "and nothing was begun");
}
