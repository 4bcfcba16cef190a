//! Splits the notes of each queue id into the lifetimes of the messages that had it, one after the other.

use hashbrown::HashMap;

use super::collect::{CollectedNote, CollectedNotes, QueueOwner, SessionMark, UnownedLine};
use super::note::{MessageNote, NoteKind};
use super::rejected::RejectedSession;
use super::search::micros;
use crate::collections::union_find::UnionFind;
use crate::messages::key::PrehashedState;
use crate::messages::metadata::MessageMetadata;
use crate::parse::mta;
use crate::parse::mta::queue_record::QueueStep;
use crate::parse::mta::related_id::Relation;
use crate::pipeline::sink::LineOffset;

/// The lifetime of a message under one queue id.
pub(crate) struct MessageLifetime {
    pub id: String,
    pub owner: QueueOwner,
    /// In the order of time. At least one.
    pub notes: Vec<MessageNote>,
    pub metadata: MessageMetadata,
    /// The times of its first and last line, in microseconds since 1970. `None`: no line shows a time.
    pub span: Option<(i64, i64)>,
    /// It left the queue.
    pub ended: bool,
    /// A line of it matches the query.
    pub matches: bool,
}

/// The memory for notes, in bytes; beyond it, lines are counted and dropped. The stories and their text take as much again,
/// three times.
const MEMORY_LIMIT: usize = 64 << 20;

/// Builds lifetimes from the notes of the second reading.
#[derive(Default)]
pub(crate) struct LifetimeBuilder {
    notes: HashMap<u64, (String, QueueOwner, Vec<MessageNote>), PrehashedState>,
    /// The memory of all notes so far, in bytes.
    bytes: usize,
    /// The number of lines that were dropped because of the memory limit.
    pub forgotten: u64,
    /// The session that each process is in: its first line, and the messages that arrived in it.
    open: HashMap<u64, (SessionMark, SessionArrivals), PrehashedState>,
    unowned: Vec<UnownedLine>,
    /// For each process the places of its rejected sessions, in order, and their indices.
    rejected: HashMap<u64, Vec<(LineOffset, usize)>, PrehashedState>,
}

/// The messages that arrived in a session: their keys, and the places of the lines.
type SessionArrivals = Vec<(u64, LineOffset)>;

impl LifetimeBuilder {
    /// `rejected` are the sessions that get the lines around them; [`add`](Self::add) must be given the same ones.
    pub(crate) fn new(rejected: &[RejectedSession]) -> Self {
        let mut builder = Self::default();
        for (number, session) in rejected.iter().enumerate() {
            if let Some(process) = session.process() {
                builder.rejected.entry(process).or_default().push((session.first_place(), number));
            }
        }
        builder.rejected.values_mut().for_each(|places| places.sort_unstable());
        builder
    }

    /// Adds the notes of a block; blocks must come in their order.
    pub(crate) fn add(&mut self, collected: CollectedNotes, rejected: &mut [RejectedSession]) {
        for note in collected.notes {
            match note {
                CollectedNote::Message { key, id, owner, note } => {
                    if self.bytes > MEMORY_LIMIT {
                        self.forgotten += 1;
                        continue;
                    }
                    self.bytes += note.held_bytes();
                    if let Some((_, arrivals)) = note.process.and_then(|process| self.open.get_mut(&process))
                    {
                        arrivals.push((key, note.place));
                    }
                    self.notes.entry(key).or_insert_with(|| (id, owner, Vec::new())).2.push(*note);
                }
                CollectedNote::Unowned(line) => {
                    self.bytes += size_of::<UnownedLine>() + line.raw.len();
                    if self.bytes > MEMORY_LIMIT {
                        self.forgotten += 1;
                    } else {
                        self.unowned.push(*line);
                    }
                }
                CollectedNote::Session(mark) if mark.begins => {
                    let (process, place) = (mark.process, mark.place);
                    if let Some((begin, arrivals)) = self.open.insert(process, (mark, Vec::new())) {
                        self.close(begin, arrivals, None, Some(place), rejected);
                    }
                }
                CollectedNote::Session(mark) => {
                    if let Some((begin, arrivals)) = self.open.remove(&mark.process) {
                        let place = mark.place;
                        self.close(begin, arrivals, Some(mark), Some(place), rejected);
                    }
                }
            }
        }
    }

