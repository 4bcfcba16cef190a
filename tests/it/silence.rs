//! Checks silences: a quiet evening is none, a stop at noon is one, and its words count the mail that still came.

use std::fs;

use serde_json::Value;

use crate::storm::{Log, NOON, storms_of};
use crate::support::answer;

/// Two hours without mail from 11:40 on, except a message at each of these seconds. Other lines go on, to the end of the mail.
fn stopped_at_noon(except: &[u32]) -> String {
    let mut log = Log::ordinary();
    log.0.retain(|(second, _)| !(NOON..NOON + 7200).contains(second));
    for second in except {
        log.mail(*second, "u1@example.org", "r1@d1.example.com", "", SENT);
    }
    with_other_lines(log, 16)
}

/// The log with a line that is about no mail, each two minutes up to this hour.
fn with_other_lines(mut log: Log, until: u32) -> String {
    for at in 0..until * 30 {
        log.add(
            at * 120 + 7,
            "anvil[9]: statistics: max connection rate 1/60s for (smtp:192.0.2.9) at Nov 22",
        );
    }
    log.text()
}

const SENT: &str = "dsn=2.0.0, status=sent (250 2.0.0 Ok)";

fn the_storm(text: &str) -> Value {
    let (found, status) = storms_of(text, &[]);
    assert_eq!((found["storms"].as_array().unwrap().len(), status), (1, 1), "{found:#}");
    let storm = found["storms"][0].clone();
    assert_eq!(storm["pattern"], "silence", "{storm:#}");
    storm
}

/// The words of `scan` with these options, each separated by one blank.
fn scanned(text: &str, more: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mail.log");
    fs::write(&path, text).unwrap();
    let now = ["--year", "2026", "--now", "2026-11-22T16:00:00Z", "--tz", "UTC"];
    let (text, _) = answer(&[&["scan", path.to_str().unwrap()], &now[..], more].concat());
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_quiet_evening_of_a_log_of_one_day_is_no_silence() {
    let mut log = Log::default();
    // A small company: a message each four minutes from 8:00 on, and nine after 17:40.
    for at in 0..145_u32 {
        let second = 8 * 3600 + at * 240 + at * 7919 % 200;
        log.mail(second, &format!("u{}@example.org", at % 7), &format!("r{at}@example.com"), "", SENT);
    }
    for (hour, minute) in
        [(17, 57), (18, 13), (18, 30), (18, 44), (18, 45), (19, 24), (19, 54), (20, 23), (22, 34)]
    {
        log.mail(hour * 3600 + minute * 60, "u1@example.org", "r1@example.com", "", SENT);
    }
    let (found, status) = storms_of(&with_other_lines(log, 24), &[]);
    assert_eq!((&found["storms"], status), (&Value::Array(Vec::new()), 0), "{found:#}");
}

#[test]
fn a_stop_of_a_busy_log_is_a_silence_with_one_wording() {
    let text = stopped_at_noon(&[]);
    let storm = the_storm(&text);
    assert_eq!((&storm["attempts"], &storm["messages"]), (&0.into(), &0.into()), "{storm:#}");
    let time = |field: &str| storm[field].as_str().unwrap().get(11..16).unwrap().to_owned();
    let (start, end) = (time("start"), time("end"));
    assert!(["11:40", "11:41"].contains(&&*start) && ["13:39", "13:40"].contains(&&*end), "{storm:#}");
    let because = storm["because"][0].as_str().unwrap();
    assert!(because.starts_with("nothing was taken or delivered in 1"), "{because}");
    let page = scanned(&text, &[]);
    let finding = format!("no mail taken or delivered from {start} to {end}");
    for part in [&finding, &format!("STORM Sun 22 Nov {start} - {end}: no mail taken or delivered")] {
        assert!(page.contains(part.as_str()), "{part}: {page}");
    }
    let line = scanned(&text, &["--nagios"]);
    assert!(line.starts_with("SMTPLOG WARNING") && line.contains(&finding), "{line}");
    let mail = scanned(&text, &["--mail-headers"]);
    assert!(mail.contains(&format!("mail WATCH: {finding}")), "{mail}");
}

#[test]
fn a_silence_with_three_messages_says_so() {
    let text = stopped_at_noon(&[NOON + 2400, NOON + 4200, NOON + 6000]);
    let storm = the_storm(&text);
    assert_eq!(
        (&storm["title"], &storm["messages"]),
        (&"hardly any mail taken or delivered".into(), &3.into())
    );
    let because = storm["because"][0].as_str().unwrap();
    assert!(because.starts_with("only 3 messages were taken or delivered in 1"), "{because}");
    let page = scanned(&text, &[]);
    assert!(page.contains("hardly any mail taken or delivered from 11:4"), "{page}");
}
