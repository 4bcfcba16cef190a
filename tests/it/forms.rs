//! Checks that one log gives the same events and the same report in every container and wrapper.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use jiff::tz::TimeZone;
use serde_json::{Value, json};
use smtplog::{LogOptions, ScanOptions};

use crate::support;

/// One line of a log, taken apart.
struct Entry {
    /// `05:32:25` of 22 November 2026, UTC.
    clock: String,
    program: String,
    pid: String,
    text: String,
}

type Form = (&'static str, fn(&Entry) -> String);

/// Forms that say all that a line of syslog says.
const SYSLOG: [Form; 42] = [
    ("RFC 3164", bsd),
    ("RFC 3164 with a priority", |entry| format!("<22>{}", bsd(entry))),
    ("RFC 3339", rfc_3339),
    ("RFC 5424", |entry| {
        let Entry { clock, program, pid, text } = entry;
        format!("<22>1 2026-11-22T{clock}Z mx1 {program} {pid} - - {text}")
    }),
    ("journalctl -o short-full", |entry| {
        let Entry { clock, program, pid, text } = entry;
        format!("Sun 2026-11-22 {clock} UTC mx1 {program}[{pid}]: {text}")
    }),
    ("journalctl -o short-unix", |entry| {
        let Entry { program, pid, text, .. } = entry;
        format!("{}.000000 mx1 {program}[{pid}]: {text}", seconds(entry))
    }),
    ("journalctl -o json", journal),
    ("Docker's json-file", |entry| docker(&bsd(entry))),
    ("Docker's json-file of objects", |entry| docker(&journal(entry))),
    ("CRI", |entry| format!("2026-11-22T23:59:59.123456789Z stdout F {}", bsd(entry))),
    ("docker logs -t", |entry| format!("2026-11-22T23:59:59.123456789Z {}", bsd(entry))),
    ("docker compose logs", |entry| format!("mail-1  | {}", bsd(entry))),
    ("Vector", |entry| {
        json!({
            "appname": entry.program, "facility": "mail", "host": "mx1", "hostname": "mx1", "message": entry.text,
            "procid": entry.pid.parse::<u64>().unwrap(), "severity": "info", "source_ip": "192.0.2.1",
            "source_type": "syslog", "timestamp": format!("2026-11-22T{}Z", entry.clock),
        })
        .to_string()
    }),
    ("Logstash", |entry| {
        json!({
            "@timestamp": format!("2026-11-22T{}.000Z", entry.clock), "@version": "1", "host": "192.0.2.1",
            "logsource": "mx1", "message": entry.text, "pid": entry.pid, "priority": 22,
            "program": entry.program, "timestamp": format!("Nov 22 {}", entry.clock),
        })
        .to_string()
    }),
    ("Filebeat", |entry| {
        json!({
            "@timestamp": "2026-11-22T23:59:59.000Z", "@metadata": {"beat": "filebeat"},
            "agent": {"name": "shipper"}, "host": {"name": "shipper"},
            "log": {"offset": 17, "file": {"path": "/var/log/mail.log"}}, "message": bsd(entry),
        })
        .to_string()
    }),
    ("Fluent Bit", |entry| {
        json!({
            "date": seconds(entry) as f64, "host": "mx1", "ident": entry.program, "message": entry.text,
            "pid": entry.pid, "pri": "22",
        })
        .to_string()
    }),
    ("rsyslog with a second blank", |entry| {
        let Entry { clock, program, pid, text } = entry;
        format!("Nov 22 {clock} mx1 {program}[{pid}]:  {text}")
    }),
    ("rsyslog's properties", |entry| {
        json!({
            "@timestamp": format!("2026-11-22T{}+00:00", entry.clock), "tag": format!("{}[{}]:", entry.program, entry.pid),
            "hostname": "mx1", "program": entry.program.split('/').next(), "message": format!(" {}", entry.text),
        })
        .to_string()
    }),
    ("rsyslog's jsonmesg", |entry| {
        json!({
            "msg": format!(" {}", entry.text), "rawmsg": format!("<22>{}", bsd(entry)),
            "timereported": format!("2026-11-22T{}+00:00", entry.clock), "hostname": "mx1",
            "syslogtag": format!("{}[{}]:", entry.program, entry.pid), "inputname": "imuxsock", "pri": "22",
            "programname": entry.program.split('/').next(), "app-name": entry.program, "procid": entry.pid,
        })
        .to_string()
    }),
    ("a severity before the host", |entry| {
        let Entry { clock, program, pid, text } = entry;
        format!("2026-11-22T{clock}+00:00 INFO    mx1 {program}[{pid}]: {text}")
    }),
    ("BusyBox", |entry| {
        let Entry { clock, program, pid, text } = entry;
        format!("Nov 22 {clock} mx1 mail.info {program}[{pid}]: {text}")
    }),
    ("journalctl -o short-iso", |entry| {
        let Entry { clock, program, pid, text } = entry;
        format!("2026-11-22T{clock}+0000 mx1 {program}[{pid}]: {text}")
    }),
    ("kubectl logs --prefix", |entry| format!("[pod/mail-0/smtp] {}", bsd(entry))),
    ("kubectl logs --prefix --timestamps", |entry| {
        format!("[pod/mail-0/smtp] 2026-11-22T23:59:59.123456789Z {}", bsd(entry))
    }),
    ("stern", |entry| format!("mail-0 smtp {}", bsd(entry))),
    ("stern --all-namespaces", |entry| format!("prod mail-0 smtp {}", bsd(entry))),
    ("stern -o json", |entry| {
        json!({"message": bsd(entry), "nodeName": "n1", "namespace": "prod", "podName": "mail-0", "containerName": "smtp"})
            .to_string()
    }),
    ("logcli", |entry| format!("2026-11-22T23:59:59Z {{app=\"mail\", pod=\"mail-0\"}}   {}", bsd(entry))),
    ("logcli -o jsonl", |entry| {
        json!({"labels": {"app": "mail"}, "line": bsd(entry), "timestamp": "2026-11-22T23:59:59.1Z"})
            .to_string()
    }),
    ("GELF", |entry| {
        json!({
            "version": "1.1", "host": "mx1", "short_message": entry.text, "timestamp": seconds(entry), "level": 6,
            "_program": entry.program, "_pid": entry.pid.parse::<u64>().unwrap(), "_facility": "mail",
        })
        .to_string()
    }),
    ("GELF of Docker", |entry| {
        json!({
            "version": "1.1", "host": "node1", "short_message": bsd(entry), "timestamp": 1_795_384_800.5,
            "_container_name": "mail", "_tag": "1f2e3d4c5b6a",
        })
        .to_string()
    }),
    ("syslog-ng's format-json", |entry| {
        json!({
            "SOURCE": "s_src", "PROGRAM": entry.program, "PRIORITY": "info", "PID": entry.pid, "MESSAGE": entry.text,
            "LEGACY_MSGHDR": format!("{}[{}]: ", entry.program, entry.pid), "HOST_FROM": "relay", "HOST": "mx1",
            "FACILITY": "mail", "DATE": format!("Nov 22 {}", entry.clock),
        })
        .to_string()
    }),
    ("grep -H", |entry| format!("/var/log/mail.log.2.gz:{}", bsd(entry))),
    ("grep -Hn", |entry| format!("logs/2026-11-22/mail-2026-11-22.log:17:{}", bsd(entry))),
    ("grep -n", |entry| format!("17:{}", rfc_3339(entry))),
    ("grep -C", |entry| format!("mail.log-17-{}", bsd(entry))),
    ("Docker's syslog driver", |entry| {
        format!("Nov 22 {} node1 docker/mail[77]: {}", entry.clock, bsd(entry))
    }),
    ("docker compose logs in colour", |entry| format!("\u{1b}[36mmail-1  | \u{1b}[0m{}", bsd(entry))),
    ("Elastic Common Schema", |entry| {
        json!({
            "@timestamp": format!("2026-11-22T{}.000Z", entry.clock), "ecs": {"version": "8.11"}, "message": entry.text,
            "event": {"original": format!("<22>{}", bsd(entry))}, "host": {"name": "shipper"},
            "log": {"syslog": {"hostname": "mx1", "appname": entry.program, "procid": entry.pid}},
        })
        .to_string()
    }),
    ("event.original", |entry| {
        json!({"@timestamp": "2026-11-22T23:59:59.000Z", "event": {"original": format!("<22>{}", bsd(entry))}})
            .to_string()
    }),
    ("aws logs tail", |entry| format!("2026-11-22T23:59:59.123000+00:00 mail/smtp/1f {}", bsd(entry))),
    ("Google Cloud", |entry| {
        json!({"textPayload": bsd(entry), "timestamp": "2026-11-22T23:59:59Z", "resource": {"type": "k8s_container"}})
            .to_string()
    }),
];

/// Forms that do not show the host.
const WITHOUT_HOST: [Form; 4] = [
    ("a severity in the place of the host", |entry| {
        let Entry { clock, program, pid, text } = entry;
        format!("2026-11-22T{clock}+00:00 NOTICE  {program}[{pid}]: {text}")
    }),
    ("OpenWrt's logread", |entry| {
        let Entry { clock, program, pid, text } = entry;
        format!("Sun Nov 22 {clock} 2026 mail.info {program}[{pid}]: {text}")
    }),
    ("BusyBox -S", |entry| {
        let Entry { clock, program, pid, text } = entry;
        format!("Nov 22 {clock} {program}[{pid}]: {text}")
    }),
    ("logcli of a journal", |entry| {
        let Entry { clock, program, pid, text } = entry;
        format!("2026-11-22T{clock}Z {{unit=\"mail\"}} {program}[{pid}]: {text}")
    }),
];

/// Forms that need several lines for one entry.
const SPREAD: [Form; 2] = [
    ("journalctl -o export", |entry| {
        let Entry { program, pid, text, .. } = entry;
        let micros = format!("{}000000", seconds(entry));
        format!(
            "__CURSOR=s=0f;i=1a\n__REALTIME_TIMESTAMP={micros}\n_BOOT_ID=3c\n_TRANSPORT=syslog\nPRIORITY=6\n\
             _HOSTNAME=mx1\nSYSLOG_IDENTIFIER={program}\nSYSLOG_PID={pid}\nMESSAGE={text}\n_PID={pid}\n"
        )
    }),
    ("journalctl -o verbose", |entry| {
        let Entry { clock, program, pid, text } = entry;
        format!(
            "Sun 2026-11-22 {clock}.000000 UTC [s=0f;i=1a;b=3c]\n    _TRANSPORT=syslog\n    _HOSTNAME=mx1\n    \
             SYSLOG_IDENTIFIER={program}\n    SYSLOG_PID={pid}\n    MESSAGE={text}"
        )
    }),
];

/// Forms that put something around a line and nothing into it.
const AROUND: [Form; 12] = [
    ("Docker's json-file", |entry| docker(&entry.text)),
    ("CRI", |entry| format!("2026-11-22T23:59:59.123456789Z stdout F {}", entry.text)),
    ("docker logs -t", |entry| format!("2026-11-22T23:59:59.123456789Z {}", entry.text)),
    ("docker compose logs", |entry| format!("exim-1  | {}", entry.text)),
    ("Vector", |entry| {
        json!({"message": entry.text, "timestamp": "2026-11-22T23:59:59Z", "source_type": "file"}).to_string()
    }),
    ("kubectl logs --prefix", |entry| format!("[pod/mail-0/exim] {}", entry.text)),
    ("stern", |entry| format!("mail-0 exim {}", entry.text)),
    ("grep -H", |entry| format!("exim_mainlog:{}", entry.text)),
    ("zgrep", |entry| format!("/var/log/exim/mainlog-20261122.gz:{}", entry.text)),
    ("logcli", |entry| format!("2026-11-22T23:59:59Z {{app=\"mail\"}} {}", entry.text)),
    ("Docker's syslog driver", |entry| format!("Nov 22 23:59:59 node1 docker/mail[77]: {}", entry.text)),
    ("event.original", |entry| json!({"event": {"original": entry.text}}).to_string()),
];

fn bsd(Entry { clock, program, pid, text }: &Entry) -> String {
    format!("Nov 22 {clock} mx1 {program}[{pid}]: {text}")
}

fn rfc_3339(Entry { clock, program, pid, text }: &Entry) -> String {
    format!("2026-11-22T{clock}+00:00 mx1 {program}[{pid}]: {text}")
}

/// As journald writes what came through /dev/log.
fn journal(entry: &Entry) -> String {
    let micros = format!("{}000000", seconds(entry));
    let later = format!("{}000123", seconds(entry) + 1);
    json!({
        "__CURSOR": "s=0f;i=1a2b;b=3c;m=4d;t=5e;x=6f", "__REALTIME_TIMESTAMP": later,
        "__MONOTONIC_TIMESTAMP": "33911712", "_BOOT_ID": "3c", "_MACHINE_ID": "4d", "_HOSTNAME": "mx1",
        "_RUNTIME_SCOPE": "system", "_TRANSPORT": "syslog", "PRIORITY": "6", "SYSLOG_FACILITY": "2",
        "SYSLOG_IDENTIFIER": entry.program, "SYSLOG_PID": entry.pid, "SYSLOG_TIMESTAMP": "Nov 22 05:32:25 ",
        "_PID": entry.pid, "_UID": "104", "_GID": "106", "_COMM": "smtp", "_EXE": "/usr/lib/postfix/sbin/smtp",
        "_CMDLINE": "smtp -t unix -u -c", "_CAP_EFFECTIVE": "0", "_SYSTEMD_CGROUP": "/system.slice/postfix.service",
        "_SYSTEMD_UNIT": "postfix.service", "_SYSTEMD_SLICE": "system.slice", "_SYSTEMD_INVOCATION_ID": "7a",
        "_SOURCE_REALTIME_TIMESTAMP": micros, "MESSAGE": entry.text,
    })
    .to_string()
}

fn docker(line: &str) -> String {
    json!({"log": format!("{line}\n"), "stream": "stdout", "time": "2026-11-22T23:59:59.123456789Z"})
        .to_string()
}

fn seconds(entry: &Entry) -> i64 {
    let stamp: jiff::Timestamp = format!("2026-11-22T{}Z", entry.clock).parse().unwrap();
    stamp.as_second()
}

/// `Nov 22 05:32:25 mx1 postfix/smtp[195]: text`
fn postfix() -> Vec<Entry> {
    let text = fs::read_to_string(support::root().join("fixtures/postfix/out.log")).unwrap();
    let entry = |line: &str| {
        let (front, text) = line.strip_prefix("Nov 22 ").unwrap().split_once("]: ").unwrap();
        let (front, pid) = front.split_once('[').unwrap();
        let (clock, program) = front.split_once(" mx1 ").unwrap();
        Entry { clock: clock.into(), program: program.into(), pid: pid.into(), text: text.into() }
    };
    text.lines().map(entry).collect()
}

/// `2026-11-22 05:34:16 1xV0DQ-0000Ne-0z => …`: the text is the whole line.
fn exim() -> Vec<Entry> {
    let text = fs::read_to_string(support::root().join("fixtures/exim/out.log")).unwrap();
    let entry = |line: &str| {
        let clock = line.strip_prefix("2026-11-22 ").unwrap().get(..8).unwrap();
        Entry { clock: clock.into(), program: "exim".into(), pid: "7".into(), text: line.into() }
    };
    text.lines().map(entry).collect()
}

/// Last written on the evening of its day, so that a stamp without a year finds it.
fn write(folder: &Path, entries: &[Entry], form: fn(&Entry) -> String, end: &str) -> String {
    let path = folder.join("form.log");
    let text: String = entries.iter().flat_map(|entry| [form(entry), end.to_owned()]).collect();
    fs::write(&path, text).unwrap();
    let evening = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_384_800);
    File::options().append(true).open(&path).unwrap().set_modified(evening).unwrap();
    path.to_str().unwrap().to_owned()
}