    /// Gives the first and last line of a session to the messages and rejections in it, before `until`.
    fn close(
        &mut self,
        begin: SessionMark,
        arrivals: SessionArrivals,
        ended: Option<SessionMark>,
        until: Option<LineOffset>,
        rejected: &mut [RejectedSession],
    ) {
        let after = begin.place;
        let places = self.rejected.get(&begin.process).map(Vec::as_slice).unwrap_or_default();
        let first = places.partition_point(|&(place, _)| place < after);
        let inside =
            places.iter().skip(first).take_while(|&&(place, _)| until.is_none_or(|until| place < until));
        let mut lines = vec![(begin.moment, begin.place, begin.raw)];
        lines.extend(ended.map(|ended| (ended.moment, ended.place, ended.raw)));
        for &(_, number) in inside {
            if let Some(session) = rejected.get_mut(number) {
                session.lines.extend(lines.iter().cloned());
            }
        }
        for (key, place) in arrivals {
            let Some((_, _, notes)) = self.notes.get_mut(&key) else { continue };
            // They came in the order of the lines.
            let at = notes.partition_point(|note| note.place < place);
            if let Some(note) = notes.get_mut(at).filter(|note| note.place == place) {
                note.session.clone_from(&lines);
            }
        }
    }

    /// The lifetimes in the order of time. Gives the remaining lines of other programs and sessions to them.
    pub(crate) fn finish(mut self, rejected: &mut [RejectedSession]) -> Vec<MessageLifetime> {
        let mut open: Vec<_> = std::mem::take(&mut self.open).into_values().collect();
        open.sort_by_key(|(begin, _)| begin.place);
        for (begin, arrivals) in open {
            self.close(begin, arrivals, None, None, rejected);
        }
        let mut lifetimes: Vec<MessageLifetime> = Vec::new();
        for (id, owner, notes) in self.notes.into_values() {
            lifetimes.extend(split(&id, &owner, notes));
        }
        // The order of a hash table is random.
        lifetimes.sort_by_key(|lifetime| {
            (lifetime.span.map(|(begin, _)| begin), lifetime.notes.first().map(|note| note.place))
        });
        add_unowned(&mut lifetimes, self.unowned);
        lifetimes
    }
}

/// Gives the lines of other programs to the messages whose queue id they begin with.
fn add_unowned(lifetimes: &mut [MessageLifetime], lines: Vec<UnownedLine>) {
    let mut by_id: HashMap<(String, Option<String>), Vec<usize>> = HashMap::new();
    if !lines.is_empty() {
        for (number, lifetime) in lifetimes.iter().enumerate() {
            by_id.entry((lifetime.id.clone(), lifetime.owner.host.clone())).or_default().push(number);
        }
    }
    for line in lines {
        let at = micros(line.moment);
        let near = |&&number: &&usize| {
            let span = lifetimes.get(number).and_then(|lifetime| lifetime.span);
            let inside = |at: i64| {
                span.is_some_and(|(begin, last)| begin - NEAR_MICROS <= at && at <= last + NEAR_MICROS)
            };
            at.is_none_or(inside)
        };
        // If two messages had the id, the later one that had begun by then.
        let same = by_id.get(&(line.id, line.host)).map(Vec::as_slice).unwrap_or_default();
        let found = same.iter().rev().take(MAX_REUSES).find(near).copied();
        if let Some(lifetime) = found.and_then(|number| lifetimes.get_mut(number)) {
            lifetime.notes.push(MessageNote::of_unowned((line.moment, line.place, line.raw)));
        }
    }
}

/// How many messages with one queue id are compared with a line. More than a few are no mail server's doing, and to compare
/// each line with each of them would take hours.
const MAX_REUSES: usize = 1 << 10;

/// Splits the notes of one queue id: an id is used again after its message has left the queue.
fn split(id: &str, owner: &QueueOwner, mut notes: Vec<MessageNote>) -> Vec<MessageLifetime> {
    // Files may be read in another order than their lines were written; a line without a time stays after its neighbour.
    let mut time = i64::MIN;
    let mut timed: Vec<(i64, MessageNote)> = Vec::with_capacity(notes.len());
    notes.sort_by_key(|note| note.place);
    for note in notes {
        time = micros(note.moment).unwrap_or(time);
        timed.push((time, note));
    }
    timed.sort_by_key(|(time, note)| (*time, note.place));
    let mut lifetimes: Vec<MessageLifetime> = Vec::new();
    for (_, note) in timed {
        let begins = lifetimes.last().is_none_or(|lifetime| lifetime.is_over_before(&note));
        if begins {
            lifetimes.push(MessageLifetime {
                id: id.to_owned(),
                owner: owner.clone(),
                notes: Vec::new(),
                metadata: MessageMetadata::default(),
                span: None,
                ended: false,
                matches: false,
            });
        }
        if let Some(lifetime) = lifetimes.last_mut() {
            lifetime.add(note);
        }
    }
    lifetimes
}

