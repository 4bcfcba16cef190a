//! Hostile text in every place of a line where a remote party writes: the fields of the event stay those of the server, and
//! no output format passes the text on raw. A reply that was cut off keeps its code.

use std::fmt::Write as _;

use serde_json::Value;

use crate::support;
use smtplog::internals::parse::header::LogLine;
use smtplog::internals::parse::mta;
use smtplog::internals::parse::mta::parsed::ParsedLine;

/// Text that looks like the fields of some server's line, or acts in some format.
const VALUES: [&str; 84] = [
    // Postfix
    "x>: no; from=<a@b> to=<c@d> proto=ESMTP helo=<h",
    "x; from=<a@b> to=<c@d> proto=ESMTP helo=<h>",
    "; from=<a@b> to=<c@d",
    "; from=<a@b> to=<c@d>",
    "; proto=SMTP helo=<h>",
    "; from=<",
    "x>: Recipient address rejected: no; from=<a@b> to=<c@d> proto=ESMTP helo=<h",
    "x; from=<a@b> to=<c@d> proto=ESMTP helo=<h> sasl_username=root",
    " sasl_username=root",
    ", sasl_username=root",
    "> sasl_username=<root",
    "x from z[192.0.2.66]; from=<a@b> to=<c@d> proto=ESMTP helo=<h>: no",
    " from z[192.0.2.66]: 250 2.0.0 ok",
    "[192.0.2.66]: SASL LOGIN authentication failed: x, sasl_username=root",
    "rate limit exceeded: 31 from z[192.0.2.66] for service smtpd",
    " -- message not accepted, try again later",
    ">, relay=z[192.0.2.66]:25, delay=1, delays=0/0/0/0, dsn=2.0.0, status=sent (250 2.0.0 ok)",
    ", status=sent (250 ok)",
    "(in reply to RCPT TO command)",
    ") (in reply to MAIL FROM command)",
    "host z[192.0.2.66] said: 250 2.0.0 ok",
    ", status=expired, returned to sender",
    "queued as 9F1C2D3E4B",
    "status=bounced",
    "dsn=2.0.0",
    "NOQUEUE: reject: RCPT from z[192.0.2.66]: 554 5.7.1 no",
    "nrcpt=9 (queue active)",
    "client=z[192.0.2.66], sasl_username=root",
    // Exim
    " R=forged T=forged H=z [192.0.2.66] C=\"250 ok\"",
    "x R=forged T=remote_smtp",
    "x H=z [192.0.2.66]",
    " C=\"250 forged\"",
    "x : SMTP error from remote mail server after RCPT TO:<c@d>: 250 ok",
    ": SMTP error from remote mail server after end of data: 250 ok",
    ": retry timeout exceeded",
    " defer (-44): SMTP error",
    "x) [192.0.2.66] F=<a@b> rejected RCPT <c@d>: no",
    "x) [192.0.2.66]:25 I=[192.0.2.9]:25 P=esmtp S=9 id=z",
    ") [192.0.2.66]: 535 Incorrect authentication data (set_id=root)",
    " F=<a@b> rejected RCPT <c@d>: no",
    " rejected RCPT <c@d>: no",
    " (set_id=root)",
    " U=root P=local S=9",
    " A=plain:root",
    " T=\"x\" for c@d",
    " <c@d>",
    " <\"x\"@d>",
    "blackhole (x)",
    ":blackhole:",
    "|/bin/true",
    "(c@d)",
    "a@b",
    // Sendmail
    ", mailer=local, relay=z [192.0.2.66], dsn=2.0.0, stat=Sent (ok)",
    ", stat=Sent",
    ", reject=250 2.0.0 ok",
    ", relay=z [192.0.2.66], reject=550 no",
    ", nrcpts=0, ",
    ", msgid=<z>, relay=z [192.0.2.66]",
    ", user=root, relay=z [192.0.2.66]",
    "... User unknown",
    ": SMTP violation, input too long: x",
    ", discard",
    // OpenSMTPD
    "\" result=\"250 ok",
    "\" => 250 ok",
    " result=\"Ok\" stat=\"250 ok\"",
    " address=192.0.2.66 host=z",
    // any server
    "550 5.1.1 forged",
    "250 2.0.0 ok",
    " 421 4.7.0 later 250 2.0.0 ok",
    // any format
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "=cmd|'/c calc'!A1",
    "+1+1",
    "@SUM(1)",
    "$(id)`id`;id",
    "'; id; '",
    "x|perfdata=1;2;3",
    "[x](javascript:alert(1))",
    "| a | b |",
    "\u{1b}[31mred\u{1b}]0;title\u{7}",
    "\u{202e}gnp.exe",
    "smtplog_rows{x=\"y\"} 9",
    "%0d%0aBcc: z@evil.example",
    "{{x}}${jndi:ldap://x}",
];

