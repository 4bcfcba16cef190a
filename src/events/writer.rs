//! Lists events: each thread formats those of its blocks, and the writer adds what only the order of the blocks tells, the
//! line numbers and what other lines say of the message.

use std::io::{self, Write};
use std::ops::Range;

use serde::Serialize;

use super::context::{MessageContexts, MessageFact, MessageLink, is_attempt};
use super::format::EventsFormat;
use super::record::record;
use crate::catalog::classify::Reason;
use crate::input::read::HeapSize;
use crate::messages::key::KeyHasher;
use crate::parse::log_text::LogText;
use crate::pipeline::filter::Filter;
use crate::pipeline::sink::{EventSink, LoggedEvent, LoggedQueueRecord};
use crate::redact::Redactor;
use crate::render::csv;
use crate::render::sanitize::printable_json;
use crate::render::text::event;
use crate::report::event::Record;
use crate::smtp::event::{Direction, Mta, Outcome, Stage};
use crate::smtp::reply::{Class, Code, EnhancedCode};

/// Formats the events of blocks; each thread has one.
pub(crate) struct ListingSink<'a> {
    format: EventsFormat,
    filter: &'a Filter,
    keys: KeyHasher,
    /// None: nothing is hidden.
    redactor: Option<Redactor>,
    page: BlockListing,
}

/// The formatted events of a block.
#[derive(Default)]
pub(crate) struct BlockListing {
    pub file: usize,
    pub lines: u64,
    /// The texts of the events, one after the other.
    text: Vec<u8>,
    /// In the order of the lines.
    notes: Vec<ListingNote>,
    facts: usize,
}

enum ListingNote {
    Fact(MessageFact),
    Event(PendingEvent),
}

/// What the line of an event says.
struct PendingEvent {
    line_in_block: u64,
    formatted: Formatted,
    /// Whether the filter admits its sender. `None`: its line names none.
    admitted: Option<bool>,
    link: MessageLink,
}

/// Where an event stands in the text of its page; the default is an event that is not printed.
#[derive(Clone, Default)]
struct Formatted {
    /// All of it, or the part before the sender if its line names none.
    front: Range<usize>,
    back: Range<usize>,
    lacks_sender: bool,
}

/// The fields of a record up to its sender, which is left out if the line names none.
#[derive(Serialize)]
struct FrontFields<'a> {
    time: &'a Option<String>,
    mta: Mta,
    host: &'a Option<String>,
    program: &'a Option<String>,
    instance: &'a Option<String>,
    queue_id: &'a Option<String>,
    direction: Direction,
    outcome: Outcome,
    code: Option<Code>,
    enhanced: Option<EnhancedCode>,
    dsn: Option<EnhancedCode>,
    class: Option<Class>,
    stage: Option<Stage>,
    reason: Option<Reason>,
    rule: &'a Option<String>,
    provider: &'a Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sender: &'a Option<String>,
}

/// The fields of a record behind its sender.
#[derive(Serialize)]
struct BackFields<'a> {
    recipient: &'a Option<String>,
    peer_host: &'a Option<String>,
    peer_ip: &'a Option<String>,
    peer_port: Option<u16>,
    suspended: bool,
    text: &'a str,
}

fn halves(record: &Record) -> (FrontFields<'_>, BackFields<'_>) {
    let Record {
        time,
        mta,
        host,
        program,
        instance,
        queue_id,
        direction,
        outcome,
        code,
        enhanced,
        dsn,
        class,
        stage,
        reason,
        rule,
        provider,
        sender,
        recipient,
        peer_host,
        peer_ip,
        peer_port,
        suspended,
        text,
    } = record;
    let front = FrontFields {
        time,
        mta: *mta,
        host,
        program,
        instance,
        queue_id,
        direction: *direction,
        outcome: *outcome,
        code: *code,
        enhanced: *enhanced,
        dsn: *dsn,
        class: *class,
        stage: *stage,
        reason: *reason,
        rule,
        provider,
        sender,
    };
    let (peer_port, suspended) = (*peer_port, *suspended);
    (front, BackFields { recipient, peer_host, peer_ip, peer_port, suspended, text })
}

/// Appends an object as JSON, and tells where its fields stand, without the braces around them.
fn push_fields(text: &mut Vec<u8>, object: &impl Serialize) -> Range<usize> {
    let start = text.len();
    serde_json::to_writer(&mut *text, object).expect("plain data, memory takes it");
    start + 1..text.len() - 1
}

impl HeapSize for BlockListing {
    fn held_bytes(&self) -> usize {
        self.text.capacity() + self.notes.capacity() * size_of::<ListingNote>() + self.facts
    }
}

impl<'a> ListingSink<'a> {
    pub(crate) fn new(
        format: EventsFormat,
        filter: &'a Filter,
        keys: KeyHasher,
        redactor: Option<Redactor>,
    ) -> Self {
        Self { format, filter, keys, redactor, page: BlockListing::default() }
    }

    fn note(&mut self, told: &LoggedEvent, formatted: Formatted) {
        let sender = told.event.sender;
        self.page.notes.push(ListingNote::Event(PendingEvent {
            line_in_block: told.line_in_block,
            formatted,
            admitted: sender.map(|sender| self.filter.admits_sender(Some(sender))),
            link: MessageLink::of(told, &mut self.keys),
        }));
    }
}

