//! Checks the first screen: what it says about ten made logs, that its sections add up, and that it fits.

use std::fmt::Write;
use std::fs;

use serde_json::Value;
use tempfile::tempdir;

use crate::support::{answer, logs, report, run};

/// A day of mail of a Postfix server, 21 November 2026.
struct Day {
    log: String,
    number: u32,
}

/// What a server answered for a recipient.
#[derive(Clone, Copy)]
struct Reply {
    relay: &'static str,
    status: &'static str,
    dsn: &'static str,
    text: &'static str,
}

const SENT: Reply =
    Reply { relay: "mx.example.net[198.51.100.7]:25", status: "sent", dsn: "2.0.0", text: "250 2.0.0 OK" };

impl Day {
    /// 240 messages of six users to five domains, all delivered, ten in each hour.
    fn healthy() -> Self {
        let mut day = Self { log: String::new(), number: 0 };
        for number in 0..240 {
            let user = format!("user{}", number % 6);
            let to = format!("r{number}@d{}.example.net", number % 5);
            day.message(number / 10 * 60 + number % 10 * 6, &user, &to, &[SENT]);
        }
        day
    }

    /// A message at this minute of the day, with its tries, ten minutes apart. It stays in the queue if the last one deferred
    /// it.
    fn message(&mut self, minute: u32, login: &str, to: &str, replies: &[Reply]) {
        self.number += 1;
        let id = format!("4{:09X}", 0xA000_0000_u32 + self.number);
        self.line(
            minute,
            "submission/smtpd",
            &format!("{id}: client=pc[192.0.2.5], sasl_method=PLAIN, sasl_username={login}"),
        );
        self.line(minute, "cleanup", &format!("{id}: message-id=<{}@example.org>", self.number));
        self.line(
            minute,
            "qmgr",
            &format!("{id}: from=<{login}@example.org>, size=1000, nrcpt=1 (queue active)"),
        );
        for (at, Reply { relay, status, dsn, text }) in replies.iter().enumerate() {
            let program = if relay.contains("private/") { "lmtp" } else { "smtp" };
            let line = format!(
                "{id}: to=<{to}>, relay={relay}, delay=1, delays=0/0/0/1, dsn={dsn}, status={status} ({text})"
            );
            self.line(minute + at as u32 * 10, program, &line);
        }
        if replies.last().is_some_and(|reply| reply.status != "deferred") {
            self.line(minute + replies.len() as u32 * 10 - 10, "qmgr", &format!("{id}: removed"));
        }
    }

    fn line(&mut self, minute: u32, program: &str, text: &str) {
        let minute = minute.min(24 * 60 - 1);
        let (hour, minute) = (minute / 60, minute % 60);
        let _ =
            writeln!(self.log, "2026-11-21T{hour:02}:{minute:02}:00+00:00 mx1 postfix/{program}[7]: {text}");
    }
}

fn reply(relay: &'static str, status: &'static str, dsn: &'static str, text: &'static str) -> Reply {
    Reply { relay, status, dsn, text }
}

fn stolen_account() -> Day {
    let mut day = Day::healthy();
    let spam = reply(
        "mx.example.com[198.51.100.9]:25",
        "bounced",
        "5.7.1",
        "host mx.example.com[198.51.100.9] said: 550 5.7.1 Message rejected as spam (in reply to end of DATA command)",
    );
    let slow = reply(
        "mx.example.com[198.51.100.9]:25",
        "deferred",
        "4.7.1",
        "host mx.example.com[198.51.100.9] said: 450 4.7.1 Too many messages from 192.0.2.1, rate limit exceeded (in reply to RCPT \
        TO command)",
    );
    for number in 0..600 {
        let to = format!("x{number}@v{}.example.com", number % 90);
        day.message(130 + number / 6, "anna", &to, &[if number % 3 == 0 { slow } else { spam }]);
    }
    day
}

fn broken_dkim() -> Day {
    let mut day = Day::healthy();
    let unauthenticated = reply(
        "gmail-smtp-in.l.google.com[198.51.100.26]:25",
        "bounced",
        "5.7.26",
        "host gmail-smtp-in.l.google.com[198.51.100.26] said: 550-5.7.26 Your email has been blocked because the sender is \
        unauthenticated. 550-5.7.26 Gmail requires all senders to authenticate with either SPF or DKIM. 550 5.7.26 DKIM = did not \
        pass (in reply to end of DATA command)",
    );
    for number in 0..60 {
        let user = format!("user{}", number % 6);
        day.message(600 + number * 10, &user, &format!("g{number}@gmail.com"), &[unauthenticated]);
    }
    day
}