/// The report without what names the file or shows a raw line, and the events without the file.
fn answers(log: &str) -> (Value, Vec<Value>) {
    let report = support::answer(&["scan", "--format", "json", "--tz", "UTC", log]).0;
    let mut report: Value = serde_json::from_str(&report).unwrap();
    // An ACL of the recordings logs one text of its own.
    assert!(report["input"]["not_understood"].as_u64() <= Some(1), "{}", report["input"]);
    for name in ["files", "bytes", "not_understood_lines"] {
        report["input"][name] = Value::Null;
    }
    for table in ["rows", "warnings"] {
        for row in report[table].as_array_mut().into_iter().flatten() {
            row["example"] = Value::Null;
        }
    }
    let events = support::answer(&["events", "--tz", "UTC", log]).0;
    let events = events.lines().map(|event| {
        let mut event: Value = serde_json::from_str(event).unwrap();
        event["file"] = Value::Null;
        event
    });
    (report, events.collect())
}

#[track_caller]
fn same(form: &str, got: &(Value, Vec<Value>), want: &(Value, Vec<Value>)) {
    for (got, want) in got.1.iter().zip(&want.1) {
        assert_eq!(got, want, "{form}");
    }
    assert_eq!(got.1.len(), want.1.len(), "{form}");
    assert_eq!(got.0.to_string(), want.0.to_string(), "{form}");
}

