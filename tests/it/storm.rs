//! Checks `smtplog storm`: it finds, names and explains bursts, stays quiet on ordinary days, and prints safe commands.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::support::{answer, run};
use serde_json::Value;

/// Lines in the order of time, each with its second of 22 November 2026.
#[derive(Default)]
pub(crate) struct Log(pub(crate) Vec<(u32, String)>);

impl Log {
    pub(crate) fn add(&mut self, second: u32, text: &str) {
        self.0.push((second, format!("mx1 postfix/{text}")));
    }

    /// A message with one recipient and what became of it.
    pub(crate) fn mail(&mut self, second: u32, sender: &str, recipient: &str, login: &str, end: &str) {
        let id = format!("{:06X}{:04X}", self.0.len() + 0xA0_0000, second % 0xffff);
        let login = if login.is_empty() {
            String::new()
        } else {
            format!(", sasl_method=PLAIN, sasl_username={login}")
        };
        self.add(second, &format!("smtpd[1]: {id}: client=client.example.org[192.0.2.9]{login}"));
        self.add(second, &format!("qmgr[2]: {id}: from=<{sender}>, size=900, nrcpt=1 (queue active)"));
        let relay = recipient.split('@').nth(1).unwrap_or_default();
        self.add(
            second + 1,
            &format!("smtp[3]: {id}: to=<{recipient}>, relay=mx.{relay}[198.51.100.7]:25, delay=1, {end}"),
        );
        if !end.contains("deferred") {
            self.add(second + 1, &format!("qmgr[2]: {id}: removed"));
        }
    }

    /// Ten hours from 06:00 on: a message every 40 seconds, one of 50 to nobody, and a refusal every 5 minutes.
    pub(crate) fn ordinary() -> Self {
        let mut log = Self::default();
        for at in 0..900_u32 {
            let (second, site) = (21_600 + at * 40 + at * 7919 % 31, at * 31 % 23);
            let recipient = format!("r{at}@d{site}.example.com");
            let end = if at % 50 == 3 { NOBODY } else { SENT };
            log.mail(second, &format!("u{}@example.org", at % 17), &recipient, "", end);
            if at % 8 == 0 {
                log.add(
                    second,
                    &format!(
                        "smtpd[1]: NOQUEUE: reject: RCPT from unknown[198.51.100.{}]: 554 5.7.1 Service unavailable; \
                         Client host [198.51.100.1] blocked using list.example.net; from=<a@example.com> \
                         to=<b@example.org> proto=ESMTP helo=<x>",
                        at % 90
                    ),
                );
            }
        }
        log
    }

    pub(crate) fn text(&self) -> String {
        let mut lines: Vec<&(u32, String)> = self.0.iter().collect();
        lines.sort_by_key(|(second, _)| *second);
        let mut text = String::new();
        for (second, line) in lines {
            let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
            writeln!(text, "Nov 22 {hour:02}:{minute:02}:{second:02} {line}").unwrap();
        }
        text
    }
}

const SENT: &str = "dsn=2.0.0, status=sent (250 2.0.0 Ok)";
const NOBODY: &str = "dsn=5.1.1, status=bounced (host mx.example.com[198.51.100.7] said: 550 5.1.1 no such user \
                      (in reply to RCPT TO command))";
const SPAM: &str = "dsn=5.7.1, status=bounced (host mx.example.com[198.51.100.7] said: 550 5.7.1 rejected as spam \
                    (in reply to end of DATA command))";
const NOW: [&str; 6] = ["--year", "2026", "--now", "2026-11-23T00:00:00Z", "--tz", "UTC"];
/// 11:40 of the day.
pub(crate) const NOON: u32 = 42_000;

pub(crate) fn storms_of(text: &str, more: &[&str]) -> (Value, u8) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mail.log");
    fs::write(&path, text).unwrap();
    let args = [&["storm", "--format", "json", path.to_str().unwrap()], &NOW[..], more].concat();
    let (json, status) = answer(&args);
    (serde_json::from_str(&json).unwrap(), status)
}

