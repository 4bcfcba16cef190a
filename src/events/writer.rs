//! Writes the events of all blocks in the order of the lines, and adds line numbers and the context of each message.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::ops::Range;

use super::context::MessageContexts;
use super::format::EventsFormat;
use super::sink::{BlockListing, Formatted, ListingEntry, PendingEvent, push_fields};
use crate::pipeline::filter::Filter;
use crate::redact::Redactor;
use crate::render::csv;
use crate::render::sanitize::printable_json;

/// Writes the blocks, which must come in their order.
pub(crate) struct EventWriter<'a> {
    format: EventsFormat,
    filter: &'a Filter,
    /// What the lines so far say about each message.
    pub messages: MessageContexts,
    /// Number of events that were not printed because the filter does not admit their sender.
    pub filtered: u64,
    /// `None`: nothing is redacted.
    redactor: Option<Redactor>,
    /// The index of the file of the last block.
    file: usize,
    /// Lines of this file in the blocks so far.
    lines: u64,
    /// The number of events wanted, the latest ones; 0: all, which are written at once.
    top: usize,
    /// The latest events so far, if not all are wanted.
    pub latest: LatestLines,
    /// Buffers, reused for each event.
    line: Vec<u8>,
    context: Vec<u8>,
}

impl<'a> EventWriter<'a> {
    /// `top` is the number of events wanted, the latest ones; 0: all.
    pub(crate) fn new(
        format: EventsFormat,
        filter: &'a Filter,
        redactor: Option<Redactor>,
        top: usize,
    ) -> Self {
        Self {
            format,
            filter,
            messages: MessageContexts::default(),
            filtered: 0,
            redactor,
            file: 0,
            lines: 0,
            top,
            latest: LatestLines::default(),
            line: Vec::new(),
            context: Vec::new(),
        }
    }

    /// Writes the events of a block. `name` is the name of its file; `before` is the number of lines before the first line of the
    /// file that was read.
    pub(crate) fn write(
        &mut self,
        block: BlockListing,
        name: &str,
        before: u64,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        if block.file != self.file {
            (self.file, self.lines) = (block.file, 0);
        }
        for entry in block.entries {
            match entry {
                ListingEntry::QueueRecord(fact) => self.messages.queue_record(fact),
                ListingEntry::Event(event) => {
                    let Formatted { front, back, .. } = &event.formatted;
                    let text = |part: &Range<usize>| block.text.get(part.clone()).unwrap_or_default();
                    self.event(&event, (text(front), text(back)), (name, before + self.lines), out)?;
                }
            }
        }
        self.lines += block.lines;
        Ok(())
    }

    /// Writes one event, unless the filter rejects its sender. `front` and `back` are its parts before and after the sender;
    /// `lines` is the number of lines before its block.
    fn event(
        &mut self,
        event: &PendingEvent,
        (front, back): (&[u8], &[u8]),
        (name, lines): (&str, u64),
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let attempt_no = self.messages.attempt_no(&event.link);
        if front.is_empty() {
            return Ok(());
        }
        let known = self.messages.known(&event.link);
        let sender = known.and_then(|known| known.sender.as_deref());
        let admitted = || self.filter.admits_sender(sender.map(str::as_bytes));
        if !event.admitted.unwrap_or_else(admitted) {
            self.filtered += 1;
            return Ok(());
        }
        let number = lines + event.line_in_block + 1;
        let mut context = self.messages.context(&event.link, attempt_no);
        let redacted = self.redactor.zip(sender).map(|(redactor, sender)| redactor.address(sender));
        let sender = redacted.as_deref().or(sender).filter(|_| event.formatted.lacks_sender);
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
                if event.formatted.lacks_sender {
                    line.extend_from_slice(b",\"sender\":");
                    serde_json::to_writer(&mut *line, &sender).expect("writing to memory cannot fail");
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
                line.extend_from_slice(csv::event_position(name, number).as_bytes());
                line.extend_from_slice(front);
                line.extend_from_slice(sender.map(csv::event_sender).unwrap_or_default().as_bytes());
                line.extend_from_slice(back);
                line.extend_from_slice(csv::event_context(&context).as_bytes());
            }
        }
        line.push(b'\n');
        let json = std::str::from_utf8(line).ok().filter(|_| self.format == EventsFormat::Ndjson);
        let shown = json.and_then(printable_json);
        let shown = shown.as_deref().map_or(line.as_slice(), str::as_bytes);
        if self.top == 0 {
            return out.write_all(shown);
        }
        self.latest.keep(shown, self.top);
        Ok(())
    }

    /// Writes the events that were kept, if not all were wanted.
    pub(crate) fn finish(&mut self, out: &mut dyn Write) -> io::Result<()> {
        self.latest.lines.drain(..).try_for_each(|line| out.write_all(&line))
    }
}

/// The last lines that were written.
#[derive(Default)]
pub(crate) struct LatestLines {
    lines: VecDeque<Vec<u8>>,
    /// The number of lines that were dropped for later ones.
    pub earlier: u64,
}

impl LatestLines {
    fn keep(&mut self, line: &[u8], top: usize) {
        // The oldest line gives its memory to the new one.
        let mut kept = Vec::new();
        if self.lines.len() == top {
            kept = self.lines.pop_front().unwrap_or_default();
            self.earlier += 1;
        }
        kept.clear();
        kept.extend_from_slice(line);
        self.lines.push_back(kept);
    }
}
