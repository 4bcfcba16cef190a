//! Formats the events of a block, without what only the order of the blocks can say.
//!
//! Each thread has one [`ListingSink`]. The line number, the sender that another line names, and the context of the message
//! are added by [`writer`](super::writer), which sees the blocks in order.

use std::ops::Range;

use serde::Serialize;

use super::context::{MessageLink, MessageRecord, is_attempt};
use super::format::EventsFormat;
use super::record::record;
use crate::catalog::Cause;
use crate::catalog::classify::Reason;
use crate::input::read::HeapSize;
use crate::messages::key::KeyHasher;
use crate::parse::log_text::LogText;
use crate::pipeline::filter::Filter;
use crate::pipeline::sink::{EventSink, LoggedEvent, LoggedQueueRecord};
use crate::redact::Redactor;
use crate::render::csv;
use crate::render::text::event;
use crate::report::event::Record;
use crate::smtp::event::{Direction, Mta, Outcome, Stage};
use crate::smtp::reply::{Class, Code, EnhancedCode};

/// Formats the events of the blocks that one thread reads.
pub(crate) struct ListingSink<'a> {
    format: EventsFormat,
    filter: &'a Filter,
    keys: KeyHasher,
    /// `None`: nothing is redacted.
    redactor: Option<Redactor>,
    /// Of the text format.
    is_colored: bool,
    block: BlockListing,
}

/// The formatted events of a block, and the queue records that tell about their messages.
#[derive(Default)]
pub(crate) struct BlockListing {
    /// The index of the file.
    pub file: usize,
    /// Lines in the block.
    pub lines: u64,
    /// The formatted events, one after the other; [`Formatted`] says where each is.
    pub text: Vec<u8>,
    /// In the order of the lines.
    pub entries: Vec<ListingEntry>,
    /// Heap bytes of the metadata in `entries`.
    metadata_bytes: usize,
}

/// What the writer learns from one line.
pub(crate) enum ListingEntry {
    /// A queue record: what happened to the message, and what the line says about it.
    QueueRecord(MessageRecord),
    Event(PendingEvent),
}

/// An event whose sender, line number and context are still to be added.
pub(crate) struct PendingEvent {
    /// From 0.
    pub line_in_block: u64,
    pub formatted: Formatted,
    /// Whether the filter admits its sender. `None`: the line names no sender.
    pub admitted: Option<bool>,
    pub link: MessageLink,
}

/// Where an event is in the text of its block. The default is an event that is not printed.
#[derive(Clone, Default)]
pub(crate) struct Formatted {
    /// The whole event, or the part before its sender.
    pub front: Range<usize>,
    /// The part from the sender on (CSV) or after it (NDJSON); empty if `front` is the whole event.
    pub back: Range<usize>,
    /// The line names no sender: the one that an earlier line names is inserted between the two parts.
    pub lacks_sender: bool,
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
    cause: Option<Cause>,
    rule: &'a Option<String>,
    provider: &'a Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sender: &'a Option<String>,
}

/// The fields of a record after its sender.
#[derive(Serialize)]
struct BackFields<'a> {
    recipient: &'a Option<String>,
    peer_host: &'a Option<String>,
    peer_ip: &'a Option<String>,
    peer_port: Option<u16>,
    suspended: bool,
    text: &'a str,
}

/// Splits a record at its sender.
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
        cause,
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
        cause: *cause,
        rule,
        provider,
        sender,
    };
    let (peer_port, suspended) = (*peer_port, *suspended);
    (front, BackFields { recipient, peer_host, peer_ip, peer_port, suspended, text })
}

/// Appends an object as JSON, and returns where its fields are, without the braces around them.
pub(crate) fn push_fields(text: &mut Vec<u8>, object: &impl Serialize) -> Range<usize> {
    let start = text.len();
    serde_json::to_writer(&mut *text, object).expect("plain data, and writing to memory cannot fail");
    start + 1..text.len() - 1
}

impl HeapSize for BlockListing {
    fn held_bytes(&self) -> usize {
        self.text.capacity() + self.entries.capacity() * size_of::<ListingEntry>() + self.metadata_bytes
    }
}

impl<'a> ListingSink<'a> {
    pub(crate) fn new(
        format: EventsFormat,
        filter: &'a Filter,
        keys: KeyHasher,
        redactor: Option<Redactor>,
        is_colored: bool,
    ) -> Self {
        Self { format, filter, keys, redactor, is_colored, block: BlockListing::default() }
    }

    fn push(&mut self, logged: &LoggedEvent, formatted: Formatted) {
        let sender = logged.event.sender;
        self.block.entries.push(ListingEntry::Event(PendingEvent {
            line_in_block: logged.line_in_block,
            formatted,
            admitted: sender.map(|sender| self.filter.admits_sender(Some(sender))),
            link: MessageLink::of(logged, &mut self.keys),
        }));
    }
}

impl EventSink for ListingSink<'_> {
    type BlockOutput = BlockListing;

    fn event(&mut self, logged: &LoggedEvent) {
        let mut record = record(logged);
        if let Some(redactor) = self.redactor {
            redactor.record(&mut record, &LogText(logged.raw).to_str());
        }
        let text = &mut self.block.text;
        let start = text.len();
        let lacks_sender = record.sender.is_none();
        let formatted = match self.format {
            EventsFormat::Ndjson => {
                let (front, back) = halves(&record);
                let (front, back) = (push_fields(text, &front), push_fields(text, &back));
                Formatted { front, back, lacks_sender }
            }
            EventsFormat::Text => {
                text.extend_from_slice(event::show(&record, self.is_colored).as_bytes());
                Formatted { front: start..text.len(), back: 0..0, lacks_sender: false }
            }
            EventsFormat::Csv => {
                let (event, sender_at) = csv::event(&record);
                text.extend_from_slice(event.as_bytes());
                Formatted {
                    front: start..start + sender_at,
                    back: start + sender_at..text.len(),
                    lacks_sender,
                }
            }
        };
        self.push(logged, formatted);
    }

    fn filtered_out(&mut self, logged: &LoggedEvent) {
        // It is not printed, but counts as an attempt of its message.
        if is_attempt(logged.event) {
            self.push(logged, Formatted::default());
        }
    }

    fn queue_record(&mut self, logged: &LoggedQueueRecord) {
        let fact = MessageRecord::of(logged, &mut self.keys);
        self.block.metadata_bytes += fact.held_bytes();
        self.block.entries.push(ListingEntry::QueueRecord(fact));
    }

    fn end_of_block(&mut self, file: usize, lines: u64) -> BlockListing {
        BlockListing { file, lines, ..std::mem::take(&mut self.block) }
    }
}
