//! Messages: a simple model that reads line by line, the generator's totals and the recorded queues say the same as we do.

#[path = "../benches/loggen/mod.rs"]
mod loggen;

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use loggen::{Mta, Spec, Stamp, write};
use serde_json::{Value, json};
use smtplog::event::{Direction, Event, Mta as Server, Outcome, Stage as Command};
use smtplog::line::Line;
use smtplog::mta::fact::Step;
use smtplog::mta::{self, reading::Reading};

/// A message as somebody with paper and pencil would follow it.
#[derive(Clone, Default, Debug)]
struct Paper {
    came: bool,
    queued: bool,
    held: bool,
    probe: bool,
    outcomes: Vec<&'static str>,
    recipients: Option<u64>,
    put_off: Vec<String>,
}

#[derive(Default)]
struct Model {
    open: BTreeMap<(String, String, String), Paper>,
    sums: BTreeMap<&'static str, u64>,
    later: u64,
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl Model {
    fn read(log: &[u8]) -> Self {
        let mut model = Self::default();
        for raw in log.split(|&byte| byte == b'\n') {
            let line = Line::read(raw);
            let key = |server: Server, id: &[u8]| {
                let program = text(line.program);
                let queue = if server == Server::Postfix { program.split('/').next().unwrap() } else { "" };
                (text(line.host), queue.to_owned(), text(id))
            };
            match mta::read(&line) {
                Reading::Fact(fact) => {
                    let context = mta::context(&fact);
                    model.fact(key(fact.mta, fact.queue_id), fact.mta, fact.step, context.recipients);
                }
                Reading::Event(event) => {
                    if let Some(id) = event.queue_id {
                        model.event(key(event.mta, id), &event);
                    }
                }
                Reading::Routine | Reading::Unread | Reading::Foreign => {}
            }
        }
        for (_, paper) in std::mem::take(&mut model.open) {
            model.settle(&paper, false);
        }
        model
    }

    fn fact(&mut self, key: (String, String, String), server: Server, step: Step, left: Option<u32>) {
        if step == Step::Came
            && let Some(old) = self.open.remove(&key)
            && (server == Server::Postfix || old.came)
        {
            self.settle(&old, true);
        }
        match step {
            Step::Gone => {
                if let Some(paper) = self.open.remove(&key) {
                    self.settle(&paper, true);
                }
            }
            Step::Deleted => {
                let came = self.open.remove(&key).is_some_and(|paper| paper.came);
                self.settle(&Paper { came, outcomes: vec!["discarded"], ..Paper::default() }, true);
            }
            Step::Renamed => drop(self.open.remove(&key)),
            Step::Released => {
                if let Some(paper) = self.open.get_mut(&key) {
                    paper.held = false;
                }
            }
            Step::Came | Step::Named | Step::Queued | Step::Held => {
                let paper = self.open.entry(key).or_default();
                let exim = server == Server::Exim && step == Step::Came;
                paper.came |= exim || !paper.queued && matches!(step, Step::Came | Step::Named);
                paper.queued |= exim || matches!(step, Step::Queued | Step::Held);
                paper.held = step == Step::Held || paper.held && step != Step::Queued;
                if let Some(left) = left {
                    paper.recipients = Some(u64::from(left) + paper.outcomes.len() as u64);
                }
            }
        }
    }

    fn event(&mut self, key: (String, String, String), event: &Event) {
        let recipient = text(event.recipient.unwrap_or_default());
        let inbound = event.direction == Direction::Inbound;
        let at_the_end = matches!(event.stage, Some(Command::Data | Command::EndOfData));
        match event.outcome {
            Outcome::Attempt | Outcome::Warned => return,
            Outcome::Rejected => {
                if at_the_end && self.open.get(&key).is_some_and(|paper| !paper.queued) {
                    self.open.remove(&key);
                }
                return;
            }
            Outcome::Discarded if inbound && at_the_end => {
                let came = self.open.remove(&key).is_some_and(|paper| paper.came);
                self.settle(&Paper { came, outcomes: vec!["discarded"], ..Paper::default() }, true);
                return;
            }
            _ => {}
        }
        let paper = self.open.entry(key).or_default();
        let put_off = paper.put_off.iter().position(|name| *name == recipient);
        paper.queued |= event.outcome != Outcome::Probe;
        let here = event.peer.ip.is_some_and(|ip| ip.starts_with(b"127."));
        paper.outcomes.push(match event.outcome {
            Outcome::Delivered if here && text(event.text).contains("queued as ") => "handed_on",
            Outcome::Delivered => "delivered",
            Outcome::Bounced => "bounced",
            Outcome::Expired => "expired",
            Outcome::Discarded => "discarded",
            Outcome::Deferred => {
                if put_off.is_none() {
                    paper.put_off.push(recipient);
                }
                return;
            }
            Outcome::Held => return paper.held = true,
            Outcome::Probe => return paper.probe = true,
            Outcome::Attempt | Outcome::Warned | Outcome::Rejected => unreachable!(),
        });
        if let Some(at) = put_off {
            paper.put_off.remove(at);
            self.later += u64::from(paper.outcomes.last() == Some(&"delivered"));
        }
        if event.outcome == Outcome::Expired && event.recipient.is_none() {
            paper.put_off.clear();
            paper.recipients = Some(0);
        }
    }

    fn settle(&mut self, paper: &Paper, ended: bool) {
        let has = |outcome| paper.outcomes.contains(&outcome);
        if paper.probe || !paper.queued && !has("discarded") {
            return;
        }
        let done = paper.outcomes.len() as u64;
        let waits = paper.recipients.map_or(paper.came, |recipients| done < recipients) && !has("discarded");
        let order = ["expired", "bounced", "delivered", "handed_on", "discarded"];
        let fate = match ended {
            false if paper.held => "held",
            false if !paper.put_off.is_empty() => "deferred",
            false if waits => "waiting",
            _ => order.into_iter().find(|&outcome| has(outcome)).unwrap_or("delivered"),
        };
        *self.sums.entry(fate).or_default() += 1;
        *self.sums.entry("received").or_default() += u64::from(paper.came && fate != "handed_on");
    }

    fn json(&self) -> Value {
        let sums = SUMS.map(|name| (name, self.sums.get(name).copied().unwrap_or(0)));
        json!({ "sums": BTreeMap::from(sums), "later": self.later })
    }
}

/// What is compared.
const SUMS: [&str; 9] =
    ["received", "delivered", "bounced", "expired", "discarded", "handed_on", "deferred", "held", "waiting"];

/// The same of a report.
fn reported(args: &[&str]) -> (Value, Value) {
    let report = common::report(args);
    let messages = &report["totals"]["messages"];
    let sums = SUMS.map(|name| (name, messages[name].as_u64().unwrap()));
    let later = messages["delivered_later"].as_array().unwrap();
    let later: u64 = later.iter().map(|row| row["recipients"].as_u64().unwrap()).sum();
    (json!({ "sums": BTreeMap::from(sums), "later": later }), messages.clone())
}

#[track_caller]
fn agrees_with_the_model(log: &Path) -> Value {
    let name = log.to_str().unwrap();
    let wanted = Model::read(&fs::read(log).unwrap()).json();
    let mut whole = None;
    for (threads, size) in [("1", "100000000"), ("2", "262144"), ("3", "4000"), ("2", "900")] {
        // Small blocks of a large log are many.
        if size == "900" && wanted["sums"]["received"].as_u64() > Some(500) {
            continue;
        }
        let (sums, messages) = reported(&["-j", threads, "--block-size", size, name]);
        assert_eq!(sums, wanted, "{name}: {threads} threads, blocks of {size} bytes");
        assert_eq!(
            *whole.get_or_insert_with(|| messages.clone()),
            messages,
            "{name}: blocks of {size} bytes"
        );
        let sum = |names: &[&str]| names.iter().map(|name| messages[*name].as_u64().unwrap()).sum::<u64>();
        let parts = ["delivered", "deferred", "bounced", "expired", "discarded", "held", "waiting"];
        assert_eq!(sum(&["messages"]), sum(&parts), "{name}");
        assert_eq!(sum(&["in_queue"]), sum(&["deferred", "held", "waiting"]), "{name}");
    }
    whole.unwrap()
}

#[test]
fn recordings_give_what_the_model_finds() {
    for log in common::logs() {
        // A copy that syslog got of a refusal is no second refusal; the model does not know.
        agrees_with_the_model(&log);
    }
}

/// Ids in the queue when the recording ended, as the server itself listed them.
fn queue_of(log: &Path) -> Option<u64> {
    let postfix = fs::read_to_string(log.with_extension("queue.json"));
    let exim = fs::read_to_string(log.with_extension("queue.txt"));
    let is_exim_head =
        |line: &&str| line.split_whitespace().nth(2).is_some_and(|id| id.matches('-').count() == 2);
    match (postfix, exim) {
        (Ok(text), _) => Some(text.lines().filter(|line| !line.trim().is_empty()).count() as u64),
        (_, Ok(text)) => Some(text.lines().filter(is_exim_head).count() as u64),
        _ => None,
    }
}

#[test]
fn the_queue_at_the_end_of_a_recording_is_the_servers_own() {
    let mut known = 0;
    for log in common::logs() {
        let Some(wanted) = queue_of(&log) else { continue };
        let messages = common::report(&[log.to_str().unwrap()])["totals"]["messages"].clone();
        // One of its messages is put on hold before it has a queue id, and no line says which.
        let silent = u64::from(log.ends_with("postfix/in.log"));
        assert_eq!(messages["in_queue"].as_u64().unwrap() + silent, wanted, "{}", log.display());
        known += wanted;
    }
    assert!(known > 150, "only {known} are known");
}

#[test]
fn generated_logs_give_what_the_generator_and_the_model_count() {
    let size = 2 << 20;
    let postfix = Spec::new(Mta::Postfix, size);
    let exim = Spec::new(Mta::Exim, size);
    let specs = [
        ("postfix", postfix.clone()),
        ("postfix, long ids", Spec { stamp: Stamp::Rfc3339, long_ids: true, seed: 7, ..postfix }),
        ("exim", Spec { seed: 8, ..exim }),
    ];
    for (name, spec) in specs {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut log = Vec::new();
        let totals = write(&spec, &mut log).unwrap();
        fs::write(&path, &log).unwrap();
        let messages = agrees_with_the_model(&path);
        let wanted = totals.messages;
        // The last message may have all of its lines but one.
        let near = |fields: &[&str], wanted: u64| {
            let found: u64 = fields.iter().map(|field| messages[*field].as_u64().unwrap()).sum();
            assert!(found.abs_diff(wanted) <= 1, "{name}: {fields:?} {found}, the generator wrote {wanted}");
        };
        near(&["received"], wanted.received);
        near(&["bounced"], wanted.bounced);
        near(&["expired"], wanted.expired);
        // A mailbox that throws its mail away has got it, to the generator.
        near(&["delivered", "discarded"], wanted.delivered + wanted.discarded);
        near(&["in_queue"], wanted.queued);
        assert!(wanted.delivered > 200 && wanted.bounced > 20, "{name}: {wanted:?}");
    }
}

#[track_caller]
fn counts(lines: &[&str], field: &str, wanted: u64) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    fs::write(&path, lines.join("\n")).unwrap();
    let messages = agrees_with_the_model(&path);
    assert_eq!(messages[field], wanted, "{field} of {messages}");
}

