//! Checks the tables of names: they add up, agree with `--by`, and do not depend on how the log is read.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::support;

const COLUMNS: [&str; 5] = ["delivered", "deferred", "bounced", "expired", "rejected"];

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}

/// The rows of a table and its rest, added up.
fn sum(report: &Value, table: &str, column: &str) -> u64 {
    let rows: u64 = report[table].as_array().unwrap().iter().map(|row| number(&row[column])).sum();
    rows + number(&report["rest"][table]["others"][column])
        + number(&report["rest"][table]["unnamed"][column])
}

fn log_of(text: &str) -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    fs::write(file.path(), text).unwrap();
    file
}

/// A message of Postfix, from its client to its end.
fn message(log: &mut String, id: usize, client: &str, sender: &str, user: Option<&str>, outcome: &str) {
    let id = format!("4{id:010X}");
    let user = user.map_or(String::new(), |user| format!(", sasl_method=PLAIN, sasl_username={user}"));
    let (dsn, status) = match outcome {
        "sent" => ("2.0.0", "sent (250 2.0.0 Ok)"),
        "deferred" => ("4.2.2", "deferred (host mx.example.net[192.0.2.7] said: 452 4.2.2 Mailbox full)"),
        _ => ("5.1.1", "bounced (host mx.example.net[192.0.2.7] said: 550 5.1.1 User unknown)"),
    };
    let front = "Nov 22 05:32:27 mx1 postfix";
    writeln!(log, "{front}/smtpd[1]: {id}: client=c.example.org[{client}]{user}").unwrap();
    writeln!(log, "{front}/qmgr[2]: {id}: from=<{sender}>, size=1, nrcpt=1 (queue active)").unwrap();
    writeln!(
        log,
        "{front}/smtp[3]: {id}: to=<a@example.net>, relay=mx.example.net[192.0.2.7]:25, delay=1, delays=0/0/0/1, \
        dsn={dsn}, status={status}"
    )
    .unwrap();
    if outcome != "deferred" {
        writeln!(log, "{front}/qmgr[2]: {id}: removed").unwrap();
    }
}

#[test]
fn every_table_adds_up_to_the_sums_of_the_report() {
    for log in support::logs() {
        let report = support::report(&[log.to_str().unwrap()]);
        let totals = &report["totals"];
        let sent = |column: &str| number(&totals["outbound"][column]) + number(&totals["local"][column]);
        for table in ["senders", "users", "clients", "domains", "providers", "relays", "instances"] {
            let name = format!("{table} of {}", log.display());
            for column in &COLUMNS[..4] {
                assert_eq!(sum(&report, table, column), sent(column), "{column}: {name}");
            }
            let refused = if ["domains", "relays"].contains(&table) {
                0
            } else {
                number(&totals["inbound"]["refused"])
            };
            assert_eq!(sum(&report, table, "rejected"), refused, "{name}");
        }
        for table in ["senders", "users", "clients"] {
            let messages = number(&totals["messages"]["messages"]);
            assert_eq!(sum(&report, table, "messages"), messages, "{table} of {}", log.display());
        }
    }
}

/// Each name with its counts, as `--by` says them, which follows the messages in another way.
fn by(key: &str, log: &str) -> BTreeMap<String, Vec<u64>> {
    let report = support::report(&["--by", key, log]);
    let rows = report["groups"]["rows"].as_array().unwrap().clone();
    let named = rows.iter().filter_map(|row| {
        let counts: Vec<u64> = COLUMNS.iter().map(|column| number(&row[*column])).collect();
        Some((row["keys"][key].as_str()?.to_owned(), counts))
    });
    named.filter(|(_, counts)| counts.iter().sum::<u64>() > 0).collect()
}

#[test]
fn the_tables_say_what_by_says() {
    let mut seen = 0;
    for log in support::logs() {
        let log = log.to_str().unwrap();
        let report = support::report(&[log]);
        for (key, table) in [
            ("sender", "senders"),
            ("user", "users"),
            ("client", "clients"),
            ("domain", "domains"),
            ("provider", "providers"),
            ("relay", "relays"),
            ("instance", "instances"),
        ] {
            let groups = by(key, log);
            for row in report[table].as_array().unwrap() {
                let counts: Vec<u64> = COLUMNS.iter().map(|column| number(&row[*column])).collect();
                if counts.iter().sum::<u64>() == 0 {
                    continue;
                }
                let wanted = &groups.get(row["name"].as_str().unwrap());
                // An expiry of Postfix names no recipient: only the table of domains knows where its message went.
                let columns = match key {
                    "domain" => 3,
                    "relay" => 4,
                    _ => 5,
                };
                let wanted = wanted.map(|wanted| &wanted[..columns]);
                assert_eq!(Some(&counts[..columns]), wanted, "{table} of {log}: {row}");
                seen += 1;
            }
            assert!(groups.len() >= report[table].as_array().unwrap().len().min(50) / 2, "{table} of {log}");
        }
    }
    assert!(seen > 500, "{seen}");
}

