//! Compares the counts of messages with a simple model, the totals of the log generator, and the recorded queues.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use loggen::log::{Mta, Spec, Stamp as Form, write};
use serde_json::{Value, json};
use smtplog::internals::parse::header::{LogLine, RawTimestamp};
use smtplog::internals::parse::mta;
use smtplog::internals::parse::mta::parsed::ParsedLine;
use smtplog::internals::parse::mta::queue_record::QueueStep;
use smtplog::internals::smtp::event::{Direction, Event, Mta as Server, Outcome, Stage as Command};

use crate::support;

/// A message in the simple model, which reads the log line by line.
#[derive(Clone, Default, Debug)]
struct Paper {
    came: bool,
    notice: bool,
    /// By a client or a program.
    handed_over: bool,
    /// Its header was read, and when it was seen first.
    named: bool,
    minute: Option<i64>,
    /// Whether the message is in the log to which this one was handed over first.
    first_hop: Option<bool>,
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
    /// Every queue id of the log, whoever has it.
    ids: BTreeSet<String>,
    /// Held before there was a queue id, by minutes.
    holds: BTreeMap<i64, u64>,
    hops: u64,
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Minutes of a day, which is enough for logs of one day.
fn minute(line: &LogLine) -> Option<i64> {
    let (RawTimestamp::Bsd(stamp) | RawTimestamp::Iso(stamp)) = line.stamp else { return None };
    let stamp = text(stamp);
    let (hours, rest) = stamp.split_once(':')?;
    let hour: i64 = hours.get(hours.len() - 2..)?.trim().parse().ok()?;
    Some(hour * 60 + rest.get(..2)?.parse::<i64>().ok()?)
}

/// The next queue id that the reply of a nearby server (loopback, private address or socket) names.
fn handed_to(event: &Event) -> Option<String> {
    let ip = text(event.peer.ip.unwrap_or_default());
    let near = ["127.", "10.", "192.168.", "::1"].iter().any(|start| ip.starts_with(start));
    let socket = event.peer.ip.is_none() && event.peer.host.is_some();
    let words = text(event.text);
    let (_, id) = match event.direction {
        Direction::Local if words.starts_with("forwarded as ") => words.split_once("forwarded as ")?,
        Direction::Outbound | Direction::Local if near || socket => {
            let marks = ["queued as ", "OK id=", "250 2.5.0 OK ("];
            marks.iter().find_map(|mark| words.rsplit_once(mark))?
        }
        Direction::Outbound | Direction::Local | Direction::Inbound => return None,
    };
    Some(id.split(|sign: char| !sign.is_alphanumeric() && sign != '-').next().unwrap().to_owned())
}

impl Model {
    /// Reads the log twice: what a hand-over led to may stand before it or behind it.
    fn read(log: &[u8]) -> Self {
        let mut model = Self::default();
        for raw in log.split(|&byte| byte == b'\n') {
            let id = match mta::read(&LogLine::read(raw)) {
                ParsedLine::QueueRecord(fact) => Some(fact.queue_id),
                ParsedLine::Event(event) => event.queue_id,
                ParsedLine::Routine | ParsedLine::Unread | ParsedLine::Foreign => None,
            };
            model.ids.extend(id.map(text));
        }
        for raw in log.split(|&byte| byte == b'\n') {
            let line = LogLine::read(raw);
            let key = |server: Server, id: &[u8]| {
                let program = text(line.program);
                let queue = match program.split('/').next().unwrap() {
                    _ if server != Server::Postfix => "",
                    "MailScanner" => "postfix",
                    instance => instance,
                };
                let id = text(id);
                let id = if server == Server::Opensmtpd { id[..8].to_owned() } else { id };
                (text(line.host), queue.to_owned(), id)
            };
            match mta::read(&line) {
                ParsedLine::QueueRecord(fact) => {
                    let context = mta::message_fields(&fact);
                    let left = context.recipients;
                    // `.A12F3 to 5B1A20C4B7D` of MailScanner.
                    let words = text(fact.text);
                    let new_id = words.strip_prefix('.').and_then(|words| words.split_once(" to "));
                    let new_key = new_id.map(|(_, id)| key(fact.mta, id.as_bytes()));
                    let key = key(fact.mta, fact.queue_id);
                    model.fact(key.clone(), fact.mta, fact.step, left, minute(&line));
                    if let Some(new_key) = new_key.filter(|_| fact.step == QueueStep::Requeued) {
                        model.open.entry(new_key).or_default().came = true;
                    }
                    if let Some(paper) = model.open.get_mut(&key).filter(|_| fact.mta == Server::Postfix) {
                        paper.handed_over |= fact.step == QueueStep::Received;
                        let null = fact.step == QueueStep::Queued && context.sender == Some(b"");
                        paper.notice |= null && paper.came && !paper.handed_over;
                    }
                }
                ParsedLine::Event(event) => match event.queue_id {
                    Some(id) => {
                        let key = key(event.mta, id);
                        model.event(key.clone(), &event);
                        // `to=<a@b>,<c@d>, …` of Sendmail.
                        let more = text(line.text).split(", ").next().unwrap().matches(">,<").count();
                        if let Some(paper) =
                            model.open.get_mut(&key).filter(|_| event.mta == Server::Sendmail)
                        {
                            let last = paper.outcomes.last().copied();
                            paper.outcomes.extend(last.into_iter().cycle().take(more));
                        }
                        // What cleanup bounces never gets into the queue.
                        let bounced =
                            line.program.ends_with(b"/cleanup") && event.outcome == Outcome::Bounced;
                        if let Some(paper) = model.open.get_mut(&key).filter(|_| bounced) {
                            paper.recipients = Some(paper.outcomes.len() as u64);
                        }
                    }
                    None if event.outcome == Outcome::Held => {
                        *model.holds.entry(minute(&line).unwrap()).or_default() += 1;
                    }
                    None => {}
                },
                ParsedLine::Routine | ParsedLine::Unread | ParsedLine::Foreign => {}
            }
        }
        for (_, paper) in std::mem::take(&mut model.open) {
            model.settle(&paper, false);
            // Held before it had a queue id, in the same minute or the one before.
            if let Some(minute) = paper.minute.filter(|_| paper.came && paper.named && !paper.queued)
                && let Some(left) = [minute, minute - 1].iter().find(|at| model.holds.get(at) > Some(&0))
            {
                *model.holds.get_mut(left).unwrap() -= 1;
                *model.sums.entry("held").or_default() += 1;
                *model.sums.entry("received").or_default() += 1;
            }
        }
        model
    }

