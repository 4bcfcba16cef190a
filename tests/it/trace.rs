//! Checks `smtplog trace`: the stories of the recordings, and of logs made to mislead it.

use std::fmt::Write;
use std::fs;

use crate::support::{self, answer, fed, fixture, run};
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

/// A folder with these files in it, and their names.
fn files(texts: &[(&str, &str)]) -> (TempDir, Vec<String>) {
    let folder = tempdir().unwrap();
    let write = |(name, text): &(&str, &str)| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let names = texts.iter().map(write).collect();
    (folder, names)
}

fn traced(args: &[&str]) -> Value {
    let common = ["trace", "--format", "json", "--tz", "UTC", "--year", "2026"];
    serde_json::from_str(&answer(&[&common[..], args].concat()).0).unwrap()
}

/// The queue ids of each story, and how it stands.
fn stories(trace: &Value) -> Vec<(Vec<String>, String)> {
    let id = |hop: &Value| hop["queue_id"].as_str().unwrap_or("-").to_owned();
    let told = |story: &Value| {
        let hops = story["hops"].as_array().unwrap().iter().map(id).collect();
        (hops, story["state"].as_str().unwrap().to_owned())
    };
    trace["stories"].as_array().unwrap().iter().map(told).collect()
}

#[track_caller]
fn tells(args: &[&str], wanted: &[(&[&str], &str)]) -> Value {
    let trace = traced(args);
    let wanted: Vec<(Vec<String>, String)> = wanted
        .iter()
        .map(|(ids, state)| (ids.iter().map(|&id| id.to_owned()).collect(), (*state).to_owned()))
        .collect();
    assert_eq!(stories(&trace), wanted, "{trace:#}");
    trace
}

const FILTERED: [&str; 3] = ["DC397DC171", "DD4E4DC181", "DF021DC0C2"];

#[test]
fn a_message_is_one_story_through_a_filter_and_its_bounce_by_whatever_it_is_asked_for() {
    let log = fixture("postfix/filter.log");
    let asked = [
        "DC397DC171",
        "DD4E4DC181",
        "DF021DC0C2",
        "f-no@f-no.example.net",
        "F-NO@F-no.example.NET",
        "@f-no.example.net",
        "*@f-no.*",
        "<20261122053820.DC397DC171@mx1.example.org>",
    ];
    for what in asked {
        let trace = tells(&[what, &log], &[(&FILTERED, "bounced")]);
        let hops = &trace["stories"][0]["hops"];
        assert_eq!(hops[0]["steps"][0]["what"], "handed_on");
        assert_eq!(hops[0]["steps"][0]["next"], "DD4E4DC181");
        assert_eq!(hops[1]["steps"][0]["reason"], "user-unknown");
        assert_eq!(hops[1]["steps"][1]["what"], "notified");
        assert_eq!((&hops[2]["notification"], &hops[2]["sender"]), (&json!(true), &json!("")));
    }
}

#[test]
fn a_story_says_where_its_message_came_from() {
    let hop = &traced(&["s-norule@example.org", &fixture("exim/retry.log")])["stories"][0]["hops"][0];
    assert_eq!(hop["client_ip"], "127.0.0.1");
    assert_eq!(hop["helo"], "localhost");
    assert_eq!(hop["size"], 344);
    assert_eq!(hop["received"], "2026-11-22T05:35:17+00:00");
    assert_eq!(hop["sender"], "s-norule@example.org");
}

#[test]
fn a_bounce_of_exim_stands_with_its_message() {
    let ids: &[&str] = &["1xV0EP-0000l4-07", "1xV0EP-0000l8-0G"];
    for what in ["1xV0EP-0000l4-07", "1xV0EP-0000l8-0G", "norule@norule.example.net"] {
        tells(&[what, &fixture("exim/retry.log")], &[(ids, "expired")]);
    }
}

