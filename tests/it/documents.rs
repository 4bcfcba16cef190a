//! Checks the documents: links resolve, commands are accepted, and printed output is what smtplog prints today.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use assert_cmd::cargo::cargo_bin;
use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};

use crate::support::root;

/// Every document for people, in order.
fn documents() -> Vec<PathBuf> {
    let named = [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "CHANGELOG.md",
        "fixtures/README.md",
    ];
    let mut documents: Vec<PathBuf> = named.iter().map(|name| root().join(name)).collect();
    let manual = fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    documents.extend(manual.filter(|path| path.extension().is_some_and(|end| end == "md")));
    documents.sort();
    documents
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
}

/// The anchors of a document, as forges make them: lower case, `-` for a blank, no other punctuation.
fn anchors(text: &str) -> Vec<String> {
    let mut anchors = Vec::new();
    let mut heading: Option<String> = None;
    for event in Parser::new(text) {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => anchors.extend(heading.take()),
            Event::Text(part) | Event::Code(part) => {
                if let Some(heading) = &mut heading {
                    let kept = part.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
                    heading.extend(kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }));
                }
            }
            _ => {}
        }
    }
    anchors
}

/// The blocks of code of one language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut block: Option<String> = None;
    for event in Parser::new(text) {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(name))) if *name == *language => {
                block = Some(String::new());
            }
            Event::End(TagEnd::CodeBlock) => blocks.extend(block.take()),
            Event::Text(part) => {
                if let Some(block) = &mut block {
                    block.push_str(&part);
                }
            }
            _ => {}
        }
    }
    blocks
}

fn smtplog(args: &[String]) -> Output {
    Command::new(cargo_bin("smtplog"))
        .args(args)
        .current_dir(root())
        .env("SMTPLOG_NO_CONFIG", "1")
        .env("LC_ALL", "C.UTF-8")
        .env("TZ", "UTC")
        .env_remove("COLUMNS")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[test]
fn every_link_leads_somewhere() {
    let mut broken = Vec::new();
    for document in documents() {
        let text = read(&document);
        for event in Parser::new(&text) {
            let Event::Start(Tag::Link { dest_url, .. }) = event else { continue };
            if dest_url.contains("://") {
                continue;
            }
            let (path, anchor) = dest_url.split_once('#').unwrap_or((&dest_url, ""));
            let target =
                if path.is_empty() { document.clone() } else { document.parent().unwrap().join(path) };
            let is_there = target.exists()
                && (anchor.is_empty() || anchors(&read(&target)).iter().any(|known| known == anchor));
            if !is_there {
                broken.push(format!("{}: {dest_url}", document.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

/// A block that begins with `$ smtplog …` shows the command and all it prints. Those about a log that is not in the
/// repository are left out. With SMTPLOG_BLESS=1 the output is written instead of compared.
#[test]
fn printed_output_is_what_smtplog_prints() {
    let mut compared = 0;
    for document in documents() {
        let mut text = read(&document);
        for block in blocks(&text, "text") {
            let Some((command, shown)) =
                block.strip_prefix("$ smtplog ").and_then(|rest| rest.split_once('\n'))
            else {
                continue;
            };
            let args = shlex::split(command).unwrap();
            if !args.iter().any(|arg| arg.starts_with("fixtures/")) {
                continue;
            }
            let printed = String::from_utf8(smtplog(&args).stdout).unwrap();
            compared += 1;
            if std::env::var_os("SMTPLOG_BLESS").is_some() {
                text = text.replace(&block, &format!("$ smtplog {command}\n{printed}"));
                fs::write(&document, &text).unwrap();
            } else {
                assert_eq!(shown, printed, "{}: smtplog {command}", document.display());
            }
        }
    }
    assert!(compared >= 2, "only {compared} blocks");
}

/// Options, values and files of the rules and states are looked at; nothing is read.
#[test]
fn every_command_is_accepted() {
    let mut checked = 0;
    for document in documents() {
        for block in blocks(&read(&document), "sh") {
            for line in block.replace("\\\n", " ").lines() {
                let commands = line.split(" | ").filter(|command| command.starts_with("smtplog "));
                for command in commands {
                    // In a shell, a word that begins with # begins a comment; shlex knows that.
                    let mut args = shlex::split(command).unwrap().split_off(1);
                    if args.iter().any(|arg| arg == ">") || matches!(args[0].as_str(), "completions" | "man")
                    {
                        continue;
                    }
                    args.push("--print-config".to_owned());
                    let output = smtplog(&args);
                    let complaint = String::from_utf8_lossy(&output.stderr);
                    assert!(output.status.success(), "{}: {command}: {complaint}", document.display());
                    checked += 1;
                }
            }
        }
    }
    assert!(checked > 20, "only {checked} commands");
}

#[test]
fn every_option_is_in_the_manual() {
    let manual: String = documents().iter().map(|path| read(path)).collect();
    for subcommand in ["scan", "storm", "watch", "events", "trace", "explain", "compare", "codes"] {
        let help = smtplog(&[subcommand.to_owned(), "--help".to_owned()]).stdout;
        let help = String::from_utf8(help).unwrap();
        let options = help.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
        for option in
            options.filter_map(|line| line.split([' ', ',', ';', '.']).find(|word| word.starts_with("--")))
        {
            let is_there = option == "--help" || manual.contains(option);
            assert!(is_there, "no document mentions {option} of {subcommand}");
        }
    }
}

#[test]
fn the_readme_is_short() {
    let readme = read(&root().join("README.md"));
    assert!(readme.lines().count() <= 250, "{} lines", readme.lines().count());
    assert!(readme.len() <= 12 << 10, "{} bytes", readme.len());
    let architecture = read(&root().join("ARCHITECTURE.md"));
    assert!(architecture.lines().count() <= 200, "{} lines", architecture.lines().count());
}
