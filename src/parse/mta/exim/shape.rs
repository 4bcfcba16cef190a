//! Knows the shapes of Exim's lines that need no event, from the calls of `log_write()` in its source
//! (`Start queue run: pid=29`, `failed to open DB file …: Permission denied`).
//!
//! A line of another shape is not understood: an ACL can log any text, and so can a newer version.

use super::client::RejectedClient;
use super::text_table::{ROUTINE, WARNINGS};
use crate::parse::mta::parsed::{ParsedLine, address, begins, find, split_once, split_word};

/// A known shape of a line that needs no event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum LineShape {
    /// A connection, a queue run, a signature: nothing is wrong here.
    Routine,
    /// Exim's own warning or panic: its configuration, its files or its memory need attention.
    Warning,
}

/// Parses a text that is no event and no queue record. `None`: its shape is not known.
pub(crate) fn read(text: &[u8]) -> Option<ParsedLine<'_>> {
    match find_shape(text)? {
        LineShape::Routine | LineShape::Warning => Some(ParsedLine::Routine),
    }
}

/// The shape of a text that is no event and no queue record. `None`: no version of Exim that we know logs it.
pub(crate) fn find_shape(text: &[u8]) -> Option<LineShape> {
    if WARNINGS.begins(text) {
        return Some(LineShape::Warning);
    }
    if ROUTINE.begins(text) {
        return Some(LineShape::Routine);
    }
    of_client(text)
        .or_else(|| of_host(text))
        .or_else(|| of_address(text))
        .or_else(|| of_driver(text))
        .or_else(|| of_label(text))
        .or_else(|| of_event(text))
}

/// `H=mx (helo) [192.0.2.1] Warning: words`, `U=root sender verify fail for <a@b>: words` (Exim acl.c, acl_warn;
/// smtp_in.c).
fn of_client(text: &[u8]) -> Option<LineShape> {
    const MARKS: [&[u8]; 8] = [
        b"Warning: ",
        b"sender verify fail for <",
        b"sender verify defer for <",
        b"incomplete transaction (",
        b"TLS error on connection",
        b"rejected by DCC",
        b": rejected by DCC",
        b"X-",
    ];
    let (_, rest) = RejectedClient::read(text);
    let is_client = rest.len() < text.len();
    // With received_recipients, the recipients follow.
    (is_client && begins(rest.trim_ascii_start(), &MARKS)).then_some(LineShape::Routine)
}

/// `[192.0.2.1] SSL verify error: depth=0 …` (Exim tls-openssl.c), and `text: delivering unencrypted to H=mx [192.0.2.1] …`.
fn of_host(text: &[u8]) -> Option<LineShape> {
    let in_brackets = || {
        let (_, rest) = split_once(text.strip_prefix(b"[")?, b"] ")?;
        let marks: [&[u8]; 5] = [b"SSL verify ", b"SSL ", b"after QUIT, ", b"TLS ", b"certificate "];
        (begins(rest, &marks) || find(rest, b" Received TLS ").is_some()).then_some(LineShape::Routine)
    };
    let unencrypted = || {
        let marks: [&[u8]; 2] = [b": delivering unencrypted to ", b": callout unencrypted to "];
        marks.iter().any(|mark| find(text, mark).is_some()).then_some(LineShape::Routine)
    };
    // `192.0.2.1 RBL whitelisted example.org in skip_rbl_domains` of DirectAdmin's exim.conf.
    let whitelisted = || {
        let (host, rest) = split_word(text);
        let is_address = host.iter().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':'));
        (is_address && begins(rest, &[b"whitelisted in ", b"RBL whitelisted "])).then_some(LineShape::Routine)
    };
    in_brackets().or_else(unencrypted).or_else(whitelisted)
}

/// `<a@b>: pipe transport output: words`, `a@b <c@d>: error ignored`, `"x" from env-from rewritten as "y" by rule 1` (Exim
/// deliver.c, rewrite.c).
fn of_address(text: &[u8]) -> Option<LineShape> {
    if let Some((_, rest)) = text.strip_prefix(b"<").and_then(address) {
        return rest.starts_with(b": ").then_some(LineShape::Warning);
    }
    if text.starts_with(b"\"") {
        return find(text, b" rewritten ").map(|_| LineShape::Routine);
    }
    let ends: [&[u8]; 4] = [
        b": error ignored",
        b": error ignored: RFC 3461 DSN, failure notify not requested",
        b": accepted by +include_unknown",
        b": accepted by +include_defer",
    ];
    ends.iter().any(|end| text.ends_with(end)).then_some(LineShape::Routine)
}

