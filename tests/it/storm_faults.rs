//! Checks what `smtplog storm` and `scan` say of faults that last into a quiet evening, of holes in a log, of quiet weekends, of
//! forged bounces, and of logins that worked while passwords were tried out.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::storm::{Log, NOON, storms_of};
use crate::support::answer;

const NOW: [&str; 6] = ["--year", "2026", "--now", "2026-11-23T00:00:00Z", "--tz", "UTC"];
const SENT: &str = "dsn=2.0.0, status=sent (250 2.0.0 Ok)";
const LISTED: &str = "dsn=5.7.1, status=bounced (host mx.example.com[198.51.100.7] said: 554 5.7.1 Service unavailable; \
                      Client host [192.0.2.1] blocked using list.example.net (in reply to RCPT TO command))";

/// The storms of a log, whose file stays where the commands look for it.
fn storms_in(path: &Path) -> Vec<Value> {
    let (json, _) = answer(&[&["storm", "--format", "json", path.to_str().unwrap()], &NOW[..]].concat());
    let found: Value = serde_json::from_str(&json).unwrap();
    found["storms"].as_array().unwrap().clone()
}

/// What `scan` says, each word separated by one blank.
fn scanned(text: &str, more: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mail.log");
    fs::write(&path, text).unwrap();
    let (text, _) = answer(&[&["scan", path.to_str().unwrap()], &NOW[..], more].concat());
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The forms of a server: of a message that comes in, a failed login, and a login that worked, in this second of a day.
struct Forms {
    message: fn(u32) -> String,
    failed: fn(u32, &str) -> String,
    worked: fn(u32, &str) -> String,
}

fn clock(second: u32) -> String {
    format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
}

const EXIM: Forms = Forms {
    message: |at| {
        let (id, time) = (format!("1xT{at:06}-000000001Aa-1Abc"), clock(at));
        format!(
            "2026-11-22 {time} {id} <= a@example.net H=mx.example.net [198.51.100.9] P=esmtps S=900\n\
             2026-11-22 {time} {id} => bob <bob@example.org> R=local T=maildir\n2026-11-22 {time} {id} Completed\n"
        )
    },
    failed: |at, client| {
        format!(
            "2026-11-22 {} plain authenticator failed for H=(User) [{client}]: 535 Incorrect authentication data \
             (set_id=u{at}@example.org)\n",
            clock(at)
        )
    },
    worked: |at, client| {
        format!(
            "2026-11-22 {} 1xTzzz-000000001Aa-1Abc <= clara@example.org H=(User) [{client}] P=esmtpsa A=plain:clara S=900\n",
            clock(at)
        )
    },
};

const SENDMAIL: Forms = Forms {
    message: |at| {
        let id = format!("6AM{at:06}002004");
        format!(
            "Nov 22 {time} mx1 sm-mta[9]: {id}: from=<a@example.net>, size=900, class=0, nrcpts=1, msgid=<{at}@example.net>, \
             proto=ESMTP, daemon=MTA, relay=mx.example.net [198.51.100.9]\n\
             Nov 22 {time} mx1 sm-mta[9]: {id}: to=<bob@example.org>, delay=00:00:01, xdelay=00:00:00, mailer=local, \
             pri=30900, dsn=2.0.0, stat=Sent\n",
            time = clock(at)
        )
    },
    failed: |at, client| {
        format!(
            "Nov 22 {} mx1 sm-mta[9]: 6AM{at:06}019608: AUTH failure (LOGIN): authentication failure (-13) SASL(-13): \
             authentication failure: checkpass failed, relay=[{client}]\n",
            clock(at)
        )
    },
    worked: |at, client| {
        format!(
            "Nov 22 {} mx1 sm-mta[9]: AUTH=server, relay=[{client}], authid=clara, mech=LOGIN, bits=0\n",
            clock(at)
        )
    },
};

const OPENSMTPD: Forms = Forms {
    message: |at| {
        let (session, time) = (format!("a0{at:014x}"), clock(at));
        format!(
            "Nov 22 {time} mx1 smtpd[9]: {session} smtp connected address=198.51.100.9 host=mx.example.net\n\
             Nov 22 {time} mx1 smtpd[9]: {session} smtp message msgid={at:08x} size=900 nrcpt=1 proto=ESMTP\n\
             Nov 22 {time} mx1 smtpd[9]: {session} smtp envelope evpid={at:08x}00000001 from=<a@example.net> \
             to=<bob@example.org>\n\
             Nov 22 {time} mx1 smtpd[9]: {session} mda delivery evpid={at:08x}00000001 from=<a@example.net> \
             to=<bob@example.org> rcpt=<bob@example.org> user=bob delay=1s result=Ok stat=Delivered\n"
        )
    },
    failed: |at, client| {
        let (session, time) = (format!("b0{at:014x}"), clock(at));
        format!(
            "Nov 22 {time} mx1 smtpd[9]: {session} smtp connected address={client} host=<unknown>\n\
             Nov 22 {time} mx1 smtpd[9]: {session} smtp authentication user=u{at} result=permfail\n\
             Nov 22 {time} mx1 smtpd[9]: {session} smtp failed-command command=\"AUTH LOGIN (password)\" \
             result=\"535 Authentication failed\"\n"
        )
    },
    worked: |at, client| {
        let (session, time) = (format!("c0{at:014x}"), clock(at));
        format!(
            "Nov 22 {time} mx1 smtpd[9]: {session} smtp connected address={client} host=<unknown>\n\
             Nov 22 {time} mx1 smtpd[9]: {session} smtp authentication user=clara result=ok\n"
        )
    },
};

const POSTFIX: Forms = Forms {
    message: |at| {
        let (id, time) = (format!("A0{at:08X}"), clock(at));
        let stamp = format!("2026-11-22T{time}.000000+00:00 mx1 postfix");
        format!(
            "{stamp}/smtpd[1]: {id}: client=mx.example.net[198.51.100.9]\n\
             {stamp}/qmgr[2]: {id}: from=<a@example.net>, size=900, nrcpt=1 (queue active)\n\
             {stamp}/local[3]: {id}: to=<bob@example.org>, relay=local, delay=1, {SENT}\n{stamp}/qmgr[2]: {id}: removed\n"
        )
    },
    failed: |at, client| {
        format!(
            "2026-11-22T{}.000000+00:00 mx1 postfix/smtpd[1]: warning: unknown[{client}]: SASL LOGIN authentication failed: \
             UGFzc3dvcmQ6, sasl_username=u{at}\n",
            clock(at)
        )
    },
    worked: |at, client| {
        format!(
            "2026-11-22T{}.000000+00:00 mx1 postfix/smtpd[1]: B000000001: client=unknown[{client}], sasl_method=LOGIN, \
             sasl_username=clara\n",
            clock(at)
        )
    },
};

/// Three clients try out passwords from 11:40 on. With the login of clara that one of them guessed, or without.
fn guessing(forms: &Forms, is_guessed: bool) -> String {
    let clients = ["203.0.113.66", "203.0.113.67", "203.0.113.68"];
    let mut lines: Vec<(u32, String)> =
        (0..900_u32).map(|at| 21_600 + at * 40).map(|at| (at, (forms.message)(at))).collect();
    for at in 0..360_u32 {
        let second = NOON + at * 5;
        lines.push((second, (forms.failed)(second, clients[at as usize % 3])));
    }
    if is_guessed {
        lines.push((NOON + 902, (forms.worked)(NOON + 902, clients[1])));
    }
    lines.sort_by_key(|(second, _)| *second);
    lines.into_iter().map(|(_, line)| line).collect()
}

/// What the command that looks for logins that worked prints.
fn logins_that_worked(forms: &Forms, is_guessed: bool) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mail.log");
    fs::write(&path, guessing(forms, is_guessed)).unwrap();
    let storms = storms_in(&path);
    let [storm] = storms.as_slice() else { panic!("{storms:#?}") };
    assert_eq!(storm["pattern"], "password-guessing", "{storm:#}");
    let commands = storm["commands"].as_array().unwrap();
    let why = |command: &&Value| command["why"].as_str().unwrap().contains("a password is known");
    let shell = commands.iter().find(why).expect("a check for logins")["shell"].as_str().unwrap();
    let bin = Path::new(env!("CARGO_BIN_EXE_smtplog")).parent().unwrap();
    let done = Command::new("/bin/sh")
        .args(["-c", shell])
        .env("PATH", format!("{}:/usr/bin:/bin", bin.display()))
        .env("SMTPLOG_NO_CONFIG", "1")
        .env("TZ", "UTC")
        .output()
        .unwrap();
    assert!(done.status.success(), "{shell}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn a_guessed_password_is_found_in_the_log_of_each_server() {
    for (name, forms) in
        [("Postfix", &POSTFIX), ("Exim", &EXIM), ("Sendmail", &SENDMAIL), ("OpenSMTPD", &OPENSMTPD)]
    {
        let printed = logins_that_worked(forms, true);
        assert!(printed.contains("clara") && printed.trim().lines().count() == 1, "{name}: {printed}");
        let printed = logins_that_worked(forms, false);
        assert_eq!(printed.trim(), "", "{name}");
    }
}

#[test]
fn bounces_to_a_forged_address_ask_for_spf_and_freeze_nothing() {
    let mut log = Log::ordinary();
    for at in 0..600 {
        let (id, second) = (format!("C{at:09X}"), NOON + at * 10);
        log.add(second, &format!("smtpd[1]: {id}: client=mx.d{}.example.net[198.51.100.33]", at % 50));
        log.add(second, &format!("qmgr[2]: {id}: from=<>, size=3000, nrcpt=1 (queue active)"));
        log.add(second, &format!("local[3]: {id}: to=<anna@example.org>, relay=local, delay=1, {SENT}"));
        log.add(second, &format!("qmgr[2]: {id}: removed"));
    }
    let (found, _) = storms_of(&log.text(), &[]);
    let storm = &found["storms"][0];
    assert_eq!(storm["pattern"], "backscatter", "{found:#}");
    let advice = storm["advice"].as_str().unwrap();
    assert!(advice.contains("SPF") && !advice.contains("Refuse"), "{advice}");
    let commands = storm["commands"].as_array().unwrap();
    assert!(
        !commands.is_empty() && commands.iter().all(|command| command["changes"] == false),
        "{commands:#?}"
    );
    assert!(!storm["commands"].to_string().contains("recipient_maps"), "{commands:#?}");
}

/// A day with a message each 40 seconds, and from 18:00 on one each eight minutes. Every second one is refused because the address
/// is listed, from 13:20 up to this second.
fn listed_until(end: u32) -> Value {
    let mut log = Log::default();
    let (mut second, mut at) = (0, 0_u32);
    while second < 86_300 {
        let is_refused = (48_000..end).contains(&second) && at % 2 == 0;
        let domain = format!("d{}.example.com", at * 31 % 23);
        let recipient = format!("r{at}@{domain}");
        let refused = LISTED.replace("mx.example.com", &format!("mx.{domain}"));
        let outcome = if is_refused { &refused } else { SENT };
        log.mail(second, &format!("u{}@example.org", at % 17), &recipient, "", outcome);
        second += if second < 64_800 { 40 } else { 480 };
        at += 1;
    }
    storms_of(&log.text(), &[]).0
}

#[test]
fn a_fault_that_lasts_into_the_quiet_evening_is_one_storm_and_not_over() {
    let found = listed_until(86_400);
    assert_eq!(found["storms"].as_array().unwrap().len(), 1, "{found:#}");
    let storm = &found["storms"][0];
    assert!(storm["pattern"] == "listed-ip" && storm["end"].is_null(), "{storm:#}");
    let found = listed_until(64_800);
    let storm = &found["storms"][0];
    assert!(storm["pattern"] == "listed-ip" && storm["end"].is_string(), "{storm:#}");
}

#[test]
fn one_full_disk_is_one_storm() {
    let mut log = Log::default();
    let (mut second, mut at) = (0_u32, 0_u32);
    while second < 86_000 {
        let id = format!("D{at:09X}");
        let end = if (10_800..32_400).contains(&second) {
            "dsn=4.3.0, status=deferred (cannot update mailbox /var/mail/bob for user bob. error writing message: No space \
             left on device)"
        } else {
            SENT
        };
        log.add(second, &format!("smtpd[1]: {id}: client=mx.example.net[198.51.100.9]"));
        log.add(
            second,
            &format!("qmgr[2]: {id}: from=<a{at}@example.net>, size=900, nrcpt=1 (queue active)"),
        );
        log.add(
            second + 1,
            &format!("local[3]: {id}: to=<b{}@example.org>, relay=local, delay=1, {end}", at % 40),
        );
        second += if second < 21_600 { 700 } else { 90 };
        at += 1;
    }
    let (found, _) = storms_of(&log.text(), &[]);
    let storms = found["storms"].as_array().unwrap();
    assert!(storms.len() == 1 && storms[0]["pattern"] == "disk-full", "{found:#}");
    assert!(storms[0]["end"].is_string(), "{found:#}");
}

#[test]
fn a_hole_in_all_lines_of_a_busy_day_is_told() {
    let mut log = Log::ordinary();
    log.0.retain(|(second, _)| !(28_800..46_800).contains(second));
    let page = scanned(&log.text(), &[]);
    let finding = "no line of any kind from 08:00 to 13:00";
    assert!(page.contains(&format!("WATCH {finding}")), "{page}");
    assert!(scanned(&log.text(), &["--nagios", "--until", "2026-11-22 16:00"]).contains(finding));
    assert!(!scanned(&Log::ordinary().text(), &[]).contains("no line of any kind"));
    assert!(!scanned(&log.text(), &["--from", "u1@example.org"]).contains("no line of any kind"));
}

/// Weeks up to Sunday, 22 November 2026, with 600 messages on each day up to Friday, and so many on others. `last`: those of the
/// last weekend.
fn weeks(count: u32, weekend: u32, last: u32) -> Value {
    let mut text = String::new();
    let first = jiff::civil::date(2026, 11, 23) - jiff::Span::new().weeks(count);
    for day in 0..count * 7 {
        let date = first + jiff::Span::new().days(day);
        let messages = match day % 7 {
            5.. if day + 7 >= count * 7 => last,
            5.. => weekend,
            _ => 600,
        };
        // Other lines go on, so the log is not what is missing.
        let mut lines: Vec<(u32, String)> = (0..480_u32)
            .map(|at| (at * 180 + 90, "anvil[9]: statistics: max cache size 1 at Nov 16".to_owned()))
            .collect();
        for at in 0..messages {
            let (second, id) = (
                at * 86_400 / messages + at * 7919 % 97,
                format!("{:X}", 0xA0_0000_0000_u64 + u64::from(day * 1000 + at)),
            );
            lines.push((second, format!("smtpd[1]: {id}: client=mx.example.net[198.51.100.9]")));
            lines.push((
                second,
                format!("qmgr[2]: {id}: from=<a{at}@example.net>, size=900, nrcpt=1 (queue active)"),
            ));
            lines.push((
                second,
                format!("local[3]: {id}: to=<b{}@example.org>, relay=local, delay=1, {SENT}", at % 40),
            ));
            lines.push((second, format!("qmgr[2]: {id}: removed")));
        }
        lines.sort_by_key(|(second, _)| *second);
        for (second, line) in lines {
            writeln!(text, "{date}T{}.000000+00:00 mx1 postfix/{line}", clock(second.min(86_399))).unwrap();
        }
    }
    storms_of(&text, &[]).0
}

#[test]
fn a_quiet_weekend_is_no_storm_unless_others_are_busy() {
    for count in [1, 2, 4] {
        let found = weeks(count, 18, 18);
        assert_eq!(found["storms"], Value::Array(Vec::new()), "{count} weeks");
    }
    let found = weeks(2, 500, 10);
    assert_eq!(found["storms"][0]["pattern"], "silence", "{found:#}");
    // A weekend without any mail may be a fault, but a log of one week cannot be sure.
    let found = weeks(1, 0, 0);
    assert!(
        found["storms"].as_array().unwrap().iter().all(|storm| storm["confidence"] != "sure"),
        "{found:#}"
    );
}
