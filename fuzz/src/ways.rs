//! One log, read in many ways: threads, block sizes, compression, parts and time ranges change no answer, and sums agree.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::thread;

use serde_json::Value;

use super::program::{answer, answer_of};

/// Numbers of threads and block sizes that are compared with one thread and the default size.
const WAYS: [(&str, &str); 4] = [("1", "97"), ("2", "1000"), ("7", "333"), ("7", "16384")];

/// The commands whose whole output must be the same, whatever the way.
const COMMANDS: [&[&str]; 5] = [
    &["scan", "--format", "json", "--delays", "--storms", "--top", "50", "--by", "hour"],
    &["events"],
    &["storm", "--format", "json"],
    &["trace", "--format", "json", "@example.org", "--top", "0"],
    &["trace", "--raw", "@example.com", "--top", "3"],
];

/// The options of a command with those that choose the way.
fn with<'a>(command: &[&'a str], threads: &'a str, size: &'a str) -> Vec<&'a str> {
    [command, &["-j", threads, "--block-size", size]].concat()
}

/// The first difference between ways to read the log. `None`: there is none.
pub fn difference(log: &[u8]) -> Option<String> {
    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    let file = folder.path().join("mail.log");
    fs::write(&file, log).expect("there is space for a small file");
    of_ways(&file)
        .or_else(|| of_forms(folder.path(), &file, log))
        .or_else(|| of_sums(&file))
        .or_else(|| of_times(&file))
}

fn of_ways(file: &Path) -> Option<String> {
    COMMANDS.iter().find_map(|command| {
        let whole = answer(&[command, &["-j", "1"][..]].concat(), file);
        if command.contains(&"json") && !whole.is_empty() && serde_json::from_str::<Value>(&whole).is_err() {
            return Some(format!("{command:?}: no JSON"));
        }
        let differs =
            |&&(threads, size): &&(&str, &str)| answer(&with(command, threads, size), file) != whole;
        let (threads, size) = WAYS.iter().find(differs)?;
        Some(format!("{command:?}: {threads} threads, blocks of {size} bytes"))
    })
}

fn whole_report(files: &[&Path]) -> Value {
    let text = answer_of(&["scan", "--format", "json", "--top", "50"], files);
    serde_json::from_str(&text).expect("a report is JSON")
}

/// A report without what says how the log was read.
fn report(files: &[&Path]) -> Value {
    let mut report = whole_report(files);
    report["input"] = Value::Null;
    report["notes"] = Value::Null;
    report
}

/// Compressed, in two parts, or through a pipe, the log gives the same report, or at least the same counts of events.
fn of_forms(folder: &Path, file: &Path, log: &[u8]) -> Option<String> {
    let packed = folder.join("packed.gz");
    let out = fs::File::create(&packed).expect("the folder is there");
    let mut encoder = flate2::write::GzEncoder::new(out, flate2::Compression::fast());
    encoder.write_all(log).and_then(|()| encoder.finish()).expect("there is space for a small file");
    let whole = report(&[file]);
    if report(&[&packed]) != whole {
        return Some("gzip".to_owned());
    }
    let counts = |report: &Value| {
        ["outbound", "local", "inbound"].map(|direction| report["totals"][direction].to_string())
    };
    if through_pipe(folder, log).is_some_and(|piped| counts(&piped) != counts(&whole)) {
        return Some("a pipe".to_owned());
    }
    (counts(&in_parts(folder, log)?) != counts(&whole)).then(|| "two parts".to_owned())
}