fn without_stamp(entries: Vec<Entry>) -> Vec<Entry> {
    let cut = |entry: Entry| Entry { text: entry.text.get(20..).unwrap().to_owned(), ..entry };
    entries.into_iter().map(cut).collect()
}

#[test]
fn every_form_of_a_log_gives_the_same_answers() {
    let folder = tempfile::tempdir().unwrap();
    for entries in [postfix(), without_stamp(exim())] {
        let want = answers(&write(folder.path(), &entries, rfc_3339, "\n"));
        assert!(want.1.len() > 100, "{} events", want.1.len());
        for (name, form) in SYSLOG {
            same(name, &answers(&write(folder.path(), &entries, form, "\n")), &want);
            same(name, &answers(&write(folder.path(), &entries, form, "\r\n")), &want);
        }
    }
}

/// The lines of a recording in syslog's form; `None`: some have another form. The dates become one day.
fn recorded(log: &Path) -> Option<Vec<Entry>> {
    let text = fs::read_to_string(log).ok()?;
    let entry = |line: &str| {
        let (front, text) = line.get("Nov 22 ".len()..)?.split_once("]: ")?;
        let (front, pid) = front.split_once('[')?;
        let (clock, program) = front.split_once(" mx1 ")?;
        (line.starts_with("Nov ") && clock.len() == 8 && !program.contains(' ')).then(|| Entry {
            clock: clock.into(),
            program: program.into(),
            pid: pid.into(),
            text: text.into(),
        })
    };
    text.lines().map(entry).collect()
}

