//! Renders the stories of messages as text: the sender, each delivery attempt, and the state.

use std::collections::HashSet;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use indicatif::{DecimalBytes, HumanCount};

use super::page::{TextPage, TextStyle, pad};
use crate::render::sanitize::printable;
use crate::render::words::duration::duration;
use crate::render::words::fault::counted;
use crate::report::trace::{StepKind, Story, StoryHop, StoryKind, StoryState, StoryStep, Trace};

/// Width in columns of the longest word of a step.
/// What is said about the messages of a trace that are not shown: about one, and about several.
const EARLIER: [&str; 2] =
    ["earlier one is not shown; -n 0 shows all", "earlier ones are not shown; -n 0 shows all"];

const STEP: usize = 10;
/// Width in columns of the longest label.
const LABEL: usize = 6;

pub(crate) fn show(trace: &Trace, style: &TextStyle) -> String {
    let mut page = TextPage { text: String::new(), style };
    let earlier = trace.found - trace.stories.len() as u64;
    if earlier > 0 {
        page.indented(&counted(earlier, EARLIER, &page.style.words), 2);
    }
    summary(&mut page, trace);
    for story in &trace.stories {
        page.blank();
        show_story(&mut page, story);
    }
    if !trace.notes.is_empty() {
        page.blank();
    }
    for note in &trace.notes {
        page.indented(&printable(note), 2);
    }
    page.text
}

/// Writes the log lines of each message as they are in the logs, with a blank line between two messages.
///
/// `escaped`: control characters are escaped, because the lines go to a terminal, which would obey them.
pub(crate) fn show_lines(messages: &[Vec<Vec<u8>>], escaped: bool, out: &mut dyn Write) -> io::Result<()> {
    for (number, lines) in messages.iter().enumerate() {
        if number > 0 {
            out.write_all(b"\n")?;
        }
        for line in lines {
            if escaped {
                out.write_all(printable(&String::from_utf8_lossy(line)).as_bytes())?;
            } else {
                out.write_all(line)?;
            }
            out.write_all(b"\n")?;
        }
    }
    Ok(())
}

/// `3 messages: 1 delivered, 1 bounced, 1 waiting`, of the messages that are shown; nothing for a single one.
fn summary(page: &mut TextPage, trace: &Trace) {
    let of_kind = |kind: StoryKind| trace.stories.iter().filter(move |story| story.kind == kind);
    let states = STATES.map(|state| {
        (state, of_kind(StoryKind::Message).filter(|story| story.state == state).count() as u64)
    });
    let messages = of_kind(StoryKind::Message).count() as u64;
    let rejections: u64 = of_kind(StoryKind::Refusal).map(|story| story.count).sum();
    if trace.stories.len() < 2 {
        return;
    }
    let mut parts = Vec::new();
    if messages > 0 {
        parts.push(sum(page, messages, ["message", "messages"], &states));
    }
    if rejections > 0 {
        let words = page.say(if rejections == 1 { "rejected session" } else { "rejected sessions" });
        parts.push(format!("{} {words}", HumanCount(rejections)));
    }
    let line = parts.join("; ");
    page.indented(&line, 2);
}

/// The states in the order in which they are counted.
const STATES: [StoryState; 10] = [
    StoryState::Delivered,
    StoryState::Bounced,
    StoryState::Expired,
    StoryState::Rejected,
    StoryState::Discarded,
    StoryState::Deleted,
    StoryState::Queued,
    StoryState::Held,
    StoryState::HandedOn,
    StoryState::Unknown,
];