#[test]
fn tells_who_caused_most_of_the_failures() {
    let mut log = String::new();
    for at in 0..90 {
        message(
            &mut log,
            at,
            "192.0.2.1",
            "News@example.org",
            Some("anna"),
            if at < 81 { "bounced" } else { "sent" },
        );
    }
    for at in 90..110 {
        let sender = format!("s{at}@example.org");
        message(&mut log, at, "198.51.100.9", &sender, None, if at < 109 { "bounced" } else { "deferred" });
    }
    let file = log_of(&log);
    let report = support::report(&[file.path().to_str().unwrap()]);
    let wanted = json!({
        "name": "news@example.org", "messages": 90, "delivered": 9, "deferred": 0, "bounced": 81, "expired": 0,
        "rejected": 0,
    });
    assert_eq!(report["senders"][0], wanted);
    assert_eq!(report["users"][0]["name"], "anna");
    assert_eq!(report["clients"][0]["name"], "192.0.2.1");
    assert_eq!(report["rest"]["users"]["unnamed"]["bounced"], 19);
}

#[test]
fn the_names_of_a_message_are_known_however_the_log_is_cut() {
    let mut log = String::new();
    for at in 0..300 {
        let sender = format!("s{}@example.org", at % 7);
        message(
            &mut log,
            at,
            &format!("192.0.2.{}", at % 11),
            &sender,
            Some("ben"),
            ["sent", "bounced", "deferred"][at % 3],
        );
    }
    let file = log_of(&log);
    let name = file.path().to_str().unwrap();
    let whole = support::report(&["-j", "1", name]).to_string();
    assert!(whole.contains("s6@example.org"));
    for (threads, size) in [("1", "200"), ("2", "333"), ("4", "1000"), ("3", "70000")] {
        let parts = support::report(&["-j", threads, "--block-size", size, name]).to_string();
        assert_eq!(parts, whole, "{threads} threads, blocks of {size} bytes");
    }
}

fn more_names_than_are_kept(messages: usize) -> NamedTempFile {
    let mut log = String::new();
    for at in 0..messages {
        let client = format!("2001:db8::{:x}:{:x}", at >> 16, at & 0xffff);
        message(&mut log, at, &client, &format!("s{at}@example.org"), None, "sent");
        if at % 4 == 0 {
            message(&mut log, 1_000_000 + at, "192.0.2.1", "much@example.org", None, "bounced");
        }
    }
    log_of(&log)
}

#[test]
fn which_names_are_kept_does_not_depend_on_the_number_of_threads() {
    let file = more_names_than_are_kept(60_000);
    let name = file.path().to_str().unwrap();
    let reports = ["1", "2", "3"].map(|threads| support::report(&["-j", threads, name]).to_string());
    assert!(reports[0].contains("sender counts are approximate"));
    assert!(reports[0] == reports[1] && reports[0] == reports[2]);
}

#[test]
fn a_note_says_when_there_are_more_names_than_are_kept() {
    let file = more_names_than_are_kept(140_000);
    let report = support::report(&[file.path().to_str().unwrap()]);
    let first = &report["senders"][0];
    let (much, lack) = (number(&first["messages"]), number(&report["rest"]["senders"]["may_lack"]));
    assert_eq!(first["name"], "much@example.org");
    assert!(much <= 35_000 && much + lack >= 35_000 && lack > 0 && lack < 10, "{much}, may lack {lack}");
    assert_eq!(sum(&report, "senders", "messages"), 175_000);
    assert_eq!(sum(&report, "clients", "bounced"), 35_000);
    let notes = report["notes"].to_string();
    assert!(
        notes.contains("too many senders to keep") && notes.contains("too many clients to keep"),
        "{notes}"
    );
}

