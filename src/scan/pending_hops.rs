//! Stores hand-offs until it is known whether the message appears again, and then counts them.

use hashbrown::HashSet;
use serde::{Deserialize, Serialize};

use crate::catalog::Catalog;
use crate::collections::wire::ByteText;
use crate::messages::key::PrehashedState;
use crate::messages::recent_ids::{IdHash, is_among};
use crate::parse::header::LogLine;
use crate::parse::mta;
use crate::parse::mta::parsed::ParsedLine;
use crate::parse::timestamp::LogTime;
use crate::pipeline::sink::{EventSink, LineOffset, LoggedEvent};
use crate::smtp::event::Event;
use crate::tally::Tally;
use crate::tally::part_options::TallyOptions;
use crate::tally::wire::KeptTally;

/// Hand-offs that wait for a line with the new queue id, in the order of their lines.
#[derive(Default)]
pub(crate) struct PendingHandOffs {
    /// The lines without separators.
    text: Vec<u8>,
    pub lines: Vec<PendingHandOffLine>,
}

pub(crate) struct PendingHandOffLine {
    /// Where the line ends in the text.
    end: usize,
    place: LineOffset,
    /// Which event of its line it is.
    part: u32,
    moment: Option<LogTime>,
    /// The hash of the queue id that the hand-off created.
    pub copy: IdHash,
    /// What other lines of the message state. None: no line states it, or nothing depends on it.
    sender: Option<Box<[u8]>>,
    user: Option<Box<[u8]>>,
    client: Option<Box<[u8]>>,
    /// The host of a line that names none.
    host: Option<Box<[u8]>>,
    /// The text is not the line, but what it adds to a tally, as CBOR: the line names people and is not kept.
    is_counted: bool,
    /// Number of the first file of its part, for the places in these counts.
    files_before: usize,
}

/// A waiting hand-off as a part keeps it.
#[derive(Serialize, Deserialize)]
pub(crate) struct KeptHandOff {
    line: ByteText,
    place: LineOffset,
    part: u32,
    moment: Option<LogTime>,
    copy: IdHash,
    sender: Option<ByteText>,
    user: Option<ByteText>,
    client: Option<ByteText>,
    host: Option<ByteText>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_counted: bool,
    #[serde(default, skip_serializing_if = "is_zero")]
    files_before: usize,
}