/// `14 recipients: 10 delivered, 3 bounced, 1 waiting`
fn sum(page: &TextPage, count: u64, [one, many]: [&'static str; 2], states: &[(StoryState, u64)]) -> String {
    let counted = states.iter().filter(|(_, count)| *count > 0);
    let counted = counted.map(|(state, count)| {
        let word = if *state == StoryState::Queued { "waiting" } else { state.word() };
        page.by_state(*state, &format!("{} {}", HumanCount(*count), page.say(word)))
    });
    let words = page.say(if count == 1 { one } else { many });
    format!("{} {words}: {}", HumanCount(count), counted.collect::<Vec<_>>().join(", "))
}

fn show_story(page: &mut TextPage, story: &Story) {
    let days = [&story.first, &story.last].map(|time| time.as_deref().and_then(|time| time.get(..10)));
    let times = TimeFormat { with_day: days[0] != days[1] };
    head(page, story);
    let count = story.recipients.iter().map(|counted| counted.count).sum();
    if count > 1 {
        let states: Vec<_> = story.recipients.iter().map(|counted| (counted.state, counted.count)).collect();
        let line = sum(page, count, ["recipient", "recipients"], &states);
        page.line(&format!("  {line}"));
    }
    let mut advised = HashSet::new();
    for (number, hop) in story.hops.iter().enumerate() {
        let before = number.checked_sub(1).and_then(|before| story.hops.get(before));
        if before.is_some() {
            title(page, hop, story);
        }
        origin(page, hop, before);
        let mut steps = folded(&hop.steps);
        // The recipient that was asked about comes first; the sort is stable, so all else stays in the order of time.
        steps.sort_by_key(|repeated| !repeated.step.asked);
        for repeated in steps {
            let advice =
                repeated.step.advice.as_deref().filter(|advice| advised.insert((*advice).to_owned()));
            step(page, &repeated, hop, &times);
            if let Some(advice) = advice {
                page.labelled(times.width() + 6, "", 0, advice);
            }
        }
    }
}

/// `2026-11-22 05:38:19  EB27EDC161  delivered, 1 s`
fn head(page: &mut TextPage, story: &Story) {
    let time = story.first.as_deref().map(day_and_time).unwrap_or_default();
    let id = story.hops.first().and_then(|hop| hop.queue_id.as_deref()).map(printable);
    let mut state = page.say(story.state.word()).to_owned();
    if story.count > 1 {
        let sign = times_sign(page.style);
        state = format!("{state} {sign} {}", HumanCount(story.count));
    }
    let seconds = story.seconds.filter(|&seconds| seconds > 0);
    let lasted = seconds.map(|seconds| format!("{state}, {}", duration(&page.style.words, seconds)));
    let state = lasted.unwrap_or(state);
    let state = page.by_state(story.state, &state);
    let parts: Vec<String> = [Some(time), id, Some(state)].into_iter().flatten().collect();
    page.line(&parts.join("  "));
}

/// `  F2A59DC171  on mx2  notification to the sender`
fn title(page: &mut TextPage, hop: &StoryHop, story: &Story) {
    let id = hop.queue_id.as_deref().map(printable).unwrap_or_default();
    let first = story.hops.first().and_then(|first| first.host.as_deref());
    let host = hop.host.as_deref().filter(|host| Some(*host) != first).map(printable);
    let notice = hop.notification.then(|| page.say("notification to the sender").to_owned());
    let parts: Vec<String> = [Some(id), host, notice].into_iter().flatten().collect();
    page.line(&format!("  {}", parts.join("  ")));
}

/// Sender, client, message-id and size, without what the hop before has shown already.
fn origin(page: &mut TextPage, hop: &StoryHop, before: Option<&StoryHop>) {
    let new = |of: fn(&StoryHop) -> Option<&str>| of(hop).filter(|own| before.and_then(of) != Some(*own));
    if let Some(sender) = new(|hop| hop.sender.as_deref()) {
        let sender = if sender.is_empty() { "<>" } else { sender };
        page.labelled(2, "from", LABEL, &printable(sender));
    }
    let client = match (hop.client_host.as_deref(), hop.client_ip.as_deref()) {
        (Some(host), Some(ip)) => Some(format!("{host} [{ip}]")),
        (Some(one), None) | (None, Some(one)) => Some(one.to_owned()),
        (None, None) => None,
    };
    let helo = hop.helo.as_deref().filter(|helo| Some(*helo) != hop.client_host.as_deref());
    let helo = helo.map(|helo| format!("helo {helo}"));
    let user = hop.user.as_deref().map(|user| format!("{} {user}", page.say("login")));
    let parts: Vec<String> = [client, helo, user].into_iter().flatten().collect();
    let same = |before: &StoryHop| before.client_ip == hop.client_ip && before.client_host == hop.client_host;
    if !parts.is_empty() && !before.is_some_and(same) {
        page.labelled(2, "client", LABEL, &printable(&parts.join(", ")));
    }
    let id = new(|hop| hop.message_id.as_deref()).map(|id| printable(&format!("<{id}>")));
    let size = hop.size.filter(|_| before.is_none()).map(|size| DecimalBytes(size).to_string());
    let parts: Vec<String> = [id, size].into_iter().flatten().collect();
    if !parts.is_empty() {
        page.labelled(2, "id", LABEL, &parts.join("  "));
    }
}

/// A step, how often it was repeated, and the last time.
struct Repeated<'s> {
    step: &'s StoryStep,
    count: u64,
    last: Option<&'s str>,
}