/// The number of events of each kind.
fn tally(log: &str) -> Value {
    let options = LogOptions { time_zone: Some(TimeZone::UTC), ..LogOptions::default() };
    let report = smtplog::scan(&[log], &ScanOptions { logs: options, ..ScanOptions::default() }).unwrap();
    let rows = report
        .rows
        .iter()
        .map(|row| json!([row.direction, row.outcome, row.code, row.enhanced, row.reason, row.attempts]));
    json!([report.totals.outbound, report.totals.inbound, report.totals.local, rows.collect::<Vec<_>>()])
}

/// The recordings of one server are joined into one log, which is faster than to read each alone.
#[test]
fn every_recording_has_the_same_tally_in_every_form() {
    let folder = tempfile::tempdir().unwrap();
    for (server, least) in [("postfix", 10), ("sendmail", 8), ("opensmtpd", 6)] {
        let logs = support::logs();
        let logs = logs.iter().filter(|log| log.parent().is_some_and(|folder| folder.ends_with(server)));
        let recordings: Vec<Vec<Entry>> = logs.filter_map(|log| recorded(log)).collect();
        assert!(recordings.len() >= least, "{server}: only {} recordings", recordings.len());
        let entries: Vec<Entry> = recordings.into_iter().flatten().collect();
        let want = tally(&write(folder.path(), &entries, rfc_3339, "\n"));
        for (at, (name, form)) in SYSLOG.iter().enumerate() {
            let end = if at % 2 == 0 { "\n" } else { "\r\n" };
            assert_eq!(tally(&write(folder.path(), &entries, *form, end)), want, "{server}: {name}");
        }
    }
}