#[track_caller]
fn finds(log: &Log, pattern: &str, start: &str, dimension: &str, value: &str) -> Value {
    let (found, status) = storms_of(&log.text(), &[]);
    let storms = found["storms"].as_array().unwrap();
    assert_eq!((storms.len(), status), (1, 1), "{found:#}");
    let storm = &storms[0];
    assert_eq!(storm["pattern"], pattern, "{storm:#}");
    assert_eq!(storm["start"].as_str().unwrap().get(11..16), Some(start), "{storm:#}");
    assert_eq!(
        (&storm["factors"][0]["dimension"], &storm["factors"][0]["value"]),
        (&dimension.into(), &value.into())
    );
    storm.clone()
}

pub(crate) fn stolen(user: &str, sender: &str) -> Log {
    let mut log = Log::ordinary();
    for at in 0..300_u32 {
        let recipient = format!("x{at}@d{}.example.com", at % 40);
        let end = [SPAM, SENT, NOBODY][at as usize % 3];
        log.mail(NOON + at * 4, sender, &recipient, user, end);
    }
    log
}

const FULL: &str = "dsn=4.2.2, status=deferred (host mx.example.com[198.51.100.7] said: 452 4.2.2 mailbox full \
                    (in reply to RCPT TO command))";
pub(crate) const LATER: &str = "dsn=4.7.28, status=deferred (host mx.example.com[198.51.100.7] said: 421 4.7.28 too much mail from \
                     you, rate limited (in reply to end of DATA command))";

/// A message each eight seconds, for a quarter of an hour.
fn failing(sender: &str, recipient: &str, end: &str) -> Log {
    let mut log = Log::ordinary();
    for at in 0..120 {
        log.mail(NOON + at * 8, sender, recipient, "", end);
    }
    log
}

#[test]
fn an_ordinary_day_has_no_storm() {
    let (found, status) = storms_of(&Log::ordinary().text(), &[]);
    assert_eq!((found["storms"].as_array().unwrap().len(), status), (0, 0), "{found:#}");
}

#[test]
fn names_the_user_of_a_stolen_account() {
    let storm = finds(&stolen("anna", "anna@example.org"), "stolen-account", "11:40", "user", "anna");
    assert!(storm["end"].is_string() && storm["trend"] == "over", "{storm:#}");
    assert!(storm["times"].as_f64().unwrap() > 20.0, "{storm:#}");
}

/// Mail that came in on another host, whose log is not here, but just before it was tried.
#[test]
fn a_small_delay_says_that_a_message_is_not_older_than_the_log() {
    let storms = |delay: u32| {
        let mut log = Log::ordinary();
        for at in 0..600_u32 {
            let id = format!("B{at:06X}");
            let to = format!("to=<y{at}@d7.example.com>, relay=mx.d7.example.com[198.51.100.7]:25");
            log.add(NOON + at * 2, &format!("smtp[3]: {id}: {to}, delay={delay}, {LATER}"));
        }
        storms_of(&log.text(), &[]).0["storms"].as_array().unwrap().len()
    };
    assert_eq!((storms(1), storms(90_000)), (1, 0));
}

