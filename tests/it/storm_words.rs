//! Checks what `smtplog storm` says and prints where a careless word would mislead: commands for senders in mixed case, a fault
//! that lasts all day, counts that are not known, the silence of one part, and a fault that goes on.

use std::fmt::Write;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::Value;

use crate::storm::{LATER, Log, NOON, stolen, storms_of};
use crate::support::answer;

const NOW: [&str; 6] = ["--year", "2026", "--now", "2026-11-22T16:00:00Z", "--tz", "UTC"];
const SENT: &str = "dsn=2.0.0, status=sent (250 2.0.0 Ok)";
const TIMEOUT: &str =
    "dsn=4.4.1, status=deferred (connect to mx.down.example.net[198.51.100.7]:25: Connection timed out)";

/// What `mailq` prints for messages of these senders; the first one is being delivered, the second one is on hold.
fn listing(senders: &[&str]) -> String {
    let mut text = "-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------\n".to_owned();
    for (at, sender) in senders.iter().enumerate() {
        let mark = ["*", "!"].get(at).copied().unwrap_or_default();
        let id = format!("4F2A12{at}{mark}");
        writeln!(
            text,
            "{id:<11} 1234 Sun Nov 22 10:12:33  {sender}\n(host mx.example.com said: 450 later)\n{:41}b@example.com\n",
            ""
        )
        .unwrap();
    }
    text + "-- 4 Kbytes in 4 Requests.\n"
}

/// The commands with awk of the storm of a sender.
fn awk_commands(sender: &str) -> Vec<String> {
    let (found, _) = storms_of(&stolen("anna", sender).text(), &[]);
    let storm = &found["storms"][0];
    assert_eq!(storm["pattern"], "stolen-account", "{storm:#}");
    let shells =
        storm["commands"].as_array().unwrap().iter().map(|command| command["shell"].as_str().unwrap());
    shells.filter(|shell| shell.contains("awk")).map(str::to_owned).collect()
}

/// What a command prints if this is the queue, and `postsuper` only says what it is to hold.
fn printed(shell: &str, queue: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("queue"), queue).unwrap();
    for (name, does) in [("postqueue", "cat \"$HOME/queue\""), ("postsuper", "cat")] {
        let path = folder.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{does}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let output = Command::new("/bin/sh")
        .args(["-c", shell])
        .env_clear()
        .env("PATH", format!("{}:/usr/bin:/bin", folder.path().display()))
        .env("HOME", folder.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{shell}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_queue_is_searched_in_any_case() {
    let commands = awk_commands("News@Example.org");
    let [count, hold] = commands.as_slice() else { panic!("{commands:?}") };
    let queue = listing(&["News@Example.org", "NEWS@example.org", "news@example.org", "other@example.org"]);
    assert_eq!(printed(count, &queue), "3\n");
    assert_eq!(printed(hold, &queue), "4F2A120\n4F2A122\n");
}

#[test]
fn a_sender_with_a_blank_has_no_command_that_splits_at_blanks() {
    assert_eq!(awk_commands("\"a b\"@example.org"), Vec::<String>::new());
}

#[test]
fn a_fault_that_lasts_all_day_is_not_called_usual() {
    let mut log = Log::default();
    for at in 0..600_u32 {
        let end = if at % 5 < 2 { TIMEOUT } else { SENT };
        let recipient = format!("r{at}@d{}.example.com", at % 40);
        log.mail(21_600 + at * 60, &format!("u{}@example.org", at % 17), &recipient, "", end);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mail.log");
    fs::write(&path, log.text()).unwrap();
    let (text, status) = answer(&[&["storm", path.to_str().unwrap()], &NOW[..]].concat());
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let sentence = "40% of the deliveries fail; a fault that lasts most of the log is no storm: smtplog scan LOG shows it";
    assert!(text.starts_with(&format!("No storm: {sentence}")) && status == 0, "{text}");
    let (found, _) = storms_of(&log.text(), &[]);
    assert_eq!(found["notes"], Value::from(vec![sentence]), "{found:#}");
    let (found, _) = storms_of(&log.text(), &["--outcome", "deferred"]);
    assert!(!found["notes"].to_string().contains("no storm"), "{found:#}");
}

#[test]
fn what_is_not_known_is_not_counted() {
    let mut log = Log::ordinary();
    for at in 0..120 {
        log.add(
            NOON + at * 5,
            "smtpd[1]: warning: unknown[198.51.100.99]: SASL LOGIN authentication failed: UGFzc3dvcmQ6",
        );
    }
    let (found, _) = storms_of(&log.text(), &[]);
    let storm = &found["storms"][0];
    assert_eq!((&storm["recipients"], &storm["messages"]), (&0.into(), &0.into()), "{storm:#}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mail.log");
    fs::write(&path, log.text()).unwrap();
    let (text, _) = answer(&[&["storm", path.to_str().unwrap()], &NOW[..]].concat());
    assert!(text.contains("120 attempts; "), "{text}");
}

#[test]
fn an_instance_that_pauses_is_no_end_of_all_mail() {
    let mut log = Log::default();
    for at in 0..900_u32 {
        let second = 21_600 + at * 40 + at * 7919 % 31;
        log.mail(second, &format!("u{}@example.org", at % 17), &format!("r{at}@d1.example.com"), "", SENT);
        if second < NOON {
            let id = format!("B{at:07X}");
            log.add(second, &format!("submission/smtpd[4]: {id}: client=pc.example.org[192.0.2.8]"));
            log.add(second, &format!("cleanup[5]: {id}: message-id=<{at}@example.org>"));
            log.add(
                second,
                &format!("qmgr[2]: {id}: from=<p@example.org>, size=900, nrcpt=1 (queue active)"),
            );
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mail.log");
    fs::write(&path, log.text()).unwrap();
    let (text, _) = answer(&[&["scan", path.to_str().unwrap()], &NOW[..]].concat());
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let since = "no mail through instance postfix/submission since 11:4";
    assert!(text.contains(&format!("WATCH {since}")), "{text}");
    assert!(!text.contains("no mail taken or delivered"), "{text}");
    let (found, _) = storms_of(&log.text(), &[]);
    assert_eq!(found["storms"][0]["title"], "no mail through a part of the server", "{found:#}");
}

/// A site that does not answer from 11:40 on, and a message for it every quarter of an hour after that.
fn dead_site(later: &str) -> Value {
    let mut log = Log::ordinary();
    for at in 0..120 {
        log.mail(NOON + at * 8, "u1@example.org", &format!("r{at}@down.example.net"), "", TIMEOUT);
    }
    for at in 0..16 {
        let end = if at == 15 { later } else { TIMEOUT };
        log.mail(NOON + 1500 + at * 870, "u1@example.org", &format!("s{at}@down.example.net"), "", end);
    }
    let (found, _) = storms_of(&log.text(), &[]);
    let storm = found["storms"][0].clone();
    assert_eq!(storm["pattern"], "provider-outage", "{storm:#}");
    storm
}

#[test]
fn a_site_that_still_does_not_answer_is_no_storm_of_the_past() {
    let storm = dead_site(TIMEOUT);
    assert!(storm["end"].is_null() && storm["trend"] != "over", "{storm:#}");
    let storm = dead_site(SENT);
    assert!(storm["end"].is_string() && storm["trend"] == "over", "{storm:#}");
    let storm = dead_site(LATER);
    assert!(storm["end"].is_null(), "{storm:#}");
}
