//! Checks `--redact`: no local part and no client address of a log remains, in any format.

use std::collections::BTreeSet;
use std::fs;

use crate::support::{answer, command, events, fixture, logs, run, taken_apart};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use tempfile::{TempDir, tempdir};

fn key(folder: &TempDir) -> String {
    let path = folder.path().join("key");
    fs::write(&path, "a key of sixteen bytes or more\n").unwrap();
    path.to_str().unwrap().to_owned()
}

/// Every command and format that shows a log.
const SHOWN: [&[&str]; 21] = [
    &["scan", "--examples", "9", "-n", "0"],
    &["scan", "--examples", "9", "-n", "0", "--format", "json"],
    &["scan", "--examples", "9", "-n", "0", "--format", "ndjson"],
    &["scan", "--format", "csv"],
    &["scan", "--examples", "9", "-n", "0", "--format", "markdown"],
    &["scan", "--examples", "9", "-n", "0", "--format", "html"],
    &["scan", "--format", "prometheus"],
    &["scan", "--format", "line"],
    &["scan", "--mail-headers"],
    &["scan", "--by", "recipient,sender,client,user,relay", "-n", "0", "--format", "json"],
    &["scan", "--who", "-n", "0"],
    &["scan", "--who", "-n", "0", "--format", "html"],
    &["scan", "--who", "-n", "0", "--format", "csv"],
    &["trace", "-n", "0", "--format", "json", "@example.org"],
    &["trace", "-n", "0", "@example.org"],
    &["trace", "-n", "0", "--raw", "@example.org"],
    &["storm", "-n", "0", "--format", "json"],
    &["storm", "-n", "0"],
    &["events"],
    &["events", "--format", "csv"],
    &["events", "--format", "text"],
];

fn shown(log: &str, key: &str) -> Vec<String> {
    let args = ["--tz", "UTC", "--year", "2026", "--redact", "--redact-key-file", key, log];
    SHOWN.iter().map(|how| answer(&[how, &args[..]].concat()).0).collect()
}

fn is_part_of_word(sign: u8) -> bool {
    sign.is_ascii_alphanumeric() || b"_-.@".contains(&sign)
}

/// Where the word stands as one, and is no part of a domain.
fn stands_in(text: &str, word: &str) -> bool {
    let bytes = text.as_bytes();
    text.match_indices(word).any(|(at, _)| {
        let before = at.checked_sub(1).and_then(|at| bytes.get(at));
        let after = bytes.get(at + word.len());
        !before.is_some_and(|sign| is_part_of_word(*sign))
            && !after.is_some_and(|sign| is_part_of_word(*sign))
    })
}

#[track_caller]
fn hides(texts: &[String], locals: &BTreeSet<String>, ips: &BTreeSet<String>) {
    for (how, text) in SHOWN.iter().zip(texts) {
        for local in locals {
            for form in [format!("{local}@"), format!("{local}%40"), format!("{local}&#64;")] {
                let found = text.match_indices(&form).any(|(at, _)| {
                    let before = at.checked_sub(1).and_then(|at| text.as_bytes().get(at));
                    !before.is_some_and(|sign| is_part_of_word(*sign))
                });
                assert!(!found, "{how:?} shows {form}");
            }
            if local.len() > 5 {
                let encoded = STANDARD.encode(local);
                assert!(!text.contains(&encoded), "{how:?} shows {local} as {encoded}");
            }
        }
        for ip in ips {
            let dashed = ip.replace(['.', ':'], "-");
            assert!(!stands_in(text, ip) && !text.contains(&format!("[{ip}]")), "{how:?} shows {ip}");
            assert!(ip.len() < 7 || !text.contains(&dashed), "{how:?} shows {dashed}");
        }
    }
}