/// A message of Postfix: it comes at this minute, and these lines follow.
fn message(id: &str, minute: u32, rest: &[&str]) -> String {
    let front = |daemon: &str, second: u32| format!("Nov 22 02:{minute:02}:{second:02} mx1 postfix/{daemon}");
    let mut text = format!(
        "{}[7]: {id}: client=a.example.com[192.0.2.1]\n{}[8]: {id}: message-id=<{minute}@example.com>\n\
        {}[9]: {id}: from=<s{minute}@example.com>, size=10, nrcpt=1 (queue active)\n",
        front("smtpd", 1),
        front("cleanup", 1),
        front("qmgr", 1)
    );
    for line in rest {
        let (daemon, words) = line.split_once(' ').unwrap();
        writeln!(text, "{}[5]: {id}: {words}", front(daemon, 2)).unwrap();
    }
    text
}

const SENT: &str = "smtp to=<anna@example.org>, relay=mx.example.org[192.0.2.9]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, \
    status=sent (250 2.0.0 Ok: queued as 4F1A2B3C4D)";
const LATER: &str = "smtp to=<anna@example.org>, relay=mx.example.org[192.0.2.9]:25, delay=1, delays=0/0/0/1, dsn=4.2.0, \
    status=deferred (host mx.example.org[192.0.2.9] said: 450 4.2.0 Greylisted (in reply to RCPT TO command))";
const NO: &str = "smtp to=<anna@example.org>, relay=mx.example.org[192.0.2.9]:25, delay=1, delays=0/0/0/1, dsn=5.1.1, \
    status=bounced (host mx.example.org[192.0.2.9] said: 550 5.1.1 no (in reply to RCPT TO command))";

#[test]
fn a_queue_id_that_is_used_again_is_another_message() {
    let log =
        message("ABCDEF1", 10, &[SENT, "qmgr removed"]) + &message("ABCDEF1", 20, &[NO, "qmgr removed"]);
    let (_folder, names) = files(&[("mail.log", &log)]);
    tells(&["ABCDEF1", &names[0]], &[(&["ABCDEF1"], "delivered"), (&["ABCDEF1"], "bounced")]);
    let trace = tells(&["s20@example.com", &names[0]], &[(&["ABCDEF1"], "bounced")]);
    assert_eq!(trace["found"], 1);
    assert_eq!(trace["stories"][0]["hops"][0]["message_id"], "20@example.com");
    // Its end may lie in a part that is gone.
    let log = message("ABCDEF1", 10, &[LATER]) + &message("ABCDEF1", 20, &[SENT]);
    let (_folder, names) = files(&[("mail.log", &log)]);
    tells(&["ABCDEF1", &names[0]], &[(&["ABCDEF1"], "queued"), (&["ABCDEF1"], "delivered")]);
}

#[test]
fn files_in_the_wrong_order_give_the_same_story() {
    let first = message("ABCDEF1", 10, &[LATER, "postsuper requeued"]);
    let second = format!(
        "Nov 22 02:10:30 mx1 postfix/pickup[7]: ABCDEF2: uid=0 from=<s10@example.com> orig_id=ABCDEF1\n\
        Nov 22 02:10:30 mx1 postfix/cleanup[7]: ABCDEF2: message-id=<10@example.com>\n{}\
        Nov 22 02:12:30 mx1 postfix/qmgr[7]: ABCDEF2: removed\n",
        SENT.replace("smtp to=", "Nov 22 02:12:00 mx1 postfix/smtp[7]: ABCDEF2: to=") + "\n"
    );
    // The later part's name sorts first, and says nothing of a rotation.
    let (_folder, names) = files(&[("a", &second), ("b", &first)]);
    for order in [[0, 1], [1, 0]] {
        let [one, two] = order.map(|at| names[at].as_str());
        for what in ["ABCDEF1", "ABCDEF2", "anna@example.org", "192.0.2.1"] {
            let trace = tells(&[what, one, two], &[(&["ABCDEF1", "ABCDEF2"], "delivered")]);
            let whats: Vec<&str> = trace["stories"][0]["hops"]
                .as_array()
                .unwrap()
                .iter()
                .flat_map(|hop| hop["steps"].as_array().unwrap())
                .map(|step| step["what"].as_str().unwrap())
                .collect();
            assert_eq!(whats, ["deferred", "requeued", "delivered"]);
        }
    }
    let rotated = [("mail.log.1", first.as_str()), ("mail.log", &second)];
    let (_folder, names) = files(&rotated);
    tells(&["ABCDEF2", "--rotated", &names[1]], &[(&["ABCDEF1", "ABCDEF2"], "delivered")]);
}