/// `dnslookup router: skipped error: …`, `plain authenticator (PLAIN): …`, `12 select() failures: …`.
fn of_driver(text: &[u8]) -> Option<LineShape> {
    const KINDS: [&[u8]; 11] = [
        b"router: ",
        b"router ",
        b"transport: ",
        b"transport process ",
        b"transport output: ",
        b"authenticator: ",
        b"authenticator (",
        b"authenticator cancelled authentication ",
        b"select() failure",
        b"accept() failure",
        b"unknown error (memory/cpu corruption?)",
    ];
    let (name, rest) = split_word(text);
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    (name.iter().all(is_name) && begins(rest, &KINDS)).then_some(LineShape::Warning)
}

/// `spam_score: 3.1`, `subject <words>`: what an administrator logs with the `logwrite` modifier of an ACL, where it begins
/// with a label and no word in it tells of mail that was not delivered (Exim acl.c). A label in capitals is mostly the name
/// of one of Exim's own modules, whose lines are in the tables.
fn of_label(text: &[u8]) -> Option<LineShape> {
    const FAILURES: [&[u8]; 10] =
        [b"eject", b"efus", b"efer", b"ounc", b"enied", b"eny", b"iscard", b"ropped", b"lock", b"ail"];
    let is_label = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'$');
    let length = text.iter().take(40).take_while(|byte| is_label(byte)).count();
    let (label, rest) = text.split_at_checked(length)?;
    let is_labelled =
        matches!(rest, [b':', b' ' | b'\t', ..] | [b'\t', ..] | [b' ', b'<', ..]) || rest == b":";
    // `peer dn<TAB>CN=x`: before a tab, a label may have several words.
    let words = text.iter().take(40).take_while(|byte| is_label(byte) || **byte == b' ').count();
    let is_tabbed = text.get(words) == Some(&b'\t');
    let is_labelled = label.iter().any(u8::is_ascii_lowercase) && (is_labelled || is_tabbed);
    let tells_failure = || FAILURES.iter().any(|word| find(rest, word).is_some());
    (is_labelled && !tells_failure()).then_some(LineShape::Routine)
}

/// `event msg:complete`, `tcp:close words`: what an `event_action` logs, beginning with the name of the event (Exim spec,
/// "Events").
fn of_event(text: &[u8]) -> Option<LineShape> {
    const EVENTS: [&[u8]; 15] = [
        b"auth:fail",
        b"dane:fail",
        b"dns:fail",
        b"msg:complete",
        b"msg:defer",
        b"msg:delivery",
        b"msg:fail:",
        b"msg:host:defer",
        b"msg:rcpt:",
        b"smtp:connect",
        b"smtp:ehlo",
        b"smtp:fail:",
        b"tcp:c",
        b"tls:cert",
        b"tls:fail:",
    ];
    let name = text.strip_prefix(b"event ").unwrap_or(text);
    begins(name, &EVENTS).then_some(LineShape::Routine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_routine_from_warning_and_from_what_nobody_knows() {
        let (routine, warning) = (Some(LineShape::Routine), Some(LineShape::Warning));
        for (text, shape) in [
            ("Start queue run: pid=29", routine),
            ("exim 4.98 daemon started: pid=7, -q30m, listening for SMTP on port 25", routine),
            ("exim user lost privilege for using -C option", warning),
            ("H=mx (h) [192.0.2.1]:25 I=[192.0.2.9]:25 Warning: 550 rejected", routine),
            ("H=mx (h) [192.0.2.1]:25 has another text", None),
            ("U=root sender verify fail for <a@example.org>: Unrouteable address", routine),
            ("[192.0.2.1] SSL verify error: depth=0 error=self-signed certificate", routine),
            ("[192.0.2.1] another text", None),
            ("DKIM: d=example.org s=k c=relaxed/relaxed a=rsa-sha256 [verification succeeded]", routine),
            ("DKIM: signing failed: no key", warning),
            ("failed to open DB file /var/spool/exim/db/retry: Permission denied", warning),
            ("virtual router: skipped error: bad address", warning),
            ("virtual another text", None),
            ("<a@example.org>: address_pipe transport output: no", warning),
            ("a@example.org <b@example.org>: error ignored", routine),
            ("\"a@example.org\" from env-from rewritten as \"b@example.org\" by rule 1", routine),
            ("spam_score: 3.1", routine),
            ("spam_score: 9.1, message rejected", None),
            ("peer dn\tCN=mx.example.org", routine),
            ("event msg:fail:delivery", routine),
            ("event of another kind", None),
            ("NEWMODULE: words", None),
            ("Score of this message is 7", None),
            ("", None),
        ] {
            assert_eq!(find_shape(text.as_bytes()), shape, "{text}");
        }
    }
}
