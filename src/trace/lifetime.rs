//! Cuts the lines of each queue id into the lives of the messages that had it, one after the other.

use hashbrown::HashMap;

use super::collect::{CollectedNote, CollectedNotes, QueueOwner, SessionMark, UnownedLine};
use super::note::{MessageNote, NoteKind};
use super::rejected::RejectedSession;
use super::search::micros;
use crate::collections::union_find::UnionFind;
use crate::messages::key::PrehashedState;
use crate::messages::metadata::MessageMetadata;
use crate::parse::mta;
use crate::parse::mta::queue_record::QueueStep as Progress;
use crate::parse::mta::related_id::Relation;
use crate::pipeline::sink::LineOffset;

/// A message under one queue id.
pub(crate) struct MessageLifetime {
    pub id: String,
    pub origin: QueueOwner,
    /// In the order of time. At least one.
    pub notes: Vec<MessageNote>,
    pub known: MessageMetadata,
    /// When its first and its last line were written, in microseconds. `None`: no line shows a time.
    pub span: Option<(i64, i64)>,
    /// Nothing more was to be done.
    pub ended: bool,
    /// A line of it matches.
    pub fits: bool,
}

/// In bytes; what comes when so much is kept is left out.
const KEPT: usize = 1 << 30;

/// What the second reading found.
#[derive(Default)]
pub(crate) struct LifetimeBuilder {
    notes: HashMap<u64, (String, QueueOwner, Vec<MessageNote>), PrehashedState>,
    held: usize,
    /// Lines that were too much to keep.
    pub forgotten: u64,
    /// The session that each process is at.
    open: HashMap<u64, (SessionMark, ArrivalTime), PrehashedState>,
    strays: Vec<UnownedLine>,
    /// Where the refusals of each process begin, and their numbers.
    refused: HashMap<u64, Vec<(LineOffset, usize)>, PrehashedState>,
}

/// The messages that came in a session: their keys, and where.
type ArrivalTime = Vec<(u64, LineOffset)>;

impl LifetimeBuilder {
    /// `refused` may want the lines around them; they are the same to the end.
    pub(crate) fn new(refused: &[RejectedSession]) -> Self {
        let mut lives = Self::default();
        for (number, session) in refused.iter().enumerate() {
            if let Some(process) = session.process() {
                lives.refused.entry(process).or_default().push((session.places().0, number));
            }
        }
        lives.refused.values_mut().for_each(|places| places.sort_unstable());
        lives
    }

    /// To be told in the order of the blocks.
    pub(crate) fn add(&mut self, gathered: CollectedNotes, refused: &mut [RejectedSession]) {
        for found in gathered.found {
            match found {
                CollectedNote::Note { key, id, origin, note } => {
                    if self.held > KEPT {
                        self.forgotten += 1;
                        continue;
                    }
                    self.held += note.held_bytes();
                    if let Some((_, came)) = note.process.and_then(|process| self.open.get_mut(&process)) {
                        came.push((key, note.place));
                    }
                    self.notes.entry(key).or_insert_with(|| (id, origin, Vec::new())).2.push(*note);
                }
                CollectedNote::Stray(stray) => {
                    self.held += size_of::<UnownedLine>() + stray.raw.len();
                    if self.held > KEPT {
                        self.forgotten += 1;
                    } else {
                        self.strays.push(*stray);
                    }
                }
                CollectedNote::Session(mark) if mark.begins => {
                    let (process, place) = (mark.process, mark.place);
                    if let Some((began, came)) = self.open.insert(process, (mark, Vec::new())) {
                        self.close(began, came, None, Some(place), refused);
                    }
                }
                CollectedNote::Session(mark) => {
                    if let Some((began, came)) = self.open.remove(&mark.process) {
                        let place = mark.place;
                        self.close(began, came, Some(mark), Some(place), refused);
                    }
                }
            }
        }
    }

