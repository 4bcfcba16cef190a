//! Finds pairs of addresses that answer each other, as two autoresponders do. Such mail is delivered, so no failure shows
//! it.

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::report::storm::Dimension;
use crate::storm::sample::points::{FactorValue, MailFlow, WeightedEvent};

/// Each of the two addresses sends at least this share of their mail.
const LEAST_SHARE: f64 = 0.2;

/// The two addresses, the smaller value first, and whether the smaller one is the sender. `None`: the mail was not
/// delivered, or one of the addresses is unknown.
fn pair(point: &WeightedEvent) -> Option<((FactorValue, FactorValue), bool)> {
    let (sender, recipient) = (point.value(Dimension::Sender), point.value(Dimension::Recipient));
    let is_delivered = point.flow == MailFlow::Out && point.sample.series.is_served();
    (is_delivered && sender != 0 && recipient != 0 && sender != recipient)
        .then(|| ((sender.min(recipient), sender.max(recipient)), sender < recipient))
}

/// The indices of the points of each pair that write to each other, counts_of_pairs at least twice, in ascending order.
pub(crate) fn exchanges(points: &[WeightedEvent]) -> Vec<Vec<usize>> {
    let mut counts_of_pairs: HashMap<(FactorValue, FactorValue), [u32; 2], FixedState> = HashMap::default();
    for (pair, is_smaller) in points.iter().filter_map(pair) {
        if let Some(count) = counts_of_pairs.entry(pair).or_default().get_mut(usize::from(is_smaller)) {
            *count += 1;
        }
    }
    counts_of_pairs.retain(|_, counts| counts.iter().all(|&count| count >= 2));
    let mut members: HashMap<(FactorValue, FactorValue), Vec<usize>, FixedState> = HashMap::default();
    for (at, point) in points.iter().enumerate() {
        if let Some((pair, _)) = pair(point).filter(|(pair, _)| counts_of_pairs.contains_key(pair)) {
            members.entry(pair).or_default().push(at);
        }
    }
    let mut members: Vec<_> = members.into_iter().collect();
    members.sort_unstable_by_key(|(pair, _)| *pair);
    members.into_iter().map(|(_, members)| members).collect()
}

/// The share of points that are mail between two addresses that answer each other, 0 to 1.
pub(crate) fn answered(points: &[&WeightedEvent]) -> f64 {
    let mut sums: HashMap<(FactorValue, FactorValue), [f64; 2], FixedState> = HashMap::default();
    for (pair, is_smaller) in points.iter().filter_map(|point| pair(point)) {
        if let Some(sum) = sums.entry(pair).or_default().get_mut(usize::from(is_smaller)) {
            *sum += 1.0;
        }
    }
    let mutual = sums.values().filter(|[a, b]| a.min(*b) >= LEAST_SHARE * (a + b));
    mutual.map(|[a, b]| a + b).sum::<f64>() / (points.len() as f64).max(1.0)
}
