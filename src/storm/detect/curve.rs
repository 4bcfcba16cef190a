//! Sums weights over any span of time, by prefix sums.

/// Weights in the order of time, with their sums.
#[derive(Clone, Debug)]
pub(crate) struct Curve {
    minutes: Vec<i32>,
    /// The sum of the weights before each entry; one more than `minutes`, unless that is empty.
    sums: Vec<f64>,
}

impl Default for Curve {
    fn default() -> Self {
        Self { minutes: Vec::new(), sums: vec![0.0] }
    }
}

impl Curve {
    /// `weights` are minutes and weights in the order of time.
    pub(crate) fn new(weights: impl Iterator<Item = (i32, f64)>) -> Self {
        let mut curve = Self::default();
        weights.for_each(|(minute, weight)| curve.push(minute, weight));
        curve
    }

    /// Adds a weight; minutes must come in the order of time.
    pub(crate) fn push(&mut self, minute: i32, weight: f64) {
        let sum = self.total() + weight;
        if self.minutes.last() == Some(&minute) {
            self.sums.pop();
        } else {
            self.minutes.push(minute);
        }
        self.sums.push(sum);
    }

    /// The sum from minute `from` on and before minute `to`.
    pub(crate) fn between(&self, from: i32, to: i32) -> f64 {
        (self.before(to) - self.before(from)).max(0.0)
    }

    /// The sums between each two of these minutes.
    pub(crate) fn between_each(&self, bounds: &[i32]) -> Vec<f64> {
        let before: Vec<f64> = bounds.iter().map(|minute| self.before(*minute)).collect();
        before.iter().zip(before.iter().skip(1)).map(|(from, to)| (to - from).max(0.0)).collect()
    }

    fn before(&self, minute: i32) -> f64 {
        let at = self.minutes.partition_point(|other| *other < minute);
        self.sums.get(at).copied().unwrap_or_default()
    }

    pub(crate) fn total(&self) -> f64 {
        self.sums.last().copied().unwrap_or_default()
    }

    /// The entries: minutes and weights.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (i32, f64)> {
        let weights = self.sums.windows(2).map(|pair| match pair {
            [before, after] => after - before,
            _ => 0.0,
        });
        self.minutes.iter().copied().zip(weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_any_span() {
        let curve = Curve::new([(3, 1.0), (3, 2.0), (5, 4.0), (9, 8.0)].into_iter());
        assert!((curve.between(0, 3) - 0.0).abs() < 1e-9);
        assert!((curve.between(3, 4) - 3.0).abs() < 1e-9);
        assert!((curve.between(4, 9) - 4.0).abs() < 1e-9);
        assert_eq!((curve.between(5, 100), curve.total()), (12.0, 15.0));
        assert_eq!(curve.entries().collect::<Vec<_>>(), [(3, 3.0), (5, 4.0), (9, 8.0)]);
        assert!((Curve::default().between(0, 9) - 0.0).abs() < 1e-9);
    }
}
