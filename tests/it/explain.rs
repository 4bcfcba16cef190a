//! Checks `explain`, `compare` and `codes`: every entry has all sections, in every format.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::support::answer;
use assert_cmd::cargo::cargo_bin;
use clap::ValueEnum;
use serde_json::Value;
use smtplog::internals::catalog;
use smtplog::internals::catalog::classify::Reason;
use smtplog::internals::smtp::reply::Code;

/// The codes of which every pair is tested.
const PAIRED: [&str; 35] = [
    "211", "214", "220", "221", "250", "251", "252", "354", "421", "450", "451", "452", "453", "454", "455",
    "500", "501", "502", "503", "504", "530", "535", "550", "551", "552", "553", "554", "555", "556", "334",
    "235", "521", "534", "432", "571",
];

/// Pairs that have a comparison written by hand.
const WRITTEN: [[&str; 2]; 7] = [
    ["211", "452"],
    ["221", "450"],
    ["221", "452"],
    ["221", "552"],
    ["421", "452"],
    ["450", "552"],
    ["452", "552"],
];

fn json(args: &[&str]) -> Value {
    serde_json::from_str(&answer(&[args, &["--format", "json"]].concat()).0).unwrap()
}

/// The one entry of an answer.
fn entry(what: &str, more: &[&str]) -> Value {
    json(&[&["explain", what], more].concat())["entries"][0].take()
}

/// The one line of an answer.
fn brief(what: &str, more: &[&str]) -> Value {
    let (text, _) = answer(&[&["explain", "--format", "ndjson", what], more].concat());
    assert_eq!(text.lines().count(), 1, "{text}");
    serde_json::from_str(&text).unwrap()
}

fn all_codes() -> Vec<String> {
    catalog::codes().iter().map(|row| row.code.to_string()).collect()
}

/// A word that no answer may contain: the reader is the administrator.
#[track_caller]
fn is_for_an_administrator(text: &str) {
    let lower = text.to_lowercase();
    for phrase in ["contact your", "your administrator", "contact the administrator", "support team"] {
        assert!(!lower.contains(phrase), "{phrase}: {text}");
    }
}

#[track_caller]
fn is_full(list: &Value, what: &str) {
    let list = list.as_array().unwrap();
    assert!(!list.is_empty(), "{what} is empty");
    for one in list {
        let text = one.as_str().or_else(|| one["text"].as_str());
        assert!(text.is_none_or(|text| !text.is_empty()), "{what}: {one}");
    }
}

#[test]
fn every_code_has_every_section() {
    for code in all_codes() {
        let entry = entry(&code, &[]);
        for section in ["description", "stages", "when", "fixes", "unlike", "related", "sources"] {
            is_full(&entry[section], &format!("{code} {section}"));
        }
        for field in ["label", "name", "sender_does", "class"] {
            assert!(entry[field].as_str().is_some_and(|text| !text.is_empty()), "{code}: {field}");
        }
        let sides: Vec<&str> =
            entry["fixes"].as_array().unwrap().iter().map(|fix| fix["direction"].as_str().unwrap()).collect();
        assert_eq!(sides, ["outbound", "inbound"], "{code}");
        for fix in entry["fixes"].as_array().unwrap() {
            is_full(&fix["steps"], &format!("{code} {}", fix["direction"]));
            for step in fix["steps"].as_array().unwrap() {
                assert!(!step["line"].as_str().unwrap().is_empty(), "{code}: {step}");
            }
        }
        if code.starts_with(['4', '5']) {
            let variants = entry["variants"].as_array().unwrap();
            assert!(!variants.is_empty() || ["456", "458", "459"].contains(&code.as_str()), "{code}");
        }
        let (text, status) = answer(&["explain", "--full", &code]);
        assert_eq!(status, 0, "{code}");
        for heading in ["WHEN YOU SEE IT", "THEY said it to us", "WE said it to a client", "NOT THE SAME AS"]
        {
            assert!(text.contains(heading), "{code}: {heading}");
        }
        is_for_an_administrator(&text);
    }
}