fn listed_ip() -> Day {
    let mut day = Day::healthy();
    let banned = reply(
        "outlook-com.olc.protection.outlook.com[198.51.100.30]:25",
        "bounced",
        "5.7.606",
        "host outlook-com.olc.protection.outlook.com[198.51.100.30] said: 550 5.7.606 Access denied, banned sending IP [192.0.2.1]. To \
        request removal from this list please visit https://sender.office.com/ (in reply to RCPT TO command)",
    );
    for number in 0..50 {
        let user = format!("user{}", number % 6);
        day.message(500 + number * 10, &user, &format!("o{number}@outlook.com"), &[banned]);
    }
    day
}

fn full_disk() -> Day {
    let mut day = Day::healthy();
    for number in 0..300 {
        let text = format!(
            "NOQUEUE: reject: MAIL from mail{}.example.com[198.51.100.{}]: 452 4.3.1 Insufficient system storage; proto=ESMTP \
            helo=<mail.example.com>",
            number % 40,
            number % 200 + 1
        );
        day.line(700 + number, "smtpd", &text);
    }
    day
}

fn dead_lmtp() -> Day {
    let mut day = Day::healthy();
    let dead = reply(
        "none",
        "deferred",
        "4.4.1",
        "connect to mx1.example.org[private/dovecot-lmtp]: Connection refused",
    );
    for number in 0..80 {
        day.number += 1;
        let id = format!("4{:09X}", 0xB000_0000_u32 + number);
        let minute = 800 + number * 5;
        day.line(minute, "smtpd", &format!("{id}: client=mail.example.com[198.51.100.8]"));
        day.line(minute, "qmgr", &format!("{id}: from=<a@example.com>, size=1000, nrcpt=1 (queue active)"));
        let Reply { relay, status, dsn, text } = dead;
        day.line(minute, "lmtp", &format!("{id}: to=<u{number}@example.org>, relay={relay}, delay=1, delays=0/0/0/1, dsn={dsn}, status={status} ({text})"));
    }
    day
}

fn provider_outage() -> Day {
    let mut day = Day::healthy();
    let out = reply(
        "none",
        "deferred",
        "4.4.1",
        "connect to outlook-com.olc.protection.outlook.com[198.51.100.30]:25: Connection timed out",
    );
    for number in 0..100 {
        let user = format!("user{}", number % 6);
        day.message(900 + number * 4, &user, &format!("o{number}@outlook.com"), &[out]);
    }
    day
}

fn dead_list() -> Day {
    let mut day = Day::healthy();
    let unknown = reply(
        "mx.example.com[198.51.100.9]:25",
        "bounced",
        "5.1.1",
        "host mx.example.com[198.51.100.9] said: 550 5.1.1 <x@example.com>: Recipient address rejected: User unknown in virtual \
        mailbox table (in reply to RCPT TO command)",
    );
    for number in 0..300 {
        let to = format!("x{number}@v{}.example.com", number % 90);
        let user = format!("user{}", number % 6);
        day.message(400 + number, &user, &to, &[if number % 5 == 0 { SENT } else { unknown }]);
    }
    day
}

fn greylisting() -> Day {
    let mut day = Day::healthy();
    let grey = reply(
        "mx.example.net[198.51.100.7]:25",
        "deferred",
        "4.2.0",
        "host mx.example.net[198.51.100.7] said: 450 4.2.0 <b@example.net>: Recipient address rejected: Greylisted, try again in 300 \
        seconds (in reply to RCPT TO command)",
    );
    for number in 0..100 {
        let user = format!("user{}", number % 6);
        day.message(
            100 + number * 10,
            &user,
            &format!("n{number}@g{}.example.net", number % 30),
            &[grey, SENT],
        );
    }
    day
}

/// A made log and what has to be said about it.
struct Question {
    name: &'static str,
    log: Day,
    state: &'static str,
    nagios: i32,
    /// In the verdict.
    why: &'static str,
    /// The first section and in its first row; empty: there is no section.
    section: &'static str,
    row: &'static str,
    /// In the advice of the screen; empty: there is none.
    advice: &'static str,
}