#[test]
fn forms_without_a_host_give_the_same_answers() {
    let folder = tempfile::tempdir().unwrap();
    let bare: fn(&Entry) -> String =
        |Entry { clock, program, pid, text }| format!("2026-11-22T{clock}+00:00 {program}[{pid}]: {text}");
    for entries in [postfix(), without_stamp(exim())] {
        let want = answers(&write(folder.path(), &entries, bare, "\n"));
        assert_eq!(want.0["hosts"], json!([]));
        for (name, form) in WITHOUT_HOST {
            same(name, &answers(&write(folder.path(), &entries, form, "\n")), &want);
            same(name, &answers(&write(folder.path(), &entries, form, "\r\n")), &want);
        }
    }
}

/// The events without the numbers of their lines.
fn unnumbered(mut events: Vec<Value>) -> Vec<Value> {
    for event in &mut events {
        event["line"] = Value::Null;
    }
    events
}

#[test]
fn entries_of_several_lines_give_the_same_events() {
    let folder = tempfile::tempdir().unwrap();
    for entries in [postfix(), without_stamp(exim())] {
        let want = answers(&write(folder.path(), &entries, rfc_3339, "\n"));
        let want = (want.0["totals"].clone(), unnumbered(want.1));
        for (name, form) in SPREAD {
            let log = write(folder.path(), &entries, form, "\n");
            let got = answers(&log);
            same(name, &(got.0["totals"].clone(), unnumbered(got.1)), &want);
            // A block may begin within an entry.
            let split = ["scan", "--format", "json", "--tz", "UTC", "-j", "2", "--block-size", "700", &log];
            let split: Value = serde_json::from_str(&support::answer(&split).0).unwrap();
            assert_eq!(split["totals"], want.0, "{name}");
        }
    }
}

