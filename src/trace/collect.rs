//! Reads the logs a second time, and notes every line about a wanted message, in order.

use std::hash::BuildHasher;
use std::sync::LazyLock;

use foldhash::fast::RandomState;
use hashbrown::HashSet;
use regex::bytes::Regex;

use super::note::{Note, Said, bare, step, text};
use super::query::Sought;
use super::rejected::process;
use super::search::{each_line, each_line_with, whole_line};
use crate::catalog::classify::Judge;
use crate::input::read::Held;
use crate::input::read::block::Block;
use crate::messages::key::{Keys, Plain};
use crate::messages::metadata::Metadata;
use crate::parse::header::Line;
use crate::parse::mta;
use crate::parse::mta::parsed::{Reading, cut};
use crate::parse::mta::queue_record::Step as Progress;
use crate::parse::mta::related_id::Tie;
use crate::parse::timestamp::{Clock, Moment};
use crate::parse::unwrap;
use crate::pipeline::filter::LineFilter;
use crate::pipeline::walk::{Place, Task, clock, told_before};
use crate::report::trace::What;

/// What is gathered.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    /// Hashes of queue ids.
    pub ids: &'a HashSet<u64, Plain>,
    pub sought: &'a Sought,
    /// An event of the message must fit it; the sender is asked for later.
    pub filter: &'a LineFilter,
    /// The lines themselves, and the sessions around them.
    pub raw: bool,
}

/// One a thread.
pub struct Gatherer<'a> {
    task: Task<'a>,
    wanted: Wanted<'a>,
    judge: Judge<'a>,
    keys: Keys,
    hasher: RandomState,
    clock: Option<Clock>,
    last_file: usize,
}

/// What a block hands over.
#[derive(Default)]
pub struct Gathered {
    pub found: Vec<Found>,
}

/// In the order of the lines.
pub enum Found {
    Note {
        key: u64,
        id: String,
        origin: Origin,
        note: Box<Note>,
    },
    /// A session begins or ends.
    Session(Mark),
    /// Another program's line that begins with a wanted id: a signer's, a filter's.
    Stray(Box<Stray>),
}

pub struct Stray {
    pub id: String,
    pub host: Option<String>,
    pub moment: Option<Moment>,
    pub place: Place,
    pub raw: Vec<u8>,
}

/// Whose queue a message is in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Origin {
    pub mta: crate::smtp::event::Mta,
    pub host: Option<String>,
    pub instance: Option<String>,
}

pub struct Mark {
    pub process: u64,
    pub begins: bool,
    pub moment: Option<Moment>,
    pub place: Place,
    pub raw: Vec<u8>,
}

impl Held for Gathered {
    fn held(&self) -> usize {
        let found = self.found.iter().map(|found| match found {
            Found::Note { id, note, .. } => id.len() + 64 + note.held(),
            Found::Session(mark) => size_of::<Mark>() + mark.raw.len(),
            Found::Stray(stray) => size_of::<Stray>() + stray.raw.len(),
        });
        found.sum()
    }
}

/// `connect from`, `disconnect from` of Postfix's smtpd.
static SESSIONS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("(?-u)connect from ").expect("our own words make a pattern"));

impl<'a> Gatherer<'a> {
    /// `hasher` is the one of the first reading.
    pub fn new(task: Task<'a>, wanted: Wanted<'a>, hasher: RandomState) -> Self {
        let judge = Judge::new(task.book);
        let keys = Keys::new(hasher.clone());
        Self { task, wanted, judge, keys, hasher, clock: None, last_file: 0 }
    }

    pub fn block(&mut self, block: &Block) -> Gathered {
        let mut clock = clock(&mut self.clock, &mut self.last_file, block.file, &self.task).clone();
        let mut found: Vec<Found> = Vec::new();
        let mut inside = Vec::new();
        each_line(block, &mut |at, raw| {
            let raw = unwrap::open(raw, &mut inside);
            let line = Line::read(raw);
            let Some((mta, id, rest)) = mta::queue_id(&line) else {
                let stray = if self.wanted.raw { self.stray(block, at, &line, &mut clock) } else { None };
                found.extend(stray.map(|stray| Found::Stray(Box::new(stray))));
                return;
            };
            if !self.wanted.ids.contains(&self.hasher.hash_one(id)) {
                return;
            }
            let key = self.keys.key(mta, &line, id);
            if let Some(note) = self.note(block, at, raw, (&line, rest), &mut clock) {
                let named = |name: &[u8]| (!name.is_empty()).then(|| text(name));
                let origin = Origin { mta, host: named(line.host), instance: named(line.instance()) };
                found.push(Found::Note { key, id: text(id), origin, note: Box::new(note) });
            }
        });
        if self.wanted.raw {
            each_line_with(&SESSIONS, block, &mut |at, raw| {
                let raw = unwrap::open(raw, &mut inside);
                found.extend(self.mark(block, at, raw, &mut clock).map(Found::Session));
            });
            found.sort_by_key(|found| match found {
                Found::Note { note, .. } => note.place,
                Found::Session(mark) => mark.place,
                Found::Stray(stray) => stray.place,
            });
        }
        Gathered { found }
    }