#[test]
fn the_report_names_storms() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mail.log");
    let scan = |log: &Log, more: &[&str]| {
        fs::write(&path, log.text()).unwrap();
        answer(&[&["scan", path.to_str().unwrap()], &NOW[..], more].concat())
    };
    let log = stolen("anna", "anna@example.org");
    let (text, status) = scan(&log, &[]);
    let named = "!! STORM Sun 22 Nov 11:40 - 11:59: mail of a stolen account, 200 attempts; user anna";
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        text.contains(named) && text.contains("storm: mail of a stolen account, user anna: 200;"),
        "{text}"
    );
    let words: Vec<&str> = text.split_whitespace().collect();
    assert!(words.join(" ").contains("200 attempts; user anna"), "the whole name is there: {text}");
    assert_eq!(status, 0);
    let (json, status) = scan(&log, &["--format", "json", "--fail-on", "storm"]);
    let report: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&report["storms"][0]["pattern"], status), (&"stolen-account".into(), 1));
    assert_eq!(report["failed"][0]["condition"], "storm");
    let (whole, _) = storms_of(&log.text(), &[]);
    assert_eq!(report["storms"][0]["attempts"], whole["storms"][0]["attempts"]);
    let quiet = ["--until", "2026-11-22 16:00", "--fail-on", "storm", "--quiet-ok"];
    assert_eq!(scan(&Log::ordinary(), &quiet), (String::new(), 0));
    assert!(!scan(&log, &["--no-storms"]).0.contains("STORM"));
    let (hidden, _) = scan(&log, &["--redact"]);
    assert!(hidden.contains("user u-") && !hidden.contains("anna"), "{hidden}");
}

#[test]
fn names_the_client_that_guesses_passwords() {
    let mut log = Log::ordinary();
    for at in 0..120 {
        let line =
            "smtpd[1]: warning: unknown[198.51.100.99]: SASL LOGIN authentication failed: UGFzc3dvcmQ6";
        log.add(NOON + at * 5, line);
    }
    finds(&log, "password-guessing", "11:40", "client", "198.51.100.99");
}

#[test]
fn a_site_that_does_not_answer_is_not_our_network() {
    let mut log = Log::ordinary();
    for at in 0..90 {
        let end = "dsn=4.4.1, status=deferred (connect to mx.d7.example.com[198.51.100.7]:25: Connection timed out)";
        log.mail(
            NOON + at * 9,
            &format!("u{}@example.org", at % 17),
            &format!("y{at}@d7.example.com"),
            "",
            end,
        );
    }
    let storm = finds(&log, "provider-outage", "11:40", "domain", "d7.example.com");
    assert_eq!(storm["not"][0]["pattern"], "own-network");
}

#[test]
fn no_mail_for_an_hour_is_a_silence() {
    let mut log = Log::ordinary();
    log.0.retain(|(second, _)| !(NOON..NOON + 4000).contains(second));
    // Other lines go on, so the log is not what is missing.
    for at in 0..500 {
        log.add(
            NOON - 2000 + at * 16,
            "anvil[9]: statistics: max connection rate 1/60s for (smtp:192.0.2.9) at Nov 22",
        );
    }
    let (found, status) = storms_of(&log.text(), &[]);
    assert_eq!((&found["storms"][0]["pattern"], status), (&"silence".into(), 1), "{found:#}");
    let start = found["storms"][0]["start"].as_str().unwrap().get(11..16);
    assert!(matches!(start, Some("11:40" | "11:41")), "{found:#}");
}

#[test]
fn a_hole_in_all_lines_is_a_note_and_no_silence() {
    let mut log = Log::ordinary();
    log.0.retain(|(second, _)| !(NOON..NOON + 4000).contains(second));
    let (found, status) = storms_of(&log.text(), &[]);
    assert_eq!((found["storms"].as_array().unwrap().len(), status), (0, 0), "{found:#}");
    let note = found["notes"][0].as_str().unwrap();
    assert!(note.starts_with("the log has no lines of any kind from 2026-11-22 11:4"), "{note}");
}

#[test]
fn one_message_with_many_dead_recipients_is_no_storm() {
    let mut log = Log::ordinary();
    for at in 0..5 {
        let end = format!("relay=mx.example.com[198.51.100.7]:25, delay=1, {NOBODY}");
        log.add(NOON + at, &format!("smtp[3]: 4A17E3F00C: to=<dead{at}@d{at}.example.com>, {end}"));
    }
    log.add(
        NOON - 1,
        "smtpd[1]: 4A17E3F00C: client=client.example.org[192.0.2.9], sasl_method=PLAIN, sasl_username=u1",
    );
    log.add(NOON - 1, "qmgr[2]: 4A17E3F00C: from=<u1@example.org>, size=900, nrcpt=5 (queue active)");
    let (found, status) = storms_of(&log.text(), &[]);
    assert_eq!((found["storms"].as_array().unwrap().len(), status), (0, 0), "{found:#}");
}

