//! Weighs the evidence of views: events that are not independent of each other share a group, and add less and less to it.

use std::hash::{Hash, Hasher};

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::catalog::ReasonKin;
use crate::report::storm::Dimension;
use crate::storm::sample::line_minutes::DAY;
use crate::storm::sample::points::{MailFlow, WeightedEvent};

/// A unit of a view.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct EvidenceUnit {
    pub minute: i32,
    /// The independent evidence that it stands for.
    pub weight: f64,
    /// The number of events that it stands for.
    pub events: f64,
    /// Index of its event.
    pub at: u32,
}

/// What views need of an event: a small part of its size, since each view gathers its events from the whole log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EvidenceRow {
    pub minute: i32,
    pub kin: Option<ReasonKin>,
    /// The number of its group, from 1 on. 0: it shares no group in any view, as most events do.
    group: u32,
    /// The same for its repeats. 0: it is none, or `group` is 0.
    repeat: u32,
    /// The number of events that it stands for.
    pub weight: f64,
}

/// One row for each event of the log.
pub(crate) struct EvidenceTable {
    rows: Vec<EvidenceRow>,
    /// The numbers of groups and of repeats.
    groups: usize,
    repeats: usize,
    /// [`group_weight`] of small numbers: nearly all events stand for one.
    small: Vec<f64>,
}

/// What is no independent evidence: the recipients of one message, or a client's rejections in one minute.
#[derive(Clone, Copy, PartialEq, Eq)]
struct EvidenceGroup(MailFlow, u64, i32);

impl Hash for EvidenceGroup {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.1 ^ (self.2 as u64) << 40 ^ (self.0 as u64) << 62);
    }
}

/// The group of an event. `None`: it stands alone.
fn group(point: &WeightedEvent) -> Option<EvidenceGroup> {
    let group = match point.flow {
        // A fault of this server is one piece of evidence a minute, however many lines tell of it.
        MailFlow::In if point.sample.marks.is_own_fault => {
            let reason = point.value(Dimension::Reason) | 1 << 40;
            EvidenceGroup(MailFlow::In, reason, point.sample.minute)
        }
        MailFlow::Out => EvidenceGroup(MailFlow::Out, point.sample.message, 0),
        MailFlow::In => EvidenceGroup(MailFlow::In, point.value(Dimension::Client), point.sample.minute),
    };
    (group.1 != 0).then_some(group)
}

/// A client, a sender, a recipient and a day: the same again is hardly new evidence.
type Repeat = (u64, u64, u64, i32);

fn repeat(point: &WeightedEvent) -> Option<Repeat> {
    if point.flow == MailFlow::Out {
        return None;
    }
    let recipient = point.value(Dimension::Recipient);
    let client = point.value(Dimension::Client);
    (recipient != 0 && client != 0).then(|| {
        let day = point.sample.minute.div_euclid(DAY);
        (client, point.value(Dimension::Sender), recipient, day)
    })
}

/// The weight of the first `count` units of one group, of which each further one tells less: the k-th weighs θ / (θ + k - 1)
/// with θ = 2. One message with forty dead recipients is a handful of evidence. This is the harmonic sum as a continuous
/// function, so that a unit may stand for several.
fn group_weight(count: f64) -> f64 {
    2.0 * ((count + 1.5) / 1.5).ln() / 1.021_651
}

/// Numbers keys of which an event is the first with its key, if others follow. The events are given by the index of the
/// first one.
#[derive(Default)]
struct SharedNumbers {
    /// By event: its number plus one, or 0.
    numbers: Vec<u32>,
    count: u32,
}

impl SharedNumbers {
    fn number(&mut self, first: u32) -> u32 {
        let Some(number) = self.numbers.get_mut(first as usize) else { return 0 };
        if *number == 0 {
            self.count += 1;
            *number = self.count;
        }
        *number
    }
}

impl EvidenceTable {
    pub(crate) fn new(points: &[WeightedEvent]) -> Self {
        let mut first_of_group: HashMap<EvidenceGroup, u32, FixedState> =
            HashMap::with_capacity_and_hasher(points.len(), FixedState::default());
        let mut first_repeat: HashMap<Repeat, u32, FixedState> = HashMap::default();
        // The first event of the group and of the repeats of each event, or itself.
        let mut firsts: Vec<(u32, u32)> = Vec::with_capacity(points.len());
        let mut is_shared = vec![false; points.len()];
        let mut rows: Vec<EvidenceRow> = Vec::with_capacity(points.len());
        for (at, point) in (0..).zip(points) {
            let row = EvidenceRow {
                minute: point.sample.minute,
                kin: point.kin,
                group: 0,
                repeat: 0,
                weight: point.weight,
            };
            rows.push(row);
            let is_member = point.is_unit || point.flow == MailFlow::Out;
            let (group, repeat) = if is_member { (group(point), repeat(point)) } else { (None, None) };
            let mut share = |other: u32| {
                if other != at {
                    for at in [at, other] {
                        if let Some(is_shared) = is_shared.get_mut(at as usize) {
                            *is_shared = true;
                        }
                    }
                }
                other
            };
            let first = group.map_or(NONE, |group| share(*first_of_group.entry(group).or_insert(at)));
            let again = repeat.map_or(NONE, |repeat| share(*first_repeat.entry(repeat).or_insert(at)));
            firsts.push((first, again));
        }
        let numbers = || SharedNumbers { numbers: vec![0; points.len()], count: 0 };
        let (mut groups, mut repeats) = (numbers(), numbers());
        for ((row, (first, again)), _) in
            rows.iter_mut().zip(firsts).zip(is_shared).filter(|(_, is_shared)| *is_shared)
        {
            row.group = groups.number(first);
            row.repeat = if row.group == 0 { 0 } else { repeats.number(again) };
        }
        Self {
            rows,
            groups: groups.count as usize,
            repeats: repeats.count as usize,
            small: (0..SMALL).map(|count| group_weight(f64::from(count))).collect(),
        }
    }

