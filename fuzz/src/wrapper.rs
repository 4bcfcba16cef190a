//! Any bytes in the wrappers of the journal, of containers and of log shippers: one line stays one line, and a line with
//! a header of its own comes out as it went in.

use serde_json::json;
use smtplog::internals::parse::header::LogLine;
use smtplog::internals::parse::mta;
use smtplog::internals::parse::unwrap::unwrap_line;

/// A header that lacks nothing, so that a wrapper has nothing to add.
const HEADER: &str = "Nov 22 03:04:05 mx1 postfix/smtp[12]: ";

/// Unwraps the bytes as they are, and a line with these bytes as its text from each wrapper.
pub fn check(bytes: &[u8]) {
    opens(bytes);
    for object in [
        json!({ "message": String::from_utf8_lossy(bytes), "program": "postfix/smtp", "host": "mx1" }),
        json!({ "MESSAGE": bytes, "__REALTIME_TIMESTAMP": "1795316645123456", "_COMM": "smtp" }),
    ] {
        opens(object.to_string().as_bytes());
    }
    let text: String = String::from_utf8_lossy(bytes).chars().filter(|sign| !sign.is_control()).collect();
    let line = format!("{HEADER}{}", text.trim_end());
    let object = json!({ "log": line }).to_string();
    for wrapped in [format!("mail-1  | {line}"), format!("{object}\n"), format!("mail-1 | {object}")] {
        let mut inside = Vec::new();
        let opened = unwrap_line(wrapped.trim_end().as_bytes(), &mut inside);
        assert_eq!(String::from_utf8_lossy(opened), line, "from {wrapped}");
    }
}

fn opens(raw: &[u8]) {
    let mut inside = Vec::new();
    let line = unwrap_line(raw, &mut inside);
    if line.as_ptr() != raw.as_ptr() {
        assert!(!line.iter().any(|byte| matches!(byte, b'\n' | b'\r')), "two lines from one");
    }
    mta::read(&LogLine::read(line));
}
