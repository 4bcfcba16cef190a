//! Collects from each block counts by the minute and a sample of its events.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::block_sample::{BlockSample, MessageSource, MinuteCell, OpenSource, SampledEvent, TextPiece};
use super::series::CountSeries;
use crate::messages::hop::is_private;
use crate::messages::key::{KeyHasher, PrehashedState};
use crate::parse::header::LogLine;
use crate::parse::mta;
use crate::parse::mta::queue_record::QueueStep;
use crate::pipeline::filter::Filter;
use crate::pipeline::sink::{EventSink, LineOffset, LoggedEvent, LoggedQueueRecord};
use crate::smtp::event::{Direction, Event};

/// Failures kept of one kind in one minute.
pub(crate) const FAILED_KEPT: usize = 16;
/// Of what went well, for its share of senders and the like.
pub(crate) const SERVED_KEPT: usize = 3;
/// Of a line kept as an example, in bytes.
const EXAMPLE_LIMIT: usize = 400;

/// One a thread.
pub(crate) struct Sampler<'a> {
    keys: KeyHasher,
    filter: &'a Filter,
    tracks: HashMap<u64, SampledMessage, PrehashedState>,
    places: HashMap<(i32, CountSeries), u32, FixedState>,
    /// Where the cell stands that was counted last.
    last: Option<((i32, CountSeries), u32)>,
    page: BlockSample,
}

/// What a block knows of a message.
#[derive(Clone, Copy, Default)]
struct SampledMessage {
    behind: MessageSource,
    /// It came in this block.
    is_new: bool,
    /// The block alone knows all of it.
    is_complete: bool,
    is_over: bool,
}

impl<'a> Sampler<'a> {
    /// `keys` are made with the same seed in all threads of a run.
    pub(crate) fn new(keys: KeyHasher, filter: &'a Filter) -> Self {
        Self {
            keys,
            filter,
            tracks: HashMap::default(),
            places: HashMap::default(),
            last: None,
            page: BlockSample::default(),
        }
    }

    /// Counts, and tells whether an event with this hash belongs to the sample.
    fn count(&mut self, minute: i32, series: CountSeries, hash: u64) -> Option<usize> {
        let key = (minute, series);
        let at = match self.last {
            Some((last, at)) if last == key => at,
            _ => *self.places.entry(key).or_insert_with(|| {
                self.page.cells.push(MinuteCell { minute, series, count: 0, picks: Vec::new() });
                self.page.cells.len() as u32 - 1
            }),
        };
        self.last = Some((key, at));
        let cell = self.page.cells.get_mut(at as usize)?;
        cell.count += 1;
        let limit = if self.filter.asks_for_sender() {
            usize::MAX
        } else if series.is_served() {
            SERVED_KEPT
        } else {
            FAILED_KEPT
        };
        if cell.picks.len() < limit {
            return Some(at as usize);
        }
        let worst = (0..cell.picks.len()).max_by_key(|&at| cell.picks.get(at).map(|pick| pick.hash))?;
        if cell.picks.get(worst)?.hash <= hash {
            return None;
        }
        cell.picks.swap_remove(worst);
        Some(at as usize)
    }

    fn pick(&mut self, cell: usize, pick: SampledEvent) {
        if let Some(cell) = self.page.cells.get_mut(cell) {
            cell.picks.push(pick);
        }
    }

    fn frame(&mut self, line: &LogLine) -> (TextPiece, TextPiece) {
        let host = self.page.keep(Some(line.host).filter(|host| !host.is_empty()));
        let instance = Some(line.instance_or_program()).filter(|name| !name.is_empty());
        (host, self.page.keep(instance))
    }
}

/// The sample is the same for the same logs, whatever the threads: by the place, and by nothing that a run chooses.
fn hash(place: LineOffset) -> u64 {
    FixedState::with_seed(0x5f0e).hash_one((place.file as u64, place.offset))
}

/// As whom a client tried to log in: `sasl_username=anna@example.org` of Postfix, `(set_id=anna)` of Exim.
fn named_user<'a>(event: &Event<'a>) -> Option<&'a [u8]> {
    let (_, rest) = [&b"sasl_username="[..], b"set_id="]
        .iter()
        .find_map(|mark| mta::parsed::split_once(event.text, mark))?;
    let end = rest.iter().position(|byte| matches!(byte, b',' | b')' | b' ')).unwrap_or(rest.len());
    rest.get(..end).filter(|user| !user.is_empty())
}

/// `private/dovecot-lmtp`, 127.0.0.1:10024, 10.0.0.5: a part of this server's own mail system.
fn is_near(event: &Event, line: &LogLine) -> bool {
    let inside = event.peer.ip.is_some_and(is_private);
    let daemon = line.program.rsplit(|&byte| byte == b'/').next();
    let socket = event.peer.host.is_some_and(|host| host.contains(&b'/'));
    event.direction == Direction::Local || inside || socket || daemon == Some(b"lmtp")
}