fn questions() -> [Question; 10] {
    let question = |name, log, state, nagios, [why, section, row, advice]: [&'static str; 4]| Question {
        name,
        log,
        state,
        nagios,
        why,
        section,
        row,
        advice,
    };
    [
        question(
            "stolen account",
            stolen_account(),
            "BAD",
            2,
            ["change its password", "FIX HERE", "rate limit", "hold it and change"],
        ),
        question(
            "DKIM at Gmail",
            broken_dkim(),
            "BAD",
            2,
            ["not authenticated", "FIX HERE", "not authenticated", "DKIM"],
        ),
        question(
            "listed IP",
            listed_ip(),
            "BAD",
            2,
            ["IP banned", "FIX HERE", "IP banned", "sender.office.com"],
        ),
        question("full disk", full_disk(), "BAD", 2, ["full", "FIX HERE", "full", "space"]),
        question("dead LMTP", dead_lmtp(), "BAD", 2, ["here", "FIX HERE", "here", "tart"]),
        question("outage", provider_outage(), "WATCH", 1, ["waiting", "JUST WAIT", "outlook.com", "etr"]),
        question(
            "dead list",
            dead_list(),
            "BAD",
            2,
            ["bounced", "CLEAN YOUR LISTS", "no such", "off your lists"],
        ),
        question("greylisting", greylisting(), "OK", 0, ["", "JUST WAIT", "greylist", ""]),
        question("healthy", Day::healthy(), "OK", 0, ["nothing", "", "", ""]),
        question("no mail", Day { log: yesterday(), number: 0 }, "WATCH", 3, ["no mail line", "", "", ""]),
    ]
}

/// The mail of the day before.
fn yesterday() -> String {
    Day::healthy().log.replace("2026-11-21T", "2026-11-20T")
}

const PERIOD: [&str; 8] =
    ["--tz", "UTC", "--now", "2026-11-22T00:30:00Z", "--since", "2026-11-21", "--until", "2026-11-22"];