/// Local parts, and addresses of clients, as the events name them.
fn told(log: &std::path::Path) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut locals, mut ips) = (BTreeSet::new(), BTreeSet::new());
    for event in events(log) {
        for field in ["sender", "recipient", "user"] {
            let local =
                event[field].as_str().and_then(|address| address.rsplit_once('@')).map(|(local, _)| local);
            locals.extend(local.filter(|local| !local.is_empty()).map(str::to_owned));
        }
        let client = Some(&event["client"])
            .into_iter()
            .chain(Some(&event["peer_ip"]).filter(|_| event["direction"] == "inbound"));
        let client = client
            .filter_map(|ip| ip.as_str())
            .filter(|ip| ip.parse::<std::net::IpAddr>().is_ok_and(|ip| !ip.is_loopback()));
        ips.extend(client.map(str::to_owned));
    }
    (locals, ips)
}

#[test]
fn nobody_is_named_in_any_format_of_any_recording() {
    let folder = tempdir().unwrap();
    let key = key(&folder);
    let mut all = (0, 0);
    for log in logs() {
        let (locals, ips) = told(&log);
        all = (all.0 + locals.len(), all.1 + ips.len());
        hides(&shown(log.to_str().unwrap(), &key), &locals, &ips);
    }
    assert!(all.0 > 100 && all.1 > 3, "{all:?}");
}

const LOG: &str = "\
Nov 22 05:00:01 mx1 postfix/submission/smtpd[1]: 4jXCsJ3c7Hz7j9M: client=203-0-113-77.dyn.example.net[203.0.113.77], \
sasl_method=PLAIN, sasl_username=zaphod
Nov 22 05:00:01 mx1 postfix/qmgr[1]: 4jXCsJ3c7Hz7j9M: from=<zaphod.b@example.org>, size=1, nrcpt=1 (queue active)
Nov 22 05:00:02 mx1 postfix/smtp[1]: 4jXCsJ3c7Hz7j9M: to=<trillian@example.net>, orig_to=<marvinx>, \
relay=mx.example.net[198.51.100.9]:25, delay=1, delays=0/0/0/1, dsn=5.1.1, status=bounced (host mx.example.net[198.51.100.9] \
said: 550 5.1.1 trillian: user unknown, see https://example.net/?email=trillian%40example.net dHJpbGxpYW4= (in reply to RCPT \
TO command))
Nov 22 05:00:03 mx1 postfix/smtpd[1]: NOQUEUE: reject: RCPT from host-77-113.dyn.example.net[203.0.113.77]: 554 5.7.1 \
Service unavailable; Client host [203.0.113.77] blocked using zen.example.org; 77.113.0.203.zen.example.org; \
from=<\"slarti bartfast\"@example.com> to=<fordprefect@example.org> proto=ESMTP helo=<[203.0.113.77]>
Nov 22 05:00:04 mx1 postfix/smtpd[1]: warning: unknown[203.0.113.77]: SASL LOGIN authentication failed: authentication \
failure, sasl_username=arthurdent
Nov 22 05:00:05 mx1 postfix/smtpd[1]: gibberish of eddie@example.org at 203.0.113.77
2026-11-22 05:00:06 H=(heartofgold) [203.0.113.77] F=<agrajag@example.com> rejected RCPT <wowbagger@example.org>: no
2026-11-22 05:00:07 1vMxyz-000000001Ab-0001 ** fenchurch@example.net F=<agrajag@example.com> R=r T=remote_smtp \
H=mx.example.net [198.51.100.9]: SMTP error from remote mail server after RCPT TO:<fenchurch@example.net>: 550 fenchurch is \
gone
";

