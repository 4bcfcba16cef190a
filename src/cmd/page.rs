//! The events of a block, written but for what only the order of the blocks tells: line numbers, and who sent the mail.

use std::io::Write;
use std::ops::Range;

use crate::cli::EventsFormat;
use crate::error::Error;
use crate::event::{Event, Outcome};
use crate::filter::Filter;
use crate::input::set::Held;
use crate::ledger::act::Act;
use crate::ledger::context::Contexts;
use crate::ledger::hop;
use crate::ledger::key::Keys;
use crate::ledger::metadata::Metadata;
use crate::ledger::seen::{Before, IdHash};
use crate::output::printable::printable_json;
use crate::output::{csv, event_line};
use crate::record::{Context, Record};
use crate::redact::Redactor;
use crate::walk::{Listener, Noted, Told};

/// One a thread.
pub struct Listing<'a> {
    format: EventsFormat,
    filter: &'a Filter,
    keys: Keys,
    /// None: nothing is hidden.
    redactor: Option<Redactor>,
    page: Page,
}

/// What a block hands over.
#[derive(Default)]
pub struct Page {
    pub file: usize,
    pub lines: u64,
    /// The events' texts, one behind the other.
    text: Vec<u8>,
    /// In the order of the lines.
    notes: Vec<Note>,
    facts: usize,
}

enum Note {
    Fact { key: u64, id: IdHash, act: Act, said: Box<Metadata> },
    Event(Written),
}

/// An event as far as its line goes.
struct Written {
    line_in_block: u64,
    /// Of its text in the page's; empty: it is not to be printed.
    text: Range<usize>,
    /// Where in the text its sender stands, if its line names none.
    sender: Option<usize>,
    /// The filter admits its sender; None: its line names none.
    admitted: Option<bool>,
    /// With a hash of the queue id alone; None: no message has it.
    key: Option<(u64, IdHash)>,
    /// Under which queue id the message may go on.
    copy: Option<IdHash>,
    /// A hash; None: it is no attempt.
    recipient: Option<u64>,
}

impl Held for Page {
    fn held(&self) -> usize {
        self.text.capacity() + self.notes.capacity() * size_of::<Note>() + self.facts
    }
}

impl<'a> Listing<'a> {
    pub fn new(format: EventsFormat, filter: &'a Filter, keys: Keys, redactor: Option<Redactor>) -> Self {
        Self { format, filter, keys, redactor, page: Page::default() }
    }

    fn note(&mut self, told: &Told, text: Range<usize>, sender: Option<usize>) {
        let event = told.event;
        self.page.notes.push(Note::Event(Written {
            line_in_block: told.line_in_block,
            text,
            sender,
            admitted: event.sender.map(|sender| self.filter.admits_sender(Some(sender))),
            key: event.queue_id.map(|id| self.keys.key_and_id(event.mta, told.line, id)),
            copy: hop::named(event, told.line.host).map(|id| self.keys.id(id)),
            recipient: is_attempt(event).then(|| self.keys.recipient(event.recipient)),
        }));
    }
}

impl Listener for Listing<'_> {
    type Handover = Page;

    fn event(&mut self, told: &Told) {
        let mut record = Record::new(told);
        if let Some(redactor) = self.redactor {
            redactor.record(&mut record, &String::from_utf8_lossy(told.raw));
        }
        let text = &mut self.page.text;
        let start = text.len();
        let sender = match self.format {
            EventsFormat::Ndjson => {
                serde_json::to_writer(&mut *text, &record).expect("a record is plain data, memory takes it");
                // Within a string the quotes would have a backslash in front.
                let named = memchr::memmem::find(text.get(start..).unwrap_or_default(), NO_SENDER);
                named.map(|at| at + NO_SENDER.len() - b"null".len())
            }
            EventsFormat::Text => {
                text.extend_from_slice(event_line::show(&record).as_bytes());
                None
            }
            EventsFormat::Csv => {
                let (event, sender) = csv::event(&record);
                text.extend_from_slice(event.as_bytes());
                Some(sender)
            }
        };
        let text = start..text.len();
        self.note(told, text, sender.filter(|_| told.event.sender.is_none()));
    }

    fn left_out(&mut self, told: &Told) {
        // A retry counts, printed or not.
        if is_attempt(told.event) {
            self.note(told, 0..0, None);
        }
    }

    fn fact(&mut self, noted: &Noted) {
        let fact = noted.fact;
        let said = Box::new(Metadata::of(fact));
        self.page.facts += said.held();
        let (key, id) = self.keys.key_and_id(fact.mta, noted.line, fact.queue_id);
        self.page.notes.push(Note::Fact { key, id, act: Act::of_fact(fact), said });
    }

    fn end_of_block(&mut self, file: usize, lines: u64) -> Page {
        Page { file, lines, ..std::mem::take(&mut self.page) }
    }
}

const NO_SENDER: &[u8] = b",\"sender\":null";

