//! Defines the note that is kept of one line about a message, and the story step of an event.

use super::query::TraceQuery;
use crate::catalog::classify::Classification;
use crate::catalog::{Catalog, Situation, advise};
use crate::messages::metadata::MessageMetadata;
use crate::parse::header::LogLine;
use crate::parse::log_text::LogText;
use crate::parse::mta;
use crate::parse::mta::queue_record::QueueStep;
use crate::parse::mta::related_id::Relation;
use crate::parse::timestamp::LogTime;
use crate::pipeline::sink::LineOffset;
use crate::report::trace::{StepKind, StoryStep};
use crate::smtp::event::Event;

/// A line about a wanted message.
pub(crate) struct MessageNote {
    pub moment: Option<LogTime>,
    pub place: LineOffset,
    pub kind: NoteKind,
    /// The other queue id that the line names, and how its message is related.
    pub related: Option<(Relation, String)>,
    /// The line matches the query.
    pub matches: bool,
    /// The line as it stands in the file. Empty: lines are not wanted.
    pub raw: Vec<u8>,
    /// A hash of the process that wrote the line, if the lines of its session are wanted.
    pub process: Option<u64>,
    /// The lines with which that session begins and ends.
    pub session: Vec<(Option<LogTime>, LineOffset, Vec<u8>)>,
}

pub(crate) enum NoteKind {
    /// An event, and the sender that its line names.
    Event {
        step: Box<StoryStep>,
        sender: Option<String>,
        /// The filter admits it, the sender aside.
        admitted: bool,
    },
    QueueRecord {
        step: QueueStep,
        metadata: Box<MessageMetadata>,
    },
    /// A notification was sent.
    Notice(Box<StoryStep>),
    /// The line says nothing about the message's course.
    Routine,
}

impl MessageNote {
    /// The note of another program's line that begins with the queue id of the message.
    pub(crate) fn of_unowned((moment, place, raw): (Option<LogTime>, LineOffset, Vec<u8>)) -> Self {
        let (kind, session) = (NoteKind::Routine, Vec::new());
        Self { moment, place, kind, related: None, matches: false, raw, process: None, session }
    }

    /// The memory that it takes, in bytes.
    pub(crate) fn held_bytes(&self) -> usize {
        let kind = match &self.kind {
            NoteKind::Event { step, .. } | NoteKind::Notice(step) => {
                size_of::<StoryStep>() + step.text.len() + step.recipient.as_ref().map_or(0, String::len)
            }
            NoteKind::QueueRecord { metadata, .. } => metadata.held_bytes(),
            NoteKind::Routine => 0,
        };
        size_of::<Self>() + kind + self.raw.capacity()
    }
}

/// The step of an event. `words` is the text of the line after the queue id.
pub(crate) fn step(
    event: &Event,
    classification: Option<Classification>,
    moment: Option<LogTime>,
    words: &[u8],
    (query, catalog): (&TraceQuery, &Catalog),
) -> StoryStep {
    let situation = classification.map(|found| Situation::of_event(event, &found, true, &catalog.providers));
    StoryStep {
        time: moment.and_then(LogTime::rfc3339),
        what: StepKind::of(event.outcome),
        recipient: event.recipient.map(LogText::string),
        original: mta::original_recipient(event.mta, words)
            .filter(|original| {
                event.recipient.is_none_or(|recipient| !recipient.eq_ignore_ascii_case(original))
            })
            .map(LogText::string),
        peer_host: event.peer.host.map(LogText::string),
        peer_ip: event.peer.ip.map(LogText::string),
        peer_port: event.peer.port,
        code: event.code,
        enhanced: event.enhanced,
        stage: event.stage,
        reason: classification.map(|classification| classification.reason),
        title: None,
        advice: situation.and_then(|situation| advise(&situation, Some(event.mta))).map(|advice| advice.line),
        asked: query.is_recipient(event, words),
        text: LogText(event.text).into(),
        count: 1,
        next: None,
    }
}

/// A step without an event, so that most fields are empty.
pub(crate) fn bare(what: StepKind, moment: Option<LogTime>, next: Option<String>) -> StoryStep {
    StoryStep {
        time: moment.and_then(LogTime::rfc3339),
        what,
        recipient: None,
        original: None,
        peer_host: None,
        peer_ip: None,
        peer_port: None,
        code: None,
        enhanced: None,
        stage: None,
        reason: None,
        title: None,
        advice: None,
        asked: false,
        text: String::new(),
        count: 1,
        next,
    }
}

/// The id of the process that wrote the line: `postfix/smtpd[1265]:`, RFC 5424's PROCID, or Exim's `[3223]` with
/// log_selector +pid.
pub(crate) fn pid<'a>(line: &LogLine, raw: &'a [u8]) -> Option<&'a [u8]> {
    let digits = |rest: &'a [u8], end: u8| {
        let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        rest.get(..length).filter(|digits| !digits.is_empty() && rest.get(length) == Some(&end))
    };
    if line.program.is_empty() {
        let start = raw.len().checked_sub(line.text.len())?;
        return digits(raw.get(start..)?.strip_prefix(b"[")?, b']');
    }
    let after = |at: usize| {
        let rest = raw.get(at + line.program.len()..)?;
        let bracket = rest.strip_prefix(b"[").and_then(|rest| digits(rest, b']'));
        bracket.or_else(|| digits(rest.strip_prefix(b" ")?, b' '))
    };
    memchr::memmem::find_iter(raw, line.program).find_map(after)
}

#[cfg(test)]
#[test]
fn finds_the_process() {
    for (raw, wanted) in [
        ("Nov 22 02:50:16 mx1 postfix/smtpd[1265]: connect from a[192.0.2.1]", Some("1265")),
        ("2026-11-22 05:36:08.869 [3223] H=a [192.0.2.1] x", Some("3223")),
        ("<22>1 2026-11-22T02:40:41Z mx1 a/smtpd 19 - - x", Some("19")),
        ("Nov 22 02:50:16 exim1 exim[7]: x", Some("7")),
        ("2026-11-22 05:36:08 H=a [192.0.2.1] x", None),
        ("Nov 22 02:50:16 mx1 postfix/smtpd: [12] x", None),
    ] {
        let line = LogLine::read(raw.as_bytes());
        assert_eq!(pid(&line, raw.as_bytes()).map(LogText::string).as_deref(), wanted, "{raw}");
    }
}