    fn fact(
        &mut self,
        key: (String, String, String),
        server: Server,
        step: QueueStep,
        left: Option<u32>,
        minute: Option<i64>,
    ) {
        let arrives = server != Server::Postfix;
        if (step == QueueStep::Received || arrives && step == QueueStep::Notice)
            && let Some(old) = self.open.remove(&key)
            && (server == Server::Postfix || step == QueueStep::Notice || old.came)
        {
            self.settle(&old, true);
        }
        match step {
            QueueStep::Removed => {
                if let Some(paper) = self.open.remove(&key) {
                    self.settle(&paper, true);
                }
            }
            QueueStep::Deleted => {
                let came = self.open.remove(&key).is_some_and(|paper| paper.came);
                self.settle(&Paper { came, outcomes: vec!["discarded"], ..Paper::default() }, true);
            }
            QueueStep::Returned => {
                let paper = self.open.entry(key).or_default();
                paper.queued = true;
                paper.outcomes.push("bounced");
                paper.put_off.clear();
                paper.recipients = Some(0);
            }
            QueueStep::Requeued => drop(self.open.remove(&key)),
            QueueStep::PassedOn => {}
            QueueStep::Canceled => {
                if self.open.get(&key).is_some_and(|paper| !paper.queued) {
                    self.open.remove(&key);
                }
            }
            QueueStep::Dropped => {
                if let Some(mut paper) = self.open.remove(&key) {
                    if paper.outcomes.is_empty() {
                        paper.outcomes.push("discarded");
                    }
                    self.settle(&paper, true);
                }
            }
            QueueStep::Released => {
                if let Some(paper) = self.open.get_mut(&key) {
                    paper.held = false;
                }
            }
            QueueStep::Notice if !arrives => {
                if let Some(paper) = self.open.get_mut(&key) {
                    paper.notice = true;
                }
            }
            QueueStep::Received
            | QueueStep::MessageIdAssigned
            | QueueStep::Notice
            | QueueStep::Queued
            | QueueStep::Held => {
                let paper = self.open.entry(key).or_insert_with(|| Paper { minute, ..Paper::default() });
                paper.notice |= step == QueueStep::Notice;
                paper.named |= step == QueueStep::MessageIdAssigned;
                let exim = arrives && matches!(step, QueueStep::Received | QueueStep::Notice);
                paper.came |= exim
                    || !paper.queued && matches!(step, QueueStep::Received | QueueStep::MessageIdAssigned);
                paper.queued |= exim || matches!(step, QueueStep::Queued | QueueStep::Held);
                paper.held = step == QueueStep::Held || paper.held && step != QueueStep::Queued;
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
        let copy = handed_to(event);
        let seen = copy.as_ref().is_some_and(|id| self.ids.contains(id));
        self.hops += u64::from(seen);
        // The first hand-over tells where the message is counted.
        let first = copy.is_some() && paper.first_hop.is_none();
        if first {
            paper.first_hop = Some(seen);
        }
        paper.outcomes.push(match event.outcome {
            Outcome::Delivered if copy.is_some() && !first => "one more",
            Outcome::Delivered if seen => "handed_on",
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
            self.later += u64::from(event.outcome == Outcome::Delivered && !seen);
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
        if fate != "handed_on" {
            *self.sums.entry("received").or_default() += u64::from(paper.came && !paper.notice);
            *self.sums.entry("notices").or_default() += u64::from(paper.notice);
        }
    }

    fn json(&self) -> Value {
        let sums = SUMS.map(|name| (name, self.sums.get(name).copied().unwrap_or(0)));
        json!({ "sums": BTreeMap::from(sums), "later": self.later, "hops": self.hops })
    }
}

/// The numbers that are compared.
const SUMS: [&str; 10] = [
    "received",
    "notices",
    "delivered",
    "bounced",
    "expired",
    "discarded",
    "handed_on",
    "deferred",
    "held",
    "waiting",
];

/// The same of a report.
fn reported(args: &[&str]) -> (Value, Value) {
    let report = support::report(args);
    let messages = &report["totals"]["messages"];
    let sums = SUMS.map(|name| (name, messages[name].as_u64().unwrap()));
    let later = messages["delivered_later"].as_array().unwrap();
    let later: u64 = later.iter().map(|row| row["recipients"].as_u64().unwrap()).sum();
    let hops = &report["totals"]["hops"];
    (json!({ "sums": BTreeMap::from(sums), "later": later, "hops": hops }), messages.clone())
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
    for log in support::logs().into_iter().filter(|log| is_modelled(log)) {
        // A copy that syslog got of a refusal is no second refusal; the model does not know.
        agrees_with_the_model(&log);
    }
}

/// The model follows Postfix and Exim, and only they list their queues in a form that says who a message is from.
fn is_modelled(log: &Path) -> bool {
    ["postfix", "exim"].iter().any(|mta| log.parent().is_some_and(|folder| folder.ends_with(mta)))
}

/// Ids in the queue when the recording ended, as the server itself listed them.
fn queue_of(log: &Path) -> Option<u64> {
    let postfix = fs::read_to_string(log.with_extension("queue.json"));
    let exim = fs::read_to_string(log.with_extension("queue.txt"));
    // `8.17-out.queue.txt`, of `mailq`; `8.17-local` has a message whose failure stands before its arrival.
    let of_sendmail = |line: &&str| line.split_whitespace().next().is_some_and(|id| id.len() == 14);
    if log.parent()?.ends_with("sendmail") {
        let runs = ["out", "retry", "in", "in-delay"];
        let name = log.file_stem()?.to_str()?;
        return runs.iter().any(|run| name.ends_with(run)).then(|| {
            exim.unwrap().lines().filter(of_sendmail).filter(|line| !line.starts_with('-')).count() as u64
        });
    }
    // `evpid|inet4|mta|…` of `smtpctl show queue`: a line for each recipient, whose id begins with the message's.
    if log.parent()?.ends_with("opensmtpd") {
        let messages: BTreeSet<String> =
            exim.ok()?.lines().filter_map(|line| line.get(..8).map(str::to_owned)).collect();
        return Some(messages.len() as u64);
    }
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
    for log in support::logs() {
        let Some(wanted) = queue_of(&log) else { continue };
        let messages = support::report(&[log.to_str().unwrap()])["totals"]["messages"].clone();
        assert_eq!(messages["in_queue"].as_u64().unwrap(), wanted, "{}", log.display());
        known += wanted;
    }
    assert!(known > 150, "only {known} are known");
}

/// What became of the messages of a recording, by the peers' own account: each sender of it wrote one message.
fn truth_of(log: &Path) -> Option<BTreeMap<&'static str, u64>> {
    let truth = fs::read_to_string(log.with_extension("truth.ndjson")).ok()?;
    let queued = queued_senders(log)?;
    let mut messages: BTreeMap<(String, String, u64), BTreeSet<String>> = BTreeMap::new();
    let mut sums = BTreeMap::from(SUMS.map(|name| (name, 0)));
    for line in truth.lines() {
        let result: Value = serde_json::from_str(line).unwrap();
        let say = |key: &str| result[key].as_str().unwrap_or_default().to_owned();
        let (outcome, note) = (say("outcome"), say("note"));
        let refused = say("direction") == "inbound" && outcome != "discarded";
        let other = matches!(outcome.as_str(), "attempt" | "probe" | "rejected" | "warned" | "held");
        // What has no sender is another line of a result that has one.
        if refused || other || result["hop"] == true || result["sender"].is_null() {
            continue;
        }
        // Thrown away before it had a queue id: no message of this server.
        if outcome == "discarded"
            && result["direction"] == "inbound"
            && say("stage") == "RCPT TO"
            && !in_log(log, &say("sender"))
            && !ends_as_discarded(log, &say("sender"))
        {
            continue;
        }
        let outcome = if note.starts_with("-N") { "discarded".to_owned() } else { outcome };
        // Bounces have one sender, and are told by whom they go to.
        let notice = say("sender").is_empty();
        let to = if notice { say("recipient") + &note } else { String::new() };
        for number in 0..result["count"].as_u64().filter(|_| notice).unwrap_or(1) {
            messages.entry((say("sender"), to.clone(), number)).or_default().insert(outcome.clone());
        }
    }
    for sender in queued.iter().filter(|sender| !sender.is_empty()) {
        messages.entry((sender.clone(), String::new(), 0)).or_default();
    }
    for ((sender, to, _), outcomes) in messages {
        let null_from_a_client = to.ends_with("a message with the null sender");
        let written_here = sender.is_empty() && !null_from_a_client;
        *sums.get_mut(if written_here { "notices" } else { "received" }).unwrap() += 1;
        let has = |outcome: &&str| outcomes.contains(*outcome);
        let waits = queued.contains(&sender) && (!sender.is_empty() || to.contains("then frozen"));
        let fate = ["expired", "bounced", "delivered", "discarded"].into_iter().find(has);
        match fate.filter(|_| !waits) {
            Some(fate) => *sums.get_mut(fate).unwrap() += 1,
            None if waits => {}
            // Given up by hand: its bounce is the only result.
            None => *sums.get_mut("bounced").unwrap() += 1,
        }
    }
    Some(sums)
}

fn in_log(log: &Path, sender: &str) -> bool {
    let text = fs::read_to_string(log).unwrap();
    text.lines().any(|line| line.contains(&format!("from=<{sender}>, size=")))
}

/// Since 3.10 Postfix gives an id to a message whose recipients were all discarded, and logs its end a few lines later.
fn ends_as_discarded(log: &Path, sender: &str) -> bool {
    let text = fs::read_to_string(log).unwrap();
    let is_start =
        |line: &&str| line.contains("NOQUEUE: discard: ") && line.contains(&format!("from=<{sender}> "));
    let mut lines = text.lines().skip_while(|line| !is_start(line)).take(5);
    lines.any(|line| line.ends_with(": removed (discarded)"))
}

/// The senders in the server's own listing of its queue.
fn queued_senders(log: &Path) -> Option<Vec<String>> {
    if let Ok(text) = fs::read_to_string(log.with_extension("queue.json")) {
        let sender =
            |line: &str| serde_json::from_str::<Value>(line).unwrap()["sender"].as_str().unwrap().to_owned();
        // Postfix' name for the null sender.
        let sender = |line| sender(line).replace("MAILER-DAEMON", "");
        return Some(text.lines().filter(|line| !line.trim().is_empty()).map(sender).collect());
    }
    let text = fs::read_to_string(log.with_extension("queue.txt")).ok()?;
    let heads = text.lines().filter_map(|line| line.split_whitespace().nth(3)?.strip_prefix('<'));
    Some(heads.map(|sender| sender.trim_end_matches('>').to_owned()).collect())
}

#[test]
fn messages_of_a_recording_are_what_its_peers_know_of_them() {
    let (mut wrong, mut known) = (Vec::new(), 0);
    for log in support::logs().into_iter().filter(|log| is_modelled(log)) {
        let Some(wanted) = truth_of(&log) else { continue };
        let messages = support::report(&[log.to_str().unwrap()])["totals"]["messages"].clone();
        for field in ["received", "notices", "delivered", "bounced", "expired", "discarded"] {
            known += wanted[field];
            if messages[field] != wanted[field] {
                wrong.push(format!("{}: {field} {} for {}", log.display(), messages[field], wanted[field]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(known > 1000, "only {known} are known");
}

#[test]
fn generated_logs_give_what_the_generator_and_the_model_count() {
    let size = 2 << 20;
    let postfix = Spec::new(Mta::Postfix, size);
    let exim = Spec::new(Mta::Exim, size);
    let specs = [
        ("postfix", postfix.clone()),
        ("postfix, long ids", Spec { stamp: Form::Rfc3339, long_ids: true, seed: 7, ..postfix }),
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
        near(&["received", "notices"], wanted.received);
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
fn a_deferred_message_is_in_the_queue_until_it_is_delivered() {
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
fn says_how_long_deferred_mail_took() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    fs::write(&path, [CAME, QUEUED, SENT, DEFERRED, DEFERRED, SENT_LATER, REMOVED].join("\n")).unwrap();
    let messages = support::report(&[path.to_str().unwrap()])["totals"]["messages"].clone();
    let later = &messages["delivered_later"];
    assert_eq!(later[0]["reason"], "greylisted");
    assert_eq!(later[0]["recipients"], 1);
    // Two digits are kept.
    assert!((297..=303).contains(&later[0]["median_seconds"].as_u64().unwrap()), "{later}");
    assert_eq!(later[0]["median_seconds"], later[0]["p95_seconds"]);
}

const BACK: &str = "Nov 22 02:50:17 mx1 postfix/reinject/smtpd[8]: 5B1A20C4B7D: client=localhost[127.0.0.1]";
const BACK_QUEUED: &str = "Nov 22 02:50:17 mx1 postfix/qmgr[7]: 5B1A20C4B7D: from=<a@example.org>, size=4700, nrcpt=1 (queue active)";
const HANDED: &str = "Nov 22 02:50:17 mx1 postfix/smtp[7]: 3F1A20C4B7D: to=<b@example.com>, relay=127.0.0.1[127.0.0.1]:10024, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as 5B1A20C4B7D)";
const BACK_SENT: &str = "Nov 22 02:50:18 mx1 postfix/smtp[7]: 5B1A20C4B7D: to=<b@example.com>, relay=mx.example.com[192.0.2.9]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 Ok: queued as 77AA20C4B7D)";
const BACK_REMOVED: &str = "Nov 22 02:50:18 mx1 postfix/qmgr[7]: 5B1A20C4B7D: removed";

fn report_of(lines: &[&str], args: &[&str]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    fs::write(&path, lines.join("\n")).unwrap();
    support::report(&args.iter().chain([&path.to_str().unwrap()]).copied().collect::<Vec<_>>())
}

#[test]
fn hops_are_one_message_whichever_of_its_lines_comes_first() {
    let once = [CAME, BACK, BACK_QUEUED, HANDED, REMOVED, BACK_SENT, BACK_REMOVED];
    let mut late = vec![CAME, HANDED, REMOVED];
    late.extend(vec!["Nov 22 02:50:18 mx1 kernel: x"; 100]);
    late.extend([BACK, BACK_QUEUED, BACK_SENT, BACK_REMOVED]);
    for lines in [&once[..], &late] {
        for (field, wanted) in [("messages", 1), ("received", 1), ("delivered", 1), ("handed_on", 1)] {
            counts(lines, field, wanted);
        }
        let report = report_of(lines, &[]);
        assert_eq!(report["totals"]["hops"], 1);
        assert_eq!(report["totals"]["outbound"]["attempts"], 1);
        assert_eq!(report["relays"].as_array().unwrap().len(), 1, "{}", report["relays"]);
        assert_eq!(report["domains"][0]["delivered"], 1);
        let with = report_of(lines, &["--hops"]);
        // The filter is on this host.
        let attempts = ["outbound", "local"].map(|side| &with["totals"][side]["attempts"]);
        assert_eq!((&with["totals"]["hops"], attempts), (&json!(0), [&json!(1), &json!(1)]));
        assert_eq!(with["totals"]["messages"], report["totals"]["messages"]);
        let by = report_of(lines, &["--by", "sender"]);
        assert_eq!((&by["totals"]["hops"], &by["groups"]["rows"][0]["events"]), (&json!(1), &json!(1)));
    }
}

#[test]
fn a_filter_that_requeues_held_mail_makes_no_second_message() {
    let held = "Nov 22 02:50:16 mx1 postfix/cleanup[7]: 3F1A20C4B7D: hold: header Received: by mx1.example.org (Postfix) \
        id 3F1A20C4B7D from mx.example.org[192.0.2.1]; from=<a@example.org> to=<b@example.com> proto=ESMTP helo=<mx>";
    let requeued = "Nov 22 02:50:17 mx1 MailScanner[9]: Requeue: 3F1A20C4B7D.A12F3 to 5B1A20C4B7D";
    let found = "Nov 22 02:50:17 mx1 MailScanner[9]: New Batch: Scanning 1 messages, 2345 bytes";
    let lines = [CAME, held, found, requeued, BACK_QUEUED, BACK_SENT, BACK_REMOVED];
    for (field, wanted) in [("messages", 1), ("received", 1), ("delivered", 1), ("in_queue", 0)] {
        counts(&lines, field, wanted);
    }
    // The queue manager may be faster than the line that names both ids.
    let early = [CAME, held, BACK_QUEUED, requeued, BACK_SENT, BACK_REMOVED];
    counts(&early, "received", 1);
    counts(&[CAME, held, found], "held", 1);
}

#[test]
fn a_filter_that_takes_mail_under_its_own_id_makes_no_second_message() {
    let taken = HANDED.replace(
        "250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as 5B1A20C4B7D",
        "250 2.5.0 OK (1A2B3C4D5E6F7)",
    );
    let passed = "Nov 22 02:50:17 mx1 pmg-smtp-filter[9]: 1A2B3C4D5E6F7: accept mail to <b@example.com> (5B1A20C4B7D) (rule: x)";
    let lines = [CAME, BACK, BACK_QUEUED, passed, &taken, REMOVED, BACK_SENT, BACK_REMOVED];
    for (field, wanted) in [("messages", 1), ("received", 1), ("delivered", 1), ("handed_on", 1)] {
        counts(&lines, field, wanted);
    }
    // Put into a quarantine: no line passes it on.
    let kept = "Nov 22 02:50:17 mx1 pmg-smtp-filter[9]: 1A2B3C4D5E6F7: moved mail for <b@example.com> to spam quarantine";
    counts(&[CAME, kept, &taken, REMOVED], "delivered", 1);
    let blocked = taken.replace("250 2.5.0 OK (", "250 2.7.0 BLOCKED (");
    counts(&[CAME, &blocked, REMOVED], "discarded", 1);
}

#[test]
fn a_message_that_cleanup_removes_never_gets_into_the_queue() {
    let canceled = "Nov 22 02:50:17 mx1 postfix/cleanup[7]: 3F1A20C4B7D: removed (canceled)";
    let dropped = "Nov 22 02:50:17 mx1 postfix/cleanup[7]: 3F1A20C4B7D: removed (discarded)";
    let bounced = "Nov 22 02:50:17 mx1 postfix/cleanup[7]: 3F1A20C4B7D: to=<b@example.com>, relay=none, delay=0.1, \
        delays=0.1/0/0/0, dsn=5.4.0, status=bounced (too many hops)";
    let thrown = "Nov 22 02:50:17 mx1 postfix/cleanup[7]: 3F1A20C4B7D: discard: header Subject: x from \
        mx.example.org[192.0.2.1]; from=<a@example.org> to=<b@example.com> proto=ESMTP helo=<mx>";
    counts(&[CAME, canceled], "messages", 0);
    counts(&[CAME, dropped], "discarded", 1);
    counts(&[CAME, thrown, dropped], "discarded", 1);
    for lines in [&[CAME, bounced][..], &[CAME, bounced, dropped]] {
        counts(lines, "bounced", 1);
        counts(lines, "messages", 1);
    }
}

#[test]
fn a_hand_over_whose_message_is_in_no_log_is_a_delivery() {
    let lines = [CAME, HANDED, REMOVED];
    for (field, wanted) in [("messages", 1), ("received", 1), ("delivered", 1), ("handed_on", 0)] {
        counts(&lines, field, wanted);
    }
    let report = report_of(&lines, &[]);
    let totals = &report["totals"];
    assert_eq!((&totals["hops"], &totals["local"]["delivered"]), (&json!(0), &json!(1)));
    let by = report_of(&[CAME, QUEUED, HANDED, REMOVED], &["--by", "sender"]);
    assert_eq!(by["groups"]["rows"][0]["keys"]["sender"], "a@example.org");
}

#[test]
fn an_inner_relay_whose_log_is_read_too_is_a_hop() {
    let folder = tempfile::tempdir().unwrap();
    let relay = |line: &str| line.replace("127.0.0.1[127.0.0.1]:10024", "in.example.org[10.0.0.9]:25");
    let there = |line: &str| line.replace(" mx1 postfix", " in postfix");
    let (mx, inner) = (folder.path().join("mx"), folder.path().join("in"));
    fs::write(&mx, [CAME, &relay(HANDED), REMOVED].join("\n")).unwrap();
    fs::write(&inner, [BACK, BACK_QUEUED, BACK_SENT, BACK_REMOVED].map(there).join("\n")).unwrap();
    let [mx, inner] = [&mx, &inner].map(|path| path.to_str().unwrap());
    for files in [[mx, inner], [inner, mx]] {
        for threads in ["1", "2"] {
            let totals = support::report(&["-j", threads, files[0], files[1]])["totals"].clone();
            assert_eq!((&totals["messages"]["messages"], &totals["hops"]), (&json!(1), &json!(1)));
            assert_eq!(totals["outbound"]["attempts"], 1);
        }
    }
    let alone = support::report(&[mx])["totals"].clone();
    assert_eq!((&alone["messages"]["delivered"], &alone["hops"]), (&json!(1), &json!(0)));
}

#[test]
fn events_marks_hops_whose_message_stood_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let hops = |lines: &[&str]| {
        fs::write(&path, lines.join("\n")).unwrap();
        support::events(&path).iter().map(|event| event["hop"] == true).collect::<Vec<_>>()
    };
    assert_eq!(hops(&[CAME, BACK, HANDED, BACK_SENT]), [true, false]);
    assert_eq!(hops(&[CAME, HANDED, BACK, BACK_SENT]), [false, false]);
}

#[test]
fn too_many_that_wait_are_deliveries_and_a_note_says_so() {
    let inner = HANDED.replace("127.0.0.1[127.0.0.1]:10024", "in.example.org[10.0.0.9]:25");
    let line = |number: u64| inner.replace("5B1A20C4B7D", &format!("{:010X}", 0x77_0000_0000 + number));
    let mut lines: Vec<String> = (0..80_000).map(line).collect();
    lines.push(HANDED.to_owned());
    lines.push(BACK.to_owned());
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let report = report_of(&lines, &[]);
    let totals = &report["totals"];
    assert_eq!((&totals["hops"], &totals["outbound"]["delivered"]), (&json!(1), &json!(80_000)));
    let notes = report["notes"].to_string();
    assert!(notes.contains("not found in time"), "{notes}");
    // One message with so many recipients, all of them handed to who is not read.
    assert_eq!(totals["messages"]["delivered"], 1);
}

#[test]
fn a_forwarded_message_is_counted_where_it_goes() {
    let forwarded = "Nov 22 02:50:17 mx1 postfix/local[7]: 3F1A20C4B7D: to=<b@example.org>, orig_to=<c@example.org>, relay=local, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (forwarded as 5B1A20C4B7D)";
    let named = "Nov 22 02:50:17 mx1 postfix/cleanup[8]: 5B1A20C4B7D: message-id=<1@example.org>";
    let lines = [CAME, named, forwarded, BACK_QUEUED, REMOVED, BACK_SENT, BACK_REMOVED];
    for (field, wanted) in [("messages", 1), ("received", 1), ("handed_on", 1), ("notices", 0)] {
        counts(&lines, field, wanted);
    }
    assert_eq!(report_of(&lines, &[])["totals"]["local"]["attempts"], 0);
    // Exim's aliases are no other message.
    let exim = [
        "2026-11-22 02:50:16 1xUxgC-000022-1C <= a@example.org H=mx [192.0.2.1] P=esmtp S=9",
        "2026-11-22 02:50:17 1xUxgC-000022-1C => d@example.com <c@example.org> R=dnslookup T=remote_smtp H=mx.example.com [192.0.2.9] C=\"250 OK id=1xUxgD-000023-2D\"",
        "2026-11-22 02:50:17 1xUxgC-000022-1C -> e@example.com <c@example.org> R=dnslookup T=remote_smtp H=mx.example.com [192.0.2.9] C=\"250 OK id=1xUxgD-000023-2D\"",
        "2026-11-22 02:50:17 1xUxgC-000022-1C Completed",
    ];
    counts(&exim, "messages", 1);
    counts(&exim, "handed_on", 0);
}

#[test]
fn what_this_server_wrote_itself_was_not_received() {
    let postfix = [
        "Nov 22 02:50:17 mx1 postfix/cleanup[8]: 6C1A20C4B7D: message-id=<1@mx1.example.org>",
        "Nov 22 02:50:17 mx1 postfix/qmgr[7]: 6C1A20C4B7D: from=<>, size=4700, nrcpt=1 (queue active)",
        "Nov 22 02:50:17 mx1 postfix/bounce[7]: 3F1A20C4B7D: sender non-delivery notification: 6C1A20C4B7D",
        "Nov 22 02:50:18 mx1 postfix/smtp[7]: 6C1A20C4B7D: to=<a@example.org>, relay=mx.example.org[192.0.2.1]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 Ok)",
        "Nov 22 02:50:18 mx1 postfix/qmgr[7]: 6C1A20C4B7D: removed",
    ];
    let exim = [
        "2026-11-22 02:50:16 1xUxgC-000022-1C <= <> R=1xUxgB-000021-0B U=Debian-exim P=local S=9",
        "2026-11-22 02:50:17 1xUxgC-000022-1C => a@example.org R=dnslookup T=remote_smtp H=mx.example.org [192.0.2.1] C=\"250 OK\"",
        "2026-11-22 02:50:17 1xUxgC-000022-1C Completed",
    ];
    // The daemons' lines may change places.
    let [named, queued, notice, sent, removed] = postfix;
    for lines in [&postfix[..], &[named, queued, sent, removed, notice], &exim, &exim[..1]] {
        counts(lines, "notices", 1);
        counts(lines, "messages", 1);
        counts(lines, "received", 0);
    }
    // To a postmaster, from an address.
    let double = queued.replace("<>", "<double-bounce@mx1.example.org>");
    counts(&[named, &notice.replace("sender", "postmaster"), &double, sent, removed], "notices", 1);
    // Another server's bounce came from outside.
    let client = "Nov 22 02:50:17 mx1 postfix/smtpd[8]: 6C1A20C4B7D: client=mx.example.org[192.0.2.1]";
    counts(&[client, named, queued, sent, removed], "received", 1);
}

#[test]
fn sendmails_messages_are_followed_too() {
    let came = "Nov 22 03:04:05 mx1 sm-mta[9]: h6RDLNtg011461: from=<a@example.org>, size=550, class=0, nrcpts=3, msgid=<1@example.org>, proto=ESMTP, daemon=MTA, relay=mx.example.org [192.0.2.1]";
    let sent = "Nov 22 03:04:06 mx1 sm-mta[10]: h6RDLNtg011461: to=<b@example.com>,<c@example.com>, delay=00:00:01, mailer=esmtp, pri=1, relay=mx.example.com. [192.0.2.9], dsn=2.0.0, stat=Sent (Ok)";
    let unknown = "Nov 22 03:04:06 mx1 sm-mta[10]: h6RDLNtg011461: to=<d@example.com>, delay=00:00:01, mailer=esmtp, pri=1, relay=mx.example.com. [192.0.2.9], dsn=5.1.1, stat=User unknown";
    let busy = "Nov 22 03:04:06 mx1 sm-mta[10]: h6RDLNtg011461: to=<d@example.com>, delay=00:00:01, mailer=esmtp, pri=1, relay=mx.example.com. [192.0.2.9], dsn=4.0.0, stat=Deferred: Connection refused by mx.example.com.";
    let notice = "Nov 22 03:04:06 mx1 sm-mta[10]: h6RDLNtg011461: h6RDLOtg011462: DSN: User unknown";
    counts(&[came, sent], "waiting", 1);
    counts(&[came, sent, busy], "deferred", 1);
    counts(&[came, sent, unknown], "bounced", 1);
    counts(&[came, sent, unknown, notice], "notices", 1);
    counts(&[came, sent, unknown, notice], "received", 1);
}

#[test]
fn opensmtpds_messages_are_followed_too() {
    let came = "Nov 22 03:04:05 mx1 smtpd[9]: 8f4864084ecc48f4 smtp message msgid=7077717e size=407 nrcpt=2 proto=ESMTP";
    let result = |evpid: &str, result: &str, stat: &str| {
        format!(
            "Nov 22 03:04:06 mx1 smtpd[9]: 8f4864084ecc48f5 mta delivery evpid={evpid} from=<a@example.org> to=<{evpid}@example.com> rcpt=<-> source=\"192.0.2.1\" relay=\"192.0.2.9 (mx.example.com)\" delay=1s result=\"{result}\" stat=\"{stat}\""
        )
    };
    let one = result("7077717e797a776e", "Ok", "250 2.0.0 Ok");
    let busy = result("7077717e797a776f", "TempFail", "421 busy");
    let other = result("7077717e797a776f", "PermFail", "550 no");
    counts(&[came, &one], "waiting", 1);
    counts(&[came, &one, &busy], "deferred", 1);
    counts(&[came, &one, &busy, &other], "bounced", 1);
    counts(&[came, &one, &busy, &other], "received", 1);
}

#[test]
fn a_filter_leaves_the_messages_that_have_an_event_it_admits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let other = SENT.replace("3F1A20C4B7D", "4F1A20C4B7D").replace("b@example.com", "d@example.net");
    fs::write(&path, [CAME, QUEUED, SENT, DEFERRED, &other].join("\n")).unwrap();
    let count = |args: &[&str], field: &str| {
        let args: Vec<&str> = args.iter().chain([&path.to_str().unwrap()]).copied().collect();
        support::report(&args)["totals"]["messages"][field].clone()
    };
    assert_eq!(count(&[], "messages"), 2);
    assert_eq!(count(&["--domain", "example.net"], "messages"), 1);
    assert_eq!(count(&["--outcome", "deferred"], "deferred"), 1);
    assert_eq!(count(&["--domain", "example.org"], "messages"), 0);
}
