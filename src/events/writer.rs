//! Lists events: each thread formats those of its blocks, and the writer adds what only the order of the blocks tells, the
//! line numbers and what other lines say of the message.

use std::io::Write;
use std::ops::Range;

use serde::Serialize;

use super::format::EventsFormat;
use crate::catalog::classify::Reason;
use crate::cli::error::CliError;
use crate::input::read::HeapSize;
use crate::messages::context::MetadataTable;
use crate::messages::hop;
use crate::messages::key::KeyHasher;
use crate::messages::metadata::MessageMetadata;
use crate::messages::recent_ids::{IdHash, IdWindow};
use crate::messages::transition::Transition;
use crate::parse::log_text::LogText;
use crate::pipeline::filter::Filter;
use crate::pipeline::sink::{EventSink, LoggedEvent, LoggedQueueRecord};
use crate::redact::Redactor;
use crate::render::csv;
use crate::render::sanitize::printable_json;
use crate::render::text::event;
use crate::report::event::{Record, RecordContext};
use crate::smtp::event::{Direction, Event, Mta, Outcome, Stage};
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
    Fact { key: u64, id: IdHash, act: Transition, said: Box<MessageMetadata> },
    Event(PendingEvent),
}

/// What the line of an event says.
struct PendingEvent {
    line_in_block: u64,
    formatted: Formatted,
    /// Whether the filter admits its sender. `None`: its line names none.
    admitted: Option<bool>,
    /// The key of the message, and a hash of the queue id alone. `None`: the event has no queue id.
    key: Option<(u64, IdHash)>,
    /// The queue id under which the message may continue.
    copy: Option<IdHash>,
    /// A hash. `None`: the event is not a delivery attempt.
    recipient: Option<u64>,
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
        let event = told.event;
        self.page.notes.push(ListingNote::Event(PendingEvent {
            line_in_block: told.line_in_block,
            formatted,
            admitted: event.sender.map(|sender| self.filter.admits_sender(Some(sender))),
            key: event.queue_id.map(|id| self.keys.key_and_id(event.mta, told.line, id)),
            copy: hop::named(event, told.line.host).map(|id| self.keys.id(id)),
            recipient: is_attempt(event).then(|| self.keys.recipient(event.recipient)),
        }));
    }
}

impl EventSink for ListingSink<'_> {
    type BlockOutput = BlockListing;

    fn event(&mut self, told: &LoggedEvent) {
        let mut record = Record::new(told);
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
        let fact = noted.record;
        let said = Box::new(MessageMetadata::of(fact));
        self.page.facts += said.held();
        let (key, id) = self.keys.key_and_id(fact.mta, noted.line, fact.queue_id);
        self.page.notes.push(ListingNote::Fact { key, id, act: Transition::of_fact(fact), said });
    }

    fn end_of_block(&mut self, file: usize, lines: u64) -> BlockListing {
        BlockListing { file, lines, ..std::mem::take(&mut self.page) }
    }
}

/// Whether the event is a delivery attempt for a recipient, or its end.
fn is_attempt(event: &Event) -> bool {
    let tried = match event.outcome {
        Outcome::Delivered | Outcome::Deferred | Outcome::Bounced | Outcome::Expired => true,
        Outcome::Rejected
        | Outcome::Attempt
        | Outcome::Warned
        | Outcome::Held
        | Outcome::Discarded
        | Outcome::Probe => false,
    };
    tried && event.queue_id.is_some() && event.recipient.is_some()
}

/// Writes pages in their order.
pub(crate) struct EventWriter<'a> {
    format: EventsFormat,
    filter: &'a Filter,
    pub contexts: MetadataTable,
    before: IdWindow,
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
            contexts: MetadataTable::default(),
            before: IdWindow::default(),
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
    ) -> Result<(), CliError> {
        if page.file != self.file {
            (self.file, self.lines) = (page.file, 0);
        }
        for note in page.notes {
            match note {
                ListingNote::Fact { key, id, act, said } => {
                    self.before.add(id);
                    self.contexts.fact(key, act, *said);
                }
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

    /// Takes note of the event's queue id and, if it is an attempt, counts it.
    fn attempt_no(&mut self, written: &PendingEvent) -> Option<u32> {
        let (key, id) = written.key?;
        self.before.add(id);
        self.contexts.attempt(key, written.recipient?)
    }

    fn event(
        &mut self,
        written: &PendingEvent,
        (front, back): (&[u8], &[u8]),
        (name, lines): (&str, u64),
        out: &mut dyn Write,
    ) -> Result<(), CliError> {
        let attempt_no = self.attempt_no(written);
        if front.is_empty() {
            return Ok(());
        }
        let known = written.key.and_then(|(key, _)| self.contexts.known(key));
        let sender = known.and_then(|known| known.sender.as_deref());
        let admitted = || self.filter.admits_sender(sender.map(str::as_bytes));
        if !written.admitted.unwrap_or_else(admitted) {
            self.left_out += 1;
            return Ok(());
        }
        let number = lines + written.line_in_block + 1;
        let hop = written.copy.is_some_and(|copy| self.before.holds(copy));
        let mut context = context(known, attempt_no, hop);
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
        Ok(out.write_all(shown.as_deref().map_or(line.as_slice(), str::as_bytes))?)
    }
}

/// What other lines say of the message of an event.
fn context(known: Option<&MessageMetadata>, attempt_no: Option<u32>, hop: bool) -> RecordContext {
    let owned = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
    RecordContext {
        size: known.and_then(|known| known.size),
        client: known.and_then(|known| owned(&known.client)),
        user: known.and_then(|known| owned(&known.user)),
        message_id: known.and_then(|known| owned(&known.message_id)),
        attempt_no,
        hop,
    }
}