    fn note(
        &mut self,
        block: &Block,
        at: usize,
        raw: &[u8],
        (line, rest): (&Line, &[u8]),
        clock: &mut Clock,
    ) -> Option<Note> {
        let place = Place { file: block.file, offset: block.offset + at as u64 };
        let moment = clock.read(line.stamp, place.offset);
        if !self.task.window.holds(moment) {
            return None;
        }
        let (mta, id, _) = mta::queue_id(line)?;
        let sought = self.wanted.sought;
        let other = mta::link(mta, rest);
        let named = sought.is_queue_id(id) || other.is_some_and(|(_, other)| sought.is_queue_id(other));
        let other = other.map(|(tie, other)| (tie, text(other)));
        let (said, fits, of_smtpd) = match mta::read(line) {
            Reading::Event(event) if told_before(&event, line, block, at) => (Said::Routine, false, false),
            Reading::Event(event) => {
                let verdict = self.judge.verdict(&event);
                let filter = self.wanted.filter;
                let admitted = filter.is_empty() || filter.admits(&event, verdict, line, self.task.book);
                let step = Box::new(step(&event, verdict, moment, rest));
                let fits = sought.fits_event(&event, rest);
                let inbound = event.direction == crate::smtp::event::Direction::Inbound;
                (Said::Event { step, sender: event.sender.map(text), admitted }, fits, inbound)
            }
            Reading::Fact(fact) if fact.queue_id == id => {
                let known = Box::new(Metadata::of(&fact));
                (Said::Fact { step: fact.step, known }, sought.fits_fact(&fact), fact.step == Progress::Came)
            }
            // What the bounce daemon says of the notice stands under the id of the message that it is about.
            Reading::Fact(_) | Reading::Routine | Reading::Unread | Reading::Foreign => {
                let notice = other.as_ref().filter(|(tie, _)| *tie == Tie::Notice);
                let notice = notice.map(|(_, id)| bare(What::Notified, moment, Some(id.clone())));
                (notice.map_or(Said::Routine, |notice| Said::Notice(Box::new(notice))), false, false)
            }
        };
        let whole = if self.wanted.raw { whole_line(block, at) } else { &[] };
        let process = (self.wanted.raw && of_smtpd).then(|| process(line, raw, &self.hasher)).flatten();
        Some(Note {
            moment,
            place,
            said,
            other,
            fits: named || fits,
            raw: whole.to_vec(),
            process,
            session: Vec::new(),
        })
    }

    /// `opendkim[884]: 399763DFD5E2: DKIM-Signature field added`
    fn stray(&self, block: &Block, at: usize, line: &Line, clock: &mut Clock) -> Option<Stray> {
        let (id, _) = cut(line.text.get(..40).unwrap_or(line.text), b": ")?;
        if !self.wanted.ids.contains(&self.hasher.hash_one(id)) {
            return None;
        }
        let place = Place { file: block.file, offset: block.offset + at as u64 };
        let moment = clock.read(line.stamp, place.offset);
        if !self.task.window.holds(moment) {
            return None;
        }
        let host = (!line.host.is_empty()).then(|| text(line.host));
        Some(Stray { id: text(id), host, moment, place, raw: whole_line(block, at).to_vec() })
    }

    fn mark(&self, block: &Block, at: usize, raw: &[u8], clock: &mut Clock) -> Option<Mark> {
        let line = Line::read(raw);
        let begins = line.text.starts_with(b"connect from ");
        if !begins && !line.text.starts_with(b"disconnect from ") {
            return None;
        }
        let place = Place { file: block.file, offset: block.offset + at as u64 };
        let moment = clock.read(line.stamp, place.offset);
        if !self.task.window.holds(moment) {
            return None;
        }
        let process = process(&line, raw, &self.hasher)?;
        Some(Mark { process, begins, moment, place, raw: whole_line(block, at).to_vec() })
    }
}