/// The report of the log through a pipe. `None`: it is read once, and the program says that its years may be wrong. With other
/// years, other messages belong together.
fn through_pipe(folder: &Path, log: &[u8]) -> Option<Value> {
    let pipe = folder.join("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status().expect("there is mkfifo");
    assert!(made.success(), "mkfifo ends well");
    let (to, text) = (pipe.clone(), log.to_vec());
    // Opening waits for the reader. What is left over at the end is nobody's.
    let feeder = thread::spawn(move || fs::write(to, text));
    let report = whole_report(&[&pipe]);
    drop(feeder);
    let is_unsure = report["notes"].to_string().contains("their dates may be wrong");
    (!is_unsure).then_some(report)
}

/// The report of the log as a rotated part and the rest. `None`: a line may be about one in the other part.
fn in_parts(folder: &Path, log: &[u8]) -> Option<Value> {
    let text = String::from_utf8_lossy(log);
    // Sessions of OpenSMTPD, entries of the journal, and lines that stand for the line before.
    if ["repeated", "Last message", "smtpd[", "__CURSOR", " session", "\n "]
        .iter()
        .any(|mark| text.contains(mark))
    {
        return None;
    }
    // Servers log some refusals twice, and only the first counts: behind their stamps the two lines begin alike, or their ends
    // are alike.
    let (mut begins, mut ends) = (HashSet::new(), HashSet::new());
    let is_copy = |line: &str| {
        line.get(60..100).is_some_and(|begin| !begins.insert(begin.to_owned()))
            || line.get(line.len().saturating_sub(40)..).is_some_and(|end| !ends.insert(end.to_owned()))
    };
    if text.lines().filter(|line| line.len() > 60).any(is_copy) {
        return None;
    }
    let middle = log.len() / 2;
    let end = log.iter().skip(middle).position(|&byte| byte == b'\n')? + middle + 1;
    let (older, newer) = log.split_at(end);
    let [first, second] = ["parts.log.1", "parts.log"].map(|name| folder.join(name));
    fs::write(&first, older)
        .and_then(|()| fs::write(&second, newer))
        .expect("there is space for a small file");
    Some(report(&[&first, &second]))
}

/// The counts of a report that the listing of events must give, too.
fn of_sums(file: &Path) -> Option<String> {
    let totals = report(&[file])["totals"].take();
    let mut listed: BTreeMap<(String, String), u64> = BTreeMap::new();
    for line in answer(&["events"], file).lines() {
        let Ok(event) = serde_json::from_str::<Value>(line) else {
            return Some("an event that is no JSON".to_owned());
        };
        let word = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
        *listed.entry((word("direction"), word("outcome"))).or_default() += 1;
    }
    let sum = |direction: &str, outcome: &str| {
        listed.get(&(direction.to_owned(), outcome.to_owned())).copied().unwrap_or_default()
    };
    for direction in ["outbound", "local"] {
        for outcome in ["delivered", "deferred", "bounced", "expired"] {
            let counted = totals[direction][outcome].as_u64().unwrap_or_default();
            let hops = if outcome == "delivered" { totals["hops"].as_u64().unwrap_or_default() } else { 0 };
            let events = sum(direction, outcome);
            // A hand-over to a filter is listed, and counted apart.
            if counted > events || counted + hops < events {
                return Some(format!("{direction} {outcome}: {counted} in the report, {events} events"));
            }
        }
    }
    let refused = totals["inbound"]["refused"].as_u64().unwrap_or_default();
    (refused != sum("inbound", "rejected"))
        .then(|| format!("refused: {refused}, {} events", sum("inbound", "rejected")))
}

/// What the line of an event itself says, with its time. Other fields come from other lines, which a time range may hide.
/// `None`: it shows no time.
fn own_fields(event: &str) -> Option<(String, String)> {
    let event: Value = serde_json::from_str(event).ok()?;
    let time = event["time"].as_str()?.to_owned();
    let fields =
        ["direction", "outcome", "code", "enhanced", "stage", "recipient", "queue_id", "reason", "text"];
    Some((time, fields.map(|name| event[name].to_string()).join(" ")))
}

/// The events before a time and from it on are all events that show a time.
fn of_times(file: &Path) -> Option<String> {
    let listed = |arguments: &[&str]| -> Vec<(String, String)> {
        answer(arguments, file).lines().filter_map(own_fields).collect()
    };
    let mut whole = listed(&["events"]);
    let middle = whole.get(whole.len() / 2)?.0.clone();
    let mut parts = listed(&["events", "--until", &middle]);
    parts.extend(listed(&["events", "--since", &middle]));
    parts.sort_unstable();
    whole.sort_unstable();
    (parts != whole)
        .then(|| format!("--until and --since {middle}: {} events, not {}", parts.len(), whole.len()))
}

/// The property of a target: no difference.
pub fn check(bytes: &[u8]) {
    assert_eq!(difference(bytes), None);
}