/// Gmail rejects all of our mail because SPF and DKIM do not pass: nothing is wrong with Gmail.
#[test]
fn our_broken_authentication_is_no_outage_of_the_provider() {
    let mut log = Log::ordinary();
    for at in 0..60 {
        let end = "dsn=5.7.26, status=bounced (host gmail-smtp-in.l.google.com[192.0.2.26] said: 550-5.7.26 Your email has been \
                   blocked because the sender is unauthenticated. 550-5.7.26 Gmail requires all senders to authenticate with \
                   either SPF or DKIM. (in reply to end of DATA command))";
        log.mail(NOON + at * 20, &format!("u{}@example.org", at % 17), &format!("y{at}@gmail.com"), "", end);
    }
    let (found, _) = storms_of(&log.text(), &[]);
    let storm = &found["storms"][0];
    assert_eq!(storm["pattern"], "authentication-broken", "{found:#}");
    let advice = storm["advice"].as_str().unwrap();
    assert!(advice.contains("SPF") && !advice.contains("nothing here is wrong"), "{advice}");
    assert!(storm["example"].as_str().unwrap().contains("5.7.26"), "{storm:#}");
}

#[test]
fn a_relay_host_that_is_down_is_named() {
    let mut log = Log::default();
    for at in 0..900_u32 {
        let down = (500..600).contains(&at);
        let end = if down {
            "relay=none, delay=31, dsn=4.4.1, status=deferred (connect to relay.example.net[198.51.100.25]:587: Connection \
             timed out)"
        } else {
            "relay=relay.example.net[198.51.100.25]:587, delay=1, dsn=2.0.0, status=sent (250 2.0.0 Ok)"
        };
        let (second, id) = (21_600 + at * 40, format!("{:010X}", 0x00A0_0000_u64 + u64::from(at)));
        log.add(second, &format!("smtpd[1]: {id}: client=client.example.org[192.0.2.9]"));
        log.add(
            second,
            &format!("qmgr[2]: {id}: from=<u{}@example.org>, size=900, nrcpt=1 (queue active)", at % 17),
        );
        log.add(second + 1, &format!("smtp[3]: {id}: to=<r{at}@d{}.example.com>, {end}", at % 23));
    }
    finds(&log, "relayhost-down", "11:33", "relay", "relay.example.net");
}

#[test]
fn a_timestamp_of_another_century_is_set_aside() {
    let mut log = stolen("anna", "anna@example.org").text();
    for year in ["0001", "1970", "5999"] {
        let stamp = format!("{year}-01-01T00:00:00.000000+00:00 mx1 ");
        log.push_str(&stamp);
        log.push_str("postfix/smtp[3]: 7F00AA0001: to=<x@d1.example.com>, relay=mx.example.com[198.51.100.7]:25, delay=1, ");
        log.push_str(NOBODY);
        log.push('\n');
    }
    let (found, _) = storms_of(&log, &[]);
    assert_eq!(found["storms"].as_array().unwrap().len(), 1, "{found:#}");
    assert_eq!(found["storms"][0]["start"].as_str().unwrap().get(..16), Some("2026-11-22T11:40"));
    let notes = found["notes"].to_string();
    assert!(notes.contains("weeks away from all others"), "{notes}");
}