#[test]
fn a_reply_that_names_a_strangers_message_does_not_draw_it_in() {
    let hostile = SENT.replace("4F1A2B3C4D", "BCDFGH1");
    // Its message-id is another, and so is its time.
    let log = message("ABCDEF1", 10, &[&hostile, "qmgr removed"])
        + &message("BCDFGH1", 11, &[SENT, "qmgr removed"]);
    let (_folder, names) = files(&[("mail.log", &log)]);
    tells(&["s10@example.com", &names[0]], &[(&["ABCDEF1"], "delivered")]);
    let many: String = (10..50)
        .map(|minute| message(&format!("ABCD{minute}"), minute, &[&hostile, "qmgr removed"]))
        .collect();
    let (_folder, names) = files(&[("mail.log", &many)]);
    tells(&["s20@example.com", &names[0]], &[(&["ABCD20"], "delivered")]);
}

#[test]
fn what_has_no_end_is_in_the_queue_for_as_long_as_the_log_goes_on() {
    let log = message("ABCDEF1", 10, &[LATER]) + &message("ABCDEF2", 40, &[SENT, "qmgr removed"]);
    let (_folder, names) = files(&[("mail.log", &log)]);
    let trace = tells(&["ABCDEF1", &names[0]], &[(&["ABCDEF1"], "queued")]);
    assert_eq!(trace["stories"][0]["seconds"], 29 * 60 + 59);
    for (lines, state) in [
        (&[LATER, "postsuper placed on hold"][..], "held"),
        (&[LATER, "postsuper placed on hold", "postsuper released from hold"], "queued"),
        (&[LATER, "postsuper removed"], "deleted"),
        (
            &[LATER, "qmgr from=<s10@example.com>, status=expired, returned to sender", "qmgr removed"],
            "expired",
        ),
        (&[], "queued"),
        (&[LATER, SENT, "qmgr removed"], "delivered"),
    ] {
        let (_folder, names) = files(&[("mail.log", &message("ABCDEF1", 10, lines))]);
        tells(&["ABCDEF1", &names[0]], &[(&["ABCDEF1"], state)]);
    }
}

fn refused(second: u32, pid: u32, to: &str) -> String {
    format!(
        "Nov 22 03:{:02}:{:02} mx1 postfix/smtpd[{pid}]: NOQUEUE: reject: RCPT from a.example.com[192.0.2.7]: 550 5.1.1 \
        <{to}>: Recipient address rejected: User unknown; from=<x@example.com> to=<{to}> proto=ESMTP helo=<pc>\n",
        second / 60,
        second % 60
    )
}

#[test]
fn refusals_of_a_session_stand_together_and_equal_ones_are_one() {
    // One session with two recipients; then fourteen with another, by several processes.
    let mut log = refused(1, 9, "a@example.org") + &refused(2, 9, "b@example.org");
    for number in 0..14 {
        log += &refused(600 + number * 200, 10 + number % 3, "c@example.org");
    }
    let (_folder, names) = files(&[("mail.log", &log)]);
    let trace = traced(&["192.0.2.7", &names[0]]);
    let stories = trace["stories"].as_array().unwrap();
    let told: Vec<(u64, usize)> = stories
        .iter()
        .map(|story| (story["count"].as_u64().unwrap(), story["hops"][0]["steps"].as_array().unwrap().len()))
        .collect();
    assert_eq!(told, [(1, 2), (14, 1)], "{trace:#}");
    assert_eq!(stories[0]["kind"], "refusal");
    assert_eq!(stories[0]["hops"][0]["helo"], "pc");
    assert_eq!(stories[1]["hops"][0]["steps"][0]["code"], 550);
    // What was said of the other recipient is no refusal of this one.
    assert_eq!(
        traced(&["a@example.org", &names[0]])["stories"][0]["hops"][0]["steps"].as_array().unwrap().len(),
        1
    );
    let (text, _) = answer(&["trace", "192.0.2.0/24", "--tz", "UTC", &names[0]]);
    assert!(text.contains("rejected × 14") || text.contains("rejected x 14"), "{text}");
}

