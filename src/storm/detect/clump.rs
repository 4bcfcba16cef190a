//! Estimates how strongly the failures of a dimension come in clumps when nothing is wrong.
//!
//! The result is the parameter q of the geometric Poisson distribution in `likelihood`: a cluster has 1 / (1 - q) units on
//! average. In a view with few units the clusters can be seen, and their mean size gives q. In a dense view they overlap;
//! there the second differences of neighbouring counts give the ratio of variance to mean, which is (1 + q) / (1 - q) (the
//! method of von Neumann, "Distribution of the ratio of the mean square successive difference to the variance", 1941, for
//! parabolas instead of constants, so that the rhythm of a day is not taken for clumps).

use super::living_time::LivingTime;

/// Views with fewer units a minute than this show their clusters.
const SPARSE_RATE: f64 = 0.1;
/// Units that are at most this many minutes apart may belong to one cluster.
const CLUSTER_MINUTES: f64 = 60.0;
/// The share of the largest clusters and differences that are left out: they may be storms.
const LEFT_OUT: usize = 100;
/// Clusters and their units that are assumed before any was seen: nearly all of one unit.
const PRIOR: ClumpSums = ClumpSums { clusters: 5.0, units: 5.25, squares: 0.0, counts: 0.0 };
/// The largest parameter, which makes a cluster of ten units ordinary.
const LARGEST: f64 = 0.9;

/// Sums over the clusters of sparse views and the counts of dense ones.
#[derive(Clone, Copy, Default, Debug)]
struct ClumpSums {
    clusters: f64,
    units: f64,
    squares: f64,
    counts: f64,
}

impl ClumpSums {
    fn less(self, other: Self) -> Self {
        Self {
            clusters: self.clusters - other.clusters,
            units: self.units - other.units,
            squares: self.squares - other.squares,
            counts: self.counts - other.counts,
        }
    }

    fn clump(self) -> f64 {
        let (clusters, units) = (self.clusters + PRIOR.clusters, self.units + PRIOR.units);
        let sparse = (1.0 - clusters / units.max(clusters)).clamp(0.0, LARGEST);
        if self.counts < 20.0 {
            return sparse;
        }
        let ratio = self.squares / self.counts;
        let dense = ((ratio - 1.0) / (ratio + 1.0)).clamp(0.0, LARGEST);
        (sparse * units + dense * self.counts) / (units + self.counts)
    }
}

/// Collects the clusters of the views of one dimension.
#[derive(Clone, Default, Debug)]
pub(crate) struct Clumps {
    /// The sizes of the clusters of sparse views, and the places of their views.
    sizes: Vec<(f64, u32)>,
    /// The sums of the views that have a place.
    own: Vec<ClumpSums>,
    /// The sums of the dense views.
    dense: ClumpSums,
}

/// The place of a view that is not searched.
const NO_PLACE: u32 = u32::MAX;

/// The clumps of the views of one dimension.
#[derive(Clone, Default, Debug)]
pub(crate) struct FinishedClumps {
    whole: ClumpSums,
    own: Vec<ClumpSums>,
}

impl Clumps {
    /// An empty collection for at most this many units.
    pub(crate) fn of(units: usize) -> Self {
        Self { sizes: Vec::with_capacity(units), ..Self::default() }
    }

    /// Adds the units of a view, as minutes and weights in the order of time. A view that `has_place` gets the next place, from 0
    /// on.
    pub(crate) fn add(&mut self, view: &[(i32, f64)], living: &LivingTime, has_place: bool) {
        let weight: f64 = view.iter().map(|(_, weight)| weight).sum();
        let rate = weight / living.total().max(1.0);
        let place = if has_place { self.own.len() as u32 } else { NO_PLACE };
        let mut sums = ClumpSums::default();
        if rate < SPARSE_RATE {
            self.sizes.extend(clusters(view, rate).map(|size| (size, place)));
        } else {
            (sums.squares, sums.counts) = differences(view, rate);
            self.dense.squares += sums.squares;
            self.dense.counts += sums.counts;
        }
        if has_place {
            self.own.push(sums);
        }
    }

    /// Adds a view with a single unit, which has no place.
    pub(crate) fn add_single(&mut self, unit: (i32, f64), living: &LivingTime) {
        if unit.1 < SPARSE_RATE * living.total().max(1.0) {
            self.sizes.push((unit.1, NO_PLACE));
        } else {
            self.add(&[unit], living, false);
        }
    }

    pub(crate) fn finish(self) -> FinishedClumps {
        let Self { mut sizes, mut own, dense: mut whole } = self;
        let few = usize::from(sizes.len() >= 20);
        let kept = sizes.len() - (sizes.len() / LEFT_OUT).max(few);
        if kept < sizes.len() {
            sizes.select_nth_unstable_by(kept, |a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            sizes.truncate(kept);
        }
        for (size, place) in sizes {
            let size = size.max(1.0);
            whole.clusters += 1.0;
            whole.units += size;
            if let Some(own) = own.get_mut(place as usize) {
                own.clusters += 1.0;
                own.units += size;
            }
        }
        FinishedClumps { whole, own }
    }
}

impl FinishedClumps {
    /// The clump of the view with this place, estimated from all others, so that a storm does not excuse itself.
    pub(crate) fn of_view(&self, place: usize) -> f64 {
        let own = self.own.get(place).copied().unwrap_or_default();
        self.whole.less(own).clump()
    }