    /// The lines of a session go to what was said in it, before `until`.
    fn close(
        &mut self,
        began: SessionMark,
        came: ArrivalTime,
        ended: Option<SessionMark>,
        until: Option<LineOffset>,
        refused: &mut [RejectedSession],
    ) {
        let after = began.place;
        let places = self.refused.get(&began.process).map(Vec::as_slice).unwrap_or_default();
        let first = places.partition_point(|&(place, _)| place < after);
        let inside =
            places.iter().skip(first).take_while(|&&(place, _)| until.is_none_or(|until| place < until));
        let mut lines = vec![(began.moment, began.place, began.raw)];
        lines.extend(ended.map(|ended| (ended.moment, ended.place, ended.raw)));
        for &(_, number) in inside {
            if let Some(session) = refused.get_mut(number) {
                session.lines.extend(lines.iter().cloned());
            }
        }
        for (key, place) in came {
            let notes = self.notes.get_mut(&key).map(|(_, _, notes)| notes);
            if let Some(note) = notes.and_then(|notes| notes.iter_mut().find(|note| note.place == place)) {
                note.session.clone_from(&lines);
            }
        }
    }

    /// Those of one queue id follow each other; else in no order.
    pub(crate) fn finish(mut self, refused: &mut [RejectedSession]) -> Vec<MessageLifetime> {
        let mut open: Vec<_> = std::mem::take(&mut self.open).into_values().collect();
        open.sort_by_key(|(began, _)| began.place);
        for (began, came) in open {
            self.close(began, came, None, None, refused);
        }
        let mut lives: Vec<MessageLifetime> = Vec::new();
        for (id, origin, notes) in self.notes.into_values() {
            lives.extend(split(&id, &origin, notes));
        }
        // The table has an order of its own.
        lives.sort_by_key(|life| {
            (life.span.map(|(began, _)| began), life.notes.first().map(|note| note.place))
        });
        for stray in self.strays {
            let at = micros(stray.moment);
            let near = |life: &&mut MessageLifetime| {
                let inside =
                    |at: i64| life.span.is_some_and(|(began, last)| began - NEAR <= at && at <= last + NEAR);
                life.id == stray.id && life.origin.host == stray.host && at.is_none_or(inside)
            };
            // Of two messages of one id the later one that there was by then.
            if let Some(life) = lives.iter_mut().rev().find(near) {
                life.notes.push(MessageNote::of_stray((stray.moment, stray.place, stray.raw)));
            }
        }
        lives
    }
}

/// A queue id is used again when its message is gone.
fn split(id: &str, origin: &QueueOwner, mut notes: Vec<MessageNote>) -> Vec<MessageLifetime> {
    // Files may come in another order than their lines were written; what shows no time stays behind its neighbour.
    let mut time = i64::MIN;
    let mut timed: Vec<(i64, MessageNote)> = Vec::with_capacity(notes.len());
    notes.sort_by_key(|note| note.place);
    for note in notes {
        time = micros(note.moment).unwrap_or(time);
        timed.push((time, note));
    }
    timed.sort_by_key(|(time, note)| (*time, note.place));
    let mut lives: Vec<MessageLifetime> = Vec::new();
    for (_, note) in timed {
        let ends = lives.last().is_none_or(|life| life.is_over_before(&note));
        if ends {
            lives.push(MessageLifetime {
                id: id.to_owned(),
                origin: origin.clone(),
                notes: Vec::new(),
                known: MessageMetadata::default(),
                span: None,
                ended: false,
                fits: false,
            });
        }
        if let Some(life) = lives.last_mut() {
            life.take(note);
        }
    }
    lives
}

