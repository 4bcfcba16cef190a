//! Parses what Exim prints on a terminal with `-v`, as many container images run it: each log line follows a line with its
//! log, both behind the process id (`  273 LOG: MAIN`, `  273   == a@b R=dnslookup defer (-1): …`).
//!
//! The lines have no timestamp and no queue id (Exim log.c, log_write; debug.c, debug_vprintf).

use super::{attempt, delivery, reject, shape};
use crate::parse::mta::parsed::{ParsedLine, begins, find};
use crate::parse::process_tag::without_padded_pid;

/// Whether the text of a line without timestamp and program has this form.
pub(crate) fn is_line(text: &[u8]) -> bool {
    printed(text).is_some()
}

/// Parses a line of this form. `None`: the text has another form.
pub(crate) fn read(text: &[u8]) -> Option<ParsedLine<'_>> {
    match printed(text)? {
        Printed::Logged(text) => Some(of_log(text).unwrap_or(ParsedLine::Foreign)),
        Printed::Other => Some(ParsedLine::Routine),
    }
}

enum Printed<'a> {
    /// The text of a log line.
    Logged(&'a [u8]),
    /// The name of the log, a line of the SMTP dialog, or the progress of a delivery.
    Other,
}

fn printed(text: &[u8]) -> Option<Printed<'_>> {
    const PROGRESS: [&[u8]; 7] =
        [b"LOG:", b"delivering ", b"Connecting to ", b"R: ", b"T: ", b"connected", b"using "];
    const DIALOG: [&[u8]; 7] = [b"SMTP>", b"SMTP<", b"SMTP|", b"SMTP+", b"SMTP(", b"SMTP^", b"TLS session: "];
    /// Beginnings of log lines that no other program prints behind two blanks.
    const LOGGED: [&[u8]; 8] = [b"<= ", b"=> ", b"-> ", b">> ", b"** ", b"== ", b"H=", b"Completed"];
    let numbered = without_padded_pid(text);
    let printed = numbered.unwrap_or(text);
    match printed.strip_prefix(b"  ") {
        Some(logged) if numbered.is_some() && begins(logged, &DIALOG) => Some(Printed::Other),
        Some(logged) if numbered.is_some() && !logged.starts_with(b" ") => Some(Printed::Logged(logged)),
        // Without the process id, the end of the form decides, too.
        Some(logged) if begins(logged, &LOGGED) && (logged.contains(&b'@') || logged == b"Completed") => {
            Some(Printed::Logged(logged))
        }
        Some(_) => None,
        None if numbered.is_some() => begins(printed, &PROGRESS).then_some(Printed::Other),
        None => begins(printed, &[b"LOG: MAIN", b"LOG: PANIC"]).then_some(Printed::Other),
    }
}

/// Parses the text of a log line without its queue id.
fn of_log(text: &[u8]) -> Option<ParsedLine<'_>> {
    let is_flag = matches!(text, [b'=' | b'-' | b'>', b'>', b' ', ..]);
    // Other programs print arrows, too.
    if is_flag && find(text, b" T=").is_none() && find(text, b" <").is_none() {
        return None;
    }
    if text.starts_with(b"<= ") || text.starts_with(b"Completed") {
        return Some(ParsedLine::Routine);
    }
    delivery::split_flag(text)
        .map(|(flag, rest)| delivery::read(None, flag, rest))
        .or_else(|| reject::read(None, text))
        .or_else(|| attempt::read(None, text))
        .or_else(|| shape::read(text))
}