/// The short answer has at most 15 lines at 80 columns, and says what to do.
#[test]
fn an_answer_is_short() {
    let reasons = Reason::value_variants().iter().map(|reason| catalog::value_name(*reason));
    let classes = ["2xx", "3xx", "4xx", "5xx", "4.2.2", "5.7.1", "x.1.1", "5.7.606"].map(str::to_owned);
    let lines =
        [POSTFIX, "550 5.7.1 Client host [192.0.2.7] blocked using zen.spamhaus.org", "450 4.2.0 Greylisted"];
    let replies = lines.map(str::to_owned);
    for what in all_codes().into_iter().chain(reasons).chain(classes).chain(replies) {
        let (text, status) = answer(&["explain", &what]);
        assert_eq!(status, 0, "{what}");
        let lines = text.lines().count();
        assert!((3..=15).contains(&lines), "{what}: {lines} lines\n{text}");
        let widest = text.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(80), "{what}: {text}");
        assert!(text.lines().any(|line| ["do ", "they ", "is "].iter().any(|label| line.starts_with(label))));
        is_for_an_administrator(&text);
    }
}

#[test]
fn words_that_say_nothing_are_no_reason() {
    let (text, _) = answer(&["explain", "hello", "world"]);
    assert!(!text.contains("mailbox-full"), "{text}");
    assert!(text.starts_with("unknown"), "{text}");
    for words in ["my dog is ill today", "disk is fast", "lorem ipsum dolor"] {
        let (text, _) = answer(&["explain", words]);
        assert!(text.starts_with("unknown"), "{words}: {text}");
    }
}

#[test]
fn a_line_without_a_result_is_explained_as_what_it_is() {
    for (line, wanted) in [
        ("Nov 22 03:04:06 mx1 postfix/qmgr[9]: 4F1A2B3C4D: removed", "has left the queue"),
        (
            "Nov 22 03:04:06 mx1 postfix/smtpd[9]: connect from unknown[192.0.2.9]",
            "A routine line of Postfix",
        ),
        (
            "Nov 22 03:04:06 mx1 postfix/smtpd[9]: warning: connect to Milter service inet:127.0.0.1:11332: Connection \
          refused",
            "Postfix warning",
        ),
    ] {
        let (text, status) = answer(&["explain", line]);
        assert!(text.contains(wanted) && status == 0, "{text}");
    }
}

#[test]
fn a_5xx_that_the_server_kept_is_said_to_be_kept() {
    let line = "Nov 22 03:04:05 mx1 postfix/smtp[12]: 4F1A2B3C4D: to=<anna@example.org>, relay=none, delay=1, \
        delays=0/0/1/0, dsn=4.0.0, status=deferred (host mx.example.org[192.0.2.1] refused to talk to me: 554 5.7.1 \
        No)";
    let (text, _) = answer(&["explain", line]);
    assert!(text.contains("kept the message all the same") && !text.contains("gives up"), "{text}");
}

/// A heading is followed by a line that is no heading.
#[test]
fn no_section_of_any_text_is_empty() {
    let reasons = Reason::value_variants().iter().map(|reason| catalog::value_name(*reason));
    let enhanced = catalog::enhanced_codes().iter().flat_map(|row| {
        ["2", "4", "5", "x"].map(|class| format!("{class}.{}.{}", row.code.subject, row.code.first))
    });
    let classes = ["2xx", "3xx", "4xx", "5xx"].map(str::to_owned);
    for what in all_codes().into_iter().chain(reasons).chain(enhanced).chain(classes) {
        let (text, status) = answer(&["explain", "--full", &what]);
        assert_eq!(status, 0, "{what}");
        is_for_an_administrator(&text);
        let lines: Vec<&str> = text.lines().collect();
        for pair in lines.windows(2) {
            let is_heading = |line: &str| {
                line.len() > 3
                    && line.chars().all(|c| c.is_ascii_uppercase() || c == ' ')
                    && !line.starts_with(' ')
            };
            let is_side = pair[0].ends_with("said it to us") || pair[0].ends_with("said it to a client");
            if is_heading(pair[0]) || is_side {
                assert!(!pair[1].trim().is_empty() && !is_heading(pair[1]), "{what}: {pair:?}");
            }
        }
        assert!(!text.contains(" \n"), "{what}: {text}");
    }
}