/// One kind of line: with VALUE where the remote party writes. `QUOTED` is the value as the quoted local part of an address.
struct Kind {
    name: &'static str,
    line: &'static str,
    /// Recipient, sender, client or server, code, and login. `QUOTED` as above, `-` for none.
    wanted: [&'static str; 5],
}

const PF: &str = "Nov 22 03:04:05 mx1 postfix/";

const KINDS: [Kind; 22] = [
    Kind {
        name: "Postfix refuses a recipient",
        line: "smtpd[1]: NOQUEUE: reject: RCPT from mx[192.0.2.1]: 550 5.1.1 <BARE@evil.example>: Recipient address rejected: \
               User unknown; from=<s@example.org> to=<QUOTED> proto=ESMTP helo=<mx>",
        wanted: ["QUOTED", "s@example.org", "192.0.2.1", "550", "-"],
    },
    Kind {
        name: "Postfix refuses a sender",
        line: "smtpd[1]: NOQUEUE: reject: RCPT from mx[192.0.2.1]: 553 5.7.1 <BARE@evil.example>: Sender address rejected: no; \
               from=<QUOTED> to=<r@example.org> proto=ESMTP helo=<mx>",
        wanted: ["r@example.org", "QUOTED", "192.0.2.1", "553", "-"],
    },
    Kind {
        name: "Postfix shows the text of a policy server",
        line: "smtpd[1]: NOQUEUE: reject: RCPT from mx[192.0.2.1]: 550 5.7.23 <r@example.org>: Recipient address rejected: \
               VALUE; from=<s@example.org> to=<r@example.org> proto=ESMTP helo=<mx> sasl_method=PLAIN sasl_username=anna",
        wanted: ["r@example.org", "s@example.org", "192.0.2.1", "550", "anna"],
    },
    Kind {
        name: "a milter's text",
        line: "cleanup[1]: 4jXCsJ3c7Hz7j9M: milter-reject: END-OF-MESSAGE from mx[192.0.2.1]: 5.7.1 VALUE; \
               from=<s@example.org> to=<r@example.org> proto=ESMTP helo=<mx>",
        wanted: ["r@example.org", "s@example.org", "192.0.2.1", "-", "-"],
    },
    Kind {
        name: "a filter's reply",
        line: "smtpd[1]: 4jXCsJ3c7Hz7j9M: proxy-reject: END-OF-MESSAGE: 554 5.7.0 VALUE; from=<s@example.org> \
               to=<r@example.org> proto=ESMTP helo=<mx> sasl_username=<anna>",
        wanted: ["r@example.org", "s@example.org", "-", "554", "anna"],
    },
    Kind {
        name: "a subject that header_checks refuses",
        line: "cleanup[1]: 4jXCsJ3c7Hz7j9M: reject: header Subject: VALUE from mx[192.0.2.1]; from=<s@example.org> \
               to=<r@example.org> proto=ESMTP helo=<mx>: 5.7.1 no",
        wanted: ["r@example.org", "s@example.org", "192.0.2.1", "-", "-"],
    },
    Kind {
        name: "a subject that header_checks warns of",
        line: "cleanup[1]: 4jXCsJ3c7Hz7j9M: warning: header Subject: VALUE from mx[192.0.2.1]; from=<s@example.org> \
               to=<r@example.org> proto=ESMTP helo=<mx>",
        wanted: ["r@example.org", "s@example.org", "192.0.2.1", "-", "-"],
    },
    Kind {
        name: "a login name that fails at Postfix",
        line: "smtpd[1]: warning: mx[192.0.2.1]: SASL LOGIN authentication failed: no, sasl_username=VALUE",
        wanted: ["-", "-", "192.0.2.1", "-", "VALUE"],
    },
    Kind {
        name: "what a client says instead of a command",
        line: "smtpd[1]: warning: non-SMTP command from mx[192.0.2.1]: VALUE",
        wanted: ["-", "-", "192.0.2.1", "-", "-"],
    },
    Kind {
        name: "a reply to Postfix",
        line: "smtp[1]: 4jXCsJ3c7Hz7j9M: to=<r@example.org>, relay=mx[192.0.2.1]:25, delay=1, delays=0/0/0/1, dsn=5.7.1, \
               status=bounced (host mx[192.0.2.1] said: 550-5.7.1 first 550 5.7.1 VALUE (in reply to RCPT TO command))",
        wanted: ["r@example.org", "-", "192.0.2.1", "550", "-"],
    },
    Kind {
        name: "a recipient of Postfix's",
        line: "smtp[1]: 4jXCsJ3c7Hz7j9M: to=<QUOTED>, relay=mx[192.0.2.1]:25, delay=1, delays=0/0/0/1, dsn=5.7.1, \
               status=bounced (host mx[192.0.2.1] said: 550 5.7.1 no (in reply to RCPT TO command))",
        wanted: ["QUOTED", "-", "192.0.2.1", "550", "-"],
    },
    Kind {
        name: "a recipient of Exim's",
        line: "2026-11-22 03:04:05 1xUxgC-000022-1C => BARE@evil.example <QUOTED> F=<s@example.org> R=dnslookup T=remote_smtp \
               H=mx [192.0.2.1]:25 C=\"250 OK\"",
        wanted: ["QUOTED", "s@example.org", "192.0.2.1", "250", "-"],
    },
    Kind {
        name: "a recipient that fails at Exim",
        line: "2026-11-22 03:04:05 1xUxgC-000022-1C ** BARE@evil.example <QUOTED> F=<s@example.org> R=dnslookup \
               T=remote_smtp H=mx [192.0.2.1]:25: SMTP error from remote mail server after RCPT TO:<QUOTED>: 550 no",
        wanted: ["QUOTED", "s@example.org", "192.0.2.1", "550", "-"],
    },
    Kind {
        name: "a local recipient of Exim's that is deferred",
        line: "2026-11-22 03:04:05 1xUxgC-000022-1C == BARE@evil.example <QUOTED> R=dnslookup T=remote_smtp defer (-44) \
               H=mx [192.0.2.1]: SMTP error from remote mail server after RCPT TO:<QUOTED>: 450 no",
        wanted: ["QUOTED", "-", "192.0.2.1", "450", "-"],
    },
    Kind {
        name: "a sender in a refusal of Exim's",
        line: "2026-11-22 03:04:05 H=mx (mx2) [192.0.2.1]:25 F=<QUOTED> rejected RCPT <r@example.org>: no",
        wanted: ["r@example.org", "QUOTED", "192.0.2.1", "-", "-"],
    },
    Kind {
        name: "a recipient in a refusal of Exim's",
        line: "2026-11-22 03:04:05 H=(mx2) [192.0.2.1]:25 F=<s@example.org> rejected RCPT <QUOTED>: no",
        wanted: ["QUOTED", "s@example.org", "192.0.2.1", "-", "-"],
    },
    Kind {
        name: "a junk HELO of Exim's",
        line: "2026-11-22 03:04:05 H=(VALUE) [192.0.2.1]:25 I=[192.0.2.9]:25 F=<s@example.org> rejected RCPT \
               <r@example.org>: no",
        wanted: ["r@example.org", "s@example.org", "192.0.2.1", "-", "-"],
    },
    Kind {
        name: "a login name that fails at Exim",
        line: "2026-11-22 03:04:05 login authenticator failed for H=(mx2) [192.0.2.1]:25: 535 Incorrect authentication data \
               (set_id=VALUE)",
        wanted: ["-", "-", "192.0.2.1", "535", "?"],
    },
    Kind {
        name: "a recipient that Sendmail refuses",
        line: "Nov 22 03:04:05 mx1 sm-mta[9]: h6RDLNtg011461: ruleset=check_rcpt, arg1=<QUOTED>, relay=mx [192.0.2.1], \
               reject=550 5.7.1 <QUOTED>... Relaying denied",
        wanted: ["QUOTED", "-", "192.0.2.1", "550", "-"],
    },
    Kind {
        name: "a recipient of Sendmail's",
        line: "Nov 22 03:04:05 mx1 sm-mta[9]: h6RDLNtg011461: to=<QUOTED>, delay=00:00:01, xdelay=00:00:01, mailer=esmtp, \
               pri=1, relay=mx. [192.0.2.1], dsn=5.1.1, reply=550 5.1.1 no, stat=User unknown",
        wanted: ["QUOTED", "-", "192.0.2.1", "550", "-"],
    },
    Kind {
        name: "a command that OpenSMTPD refuses",
        line: "Nov 22 03:04:05 mx1 smtpd[9]: 8f4864084ecc48f4 smtp failed-command command=\"VALUE\" \
               result=\"550 Invalid command\"",
        wanted: ["?", "?", "-", "550", "-"],
    },
    Kind {
        name: "a reply to OpenSMTPD",
        line: "Nov 22 03:04:05 mx1 smtpd[9]: 8f4864084ecc48f4 mta delivery evpid=7077717e797a776e from=<s@example.org> \
               to=<r@example.org> rcpt=<-> source=\"192.0.2.9\" relay=\"192.0.2.1 (mx)\" delay=1s result=\"PermFail\" \
               stat=\"550 5.7.1 VALUE\"",
        wanted: ["r@example.org", "s@example.org", "192.0.2.1", "550", "-"],
    },
];

/// The line with a value, as the server writes it: control characters are replaced (`printable` of Postfix and its like).
fn filled(kind: &Kind, value: &str) -> (String, String) {
    let value: String = value.chars().map(|sign| if sign.is_control() { '?' } else { sign }).collect();
    let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
    let quoted = format!("\"{escaped}\"@evil.example");
    let tag = if kind.line.starts_with("20") || kind.line.starts_with("Nov") { "" } else { PF };
    let line = kind.line.replace("QUOTED", &quoted).replace("BARE", &value).replace("VALUE", &value);
    (format!("{tag}{line}"), quoted)
}

#[test]
fn no_text_of_a_remote_party_becomes_a_field() {
    let mut wrong = String::new();
    for kind in &KINDS {
        for value in VALUES {
            let (line, quoted) = filled(kind, value);
            let line = LogLine::read(line.as_bytes());
            let ParsedLine::Event(event) = mta::read(&line) else {
                let _ = writeln!(wrong, "{}: no event: {value}", kind.name);
                continue;
            };
            let shown = |text: Option<&[u8]>| text.map(|text| String::from_utf8_lossy(text).into_owned());
            let found = [
                shown(event.recipient),
                shown(event.sender),
                shown(event.peer.ip),
                event.code.map(|code| code.to_string()),
                shown(mta::login(&event, &line)),
            ];
            for (found, wanted) in found.into_iter().zip(kind.wanted) {
                let printed: String =
                    value.chars().map(|sign| if sign.is_control() { '?' } else { sign }).collect();
                let wanted = wanted.replace("QUOTED", &quoted).replace("VALUE", &printed);
                let found = found.unwrap_or_else(|| "-".to_owned());
                if wanted != "?" && found != wanted {
                    let _ = writeln!(wrong, "{}: {value}: {found} and not {wanted}", kind.name);
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{wrong}", wrong.lines().count());
}

/// A log with one line of each kind for each value.
fn hostile_log() -> tempfile::NamedTempFile {
    let mut log = String::new();
    for kind in &KINDS {
        for value in VALUES {
            // Here with the control characters: a log may be written by anything.
            let (line, _) = filled(kind, value);
            let raw = line.replace("?[31mred?]0;title?", "\u{1b}[31mred\u{1b}]0;title\u{7}");
            log.push_str(&raw);
            log.push('\n');
        }
    }
    let file = tempfile::Builder::new().suffix(".log").tempfile().unwrap();
    std::fs::write(file.path(), log).unwrap();
    file
}

fn scan(log: &tempfile::NamedTempFile, args: &[&str]) -> String {
    let all: Vec<&str> =
        ["scan", "--tz", "UTC", "--year", "2026", "--now", "2026-11-23T00:00:00Z", "--top", "1000"]
            .into_iter()
            .chain(args.iter().copied())
            .chain([log.path().to_str().unwrap()])
            .collect();
    support::answer(&all).0
}

#[test]
fn no_format_passes_the_text_on_raw() {
    let log = hostile_log();
    let is_safe = |sign: char| !sign.is_control() && sign != '\u{202e}';
    for format in ["text", "html", "csv", "md", "prometheus", "json", "mail", "nagios"] {
        let text = match format {
            "mail" => scan(&log, &["--mail-headers", "--warn-on", "refused>1"]),
            "nagios" => scan(&log, &["--nagios", "--warn-on", "refused>1"]),
            _ => scan(&log, &["--format", format]),
        };
        assert!(!text.is_empty(), "{format}");
        let bad = text.chars().filter(|sign| !matches!(sign, '\n' | '\t')).find(|sign| !is_safe(*sign));
        assert_eq!(bad, None, "{format}");
        match format {
            "html" => {
                assert!(!text.contains("<script>alert") && !text.contains("<img"), "{format}");
            }
            "csv" => {
                for record in csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes()).records()
                {
                    for field in &record.unwrap() {
                        assert!(!field.starts_with(['=', '+', '@', '\t', '\r']), "{field}");
                    }
                }
            }
            "md" => assert!(!text.contains("<script") && !text.contains("](javascript"), "{text}"),
            "prometheus" => {
                for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
                    let value = line.rsplit(' ').next().unwrap();
                    assert!(line.starts_with("smtplog_") && value.parse::<f64>().is_ok(), "{line}");
                }
            }
            "json" => drop(serde_json::from_str::<Value>(&text).unwrap()),
            "mail" => {
                let headers = text.split("\n\n").next().unwrap();
                assert!(
                    headers.lines().all(|line| line.contains(": ") || line.starts_with(' ')),
                    "{headers}"
                );
                assert!(!headers.contains("evil.example"), "{headers}");
            }
            "nagios" => assert!(text.matches('|').count() <= 1, "{text}"),
            _ => {}
        }
    }
}

#[test]
fn a_reply_that_was_cut_off_keeps_its_code() {
    let mut lines = 0;
    for log in support::logs() {
        let text = std::fs::read(&log).unwrap();
        for line in text.split(|&byte| byte == b'\n').step_by(7) {
            let event = |line: &[u8]| match mta::read(&LogLine::read(line)) {
                ParsedLine::Event(event) => Some((event.code, event.enhanced)),
                _ => None,
            };
            let Some((Some(code), _)) = event(line) else { continue };
            lines += 1;
            for end in 0..line.len() {
                let cut = event(line.get(..end).unwrap()).and_then(|(code, _)| code);
                assert!(
                    cut.is_none_or(|cut| cut == code),
                    "{} at {end}: {cut:?} and not {code}",
                    String::from_utf8_lossy(line)
                );
            }
        }
    }
    assert!(lines > 100, "{lines}");
}

#[test]
fn a_long_reply_that_syslog_cut_off_keeps_its_code() {
    let words = "550 5.7.1 words 250 2.0.0 ok 421 4.7.0 later ".repeat(400);
    let front = "Nov 22 03:04:05 mx1 postfix/smtp[1]: 4jXCsJ3c7Hz7j9M: to=<r@example.org>, relay=mx[192.0.2.1]:25, delay=1, \
                 delays=0/0/0/1, dsn=5.7.1, status=bounced (host mx[192.0.2.1] said: 550-5.7.1 ";
    let line = format!("{front}{words}");
    for size in [480, 1024, 2048, 8192] {
        let ParsedLine::Event(event) = mta::read(&LogLine::read(line.as_bytes().get(..size).unwrap())) else {
            panic!("{size}")
        };
        assert_eq!(event.code.map(smtplog::Code::number), Some(550), "{size}");
        assert_eq!(event.enhanced.map(|code| code.to_string()).as_deref(), Some("5.7.1"), "{size}");
    }
}
