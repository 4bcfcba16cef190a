//! Joins the hours of a report into at most 96 buckets of equal length, so that they fit on a page.

use jiff::{SignedDuration, Zoned};

use crate::report::Hour;

/// The sums of consecutive hours.
pub(crate) struct Bucket {
    pub start: Zoned,
    pub delivered: u64,
    pub deferred: u64,
    pub bounced: u64,
    pub expired: u64,
    pub transient: u64,
    pub permanent: u64,
    pub unspecified: u64,
}

/// Upper bound on the number of buckets.
const MOST_BUCKETS: i64 = 96;

/// Bucket lengths in hours that are easy to read: up to half a day, days, weeks, four weeks. Longer buckets are whole days.
const LENGTHS: [i64; 9] = [1, 2, 3, 6, 12, 24, 48, 168, 672];

/// The buckets from the first to the last hour, without gaps, and the length of a bucket in hours. No buckets for an empty
/// timeline.
pub(crate) fn buckets(hours: &[Hour]) -> (Vec<Bucket>, i64) {
    let (Some(first), Some(last)) = (hours.first(), hours.last()) else { return (Vec::new(), 1) };
    // Local hours, so that days begin at midnight.
    let number = |start: &Zoned| {
        (start.timestamp().as_second() + i64::from(first.start.offset().seconds())).div_euclid(3600)
    };
    let (from, to) = (number(&first.start), number(&last.start));
    let count = |length: i64| to.div_euclid(length) - from.div_euclid(length) + 1;
    let fits = LENGTHS.into_iter().find(|&length| count(length) <= MOST_BUCKETS);
    let length = fits.unwrap_or(((to - from) / (MOST_BUCKETS - 1) / 24 + 1) * 24);
    let begin = from.div_euclid(length) * length;
    let empty = |at: i64| {
        let away = SignedDuration::from_hours(begin + at * length - from);
        let start = first.start.checked_add(away).unwrap_or_else(|_| first.start.clone());
        Bucket {
            start,
            delivered: 0,
            deferred: 0,
            bounced: 0,
            expired: 0,
            transient: 0,
            permanent: 0,
            unspecified: 0,
        }
    };
    let mut buckets: Vec<Bucket> = (0..count(length)).map(empty).collect();
    for hour in hours {
        let at = usize::try_from((number(&hour.start) - begin) / length).unwrap_or(0);
        if let Some(bucket) = buckets.get_mut(at) {
            bucket.delivered += hour.outbound.delivered + hour.local.delivered;
            bucket.deferred += hour.outbound.deferred + hour.local.deferred;
            bucket.bounced += hour.outbound.bounced + hour.local.bounced;
            bucket.expired += hour.outbound.expired + hour.local.expired;
            bucket.transient += hour.inbound.transient;
            bucket.permanent += hour.inbound.permanent;
            bucket.unspecified += hour.inbound.unspecified;
        }
    }
    (buckets, length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{HourRefused, HourSent};

    fn hour(second: i64) -> Hour {
        let start = jiff::Timestamp::from_second(second).unwrap().to_zoned(jiff::tz::TimeZone::UTC);
        let sent = HourSent { deferred: 1, ..HourSent::default() };
        Hour { start, outbound: sent, local: HourSent::default(), inbound: HourRefused::default() }
    }

    #[track_caller]
    fn makes(hours: &[i64], want: usize, want_length: i64) {
        let hours: Vec<Hour> = hours.iter().map(|hour_number| hour(hour_number * 3600)).collect();
        let (buckets, length) = buckets(&hours);
        assert_eq!((buckets.len(), length), (want, want_length));
        assert_eq!(buckets.iter().map(|bucket| bucket.deferred).sum::<u64>(), hours.len() as u64);
    }

    #[test]
    fn no_hour_is_lost_and_no_more_than_fit_are_made() {
        makes(&[], 0, 1);
        makes(&[7], 1, 1);
        makes(&[0, 95], 96, 1);
        makes(&[0, 96], 49, 2);
        makes(&[23, 24 * 30], 60, 12);
        makes(&[-1, 24 * 365], 54, 168);
        makes(&[0, 1, 24 * 366 * 50], 95, 4632);
    }
}