#[test]
fn the_first_screen_answers_ten_questions() {
    let wrong: Vec<String> = questions().iter().flat_map(complaints).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// What the screen, the mail and the line of a plugin do not say about a log.
fn complaints(question: &Question) -> Vec<String> {
    let folder = tempdir().unwrap();
    let path = folder.path().join("mail.log");
    fs::write(&path, &question.log.log).unwrap();
    let log = path.to_str().unwrap();
    let mut wrong = Vec::new();
    let mut check = |is_right: bool, what: &str, shown: &str| {
        if !is_right {
            wrong.push(format!("{}: {what} in\n{shown}", question.name));
        }
    };
    let (screen, _) = answer(&[&["scan"], &PERIOD[..], &[log]].concat());
    let parts: Vec<&str> = screen.split("\n\n").collect();
    check(screen.lines().count() <= 40, "too many lines", &screen);
    let joined = |part: &str| part.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    let verdict = joined(parts.get(2).copied().unwrap_or_default());
    check(verdict.starts_with(&format!("{}   ", question.state)), question.state, &screen);
    check(verdict.contains(question.why), question.why, &screen);
    let sections = ["FIX HERE", "CLEAN YOUR LISTS", "ASK OR CHANGE", "JUST WAIT"];
    let table: Vec<&str> = parts.get(3).copied().unwrap_or_default().lines().collect();
    if question.section.is_empty() {
        check(sections.iter().all(|title| !screen.contains(title)), "no section", &screen);
    } else {
        check(
            table.first().is_some_and(|line| line.starts_with(question.section)),
            question.section,
            &screen,
        );
        check(table.get(1).is_some_and(|line| line.contains(question.row)), question.row, &screen);
    }
    let advice = table.iter().filter(|line| line.starts_with("      ")).map(|line| line.trim());
    let advice = advice.collect::<Vec<_>>().join(" ");
    check(advice.contains(question.advice), question.advice, &screen);

    let (mail, _) = answer(&[&["scan", "--mail-headers"], &PERIOD[..], &[log]].concat());
    let subject = mail.lines().find(|line| line.starts_with("Subject: ")).unwrap();
    // Without lines no host is known.
    let host = if question.nagios == 3 { "" } else { "[mx1] " };
    check(subject.starts_with(&format!("Subject: {host}mail {}: ", question.state)), "subject", &mail);
    check(subject.len() <= 78, "short subject", &mail);
    let body = mail.replace("=\n", "");
    check(body.contains(question.section) && !body.contains("yesterday"), question.section, &mail);
    let word = question.advice.split(' ').next().unwrap();
    check(body.contains(word), word, &mail);

    let (status, line, _) = run(&[&["scan", "--nagios"], &PERIOD[..], &[log]].concat());
    check(status == question.nagios, &format!("status {}", question.nagios), &format!("{status} {line}"));
    check(line.contains(question.why) || question.nagios == 0, question.why, &line);
    wrong
}

/// A day without mail, a log that ends early, an empty file and an old log are never well.
#[test]
fn silence_is_never_well() {
    let folder = tempdir().unwrap();
    let written = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let early: String = Day::healthy()
        .log
        .lines()
        .filter(|line| &line[11..13] < "03")
        .fold(String::new(), |log, line| log + line + "\n");
    let whole = written("whole.log", &Day::healthy().log);
    let period = PERIOD;
    let open = ["--tz", "UTC", "--now", "2026-11-28T10:00:00Z"];
    let cases: [(&str, String, &[&str]); 4] = [
        ("no mail that day", written("before.log", &yesterday()), &period),
        ("ends at 03:00", written("early.log", &early), &period),
        ("nothing", "/dev/null".to_owned(), &open),
        ("last week", whole.clone(), &open),
    ];
    for (name, log, options) in &cases {
        let with = |more: &[&str]| run(&[&["scan"], more, options, &[log]].concat());
        let (_, shown, _) = with(&["--quiet-ok"]);
        assert!(shown.contains("no mail line"), "{name}: {shown:?}");
        let (status, line, _) = with(&["--nagios"]);
        assert!(status == 3 && line.starts_with("SMTPLOG UNKNOWN - no mail line"), "{name}: {status} {line}");
        let (status, shown, _) = with(&["--fail-on", "bounced>10% of 50"]);
        assert!(status == 1 && shown.contains("no mail line"), "{name}: {status} {shown}");
    }
    // The same options are quiet about a good day.
    let quiet =
        run(&[&["scan", "--quiet-ok", "--fail-on", "bounced>10% of 50"], &period[..], &[&whole]].concat());
    assert_eq!((quiet.0, quiet.1.as_str()), (0, ""));
    let (status, line, _) = run(&[&["scan", "--nagios"], &period[..], &[&whole]].concat());
    assert!(status == 0 && line.starts_with("SMTPLOG OK"), "{line}");
}

#[test]
fn lines_without_any_message_are_never_all_is_well() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("mail.log");
    let log = path.to_str().unwrap();
    let postfix = |text: &str| {
        let mut day = Day { log: yesterday(), number: 0 };
        (0..24).for_each(|hour| day.line(hour * 60 + 5, "smtpd", text));
        day.log
    };
    let mut runs = String::from("2026-11-20 23:05:00 1xV0Fe-0000sT-0k Completed\n");
    for hour in 0..24 {
        let _ = writeln!(runs, "2026-11-21 {hour:02}:05:00 Start queue run: pid=7");
    }
    let refused = "NOQUEUE: reject: RCPT from c.example.com[192.0.2.9]: 554 5.7.1 <b@example.org>: Relay access denied; \
                   from=<a@example.com> to=<b@example.org> proto=ESMTP helo=<c>";
    let checks = ["connect from localhost[127.0.0.1]", "statistics: max connection rate 1/60s", refused];
    for text in checks.map(postfix).into_iter().chain([runs]) {
        fs::write(&path, &text).unwrap();
        let (_, screen, _) = run(&[&["scan"], &PERIOD[..], &[log]].concat());
        assert!(
            screen.contains("WATCH   no mail taken or delivered from Sat 21 Nov 00:00"),
            "{text}\n{screen}"
        );
        let (status, line, _) = run(&[&["scan", "--nagios"], &PERIOD[..], &[log]].concat());
        assert!(status == 3 && line.starts_with("SMTPLOG UNKNOWN - no mail taken"), "{line}");
        let (_, mail, _) = run(&[&["scan", "--quiet-ok", "--mail-headers"], &PERIOD[..], &[log]].concat());
        assert!(mail.contains("mail WATCH: no mail taken or delivered"), "{mail}");
    }
    // Lines of other programs in the period, and mail before it: the log is the right one.
    let mut text = yesterday();
    for minute in 0..200 {
        let _ = writeln!(text, "2026-11-21T01:{:02}:00+00:00 mx1 CRON[7]: (root) CMD (true)", minute % 60);
    }
    fs::write(&path, text).unwrap();
    let (status, screen, err) = run(&[&["scan"], &PERIOD[..], &[log]].concat());
    assert!(
        status == 0 && screen.contains("WATCH   no mail line from Sat 21 Nov") && err.is_empty(),
        "{screen}{err}"
    );
}

