//! Finds where a storm begins and ends.

use super::living_time::LivingTime;
use super::window::UnitSeries;

/// The edges are searched this many times the window's length before and after it, and at least an hour.
const AROUND: i32 = 2;
const LEAST_AROUND: i32 = 60;

/// The first and the last minute of the span that is most likely a storm with the window's rate, where `usual` is the rate
/// outside, in weight a minute. The log likelihood of the span rises from its first unit on and falls after its last
/// (Page, "Continuous inspection schemes", 1954; the span of the largest sum).
pub(crate) fn edges(
    series: &UnitSeries,
    (from, to): (i32, i32),
    (inside, usual): (f64, f64),
    living: &LivingTime,
) -> (i32, i32) {
    let around = (AROUND * (to - from)).max(LEAST_AROUND);
    let (start, end) = series.range(from.saturating_sub(around), to.saturating_add(around));
    let (gain, loss) = ((inside / usual.max(1e-9)).max(1.01).ln(), (inside - usual).max(1e-9));
    let mut best = (f64::NEG_INFINITY, from, to - 1);
    let (mut sum, mut first, mut before) = (0.0, from, None);
    for unit in series.units().get(start..end).unwrap_or_default() {
        if let Some(before) = before {
            sum -= loss * living.between(before, unit.minute);
        }
        before = Some(unit.minute);
        if sum <= 0.0 {
            (sum, first) = (0.0, unit.minute);
        }
        sum += gain * unit.weight;
        if sum > best.0 && first < to && unit.minute >= from {
            best = (sum, first, unit.minute);
        }
    }
    (best.1, best.2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storm::detect::evidence_table::EvidenceUnit;
    use crate::storm::sample::line_minutes::LineMinutes;

    #[test]
    fn the_rate_rises_at_the_first_and_falls_after_the_last_unit() {
        let mut lines = LineMinutes::default();
        (0..=999).for_each(|minute| lines.add(minute));
        let living = LivingTime::new(&lines, 0, 999);
        let mut minutes: Vec<i32> = (0..1000).step_by(50).chain((403..460).step_by(3)).collect();
        minutes.sort_unstable();
        let unit = |minute: i32| EvidenceUnit { minute, weight: 1.0, events: 1.0, at: 0 };
        let series = UnitSeries::new(minutes.into_iter().map(unit).collect(), |_| true);
        let (first, last) = edges(&series, (406, 451), (0.35, 0.02), &living);
        assert!((400..=403).contains(&first) && last == 457, "{first} {last}");
    }
}