impl EventSink for ListingSink<'_> {
    type BlockOutput = BlockListing;

    fn event(&mut self, told: &LoggedEvent) {
        let mut record = record(told);
        if let Some(redactor) = self.redactor {
            redactor.record(&mut record, &LogText(told.raw).to_str());
        }
        let text = &mut self.page.text;
        let start = text.len();
        let lacks_sender = record.sender.is_none();
        let formatted = match self.format {
            EventsFormat::Ndjson => {
                let (front, back) = halves(&record);
                let (front, back) = (push_fields(text, &front), push_fields(text, &back));
                Formatted { front, back, lacks_sender }
            }
            EventsFormat::Text => {
                text.extend_from_slice(event::show(&record).as_bytes());
                Formatted { front: start..text.len(), back: 0..0, lacks_sender: false }
            }
            EventsFormat::Csv => {
                let (event, sender) = csv::event(&record);
                text.extend_from_slice(event.as_bytes());
                Formatted { front: start..start + sender, back: start + sender..text.len(), lacks_sender }
            }
        };
        self.note(told, formatted);
    }

    fn filtered_out(&mut self, told: &LoggedEvent) {
        // A retry counts, printed or not.
        if is_attempt(told.event) {
            self.note(told, Formatted::default());
        }
    }

    fn queue_record(&mut self, noted: &LoggedQueueRecord) {
        let fact = MessageFact::of(noted, &mut self.keys);
        self.page.facts += fact.held_bytes();
        self.page.notes.push(ListingNote::Fact(fact));
    }

    fn end_of_block(&mut self, file: usize, lines: u64) -> BlockListing {
        BlockListing { file, lines, ..std::mem::take(&mut self.page) }
    }
}

/// Writes pages in their order.
pub(crate) struct EventWriter<'a> {
    format: EventsFormat,
    filter: &'a Filter,
    pub contexts: MessageContexts,
    /// Events whose sender the filter does not admit.
    pub left_out: u64,
    /// None: nothing is hidden.
    redactor: Option<Redactor>,
    /// The file of the last page, and its lines so far.
    file: usize,
    lines: u64,
    /// Kept to be filled again for each event.
    line: Vec<u8>,
    context: Vec<u8>,
}

impl<'a> EventWriter<'a> {
    pub(crate) fn new(format: EventsFormat, filter: &'a Filter, redactor: Option<Redactor>) -> Self {
        Self {
            format,
            filter,
            contexts: MessageContexts::default(),
            left_out: 0,
            redactor,
            file: 0,
            lines: 0,
            line: Vec::new(),
            context: Vec::new(),
        }
    }

    /// `name` is the page's file; `before` is the number of its lines before the first one that was read.
    pub(crate) fn write(
        &mut self,
        page: BlockListing,
        name: &str,
        before: u64,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        if page.file != self.file {
            (self.file, self.lines) = (page.file, 0);
        }
        for note in page.notes {
            match note {
                ListingNote::Fact(fact) => self.contexts.fact(fact),
                ListingNote::Event(written) => {
                    let Formatted { front, back, .. } = &written.formatted;
                    let text = |part: &Range<usize>| page.text.get(part.clone()).unwrap_or_default();
                    self.event(&written, (text(front), text(back)), (name, before + self.lines), out)?;
                }
            }
        }
        self.lines += page.lines;
        Ok(())
    }

    fn event(
        &mut self,
        written: &PendingEvent,
        (front, back): (&[u8], &[u8]),
        (name, lines): (&str, u64),
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let attempt_no = self.contexts.attempt_no(&written.link);
        if front.is_empty() {
            return Ok(());
        }
        let known = self.contexts.known(&written.link);
        let sender = known.and_then(|known| known.sender.as_deref());
        let admitted = || self.filter.admits_sender(sender.map(str::as_bytes));
        if !written.admitted.unwrap_or_else(admitted) {
            self.left_out += 1;
            return Ok(());
        }
        let number = lines + written.line_in_block + 1;
        let mut context = self.contexts.context(&written.link, attempt_no);
        let hidden = self.redactor.zip(sender).map(|(redactor, sender)| redactor.address(sender));
        let sender = hidden.as_deref().or(sender).filter(|_| written.formatted.lacks_sender);
        if let Some(redactor) = self.redactor {
            redactor.context(&mut context);
        }
        let line = &mut self.line;
        line.clear();
        match self.format {
            EventsFormat::Ndjson => {
                let file = serde_json::Value::from(name);
                write!(line, "{{\"file\":{file},\"line\":{number},")?;
                line.extend_from_slice(front);
                if written.formatted.lacks_sender {
                    line.extend_from_slice(b",\"sender\":");
                    serde_json::to_writer(&mut *line, &sender).expect("memory takes it");
                }
                self.context.clear();
                let context = push_fields(&mut self.context, &context);
                for part in [back, self.context.get(context).unwrap_or_default()] {
                    line.push(b',');
                    line.extend_from_slice(part);
                }
                line.push(b'}');
            }
            EventsFormat::Text => line.extend_from_slice(front),
            EventsFormat::Csv => {
                line.extend_from_slice(csv::place(name, number).as_bytes());
                line.extend_from_slice(front);
                line.extend_from_slice(sender.map(csv::sender).unwrap_or_default().as_bytes());
                line.extend_from_slice(back);
                line.extend_from_slice(csv::context(&context).as_bytes());
            }
        }
        line.push(b'\n');
        let json = std::str::from_utf8(line).ok().filter(|_| self.format == EventsFormat::Ndjson);
        let shown = json.and_then(printable_json);
        out.write_all(shown.as_deref().map_or(line.as_slice(), str::as_bytes))
    }
}