/// A baseline of three weeks of healthy days.
fn healthy_weeks(folder: &tempfile::TempDir) -> String {
    let base = folder.path().join("base.json").to_str().unwrap().to_owned();
    let log = folder.path().join("mail.log");
    for day in 1..21 {
        let text = Day::healthy().log.replace("2026-11-21T", &format!("2026-11-{day:02}T"));
        fs::write(&log, text).unwrap();
        let now = "2026-11-21T00:10:00Z";
        run(&["scan", "--tz", "UTC", "--now", now, "--baseline", &base, log.to_str().unwrap()]);
    }
    base
}

#[test]
fn a_baseline_hides_no_cause() {
    let folder = tempdir().unwrap();
    let base = healthy_weeks(&folder);
    let path = folder.path().join("today.log");
    for (day, cause) in [(stolen_account(), "stolen account"), (full_disk(), "full"), (dead_lmtp(), "here")] {
        fs::write(&path, day.log).unwrap();
        let args = ["scan", "--nagios", "--baseline", &base, "--baseline-read-only"];
        let (status, line, _) = run(&[&args[..], &PERIOD, &[path.to_str().unwrap()]].concat());
        let first = line.split(',').next().unwrap();
        assert!(status == 2 && first.contains(cause), "{cause}: {line}");
    }
}

#[test]
fn a_login_with_a_dead_list_is_not_taken_for_a_stolen_one() {
    let mut day = Day::healthy();
    let unknown = reply(
        "mx.example.com[198.51.100.9]:25",
        "bounced",
        "5.1.1",
        "host mx.example.com[198.51.100.9] said: 550 5.1.1 User unknown (in reply to RCPT TO command)",
    );
    for number in 0..200 {
        day.message(
            600 + number / 10,
            "news",
            &format!("r{number}@d{}.example.com", number % 40),
            &[unknown],
        );
    }
    let folder = tempdir().unwrap();
    let path = folder.path().join("mail.log");
    fs::write(&path, day.log).unwrap();
    let (_, screen, _) = run(&[&["scan"], &PERIOD[..], &[path.to_str().unwrap()]].concat());
    assert!(screen.contains("BAD   a list with dead addresses: login news has 200 of 200"), "{screen}");
    assert!(!screen.contains("password"), "{screen}");
}

#[test]
fn with_a_baseline_a_silence_is_bad_and_says_what_is_usual() {
    let folder = tempdir().unwrap();
    let base = healthy_weeks(&folder);
    let log = folder.path().join("mail.log");
    let args = ["scan", "--nagios", "--baseline", &base, "--baseline-read-only"];
    let (status, line, _) = run(&[&args[..], &PERIOD, &[log.to_str().unwrap()]].concat());
    assert!(status == 2 && line.contains("no mail line") && line.contains("240"), "{status} {line}");
}

fn sum(section: &Value, field: &str) -> u64 {
    section["rows"].as_array().unwrap().iter().map(|row| row[field].as_u64().unwrap()).sum()
}