// serde wants a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl PendingHandOffs {
    /// Replaces each line by what it would add to a tally if it is a delivery. `count` makes the counts of a tally.
    pub(crate) fn into_counted(
        self,
        book: &Catalog,
        tally: impl Fn() -> Tally,
        count: impl Fn(Tally) -> KeptTally,
    ) -> Self {
        let (mut counted, mut start) = (Self::default(), 0);
        for line in self.lines {
            let raw = self.text.get(start..line.end).unwrap_or_default();
            start = line.end;
            if line.is_counted {
                counted.put_back(raw, line);
                continue;
            }
            let mut added = tally();
            delivered(&mut added, raw, &line, book);
            let mut bytes = Vec::new();
            ciborium::into_writer(&count(added), &mut bytes).expect("memory takes any bytes");
            let PendingHandOffLine { place, part, moment, copy, .. } = line;
            let hidden = PendingHandOffLine {
                end: 0,
                place,
                part,
                moment,
                copy,
                sender: None,
                user: None,
                client: None,
                host: None,
                is_counted: true,
                files_before: 0,
            };
            counted.put_back(&bytes, hidden);
        }
        counted
    }

    pub(crate) fn into_kept(self) -> Vec<KeptHandOff> {
        let kept = |text: Option<Box<[u8]>>| text.map(|text| ByteText(text.into_vec()));
        let mut start = 0;
        let lines = self.lines.into_iter().map(|line| {
            let raw = self.text.get(start..line.end).unwrap_or_default();
            start = line.end;
            let PendingHandOffLine { place, part, moment, copy, is_counted, files_before, .. } = line;
            let [sender, user, client, host] = [line.sender, line.user, line.client, line.host].map(kept);
            let line = raw.into();
            KeptHandOff {
                line,
                place,
                part,
                moment,
                copy,
                sender,
                user,
                client,
                host,
                is_counted,
                files_before,
            }
        });
        lines.collect()
    }

    /// `None`: counts are damaged.
    pub(crate) fn of_kept(kept: Vec<KeptHandOff>, options: &TallyOptions) -> Option<Self> {
        let mut pending = Self::default();
        let boxed = |text: Option<ByteText>| text.map(|text| text.0.into_boxed_slice());
        for kept in kept {
            let moved = |file: usize| file.saturating_add(options.files_before);
            let place = LineOffset { file: moved(kept.place.file), ..kept.place };
            let [sender, user, client, host] = [kept.sender, kept.user, kept.client, kept.host].map(boxed);
            if kept.is_counted {
                added(&kept.line.0, options)?;
            }
            let line = PendingHandOffLine {
                end: 0,
                place,
                part: kept.part,
                moment: kept.moment,
                copy: kept.copy,
                sender,
                user,
                client,
                host,
                is_counted: kept.is_counted,
                files_before: moved(kept.files_before),
            };
            pending.put_back(&kept.line.0, line);
        }
        Some(pending)
    }

    pub(crate) fn add(&mut self, logged: &LoggedEvent, copy: IdHash) {
        self.text.extend_from_slice(logged.raw);
        let owned = |text: Option<&[u8]>| text.map(Box::from);
        self.lines.push(PendingHandOffLine {
            end: self.text.len(),
            place: logged.place,
            part: logged.part,
            moment: logged.moment,
            copy,
            sender: owned(logged.event.sender),
            user: owned(logged.user),
            client: owned(logged.client),
            host: owned(logged.line.host_outside(logged.raw)),
            is_counted: false,
            files_before: 0,
        });
    }

    fn put_back(&mut self, raw: &[u8], line: PendingHandOffLine) {
        self.text.extend_from_slice(raw);
        self.lines.push(PendingHandOffLine { end: self.text.len(), ..line });
    }

    /// Counts hand-offs whose queue id was `found` as hops. With `all` it counts the rest as deliveries; otherwise
    /// they go on waiting.
    pub(crate) fn resolve(
        &mut self,
        found: &HashSet<IdHash, PrehashedState>,
        all: bool,
        tally: &mut Tally,
        (book, options): (&Catalog, &TallyOptions),
    ) {
        let lines_before = std::mem::take(self);
        let mut start = 0;
        for line in lines_before.lines {
            let end = line.end;
            let raw = lines_before.text.get(start..end).unwrap_or_default();
            start = end;
            if is_among(line.copy, found) {
                tally.hops += 1;
            } else if all && line.is_counted {
                let options = TallyOptions { files_before: line.files_before, ..options.clone() };
                if let Some(counts) = added(raw, &options) {
                    tally.merge(counts);
                }
            } else if all {
                delivered(tally, raw, &line, book);
            } else {
                self.put_back(raw, line);
            }
        }
    }

    pub(crate) fn append(&mut self, other: Self) {
        let before = self.text.len();
        self.text.extend_from_slice(&other.text);
        self.lines.extend(
            other.lines.into_iter().map(|line| PendingHandOffLine { end: line.end + before, ..line }),
        );
    }

    pub(crate) fn bytes(&self) -> usize {
        self.text.capacity() + self.lines.capacity() * size_of::<PendingHandOffLine>()
    }
}

/// What a hand-off adds to a tally. `None`: it is damaged.
fn added(counts: &[u8], options: &TallyOptions) -> Option<Tally> {
    let kept: KeptTally = ciborium::from_reader(counts).ok()?;
    kept.tally(options)
}

/// Counts a hand-off as a delivery.
fn delivered(tally: &mut Tally, raw: &[u8], line: &PendingHandOffLine, book: &Catalog) {
    let read = LogLine::read(raw).or_host(line.host.as_deref());
    let ParsedLine::Event(event) = mta::read(&read) else { return };
    let Some(event) = mta::event_of_part(&event, &read, line.part) else { return };
    let event = Event { sender: line.sender.as_deref(), ..event };
    tally.event(&LoggedEvent {
        place: line.place,
        line_in_block: 0,
        line: &read,
        raw,
        moment: line.moment,
        event: &event,
        part: line.part,
        // A delivery has no classification.
        verdict: None,
        user: line.user.as_deref(),
        client: line.client.as_deref(),
        book,
    });
}