#[test]
fn an_enhanced_code_and_a_reason_are_explained() {
    let full = entry("4.2.2", &[]);
    assert_eq!(full["kind"], "enhanced");
    assert_eq!(full["verdict"]["reason"], "mailbox-full");
    assert_eq!(full["class"], "transient");
    let any = entry("x.2.2", &[]);
    assert_eq!(any["class"], Value::Null);
    let reason = entry("Mailbox_Full", &[]);
    assert_eq!((&reason["kind"], &reason["label"]), (&Value::from("reason"), &Value::from("mailbox-full")));
    let own = entry("5.7.606", &[]);
    assert_eq!(own["verdict"]["reason"], "blocklisted");
    assert_eq!(own["verdict"]["provider"], "microsoft");
    let narrowed = entry("452 4.2.2", &[]);
    assert_eq!(narrowed["verdict"]["reason"], "mailbox-full");
    assert_eq!(entry("4xx", &[])["variants"].as_array().unwrap().len(), 23);
}

#[test]
fn a_reply_is_classified_with_its_whole_advice() {
    let entry = entry("552 5.2.2 mailbox full", &[]);
    assert_eq!(entry["kind"], "reply");
    let verdict = &entry["verdict"];
    assert_eq!(verdict["reason"], "mailbox-full");
    assert_eq!(verdict["retryable"], "ask");
    assert!(verdict["rule"].is_string() && verdict["why_sure"].is_string());
    let steps = entry["fixes"][0]["steps"][0].clone();
    for part in ["check", "do"] {
        is_full(&steps[part], part);
    }
    assert!(steps["stop"].as_str().is_some_and(|stop| !stop.is_empty()));
    is_full(&entry["sources"], "sources");
    // The arguments of a reply that was typed without quotes.
    let (text, status) = answer(&["explain", "552", "5.2.2", "mailbox", "full"]);
    assert_eq!((text, status), answer(&["explain", "552 5.2.2 mailbox full"]));
}

#[test]
fn what_is_known_of_the_reply_chooses_the_advice() {
    let inbound =
        entry("452 4.3.1 Insufficient system storage", &["--direction", "inbound", "--mta", "postfix"]);
    assert_eq!(inbound["fixes"].as_array().unwrap().len(), 1);
    assert!(inbound["fixes"][0]["steps"][0]["line"].as_str().unwrap().contains("queue_directory"));
    let exim = answer(&["explain", "452", "--mta", "exim", "--advice", "full"]).0;
    assert!(exim.contains("check_spool_space") && !exim.contains("queue_minfree"), "{exim}");
    let bare = brief("451 4.7.1 try again", &[]);
    let asked = brief("451 4.7.1 try again", &["--relay", "mx.mail.protection.outlook.com"]);
    assert_eq!((&bare["provider"], &asked["provider"]), (&Value::Null, &Value::from("microsoft")));
    for stage in ["rcpt", "RCPT TO", "rcpt-to", "end-of-data", "EHLO"] {
        assert_eq!(answer(&["explain", "550 no", "--stage", stage]).1, 0, "{stage}");
    }
}

#[test]
fn a_4xx_never_takes_an_address_off_a_list() {
    for what in ["450 4.1.1 User unknown", "450 4.1.1", "450 4.1.1 no such user here"] {
        let advice = brief(what, &[])["advice"].to_string();
        assert!(advice.contains("only if it ends in a 5xx"), "{what}: {advice}");
        let (text, _) = answer(&["explain", what, "--direction", "outbound", "--full"]);
        assert!(text.contains("only if it ends in a 5xx") && !text.contains("stop   at once"), "{text}");
    }
    assert!(!brief("550 5.1.1 User unknown", &[])["advice"].to_string().contains("only if"));
}