#[test]
fn an_event_of_the_message_must_fit_the_filters() {
    let log = message("ABCDEF1", 10, &[LATER, SENT, "qmgr removed"])
        + &message("ABCDEF2", 20, &[NO, "qmgr removed"])
        + &refused(1, 9, "anna@example.org");
    let (_folder, names) = files(&[("mail.log", &log)]);
    let one: &[(&[&str], &str)] = &[(&["ABCDEF1"], "delivered")];
    let two: &[(&[&str], &str)] = &[(&["ABCDEF2"], "bounced")];
    for (filter, wanted) in [
        (&["--code", "4xx"][..], one),
        (&["--outcome", "bounced"], two),
        (&["--from", "s20@example.com"], two),
        (&["--reason", "greylisted", "--code", "450"], one),
        (&["--code", "450", "--outcome", "delivered"], &[]),
        (&["--direction", "inbound"], &[(&["-"], "rejected")]),
    ] {
        let args = [&["anna@example.org", &names[0]][..], filter].concat();
        if wanted.is_empty() {
            assert_eq!(answer(&[&["trace"], &args[..]].concat()), (String::new(), 1));
        } else {
            tells(&args, wanted);
        }
    }
}

#[test]
fn the_latest_are_shown_and_the_earlier_ones_are_counted() {
    let log: String =
        (10..30).map(|minute| message(&format!("ABCD{minute}"), minute, &[SENT, "qmgr removed"])).collect();
    let (_folder, names) = files(&[("mail.log", &log)]);
    let trace = traced(&["anna@example.org", "-n", "2", &names[0]]);
    let ids: Vec<Vec<String>> = stories(&trace).into_iter().map(|(ids, _)| ids).collect();
    assert_eq!(ids, [["ABCD28"], ["ABCD29"]]);
    assert_eq!(trace["found"], 20);
    assert_eq!(traced(&["anna@example.org", "-n", "0", &names[0]])["stories"].as_array().unwrap().len(), 20);
    let (text, _) = answer(&["trace", "anna@example.org", "-n", "2", &names[0]]);
    assert!(text.starts_with("18 earlier ones are not shown; -n 0 shows all\n"), "{text}");
    let (text, _) = answer(&["trace", "anna@example.org", "-n", "19", &names[0]]);
    assert!(text.starts_with("1 earlier one is not shown; -n 0 shows all\n"), "{text}");
    let window = ["--since", "Nov 22 02:12", "--until", "2026-11-22 02:14"];
    let trace = traced(&[&["anna@example.org", &names[0]], &window[..]].concat());
    let ids: Vec<Vec<String>> = stories(&trace).into_iter().map(|(ids, _)| ids).collect();
    assert_eq!(ids, [["ABCD12"], ["ABCD13"]]);
}

#[test]
fn the_raw_lines_are_those_that_have_the_ids_and_the_ends_of_the_session() {
    let path = fixture("postfix/filter.log");
    let log = fs::read_to_string(&path).unwrap();
    let (raw, _) = answer(&["trace", "--raw", "f-no@f-no.example.net", &path]);
    let ends = |line: &&str| line.contains("connect from ");
    let with_id: Vec<&str> =
        log.lines().filter(|line| FILTERED.iter().any(|id| line.contains(&format!(": {id}: ")))).collect();
    let without_ends: Vec<&str> = raw.lines().filter(|line| !ends(line)).collect();
    assert_eq!(without_ends, with_id);
    // Connect and disconnect, of the client and of the filter.
    assert_eq!(raw.lines().filter(ends).count(), 4, "{raw}");

    let path = fixture("exim/retry.log");
    let log = fs::read_to_string(&path).unwrap();
    let (raw, _) = answer(&["trace", "--raw", "norule@norule.example.net", &path]);
    let ids = ["1xV0EP-0000l4-07", "1xV0EP-0000l8-0G"];
    let with_id: Vec<&str> =
        log.lines().filter(|line| ids.iter().any(|id| line[20..].starts_with(id))).collect();
    assert_eq!(raw.lines().collect::<Vec<_>>(), with_id);
}

