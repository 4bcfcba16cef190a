//! Finds the fixtures and runs the program inside the test process, for the other modules.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use clap::Parser;
use smtplog::internals::cli::args::Cli;
use smtplog::internals::cli::command;

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// The folder of the labelled replies and logs, which are not part of the project: `SMTPLOG_LABELLED`, or `shared` beside
/// the project.
pub(crate) fn labelled() -> PathBuf {
    std::env::var_os("SMTPLOG_LABELLED").map_or_else(|| root().join("../shared"), PathBuf::from)
}

/// Every recorded log, in order.
pub(crate) fn logs() -> Vec<PathBuf> {
    let mut logs: Vec<PathBuf> = ["postfix", "exim", "sendmail", "opensmtpd"]
        .iter()
        .filter_map(|mta| std::fs::read_dir(root().join("fixtures").join(mta)).ok())
        .flatten()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "log"))
        .collect();
    logs.sort();
    assert!(logs.len() > 5, "the fixtures are gone");
    logs
}

/// What `smtplog ARGS` prints, and its exit status.
pub(crate) fn answer(args: &[&str]) -> (String, u8) {
    let cli = Cli::try_parse_from(["smtplog"].iter().chain(args)).unwrap();
    let mut out = Vec::new();
    let done = command::run(&cli, &mut out).unwrap();
    (String::from_utf8(out).unwrap(), done.status())
}

/// The events of a log, as JSON.
pub(crate) fn events(log: &Path) -> Vec<serde_json::Value> {
    let (text, _) = answer(&["events", "--tz", "UTC", log.to_str().unwrap()]);
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The report of some logs, as JSON, without the names of the files.
pub(crate) fn report(args: &[&str]) -> serde_json::Value {
    let args: Vec<&str> =
        ["scan", "--format", "json", "--tz", "UTC", "--year", "2026", "--now", "2026-11-23T00:00:00Z"]
            .iter()
            .chain(args)
            .copied()
            .collect();
    let mut report: serde_json::Value = serde_json::from_str(&answer(&args).0).unwrap();
    report["input"]["files"] = serde_json::Value::Null;
    report
}

/// The path of a recorded log: `postfix/out.log`.
pub(crate) fn fixture(name: &str) -> String {
    root().join("fixtures").join(name).to_str().unwrap().to_owned()
}

/// The program, without the machine's configuration files and environment.
pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("smtplog"));
    command
        .args(args)
        .env_remove("NO_COLOR")
        .env("SMTPLOG_NO_CONFIG", "1")
        .env("COLUMNS", "80")
        .env("LC_ALL", "C.UTF-8")
        .env("TZ", "UTC")
        .stdin(Stdio::null());
    command
}

/// Its exit status, and what it prints on stdout and stderr.
pub(crate) fn run(args: &[&str]) -> (i32, String, String) {
    taken_apart(&command(args).output().unwrap())
}

/// The same with something on its standard input.
pub(crate) fn fed(args: &[&str], input: &[u8]) -> (i32, String, String) {
    let mut child =
        command(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let feeder = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    taken_apart(&output)
}

pub(crate) fn taken_apart(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}