const POSTFIX: &str = "Nov 22 03:04:05 mx1 postfix/smtp[12]: 4F1A2B3C4D: to=<anna@example.org>, \
    relay=mx.example.org[192.0.2.1]:25, delay=1, delays=0/0/0/1, dsn=5.2.2, status=bounced \
    (host mx.example.org[192.0.2.1] said: 552 5.2.2 Mailbox full (in reply to RCPT TO command))";

#[test]
fn a_line_of_log_is_explained() {
    let line = entry(POSTFIX, &[]);
    assert_eq!((&line["kind"], &line["code"]), (&Value::from("line"), &Value::from(552)));
    assert_eq!(line["verdict"]["reason"], "mailbox-full");
    // The line gives the direction and the mail server.
    assert_eq!(line["fixes"].as_array().unwrap().len(), 1);
    assert_eq!(line["fixes"][0]["direction"], "outbound");
    let exim = "2026-11-22 03:04:05 H=(evil) [192.0.2.7] F=<a@example.org> rejected RCPT <b@example.net>: \
        relay not permitted";
    let line = entry(exim, &[]);
    assert_eq!(line["verdict"]["reason"], "relay-denied");
    assert_eq!(line["fixes"][0]["direction"], "inbound");
    let (_, status) = answer(&["explain", "Nov 22 03:04:06 mx1 postfix/qmgr[9]: 4F1A2B3C4D: removed"]);
    assert_eq!(status, 0);
}

#[test]
fn ndjson_has_the_same_fields_for_any_input() {
    let fields =
        ["input", "code", "enhanced", "class", "reason", "cause", "retryable", "provider", "rule", "advice"];
    for what in
        ["452", "4.2.2", "4xx", "mailbox-full", "552 5.2.2 mailbox full", POSTFIX, "999", "250 ok", ""]
    {
        let (text, _) = answer(&["explain", "--format", "ndjson", what]);
        assert!(text.starts_with("{\"input\":"), "{text}");
        let line: Value = serde_json::from_str(&text).unwrap();
        let object = line.as_object().unwrap();
        assert_eq!(object.len(), fields.len(), "{line}");
        assert!(fields.iter().all(|field| object.contains_key(*field)), "{line}");
        assert_eq!(line["input"], what);
    }
    let line = brief("552 5.2.2 mailbox full", &[]);
    assert_eq!(line["code"], 552);
    assert_eq!(line["enhanced"], "5.2.2");
    assert_eq!(line["class"], "permanent");
    assert_eq!(line["reason"], "mailbox-full");
    assert_eq!(line["retryable"], "ask");
    assert_eq!(line["provider"], Value::Null);
    assert!(line["rule"].is_string() && line["advice"].is_string());
    assert_eq!(brief("250 ok", &[])["reason"], Value::Null);
}

#[test]
fn what_is_not_known_is_status_1_and_names_the_nearest() {
    for (what, near) in [("999", "5"), ("425", "421"), ("5.9.9", "5.7."), ("mailbox-ful", "mailbox-full")] {
        let (text, status) = answer(&["explain", what]);
        assert_eq!(status, 1, "{what}");
        assert!(text.starts_with("Not known: ") && text.contains(near), "{text}");
        assert_eq!(entry(what, &[])["kind"], "unknown");
        assert!(answer(&["explain", "--format", "markdown", what]).0.contains(near));
        let (text, status) = answer(&["compare", "452", what]);
        assert_eq!(status, 1, "{what}");
        assert!(text.starts_with("Not known: ") && text.contains(near), "{text}");
    }
    assert_eq!(answer(&["explain", "452", "999"]).1, 1);
    assert_eq!(answer(&["explain", "452", "552"]).1, 0);
}

