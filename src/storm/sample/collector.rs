//! Collects from each block counts by the minute and a sample of its events.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::block_sample::{Behind, Cell, Left, Page, Pick, Piece};
use super::series::Series;
use crate::messages::hop::is_private;
use crate::messages::key::{Keys, Plain};
use crate::parse::header::Line;
use crate::parse::mta;
use crate::parse::mta::queue_record::Step;
use crate::pipeline::filter::Filter;
use crate::pipeline::walk::{Listener, Noted, Place, Told};
use crate::smtp::event::{Direction, Event};

/// Failures kept of one kind in one minute.
pub const FAILED_KEPT: usize = 16;
/// Of what went well, for its share of senders and the like.
pub const SERVED_KEPT: usize = 3;
/// Of a line kept as an example, in bytes.
const EXAMPLE_LIMIT: usize = 400;

/// One a thread.
pub struct Collector<'a> {
    keys: Keys,
    filter: &'a Filter,
    tracks: HashMap<u64, Track, Plain>,
    places: HashMap<(i32, Series), u32, FixedState>,
    /// Where the cell stands that was counted last.
    last: Option<((i32, Series), u32)>,
    page: Page,
}

/// What a block knows of a message.
#[derive(Clone, Copy, Default)]
struct Track {
    behind: Behind,
    /// It came in this block.
    is_new: bool,
    /// The block alone knows all of it.
    is_complete: bool,
    is_over: bool,
}

impl<'a> Collector<'a> {
    /// `keys` are made with the same seed in all threads of a run.
    pub fn new(keys: Keys, filter: &'a Filter) -> Self {
        Self {
            keys,
            filter,
            tracks: HashMap::default(),
            places: HashMap::default(),
            last: None,
            page: Page::default(),
        }
    }

    /// Counts, and tells whether an event with this hash belongs to the sample.
    fn count(&mut self, minute: i32, series: Series, hash: u64) -> Option<usize> {
        let key = (minute, series);
        let at = match self.last {
            Some((last, at)) if last == key => at,
            _ => *self.places.entry(key).or_insert_with(|| {
                self.page.cells.push(Cell { minute, series, count: 0, picks: Vec::new() });
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

    fn pick(&mut self, cell: usize, pick: Pick) {
        if let Some(cell) = self.page.cells.get_mut(cell) {
            cell.picks.push(pick);
        }
    }

    fn frame(&mut self, line: &Line) -> (Piece, Piece) {
        let host = self.page.keep(Some(line.host).filter(|host| !host.is_empty()));
        let instance = Some(line.instance_or_program()).filter(|name| !name.is_empty());
        (host, self.page.keep(instance))
    }
}

/// The sample is the same for the same logs, whatever the threads: by the place, and by nothing that a run chooses.
fn hash(place: Place) -> u64 {
    FixedState::with_seed(0x5f0e).hash_one((place.file as u64, place.offset))
}

/// As whom a client tried to log in: `sasl_username=anna@example.org` of Postfix, `(set_id=anna)` of Exim.
fn named_user<'a>(event: &Event<'a>) -> Option<&'a [u8]> {
    let (_, rest) =
        [&b"sasl_username="[..], b"set_id="].iter().find_map(|mark| mta::parsed::cut(event.text, mark))?;
    let end = rest.iter().position(|byte| matches!(byte, b',' | b')' | b' ')).unwrap_or(rest.len());
    rest.get(..end).filter(|user| !user.is_empty())
}

/// `private/dovecot-lmtp`, 127.0.0.1:10024, 10.0.0.5: a part of this server's own mail system.
fn is_near(event: &Event, line: &Line) -> bool {
    let inside = event.peer.ip.is_some_and(is_private);
    let daemon = line.program.rsplit(|&byte| byte == b'/').next();
    let socket = event.peer.host.is_some_and(|host| host.contains(&b'/'));
    event.direction == Direction::Local || inside || socket || daemon == Some(b"lmtp")
}

impl Listener for Collector<'_> {
    type Handover = Page;

    fn event(&mut self, told: &Told) {
        let event = told.event;
        let Some(series) = Series::of(told) else { return };
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
        let own = Behind {
            sender: self.page.keep(event.sender),
            user: self.page.keep(named_user(event).filter(|_| inbound)),
            client: Piece::default(),
        };
        behind.learn(own);
        let peer =
            if inbound { event.peer.ip.or(event.peer.host) } else { event.peer.host.or(event.peer.ip) };
        let (host, instance) = self.frame(told.line);
        let raw = told.raw.get(..EXAMPLE_LIMIT).unwrap_or(told.raw);
        let is_first = |cell: &Cell| cell.picks.iter().all(|pick| pick.hash > hash);
        let is_example = !series.is_served() && self.page.cells.get(cell).is_some_and(is_first);
        let pick = Pick {
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

    fn fact(&mut self, noted: &Noted) {
        let fact = noted.fact;
        let key = self.keys.key(fact.mta, noted.line, fact.queue_id);
        let begins = match fact.step {
            Step::Came => true,
            Step::Notice if mta::is_queued_on_arrival(fact.mta) => true,
            Step::Queued => false,
            Step::Named | Step::Notice | Step::Held | Step::Released | Step::Returned => return,
            Step::Gone | Step::Deleted | Step::Renamed => {
                let is_new = self.tracks.get(&key).is_some_and(|track| track.is_new);
                self.tracks
                    .insert(key, Track { is_complete: true, is_over: true, is_new, ..Track::default() });
                return;
            }
        };
        // A message is taken up again for each retry, and always says the same.
        let is_known = |track: &Track| track.behind.sender.start > 0;
        if !begins && self.tracks.get(&key).is_some_and(is_known) {
            return;
        }
        let context = mta::context(fact);
        let said = Behind {
            sender: self.page.keep(context.sender),
            user: self.page.keep(context.user),
            client: self.page.keep(context.client),
        };
        let track = self.tracks.entry(key).or_default();
        if begins {
            *track = Track { is_complete: true, is_new: true, ..Track::default() };
        } else if track.is_over {
            track.is_over = false;
        }
        track.behind.learn(said);
        let behind = track.behind;
        // What a program on this host sends comes also while nobody reaches it.
        let is_taken = begins && behind.client.start > 0 && self.filter.is_empty();
        let (Some(minute), true) = (noted.minute, is_taken) else { return };
        let hash = hash(noted.place);
        let Some(cell) = self.count(minute as i32, Series::TAKEN, hash) else { return };
        let (host, instance) = self.frame(noted.line);
        let pick = Pick {
            hash,
            key,
            is_open: false,
            recipient: Piece::default(),
            host,
            instance,
            peer: behind.client,
            behind: Behind { client: Piece::default(), ..behind },
            raw: Piece::default(),
            stage: None,
            provider: None,
            is_near: false,
            mta: fact.mta,
        };
        self.pick(cell, pick);
    }

    fn end_of_block(&mut self, _file: usize, _lines: u64) -> Page {
        self.last = None;
        self.places.clear();
        for (key, track) in self.tracks.drain() {
            // Most messages come and go within a block, and nobody asks for them again.
            if track.is_new && track.is_over {
                continue;
            }
            self.page.left.push(Left {
                key,
                behind: track.behind,
                is_complete: track.is_complete,
                is_over: track.is_over,
            });
        }
        std::mem::take(&mut self.page)
    }
}
