//! Finds the queue ids that belong to one message: the connected components of the links, by breadth-first search.

use hashbrown::{HashMap, HashSet};

use super::search::{ScannedBlock, StampMatch};
use crate::messages::key::PrehashedState;

/// The largest number of links: 64 MiB, about as many as a log of 4 GiB has.
const MAX_LINKS: usize = 1 << 22;

/// An id that more than this many others name is no queue id: some servers reply to every message with the same word.
const MAX_NAMED_BY: usize = 16;

/// The queue ids that match, and the links between all queue ids; all as hashes.
#[derive(Default)]
pub(crate) struct LinkGraph {
    /// The last matching line of each id.
    hits: HashMap<u64, StampMatch, PrehashedState>,
    /// Pairs of ids, of which a line of the first names the second.
    links: Vec<(u64, u64)>,
    /// There were more links than are kept.
    pub is_full: bool,
}

/// The ids of one message, and the last line that matches.
pub(crate) struct LinkedIds {
    pub last: StampMatch,
    pub ids: Vec<u64>,
}

impl LinkGraph {
    /// Adds what a block shows; blocks must come in their order.
    pub(crate) fn add(&mut self, block: &mut ScannedBlock) {
        for (id, when) in block.hits.drain(..) {
            let last = self.hits.entry(id).or_insert(when);
            *last = when.max(*last);
        }
        let room = MAX_LINKS.saturating_sub(self.links.len());
        self.is_full |= block.links.len() > room;
        self.links.extend(block.links.drain(..).take(room));
    }

    /// The ids that belong together, in the order of their last matching lines.
    pub(crate) fn families(mut self) -> Vec<LinkedIds> {
        if self.hits.is_empty() {
            return Vec::new();
        }
        self.links.sort_unstable_by_key(|&(from, to)| (to, from));
        self.links.dedup();
        let hits = &self.hits;
        let named = self.links.chunk_by(|a, b| a.1 == b.1);
        let followed = named
            .filter(|links| links.len() <= MAX_NAMED_BY || links.iter().any(|(_, to)| hits.contains_key(to)));
        let back: Vec<(u64, u64)> = followed.flatten().copied().collect();
        let mut forth = back.clone();
        forth.sort_unstable();
        // Breadth-first search from each match along all links, in both directions.
        let mut seen: HashSet<u64, PrehashedState> = HashSet::default();
        let mut starts: Vec<(u64, StampMatch)> = self.hits.iter().map(|(&id, &when)| (id, when)).collect();
        starts.sort_unstable_by_key(|&(_, when)| when);
        let mut families = Vec::new();
        for &(start, _) in starts.iter().rev() {
            if !seen.insert(start) {
                continue;
            }
            let (mut ids, mut next) = (vec![start], 0);
            while let Some(&id) = ids.get(next) {
                next += 1;
                let first = forth.partition_point(|&(from, _)| from < id);
                let on = forth.iter().skip(first).take_while(|(from, _)| *from == id).map(|&(_, to)| to);
                let first = back.partition_point(|&(_, to)| to < id);
                let before = back.iter().skip(first).take_while(|(_, to)| *to == id).map(|&(from, _)| from);
                let new: Vec<u64> = on.chain(before).filter(|&id| seen.insert(id)).collect();
                ids.extend(new);
            }
            let last = ids.iter().filter_map(|id| self.hits.get(id)).max().copied();
            families.extend(last.map(|last| LinkedIds { last, ids }));
        }
        families.reverse();
        families.sort_by_key(|family| family.last);
        families
    }
}
