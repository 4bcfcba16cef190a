//! Tells which time is a weekend, in the time zone of the log. Many servers have hardly any mail then.

use jiff::Timestamp;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;

/// Minutes that are looked at in a span, at most.
const LOOKS: i32 = 96;

/// The share of the minutes from `from` to `to` that lie on a Saturday or Sunday; both minutes count.
pub(crate) fn weekend_share(zone: &TimeZone, from: i32, to: i32) -> f64 {
    let step = ((to - from) / LOOKS).max(1) as usize;
    let days = (from..to.saturating_add(1)).step_by(step).filter_map(|minute| {
        let at = Timestamp::from_second(i64::from(minute) * 60).ok()?;
        Some(matches!(zone.to_datetime(at).weekday(), Weekday::Saturday | Weekday::Sunday))
    });
    let (mut weekend, mut all) = (0.0, 0.0);
    for is_weekend in days {
        all += 1.0;
        weekend += if is_weekend { 1.0 } else { 0.0 };
    }
    weekend / f64::max(all, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weekend_is_that_of_the_time_zone() {
        // Friday, 20 November 2026, 22:00 UTC.
        let friday = 1_795_212_000 / 60;
        let later = TimeZone::fixed(jiff::tz::offset(3));
        assert!(weekend_share(&TimeZone::UTC, friday, friday + 60) < 0.01);
        assert!(weekend_share(&later, friday, friday + 60) > 0.99);
        let share = weekend_share(&TimeZone::UTC, friday, friday + 4 * 60 - 1);
        assert!((0.45..0.55).contains(&share), "{share}");
        assert!(weekend_share(&TimeZone::UTC, friday, friday + 7 * 24 * 60) < 0.3);
    }
}