impl MessageLifetime {
    /// The note belongs to another message with the same queue id.
    fn is_over_before(&self, note: &MessageNote) -> bool {
        let NoteKind::QueueRecord { step, metadata } = &note.kind else { return false };
        let is_arrival = |note: &MessageNote| {
            matches!(note.kind, NoteKind::QueueRecord { step: QueueStep::Received | QueueStep::Notice, .. })
        };
        match step {
            QueueStep::Received | QueueStep::Notice if mta::reuses_queue_ids(self.owner.mta) => {
                self.ended || self.notes.iter().any(|note| !matches!(note.kind, NoteKind::Routine))
            }
            QueueStep::Received | QueueStep::Notice => self.ended || self.notes.iter().any(is_arrival),
            QueueStep::MessageIdAssigned => self.ended,
            QueueStep::Queued => self.ended || self.metadata.is_of_another(metadata),
            QueueStep::Held
            | QueueStep::Released
            | QueueStep::Deleted
            | QueueStep::Returned
            | QueueStep::Requeued
            | QueueStep::PassedOn
            | QueueStep::Canceled
            | QueueStep::Dropped
            | QueueStep::Removed => false,
        }
    }

    fn add(&mut self, note: MessageNote) {
        match &note.kind {
            NoteKind::QueueRecord { step, metadata } => {
                self.metadata.update(MessageMetadata::clone(metadata));
                self.ended |= step.ends_message();
            }
            NoteKind::Event { .. } | NoteKind::Notice(_) | NoteKind::Routine => {}
        }
        if let Some(at) = micros(note.moment) {
            self.span = Some((self.span.map_or(at, |(begin, _)| begin), at));
        }
        self.matches |= note.matches;
        self.notes.push(note);
    }

    /// The filter admits at least one event of it.
    pub(crate) fn is_admitted(&self, filter: &crate::pipeline::filter::Filter) -> bool {
        let is_admitted = |note: &MessageNote| match &note.kind {
            NoteKind::Event { sender, admitted, .. } => {
                let sender = sender.as_deref().or(self.metadata.sender.as_deref());
                *admitted && filter.admits_sender(sender.map(str::as_bytes))
            }
            NoteKind::QueueRecord { .. } | NoteKind::Notice(_) | NoteKind::Routine => false,
        };
        filter.is_empty() || self.notes.iter().any(is_admitted)
    }
}

/// The largest time between a line that names another message and the lines of that message, in microseconds.
const NEAR_MICROS: i64 = 120_000_000;

/// Groups the lifetimes that are one message (union–find): the root of each. `lifetimes` are in the order of time.
pub(crate) fn groups(lifetimes: &[MessageLifetime]) -> Vec<usize> {
    let mut by_id: HashMap<&str, Vec<usize>> = HashMap::new();
    for (number, lifetime) in lifetimes.iter().enumerate() {
        by_id.entry(&lifetime.id).or_default().push(number);
    }
    let mut groups = UnionFind::new(lifetimes.len());
    for (number, lifetime) in lifetimes.iter().enumerate() {
        for note in &lifetime.notes {
            let Some((relation, other)) = &note.related else { continue };
            let at = micros(note.moment).or(lifetime.span.map(|(_, last)| last));
            let candidates = by_id.get(other.as_str()).map(Vec::as_slice).unwrap_or_default();
            let fits = |&&other: &&usize| {
                other != number
                    && lifetimes
                        .get(other)
                        .is_some_and(|other| may_be_related(lifetime, *relation, other, at))
            };
            // If several match, the latest that had begun by then.
            if let Some(&other) = candidates.iter().rev().take(MAX_REUSES).find(fits) {
                groups.join(number, other);
            }
        }
    }
    groups.into_roots()
}

/// Whether `other` may be the message that a line of `lifetime` names. `at` is the time of that line. Lifetimes without
/// times count as simultaneous.
fn may_be_related(
    lifetime: &MessageLifetime,
    relation: Relation,
    other: &MessageLifetime,
    at: Option<i64>,
) -> bool {
    let (was_there, has_just_begun) = match (other.span, at) {
        (Some((begin, last)), Some(at)) => (
            begin <= at.saturating_add(NEAR_MICROS) && last >= at.saturating_sub(NEAR_MICROS),
            begin.abs_diff(at) < NEAR_MICROS.unsigned_abs(),
        ),
        (None, None) => (true, true),
        (Some(_), None) | (None, Some(_)) => (false, false),
    };
    match relation {
        Relation::ForwardedTo | Relation::MadeFrom => {
            let ids = lifetime.metadata.message_id.as_ref().zip(other.metadata.message_id.as_ref());
            was_there && ids.is_none_or(|(own, other)| own == other)
        }
        Relation::NotifiedBy => other.metadata.sender.as_deref().is_none_or(str::is_empty) && has_just_begun,
        // A notification is written while its message is in the queue.
        Relation::NotifiesAbout => was_there,
    }
}
