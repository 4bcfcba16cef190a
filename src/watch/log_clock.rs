//! Determines the current minute of a log from the wall clock and the log's last line.

use std::time::Duration;

/// A log whose last line is later than the wall clock, or older than this many minutes, has its own clock: it is a copy, or
/// its timestamps are of another time zone.
const NEAR_MINUTES: i64 = 60;

/// The clock of a log. It never goes back.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct LogClock {
    /// A minute of the log, and the time since the program's start at which it was read.
    start: Option<(i64, Duration)>,
    /// The current minute, since 1970-01-01T00:00Z. `None`: no line has shown its time so far.
    pub minute: Option<i64>,
}

impl LogClock {
    /// `last` is the minute of the last line, `wall` that of the wall clock, `passed` the time since the program's start.
    pub(crate) fn tick(&mut self, last: Option<i64>, wall: i64, passed: Duration) {
        let Some(last) = last else { return };
        if (0..=NEAR_MINUTES).contains(&(wall - last)) {
            self.minute = self.minute.max(Some(wall));
            return;
        }
        let (start, at) = *self.start.get_or_insert((last, passed));
        let since = (passed.saturating_sub(at).as_secs() / 60) as i64;
        self.minute = self.minute.max(Some(last)).max(Some(start + since));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_is_written_now_goes_by_the_wall_clock() {
        let mut clock = LogClock::default();
        clock.tick(None, 1000, Duration::ZERO);
        assert_eq!(clock.minute, None);
        clock.tick(Some(998), 1000, Duration::ZERO);
        assert_eq!(clock.minute, Some(1000));
        clock.tick(Some(998), 1003, Duration::from_secs(180));
        assert_eq!(clock.minute, Some(1003));
    }

    #[test]
    fn an_old_log_and_one_of_another_zone_go_by_their_own() {
        for last in [10, 1060] {
            let mut clock = LogClock::default();
            clock.tick(Some(last), 1000, Duration::from_secs(5));
            assert_eq!(clock.minute, Some(last));
            clock.tick(Some(last), 1002, Duration::from_secs(130));
            assert_eq!(clock.minute, Some(last + 2));
        }
    }
}