/// Each failed message is in one section, and the sections add up to the messages of the head.
#[test]
fn sections_add_up_for_every_recorded_log() {
    for log in logs() {
        let report = report(&[log.to_str().unwrap()]);
        let messages = &report["totals"]["messages"];
        let head = |field: &str| {
            messages["outgoing"][field].as_u64().unwrap() + messages["local"][field].as_u64().unwrap()
        };
        let sections = report["sections"].as_array().unwrap();
        for (field, whole) in [
            ("waiting", head("waiting")),
            ("bounced", head("bounced")),
            ("expired", head("expired")),
            ("delayed", head("delayed")),
            ("rejected", report["totals"]["inbound"]["refused"].as_u64().unwrap()),
        ] {
            let of_rows: u64 = sections.iter().map(|section| sum(section, field)).sum();
            let of_totals: u64 =
                sections.iter().map(|section| section["totals"][field].as_u64().unwrap()).sum();
            assert_eq!((of_rows, of_totals), (whole, whole), "{log:?}: {field}: {sections:#?}");
        }
        for flow in ["outgoing", "local"] {
            let count = |field: &str| messages[flow][field].as_u64().unwrap();
            let states = ["delivered", "bounced", "expired", "discarded", "waiting", "held", "untried"];
            assert_eq!(
                states.iter().map(|state| count(state)).sum::<u64>(),
                count("messages"),
                "{log:?}: {flow}"
            );
        }
        let actions: Vec<&str> = sections.iter().map(|section| section["action"].as_str().unwrap()).collect();
        let order = ["fix-here", "clean-lists", "ask-or-change", "just-wait", "nothing"];
        let places: Vec<usize> =
            actions.iter().map(|action| order.iter().position(|known| known == action).unwrap()).collect();
        assert!(places.windows(2).all(|pair| pair[0] < pair[1]), "{log:?}: {actions:?}");
    }
}

#[test]
fn every_recorded_log_fits_on_the_screen_and_shows_each_large_reason() {
    for log in logs() {
        let name = log.to_str().unwrap();
        let (status, screen, _) = run(&["scan", "--tz", "UTC", "--year", "2026", name]);
        assert_eq!(status, 0, "{log:?}");
        assert!(screen.lines().count() <= 40, "{log:?}: {} lines\n{screen}", screen.lines().count());
        // A command is there to be copied, and is not wrapped.
        let wide = screen.lines().filter(|line| line.chars().count() > 80 && !line.contains("smtplog "));
        assert_eq!(wide.collect::<Vec<_>>(), Vec::<&str>::new(), "{log:?}");
        let report = report(&[name]);
        let rows = report["sections"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|section| section["rows"].as_array().unwrap());
        let failed = |row: &Value| {
            ["waiting", "held", "delayed", "bounced", "expired"]
                .iter()
                .map(|field| row[field].as_u64().unwrap())
                .sum::<u64>()
        };
        let rows: Vec<&Value> = rows.collect();
        let whole: u64 = rows.iter().map(|row| failed(row)).sum();
        for row in rows.iter().filter(|row| failed(row) * 20 >= whole && failed(row) > 0) {
            let title: String = row["title"].as_str().unwrap().chars().take(12).collect();
            let shown = screen.lines().any(|line| line.starts_with(&format!("  {}", title.trim())));
            assert!(shown, "{log:?}: no row for {title}:\n{screen}");
        }
    }
}

#[test]
fn large_numbers_fit_on_the_screen() {
    let mut day = Day { log: String::new(), number: 0 };
    let unknown = reply(
        "mx.example.com[198.51.100.9]:25",
        "bounced",
        "5.1.1",
        "host mx.example.com[198.51.100.9] said: 550 5.1.1 User unknown (in reply to RCPT TO command)",
    );
    for number in 0..1_200 {
        let to = format!("a.rather.long.local.part{number}@d{number}.subdomain.example.com");
        day.message(number, "user", &to, &[unknown]);
    }
    for (action, times) in [("reject", 234_491), ("warn", 4_133), ("hold", 309), ("discard", 178)] {
        let text = format!(
            "NOQUEUE: {action}: RCPT from c.example.com[192.0.2.9]: 554 5.7.1 <b@example.org>: Recipient address rejected: \
             Policy; from=<a@example.com> to=<b@example.org> proto=ESMTP helo=<c>"
        );
        day.line(700, "smtpd", &text);
        // syslog counts to a few thousand at most.
        for start in (0..times).step_by(9_000) {
            let count = (times - start).min(9_000);
            day.line(700, "smtpd", &format!("message repeated {count} times: [ {text}]"));
        }
    }
    let folder = tempdir().unwrap();
    let log = folder.path().join("mail.log");
    fs::write(&log, &day.log).unwrap();
    let (_, screen, _) = run(&["scan", log.to_str().unwrap()]);
    assert!(screen.contains("234,492 refused") && screen.contains("179 discarded"), "{screen}");
    assert!(screen.lines().count() <= 40, "{screen}");
    let wide = screen.lines().filter(|line| line.chars().count() > 80 && !line.contains("smtplog "));
    assert_eq!(wide.collect::<Vec<_>>(), Vec::<&str>::new(), "{screen}");
}