#[test]
fn a_raw_refusal_has_the_ends_of_its_session() {
    let path = fixture("postfix/in.log");
    let (raw, _) = answer(&["trace", "--raw", "192.0.2.203", &path]);
    let lines = raw.lines().filter(|line| !line.is_empty());
    let words: Vec<&str> = lines.map(|line| line.split(' ').nth(5).unwrap()).collect();
    assert_eq!(words[..3], ["connect", "NOQUEUE:", "disconnect"], "{raw}");
}

#[test]
fn each_session_of_a_process_has_its_own_ends() {
    let end = |second: u32, what: &str, who: &str| {
        format!("Nov 22 03:00:{second:02} mx1 postfix/smtpd[9]: {what} from {who}\n")
    };
    let (one, other) = ("a.example.com[192.0.2.7]", "b.example.com[192.0.2.8]");
    // The first ends without a line of its own.
    let first = end(0, "connect", one) + &refused(1, 9, "a@example.org");
    let second = end(5, "connect", other) + &end(6, "disconnect", other);
    let third = end(7, "connect", one) + &refused(8, 9, "b@example.org") + &end(9, "disconnect", one);
    let log = [first.as_str(), &second, &third].concat();
    let (_folder, names) = files(&[("mail.log", &log)]);
    for (what, wanted) in [("a@example.org", &first), ("b@example.org", &third)] {
        assert_eq!(answer(&["trace", "--raw", what, &names[0]]), (wanted.clone(), 0));
    }
}

#[test]
fn a_signers_line_is_among_the_raw_ones() {
    let log = message("ABCDEF1", 10, &[SENT, "qmgr removed"])
        + "Nov 22 02:10:02 mx1 opendkim[8]: ABCDEF1: DKIM-Signature field added (s=m, d=example.com)\n\
            Nov 22 02:10:02 mx1 opendkim[8]: ABCDEF2: DKIM-Signature field added (s=m, d=example.com)\n";
    let (_folder, names) = files(&[("mail.log", &log)]);
    let (raw, _) = answer(&["trace", "--raw", "anna@example.org", &names[0]]);
    let wanted: Vec<&str> = log.lines().filter(|line| line.contains(": ABCDEF1: ")).collect();
    assert_eq!(raw.lines().collect::<Vec<_>>(), wanted);
}

#[test]
fn bytes_that_are_no_text_come_out_as_they_are() {
    let mut log = message("ABCDEF1", 10, &[]).into_bytes();
    log.extend_from_slice(b"Nov 22 02:10:05 mx1 postfix/smtp[5]: ABCDEF1: warning: \xff\x1b[2J\n");
    let folder = tempdir().unwrap();
    let path = folder.path().join("mail.log");
    fs::write(&path, &log).unwrap();
    let output = support::command(&["trace", "--raw", "ABCDEF1", path.to_str().unwrap()]).output().unwrap();
    assert_eq!(output.stdout, log);
}

#[test]
fn nothing_from_a_log_reaches_a_terminal_raw() {
    let hostile = "smtp to=<anna@example.org>, relay=mx\x1b[2J[192.0.2.9]:25, delay=1, delays=0/0/0/1, dsn=5.1.1, \
        status=bounced (host mx[192.0.2.9] said: 550 5.1.1 \x1b]0;x\x07\u{202e}no (in reply to RCPT TO command))";
    let log = message("ABCDEF1", 10, &[hostile]).replace("<10@", "<\x1b[31m@")
        + &refused(1, 9, "anna@example.org").replace("helo=<pc>", "helo=<\x1b[5m>");
    let (_folder, names) = files(&[("mail.log", &log)]);
    for format in ["text", "json", "ndjson"] {
        let (text, status) = answer(&["trace", "--format", format, "anna@example.org", &names[0]]);
        assert_eq!(status, 0);
        let hostile = |sign: char| sign.is_control() && sign != '\n' || sign == '\u{202e}';
        assert!(!text.contains(hostile), "{text:?}");
    }
}

