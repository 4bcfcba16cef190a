//! Computes how improbable a count is if nothing is wrong, as an exponent in nats.
//!
//! Failures come in clumps, so counts are modelled as geometric Poisson (Pólya and Aeppli, 1930): clusters arrive as a
//! Poisson process, and the size of a cluster is geometric with the parameter `clump`. A clump of 0 is the Poisson
//! distribution. The exponent is Chernoff's bound ("A measure of asymptotic efficiency for tests of a hypothesis", 1952):
//! the probability of a count at least as extreme is at most e to the power of minus the exponent.

/// A storm has at least this many times the rate that is usual.
pub(crate) const LEAST_RATIO: f64 = 1.5;

/// Chernoff's exponent of `count` or more (or, below the mean, of `count` or fewer) under a geometric Poisson distribution.
/// Infinite if the mean is 0 and the count is not. `clump` is at least 0 and below 1.
pub(crate) fn exponent(count: f64, mean: f64, clump: f64) -> f64 {
    if count <= 0.0 {
        // The probability that no cluster comes.
        return (mean * (1.0 - clump)).max(0.0);
    }
    if mean <= 0.0 {
        return f64::INFINITY;
    }
    // The saddle point z = e^s solves count = mean·(1-q)²·z / (1-q·z)².
    let b = mean * (1.0 - clump) * (1.0 - clump);
    let sum = 2.0 * count * clump + b;
    let root = (sum * sum - 4.0 * count * count * clump * clump).max(0.0).sqrt();
    let z = 2.0 * count / (sum + root);
    let cumulant = mean * (1.0 - clump) * ((1.0 - clump) * z / (1.0 - clump * z) - 1.0);
    (count * z.ln() - cumulant).max(0.0)
}

/// A window of a view: its weight and living minutes, and those of the rest of the log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WindowCounts {
    pub inside: f64,
    pub inside_minutes: f64,
    pub outside: f64,
    pub outside_minutes: f64,
}

impl WindowCounts {
    /// The rate outside, in weight a minute. One more unit than was seen counts, so that a short log does not take the storm
    /// for all that is usual.
    pub(crate) fn outside_rate(&self) -> f64 {
        (self.outside.max(0.0) + 1.0) / self.outside_minutes.max(1.0)
    }

    /// The weight that the window would have with [`LEAST_RATIO`] times the outside rate.
    pub(crate) fn raised_expectation(&self) -> f64 {
        LEAST_RATIO * self.outside_rate() * self.inside_minutes
    }

    /// The exponent of the window against the rest of the log: Kulldorff's conditional likelihood ratio ("A spatial scan
    /// statistic", 1997), with the outside rate raised by [`LEAST_RATIO`] and with clumps. 0 if the window is not raised.
    /// `spread` is the weight that one independent event stands for.
    pub(crate) fn against_time(&self, clump: f64, spread: f64) -> f64 {
        let spread = spread.max(1.0);
        let (inside, outside) = (self.inside / spread, (self.outside.max(0.0) + 1.0) / spread);
        let (near, far) = (LEAST_RATIO * self.inside_minutes, self.outside_minutes.max(1.0));
        // The most likely base rate if the window were only `LEAST_RATIO` times as busy as the rest.
        let base = (inside + outside) / (near + far);
        if inside <= base * near {
            return 0.0;
        }
        exponent(inside, base * near, clump) + exponent(outside, base * far, clump)
    }
}

/// The exponent of `count` where the volume of mail explains `expected`, raised by [`LEAST_RATIO`]. 0 if it is not above.
pub(crate) fn against_volume(count: f64, expected: f64, clump: f64, spread: f64) -> f64 {
    let spread = spread.max(1.0);
    let (count, mean) = (count / spread, LEAST_RATIO * expected / spread);
    if count <= mean { 0.0 } else { exponent(count, mean, clump) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The log likelihood ratio of a Poisson count.
    fn poisson(count: f64, mean: f64) -> f64 {
        count * (count / mean).ln() - (count - mean)
    }

    #[test]
    fn without_clumps_it_is_the_ratio_of_a_poisson_count() {
        for (count, mean) in [(5.0, 1.0), (40.0, 30.0), (1.0, 9.0), (300.0, 2.5)] {
            assert!((exponent(count, mean, 0.0) - poisson(count, mean)).abs() < 1e-9, "{count} of {mean}");
        }
    }

    #[test]
    fn clumps_make_the_same_count_less_improbable() {
        let by_clump = [0.0, 0.2, 0.5, 0.8].map(|clump| exponent(30.0, 10.0, clump));
        assert!(by_clump.windows(2).all(|pair| pair[0] > pair[1]), "{by_clump:?}");
        assert!(by_clump[3] > 0.0);
    }

    #[test]
    fn the_usual_count_has_no_exponent() {
        for clump in [0.0, 0.3, 0.7] {
            assert!(exponent(12.0, 12.0, clump).abs() < 1e-9);
        }
        assert!((exponent(0.0, 8.0, 0.5) - 4.0).abs() < 1e-9);
        assert!(exponent(3.0, 0.0, 0.5).is_infinite());
    }

    /// Sums the probabilities of a geometric Poisson count by Panjer's recursion, and compares the tail with the bound.
    #[test]
    fn the_bound_holds_for_the_tail() {
        let (mean, clump): (f64, f64) = (4.0, 0.4);
        let rate = mean * (1.0 - clump);
        let mut of: Vec<f64> = vec![(-rate).exp()];
        for n in 1..200_usize {
            let sum: f64 =
                (1..=n).map(|k| k as f64 * (1.0 - clump) * clump.powi(k as i32 - 1) * of[n - k]).sum();
            of.push(rate * sum / n as f64);
        }
        for count in [6_usize, 10, 20, 40] {
            let tail: f64 = of[count..].iter().sum();
            let bound = (-exponent(count as f64, mean, clump)).exp();
            assert!(tail <= bound && tail > bound / 50.0, "{count}: {tail} against {bound}");
        }
    }

    #[test]
    fn a_window_like_the_rest_is_nothing() {
        let counts =
            |inside| WindowCounts { inside, inside_minutes: 10.0, outside: 99.0, outside_minutes: 990.0 };
        assert!(counts(1.4).against_time(0.0, 1.0).abs() < 1e-9);
        assert!(counts(15.0).against_time(0.0, 1.0) > 15.0);
        assert!(counts(15.0).against_time(0.5, 1.0) < counts(15.0).against_time(0.0, 1.0));
        assert!(counts(15.0).against_time(0.0, 5.0) < 0.25 * counts(15.0).against_time(0.0, 1.0));
    }

    #[test]
    fn mail_that_explains_the_count_is_no_storm() {
        assert!(against_volume(12.0, 8.0, 0.0, 1.0).abs() < 1e-9);
        assert!(against_volume(60.0, 8.0, 0.3, 1.0) > 10.0);
    }
}
