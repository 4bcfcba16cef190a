//! Checks shell completions and manual pages with the programs that read them.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use assert_cmd::cargo::cargo_bin;
use clap::{CommandFactory, ValueEnum};
use clap_complete::Shell;
use smtplog::internals::cli::args::Cli;
use tempfile::tempdir;

fn printed(args: &[&str]) -> String {
    let output = Command::new(cargo_bin("smtplog")).args(args).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{args:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// What the program says of the text on its standard input.
fn judged(program: &str, args: &[&str], text: &str) -> String {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot start {program}: {error}"));
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let fault = if output.status.success() { "" } else { "failed\n" };
    fault.to_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn every_shell_completes_every_subcommand() {
    for shell in Shell::value_variants() {
        let script = printed(&["completions", &shell.to_string()]);
        for subcommand in Cli::command().get_subcommands() {
            assert!(script.contains(subcommand.get_name()), "{shell}: {}", subcommand.get_name());
        }
        assert!(script.contains("no-advice"), "{shell}");
    }
}

#[test]
fn completions_have_subcommands_first_and_nothing_hidden() {
    for shell in Shell::value_variants() {
        let script = printed(&["completions", &shell.to_string()]);
        for hidden in ["block-size", "until-idle", "rules-of"] {
            assert!(!script.contains(hidden), "{shell}: --{hidden}");
        }
    }
    let bash = printed(&["completions", "bash"]);
    let words: Vec<&str> =
        bash.lines().filter_map(|line| line.trim().strip_prefix("opts=\"")?.strip_suffix('"')).collect();
    assert!(
        words.iter().any(|words| words.starts_with("scan merge storm watch events trace explain ")),
        "{words:?}"
    );
    for words in &words {
        let mut words = words.split(' ').skip_while(|word| !word.starts_with('-'));
        assert!(words.all(|word| word.starts_with('-')), "{words:?}");
    }
    let completes = |value: &str| bash.split([' ', '"']).any(|word| word == value);
    for value in ["none", "552", "5.2.2", "mailbox-full", "google", "provider"] {
        assert!(completes(value), "{value}");
    }
}

#[test]
#[ignore = "needs bash, zsh and fish"]
fn shells_can_read_their_completions() {
    for shell in ["bash", "zsh", "fish"] {
        let fault = judged(shell, &["-n"], &printed(&["completions", shell]));
        assert!(fault.is_empty(), "{shell} finds a fault in its completions: {fault}");
    }
}

fn pages(folder: &Path) -> Vec<(String, String)> {
    let mut pages: Vec<(String, String)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap()))
        .collect();
    pages.sort();
    pages
}

#[test]
#[ignore = "needs groff"]
fn no_page_has_a_fault() {
    let folder = tempdir().unwrap();
    printed(&["man", "--out", folder.path().to_str().unwrap()]);
    for (name, page) in pages(folder.path()) {
        let fault = judged("groff", &["-ww", "-man", "-Tutf8"], &page);
        assert!(fault.is_empty(), "{name}: {fault}");
    }
}

#[test]
fn every_subcommand_has_a_page() {
    let folder = tempdir().unwrap();
    let out = folder.path().join("man/man1");
    printed(&["man", "--out", out.to_str().unwrap()]);
    let pages = pages(&out);
    let mut wanted: Vec<String> = Cli::command()
        .get_subcommands()
        .map(|subcommand| format!("smtplog-{}.1", subcommand.get_name()))
        .collect();
    wanted.push("smtplog.1".to_owned());
    wanted.sort();
    assert_eq!(pages.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>(), wanted);
    for (name, page) in &pages {
        // clap's marks for the terminal.
        assert!(!page.contains('\u{1b}') && !page.contains("```"), "{name}");
        for section in [".SH EXAMPLES", ".SH \"EXIT STATUS\""] {
            assert!(page.contains(section), "{name}: {section}");
        }
    }
    let (_, main) = pages.last().unwrap();
    assert_eq!(*main, printed(&["man"]));
    assert!(pages.contains(&("smtplog-trace.1".to_owned(), printed(&["man", "trace"]))));
    for section in ["SYNOPSIS", "OPTIONS", "EXIT STATUS", "ENVIRONMENT", "FILES"] {
        assert!(main.contains(section), "{section}");
    }
    // No page is promised that is not there.
    for named in main.split("smtplog\\-").skip(1) {
        let word: String = named.chars().take_while(char::is_ascii_lowercase).collect();
        assert!(wanted.contains(&format!("smtplog-{word}.1")), "smtplog-{word}(1)");
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let below = file.join("below");
    let output = Command::new(cargo_bin("smtplog")).args(["man", "--out"]).arg(&below).output().unwrap();
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(complaint.starts_with(&format!("smtplog: cannot write {}: ", below.display())), "{complaint}");
}