#[test]
fn what_is_not_found_is_status_1_and_says_where_it_was_looked_for() {
    let log = fixture("postfix/filter.log");
    let (status, out, err) = run(&["trace", "nobody@nowhere.example.org", &log]);
    assert_eq!((status, out.as_str()), (1, ""));
    assert!(err.contains("\"nobody@nowhere.example.org\" in 68 lines, 20"), "{err}");
    let (status, _, err) =
        run(&["trace", "f-no@f-no.example.net", "--code", "250", "--outcome", "bounced", &log]);
    assert_eq!(status, 1);
    assert!(err.contains("that matches --code 250 --outcome bounced"), "{err}");
    assert_eq!(run(&["trace", "x", "no-such-file"]).0, 2);
    assert_eq!(run(&["trace"]).0, 2);
    let (_folder, names) = files(&[("notes.txt", "no mail here\nnor here\n")]);
    assert_eq!(run(&["trace", "anna@example.org", &names[0]]).0, 3);
}

#[test]
fn a_pipe_and_compressed_files_give_the_same_story() {
    let path = fixture("postfix/filter.log");
    let log = fs::read(&path).unwrap();
    let (status, told, err) = run(&["trace", "f-no@f-no.example.net", &path]);
    assert_eq!((status, err.as_str()), (0, ""));
    assert_eq!(fed(&["trace", "f-no@f-no.example.net"], &log), (0, told.clone(), String::new()));
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, &log).unwrap();
    let packed = packed.finish().unwrap();
    assert_eq!(fed(&["trace", "f-no@f-no.example.net", "-"], &packed).1, told);
    let wrapped: String = String::from_utf8(log)
        .unwrap()
        .lines()
        .flat_map(|line| {
            [json!({"log": format!("{line}\n"), "stream": "stdout"}).to_string(), "\n".to_owned()]
        })
        .collect();
    assert_eq!(fed(&["trace", "f-no@f-no.example.net", "-"], wrapped.as_bytes()).1, told);
}

#[test]
fn threads_and_blocks_change_nothing() {
    for (log, what) in [
        ("postfix/in.log", "@example.org"),
        ("postfix/filter.log", "*@*.example.net"),
        ("postfix/retry.log", "127.0.0.1"),
        ("exim/in-all.log", "192.0.2.200"),
        ("exim/in-syslog.log", "*"),
        ("exim/local.log", "@example.org"),
    ] {
        let path = fixture(log);
        for shape in [&["--format", "json"][..], &["--raw"], &["-n", "3"]] {
            let args = [&["trace", what, &path, "--tz", "UTC", "--year", "2026"], shape].concat();
            let whole = answer(&args);
            assert_eq!(whole.1, 0, "{log}");
            for cut in [["-j", "3", "--block-size", "777"], ["-j", "1", "--block-size", "4096"]] {
                assert!(answer(&[&args[..], &cut[..]].concat()) == whole, "{log} {what} {shape:?} {cut:?}");
            }
        }
    }
}

#[test]
fn every_message_of_the_recordings_has_a_story_with_all_of_its_events() {
    for log in support::logs() {
        let path = log.to_str().unwrap();
        let common = ["trace", "--format", "json", "--tz", "UTC", "-n", "0", "*"];
        let trace: Value = serde_json::from_str(&answer(&[&common[..], &[path]].concat()).0).unwrap();
        let steps = |kind: &str| -> u64 {
            let stories = trace["stories"].as_array().unwrap().iter().filter(|story| story["kind"] == kind);
            let hops = stories.flat_map(|story| {
                let count = story["count"].as_u64().unwrap();
                story["hops"].as_array().unwrap().iter().map(move |hop| (count, hop))
            });
            let steps = hops.flat_map(|(count, hop)| {
                hop["steps"].as_array().unwrap().iter().map(move |step| (count, step))
            });
            let not_events = ["released", "deleted", "requeued", "notified"];
            // Frozen, given up by hand, or without a recipient that was not discarded: of the whole message.
            let whole = |step: &Value| {
                let what = step["what"].as_str();
                let is_whole = matches!(what, Some("held" | "bounced"))
                    || what == Some("discarded") && step["recipient"].is_null() && path.contains("/postfix/");
                is_whole && step["text"] == ""
            };
            let told = steps
                .filter(|(_, step)| !not_events.contains(&step["what"].as_str().unwrap()) && !whole(step));
            told.map(|(count, step)| count * step["count"].as_u64().unwrap()).sum()
        };
        let events = support::events(&log);
        // A refusal that names nobody matches no query; Postfix names the client when the message begins.
        let nameless = |event: &&Value| {
            event["mta"] != "postfix"
                && event["direction"] == "inbound"
                && ["sender", "recipient", "peer_host", "peer_ip"].iter().all(|field| event[*field].is_null())
        };
        let of_messages = events.iter().filter(|event| !event["queue_id"].is_null());
        let of_messages = of_messages.filter(|event| !nameless(event)).count() as u64;
        assert_eq!(steps("message"), of_messages, "{path}");
        let refusals = events.iter().filter(|event| event["queue_id"].is_null());
        let named = |event: &&Value| {
            ["sender", "recipient", "peer_host"].iter().any(|field| !event[*field].is_null())
                && event["direction"] == "inbound"
        };
        assert_eq!(steps("refusal"), refusals.filter(named).count() as u64, "{path}");
    }
}

