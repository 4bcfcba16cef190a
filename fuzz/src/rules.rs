//! Any text as a file of rules and as a configuration file: an error names a line of the file, and own rules leave no
//! reply without a reason.

use std::ffi::OsString;
use std::fs;

use smtplog::internals::catalog::classify::Classifier;
use smtplog::internals::catalog::{Catalog, CatalogError, RuleFile};
use smtplog::internals::cli::config::{ConfigPaths, resolve};
use smtplog::internals::parse::header::LogLine;
use smtplog::internals::parse::mta;
use smtplog::internals::parse::mta::parsed::ParsedLine;

const BOUNCE: &str = "Nov 22 03:04:05 mx1 postfix/smtp[12]: 4jXCsJ3c7Hz7j9M: to=<a@example.org>, \
    relay=mx.example.org[192.0.2.7]:25, delay=1, delays=0/0/0/1, dsn=5.1.1, status=bounced (host \
    mx.example.org[192.0.2.7] said: 550 5.1.1 User unknown (in reply to RCPT TO command))";

/// Reads the bytes as either file.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    rules(text);
    configuration(text);
}

fn rules(text: &str) {
    let own = [RuleFile { file: "own.toml", text, with_options: false }];
    match Catalog::with_own(&own, &own) {
        Err(CatalogError::Table { file, line, .. }) => {
            assert_eq!(file, "own.toml");
            assert!((1..=lines(text)).contains(&line), "line {line} of {}", lines(text));
        }
        Ok(book) => {
            let ParsedLine::Event(event) = mta::read(&LogLine::read(BOUNCE.as_bytes())) else {
                panic!("a bounce is an event");
            };
            assert!(Classifier::new(&book).classify(&event).is_some(), "a bounce has no reason");
        }
    }
}

fn configuration(text: &str) {
    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    let system = folder.path().join("config.toml");
    fs::write(&system, text).expect("there is space for a small file");
    let shown = system.display().to_string();
    let words: Vec<OsString> = ["smtplog", "scan", "mail.log"].map(OsString::from).to_vec();
    if let Err(error) = resolve(&words, &|_| None, &ConfigPaths { system, user: None }) {
        let error = error.to_string();
        let said = error.split_once(&format!("{shown}, line "));
        let line: usize = said
            .and_then(|(_, rest)| rest.split_once(':')?.0.parse().ok())
            .unwrap_or_else(|| panic!("no line is named: {error}"));
        assert!((1..=lines(text)).contains(&line), "line {line} of {}", lines(text));
    }
}

/// An end of file behind the last newline is a line too: what is missing is missing there.
fn lines(text: &str) -> usize {
    1 + text.bytes().filter(|&byte| byte == b'\n').count()
}