    /// The row of an event.
    #[inline]
    pub(crate) fn row(&self, at: u32) -> Option<&EvidenceRow> {
        self.rows.get(at as usize)
    }

    /// [`group_weight`], from the table if it can be.
    #[inline]
    fn group_weight(&self, count: f64) -> f64 {
        let small = count as u32;
        let known = self.small.get(small as usize).filter(|_| count.fract() == 0.0);
        known.copied().unwrap_or_else(|| group_weight(count))
    }
}

/// An event without a group.
const NONE: u32 = u32::MAX;
/// The numbers of events in a group whose weight is kept.
const SMALL: u32 = 64;

/// The events of a group in the view that is being weighed.
#[derive(Clone, Copy, Default)]
struct GroupSum {
    /// The view.
    round: u32,
    /// The number of its units.
    units: u32,
    /// The number of their events so far, and its weight.
    events: f64,
    weight: f64,
}

impl GroupSum {
    /// Adds events to a group, and returns the weight that they add.
    fn step(&mut self, events: f64, weight: impl Fn(f64) -> f64) -> f64 {
        let before = self.weight;
        self.events += events;
        self.weight = weight(self.events);
        self.weight - before
    }
}

/// Weighs the units of one view after another.
pub(crate) struct Weigher<'a> {
    table: &'a EvidenceTable,
    /// The number of the view.
    round: u32,
    groups: Vec<GroupSum>,
    repeats: Vec<GroupSum>,
}

/// The sum of a group in this round.
fn sum_of(sums: &mut [GroupSum], number: u32, round: u32) -> Option<&mut GroupSum> {
    let sum = sums.get_mut(number as usize)?;
    if sum.round != round {
        *sum = GroupSum { round, ..GroupSum::default() };
    }
    Some(sum)
}

impl<'a> Weigher<'a> {
    pub(crate) fn new(table: &'a EvidenceTable) -> Self {
        Self { table, round: 0, groups: Vec::new(), repeats: Vec::new() }
    }

    /// Replaces `units` by the units of a view whose events have these indices, in the order of time.
    pub(crate) fn weigh(&mut self, members: impl Iterator<Item = u32>, units: &mut Vec<EvidenceUnit>) {
        units.clear();
        let mut is_shared = false;
        units.reserve(members.size_hint().0);
        for at in members {
            let Some(row) = self.table.row(at) else { continue };
            is_shared |= row.group != 0;
            units.push(EvidenceUnit { minute: row.minute, weight: row.weight, events: row.weight, at });
        }
        if is_shared {
            self.weigh_groups(units);
        }
    }

    fn weigh_groups(&mut self, units: &mut [EvidenceUnit]) {
        let Self { table, round, groups, repeats } = self;
        if groups.is_empty() {
            *groups = vec![GroupSum::default(); table.groups + 1];
            *repeats = vec![GroupSum::default(); table.repeats + 1];
        }
        *round += 1;
        let grouped = |at: u32| table.row(at).filter(|row| row.group != 0);
        for row in units.iter().filter_map(|unit| grouped(unit.at)) {
            if let Some(sum) = sum_of(groups, row.group, *round) {
                sum.units += 1;
            }
        }
        let weight = |count: f64| table.group_weight(count);
        for unit in units {
            let Some(row) = grouped(unit.at) else { continue };
            let Some(sum) = sum_of(groups, row.group, *round) else { continue };
            // A single event of the sample that stands for many is taken for many groups.
            let own = if sum.units == 1 { row.weight } else { sum.step(row.weight, weight) };
            unit.weight = match row.repeat {
                0 => own,
                repeat => {
                    let new = sum_of(repeats, repeat, *round).map_or(1.0, |sum| sum.step(1.0, weight));
                    own.min(new * row.weight)
                }
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_with_many_recipients_is_a_handful_of_evidence() {
        let mut sum = GroupSum::default();
        assert!((sum.step(1.0, group_weight) - 1.0).abs() < 1e-6);
        let all: f64 = (1..40).map(|_| sum.step(1.0, group_weight)).sum();
        assert!((5.0..7.0).contains(&(all + 1.0)), "{all}");
        assert!(group_weight(0.0).abs() < 1e-9);
    }
}