#[test]
fn all_forms_in_one_file_give_the_same_answers() {
    let folder = tempfile::tempdir().unwrap();
    let entries = postfix();
    let want = answers(&write(folder.path(), &entries, rfc_3339, "\n"));
    let lines = entries.iter().zip(SYSLOG.iter().cycle()).enumerate();
    let text: String =
        lines.map(|(at, (entry, (_, form)))| form(entry) + if at % 3 == 0 { "\r\n" } else { "\n" }).collect();
    let log = write(folder.path(), &[], rfc_3339, "\n");
    fs::write(&log, text).unwrap();
    let evening = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_384_800);
    File::options().append(true).open(&log).unwrap().set_modified(evening).unwrap();
    same("mixed", &answers(&log), &want);
}

#[test]
fn without_the_name_of_a_daemon_the_text_says_enough() {
    let folder = tempfile::tempdir().unwrap();
    let with_unit: Form = ("with-unit", |Entry { clock, pid, text, .. }| {
        format!("Sun 2026-11-22 {clock} UTC mx1 postfix@-.service[{pid}]: {text}")
    });
    let cat: Form = ("cat", |entry| entry.text.clone());
    let parts = |events: &[Value]| -> Vec<[Value; 5]> {
        let mut parts: Vec<[Value; 5]> = events
            .iter()
            .filter(|event| event["outcome"] != "attempt")
            .map(|event| {
                ["direction", "outcome", "code", "queue_id", "recipient"].map(|name| event[name].clone())
            })
            .collect();
        parts.sort_by_key(|part| json!(part).to_string());
        parts
    };
    let entries = postfix();
    let want = answers(&write(folder.path(), &entries, rfc_3339, "\n"));
    for (name, form) in [with_unit, cat] {
        let events =
            support::answer(&["events", "--tz", "UTC", &write(folder.path(), &entries, form, "\r\n")]).0;
        let events: Vec<Value> = events.lines().map(|event| serde_json::from_str(event).unwrap()).collect();
        assert_eq!(parts(&events), parts(&want.1), "{name}");
    }
}