#[test]
fn one_sender_alone_and_two_halves_do_not_stand_out() {
    let shown = |senders: usize| {
        let mut log = String::new();
        for at in 0..60 {
            let sender = format!("s{}@example.org", at % senders);
            message(&mut log, at, &format!("192.0.2.{}", at % senders), &sender, None, "bounced");
        }
        // Clients that were rejected sent nothing.
        for at in 0..60 {
            let _ = writeln!(
                log,
                "Nov 22 05:00:{at:02} mx1 postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[203.0.113.{at}]: 550 5.1.1 \
                 <x@example.org>: Recipient address rejected: User unknown; from=<y@example.net> to=<x@example.org> proto=ESMTP helo=<h>"
            );
        }
        let file = log_of(&log);
        support::answer(&["scan", "--lang", "en", "--year", "2026", file.path().to_str().unwrap()]).0
    };
    for senders in [1, 2, 20] {
        assert!(!shown(senders).contains("Stands out"), "{}", shown(senders));
    }
}

#[test]
fn who_stands_out_is_said_in_one_line_each() {
    let mut log = String::new();
    for at in 0..100 {
        let (sender, client) =
            if at < 81 { ("n@example.org", "192.0.2.1") } else { ("o@example.org", "192.0.2.2") };
        message(&mut log, at, client, sender, (at < 81).then_some("anna"), "bounced");
        message(
            &mut log,
            1000 + at,
            &format!("198.51.100.{at}"),
            &format!("s{at}@example.org"),
            None,
            "sent",
        );
    }
    let file = log_of(&log);
    let name = file.path().to_str().unwrap();
    let text = support::answer(&["scan", "--codes", "--lang", "en", "--year", "2026", name]).0;
    let wanted = "WHO stands out\n  sender  n@example.org  81 / 100 bounced (81.0%)\n  client  192.0.2.1      81 / 100 bounced (81.0%)\n";
    assert!(text.contains(wanted), "{text}");
    let csv = support::answer(&["scan", "--who", "--format", "csv", "--year", "2026", name]).0;
    assert!(csv.starts_with("table,name,messages,delivered,deferred,bounced,expired,rejected\nsenders,n@example.org,81,0,0,81,0,0\n"), "{csv}");
}

#[test]
fn who_only_carries_mail_does_not_stand_out() {
    let shown = |client: &str, edit: &dyn Fn(String) -> String| {
        let mut log = String::new();
        for at in 0..100 {
            let other = format!("s{at}@example.org");
            message(&mut log, at, client, &other, None, if at % 3 == 0 { "bounced" } else { "sent" });
            message(&mut log, 1000 + at, &format!("198.51.100.{at}"), &other, None, "sent");
        }
        let file = log_of(&edit(log));
        let name = file.path().to_str().unwrap();
        let text = support::answer(&["scan", "--lang", "en", "--year", "2026", "--no-storms", name]).0;
        text.lines().find(|line| line.starts_with("Stands out")).map(str::to_owned)
    };
    let same = |log: String| log;
    assert_eq!(shown("192.0.2.1", &same).unwrap(), "Stands out: client 192.0.2.1: 34 of 34 bounced (100%)");
    // The content filter on this host hands all mail back.
    assert_eq!(shown("127.0.0.1", &same), None);
    // The server that brought mail is not to blame for local mailboxes.
    let local = |log: String| {
        let log = log.replace("postfix/smtp[", "postfix/lmtp[");
        log.replace("mx.example.net[192.0.2.7]:25", "mx1[private/lmtp]")
            .replace("mx.example.net[192.0.2.7]", "mx1[private/lmtp]")
    };
    assert_eq!(shown("192.0.2.1", &local), None);
}

/// A rejection of a client that gave an unknown recipient.
fn refused(log: &mut String, at: usize, client: &str) {
    let _ = writeln!(
        log,
        "Nov 22 05:40:{:02} mx1 postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[{client}]: 550 5.1.1 \
         <x{at}@example.org>: Recipient address rejected: User unknown; from=<y@example.net> to=<x{at}@example.org> \
         proto=ESMTP helo=<h>",
        at % 60
    );
}