#[test]
fn a_name_that_stands_alone_or_in_other_letters_is_hidden_too() {
    let folder = tempdir().unwrap();
    let key = key(&folder);
    let log = folder.path().join("mail.log");
    fs::write(&log, LOG).unwrap();
    let names = [
        "zaphod",
        "trillian",
        "marvinx",
        "slarti",
        "bartfast",
        "fordprefect",
        "arthurdent",
        "eddie",
        "agrajag",
        "wowbagger",
        "fenchurch",
        "dHJpbGxpYW4",
        "203.0.113.77",
        "203-0-113-77",
        "77.113.0.203",
        "host-77-113",
    ];
    for (how, text) in SHOWN.iter().zip(shown(log.to_str().unwrap(), &key)) {
        for name in names {
            assert!(!text.contains(name), "{how:?} shows {name}:\n{text}");
        }
        let decoded = text.split(|sign: char| !sign.is_ascii_alphanumeric() && !"+/=".contains(sign));
        let decoded = decoded
            .filter_map(|word| STANDARD.decode(word).ok())
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        assert!(decoded.into_iter().all(|word| names.iter().all(|name| !word.contains(name))), "{how:?}");
    }
    // Lines that were not understood.
    let unread = folder.path().join("unread.txt");
    let path = unread.to_str().unwrap();
    answer(&["scan", "--redact", "--redact-key-file", &key, "--unparsed", path, log.to_str().unwrap()]);
    let text = fs::read_to_string(&unread).unwrap();
    assert!(names.iter().all(|name| !text.contains(name)), "{text}");
    // What was asked for, and what there was.
    let args = ["--redact", "--redact-key-file", &key, "--to", "trillian@example.org", log.to_str().unwrap()];
    for command in ["scan", "events"] {
        let (_, out, err) = run(&[&[command], &args[..]].concat());
        let told = out + &err;
        assert!(told.contains("no event matches"), "{told}");
        assert!(names.iter().all(|name| !told.contains(name)), "{told}");
    }
}

#[test]
fn the_same_name_has_the_same_hash_under_the_same_key() {
    let folder = tempdir().unwrap();
    let key = key(&folder);
    let log = fixture("postfix/out.log");
    let args = ["events", "--redact", "--redact-key-file", &key, "--tz", "UTC", &log];
    let (first, _) = answer(&args);
    assert_eq!(first, answer(&args).0);
    let plain = answer(&["events", "--tz", "UTC", &log]).0;
    let mut hashes = std::collections::BTreeMap::new();
    for (plain, hidden) in plain.lines().zip(first.lines()) {
        let [plain, hidden]: [serde_json::Value; 2] =
            [plain, hidden].map(|line| serde_json::from_str(line).unwrap());
        for (field, value) in plain.as_object().unwrap() {
            let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
            if field == "recipient" {
                let (hidden, domain) = (text(&hidden[field]), text(value));
                assert_eq!(hidden.split('@').nth(1), domain.split('@').nth(1), "the domain stays");
                assert_eq!(hashes.entry(text(value)).or_insert_with(|| hidden.clone()), &hidden);
            } else if !["sender", "text", "peer_ip", "peer_host", "client", "user", "message_id"]
                .contains(&field.as_str())
            {
                assert_eq!(value, &hidden[field], "{field} is nobody's");
            }
        }
    }
    let distinct: BTreeSet<&String> = hashes.values().collect();
    assert_eq!(distinct.len(), hashes.len());
}

#[test]
fn the_key_is_a_file_the_environment_or_chance() {
    let folder = tempdir().unwrap();
    let key = key(&folder);
    let log = fixture("postfix/out.log");
    let args = ["events", "--redact", "--tz", "UTC", &log];
    let of_environment =
        command(&args).env("SMTPLOG_REDACT_KEY", "a key of sixteen bytes or more").output().unwrap();
    let of_file = run(&[&args[..], &["--redact-key-file", &key]].concat());
    assert_eq!(taken_apart(&of_environment), of_file);
    assert_eq!(of_file.2, "");
    let (first, second) = (run(&args), run(&args));
    assert_ne!(first.1, second.1);
    assert!(first.2.contains("used a random key"), "{}", first.2);
    let (_, out, _) = run(&["scan", "--redact", &log]);
    assert!(out.contains("used a random key"), "{out}");
    let short = folder.path().join("short");
    fs::write(&short, "secret\n").unwrap();
    let (status, _, err) = run(&[&args[..], &["--redact-key-file", short.to_str().unwrap()]].concat());
    assert!(status == 2 && err.contains("fewer than 16 bytes") && !err.contains("secret"), "{err}");
    let (status, _, err) = run(&[&args[..], &["--redact-key-file", "not-there"]].concat());
    assert!(status == 2 && err.contains("not-there"), "{err}");
}

