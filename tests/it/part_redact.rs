//! Checks parts that name nobody: `scan --part --redact`.

use std::fs;
use std::io::Read;
use std::path::Path;

use flate2::read::DeflateDecoder;
use serde_json::Value;
use tempfile::{TempDir, tempdir};

use crate::parts::{FORMATS, assert_same, files_of_merge, make_part, merge_to_part, report, text};
use crate::support;

/// Hand-overs to an inner relay: the first copy is on the other host, the second nowhere, and the third was there days ago.
const HANDED: &str = "\
Nov 22 05:00:01 mx1 postfix/smtpd[1]: 4jXCsJ3c7Hz7j9M: client=dyn-203-0-113-77.example.net[203.0.113.77], sasl_method=PLAIN, \
sasl_username=zaphod
Nov 22 05:00:01 mx1 postfix/qmgr[1]: 4jXCsJ3c7Hz7j9M: from=<slartibart@example.org>, size=1, nrcpt=2 (queue active)
Nov 22 05:00:02 mx1 postfix/smtp[1]: 4jXCsJ3c7Hz7j9M: to=<trillian@example.net>, relay=gw.example.org[10.0.0.9]:25, delay=1, \
delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 4F1A2B3C4D)
Nov 22 05:00:03 mx1 postfix/smtp[1]: 4jXCsJ3c7Hz7j9M: to=<marvinx@example.net>, relay=gw.example.org[10.0.0.9]:25, delay=2, \
delays=0/0/0/2, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 5F1A2B3C4D)
Nov 22 05:00:03 mx1 postfix/qmgr[1]: 4jXCsJ3c7Hz7j9M: removed
Nov 22 05:00:04 mx1 postfix/smtpd[1]: warning: unknown[203.0.113.77]: SASL LOGIN authentication failed: authentication \
failure, sasl_username=arthurdent
Nov 22 05:00:05 mx1 postfix/smtpd[1]: gibberish of eddie@example.org at 203.0.113.77
Nov 22 05:00:06 mx1 postfix/smtpd[1]: NOQUEUE: reject: RCPT from host-77-113.dyn.example.net[203.0.113.77]: 554 5.7.1 \
Service unavailable; Client host [203.0.113.77] blocked using zen.example.org; 77.113.0.203.zen.example.org; \
from=<agrajag@example.com> to=<fordprefect@example.org> proto=ESMTP helo=<[203.0.113.77]>
";

const TAKEN: &str = "\
Nov 22 05:00:02 gw postfix/smtpd[1]: 4F1A2B3C4D: client=mx1.example.org[203.0.113.77]
Nov 22 05:00:02 gw postfix/qmgr[1]: 4F1A2B3C4D: from=<slartibart@example.org>, size=1, nrcpt=1 (queue active)
Nov 22 05:00:04 gw postfix/smtp[1]: 4F1A2B3C4D: to=<trillian@example.net>, relay=mx.example.net[198.51.100.9]:25, delay=1, \
delays=0/0/0/1, dsn=5.1.1, status=bounced (host mx.example.net[198.51.100.9] said: 550 5.1.1 trillian: user unknown (in reply \
to RCPT TO command))
Nov 22 05:00:05 gw postfix/qmgr[1]: 4F1A2B3C4D: removed
";

const PEOPLE: [&str; 12] = [
    "zaphod",
    "slartibart",
    "trillian",
    "marvinx",
    "arthurdent",
    "eddie",
    "agrajag",
    "fordprefect",
    "203.0.113.77",
    "203-0-113-77",
    "77.113.0.203",
    "host-77-113",
];

fn key(folder: &TempDir, name: &str) -> String {
    let path = folder.path().join(name);
    fs::write(&path, format!("a key of sixteen bytes or more: {name}\n")).unwrap();
    text(&path)
}

/// The head and all sections of a part, decompressed.
fn opened(part: &Path) -> Vec<(String, Vec<u8>)> {
    let bytes = fs::read(part).unwrap();
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let head: Value = serde_json::from_slice(&bytes[..end]).unwrap();
    let mut sections = vec![("head".to_owned(), bytes[..end].to_vec())];
    let mut start = end;
    for section in head["sections"].as_array().unwrap() {
        let packed = section["packed"].as_u64().unwrap() as usize;
        let mut content = Vec::new();
        let bytes = &bytes[start..start + packed];
        match section["form"].as_str() {
            Some("plain") => content.extend_from_slice(bytes),
            form => {
                assert_eq!(form, Some("deflate"));
                DeflateDecoder::new(bytes).read_to_end(&mut content).unwrap();
            }
        }
        start += packed;
        sections.push((section["name"].as_str().unwrap().to_owned(), content));
    }
    sections
}

#[track_caller]
fn names_nobody(part: &Path, people: &[&str]) {
    for (name, content) in opened(part) {
        let content = content.to_ascii_lowercase();
        // Of several addresses with one domain, only the first one has it.
        let locals = people.iter().filter_map(|person| person.split_inclusive('@').next());
        for person in people.iter().copied().chain(locals) {
            let found = memchr::memmem::find(&content, person.to_ascii_lowercase().as_bytes());
            assert!(found.is_none(), "{}: {name} has {person}", part.display());
        }
    }
}

