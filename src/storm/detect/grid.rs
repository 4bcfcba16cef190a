//! Defines the windows in which storms are searched, and the score that a window must reach.

/// Lengths of the windows in minutes, from one minute to two days on a geometric grid whose factor is the square root of 2
/// (as in Neill and Moore, "Rapid detection of significant spatial clusters", 2004): a storm of any length overlaps one of
/// them by most of its length.
pub(crate) const WINDOW_MINUTES: [i32; 23] =
    [1, 2, 3, 4, 6, 8, 11, 16, 23, 32, 45, 64, 91, 128, 181, 256, 362, 512, 724, 1024, 1440, 2048, 2880];
/// A window covers at most this share of the living time, so that enough of the log shows what is usual.
pub(crate) const LARGEST_SHARE: f64 = 0.7;
/// A view with less weight than this in the whole log is not searched.
pub(crate) const LEAST_WEIGHT: f64 = 4.5;
/// Minutes in 30 days.
const MONTH: f64 = 30.0 * 24.0 * 60.0;
/// The views of different dimensions and the lengths of windows that are searched, as independent tests: 12 dimensions, and
/// as many lengths that do not overlap mostly.
const TESTS: f64 = 144.0;

/// How much chance is allowed to look like a storm.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Sensitivity {
    /// The false alarms that are accepted in 30 days.
    pub alarms_per_month: f64,
}

impl Default for Sensitivity {
    fn default() -> Self {
        Self { alarms_per_month: 1.0 }
    }
}

/// The number of independent windows of one dimension in a month.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WindowCount {
    /// Units of the dimension in 30 days: a window begins at one.
    pub units_a_month: f64,
    /// Values of the dimension.
    pub values: f64,
}

/// The critical value of each length in [`WINDOW_MINUTES`].
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct CriticalValues(pub [f64; WINDOW_MINUTES.len()]);

impl CriticalValues {
    /// The critical value of a window of this length in minutes, or of the next one in the grid.
    pub(crate) fn of(&self, length: i32) -> f64 {
        let at = WINDOW_MINUTES.partition_point(|other| *other < length);
        self.0.get(at).or(self.0.last()).copied().unwrap_or_default()
    }
}

impl Sensitivity {
    /// The critical values of all lengths.
    pub(crate) fn critical_values(self, count: WindowCount) -> CriticalValues {
        CriticalValues(WINDOW_MINUTES.map(|length| self.critical_value(count, f64::from(length))))
    }

    /// The exponent that a window of this length must exceed (Bonferroni's correction over values and windows): with it,
    /// all windows of all views together reach it by chance `alarms_per_month` times in 30 days.
    pub(crate) fn critical_value(self, count: WindowCount, minutes: f64) -> f64 {
        let windows = 2.0 * count.values * MONTH / minutes.max(1.0);
        count.units_a_month.min(windows).max(1.0).ln() + self.tests()
    }

    /// The part of the critical value that does not depend on the window. Half of the alarms are for each direction.
    fn tests(self) -> f64 {
        (TESTS / (self.alarms_per_month.max(1e-6) / 2.0)).ln()
    }

    /// The exponent of a silence: one may begin in any minute, in one of a dozen views.
    pub(crate) fn critical_silence(self, minutes: f64) -> f64 {
        (MONTH / minutes.max(1.0)).ln() + (12.0 / (self.alarms_per_month.max(1e-6) / 2.0)).ln()
    }
}

/// The number of units in 30 days, where `units` came in `minutes` of living time.
pub(crate) fn a_month(units: f64, minutes: f64) -> f64 {
    units * MONTH / minutes.max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_length_is_about_the_square_root_of_two_times_the_one_before() {
        assert!(
            WINDOW_MINUTES
                .windows(2)
                .skip(3)
                .all(|pair| (1.3..1.55).contains(&(f64::from(pair[1]) / f64::from(pair[0]))))
        );
    }

    #[test]
    fn more_alarms_and_longer_windows_need_less() {
        let count = WindowCount { units_a_month: 1e6, values: 20.0 };
        let at = |alarms, minutes| Sensitivity { alarms_per_month: alarms }.critical_value(count, minutes);
        assert!(at(1.0, 10.0) > at(10.0, 10.0) && at(1.0, 10.0) > at(1.0, 1000.0));
        assert!((at(1.0, 10.0) - at(10.0, 10.0) - 10_f64.ln()).abs() < 1e-9);
    }

    #[test]
    fn a_view_with_few_units_has_few_windows() {
        let count = |units_a_month| WindowCount { units_a_month, values: 1e6 };
        let at = |units| Sensitivity::default().critical_value(count(units), 1.0);
        assert!((at(100.0) - at(10.0) - 10_f64.ln()).abs() < 1e-9);
    }
}