impl MessageLifetime {
    /// The note is of another message of the same queue id.
    fn is_over_before(&self, note: &MessageNote) -> bool {
        let NoteKind::Fact { step, known } = &note.said else { return false };
        let came = |note: &MessageNote| {
            matches!(note.said, NoteKind::Fact { step: Progress::Received | Progress::Notice, .. })
        };
        match step {
            Progress::Received | Progress::Notice if mta::reuses_queue_ids(self.origin.mta) => {
                self.ended || self.notes.iter().any(|note| !matches!(note.said, NoteKind::Routine))
            }
            Progress::Received | Progress::Notice => self.ended || self.notes.iter().any(came),
            Progress::MessageIdAssigned => self.ended,
            Progress::Queued => self.ended || self.known.is_of_another(known),
            Progress::Held
            | Progress::Released
            | Progress::Deleted
            | Progress::Returned
            | Progress::Requeued
            | Progress::Removed => false,
        }
    }

    fn take(&mut self, note: MessageNote) {
        match &note.said {
            NoteKind::Fact { step, known } => {
                self.known.update(MessageMetadata::clone(known));
                self.ended |= matches!(step, Progress::Deleted | Progress::Requeued | Progress::Removed);
            }
            NoteKind::Event { .. } | NoteKind::Notice(_) | NoteKind::Routine => {}
        }
        if let Some(at) = micros(note.moment) {
            self.span = Some((self.span.map_or(at, |(began, _)| began), at));
        }
        self.fits |= note.fits;
        self.notes.push(note);
    }

    /// The filter admits an event of it.
    pub(crate) fn is_admitted(&self, filter: &crate::pipeline::filter::Filter) -> bool {
        let early = |note: &MessageNote| match &note.said {
            NoteKind::Event { sender, admitted, .. } => {
                let sender = sender.as_deref().or(self.known.sender.as_deref());
                *admitted && filter.admits_sender(sender.map(str::as_bytes))
            }
            NoteKind::Fact { .. } | NoteKind::Notice(_) | NoteKind::Routine => false,
        };
        filter.is_empty() || self.notes.iter().any(early)
    }
}

/// In microseconds: so much may lie between the line that names a message and the lines of that.
const NEAR: i64 = 120_000_000;

/// Puts the lives together that are one message: each with its root. The lives are in the order of time.
pub(crate) fn groups(lives: &[MessageLifetime]) -> Vec<usize> {
    let mut by_id: HashMap<&str, Vec<usize>> = HashMap::new();
    for (number, life) in lives.iter().enumerate() {
        by_id.entry(&life.id).or_default().push(number);
    }
    let mut groups = UnionFind::new(lives.len());
    for (number, life) in lives.iter().enumerate() {
        for note in &life.notes {
            let Some((tie, other)) = &note.other else { continue };
            let at = micros(note.moment).or(life.span.map(|(_, last)| last));
            let candidates = by_id.get(other.as_str()).map(Vec::as_slice).unwrap_or_default();
            let fits = |&&other: &&usize| {
                other != number && lives.get(other).is_some_and(|other| agree(life, *tie, other, at))
            };
            // Of several the latest that there was by then.
            if let Some(&other) = candidates.iter().rev().find(fits) {
                groups.join(number, other);
            }
        }
    }
    groups.into_roots()
}

/// `at` is when the line that names `other` was written. Without times, two lives count as of the same time.
fn agree(life: &MessageLifetime, tie: Relation, other: &MessageLifetime, at: Option<i64>) -> bool {
    let (was_there, has_just_begun) = match (other.span, at) {
        (Some((began, last)), Some(at)) => (
            began <= at.saturating_add(NEAR) && last >= at.saturating_sub(NEAR),
            began.abs_diff(at) < NEAR.unsigned_abs(),
        ),
        (None, None) => (true, true),
        (Some(_), None) | (None, Some(_)) => (false, false),
    };
    match tie {
        Relation::ForwardedTo | Relation::MadeFrom => {
            let ids = life.known.message_id.as_ref().zip(other.known.message_id.as_ref());
            was_there && ids.is_none_or(|(own, other)| own == other)
        }
        Relation::NotifiedBy => other.known.sender.as_deref().is_none_or(str::is_empty) && has_just_begun,
        // The notification comes while the message is there.
        Relation::NotifiesAbout => was_there,
    }
}