impl EventSink for Sampler<'_> {
    type BlockOutput = BlockSample;

    fn event(&mut self, told: &LoggedEvent) {
        let event = told.event;
        let Some(series) = CountSeries::of(told) else { return };
        let Some(moment) = told.moment else {
            self.page.undated += 1;
            return;
        };
        let hash = hash(told.place);
        let Some(cell) = self.count(moment.minute() as i32, series, hash) else { return };
        let key = event.queue_id.map_or(0, |id| self.keys.key(event.mta, told.line, id));
        let track = self.tracks.get(&key).copied().unwrap_or_default();
        let mut behind = track.behind;
        let inbound = event.direction == Direction::Inbound;
        let own = MessageSource {
            sender: self.page.keep(event.sender),
            user: self.page.keep(named_user(event).filter(|_| inbound)),
            client: TextPiece::default(),
        };
        behind.learn(own);
        let peer =
            if inbound { event.peer.ip.or(event.peer.host) } else { event.peer.host.or(event.peer.ip) };
        let (host, instance) = self.frame(told.line);
        let raw = told.raw.get(..EXAMPLE_LIMIT).unwrap_or(told.raw);
        let is_first = |cell: &MinuteCell| cell.picks.iter().all(|pick| pick.hash > hash);
        let is_example = !series.is_served() && self.page.cells.get(cell).is_some_and(is_first);
        let pick = SampledEvent {
            hash,
            key,
            is_open: key != 0 && !track.is_complete,
            recipient: self.page.keep(event.recipient),
            host,
            instance,
            peer: self.page.keep(peer),
            behind,
            raw: self.page.keep(Some(raw).filter(|_| is_example)),
            stage: event.stage,
            provider: if series.is_served() { told.provider() } else { None },
            is_near: is_near(event, told.line),
            mta: event.mta,
        };
        self.pick(cell, pick);
    }

    fn queue_record(&mut self, noted: &LoggedQueueRecord) {
        let fact = noted.record;
        let key = self.keys.key(fact.mta, noted.line, fact.queue_id);
        let begins = match fact.step {
            QueueStep::Received => true,
            QueueStep::Notice if mta::is_queued_on_arrival(fact.mta) => true,
            QueueStep::Queued => false,
            QueueStep::MessageIdAssigned
            | QueueStep::Notice
            | QueueStep::Held
            | QueueStep::Released
            | QueueStep::Returned => return,
            QueueStep::Removed | QueueStep::Deleted | QueueStep::Requeued => {
                let is_new = self.tracks.get(&key).is_some_and(|track| track.is_new);
                self.tracks.insert(
                    key,
                    SampledMessage { is_complete: true, is_over: true, is_new, ..SampledMessage::default() },
                );
                return;
            }
        };
        // A message is taken up again for each retry, and always says the same.
        let is_known = |track: &SampledMessage| track.behind.sender.start > 0;
        if !begins && self.tracks.get(&key).is_some_and(is_known) {
            return;
        }
        let context = mta::message_fields(fact);
        let said = MessageSource {
            sender: self.page.keep(context.sender),
            user: self.page.keep(context.user),
            client: self.page.keep(context.client),
        };
        let track = self.tracks.entry(key).or_default();
        if begins {
            *track = SampledMessage { is_complete: true, is_new: true, ..SampledMessage::default() };
        } else if track.is_over {
            track.is_over = false;
        }
        track.behind.learn(said);
        let behind = track.behind;
        // What a program on this host sends comes also while nobody reaches it.
        let is_taken = begins && behind.client.start > 0 && self.filter.is_empty();
        let (Some(minute), true) = (noted.minute, is_taken) else { return };
        let hash = hash(noted.place);
        let Some(cell) = self.count(minute as i32, CountSeries::TAKEN, hash) else { return };
        let (host, instance) = self.frame(noted.line);
        let pick = SampledEvent {
            hash,
            key,
            is_open: false,
            recipient: TextPiece::default(),
            host,
            instance,
            peer: behind.client,
            behind: MessageSource { client: TextPiece::default(), ..behind },
            raw: TextPiece::default(),
            stage: None,
            provider: None,
            is_near: false,
            mta: fact.mta,
        };
        self.pick(cell, pick);
    }

    fn end_of_block(&mut self, _file: usize, _lines: u64) -> BlockSample {
        self.last = None;
        self.places.clear();
        for (key, track) in self.tracks.drain() {
            // Most messages come and go within a block, and nobody asks for them again.
            if track.is_new && track.is_over {
                continue;
            }
            self.page.left.push(OpenSource {
                key,
                behind: track.behind,
                is_complete: track.is_complete,
                is_over: track.is_over,
            });
        }
        std::mem::take(&mut self.page)
    }
}
