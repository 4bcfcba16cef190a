//! Runs the program: what it reads and prints, its error messages, and its exit status.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::{command, fed, run, taken_apart};
use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::{TempDir, tempdir};

const LOG: &str = "Nov 22 03:04:05 mx1 postfix/smtp[12]: 4F1A2B3C4D: to=<anna@example.org>, \
    relay=mx.example.org[192.0.2.1]:25, delay=1, delays=0/0/0/1, dsn=5.2.2, status=bounced \
    (host mx.example.org[192.0.2.1] said: 552 5.2.2 Mailbox full (in reply to RCPT TO command))\n\
    Nov 22 03:04:06 mx1 postfix/qmgr[9]: 4F1A2B3C4D: removed\n\
    Nov 22 03:04:07 mx1 sshd[77]: Accepted publickey for anna\n";

/// A folder with one file in it, and the file's name.
fn file(name: &str, text: impl AsRef<[u8]>) -> (TempDir, String) {
    let folder = tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    (folder, path.to_str().unwrap().to_owned())
}

fn gz(text: &[u8]) -> Vec<u8> {
    let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
    gz.write_all(text).unwrap();
    gz.finish().unwrap()
}

#[track_caller]
fn counts_one_bounce(answer: (i32, String, String)) {
    let (status, out, err) = answer;
    assert!(
        out.contains("OUTGOING   1 message   0 delivered") && out.contains("1 bounced      100%"),
        "{out}\n{err}"
    );
    assert!(out.contains("552 5.2.2"), "{out}");
    assert_eq!((status, err.as_str()), (0, ""));
}

#[test]
fn a_bare_file_is_scanned() {
    let (_folder, name) = file("mail.log", LOG);
    counts_one_bounce(run(&[&name]));
    counts_one_bounce(run(&["scan", &name]));
}

#[test]
fn stdin_and_gzip_and_a_pipe_give_what_a_file_gives() {
    let (_folder, name) = file("no-suffix", gz(LOG.as_bytes()));
    counts_one_bounce(run(&[&name]));
    counts_one_bounce(fed(&["scan", "-"], LOG.as_bytes()));
    counts_one_bounce(fed(&["scan"], LOG.as_bytes()));
    counts_one_bounce(fed(&["scan", "-"], &gz(LOG.as_bytes())));
    let half = LOG.len() / 2;
    let members = [gz(&LOG.as_bytes()[..half]), gz(&LOG.as_bytes()[half..])].concat();
    counts_one_bounce(fed(&["scan", "-"], &members));
}