    /// The clump of all views together.
    pub(crate) fn whole(&self) -> f64 {
        self.whole.clump()
    }
}

/// The weights of the clusters of a sparse view.
fn clusters(view: &[(i32, f64)], rate: f64) -> impl Iterator<Item = f64> {
    // Two units within this time are more often one cluster than chance.
    let near = (0.1 / rate.max(1e-9)).clamp(1.0, CLUSTER_MINUTES) as i32;
    let is_same = move |a: &(i32, f64), b: &(i32, f64)| b.0 - a.0 <= near;
    view.chunk_by(is_same).map(|cluster| cluster.iter().map(|(_, weight)| weight).sum())
}

/// The squared second differences of the counts in bins of a few units, over their expectation for independent counts of
/// variance 1; and the sum of the counts.
fn differences(view: &[(i32, f64)], rate: f64) -> (f64, f64) {
    let length = (3.0 / rate).clamp(1.0, 60.0) as i32;
    let mut bins: Vec<(i32, f64)> = Vec::new();
    for &(minute, weight) in view {
        let bin = minute.div_euclid(length);
        match bins.last_mut() {
            Some((last, sum)) if *last == bin => *sum += weight,
            _ => bins.push((bin, weight)),
        }
    }
    let count = |at: Option<usize>, bin: i32| {
        let found = at.and_then(|at| bins.get(at)).filter(|(other, _)| *other == bin);
        found.map_or(0.0, |(_, sum)| *sum)
    };
    let mut squares: Vec<(f64, f64)> = Vec::with_capacity(bins.len());
    for (at, &(bin, here)) in bins.iter().enumerate() {
        let (before, after) = (count(at.checked_sub(1), bin - 1), count(Some(at + 1), bin + 1));
        squares.push(((before - 2.0 * here + after).powi(2) / 6.0, (before + here + after) / 3.0));
    }
    let kept = squares.len() - squares.len() / LEFT_OUT;
    if kept < squares.len() {
        squares.select_nth_unstable_by(kept, |a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        squares.truncate(kept);
    }
    squares.iter().fold((0.0, 0.0), |sums, square| (sums.0 + square.0, sums.1 + square.1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storm::sample::line_minutes::LineMinutes;

    fn living(last: i32) -> LivingTime {
        let mut lines = LineMinutes::default();
        (0..=last).for_each(|minute| lines.add(minute));
        LivingTime::new(&lines, 0, last)
    }

    /// A stream of numbers below `limit` (the generator of Lehmer).
    fn numbers(limit: u64) -> impl FnMut() -> i32 {
        let mut state: u64 = 7;
        move || {
            state = state * 48_271 % 0x7fff_ffff;
            (state % limit) as i32
        }
    }

    fn view(mut minutes: Vec<i32>) -> Vec<(i32, f64)> {
        minutes.sort_unstable();
        minutes.into_iter().map(|minute| (minute, 1.0)).collect()
    }

    fn clumps(views: &[Vec<(i32, f64)>], living: &LivingTime) -> FinishedClumps {
        let mut clumps = Clumps::default();
        for view in views {
            clumps.add(view, living, true);
        }
        clumps.finish()
    }

    #[test]
    fn single_units_have_no_clump_and_clusters_have() {
        let mut next = numbers(50_000);
        let singles: Vec<_> = (0..30).map(|_| view((0..40).map(|_| next()).collect())).collect();
        let clustered: Vec<_> = (0..30)
            .map(|_| {
                view(
                    (0..10)
                        .flat_map(|_| {
                            let at = next();
                            [at, at + 1, at + 3, at + 4]
                        })
                        .collect(),
                )
            })
            .collect();
        let living = living(50_000);
        let q = |views: &[Vec<(i32, f64)>]| clumps(views, &living).whole();
        assert!(q(&singles) < 0.15, "{}", q(&singles));
        assert!((0.65..0.8).contains(&q(&clustered)), "{}", q(&clustered));
    }

    #[test]
    fn the_rhythm_of_a_day_is_no_clump() {
        let mut next = numbers(1000);
        let day = 1440.0;
        let minutes = (0..4 * 1440).flat_map(|minute| {
            let rate = 2.0 + 1.9 * (f64::from(minute) / day * std::f64::consts::TAU).sin();
            // Five chances a minute: nearly a Poisson count.
            (0..20).filter(|_| f64::from(next()) < rate * 50.0).map(|_| minute).collect::<Vec<_>>()
        });
        let dense = view(minutes.collect());
        let clumps = clumps(&[dense], &living(4 * 1440));
        assert!(clumps.whole() < 0.15, "{}", clumps.whole());
    }

    #[test]
    fn a_view_is_judged_by_the_others() {
        let mut next = numbers(50_000);
        let mut views: Vec<_> = (0..20).map(|_| view((0..20).map(|_| next()).collect())).collect();
        views.push(view((0..300).map(|at| 1000 + at / 10).collect()));
        let clumps = clumps(&views, &living(50_000));
        assert!(clumps.of_view(20) < 0.2, "{}", clumps.of_view(20));
    }
}
