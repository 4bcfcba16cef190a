//! Runs the program in this process.

use std::ffi::OsString;
use std::path::Path;

use smtplog::internals::cli::command;
use smtplog::internals::cli::config::{ConfigPaths, Invocation, resolve};

/// What `smtplog ARGUMENTS FILE` prints. Nothing of the machine changes it: no configuration, no clock, no time zone.
pub fn answer(arguments: &[&str], file: &Path) -> String {
    answer_of(arguments, &[file])
}

/// What `smtplog ARGUMENTS FILES` prints. Only `trace --raw` prints lines as they are.
pub fn answer_of(arguments: &[&str], files: &[&Path]) -> String {
    let fixed = ["--no-config", "--tz", "UTC", "--now", "2026-11-23T00:00:00Z"];
    let words = ["smtplog"].iter().chain(arguments).chain(&fixed).map(OsString::from);
    let words: Vec<OsString> = words.chain(files.iter().map(OsString::from)).collect();
    let places = ConfigPaths { system: "/nonexistent".into(), user: None };
    let Ok(Invocation::Run(cli)) = resolve(&words, &|_| None, &places) else {
        panic!("{arguments:?} is no command line");
    };
    let mut out = Vec::new();
    command::run(&cli, &mut out).expect("a file that exists is read");
    if arguments.contains(&"--raw") {
        return String::from_utf8_lossy(&out).into_owned();
    }
    String::from_utf8(out).expect("every answer is UTF-8")
}