#[test]
fn a_fifo_is_read() {
    let folder = tempdir().unwrap();
    let fifo = folder.path().join("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let writer = fifo.clone();
    let writer = std::thread::spawn(move || fs::write(writer, LOG));
    counts_one_bounce(run(&[fifo.to_str().unwrap()]));
    writer.join().unwrap().unwrap();
}

#[test]
fn crlf_and_a_missing_last_newline_change_nothing() {
    let (_folder, name) = file("crlf.log", LOG.replace('\n', "\r\n"));
    counts_one_bounce(run(&[&name]));
    let (_folder, name) = file("open.log", LOG.trim_end());
    counts_one_bounce(run(&[&name]));
}

#[test]
fn an_empty_log_is_a_report_without_events() {
    let (_folder, name) = file("empty.log", "");
    let (status, out, err) = run(&[&name]);
    assert_eq!((status, err.as_str()), (0, ""));
    assert!(out.contains("0 lines") && out.contains("No deliveries or rejections found."), "{out}");
}

#[test]
fn a_file_without_mail_is_never_silently_zero() {
    for text in
        [&b"hello\nworld\n"[..], &[0u8, 159, 146, 150, 255, 10, 0, 1], &LOG.as_bytes()[LOG.len() - 40..]]
    {
        let (_folder, name) = file("other.log", text);
        let (status, out, err) = run(&[&name]);
        assert_eq!((status, out.as_str()), (3, ""), "{err}");
        assert!(err.contains("none of") || err.contains("the only line is no line"), "{err}");
    }
}

#[test]
fn a_line_without_an_end_is_one_line() {
    let long = [LOG.as_bytes(), &vec![b'x'; 9 << 20], b"\n", LOG.as_bytes()].concat();
    let (_folder, name) = file("long.log", &long);
    for answer in [run(&["--format", "json", &name]), fed(&["scan", "--format", "json", "-"], &long)] {
        let report: serde_json::Value = serde_json::from_str(&answer.1).unwrap();
        assert_eq!(report["input"]["lines"], 7, "{}", answer.1);
        assert_eq!(report["totals"]["outbound"]["bounced"], 2);
    }
}

#[test]
fn a_damaged_gzip_gives_the_lines_before_the_damage() {
    let many = LOG.repeat(20_000);
    let whole = gz(many.as_bytes());
    let (_folder, name) = file("cut.gz", &whole[..whole.len() / 2]);
    let (status, out, err) = run(&["--format", "json", &name]);
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    let bounced = report["totals"]["outbound"]["bounced"].as_u64().unwrap();
    assert!((1000..20_000).contains(&bounced), "{bounced}");
    assert_eq!(status, 2);
    assert!(err.contains("cannot decompress") && err.contains("cut.gz"), "{err}");
}

#[test]
fn an_unreadable_file_is_named_and_the_rest_is_reported() {
    let (folder, name) = file("mail.log", LOG);
    let gone = folder.path().join("gone.log").to_str().unwrap().to_owned();
    let empty = tempdir().unwrap();
    let (status, out, err) = run(&[&gone, empty.path().to_str().unwrap(), &name]);
    assert_eq!(status, 2);
    assert!(out.contains("552 5.2.2"), "{out}");
    assert!(err.contains("cannot open") && err.contains("gone.log") && err.contains("no such file"), "{err}");
    assert!(err.contains("no mail log found in") && err.contains("maillog"), "{err}");
    let (status, out, _) = run(&[&gone]);
    assert_eq!((status, out.as_str()), (2, ""));
}

#[test]
fn nothing_from_a_log_moves_the_cursor() {
    let hostile = LOG
        .replace("Mailbox full", "\x1b[2J\x07\u{202e}full")
        .replace("anna@example.org", "\x1b]0;x@\x1b[8m.org");
    let (_folder, name) = file("mail.log", hostile);
    for args in [&["scan", &name][..], &["events", "--format", "text", &name], &["events", &name]] {
        let (_, out, _) = run(args);
        assert!(!out.contains('\x1b') && !out.contains('\x07'), "{out:?}");
    }
}

#[test]
fn a_closed_pipe_is_no_error() {
    let (_folder, name) = file("mail.log", LOG.repeat(5000));
    let mut child =
        command(&["events", &name]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(taken_apart(&output), (0, String::new(), String::new()));
}

#[test]
fn a_log_that_shrinks_is_reported() {
    let (_folder, name) = file("mail.log", LOG.repeat(400_000));
    let child = command(&["-j", "1", &name]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // As copytruncate does, at any moment: the answer is whole or says what is missing.
    std::thread::sleep(std::time::Duration::from_millis(60));
    fs::OpenOptions::new().write(true).open(&name).unwrap().set_len(1000).unwrap();
    let (status, _, err) = taken_apart(&child.wait_with_output().unwrap());
    assert!(status == 0 || status == 2 && err.contains("shrank while it was read"), "{status}: {err}");
}

#[test]
fn usage_errors_are_2_and_help_is_0() {
    assert_eq!(run(&["--no-such-option"]).0, 2);
    let (status, out, _) = run(&["--help"]);
    assert_eq!(status, 0);
    assert!(out.contains("events") && out.contains("--threads"), "{out}");
    assert_eq!(run(&["--version"]).1, format!("smtplog {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_word_that_is_no_file_is_answered_with_what_to_type() {
    let (_folder, log) = file("mail.log", LOG);
    for (args, wanted) in [
        (&["scann", &log][..], "did you mean scan?"),
        (&["552"], "try: smtplog explain 552"),
        (&["anna@example.org"], "try: smtplog trace anna@example.org"),
        (&["trace", &log], "say first what to trace"),
        (&["trace", &log, "anna@example.org"], "trace anna@example.org "),
        (&["trace", "192.0.2.0/99", &log], "must be a number from 0 to 32"),
        (&["--relay", "192.0.2.0/99", &log], "must be a number from 0 to 32"),
        (&["--journal", "--watch", &log], "unexpected argument"),
    ] {
        let (status, out, err) = run(args);
        assert_eq!((status, out.as_str()), (2, ""), "{args:?}");
        assert!(err.contains(wanted), "{args:?}: {err}");
    }
}

#[test]
fn a_file_of_any_name_is_read() {
    let folder = tempdir().unwrap();
    for name in ["552", "scann", "a@b.c"] {
        fs::write(folder.path().join(name), LOG).unwrap();
        let output = command(&[name]).current_dir(folder.path()).output().unwrap();
        counts_one_bounce(taken_apart(&output));
    }
}

#[test]
fn the_last_of_a_repeated_option_wins() {
    let (_folder, log) = file("mail.log", LOG);
    let repeated = [
        "--format",
        "json",
        "--format",
        "line",
        "--rotated",
        "--rotated",
        "--tz",
        "UTC",
        "--tz",
        "UTC",
        &log,
    ];
    let (status, out, err) = run(&repeated);
    assert!(status == 0 && out.starts_with("SMTPLOG"), "{status} {out} {err}");
}

#[test]
fn the_latest_events_are_shown_in_colour() {
    let (_folder, log) = file("mail.log", LOG.repeat(5));
    let (status, out, err) = run(&["events", "--format", "text", "-n", "2", "--color", "always", &log]);
    assert_eq!((status, out.lines().count()), (0, 2), "{out}{err}");
    assert!(
        out.contains("\u{1b}[31mbounced") && err.contains("3 earlier events are not shown"),
        "{out}{err}"
    );
    let all = run(&["events", &log]).1;
    let last: Vec<&str> = all.lines().skip(3).collect();
    assert_eq!(run(&["events", "-n", "2", &log]).1.lines().collect::<Vec<_>>(), last);
    assert!(!run(&["events", "--format", "text", &log]).1.contains('\u{1b}'));
}

#[test]
fn a_rule_without_a_condition_is_refused() {
    let (folder, log) = file("mail.log", LOG);
    let rules = folder.path().join("own.toml");
    for condition in ["", "unless = [\"x\"]\n"] {
        fs::write(&rules, format!("[[rule]]\nid = \"all\"\nreason = \"mailbox-full\"\n{condition}")).unwrap();
        let (status, _, err) = run(&["scan", "--rules", rules.to_str().unwrap(), &log]);
        assert!(status == 2 && err.contains("own.toml, line 2") && err.contains("no condition"), "{err}");
    }
}

#[test]
fn colour_is_used_only_on_request() {
    let (_folder, name) = file("mail.log", LOG);
    assert!(!run(&[&name]).1.contains('\x1b'));
    assert!(run(&["--color", "always", &name]).1.contains("\x1b["));
}

#[test]
fn advice_can_be_left_out() {
    let (_folder, name) = file("mail.log", LOG);
    assert!(run(&["--codes", &name]).1.contains('→'));
    assert!(!run(&["--codes", "--no-advice", &name]).1.contains('→'));
    let advice = |out: &str| out.lines().any(|line| line.starts_with("      "));
    assert!(advice(&run(&[&name]).1));
    assert!(!advice(&run(&["--no-advice", &name]).1.replace("                       ", "")));
}

#[test]
fn every_sum_of_the_report_adds_up() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let names: Vec<PathBuf> =
        ["postfix/out.log", "postfix/in.log", "exim/out.log"].map(|n| fixtures.join(n)).into();
    for name in names {
        let (_, out, _) = run(&["--format", "json", name.to_str().unwrap()]);
        let report: serde_json::Value = serde_json::from_str(&out).unwrap();
        let n = |value: &serde_json::Value, keys: &[&str]| {
            keys.iter().map(|key| value[*key].as_u64().unwrap()).sum::<u64>()
        };
        let rows = |direction: &str, outcome: &str| {
            let rows = report["rows"].as_array().unwrap().iter();
            let rows = rows.filter(|row| row["direction"] == direction && row["outcome"] == outcome);
            rows.map(|row| row["attempts"].as_u64().unwrap()).sum::<u64>()
        };
        for direction in ["outbound", "local"] {
            let sent = &report["totals"][direction];
            assert_eq!(n(sent, &["attempts"]), n(sent, &["delivered", "deferred", "bounced", "expired"]));
            let replies = ["positive", "intermediate", "transient", "permanent", "no_reply"];
            assert_eq!(n(sent, &["attempts"]), n(sent, &replies));
            for outcome in ["delivered", "deferred", "bounced", "expired", "discarded"] {
                assert_eq!(n(sent, &[outcome]), rows(direction, outcome), "{direction} {outcome}");
            }
        }
        let inbound = &report["totals"]["inbound"];
        assert_eq!(n(inbound, &["refused"]), n(inbound, &["transient", "permanent", "unspecified"]));
        assert_eq!(n(inbound, &["refused"]), rows("inbound", "rejected"));
    }
}

#[test]
fn own_rules_come_first_and_their_faults_are_named() {
    let (folder, log) = file("mail.log", LOG);
    let rules = folder.path().join("own.toml");
    let own = "[[rule]]\nid = \"ours\"\nreason = \"policy-blocked\"\nwords = [\"mailbox full\"]\n\n\
        [[provider]]\nid = \"acme\"\nname = \"Acme\"\nhosts = [\"mx.example.org\"]\n";
    fs::write(&rules, own).unwrap();
    let rules = rules.to_str().unwrap();
    let (status, out, err) = run(&["events", "--rules", rules, &log]);
    assert_eq!((status, err.as_str()), (0, ""));
    let event: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&event["reason"], &event["rule"]), (&"policy-blocked".into(), &"ours".into()));
    assert_eq!(event["provider"], "acme");
    fs::write(rules, own.replace("policy-blocked", "no-such-reason")).unwrap();
    let (status, _, err) = run(&["scan", "--rules", rules, &log]);
    assert_eq!(status, 2);
    assert!(err.contains("own.toml, line 3") && err.contains("no-such-reason"), "{err}");
}

#[test]
fn advice_in_full_stands_once_at_the_end() {
    let (_folder, name) = file("mail.log", LOG.repeat(3));
    let (_, out, _) = run(&["--advice", "full", &name]);
    assert_eq!(out.matches("MAILBOX FULL").count(), 1, "{out}");
    assert!(!run(&["--advice", "none", &name]).1.contains('→'));
}

#[test]
fn speaks_the_language_it_is_asked_for() {
    let (_folder, name) = file("mail.log", LOG);
    assert!(run(&["--lang", "tr", &name]).1.contains("posta kutusu"), "{}", run(&["--lang", "tr", &name]).1);
    assert!(run(&["--lang", "zh", &name]).1.contains("退信"));
    let chinese = command(&[&name]).env("LC_ALL", "zh_CN.UTF-8").output().unwrap();
    assert!(taken_apart(&chinese).1.contains("退信"));
    let json = run(&["--lang", "zh", "--format", "json", &name]).1;
    assert!(json.is_ascii(), "machine formats stay English: {json}");
}
#[test]
fn a_report_does_not_wait_for_threads_without_number() {
    let (_folder, log) = file("mail.log", LOG);
    let begun = std::time::Instant::now();
    counts_one_bounce(run(&["scan", "-j", "100000", &log]));
    assert!(begun.elapsed().as_secs() < 30, "{:?}", begun.elapsed());
}

#[test]
fn only_filters_stand_under_the_heading_of_filters() {
    for command in ["scan", "events"] {
        let (_, help, _) = run(&[command, "--help"]);
        let begin = help.find("\nWhich events").unwrap();
        let end = begin + help.get(begin..).unwrap().find("\nReport:\n").unwrap();
        let filters = help.get(begin..end).unwrap();
        for option in ["--code", "--instance"] {
            assert!(filters.contains(&format!(" {option} <")), "{command}: {option} is a filter");
        }
        for option in ["--unparsed", "--strict", "--rules", "--top", "--by", "--format", "--output", "--lang"]
        {
            let is_there = filters.lines().any(|line| line.trim_start().starts_with(option));
            assert!(!is_there, "{command}: {option} is no filter");
        }
    }
}