/// Something was tried for a recipient, or given up.
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

/// Puts pages, in their order, behind each other.
pub struct Writer<'a> {
    format: EventsFormat,
    filter: &'a Filter,
    pub contexts: Contexts,
    before: Before,
    /// Events whose sender the filter does not admit.
    pub left_out: u64,
    /// None: nothing is hidden.
    redactor: Option<Redactor>,
    /// The file of the last page, and its lines so far.
    file: usize,
    lines: u64,
    line: Vec<u8>,
}

impl<'a> Writer<'a> {
    pub fn new(format: EventsFormat, filter: &'a Filter, redactor: Option<Redactor>) -> Self {
        Self {
            format,
            filter,
            contexts: Contexts::default(),
            before: Before::default(),
            left_out: 0,
            redactor,
            file: 0,
            lines: 0,
            line: Vec::new(),
        }
    }

    /// `name` is that of the page's file, of which so many lines were not read now, `before` the first that was.
    pub fn write(&mut self, page: Page, name: &str, before: u64, out: &mut dyn Write) -> Result<(), Error> {
        if page.file != self.file {
            (self.file, self.lines) = (page.file, 0);
        }
        for note in page.notes {
            match note {
                Note::Fact { key, id, act, said } => {
                    self.before.add(id);
                    self.contexts.fact(key, act, *said);
                }
                Note::Event(written) => {
                    let text = page.text.get(written.text.clone()).unwrap_or_default();
                    self.event(&written, text, (name, before + self.lines), out)?;
                }
            }
        }
        self.lines += page.lines;
        Ok(())
    }

    fn event(
        &mut self,
        written: &Written,
        text: &[u8],
        (name, lines): (&str, u64),
        out: &mut dyn Write,
    ) -> Result<(), Error> {
        if let Some((_, id)) = written.key {
            self.before.add(id);
        }
        let key = written.key.map(|(key, _)| key);
        let attempt = key.zip(written.recipient);
        let attempt_no = attempt.and_then(|(key, recipient)| self.contexts.attempt(key, recipient));
        if text.is_empty() {
            return Ok(());
        }
        let known = key.and_then(|key| self.contexts.known(key));
        let sender = known.and_then(|known| known.sender.as_deref());
        let admitted = || self.filter.admits_sender(sender.map(str::as_bytes));
        if !written.admitted.unwrap_or_else(admitted) {
            self.left_out += 1;
            return Ok(());
        }
        let number = lines + written.line_in_block + 1;
        let owned = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
        let mut context = Context {
            size: known.and_then(|known| known.size),
            client: known.and_then(|known| owned(&known.client)),
            user: known.and_then(|known| owned(&known.user)),
            message_id: known.and_then(|known| owned(&known.message_id)),
            attempt_no,
            hop: written.copy.is_some_and(|copy| self.before.holds(copy)),
        };
        let hidden = self.redactor.zip(sender).map(|(redactor, sender)| redactor.address(sender));
        let sender = hidden.as_deref().or(sender);
        if let Some(redactor) = self.redactor {
            redactor.context(&mut context);
        }
        let hole =
            written.sender.zip(sender).and_then(|(at, sender)| Some((text.split_at_checked(at)?, sender)));
        let line = &mut self.line;
        line.clear();
        match (self.format, hole) {
            (EventsFormat::Ndjson, hole) => {
                let file = serde_json::Value::from(name);
                write!(line, "{{\"file\":{file},\"line\":{number},")?;
                match hole {
                    Some(((front, back), sender)) => {
                        line.extend_from_slice(front.strip_prefix(b"{").unwrap_or(front));
                        serde_json::to_writer(&mut *line, sender).expect("memory takes it");
                        line.extend_from_slice(back.strip_prefix(b"null").unwrap_or(back));
                    }
                    None => line.extend_from_slice(text.strip_prefix(b"{").unwrap_or(text)),
                }
                // Two objects become one.
                line.pop();
                let start = line.len();
                serde_json::to_writer(&mut *line, &context).expect("plain data, memory takes it");
                if let Some(brace) = line.get_mut(start) {
                    *brace = b',';
                }
            }
            (EventsFormat::Text, _) => line.extend_from_slice(text),
            (EventsFormat::Csv, hole) => {
                line.extend_from_slice(csv::place(name, number).as_bytes());
                match hole {
                    Some(((front, back), sender)) => {
                        line.extend_from_slice(front);
                        line.extend_from_slice(csv::sender(sender).as_bytes());
                        line.extend_from_slice(back);
                    }
                    None => line.extend_from_slice(text),
                }
                line.extend_from_slice(csv::context(&context).as_bytes());
            }
        }
        line.push(b'\n');
        let json = std::str::from_utf8(line).ok().filter(|_| self.format == EventsFormat::Ndjson);
        match json.and_then(printable_json) {
            Some(shown) => out.write_all(shown.as_bytes())?,
            None => out.write_all(line)?,
        }
        Ok(())
    }
}