#[test]
fn a_repeated_message_counts_as_often_as_it_occurred() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("mail.log");
    let front = "2026-11-22T03:04:05+00:00 mx1 postfix/smtpd[7]:";
    let reject = "NOQUEUE: reject: RCPT from c.example.com[192.0.2.9]: 554 5.7.1 <b@example.net>: Relay access denied; \
                  from=<a@example.com> to=<b@example.net> proto=ESMTP helo=<c>";
    let ended =
        |end: &str| format!("{front} {reject}{end}{front} message repeated 4 times: [ {reject}]{end}");
    for (text, want) in [
        (ended("\n"), 5),
        (ended("\r\n"), 5),
        (format!("{front} {reject}\nNov 22 03:04:06 mx1 last message repeated 2 times\n"), 3),
        (format!("{front} {reject}\n{front} last message repeated 2 times\n"), 3),
        (
            format!(
                "{front} {reject}\n{front} Last message 'NOQUEUE: reject: RCP' repeated 6 times, suppressed by syslog-ng on mx1\n"
            ),
            7,
        ),
    ] {
        fs::write(&log, text).unwrap();
        let path = log.to_str().unwrap();
        let report = support::answer(&["scan", "--format", "json", "--tz", "UTC", path]).0;
        let report: Value = serde_json::from_str(&report).unwrap();
        assert_eq!(report["totals"]["inbound"]["refused"], want);
        assert_eq!((&report["input"]["lines"], &report["input"]["mail"]), (&json!(2), &json!(2)));
        assert_eq!(report["rows"][0]["attempts"], want);
        assert_eq!(support::answer(&["events", "--tz", "UTC", path]).0.lines().count(), want);
        let trace = support::answer(&["trace", "--format", "json", "--tz", "UTC", "b@example.net", path]).0;
        let trace: Value = serde_json::from_str(&trace).unwrap();
        assert_eq!(trace["stories"][0]["hops"][0]["steps"][0]["count"], want, "{trace}");
        let filtered = support::answer(&["scan", "--format", "json", "--tz", "UTC", "--code", "452", path]).0;
        let filtered: Value = serde_json::from_str(&filtered).unwrap();
        assert_eq!(filtered["input"]["filtered"], want);
    }
}

#[test]
fn exims_own_lines_in_a_wrapper_are_read_as_in_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let entries = exim();
    let want = answers(&write(folder.path(), &entries, |entry| entry.text.clone(), "\n"));
    for (name, form) in AROUND {
        same(name, &answers(&write(folder.path(), &entries, form, "\n")), &want);
    }
}

#[test]
fn what_exim_sends_to_syslog_twice_is_one_event_in_the_journal_too() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["in-syslog.log", "out-syslog.log"] {
        let text = fs::read_to_string(support::root().join("fixtures/exim").join(name)).unwrap();
        let entry = |line: &str| {
            let (front, text) = line.split_once("]: ").unwrap();
            let (front, pid) = front.rsplit_once('[').unwrap();
            let (stamp, program) = front.split_once(" mx1 ").unwrap();
            let clock = stamp.get(stamp.find(':').unwrap() - 2..).unwrap().get(..8).unwrap();
            Entry { clock: clock.into(), program: program.into(), pid: pid.into(), text: text.into() }
        };
        let entries: Vec<Entry> = text.lines().map(entry).collect();
        let want = answers(&write(folder.path(), &entries, rfc_3339, "\n"));
        same(name, &answers(&write(folder.path(), &entries, journal, "\n")), &want);
        same(name, &answers(&write(folder.path(), &entries, |entry| docker(&bsd(entry)), "\n")), &want);
    }
}

