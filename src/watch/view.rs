//! What was counted comes in; what the screen shows of it goes out.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::monitor::{LATELY, Monitor};
use super::screen::{GrowingRow, ViewModel, identity};
use crate::report::storm::Storm;

/// Storms are looked for so often, at most.
const PACE: Duration = Duration::from_secs(1);
/// And never for longer than one part of so many.
const SHARE: u32 = 10;

/// The storms as they were found last.
#[derive(Default)]
pub(crate) struct StormFinder {
    pub found: Vec<Storm>,
    /// Lines read and the minute when they were looked for, and when they may be again.
    state: Option<(u64, Option<i64>, Instant)>,
}

impl StormFinder {
    /// Looks for them if anything has changed, and it is time; `at_once`: time or not. False: they are as they were.
    pub(crate) fn find(&mut self, lookout: &mut Monitor, minute: Option<i64>, at_once: bool) -> bool {
        let lines = lookout.coverage.lines;
        let due = match self.state {
            Some((read, at, next)) => (read, at) != (lines, minute) && (at_once || Instant::now() >= next),
            None => true,
        };
        if due {
            let began = Instant::now();
            self.found = lookout.storms(minute);
            let pause = PACE.max(began.elapsed() * SHARE);
            self.state = Some((lines, minute, Instant::now() + pause));
        }
        due
    }
}

/// `minute` is the one that it is. None: no line has shown its time.
pub fn sight(lookout: &Monitor, minute: Option<i64>, storms: &[Storm]) -> ViewModel {
    let (Some(minute), Some(board)) = (minute, lookout.board()) else { return ViewModel::default() };
    let (first, last) = Monitor::span(minute);
    let lately = lookout.rows(last - LATELY + 1, last);
    let lately: HashMap<String, u64> = lately.iter().map(|row| (identity(row), row.attempts)).collect();
    let growing = |row| GrowingRow { lately: lately.get(&identity(&row)).copied().unwrap_or(0), row };
    let mut rows: Vec<GrowingRow> = lookout.rows(first, last).into_iter().map(growing).collect();
    // As many attempts stand in the order of the report.
    rows.sort_by_key(|growing| (Reverse(growing.lately), Reverse(growing.row.attempts)));
    let time = Timestamp::from_second(minute * 60).ok();
    let time = time.map(|at| at.to_zoned(lookout.calendar.zone.clone()).strftime("%a %F %H:%M").to_string());
    ViewModel {
        time: time.unwrap_or_default(),
        hour: board.hour(minute),
        rows,
        storms: storms.to_vec(),
        lines: (lookout.coverage.lines, lookout.coverage.unread),
        ..ViewModel::default()
    }
}