const CAME: &str = "Nov 22 02:50:16 mx1 postfix/smtpd[7]: 3F1A20C4B7D: client=mx.example.org[192.0.2.1]";
const QUEUED: &str = "Nov 22 02:50:16 mx1 postfix/qmgr[7]: 3F1A20C4B7D: from=<a@example.org>, size=4521, nrcpt=2 (queue active)";
const SENT: &str = "Nov 22 02:50:17 mx1 postfix/smtp[7]: 3F1A20C4B7D: to=<b@example.com>, relay=mx.example.com[192.0.2.9]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 Ok)";
const DEFERRED: &str = "Nov 22 02:50:18 mx1 postfix/smtp[7]: 3F1A20C4B7D: to=<c@example.com>, relay=mx.example.com[192.0.2.9]:25, delay=1, delays=0/0/0/1, dsn=4.2.0, status=deferred (host mx.example.com[192.0.2.9] said: 451 4.7.1 greylisted (in reply to RCPT TO command))";
const SENT_LATER: &str = "Nov 22 02:55:18 mx1 postfix/smtp[7]: 3F1A20C4B7D: to=<c@example.com>, relay=mx.example.com[192.0.2.9]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 Ok)";
const REMOVED: &str = "Nov 22 02:55:18 mx1 postfix/qmgr[7]: 3F1A20C4B7D: removed";