/// The logs of two hosts, in folders that are named like a customer's address.
fn logs(folder: &TempDir) -> Vec<String> {
    let inside = folder.path().join("for-eddie@example.org");
    fs::create_dir(&inside).unwrap();
    let extra = fs::read_to_string(support::fixture("postfix/filter.log")).unwrap();
    let files = [
        ("gw.log", TAKEN.to_owned()),
        ("mx1.log", HANDED.to_owned()),
        ("mx3.log", extra.replace(" mx1 ", " mx3 ")),
    ];
    let files = files.map(|(name, content)| {
        let path = inside.join(name);
        fs::write(&path, content).unwrap();
        text(&path)
    });
    files.to_vec()
}

#[test]
fn redacted_parts_name_nobody_and_add_up_to_a_redacted_scan() {
    let folder = tempdir().unwrap();
    let key = key(&folder, "key");
    let redact = ["--redact", "--redact-key-file", &key];
    let logs = logs(&folder);
    let (mut hidden, mut plain) = (Vec::new(), Vec::new());
    for (number, log) in logs.iter().enumerate() {
        let part = folder.path().join(format!("hidden-{number}.part"));
        let shown = ["--examples", "3"];
        make_part(&[&redact[..], &shown].concat(), std::slice::from_ref(log), &part);
        names_nobody(&part, &PEOPLE);
        hidden.push(text(&part));
        let part = folder.path().join(format!("plain-{number}.part"));
        make_part(&shown, std::slice::from_ref(log), &part);
        assert!(
            opened(&part).iter().any(|(_, content)| memchr::memmem::find(content, b"trillian").is_some())
                || number == 2
        );
        plain.push(text(&part));
    }
    let sum = folder.path().join("sum.part");
    merge_to_part(&[hidden[1].clone(), hidden[0].clone()], &sum);
    names_nobody(&sum, &PEOPLE);
    let tree = [hidden[2].clone(), text(&sum)];
    let order = files_of_merge(&plain, &logs);
    // What storms are found in names people, so redacted parts do not keep it.
    let options: &[&str] = &["--who", "--delays", "--examples", "2", "--no-storms"];
    for format in FORMATS {
        let scan = [&["--year", "2026"], &redact[..], options].concat();
        let whole = report("scan", &scan, format, &order);
        assert!(PEOPLE.iter().all(|person| !whole.contains(person)), "{whole}");
        assert_same(format, &whole, &report("merge", options, format, &hidden));
        assert_same(format, &whole, &report("merge", options, format, &tree));
        assert_same(format, &whole, &report("merge", &[&redact[..], options].concat(), format, &plain));
    }
    // One hand-over was joined with the copy on the other host, the other one is a delivery.
    let whole: Value = serde_json::from_str(&report("merge", &[], "json", &hidden[..2])).unwrap();
    assert_eq!(whole["totals"]["outbound"]["bounced"], 1, "{whole}");
    assert_eq!(whole["totals"]["outbound"]["delivered"], 1, "{whole}");
    assert_eq!(whole["totals"]["hops"], 1, "{whole}");
}

#[test]
fn groups_and_filters_of_a_redacted_part_name_nobody() {
    let folder = tempdir().unwrap();
    let key = key(&folder, "key");
    let log = logs(&folder)[1].clone();
    let part = folder.path().join("a.part");
    let count = [
        "--redact",
        "--redact-key-file",
        &key,
        "--by",
        "recipient,relay,host",
        "--to",
        "trillian@example.net",
        "--to",
        "marvinx@example.net",
    ];
    make_part(&count, std::slice::from_ref(&log), &part);
    names_nobody(&part, &PEOPLE);
    let scan = [&["--year", "2026", "--no-storms"], &count[..]].concat();
    let whole = report("scan", &scan, "json", std::slice::from_ref(&log));
    assert!(whole.contains("\"recipient\": \"u-") || whole.contains("\"recipient\":\"u-"), "{whole}");
    assert_same("json", &whole, &report("merge", &["--no-storms"], "json", &[text(&part)]));
}

#[test]
fn parts_with_another_key_or_none_are_refused() {
    let folder = tempdir().unwrap();
    let logs = logs(&folder);
    let [one, other] = ["one", "other"].map(|name| key(&folder, name));
    let make = |name: &str, log: &String, redact: &[&str]| {
        let part = folder.path().join(name);
        make_part(redact, std::slice::from_ref(log), &part);
        text(&part)
    };
    let a = make("a.part", &logs[0], &["--redact", "--redact-key-file", &one]);
    let b = make("b.part", &logs[1], &["--redact", "--redact-key-file", &other]);
    let c = make("c.part", &logs[1], &[]);
    let refused = |args: &[&str], words: &str| {
        let (status, out, err) = support::run(&[&["merge"], args].concat());
        assert!(status == 2 && out.is_empty() && err.contains(words), "{args:?}: {status} {err}");
    };
    refused(&[&a, &b], "another key for --redact than");
    refused(&[&a, &c], "another choice of --redact than");
    refused(
        &["--redact", "--redact-key-file", &one, "--part", "-", &c],
        "use --redact when the parts are made",
    );
    let (head, same) =
        (&opened(Path::new(&a))[0].1, make("d.part", &logs[1], &["--redact", "--redact-key-file", &one]));
    let head: Value = serde_json::from_slice(head).unwrap();
    assert_eq!(head["counted"]["redact"].as_str().unwrap().len(), 16);
    assert_eq!(support::run(&["merge", "--format", "json", &a, &same]).0, 0);
}