/// Joins equal steps of a message that waits, such as deferrals, into the first of them.
fn folded(steps: &[StoryStep]) -> Vec<Repeated<'_>> {
    let key = |step: &StoryStep| {
        let peer = step.peer_host.clone().or_else(|| step.peer_ip.clone());
        (step.what, step.recipient.clone(), step.code, step.enhanced, step.reason, step.stage, peer)
    };
    let mut repeated: Vec<Repeated> = Vec::new();
    for step in steps {
        let waits = matches!(
            step.what,
            StepKind::Deferred | StepKind::Attempt | StepKind::Held | StepKind::Rejected | StepKind::Warned
        );
        let known = repeated.iter_mut().filter(|_| waits).find(|known| key(known.step) == key(step));
        match known {
            Some(known) => {
                known.count += step.count;
                known.last = step.time.as_deref();
            }
            None => repeated.push(Repeated { step, count: step.count, last: None }),
        }
    }
    repeated
}

/// `  05:38:20  bounced    a@example.org`, and below it the reply and its meaning.
fn step(page: &mut TextPage, repeated: &Repeated, hop: &StoryHop, times: &TimeFormat) {
    let step = repeated.step;
    let time = step.time.as_deref().map(|time| times.show(time)).unwrap_or_default();
    let mut line = page.by_step(step.what, &pad(page.say(step.what.word()), STEP));
    let original = step.original.as_deref();
    for part in [step.recipient.as_deref(), original.map(|_| "<-"), original].into_iter().flatten() {
        line = format!("{line} {}", printable(part));
    }
    if let Some(next) = &step.next {
        line = format!("{line} -> {}", printable(next));
    }
    if repeated.count > 1 {
        line = format!("{line}  {} {}", times_sign(page.style), HumanCount(repeated.count));
        if let Some(last) = repeated.last {
            line = format!("{line}, {} {}", page.say("last"), times.show(last));
        }
    }
    page.line(&format!("  {}  {line}", pad(&time, times.width())));
    let indent = times.width() + 4;
    let peer = step.peer_host.as_deref().or(step.peer_ip.as_deref());
    let is_client = step.peer_ip.is_some() && step.peer_ip == hop.client_ip
        || step.peer_host.is_some() && step.peer_host == hop.client_host;
    let peer = peer.filter(|_| !is_client);
    let reply = match (peer, step.text.as_str()) {
        (Some(peer), "") => Some(peer.to_owned()),
        (Some(peer), text) => Some(format!("{peer}: {text}")),
        (None, "") => None,
        (None, text) => Some(text.to_owned()),
    };
    if let Some(reply) = reply {
        page.labelled(indent, "", 0, &reply);
    }
    if let Some(title) = &step.title {
        let arrow = if page.style.unicode { "→" } else { "->" };
        let title = format!("{arrow} {}", page.say(title));
        page.labelled(indent, "", 0, &title);
    }
}

impl TextPage<'_> {
    /// Red: the mail did not arrive and will not; yellow: it waits; green: it arrived.
    fn by_state(&self, state: StoryState, text: &str) -> String {
        let color = match state {
            StoryState::Bounced | StoryState::Expired | StoryState::Rejected => AnsiColor::Red,
            StoryState::Queued | StoryState::Held => AnsiColor::Yellow,
            StoryState::Delivered => AnsiColor::Green,
            StoryState::Discarded | StoryState::Deleted | StoryState::HandedOn | StoryState::Unknown => {
                return self.styled(Style::new().bold(), text);
            }
        };
        self.styled(color.on_default().bold(), text)
    }

    fn by_step(&self, what: StepKind, text: &str) -> String {
        let color = match what {
            StepKind::Delivered => AnsiColor::Green,
            StepKind::Bounced | StepKind::Expired | StepKind::Rejected => AnsiColor::Red,
            StepKind::Deferred | StepKind::Attempt | StepKind::Warned | StepKind::Held => AnsiColor::Yellow,
            StepKind::HandedOn
            | StepKind::Discarded
            | StepKind::Probe
            | StepKind::Released
            | StepKind::Deleted
            | StepKind::Requeued
            | StepKind::Notified => return text.to_owned(),
        };
        self.styled(color.on_default(), text)
    }
}

fn times_sign(style: &TextStyle) -> &'static str {
    if style.unicode { "×" } else { "x" }
}

/// How times are shown: `05:38:19`, or `11-22 05:38:19` in a story of several days.
struct TimeFormat {
    with_day: bool,
}

impl TimeFormat {
    fn show(&self, time: &str) -> String {
        let from = if self.with_day { 5 } else { 11 };
        time.get(from..19).unwrap_or(time).replace('T', " ")
    }

    fn width(&self) -> usize {
        if self.with_day { 14 } else { 8 }
    }
}

/// Date and time to the second; JSON has fractions and the zone.
fn day_and_time(time: &str) -> String {
    time.get(..19).unwrap_or(time).replace('T', " ")
}