#[test]
fn every_pair_has_every_section() {
    for (at, a) in PAIRED.iter().enumerate() {
        for b in &PAIRED[at + 1..] {
            let pair = json(&["compare", a, b]);
            for section in ["differences", "catch", "sources"] {
                is_full(&pair[section], &format!("{a} {b} {section}"));
            }
            let titles: Vec<&str> =
                pair["rows"].as_array().unwrap().iter().map(|row| row["title"].as_str().unwrap()).collect();
            for title in [
                "class",
                "sender does",
                "means",
                "you see it",
                "they said it",
                "we said it",
                "Postfix",
                "Exim",
            ] {
                assert!(titles.contains(&title), "{a} {b}: {title}");
            }
            for row in pair["rows"].as_array().unwrap() {
                for cell in row["cells"].as_array().unwrap() {
                    assert!(cell.as_str().is_some_and(|text| text.trim().len() > 2), "{a} {b}: {row}");
                }
            }
            let thumb = pair["rule_of_thumb"].as_str().unwrap();
            assert!(thumb.contains(&format!("{a} = ")) && thumb.contains(&format!("{b} = ")), "{thumb}");
            is_for_an_administrator(&pair.to_string());
        }
    }
}

#[test]
fn the_named_pairs_are_written_by_hand() {
    for [a, b] in WRITTEN {
        let pair = json(&["compare", a, b]);
        let differences = pair["differences"].as_array().unwrap();
        assert!(differences.len() >= 4, "{a} {b}");
        let code = |text: &str| Code::new(text.parse().unwrap()).unwrap();
        let row = catalog::find_pair(code(a), code(b)).expect("a note for these two");
        assert!(row.differences.iter().eq(differences.iter().map(|text| text.as_str().unwrap())), "{a} {b}");
        let turned = json(&["compare", b, a]);
        assert_eq!(turned["differences"], pair["differences"], "{a} {b}");
        assert_eq!(turned["labels"][0], b);
    }
    let catch = json(&["compare", "452", "552"])["catch"].to_string();
    assert!(catch.contains("§4.5.3.1.10"), "{catch}");
}

#[test]
fn reasons_enhanced_codes_and_classes_compare_too() {
    for [a, b] in [
        ["mailbox-full", "system-full"],
        ["452", "mailbox-full"],
        ["4.2.2", "5.2.2"],
        ["x.7.1", "550"],
        ["4xx", "5xx"],
        ["452 4.2.2", "552 5.2.2"],
        ["2.1.5", "550"],
        ["greylisted", "4.7.1"],
        ["452", "452"],
    ] {
        let (text, status) = answer(&["compare", a, b]);
        assert_eq!(status, 0, "{a} {b}");
        for heading in ["KEY DIFFERENCES", "RULE OF THUMB", "THE CATCH", "SOURCES"] {
            assert!(text.contains(heading), "{a} {b}: {text}");
        }
        let pair = json(&["compare", a, b]);
        for section in ["differences", "catch", "sources"] {
            is_full(&pair[section], &format!("{a} {b} {section}"));
        }
    }
}

#[test]
fn the_catalogue_is_listed_in_every_form() {
    let whole = json(&["codes"]);
    assert_eq!(whole["codes"].as_array().unwrap().len(), catalog::codes().len());
    assert_eq!(whole["catalogue"].as_str().unwrap().len(), "2026-11".len());
    let some = json(&["codes", "--class", "4"]);
    assert!(some["codes"].as_array().unwrap().iter().all(|row| row["class"] == "transient"));
    let lines = answer(&["codes", "--format", "ndjson"]).0;
    assert_eq!(lines.lines().count(), catalog::codes().len());
    for line in lines.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        assert!(row["source"].as_str().is_some_and(|source| !source.is_empty()), "{row}");
    }
    let (text, _) = answer(&["codes"]);
    assert!(
        text.contains("catalogue of 2026-11") && text.contains("RFC 5321 §4.2.3")
            || text.contains("s. 4.2.3")
    );
    let table = answer(&["codes", "--format", "markdown"]).0;
    assert_eq!(table.lines().filter(|line| line.starts_with("| ")).count(), catalog::codes().len() + 1);
}

fn smtplog(args: &[&str]) -> Command {
    let mut command = Command::new(cargo_bin("smtplog"));
    command
        .args(args)
        .env("COLUMNS", "80")
        .env("LC_ALL", "C.UTF-8")
        .env("SMTPLOG_NO_CONFIG", "1")
        .stdin(Stdio::null());
    command
}