#[test]
fn the_words_of_the_report_are_words_of_the_options() {
    let log = crate::support::fixture("postfix/out.log");
    let rows = |args: &[&str]| report(&[args, &[&log]].concat())["rows"].as_array().unwrap().len();
    for (words, id) in [
        (["--outcome", "sent"], ["--outcome", "delivered"]),
        (["--outcome", "waiting"], ["--outcome", "deferred"]),
        (["--direction", "out"], ["--direction", "outbound"]),
        (["--reason", "no such user"], ["--reason", "user-unknown"]),
    ] {
        assert_eq!(rows(&words), rows(&id), "{words:?}");
        assert!(rows(&words) > 0, "{words:?}");
    }
    // A cause is a part of its reason.
    assert!(rows(&["--reason", "connection lost"]) <= rows(&["--reason", "connection-failed"]));
    assert_eq!(
        rows(&["--reason", "user-unknown,mailbox-full"]),
        rows(&["--reason", "user-unknown", "--reason", "mailbox-full"])
    );
}

#[test]
fn under_a_filter_of_recipients_messages_are_about_those_recipients() {
    let mut day = Day { log: String::new(), number: 0 };
    day.line(1, "smtpd", "4A0000000001: client=pc[192.0.2.5]");
    day.line(1, "qmgr", "4A0000000001: from=<a@example.org>, size=1, nrcpt=2 (queue active)");
    day.line(
        1,
        "smtp",
        "4A0000000001: to=<x@good.example.net>, relay=a[198.51.100.1]:25, delay=1, dsn=2.0.0, status=sent (250 OK)",
    );
    day.line(1, "smtp", "4A0000000001: to=<y@bad.example.net>, relay=b[198.51.100.2]:25, delay=1, dsn=5.1.1, status=bounced (host b[198.51.100.2] said: 550 5.1.1 User unknown (in reply to RCPT TO command))");
    day.line(1, "qmgr", "4A0000000001: removed");
    let folder = tempdir().unwrap();
    let path = folder.path().join("mail.log");
    fs::write(&path, &day.log).unwrap();
    let log = path.to_str().unwrap();
    let outgoing = |args: &[&str]| report(&[args, &[log]].concat())["totals"]["messages"]["outgoing"].clone();
    assert_eq!(outgoing(&[])["bounced"], 1);
    assert_eq!(outgoing(&["--domain", "bad.example.net"])["bounced"], 1);
    let good = outgoing(&["--domain", "good.example.net"]);
    assert_eq!((&good["delivered"], &good["bounced"]), (&1.into(), &0.into()));
}

/// The section of the network's failures, and their messages.
fn section_of_network(day: &Day) -> (String, u64) {
    let folder = tempdir().unwrap();
    let path = folder.path().join("mail.log");
    fs::write(&path, &day.log).unwrap();
    let report = report(&[path.to_str().unwrap()]);
    let sections = report["sections"].as_array().unwrap();
    let rows = sections.iter().flat_map(|section| {
        let rows = section["rows"].as_array().unwrap().iter();
        rows.map(|row| (section["title"].as_str().unwrap().to_owned(), row))
    });
    let is_network =
        |row: &Value| matches!(row["reason"].as_str(), Some("dns-failure" | "connection-failed"));
    let found: Vec<(String, &Value)> = rows.filter(|(_, row)| is_network(row)).collect();
    assert_eq!(found.len(), 1, "{sections:?}");
    let (title, row) = found.into_iter().next().unwrap();
    (
        title,
        ["waiting", "bounced", "expired", "delayed"].iter().map(|state| row[state].as_u64().unwrap()).sum(),
    )
}