#[test]
fn counts_each_refusal_that_exim_sends_to_syslog_once() {
    let folder = tempfile::tempdir().unwrap();
    let entry = |text: &str| Entry {
        clock: "03:04:05".into(),
        program: "exim".into(),
        pid: "9".into(),
        text: text.into(),
    };
    let once = [
        "spool directory space check failed: space=4 inodes=12",
        "temporarily refused connection from [192.0.2.1]: not in reserve list: connected=20 max=20 reserve=5",
        "Connection from [192.0.2.1] refused: too many connections",
    ];
    let twice = "refused connection from h [192.0.2.1] (host_reject_connection)";
    let entries: Vec<Entry> = once.iter().flat_map(|text| [entry(text), entry(text), entry(text)]).collect();
    let count = |entries: &[Entry]| answers(&write(folder.path(), entries, bsd, "\n")).1.len();
    assert_eq!(count(&entries), 9);
    assert_eq!(count(&[entry(twice), entry(twice)]), 1);
}

#[test]
fn another_instance_gives_the_same_counts() {
    let folder = tempfile::tempdir().unwrap();
    let renamed =
        |entry: Entry| Entry { program: entry.program.replace("postfix/", "postfix-out/"), ..entry };
    let entries: Vec<Entry> = postfix().into_iter().map(renamed).collect();
    let [mut got, mut want] = [(&entries, journal as fn(&Entry) -> String), (&postfix(), bsd)]
        .map(|(entries, form)| answers(&write(folder.path(), entries, form, "\n")).0);
    assert_eq!(got["instances"][0]["name"], "postfix-out");
    got["instances"] = Value::Null;
    want["instances"] = Value::Null;
    assert_eq!(got.to_string(), want.to_string());
}

#[test]
fn lines_of_the_other_servers_are_read_in_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    let entry = |program: &str, text: &str| Entry {
        clock: "03:04:05".to_owned(),
        program: program.to_owned(),
        pid: "7".to_owned(),
        text: text.to_owned(),
    };
    let entries = [
        entry(
            "sm-mta",
            "h6RDLNtg011461: to=<a@example.org>, delay=00:00:01, mailer=esmtp, pri=30, \
             relay=mx.example.org. [192.0.2.1], dsn=5.1.1, stat=User unknown",
        ),
        entry(
            "smtpd",
            "8f4864084ecc48f4 mta delivery evpid=1 from=<b@example.org> to=<a@example.org> rcpt=<-> \
             source=\"192.0.2.2\" relay=\"192.0.2.1 (mx.example.org)\" delay=1s result=\"TempFail\" stat=\"421 busy\"",
        ),
    ];
    let got = answers(&write(folder.path(), &entries, journal, "\n"));
    let mtas: Vec<&Value> = got.1.iter().map(|event| &event["mta"]).collect();
    assert_eq!(mtas, ["sendmail", "opensmtpd"]);
    same("journal", &got, &answers(&write(folder.path(), &entries, bsd, "\n")));
}

#[test]
fn explain_opens_a_line_too() {
    let entries = postfix();
    let entry = entries.iter().find(|entry| entry.text.contains("552 5.2.2 Mailbox full")).unwrap();
    let inside = rfc_3339(entry).replace("+00:00", "Z");
    for format in ["text", "json", "ndjson"] {
        let [got, mut want] = [journal(entry), inside.clone()]
            .map(|line| support::answer(&["explain", "--format", format, &line]));
        assert!(got.0.contains("mailbox-full"), "{}", got.0);
        if format == "ndjson" {
            // A program finds its question there as it asked it.
            let input = json!(journal(entry)).to_string();
            want.0 = want.0.replace(&json!(inside).to_string(), &input);
        }
        assert_eq!(got, want, "{format}");
    }
}