#[test]
fn a_pattern_is_not_denied_by_what_the_storm_shares() {
    for log in [
        stolen("anna", "anna@example.org"),
        failing("anna@example.org", "x@d3.example.com", LATER),
        failing("anna@example.org", "x@d3.example.com", FULL),
    ] {
        let (found, _) = storms_of(&log.text(), &[]);
        for storm in found["storms"].as_array().unwrap() {
            let common = |dimension: &str| {
                let factors = storm["factors"].as_array().unwrap().iter();
                factors
                    .clone()
                    .any(|factor| factor["dimension"] == dimension && factor["inside"].as_f64() >= Some(0.5))
            };
            for not in storm["not"].as_array().unwrap() {
                let because = not["because"].as_str().unwrap();
                for dimension in ["user", "sender", "provider", "domain"] {
                    let denies = because == format!("no single {dimension} has most of it");
                    assert!(!(denies && common(dimension)), "{storm:#}");
                }
            }
        }
    }
}

#[test]
fn more_alarms_show_weaker_storms() {
    let mut log = Log::ordinary();
    for at in 0..11 {
        log.mail(NOON + at * 60, &format!("u{at}@example.org"), &format!("w{at}@d3.example.com"), "", NOBODY);
    }
    let count = |alarms: &str| {
        let (found, _) = storms_of(&log.text(), &["--alarms-per-month", alarms]);
        found["storms"].as_array().unwrap().len()
    };
    assert!(count("0.00001") < count("1000"), "{} and {}", count("0.00001"), count("1000"));
    let (status, _, said) = run(&["storm", "--alarms-per-month", "0", "x"]);
    assert!(status == 2 && said.contains("must be above 0"), "{said}");
}

#[test]
fn greylisting_is_no_storm() {
    let mut log = Log::ordinary();
    for at in 0..200 {
        let end = "dsn=4.2.0, status=deferred (host mx.example.com[198.51.100.7] said: 450 4.2.0 Greylisted, try again \
                   in 300 seconds (in reply to RCPT TO command))";
        log.mail(NOON + at * 3, "u1@example.org", &format!("g{at}@d{}.example.com", at % 20), "", end);
    }
    let (found, status) = storms_of(&log.text(), &[]);
    assert_eq!((found["storms"].as_array().unwrap().len(), status), (0, 0), "{found:#}");
    let (found, _) = storms_of(&log.text(), &["--greylisting"]);
    assert_eq!(found["storms"][0]["pattern"], "greylisting", "{found:#}");
}

#[test]
fn any_threads_and_any_blocks_find_the_same() {
    let text = stolen("anna", "anna@example.org").text();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mail.log");
    fs::write(&path, text).unwrap();
    let asked = |more: &[&str]| {
        let args = [&["storm", "--format", "json", path.to_str().unwrap()], &NOW[..], more].concat();
        answer(&args).0
    };
    let whole = asked(&["-j", "1"]);
    assert!(whole.contains("stolen-account"));
    for more in [
        ["-j", "3", "--block-size", "4096"],
        ["-j", "1", "--block-size", "700"],
        ["-j", "2", "--block-size", "65536"],
    ] {
        assert_eq!(asked(&more), whole, "{more:?}");
    }
}

#[test]
fn any_split_into_files_finds_the_same() {
    let text = stolen("anna", "anna@example.org").text();
    let folder = tempfile::tempdir().unwrap();
    let storms = |parts: &[&str]| -> Value {
        let paths: Vec<String> = parts
            .iter()
            .enumerate()
            .map(|(at, part)| {
                let path = folder.path().join(format!("part{at}.log"));
                fs::write(&path, part).unwrap();
                path.to_str().unwrap().to_owned()
            })
            .collect();
        let files: Vec<&str> = paths.iter().map(String::as_str).collect();
        let (json, _) = answer(&[&["storm", "--format", "json"], &files[..], &NOW[..]].concat());
        let mut found: Value = serde_json::from_str(&json).unwrap();
        for storm in found["storms"].as_array_mut().unwrap() {
            // The commands name the files.
            storm["commands"] = Value::Null;
        }
        found["storms"].take()
    };
    let whole = storms(&[&text]);
    assert_eq!(whole.as_array().unwrap().len(), 1);
    for share in [3, 2] {
        let cut = text[..text.len() / share].rfind('\n').unwrap() + 1;
        assert_eq!(storms(&[&text[..cut], &text[cut..]]), whole, "cut at {cut}");
    }
}