#[test]
fn a_server_that_reaches_nobody_has_to_be_fixed_here() {
    let dns = "Host or domain name not found. Name service error for name=x.example.net type=MX: Host not found, try again";
    let no_name = reply("none", "deferred", "4.4.3", dns);
    let timeout = reply(
        "none",
        "deferred",
        "4.4.1",
        "connect to mx.example.net[198.51.100.7]:25: Connection timed out",
    );
    let expired = reply(
        "none",
        "expired",
        "4.4.3",
        "delivery temporarily suspended: Host or domain name not found. Name service error for name=x.example.net type=MX: Host not found, try again",
    );
    for failure in [no_name, timeout] {
        // From noon on nothing gets out, or all to one domain, or a few messages to many domains beside others that arrive.
        for (domains, others, title) in
            [(7, false, "FIX HERE"), (1, false, "JUST WAIT"), (7, true, "JUST WAIT")]
        {
            let mut day = Day { log: String::new(), number: 0 };
            for number in 0..240 {
                let to =
                    format!("r{number}@d{}.example.net", number % if number < 120 { 7 } else { domains });
                let fails = number >= 120 && (!others || number % 3 == 0);
                day.message(
                    number * 6,
                    &format!("user{}", number % 6),
                    &to,
                    &[if fails { failure } else { SENT }],
                );
            }
            let messages = if others { 40 } else { 120 };
            assert_eq!(section_of_network(&day), (title.to_owned(), messages), "{domains} {others}");
        }
    }
    // Those that were given up are in the same row as those that wait.
    let mut day = Day { log: String::new(), number: 0 };
    for number in 0..60 {
        let replies = if number < 20 { vec![no_name, expired] } else { vec![no_name] };
        day.message(number * 6, "anna", &format!("r{number}@d{}.example.net", number % 6), &replies);
    }
    assert_eq!(section_of_network(&day), ("FIX HERE".to_owned(), 60));
}

#[test]
fn a_fault_begins_with_most_of_its_messages() {
    let timeout = reply(
        "none",
        "deferred",
        "4.4.1",
        "connect to mx.example.net[198.51.100.7]:25: Connection timed out",
    );
    let mut day = Day::healthy();
    day.message(125, "anna", "r@d1.example.net", &[timeout]);
    for number in 0..40 {
        day.message(1_000 + number * 4, "anna", &format!("r{number}@d1.example.net"), &[timeout]);
    }
    let folder = tempdir().unwrap();
    let path = folder.path().join("mail.log");
    fs::write(&path, &day.log).unwrap();
    let report = report(&[path.to_str().unwrap()]);
    let rows =
        report["sections"].as_array().unwrap().iter().flat_map(|part| part["rows"].as_array().unwrap());
    let row = rows.clone().find(|row| row["reason"] == "connection-failed").unwrap();
    assert_eq!(row["since"], "2026-11-21T16:00:00+00:00", "{row}");
    assert_eq!(row["first"], "2026-11-21T02:05:00+00:00", "{row}");
}

#[test]
fn a_frozen_message_is_in_the_section_of_what_froze_it() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("mainlog");
    let lines = [
        "<= a@example.org H=pc [192.0.2.5] P=esmtpsa A=plain:a S=900",
        "== b@example.net R=dnslookup defer (-1): lowest numbered MX record points to local host",
        "Frozen",
    ];
    let log: String = lines.iter().fold(String::new(), |log, line| {
        log + &format!("2026-11-21 10:00:00 1vLt1A-000000001Ab-0abc {line}\n")
    });
    fs::write(&path, log).unwrap();
    let report = report(&[path.to_str().unwrap()]);
    assert_eq!(report["totals"]["messages"]["outgoing"]["held"], 1, "{}", report["totals"]);
    let section = &report["sections"][0];
    assert_eq!((&section["title"], &section["totals"]["held"]), (&"FIX HERE".into(), &1.into()), "{section}");
}

#[test]
fn hours_and_days_are_in_the_order_of_time() {
    let log = crate::support::fixture("postfix/retry.log");
    let report = report(&["--by", "hour", &log]);
    let rows = report["groups"]["rows"].as_array().unwrap();
    let hours: Vec<&str> = rows.iter().filter_map(|row| row["keys"]["hour"].as_str()).collect();
    assert!(hours.is_sorted() && !hours.is_empty(), "{hours:?}");
}

#[test]
fn is_the_same_when_all_is_counted_for_a_part() {
    let folder = tempdir().unwrap();
    let part = folder.path().join("part");
    for log in logs() {
        let own = ["scan", "--tz", "UTC", "--now", "2026-11-23T00:00:00Z", log.to_str().unwrap()];
        let beside_part = [&own[..], &["--part", part.to_str().unwrap()]].concat();
        assert_eq!(answer(&own), answer(&beside_part), "{}", log.display());
    }
}
