//! Any text in a log: no format lets through what a terminal, a browser, a table or a mail server would obey.

use std::fs;

use serde_json::json;
use smtplog::internals::render::csv::event_sender;
use smtplog::internals::render::markdown_explain::escaped;
use smtplog::internals::render::sanitize::{printable, printable_json};

use super::program::answer;

/// Escapes the bytes by themselves, and shows reports of a log with them in its names and texts.
pub fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    values(&text);
    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    let file = folder.path().join("mail.log");
    fs::write(&file, log(bytes)).expect("there is space for a small file");
    for format in ["text", "json", "csv", "markdown", "html", "prometheus", "line"] {
        let shown = answer(&["scan", "--who", "--format", format], &file);
        assert_safe(&shown, format);
        match format {
            "html" => assert_known_tags(&shown),
            "json" => drop(serde_json::from_str::<serde_json::Value>(&shown).expect("it is JSON")),
            "line" => assert_eq!(shown.lines().count(), 1, "a monitor reads one line"),
            _ => {}
        }
    }
    let mail = answer(&["scan", "--mail-headers", "--mail-to", "a@example.org"], &file);
    let (head, _) = mail.split_once("\n\n").expect("an empty line ends the header");
    assert!(head.bytes().all(|byte| byte == b'\n' || (b' '..=b'~').contains(&byte)), "{head:?}");
}

fn values(text: &str) {
    let shown = printable(text);
    assert_safe(&shown, "printable");
    assert_eq!(printable(&shown), shown, "nothing is left to be made printable");
    let written = json!({ "text": text }).to_string();
    let written = printable_json(&written).unwrap_or(written);
    assert_safe(&written, "printable_json");
    assert_eq!(serde_json::from_str::<serde_json::Value>(&written).expect("it is JSON")["text"], text);
    let markdown = escaped(text);
    assert_eq!(unescaped(&markdown), shown, "Markdown shows the same text");
    let cell = event_sender(text);
    let mut rows = csv::ReaderBuilder::new().has_headers(false).from_reader(cell.as_bytes());
    let row = rows.records().next().map(|row| row.expect("it is CSV"));
    let value = row.as_ref().and_then(|row| row.get(0)).unwrap_or_default();
    assert!(row.as_ref().is_none_or(|row| row.len() == 1), "one cell became several");
    assert!(value == shown || value == format!("'{shown}"), "{value:?} for {shown:?}");
    assert!(!value.starts_with(['=', '+', '-', '@']), "a spreadsheet runs {value:?}");
}

/// Without the backslashes of Markdown.
fn unescaped(markdown: &str) -> String {
    let mut signs = markdown.chars();
    let mut text = String::new();
    while let Some(sign) = signs.next() {
        let shown = if sign == '\\' { signs.next() } else { Some(sign) };
        text.extend(shown);
    }
    text
}

fn log(bytes: &[u8]) -> Vec<u8> {
    let text: Vec<u8> = bytes.iter().copied().filter(|&byte| byte != b'\n').collect();
    let line = |program: &str, parts: &[&[u8]]| {
        [format!("Nov 22 03:04:05 mx1 postfix/{program}[12]: ").as_bytes(), &parts.concat(), b"\n"].concat()
    };
    [
        line("qmgr", &[b"4jXCsJ3c7Hz7j9M: from=<", &text, b">, size=1000, nrcpt=1 (queue active)"]),
        line("smtp", &[
            b"4jXCsJ3c7Hz7j9M: to=<",
            &text,
            b">, relay=mx.example.org[192.0.2.7]:25, delay=1, delays=0/0/0/1, dsn=5.1.1, status=bounced (host \
              mx.example.org[192.0.2.7] said: 550 5.1.1 ",
            &text,
            b" (in reply to RCPT TO command))",
        ]),
        line("smtpd", &[
            b"NOQUEUE: reject: RCPT from ",
            &text,
            b"[192.0.2.9]: 554 5.7.1 <b@example.org>: Relay access denied; from=<c@example.org> \
              to=<b@example.org> proto=ESMTP helo=<",
            &text,
            b">",
        ]),
        line("smtp", &[&text]),
    ]
    .concat()
}

/// Neither control characters nor signs that turn a line around.
fn assert_safe(shown: &str, format: &str) {
    let turns = |sign: char| {
        matches!(sign, '\u{61c}' | '\u{200e}' | '\u{200f}')
            || matches!(sign, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let hostile = shown.chars().find(|&sign| sign != '\n' && sign.is_control() || turns(sign));
    assert_eq!(hostile, None, "{format}");
}

/// The page has no other tags than ours; its style and its script come from no log.
fn assert_known_tags(page: &str) {
    const TAGS: &str = "!doctype a b body br button caption circle code dd details div dl dt em figcaption figure \
        footer g h1 h2 h3 head header html i input label li line main meta nav ol output p path polyline pre rect script \
        section small span strong style summary svg table tbody td text tfoot th thead time title tr \
        ul";
    for ours in ["<style", "<script"] {
        assert!(page.matches(ours).count() <= 1, "{ours}");
    }
    let mut rest = page;
    while let Some((_, tag)) = rest.split_once('<') {
        let tag = tag.strip_prefix('/').unwrap_or(tag);
        let name =
            tag.split(|sign: char| !sign.is_ascii_alphanumeric() && sign != '!').next().unwrap_or_default();
        let small = name.to_ascii_lowercase();
        assert!(TAGS.split(' ').any(|known| known == small), "<{name}");
        let end = if matches!(&*small, "style" | "script") { format!("</{small}") } else { String::new() };
        rest = tag.split_once(&end).map_or(tag, |(_, rest)| rest);
    }
}