/// Each command in a shell that finds nothing but harmless stand-ins, and never one called `reboot`.
#[test]
fn no_printed_command_runs_what_a_log_says() {
    let folder = tempfile::tempdir().unwrap();
    let bin = folder.path().join("bin");
    fs::create_dir(&bin).unwrap();
    let trap = folder.path().join("trapped");
    for name in [
        "reboot",
        "smtplog",
        "postqueue",
        "awk",
        "pgrep",
        "postsuper",
        "head",
        "wc",
        "exiqgrep",
        "xargs",
        "exim",
        "postconf",
        "grep",
        "tail",
        "nft",
        "openssl",
        "sort",
        "postmap",
        "systemctl",
        "ss",
        "journalctl",
        "postfix",
        "dig",
        "host",
        "getent",
        "df",
        "du",
        "ip",
        "nc",
        "mailq",
        "zcat",
        "sed",
        "uniq",
        "exiwhat",
        "exinext",
        "exigrep",
        "doveadm",
        "curl",
    ] {
        let does = if name == "reboot" {
            format!("touch '{}'", trap.display())
        } else {
            "cat > /dev/null".to_owned()
        };
        let path = bin.join(name);
        fs::write(&path, format!("#!/bin/sh\nPATH=/usr/bin:/bin\n{does} < /dev/null\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    // An undo reads what its command has saved.
    for name in ["tee", "cat", "rm"] {
        let real = ["/usr/bin", "/bin"].map(|folder| Path::new(folder).join(name));
        let real = real.iter().find(|path| path.exists()).expect("a program of every system");
        std::os::unix::fs::symlink(real, bin.join(name)).unwrap();
    }
    let (mut typed, mut patterns) = (0, BTreeSet::new());
    for name in [
        "$(reboot)",
        "`reboot`",
        "a';reboot;'",
        "\";reboot;\"",
        "-rf",
        "|reboot",
        "a\\';reboot #",
        "&reboot&",
    ] {
        let (us, them) = (format!("{name}@example.org"), format!("{name}@d3.example.com"));
        for log in [
            stolen(name, &us),
            failing(&us, &them, FULL),
            failing(&us, &them, LATER),
            failing("", &them, NOBODY),
        ] {
            let (found, _) = storms_of(&log.text(), &[]);
            for storm in found["storms"].as_array().unwrap() {
                patterns.insert(storm["pattern"].as_str().unwrap().to_owned());
                for command in storm["commands"].as_array().unwrap() {
                    for shell in [&command["shell"], &command["undo"]].into_iter().filter_map(Value::as_str) {
                        runs(shell, &bin);
                        typed += 1;
                    }
                }
            }
            assert!(!trap.exists(), "{name} was run");
        }
    }
    assert!(typed > 60 && patterns.len() >= 4, "only {typed} commands of {patterns:?} were tried");
}

#[track_caller]
fn runs(shell: &str, bin: &Path) {
    let output = Command::new("/bin/sh")
        .args(["-c", shell])
        .env_clear()
        .env("PATH", bin)
        .env("HOME", bin)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.is_empty(), "{shell}\n{said}");
}

#[test]
fn the_text_names_the_storm_and_what_to_type() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mail.log");
    fs::write(&path, stolen("anna", "anna@example.org").text()).unwrap();
    let args = [&["storm", path.to_str().unwrap()], &NOW[..]].concat();
    let (status, text, _) = run(&args);
    assert_eq!(status, 1, "{text}");
    for word in ["STORM 1", "mail of a stolen account", "user anna", "postsuper -h -", "postsuper -H -"] {
        assert!(text.contains(word), "no {word} in\n{text}");
    }
}
