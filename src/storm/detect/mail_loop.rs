//! Two addresses that answer each other, as robots do: points come in, the pairs of them and their bursts go out. All of it
//! is delivered, so nothing fails, and the mail goes round until somebody looks.

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::report::storm::Dimension;
use crate::storm::sample::points::{FactorValue, MailFlow, WeightedEvent};

/// Each of the two has so much of the mail at least.
const EACH: f64 = 0.2;

/// The two, the smaller value first, and whether the smaller wrote. None: it did not go well, or one of them is not named.
fn pair(point: &WeightedEvent) -> Option<((FactorValue, FactorValue), bool)> {
    let (sender, recipient) = (point.value(Dimension::Sender), point.value(Dimension::Recipient));
    let went = point.way == MailFlow::Out && point.series.is_served();
    (went && sender != 0 && recipient != 0 && sender != recipient)
        .then(|| ((sender.min(recipient), sender.max(recipient)), sender < recipient))
}

/// Of each two that write to each other, the points, in order.
pub(crate) fn exchanges(points: &[WeightedEvent]) -> Vec<Vec<usize>> {
    let mut both: HashMap<(FactorValue, FactorValue), [u32; 2], FixedState> = HashMap::default();
    for (pair, way) in points.iter().filter_map(pair) {
        if let Some(count) = both.entry(pair).or_default().get_mut(usize::from(way)) {
            *count += 1;
        }
    }
    both.retain(|_, counts| counts.iter().all(|&count| count >= 2));
    let mut members: HashMap<(FactorValue, FactorValue), Vec<usize>, FixedState> = HashMap::default();
    for (at, point) in points.iter().enumerate() {
        if let Some((pair, _)) = pair(point).filter(|(pair, _)| both.contains_key(pair)) {
            members.entry(pair).or_default().push(at);
        }
    }
    let mut members: Vec<_> = members.into_iter().collect();
    members.sort_unstable_by_key(|(pair, _)| *pair);
    members.into_iter().map(|(_, members)| members).collect()
}

/// The share of the points with which two answer each other, 0 to 1.
pub(crate) fn answered(points: &[&WeightedEvent]) -> f64 {
    let mut sums: HashMap<(FactorValue, FactorValue), [f64; 2], FixedState> = HashMap::default();
    for (pair, way) in points.iter().filter_map(|point| pair(point)) {
        if let Some(sum) = sums.entry(pair).or_default().get_mut(usize::from(way)) {
            *sum += 1.0;
        }
    }
    let mutual = sums.values().filter(|[a, b]| a.min(*b) >= EACH * (a + b));
    mutual.map(|[a, b]| a + b).sum::<f64>() / (points.len() as f64).max(1.0)
}
