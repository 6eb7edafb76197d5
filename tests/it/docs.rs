//! The documentation's commands: those that are marked are run as they stand, of the others docs/commands.md says how they were.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use tokio::process::Command;

use crate::{
    browser::{EMAIL, PHONE},
    harness::ADMIN_TOKEN,
    program::{BINARY, Program},
    visit::{Visit, hurry},
};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
/// Where the documentation says that the server is.
const ADDRESS: &str = "localhost:3300";
const SECRET_KEY: &str = "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a";

/// A block of commands.
struct Block {
    page: String,
    is_tested: bool,
    text: String,
}

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(path)).unwrap()
}

fn files(folder: &str, ending: &str) -> Vec<String> {
    let mut files = Vec::new();
    for entry in fs::read_dir(Path::new(ROOT).join(folder)).unwrap() {
        let path = format!("{folder}/{}", entry.unwrap().file_name().to_str().unwrap());
        if Path::new(ROOT).join(&path).is_dir() {
            files.extend(self::files(&path, ending));
        } else if path.ends_with(ending) {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn pages() -> Vec<String> {
    [vec!["README.md".to_owned()], files("docs", ".md")].concat()
}

/// The blocks of a page, without what they are indented by.
fn blocks(page: &str) -> Vec<Block> {
    let text = read(page);
    let mut lines = text.lines();
    let mut blocks = Vec::new();
    while let Some(line) = lines.next() {
        let fence = line.trim_start();
        let indent = line.len() - fence.len();
        let Some(kind) = fence.strip_prefix("```sh").filter(|kind| kind.trim().is_empty() || *kind == " tested") else {
            continue;
        };
        let inside = lines.by_ref().take_while(|line| line.trim_start() != "```");
        let text: Vec<&str> = inside.map(|line| line.get(indent..).unwrap_or_default()).collect();
        blocks.push(Block { page: page.to_owned(), is_tested: kind == " tested", text: text.join("\n") });
    }
    blocks
}

fn all_blocks() -> Vec<Block> {
    pages().iter().flat_map(|page| blocks(page)).collect()
}

/// The commands of a block, each on a line; without comments and mere settings.
fn commands(block: &Block) -> Vec<String> {
    let text = block.text.replace("\\\n", " ");
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.filter(|line| !is_setting(line)).map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

/// `NAME=value`, which runs nothing.
fn is_setting(line: &str) -> bool {
    let line = line.split(" #").next().unwrap_or_default().trim();
    let name = line.split_once('=').map(|(name, _)| name);
    name.is_some_and(|name| name.chars().all(|sign| sign.is_ascii_alphanumeric() || sign == '_'))
        && !line.contains([' ', '('])
}

fn is_target(makefile: &str, name: &str) -> bool {
    makefile.lines().any(|line| line.starts_with(&format!("{name}:")))
}

/// A row of docs/commands.md: the page, how commands begin (any way, where there is nothing), and how they were run.
struct Noted {
    page: String,
    beginnings: Vec<String>,
    how: String,
}

/// What stands in backquotes.
fn quoted(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn noted() -> Vec<Noted> {
    let text = read("docs/commands.md");
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    let rows: Vec<Noted> = rows
        .map(|row| {
            let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
            assert_eq!(cells.len(), 3, "{row}");
            Noted { page: quoted(cells[0]).remove(0), beginnings: quoted(cells[1]), how: cells[2].trim().to_owned() }
        })
        .collect();
    assert!(rows.len() > 5);
    rows
}

impl Noted {
    fn is_about(&self, page: &str, command: &str) -> bool {
        let beginnings = &self.beginnings;
        self.page == page
            && (beginnings.is_empty() || beginnings.iter().any(|beginning| command.starts_with(beginning)))
    }
}

#[test]
fn every_command_is_run_by_a_test_or_it_is_written_down_how_it_was_run() {
    let (makefile, noted) = (read("Makefile"), noted());
    let mut others = Vec::new();
    for block in all_blocks().iter().filter(|block| !block.is_tested) {
        for command in commands(block) {
            match command.strip_prefix("make ").map(|rest| rest.split(' ').next().unwrap_or_default()) {
                Some(target) => assert!(is_target(&makefile, target), "{}: make has no {target}", block.page),
                None => others.push((block.page.clone(), command)),
            }
        }
    }
    for (page, command) in &others {
        let is_noted = noted.iter().any(|row| row.is_about(page, command));
        assert!(is_noted, "{page}: docs/commands.md does not say how this was run:\n{command}");
    }
    for Noted { page, beginnings, how } in &noted {
        let begins = |beginning: &str| others.iter().any(|(on, command)| on == page && command.starts_with(beginning));
        assert!(begins(""), "{page} has no commands that are noted");
        for beginning in beginnings {
            assert!(begins(beginning), "{page} has no command that begins with {beginning}");
        }
        let is_said = ["by hand, 20", "not run: ", "by `"].iter().any(|word| how.starts_with(word));
        assert!(is_said, "{page}: {how}");
        for target in quoted(how).iter().filter_map(|named| named.strip_prefix("make ")) {
            assert!(is_target(&makefile, target), "{page}: make has no {target}");
        }
    }
}

#[tokio::test]
async fn what_is_named_in_passing_is_there_too() {
    let makefile = read("Makefile");
    let help = String::from_utf8(Command::new(BINARY).arg("--help").output().await.unwrap().stdout).unwrap();
    let usage = help.lines().find(|line| line.starts_with("Usage: ")).unwrap();
    let known: Vec<&str> = usage.split(|sign: char| !sign.is_ascii_alphabetic() && sign != '-').collect();
    let is_word = |word: &&str| word.chars().all(|sign| sign.is_ascii_lowercase() || sign == '-');
    for page in pages() {
        for code in quoted(&read(&page)) {
            let mut words = code.split(' ');
            match (words.next(), words.next().filter(is_word)) {
                (Some("make"), Some(target)) => assert!(is_target(&makefile, target), "{page}: make has no {target}"),
                (Some("vestibule"), Some(word)) => {
                    assert!(known.contains(&word), "{page}: there is no vestibule {word}");
                }
                _ => {}
            }
        }
    }
}

#[tokio::test]
async fn commands_that_are_marked_do_what_they_are_said_to() {
    let tested: Vec<Block> = all_blocks().into_iter().filter(|block| block.is_tested).collect();
    assert!(tested.len() > 6, "{}", tested.len());
    for page in pages() {
        let blocks: Vec<&Block> = tested.iter().filter(|block| block.page == page).collect();
        if !blocks.is_empty() {
            run(&page, &blocks).await;
        }
    }
}

/// Runs the blocks of a page one after the other, beside a server with one registration.
async fn run(page: &str, blocks: &[&Block]) {
    let folder = tempfile::tempdir().unwrap();
    let variables = [("ADMIN_TOKEN", ADMIN_TOKEN), ("SECRET_KEY", SECRET_KEY), ("DRAIN", "1ms")];
    let program = Program::start(folder.path(), 0, &variables).await;
    let mut visit = Visit::begin(&program.url).await;
    hurry(&visit.http, &program.url, "envelope").await;
    visit.verify("amaka").await;
    visit.submit(EMAIL, PHONE).await;
    let number = visit.read("confirmed").await.json()["number"].as_str().unwrap().to_owned();
    let tools = tempfile::tempdir().unwrap();
    symlink(BINARY, tools.path().join("vestibule")).unwrap();
    let path =
        std::env::join_paths([tools.path().to_owned(), PathBuf::from("/usr/bin"), PathBuf::from("/bin")]).unwrap();
    let port = program.port().to_string();
    for block in blocks {
        let text = block.text.replace(ADDRESS, &format!("localhost:{port}"));
        let mut shell = Command::new("bash");
        shell.args(["-euo", "pipefail", "-c", &text]).env_clear().envs(variables);
        shell.envs([("PORT", &*port), ("NUMBER", &*number)]).env("PATH", &path).current_dir(folder.path());
        let done = shell.output().await.unwrap();
        let said = [done.stdout, done.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        assert!(done.status.success(), "{page}:\n{text}\n{said}");
    }
    assert!(program.terminate().await);
}

#[test]
fn what_troubleshooting_quotes_is_what_the_program_says() {
    let sources: String = files("src", ".rs").iter().map(|path| read(path)).collect();
    let said = [sources, read("locales/en/vestibule.ftl"), read("deploy/prometheus/alerts.yml")].concat();
    let page = read("docs/troubleshooting.md");
    let mut quotations = 0;
    for row in page.lines().filter(|line| line.starts_with("| ") && !line.contains(" | ---")) {
        let cell = row.trim_start_matches("| ").split(" | ").next().unwrap_or_default();
        let in_words = cell.split('"').skip(1).step_by(2).map(str::to_owned);
        for quotation in quoted(cell).into_iter().chain(in_words) {
            for part in quotation.split('…').map(str::trim).filter(|part| part.len() > 2) {
                assert!(said.contains(part), "nothing says {part}");
                quotations += 1;
            }
        }
    }
    assert!(quotations > 50, "{quotations}");
}