fn fed(args: &[&str], input: &[u8]) -> (String, Option<i32>) {
    let mut child = smtplog(args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    (String::from_utf8(output.stdout).unwrap(), output.status.code())
}

#[test]
fn standard_input_is_read_line_by_line() {
    let input = format!("452\r\n552 5.2.2 mailbox full\n\n{POSTFIX}\nno such user here");
    let (text, status) = fed(&["explain", "--format", "ndjson", "-"], input.as_bytes());
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 5);
    assert_eq!(lines[0]["input"], "452");
    assert_eq!(lines[1]["reason"], "mailbox-full");
    assert_eq!(lines[2]["code"], Value::Null);
    assert_eq!(lines[3]["code"], 552);
    assert_eq!(status, Some(0));
    let (text, status) = fed(&["explain", "-"], b"452\n999\n");
    assert!(text.contains("452  ") && text.contains("Not known: 999"), "{text}");
    assert_eq!(status, Some(1));
}

#[test]
fn what_is_pasted_never_reaches_the_terminal_raw() {
    for format in ["text", "markdown", "json", "ndjson"] {
        for input in ["550 \x1b[2J\u{202e}no such user", "\x1b[31m", "999\x07"] {
            let (text, _) = answer(&["explain", "--format", format, input]);
            assert!(!text.contains(['\x1b', '\x07']), "{format}: {text:?}");
        }
        let (text, _) = answer(&["compare", "--format", format, "452", "\x1b[2J"]);
        assert!(!text.contains('\x1b'), "{format}: {text:?}");
    }
}

#[test]
fn the_text_keeps_to_the_width_of_the_terminal() {
    for width in ["60", "72", "80", "100", "120"] {
        for args in [
            ["explain", "452", "--color=never"],
            ["explain", "550 5.7.1 blocked using zen.spamhaus.org", "--color=never"],
            ["compare", "452", "552"],
            ["codes", "--class", "5"],
        ] {
            let output = smtplog(&args).env("COLUMNS", width).output().unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
            assert!(widest <= width.parse().unwrap(), "{args:?} at {width}: {widest}\n{text}");
        }
    }
}

#[test]
fn a_closed_pipe_and_wrong_usage_end_as_they_should() {
    let mut child = smtplog(&["codes", "--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
    for args in [
        &["explain"][..],
        &["compare", "452"],
        &["codes", "--class", "7"],
        &["explain", "452", "--stage", "x"],
    ] {
        assert_eq!(smtplog(args).output().unwrap().status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn a_line_without_an_end_takes_little_memory() {
    const BLOCK: usize = 1 << 20;
    const BLOCKS: usize = 400;
    // Half of what is fed may be used, with the program itself.
    let limited = format!("ulimit -v {}; exec \"$0\" explain -", BLOCKS / 2 * 1024);
    let mut child = Command::new("sh")
        .args(["-c", &limited])
        .arg(cargo_bin("smtplog"))
        .env("SMTPLOG_NO_CONFIG", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let feeder = std::thread::spawn(move || {
        stdin.write_all(b"550 5.1.1 User unknown ").unwrap();
        let block = vec![b'x'; BLOCK];
        (0..BLOCKS).try_for_each(|_| stdin.write_all(&block)).unwrap();
    });
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    let (text, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && text.contains("5.1.1"), "{error}");
}

/// The report prints titles, and its reader asks for them.
#[test]
fn the_titles_of_a_report_are_explained() {
    for (title, name, words) in [
        ("policy service down", "Policy service down", "policy"),
        ("Loops back to itself", "Loops back to itself", "loop"),
        ("server error (by us)", "Server error", "fault"),
    ] {
        let (status, text, _) = crate::support::run(&["explain", "--lang", "en", title]);
        assert_eq!(status, 0, "{text}");
        assert!(text.contains(name) && text.to_lowercase().contains(words), "{title}: {text}");
    }
}
