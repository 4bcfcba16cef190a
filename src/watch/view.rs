//! Prepares the data that the screen shows, and detects storms at a limited rate.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::monitor::{Monitor, RECENT_MINUTES};
use super::screen::{GrowingRow, ViewModel, identity};
use crate::report::storm::Storm;

/// The least time between two detections of storms.
const PACE: Duration = Duration::from_secs(1);
/// The pause after a detection is at least this many times as long as the detection.
const PAUSE_RATIO: u32 = 10;

/// The storms of the latest detection.
#[derive(Default)]
pub(crate) struct StormFinder {
    pub storms: Vec<Storm>,
    /// The number of lines and the minute at the latest detection, and the earliest time of the next one.
    state: Option<(u64, Option<i64>, Instant)>,
}

impl StormFinder {
    /// Detects storms if anything has changed and the pause is over; `at_once`: even before. False: nothing was done.
    pub(crate) fn find(&mut self, monitor: &mut Monitor, minute: Option<i64>, at_once: bool) -> bool {
        let lines = monitor.coverage.lines;
        let due = match self.state {
            Some((read, at, next)) => (read, at) != (lines, minute) && (at_once || Instant::now() >= next),
            None => true,
        };
        if due {
            let began = Instant::now();
            self.storms = monitor.storms(minute);
            let pause = PACE.max(began.elapsed() * PAUSE_RATIO);
            self.state = Some((lines, minute, Instant::now() + pause));
        }
        due
    }
}

/// The data to show at `minute`, the current one. `None`: no line has shown its time.
pub fn view(monitor: &Monitor, minute: Option<i64>, storms: &[Storm]) -> ViewModel {
    let (Some(minute), Some(window)) = (minute, monitor.window()) else { return ViewModel::default() };
    let (first, last) = Monitor::span(minute);
    let recent = monitor.rows(last - RECENT_MINUTES + 1, last);
    let recent: HashMap<String, u64> = recent.iter().map(|row| (identity(row), row.attempts)).collect();
    let listed = |row| GrowingRow { recent: recent.get(&identity(&row)).copied().unwrap_or(0), row };
    let mut rows: Vec<GrowingRow> = monitor.rows(first, last).into_iter().map(listed).collect();
    // The sort is stable: rows with equal counts keep the order of the report.
    rows.sort_by_key(|listed| (Reverse(listed.recent), Reverse(listed.row.attempts)));
    let time = Timestamp::from_second(minute * 60).ok();
    let time = time.map(|at| at.to_zoned(monitor.calendar.zone.clone()).strftime("%a %F %H:%M").to_string());
    ViewModel {
        time: time.unwrap_or_default(),
        elapsed_seconds: window.elapsed_seconds(minute),
        hour: window.hour(minute),
        rows,
        storms: storms.to_vec(),
        lines: (monitor.coverage.lines, monitor.coverage.unread),
        ..ViewModel::default()
    }
}