#[test]
fn a_queue_id_that_comes_back_is_another_message() {
    let once = [CAME, QUEUED, SENT, DEFERRED, SENT_LATER, REMOVED];
    counts(&once, "messages", 1);
    counts(&[once, once].concat(), "messages", 2);
    // Also where the end of the first is not in the log.
    counts(&[&once[..5], &once].concat(), "delivered", 2);
    counts(&[&once[..4], &once].concat(), "in_queue", 0);
}

#[test]
fn what_is_put_off_is_in_the_queue_until_it_is_served() {
    counts(&[CAME, QUEUED, SENT, DEFERRED], "deferred", 1);
    counts(&[CAME, QUEUED, SENT], "waiting", 1);
    counts(&[CAME, QUEUED, SENT, DEFERRED, SENT_LATER], "delivered", 1);
    counts(&[DEFERRED], "in_queue", 1);
    counts(&[CAME], "messages", 0);
    counts(&[REMOVED], "messages", 0);
    counts(&[SENT], "delivered", 1);
    counts(&[SENT], "received", 0);
}

#[test]
fn says_how_long_the_mail_took_that_was_put_off_first() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    fs::write(&path, [CAME, QUEUED, SENT, DEFERRED, DEFERRED, SENT_LATER, REMOVED].join("\n")).unwrap();
    let messages = common::report(&[path.to_str().unwrap()])["totals"]["messages"].clone();
    let later = &messages["delivered_later"];
    assert_eq!(later[0]["reason"], "greylisted");
    assert_eq!(later[0]["recipients"], 1);
    // Two digits are kept.
    assert!((297..=303).contains(&later[0]["median_seconds"].as_u64().unwrap()), "{later}");
    assert_eq!(later[0]["median_seconds"], later[0]["p95_seconds"]);
}

#[test]
fn a_filter_leaves_the_messages_that_have_an_event_it_admits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let other = SENT.replace("3F1A20C4B7D", "4F1A20C4B7D").replace("b@example.com", "d@example.net");
    fs::write(&path, [CAME, QUEUED, SENT, DEFERRED, &other].join("\n")).unwrap();
    let count = |args: &[&str], field: &str| {
        let args: Vec<&str> = args.iter().chain([&path.to_str().unwrap()]).copied().collect();
        common::report(&args)["totals"]["messages"][field].clone()
    };
    assert_eq!(count(&[], "messages"), 2);
    assert_eq!(count(&["--domain", "example.net"], "messages"), 1);
    assert_eq!(count(&["--outcome", "deferred"], "deferred"), 1);
    assert_eq!(count(&["--domain", "example.org"], "messages"), 0);
}