/// One line of each kind that names somebody.
const KINDS: [&str; 9] = [
    "Nov 22 05:00:01 mx1 postfix/smtpd[1]: 4jXCsJ3c7Hz7j9M: client=NAME[IP], sasl_method=PLAIN, sasl_username=WHO",
    "Nov 22 05:00:01 mx1 postfix/qmgr[1]: 4jXCsJ3c7Hz7j9M: from=<WHO@example.org>, size=1, nrcpt=1 (queue active)",
    "Nov 22 05:00:02 mx1 postfix/smtp[1]: 4jXCsJ3c7Hz7j9M: to=<WHO@example.net>, relay=mx.example.net[IP]:25, delay=1, \
    delays=0/0/0/1, dsn=5.1.1, status=bounced (host mx.example.net[IP] said: 550 5.1.1 WHO, (WHO) <WHO>: \"WHO\" is unknown; \
    http://example.net/?u=WHO%40example.net (in reply to RCPT TO command))",
    "Nov 22 05:00:03 mx1 postfix/smtpd[1]: NOQUEUE: reject: RCPT from NAME[IP]: 554 5.7.1 Client host [IP] blocked; \
    from=<WHO@example.com> to=<x@example.org> proto=ESMTP helo=<[IP]>",
    "Nov 22 05:00:04 mx1 postfix/smtpd[1]: warning: NAME[IP]: SASL LOGIN authentication failed: x, sasl_username=WHO",
    "Nov 22 05:00:05 mx1 postfix/smtpd[1]: gibberish of WHO@example.org at IP, NAME",
    "2026-11-22 05:00:06 H=NAME (NAME) [IP]:4021 F=<WHO@example.com> rejected RCPT <WHO@example.org>: no WHO",
    "2026-11-22 05:00:07 1vMxyz-000000001Ab-0001 <= WHO@example.org H=NAME [IP] P=esmtpsa A=plain:WHO S=1 id=WHO@example.org",
    "2026-11-22 05:00:08 1vMxyz-000000001Ab-0001 => WHO <WHO@example.org> R=local_user T=maildir",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn nobody_is_named_whoever_it_is(
        who in "qz[a-z0-9]([a-z0-9._+=-]{0,10}[a-z0-9])?",
        ip in prop_oneof![
            any::<[u8; 3]>().prop_map(|[b, c, d]| format!("203.{b}.{c}.{d}")),
            any::<[u16; 3]>().prop_map(|[a, b, c]| std::net::Ipv6Addr::new(0x2001, 0xdb8, a, 0, 0, 0, b, c).to_string()),
        ],
        kinds in proptest::sample::subsequence(KINDS.to_vec(), 1..KINDS.len()),
    ) {
        let folder = tempdir().unwrap();
        let key = key(&folder);
        let log = folder.path().join("mail.log");
        let name = format!("{}.dyn.example.net", ip.replace(['.', ':'], "-"));
        let lines = kinds.iter().map(|line| line.replace("WHO", &who).replace("NAME", &name).replace("IP", &ip) + "\n");
        fs::write(&log, lines.collect::<String>()).unwrap();
        for (how, text) in SHOWN.iter().zip(shown(log.to_str().unwrap(), &key)) {
            prop_assert!(!text.contains(&who), "{how:?} shows {who}:\n{text}");
            prop_assert!(!stands_in(&text, &ip) && !text.contains(&format!("[{ip}]")), "{how:?} shows {ip}:\n{text}");
            prop_assert!(!text.contains(&name), "{how:?} shows {name}:\n{text}");
        }
    }
}
