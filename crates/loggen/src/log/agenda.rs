//! Schedules future steps and returns them in the order of time (a binary heap).

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A priority queue of steps; steps of the same millisecond keep the order in which they were added.
pub(crate) struct Agenda<Step> {
    heap: BinaryHeap<Reverse<(u64, u64, usize)>>,
    steps: Vec<Option<Step>>,
    free: Vec<usize>,
    count: u64,
}

impl<Step> Agenda<Step> {
    pub(crate) const fn new() -> Self {
        Self { heap: BinaryHeap::new(), steps: Vec::new(), free: Vec::new(), count: 0 }
    }

    pub(crate) fn push(&mut self, at: u64, step: Step) {
        let place = self.free.pop().unwrap_or_else(|| {
            self.steps.push(None);
            self.steps.len() - 1
        });
        self.steps[place] = Some(step);
        self.count += 1;
        self.heap.push(Reverse((at, self.count, place)));
    }

    /// Removes and returns the earliest step if its time is not after `now`.
    pub(crate) fn due(&mut self, now: u64) -> Option<(u64, Step)> {
        let &Reverse((at, _, place)) = self.heap.peek()?;
        if at > now {
            return None;
        }
        self.heap.pop();
        self.free.push(place);
        Some((at, self.steps[place].take()?))
    }
}