#[test]
fn recipients_are_counted_and_the_one_asked_for_comes_first() {
    let to = |name: &str, rest: &str| {
        format!(
            "Nov 22 05:32:2{} mx1 postfix/smtp[9]: 4F1A2B3C4D: to=<{name}@example.net>, {rest}\n",
            name.len()
        )
    };
    let full = "relay=mx.example.net[192.0.2.1]:25, delay=1, dsn=5.2.2, status=bounced \
        (host mx.example.net[192.0.2.1] said: 552 5.2.2 Mailbox full (in reply to RCPT TO command))";
    let later = "relay=mx.example.net[192.0.2.1]:25, delay=1, dsn=4.2.0, status=deferred \
        (host mx.example.net[192.0.2.1] said: 450 4.2.0 Greylisted (in reply to RCPT TO command))";
    let sent = "relay=mx.example.net[192.0.2.1]:25, delay=1, dsn=2.0.0, status=sent (250 2.0.0 Ok)";
    let lines = [
        "Nov 22 05:32:20 mx1 postfix/qmgr[9]: 4F1A2B3C4D: from=<s@example.org>, size=300, nrcpt=4 (queue active)\n"
            .to_owned(),
        to("a", full),
        to("bb", full),
        to("ccc", later),
        to("dddd", sent),
    ];
    let folder = tempdir().unwrap();
    let log = folder.path().join("mail.log");
    fs::write(&log, lines.concat()).unwrap();
    let (text, status) = answer(&["trace", "ccc@example.net", log.to_str().unwrap()]);
    assert_eq!(status, 0);
    assert!(text.contains("\n  4 recipients: 1 delivered, 2 bounced, 1 waiting\n"), "{text}");
    let at = |name: &str| text.find(name).unwrap();
    assert!(at("ccc@") < at("a@example.net") && at("bb@") < at("dddd@"), "{text}");
    let (json, _) = answer(&["trace", "--format", "json", "ccc@example.net", log.to_str().unwrap()]);
    let json: Value = serde_json::from_str(&json).unwrap();
    let story = &json["stories"][0];
    assert_eq!(story["recipients"][1], serde_json::json!({"state": "bounced", "count": 2}));
    let steps = story["hops"][0]["steps"].as_array().unwrap();
    let asked: Vec<bool> = steps.iter().map(|step| step["asked"].as_bool().unwrap()).collect();
    assert_eq!(asked, [false, false, true, false]);
    assert!(steps[3]["advice"].is_null());
    // Two recipients have the same advice, which is given once.
    let advice = steps[0]["advice"].as_str().unwrap();
    assert_eq!(steps[1]["advice"], advice);
    let first: Vec<&str> = advice.split(' ').take(4).collect();
    assert_eq!(text.matches(&first.join(" ")).count(), 1, "{text}");
}

#[test]
fn nothing_found_is_a_document_too() {
    let log = fixture("postfix/out.log");
    let (status, out, err) = run(&["trace", "--format", "json", "nobody@example.invalid", &log]);
    let found: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((status, &found["found"]), (1, &json!(0)), "{err}");
}