#[test]
fn the_first_screen_names_whom_the_tables_name_however_the_log_is_cut() {
    let (mut bounces, mut refusals) = (String::new(), String::new());
    for at in 0..100 {
        let sender = if at < 81 { "n@example.org" } else { "o@example.org" };
        message(&mut bounces, at, "192.0.2.1", sender, None, if at % 3 == 0 { "bounced" } else { "sent" });
        let (client, other) = (format!("198.51.100.{at}"), format!("s{at}@example.org"));
        message(&mut bounces, 1000 + at, &client, &other, None, "sent");
        message(&mut refusals, at, &client, &other, None, "sent");
        refused(&mut refusals, at, if at % 4 == 0 { &client } else { "203.0.113.9" });
        // It sends mail, too.
        if at % 9 == 0 {
            message(&mut refusals, 1000 + at, "203.0.113.9", &other, None, "bounced");
        }
    }
    for (log, line) in [
        (bounces, "Stands out: client 192.0.2.1: 34 of 34 bounced (100%)"),
        (refusals, "Stands out: client 203.0.113.9: 12 of 12 bounced (100%)"),
    ] {
        let file = log_of(&log);
        let name = file.path().to_str().unwrap();
        let shown = |options: &[&str]| {
            let options =
                [&["scan", "--lang", "en", "--year", "2026", "--no-storms"], options, &[name]].concat();
            support::answer(&options).0
        };
        // With a condition, the whole report is counted.
        let whole = shown(&["--fail-on", "bounced>99%"]);
        assert!(whole.contains(line), "{whole}");
        for size in ["300", "5000", "1000000"] {
            let first = shown(&["--block-size", size]);
            assert!(first.contains(line), "{size}: {first}");
        }
    }
}

#[test]
fn a_hostile_name_does_no_harm_in_any_format() {
    let mut log = String::new();
    for at in 0..60 {
        let sender = if at < 50 {
            "=cmd|'<script>`\u{1b}[2J@example.org".to_owned()
        } else {
            format!("s{at}@example.org")
        };
        message(&mut log, at, &format!("192.0.2.{}", at % 9), &sender, Some("**x** <b>"), "bounced");
    }
    let file = log_of(&log);
    for format in ["text", "markdown", "html", "csv"] {
        let args = ["scan", "--who", "--color", "never", "--format", format, file.path().to_str().unwrap()];
        let text = support::answer(&args).0;
        assert!(
            text.contains("cmd|") || text.contains("cmd\\x7c") || format == "csv" && text.contains("'=cmd"),
            "{format}: {text}"
        );
        assert!(!text.contains('\u{1b}'), "{format}");
        assert!(format != "html" || !text.contains("'<script") && !text.contains("x** <b>"), "{format}");
        assert!(format != "csv" || !text.contains(",=cmd") && !text.contains("\n=cmd"), "{format}");
    }
}

/// A sender with a few messages to a mailbox that is full, which are tried again and again, among two other logins.
#[test]
fn retries_are_no_sign_of_a_stolen_login() {
    let mut log = String::new();
    for at in 0..60 {
        message(&mut log, at, "192.0.2.9", "o@example.org", Some(["otto", "eva"][at % 2]), "sent");
    }
    for at in 60..64 {
        message(&mut log, at, "192.0.2.1", "anna@example.org", Some("anna"), "deferred");
        let retry = log.lines().last().unwrap().to_owned();
        (0..20).for_each(|_| writeln!(log, "{retry}").unwrap());
    }
    let file = log_of(&log);
    let text = support::answer(&["scan", "--lang", "en", "--year", "2026", file.path().to_str().unwrap()]).0;
    assert!(text.contains("mailbox full") && !text.contains("password"), "{text}");
}

#[test]
fn an_address_or_a_file_never_becomes_an_option_of_a_command() {
    let folder = tempfile::tempdir().unwrap();
    let line = |to: &str| {
        format!(
            "Nov 22 05:32:27 mx1 postfix/smtp[3]: 4000000001: to=<{to}>, relay=mx.example.net[192.0.2.7]:25, delay=1, \
             delays=0/0/0/1, dsn=5.1.1, status=bounced (host mx.example.net[192.0.2.7] said: 550 5.1.1 User unknown)\n"
        )
    };
    for (to, name, wanted) in [
        ("--output=x@x.json", "-n.log", "smtplog trace ADDRESS ./-n.log"),
        ("-n5@example.net", "a.log", "smtplog trace ADDRESS a.log"),
        ("=ls@example.net", "=a.log", "smtplog trace '=ls@example.net' '=a.log'"),
    ] {
        fs::write(folder.path().join(name), line(to)).unwrap();
        let output = support::command(&["scan", "--lang", "en", "--year", "2026", "--", name])
            .current_dir(folder.path())
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains(wanted), "{text}");
    }
}
